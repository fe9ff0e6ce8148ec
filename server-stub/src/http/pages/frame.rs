//! What stands round every page: where one is, who one is, how it went.

use super::kept::cut;
use crate::model::clock::Millis;
use crate::model::refusal::Refusal;
use crate::model::role::Privilege;
use crate::service::login::Operator;
use crate::words::plain;

/// Pages of the console's menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Here {
    Users,
    Cards,
    Connected,
    Log,
    Configuration,
    /// *Unlock* by a card's serial, for who finds neither users nor cards.
    Unlock,
    /// None of the menu.
    Elsewhere,
}

impl Here {
    const MENU: [Self; 6] = [Self::Users, Self::Cards, Self::Connected, Self::Unlock, Self::Log, Self::Configuration];

    /// Where it is, what it is called, and which of these privileges opens it.
    const fn facts(self) -> (&'static str, &'static str, &'static [Privilege]) {
        match self {
            Self::Users => ("/mc", "menu-users", &[Privilege::ViewUser]),
            Self::Cards => ("/mc/cards", "menu-cards", &[Privilege::ViewCards]),
            Self::Connected => ("/mc/connected", "menu-connected", &[Privilege::ViewCards]),
            Self::Log => ("/mc/log", "menu-log", &[Privilege::ViewLog]),
            Self::Configuration => ("/mc/configuration", "menu-configuration", &[Privilege::ViewPolicy, Privilege::ChangeRoles]),
            Self::Unlock => ("/mc/unlock", "menu-unlock", &[Privilege::UnlockCard]),
            Self::Elsewhere => ("/mc", "area-console", &[]),
        }
    }

    /// The first page that is open to an operator.
    pub(super) fn first_of(operator: &Operator) -> Option<&'static str> {
        Self::MENU.into_iter().find(|page| page.is_open_to(operator)).map(|page| page.facts().0)
    }

    /// Where it is.
    pub(super) const fn path(self) -> &'static str {
        self.facts().0
    }

    /// The page of the menu that a path of the console is under, as far as it is open to an operator.
    pub(super) fn around(path: &str, operator: &Operator) -> Self {
        let page = match path.split('/').nth(2).unwrap_or_default() {
            "" | "csv" | "users" => Self::Users,
            "cards" | "tasks" => Self::Cards,
            "connected" => Self::Connected,
            "log" => Self::Log,
            "configuration" => Self::Configuration,
            "unlock" => Self::Unlock,
            _ => Self::Elsewhere,
        };
        if page.is_open_to(operator) { page } else { Self::Elsewhere }
    }

    fn is_open_to(self, operator: &Operator) -> bool {
        if self == Self::Unlock {
            // Others go on from a person or a card.
            let finds = [Privilege::ViewUser, Privilege::ViewCards].iter().any(|privilege| operator.may_somewhere(*privilege));
            return operator.may_somewhere(Privilege::UnlockCard) && !finds;
        }
        self.facts().2.iter().any(|privilege| match privilege {
            // Roles are of no policy.
            Privilege::ChangeRoles => operator.may(*privilege, None),
            _ => operator.may_somewhere(*privilege),
        })
    }
}

/// One of a menu.
pub(super) struct Entry {
    pub(super) path: &'static str,
    /// Name of its sentence.
    pub(super) title: &'static str,
    pub(super) here: bool,
}

/// A step of the way from the menu to the page.
pub(super) struct Crumb {
    pub(super) title: String,
    /// None: this very page.
    pub(super) path: Option<String>,
}

/// Who has logged in.
pub(super) struct Who {
    pub(super) name: String,
    /// Name of the role, or empty.
    pub(super) role: String,
    pub(super) csrf: String,
}

/// How something went.
pub(super) struct Notice {
    how: How,
    pub(super) text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Well,
    Badly,
    /// It is still to be done.
    NotYet,
}

/// How long a notice waits for its page.
const NOTICE_WAITS: Millis = 60_000;
/// Most letters of one that waits in a cookie: of four bytes each they have room in one, encrypted.
const MOST_TOLD: usize = 500;

impl Notice {
    pub(super) const fn good(text: String) -> Self {
        Self { how: How::Well, text }
    }

    pub(super) const fn bad(text: String) -> Self {
        Self { how: How::Badly, text }
    }

    /// Of what is still to be done.
    pub(super) const fn still(text: String) -> Self {
        Self { how: How::NotYet, text }
    }

    /// Why something was not done.
    pub(super) fn refused(refusal: &Refusal) -> Self {
        Self::bad(sentence(&refusal.said()))
    }

    /// For a cookie: of a text that quotes more than one has room for, the beginning.
    pub(super) fn stored(&self, now: Millis) -> String {
        let mut text = self.text.clone();
        if cut(&mut text, MOST_TOLD) {
            text.push('\u{2026}');
        }
        format!("{} {} {text}", now, u8::from(self.how == How::Well))
    }

    /// From a cookie, when it is not of long ago.
    pub(super) fn of_stored(stored: &str, now: Millis) -> Option<Self> {
        let mut parts = stored.splitn(3, ' ');
        let age = now - parts.next()?.parse::<i64>().ok()?;
        let how = if parts.next()? == "1" { How::Well } else { How::Badly };
        let text = parts.next()?.to_owned();
        (0..NOTICE_WAITS).contains(&age).then_some(Self { how, text })
    }

    pub(super) const fn class(&self) -> &'static str {
        match self.how {
            How::Well => "good",
            How::Badly => "bad",
            How::NotYet => "warn",
        }
    }

    pub(super) const fn role(&self) -> &'static str {
        if matches!(self.how, How::Badly) { "alert" } else { "status" }
    }
}

/// What every page shows.
pub(super) struct Frame {
    /// Name of the area's sentence.
    pub(super) area: &'static str,
    /// Path of the area.
    pub(super) home: &'static str,
    pub(super) menu: Vec<Entry>,
    pub(super) crumbs: Vec<Crumb>,
    pub(super) who: Option<Who>,
    pub(super) notices: Vec<Notice>,
    pub(super) is_narrow: bool,
}

impl Frame {
    /// Of a page that anybody sees; `title` names a sentence.
    pub(super) fn open(area: &'static str, home: &'static str, title: &str) -> Self {
        Self {
            area,
            home,
            menu: Vec::new(),
            crumbs: vec![Crumb { title: plain(title), path: None }],
            who: None,
            notices: Vec::new(),
            is_narrow: true,
        }
    }

    /// Of the console's page that the menu leads to.
    pub(super) fn console(operator: &Operator, here: Here) -> Self {
        let entry = |page: Here| {
            let (path, title, _) = page.facts();
            Entry { path, title, here: page == here }
        };
        let menu = Here::MENU.into_iter().filter(|page| page.is_open_to(operator)).map(entry).collect();
        let who = Who {
            name: operator.name.clone(),
            role: operator.role_name.clone().unwrap_or_default(),
            csrf: operator.csrf.clone(),
        };
        Self { menu, who: Some(who), is_narrow: false, ..Self::open("area-console", "/mc", here.facts().1) }
    }

    /// A page further down; what was the last crumb leads back.
    pub(super) fn then(mut self, back: &str, title: impl Into<String>) -> Self {
        if let Some(last) = self.crumbs.last_mut() {
            last.path = Some(back.into());
        }
        self.crumbs.push(Crumb { title: title.into(), path: None });
        self
    }

    /// Of a page that says only why there is no other; `back` is where its only crumb leads.
    pub(super) fn then_error(self, back: &str, title: String) -> Self {
        Self { is_narrow: true, ..self.then(back, title) }
    }

    /// Of an area that somebody looks at who need not have come in.
    pub(super) fn of_area(path: &str) -> Self {
        let (area, home) = match path {
            _ if path.starts_with("/mc") => ("area-console", "/mc"),
            _ if path.starts_with("/ss") => ("area-self-service", "/ss"),
            _ if path.starts_with("/rss") => ("area-remote", "/rss"),
            _ => ("area-doors", "/"),
        };
        Self::open(area, home, area)
    }

    /// The page above this one.
    pub(super) fn back(&self) -> &str {
        self.crumbs.iter().rev().find_map(|crumb| crumb.path.as_deref()).unwrap_or(self.home)
    }

    /// Says how it went.
    pub(super) fn noting(mut self, notice: Notice) -> Self {
        self.notices.push(notice);
        self
    }

    /// What the page is called: the last crumb.
    pub(super) fn title(&self) -> &str {
        self.crumbs.last().map(|crumb| crumb.title.as_str()).unwrap_or_default()
    }

    /// What a form carries.
    pub(super) fn csrf(&self) -> &str {
        self.who.as_ref().map(|who| who.csrf.as_str()).unwrap_or_default()
    }
}

/// A message as a sentence of its own.
pub(super) fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let end = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}
