//! The profiles that come with the crate.

use super::{Profile, ProfileError};
use crate::own;

/// Name and TOML text.
const BUILTIN: [(&str, &str); 7] = [
    ("gids", include_str!("../../profiles/gids.toml")),
    ("gids-blank", include_str!("../../profiles/gids-blank.toml")),
    ("nist-piv", include_str!("../../profiles/nist-piv.toml")),
    ("piv-admin", include_str!("../../profiles/piv-admin.toml")),
    ("yubikey-4.3", include_str!("../../profiles/yubikey-4.3.toml")),
    ("yubikey-5.4", include_str!("../../profiles/yubikey-5.4.toml")),
    ("yubikey-5.7", include_str!("../../profiles/yubikey-5.7.toml")),
];

/// The rules under a card edge that is not of this crate.
pub(super) const OWN: &str = include_str!("../../profiles/own.toml");

impl Profile {
    /// The names of the built-in profiles.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|p| p.0)
    }

    /// The TOML text of a built-in profile; for a kind that was registered, that of the rules under it.
    ///
    /// # Errors
    /// [`ProfileError::UnknownProfile`], naming those there are.
    pub fn text(name: &str) -> Result<&'static str, ProfileError> {
        let registered = || own::kinds().iter().any(|kind| kind.name == name).then_some(OWN);
        BUILTIN.iter().find(|p| p.0 == name).map(|p| p.1).or_else(registered).ok_or_else(|| ProfileError::UnknownProfile {
            name: name.into(),
            known: Self::names().chain(own::kinds().iter().map(|kind| kind.name)).collect::<Vec<_>>().join(", "),
        })
    }

    /// A built-in profile, or that of a kind which was registered ([`crate::own::register`]).
    ///
    /// # Errors
    /// [`ProfileError::UnknownProfile`], naming those there are.
    pub fn builtin(name: &str) -> Result<Self, ProfileError> {
        match own::kinds().into_iter().find(|kind| kind.name == name) {
            Some(kind) => Self::own(kind),
            None => Self::parse(Self::text(name)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_a_builtin_profile_has_a_source() {
        for name in Profile::names() {
            let profile = Profile::builtin(name).unwrap();
            assert_eq!(profile.name, name);
            profile.check().unwrap();
            let table: toml::Table = toml::from_str(Profile::text(name).unwrap()).unwrap();
            let mut rules = Vec::new();
            for section in ["card", "pin", "puk", "management-key", "piv", "gids", "yubikey"] {
                if let Some(toml::Value::Table(keys)) = table.get(section) {
                    rules.extend(keys.keys().map(|k| format!("{section}.{k}")));
                }
            }
            for rule in &rules {
                assert!(profile.sources.contains_key(rule), "{name}: no source for {rule}");
            }
            for source in profile.sources.keys() {
                assert!(rules.contains(source), "{name}: source of nothing: {source}");
            }
        }
    }

    #[test]
    fn an_unknown_profile_is_answered_with_those_there_are() {
        let e = Profile::builtin("yubikey-9").unwrap_err().to_string();
        let there = "no profile named 'yubikey-9'; there are: gids, gids-blank, nist-piv, piv-admin, yubikey-4.3, yubikey-5.4, yubikey-5.7";
        // Kinds of a program's own come after them; other tests of this process have some.
        let own: Vec<&str> = e.strip_prefix(there).unwrap().split(", ").skip(1).collect();
        assert!(own.iter().all(|name| ["once", "plain"].contains(name)), "{e}");
    }
}
