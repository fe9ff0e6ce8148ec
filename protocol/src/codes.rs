//! Challenge and response codes as people read, type and compare them.
//!
//! A card's challenge travels by voice or on paper to an operator, the response comes back the same
//! way. Both are hexadecimal; [`parse`] takes them as people write them, [`grouped`] shows them in
//! fours, [`check_code`] is two digits to compare over the telephone.
//!
//! ```
//! let code = cardlab_protocol::codes::parse("1122-3344 5566 7788", &[8])?;
//! assert_eq!(cardlab_protocol::codes::grouped(&code), "1122 3344 5566 7788");
//! assert_eq!(cardlab_protocol::codes::check_code(&code), "D7");
//! # Ok::<(), cardlab_protocol::codes::CodeError>(())
//! ```

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// Digits of a group on paper and on screens.
const GROUP: usize = 4;

/// What is wrong with a code.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CodeError {
    /// A character that is no hexadecimal digit.
    #[error("'{found}' at place {place} is no digit of the code: only 0 to 9 and A to F{}", hint(*found))]
    Digit {
        /// The character.
        found: char,
        /// Its place among the characters that count, from 1.
        place: usize,
    },
    /// Another number of digits.
    #[error("{found} digits, but the code has {}", choices(expected))]
    Length {
        /// Digits found.
        found: usize,
        /// Digits that would be right.
        expected: Vec<usize>,
    },
    /// A challenge of zeros only: its answer would tell the check value of the key.
    #[error("a challenge of zeros only is none that a card gives")]
    Implausible,
}

fn hint(found: char) -> &'static str {
    match found {
        'O' | 'o' => "; is it the digit 0?",
        'I' | 'l' | 'L' | 'i' => "; is it the digit 1?",
        'S' | 's' => "; is it the digit 5?",
        _ => "",
    }
}

fn choices(expected: &[usize]) -> String {
    expected.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

/// The bytes of a code as a person typed it. White space, `-`, `:`, `.` and a leading `0x` are left
/// out; full-width forms and the Cyrillic letters that look like A, B, C, E are read as what they look
/// like; case does not matter. `lengths` are the byte lengths that are right.
///
/// # Errors
/// [`CodeError`] names the first wrong character and its place, or the lengths expected.
pub fn parse(text: &str, lengths: &[usize]) -> Result<Vec<u8>, CodeError> {
    let characters: Vec<char> = text.nfkc().filter(|c| !c.is_whitespace() && !matches!(c, '-' | ':' | '.')).map(latin).collect();
    let characters = match characters.as_slice() {
        ['0', 'x' | 'X', rest @ ..] => rest,
        all => all,
    };
    let digits = characters
        .iter()
        .enumerate()
        .map(|(index, c)| c.to_digit(16).map(|d| d as u8).ok_or(CodeError::Digit { found: *c, place: index + 1 }))
        .collect::<Result<Vec<u8>, _>>()?;
    if !lengths.iter().any(|length| digits.len() == 2 * length) {
        return Err(CodeError::Length { found: digits.len(), expected: lengths.iter().map(|n| 2 * n).collect() });
    }
    Ok(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// As [`parse`], for a challenge that an operator enters: zeros only are refused.
///
/// # Errors
/// As [`parse`], and [`CodeError::Implausible`].
pub fn parse_challenge(text: &str, lengths: &[usize]) -> Result<Vec<u8>, CodeError> {
    let challenge = parse(text, lengths)?;
    if challenge.iter().all(|b| *b == 0) { Err(CodeError::Implausible) } else { Ok(challenge) }
}

/// Whether letters of another script were read as what they look like: whoever typed them is told.
#[must_use]
pub fn has_lookalikes(text: &str) -> bool {
    text.nfkc().any(|c| latin(c) != c)
}

/// Cyrillic letters with the shape of hexadecimal digits.
const fn latin(c: char) -> char {
    match c {
        'А' | 'а' => 'A',
        'В' | 'в' => 'B',
        'С' | 'с' => 'C',
        'Е' | 'е' => 'E',
        other => other,
    }
}

/// Upper-case hexadecimal digits.
#[must_use]
pub fn digits(code: &[u8]) -> String {
    hex::encode_upper(code)
}

/// Upper-case hexadecimal digits in groups of four.
#[must_use]
pub fn grouped(code: &[u8]) -> String {
    code.chunks(GROUP / 2).map(digits).collect::<Vec<_>>().join(" ")
}

/// Two digits that differ when one digit of the code is wrong or two neighbours are swapped: CRC-8
/// with the polynomial 07, started at 00, not reflected.
#[must_use]
pub fn check_code(code: &[u8]) -> String {
    let crc = code
        .iter()
        .fold(0u8, |crc, byte| (0..8).fold(crc ^ byte, |crc, _| if crc & 0x80 == 0 { crc << 1 } else { crc << 1 ^ 0x07 }));
    format!("{crc:02X}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_check_codes() {
        for (code, check) in [
            ("1122334455667788", "D7"),
            ("88BE354D2E0B2869", "15"),
            ("0000000000000001", "07"),
            ("000102030405060708090A0B0C0D0E0F", "41"),
        ] {
            assert_eq!(check_code(&hex::decode(code).unwrap()), check);
        }
    }

    #[test]
    fn codes_as_people_write_them() {
        let code = hex::decode("11223344ABCDEF01").unwrap();
        for text in [
            "11223344ABCDEF01",
            " 1122 3344 abcd ef01 ",
            "1122-3344-ABCD-EF01",
            "11:22:33:44:ab:cd:ef:01",
            "0x11223344abcdef01",
            "１１２２３３４４ＡＢＣＤＥＦ０１",
            "11223344АВСDЕF01",
            "1122\u{a0}3344\tABCD.EF01",
        ] {
            assert_eq!(parse(text, &[8]).unwrap(), code, "{text}");
        }
        assert_eq!(grouped(&code), "1122 3344 ABCD EF01");
        assert!(has_lookalikes("11223344АВСDЕF01") && !has_lookalikes("11223344 abcd-ＡＢ"));
    }

    #[test]
    fn mistakes_are_named() {
        let says = |text: &str| parse_challenge(text, &[8]).unwrap_err().to_string();
        let only = "only 0 to 9 and A to F";
        assert_eq!(says("1122 334O 5566 7788"), format!("'O' at place 8 is no digit of the code: {only}; is it the digit 0?"));
        assert_eq!(says("l122334455667788"), format!("'l' at place 1 is no digit of the code: {only}; is it the digit 1?"));
        assert_eq!(says("11223344556677"), "14 digits, but the code has 16");
        assert_eq!(says(""), "0 digits, but the code has 16");
        assert_eq!(says("0000 0000 0000 0000"), "a challenge of zeros only is none that a card gives");
        assert_eq!(parse("1", &[8, 16]).unwrap_err().to_string(), "1 digits, but the code has 16 or 32");
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_typed(code in proptest::collection::vec(any::<u8>(), 8)) {
            prop_assert_eq!(parse(&grouped(&code), &[8]).unwrap(), code.clone());
            prop_assert_eq!(parse(&digits(&code).to_lowercase(), &[8]).unwrap(), code);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
            let _ = parse_challenge(&text, &[8, 16]);
        }

        #[test]
        fn the_check_code_finds_wrong_and_swapped_digits(code in proptest::collection::vec(any::<u8>(), 8), place in 0..16usize, other in 0..16u8) {
            let digits: Vec<u8> = code.iter().flat_map(|b| [b >> 4, b & 15]).collect();
            let joined = |d: &[u8]| d.chunks(2).map(|p| p[0] << 4 | p[1]).collect::<Vec<u8>>();
            let mut wrong = digits.clone();
            wrong[place] = other;
            prop_assert_eq!(check_code(&joined(&wrong)) == check_code(&code), wrong == digits);
            let mut swapped = digits.clone();
            swapped.swap(place, (place + 1) % 16);
            if place < 15 {
                prop_assert_eq!(check_code(&joined(&swapped)) == check_code(&code), swapped == digits);
            }
        }
    }
}
