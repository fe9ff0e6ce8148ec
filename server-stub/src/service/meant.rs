//! What people call users, cards and operators where a list is narrowed to one of them: on pages and in the API alike.

use crate::model::card::CardFilter;
use crate::model::clock;
use crate::model::event::{Filter, Kind};
use crate::model::refusal::Refusal;
use crate::model::role::{Privilege, Scope};
use crate::model::subject;
use crate::model::user::UserFilter;
use crate::service::Server;
use crate::service::login::Operator;
use crate::store::cards::{Holder, WithOwner};
use crate::store::meant::{self, Named};
use crate::words::{Sentence, sentence};

/// Cards that are named to who has to choose one.
const CANDIDATES: u16 = 5;

/// What texts mean.
#[derive(Clone, Copy)]
pub struct Meanings<'s> {
    pub(super) server: &'s Server,
}

/// Texts as people write them; `None` where nothing is asked for.
#[derive(Default)]
struct Texts<'t> {
    user: Option<&'t str>,
    card: Option<&'t str>,
    operator: Option<&'t str>,
}

/// What they mean.
struct Meant {
    /// An id.
    user: Option<String>,
    /// A serial.
    card: Option<String>,
    /// Who did something, as the log has it.
    operator: Option<String>,
}

impl Meanings<'_> {
    /// What the log is asked for, of what somebody asks it for.
    ///
    /// | field | as it may be written |
    /// |---|---|
    /// | `user` | an id, a logon name in either form, words of a search that finds one; who may not see users: an id |
    /// | `card` | a serial in any spelling, registered or not; what finds one card of the repository, for who may see cards |
    /// | `initiator` | an operator's name in any spelling, else as the log has it |
    /// | `name` | the name of an event in any spelling |
    /// | `after` | a place in the log, or 0 |
    /// | `from`, `to` | times that there are, in this order |
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::NoPrivilege`]; [`crate::model::refusal::Code::Malformed`] for what is none of that, or means
    /// several.
    pub async fn of_log(&self, operator: &Operator, asked: Filter) -> Result<Filter, Refusal> {
        let scope = operator.scope(Privilege::ViewLog)?;
        let texts = Texts { user: asked.user.as_deref(), card: asked.card.as_deref(), operator: asked.initiator.as_deref() };
        let meant = self.of(operator, &scope, texts).await?;
        if let Some(after) = asked.after.filter(|after| *after < 0) {
            return Err(Refusal::malformed(sentence!("refused-value", field = "after", text = after.to_string())).at("after"));
        }
        for time in [asked.from, asked.to].into_iter().flatten() {
            clock::moment(time)?;
        }
        if asked.from.zip(asked.to).is_some_and(|(from, to)| from > to) {
            return Err(Refusal::malformed(sentence!("refused-times")));
        }
        let name = asked.name.map(event_of).transpose()?;
        Ok(Filter { user: meant.user, card: meant.card, initiator: meant.operator, name, ..asked })
    }

    /// The id of the one user whom a text means where cards are listed, as [`Self::of_log`] reads it.
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::NoPrivilege`]; [`crate::model::refusal::Code::Malformed`] for nobody, or several.
    pub async fn user(&self, operator: &Operator, text: &str) -> Result<String, Refusal> {
        let scope = operator.scope(Privilege::ViewCards)?;
        let meant = self.of(operator, &scope, Texts { user: Some(text), ..Texts::default() }).await?;
        meant.user.ok_or_else(|| none_such("user"))
    }

    /// What a local role does not see is not there. Three statements at most, however many texts there are.
    async fn of(&self, operator: &Operator, scope: &Scope, texts: Texts<'_>) -> Result<Meant, Refusal> {
        let (sees_users, sees_cards) =
            (operator.may_somewhere(Privilege::ViewUser), operator.may_somewhere(Privilege::ViewCards));
        let serial = texts.card.and_then(|text| subject::serial(text).ok());
        let as_written = |text: Option<&str>| text.map(str::to_owned);
        let mut meant = Meant { user: as_written(texts.user), card: serial.clone(), operator: as_written(texts.operator) };
        // Who may not see what there is asks for what is written.
        let (user, card) = (texts.user.filter(|_| sees_users), texts.card.filter(|_| sees_cards));
        if texts.card.is_some() && card.is_none() && serial.is_none() {
            return Err(none_such("card"));
        }
        if user.is_none() && card.is_none() && texts.operator.is_none() {
            return Ok(meant);
        }
        let mut snapshot = self.server.store.read().await?;
        let known = card.and(serial.as_deref()).unwrap_or_default();
        let named = Named { user: user.unwrap_or_default(), card: known, operator: texts.operator.unwrap_or_default() };
        let of_user = user.map(|text| UserFilter { q: text.into(), limit: Some(2), ..UserFilter::default() });
        let of_card = card.map(|text| CardFilter { q: text.into(), limit: Some(CANDIDATES + 1), ..CardFilter::default() });
        let mut words = meant::Words::of(of_user.as_ref(), of_card.as_ref(), sees_users, scope)?;
        let found = meant::named(&mut snapshot, &named, &mut words, scope).await?;
        meant.operator = found.operator.or(meant.operator);
        let user = user.filter(|_| found.user.is_none());
        let card = card.filter(|_| !found.card);
        meant.user = found.user.or(meant.user);
        if let Some(text) = user {
            meant.user = match words.users(&mut snapshot).await?.items.as_slice() {
                [one] => Some(one.id.clone()),
                [] => return Err(none_such("user")),
                _ => return Err(Refusal::malformed(sentence!("refused-several", text = text))),
            };
        }
        if let Some(text) = card {
            meant.card = match (words.cards(&mut snapshot).await?.items.as_slice(), serial) {
                ([(one, _)], _) => Some(one.serial.clone()),
                // Of a whole serial the log may know, though nobody has registered it.
                ([], Some(serial)) => Some(serial),
                ([], None) => return Err(none_such("card")),
                (several, _) => return Err(which(text, several, sees_users)),
            };
        }
        Ok(meant)
    }
}

/// What was asked for is not there.
fn none_such(what: &str) -> Refusal {
    Refusal::malformed(Sentence::named(format!("no-such-{what}")))
}

/// Several cards are meant: their serials, and their owners where these may be seen.
fn which(text: &str, several: &[WithOwner], sees_users: bool) -> Refusal {
    let named = |(card, owner): &WithOwner| match owner.as_ref().filter(|_| sees_users) {
        Some(Holder { cn, .. }) => format!("{} ({cn})", card.serial),
        None => card.serial.clone(),
    };
    let mut cards: Vec<String> = several.iter().take(CANDIDATES.into()).map(named).collect();
    cards.extend((several.len() > usize::from(CANDIDATES)).then(|| "\u{2026}".to_owned()));
    Refusal::malformed(sentence!("refused-several-cards", text = text, cards = cards.join(", ")))
}

/// The name of an event that there is, in any spelling.
fn event_of(name: String) -> Result<String, Refusal> {
    let known = Kind::ALL.iter().map(|kind| kind.facts().1).find(|known| known.eq_ignore_ascii_case(name.trim()));
    known.map(str::to_owned).ok_or_else(|| Refusal::malformed(sentence!("refused-choice", text = name)))
}
