//! The secure channel of a card: the card side of [`cardlab_protocol::channel`]. It is volatile, there is one at a time,
//! and it dies with the first message that is not accepted.

use crate::status::StatusWord;
use cardlab_protocol::apdu::Command;
use cardlab_protocol::channel::piv::wrapping::Malformed;
use cardlab_protocol::channel::piv::{Refused, Session};
use zeroize::Zeroizing;

/// A channel whose keys both sides have.
pub(crate) enum Channel {
    /// Secure messaging of PIV.
    Messaging(Session),
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
        match self {
            Self::Messaging(session) => {
                let opened = session.open_command([command.ins, command.p1, command.p2], command.data).map_err(status)?;
                Ok(Opened { data: opened.data, expects_data: opened.expects_data })
            }
        }
    }

    /// The response that carries this one.
    pub(crate) fn seal(&mut self, data: &[u8], status: StatusWord) -> Vec<u8> {
        match self {
            Self::Messaging(session) => session.seal_response(data, status),
        }
    }
}

/// SP 800-73-4 part 2 section 4.2.7.
const fn status(refused: Refused) -> StatusWord {
    match refused {
        Refused::Objects(Malformed::Missing) => StatusWord::MESSAGING_OBJECT_MISSING,
        Refused::Objects(Malformed::Incorrect) | Refused::Mac | Refused::Padding => StatusWord::MESSAGING_OBJECT_INCORRECT,
        Refused::Spent => StatusWord::SECURITY_STATUS,
    }
}
