//! Operators' roles.

use crate::model::revision;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a role may allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Privilege {
    /// Finding and viewing users.
    ViewUser,
    /// Unlocking users.
    UnlockUser,
    /// Resetting security questions.
    ResetQuestions,
    /// Viewing the card repository.
    ViewCards,
    /// Unlocking cards.
    UnlockCard,
    /// Resetting PINs of users.
    ResetPin,
    /// Adding, assigning and issuing cards.
    IssueCard,
    /// Enabling cards.
    EnableCard,
    /// Disabling cards.
    DisableCard,
    /// Revoking and withdrawing cards.
    RevokeCard,
    /// Viewing the log.
    ViewLog,
    /// Viewing policies.
    ViewPolicy,
    /// Changing policies, questions, users and card types.
    ChangePolicy,
    /// Changing roles and their members.
    ChangeRoles,
}

impl Privilege {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::ViewUser,
        Self::UnlockUser,
        Self::ResetQuestions,
        Self::ViewCards,
        Self::UnlockCard,
        Self::ResetPin,
        Self::IssueCard,
        Self::EnableCard,
        Self::DisableCard,
        Self::RevokeCard,
        Self::ViewLog,
        Self::ViewPolicy,
        Self::ChangePolicy,
        Self::ChangeRoles,
    ];

    /// As in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ViewUser => "view-user",
            Self::UnlockUser => "unlock-user",
            Self::ResetQuestions => "reset-questions",
            Self::ViewCards => "view-cards",
            Self::UnlockCard => "unlock-card",
            Self::ResetPin => "reset-pin",
            Self::IssueCard => "issue-card",
            Self::EnableCard => "enable-card",
            Self::DisableCard => "disable-card",
            Self::RevokeCard => "revoke-card",
            Self::ViewLog => "view-log",
            Self::ViewPolicy => "view-policy",
            Self::ChangePolicy => "change-policy",
            Self::ChangeRoles => "change-roles",
        }
    }

    /// Name of its sentence on pages.
    pub(crate) fn word(self) -> String {
        format!("privilege-{}", self.name())
    }

    /// Those of *Operator*.
    const OPERATORS: [Self; 9] = [
        Self::ViewUser,
        Self::UnlockUser,
        Self::ResetQuestions,
        Self::ViewCards,
        Self::UnlockCard,
        Self::ResetPin,
        Self::EnableCard,
        Self::DisableCard,
        Self::ViewLog,
    ];
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Policies that it is for, and whose users, cards and events it sees (a local role); `None` is all of them and what is of no
    /// policy (a global role).
    #[serde(default)]
    pub policies: Option<Vec<String>>,
    /// What it allows.
    pub privileges: Vec<Privilege>,
}

impl Role {
    /// *Administrator*: everything.
    #[must_use]
    pub fn administrator() -> Self {
        Self { policies: None, privileges: Privilege::ALL.to_vec() }
    }

    /// *Operator*: users and cards, no configuration.
    #[must_use]
    pub fn operator() -> Self {
        Self { policies: None, privileges: Privilege::OPERATORS.to_vec() }
    }

    /// Whether it is a local role, and for this policy too.
    #[must_use]
    pub fn is_local_to(&self, policy: &str) -> bool {
        self.policies.as_ref().is_some_and(|policies| policies.iter().any(|p| p == policy))
    }

    /// Whether it allows this for users under `policy`; `None` is what belongs to no policy, and no local role is for.
    #[must_use]
    pub fn allows(&self, privilege: Privilege, policy: Option<&str>) -> bool {
        self.scope(privilege).is_some_and(|scope| scope.covers(policy))
    }

    /// Whom and what it allows this for; `None` where it does not allow it at all.
    #[must_use]
    pub fn scope(&self, privilege: Privilege) -> Option<Scope> {
        let has = |privilege| self.privileges.contains(&privilege);
        has(privilege).then(|| match &self.policies {
            None => Scope::All,
            Some(policies) => Scope::Of { policies: policies.clone(), stock: has(Privilege::IssueCard) },
        })
    }
}

/// Whom and what a role allows something for. A user is under the policy that holds, a card under the one that it was issued
/// under, else under its user's; an event is of its user, and one without a user of its card, as both are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everybody and everything: by a global role.
    All,
    /// By a local role.
    Of {
        /// What is under these policies, by their ids.
        policies: Vec<String>,
        /// Cards that are nobody's and under no policy are found too, by who assigns them to somebody.
        stock: bool,
    },
}

impl Scope {
    /// Whether what is under this policy, or under none, belongs to it.
    #[must_use]
    pub fn covers(&self, policy: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Of { policies, .. } => policy.is_some_and(|policy| policies.iter().any(|p| p == policy)),
        }
    }
}

/// A role as administrators see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NamedRole {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// What it allows, and where.
    pub role: Role,
    /// Names all this: a change that says of which it is does not undo another's.
    pub revision: String,
}

impl NamedRole {
    /// As it is stored.
    pub(crate) fn new(id: String, name: String, role: Role) -> Self {
        let revision = revision::of(&(&name, &role));
        Self { id, name, role, revision }
    }
}

/// An operator as administrators see one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OperatorView {
    /// Id.
    pub id: String,
    /// Login name.
    pub name: String,
    /// Id of the role; without one everything is refused.
    pub role: Option<String>,
    /// Names all this: a change that says of which it is does not undo another's.
    pub revision: String,
}

impl OperatorView {
    /// As it is stored.
    pub(crate) fn new(id: String, name: String, role: Option<String>) -> Self {
        let revision = revision::of(&(&name, &role));
        Self { id, name, role, revision }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_json() {
        for privilege in Privilege::ALL {
            assert_eq!(serde_json::to_string(&privilege).unwrap(), format!("\"{}\"", privilege.name()));
        }
    }

    #[test]
    fn local_roles_end_at_their_policies() {
        let local = Role { policies: Some(vec!["a".into()]), ..Role::operator() };
        assert!(local.allows(Privilege::UnlockCard, Some("a")));
        assert!(!local.allows(Privilege::UnlockCard, Some("b")));
        assert!(Privilege::ALL.iter().all(|privilege| !local.allows(*privilege, None)));
        assert_eq!(local.scope(Privilege::ViewUser), Some(Scope::Of { policies: vec!["a".into()], stock: false }));
        assert_eq!((local.scope(Privilege::ChangePolicy), Role::operator().scope(Privilege::ViewUser)), (None, Some(Scope::All)));
        assert!(!Role::operator().allows(Privilege::ChangePolicy, None));
        assert!(Role::administrator().allows(Privilege::ChangeRoles, None));
    }
}
