//! A form as its page shows it: with what is stored, or with what somebody has typed and why that was refused.

use super::frame::{Frame, Notice};
use crate::http::body::Fields;
use crate::model::refusal::Refusal;
use crate::words::plain;
use std::fmt::Display;

/// What somebody has typed into a form of a page, and why it was refused. As a default: nobody has sent one.
///
/// What is secret is in no form's value, so that it does not come back.
#[derive(Default)]
pub(super) struct Typed {
    /// Which of several forms of the page: the id of what it is about, empty for something new.
    of: String,
    fields: Option<Fields>,
    /// The field that is wrong, and a sentence of its own that says why.
    fault: Option<(&'static str, String)>,
    /// Somebody else has changed meanwhile what the form is about.
    is_late: bool,
}

/// Of a form that nobody has sent.
static NOTHING: Typed = Typed { of: String::new(), fields: None, fault: None, is_late: false };

impl Typed {
    /// Of the form about `of`. What is wrong with no field of it, the page says.
    pub(super) fn refused(of: impl Into<String>, fields: Fields, refusal: &Refusal, frame: &mut Frame) -> Self {
        let notice = Notice::refused(refusal);
        let fault = match refusal.field() {
            Some(field) => Some((field, notice.text)),
            None => {
                frame.notices.push(notice);
                None
            }
        };
        Self { of: of.into(), fields: Some(fields), fault, is_late: false }
    }

    /// What it is about has this revision now: of another one, somebody else has changed it meanwhile.
    pub(super) fn beside(self, revision: &str) -> Self {
        let is_late = self.fields.as_ref().and_then(|fields| fields.get("was")).is_some_and(|was| was != revision);
        Self { is_late, ..self }
    }

    /// What was typed into the form about this.
    pub(super) fn about(&self, of: &str) -> &Self {
        if self.of == of { self } else { &NOTHING }
    }

    /// Somebody has sent this form, and it was refused.
    pub(super) const fn is_sent(&self) -> bool {
        self.fields.is_some()
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
        self.fault.as_ref().filter(|(field, _)| *field == name).map(|(_, why)| why.as_str())
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
    use crate::words::sentence;

    fn typed(refusal: &Refusal) -> (Typed, Vec<String>) {
        let mut frame = Frame::open("area-console", "/mc", "area-console");
        let fields = [("cards", "7"), ("lock", "on"), ("was", "1")].map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        let typed = Typed::refused("p", fields, refusal, &mut frame);
        (typed, frame.notices.into_iter().map(|notice| notice.text).collect())
    }

    #[test]
    fn what_was_typed_stays_and_its_fault_stands_at_its_field() {
        let (typed, notices) = typed(&Refusal::malformed(sentence!("refused-password")).at("cards"));
        assert_eq!((typed.value("cards", "1"), typed.value("gone", "1")), ("7".into(), String::new()));
        assert_eq!((typed.is_on("lock", &false), typed.is_on("other", &true)), (true, false));
        assert_eq!(typed.fault("cards"), Some("A password has 8 to 200 characters."));
        assert_eq!((typed.fault("lock"), notices.len(), typed.other("cards", "1")), (None, 0, None));
        // The other forms of the page are as they are stored.
        assert_eq!((typed.about("q").value("cards", "1"), typed.about("p").value("cards", "1")), ("1".into(), "7".into()));
    }

    #[test]
    fn what_another_saved_meanwhile_stands_beside_what_was_typed() {
        let (typed, notices) = typed(&Refusal::malformed(sentence!("refused-own-role")));
        assert_eq!((notices.len(), typed.fault("cards"), typed.other("cards", &3)), (1, None, None));
        let typed = typed.beside("1");
        assert_eq!((typed.other("cards", &3), typed.other_switch("lock", &false)), (None, None));
        let typed = typed.beside("2");
        assert_eq!((typed.other("cards", &3), typed.other("cards", &7)), (Some("3".into()), None));
        assert_eq!((typed.other_switch("lock", &true), typed.other_switch("lock", &false)), (None, Some("off".into())));
    }
}
