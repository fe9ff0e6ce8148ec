//! Putting back what a test wrote: data objects as they were, those that were absent and files of a GIDS card deleted. What
//! the card does not let be as it was is told of.

use super::{Bench, Checked, Reply, Stop};
use crate::place::Place;
use cardlab_protocol::apdu::short;
use cardlab_protocol::piv::certificate_of;
use cardlab_protocol::tlv::{encode, only, tag_list};
use std::collections::BTreeSet;
use zeroize::Zeroizing;

impl Bench<'_> {
    /// What a command, or the chain that it is a block of, is about to write, whatever becomes of it: PUT DATA.
    pub(super) fn begun(&self, whole: Option<&([u8; 4], Zeroizing<Vec<u8>>)>) -> Vec<Place> {
        let (header, data) = whole.map_or((self.chain.0, &self.chain.1), |(header, data)| (*header, data));
        if self.facts.new { Vec::new() } else { Place::begun(header, data, self.gids()) }
    }

    /// Whether a place is an object that nothing could put back, because it was not read before.
    pub(super) fn is_unread(&self, place: &Place) -> bool {
        let is_object = match place {
            // A file that the test has made goes with all that is in it.
            Place::InFile(file, _) => !self.written.contains(&Place::File(*file)),
            Place::Object(_) => true,
            Place::Key(_) | Place::File(_) => false,
        };
        is_object && !self.restoring && !self.facts.objects.contains_key(place)
    }

    /// What the test wrote, as it was before, as far as the card allows it.
    pub(super) fn put_places_back(&mut self) -> Checked {
        let (touched, mut written) = (std::mem::take(&mut self.touched), std::mem::take(&mut self.written));
        if touched.is_empty() && written.is_empty() {
            return Ok(());
        }
        for place in touched {
            if !written.contains(&place) && self.facts.objects.contains_key(&place) {
                written.insert(place);
            }
        }
        let made: BTreeSet<u16> =
            written.iter().filter_map(|place| if let Place::File(file) = place { Some(*file) } else { None }).collect();
        let mut opened = false;
        for place in written {
            match place {
                Place::InFile(file, _) if made.contains(&file) => {}
                Place::Key(reference) => self.note_key(reference),
                Place::File(file) => self.delete_file(file)?,
                Place::Object(_) | Place::InFile(..) => {
                    if !std::mem::replace(&mut opened, true) {
                        self.start()?;
                        self.open()?;
                    }
                    self.put_object_back(&place)?;
                }
            }
        }
        Ok(())
    }

    /// The right to write objects, and to read them.
    fn open(&mut self) -> Checked {
        if self.facts.credentials.pin.is_some()
            && let Err(stop @ Stop::Card(_)) = self.verify()
        {
            return Err(stop);
        }
        if !self.gids() || self.facts.credentials.admin.is_some() { self.admin() } else { Ok(()) }
    }

    /// A key that was made is there for good.
    fn note_key(&mut self, reference: u8) {
        let certificate = certificate_of(reference).and_then(|tag| self.facts.objects.get(&Place::Object(tag)));
        let had = certificate.is_some_and(|value| value.as_ref().is_some_and(|value| !value.is_empty()));
        let why = "made, imported or deleted by the tests; what was there before is lost";
        let why = if had { format!("{why}, and the certificate there is of the key before") } else { why.into() };
        if let Some(changes) = self.changes.as_deref_mut() {
            changes.key(reference, why);
        }
    }

    /// A file of a GIDS card that a test has made.
    fn delete_file(&mut self, file: u16) -> Checked {
        let [high, low] = file.to_be_bytes();
        self.start()?;
        self.open()?;
        let select = short([0x00, 0xA4, 0x00, 0x0C], &[high, low], None);
        if self.send(&select)?.sw == 0x9000 {
            // ACTIVATE FILE: one that was not put into use is not deleted by every card.
            self.send(&[0x00, 0x44, 0x00, 0x00])?;
            let reply = self.send(&[0x00, 0xE4, 0x00, 0x00])?;
            if reply.sw != 0x9000 {
                self.stays(&Place::File(file), format!("made by the tests; the card does not delete it ({:04X})", reply.sw));
                return Ok(());
            }
        }
        if self.facts.files.contains(&file) {
            self.stays(&Place::File(file), "it was there before, and is deleted".into());
        } else {
            self.is_back(Place::File(file));
        }
        Ok(())
    }

    /// Writes an object as it was and looks whether the card has it so.
    fn put_object_back(&mut self, place: &Place) -> Checked {
        let before = self.facts.objects.get(place).cloned();
        let before = before.ok_or_else(|| Stop::failed(format!("{place} was not read before")))?;
        if self.is_as_before(place)? {
            return Ok(());
        }
        let value = before.clone().unwrap_or_default();
        self.write(place, &value)?.ok("putting a data object back")?;
        let now = self.read(place)?;
        // What is not to be read was taken at least.
        if now == Some(before.clone()) || now.is_none() && before.is_some() {
            self.is_back(place);
            return Ok(());
        }
        if before.is_some() {
            // A card may make an object up (the Key History object from its slots), whatever is written to it.
            self.stays(place, "written as it was, but the card gives it otherwise".into());
            return Ok(());
        }
        // GIDS cards delete an empty object when nothing is written to it once more.
        self.write(place, &value)?;
        if self.is_as_before(place)? {
            self.is_back(place);
        } else {
            self.stays(place, "absent before, empty now: the card does not delete it".into());
        }
        Ok(())
    }

    fn write(&mut self, place: &Place, value: &[u8]) -> Checked<Reply> {
        match *place {
            Place::InFile(file, tag) => {
                let [p1, p2] = file.to_be_bytes();
                self.long([0x00, 0xDB, p1, p2], &encode(tag, value))
            }
            Place::Object(tag @ (0x7E | 0x7F61)) => self.long([0x00, 0xDB, 0x3F, 0xFF], &encode(tag, value)),
            Place::Object(tag) => self.put(tag, value),
            Place::Key(_) | Place::File(_) => Err(Stop::failed(format!("{place} is no data object"))),
        }
    }

    fn is_as_before(&mut self, place: &Place) -> Checked<bool> {
        let now = self.read(place)?;
        Ok(now.is_some() && now.as_ref() == self.facts.objects.get(place))
    }

    /// An object as it is: its value, `None` in it for one that is absent; `None` where it is not to be read.
    pub(crate) fn read(&mut self, place: &Place) -> Checked<Option<Option<Vec<u8>>>> {
        let (tag, reply) = match *place {
            Place::InFile(file, tag) => {
                let [p1, p2] = file.to_be_bytes();
                (tag, self.full(&short([0x00, 0xCB, p1, p2], &tag_list(tag), Some(0)))?)
            }
            Place::Object(tag) => (if matches!(tag, 0x7E | 0x7F61) { tag } else { 0x53 }, self.get(tag)?),
            Place::Key(_) | Place::File(_) => return Ok(None),
        };
        Ok(match reply.sw {
            0x9000 if reply.data.is_empty() => Some(None),
            // What is cut off, as a refused chain leaves it, is no object, and not an absent one either.
            0x9000 => only(&reply.data, tag).map(|value| Some(value.to_vec())),
            // Not there, a tag that the card does not know, a file that holds no objects.
            0x6981 | 0x6A80 | 0x6A81 | 0x6A82 | 0x6A86 | 0x6A88 => Some(None),
            _ => None,
        })
    }

    fn stays(&mut self, place: &Place, why: String) {
        if let Some(changes) = self.changes.as_deref_mut() {
            changes.stays(place, why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::facts;
    use super::super::{Bench, Slot};
    use crate::place::Place;
    use crate::test::Danger;
    use cardlab_client::transport::TransportError;
    use cardlab_protocol::admin_key::{AdminKey, Cipher};

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
        known.objects.insert(Place::Object(0x5FC102), Some(vec![0x70, 0x01, 0xAA]));
        let mut b = Bench::new(Box::new(Eager(&object)), known, Danger::ChangesKeys);
        assert_eq!(b.put(0x5FC102, &[0x11; 300]).unwrap().sw, 0x6700);
        assert_ne!(object.borrow()[..], *b"\x53\x03\x70\x01\xAA");
        b.restore().unwrap();
        assert_eq!(object.borrow()[..], *b"\x53\x03\x70\x01\xAA");
    }

    /// A chain that was refused in the middle leaves an object that is cut off: it was taken for an absent one, as it had
    /// been before, and stayed.
    #[test]
    fn an_object_that_is_cut_off_is_not_absent() {
        let object = std::cell::RefCell::new(b"\x53\x82\x0F\xA6\x00\x01\x02".to_vec());
        let mut b = Bench::new(Box::new(Eager(&object)), facts(), Danger::ChangesKeys);
        let place = Place::Object(0x5FC102);
        assert_eq!(b.read(&place).unwrap(), None);
        object.borrow_mut().clear();
        assert_eq!(b.read(&place).unwrap(), Some(None));
        *object.borrow_mut() = b"\x53\x00".to_vec();
        assert_eq!(b.read(&place).unwrap(), Some(Some(Vec::new())));
    }
}
