//! People's names: how they are compared. One normalisation for all of them, that of answers
//! ([`crate::model::answers::normalised`]): NFKC, case folded, trimmed; before it everything goes that nobody sees, so that no two
//! names look alike by it. É is é, and neither is e; İ is not i.
//!
//! It is computed here and kept in columns with an index, so that both engines compare the same. Names that an older version
//! told apart may be one now. Then it is of the one whose name is written exactly so (`the_one`); written otherwise it is
//! nobody's, and [`crate::service::users::Users::clashes`] lists them.

use crate::model::answers::normalised;
use crate::model::refusal::Refusal;
use crate::model::signs;
use crate::words::{Sentence, sentence};
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use serde::Serialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A name that more than one has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Clash {
    /// The name as it is compared.
    pub name: String,
    /// Who has it: users' logon names, or operators' names.
    pub of: Vec<String>,
    /// Whether they are operators.
    pub operators: bool,
    /// Of a name of users: the operators who are called so as well, and are somebody else. The log could not tell what either did.
    pub also: Vec<String>,
}

/// A name as it is compared.
#[must_use]
pub fn key(name: &str) -> String {
    // Most names are ASCII, where all is seen.
    if name.is_ascii() {
        return normalised(name).to_string();
    }
    let seen: String = name.chars().filter(|c| !is_unseen(*c)).collect();
    normalised(&seen).to_string()
}

/// What nobody sees, wherever it stands: joiners, fillers, selectors, directions (Default_Ignorable_Code_Point of the Unicode
/// Standard, section 5.21).
pub(crate) fn is_unseen(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// What no text in one line has: controls, and what separates lines.
pub(super) fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whose name somebody has typed, of those that compare as that name: the only one, or of several the one of whom it is
/// written somewhere exactly as it was typed. `written` gives the names of one.
pub(crate) fn the_one<T>(mut found: Vec<T>, typed: &str, written: impl Fn(&T) -> Vec<String>) -> Option<T> {
    if found.len() > 1 {
        found.retain(|one| written(one).iter().any(|name| name.trim() == typed.trim()));
    }
    if found.len() == 1 { found.pop() } else { None }
}

/// A name without its domain, in whichever form, as it is compared.
pub(crate) fn own_part(name: &str) -> Zeroizing<String> {
    let name = key(name);
    let name = name.rsplit_once('\\').map_or(name.as_str(), |(_, name)| name);
    Zeroizing::new(name.split_once('@').map_or(name, |(name, _)| name).to_owned())
}

/// Longest name of a workstation.
const LONGEST_WORKSTATION: usize = 100;

/// A workstation's name as it is stored, whatever it calls itself: letters, digits and the signs that names of machines are
/// written with (RFC 1123, section 2.1; `DOMAIN\NAME`), so many at most.
pub(crate) fn workstation(text: &str) -> String {
    let plain = |c: &char| c.is_alphanumeric() && !is_unseen(*c) || matches!(c, '-' | '_' | '.' | '\\' | ' ');
    text.chars().filter(plain).take(LONGEST_WORKSTATION).collect::<String>().trim().to_owned()
}

/// Characters of a name, at most.
const LONGEST: usize = 200;

/// What is called something: a text in one line that is not empty, of [signs that are seen](signs). `field` is where it was typed.
///
/// # Errors
/// A sentence that names `what`, and what is wrong with it.
pub(crate) fn named(field: &'static str, what: Sentence, text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let length = text.chars().count();
    let wrong = if key(text).is_empty() {
        sentence!("refused-name-missing", what = what)
    } else if length > LONGEST {
        sentence!("refused-name-long", what = what, most = LONGEST, length = length)
    } else if let Err(wrong) = signs::written(&what, text) {
        wrong
    } else {
        return Ok(text.to_owned());
    };
    Err(Refusal::malformed(wrong).at(field))
}

/// What is called something and stands in an address by that name: nothing in it is read as a part of the path (RFC 3986, section
/// 3.3; a backslash is a slash to browsers).
///
/// # Errors
/// As [`named`].
pub(crate) fn named_in_paths(field: &'static str, what: Sentence, text: &str) -> Result<String, Refusal> {
    let name = named(field, what.clone(), text)?;
    let key = key(&name);
    let is_segment = !key.contains(['/', '\\']) && !matches!(key.as_str(), "." | "..");
    if is_segment { Ok(name) } else { Err(Refusal::malformed(sentence!("refused-name-path", what = what)).at(field)) }
}

/// What is written on a card for people, or nothing.
///
/// # Errors
/// As [`named`].
pub(crate) fn labelled(text: &str) -> Result<String, Refusal> {
    if text.trim().is_empty() { Ok(String::new()) } else { named("label", sentence!("refused-name-label"), text) }
}

/// A mail address, or nothing: `name@domain` without blanks and without what separates addresses (RFC 5322, section 3.2.3).
///
/// # Errors
/// A sentence that says what one looks like.
pub(crate) fn mail(text: &str) -> Result<String, Refusal> {
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    let mail = named("mail", sentence!("refused-name-mail"), text)?;
    let parts: Vec<&str> = mail.split('@').collect();
    let apart = |c: char| c.is_whitespace() || "()<>[]:;,\\\"".contains(c) || is_unseen(c);
    let right = matches!(parts.as_slice(), [own, domain] if !own.is_empty() && !domain.is_empty()) && !mail.contains(apart);
    if right { Ok(mail) } else { Err(Refusal::malformed(sentence!("refused-mail")).at("mail")) }
}

/// A telephone number as ITU-T E.123 writes it, of one as people and their programs write it: with blanks that do not break and
/// dashes of any length, as an address `tel:` (RFC 3966, section 3).
pub(crate) fn as_dialled(text: &str) -> String {
    let text = text.trim();
    let scheme = text.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("tel:"));
    let number = text[scheme.map_or(0, str::len)..].trim();
    let plain = |c: char| match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        c if c.is_whitespace() && !breaks_a_line(c) => ' ',
        c => c,
    };
    number.chars().map(plain).collect()
}

/// A telephone number, or nothing: as ITU-T E.123 writes them, with an extension behind `x`; 2 to 30 digits. Stored
/// [as it is dialled](as_dialled).
///
/// # Errors
/// A sentence that says what one looks like.
pub(crate) fn phone(text: &str) -> Result<String, Refusal> {
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    let phone = named("phone", sentence!("refused-name-phone"), &as_dialled(text))?;
    let digits = phone.chars().filter(char::is_ascii_digit).count();
    let right = (2..=30).contains(&digits) && phone.chars().all(|c| c.is_ascii_digit() || " +-()/.#*x".contains(c));
    if right { Ok(phone) } else { Err(Refusal::malformed(sentence!("refused-phone")).at("phone")) }
}

/// Name of the form `DOMAIN\Name`.
pub(crate) fn logon(name: &str) -> Result<(), Refusal> {
    let right = matches!(name.split('\\').map(key).collect::<Vec<_>>().as_slice(), [domain, own] if !domain.is_empty() && !own.is_empty());
    if right { Ok(()) } else { Err(Refusal::malformed(sentence!("refused-logon")).at("logon")) }
}

/// Name of the form `name@domain`.
pub(crate) fn upn(name: &str) -> Result<(), Refusal> {
    let parts: Vec<String> = name.split('@').map(key).collect();
    let right = matches!(parts.as_slice(), [own, domain] if !own.is_empty() && !domain.is_empty()) && !name.contains('\\');
    if right { Ok(()) } else { Err(Refusal::malformed(sentence!("refused-upn")).at("upn")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization as _;

    #[test]
    fn which_names_are_one() {
        for (one, other) in [
            ("LAB\\Émile", "lab\\émile"),
            ("Émile", "E\u{301}mile"),
            ("GROSSE", "große"),
            ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
            ("ｌａｂ\\ａｎｎａ", "LAB\\Anna"),
            (" anna ", "ANNA"),
        ] {
            assert_eq!(key(one), key(other), "{one} {other}");
        }
        // What nobody sees, also between a letter and its accent; a filler of Hangul is a letter to everything but the eye.
        for unseen in
            ["\u{34f}", "\u{3164}", "\u{ffa0}", "\u{115f}", "\u{e0041}", "\u{200d}", "\u{2064}", "\u{fe0f}", "\u{1d173}"]
        {
            assert_eq!(key(&format!("LAB\\E{unseen}\u{301}mi{unseen}le{unseen}")), key("lab\\émile"), "{unseen:?}");
        }
        for (one, other) in [("Émile", "Emile"), ("İzmir", "izmir"), ("Пётр", "Петр"), ("anna", "\u{430}nna")] {
            assert_ne!(key(one), key(other), "{one} {other}");
        }
    }

    #[test]
    fn nothing_becomes_unseen_by_being_compared() {
        let changes = |c: &char| c.is_lowercase() || c.is_uppercase() || !c.nfkc().eq([*c]);
        let made = |c: &char| !is_unseen(*c) && normalised(&c.to_string()).chars().any(is_unseen);
        assert_eq!(('\0'..=char::MAX).filter(changes).find(made), None);
    }

    proptest! {
        #[test]
        fn what_nobody_sees_changes_no_name(name in "\\PC{0,20}", unseen in "\\p{Default_Ignorable_Code_Point}{1,3}", at in 0usize..20) {
            let mut with: Vec<char> = name.chars().collect();
            let at = at.min(with.len());
            with.splice(at..at, unseen.chars());
            let with: String = with.into_iter().collect();
            prop_assert_eq!(key(&with), key(&name));
            prop_assert_eq!(key(&key(&name)), key(&name));
            prop_assert!(key(&unseen).is_empty());
        }
    }

    #[test]
    fn what_stands_in_addresses_is_no_way_through_them() {
        let named = |text: &str| named_in_paths("type_name", sentence!("refused-name-card-type"), text);
        assert_eq!(named(" Managed PIV card (2.0) "), Ok("Managed PIV card (2.0)".into()));
        assert!(named(".\u{200b}.").unwrap_err().message().contains("U+200B"));
        for text in ["..", ".", " .. ", "\u{2025}", "a/b", "/", "a\\b", "a\u{ff0f}b", "..\\.."] {
            let refused = named(text).unwrap_err().message();
            assert!(refused.starts_with("a card type's name stands in addresses: "), "{text:?}: {refused}");
        }
        for text in ["a\0", "a\u{7f}b", "a\nb", "a\u{85}b", "a\u{2028}b"] {
            let refused = named(text).unwrap_err().message();
            assert!(refused.starts_with("a card type's name stands in one line"), "{text:?}: {refused}");
        }
    }

    #[test]
    fn forms_are_what_their_labels_ask_for() {
        for name in ["LAB\\anna", "lab\\Émile Zola", "ｌａｂ\\x"] {
            assert!(logon(name).is_ok(), "{name}");
        }
        for name in ["anna", "LAB\\", "\\anna", "LAB\\a\\b", "LAB\\\u{200b}", "anna@lab", ""] {
            assert!(logon(name).is_err(), "{name}");
        }
        for name in ["anna@lab.example", "é@lab"] {
            assert!(upn(name).is_ok(), "{name}");
        }
        for name in ["anna", "@lab", "anna@", "a@b@c", "LAB\\anna@x", ""] {
            assert!(upn(name).is_err(), "{name}");
        }
    }

    #[test]
    fn workstations_are_called_as_machines_are() {
        for (called, is) in [
            ("PC-12", "PC-12"),
            ("LAB\\pc_12.lab.example", "LAB\\pc_12.lab.example"),
            ("Büro Süd 1", "Büro Süd 1"),
            ("WS\u{1b}7\r\n\0\u{3164}", "WS7"),
            ("PC-12 <b>\u{202e}evil\u{200b}\u{2066}", "PC-12 bevil"),
            (" \u{feff}, ", ""),
        ] {
            assert_eq!(workstation(called), is, "{called:?}");
        }
        assert_eq!(workstation(&"é".repeat(15_000)).chars().count(), LONGEST_WORKSTATION);
    }

    #[test]
    fn each_fault_of_a_name_has_its_sentence() {
        let named = |text: &str| named("cn", sentence!("refused-name-user"), text).map_err(|refusal| refusal.message());
        assert_eq!(named(" Anna\u{a0}Berg "), Ok("Anna\u{a0}Berg".into()));
        for (text, says) in [
            (" ".to_owned(), "a name is missing"),
            ("\u{200b}".to_owned(), "a name is missing"),
            (
                " \u{200b}Anna ".to_owned(),
                "a name has U+200B in it, which nobody sees there: remove this sign, or type everything anew instead of pasting it",
            ),
            ("W".repeat(15_000), "a name has at most 200 characters, not 15000"),
            ("An\u{7}na".to_owned(), "a name stands in one line of letters and signs; U+0007 is none"),
            ("An\nna".to_owned(), "a name stands in one line of letters and signs; U+000A is none"),
        ] {
            assert_eq!(named(&text), Err(says.into()));
        }
    }

    #[test]
    fn what_mail_and_telephone_are() {
        for text in ["anna@lab.example", "o'neill+cards@lab", "é@пример.example", " a@b "] {
            assert_eq!(mail(text), Ok(text.trim().to_owned()));
        }
        for text in ["anna", "@lab", "anna@", "a@b@c", "<script>alert(1)</script>@x", "a b@lab", "a@lab, b@lab", "a\u{202e}@lab"]
        {
            assert_eq!(mail(text).unwrap_err().field(), Some("mail"), "{text}");
        }
        for text in ["+49 30 5550 117", "+49305550117", "(030) 5550-117", "5550/117 x12", "117", "*21#"] {
            assert_eq!(phone(text), Ok(text.to_owned()));
        }
        for (text, is) in [
            ("tel:+49-30-5550-117", "+49-30-5550-117"),
            (" TEL: +49\u{a0}30\u{202f}5550\u{2013}117 ", "+49 30 5550-117"),
            ("030\u{2014}5550\u{2011}117\u{2212}1", "030-5550-117-1"),
        ] {
            assert_eq!(phone(text), Ok(is.to_owned()));
        }
        for text in ["tel:", "tel:anna", "sip:+4930", "telefon 117", "+49\n30", "té:l117"] {
            assert_eq!(phone(text).unwrap_err().field(), Some("phone"), "{text}");
        }
        for text in ["<script>alert(1)</script>", &"W".repeat(200), "\u{202e}711", "seven", "+", &"1".repeat(31), "１１７"] {
            assert_eq!(phone(text).unwrap_err().field(), Some("phone"), "{text}");
        }
        assert_eq!((mail(" "), phone("")), (Ok(String::new()), Ok(String::new())));
    }
}
