//! The password of a key file: where it comes from, and the forms that writers of PKCS#12 give it.

use super::super::words::Word;
use super::{Fault, KeyFileError, open};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Where a password comes from.
#[derive(Clone, Default)]
pub enum PasswordSource {
    /// Nobody said: there is none.
    #[default]
    None,
    /// Given in the text itself.
    Given(Zeroizing<String>),
    /// `env:VARIABLE`.
    Environment(String),
    /// `file:PATH`: the first line.
    File(PathBuf),
    /// `ask`: a person types it.
    Ask,
}

/// Who asked for a card: is asked for passwords, and hears what is odd.
pub trait Person {
    /// The password of this file.
    ///
    /// # Errors
    /// Why there is none, for people: there is no terminal, or they gave up.
    fn password(&mut self, file: &Path) -> Result<Zeroizing<String>, String>;

    /// Something that is as asked for but may not be meant, in one sentence.
    fn warn(&mut self, sentence: &str);
}

/// Nobody: has no password and hears nothing.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Person for Nobody {
    fn password(&mut self, _file: &Path) -> Result<Zeroizing<String>, String> {
        Err("nobody is there who could type the password".into())
    }

    fn warn(&mut self, _sentence: &str) {}
}

impl PasswordSource {
    /// The same, given in the text: what is read from a pipe or typed is there once.
    ///
    /// # Errors
    /// As [`PasswordSource::get`].
    pub(super) fn resolved(&self, path: &Path, person: &mut dyn Person) -> Result<Self, KeyFileError> {
        Ok(self.get(path, person)?.map_or(Self::None, |password| Self::Given(password.0)))
    }

    /// The password, for the key file at `path`.
    ///
    /// # Errors
    /// [`KeyFileError`] when the variable or the file is not there, or nobody types it.
    pub(super) fn get(&self, path: &Path, person: &mut dyn Person) -> Result<Option<Password>, KeyFileError> {
        let fault = |reason: String| KeyFileError::new(path, Fault::Password(reason));
        let text = match self {
            Self::None => return Ok(None),
            Self::Given(text) => text.clone(),
            Self::Environment(name) => match std::env::var(name) {
                Ok(text) => Zeroizing::new(text),
                Err(std::env::VarError::NotPresent) => return Err(fault(format!("there is no environment variable {name}"))),
                Err(std::env::VarError::NotUnicode(text)) => {
                    // Wiped like any other password.
                    drop(Zeroizing::new(OsString::into_encoded_bytes(text)));
                    return Err(fault(format!("the environment variable {name} is not UTF-8")));
                }
            },
            Self::File(file) => {
                first_line(&open::read(file)?).ok_or_else(|| fault(format!("{} is not UTF-8", file.display())))?
            }
            Self::Ask => person.password(path).map_err(fault)?,
        };
        Ok(Some(Password(text)))
    }
}

/// The first line of a file, without its end.
fn first_line(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    str::from_utf8(line).ok().map(|line| Zeroizing::new(line.to_owned()))
}

/// A password; the empty one by default. Has no `Debug`: it is a secret.
#[derive(Default)]
pub(super) struct Password(Zeroizing<String>);

impl From<&Word> for Password {
    fn from(word: &Word) -> Self {
        Self(word.text.clone())
    }
}

impl Password {
    /// This text.
    #[cfg(test)]
    pub(super) fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// As everything but PKCS#12's own derivation takes it.
    pub(super) fn utf8(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// As PKCS#12's own derivation takes it (RFC 7292 appendix B.1): UTF-16 with a zero at its end. Two kinds of writers
    /// do otherwise: an empty password may have no zero, and old OpenSSL widens each byte of UTF-8 instead.
    pub(super) fn wide(&self) -> Vec<Zeroizing<Vec<u8>>> {
        let ended = |units: &mut dyn Iterator<Item = u16>| {
            // No form has more units than the text has bytes: what grew would leave the password where it was.
            let mut form = Zeroizing::new(Vec::with_capacity(2 * self.0.len() + 2));
            form.extend(units.chain([0]).flat_map(u16::to_be_bytes));
            form
        };
        let mut forms = vec![ended(&mut self.0.encode_utf16())];
        if self.0.is_empty() {
            forms.push(Zeroizing::default());
        } else if !self.0.is_ascii() {
            forms.push(ended(&mut self.0.bytes().map(u16::from)));
        }
        forms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_forms_are_those_that_writers_use() {
        let forms = |text: &str| Password::new(text).wide().iter().map(hex::encode).collect::<Vec<_>>();
        assert_eq!(forms("ab"), ["006100620000"]);
        assert_eq!(forms(""), ["0000", ""]);
        assert_eq!(forms("\u{e9}"), ["00e90000", "00c300a90000"]);
        assert_eq!(forms("\u{1f511}"), ["d83ddd110000", "00f0009f009400910000"]);
    }

    #[test]
    fn the_password_of_a_file_is_its_first_line() {
        for (text, line) in [("a b\nc", "a b"), ("a\r\n", "a"), ("", ""), ("\n", "")] {
            assert_eq!(first_line(text.as_bytes()).unwrap().as_str(), line);
        }
        assert!(first_line(b"\xFF\n").is_none());
    }
}
