//! Key and certificate files: PEM (PKCS#8, PKCS#1, SEC1), DER, PKCS#12.

use cardlab_sim::crypto::asymmetric::KeyPair;
use cardlab_sim::crypto::encoded::{from_pkcs1, from_pkcs8, from_sec1};
use der::pem;
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use std::path::{Path, PathBuf};
use thiserror::Error;
use zeroize::Zeroizing;

/// Why a file cannot be used.
#[derive(Debug, Error)]
#[error("{}: {reason}", path.display())]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong, and what to do.
    pub reason: String,
}

impl FileError {
    fn new(path: &Path, reason: impl ToString) -> Self {
        Self { path: path.into(), reason: reason.to_string() }
    }
}

/// A key pair and its certificate (DER), when there is one.
pub struct Loaded {
    /// The key pair.
    pub key: KeyPair,
    /// Its certificate.
    pub certificate: Option<Vec<u8>>,
}

/// Reads a key, and a certificate from the other file or from the same one.
///
/// # Errors
/// [`FileError`] for files that cannot be read or hold something else.
pub fn load(key: &Path, certificate: Option<&Path>) -> Result<Loaded, FileError> {
    let bytes = read(key)?;
    let pair = private_key(&bytes).map_err(|reason| FileError::new(key, reason))?;
    let certificate = match certificate {
        Some(path) => {
            let bytes = read(path)?;
            let found = find_certificate(&bytes).ok_or_else(|| FileError::new(path, "no X.509 certificate in PEM or DER"))?;
            Some(found)
        }
        None if is_pem(&bytes) => find_certificate(&bytes),
        None => None,
    };
    Ok(Loaded { key: pair, certificate })
}

/// Reads the key and certificate of a PKCS#12 file.
///
/// # Errors
/// [`FileError`] for files that cannot be read, have another password, or no key.
pub fn load_pkcs12(path: &Path, password: &str) -> Result<Loaded, FileError> {
    let bytes = read(path)?;
    let store = KeyStore::from_pkcs12(&bytes, password, Pkcs12ImportPolicy::Relaxed)
        .map_err(|e| FileError::new(path, format!("not a PKCS#12 file of this password ({e}); write FILE.p12:PASSWORD")))?;
    let (_, chain) = store.private_key_chain().ok_or_else(|| FileError::new(path, "no private key in it"))?;
    let key = from_pkcs8(chain.key().as_der()).map_err(|_| FileError::new(path, UNKNOWN_KEY))?;
    Ok(Loaded { key, certificate: chain.certs().first().map(|c| c.as_der().to_vec()) })
}

/// Writes a certificate in PEM.
///
/// # Errors
/// [`FileError`] when it cannot be written.
pub fn write_certificate(path: &Path, der: &[u8]) -> Result<(), FileError> {
    let text = certificate_pem(der).map_err(|e| FileError::new(path, e))?;
    std::fs::write(path, text).map_err(|e| FileError::new(path, e))
}

/// A certificate in PEM.
///
/// # Errors
/// [`pem::Error`] for one of absurd length.
pub fn certificate_pem(der: &[u8]) -> Result<String, pem::Error> {
    pem::encode_string("CERTIFICATE", pem::LineEnding::LF, der)
}

const UNKNOWN_KEY: &str =
    "not a key that cards hold: RSA 1024, 2048, 3072, 4096 with exponent 65537, P-256, P-384, Ed25519, X25519";

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    std::fs::read(path).map(Zeroizing::new).map_err(|e| FileError::new(path, e))
}

fn is_pem(bytes: &[u8]) -> bool {
    bytes.windows(11).any(|w| w == b"-----BEGIN ")
}

/// The PEM blocks of a file: label and contents. Text between them does not matter.
fn blocks(bytes: &[u8]) -> Vec<(String, Zeroizing<Vec<u8>>)> {
    let text = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
    let starts: Vec<usize> = text.match_indices("-----BEGIN ").map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let one = |(start, end): (&usize, usize)| {
        let block = &text[*start..end];
        // The last line of a block is the one that says END; what follows belongs to nobody.
        let end = block.find("-----END ").and_then(|at| block[at + 9..].find("-----").map(|n| at + 9 + n + 5))?;
        let (label, contents) = pem::decode_vec(&block.as_bytes()[..end]).ok()?;
        Some((label.to_owned(), Zeroizing::new(contents)))
    };
    starts.iter().zip(ends).filter_map(one).collect()
}

fn private_key(bytes: &[u8]) -> Result<KeyPair, &'static str> {
    if !is_pem(bytes) {
        return from_pkcs8(bytes).or_else(|_| from_pkcs1(bytes)).or_else(|_| from_sec1(bytes)).map_err(|_| UNKNOWN_KEY);
    }
    let encrypted = bytes.windows(9).any(|w| w == b"ENCRYPTED");
    for (label, der) in blocks(bytes) {
        let key = match label.as_str() {
            "PRIVATE KEY" => from_pkcs8(&der),
            "RSA PRIVATE KEY" => from_pkcs1(&der),
            "EC PRIVATE KEY" => from_sec1(&der),
            _ => continue,
        };
        return key.map_err(|_| UNKNOWN_KEY);
    }
    Err(if encrypted {
        "the private key is encrypted; decrypt it first: openssl pkey -in FILE -out PLAIN"
    } else {
        "no private key in PEM or DER"
    })
}

fn find_certificate(bytes: &[u8]) -> Option<Vec<u8>> {
    if is_pem(bytes) {
        return blocks(bytes).into_iter().find(|(label, _)| label == "CERTIFICATE").map(|(_, der)| der.to_vec());
    }
    let looks_right = cardlab_sim::crypto::certificate::subject(bytes).is_some();
    looks_right.then(|| bytes.to_vec())
}
