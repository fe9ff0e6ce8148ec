//! Tags: short texts that operators give cards, to find them again by. Two that compare as names do ([`names::key`]) are one.

use crate::model::names;
use crate::model::refusal::Refusal;
use crate::model::signs;
use crate::words::sentence;
use serde::Deserialize;
use utoipa::ToSchema;

/// Characters of the longest tag.
pub const LONGEST: usize = 40;
/// Tags of one card.
pub const MOST: usize = 20;

/// What is changed of the tags of a card; the others stay, whoever has changed them meanwhile.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retag {
    /// Given to the card: 1 to 40 characters that are seen, in one line without commas. One that it has already stays as it is written.
    pub add: Vec<String>,
    /// Taken from it, however they are written.
    pub remove: Vec<String>,
}

impl Retag {
    /// The tags of a card that has had these, in the order in which they are shown.
    ///
    /// # Errors
    /// [`crate::model::refusal::Code::Malformed`] names the rule.
    pub(crate) fn of(&self, before: &[String]) -> Result<Vec<String>, Refusal> {
        let removed: Vec<String> = self.remove.iter().map(|tag| names::key(tag)).collect();
        let mut tags: Vec<String> = before.iter().filter(|tag| !removed.contains(&names::key(tag))).cloned().collect();
        for tag in &self.add {
            let tag = checked(tag)?;
            if !tags.iter().any(|other| names::key(other) == names::key(&tag)) {
                tags.push(tag);
            }
        }
        if tags.len() > MOST {
            return Err(Refusal::malformed(sentence!("refused-tags-most", most = MOST)).at("add"));
        }
        tags.sort_by_cached_key(|tag| names::key(tag));
        Ok(tags)
    }
}

/// A tag as it is stored and shown.
fn checked(tag: &str) -> Result<String, Refusal> {
    let tag = tag.trim();
    let is_one = tag.chars().count() <= LONGEST && !tag.contains(',') && !names::key(tag).is_empty();
    let wrong = match signs::written(&sentence!("refused-name-tag"), tag) {
        _ if !is_one => sentence!("refused-tag", most = LONGEST),
        Ok(()) => return Ok(tag.to_owned()),
        Err(wrong) => wrong,
    };
    Err(Refusal::malformed(wrong).at("add"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn retag(before: &[&str], add: &[&str], remove: &[&str]) -> Result<Vec<String>, String> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Retag { add: owned(add), remove: owned(remove) }.of(&owned(before)).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn a_tag_is_one_however_it_is_written() {
        assert_eq!(retag(&["VPN"], &[" vpn ", "Straße", "ＶＰＮ"], &[]).unwrap(), ["Straße", "VPN"]);
        assert_eq!(retag(&["VPN", "Straße"], &[], &["STRASSE", "none"]).unwrap(), ["VPN"]);
        assert_eq!(retag(&["vpn"], &["VPN"], &["vpn"]).unwrap(), ["VPN"], "taken and given anew");
    }

    #[test]
    fn what_is_no_tag_says_why() {
        for tag in ["", "  ", "a,b", "\u{200B}", &"x".repeat(LONGEST + 1)] {
            assert_eq!(retag(&[], &[tag], &[]).unwrap_err(), "a tag has 1 to 40 characters in one line, and no comma", "{tag:?}");
        }
        for (tag, sign) in [("a\nb", "U+000A"), ("a\u{2028}b", "U+2028"), ("a\u{2029}b", "U+2029")] {
            let says = format!("a tag stands in one line of letters and signs; {sign} is none");
            assert_eq!(retag(&[], &[tag], &[]).unwrap_err(), says);
        }
        let says =
            "a tag has U+202E in it, which nobody sees there: remove this sign, or type everything anew instead of pasting it";
        assert_eq!(retag(&[], &["\u{202E}nepo"], &[]).unwrap_err(), says);
        // What an older version let be stays, and goes however it is written.
        let before = ["\u{202E}nepo".to_owned()];
        assert_eq!(Retag { add: vec!["new".into()], ..Retag::default() }.of(&before).unwrap().len(), 2);
        assert!(Retag { remove: vec!["nepo".into()], ..Retag::default() }.of(&before).unwrap().is_empty());
        let many: Vec<String> = (0..=MOST).map(|number| format!("t{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(retag(&many[1..], &[many[0]], &[]).unwrap_err(), "a card has 20 tags at most; take one away first");
        assert_eq!(retag(&many[1..], &[many[0]], &[many[1]]).unwrap().len(), MOST);
    }

    proptest! {
        #[test]
        fn tags_keep_the_rules(before in prop::collection::vec("[a-cA-C]{1,2}", 0..5), add in prop::collection::vec("\\PC{0,45}", 0..5)) {
            let Ok(before) = (Retag { add: before, remove: Vec::new() }).of(&[]) else { return Ok(()) };
            let Ok(tags) = (Retag { add, remove: Vec::new() }).of(&before) else { return Ok(()) };
            let keys: Vec<String> = tags.iter().map(|tag| names::key(tag)).collect();
            prop_assert!(keys.is_sorted() && keys.windows(2).all(|two| two[0] != two[1]) && tags.len() <= MOST);
            prop_assert!(before.iter().all(|tag| tags.contains(tag)), "those that were there stay as they are written");
            prop_assert!(keys.iter().all(|key| !key.is_empty()));
        }
    }
}
