//! What was said, as a report shows it.

use std::fmt::Write as _;

/// One exchange.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Line {
    /// Command APDU, or a word such as `reset`.
    pub command: String,
    /// Response APDU.
    pub response: String,
}

/// A command for the transcript: secrets of cards that are somebody's do not show.
pub(super) fn masked(command: &[u8], nobodys: bool) -> String {
    let secret = matches!(command, [_, 0x20 | 0x24 | 0x2C, ..]) && command.len() > 5;
    let key = matches!(command, [_, 0xFF, 0xFF, ..]);
    if nobodys || !(secret || key) {
        return hex::encode_upper(command);
    }
    let mut text = hex::encode_upper(&command[..5]);
    let _ = write!(text, " ({} bytes not shown)", command.len() - 5);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_real_cards_do_not_show() {
        assert_eq!(masked(&[0, 0x20, 0, 0x80, 2, 0x31, 0x32], true), "00200080023132");
        assert_eq!(masked(&[0, 0x20, 0, 0x80, 2, 0x31, 0x32], false), "0020008002 (2 bytes not shown)");
        assert_eq!(masked(&[0, 0x20, 0, 0x80], false), "00200080");
        assert_eq!(masked(&[0, 0xFF, 0xFF, 0xFF, 1, 9], false), "00FFFFFF01 (1 bytes not shown)");
    }
}
