//! What a command may do to a card at worst. A test sends nothing beyond what it is declared to do.

use super::Bench;
use crate::test::Danger;

impl Bench<'_> {
    /// What a command may do to a card at worst, also to one that does not keep the standard: a guess may
    /// cost a try wherever it is sent, and a write may be carried out though it should be refused.
    /// A response to a challenge is not judged: right and wrong ones look alike here.
    pub(super) fn risk(&self, command: &[u8]) -> Danger {
        let [_, ins, p1, p2, rest @ ..] = command else { return Danger::Safe };
        let data = rest.get(1..).unwrap_or_default();
        match ins {
            0x20 | 0x24 | 0x2C if data.is_empty() => Danger::Safe,
            0x20 if *p1 == 0x00 && matches!(p2, 0x00 | 0x80) && self.pin().is_ok_and(|pin| data == &self.framed(&pin)[..]) => {
                Danger::Safe
            }
            0x20 | 0x24 | 0x2C => Danger::SpendsTries,
            0xE6 | 0xFB => Danger::Resets,
            0xDB | 0x47 | 0xE0 | 0xE4 | 0x44 | 0xF6 | 0xFA | 0xFE | 0xFF => Danger::ChangesKeys,
            _ => Danger::Safe,
        }
    }
}
