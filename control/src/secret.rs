//! What somebody hands over and nobody is to find again.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// A PIN, a key or a password in a request: its memory is overwritten as soon as it is not needed any more. Has no `Debug`.
#[derive(Clone, Default)]
pub struct Secret(pub Zeroizing<String>);

impl<'de> Deserialize<'de> for Secret {
    /// Takes a text. What is none is not quoted: a PIN that was sent as a number is one.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer).map_err(|_| D::Error::custom("a secret is a text, in quotation marks"))?;
        Ok(Self(Zeroizing::new(text)))
    }
}

/// A list of them. What is no list is not quoted either: it may be the one secret that was meant.
///
/// # Errors
/// For what is no list, and for an entry that is no text.
pub(crate) fn several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Secret>, D::Error> {
    Vec::deserialize(deserializer).map_err(|_| D::Error::custom("secrets are a list of texts: [\"..\"]"))
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
