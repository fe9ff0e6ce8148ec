//! What is where in wrapped commands and responses. No key, no command.
//!
//! ```text
//! command    CLA with 04, INS P1 P2, Lc, cryptogram, 8 bytes of the MAC      the MAC covers all before it
//! response   cryptogram, 8 bytes of the MAC, SW                              the MAC covers cryptogram and SW
//! ```
//!
//! Lc counts the MAC. It is covered as it is sent; where it does not fit one byte, in its extended form, also when the
//! command then goes as a chain of short blocks. Bit 10 of a chain's class is not covered. There is always a cryptogram
//! in a command - data that are empty are padded - but in that which proves the host (SCP03), and in a response that
//! has data.

/// Length of a MAC on the wire in bytes.
pub const MAC: usize = 8;
/// The class bit of wrapped commands.
pub const SECURED: u8 = 0x04;

/// What the MAC of a command covers before its cryptogram: header and Lc. `length` is that of the cryptogram.
#[must_use]
pub fn header([cla, ins, p1, p2]: [u8; 4], extended: bool, length: usize) -> Vec<u8> {
    let mut out = vec![cla & !0x10 | SECURED, ins, p1, p2];
    let lc = length + MAC;
    match u8::try_from(lc) {
        Ok(lc) if !extended => out.push(lc),
        _ => {
            let [.., high, low] = lc.to_be_bytes();
            out.extend([0x00, high, low]);
        }
    }
    out
}

/// Data and MAC of a wrapped message; `None` where there is no MAC.
#[must_use]
pub fn split(field: &[u8]) -> Option<(&[u8], &[u8; MAC])> {
    field.split_last_chunk()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_covered_in_the_form_that_says_it() {
        let lc = |extended, length| header([0x90, 0xE2, 1, 2], extended, length)[4..].to_vec();
        assert_eq!(header([0x90, 0xE2, 1, 2], false, 0)[..4], [0x84, 0xE2, 1, 2]);
        assert_eq!((lc(false, 16), lc(false, 247)), (vec![24], vec![255]));
        assert_eq!((lc(true, 16), lc(false, 248)), (vec![0, 0, 24], vec![0, 1, 0]));
    }
}
