//! Policies: what is possible for whom. The names of the settings are those of the consoles that
//! administrators know.

use crate::model::random_pin::RandomPin;
use crate::model::refusal::Refusal;
use crate::model::revision;
use crate::words::{Part, Sentence, sentence};
use serde::{Deserialize, Serialize, de};
use serde_json::Value;
use utoipa::ToSchema;

/// Settings of one policy. Judged at the moment of use, never copied into a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// *Authentication*.
    pub authentication: Authentication,
    /// *Workflow*.
    pub workflow: Workflow,
    /// *Issuance*.
    pub issuance: Issuance,
}

/// *Authentication*.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Authentication {
    /// *Number of questions to ask*, 1 to 6.
    #[serde(deserialize_with = "sent::questions_to_ask")]
    pub questions_to_ask: u8,
    /// *Maximum authentication retry count*, 1 to 10: the user is locked when wrong answers reach it.
    #[serde(deserialize_with = "sent::maximum_retry")]
    pub maximum_retry_count: u8,
    /// Wrong answers that an operator types count too. Whether products do so is not documented.
    pub count_operator_answers: bool,
    /// *CAPTCHA*: Remote Self-Service takes a name only with the letters that it shows. That of the policy that stands for those
    /// to whom none applies holds for every name.
    pub captcha: bool,
    /// *Number of own questions*, 0 to 5: so many a user may write, which operators ask besides the policy's.
    #[serde(deserialize_with = "sent::own_questions")]
    pub own_questions: u8,
    /// *Minimum length of an own question*, 1 to 100.
    #[serde(deserialize_with = "sent::own_question_length")]
    pub own_question_length: u8,
    /// *Minimum answer length of an own question*, 1 to 50.
    #[serde(deserialize_with = "sent::own_answer_length")]
    pub own_answer_length: u8,
}

/// *Workflow*.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Workflow {
    /// *Administrator permissions*, *Unblock card offline*. Off: no responses to operators and users.
    pub unblock_card_offline: bool,
    /// *Administrator permissions*, *Validate answers to security questions* before an operator's
    /// response.
    pub validate_answers: bool,
    /// *Administrator permissions*, *Reset user PIN*.
    pub reset_user_pin: bool,
    /// Operators unlock cards of their own.
    pub allow_self_unlock: bool,
    /// *User permissions*, *Set answers to security questions* in Self-Service.
    pub set_answers: bool,
    /// *User permissions*, *Unlock card* in Remote Self-Service. Needs *Unblock card offline*.
    pub unlock_in_remote: bool,
    /// *User permissions*, *Disable card* in Self-Service and Remote Self-Service.
    pub disable_card: bool,
    /// *User permissions*, *Enable card* in Self-Service and Remote Self-Service.
    pub enable_card: bool,
    /// *User permissions*, *Revoke card* in Self-Service and Remote Self-Service.
    pub revoke_card: bool,
    /// *User permissions*, *Change PIN* of a card in a reader of the server, in Self-Service.
    pub change_pin: bool,
}

/// *Issuance*.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Issuance {
    /// *Card issue*, *Maximum number of cards per user*.
    #[serde(deserialize_with = "sent::maximum_cards")]
    pub maximum_cards: u8,
    /// *Card issue*, *Require tags*: a card without any tag is not issued.
    pub require_tags: bool,
    /// *Card issue*, *Initialize card*: issuing gives the connected card a key of its own and a PIN.
    pub initialize_card: bool,
    /// *Card issue*, *Lock card*: the card is issued blocked; its user unlocks it and so sets the first
    /// PIN. Needs *Initialize card*, excludes *Set random user PIN*.
    pub lock_card: bool,
    /// *Card issue*, *Set random user PIN*, with these rules; else the card type's default PIN is set.
    pub random_user_pin: Option<RandomPin>,
    /// *Card initialization*, *Maximum PIN attempts*: cards with another limit are not issued.
    #[serde(deserialize_with = "sent::pin_tries")]
    pub pin_tries: Option<u8>,
}

impl Default for Authentication {
    fn default() -> Self {
        Self {
            questions_to_ask: 1,
            maximum_retry_count: 3,
            count_operator_answers: false,
            captcha: false,
            own_questions: 0,
            own_question_length: 10,
            own_answer_length: 3,
        }
    }
}

impl Default for Workflow {
    fn default() -> Self {
        Self {
            unblock_card_offline: true,
            validate_answers: true,
            reset_user_pin: true,
            allow_self_unlock: false,
            set_answers: true,
            unlock_in_remote: true,
            disable_card: true,
            enable_card: true,
            revoke_card: true,
            change_pin: true,
        }
    }
}

impl Default for Issuance {
    fn default() -> Self {
        Self {
            maximum_cards: 1,
            require_tags: false,
            initialize_card: false,
            lock_card: false,
            random_user_pin: None,
            pin_tries: None,
        }
    }
}

/// A setting that is a number: its field, its name, and what it can be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number {
    /// As forms and programs call it.
    pub(crate) field: &'static str,
    /// Name of the sentence that people call it by.
    pub(crate) title: &'static str,
    /// The least that it can be.
    pub(crate) least: u8,
    /// The most.
    pub(crate) most: u8,
}

impl Number {
    /// *Number of questions to ask*.
    pub(crate) const QUESTIONS_TO_ASK: Self = Self::new("questions_to_ask", "policy-questions-to-ask", 1, 6);
    /// *Maximum authentication retry count*.
    pub(crate) const MAXIMUM_RETRY: Self = Self::new("maximum_retry_count", "policy-maximum-retry", 1, 10);
    /// *Number of own questions*.
    pub(crate) const OWN_QUESTIONS: Self = Self::new("own_questions", "policy-own-questions", 0, 5);
    /// *Minimum length of an own question*.
    pub(crate) const OWN_QUESTION_LENGTH: Self = Self::new("own_question_length", "policy-own-question-length", 1, 100);
    /// *Minimum answer length of an own question*.
    pub(crate) const OWN_ANSWER_LENGTH: Self = Self::new("own_answer_length", "policy-own-answer-length", 1, 50);
    /// *Maximum number of cards per user*.
    pub(crate) const MAXIMUM_CARDS: Self = Self::new("maximum_cards", "policy-maximum-cards", 1, 100);
    /// *Maximum PIN attempts*.
    pub(crate) const PIN_TRIES: Self = Self::new("pin_tries", "policy-pin-tries", 1, 15);
    /// *Length of the random PIN*.
    pub(crate) const RANDOM_LENGTH: Self = Self::new("random_pin_length", "policy-random-length", 4, 31);

    const fn new(field: &'static str, title: &'static str, least: u8, most: u8) -> Self {
        Self { field, title, least, most }
    }

    /// Its field and its title.
    pub(crate) const fn titled(self) -> (&'static str, &'static str) {
        (self.field, self.title)
    }

    /// What somebody has typed.
    ///
    /// # Errors
    /// A sentence that names the setting: no whole number, or one that it cannot be.
    pub(crate) fn read(self, typed: &str) -> Result<u8, Refusal> {
        let (typed, title) = (typed.trim(), self.title);
        if let Ok(number) = typed.parse() {
            return self.checked(number);
        }
        let digits = typed.strip_prefix(['-', '+']).unwrap_or(typed);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            let message = sentence!("refused-no-number", text = typed, setting = Sentence::named(title));
            return Err(Refusal::malformed(message).at(self.field));
        }
        Err(self.is_not(typed))
    }

    /// The number, if it can be this one.
    fn checked(self, number: u8) -> Result<u8, Refusal> {
        if (self.least..=self.most).contains(&number) { Ok(number) } else { Err(self.is_not(number)) }
    }

    /// What a program has sent or a database has. What no setting can be is refused with what this one can be; whether this one can
    /// be it is for [`Policy::check`].
    fn sent<E: de::Error>(self, value: &Value) -> Result<u8, E> {
        let number = value.as_u64().and_then(|number| u8::try_from(number).ok());
        number.ok_or_else(|| match self.read(&value.to_string()) {
            Err(refusal) => E::custom(refusal.message()),
            Ok(number) => E::custom(self.is_not(number).message()),
        })
    }

    fn is_not(self, value: impl Into<Part>) -> Refusal {
        let (title, value) = (self.title, value.into());
        let setting = Sentence::named(title);
        let message = sentence!("refused-setting", setting = setting, value = value, from = self.least, to = self.most);
        Refusal::malformed(message).at(self.field)
    }
}

/// Numbers of settings as they are sent and stored, each by its name.
pub(super) mod sent {
    use super::Number;
    use serde::{Deserialize, Deserializer};
    use serde_json::Value;

    macro_rules! numbers {
        ($($name:ident: $setting:ident,)*) => {$(
            pub(in crate::model) fn $name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
                Number::$setting.sent(&Value::deserialize(deserializer)?)
            }
        )*};
    }
    numbers! {
        questions_to_ask: QUESTIONS_TO_ASK,
        maximum_retry: MAXIMUM_RETRY,
        own_questions: OWN_QUESTIONS,
        own_question_length: OWN_QUESTION_LENGTH,
        own_answer_length: OWN_ANSWER_LENGTH,
        maximum_cards: MAXIMUM_CARDS,
        random_length: RANDOM_LENGTH,
    }

    pub(in crate::model) fn pin_tries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value.is_null() { Ok(None) } else { Number::PIN_TRIES.sent(&value).map(Some) }
    }
}

impl Policy {
    /// Checks the settings.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn check(&self) -> Result<(), Refusal> {
        Number::QUESTIONS_TO_ASK.checked(self.authentication.questions_to_ask)?;
        Number::MAXIMUM_RETRY.checked(self.authentication.maximum_retry_count)?;
        Number::OWN_QUESTIONS.checked(self.authentication.own_questions)?;
        Number::OWN_QUESTION_LENGTH.checked(self.authentication.own_question_length)?;
        Number::OWN_ANSWER_LENGTH.checked(self.authentication.own_answer_length)?;
        let issuance = &self.issuance;
        Number::MAXIMUM_CARDS.checked(issuance.maximum_cards)?;
        if let Some(tries) = issuance.pin_tries {
            Number::PIN_TRIES.checked(tries)?;
        }
        if let Some(random) = &issuance.random_user_pin {
            Number::RANDOM_LENGTH.checked(random.length)?;
            random.check()?;
        }
        if issuance.lock_card && issuance.random_user_pin.is_some() {
            return Err(Refusal::malformed(sentence!("refused-lock-and-random")).at("random_user_pin"));
        }
        if !issuance.initialize_card && (issuance.lock_card || issuance.random_user_pin.is_some()) {
            return Err(Refusal::malformed(sentence!("refused-needs-initialize")).at("initialize_card"));
        }
        Ok(())
    }
}

/// A policy with its name.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NamedPolicy {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Settings.
    pub settings: Policy,
    /// Names all this: a change that says of which it is does not undo another's.
    pub revision: String,
}

impl NamedPolicy {
    /// The name of the policy that stands for those to whom none applies. It keeps it.
    pub(crate) const DEFAULT: &str = "Default";

    /// Whether it is that one.
    pub(crate) fn is_default(&self) -> bool {
        self.name == Self::DEFAULT
    }

    /// As it is stored.
    pub(crate) fn new(id: String, name: String, settings: Policy) -> Self {
        let revision = revision::of(&(&name, &settings));
        Self { id, name, settings, revision }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_bounds() {
        let mut policy = Policy::default();
        assert_eq!(policy.check(), Ok(()));
        policy.authentication.maximum_retry_count = 0;
        assert!(policy.check().unwrap_err().message().contains("1 to 10"));
        let issuing = |set: fn(&mut Issuance)| {
            let mut policy = Policy::default();
            set(&mut policy.issuance);
            policy.check().map_err(|e| e.message())
        };
        assert!(issuing(|i| i.lock_card = true).unwrap_err().contains("need Initialize card"));
        assert_eq!(issuing(|i| (i.initialize_card, i.lock_card) = (true, true)), Ok(()));
        let all = |i: &mut Issuance| {
            (i.initialize_card, i.lock_card, i.random_user_pin) = (true, true, Some(RandomPin::default()));
        };
        assert!(issuing(all).unwrap_err().contains("excludes"));
        assert!(issuing(|i| i.pin_tries = Some(16)).unwrap_err().contains("Maximum PIN attempts is 16; it can be 1 to 15"));
    }

    /// What is no byte is told as what is out of bounds, not as Rust calls it.
    #[test]
    fn a_number_that_is_sent_is_told_what_it_can_be() {
        let read = |text: &str| serde_json::from_str::<Policy>(text).map_err(|error| error.to_string());
        for (section, setting, says) in [
            ("authentication", Number::QUESTIONS_TO_ASK, "it can be 1 to 6"),
            ("authentication", Number::MAXIMUM_RETRY, "it can be 1 to 10"),
            ("authentication", Number::OWN_QUESTIONS, "it can be 0 to 5"),
            ("authentication", Number::OWN_QUESTION_LENGTH, "it can be 1 to 100"),
            ("authentication", Number::OWN_ANSWER_LENGTH, "it can be 1 to 50"),
            ("issuance", Number::MAXIMUM_CARDS, "it can be 1 to 100"),
            ("issuance", Number::PIN_TRIES, "it can be 1 to 15"),
        ] {
            let with = |value: &str| read(&format!("{{\"{section}\": {{\"{}\": {value}}}}}", setting.field));
            for value in ["256", "-1", "99999999999999999999"] {
                let why = with(value).unwrap_err();
                assert!(why.contains(&format!("is {value}; {says}")) || value.len() > 9 && why.contains("is no number"), "{why}");
            }
            for value in ["1.5", "\"2\"", "true", "[1]"] {
                assert!(with(value).unwrap_err().contains("is no number for"), "{value}");
            }
            assert!(with("255").unwrap().check().unwrap_err().message().contains(says));
            assert_eq!(with(&setting.least.to_string()).map(|policy| policy.check()), Ok(Ok(())), "{}", setting.field);
        }
        let random = |value: &str| read(&format!("{{\"issuance\": {{\"random_user_pin\": {{\"length\": {value}}}}}}}"));
        assert!(random("256").unwrap_err().contains("is 256; it can be 4 to 31"));
        assert_eq!(random("8").unwrap().issuance.random_user_pin.unwrap().length, 8);
        assert_eq!(read("{\"issuance\": {\"pin_tries\": null}}"), Ok(Policy::default()));
    }

    #[test]
    fn a_number_is_told_from_what_is_none() {
        let read = |typed| Number::PIN_TRIES.read(typed).map_err(|refusal| (refusal.message(), refusal.field()));
        for (typed, number) in [("1", 1), (" 5 ", 5), ("15", 15), ("+7", 7)] {
            assert_eq!(read(typed), Ok(number), "{typed}");
        }
        for typed in ["0", "16", "300", "999", "-1", "99999999999999999999"] {
            let says = format!("Maximum PIN attempts is {typed}; it can be 1 to 15");
            assert_eq!(read(typed), Err((says, Some("pin_tries"))));
        }
        for typed in ["", "five", "1.5", "-", "5a"] {
            let says = format!("'{typed}' is no number for Maximum PIN attempts");
            assert_eq!(read(typed), Err((says, Some("pin_tries"))));
        }
    }
}
