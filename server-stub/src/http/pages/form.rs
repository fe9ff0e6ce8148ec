//! A form as its page shows it: with what is stored, or with what somebody has typed and why that was refused.

use crate::http::body::Fields;
use crate::words::plain;
use std::fmt::Display;

/// The revision that a form is of.
pub(super) fn was(fields: &Fields) -> Option<&str> {
    fields.get("was").map(String::as_str)
}

/// What somebody has typed into a form of a page, and why it was refused. As a default: nobody has sent one.
///
/// What is secret is in no form's value, so that it does not come back.
#[derive(Default)]
pub(super) struct Typed {
    /// Which of several forms of the page: what its address has behind the page's own, empty for the address itself.
    of: String,
    is_sent: bool,
    /// None: as nobody knows them, the page shows what is stored.
    fields: Option<Fields>,
    /// By field that is wrong: a sentence of its own that says why.
    faults: Vec<(String, String)>,
    /// Somebody else has changed meanwhile what the form is about.
    is_late: bool,
}

/// Of a form that nobody has sent.
static NOTHING: Typed = Typed { of: String::new(), is_sent: false, fields: None, faults: Vec::new(), is_late: false };

impl Typed {
    /// As it waited for its page.
    pub(super) fn sent(of: String, fields: Option<Vec<(String, String)>>, faults: Vec<(String, String)>) -> Self {
        let fields = fields.map(|fields| fields.into_iter().collect());
        Self { of, is_sent: true, fields, faults, is_late: false }
    }

    /// What the form is about has the revision `now`, by which of the page's forms it is: of another one, somebody else has changed it
    /// meanwhile.
    pub(super) fn beside<'r>(self, now: impl FnOnce(&str) -> Option<&'r str>) -> Self {
        let was = self.fields.as_ref().and_then(was);
        let is_late = was.zip(now(&self.of)).is_some_and(|(was, now)| was != now);
        Self { is_late, ..self }
    }

    /// Of forms that go to the same address: they are told apart by what this field of theirs says, which nobody types.
    pub(super) fn by(mut self, field: &str) -> Self {
        let fields = self.fields.as_mut();
        if let Some(of) = fields.and_then(|fields| fields.get(field)) {
            self.of.push_str(if self.of.is_empty() { "" } else { "/" });
            self.of.push_str(of);
        }
        self
    }

    /// What was typed into this form.
    pub(super) fn about(&self, of: impl AsRef<str>) -> &Self {
        if self.of == of.as_ref() { self } else { &NOTHING }
    }

    /// Somebody has sent this form, and it was not done.
    pub(super) const fn is_sent(&self) -> bool {
        self.is_sent
    }

    /// The text of a field.
    pub(super) fn value(&self, name: &str, stored: &(impl Display + ?Sized)) -> String {
        let typed = self.fields.as_ref().map(|fields| fields.get(name).cloned().unwrap_or_default());
        typed.unwrap_or_else(|| stored.to_string())
    }

    /// Whether a box is ticked.
    pub(super) fn is_on(&self, name: &str, stored: &bool) -> bool {
        self.fields.as_ref().map_or(*stored, |fields| fields.contains_key(name))
    }

    /// Whether this is chosen in a list.
    pub(super) fn is_chosen(&self, name: &str, value: &str, stored: bool) -> bool {
        self.fields.as_ref().map_or(stored, |fields| fields.get(name).is_some_and(|chosen| chosen == value))
    }

    /// Why the field is wrong.
    pub(super) fn fault(&self, name: &str) -> Option<&str> {
        self.faults.iter().find(|(field, _)| field == name).map(|(_, why)| why.as_str())
    }

    /// Attributes of a field: one that is wrong says so, and the browser goes to it.
    pub(super) fn wrong(&self, name: &str) -> &'static str {
        if self.fault(name).is_some() { r#" aria-invalid="true" autofocus"# } else { "" }
    }

    /// What somebody else has saved meanwhile, where it is something else than what was typed.
    pub(super) fn other(&self, name: &str, stored: &(impl Display + ?Sized)) -> Option<String> {
        let stored = stored.to_string();
        (self.is_late && self.value(name, &stored).trim() != stored)
            .then(|| if stored.is_empty() { plain("none") } else { stored })
    }

    /// As [`Self::other`], of a box.
    pub(super) fn other_switch(&self, name: &str, stored: &bool) -> Option<String> {
        (self.is_late && self.is_on(name, stored) != *stored).then(|| plain(if *stored { "on" } else { "off" }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(faults: &[(&str, &str)]) -> Typed {
        let owned = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Typed::sent("p".into(), Some(owned(&[("cards", "7"), ("lock", "on"), ("was", "1")])), owned(faults))
    }

    #[test]
    fn what_was_typed_stays_and_its_fault_stands_at_its_field() {
        let typed = typed(&[("cards", "There are too many.")]);
        assert_eq!((typed.value("cards", "1"), typed.value("gone", "1")), ("7".into(), String::new()));
        assert_eq!((typed.is_on("lock", &false), typed.is_on("other", &true)), (true, false));
        assert_eq!(typed.fault("cards"), Some("There are too many."));
        assert_eq!((typed.fault("lock"), typed.other("cards", "1")), (None, None));
        // The other forms of the page are as they are stored.
        assert_eq!((typed.about("q").value("cards", "1"), typed.about("p").value("cards", "1")), ("1".into(), "7".into()));
    }

    #[test]
    fn forms_that_go_to_one_address_are_told_apart() {
        let typed = typed(&[]).by("gone").by("cards");
        assert!(typed.about("p/7").is_sent() && !typed.about("p").is_sent());
        assert!(Typed::sent(String::new(), None, Vec::new()).by("cards").about("").is_sent());
    }

    #[test]
    fn what_another_saved_meanwhile_stands_beside_what_was_typed() {
        let same = typed(&[]).beside(|_| Some("1"));
        assert_eq!((same.other("cards", &3), same.other_switch("lock", &false)), (None, None));
        let typed = typed(&[]).beside(|of| Some("2").filter(|_| of == "p"));
        assert_eq!((typed.other("cards", &3), typed.other("cards", &7)), (Some("3".into()), None));
        assert_eq!((typed.other_switch("lock", &true), typed.other_switch("lock", &false)), (None, Some("off".into())));
    }
}
