//! The letters that Remote Self-Service shows to whoever says a name: seen or heard, and typed. They are in a token that the
//! server alone opens, so that any server over the same database takes it, and none keeps it.

use crate::model::clock::Millis;
use crate::model::limit::{Limit, MINUTE};
use crate::model::random;
use crate::model::vault::Vault;
use captcha::filters::{Dots, Noise, Wave};
use captcha::{Captcha as Drawing, Geometry};
use serde::Deserialize;
use std::io::Cursor;
use utoipa::ToSchema;

/// Letters of one: those that are not taken for another when they are seen, nor when they are heard.
const LETTERS: &[u8] = b"AEFHKMPRTUXY";
const COUNT: usize = 5;
/// How long one is taken.
const LIFE: Millis = 10 * MINUTE;
/// The last pixels that the library draws on, and how many are left round the letters.
const CANVAS: (u32, u32) = (399, 299);
const AROUND: u32 = 24;
/// What sets the token apart from other sealed texts.
const PURPOSE: &[u8] = b"captcha";

/// Each is taken once.
pub(crate) const ONCE: Limit = Limit { what: "uses of these letters", times: 1, window: LIFE };

/// What somebody has typed, and of which letters.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    /// Names the letters.
    pub token: String,
    /// The letters, capitals or not.
    pub letters: String,
}

/// Letters that somebody is to type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letters(String);

impl Letters {
    /// Others than those before, and the token that names them.
    ///
    /// # Errors
    /// A sentence when the system has no random numbers.
    pub(crate) fn drawn(vault: &Vault, now: Millis) -> Result<String, String> {
        let letters: String = (0..COUNT).map(|_| char::from(LETTERS[random::below(LETTERS.len())])).collect();
        vault.seal_text(PURPOSE, &format!("{} {letters}", now + LIFE))
    }

    /// Those that a token names; none when it is not one of ours, or too old.
    #[must_use]
    pub fn of(vault: &Vault, token: &str, now: Millis) -> Option<Self> {
        let text = vault.open_text(PURPOSE, token)?;
        let (until, letters) = text.split_once(' ')?;
        (now < until.parse().ok()?).then(|| Self(letters.to_owned()))
    }

    /// As they are typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether somebody has typed them.
    pub(crate) fn are(&self, typed: &str) -> bool {
        let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
        random::same(&self.0, &typed.to_uppercase())
    }

    /// The picture, PNG: bent and spotted otherwise each time.
    #[must_use]
    pub(crate) fn picture(&self) -> Option<Vec<u8>> {
        let mut drawing = Drawing::new();
        for letter in self.0.chars() {
            drawing.set_chars(&[letter]).add_char();
        }
        drawing.apply_filter(Noise::new(0.2));
        drawing.apply_filter(Wave::new(2.0, 9.0).horizontal()).apply_filter(Wave::new(2.0, 5.0).vertical());
        let text = drawing.text_area();
        let (left, top) = (text.left.saturating_sub(AROUND), text.top.saturating_sub(AROUND));
        let seen = Geometry::new(left, (text.right + AROUND).min(CANVAS.0), top, (text.bottom + AROUND).min(CANVAS.1));
        drawing.extract(seen).apply_filter(Dots::new(5).min_radius(2).max_radius(4)).as_png()
    }

    /// The sound, WAV: one letter after the other.
    #[must_use]
    pub(crate) fn sound(&self) -> Option<Vec<u8>> {
        let mut drawing = Drawing::new();
        for letter in self.0.chars() {
            drawing.set_chars(&[letter]).add_char();
        }
        let spoken: Vec<Vec<u8>> = drawing.as_wav().into_iter().collect::<Option<_>>()?;
        joined(&spoken).ok()
    }
}

/// Recordings one after the other, in the form of the first.
fn joined(recordings: &[Vec<u8>]) -> hound::Result<Vec<u8>> {
    let mut sound = Cursor::new(Vec::new());
    let spec = hound::WavReader::new(recordings.first().map(Vec::as_slice).unwrap_or_default())?.spec();
    let mut writer = hound::WavWriter::new(&mut sound, spec)?;
    for recording in recordings {
        for sample in hound::WavReader::new(recording.as_slice())?.samples::<i16>() {
            writer.write_sample(sample?)?;
        }
    }
    writer.finalize()?;
    Ok(sound.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_taken_by_the_server_that_has_shown_them_for_as_long_as_they_hold() {
        let vault = Vault::new(&[7; 32]).unwrap();
        let token = Letters::drawn(&vault, 1_000).unwrap();
        let letters = Letters::of(&vault, &token, 1_000 + LIFE - 1).unwrap();
        assert_eq!(letters.as_str().len(), COUNT);
        assert!(letters.are(letters.as_str()) && letters.are(&format!(" {} ", letters.as_str().to_lowercase())));
        assert!(!letters.are("") && !letters.are(&letters.as_str()[1..]));
        assert_eq!(Letters::of(&vault, &token, 1_000 + LIFE), None);
        assert_eq!(Letters::of(&Vault::new(&[8; 32]).unwrap(), &token, 1_000), None, "another master key");
        for forged in ["", "00", &token[..token.len() - 2], &format!("{token}00")] {
            assert_eq!(Letters::of(&vault, forged, 1_000), None);
        }
        assert_ne!(Letters::drawn(&vault, 1_000).unwrap(), token);
    }

    #[test]
    fn every_letter_is_seen_and_heard() {
        for letter in LETTERS {
            let letters = Letters(char::from(*letter).to_string());
            assert!(letters.picture().is_some_and(|picture| picture.starts_with(b"\x89PNG")), "{letters:?}");
            assert!(letters.sound().is_some_and(|sound| sound.starts_with(b"RIFF")), "{letters:?}");
        }
        let (one, five) = (Letters("A".into()), Letters("AEFHK".into()));
        let length = |letters: &Letters| hound::WavReader::new(letters.sound().unwrap().as_slice()).unwrap().len();
        assert_eq!(length(&five), 5 * length(&one));
    }
}
