//! What happens to a text between one who says it and one who types it.

use schemars::JsonSchema;
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

/// A habit or a slip of somebody who types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Slip {
    /// Small letters.
    LowerCase,
    /// Capital letters.
    UpperCase,
    /// A space after every fourth character, and around.
    Spaces,
    /// Two blanks for each, and some around.
    Blanks,
    /// A dash after every fourth character.
    Dashes,
    /// Full-width forms.
    FullWidth,
    /// `0x` before it.
    Prefix,
    /// The first character is another one.
    OneWrong,
    /// The last character is missing.
    Short,
    /// One character more.
    Long,
    /// The letter O for the first character.
    LetterO,
    /// Cyrillic letters where they look like A, B, C, E, a, c, e, o, p.
    Cyrillic,
    /// No dots and strokes on letters.
    NoDiacritics,
    /// A zero-width space at the end.
    ZeroWidth,
}

impl Slip {
    /// What comes out.
    #[must_use]
    pub fn apply(self, text: &str) -> String {
        let fours = |separator: &str| {
            let characters: Vec<char> = text.chars().collect();
            characters.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(separator)
        };
        match self {
            Self::LowerCase => text.to_lowercase(),
            Self::UpperCase => text.to_uppercase(),
            Self::Spaces => format!("  {} ", fours(" ")),
            Self::Blanks => format!("  {} ", text.replace(' ', "  ")),
            Self::Dashes => fours("-"),
            Self::FullWidth => text.chars().map(full_width).collect(),
            Self::Prefix => format!("0x{text}"),
            Self::OneWrong => {
                let mut characters = text.chars();
                let other = if characters.next() == Some('1') { '2' } else { '1' };
                format!("{other}{}", characters.as_str())
            }
            Self::Short => {
                let mut characters = text.chars();
                characters.next_back();
                characters.as_str().to_owned()
            }
            Self::Long => format!("{text}1"),
            Self::LetterO => {
                let mut characters = text.chars();
                characters.next();
                format!("O{}", characters.as_str())
            }
            Self::Cyrillic => text.chars().map(cyrillic).collect(),
            Self::NoDiacritics => text.nfd().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).collect(),
            Self::ZeroWidth => format!("{text}\u{200b}"),
        }
    }
}

/// The text after all of them, in their order.
#[must_use]
pub fn typed(text: &str, slips: &[Slip]) -> String {
    slips.iter().fold(text.to_owned(), |text, slip| slip.apply(&text))
}

const fn full_width(c: char) -> char {
    match c {
        '!'..='~' => match char::from_u32(c as u32 - '!' as u32 + '！' as u32) {
            Some(wide) => wide,
            None => c,
        },
        other => other,
    }
}

const fn cyrillic(c: char) -> char {
    match c {
        'A' => 'А',
        'B' => 'В',
        'C' => 'С',
        'E' => 'Е',
        'a' => 'а',
        'c' => 'с',
        'e' => 'е',
        'o' => 'о',
        'p' => 'р',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips() {
        let code = "A1B2C3D4E5F60718";
        assert_eq!(typed(code, &[Slip::LowerCase, Slip::Dashes]), "a1b2-c3d4-e5f6-0718");
        assert_eq!(typed(code, &[Slip::Spaces]), "  A1B2 C3D4 E5F6 0718 ");
        assert_eq!(typed("A 1", &[Slip::Blanks]), "  A  1 ");
        assert_eq!(typed("A1", &[Slip::FullWidth]), "Ａ１");
        assert_eq!(typed("A1", &[Slip::OneWrong, Slip::Prefix]), "0x11");
        assert_eq!(typed("1A", &[Slip::OneWrong]), "2A");
        assert_eq!(
            (Slip::Short.apply("ab"), Slip::Long.apply("ab"), Slip::LetterO.apply("0b")),
            ("a".into(), "ab1".into(), "Ob".into())
        );
        assert_eq!(Slip::NoDiacritics.apply("Müller"), "Muller");
        assert_ne!(Slip::Cyrillic.apply("Weber"), "Weber");
    }
}
