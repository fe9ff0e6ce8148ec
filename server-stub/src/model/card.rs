//! Cards as the management system sees them. Its states say nothing of what is blocked on the chip.

use crate::model::clock::Millis;
use crate::model::keys::CardIdentity;
use crate::model::refusal::{Code, Refusal};
use crate::model::role::Privilege;
use crate::model::vault::CardKey;
use crate::words::{Sentence, sentence};
use cardlab_protocol::admin_key::Cipher;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The state of a card in the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum CardState {
    /// Registered, nobody's.
    Clean,
    /// Somebody's, not issued.
    Assigned,
    /// Being issued.
    Pending,
    /// In use.
    Issued,
    /// Out of use for a while.
    Disabled,
    /// Out of use for good.
    Revoked,
}

/// What can be done with a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Give it to a user.
    Assign,
    /// Put it into use.
    Issue,
    /// Out of use for a while.
    Disable,
    /// Back into use.
    Enable,
    /// Out of use for good.
    Revoke,
    /// Take it from its user.
    Withdraw,
}

impl CardState {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Clean, Self::Assigned, Self::Pending, Self::Issued, Self::Disabled, Self::Revoked];

    /// As stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clean => "Clean",
            Self::Assigned => "Assigned",
            Self::Pending => "Pending",
            Self::Issued => "Issued",
            Self::Disabled => "Disabled",
            Self::Revoked => "Revoked",
        }
    }

    /// Name of its sentence on pages.
    #[must_use]
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Clean => "state-Clean",
            Self::Assigned => "state-Assigned",
            Self::Pending => "state-Pending",
            Self::Issued => "state-Issued",
            Self::Disabled => "state-Disabled",
            Self::Revoked => "state-Revoked",
        }
    }

    /// How it is seen before it is read: `good`, `warn`, `bad`, or as usual.
    #[must_use]
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Issued => "good",
            Self::Pending | Self::Disabled => "warn",
            Self::Revoked => "bad",
            Self::Clean | Self::Assigned => "",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether cards in this state are unlocked: those in use, and those issued locked.
    #[must_use]
    pub const fn can_be_unlocked(self) -> bool {
        matches!(self, Self::Issued | Self::Pending)
    }

    /// The state after an operation.
    ///
    /// # Errors
    /// [`Code::CardState`] says from where it is possible.
    pub fn after(self, operation: Operation) -> Result<Self, Refusal> {
        let (from, to): (&[Self], Self) = match operation {
            Operation::Assign => (&[Self::Clean], Self::Assigned),
            Operation::Issue => (&[Self::Assigned, Self::Pending], Self::Issued),
            Operation::Disable => (&[Self::Issued], Self::Disabled),
            Operation::Enable => (&[Self::Disabled], Self::Issued),
            Operation::Revoke => (&[Self::Issued, Self::Disabled, Self::Pending], Self::Revoked),
            Operation::Withdraw => (&[Self::Revoked, Self::Assigned], Self::Clean),
        };
        if from.contains(&self) {
            return Ok(to);
        }
        let from: Vec<Sentence> = from.iter().map(|state| Sentence::named(state.word())).collect();
        Err(Refusal::new(Code::CardState, sentence!("refused-operation", state = Sentence::named(self.word()), states = from)))
    }

    /// The operations that are possible now.
    #[must_use]
    pub fn operations(self) -> Vec<Operation> {
        Operation::ALL.into_iter().filter(|operation| self.after(*operation).is_ok()).collect()
    }
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Assign, Self::Issue, Self::Disable, Self::Enable, Self::Revoke, Self::Withdraw];

    /// What allows it.
    #[must_use]
    pub const fn privilege(self) -> Privilege {
        match self {
            Self::Assign | Self::Issue => Privilege::IssueCard,
            Self::Enable => Privilege::EnableCard,
            Self::Disable => Privilege::DisableCard,
            Self::Revoke | Self::Withdraw => Privilege::RevokeCard,
        }
    }

    /// Name of the sentence by which users know it; what they do not do has none.
    pub(crate) const fn own_title(self) -> &'static str {
        match self {
            Self::Disable => "own-disable",
            Self::Enable => "own-enable",
            Self::Revoke => "own-revoke",
            Self::Assign | Self::Issue | Self::Withdraw => "none",
        }
    }

    /// Name of the sentence that asks users first.
    pub(crate) const fn own_ask(self) -> &'static str {
        match self {
            Self::Disable => "own-disable-ask",
            Self::Enable => "own-enable-ask",
            Self::Revoke => "own-revoke-ask",
            Self::Assign | Self::Issue | Self::Withdraw => "none",
        }
    }

    /// As in addresses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assign => "assign",
            Self::Issue => "issue",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Revoke => "revoke",
            Self::Withdraw => "withdraw",
        }
    }
}

/// What the server knows of a card's administrator key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// Derived from the master key.
    Derived,
    /// Stored under the master key.
    Sealed,
    /// Nothing: the card cannot be unlocked by this server.
    Unknown,
}

impl KeySource {
    /// As stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Derived => "derived",
            Self::Sealed => "sealed",
            Self::Unknown => "none",
        }
    }

    /// The source of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        [Self::Derived, Self::Sealed].into_iter().find(|source| source.name() == name).unwrap_or(Self::Unknown)
    }
}

/// How cards of a make are unlocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CardType {
    /// `3des`, `aes128`, `aes192` or `aes256`.
    pub cipher: String,
    /// *Default user PIN*: what *Issue* with *Initialize card* and *Reset user PIN* set.
    #[serde(default = "usual_pin")]
    pub default_user_pin: String,
}

fn usual_pin() -> String {
    "123456".into()
}

impl CardType {
    /// With this cipher and the usual default PIN.
    #[must_use]
    pub fn with_cipher(cipher: Cipher) -> Self {
        Self { cipher: cipher.name().into(), default_user_pin: usual_pin() }
    }

    /// Checks cipher and PIN.
    ///
    /// # Errors
    /// [`Code::Malformed`] at the field.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        self.cipher()?;
        let pin = &self.default_user_pin;
        if !(4..=31).contains(&pin.len()) || !pin.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Refusal::malformed(sentence!("refused-default-pin")).at("default_user_pin"));
        }
        Ok(())
    }

    /// The cipher of the administrator key.
    ///
    /// # Errors
    /// [`Code::Malformed`] for another name.
    pub fn cipher(&self) -> Result<Cipher, Refusal> {
        let known = || Cipher::ALL.map(Cipher::name).join(", ");
        Cipher::ALL
            .into_iter()
            .find(|cipher| cipher.name() == self.cipher)
            .ok_or_else(|| Refusal::malformed(sentence!("refused-cipher", cipher = &self.cipher, known = known())).at("cipher"))
    }
}

/// A card of the repository.
#[derive(Clone, Debug)]
pub struct CardRecord {
    /// What it says it is, upper-case hexadecimal.
    pub serial: String,
    /// Id of its type.
    pub card_type: String,
    /// Its type.
    pub about: CardType,
    /// Answer to reset, or empty.
    pub atr: String,
    /// For people.
    pub label: String,
    /// Its tags, in the order in which they are shown.
    pub tags: Vec<String>,
    /// In the system.
    pub state: CardState,
    /// Its user.
    pub user: Option<String>,
    /// The policy that it was issued under.
    pub policy: Option<String>,
    /// Where its administrator key comes from.
    pub key: KeySource,
    /// Counts its keys.
    pub key_version: i64,
    /// The version that is being put on the card, or 0.
    pub key_pending: i64,
    /// A sealed key.
    pub sealed: String,
    /// Why it was revoked.
    pub revoke_reason: String,
    /// When it was issued first, UTC milliseconds since 1970, or 0.
    pub issued_at: Millis,
}

impl CardRecord {
    /// Whether it was ever in use, or has a key that only this server can give again: then it stays in the repository.
    #[must_use]
    pub const fn was_issued(&self) -> bool {
        let is_new = matches!(self.state, CardState::Clean | CardState::Assigned);
        !is_new || self.issued_at != 0 || self.key_version > 1 || self.key_pending > 0
    }

    /// What the vault needs; `serial` is the decoded one.
    pub(crate) fn vault_key<'a>(&'a self, serial: &'a [u8]) -> Result<CardKey<'a>, Refusal> {
        let card = CardIdentity { card_type: &self.card_type, serial, key_version: self.key_version as u32 };
        Ok(CardKey { source: self.key, cipher: self.about.cipher()?, card, sealed: &self.sealed })
    }
}

/// The order of a list of cards; a `-` before it turns it round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum CardOrder {
    /// By serial.
    #[default]
    #[serde(rename = "serial")]
    Serial,
    /// By serial, from the end.
    #[serde(rename = "-serial")]
    SerialDown,
}

impl CardOrder {
    /// As programs write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::SerialDown => "-serial",
        }
    }
}

/// Which cards, in which order.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CardFilter {
    /// Serial, words of the label and of tags, and for who may see users of the owner's names: each as it begins, of a serial four digits
    /// or more of its end as well, at most five. `*` alone is all.
    pub q: String,
    /// Only in this state.
    #[param(inline)]
    pub state: Option<CardState>,
    /// Only of this card type.
    pub card_type: Option<String>,
    /// Only of this user: an id, or for who may see users a logon name in either form or words that find one.
    pub user: Option<String>,
    /// Only issued under the policy of this id.
    pub policy: Option<String>,
    /// Only with this tag, however it is written.
    pub tag: Option<String>,
    /// The order.
    #[param(inline)]
    pub sort: CardOrder,
    /// Rows of a page, 1 to 1000; usually 200.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u16>,
    /// Where the page before has ended: of its `Link` header.
    pub cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cards_life() {
        let mut state = CardState::Clean;
        for (operation, after) in [
            (Operation::Assign, CardState::Assigned),
            (Operation::Issue, CardState::Issued),
            (Operation::Disable, CardState::Disabled),
            (Operation::Enable, CardState::Issued),
            (Operation::Revoke, CardState::Revoked),
            (Operation::Withdraw, CardState::Clean),
        ] {
            assert!(state.operations().contains(&operation));
            state = state.after(operation).unwrap();
            assert_eq!(state, after);
        }
        let refused = CardState::Clean.after(Operation::Revoke).unwrap_err();
        assert_eq!(refused.message(), "the card is Clean; this can be done with Issued, Disabled, Pending cards");
        assert_eq!(CardState::ALL.into_iter().filter(|s| s.can_be_unlocked()).count(), 2);
    }
}
