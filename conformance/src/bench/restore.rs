//! Putting back what a test has changed, PIN and PUK here and the rest in `places`: what to put back is read off what was
//! sent and taken.

use super::{Bench, Checked, PIV_PIN, Stop};
use crate::ledger::Credential;
use crate::test::Danger;
use zeroize::Zeroizing;

const THE_PIN: &str = "the PIN and its tries";
const THE_PUK: &str = "the PUK and its tries";

impl Bench<'_> {
    /// Header and data of a command, those of the blocks before it included where it ends a chain.
    pub(super) fn whole(&mut self, command: &[u8]) -> Option<([u8; 4], Zeroizing<Vec<u8>>)> {
        let (&[class, ins, p1, p2], body) = command.split_first_chunk()?;
        let data = match *body {
            [0, high, low, ref data @ ..] => data.get(..usize::from(u16::from_be_bytes([high, low]))).unwrap_or(data),
            [length, ref data @ ..] => data.get(..usize::from(length)).unwrap_or(data),
            [] => &[],
        };
        let header = [class & !0x10, ins, p1, p2];
        if self.chain.0 != header {
            self.chain = (header, Zeroizing::default());
        }
        self.chain.1.extend_from_slice(data);
        (class & 0x10 == 0).then(|| (header, std::mem::take(&mut self.chain.1)))
    }

    /// CHANGE REFERENCE DATA and RESET RETRY COUNTER: what PIN and PUK are now, also when a card has taken what it should
    /// have refused, and whether tries of the PUK may be gone, whatever the card says or when it says nothing.
    pub(super) fn note_secrets(&mut self, [class, ins, p1, p2]: [u8; 4], data: &[u8], done: bool) {
        // Under secure messaging nothing can be read off a command; only cards that are made for a test are spoken to so.
        if class & 0x0C != 0 {
            return;
        }
        let of_puk = match (ins, p1, p2) {
            (0x24, _, 0x80) | (0x2C, 0x02, _) => false,
            (0x24, _, 0x81) | (0x2C, 0x00, _) => true,
            _ => return,
        };
        if of_puk {
            self.puk_spent = !done;
        }
        let before = match (ins, of_puk) {
            (0x2C, false) => 0,
            // Where the old PIN ends only its sender knows.
            _ if self.gids() => return,
            _ => PIV_PIN,
        };
        let Some(new) = data.get(before..).filter(|new| done && !new.is_empty()) else { return };
        let padding = if self.gids() { 0 } else { new.iter().rev().take_while(|byte| **byte == 0xFF).count() };
        let new = Some(Zeroizing::new(new[..new.len() - padding].to_vec()));
        if ins == 0x24 && of_puk { self.puk_now = new } else { self.pin_now = new }
    }

    /// Puts back what a test has changed. For cards that go on living.
    pub(crate) fn restore(&mut self) -> Checked {
        self.restoring = true;
        self.allowed = Danger::Resets;
        // The PIN first: what it protects is read with it, and on GIDS cards written. Where it does not come back the rest may.
        let secrets = self.put_secrets_back();
        if let Err(Stop::Card(_)) = secrets {
            return secrets;
        }
        let places = self.put_places_back();
        secrets.and(places)?;
        self.reset()
    }

    /// Nothing more can be put back.
    pub(crate) fn left_as_it_is(&mut self, why: &str) {
        let touched = std::mem::take(&mut self.touched);
        let mut left: Vec<String> = std::mem::take(&mut self.written).into_iter().chain(touched).map(|p| p.to_string()).collect();
        if self.pin_now.is_some() {
            left.push(THE_PIN.into());
        }
        if self.puk_now.is_some() {
            left.push(THE_PUK.into());
        }
        if let Some(changes) = self.changes.as_deref_mut() {
            left.into_iter().for_each(|thing| changes.stays(thing, why));
        }
    }

    fn put_secrets_back(&mut self) -> Checked {
        self.start()?;
        if self.owes(Credential::AdminKey) {
            self.admin()?;
            self.start()?;
        }
        let puk_spent = self.puk_now.is_some() || self.puk_spent || self.owes(Credential::Puk);
        if puk_spent && self.facts.credentials.puk.is_some() {
            let (now, before) = (self.puk()?, self.facts.credentials.puk.clone().unwrap_or_default());
            self.change_puk(&now, before.as_bytes())?.ok("putting the PUK and its tries back")?;
            self.is_back(THE_PUK);
        }
        let Some(pin) = self.facts.credentials.pin.clone() else { return Ok(()) };
        let pin = pin.as_bytes();
        let owed = self.pin_now.is_some() || self.owes(Credential::Pin);
        if self.tries().is_ok_and(|left| left == 0) {
            if self.facts.credentials.puk.is_some() && !self.gids() {
                let puk = self.puk()?;
                self.unblock(&puk, pin)?.ok("unblocking with the PUK")?;
            } else {
                self.admin()?;
                self.admin_unblock(pin)?.ok("unblocking with the administrator key")?;
            }
        }
        let now = self.pin()?;
        if now[..] == *pin {
            self.verify()?;
        } else {
            let reply = self.change(&now, pin)?;
            // A card may take no old PIN of a form in which it has taken a new one.
            if reply.sw != 0x9000 && self.facts.credentials.puk.is_some() && !self.gids() {
                let puk = self.puk()?;
                self.unblock(&puk, pin)?.ok("putting the PIN back with the PUK")?;
            } else {
                reply.ok("putting the PIN back")?;
            }
        }
        (self.pin_now, self.puk_now) = (None, None);
        if owed {
            self.is_back(THE_PIN);
        }
        Ok(())
    }

    pub(super) fn is_back(&mut self, what: impl ToString) {
        if let Some(changes) = self.changes.as_deref_mut() {
            changes.back(what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::facts;
    use super::super::{Bench, Slot};
    use crate::test::Danger;
    use cardlab_client::transport::TransportError;

    /// A card that refuses a wrong PUK without telling how many tries are left, and remembers who asked.
    struct Silent<'c>(&'c std::cell::RefCell<Vec<Vec<u8>>>);

    impl Slot for Silent<'_> {
        fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
            let wrong = command[1..4] == [0x24, 0, 0x81] && !command[5..].starts_with(b"12345678");
            self.0.borrow_mut().push(command.to_vec());
            Ok(if wrong { vec![0x63, 0x00] } else { vec![0x90, 0x00] })
        }

        fn reset(&mut self, _: bool) -> Result<(), TransportError> {
            Ok(())
        }
    }

    /// A card of another make answers 6300 to a wrong PUK. Its tries were taken for untouched, were not given back,
    /// and ran out over the next tests.
    #[test]
    fn tries_of_the_puk_are_given_back_whatever_the_card_says() {
        let sent = std::cell::RefCell::new(Vec::new());
        let mut b = Bench::new(Box::new(Silent(&sent)), facts(), Danger::SpendsTries);
        assert_eq!(b.change_puk(b"00000000", b"87654321").unwrap().sw, 0x6300);
        sent.borrow_mut().clear();
        b.restore().unwrap();
        let right = |command: &Vec<u8>| command[1..4] == [0x24, 0, 0x81] && command[5..].starts_with(b"1234567812345678");
        assert_eq!(sent.borrow().iter().filter(|command| right(command)).count(), 1);
        // The right one has given them back: nothing is left to do.
        sent.borrow_mut().clear();
        b.restore().unwrap();
        assert!(!sent.borrow().iter().any(|command| command[1] == 0x24));
    }

    /// A card of another make takes a new PIN of five digits, which a test offers it. It could not be given its PIN back.
    #[test]
    fn a_pin_that_should_have_been_refused_is_known() {
        let sent = std::cell::RefCell::new(Vec::new());
        let mut b = Bench::new(Box::new(Silent(&sent)), facts(), Danger::Resets);
        // In two blocks, which is none the better.
        b.send(b"\x10\x2C\x00\x80\x0812345678").unwrap();
        b.send(b"\x00\x2C\x00\x80\x0854321\xFF\xFF\xFF").unwrap();
        assert_eq!(b.pin().unwrap()[..], *b"54321");
        b.restore().unwrap();
        assert!(sent.borrow().iter().any(|command| command.ends_with(b"54321\xFF\xFF\xFF123456\xFF\xFF")));
    }
}
