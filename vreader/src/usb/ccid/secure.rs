//! The PIN block of PC_to_RDR_Secure (CCID 1.1 section 6.1.11) as the structure of PC/SC part 10 that it was made from.
//!
//! A host's driver leaves out what CCID does not have - the second timeout, the length of the command, messages that are
//! not shown - and puts what is to be done in front. [`crate::pin_pad`] knows part 10's form alone.

use zeroize::Zeroizing;

/// Bytes before the command: `bPINOperation` to `bTeoPrologue`.
const VERIFY_HEAD: usize = 15;
/// As of a verification, without the messages: `bPINOperation` to `wLangId`.
const MODIFY_HEAD: usize = 14;

/// What the person at the keypad is asked for.
#[derive(Clone, PartialEq, Eq)]
pub enum PinBlock {
    /// A PIN; a PIN_VERIFY_STRUCTURE.
    Verify(Zeroizing<Vec<u8>>),
    /// A PIN and a new one; a PIN_MODIFY_STRUCTURE.
    Modify(Zeroizing<Vec<u8>>),
}

impl PinBlock {
    /// The block in `data`; `None` when it is none.
    #[must_use]
    pub fn read(data: &[u8]) -> Option<Self> {
        match data.first()? {
            0 => verify(data).map(Self::Verify),
            1 => modify(data).map(Self::Modify),
            _ => None,
        }
    }
}

fn verify(data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (head, command) = data.split_at_checked(VERIFY_HEAD)?;
    Some(structure(head, command))
}

/// `bMsgIndex2` is there when there are messages, `bMsgIndex3` when there are three.
fn modify(data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (head, rest) = data.split_at_checked(MODIFY_HEAD)?;
    let messages = match head[11] {
        0 => 1,
        1 | 2 => 2,
        _ => 3,
    };
    let (shown, rest) = rest.split_at_checked(messages)?;
    let (prologue, command) = rest.split_at_checked(3)?;
    let mut whole = head.to_vec();
    whole.extend_from_slice(shown);
    whole.resize(MODIFY_HEAD + 3, 0);
    whole.extend_from_slice(prologue);
    Some(structure(&whole, command))
}

/// Part 10's structure: both timeouts, the fields, the length of the command, the command.
fn structure(head: &[u8], command: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut structure = Zeroizing::new(vec![head[1], head[1]]);
    structure.extend_from_slice(&head[2..]);
    structure.extend((command.len() as u32).to_le_bytes());
    structure.extend_from_slice(command);
    structure
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    /// What libccid makes of OpenSC's structure for a PIV card.
    #[test]
    fn a_verification() {
        let block = hex!("00 1E 82 08 00 0804 02 00 0000 00 000000 0020008008FFFFFFFFFFFFFFFF");
        let structure = hex!("1E1E 82 08 00 0804 02 00 0000 00 000000 0D000000 0020008008FFFFFFFFFFFFFFFF");
        let Some(PinBlock::Verify(made)) = PinBlock::read(&block) else { panic!() };
        assert_eq!(*made, structure);
    }

    #[test]
    fn a_change_with_any_number_of_messages() {
        let command = hex!("0024008010FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF");
        for (count, shown, indices) in
            [(0, "07", "070000"), (1, "0708", "070800"), (2, "0708", "070800"), (3, "070809", "070809")]
        {
            let head = format!("1E 82 08 00 00 08 0804 03 02 {count:02X} 0904").replace(' ', "");
            let block = hex::decode(format!("01{head}{shown}AABBCC{}", hex::encode(command))).unwrap();
            let structure = hex::decode(format!("1E{head}{indices}AABBCC15000000{}", hex::encode(command))).unwrap();
            let Some(PinBlock::Modify(made)) = PinBlock::read(&block) else { panic!() };
            assert_eq!(*made, structure, "{count} messages");
        }
    }

    #[test]
    fn a_block_that_is_cut_off_or_of_another_kind() {
        assert!(PinBlock::read(&[]).is_none() && PinBlock::read(&[4; 40]).is_none());
        assert!(PinBlock::read(&[0; 14]).is_none() && PinBlock::read(&[0; 15]).is_some());
        assert!((1..18).all(|length| PinBlock::read(&[&[1][..], &vec![0; length - 1]].concat()).is_none()));
    }
}
