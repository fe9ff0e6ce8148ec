//! Which of a file's certificates belongs to a key, in whatever order they stand.

use super::open::{self, Form};
use super::password::Password;
use super::pbe::Budget;
use super::pem::Block;
use super::{Fault, KeyFileError, pkcs12};
use cardlab_sim::crypto::asymmetric::KeyPair;
use cardlab_sim::crypto::holder::{Holder, KeyName};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::path::Path;

/// The certificate for a key.
pub(super) struct Chosen {
    /// DER; the one that fits, or the first where none does.
    pub(super) certificate: Option<Vec<u8>>,
    /// What a person should know: none fits.
    pub(super) warning: Option<String>,
}

/// All certificates of a file, in its order.
///
/// # Errors
/// [`KeyFileError`] for files that cannot be read or have none.
pub(super) fn read_all(path: &Path) -> Result<Vec<Vec<u8>>, KeyFileError> {
    let fault = |fault| KeyFileError::new(path, fault);
    let certificates = match open::form(&open::read(path)?).map_err(fault)? {
        Form::Pem(blocks) => of_blocks(&blocks),
        Form::Der(bytes) if is_one(&bytes) => vec![bytes.to_vec()],
        Form::Pkcs12(bytes) => pkcs12::open(&bytes, &Password::default(), &Budget::of_a_file()).map_err(fault)?.certificates,
        Form::Der(_) => Vec::new(),
    };
    if certificates.is_empty() { Err(fault(Fault::NoCertificate)) } else { Ok(certificates) }
}

/// The certificates among PEM blocks.
pub(super) fn of_blocks(blocks: &[Block]) -> Vec<Vec<u8>> {
    let is_certificate =
        |block: &&Block| matches!(block.label.as_str(), "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE");
    // Behind a trusted certificate stands what OpenSSL adds to it.
    let first = |block: &Block| block.contents.get(..first_length(&block.contents)?).map(<[u8]>::to_vec);
    blocks.iter().filter(is_certificate).filter_map(first).collect()
}

/// Whether bytes are a certificate in DER.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    Holder::of(bytes).is_some()
}

/// Length of the first structure in DER, with its header.
fn first_length(bytes: &[u8]) -> Option<usize> {
    use der::{Decode, Reader};
    let mut reader = der::SliceReader::new(bytes).ok()?;
    let header = der::Header::decode(&mut reader).ok()?;
    let total = (reader.position() + header.length()).ok()?;
    usize::try_from(total).ok()
}

/// Chooses the certificate of this key.
pub(super) fn choose(mut certificates: Vec<Vec<u8>>, key: &KeyPair) -> Chosen {
    let public = key.public().ok();
    let fits = |der: &Vec<u8>| Holder::of(der).is_some_and(|holder| public.as_ref().is_some_and(|public| public.is_of(&holder)));
    if let Some(at) = certificates.iter().position(fits) {
        return Chosen { certificate: Some(certificates.swap_remove(at)), warning: None };
    }
    if certificates.is_empty() {
        return Chosen { certificate: None, warning: None };
    }
    let first = certificates.swap_remove(0);
    let own = KeyName::of(key).map(|name| name.to_string()).unwrap_or_default();
    let warning = match Holder::of(&first) {
        Some(Holder { subject, key }) => format!("the certificate of '{subject}' is for the key {key}, not for {own}"),
        None => format!("no X.509 certificate that can be read; it is taken as it is for the key {own}"),
    };
    Chosen { certificate: Some(first), warning: Some(warning) }
}

/// A certificate compressed, as `CertInfo` 01 says it (SP 800-73-4 part 1 appendix A, RFC 1952).
#[must_use]
pub fn gzip(der: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(der).and_then(|()| encoder.finish());
    // Memory does not refuse a write.
    written.unwrap_or_default()
}
