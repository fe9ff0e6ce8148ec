//! The signs that names are written with. A name stands in the log and on pages of others, where nobody sees what was typed: by a
//! sign that nobody sees two look alike, one that turns the direction takes along what stands beside it, and one that is no
//! character yet may be compared otherwise by a later version.
//!
//! Refused are controls and what separates lines (general categories Cc, Zl and Zp of the Unicode Standard), what is unassigned
//! (Cn), formats (Cf: directions, soft hyphens, tags), what is ignored wherever it stands
//! (`Default_Ignorable_Code_Point`: fillers, selectors), and the pattern of Braille without a dot. What real names need stays
//! where one sees it:
//!
//! - a joiner or a non-joiner behind a virama, as in Sinhala, and a non-joiner between letters that would be joined, as in Persian
//!   (RFC 5892, appendix A.1 and A.2);
//! - a selector behind an ideograph, which says how a family writes itself (Unicode Technical Standard 37), or behind a picture,
//!   and a joiner between pictures, which keyboards put there by themselves (Unicode Technical Standard 51, section 2).
//!
//! Of private use (Co) everything stays: a house may have signs of its own.

use super::names::is_unseen;
use crate::words::{Sentence, sentence};
use icu_properties::props::{CanonicalCombiningClass, ExtendedPictographic, GeneralCategory, JoiningType, UnifiedIdeograph};
use icu_properties::{CodePointMapData, CodePointSetData};

const NON_JOINER: char = '\u{200C}';
const JOINER: char = '\u{200D}';

/// Refuses a text with a sign that no name has; `what` is what is called so.
///
/// # Errors
/// A sentence with the first such sign, by its code point.
pub(crate) fn written(what: &Sentence, text: &str) -> Result<(), Sentence> {
    let signs: Vec<char> = text.chars().collect();
    for (at, sign) in signs.iter().enumerate() {
        let code = format!("U+{:04X}", u32::from(*sign));
        if is_no_sign(*sign) {
            return Err(sentence!("refused-name-line", what = what.clone(), sign = code));
        }
        if is_hidden(*sign) && !is_needed(&signs[..at], *sign, &signs[at + 1..]) {
            return Err(sentence!("refused-name-unseen", what = what.clone(), sign = code));
        }
    }
    Ok(())
}

fn category(sign: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(sign)
}

/// What stands in no line of letters and signs.
fn is_no_sign(sign: char) -> bool {
    use GeneralCategory::{Control, LineSeparator, ParagraphSeparator, Unassigned};
    matches!(category(sign), Control | LineSeparator | ParagraphSeparator | Unassigned)
}

/// What nobody sees by itself.
fn is_hidden(sign: char) -> bool {
    category(sign) == GeneralCategory::Format || is_unseen(sign) || sign == '\u{2800}'
}

/// Whether one sees what a hidden sign does between these.
fn is_needed(before: &[char], sign: char, behind: &[char]) -> bool {
    match sign {
        JOINER => is_virama(before) || is_picture(unselected(before)) && is_picture(behind.first()),
        NON_JOINER => is_virama(before) || would_join(before, behind),
        '\u{FE0E}' | '\u{FE0F}' if is_picture(before.last()) => true,
        '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' => {
            before.last().is_some_and(|sign| CodePointSetData::new::<UnifiedIdeograph>().contains(*sign))
        }
        _ => false,
    }
}

fn is_virama(before: &[char]) -> bool {
    let class = |sign: &char| CodePointMapData::<CanonicalCombiningClass>::new().get(*sign);
    before.last().map(class) == Some(CanonicalCombiningClass::Virama)
}

/// Whether the letters on both sides join, over marks that are transparent to that.
fn would_join(before: &[char], behind: &[char]) -> bool {
    let joining = |sign: &char| CodePointMapData::<JoiningType>::new().get(*sign);
    let joins = |found: Option<JoiningType>, by: JoiningType| found.is_some_and(|it| it == JoiningType::DualJoining || it == by);
    let is_letter = |found: &JoiningType| *found != JoiningType::Transparent;
    joins(before.iter().rev().map(joining).find(is_letter), JoiningType::LeftJoining)
        && joins(behind.iter().map(joining).find(is_letter), JoiningType::RightJoining)
}

fn is_picture(sign: Option<&char>) -> bool {
    sign.is_some_and(|sign| CodePointSetData::new::<ExtendedPictographic>().contains(*sign))
}

/// The last sign before selectors and colours of skin.
fn unselected(before: &[char]) -> Option<&char> {
    before.iter().rev().find(|sign| !matches!(sign, '\u{FE0F}' | '\u{1F3FB}'..='\u{1F3FF}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(text: &str) -> Result<(), String> {
        written(&sentence!("refused-name-user"), text).map_err(|sentence| sentence.to_string())
    }

    #[test]
    fn real_names_are_written() {
        for name in [
            "Anna\u{a0}Berg-O’Neill (2.)",
            "Nguyễn Thị Ánh",
            "שרה",
            // Persian: Alireza, and a mark before the non-joiner.
            "علی\u{200c}رضا",
            "حبیبّ\u{200c}حسین",
            // Sinhala: Sri; Devanagari: a form of its own.
            "ශ්\u{200d}රී ලංකා",
            "राजश्\u{200c}री",
            // How a family of Tokyo writes itself.
            "辻\u{e0100}",
            "葛\u{fe00}",
            "\u{e000}",
            "👩🏽\u{200d}💻 VPN ❤\u{fe0f}",
            "❤\u{fe0f}\u{200d}🔥",
        ] {
            assert_eq!(said(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_no_name_has_is_named() {
        for (name, sign) in [
            ("An\u{200b}na", "U+200B"),
            ("\u{202e}annA", "U+202E"),
            ("Anna\u{2066}", "U+2066"),
            ("An\u{ad}na", "U+00AD"),
            ("Anna\u{3164}Berg", "U+3164"),
            ("An\u{34f}na", "U+034F"),
            ("Anna\u{2800}", "U+2800"),
            ("Anna\u{e0041}", "U+E0041"),
            // Where nothing is joined or chosen.
            ("An\u{200d}na", "U+200D"),
            ("An\u{200c}na", "U+200C"),
            ("علی\u{200c}", "U+200C"),
            ("\u{200c}علی", "U+200C"),
            // What stands before it joins nothing behind it.
            ("محمد\u{200c}حسین", "U+200C"),
            ("Anna\u{fe0f}", "U+FE0F"),
            ("1\u{fe0f}", "U+FE0F"),
            ("👩\u{200d}", "U+200D"),
        ] {
            assert_eq!(said(name), Err(format!("a name has {sign} in it, which nobody sees there: type it anew")));
        }
        for (name, sign) in [("An\u{7}na", "U+0007"), ("An\u{85}na", "U+0085"), ("A\u{2029}", "U+2029"), ("\u{378}", "U+0378")] {
            assert_eq!(said(name), Err(format!("a name stands in one line of letters and signs; {sign} is none")));
        }
    }

    proptest! {
        #[test]
        fn of_letters_each_is_written(name in "[\\p{Latin}\\p{Greek}\\p{Cyrillic}\\p{Arabic}\\p{Hebrew}\\p{Han}\\p{Hangul}&&\\p{L}]{1,30}") {
            let seen: String = name.chars().filter(|c| !is_unseen(*c)).collect();
            prop_assert_eq!(said(&seen), Ok(()));
        }

        #[test]
        fn among_letters_that_nothing_joins_nothing_is_hidden(
            before in "[a-zÀ-ÿא-ת]{1,9}",
            sign in "[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}\u{2800}]",
            behind in "[a-zÀ-ÿא-ת]{1,9}",
        ) {
            let code = format!("U+{:04X}", u32::from(sign.chars().next().unwrap()));
            let said = said(&format!("{before}{sign}{behind}")).unwrap_err();
            prop_assert!(said.contains(&format!(" {code} ")), "{} {}", code, said);
        }

        #[test]
        fn whatever_is_typed_is_written_or_has_the_sign_that_is_named(name in "[\\PC\\p{Cf}]{0,30}") {
            if let Err(said) = said(&name) {
                let code = said.split_once("U+").unwrap().1.split(' ').next().unwrap();
                prop_assert!(name.contains(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap()));
            }
        }
    }
}
