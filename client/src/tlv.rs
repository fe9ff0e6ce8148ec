//! Data objects as cards answer them: one- and two-byte tags, definite lengths.
//!
//! PIV uses tags such as 34 and 70, whose BER form says "constructed", for plain bytes; a general
//! decoder refuses them. Reading stops at the first malformed object.

/// Tags and values of one level.
pub fn objects(data: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut found = Vec::new();
    let mut rest = data;
    while let [first, after @ ..] = rest {
        let (tag, after) = match (first & 0x1F == 0x1F, after) {
            (false, _) => (u16::from(*first), after),
            (true, [second, after @ ..]) => (u16::from_be_bytes([*first, *second]), after),
            (true, []) => break,
        };
        let (length, after) = match after {
            [n @ 0..=0x7F, after @ ..] => (usize::from(*n), after),
            [0x81, n, after @ ..] => (usize::from(*n), after),
            [0x82, a, b, after @ ..] => (usize::from(u16::from_be_bytes([*a, *b])), after),
            _ => break,
        };
        let Some((value, after)) = after.split_at_checked(length) else { break };
        found.push((tag, value.to_vec()));
        rest = after;
    }
    found
}

/// The value of the first object with this tag.
pub fn object(data: &[u8], wanted: u16) -> Option<Vec<u8>> {
    objects(data).into_iter().find(|(tag, _)| *tag == wanted).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_two_byte_tags() {
        let data = [0x7F, 0x71, 0x06, 0x97, 0x01, 0x02, 0x93, 0x01, 0x03, 0x53, 0x00];
        let status = object(&data, 0x7F71).unwrap_or_default();
        assert_eq!((object(&status, 0x97), object(&status, 0x93)), (Some(vec![2]), Some(vec![3])));
        assert_eq!(object(&data, 0x53), Some(Vec::new()));
        for cut in 0..data.len() {
            let _ = objects(&data[..cut]);
        }
    }
}
