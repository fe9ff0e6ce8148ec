//! PKCS#12 (RFC 7292) in BER: keys, certificates and their names. Lengths may be indefinite and strings in pieces, as NSS,
//! Firefox and Bouncy Castle write them.
//!
//! ```text
//! PFX             version 3, authSafe ContentInfo, [MacData]
//! authSafe        SEQUENCE OF ContentInfo: plain (data) or under the password (encryptedData)
//! each of them    SEQUENCE OF SafeBag: a key, a key under the password, a certificate, such a sequence again
//! ```

use super::Fault;
use super::password::Password;
use super::pbe::{self, Algorithm, Budget, Check};
use bcder::decode::{Constructed, DecodeError, SliceSource, Source};
use bcder::{Mode, OctetString, Oid, Tag};
use bytes::Bytes;
use cardlab_sim::crypto::asymmetric::KeyPair;
use cardlab_sim::crypto::encoded::{EncodedError, from_pkcs8};
use const_oid::ObjectIdentifier;
use std::convert::Infallible;
use zeroize::Zeroizing;

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const KEY_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.1");
const SHROUDED_KEY_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.2");
const CERTIFICATE_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.3");
const SAFE_CONTENTS_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.6");
const X509: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.22.1");
const FRIENDLY_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.20");
/// Sequences of bags within each other.
const DEPTH: u8 = 8;

/// What a file holds, in its order.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) keys: Vec<Key>,
    /// X.509 certificates in DER.
    pub(super) certificates: Vec<Vec<u8>>,
}

/// A private key.
pub(super) struct Key {
    /// `friendlyName`.
    pub(super) name: Option<String>,
    /// The key, or why cards do not hold it.
    pub(super) key: Result<KeyPair, EncodedError>,
}

/// The contents of a file.
///
/// # Errors
/// [`Fault`]: the structure is looked at first, then the check value, then what is encrypted, so that a password is blamed
/// for nothing else.
pub(super) fn open(bytes: &[u8], password: &Password, budget: &Budget) -> Result<Contents, Fault> {
    let file = decoded(bytes, pfx)?;
    let Content::Plain(safe) = &file.safe else { return Err(Fault::Cipher("signed by a public key".into())) };
    let parts = decoded(safe, |source| source.take_sequence(|list| many(list, content_info)))?;
    let fits = match &file.check {
        Some(mac) => mac.check().fits(safe, password, budget)?,
        None => true,
    };
    let mut opener = Opener { password, budget, contents: Contents::default() };
    let opened = parts.iter().try_for_each(|part| opener.part(part));
    match (fits, opened) {
        (true, opened) => opened.map(|()| opener.contents),
        // The check value does not fit. When the password opens what is encrypted all the same, it is not the password.
        (false, Ok(())) if parts.iter().any(Content::is_encrypted) => Err(Fault::Changed),
        (false, Err(other @ (Fault::Cipher(_) | Fault::TooMuchWork))) => Err(other),
        (false, _) => Err(Fault::WrongPassword),
    }
}

struct Pfx {
    safe: Content,
    check: Option<Mac>,
}

/// A `ContentInfo`.
enum Content {
    Plain(Zeroizing<Vec<u8>>),
    Encrypted(Algorithm, Vec<u8>),
    Other,
}

struct Mac {
    algorithm: Algorithm,
    value: Vec<u8>,
    salt: Vec<u8>,
    iterations: u32,
}

enum Bag {
    Key(Zeroizing<Vec<u8>>),
    Shrouded(Algorithm, Vec<u8>),
    Certificate(Vec<u8>),
    Nested(Vec<(Self, Option<String>)>),
    Other,
}

impl Content {
    const fn is_encrypted(&self) -> bool {
        matches!(self, Self::Encrypted(..))
    }
}

impl Mac {
    fn check(&self) -> Check<'_> {
        Check { algorithm: &self.algorithm, value: &self.value, salt: &self.salt, iterations: self.iterations }
    }
}

struct Opener<'a> {
    password: &'a Password,
    budget: &'a Budget,
    contents: Contents,
}

impl Opener<'_> {
    fn part(&mut self, part: &Content) -> Result<(), Fault> {
        match part {
            Content::Plain(bytes) => self.bags(decoded(bytes, bags)?),
            Content::Encrypted(algorithm, data) => {
                let opened = pbe::decrypt(algorithm, data, self.password, self.budget, |plain| decoded(plain, bags).ok())?;
                self.bags(opened)
            }
            Content::Other => Ok(()),
        }
    }

    fn bags(&mut self, bags: Vec<(Bag, Option<String>)>) -> Result<(), Fault> {
        for (bag, name) in bags {
            match bag {
                Bag::Key(der) => self.contents.keys.push(Key { name, key: from_pkcs8(&der) }),
                Bag::Shrouded(algorithm, data) => {
                    let key = pbe::decrypt(&algorithm, &data, self.password, self.budget, key_within)?;
                    self.contents.keys.push(Key { name, key });
                }
                Bag::Certificate(der) => self.contents.certificates.push(der),
                Bag::Nested(bags) => self.bags(bags)?,
                Bag::Other => {}
            }
        }
        Ok(())
    }
}

type Decoded<T, S> = Result<T, DecodeError<<S as Source>::Error>>;

fn decoded<'a, T>(
    bytes: &'a [u8],
    what: impl FnOnce(&mut Constructed<'_, SliceSource<'a>>) -> Result<T, DecodeError<Infallible>>,
) -> Result<T, Fault> {
    Mode::Ber.decode(bytes, what).map_err(|_| Fault::Structure)
}

/// All values of a sequence.
fn many<S: Source, T>(
    list: &mut Constructed<'_, S>,
    one: fn(&mut Constructed<'_, S>) -> Decoded<Option<T>, S>,
) -> Decoded<Vec<T>, S> {
    let mut all = Vec::new();
    while let Some(next) = one(list)? {
        all.push(next);
    }
    Ok(all)
}

fn pfx<S: Source>(source: &mut Constructed<'_, S>) -> Decoded<Pfx, S> {
    source.take_sequence(|pfx| {
        pfx.skip_u8_if(3)?;
        let safe = content_info(pfx)?.ok_or_else(|| pfx.content_err("no contents"))?;
        Ok(Pfx { safe, check: pfx.take_opt_sequence(mac)? })
    })
}

/// `MacData ::= SEQUENCE { mac DigestInfo, macSalt OCTET STRING, iterations INTEGER DEFAULT 1 }`
fn mac<S: Source>(mac: &mut Constructed<'_, S>) -> Decoded<Mac, S> {
    let (algorithm, value) = mac.take_sequence(|info| Ok((algorithm(info)?, octets(info)?)))?;
    let salt = octets(mac)?;
    let iterations = mac.take_opt_primitive_if(Tag::INTEGER, |number| number.to_u32())?.unwrap_or(1);
    Ok(Mac { algorithm, value, salt, iterations })
}

fn content_info<S: Source>(list: &mut Constructed<'_, S>) -> Decoded<Option<Content>, S> {
    list.take_opt_sequence(|info| {
        let kind = oid(info)?;
        if kind == DATA {
            let data = info.take_opt_constructed_if(Tag::CTX_0, octets)?.unwrap_or_default();
            return Ok(Content::Plain(Zeroizing::new(data)));
        }
        if kind == ENCRYPTED_DATA {
            return info.take_constructed_if(Tag::CTX_0, |data| {
                data.take_sequence(|data| {
                    data.take_u8()?;
                    let content = data.take_sequence(|info| {
                        oid(info)?;
                        let algorithm = algorithm(info)?;
                        let data = info.take_opt_value_if(Tag::CTX_0, |data| OctetString::from_content(data))?;
                        Ok(Content::Encrypted(algorithm, data.map(|data| data.to_bytes().to_vec()).unwrap_or_default()))
                    })?;
                    skip_rest(data)?;
                    Ok(content)
                })
            });
        }
        skip_rest(info)?;
        Ok(Content::Other)
    })
}

fn bags<S: Source>(source: &mut Constructed<'_, S>) -> Decoded<Vec<(Bag, Option<String>)>, S> {
    source.take_sequence(|list| bags_within(list, DEPTH))
}

fn bags_within<S: Source>(list: &mut Constructed<'_, S>, depth: u8) -> Decoded<Vec<(Bag, Option<String>)>, S> {
    let mut all = Vec::new();
    while let Some(bag) = list.take_opt_sequence(|bag| {
        let kind = oid(bag)?;
        let value = bag.take_constructed_if(Tag::CTX_0, |value| contents(kind, value, depth))?;
        let name = bag.take_opt_set(friendly_name)?.flatten();
        Ok((value, name))
    })? {
        all.push(bag);
    }
    Ok(all)
}

fn contents<S: Source>(kind: ObjectIdentifier, value: &mut Constructed<'_, S>, depth: u8) -> Decoded<Bag, S> {
    match kind {
        KEY_BAG => Ok(Bag::Key(Zeroizing::new(value.capture_one()?.into_bytes().into()))),
        SHROUDED_KEY_BAG => value.take_sequence(|key| Ok(Bag::Shrouded(algorithm(key)?, octets(key)?))),
        CERTIFICATE_BAG => value.take_sequence(|certificate| {
            let kind = oid(certificate)?;
            let der = certificate.take_constructed_if(Tag::CTX_0, |value| {
                if kind == X509 { octets(value).map(Some) } else { skip_rest(value).map(|()| None) }
            })?;
            Ok(der.map_or(Bag::Other, Bag::Certificate))
        }),
        SAFE_CONTENTS_BAG => match depth.checked_sub(1) {
            Some(depth) => value.take_sequence(|list| Ok(Bag::Nested(bags_within(list, depth)?))),
            None => Err(value.content_err("bags within bags without end")),
        },
        _ => skip_rest(value).map(|()| Bag::Other),
    }
}

/// The `friendlyName` among a bag's attributes.
fn friendly_name<S: Source>(attributes: &mut Constructed<'_, S>) -> Decoded<Option<String>, S> {
    let mut name = None;
    while let Some(found) = attributes.take_opt_sequence(|attribute| {
        if oid(attribute)? != FRIENDLY_NAME {
            skip_rest(attribute)?;
            return Ok(None);
        }
        attribute.take_set(|values| {
            let text = values.take_opt_primitive_if(Tag::BMP_STRING, |text| text.take_all())?;
            skip_rest(values)?;
            Ok(text)
        })
    })? {
        name = name.or(found);
    }
    Ok(name.map(|text: Bytes| {
        let units = text.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    }))
}

fn algorithm<S: Source>(source: &mut Constructed<'_, S>) -> Decoded<Algorithm, S> {
    source.take_sequence(|algorithm| {
        let oid = oid(algorithm)?;
        Ok(Algorithm {
            oid,
            parameters: Zeroizing::new(
                algorithm.capture(|parameters| parameters.skip_opt(|_, _, _| Ok(())).map(drop))?.into_bytes().to_vec(),
            ),
        })
    })
}

/// Skips what is left, also where the end is told by a value of its own: `skip_all` wants a value there.
fn skip_rest<S: Source>(source: &mut Constructed<'_, S>) -> Decoded<(), S> {
    while source.skip_opt(|_, _, _| Ok(()))?.is_some() {}
    Ok(())
}

fn oid<S: Source>(source: &mut Constructed<'_, S>) -> Decoded<ObjectIdentifier, S> {
    let oid = Oid::take_from(source)?;
    ObjectIdentifier::from_bytes(oid.0.as_ref()).map_err(|_| source.content_err("no object identifier"))
}

fn octets<S: Source>(source: &mut Constructed<'_, S>) -> Decoded<Vec<u8>, S> {
    // Not copied where it stands in one piece: it may be a key.
    Ok(OctetString::take_from(source)?.into_bytes().into())
}

/// The key in an `EncryptedPrivateKeyInfo` (RFC 5958 section 3); one that cards do not hold is an error of its own.
///
/// # Errors
/// [`Fault`].
pub(super) fn open_key(bytes: &[u8], password: &Password, budget: &Budget) -> Result<Result<KeyPair, EncodedError>, Fault> {
    let (algorithm, data) = encrypted_key(bytes)?;
    pbe::decrypt(&algorithm, &data, password, budget, key_within)
}

/// The key in a plain text, which is PKCS#8: that tells the right password from one whose padding is right by chance.
fn key_within(plain: &[u8]) -> Option<Result<KeyPair, EncodedError>> {
    Some(from_pkcs8(plain)).filter(|key| !matches!(key, Err(EncodedError::Form)))
}

/// Whether bytes are an `EncryptedPrivateKeyInfo`.
pub(super) fn is_encrypted_key(bytes: &[u8]) -> bool {
    encrypted_key(bytes).is_ok()
}

fn encrypted_key(bytes: &[u8]) -> Result<(Algorithm, Vec<u8>), Fault> {
    decoded(bytes, |source| source.take_sequence(|key| Ok((algorithm(key)?, octets(key)?))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nesting_without_end_is_refused_without_a_word_too_many() {
        // A PFX whose contents are sequences (definite, indefinite) and strings within each other.
        for opening in [&b"\x30\x80"[..], b"\x24\x80", b"\xA0\x80"] {
            let deep = [
                &b"\x30\x80\x02\x01\x03\x30\x80\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01\xA0\x80"[..],
                &opening.repeat(400_000),
            ]
            .concat();
            assert_eq!(open(&deep, &Password::new(""), &Budget::of_a_file()).err(), Some(Fault::Structure));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_no_key_store(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(open(&bytes, &Password::new("a"), &Budget::of_a_file()).is_err());
            prop_assert!(!is_encrypted_key(&bytes) || bytes[0] == 0x30);
        }
    }
}
