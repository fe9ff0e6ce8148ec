//! Cards as people ask for them: `PROFILE[,key=value]..`, or `@FILE[,name=..]` for a snapshot.
//!
//! ```text
//! yubikey-5.4,serial=123,pin=654321
//! nist-piv,name="Desk, left",9a=key.pem:cert.pem,9d=file.p12:env:PASSWORD,9c=new:p256,ca=ca.pem,printed=printed.bin
//! nist-piv,from=46_Golden_FIPS_201-2_PIV
//! ```
//! Cards that are not simulated - `vpcd:PORT` - are a [`guest::GuestRequest`]; [`AnyRequest`] is either.
//! [`CardRequest`] is the parsed text; [`CardRequest::make`] makes or opens the card. What may be set
//! is in [`settings`], where quotes count in `words`. Key files are read by [`keyfile`], data objects by `objects`, a whole
//! directory by `directory`; `new:` keys get a certificate of a throw-away CA, `throwaway`.

mod directory;
pub mod guest;
pub mod keyfile;
mod objects;
pub mod settings;
mod throwaway;
mod words;

pub use words::QuoteError;

use crate::pace::{Pace, PaceError};
use crate::repeated;
use crate::snapshot::{Snapshot, SnapshotError};
use crate::usb::Identity;
use crate::usb::descriptor::IdsError;
use cardlab_sim::crypto::CryptoError;
use cardlab_sim::crypto::asymmetric::{Algorithm, KeyPair};
use cardlab_sim::crypto::backend::RustCrypto;
use cardlab_sim::crypto::certificate;
use cardlab_sim::crypto::ec::Curve;
use cardlab_sim::{Card, CardError, Issue, Issued, IssuedObject, Profile, ProfileError, Random, World};
use keyfile::{KeyFile, KeyFileError, Loaded, Nobody, Person};
use settings::ReaderSettings;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use thiserror::Error;
use words::Word;
use zeroize::Zeroizing;

/// Why a card cannot be had as asked.
#[derive(Debug, Error)]
pub enum SetupError {
    /// Profile or setting.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// Text that is not `key=value`.
    #[error("card setting '{0}' has no value; write key=value, and a value with a comma in double quotes")]
    NoValue(String),
    /// No such setting.
    #[error("no card setting named '{key}'; there are: {}", settings::names())]
    UnknownSetting {
        /// What was asked for.
        key: String,
    },
    /// No such slot.
    #[error("'{0}' is no slot of a key; name one such as 9a, 9c, 9d, 9e, or 81 of a GIDS card")]
    NoSlot(String),
    /// No such algorithm.
    #[error("no key algorithm named '{name}'; there are: {}", Algorithm::ALL.map(|a| a.2).join(", "))]
    UnknownAlgorithm {
        /// What was asked for.
        name: String,
    },
    /// A keypad, or none.
    #[error("card setting 'pin-pad': '{0}' is not on or off")]
    PinPad(String),
    /// The ids of a USB device.
    #[error("card setting 'usb': {0}")]
    UsbIds(#[from] IdsError),
    /// A string of a USB device.
    #[error("card setting '{0}': '{1}' is not 1 to 60 characters without control characters")]
    UsbString(String, String),
    /// The speed of a USB device.
    #[error("card setting 'usb-speed': '{0}' is not full or high")]
    UsbSpeed(String),
    /// How long commands take.
    #[error(transparent)]
    Pace(#[from] PaceError),
    /// A setting that a card from a snapshot cannot have.
    #[error("card setting '{0}': a card from a snapshot is as it was; only {known} can be set", known = settings::names_of_reader())]
    OnlyReader(String),
    /// A setting that a guest cannot have.
    #[error("card setting '{0}': this card is not simulated here; only {known} can be set", known = guest::names())]
    OnlyGuest(String),
    /// A value of a guest's setting.
    #[error("card setting '{name}': '{value}' is not {expected}")]
    Guest {
        /// Which.
        name: &'static str,
        /// What was given.
        value: String,
        /// What it can be.
        expected: &'static str,
    },
    /// A reader name that cannot be.
    #[error("reader name '{0}': 1 to 121 bytes, no control characters")]
    Name(String),
    /// Quotes that do not fit.
    #[error(transparent)]
    Quote(#[from] QuoteError),
    /// One setting given twice.
    #[error("card setting '{0}' is given twice; give it once")]
    Twice(String),
    /// A key or certificate file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// A directory of a whole card.
    #[error("{}: {reason}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file that cannot be written.
    #[error("{}: {reason}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A snapshot.
    #[error("{}: {reason}", path.display())]
    Snapshot {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: SnapshotError,
    },
    /// An owner's name that cannot be.
    #[error("owner '{0}': 1 to 64 characters, no control characters")]
    Owner(String),
    /// The card itself.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The throw-away CA could not sign.
    #[error("slot {0:02x}: no certificate can be made for this key")]
    Certificate(u8),
    /// A key that cannot sign, and a certificate that it should sign.
    #[error("slot {0:02x}: {1} keys cannot sign their own certificate; leave 'self' out")]
    SelfSigned(u8, &'static str),
}

/// Where the key of a slot comes from.
#[derive(Clone)]
enum KeySource {
    /// `new:ALGORITHM[:self][:gzip]`: made now, with a certificate of the throw-away CA or of its own.
    New { algorithm: Algorithm, self_signed: bool, compress: bool },
    /// A file.
    File(KeyFile),
}

/// A card that somebody asked for.
#[derive(Clone)]
pub struct CardRequest {
    shown: String,
    profile: Profile,
    snapshot: Option<(PathBuf, Arc<Snapshot>)>,
    reader: ReaderSettings,
    keys: Vec<(u8, KeySource)>,
    objects: Vec<(u32, PathBuf)>,
    from: Option<KeyFile>,
    ca: Option<PathBuf>,
    owner: Option<String>,
    /// Names of what was set of the reader.
    of_reader: Vec<String>,
}

/// A card that somebody asked for, simulated or a guest.
#[derive(Clone)]
pub enum AnyRequest {
    /// Simulated.
    Simulated(Box<CardRequest>),
    /// Somebody else's.
    Guest(Box<guest::GuestRequest>),
}

/// What an error says of a text that may be a setting's name: behind it a secret may stand that was written in another way.
fn name_in(text: &str) -> &str {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(text.len());
    &text[..end]
}

/// The error for a kind of card that there is not, without what was written behind its name instead of behind a comma, or instead
/// of a name.
fn without_settings(error: ProfileError, kind: &str) -> ProfileError {
    let ProfileError::UnknownProfile { known, .. } = error else { return error };
    let end = kind.char_indices().find(|(_, c)| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.' | '_'));
    let (name, behind) = end.map_or((kind, String::new()), |(end, parts)| (&kind[..end], format!("{parts}..")));
    let name = match repeated::kind(name, known.split(", ")) {
        ".." => "..".to_owned(),
        name => format!("{name}{behind}"),
    };
    ProfileError::UnknownProfile { name, known }
}

impl FromStr for AnyRequest {
    type Err = SetupError;

    fn from_str(text: &str) -> Result<Self, SetupError> {
        match guest::GuestRequest::parse(text)? {
            Some(guest) => Ok(Self::Guest(Box::new(guest))),
            None => Ok(Self::Simulated(Box::new(text.parse()?))),
        }
    }
}

impl FromStr for CardRequest {
    type Err = SetupError;

    fn from_str(text: &str) -> Result<Self, SetupError> {
        let mut parts = words::split(text, ',')?.into_iter();
        let kind = parts.next().unwrap_or_default().trim();
        let snapshot = kind.strip_prefix('@').map(|path| read_snapshot(Word::of(path).text.as_str().into())).transpose()?;
        let profile = match &snapshot {
            Some((_, snapshot)) => Profile::builtin(snapshot.profile())?,
            None => Profile::builtin(kind).map_err(|error| without_settings(error, kind))?,
        };
        let mut request = Self {
            shown: kind.to_owned(),
            profile,
            snapshot,
            reader: ReaderSettings::default(),
            keys: Vec::new(),
            objects: Vec::new(),
            from: None,
            ca: None,
            owner: None,
            of_reader: Vec::new(),
        };
        let mut given = Vec::new();
        for part in parts {
            // Behind a secret with a comma comes the rest of it: that is not repeated.
            let told = |text: &str| if request.shown.ends_with("..") { "..".to_owned() } else { name_in(text).to_owned() };
            let (key, value) = part.split_once('=').ok_or_else(|| SetupError::NoValue(told(part)))?;
            let (key, one) = (key.trim(), settings::identity(key.trim()));
            let unknown = told(key);
            if given.contains(&one) {
                return Err(SetupError::Twice(key.into()));
            }
            if settings::is_of_reader(&one) {
                request.of_reader.push(one.clone());
            }
            given.push(one);
            settings::set(&mut request, key, value).map_err(|error| match error {
                SetupError::UnknownSetting { .. } => SetupError::UnknownSetting { key: unknown },
                SetupError::OnlyReader(_) => SetupError::OnlyReader(unknown),
                other => other,
            })?;
            request.shown.push_str(&format!(",{key}={}", settings::shown(key, value)));
        }
        request.profile.check()?;
        Ok(request)
    }
}

impl fmt::Display for CardRequest {
    /// As it was asked for, without its secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl CardRequest {
    /// The reader's name without its ` RR SS` ending.
    #[must_use]
    pub fn reader_name(&self) -> &str {
        self.reader.name.as_deref().unwrap_or(&self.profile.card.reader)
    }

    /// Whether its reader has a keypad for PINs.
    #[must_use]
    pub const fn has_pin_pad(&self) -> bool {
        self.reader.pin_pad
    }

    /// How long its commands take.
    #[must_use]
    pub const fn pace(&self) -> &Pace {
        &self.reader.pace
    }

    /// Its reader as a USB device of one slot; `serial` is the card's.
    #[must_use]
    pub fn usb(&self, serial: u32) -> Identity {
        Identity::of(&self.reader.usb, self.profile_name(), serial, self.reader_name(), self.reader.pin_pad)
    }

    /// The settings that were given and are the reader's, not the card's, but for how long commands take: for a reader that is
    /// there already.
    #[must_use]
    pub fn of_reader(&self) -> &[String] {
        &self.of_reader
    }

    /// With a key from a file that somebody hands over, in this slot or, where none is said, in that of the owner's key. `name`
    /// is what errors call the file.
    ///
    /// # Errors
    /// [`SetupError`] when there is no such slot, or it has a key already.
    pub fn with_key(
        mut self,
        slot: Option<&str>,
        name: &str,
        bytes: Vec<u8>,
        password: Option<Zeroizing<String>>,
    ) -> Result<Self, SetupError> {
        let slot = match slot {
            None => self.first_slot().0,
            // The field beside that of a slot is for a password.
            Some(text) => settings::slot(text).ok_or_else(|| SetupError::NoSlot(repeated::short(text).into()))?,
        };
        if self.snapshot.is_some() {
            return Err(SetupError::OnlyReader(format!("{slot:02x}")));
        }
        if self.keys.iter().any(|(taken, _)| *taken == slot) {
            return Err(SetupError::Twice(format!("{slot:02x}")));
        }
        self.keys.push((slot, KeySource::File(KeyFile::handed(name, bytes, password))));
        Ok(self)
    }

    /// The profile's name.
    #[must_use]
    pub fn profile_name(&self) -> &str {
        &self.profile.name
    }

    /// [`CardRequest::make_for`] nobody: a password that is to be typed is an error, and warnings are lost.
    ///
    /// # Errors
    /// [`SetupError`], saying what to change.
    pub fn make(&self, world: World) -> Result<Card, SetupError> {
        self.make_for(world, &mut Nobody)
    }

    /// Makes the card, or opens the one that `world` keeps; keys, certificates and objects are put on a new
    /// one only, all of them or, after a mistake, no card at all. `person` is asked for passwords and hears what is
    /// odd: a certificate of another key.
    ///
    /// # Errors
    /// [`SetupError`], saying what to change.
    pub fn make_for(&self, world: World, person: &mut dyn Person) -> Result<Card, SetupError> {
        if let Some((path, snapshot)) = &self.snapshot {
            return snapshot.card(world).map_err(|reason| SetupError::Snapshot { path: path.clone(), reason });
        }
        Card::issue(self.profile.clone(), world, |serial, random| self.issue(serial, random, person))
    }

    /// Where the key of a card's owner is, and of which kind every program can use it.
    const fn first_slot(&self) -> (u8, Algorithm) {
        match self.profile.gids {
            Some(_) => (0x81, Algorithm::Rsa(2048)),
            None => (0x9A, Algorithm::Ec(Curve::P256)),
        }
    }

    fn issue(&self, serial: u32, random: &mut Random, person: &mut dyn Person) -> Result<Issue, SetupError> {
        let mut issue = match &self.from {
            Some(place) => directory::issue(place, person)?,
            None => Issue::default(),
        };
        let mut keys = self.keys.clone();
        let (first, algorithm) = self.first_slot();
        let taken = keys.iter().any(|(slot, _)| *slot == first) || issue.keys.iter().any(|key| key.slot == first);
        if self.owner.is_some() && !taken {
            keys.push((first, KeySource::New { algorithm, self_signed: false, compress: false }));
        }
        let mut ca = None;
        for (slot, source) in &keys {
            // What is said of one slot or object is more than what is said of a directory.
            issue.keys.retain(|key| key.slot != *slot);
            let tag = cardlab_sim::piv::objects::certificate_of(*slot);
            issue.objects.retain(|object| Some(object.tag) != tag);
            let subject = match &self.owner {
                Some(owner) => format!("CN={}", escaped(owner)),
                None => format!("CN=cardlab {serial} {slot:02x}"),
            };
            issue.keys.push(source.issued(*slot, &subject, &mut ca, random, person)?);
        }
        for (tag, path) in &self.objects {
            issue.objects.retain(|object| object.tag != *tag);
            issue.objects.push(objects::read(*tag, path)?);
        }
        if self.profile.chosen.global_pin.is_none() && issue.objects.iter().any(names_global_pin) {
            person.warn("the Discovery Object (7E) says that the card has a Global PIN; add global-pin=VALUE to give it one");
        }
        if let (Some(path), Some(ca)) = (&self.ca, &ca) {
            write_certificate(path, ca.certificate())?;
        }
        Ok(issue)
    }
}

/// A value in a name as RFC 4514 section 2.4 writes it.
fn escaped(value: &str) -> String {
    let special = |c: char| matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '#' | '=');
    value.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

/// Whether a Discovery Object's PIN usage policy has a Global PIN, SP 800-73-4 part 1 section 3.3.2.
fn names_global_pin(object: &IssuedObject) -> bool {
    use cardlab_protocol::tlv::find;
    let policy = find(&object.value, 0x5F2F).and_then(|policy| policy.first());
    object.tag == cardlab_sim::piv::objects::DISCOVERY && policy.is_some_and(|bits| bits & 0x20 != 0)
}

/// How the file of a certificate begins.
const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

fn write_certificate(path: &Path, der: &[u8]) -> Result<(), SetupError> {
    let fault = |reason: String| SetupError::Write { path: path.into(), reason };
    let text = certificate_pem(der).map_err(|e| fault(e.to_string()))?;
    let said = |e: std::io::Error| fault(cardlab_whole::why(&e));
    // What somebody has there, a key perhaps, is not ours to replace; a certificate of a run before is.
    let is_certificate = match std::fs::metadata(path) {
        Ok(about) if about.is_file() => {
            let there = Zeroizing::new(cardlab_whole::read(path, cardlab_whole::TEXT).map_err(said)?);
            there.is_empty() || there.starts_with(CERTIFICATE)
        }
        _ => true,
    };
    if !is_certificate {
        return Err(fault("there is a file that is no certificate in PEM; it was left as it was: name another for ca=".into()));
    }
    cardlab_whole::write(path, text.as_bytes(), cardlab_whole::For::Everybody).map_err(said)
}

/// A certificate in PEM.
///
/// # Errors
/// [`der::pem::Error`] for one of absurd length.
pub fn certificate_pem(der: &[u8]) -> Result<String, der::pem::Error> {
    der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, der)
}

/// Opens a sealed snapshot.
pub const PASSPHRASE_VARIABLE: &str = "CARDLAB_PASSPHRASE";

fn read_snapshot(path: PathBuf) -> Result<(PathBuf, Arc<Snapshot>), SetupError> {
    let passphrase = std::env::var(PASSPHRASE_VARIABLE).ok().map(Zeroizing::new);
    let text = cardlab_whole::read_text(&path, cardlab_whole::TEXT).map_err(|e| SnapshotError::System(e.to_string()));
    let read = text.and_then(|text| Snapshot::read(&Zeroizing::new(text), passphrase.as_ref().map(|p| p.as_str())));
    match read {
        Ok(snapshot) => Ok((path, Arc::new(snapshot))),
        Err(reason) => Err(SetupError::Snapshot { path, reason }),
    }
}

impl KeySource {
    fn parse(value: &str) -> Result<Self, SetupError> {
        let words: Vec<Word> = words::split(value, ':')?.into_iter().map(Word::of).collect();
        if words.first().and_then(Word::keyword) != Some("new") {
            return Ok(Self::File(KeyFile::parse(&words)?));
        }
        let name = words.get(1).map(|word| word.text.as_str()).unwrap_or_default();
        let algorithm = Algorithm::from_name(name).ok_or_else(|| SetupError::UnknownAlgorithm { name: name.into() })?;
        let (mut self_signed, mut compress) = (false, false);
        for word in words.iter().skip(2) {
            match word.keyword() {
                Some("self") => self_signed = true,
                Some("gzip") => compress = true,
                _ => return Err(SetupError::UnknownAlgorithm { name: format!("{name}:{}", *word.text) }),
            }
        }
        Ok(Self::New { algorithm, self_signed, compress })
    }

    /// The key and its certificate, for this slot.
    fn issued(
        &self,
        slot: u8,
        subject: &str,
        ca: &mut Option<throwaway::Authority>,
        random: &mut Random,
        person: &mut dyn Person,
    ) -> Result<Issued, SetupError> {
        let unsigned = |_: CryptoError| SetupError::Certificate(slot);
        let (key, mut certificate, self_signed, compressed) = match self {
            Self::File(file) => {
                let Loaded { key, certificate } = file.load(person)?;
                (key, certificate, file.self_signed, file.compress)
            }
            Self::New { algorithm, self_signed, compress } => {
                let key = KeyPair::generate(*algorithm, random).map_err(unsigned)?;
                let certificate = match self_signed {
                    true => None,
                    false => Some(signed(subject, &key, ca, random).map_err(unsigned)?),
                };
                (key, certificate, *self_signed, *compress)
            }
        };
        if self_signed {
            certificate =
                Some(sign_itself(subject, &key, random).map_err(|_| SetupError::SelfSigned(slot, key.algorithm().name()))?);
        }
        if compressed {
            certificate = certificate.map(|der| keyfile::gzip(&der));
        }
        Ok(Issued { slot, key, certificate, compressed })
    }
}

/// A certificate of the throw-away CA, which is made when it is first needed.
fn signed(
    subject: &str,
    key: &KeyPair,
    ca: &mut Option<throwaway::Authority>,
    random: &mut Random,
) -> Result<Vec<u8>, CryptoError> {
    let ca = match ca {
        Some(ca) => ca,
        None => ca.insert(throwaway::Authority::new(random)?),
    };
    ca.issue(subject, key, random)
}

/// A certificate that the key signs itself.
fn sign_itself(subject: &str, key: &KeyPair, random: &mut Random) -> Result<Vec<u8>, CryptoError> {
    let public = key.public()?;
    let request = certificate::Request { subject, issuer: subject, serial: random.bytes(), public: &public, extensions: &[] };
    certificate::sign(&request, key, &RustCrypto)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        match text.parse::<CardRequest>() {
            Ok(request) => request.make(World::seeded(1)).err().map(|e| e.to_string()).unwrap_or_default(),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn what_people_ask_for() {
        let request: CardRequest = "yubikey-5.4,serial=123,pin-tries=5,pin=654321,name=My Reader,9a=new:p256".parse().unwrap();
        assert_eq!(request.reader_name(), "My Reader");
        let card = request.make(World::seeded(1)).unwrap();
        assert_eq!(card.serial(), 123);
    }

    #[test]
    fn mistakes_are_explained() {
        assert!(error("yubikey").starts_with("no profile named 'yubikey'; there are: gids, gids-blank, nist-piv, "));
        assert!(
            error("nist-piv,colour=red")
                .starts_with("no card setting named 'colour'; there are: name, pace, pin-pad, usb, usb-product, usb-serial, usb-speed, ca, owner, 9a,")
        );
        assert!(error("gids,usb=1050").starts_with("card setting 'usb': '1050' is not VID:PID, two numbers"));
        assert!(error("gids,usb-serial=").starts_with("card setting 'usb-serial': '' is not 1 to 60 characters"));
        assert_eq!(error("gids,usb-speed=super"), "card setting 'usb-speed': 'super' is not full or high");
        assert_eq!(
            error("nist-piv,pin"),
            "card setting 'pin' has no value; write key=value, and a value with a comma in double quotes"
        );
        assert_eq!(
            error("nist-piv,9a=new:dsa"),
            "no key algorithm named 'dsa'; there are: rsa1024, rsa2048, rsa3072, rsa4096, p256, p384, p521, ed25519, x25519"
        );
        assert_eq!(error("gids,owner= "), "owner ' ': 1 to 64 characters, no control characters");
        assert!(error("gids-blank,owner=Anna").ends_with("has no file system yet; gids-tool --initialize makes it"));
        assert!(error("nist-piv,9a=/nowhere/key.pem").starts_with("/nowhere/key.pem: "));
        assert!(error("nist-piv,9a=new:ed25519").contains("cannot hold a ed25519 key"));
        assert!(error("nist-piv,96=new:p256").starts_with("no card setting named '96'"));
    }

    /// A secret that was written in another way than it is to be written.
    #[test]
    fn what_may_be_a_secret_is_not_repeated() {
        for (text, says) in [
            ("yubikey-5.7,pin=ab,cd4711", "card setting '..' has no value; "),
            ("yubikey-5.7,pin=abcdef,4711=x", "no card setting named '..'; "),
            ("yubikey-5.7,pin=abcdef,pin-tries=5,colour=x", "no card setting named 'colour'; "),
            ("yubikey-5.7,9a=key.pem:ab,4711=x", "no card setting named '..'; "),
            ("yubikey-5.7,pin 471147", "card setting 'pin' has no value; "),
            ("yubikey-5.7,pin:471147", "card setting 'pin' has no value; "),
            ("yubikey-5.7, pin 471147=x", "no card setting named 'pin'; "),
            ("yubikey-5.7:pin=471147", "no profile named 'yubikey-5.7:..'; "),
            ("yubikey-5.7 pin=471147", "no profile named 'yubikey-5.7 ..'; "),
            ("yubikey-9,pin=471147", "no profile named 'yubikey-9'; "),
            ("471147", "no profile named '..'; "),
            ("471147,pin=1", "no profile named '..'; "),
            ("471147 gids", "no profile named '..'; "),
            ("pin=471147", "no profile named 'pin=..'; "),
            ("s4711e", "no profile named '..'; "),
            ("nist-piv,sm=cs2,pairing=4711471", "'..' is no value for pairing: "),
            ("vpcd:1,pin 471147", "card setting 'pin' has no value; "),
            ("vpcd:1,pin 471147=x", "card setting 'pin': this card is not simulated here; "),
        ] {
            let error = text.parse::<AnyRequest>().err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.starts_with(says) && !error.contains("4711"), "{text}: {error}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_card() {
        let make = || {
            let request: CardRequest = "yubikey-5.7,9a=new:p256,9c=new:ed25519".parse().unwrap();
            let card = request.make(World::seeded(9)).unwrap();
            card.nvm().records().clone()
        };
        assert_eq!(make(), make());
    }
}
