//! Putting back what a test has changed: what to put back is read off what was sent and taken.

use super::{Bench, Checked, PIV_PIN, Stop};
use crate::ledger::Credential;
use crate::test::Danger;
use cardlab_protocol::apdu::short;
use cardlab_protocol::tlv::encode;
use zeroize::Zeroizing;

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

    /// A block of PUT DATA that begins one, to a card that lives on, whatever becomes of it.
    pub(super) fn note_touched(&mut self, command: &[u8]) {
        if let ([_, 0xDB, 0x3F, 0xFF, _, 0x5C, length, rest @ ..], false) = (command, self.facts.new) {
            self.touched.extend(rest.get(..usize::from(*length)).map(<[u8]>::to_vec));
        }
    }

    /// PUT DATA that a card that lives on has taken: what it writes is to be put back.
    pub(super) fn note_written(&mut self, header: [u8; 4], data: &[u8]) {
        if let ([_, 0xDB, 0x3F, 0xFF], [0x5C, length, rest @ ..], false) = (header, data, self.facts.new) {
            self.written.extend(rest.get(..usize::from(*length)).map(<[u8]>::to_vec));
        }
    }

    /// CHANGE REFERENCE DATA and RESET RETRY COUNTER: what PIN and PUK are now, also when a card has taken what it should
    /// have refused, and whether tries of the PUK may be gone, whatever the card says or when it says nothing.
    pub(super) fn note_secrets(&mut self, [_, ins, p1, p2]: [u8; 4], data: &[u8], done: bool) {
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

    /// Puts back what a test has changed: PIN, PUK and tries. For cards that go on living.
    pub(crate) fn restore(&mut self) -> Checked {
        self.restoring = true;
        self.put_objects_back()?;
        self.allowed = Danger::Resets;
        self.start()?;
        if self.owes(Credential::AdminKey) {
            self.admin()?;
            self.start()?;
        }
        let puk_spent = self.puk_now.is_some() || self.puk_spent || self.owes(Credential::Puk);
        if puk_spent && self.facts.credentials.puk.is_some() {
            let (now, before) = (self.puk()?, self.facts.credentials.puk.clone().unwrap_or_default());
            self.change_puk(&now, before.as_bytes())?.ok("putting the PUK and its tries back")?;
        }
        let Some(pin) = self.facts.credentials.pin.clone() else { return self.reset() };
        let pin = pin.as_bytes();
        if self.tries().is_ok_and(|left| left == 0) {
            if self.facts.credentials.puk.is_some() && !self.gids() {
                let puk = self.puk()?;
                self.unblock(&puk, pin)?.ok("unblocking with the PUK")?;
            } else {
                self.admin()?;
                self.admin_unblock(pin)?.ok("unblocking with the administration key")?;
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
        self.reset()
    }

    /// Data objects that the test wrote, as they were before.
    fn put_objects_back(&mut self) -> Checked {
        let (touched, mut written) = (std::mem::take(&mut self.touched), std::mem::take(&mut self.written));
        if touched.is_empty() && written.is_empty() || self.gids() {
            return Ok(());
        }
        self.allowed = Danger::Resets;
        self.start()?;
        for tag in touched {
            let Some(before) = self.facts.objects.get(&tag).cloned() else { continue };
            let get = short([0x00, 0xCB, 0x3F, 0xFF], &[&[0x5C, tag.len() as u8], &tag[..]].concat(), Some(0));
            let reply = self.full(&get)?;
            let same = match before {
                Some(value) => reply.sw == 0x9000 && reply.data == encode(0x53, &value),
                None => reply.is_absent(),
            };
            if !same {
                written.insert(tag);
            }
        }
        if written.is_empty() {
            return Ok(());
        }
        self.admin()?;
        for tag in written {
            let before = self.facts.objects.get(&tag).cloned();
            let before = before.ok_or_else(|| Stop::failed(format!("object {} was not read before", hex::encode_upper(&tag))))?;
            let data = [&[0x5C, tag.len() as u8], &tag[..], &encode(0x53, &before.unwrap_or_default())].concat();
            self.long([0x00, 0xDB, 0x3F, 0xFF], &data)?.ok("putting a data object back")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::facts;
    use super::super::{Bench, Slot};
    use crate::test::Danger;
    use cardlab_client::transport::TransportError;
    use cardlab_protocol::admin_key::{AdminKey, Cipher};

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

    /// A card that stores the first block of a value that it refuses in the end, and takes any other.
    struct Eager<'c>(&'c std::cell::RefCell<Vec<u8>>);

    impl Slot for Eager<'_> {
        fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
            let mut object = self.0.borrow_mut();
            Ok(match command {
                [0x10, 0xDB, _, _, _, data @ ..] => {
                    *object = data[5..].to_vec();
                    vec![0x67, 0x00]
                }
                [0x00, 0xDB, _, _, _, data @ .., _] => {
                    *object = data[5..].to_vec();
                    vec![0x90, 0x00]
                }
                [_, 0xCB, ..] => [&object[..], &[0x90, 0x00]].concat(),
                [_, 0x87, _, _, _, 0x7C, 0x02, 0x81, ..] => b"\x7C\x0A\x81\x0812345678\x90\x00".to_vec(),
                _ => vec![0x90, 0x00],
            })
        }

        fn reset(&mut self, _: bool) -> Result<(), TransportError> {
            Ok(())
        }
    }

    /// A card of another make refused a CHUID of 2916 bytes with its second block, and had lost its own by then.
    #[test]
    fn what_a_refused_write_has_destroyed_is_put_back() {
        let object = std::cell::RefCell::new(b"\x53\x03\x70\x01\xAA".to_vec());
        let mut known = facts();
        known.credentials.admin = AdminKey::new(Cipher::Tdes, &[7; 24]).ok();
        known.objects.insert(vec![0x5F, 0xC1, 0x02], Some(vec![0x70, 0x01, 0xAA]));
        let mut b = Bench::new(Box::new(Eager(&object)), known, Danger::ChangesKeys);
        assert_eq!(b.put(0x5FC102, &[0x11; 300]).unwrap().sw, 0x6700);
        assert_ne!(object.borrow()[..], *b"\x53\x03\x70\x01\xAA");
        b.restore().unwrap();
        assert_eq!(object.borrow()[..], *b"\x53\x03\x70\x01\xAA");
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
