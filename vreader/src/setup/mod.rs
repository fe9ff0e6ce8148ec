//! Cards as people ask for them: `PROFILE[,key=value]..`, or `@FILE[,name=..]` for a snapshot.
//!
//! ```text
//! yubikey-5.4,serial=123,pin=654321
//! nist-piv,name=My Reader,9a=key.pem:cert.pem,9d=file.p12:password,9c=new:p256,ca=ca.pem
//! ```
//! [`CardRequest`] is the parsed text; [`CardRequest::make`] makes or opens the card. What may be set
//! is in [`settings`]. Key and certificate files are read by [`files`]; `new:` keys get a certificate
//! of a throw-away CA, `throwaway`.

pub mod files;
pub mod settings;
mod throwaway;

use crate::pace::{Pace, PaceError};
use crate::snapshot::{Snapshot, SnapshotError};
use cardlab_sim::crypto::CryptoError;
use cardlab_sim::crypto::asymmetric::{Algorithm, KeyPair};
use cardlab_sim::crypto::ec::Curve;
use cardlab_sim::{Card, CardError, Issued, Profile, ProfileError, Random, World};
use files::FileError;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use thiserror::Error;
use zeroize::Zeroizing;

/// Why a card cannot be had as asked.
#[derive(Debug, Error)]
pub enum SetupError {
    /// Profile or setting.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// Text that is not `key=value`.
    #[error("card setting '{0}' has no value; write key=value")]
    NoValue(String),
    /// No such setting.
    #[error("no card setting named '{key}'; there are: {}", settings::names())]
    UnknownSetting {
        /// What was asked for.
        key: String,
    },
    /// No such algorithm.
    #[error("no key algorithm named '{name}'; there are: {}", Algorithm::ALL.map(|a| a.2).join(", "))]
    UnknownAlgorithm {
        /// What was asked for.
        name: String,
    },
    /// A keypad, or none.
    #[error("card setting 'pin-pad': '{0}' is not on or off")]
    PinPad(String),
    /// How long commands take.
    #[error(transparent)]
    Pace(#[from] PaceError),
    /// A setting that a card from a snapshot cannot have.
    #[error("card setting '{0}': a card from a snapshot is as it was; only {known} can be set", known = settings::names_of_reader())]
    OnlyReader(String),
    /// A reader name that cannot be.
    #[error("reader name '{0}': 1 to 121 bytes, no control characters")]
    Name(String),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
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
}

/// Where the key of a slot comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum KeySource {
    /// `new:ALGORITHM`: made now, with a certificate of the throw-away CA.
    New(Algorithm),
    /// `FILE[:CERTIFICATE-FILE]` in PEM or DER.
    Files(PathBuf, Option<PathBuf>),
    /// `FILE.p12[:PASSWORD]`.
    Pkcs12(PathBuf, String),
}

/// A card that somebody asked for.
#[derive(Clone)]
pub struct CardRequest {
    profile: Profile,
    snapshot: Option<(PathBuf, Arc<Snapshot>)>,
    name: Option<String>,
    pin_pad: bool,
    pace: Pace,
    keys: Vec<(u8, KeySource)>,
    ca: Option<PathBuf>,
    owner: Option<String>,
}

impl FromStr for CardRequest {
    type Err = SetupError;

    fn from_str(text: &str) -> Result<Self, SetupError> {
        let mut parts = text.split(',');
        let kind = parts.next().unwrap_or_default().trim();
        let snapshot = kind.strip_prefix('@').map(|path| read_snapshot(path.into())).transpose()?;
        let profile = Profile::builtin(snapshot.as_ref().map_or(kind, |(_, snapshot)| snapshot.profile()))?;
        let mut request = Self {
            profile,
            snapshot,
            name: None,
            pin_pad: false,
            pace: Pace::default(),
            keys: Vec::new(),
            ca: None,
            owner: None,
        };
        for part in parts {
            let (key, value) = part.split_once('=').ok_or_else(|| SetupError::NoValue(part.into()))?;
            settings::set(&mut request, key.trim(), value)?;
        }
        request.profile.check()?;
        Ok(request)
    }
}

impl CardRequest {
    /// The reader's name without its ` RR SS` ending.
    #[must_use]
    pub fn reader_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.profile.card.reader)
    }

    /// Whether its reader has a keypad for PINs.
    #[must_use]
    pub const fn has_pin_pad(&self) -> bool {
        self.pin_pad
    }

    /// How long its commands take.
    #[must_use]
    pub const fn pace(&self) -> &Pace {
        &self.pace
    }

    /// The profile's name.
    #[must_use]
    pub fn profile_name(&self) -> &str {
        &self.profile.name
    }

    /// Makes the card, or opens the one that `world` keeps; keys and certificates are put on a new
    /// one only, all of them or, after a mistake, no card at all.
    ///
    /// # Errors
    /// [`SetupError`], saying what to change.
    pub fn make(&self, world: World) -> Result<Card, SetupError> {
        if let Some((path, snapshot)) = &self.snapshot {
            return snapshot.card(world).map_err(|reason| SetupError::Snapshot { path: path.clone(), reason });
        }
        Card::issue(self.profile.clone(), world, |serial, random| self.keys(serial, random))
    }

    /// Where the key of a card's owner is, and of which kind every program can use it.
    const fn first_slot(&self) -> (u8, Algorithm) {
        match self.profile.gids {
            Some(_) => (0x81, Algorithm::Rsa(2048)),
            None => (0x9A, Algorithm::Ec(Curve::P256)),
        }
    }

    fn keys(&self, serial: u32, random: &mut Random) -> Result<Vec<Issued>, SetupError> {
        let mut ca = None;
        let mut keys = self.keys.clone();
        let first = self.first_slot();
        if self.owner.is_some() && !keys.iter().any(|(slot, _)| *slot == first.0) {
            keys.push((first.0, KeySource::New(first.1)));
        }
        let mut issued = Vec::with_capacity(keys.len());
        for (slot, source) in &keys {
            let files::Loaded { key, certificate } = match source {
                KeySource::Files(key, certificate) => files::load(key, certificate.as_deref())?,
                KeySource::Pkcs12(file, password) => files::load_pkcs12(file, password)?,
                KeySource::New(algorithm) => {
                    let subject = match &self.owner {
                        Some(owner) => format!("CN={}", escaped(owner)),
                        None => format!("CN=cardlab {serial} {slot:02x}"),
                    };
                    new_key(*algorithm, &subject, &mut ca, random).map_err(|_| SetupError::Certificate(*slot))?
                }
            };
            issued.push(Issued { slot: *slot, key, certificate });
        }
        if let (Some(path), Some(ca)) = (&self.ca, &ca) {
            files::write_certificate(path, ca.certificate())?;
        }
        Ok(issued)
    }
}

/// A value in a name as RFC 4514 section 2.4 writes it.
fn escaped(value: &str) -> String {
    let special = |c: char| matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '#' | '=');
    value.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

/// Opens a sealed snapshot.
pub const PASSPHRASE_VARIABLE: &str = "CARDLAB_PASSPHRASE";

fn read_snapshot(path: PathBuf) -> Result<(PathBuf, Arc<Snapshot>), SetupError> {
    let passphrase = std::env::var(PASSPHRASE_VARIABLE).ok().map(Zeroizing::new);
    let text = crate::whole::read_text(&path, crate::whole::TEXT).map_err(|e| SnapshotError::System(e.to_string()));
    let read = text.and_then(|text| Snapshot::read(&Zeroizing::new(text), passphrase.as_ref().map(|p| p.as_str())));
    match read {
        Ok(snapshot) => Ok((path, Arc::new(snapshot))),
        Err(reason) => Err(SetupError::Snapshot { path, reason }),
    }
}

/// A new key with a certificate of the throw-away CA, which is made when it is first needed.
fn new_key(
    algorithm: Algorithm,
    subject: &str,
    ca: &mut Option<throwaway::Authority>,
    random: &mut Random,
) -> Result<files::Loaded, CryptoError> {
    let key = KeyPair::generate(algorithm, random)?;
    let ca = match ca {
        Some(ca) => ca,
        None => ca.insert(throwaway::Authority::new(random)?),
    };
    let certificate = Some(ca.issue(subject, &key, random)?);
    Ok(files::Loaded { key, certificate })
}

impl KeySource {
    fn parse(value: &str) -> Result<Self, SetupError> {
        if let Some(name) = value.strip_prefix("new:") {
            let algorithm = Algorithm::from_name(name).ok_or_else(|| SetupError::UnknownAlgorithm { name: name.into() })?;
            return Ok(Self::New(algorithm));
        }
        let (first, second) = match value.split_once(':') {
            Some((first, second)) => (first, Some(second)),
            None => (value, None),
        };
        let ending = first.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        Ok(match ending.as_str() {
            "p12" | "pfx" => Self::Pkcs12(first.into(), second.unwrap_or_default().into()),
            _ => Self::Files(first.into(), second.map(PathBuf::from)),
        })
    }
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
                .starts_with("no card setting named 'colour'; there are: name, pace, pin-pad, ca, owner, 9a,")
        );
        assert_eq!(error("nist-piv,pin"), "card setting 'pin' has no value; write key=value");
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
