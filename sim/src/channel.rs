//! The secure channel of a card: the card side of [`cardlab_protocol::channel`]. It is volatile, there is one at a time,
//! and it dies with the first message that is not accepted.

use crate::scp::{self, opening};
use crate::status::StatusWord;
use cardlab_protocol::apdu::Command;
use cardlab_protocol::channel::piv::wrapping::Malformed;
use cardlab_protocol::channel::piv::{Refused, Session};
use zeroize::Zeroizing;

/// A channel whose keys both sides have.
pub(crate) enum Channel {
    /// Secure messaging of PIV.
    Messaging(Session),
    /// A channel of GlobalPlatform.
    Scp(scp::Open),
}

/// A command that came out of a channel.
pub(crate) struct Opened {
    /// Its data.
    pub(crate) data: Zeroizing<Vec<u8>>,
    /// Whether it has an Le.
    pub(crate) expects_data: bool,
}

impl Channel {
    /// The command that is inside this one, chains joined. The status word of a refusal goes out as it is, and the
    /// channel is of no use any more.
    pub(crate) fn open(&mut self, command: &Command<'_>) -> Result<Opened, StatusWord> {
        let Command { cla, ins, p1, p2, .. } = *command;
        match self {
            Self::Messaging(session) => {
                let opened = session.open_command([ins, p1, p2], command.data).map_err(refusal)?;
                Ok(Opened { data: opened.data, expects_data: opened.expects_data })
            }
            Self::Scp(open) => {
                let data = open.session.open_command([cla, ins, p1, p2], command.extended, command.data);
                Ok(Opened { data: data.map_err(opening::refusal)?, expects_data: true })
            }
        }
    }

    /// What carries this response: its data, and the status word outside.
    pub(crate) fn seal(&mut self, data: &[u8], status: StatusWord) -> (Vec<u8>, StatusWord) {
        match self {
            Self::Messaging(session) => (session.seal_response(data, status), StatusWord::OK),
            Self::Scp(open) => (open.session.seal_response(data, status), status),
        }
    }

    /// Whether a plain command may come in between.
    pub(crate) const fn bears_plain_commands(&self) -> bool {
        matches!(self, Self::Messaging(_))
    }

    /// Whether it lives on when an application is selected, the same again or another one.
    pub(crate) const fn survives_selection(&self, again: bool) -> bool {
        again && matches!(self, Self::Messaging(_))
    }
}

/// SP 800-73-4 part 2 section 4.2.7.
const fn refusal(refused: Refused) -> StatusWord {
    match refused {
        Refused::Objects(Malformed::Missing) => StatusWord::MESSAGING_OBJECT_MISSING,
        Refused::Objects(Malformed::Incorrect) | Refused::Mac | Refused::Padding => StatusWord::MESSAGING_OBJECT_INCORRECT,
        Refused::Spent => StatusWord::SECURITY_STATUS,
    }
}
