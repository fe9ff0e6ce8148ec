//! Which code was drawn last, for the programs of one user: two of them that show a code of one card must not answer each
//! other's, since the card takes a response to a code of before for a wrong one.
//!
//! A file a card in the user's state directory (0600): the SHA-256 of the challenge. Other makers' programs do not write it;
//! what they do to a card is seen only where they reset it or select another application.

use super::own;
use cardlab_protocol::workstation::Report;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Bytes of a file that is read: digits of a SHA-256.
const DIGITS: usize = 64;

/// Notes of one user.
#[derive(Clone, Debug)]
pub struct Pending {
    directory: PathBuf,
}

impl Pending {
    /// Notes below this directory, which is made where it is missing.
    #[must_use]
    pub fn below(state: &Path) -> Self {
        Self { directory: state.join("codes") }
    }

    /// Notes that this is the card's latest code. A user whose disk is full does without.
    pub fn note(&self, card: &[u8], challenge: &[u8]) {
        let write = || -> std::io::Result<()> {
            own::directory(&self.directory)?;
            own::file(&self.file(card), true)?.write_all(Report::fingerprint(challenge).as_bytes())
        };
        let _ = write();
    }

    /// Whether another program has drawn a code since, which may be waiting in the card still; not, where nothing is noted.
    #[must_use]
    pub fn is_overtaken(&self, card: &[u8], challenge: &[u8]) -> bool {
        let read = || -> std::io::Result<Vec<u8>> {
            let mut noted = Vec::new();
            std::fs::File::open(self.file(card))?.take(DIGITS as u64 + 1).read_to_end(&mut noted)?;
            Ok(noted)
        };
        match read() {
            Ok(noted) if noted.len() == DIGITS => noted != Report::fingerprint(challenge).as_bytes(),
            _ => false,
        }
    }

    fn file(&self, card: &[u8]) -> PathBuf {
        self.directory.join(cardlab_protocol::codes::digits(card))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_before_is_known_as_such() {
        let state = tempfile::tempdir().unwrap();
        let (one, other) = (Pending::below(state.path()), Pending::below(state.path()));
        assert!(!one.is_overtaken(b"card", b"first"), "nothing is noted");
        one.note(b"card", b"first");
        assert!(!one.is_overtaken(b"card", b"first"));
        other.note(b"card", b"second");
        assert!(one.is_overtaken(b"card", b"first") && !other.is_overtaken(b"card", b"second"));
        assert!(!one.is_overtaken(b"another card", b"first"));
        std::fs::write(one.file(b"card"), b"garbage").unwrap();
        assert!(!one.is_overtaken(b"card", b"first"), "what is no note says nothing");
    }
}
