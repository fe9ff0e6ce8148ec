//! What somebody hands over and nobody is to find again.

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use zeroize::Zeroizing;

/// A PIN, a key or a password in a request: its memory is overwritten as soon as it is not needed any more. Has no `Debug`.
#[derive(Clone, Default)]
pub struct Secret(pub Zeroizing<String>);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text)
    }
}

/// Takes a text. What is none is not quoted: a PIN that was sent as a number is one.
struct Text;

/// The error for a value of another kind.
fn none<T, E: Error>() -> Result<T, E> {
    Err(E::custom("a secret is a text, in quotation marks"))
}

impl Visitor<'_> for Text {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret(Zeroizing::new(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Secret, E> {
        Ok(Secret(Zeroizing::new(text)))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Secret, E> {
        none()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Secret, E> {
        none()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Secret, E> {
        none()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Secret, E> {
        none()
    }
}

/// A list of them. What is no list is not quoted either: it may be the one secret that was meant.
///
/// # Errors
/// For what is no list, and for an entry that is no text.
pub(crate) fn several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Secret>, D::Error> {
    deserializer.deserialize_any(Texts)
}

/// Takes a list of texts.
struct Texts;

/// The error for what is no list.
fn no_list<T, E: Error>() -> Result<T, E> {
    Err(E::custom("secrets are a list of texts: [\"..\"]"))
}

impl<'de> Visitor<'de> for Texts {
    type Value = Vec<Secret>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of texts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Vec<Secret>, A::Error> {
        let mut secrets = Vec::new();
        while let Some(secret) = entries.next_element()? {
            secrets.push(secret);
        }
        Ok(secrets)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Vec<Secret>, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        no_list()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Vec<Secret>, E> {
        no_list()
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Vec<Secret>, E> {
        no_list()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Vec<Secret>, E> {
        no_list()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Vec<Secret>, E> {
        no_list()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Vec<Secret>, E> {
        no_list()
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use crate::view::{NewCard, TypedView};

    #[test]
    fn what_is_handed_over_is_text_like_any_other() {
        let sent = r#"{"card":"gids","key_file":"TUlJ","key_password":"sesame"}"#;
        let read: NewCard = serde_json::from_str(sent).unwrap();
        let given = [&read.key_file, &read.key_password].map(|secret| secret.as_ref().map(|secret| secret.0.as_str()));
        assert_eq!(given, [Some("TUlJ"), Some("sesame")]);
        assert_eq!(serde_json::to_string(&read).unwrap(), sent);
        assert!(serde_json::from_str::<NewCard>(r#"{"card":"gids","key_password":5}"#).is_err());
    }

    #[test]
    fn what_is_no_text_is_not_quoted() {
        for wrong in ["4711471", "-4711471", "4711.471", "true", "[4711471]", "{\"4711471\":1}", "123456789012345678901234"] {
            let error = serde_json::from_str::<NewCard>(&format!(r#"{{"card":"gids","key_password":{wrong}}}"#)).err().unwrap();
            let error = error.to_string();
            assert!(!error.contains("4711") && !error.contains("1234"), "{error}");
        }
        for wrong in
            ["\"471147\"", "471147", "-471147", "4711.47", "true", "null", "{\"471147\":1}", "[471147]", "[[\"471147\"]]"]
        {
            let error = serde_json::from_str::<TypedView>(&format!(r#"{{"entries":{wrong}}}"#)).err().unwrap().to_string();
            assert!(!error.contains("4711") && error.contains("text"), "{error}");
        }
        let typed: TypedView = serde_json::from_str(r#"{"entries":["471147","cancel"]}"#).unwrap();
        assert_eq!(typed.entries.iter().map(|entry| entry.0.as_str()).collect::<Vec<_>>(), ["471147", "cancel"]);
    }
}
