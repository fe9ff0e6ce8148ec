//! The signs that names are written with. A name stands in the log and on pages of others, where nobody sees what was typed: by a
//! sign that nobody sees two look alike, one that turns the direction takes along what stands beside it, and one that is no
//! character yet may be compared otherwise by a later version.
//!
//! Refused are controls and what separates lines (general categories Cc, Zl and Zp of the Unicode Standard), what is unassigned
//! (Cn), formats (Cf: directions, soft hyphens, tags), what is ignored wherever it stands
//! (`Default_Ignorable_Code_Point`: fillers, selectors), and the pattern of Braille without a dot. What real names are
//! written with stays:
//!
//! - a joiner or a non-joiner behind a letter of a script whose letters join, as in Persian and Kurdish, and behind a virama, as in
//!   Sinhala (RFC 5892, appendix A.1 and A.2); a joiner before a virama as well, as in Bengali (Unicode Standard, chapter 12);
//! - a selector or a separator of vowels behind a Mongolian letter (Unicode Standard, section 13.5), and a blank of no width where
//!   it parts words in scripts that are written without blanks;
//! - a selector behind an ideograph, which says how a family writes itself (Unicode Technical Standard 37);
//! - in pictures what keyboards put there by themselves: selectors, joiners, and the tags of a flag (Unicode Technical Standard 51).
//!
//! Some of that changes nothing that one sees, as a joiner behind the last letter. Keyboards put it there, and names are compared
//! without it ([`super::names::key`]): it does no harm.
//!
//! Of private use (Co) everything stays: a house may have signs of its own.

use super::names::{breaks_a_line, is_unseen};
use crate::words::{Sentence, sentence};
use icu_properties::props::{
    CanonicalCombiningClass, ExtendedPictographic, GeneralCategory, GeneralCategoryGroup, JoiningType, Script, UnifiedIdeograph,
};
use icu_properties::{CodePointMapData, CodePointSetData};
use std::ops::RangeInclusive;

const NON_JOINER: char = '\u{200C}';
const JOINER: char = '\u{200D}';
const BLANK_OF_NO_WIDTH: char = '\u{200B}';
const VOWEL_SEPARATOR: char = '\u{180E}';
const KEYCAP: char = '\u{20E3}';
const FLAG: char = '\u{1F3F4}';
const LAST_TAG: char = '\u{E007F}';

/// Tags of a flag before the last: a region and a part of it (Unicode Technical Standard 35, section 3.6.5).
const TAGS: RangeInclusive<usize> = 3..=7;

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
    breaks_a_line(sign) || category(sign) == GeneralCategory::Unassigned
}

/// What nobody sees by itself.
fn is_hidden(sign: char) -> bool {
    category(sign) == GeneralCategory::Format || is_unseen(sign) || sign == '\u{2800}'
}

/// Whether a hidden sign is one of those that names are written with between these.
fn is_needed(before: &[char], sign: char, behind: &[char]) -> bool {
    match sign {
        JOINER => {
            is_virama(before.last())
                || joins(before)
                || is_before_its_virama(before.last(), behind.first())
                || is_picture(unselected(before)) && is_picture(behind.first())
        }
        NON_JOINER => is_virama(before.last()) || joins(before),
        BLANK_OF_NO_WIDTH => parts_words(before.last(), behind.first()),
        VOWEL_SEPARATOR => is_mongolian(before.iter().rev().find(|sign| !is_mongolian_selector(**sign))),
        sign if is_mongolian_selector(sign) => is_mongolian(before.last()),
        '\u{FE0F}' if is_on_a_key(before.last()) && behind.first() == Some(&KEYCAP) => true,
        '\u{FE0E}' | '\u{FE0F}' if is_picture(before.last()) => true,
        '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' => {
            before.last().is_some_and(|sign| CodePointSetData::new::<UnifiedIdeograph>().contains(*sign))
        }
        '\u{E0020}'..=LAST_TAG => is_of_a_flag(before, sign, behind),
        _ => false,
    }
}

fn script(sign: char) -> Script {
    CodePointMapData::<Script>::new().get(sign)
}

fn is_letter(sign: char) -> bool {
    GeneralCategoryGroup::Letter.contains(category(sign))
}

fn is_virama(sign: Option<&char>) -> bool {
    let class = |sign: &char| CodePointMapData::<CanonicalCombiningClass>::new().get(*sign);
    sign.map(class) == Some(CanonicalCombiningClass::Virama)
}

/// Whether a virama comes behind a letter of its own script.
fn is_before_its_virama(before: Option<&char>, behind: Option<&char>) -> bool {
    is_virama(behind)
        && before.zip(behind).is_some_and(|(letter, virama)| is_letter(*letter) && script(*letter) == script(*virama))
}

/// Whether the last letter, under marks that are transparent to that, is of a script whose letters join. In these some join
/// nothing, as hamza in a name such as Alaeddin.
fn joins(before: &[char]) -> bool {
    let joining = |sign: char| CodePointMapData::<JoiningType>::new().get(sign);
    let letter = before.iter().rev().find(|sign| is_letter(**sign) || joining(**sign) != JoiningType::Transparent);
    letter.is_some_and(|letter| {
        let is_of_one =
            || matches!(script(*letter), Script::Adlam | Script::Arabic | Script::Mongolian | Script::Nko | Script::Syriac);
        is_letter(*letter) && (joining(*letter) != JoiningType::NonJoining || is_of_one())
    })
}

fn is_mongolian(sign: Option<&char>) -> bool {
    sign.is_some_and(|sign| is_letter(*sign) && script(*sign) == Script::Mongolian)
}

const fn is_mongolian_selector(sign: char) -> bool {
    matches!(sign, '\u{180B}'..='\u{180D}' | '\u{180F}')
}

/// Whether a word can end and another begin here, in scripts that are written without blanks. A word ends with a mark, too.
fn parts_words(before: Option<&char>, behind: Option<&char>) -> bool {
    let is_of_one = |sign: &char| matches!(script(*sign), Script::Khmer | Script::Lao | Script::Thai);
    let ends = |sign: &char| is_letter(*sign) || GeneralCategoryGroup::Mark.contains(category(*sign));
    before.is_some_and(|sign| is_of_one(sign) && ends(sign)) && behind.is_some_and(|sign| is_of_one(sign) && is_letter(*sign))
}

fn is_on_a_key(sign: Option<&char>) -> bool {
    sign.is_some_and(|sign| matches!(sign, '0'..='9' | '#' | '*'))
}

const fn is_tag(sign: char) -> bool {
    matches!(sign, '\u{E0030}'..='\u{E0039}' | '\u{E0061}'..='\u{E007A}')
}

/// Whether it is one of the tags behind a flag, of which there are so many up to the last.
fn is_of_a_flag(before: &[char], sign: char, behind: &[char]) -> bool {
    let tags_before = before.iter().rev().take_while(|sign| is_tag(**sign)).count();
    let mut from = std::iter::once(sign).chain(behind.iter().copied());
    let tags_from = from.clone().take_while(|sign| is_tag(*sign)).count();
    before.iter().rev().nth(tags_before) == Some(&FLAG)
        && from.nth(tags_from) == Some(LAST_TAG)
        && TAGS.contains(&(tags_before + tags_from))
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
    use crate::model::names::key;
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
            // Behind letters that join nothing behind them, and behind one that joins nothing at all.
            "محمد\u{200c}رضا",
            "سید\u{200c}علی",
            "امیر\u{200c}حسین",
            "علاء\u{200c}الدین",
            // Kurdish, at the end; Syriac, N'Ko and Adlam.
            "هانه\u{200c}",
            "علی\u{200c}",
            "ܡܪܝ\u{200d}",
            "ߒߞߏ\u{200d}",
            "𞤀𞤣𞤤\u{200c}𞤢𞤥",
            // A selector, separators of vowels, and both.
            "\u{1828}\u{180b}\u{1820}",
            "\u{1820}\u{180f}",
            "\u{1828}\u{180e}\u{1820}",
            "\u{1828}\u{180b}\u{180e}\u{1820}",
            // A joiner before a virama: Bengali Rachel, Kannada Saryu.
            "\u{9b0}\u{200d}\u{9cd}\u{9af}\u{9be}\u{99a}\u{9c7}\u{9b2}",
            "\u{cb8}\u{cb0}\u{200d}\u{ccd}\u{caf}\u{cc1}",
            // Words that no blank parts: Khmer, Thai and Lao.
            "សុខ\u{200b}ភា",
            "ស្រី\u{200b}មុំ",
            "สม\u{200b}ชาย",
            "ບຸນ\u{200b}ມີ",
            // Sinhala: Sri; Devanagari: a form of its own.
            "ශ්\u{200d}රී ලංකා",
            "राजश्\u{200c}री",
            // How a family of Tokyo writes itself.
            "辻\u{e0100}",
            "葛\u{fe00}",
            "\u{e000}",
            "👩🏽\u{200d}💻 VPN ❤\u{fe0f}",
            "❤\u{fe0f}\u{200d}🔥",
            "Room 1\u{fe0f}\u{20e3}#\u{fe0f}\u{20e3}",
            "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f} Skye",
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
            ("\u{200c}علی", "U+200C"),
            ("\u{200d}علی", "U+200D"),
            ("علی \u{200c}رضا", "U+200C"),
            ("علی\u{200c}\u{200c}رضا", "U+200C"),
            ("علی\u{200d}\u{200c}رضا", "U+200C"),
            ("علی\u{200c}\u{64b}\u{200d}رضا", "U+200D"),
            ("علی\u{200e}رضا", "U+200E"),
            ("علی\u{200f}", "U+200F"),
            ("\u{feff}علی", "U+FEFF"),
            // No virama, one of another script, and a second joiner before it.
            ("\u{9b0}\u{200d}\u{9af}", "U+200D"),
            ("\u{9b0}\u{200d}\u{ccd}", "U+200D"),
            ("\u{9b0}\u{200d}\u{200d}\u{9cd}", "U+200D"),
            ("A\u{180b}", "U+180B"),
            ("\u{1820}\u{180b}\u{180b}", "U+180B"),
            ("\u{180e}\u{1820}", "U+180E"),
            ("สม\u{200b}", "U+200B"),
            ("สม\u{200b}A", "U+200B"),
            ("สม\u{200b}\u{200b}ชาย", "U+200B"),
            ("A\u{fe0f}\u{20e3}", "U+FE0F"),
            // Tags without a flag, without an end, without a part of a region, and more than a flag has.
            ("A\u{e0067}\u{e0062}\u{e0073}\u{e007f}", "U+E0067"),
            ("🏴\u{e0067}\u{e0062}\u{e0073}", "U+E0067"),
            ("🏴\u{e007f}", "U+E007F"),
            ("🏴\u{e0067}\u{e0061}\u{e0061}\u{e0061}\u{e0061}\u{e0061}\u{e0061}\u{e0061}\u{e007f}", "U+E0067"),
            ("Anna\u{fe0f}", "U+FE0F"),
            ("1\u{fe0f}", "U+FE0F"),
            ("👩\u{200d}", "U+200D"),
        ] {
            let says = format!(
                "a name has {sign} in it, which nobody sees there: remove this sign, or type everything anew instead of pasting it"
            );
            assert_eq!(said(name), Err(says), "{name:?}");
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
        fn behind_letters_that_join_one_joiner_is_written_and_makes_no_other_name(
            before in "[\\p{Arabic}\\p{Syriac}\\p{Mongolian}\\p{Nko}\\p{Adlam}&&\\p{L}]{1,9}",
            joiner in "[\u{200c}\u{200d}]",
            second in "[\u{200c}\u{200d}]",
            behind in "[\\p{Arabic}\\p{Syriac}\\p{Mongolian}\\p{Nko}\\p{Adlam}&&\\p{L}]{0,9}",
        ) {
            let name = format!("{before}{joiner}{behind}");
            prop_assert_eq!(said(&name), Ok(()));
            prop_assert_eq!(key(&name), key(&format!("{before}{behind}")));
            let (two, first) = (format!("{before}{joiner}{second}{behind}"), format!("{joiner}{before}"));
            prop_assert!(said(&two).is_err() && said(&first).is_err());
        }

        #[test]
        fn what_turns_the_direction_is_in_no_name(
            before in "[\\p{Arabic}\\p{Bengali}\\p{Mongolian}\\p{Thai}\\p{Khmer}\\p{Hebrew}&&\\p{L}]{0,9}",
            sign in "[\u{61c}\u{200e}\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}\u{feff}\u{115f}\u{3164}]",
            behind in "[\\p{Arabic}\\p{Bengali}\\p{Mongolian}\\p{Thai}\\p{Khmer}\\p{Hebrew}&&\\p{L}]{0,9}",
        ) {
            let name = format!("{before}{sign}{behind}");
            prop_assert!(said(&name).is_err());
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
