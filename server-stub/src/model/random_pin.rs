//! *Set random user PIN*: PINs that nobody chose.

use crate::model::refusal::Refusal;
use crate::model::{policy, random};
use crate::words::sentence;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

const MOST_FORBIDDEN: usize = 16;
const SPECIAL: &str = "!#$%&()*+,-./:;<=>?@[]_{}";

/// What a random PIN is made of. No character comes twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RandomPin {
    /// Characters, 4 to 31.
    #[serde(deserialize_with = "policy::sent::random_length")]
    pub length: u8,
    /// 0 to 9.
    pub digits: bool,
    /// A to Z.
    pub upper: bool,
    /// a to z.
    pub lower: bool,
    /// Signs of the plain keyboard.
    pub special: bool,
    /// Characters that do not come, at most 16.
    pub forbidden: String,
}

impl Default for RandomPin {
    fn default() -> Self {
        Self { length: 6, digits: true, upper: false, lower: false, special: false, forbidden: String::new() }
    }
}

impl RandomPin {
    fn alphabet(&self) -> Vec<char> {
        let digits = ('0'..='9').filter(|_| self.digits);
        let upper = ('A'..='Z').filter(|_| self.upper);
        let lower = ('a'..='z').filter(|_| self.lower);
        let special = SPECIAL.chars().filter(|_| self.special);
        digits.chain(upper).chain(lower).chain(special).filter(|c| !self.forbidden.contains(*c)).collect()
    }

    /// Checks that there are PINs of this length.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn check(&self) -> Result<(), Refusal> {
        if self.forbidden.chars().count() > MOST_FORBIDDEN {
            return Err(Refusal::malformed(sentence!("refused-random-forbidden", most = MOST_FORBIDDEN)).at("random_forbidden"));
        }
        let found = self.alphabet().len();
        if found < usize::from(self.length) {
            let message = sentence!("refused-random-groups", found = found, length = self.length);
            return Err(Refusal::malformed(message).at("random_pin_length"));
        }
        Ok(())
    }

    /// A PIN by these rules.
    #[must_use]
    pub fn generate(&self) -> Zeroizing<String> {
        let mut alphabet = self.alphabet();
        let mut pin = Zeroizing::new(String::with_capacity(usize::from(self.length)));
        while pin.len() < usize::from(self.length) && !alphabet.is_empty() {
            pin.push(alphabet.swap_remove(random::below(alphabet.len())));
        }
        pin
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn impossible_rules_are_refused() {
        let refused = |rules: RandomPin| rules.check().unwrap_err().message();
        assert!(refused(RandomPin { length: 11, ..RandomPin::default() }).contains("at most 10, not 11"));
        assert!(refused(RandomPin { digits: false, ..RandomPin::default() }).contains("at most 0"));
        assert!(refused(RandomPin { forbidden: "x".repeat(17), ..RandomPin::default() }).contains("at most 16"));
    }

    proptest! {
        #[test]
        fn pins_keep_the_rules(length in 4u8..=31, groups in any::<[bool; 4]>(), forbidden in "[0-9A-Za-z]{0,16}") {
            let [digits, upper, lower, special] = groups;
            let rules = RandomPin { length, digits, upper, lower, special, forbidden };
            prop_assume!(rules.check().is_ok());
            let pin = rules.generate();
            prop_assert_eq!(pin.chars().count(), usize::from(length));
            for (i, c) in pin.chars().enumerate() {
                prop_assert!(!rules.forbidden.contains(c) && !pin.chars().take(i).any(|before| before == c));
                prop_assert!(digits && c.is_ascii_digit() || upper && c.is_ascii_uppercase() || lower && c.is_ascii_lowercase() || special && SPECIAL.contains(c));
            }
        }
    }
}
