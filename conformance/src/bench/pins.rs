//! PIN and PUK: VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER with the PUK.

use super::{Bench, Checked, PIV_PIN, Reply, Stop, holds};
use cardlab_protocol::apdu::short;
use hex_literal::hex;
use zeroize::Zeroizing;

impl Bench<'_> {
    /// The PIN as the card wants it.
    pub(crate) fn framed(&self, pin: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut framed = Zeroizing::new(pin.to_vec());
        if !self.gids() {
            framed.resize(PIV_PIN.max(pin.len()), 0xFF);
        }
        framed
    }

    /// The right PIN, as typed.
    pub(crate) fn pin(&self) -> Checked<Zeroizing<Vec<u8>>> {
        let known =
            self.pin_now.clone().or_else(|| self.facts.credentials.pin.as_ref().map(|p| Zeroizing::new(p.as_bytes().to_vec())));
        known.ok_or_else(|| Stop::NotApplicable("the PIN is not known".into()))
    }

    pub(crate) fn puk(&self) -> Checked<Zeroizing<Vec<u8>>> {
        let known =
            self.puk_now.clone().or_else(|| self.facts.credentials.puk.as_ref().map(|p| Zeroizing::new(p.as_bytes().to_vec())));
        known.ok_or_else(|| Stop::NotApplicable("the PUK is not known".into()))
    }

    /// A PIN of the same length that is not the right one.
    pub(crate) fn wrong_pin(&self) -> Checked<Zeroizing<Vec<u8>>> {
        Ok(Zeroizing::new(self.pin()?.iter().map(|b| if *b == b'9' { b'0' } else { b + 1 }).collect()))
    }

    pub(crate) fn wrong_puk(&self) -> Checked<Zeroizing<Vec<u8>>> {
        Ok(Zeroizing::new(self.puk()?.iter().map(|b| if *b == b'9' { b'0' } else { b + 1 }).collect()))
    }

    /// VERIFY with this reference and these bytes as they are.
    pub(crate) fn verify_raw(&mut self, reference: u8, bytes: &[u8]) -> Checked<Reply> {
        self.send(&short([0x00, 0x20, 0x00, reference], bytes, None))
    }

    pub(crate) fn verify_with(&mut self, pin: &[u8]) -> Checked<Reply> {
        let framed = self.framed(pin);
        self.verify_raw(0x80, &framed)
    }

    /// VERIFY with the right PIN.
    pub(crate) fn verify(&mut self) -> Checked {
        let pin = self.pin()?;
        self.verify_with(&pin)?.ok("VERIFY with the right PIN").map(drop)
    }

    pub(crate) fn verify_wrong(&mut self) -> Checked<Reply> {
        let wrong = self.wrong_pin()?;
        self.verify_with(&wrong)
    }

    /// VERIFY without data: 9000 when verified, else the tries.
    pub(crate) fn query(&mut self) -> Checked<Reply> {
        self.send(&hex!("00200080"))
    }

    /// Whether the PIN is verified can be seen on this card at all.
    fn tells_verified(&self) -> Checked {
        let why = "this card does not tell whether the PIN is verified: VERIFY without data never says 9000";
        if self.facts.tells_verified { Ok(()) } else { Err(Stop::NotApplicable(why.into())) }
    }

    pub(crate) fn is_verified(&mut self, what: &str) -> Checked {
        self.tells_verified()?;
        self.query()?.ok(&format!("{what}: VERIFY without data, of a verified PIN")).map(drop)
    }

    pub(crate) fn is_not_verified(&mut self, what: &str) -> Checked {
        let sw = self.query()?.sw;
        holds(sw != 0x9000, format!("{what}: the PIN must not be verified, but VERIFY without data says 9000"))?;
        self.tells_verified()
    }

    /// Tries of the PIN, which must not be verified.
    pub(crate) fn tries(&mut self) -> Checked<u8> {
        let reply = self.query()?;
        match reply.sw {
            0x6983 => Ok(0),
            0x63C0..=0x63CF => Ok((reply.sw & 0x0F) as u8),
            sw => Err(Stop::Failed(format!("VERIFY without data: expected 63Cx or 6983, got {sw:04X}"))),
        }
    }

    /// All tries, by giving them back with the right PIN.
    pub(crate) fn all_tries(&mut self) -> Checked<u8> {
        self.verify()?;
        self.start()?;
        self.tries()
    }

    /// A secret to be changed to: another one, which keeps every rule.
    pub(crate) fn other_pin(&self) -> &'static [u8] {
        b"84629517"
    }

    pub(crate) fn change_raw(&mut self, reference: u8, data: &[u8]) -> Checked<Reply> {
        self.send(&short([0x00, 0x24, 0x00, reference], data, None))
    }

    /// CHANGE REFERENCE DATA of the PIN.
    pub(crate) fn change(&mut self, old: &[u8], new: &[u8]) -> Checked<Reply> {
        let data = [&self.framed(old)[..], &self.framed(new)].concat();
        let reply = self.change_raw(0x80, &data)?;
        if reply.sw == 0x9000 {
            self.pin_now = Some(Zeroizing::new(new.to_vec()));
        }
        Ok(reply)
    }

    /// CHANGE REFERENCE DATA of the PUK.
    pub(crate) fn change_puk(&mut self, old: &[u8], new: &[u8]) -> Checked<Reply> {
        let data = [&self.framed(old)[..], &self.framed(new)].concat();
        self.change_raw(0x81, &data)
    }

    /// RESET RETRY COUNTER with a PUK.
    pub(crate) fn unblock(&mut self, puk: &[u8], new: &[u8]) -> Checked<Reply> {
        let data = [&self.framed(puk)[..], &self.framed(new)].concat();
        self.send(&short([0x00, 0x2C, 0x00, 0x80], &data, None))
    }

    /// Wrong PINs until it is blocked.
    pub(crate) fn block_pin(&mut self) -> Checked {
        for _ in 0..=255 {
            if self.verify_wrong()?.sw == 0x6983 {
                return Ok(());
            }
        }
        Err(Stop::failed("256 wrong PINs do not block it"))
    }

    pub(crate) fn block_puk(&mut self) -> Checked {
        let wrong = self.wrong_puk()?;
        for _ in 0..=255 {
            if self.change_puk(&wrong, &wrong)?.sw == 0x6983 {
                return Ok(());
            }
        }
        Err(Stop::failed("256 wrong PUKs do not block it"))
    }
}
