//! A card's answer, and what may be expected of it.

use super::checked::{Checked, Stop};

/// A response APDU and the command that it answers.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Data.
    pub data: Vec<u8>,
    /// Status word.
    pub sw: u16,
}

impl Reply {
    /// This status word; gives the data.
    pub(crate) fn is(self, sw: u16, what: &str) -> Checked<Vec<u8>> {
        self.any_of(&[sw], what)
    }

    pub(crate) fn ok(self, what: &str) -> Checked<Vec<u8>> {
        self.is(0x9000, what)
    }

    /// One of these status words.
    pub(crate) fn any_of(self, allowed: &[u16], what: &str) -> Checked<Vec<u8>> {
        if allowed.contains(&self.sw) {
            return Ok(self.data);
        }
        let allowed: Vec<String> = allowed.iter().map(|sw| format!("{sw:04X}")).collect();
        Err(Stop::Failed(format!("{what}: expected {}, got {:04X}", allowed.join(" or "), self.sw)))
    }

    /// 63Cx with these tries left.
    pub(crate) fn left(self, left: u8, what: &str) -> Checked {
        self.is(0x63C0 | u16::from(left.min(15)), what).map(drop)
    }

    /// Any error, no data.
    pub(crate) fn refused(self, what: &str) -> Checked {
        if self.sw == 0x9000 || self.sw >> 8 == 0x61 || !self.data.is_empty() {
            return Err(Stop::Failed(format!(
                "{what}: expected an error and no data, got {:04X} and {} bytes",
                self.sw,
                self.data.len()
            )));
        }
        Ok(())
    }
}
