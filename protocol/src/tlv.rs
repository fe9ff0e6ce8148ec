//! BER-TLV as cards use it, ISO/IEC 7816-4:2020 section 6.3: tags of one to three bytes, definite
//! lengths of up to four bytes (`00`-`7F`, `81`, `82`, `83`).
//!
//! [`Reader`] is a cursor over borrowed bytes: no recursion, no allocation, no limit on depth.
//! Longer-than-needed lengths are legal BER and are accepted. [`Writer`] patches lengths in behind.

use thiserror::Error;

/// One data object: its tag as a number (`0x5FC102`), its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// Tag bytes, big-endian.
    pub tag: u32,
    /// Value bytes.
    pub value: &'a [u8],
}

/// Where and why reading stopped. Offsets count from the start of the reader's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TlvError {
    /// The bytes end inside a tag.
    #[error("data ends inside a tag at offset {0}")]
    Tag(usize),
    /// A tag of more than three bytes.
    #[error("tag at offset {0} is longer than three bytes")]
    LongTag(usize),
    /// The bytes end inside a length, or the length form is not one of `00`-`7F`, `81`, `82`, `83`.
    #[error("no definite length of up to three bytes at offset {0}")]
    Length(usize),
    /// Fewer bytes than the length says.
    #[error("value at offset {at} is {missing} bytes short")]
    Value {
        /// Where the value starts.
        at: usize,
        /// How many bytes are missing.
        missing: usize,
    },
}

/// Yields the data objects of one level, in order.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A cursor at the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The bytes not read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    fn byte(&mut self, error: TlvError) -> Result<u8, TlvError> {
        let byte = *self.bytes.get(self.at).ok_or(error)?;
        self.at += 1;
        Ok(byte)
    }

    fn tag(&mut self) -> Result<u32, TlvError> {
        let start = self.at;
        let mut tag = u32::from(self.byte(TlvError::Tag(start))?);
        if tag & 0x1F == 0x1F {
            for n in 0.. {
                if n == 2 {
                    return Err(TlvError::LongTag(start));
                }
                let next = self.byte(TlvError::Tag(start))?;
                tag = tag << 8 | u32::from(next);
                if next & 0x80 == 0 {
                    break;
                }
            }
        }
        Ok(tag)
    }

    fn length(&mut self) -> Result<usize, TlvError> {
        let start = self.at;
        let first = self.byte(TlvError::Length(start))?;
        let more = match first {
            0..=0x7F => return Ok(usize::from(first)),
            0x81..=0x83 => first & 0x7F,
            _ => return Err(TlvError::Length(start)),
        };
        let mut length = 0;
        for _ in 0..more {
            length = length << 8 | usize::from(self.byte(TlvError::Length(start))?);
        }
        Ok(length)
    }

    fn object(&mut self) -> Result<Tlv<'a>, TlvError> {
        let tag = self.tag()?;
        let length = self.length()?;
        let rest = self.rest();
        let value = rest.get(..length).ok_or_else(|| TlvError::Value { at: self.at, missing: length - rest.len() })?;
        self.at += length;
        Ok(Tlv { tag, value })
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Tlv<'a>, TlvError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest().is_empty() {
            return None;
        }
        let object = self.object();
        if object.is_err() {
            self.at = self.bytes.len();
        }
        Some(object)
    }
}

/// The value of the first object with `tag` on this level; `None` when there is none before the
/// end or before a malformed object.
#[must_use]
pub fn find(bytes: &[u8], tag: u32) -> Option<&[u8]> {
    objects(bytes).find(|o| o.tag == tag).map(|o| o.value)
}

/// The value of the object that these tags lead to, the first of them on this level, the next inside it.
#[must_use]
pub fn find_path<'a>(bytes: &'a [u8], path: &[u32]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |inside, tag| find(inside, *tag))
}

/// The objects of this level before the end or before a malformed one.
pub fn objects(bytes: &[u8]) -> impl Iterator<Item = Tlv<'_>> {
    Reader::new(bytes).map_while(Result::ok)
}

/// The value of the one object that fills `bytes` whole, when its tag is `tag`.
#[must_use]
pub fn only(bytes: &[u8], tag: u32) -> Option<&[u8]> {
    let mut reader = Reader::new(bytes);
    match reader.next() {
        Some(Ok(object)) if object.tag == tag && reader.rest().is_empty() => Some(object.value),
        _ => None,
    }
}

/// Appends data objects to a byte vector, with the shortest lengths.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    /// Appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// One object with a value at hand.
    pub fn value(&mut self, tag: u32, value: &[u8]) -> &mut Self {
        self.tag(tag);
        push_length(self.out, value.len());
        self.out.extend_from_slice(value);
        self
    }

    /// An object whose value is written by `body`; its length is patched in afterwards.
    pub fn nested(&mut self, tag: u32, body: impl FnOnce(&mut Writer<'_>)) -> &mut Self {
        self.tag(tag);
        let start = self.out.len();
        body(&mut Writer { out: self.out });
        let mut length = Vec::with_capacity(4);
        push_length(&mut length, self.out.len() - start);
        self.out.splice(start..start, length);
        self
    }

    fn tag(&mut self, tag: u32) {
        self.out.extend(tag_bytes(tag));
    }
}

/// The bytes of a tag, as they stand before a length and in a tag list.
pub fn tag_bytes(tag: u32) -> impl Iterator<Item = u8> {
    let bytes = tag.to_be_bytes();
    let skip = bytes.iter().take(3).take_while(|b| **b == 0).count();
    bytes.into_iter().skip(skip)
}

/// The tag list of GET DATA and PUT DATA with this tag, `5C`: ISO/IEC 7816-4 section 11.4.3.
#[must_use]
pub fn tag_list(tag: u32) -> Vec<u8> {
    let bytes: Vec<u8> = tag_bytes(tag).collect();
    encode(0x5C, &bytes)
}

fn push_length(out: &mut Vec<u8>, length: usize) {
    match length {
        0..=0x7F => out.push(length as u8),
        0x80..=0xFF => out.extend_from_slice(&[0x81, length as u8]),
        0x100..=0xFFFF => out.extend_from_slice(&[0x82, (length >> 8) as u8, length as u8]),
        _ => out.extend_from_slice(&[0x83, (length >> 16) as u8, (length >> 8) as u8, length as u8]),
    }
}

/// One object as a byte vector.
#[must_use]
pub fn encode(tag: u32, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 7);
    Writer::new(&mut out).value(tag, value);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use iso7816_tlv::ber;
    use proptest::prelude::*;

    #[test]
    fn lengths_of_every_form() {
        for n in [0usize, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let bytes = encode(0x5F_C102, &vec![7; n]);
            assert_eq!(only(&bytes, 0x5F_C102).unwrap().len(), n);
        }
        assert_eq!(find(&[0x82, 0x81, 0x01, 0xAA], 0x82), Some(&[0xAA][..]), "longer than needed is legal");
    }

    #[test]
    fn what_stands_before_a_malformed_object_is_found() {
        let bytes = [0x7F, 0x71, 0x06, 0x97, 0x01, 0x02, 0x93, 0x01, 0x03, 0x53, 0x00, 0x81, 0x05, 0x00];
        assert_eq!(find_path(&bytes, &[0x7F71, 0x93]), Some(&[3][..]));
        assert_eq!(find(&bytes, 0x53), Some(&[][..]));
        assert_eq!((find(&bytes, 0x81), find_path(&bytes, &[0x53, 0x93])), (None, None));
        assert_eq!(objects(&bytes).count(), 2);
    }

    #[test]
    fn errors_name_the_place() {
        fn first(b: &[u8]) -> Result<Tlv<'_>, TlvError> {
            Reader::new(b).next().unwrap()
        }
        assert_eq!(first(&[0x5F]), Err(TlvError::Tag(0)));
        assert_eq!(first(&[0x5F, 0x81, 0x81, 0x01, 0]), Err(TlvError::LongTag(0)));
        assert_eq!(first(&[0x53, 0x80]), Err(TlvError::Length(1)));
        assert_eq!(first(&[0x53, 0x82, 0x01]), Err(TlvError::Length(1)));
        assert_eq!(first(&[0x53, 0x04, 1, 2]), Err(TlvError::Value { at: 2, missing: 2 }));
    }

    #[test]
    fn deep_nesting_is_only_length() {
        let mut bytes = Vec::new();
        for _ in 0..5_000 {
            bytes = encode(0x7C, &bytes);
        }
        let mut rest: &[u8] = &bytes;
        let mut depth = 0;
        while let Some(inner) = only(rest, 0x7C) {
            rest = inner;
            depth += 1;
        }
        assert_eq!(depth, 5_000);
    }

    proptest! {
        #[test]
        fn write_read(objects in proptest::collection::vec((prop_oneof![Just(0x53u32), Just(0x7E), Just(0x5FC1), Just(0x7F49), Just(0x5FC105)], proptest::collection::vec(any::<u8>(), 0..400)), 0..6)) {
            let objects: Vec<_> = objects.into_iter().map(|(t, v)| (if t == 0x5FC1 { 0x5F2F } else { t }, v)).collect();
            let mut bytes = Vec::new();
            let mut writer = Writer::new(&mut bytes);
            for (tag, value) in &objects {
                writer.value(*tag, value);
            }
            let read: Vec<_> = Reader::new(&bytes).map(|o| o.unwrap()).map(|o| (o.tag, o.value.to_vec())).collect();
            prop_assert_eq!(read, objects);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for object in Reader::new(&bytes) {
                let _ = object;
            }
        }

        /// A second decoder agrees on primitive objects. It writes 127 bytes wrongly (upstream
        /// fault), so that length is left out.
        #[test]
        fn a_second_decoder_agrees(value in proptest::collection::vec(any::<u8>(), 0..300).prop_filter("127", |v| v.len() != 127), tag in prop_oneof![Just(0x53u32), Just(0x5FC102), Just(0x5F2F)]) {
            let bytes = encode(tag, &value);
            let (theirs, rest) = ber::Tlv::parse(&bytes);
            prop_assert!(rest.is_empty());
            let ber::Value::Primitive(theirs) = theirs.unwrap().value().clone() else { panic!("primitive") };
            prop_assert_eq!(theirs, value);
        }
    }
}
