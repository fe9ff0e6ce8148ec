//! Writing to connected cards: *Issue* with *Initialize card*, *Reset user PIN*, a new administrator key.
//!
//! A new administrator key is made in two phases: its version is noted (`key_pending`), then it is put on
//! the card, then it is the card's key. Whoever resumes after a crash in between tries both.

use crate::model::card::{CardRecord, CardState, KeySource, Operation};
use crate::model::event::{Happening, Kind};
use crate::model::keys::CardIdentity;
use crate::model::policy::Policy;
use crate::model::refusal::{Code, Refusal};
use crate::model::role::{Privilege, Scope};
use crate::model::station::{Connected, NewPin, Order, Station, StationError, Written};
use crate::model::subject::{self, Subject};
use crate::model::user::Contact;
use crate::model::vault::CardKey;
use crate::service::Server;
use crate::service::cards::CardView;
use crate::service::login::Operator;
use crate::store::{Snapshot, Tx, cards, subjects, users};
use crate::words::{Sentence, sentence};
use cardlab_protocol::admin_key::AdminKey;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A card after an operation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Operated {
    /// The card.
    #[serde(flatten)]
    pub card: CardView,
    /// The PIN that was set; it is shown this once.
    #[serde(rename = "userPin", skip_serializing_if = "Option::is_none")]
    pub user_pin: Option<String>,
    /// The PUK that was set, because the card's own went back to the maker's with the new limit of PIN entries; it is shown
    /// this once, and the server does not keep it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub puk: Option<String>,
    /// The card was issued with a blocked PIN.
    pub locked: bool,
}

/// A card that is connected to the server's machine.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AtHand {
    /// What is in the reader.
    #[serde(flatten)]
    pub connected: Connected,
    /// Its state, when it is registered.
    pub state: Option<CardState>,
    /// Whose it is, for who may see users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Contact>,
}

impl Operated {
    pub(crate) fn of(card: &CardRecord) -> Self {
        Self { card: CardView::of(card), user_pin: None, puk: None, locked: false }
    }
}

/// Writing to cards that are connected to the server's machine.
#[derive(Clone, Copy)]
pub struct Issuing<'s> {
    pub(super) server: &'s Server,
}

impl Issuing<'_> {
    /// The cards that are connected to the server's machine; for a local role those of them that it sees in the repository.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NoReaders`].
    pub async fn connected(&self, operator: &Operator) -> Result<Vec<AtHand>, Refusal> {
        let scope = operator.scope(Privilege::ViewCards)?;
        let station = self.server.station()?;
        let found = tokio::task::spawn_blocking(move || station.connected()).await;
        let found = found.map_err(|_| ended())?.map_err(Refusal::by_card)?;
        let serials: Vec<&str> = found.iter().map(|connected| connected.serial.as_str()).collect();
        let mut snapshot = self.server.store.read().await?;
        let known = cards::of_serials(&mut snapshot, &serials, &scope).await?;
        let owners: Vec<&str> = known.iter().filter_map(|card| card.user.as_deref()).collect();
        let owners = match operator.scope(Privilege::ViewUser) {
            Ok(scope) => users::contacts(&mut snapshot, &owners, &scope).await?,
            Err(_) => Vec::new(),
        };
        let at_hand = |connected: Connected| {
            let card = known.iter().find(|card| card.serial == connected.serial);
            let user = card.and_then(|card| card.user.as_deref());
            let owner = owners.iter().find(|owner| Some(owner.id.as_str()) == user).cloned();
            AtHand { state: card.map(|card| card.state), owner, connected }
        };
        let at_hand = found.into_iter().map(at_hand);
        Ok(at_hand.filter(|at_hand| scope == Scope::All || at_hand.state.is_some()).collect())
    }

    /// *Issue*. Under *Initialize card* the connected card gets an administrator key of its own and a
    /// PIN, or is blocked until its user unlocks it.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::CardState`], [`Code::NoReaders`], [`Code::NoAdminKey`];
    /// [`Code::CardRefused`] with what the card said: the card is then Pending, to be issued again, when
    /// its key may have changed, else as before.
    pub(crate) async fn issue(&self, operator: &Operator, serial: &str) -> Result<Operated, Refusal> {
        let done = self.issue_card(operator, serial).await;
        self.noted(done, Kind::CardStateNotChanged, operator, serial).await
    }

    async fn issue_card(&self, operator: &Operator, serial: &str) -> Result<Operated, Refusal> {
        let looked_at = self.allows_tries(operator, serial).await?;
        let (mut tx, operator) = self.server.begin_by(operator).await?;
        let (before, settings) = self.for_writing(&mut tx, &operator, serial, Privilege::IssueCard).await?;
        let after = before.state.after(Operation::Issue)?;
        if settings.issuance.require_tags && before.tags.is_empty() {
            return Err(Refusal::new(Code::Conflict, sentence!("refused-tag-first")));
        }
        if !settings.issuance.initialize_card {
            if settings.issuance.pin_tries != looked_at {
                return Err(Refusal::new(Code::Conflict, sentence!("refused-policy-changed-issue")));
            }
            cards::set_state(&mut tx, serial, after).await?;
            return self.issued(tx, &operator, &before).await;
        }
        let pin = match (&settings.issuance.random_user_pin, settings.issuance.lock_card) {
            (_, true) => NewPin::Blocked,
            (Some(random), false) => NewPin::Known(random.generate()),
            (None, false) => NewPin::Known(Zeroizing::new(before.about.default_user_pin.clone())),
        };
        let (user_pin, locked) = match &pin {
            NewPin::Known(pin) => (Some(pin.to_string()), false),
            NewPin::Blocked | NewPin::Unchanged | NewPin::Changed { .. } => (None, true),
        };
        let order = self.order(&before, pin, settings.issuance.pin_tries)?;
        let station = self.server.station()?;
        cards::set_state(&mut tx, serial, CardState::Pending).await?;
        let (mut tx, written) = self.with_new_key(tx, station, &before, order).await?;
        let about = |kind, detail| Happening { card: serial, detail, ..Happening::new(kind, &operator.name) };
        let written = match written {
            Ok(written) => written,
            Err(error) => {
                // Nothing changed on the card: it is as it was, unless somebody else has moved it since.
                if !error.key_may_be_new {
                    cards::settle_state(&mut tx, serial, before.state).await?;
                }
                let detail = json!({"reason": error.message, "key_may_be_new": error.key_may_be_new});
                self.server.record(&mut tx, &about(Kind::CardNotInitialized, detail)).await?;
                tx.commit().await?;
                return Err(Refusal::by_card(error));
            }
        };
        cards::settle_state(&mut tx, serial, after).await?;
        let detail = json!({"locked": locked, "pin_tries": written.pin_tries});
        self.server.record(&mut tx, &about(Kind::CardInitialized, detail)).await?;
        let operated = self.issued(tx, &operator, &before).await?;
        Ok(Operated { user_pin, puk: written.puk.map(|puk| puk.to_string()), locked, ..operated })
    }

    /// Looks whether a card allows as many PIN entries as its policy wants, where issuing writes nothing to it: it is in a
    /// reader of the server, or is not issued. Gives that number.
    async fn allows_tries(&self, operator: &Operator, serial: &str) -> Result<Option<u8>, Refusal> {
        let mut snapshot = self.server.store.read().await?;
        let (card, settings) = self.for_writing(&mut snapshot, operator, serial, Privilege::IssueCard).await?;
        drop(snapshot);
        let wanted = settings.issuance.pin_tries.filter(|_| !settings.issuance.initialize_card);
        if wanted.is_none() || card.state.after(Operation::Issue).is_err() {
            return Ok(wanted);
        }
        let station = self.server.station()?;
        let order = Order { keys: Vec::new(), pin_tries: wanted, ..Order::looking(serial) };
        let looked = tokio::task::spawn_blocking(move || station.write(&order)).await.map_err(|_| ended())?;
        let Err(error) = looked else { return Ok(wanted) };
        let refusal = Refusal::by_card(error);
        let refused = Happening { card: serial, ..Happening::new(Kind::CardStateNotChanged, &operator.name) };
        self.server.note_refusal(&refused, &refusal).await?;
        Err(refusal)
    }

    /// A new administrator key for a connected card; its PIN stays.
    ///
    /// # Errors
    /// As [`Issuing::reset_pin`]. When the card's key may have changed, rolling once more settles it.
    pub async fn roll_key(&self, operator: &Operator, serial: &str) -> Result<Operated, Refusal> {
        let serial = subject::serial(serial)?;
        let done = self.roll_key_of(operator, &serial).await;
        self.noted(done, Kind::AdminKeyNotRolled, operator, &serial).await
    }

    async fn roll_key_of(&self, operator: &Operator, serial: &str) -> Result<Operated, Refusal> {
        let (mut tx, operator) = self.server.begin_by(operator).await?;
        let (card, _) = self.for_writing(&mut tx, &operator, serial, Privilege::IssueCard).await?;
        only_issued(&card)?;
        let station = self.server.station()?;
        let order = self.order(&card, NewPin::Unchanged, None)?;
        let (mut tx, written) = self.with_new_key(tx, station, &card, order).await?;
        let about = |kind, detail| Happening { card: serial, detail, ..Happening::new(kind, &operator.name) };
        let result = match written {
            Ok(_) => {
                let detail = json!({"from": card.key_version, "to": next_version(&card)});
                self.server.record(&mut tx, &about(Kind::AdminKeyRolled, detail)).await?;
                Ok(Operated::of(&card))
            }
            Err(error) => {
                let detail = json!({"reason": error.message, "key_may_be_new": error.key_may_be_new});
                self.server.record(&mut tx, &about(Kind::AdminKeyNotRolled, detail)).await?;
                Err(Refusal::by_card(error))
            }
        };
        tx.commit().await?;
        result
    }

    /// Both phases of a new key: notes its version and commits, has the order carried out, and gives the
    /// transaction in which the key is the card's, whatever became of its state meanwhile.
    async fn with_new_key(
        &self,
        mut tx: Tx,
        station: Arc<dyn Station>,
        card: &CardRecord,
        order: Order,
    ) -> Result<(Tx, Result<Written, StationError>), Refusal> {
        let version = next_version(card);
        cards::set_key_pending(&mut tx, &card.serial, version).await?;
        tx.commit().await?;
        let written = tokio::task::spawn_blocking(move || station.write(&order)).await;
        let written = written.unwrap_or_else(|_| Err(StationError { message: ended().message(), key_may_be_new: true }));
        let mut tx = self.server.begin().await?;
        match &written {
            Ok(_) => cards::set_key(&mut tx, &card.serial, version).await?,
            Err(error) if !error.key_may_be_new => cards::set_key_pending(&mut tx, &card.serial, card.key_pending).await?,
            Err(_) => {}
        }
        Ok((tx, written))
    }

    /// *Reset user PIN* of a connected card: it gets the default PIN of its card type, which its user
    /// changes.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::DisabledByPolicy`], [`Code::CardState`], [`Code::NoReaders`],
    /// [`Code::NoAdminKey`], [`Code::CardRefused`].
    pub async fn reset_pin(&self, operator: &Operator, serial: &str) -> Result<Operated, Refusal> {
        let serial = subject::serial(serial)?;
        let done = self.reset_pin_of(operator, &serial).await;
        self.noted(done, Kind::PinNotReset, operator, &serial).await
    }

    async fn reset_pin_of(&self, operator: &Operator, serial: &str) -> Result<Operated, Refusal> {
        let mut snapshot = self.server.store.read().await?;
        let subject = covered(&mut snapshot, operator, serial, Privilege::ResetPin).await?;
        let card = subject.pin_resettable()?.card;
        only_issued(card)?;
        let station = self.server.station()?;
        let keys = vec![self.key(card, card.key, card.key_version)?];
        let pin = card.about.default_user_pin.clone();
        let order = Order { keys, pin: NewPin::Known(Zeroizing::new(pin.clone())), ..Order::looking(serial) };
        drop(snapshot);
        let written = tokio::task::spawn_blocking(move || station.write(&order)).await;
        let mut tx = self.server.begin().await?;
        let about = |kind, detail| Happening {
            card: serial,
            user: card.user.as_deref().unwrap_or_default(),
            detail,
            ..Happening::new(kind, &operator.name)
        };
        if let Err(error) = written.unwrap_or_else(|_| Err(StationError::before(ended().message()))) {
            self.server.record(&mut tx, &about(Kind::PinNotReset, json!({"reason": error.message}))).await?;
            tx.commit().await?;
            return Err(Refusal::by_card(error));
        }
        self.server.record(&mut tx, &about(Kind::PinReset, serde_json::Value::Null)).await?;
        tx.commit().await?;
        Ok(Operated { user_pin: Some(pin), ..Operated::of(card) })
    }

    /// Writes down a refusal; what the card itself has refused is in the log already.
    async fn noted(
        &self,
        step: Result<Operated, Refusal>,
        kind: Kind,
        operator: &Operator,
        card: &str,
    ) -> Result<Operated, Refusal> {
        if let Err(refusal) = &step
            && refusal.code != Code::CardRefused
        {
            self.server.note_refusal(&Happening { card, ..Happening::new(kind, &operator.name) }, refusal).await?;
        }
        step
    }

    /// A card with the settings that hold for it, when the operator may do this with it.
    async fn for_writing(
        &self,
        conn: &mut Snapshot,
        operator: &Operator,
        serial: &str,
        privilege: Privilege,
    ) -> Result<(CardRecord, Policy), Refusal> {
        let subject = covered(conn, operator, serial, privilege).await?;
        let card = subject.card.ok_or_else(|| Refusal::not_found("card"))?;
        Ok((card, subject.policy.map(|p| p.settings).unwrap_or_default()))
    }

    /// A new derived key for the card, proved by the one that it has, or may have.
    fn order(&self, card: &CardRecord, pin: NewPin, pin_tries: Option<u8>) -> Result<Order, Refusal> {
        let mut keys = vec![self.key(card, card.key, card.key_version)?];
        let new_key = self.key(card, KeySource::Derived, next_version(card))?;
        if card.key_pending > 0 {
            keys.push(new_key.clone());
        }
        let present_pin = Zeroizing::new(card.about.default_user_pin.clone());
        Ok(Order { keys, new_key: Some(new_key), pin, pin_tries, present_pin, ..Order::looking(&card.serial) })
    }

    pub(crate) fn key(&self, card: &CardRecord, source: KeySource, version: i64) -> Result<AdminKey, Refusal> {
        let serial = hex::decode(&card.serial).unwrap_or_default();
        let identity = CardIdentity { card_type: &card.card_type, serial: &serial, key_version: version as u32 };
        let key = CardKey { source, card: identity, ..card.vault_key(&serial)? };
        self.server.vault.key(key).ok_or_else(|| Refusal::new(Code::NoAdminKey, sentence!("refused-no-key-to-write")))
    }

    /// The end of *Issue*: the card as it is now, and the event.
    async fn issued(&self, mut tx: Tx, operator: &Operator, before: &CardRecord) -> Result<Operated, Refusal> {
        cards::note_issued(&mut tx, &before.serial, self.server.now()).await?;
        let card = cards::by_serial(&mut tx, &before.serial).await?.ok_or_else(|| Refusal::not_found("card"))?;
        self.server.cards().record_state(&mut tx, &operator.name, before.state, &card, Operation::Issue, "").await?;
        tx.commit().await?;
        Ok(Operated::of(&card))
    }
}

/// What is known of a card, if a role covers the policy that holds.
pub(crate) async fn covered(
    conn: &mut Snapshot,
    operator: &Operator,
    serial: &str,
    privilege: Privilege,
) -> Result<Subject, Refusal> {
    let subject = subjects::of_card(conn, serial).await?;
    operator.require(privilege, subject.policy_id())?;
    Ok(subject)
}

/// The version that a new key has: the one that is on its way already, or the next.
const fn next_version(card: &CardRecord) -> i64 {
    if card.key_pending > 0 { card.key_pending } else { card.key_version + 1 }
}

fn only_issued(card: &CardRecord) -> Result<(), Refusal> {
    if card.state == CardState::Issued {
        return Ok(());
    }
    Err(Refusal::new(Code::CardState, sentence!("refused-only-issued", state = Sentence::named(card.state.word()))))
}

pub(crate) fn ended() -> Refusal {
    Refusal::new(Code::CardRefused, sentence!("refused-cut-off"))
}
