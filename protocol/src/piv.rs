//! Numbers of the PIV card application that a card and whoever reads it agree on.

/// The tag of the X.509 certificate of a key, SP 800-73-4 part 1 tables 3 and 5; `None` for what is no key with a certificate.
#[must_use]
pub const fn certificate_of(key: u8) -> Option<u32> {
    Some(match key {
        0x9A => 0x5F_C105,
        0x9C => 0x5F_C10A,
        0x9D => 0x5F_C10B,
        0x9E => 0x5F_C101,
        0x82..=0x95 => 0x5F_C10D + (key - 0x82) as u32,
        _ => return None,
    })
}

/// PIV Authentication, Digital Signature, Key Management, Card Authentication: the keys that are not retired.
pub const KEYS: [u8; 4] = [0x9A, 0x9C, 0x9D, 0x9E];

/// The retired Key Management keys, oldest last.
pub const RETIRED_KEYS: std::ops::RangeInclusive<u8> = 0x82..=0x95;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_certificate_of_its_own() {
        let mut tags: Vec<u32> = KEYS.into_iter().chain(RETIRED_KEYS).filter_map(certificate_of).collect();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!((tags.len(), tags[4], tags[23]), (24, 0x5F_C10D, 0x5F_C120));
        assert_eq!((0..=0xFF).filter(|key| certificate_of(*key).is_some()).count(), 24);
    }
}
