//! What a person knows of a card: PIN, PUK, administrator key.

use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_whole as whole;
use serde::Deserialize;
use std::path::Path;
use thiserror::Error;
use zeroize::Zeroizing;

/// Why a credentials file cannot be used.
#[derive(Debug, Error)]
pub enum CredentialsError {
    /// It cannot be read.
    #[error("credentials {file}: {error}")]
    File {
        /// The file.
        file: String,
        /// Why.
        error: std::io::Error,
    },
    /// It is not as it should be; never shows what is in it.
    #[error("credentials {file}, line {line}: {reason}")]
    Form {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Nothing that anybody knows is in it.
    #[error("credentials {file}: there is nothing in it; a line is as in pin = \"123456\"")]
    Nothing {
        /// The file.
        file: String,
    },
    /// A value that cannot be.
    #[error("credentials: {0}")]
    Value(String),
}

/// Secrets of one card. Has no `Debug`.
#[derive(Clone, Default)]
pub struct Credentials {
    /// The PIN as it is typed.
    pub pin: Option<Zeroizing<String>>,
    /// The PUK as it is typed.
    pub puk: Option<Zeroizing<String>>,
    /// The administrator key.
    pub admin: Option<AdminKey>,
    /// Tries that the PIN has, where the card does not tell.
    pub pin_tries: Option<u8>,
    /// Tries that the PUK has, where the card does not tell.
    pub puk_tries: Option<u8>,
    /// Tries that the administrator key has, where the card does not tell.
    pub admin_tries: Option<u8>,
    /// The serial of the card that they belong to, upper-case hexadecimal.
    pub serial: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    pin: Option<String>,
    puk: Option<String>,
    admin_key: Option<String>,
    admin_algorithm: Option<String>,
    pin_tries: Option<u8>,
    puk_tries: Option<u8>,
    admin_tries: Option<u8>,
    serial: Option<String>,
}

impl Credentials {
    /// A TOML file with `pin`, `puk`, `admin-key` (hexadecimal) and `admin-algorithm` (`3des`, `aes128`,
    /// `aes192`, `aes256`; 3des when it is left out). Where the card does not tell how many tries are left, `pin-tries`,
    /// `puk-tries` and `admin-tries` say it for the person who knows; `serial` names the card that all this is of.
    ///
    /// # Errors
    /// [`CredentialsError`] names the line, never the value.
    pub fn read(file: &Path) -> Result<Self, CredentialsError> {
        let name = file.display().to_string();
        let text = whole::read_text(file, whole::TEXT).map_err(|error| CredentialsError::File { file: name.clone(), error })?;
        Self::parse(&Zeroizing::new(text), &name)
    }

    /// The text of such a file.
    ///
    /// # Errors
    /// As [`Credentials::read`].
    pub fn parse(text: &str, name: &str) -> Result<Self, CredentialsError> {
        let written: Written = toml::from_str(text).map_err(|error| {
            let line = whole::line_of(text, error.span().map_or(0, |span| span.start));
            // The library's message may quote a value; this one names keys only.
            let reason = match error.message() {
                unknown if unknown.starts_with("unknown field") => whole::excerpt(unknown),
                _ => "not as expected; a line is as in pin = \"123456\", each name once, a value in quotes".into(),
            };
            CredentialsError::Form { file: name.into(), line, reason }
        })?;
        if matches!(
            written,
            Written {
                pin: None,
                puk: None,
                admin_key: None,
                pin_tries: None,
                puk_tries: None,
                admin_tries: None,
                serial: None,
                ..
            }
        ) {
            return Err(CredentialsError::Nothing { file: name.into() });
        }
        let empty = [("pin", &written.pin), ("puk", &written.puk)];
        if let Some((which, _)) = empty.into_iter().find(|(_, given)| given.as_ref().is_some_and(String::is_empty)) {
            return Err(CredentialsError::Value(format!("{which} is empty; type it, or leave the line out")));
        }
        let [pin, puk, key] = [written.pin, written.puk, written.admin_key].map(|text| text.map(Zeroizing::new));
        let admin = match &key {
            None => None,
            Some(key) => {
                let bytes =
                    hex::decode(key.trim()).map_err(|_| CredentialsError::Value("admin-key is not hexadecimal".into()))?;
                let wanted = written.admin_algorithm.as_deref().unwrap_or("3des");
                let cipher = Cipher::ALL.into_iter().find(|c| c.name() == wanted);
                let cipher = cipher.ok_or_else(|| CredentialsError::Value(format!("no algorithm '{wanted}'")))?;
                let key = AdminKey::new(cipher, &Zeroizing::new(bytes)).map_err(|e| CredentialsError::Value(e.to_string()))?;
                Some(key)
            }
        };
        let Written { pin_tries, puk_tries, admin_tries, .. } = written;
        let serial = written.serial.map(|serial| serial.replace(' ', "").to_uppercase());
        Ok(Self { pin, puk, admin, pin_tries, puk_tries, admin_tries, serial })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fails(text: &str) -> String {
        Credentials::parse(text, "f").err().unwrap().to_string()
    }

    #[test]
    fn errors_name_the_line_and_no_secret() {
        let all = Credentials::parse(
            "pin = \"123456\"\npuk = \"12345678\"\nadmin-key = \"00000000000000000000000000000000\"\nadmin-algorithm = \"aes128\"",
            "f",
        );
        assert!(all.is_ok_and(|c| c.pin.is_some() && c.admin.is_some()));
        assert!(fails("pin = \"1\"\nPIN = \"4711\"").starts_with("credentials f, line 2: unknown field"));
        let wrong = fails("pin = 4711");
        assert!(wrong.contains("line 1") && !wrong.contains("4711"), "{wrong}");
        let long = fails(&format!("{} = \"4711\"", "x".repeat(1_000_000)));
        assert!(long.len() < 300 && long.ends_with("..."), "{}", long.len());
        let of = |path: &str| Credentials::read(Path::new(path)).err().unwrap().to_string();
        assert_eq!(of("/nowhere"), "credentials /nowhere: there is no such file or directory; look at the name");
        assert_eq!(of("/"), "credentials /: it is a directory; name a file");
        for nothing in ["", "\n# pin = \"123456\"\n", "admin-algorithm = \"aes128\""] {
            assert_eq!(fails(nothing), "credentials f: there is nothing in it; a line is as in pin = \"123456\"");
        }
        assert_eq!(fails("pin = \"\""), "credentials: pin is empty; type it, or leave the line out");
        assert_eq!(fails("pin = \"1\"\npuk = \"\""), "credentials: puk is empty; type it, or leave the line out");
        assert!(fails("admin-key = \"4711xx\"").contains("not hexadecimal"));
        assert!(fails("admin-key = \"4711\"").contains("24 bytes"));
        assert!(fails("admin-key = \"47\"\nadmin-algorithm = \"rot13\"").contains("no algorithm 'rot13'"));
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in ".{0,200}") {
            let _ = Credentials::parse(&text, "f");
        }
    }
}
