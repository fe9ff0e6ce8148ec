//! MANAGE SECURITY ENVIRONMENT, ISO/IEC 7816-4:2020 section 11.5.11: which key and algorithm the next
//! operations use.
//!
//! | CLA INS P1 P2 | data | for |
//! |---|---|---|
//! | 00 22 C1 A4 (or 81 A4) | `83 80` | authentication with the administrator key |
//! | 00 22 41 B6 | `80 algorithm, 84 key` | signatures |
//! | 00 22 41 B8 | `80 algorithm, 84 key` | decipherment, key agreement |
//!
//! The key file must offer the algorithm under that template (tag A5), and its rule for MSE must be
//! met; else 6984, 6982.

use super::files::{self, File, Kind};
use super::{Gids, access};
use crate::applet::Env;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::{self, Reader};

/// Algorithm reference of authentication templates.
const AUTHENTICATION: u8 = 0x02;
const ADMINISTRATION: u8 = 0x80;

/// What a control reference template is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A4.
    Authentication = 0xA4,
    /// B6.
    Signature = 0xB6,
    /// B8.
    Confidentiality = 0xB8,
}

/// The current key and algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Environment {
    pub(super) purpose: Purpose,
    /// Key reference.
    pub(super) key: u8,
    /// Algorithm reference: padding in the high nibble, key kind in the low one.
    pub(super) algorithm: u8,
}

impl Environment {
    /// The key's file.
    pub(super) const fn file(self) -> u16 {
        files::key_file(self.key)
    }

    /// Whether it is for the administrator key.
    pub(super) fn is_administration(self) -> bool {
        self.purpose == Purpose::Authentication && self.key == ADMINISTRATION
    }
}

pub(super) fn process(gids: &mut Gids, env: &Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    let purpose = match (command.p1, command.p2) {
        (0x81 | 0xC1, 0xA4) => Purpose::Authentication,
        (0x41, 0xB6) => Purpose::Signature,
        (0x41, 0xB8) => Purpose::Confidentiality,
        _ => return Err(StatusWord::NOT_SUPPORTED.into()),
    };
    let wanted = parse(purpose, command.data).ok_or(StatusWord::DATA_INVALID)?;
    let file = File::open(env.nvm, wanted.file()).filter(|f| f.kind == Kind::Key).ok_or(StatusWord::DATA_INVALID)?;
    let offered = Reader::new(file.usages()).map_while(Result::ok);
    if !offered.filter(|t| t.tag == purpose as u32).any(|t| tlv::find(t.value, 0x80) == Some(&[wanted.algorithm])) {
        return Err(StatusWord::DATA_INVALID.into());
    }
    access::check_file(gids, env, &file, access::MANAGE)?;
    gids.environment = Some(wanted);
    Ok(())
}

fn parse(purpose: Purpose, data: &[u8]) -> Option<Environment> {
    let reference = |tag| match tlv::find(data, tag) {
        Some([byte]) => Some(*byte),
        _ => None,
    };
    let (key, algorithm) = match purpose {
        Purpose::Authentication => (reference(0x83)?, AUTHENTICATION),
        _ => (reference(0x84)?, reference(0x80)?),
    };
    (key >= 0x80).then_some(Environment { purpose, key, algorithm })
}
