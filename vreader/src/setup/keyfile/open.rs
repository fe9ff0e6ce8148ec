//! Reading a file that somebody names, and telling what it is: whole, but never more than a key file can have.

use super::pem::{self, Block};
use super::{Fault, KeyFileError};
use cardlab_whole as whole;
use std::io::ErrorKind;
use std::path::Path;
use zeroize::Zeroizing;

/// The most bytes of a file that is read: the largest key store with a long chain has a hundredth of it.
pub const LIMIT: u64 = 1 << 20;

/// What a file holds.
pub(super) enum Form {
    /// PEM blocks.
    Pem(Vec<Block>),
    /// PKCS#12, in BER.
    Pkcs12(Zeroizing<Vec<u8>>),
    /// One structure of ASN.1 that is not PKCS#12.
    Der(Zeroizing<Vec<u8>>),
}

/// The bytes of a file that cannot be empty; otherwise as [`read_any`].
///
/// # Errors
/// [`KeyFileError`].
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let bytes = read_any(path)?;
    if bytes.is_empty() { Err(KeyFileError::new(path, Fault::Empty)) } else { Ok(bytes) }
}

/// The bytes of a file, of a pipe of a shell (`<(..)`), or of a device that gives what it has at once.
///
/// # Errors
/// [`KeyFileError`] for a directory, a named pipe, more than [`LIMIT`], and what the system says.
pub fn read_any(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let fault = |e: std::io::Error| match e.kind() {
        ErrorKind::IsADirectory => Fault::Directory,
        ErrorKind::FileTooLarge => Fault::TooLarge,
        _ => Fault::System(e.to_string()),
    };
    whole::read(path, LIMIT).map(Zeroizing::new).map_err(|e| KeyFileError::new(path, fault(e)))
}

/// What these bytes are.
///
/// # Errors
/// [`Fault::Foreign`] for what is known not to be taken, with the command that converts it.
pub(super) fn form(bytes: &[u8]) -> Result<Form, Fault> {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Some(foreign) = foreign(text) {
        return Err(foreign);
    }
    if pem::is_pem(text) {
        let blocks = pem::blocks(text)?;
        return Ok(match blocks.iter().position(|block| matches!(block.label.as_str(), "PKCS12" | "PFX")) {
            Some(at) => Form::Pkcs12(blocks[at].contents.clone()),
            None => Form::Pem(blocks),
        });
    }
    Ok(if is_pkcs12(text) { Form::Pkcs12(Zeroizing::new(text.to_vec())) } else { Form::Der(Zeroizing::new(text.to_vec())) })
}

/// Whether a SEQUENCE begins with version 3, as a PFX does (RFC 7292 section 4).
fn is_pkcs12(bytes: &[u8]) -> bool {
    let [0x30, length, rest @ ..] = bytes else { return false };
    let more = if *length > 0x80 { usize::from(length & 0x7F) } else { 0 };
    rest.get(more..).is_some_and(|contents| contents.starts_with(&[0x02, 0x01, 0x03]))
}

fn foreign(bytes: &[u8]) -> Option<Fault> {
    let is = |start: &[u8]| bytes.starts_with(start);
    let utf16 = is(b"\xFF\xFE") || is(b"\xFE\xFF") || is(b"-\0-\0") || is(b"\0-\0-");
    let (what, command) = if utf16 {
        ("text in UTF-16", "iconv -f UTF-16 -t UTF-8 FILE > NEW")
    } else if is(b"\xFE\xED\xFE\xED") || is(b"\xCE\xCE\xCE\xCE") {
        ("a Java key store", "keytool -importkeystore -srckeystore FILE -destkeystore NEW.p12 -deststoretype PKCS12")
    } else if is(b"PuTTY-User-Key-File") {
        ("a PuTTY key", "puttygen FILE -O private-openssh-new -o NEW")
    } else if is(b"SQLite format 3") {
        ("a database (of NSS?)", "pk12util -d DIRECTORY -n NAME -o NEW.p12")
    } else if is(b"PK\x03\x04") || is(b"\x1F\x8B") {
        ("an archive", "unzip FILE, or gunzip FILE")
    } else if is(b"ssh-") || is(b"ecdsa-sha2-") || is(b"---- BEGIN SSH2 PUBLIC KEY") {
        ("a public key of SSH, not the private one", "name the file without .pub")
    } else {
        return None;
    };
    Some(Fault::Foreign { what, command })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pfx_is_known_by_its_version_in_ber_and_in_der() {
        assert!(is_pkcs12(b"\x30\x80\x02\x01\x03\x30") && is_pkcs12(b"\x30\x82\x01\x00\x02\x01\x03\x30"));
        assert!(!is_pkcs12(b"\x30\x82\x01\x00\x02\x01\x00\x30") && !is_pkcs12(b"\x30\x82") && !is_pkcs12(b""));
    }

    #[test]
    fn what_cannot_be_a_key_file_is_named() {
        let of = |path: &str| read(Path::new(path)).err().map(|e| e.to_string()).unwrap_or_default();
        assert_eq!(of("/"), "/: a directory, not a file with a key");
        assert_eq!(of("/dev/null"), "/dev/null: a file of no bytes");
        assert_eq!(of("/dev/zero"), "/dev/zero: more than 1 MiB; no key file is that large");
        assert_eq!(of("/nowhere"), "/nowhere: there is no such file or directory; look at the name");
    }
}
