//! Answers to security questions: how they are compared and stored.
//!
//! NIST SP 800-63B-4 does not accept knowledge questions as an authenticator. They are here because
//! card management systems have them; build nothing else on them.

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use icu_casemap::CaseMapper;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The rules of [`normalised`]; stored with each answer, so that they can change.
pub const NORM_VERSION: i64 = 1;
/// Longest answer in characters, after normalisation.
pub const LONGEST: usize = 200;

/// What is compared: NFKC, white space as one blank, no control and format characters, full case
/// folding, NFKC again, trimmed.
#[must_use]
pub fn normalised(text: &str) -> Zeroizing<String> {
    let blanks: Zeroizing<String> = Zeroizing::new(text.nfkc().map(|c| if c.is_whitespace() { ' ' } else { c }).collect());
    let visible: Zeroizing<String> = Zeroizing::new(blanks.chars().filter(|c| !is_invisible(*c)).collect());
    let folded = Zeroizing::new(CaseMapper::new().fold_string(&visible).into_owned());
    let again: Zeroizing<String> = Zeroizing::new(folded.nfkc().collect());
    Zeroizing::new(again.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
}

/// Control characters (Cc) and format characters (Cf) that NFKC leaves.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

/// Memory-hard hashing of answers and passwords: Argon2id.
#[derive(Clone)]
pub struct Hashing {
    argon2: Argon2<'static>,
    made: Arc<AtomicU64>,
}

impl Hashing {
    /// 19 MiB, two passes, one lane: the first choice of the OWASP password storage cheat sheet.
    #[must_use]
    pub fn strong() -> Self {
        Self::with(19 * 1024, 2)
    }

    /// Weak and quick, for tests.
    #[must_use]
    pub fn quick() -> Self {
        Self::with(64, 1)
    }

    fn with(memory: u32, passes: u32) -> Self {
        let params = Params::new(memory, passes, 1, None).unwrap_or_default();
        Self { argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params), made: Arc::default() }
    }

    /// Hashes made so far: what a request costs, whoever it is about.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// A PHC string with a salt of its own.
    ///
    /// # Errors
    /// A sentence when the system has no random numbers.
    pub fn hash(&self, secret: &str) -> Result<String, String> {
        self.made.fetch_add(1, Ordering::Relaxed);
        self.argon2.hash_password(secret.as_bytes()).map(|hash| hash.to_string()).map_err(|e| e.to_string())
    }

    /// Whether `secret` has this hash; constant time in the comparison. A stored text that is no hash
    /// takes as long and is never right.
    #[must_use]
    pub fn verify(&self, secret: &str, hash: &str) -> bool {
        match PasswordHash::new(hash) {
            Ok(parsed) => {
                self.made.fetch_add(1, Ordering::Relaxed);
                self.argon2.verify_password(secret.as_bytes(), &parsed).is_ok()
            }
            Err(_) => {
                let _ = self.hash(secret);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_equal_and_what_is_not() {
        let equal = |a: &str, b: &str| *normalised(a) == *normalised(b);
        for (stored, typed) in [
            ("Rex", "  rEX "),
            ("New  York", "new\u{A0}york"),
            ("Straße", "STRASSE"),
            ("\u{FB01}nn", "FINN"),
            ("Ｒｅｘ", "rex"),
            ("Zoë", "Zoe\u{308}"),
            ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
            ("Re\u{200B}x", "rex"),
            ("Пётр", "ПЁТР"),
        ] {
            assert!(equal(stored, typed), "{stored} {typed}");
        }
        for (stored, typed) in
            [("Пётр", "Петр"), ("İzmir", "izmir"), ("O'Neil", "O\u{2019}Neil"), ("café", "cafe"), ("Rex", "R\u{435}x")]
        {
            assert!(!equal(stored, typed), "{stored} {typed}");
        }
    }

    #[test]
    fn hashes_are_argon2id() {
        let hashing = Hashing::strong();
        let hash = hashing.hash("rex").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hashing.verify("rex", &hash) && !hashing.verify("max", &hash) && !hashing.verify("rex", ""));
        assert!(Hashing::quick().verify("rex", &hash), "parameters are read from the hash");
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = normalised(&text);
            prop_assert_eq!(normalised(&once), once);
        }
    }
}
