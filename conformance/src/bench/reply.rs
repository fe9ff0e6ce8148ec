//! A card's answer, and what may be expected of it.

use super::checked::{Checked, Stop, holds};

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

    /// What GET DATA of PIV answers for a container that is not there or was never filled (part 1 table 3).
    pub(crate) fn is_absent(&self) -> bool {
        matches!((self.sw, &self.data[..]), (0x6A81 | 0x6A82, []) | (0x9000, [0x53, 0x00]))
    }

    /// No data, whatever the status word.
    pub(crate) fn no_data(self, what: &str) -> Checked {
        let nothing = self.sw >> 8 != 0x61 && self.data.is_empty();
        holds(nothing, format!("{what}: expected no data, got {:04X} and {} bytes", self.sw, self.data.len()))
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
