//! Searches: the words by which people and cards are found, and what a text that somebody types searches for. Both are compared
//! as names are ([`key`]).

use super::names::{as_dialled, key};

/// Words of a search that are looked at.
const WORDS: usize = 5;

/// What a search looks through.
pub(crate) fn search_key(parts: &[&str]) -> String {
    key(&parts.join(" "))
}

/// The words of a text as it is compared: runs of letters and digits, each once.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> =
        key(text).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// The words of a search, each the beginning of one; a word that is the beginning of another says nothing more.
pub(crate) fn beginnings(part: &str) -> Vec<String> {
    let words = words(part);
    let says_more = |word: &&String| !words.iter().any(|other| other != *word && other.starts_with(word.as_str()));
    words.iter().filter(says_more).take(WORDS).cloned().collect()
}

/// What is searched for.
pub(crate) struct Search {
    /// Each of them is there.
    pub(crate) words: Vec<Sought>,
    /// Patterns that are all met: of what stands between blanks, that which those words do not say already.
    pub(crate) patterns: Vec<String>,
}

/// A word of a search, in the forms in which a table of words may have it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sought {
    /// One of those words begins like one of these. The first is as it was typed.
    pub(crate) begin: Vec<String>,
    /// Or is one of these.
    pub(crate) is: Vec<String>,
}

impl Search {
    /// What a text searches for among people; none when it is of signs alone, which are in no word. A telephone number finds
    /// whose number it is or ends, however either is written.
    pub(crate) fn of_people(part: &str) -> Option<Self> {
        if let Some(number) = Number::of(part) {
            return Some(Self { words: vec![number.sought(part)], patterns: Vec::new() });
        }
        Self::of(part, |word| Number::of(word).map(|number| ending(&number.digits)))
    }

    /// What a text searches for among cards: also by the end of a serial, as pages name a card.
    pub(crate) fn of_cards(part: &str) -> Option<Self> {
        let part = part.replace(['*', '\u{22EF}', '\u{2026}'], " ").replace("..", " ");
        let is_end = |word: &str| word.len() >= LEAST_END && word.bytes().all(|b| b.is_ascii_hexdigit());
        Self::of(&part, |word| is_end(word).then(|| ending(word)))
    }

    fn of(part: &str, end: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let beginnings = beginnings(part);
        let asked = key(part);
        let asked = asked.split(' ').filter(|piece| !piece.is_empty()).take(WORDS);
        let unsaid = asked.filter(|piece| !beginnings.iter().any(|word| word.starts_with(piece)));
        let patterns: Vec<String> = unsaid.map(|piece| format!("%{}%", escaped(piece))).collect();
        let is_something = !beginnings.is_empty() || patterns.is_empty();
        let sought = |word: String| {
            let end = end(&word);
            Sought { begin: std::iter::once(word).chain(end).collect(), is: Vec::new() }
        };
        is_something.then(|| Self { words: beginnings.into_iter().map(sought).collect(), patterns })
    }
}

/// Characters of the shortest end of a serial that is looked for.
const LEAST_END: usize = 4;
/// Digits of the shortest end of a telephone number that is looked for.
const LEAST_DIGITS: usize = 3;
/// Digits of the longest country code (ITU-T E.164, section 6.2.1).
const COUNTRY_CODE: usize = 3;

/// The word by whose beginning a text is found by its end. No word of a text begins so.
pub(crate) fn ending(text: &str) -> String {
    format!("<{}", text.chars().rev().collect::<String>())
}

/// A telephone number: nothing but digits and the signs between them.
struct Number {
    /// Without what is dialled before it (`+`, `00`, `0`).
    digits: String,
    /// It is written with its country code.
    international: bool,
}

impl Number {
    fn of(text: &str) -> Option<Self> {
        let text = key(&as_dialled(text));
        let is_written = |c: char| c.is_ascii_digit() || c.is_whitespace() || "+-/().".contains(c);
        if !text.chars().all(is_written) {
            return None;
        }
        let international = text.starts_with('+') || text.starts_with("00");
        // Between country code and area the 0 is not dialled from abroad.
        let text = if international { text.replace("(0)", "") } else { text };
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let digits = digits.trim_start_matches('0').to_owned();
        (digits.len() >= LEAST_DIGITS).then_some(Self { digits, international })
    }

    /// The words of a number that is stored.
    fn words(&self) -> [String; 2] {
        [self.digits.clone(), ending(&self.digits)]
    }

    /// How a number that is typed may be stored: as one that it begins or ends, or without the country code.
    fn sought(self, typed: &str) -> Sought {
        let typed: String = key(typed).chars().filter(char::is_ascii_digit).collect();
        let mut begin = vec![typed, self.digits.clone(), ending(&self.digits)];
        begin.dedup();
        let longest = if self.international { COUNTRY_CODE } else { 0 };
        let national = (1..=longest).filter_map(|code| self.digits.get(code..)).map(|own| own.trim_start_matches('0'));
        Sought { begin, is: national.filter(|own| own.len() >= 2 * LEAST_DIGITS).map(ending).collect() }
    }
}

/// The words by which somebody is found: of names and addresses, and of the telephone number.
pub(crate) fn words_of_person(names: &[&str], phone: &str) -> Vec<String> {
    let mut words = words(&names.join(" "));
    words.extend(Number::of(phone).map(|number| number.words()).into_iter().flatten());
    words.sort_unstable();
    words.dedup();
    words
}

/// The words by which a card is found: those of `searched`, and the end of its serial.
pub(crate) fn words_of_card(serial: &str, searched: &str) -> Vec<String> {
    let mut words = words(searched);
    words.push(ending(&key(serial)));
    words
}

/// A telephone number as it is searched for: as it is written, and its digits alone.
pub(crate) fn telephone(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    format!("{number} {digits}")
}

/// A text as a part of a pattern that stands for itself.
pub(crate) fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| matches!(c, '%' | '_' | '\\').then_some('\\').into_iter().chain([c])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_letters_and_digits() {
        assert_eq!(words("Émile Zola LAB\\Émile emile1@lab.example"), ["emile1", "example", "lab", "zola", "émile"]);
        assert_eq!(beginnings("'; DROP--drop dro"), ["drop"]);
        assert!(beginnings(" %_\\ ").is_empty());
        assert_eq!(beginnings("a b c d e f g").len(), WORDS);
    }

    #[test]
    fn a_telephone_number_is_found_however_it_is_written() {
        let finds = |typed: &str, stored: &str| {
            let words = words_of_person(&["Anna Berg", &telephone(stored)], stored);
            let search = Search::of_people(typed).unwrap();
            let has = |sought: &Sought| {
                let begins = |word: &String| sought.begin.iter().any(|begin| word.starts_with(begin.as_str()));
                words.iter().any(|word| begins(word) || sought.is.contains(word))
            };
            search.patterns.is_empty() && search.words.iter().all(has)
        };
        let ways = [
            "+49 30 5550 117",
            "+49305550117",
            "+49 (0)30 5550-117",
            "0049 30 5550 117",
            "030 5550 117",
            "030/5550117",
            "(030) 5550-117",
            "0305550117",
            "tel:+49-30-5550-117",
            "+49\u{a0}30\u{a0}5550\u{2013}117",
            "030\u{2014}5550\u{2011}117",
        ];
        for stored in ways {
            for typed in ways.into_iter().chain([
                "5550117",
                "5550 117",
                "5550-117",
                "550 117",
                "117",
                "305550117",
                "４９３０５５５０１１７",
            ]) {
                let national = stored.starts_with('0') && !stored.starts_with("00") || stored.starts_with('(');
                // Nobody can tell the country code from the rest of a number that has nothing before it.
                assert!(finds(typed, stored) || national && typed.starts_with('４'), "{typed} {stored}");
            }
            for typed in ["+49 30 5550 118", "5550 118", "+49 40 5550 117", "040 5550 117", "0550 1117"] {
                assert!(!finds(typed, stored), "{typed} {stored}");
            }
        }
        assert!(finds("anna 5550117", "+49 30 5550 117") && !finds("boris 5550117", "+49 30 5550 117"));
        assert!(finds("+49 30 5550", "+49 30 5550 117"), "its beginning");
    }

    #[test]
    fn a_card_is_found_by_both_ends_of_its_serial() {
        let words = words_of_card("ECA1000000000000000000000000B6FA", "ECA1000000000000000000000000B6FA Tür 3");
        let finds = |typed: &str| {
            let search = Search::of_cards(typed).unwrap();
            let begins = |sought: &Sought| words.iter().any(|word| sought.begin.iter().any(|begin| word.starts_with(begin)));
            search.patterns.is_empty() && search.words.iter().all(begins)
        };
        for typed in ["B6FA", "..b6fa", "\u{22EF}B6FA", "0000B6FA", "eca1..b6fa", "ECA1*", "tür b6fa", "*"] {
            assert!(finds(typed), "{typed}");
        }
        for typed in ["B6F", "6FAB", "af6b", "<af6b", "b6fa x"] {
            assert!(!finds(typed), "{typed}");
        }
    }

    #[test]
    fn a_search_has_patterns_for_what_its_words_do_not_say() {
        let typed = |search: &Search| search.words.iter().map(|sought| sought.begin[0].clone()).collect::<Vec<_>>();
        let of = |part: &str| Search::of_people(part).map(|search| (typed(&search), search.patterns));
        let said = |words: &[&str], patterns: &[&str]| {
            let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
            Some((owned(words), owned(patterns)))
        };
        assert_eq!(of(" Émile  ZOLA zo "), said(&["zola", "émile"], &[]));
        assert_eq!(of("LAB\\anna zola"), said(&["anna", "lab", "zola"], &["%lab\\\\anna%"]));
        assert_eq!(of("100%_\\"), said(&["100"], &["%100\\%\\_\\\\%"]));
        assert_eq!(of(" \u{200b} "), said(&[], &[]));
        assert_eq!(of("%_"), None);
        // A word that is looked for no more is a pattern still.
        let many = Search::of_people("g f e d c b a").unwrap();
        assert_eq!((many.words.len(), many.patterns), (WORDS, vec!["%g%".to_owned(), "%f%".to_owned()]));
    }
}
