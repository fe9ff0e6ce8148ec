//! Why a server cannot be reached, as values, with a sentence for people: what the operating system, the resolver and TLS
//! say is for programmers.

use rustls::{CertificateError, Error as TlsError};
use std::error::Error as StdError;
use std::io::{Error as IoError, ErrorKind};
use thiserror::Error;

/// Why a server cannot be reached, or is not the one that was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unreachable {
    /// The machine is there and refuses the connection.
    #[error("no program listens at its address")]
    NobodyListens,
    /// The connection, or the answer, did not come in time.
    #[error("it took too long to answer")]
    TooSlow,
    /// No such host.
    #[error("its name is not known here")]
    NoSuchName,
    /// The network has no way to it.
    #[error("the network has no way to it")]
    NoWay,
    /// It does not prove that it is the server that was meant.
    #[error("{0}")]
    Untrusted(Distrust),
    /// What came is no answer, is too long or broke off.
    #[error("its answer makes no sense, or broke off")]
    NoSense,
}

/// Why a server's certificate is not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Distrust {
    /// Nobody who is trusted here has signed it.
    #[error("its certificate is not trusted here")]
    UnknownIssuer,
    /// It is for another name.
    #[error("its certificate is for another name")]
    OtherName,
    /// Its time is over.
    #[error("its certificate has expired, or the clock of this computer is wrong")]
    Expired,
    /// Its time has not begun.
    #[error("its certificate is not valid yet, or the clock of this computer is wrong")]
    NotYetValid,
    /// It was taken back.
    #[error("its certificate was revoked")]
    Revoked,
    /// It is none that can be trusted.
    #[error("its certificate is none that can be trusted")]
    Unusable,
}

impl Unreachable {
    /// What an error of a request comes from.
    pub(crate) fn of(error: &(dyn StdError + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(known) = Self::of_one(error) {
                return known;
            }
            cause = error.source();
        }
        Self::NoSense
    }

    /// What this very error says.
    fn of_one(error: &(dyn StdError + 'static)) -> Option<Self> {
        if let Some(error) = error.downcast_ref::<reqwest::Error>() {
            // reqwest looks at everything below it.
            return match () {
                () if error.is_timeout() => Some(Self::TooSlow),
                () if error.is_dns() => Some(Self::NoSuchName),
                () => None,
            };
        }
        if let Some(error) = error.downcast_ref::<TlsError>() {
            return Some(match error {
                TlsError::InvalidCertificate(why) => Self::Untrusted(Distrust::of(why)),
                TlsError::NoCertificatesPresented => Self::Untrusted(Distrust::Unusable),
                _ => Self::NoSense,
            });
        }
        let error = error.downcast_ref::<IoError>()?;
        // An error that was put into another is not among its sources.
        let within = error.get_ref().map(|within| within as &(dyn StdError + 'static));
        if let Some(known) = within.and_then(|mut cause| {
            loop {
                match (Self::of_one(cause), cause.source()) {
                    (None, Some(under)) => cause = under,
                    (known, _) => break known,
                }
            }
        }) {
            return Some(known);
        }
        match error.kind() {
            ErrorKind::ConnectionRefused => Some(Self::NobodyListens),
            ErrorKind::TimedOut => Some(Self::TooSlow),
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => Some(Self::NoWay),
            ErrorKind::AddrNotAvailable | ErrorKind::PermissionDenied => Some(Self::NoWay),
            _ => None,
        }
    }
}

impl Distrust {
    fn of(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::OtherName,
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            CertificateError::Revoked => Self::Revoked,
            // A certificate that has signed itself, where only authorities are trusted, is refused in words of the verifier.
            _ => Self::Unusable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_deep_is_found() {
        let io = |kind| IoError::from(kind);
        let tls = |why| IoError::new(ErrorKind::InvalidData, TlsError::InvalidCertificate(why));
        let distrust = |why| Unreachable::Untrusted(why);
        for (error, is) in [
            (io(ErrorKind::ConnectionRefused), Unreachable::NobodyListens),
            (io(ErrorKind::TimedOut), Unreachable::TooSlow),
            (io(ErrorKind::NetworkUnreachable), Unreachable::NoWay),
            (io(ErrorKind::ConnectionReset), Unreachable::NoSense),
            (IoError::from_raw_os_error(111), Unreachable::NobodyListens),
            (tls(CertificateError::Expired), distrust(Distrust::Expired)),
            (tls(CertificateError::NotValidYet), distrust(Distrust::NotYetValid)),
            (tls(CertificateError::NotValidForName), distrust(Distrust::OtherName)),
            (tls(CertificateError::UnknownIssuer), distrust(Distrust::UnknownIssuer)),
            (tls(CertificateError::Revoked), distrust(Distrust::Revoked)),
            (tls(CertificateError::BadSignature), distrust(Distrust::Unusable)),
            (IoError::other(TlsError::DecryptError), Unreachable::NoSense),
        ] {
            let deeper = IoError::other(IoError::other(error));
            assert_eq!(Unreachable::of(&deeper), is, "{deeper:?}");
            // No word of the operating system, and one part of a sentence.
            let words = is.to_string();
            assert!(!words.contains("os error") && !words.ends_with('.'), "{words}");
        }
    }
}
