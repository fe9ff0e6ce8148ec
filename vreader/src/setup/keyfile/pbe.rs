//! Encryption under a password: PBES2 (RFC 8018), and the schemes of PKCS#12 (RFC 7292 appendix C) that old files have.
//!
//! How often a file wants a password hashed is its own word. A [`Budget`] over the whole file says where that ends.

use super::Fault;
use super::cbc::Cipher;
use super::password::Password;
use const_oid::ObjectIdentifier;
use der::Decode;
use hmac::{KeyInit, Mac, SimpleHmac};
use pkcs5::pbes2::{self, Kdf};
use sha1::Sha1;
use sha2::digest::block_api::BlockSizeUser;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use std::cell::Cell;
use zeroize::Zeroizing;

const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");
const PBMAC1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.14");
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA224: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.4");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
/// `pkcs-12PbeIds`, and the cipher of each; both RC4 are not among them.
const PKCS12: [(ObjectIdentifier, Cipher); 4] = [
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3"), Cipher::TripleDes3),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.4"), Cipher::TripleDes2),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.5"), Cipher::Rc2),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.6"), Cipher::Rc2Weak),
];

/// Hashes that a whole file may cost: about two seconds, of SHA-512. Real files want 2,000 to 1,000,000 for each of two or three
/// parts, and a wrong password is tried in two or three forms.
const HASHES: u64 = 6_000_000;
/// The most memory that scrypt may take: OpenSSL's default is 16 MiB; 128 MiB is what OWASP's Password Storage Cheat Sheet asks for.
const SCRYPT_MEMORY: u64 = 128 << 20;
/// Bytes that scrypt fills and reads again in the time of a hash.
const SCRYPT_SPEED: u64 = 128;
/// Hashes in the time of a round of bcrypt, which takes five milliseconds.
const BCRYPT: u64 = 12_000;

/// What is left of the work that a file may cause.
pub(super) struct Budget(Cell<u64>);

impl Budget {
    /// That of one file.
    pub(super) const fn of_a_file() -> Self {
        Self(Cell::new(HASHES))
    }

    /// Takes what so many hashes cost, before they are computed.
    fn spend(&self, hashes: u64) -> Result<(), Fault> {
        self.0.set(self.0.get().checked_sub(hashes).ok_or(Fault::TooMuchWork)?);
        Ok(())
    }

    /// Takes what so many rounds of bcrypt cost (`ssh-keygen -a`, which has 24 by itself).
    ///
    /// # Errors
    /// [`Fault::TooMuchWork`].
    pub(super) fn spend_bcrypt(&self, rounds: u32) -> Result<(), Fault> {
        self.spend(BCRYPT * u64::from(rounds))
    }
}

/// `AlgorithmIdentifier`: which algorithm, and its parameters in DER.
pub(super) struct Algorithm {
    pub(super) oid: ObjectIdentifier,
    pub(super) parameters: Zeroizing<Vec<u8>>,
}

impl Algorithm {
    /// Its name, or its object identifier.
    pub(super) fn name(&self) -> String {
        cardlab_sim::crypto::encoded::name(&self.oid)
    }
}

/// What `open` makes of the plain text that `algorithm` encrypted. A password has several forms; the first whose plain text opens is
/// right.
///
/// # Errors
/// [`Fault::WrongPassword`] when none opens, [`Fault::Cipher`] for other algorithms, [`Fault::TooMuchWork`],
/// [`Fault::Structure`] for parameters or data that cannot be.
pub(super) fn decrypt<T>(
    algorithm: &Algorithm,
    data: &[u8],
    password: &Password,
    budget: &Budget,
    open: impl Fn(&[u8]) -> Option<T>,
) -> Result<T, Fault> {
    if algorithm.oid == PBES2 {
        let parameters = pbes2::Parameters::from_der(&algorithm.parameters).map_err(|_| Fault::Cipher(algorithm.name()))?;
        // UTF-8 by the standard; NSS gave it PKCS#12's form for years.
        let forms = std::iter::once(Zeroizing::new(password.utf8().to_vec())).chain(password.wide());
        for form in forms {
            spend(&parameters.kdf, budget)?;
            let mut plain = Zeroizing::new(data.to_vec());
            match parameters.decrypt_in_place(&*form, &mut plain).map(&open) {
                Ok(Some(opened)) => return Ok(opened),
                Ok(None) | Err(pkcs5::Error::DecryptFailed | pkcs5::Error::EncryptFailed) => {}
                Err(_) => return Err(Fault::Cipher(algorithm.name())),
            }
        }
        return Err(Fault::WrongPassword);
    }
    let (_, cipher) = PKCS12.iter().find(|known| known.0 == algorithm.oid).ok_or_else(|| Fault::Cipher(algorithm.name()))?;
    let (salt, iterations) = parameters(&algorithm.parameters)?;
    if data.is_empty() || !data.len().is_multiple_of(cipher.block_length()) {
        return Err(Fault::Structure);
    }
    for form in password.wide() {
        budget.spend(2 * u64::from(iterations))?;
        let key = derive::<Sha1>(&form, salt, Purpose::Key, iterations, cipher.key_length());
        let vector = derive::<Sha1>(&form, salt, Purpose::Vector, iterations, cipher.block_length());
        if let Some(opened) = cipher.decrypt(&key, &vector, data).and_then(|plain| open(&plain)) {
            return Ok(opened);
        }
    }
    Err(Fault::WrongPassword)
}

fn spend(kdf: &Kdf, budget: &Budget) -> Result<(), Fault> {
    match kdf {
        Kdf::Pbkdf2(pbkdf2) => budget.spend(pbkdf2.iteration_count.into()),
        Kdf::Scrypt(scrypt) => {
            let memory = scrypt.cost_parameter.checked_mul(128 * u64::from(scrypt.block_size));
            let memory = memory.filter(|memory| *memory <= SCRYPT_MEMORY).ok_or(Fault::TooMuchWork)?;
            budget.spend(memory / SCRYPT_SPEED * u64::from(scrypt.parallelization))
        }
        _ => Err(Fault::Cipher("another derivation of keys".into())),
    }
}

/// `pkcs-12PbeParams ::= SEQUENCE { salt OCTET STRING, iterations INTEGER }`
fn parameters(der: &[u8]) -> Result<(&[u8], u32), Fault> {
    use der::Reader;
    let parsed = der::SliceReader::new(der).and_then(|mut reader| {
        reader.sequence(|reader: &mut der::SliceReader<'_>| -> der::Result<_> {
            Ok((<&der::asn1::OctetStringRef>::decode(reader)?.as_bytes(), u32::decode(reader)?))
        })
    });
    parsed.ok().filter(|(_, iterations)| *iterations > 0).ok_or(Fault::Structure)
}

/// The check value over a PKCS#12 file, RFC 7292 appendix B.4.
pub(super) struct Check<'a> {
    /// The hash.
    pub(super) algorithm: &'a Algorithm,
    /// Its value.
    pub(super) value: &'a [u8],
    /// Salt of the key's derivation.
    pub(super) salt: &'a [u8],
    /// How often that hashes.
    pub(super) iterations: u32,
}

impl Check<'_> {
    /// Whether it is the check value of `data` under this password.
    ///
    /// # Errors
    /// [`Fault::Cipher`] for another hash, [`Fault::TooMuchWork`].
    pub(super) fn fits(&self, data: &[u8], password: &Password, budget: &Budget) -> Result<bool, Fault> {
        let fits = match self.algorithm.oid {
            SHA1 => Self::under::<Sha1>,
            SHA224 => Self::under::<Sha224>,
            SHA256 => Self::under::<Sha256>,
            SHA384 => Self::under::<Sha384>,
            SHA512 => Self::under::<Sha512>,
            PBMAC1 => return self.pbmac1(data, password, budget),
            _ => return Err(Fault::Cipher(self.algorithm.name())),
        };
        for form in password.wide() {
            budget.spend(self.iterations.into())?;
            if fits(self, data, &form) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn under<D: Digest + BlockSizeUser + Clone>(&self, data: &[u8], password: &[u8]) -> bool {
        let key = derive::<D>(password, self.salt, Purpose::Check, self.iterations, <D as Digest>::output_size());
        is_mac::<D>(&key, data, self.value)
    }

    /// RFC 9579: PBKDF2 and HMAC, as PBES2 has PBKDF2 and a cipher.
    fn pbmac1(&self, data: &[u8], password: &Password, budget: &Budget) -> Result<bool, Fault> {
        let parameters = Pbmac1::of(&self.algorithm.parameters).ok_or_else(|| Fault::Cipher(self.algorithm.name()))?;
        budget.spend(parameters.iterations.into())?;
        let mut key = Zeroizing::new(vec![0; parameters.key_length]);
        let Pbmac1 { salt, iterations, prf, mac, .. } = parameters;
        let unknown = || Fault::Cipher(self.algorithm.name());
        match prf {
            HMAC_SHA256 => pbkdf2::pbkdf2_hmac::<Sha256>(password.utf8(), salt, iterations, &mut key),
            HMAC_SHA384 => pbkdf2::pbkdf2_hmac::<Sha384>(password.utf8(), salt, iterations, &mut key),
            HMAC_SHA512 => pbkdf2::pbkdf2_hmac::<Sha512>(password.utf8(), salt, iterations, &mut key),
            _ => return Err(unknown()),
        }
        Ok(match mac {
            HMAC_SHA256 => is_mac::<Sha256>(&key, data, self.value),
            HMAC_SHA384 => is_mac::<Sha384>(&key, data, self.value),
            HMAC_SHA512 => is_mac::<Sha512>(&key, data, self.value),
            _ => return Err(unknown()),
        })
    }
}

const HMAC_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.9");
const HMAC_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.10");
const HMAC_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.11");
const PBKDF2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.12");

/// `PBMAC1-params ::= SEQUENCE { keyDerivationFunc, messageAuthScheme }`, RFC 8018 appendix A.5; RFC 9579 wants the key's
/// length told.
struct Pbmac1<'a> {
    salt: &'a [u8],
    iterations: u32,
    key_length: usize,
    prf: ObjectIdentifier,
    mac: ObjectIdentifier,
}

impl<'a> Pbmac1<'a> {
    fn of(der: &'a [u8]) -> Option<Self> {
        use der::Reader;
        use pkcs5::AlgorithmIdentifierRef;
        let mut reader = der::SliceReader::new(der).ok()?;
        let (derivation, mac) = reader
            .sequence(|reader: &mut der::SliceReader<'a>| -> der::Result<_> {
                Ok((AlgorithmIdentifierRef::decode(reader)?, AlgorithmIdentifierRef::decode(reader)?))
            })
            .ok()?;
        let parameters = derivation.parameters.filter(|_| derivation.oid == PBKDF2)?;
        let (salt, iterations, length, prf) = parameters
            .sequence(|reader| -> der::Result<_> {
                let salt = <&der::asn1::OctetStringRef>::decode(reader)?.as_bytes();
                Ok((salt, u32::decode(reader)?, u16::decode(reader)?, AlgorithmIdentifierRef::decode(reader)?.oid))
            })
            .ok()?;
        // As long as a hash: a shorter key is refused by the standard, a longer one serves nobody.
        let key_length = Some(usize::from(length)).filter(|length| (20..=64).contains(length) && iterations > 0)?;
        Some(Self { salt, iterations, key_length, prf, mac: mac.oid })
    }
}

fn is_mac<D: Digest + BlockSizeUser + Clone>(key: &[u8], data: &[u8], value: &[u8]) -> bool {
    let Ok(mac) = SimpleHmac::<D>::new_from_slice(key) else { return false };
    mac.chain_update(data).verify_slice(value).is_ok()
}

/// What a derived key is for: the diversifier of RFC 7292 appendix B.3.
#[derive(Clone, Copy)]
enum Purpose {
    Key = 1,
    Vector = 2,
    Check = 3,
}

/// PKCS#12's derivation of keys, RFC 7292 appendix B.2: blocks of the hash over diversifier, salt and password, the last
/// two taken as numbers to which each block is added.
fn derive<D: Digest + BlockSizeUser>(
    password: &[u8],
    salt: &[u8],
    purpose: Purpose,
    iterations: u32,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let block = D::block_size();
    let whole = |bytes: &[u8]| bytes.len().div_ceil(block) * block;
    // Of its full size from the beginning: what grows leaves the password where it was.
    let mut input = Zeroizing::new(Vec::with_capacity(whole(salt) + whole(password)));
    for bytes in [salt, password] {
        input.extend(bytes.iter().copied().cycle().take(whole(bytes)));
    }
    let mut key = Zeroizing::new(Vec::with_capacity(length + <D as Digest>::output_size()));
    while key.len() < length {
        let mut hash = D::new().chain_update(vec![purpose as u8; block]).chain_update(&*input).finalize();
        for _ in 1..iterations {
            hash = D::digest(&hash);
        }
        key.extend_from_slice(&hash);
        for part in input.chunks_exact_mut(block) {
            let mut carry = 1;
            for (byte, add) in part.iter_mut().rev().zip(hash.iter().cycle().take(block).collect::<Vec<_>>().iter().rev()) {
                carry += u16::from(*byte) + u16::from(**add);
                *byte = carry as u8;
                carry >>= 8;
            }
        }
    }
    key.truncate(length);
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;
    use proptest::prelude::*;

    /// `openssl kdf -keylen 24 -kdfopt digest:SHA1 -kdfopt hexpass:.. -kdfopt hexsalt:.. -kdfopt iter:.. -kdfopt id:N PKCS12KDF`
    #[test]
    fn keys_are_those_of_openssl() {
        let password = Password::new("queeg").wide().remove(0);
        let salt = hex!("05DEC959ACFF72F7");
        assert_eq!(
            derive::<Sha1>(&password, &salt, Purpose::Key, 1000, 24)[..],
            hex!("ED2034E36328830FF09DF1E1A07DD357185DAC0D4F9EB3D4")
        );
        assert_eq!(
            derive::<Sha256>(&password, &salt, Purpose::Check, 7, 80)[..],
            hex!(
                "A2F8B733120D35E181E7096C9C5BFC989781436AF59F7E4D3E948FD59AAED7A5046E1F80754899A6357C097833"
                "6116FAABDBA9F5D51496DCBEF9169C25AD6E06CBEC2805742C1ACB0F75152AD8EDB598"
            )
        );
        assert_eq!(derive::<Sha512>(&[0; 2], &[], Purpose::Vector, 2, 8)[..], hex!("F650DD4A6D6D584F"));
    }

    #[test]
    fn work_ends_with_the_budget() {
        let budget = Budget::of_a_file();
        assert_eq!(budget.spend(HASHES), Ok(()));
        assert_eq!(budget.spend(1), Err(Fault::TooMuchWork));
        assert_eq!(Budget::of_a_file().spend_bcrypt(500), Ok(()));
        assert_eq!(Budget::of_a_file().spend_bcrypt(501), Err(Fault::TooMuchWork));
    }

    /// As files have them that are as strong as their writers can make them: a million hashes for a check value, for certificates and
    /// for a key, under a password of three forms that is wrong in the first two; or scrypt as OWASP asks for it.
    #[test]
    fn files_that_are_real_can_be_paid_for() {
        let budget = Budget::of_a_file();
        assert_eq!((0..5).try_for_each(|_| budget.spend(1_000_000)), Ok(()));
        let scrypt = |cost, parallelization| {
            let salt = pbes2::Salt::new(&[1; 16][..]).unwrap();
            let scrypt = pbes2::ScryptParams { salt, cost_parameter: cost, block_size: 8, parallelization, key_length: None };
            spend(&Kdf::Scrypt(scrypt), &Budget::of_a_file())
        };
        assert_eq!(scrypt(1 << 17, 1), Ok(()));
        assert_eq!(scrypt(1 << 16, 2), Ok(()));
        assert_eq!(scrypt(1 << 18, 1), Err(Fault::TooMuchWork));
        assert_eq!(scrypt(1 << 17, 6), Err(Fault::TooMuchWork));
        assert_eq!(scrypt(1 << 61, 1), Err(Fault::TooMuchWork));
    }

    proptest! {
        #[test]
        fn any_parameters_are_taken_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60), scheme in 0usize..6) {
            let oid = [PBES2, PKCS12[0].0, PKCS12[1].0, PKCS12[2].0, PKCS12[3].0, SHA1][scheme];
            let algorithm = Algorithm { oid, parameters: Zeroizing::new(bytes.clone()) };
            let budget = Budget(Cell::new(1000));
            prop_assert!(decrypt(&algorithm, &[0; 16], &Password::new("a"), &budget, |_| None::<()>).is_err());
            prop_assert!(Pbmac1::of(&bytes).is_none_or(|parameters| parameters.key_length <= 64));
        }
    }
}
