//! How values are written in a profile's file: bytes in hexadecimal, ciphers and algorithms by their
//! names.

use crate::crypto::asymmetric::Algorithm;
use cardlab_protocol::admin_key::Cipher;
use serde::de::{Deserialize, Deserializer, Error};

/// Bytes of a hexadecimal text; `None` when it is none, or empty.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    Some(digits.chunks(2).map(|d| (d[0] << 4 | d[1]) as u8).collect())
}

pub(super) fn hex_bytes<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(d)?;
    unhex(&text).ok_or_else(|| Error::custom(format!("'{text}' is not hexadecimal")))
}

/// Tags of PIV data objects.
pub(super) fn tags<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u32>, D::Error> {
    let tags = Vec::<u32>::deserialize(d)?;
    match tags.iter().find(|tag| !(0x5F_0000..=0x5F_FFFF).contains(*tag)) {
        Some(tag) => Err(Error::custom(format!("no data object has the tag {tag:X}"))),
        None => Ok(tags),
    }
}

fn cipher_named<E: Error>(name: &str) -> Result<Cipher, E> {
    Cipher::ALL.into_iter().find(|c| c.name() == name).ok_or_else(|| E::custom(format!("no cipher '{name}'")))
}

pub(super) fn cipher<'de, D: Deserializer<'de>>(d: D) -> Result<Cipher, D::Error> {
    cipher_named(&String::deserialize(d)?)
}

pub(super) fn ciphers<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Cipher>, D::Error> {
    Vec::<String>::deserialize(d)?.iter().map(|n| cipher_named(n)).collect()
}

fn algorithm_named<E: Error>(name: &str) -> Result<Algorithm, E> {
    Algorithm::from_name(name).ok_or_else(|| E::custom(format!("no algorithm '{name}'")))
}

pub(super) fn algorithm<'de, D: Deserializer<'de>>(d: D) -> Result<Algorithm, D::Error> {
    algorithm_named(&String::deserialize(d)?)
}

pub(super) fn algorithms<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Algorithm>, D::Error> {
    Vec::<String>::deserialize(d)?.iter().map(|n| algorithm_named(n)).collect()
}
