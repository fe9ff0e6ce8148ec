//! Why a request is refused.

use crate::model::station::StationError;
use crate::words::{Sentence, sentence};
use std::fmt;

/// The names that programs see. `cms` error codes: upper case, stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Not a request of this interface, or a value that cannot be.
    Malformed,
    /// More than a request may have.
    TooLong,
    /// It did not come to its end in time.
    TooSlow,
    /// Not a method of this address.
    WrongMethod,
    /// The server is not known by the name that it was asked for.
    WrongHost,
    /// A page of another site made a browser ask.
    OtherSite,
    /// No login, or one that has ended.
    NotLoggedIn,
    /// The operator's role lacks the privilege.
    NoPrivilege,
    /// The policy of the card's user switches it off.
    DisabledByPolicy,
    /// The user is locked after wrong answers.
    UserLocked,
    /// The user is not active in the catalog.
    UserDisabled,
    /// The card's state does not allow it.
    CardState,
    /// The server has no administrator key of this card.
    NoAdminKey,
    /// The user has set no answers.
    AnswersNotSet,
    /// Operators do not unlock cards of their own.
    SelfServiceOnly,
    /// Questions come before the challenge.
    AnswersFirst,
    /// The letters that were shown were not typed.
    Captcha,
    /// There is no such thing.
    NotFound,
    /// It is in use, or there is one already.
    Conflict,
    /// The server's machine has no readers, or the card is in none.
    NoReaders,
    /// A connected card did not do what it was asked.
    CardRefused,
    /// Flow or login has ended.
    SessionOver,
    /// Too many in too short a time.
    RateLimited,
    /// Too much work is waiting.
    Busy,
    /// The database does not answer.
    StoreDown,
}

impl Code {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "MALFORMED",
            Self::TooLong => "TOO_LONG",
            Self::TooSlow => "TOO_SLOW",
            Self::WrongMethod => "WRONG_METHOD",
            Self::WrongHost => "WRONG_HOST",
            Self::OtherSite => "OTHER_SITE",
            Self::NotLoggedIn => "NOT_LOGGED_IN",
            Self::NoPrivilege => "NO_PRIVILEGE",
            Self::DisabledByPolicy => "DISABLED_BY_POLICY",
            Self::UserLocked => "USER_LOCKED",
            Self::UserDisabled => "USER_DISABLED",
            Self::CardState => "CARD_STATE",
            Self::NoAdminKey => "NO_ADMIN_KEY",
            Self::AnswersNotSet => "ANSWERS_NOT_SET",
            Self::SelfServiceOnly => "SELF_SERVICE_ONLY",
            Self::AnswersFirst => "ANSWERS_FIRST",
            Self::Captcha => "CAPTCHA",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::NoReaders => "NO_READERS",
            Self::CardRefused => "CARD_REFUSED",
            Self::SessionOver => "SESSION_OVER",
            Self::RateLimited => "RATE_LIMITED",
            Self::Busy => "BUSY",
            Self::StoreDown => "STORE_DOWN",
        }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::NotLoggedIn => 401,
            Self::WrongHost => 421,
            Self::OtherSite
            | Self::NoPrivilege
            | Self::DisabledByPolicy
            | Self::UserLocked
            | Self::UserDisabled
            | Self::SelfServiceOnly
            | Self::Captcha => 403,
            Self::NotFound => 404,
            Self::TooSlow => 408,
            Self::WrongMethod => 405,
            Self::TooLong => 413,
            Self::CardState
            | Self::NoAdminKey
            | Self::AnswersNotSet
            | Self::AnswersFirst
            | Self::Conflict
            | Self::NoReaders
            | Self::CardRefused => 409,
            Self::SessionOver => 410,
            Self::RateLimited => 429,
            Self::Busy | Self::StoreDown => 503,
        }
    }
}

/// A request that was refused: a name for programs, a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub code: Code,
    /// What was wrong and what to do.
    sentence: Sentence,
    about: About,
    field: Option<&'static str>,
}

/// What a refusal is about, where its code does not say it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum About {
    Nothing,
    /// This was counted; too often, where there are seconds to wait until it may be done again.
    Bucket(String, Option<u64>),
    /// The database has no room to write.
    FullDisk,
}

/// Seconds after which what waits for a database or for work to be done is tried again.
const SOON: u64 = 5;

impl Refusal {
    /// A refusal with its sentence.
    #[must_use]
    pub const fn new(code: Code, sentence: Sentence) -> Self {
        Self { code, sentence, about: About::Nothing, field: None }
    }

    /// The sentence for programs and logs, in English: what was wrong and what to do.
    #[must_use]
    pub fn message(&self) -> String {
        self.sentence.to_string()
    }

    /// The sentence for the person whose page is made here, in the page's language.
    pub(crate) fn said(&self) -> String {
        self.sentence.said()
    }

    /// The same refusal, of what stands in this field of a form.
    #[must_use]
    pub(crate) fn at(self, field: &'static str) -> Self {
        Self { field: Some(field), ..self }
    }

    /// The field of a form whose value is wrong, where it is one.
    pub(crate) const fn field(&self) -> Option<&'static str> {
        self.field
    }

    /// There is no such thing: the sentence `no-such-` and what.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, Sentence::named(format!("no-such-{what}")))
    }

    /// A connected card did not do what it was asked. What it or its reader said comes from outside, in English.
    pub(crate) fn by_card(error: StationError) -> Self {
        Self::new(Code::CardRefused, sentence!("refused-by-card", said = error.message))
    }

    /// Too often: what was counted, as the store names it, the seconds to wait, and the sentence.
    pub(crate) fn too_often(bucket: &str, seconds: u64, sentence: Sentence) -> Self {
        Self { about: About::Bucket(bucket.to_owned(), Some(seconds)), ..Self::new(Code::RateLimited, sentence) }
    }

    /// The same refusal, of which only one a minute is written down: what is counted.
    pub(crate) fn counted(refusal: &Self, bucket: &str) -> Self {
        Self { about: About::Bucket(bucket.to_owned(), None), ..refusal.clone() }
    }

    /// What was counted too often, of one that [`Refusal::too_often`] made.
    pub(crate) fn bucket(&self) -> Option<&str> {
        if let About::Bucket(bucket, _) = &self.about { Some(bucket) } else { None }
    }

    /// After how many seconds it is worth asking again, of what is refused for a while alone.
    pub(crate) fn again_in(&self) -> Option<u64> {
        match (self.code, &self.about) {
            (Code::RateLimited, About::Bucket(_, seconds)) => *seconds,
            // Nobody knows when it ends.
            (Code::Busy | Code::StoreDown, _) => Some(SOON),
            _ => None,
        }
    }

    /// Of a database at this place. Who reads that its disk is full, an administrator at a page or the person who asks for help,
    /// must know where to make room.
    pub(crate) fn in_database(self, place: &str) -> Self {
        match self.about {
            About::FullDisk => Self { sentence: sentence!("refused-disk-full", place = place), ..self },
            _ => self,
        }
    }

    /// Whether it is refused as the database's disk is full.
    pub(crate) fn is_about_a_full_disk(&self) -> bool {
        self.about == About::FullDisk
    }

    /// The sentence as the log of a server may have it: what was malformed may be quoted, and be a secret.
    pub(crate) fn cause(&self) -> Option<String> {
        (self.code != Code::Malformed).then(|| self.message())
    }

    /// A value that cannot be.
    #[must_use]
    pub const fn malformed(sentence: Sentence) -> Self {
        Self::new(Code::Malformed, sentence)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sentence.fmt(f)
    }
}

impl std::error::Error for Refusal {}

/// The result code of SQLite, also where it says one that is more precise (the low byte is the same). SQLSTATE has five characters.
fn of_sqlite(code: &str) -> Option<u32> {
    if code.len() < 5 { code.parse::<u32>().ok().map(|code| code & 0xFF) } else { None }
}

/// SQLITE_READONLY, and SQLSTATE 25006.
fn is_read_only(code: &str) -> bool {
    code == "25006" || of_sqlite(code) == Some(8)
}

/// Whether a file is no database of SQLite's, or not whole: SQLITE_NOTADB and SQLITE_CORRUPT.
pub(crate) fn is_about_no_database(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|e| e.code()).is_some_and(|code| matches!(of_sqlite(&code), Some(26 | 11)))
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        let refusal = Self::of_database(&error);
        if refusal.code != Code::Malformed {
            // What the database says may hold data of people; it goes to the administrator, not to the client.
            tracing::error!(target: "cardlab::database", %error, "database");
        }
        refusal
    }
}

impl Refusal {
    /// Why the database did not do what it was asked, for the client. The log has nothing of it yet.
    pub(crate) fn of_database(error: &sqlx::Error) -> Self {
        // SQLSTATE 22021 and 22P05: a character that PostgreSQL has no place for.
        if error.as_database_error().and_then(|e| e.code()).is_some_and(|code| matches!(&*code, "22021" | "22P05")) {
            return Self::malformed(sentence!("refused-database-text"));
        }
        let code = error.as_database_error().and_then(|e| e.code()).unwrap_or_default();
        if is_read_only(&code) {
            let message = sentence!("refused-database-read-only");
            return Self::new(Code::StoreDown, message);
        }
        // SQLITE_FULL, and SQLSTATE 53100.
        if matches!(&*code, "13" | "53100") {
            let message = sentence!("refused-database-full");
            return Self { about: About::FullDisk, ..Self::new(Code::StoreDown, message) };
        }
        Self::new(Code::StoreDown, sentence!("refused-database-unreachable"))
    }
}
