//! Keys and certificates that an issuer puts on a new GIDS card, where Windows' minidriver and OpenSC look for them.
//!
//! The key reference 81 is container 0, and so on.
//!
//! | what | where | bytes |
//! |---|---|---|
//! | key file | B081 | for decryption and signatures, with the PIN |
//! | key map | A000, DF20 | `01`, then 12 for each: state (u32 LE, 1), algorithm, type 9A, key file (u16 LE), FFFF, 0000 |
//! | `mscp\cmapfile` | A010, DF23 | 86 for each: name (UTF-16LE, 80), flags (1 valid, 2 default), 0, bits of a signature key (u16 LE), of an exchange key (u16 LE) |
//! | `mscp\kxc00` | A010, DF24 | `01 00`, length (u16 LE), the certificate packed by zlib |

use super::files;
use super::keypair::identifier;
use crate::crypto::asymmetric::Algorithm;
use crate::crypto::ec::Curve;
use crate::issued::Issued;
use crate::keys::{self, Origin, PinPolicy, Slot, TouchPolicy};
use crate::nvm::Transaction;
use crate::profile::Profile;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::tlv;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write;

/// Key reference of container 0.
const FIRST: u8 = 0x81;
/// Key reference of the last container that an issuer fills.
const LAST: u8 = 0x8F;
/// Generate, use and put with the PIN; everybody reads the public key.
const RULES: [u8; 5] = [0x8F, 0x10, 0x10, 0x10, 0x00];
/// Uses of an exchange key: tag of the control reference template, upper half of the algorithm reference.
const USES: [(u32, u8); 5] = [(0xB8, 0x00), (0xB8, 0x80), (0xB8, 0x40), (0xB6, 0x10), (0xB6, 0x50)];
/// A key for signatures and decryption, AT_KEYEXCHANGE.
const EXCHANGE: u8 = 0x9A;
const CONTAINER: usize = 86;
/// Longest name of a container, without the zero behind it.
const LONGEST_NAME: usize = 39;
const VALID: u8 = 0x01;
const DEFAULT: u8 = 0x02;

/// Whether a card of this profile can hold it.
pub(crate) fn check(issued: &Issued, profile: &Profile) -> Result<(), String> {
    if !(FIRST..=LAST).contains(&issued.slot) {
        return Err(format!("a {} has no such slot; put keys on it with pkcs11-tool or pkcs15-init", profile.name));
    }
    if !profile.gids().initialised {
        return Err(format!("a {} has no file system yet; gids-tool --initialize makes it", profile.name));
    }
    issued.check_algorithm(profile, &profile.gids().algorithms)?;
    // Its length is written in two bytes.
    if issued.certificate.as_ref().is_some_and(|certificate| u16::try_from(certificate.len()).is_err()) {
        return Err(format!("the certificate is longer than {} bytes", u16::MAX));
    }
    Ok(())
}

/// What the minidriver's files say of the keys.
#[derive(Default)]
pub(super) struct Containers {
    /// `mscp\cmapfile`; empty without keys.
    pub(super) map: Vec<u8>,
    /// The key map; `None` without keys.
    pub(super) keys: Option<Vec<u8>>,
    /// Certificate files: name in `mscp`, contents.
    pub(super) certificates: Vec<(String, Vec<u8>)>,
}

impl Containers {
    pub(super) fn of(issued: &[Issued]) -> Result<Self, Abort> {
        let mut containers = Self::default();
        let Some(last) = issued.iter().map(|one| one.slot).max() else { return Ok(containers) };
        let mut keys = vec![0x01];
        for reference in FIRST..=last {
            let number = reference - FIRST;
            let Some(one) = issued.iter().find(|one| one.slot == reference) else {
                containers.map.extend_from_slice(&[0; CONTAINER]);
                keys.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0]);
                continue;
            };
            let algorithm = one.key.algorithm();
            let flags = if reference == FIRST { VALID | DEFAULT } else { VALID };
            containers.map.extend(container(&format!("cardlab {number:02X}"), flags, bits(algorithm)));
            keys.extend_from_slice(&[1, 0, 0, 0, identifier(algorithm).ok_or(StatusWord::INTERNAL)?, EXCHANGE]);
            keys.extend_from_slice(&files::key_file(reference).to_le_bytes());
            keys.extend_from_slice(&[0xFF, 0xFF, 0, 0]);
            if let Some(certificate) = &one.certificate {
                containers.certificates.push((format!("kxc{number:02X}"), packed(certificate)?));
            }
        }
        containers.keys = Some(keys);
        Ok(containers)
    }
}

/// Writes the keys and their files.
pub(super) fn write_keys(transaction: &mut Transaction<'_>, issued: &[Issued]) -> Result<(), Abort> {
    for one in issued {
        let algorithm = identifier(one.key.algorithm()).ok_or(StatusWord::INTERNAL)?;
        let usage = |(template, use_of_it): &(u32, u8)| {
            let algorithm = tlv::encode(0x80, &[use_of_it | algorithm]);
            tlv::encode(*template, &[algorithm, tlv::encode(0x83, &[one.slot]), tlv::encode(0x95, &[0x40])].concat())
        };
        let usages = USES.iter().map(usage).collect::<Vec<_>>().concat();
        super::factory::write_file(transaction, files::key_file(one.slot), 0x18, &RULES, &usages)?;
        let slot = Slot { key: one.key.clone(), origin: Origin::Imported, pin: PinPolicy::Never, touch: TouchPolicy::Never };
        keys::store(transaction, one.slot, &slot)?;
    }
    Ok(())
}

fn container(name: &str, flags: u8, bits: u16) -> Vec<u8> {
    let mut record: Vec<u8> = name.encode_utf16().take(LONGEST_NAME).flat_map(u16::to_le_bytes).collect();
    record.resize(2 * (LONGEST_NAME + 1), 0);
    record.extend_from_slice(&[flags, 0, 0, 0]);
    record.extend_from_slice(&bits.to_le_bytes());
    record
}

const fn bits(algorithm: Algorithm) -> u16 {
    match algorithm {
        Algorithm::Rsa(bits) => bits,
        Algorithm::Ec(Curve::P256) | Algorithm::Ed25519 | Algorithm::X25519 => 256,
        Algorithm::Ec(Curve::P384) => 384,
        Algorithm::Ec(Curve::P521) => 521,
    }
}

fn packed(certificate: &[u8]) -> Result<Vec<u8>, Abort> {
    let length = u16::try_from(certificate.len()).map_err(|_| StatusWord::INTERNAL)?;
    let header = [&[0x01, 0x00][..], &length.to_le_bytes()].concat();
    let mut packing = ZlibEncoder::new(header, Compression::best());
    packing.write_all(certificate).and_then(|()| packing.finish()).map_err(|_| StatusWord::INTERNAL.into())
}
