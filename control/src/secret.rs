//! What somebody hands over and nobody is to find again.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// A PIN, a key or a password in a request: its memory is overwritten as soon as it is not needed any more. Has no `Debug`.
#[derive(Clone, Default)]
pub struct Secret(pub Zeroizing<String>);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use crate::view::NewCard;

    #[test]
    fn what_is_handed_over_is_text_like_any_other() {
        let sent = r#"{"card":"gids","key_file":"TUlJ","key_password":"sesame"}"#;
        let read: NewCard = serde_json::from_str(sent).unwrap();
        let given = [&read.key_file, &read.key_password].map(|secret| secret.as_ref().map(|secret| secret.0.as_str()));
        assert_eq!(given, [Some("TUlJ"), Some("sesame")]);
        assert_eq!(serde_json::to_string(&read).unwrap(), sent);
        assert!(serde_json::from_str::<NewCard>(r#"{"card":"gids","key_password":5}"#).is_err());
    }
}
