//! Which questions a name is asked at Remote Self-Service: one function for names that somebody has and for those that nobody
//! has, so that neither the questions nor when they change tell them apart.
//!
//! They stay the same for good. A person is asked the same under each name, `DOMAIN\\Name` and `name@domain`: drawn by the own
//! part of the logon name. A name that nobody has is drawn by its own part in either form; when that is the own part of
//! somebody's `name@domain`, as that person, or who compares the two forms would see which of them somebody has.

use crate::model::names::own_part;
use crate::model::policy::NamedPolicy;
use crate::model::question::Question;
use crate::model::refusal::Refusal;
use crate::model::subject::Subject;
use crate::store::{Snapshot, policies, questions, users};
use cardlab_protocol::workstation::Question as Asked;
use sha2::{Digest, Sha256};

/// The questions for a name. `salt` makes them the same at every server with the same master key.
pub(super) async fn of_name(conn: &mut Snapshot, salt: &[u8], name: &str, subject: &Subject) -> Result<Vec<Asked>, Refusal> {
    let policies = policies::all(conn).await?;
    let questions = questions::all(conn).await?;
    // The same look-up whether there is somebody or not.
    let sharing = users::logon_of_upn_part(conn, &own_part(name)).await?;
    let drawn_as = own_part(subject.user.as_ref().map(|user| &user.logon).or(sharing.as_ref()).map_or(name, String::as_str));
    let rank = |kind: &str, id: &str| rank(salt, &[kind, &*drawn_as, id]);
    let asks = |policy: &&NamedPolicy| questions.iter().any(|(of, _)| *of == policy.id);
    // Who is under no policy that asks is asked as somebody under one that does.
    let invented = policies.iter().filter(asks).min_by_key(|policy| rank("policy", &policy.id));
    let Some(policy) = subject.policy.as_ref().filter(asks).or(invented) else { return Ok(Vec::new()) };
    let is_answered = |id: &str| subject.answered.iter().any(|answered| answered.question.id == id);
    let mut asked: Vec<_> = questions.iter().filter(|(of, _)| *of == policy.id).map(|(_, question)| question).collect();
    // Those that count come first; what is missing is filled up.
    asked.sort_by_key(|question| (!is_answered(&question.id), rank("question", &question.id)));
    asked.truncate(usize::from(policy.settings.authentication.questions_to_ask));
    asked.sort_by_key(|question| rank("place", &question.id));
    Ok(asked.into_iter().map(Question::shown).collect())
}

fn rank(salt: &[u8], parts: &[&str]) -> [u8; 32] {
    let mut digest = Sha256::new_with_prefix(salt);
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_one_name() {
        for name in ["LAB\\Anna", "anna@lab.example", " anna ", "ANNA", "other\\anna", "ａｎｎａ"] {
            assert_eq!(*own_part(name), "anna", "{name}");
        }
        assert_ne!(rank(b"s", &["a", "bc"]), rank(b"s", &["ab", "c"]));
    }
}
