//! Key files as people have them: a private key and its certificate, out of one file or two.
//!
//! | file | module |
//! |---|---|
//! | what a file is, read whole and never too much of it | `open` |
//! | PEM, with or without OpenSSL's own encryption | `pem` |
//! | PKCS#12 in BER | `pkcs12` |
//! | OpenSSH | `openssh` |
//! | encryption under a password | `pbe`, `cbc`, `password` |
//! | PKCS#8, PKCS#1, SEC 1 | [`cardlab_sim::crypto::encoded`] |
//! | which certificate fits | `certificate` |
//!
//! Errors say what a file is and what to do. A password is blamed when nothing else is wrong, and only then.

mod cbc;
mod certificate;
mod open;
mod openssh;
mod password;
mod pbe;
mod pem;
mod pkcs12;

pub use certificate::gzip;
pub use open::{LIMIT, read_any};
pub use password::{Nobody, PasswordSource, Person};

use super::words::Word;
use cardlab_sim::crypto::asymmetric::KeyPair;
use cardlab_sim::crypto::encoded::{EncodedError, from_pkcs1, from_pkcs8, from_sec1};
use open::Form;
use password::Password;
use pbe::Budget;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;
use zeroize::Zeroizing;

/// Why a file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}: {fault}", path.display())]
pub struct KeyFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: Fault,
}

impl KeyFileError {
    pub(super) fn new(path: &Path, fault: Fault) -> Self {
        Self { path: path.into(), fault }
    }
}

/// What is wrong with a file, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// What the system says.
    #[error("{0}")]
    System(String),
    /// A directory.
    #[error("a directory, not a file with a key")]
    Directory,
    /// Nothing in it.
    #[error("a file of no bytes")]
    Empty,
    /// More than [`LIMIT`].
    #[error("more than {mib} MiB; no key file is that large", mib = LIMIT >> 20)]
    TooLarge,
    /// Another kind of file, and the command that makes a key file of it.
    #[error("{what}; this helps: {command}")]
    Foreign {
        /// What it is.
        what: &'static str,
        /// What to type.
        command: &'static str,
    },
    /// A PEM block that cannot be decoded.
    #[error("the PEM block '{label}' is cut off or damaged")]
    Pem {
        /// What its BEGIN line says.
        label: String,
    },
    /// It looks like a key file, but its structure is broken off.
    #[error("its structure is damaged or cut off")]
    Structure,
    /// A check value that does not fit, though the password is right.
    #[error("it was changed after it was written: its check value does not fit, though the password opens it")]
    Changed,
    /// No private key in it.
    #[error("no private key in it; what it has: {0}")]
    NoKey(String),
    /// No certificate in it.
    #[error("no X.509 certificate in it, in PEM, DER or PKCS#12")]
    NoCertificate,
    /// Several keys, and none chosen.
    #[error("it has {} private keys; say which one by its name or number behind a colon ({example}): {list}", list.len(), list = list.join(", "))]
    Several {
        /// How to say it.
        example: &'static str,
        /// Their numbers, names and algorithms.
        list: Vec<String>,
    },
    /// No key of the name that was chosen.
    #[error("no private key named '{name}' in it; there are: {list}", list = list.join(", "))]
    NoSuchKey {
        /// What was asked for.
        name: String,
        /// Their numbers, names and algorithms.
        list: Vec<String>,
    },
    /// Encrypted, and no password given.
    #[error("the private key is encrypted; add its password: FILE:env:VARIABLE, FILE:file:PATH, FILE:ask, or FILE:pass:PASSWORD")]
    NoPassword,
    /// The same of a file that was handed over: its name stands in no text that a password could be added to.
    #[error("the private key is encrypted; hand its password over with it (key_password)")]
    NoPasswordHanded,
    /// Encrypted under another password.
    #[error("the password does not open it")]
    WrongPassword,
    /// There is no password where it was said to be.
    #[error("its password: {0}")]
    Password(String),
    /// Encrypted in a way that is not known here.
    #[error("it is protected by {0}, which is not taken; write it anew with: openssl pkcs12 or openssl pkcs8 -topk8 -v2 aes256")]
    Cipher(String),
    /// Opening it would cost more than what is spent on one file.
    #[error(
        "it wants its password hashed more often than a key file needs; write it anew with: openssl pkcs8 -topk8 -v2 aes256 -iter 100000, openssl pkcs12 -export -iter 100000, or ssh-keygen -p -a 100"
    )]
    TooMuchWork,
    /// A word too many behind the file's name.
    #[error(
        "'{0}' is a word too many; there are KEY[:CERTIFICATE[:NAME]] and FILE.p12[:PASSWORD[:NAME]], and words such as self, gzip, ask, env:VARIABLE"
    )]
    Word(String),
    /// The key itself.
    #[error(transparent)]
    Key(#[from] EncodedError),
}

/// A key file as somebody named it: `FILE[:WORD]..`.
///
/// | word | |
/// |---|---|
/// | `env:VARIABLE`, `file:PATH`, `ask`, `pass:PASSWORD` | the password |
/// | `self` | make a self-signed certificate |
/// | `gzip` | compress the certificate on the card |
/// | another, PKCS#12 | the password where none of those stands; then the name or number of the key |
/// | another, else | the certificate's file; then the number of the key |
///
/// A word in quotes is never one of the keywords.
#[derive(Clone)]
pub struct KeyFile {
    path: PathBuf,
    /// What is in it, where somebody has handed that over: the file itself may be elsewhere.
    handed: Option<Arc<Zeroizing<Vec<u8>>>>,
    words: Vec<Word>,
    password: PasswordSource,
    /// Whether the certificate is to be made, signed by the key itself.
    pub self_signed: bool,
    /// Whether the certificate is to be compressed.
    pub compress: bool,
}

/// A key pair and its certificate (DER), when there is one.
pub struct Loaded {
    /// The key pair.
    pub key: KeyPair,
    /// Its certificate.
    pub certificate: Option<Vec<u8>>,
}

impl KeyFile {
    fn named(path: PathBuf) -> Self {
        let (words, password) = (Vec::new(), PasswordSource::None);
        Self { path, handed: None, words, password, self_signed: false, compress: false }
    }

    /// A file whose contents somebody hands over; `name` is what errors call it.
    pub(super) fn handed(name: &str, bytes: Vec<u8>, password: Option<Zeroizing<String>>) -> Self {
        let password = password.map_or(PasswordSource::None, PasswordSource::Given);
        Self { handed: Some(Arc::new(Zeroizing::new(bytes))), password, ..Self::named(name.into()) }
    }

    /// What is in it.
    fn contents(&self) -> Result<Arc<Zeroizing<Vec<u8>>>, KeyFileError> {
        let fault = |fault| Err(KeyFileError::new(&self.path, fault));
        match &self.handed {
            None => open::read(&self.path).map(Arc::new),
            Some(bytes) if bytes.is_empty() => fault(Fault::Empty),
            Some(bytes) if bytes.len() as u64 > open::LIMIT => fault(Fault::TooLarge),
            Some(bytes) => Ok(bytes.clone()),
        }
    }

    /// Parses the words behind a file's name.
    ///
    /// # Errors
    /// [`KeyFileError`] for a keyword without what belongs to it.
    pub(super) fn parse(words: &[Word]) -> Result<Self, KeyFileError> {
        let mut words = words.iter();
        let path: PathBuf = words.next().map(|word| word.text.as_str()).unwrap_or_default().into();
        let mut file = Self::named(path);
        while let Some(word) = words.next() {
            let mut operand = |what: &str| {
                let missing = || KeyFileError::new(&file.path, Fault::Password(format!("'{what}:' has nothing behind it")));
                words.next().filter(|word| word.quoted || !word.text.is_empty()).ok_or_else(missing)
            };
            match word.keyword() {
                Some("env") => file.password = PasswordSource::Environment(operand("env")?.text.to_string()),
                Some("file") => file.password = PasswordSource::File(operand("file")?.text.as_str().into()),
                Some("pass") => file.password = PasswordSource::Given(operand("pass")?.text.clone()),
                Some("ask") => file.password = PasswordSource::Ask,
                Some("self") => file.self_signed = true,
                Some("gzip") => file.compress = true,
                _ => file.words.push(word.clone()),
            }
        }
        Ok(file)
    }

    /// The same with its password fetched, where that comes from elsewhere: for several files.
    ///
    /// # Errors
    /// [`KeyFileError`] when it is not there.
    pub(super) fn resolved(&self, person: &mut dyn Person) -> Result<Self, KeyFileError> {
        let password = self.password.resolved(&self.path, person)?;
        Ok(Self { password, ..self.clone() })
    }

    /// Another file that opens as this one does.
    pub(super) fn beside(&self, path: PathBuf) -> Self {
        Self { path, handed: None, ..self.clone() }
    }

    /// The file's name.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the key, and the certificate that fits it.
    ///
    /// # Errors
    /// [`KeyFileError`] of this file or of the certificate's.
    pub fn load(&self, person: &mut dyn Person) -> Result<Loaded, KeyFileError> {
        let fault = |fault: Fault| match fault {
            Fault::NoPassword if self.handed.is_some() => KeyFileError::new(&self.path, Fault::NoPasswordHanded),
            fault => KeyFileError::new(&self.path, fault),
        };
        let form = open::form(&self.contents()?).map_err(fault)?;
        let is_store = matches!(form, Form::Pkcs12(_)) || is_named_store(&self.path);
        let words = self.words(is_store)?;
        let password = match words.password {
            Some(word) => Some(Password::from(word)),
            None => self.password.get(&self.path, person)?,
        };
        let (key, mut certificates) = of_form(&form, password, words.name).map_err(fault)?;
        if self.self_signed {
            return Ok(Loaded { key, certificate: None });
        }
        let mut holder = self.path.as_path();
        if let Some(path) = &words.certificate {
            certificates = certificate::read_all(path)?;
            holder = path;
        }
        let chosen = certificate::choose(certificates, &key);
        if let Some(warning) = chosen.warning {
            person.warn(&format!("{}: {warning} in {}", holder.display(), self.path.display()));
        }
        Ok(Loaded { key, certificate: chosen.certificate })
    }

    fn words(&self, is_store: bool) -> Result<Words<'_>, KeyFileError> {
        let mut words = self.words.iter();
        let mut found = Words { password: None, certificate: None, name: None };
        if is_store {
            if matches!(self.password, PasswordSource::None) {
                found.password = words.next();
            }
        } else {
            found.certificate = words.next().filter(|word| !word.text.is_empty()).map(|word| word.text.as_str().into());
        }
        found.name = words.next().map(|word| word.text.as_str()).filter(|name| !name.is_empty());
        match words.next() {
            // A word of a key store may be a password that was not quoted: it is not repeated.
            Some(word) => {
                let word = if is_store { "..".to_owned() } else { word.text.to_string() };
                Err(KeyFileError::new(&self.path, Fault::Word(word)))
            }
            None => Ok(found),
        }
    }
}

/// What the words without a keyword mean.
struct Words<'a> {
    password: Option<&'a Word>,
    certificate: Option<PathBuf>,
    name: Option<&'a str>,
}

/// Whether a file is a PKCS#12 file by its name: what follows is a password then, whatever is in it.
fn is_named_store(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("p12") || ending.eq_ignore_ascii_case("pfx"))
}

type KeyAndCertificates = (KeyPair, Vec<Vec<u8>>);

fn of_form(form: &Form, password: Option<Password>, name: Option<&str>) -> Result<KeyAndCertificates, Fault> {
    let budget = Budget::of_a_file();
    match form {
        Form::Pkcs12(bytes) => from_store(bytes, password, name, &budget),
        Form::Pem(blocks) => from_pem(blocks, password.as_ref(), name, &budget),
        Form::Der(bytes) => from_der(bytes, password.as_ref(), &budget).map(|key| (key, Vec::new())),
    }
}

fn from_store(
    bytes: &[u8],
    password: Option<Password>,
    name: Option<&str>,
    budget: &Budget,
) -> Result<KeyAndCertificates, Fault> {
    let given = password.is_some();
    // Nobody gave one: files are written without a password, too.
    let contents = pkcs12::open(bytes, &password.unwrap_or_default(), budget).map_err(|fault| match fault {
        Fault::WrongPassword if !given => Fault::NoPassword,
        other => other,
    })?;
    let keys: Vec<_> = contents.keys.into_iter().map(|key| (key.name, key.key)).collect();
    if keys.is_empty() {
        return Err(Fault::NoKey(if contents.certificates.is_empty() { "nothing" } else { "certificates" }.into()));
    }
    Ok((one(keys, name, "FILE.p12:PASSWORD:NAME")?, contents.certificates))
}

fn from_pem(
    blocks: &[pem::Block],
    password: Option<&Password>,
    name: Option<&str>,
    budget: &Budget,
) -> Result<KeyAndCertificates, Fault> {
    let mut keys = Vec::new();
    for block in blocks.iter().filter(|block| block.label.ends_with("PRIVATE KEY")) {
        keys.push((None, from_block(block, password, budget)?));
    }
    if keys.is_empty() {
        let mut labels: Vec<&str> = blocks.iter().map(|block| block.label.as_str()).collect();
        labels.dedup();
        return Err(Fault::NoKey(labels.join(", ")));
    }
    Ok((one(keys, name, "KEY.pem::NUMBER")?, certificate::of_blocks(blocks)))
}

/// The key of a PEM block; one that cards do not hold is an error of its own, so that it may stand beside another.
fn from_block(block: &pem::Block, password: Option<&Password>, budget: &Budget) -> Result<Result<KeyPair, EncodedError>, Fault> {
    let of_password = |key: Result<KeyPair, EncodedError>| match key {
        // The padding was right by chance.
        Err(EncodedError::Form) if block.is_encrypted() => Err(Fault::WrongPassword),
        other => Ok(other),
    };
    match block.label.as_str() {
        "PRIVATE KEY" => of_password(from_pkcs8(&block.open(password)?)),
        "RSA PRIVATE KEY" => of_password(from_pkcs1(&block.open(password)?)),
        "EC PRIVATE KEY" => of_password(from_sec1(&block.open(password)?)),
        "ENCRYPTED PRIVATE KEY" => pkcs12::open_key(&block.contents, password.ok_or(Fault::NoPassword)?, budget),
        "OPENSSH PRIVATE KEY" => match openssh::open(&block.contents, password, budget) {
            Err(Fault::Key(other)) => Ok(Err(other)),
            key => key.map(Ok),
        },
        other => Ok(Err(EncodedError::Other(format!("'{other}'")))),
    }
}

fn from_der(bytes: &[u8], password: Option<&Password>, budget: &Budget) -> Result<KeyPair, Fault> {
    if pkcs12::is_encrypted_key(bytes) {
        return Ok(pkcs12::open_key(bytes, password.ok_or(Fault::NoPassword)?, budget)??);
    }
    // What is well-formed but not taken is told by the form that it has.
    let mut why = EncodedError::Form;
    for form in [from_pkcs8, from_pkcs1, from_sec1] {
        match form(bytes) {
            Ok(key) => return Ok(key),
            Err(EncodedError::Form) => {}
            Err(other) => why = other,
        }
    }
    if why == EncodedError::Form && certificate::is_one(bytes) {
        return Err(Fault::NoKey("certificates".into()));
    }
    Err(why.into())
}

/// The only key, or the one of this name or number.
fn one(
    keys: Vec<(Option<String>, Result<KeyPair, EncodedError>)>,
    name: Option<&str>,
    example: &'static str,
) -> Result<KeyPair, Fault> {
    let list = |keys: &[(Option<String>, Result<KeyPair, EncodedError>)]| {
        let line = |(index, (name, key)): (usize, &(Option<String>, Result<KeyPair, EncodedError>))| {
            let kind = key.as_ref().map_or_else(|_| "not for cards", |key| key.algorithm().name());
            let name = name.as_ref().map(|name| format!(" '{name}'")).unwrap_or_default();
            format!("{}{name} ({kind})", index + 1)
        };
        keys.iter().enumerate().map(line).collect::<Vec<_>>()
    };
    let at = match name {
        None if keys.len() == 1 => 0,
        None => return Err(Fault::Several { example, list: list(&keys) }),
        Some(wanted) => {
            let named: Vec<usize> = (0..keys.len()).filter(|at| keys[*at].0.as_deref() == Some(wanted)).collect();
            let number = wanted.parse::<usize>().ok().filter(|number| (1..=keys.len()).contains(number));
            match (named.as_slice(), number) {
                ([at], _) => *at,
                ([], Some(number)) => number - 1,
                ([], None) => return Err(Fault::NoSuchKey { name: wanted.to_owned(), list: list(&keys) }),
                _ => return Err(Fault::Several { example, list: list(&keys) }),
            }
        }
    };
    let (_, key) = keys.into_iter().nth(at).ok_or(Fault::Structure)?;
    Ok(key?)
}

/// All certificates of a file, in its order.
///
/// # Errors
/// [`KeyFileError`] for files that cannot be read or have none.
pub(super) fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, KeyFileError> {
    certificate::read_all(path)
}

/// Looks at the bytes of a key file as [`KeyFile::load`] does: for tests that have no file.
///
/// # Errors
/// [`Fault`].
pub fn load_bytes(bytes: &[u8], password: Option<&str>) -> Result<KeyPair, Fault> {
    let password = password.map(|text| Password::from(&Word { text: Zeroizing::new(text.to_owned()), quoted: true }));
    of_form(&open::form(bytes)?, password, None).map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_contents_of_any_block_are_a_key_or_an_error(
            label in prop::sample::select(vec![
                "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY", "PKCS12", "CERTIFICATE",
            ]),
            header in prop::sample::select(vec!["", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n", "DEK-Info: X\n\n"]),
            start in prop::sample::select(vec![&b""[..], b"openssh-key-v1\0", b"\x30\x80\x02\x01\x03", b"\x30\x82\x00\x40"]),
            rest in proptest::collection::vec(any::<u8>(), 0..150),
        ) {
            let body = ::pem::encode(&::pem::Pem::new(label, [start, &rest].concat()));
            let (begin, rest) = body.split_once('\n').unwrap_or((&body, ""));
            for password in [None, Some("pw")] {
                let text = [begin, "\n", header, rest].concat();
                prop_assert!(load_bytes(text.as_bytes(), password).is_err());
            }
        }

        #[test]
        fn any_words_are_a_key_file_or_an_error(words in proptest::collection::vec("[a-z:\"]{0,6}", 1..6)) {
            let words: Vec<Word> = words.iter().map(|word| Word::of(word)).collect();
            if let Ok(file) = KeyFile::parse(&words) {
                prop_assert_eq!(file.path().to_str(), Some(words[0].text.as_str()));
                prop_assert!(file.words(true).is_ok() || file.words.len() > 1);
            }
        }
    }
}
