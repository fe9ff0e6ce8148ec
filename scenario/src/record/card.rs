//! One card of a recording under way.

use super::file::Value;
use cardlab_protocol::admin_key::AdminKey;
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv;
use cardlab_sim::{World, admin_key};
use cardlab_vreader::fault::Effect;
use cardlab_vreader::session::Began;
use cardlab_vreader::{TouchMode, Whereabouts};

/// GET RESPONSE: the rest of an answer.
pub(super) const GET_RESPONSE: u8 = 0xC0;
/// GENERAL AUTHENTICATE.
const AUTHENTICATE: u8 = 0x87;
/// PIV's reference of the administrator key.
const ADMINISTRATION: u8 = 0x9B;
/// Bits of the class byte: secure messaging.
const SECURED: u8 = 0x0C;

/// Where a card is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    In,
    Out,
    Unplugged,
}

/// A step that stands before the first of a card.
type Before = (&'static str, Vec<(&'static str, Value)>);

/// A challenge that waits for its response.
struct Challenge {
    /// What a right response is; none where the key is not known.
    right: Option<Vec<u8>>,
    /// Under which name the file has it.
    name: String,
}

pub(super) struct Card {
    /// Its name in the file.
    pub(super) name: String,
    /// Whether a step names it.
    pub(super) used: bool,
    /// What was round it when the session began.
    pub(super) before: Vec<Before>,
    pub(super) place: Place,
    /// Whether a command came since it got power or was reset.
    pub(super) spoken_to: bool,
    /// The last answer has a rest that can be fetched.
    pub(super) has_more: bool,
    pub(super) touch: TouchMode,
    /// It asked for a touch, and whether it got one.
    pub(super) answered_touch: Option<bool>,
    /// The other card has told of the swap.
    pub(super) was_swapped: bool,
    key: Option<AdminKey>,
    /// The challenge that was drawn last, as it was.
    drawn: Option<Vec<u8>>,
    challenge: Option<Challenge>,
}

impl Card {
    /// A simulated card at the beginning; none of another.
    pub(super) fn of(began: &Began, name: String) -> Option<Self> {
        let snapshot = began.snapshot.as_ref()?;
        let key = snapshot.card(World::seeded(1)).ok().and_then(|card| admin_key::load(card.nvm())).map(|(key, _)| key);
        let text = |text: String| Value::Text(text);
        let mut before: Vec<Before> = Vec::new();
        if began.whereabouts == Whereabouts::Unplugged {
            before.push(("unplug", vec![]));
        }
        if !matches!(began.touch, TouchMode::Auto) {
            before.push(("touch", vec![("touch", text(began.touch.to_string()))]));
        }
        if !began.pace.is_off() {
            before.push(("pace", vec![("pace", text(began.pace.to_string()))]));
        }
        before.extend(began.faults.iter().map(|fault| ("fault", vec![("fault", text(fault.to_string()))])));
        Some(Self {
            name,
            used: false,
            before,
            place: match began.whereabouts {
                Whereabouts::In => Place::In,
                Whereabouts::Out => Place::Out,
                Whereabouts::Unplugged => Place::Unplugged,
            },
            spoken_to: false,
            has_more: false,
            touch: began.touch,
            answered_touch: None,
            was_swapped: false,
            key,
            drawn: None,
            challenge: None,
        })
    }

    /// What a fault makes of its place.
    pub(super) const fn struck(&mut self, effect: &Effect) {
        match effect {
            Effect::RemoveBefore | Effect::RemoveAfter => self.place = Place::Out,
            Effect::ReaderGone => self.place = Place::Unplugged,
            Effect::PowerCut(_)
            | Effect::Silent(_)
            | Effect::Mute
            | Effect::Answer(_)
            | Effect::Truncate(_)
            | Effect::Status(_)
            | Effect::FlipBit(_)
            | Effect::MemoryFailure => {}
        }
    }

    /// Whether an exchange has drawn a challenge of the administrator key; as a witness or not.
    pub(super) fn challenged(&mut self, command: &[u8], response: Option<&[u8]>) -> Option<bool> {
        let template = template(command)?;
        let is_question = |tag| tlv::find(&template, tag).is_some_and(<[u8]>::is_empty);
        let (data, [0x90, 0x00]) = response?.split_last_chunk::<2>()? else { return None };
        let answer = tlv::find(data, 0x7C)?;
        let (tag, witness) = if is_question(0x81) { (0x81, false) } else { (0x80, true) };
        if !is_question(tag) {
            return None;
        }
        self.drawn = tlv::find(answer, tag).filter(|block| matches!(block.len(), 8 | 16)).map(<[u8]>::to_vec);
        self.drawn.is_some().then_some(witness)
    }

    /// The response to the challenge that was drawn last has this name in the file.
    pub(super) fn awaits(&mut self, name: String, witness: bool) {
        let Some(drawn) = self.drawn.take() else { return };
        let right = |key: &AdminKey| if witness { key.decrypt(&drawn) } else { key.respond(&drawn) };
        let right = self.key.as_ref().and_then(|key| right(key).ok());
        self.challenge = Some(Challenge { right, name });
    }

    /// Of a command that answers the challenge rightly: the response in it, and its name in the file.
    pub(super) fn right_response(&mut self, command: &[u8], status: Option<[u8; 2]>) -> Option<(Vec<u8>, String)> {
        let template = template(command)?;
        let given = [0x82, 0x80].into_iter().find_map(|tag| tlv::find(&template, tag).filter(|block| !block.is_empty()))?;
        let Challenge { right, name } = self.challenge.take()?;
        let is_right = right.as_deref() == Some(given) || status == Some([0x90, 0x00]);
        is_right.then(|| (given.to_vec(), name))
    }
}

/// Whether a command went through a secure channel, or opens one by keys that are new each time.
pub(super) fn is_secured(command: &[u8]) -> bool {
    command.first().is_some_and(|class| class & SECURED != 0)
}

/// The dynamic authentication template of a command to the administrator key.
fn template(command: &[u8]) -> Option<Vec<u8>> {
    let command = Command::parse(command).ok().filter(|command| command.ins == AUTHENTICATE)?;
    let to_administrator = command.p2 == ADMINISTRATION || (command.p1 == 0 && command.p2 == 0);
    tlv::find(command.data, 0x7C).filter(|_| to_administrator).map(<[u8]>::to_vec)
}
