//! What the values of a profile have to agree on: in its file, and after settings.

use super::settings::shown;
use super::{PinFormat, Profile, ProfileError};
use crate::atr::Atr;

impl Profile {
    /// Checks a profile as its file has it: an ATR that is one, and one card edge.
    pub(super) fn check_file(&self) -> Result<(), ProfileError> {
        Atr::parse(&self.card.atr).map_err(|e| ProfileError::Text(format!("card.atr: {e}")))?;
        match (&self.piv, &self.puk, &self.gids, &self.own) {
            (Some(_), Some(_), None, None) | (None, None, Some(_), None) | (None, None, None, Some(_)) => Ok(()),
            _ => Err(ProfileError::Text("a card has either [piv] with [puk], or [gids]".into())),
        }
    }

    /// Checks what several settings have to agree on before a card is made of them. Settings come in
    /// any order, so no single one can look at this.
    ///
    /// # Errors
    /// [`ProfileError::Value`] when the PIN has another length than allowed, or the administrator key
    /// does not fit its algorithm.
    pub fn check(&self) -> Result<(), ProfileError> {
        if !self.pin.is_well_formed(self.pin.value.as_bytes()) {
            let kind = if self.pin.format == PinFormat::Digits { "digits" } else { "characters" };
            return Err(ProfileError::Value {
                key: "pin".into(),
                value: shown("pin", &self.pin.value).into(),
                expected: format!("{} to {} {kind}", self.pin.min_length, self.pin.max_length),
            });
        }
        let (key, cipher) = (&self.management_key.value, self.management_key.algorithm);
        if key.len() == cipher.key_len() {
            return Ok(());
        }
        Err(ProfileError::Value {
            key: "management-key".into(),
            value: format!("{} bytes", key.len()),
            expected: format!("{} needs {} bytes (management-algorithm= chooses)", cipher.name(), cipher.key_len()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_do_not_agree_are_explained() {
        let mut profile = Profile::builtin("yubikey-5.4").unwrap();
        profile.set("pin", "12345").unwrap();
        assert_eq!(profile.check().unwrap_err().to_string(), "'..' is no value for pin: 6 to 8 characters");
        profile.set("pin", "123456").unwrap();
        assert!(profile.set("management-algorithm", "aes256").is_ok());
        assert!(profile.check().unwrap_err().to_string().contains("aes256 needs 32 bytes"));
    }
}
