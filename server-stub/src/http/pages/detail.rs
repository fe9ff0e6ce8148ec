//! What an event says beside its sentence, in words: titles as the pages have them, and what belongs to each.

use super::told::why;
use crate::model::card::CardState;
use crate::model::policy::Number;
use crate::model::role::Privilege;
use crate::words::{has, plain, say, text};
use serde_json::{Map, Value};
use std::net::IpAddr;

/// Titles of what an event may say, as its JSON names it, and how it is read.
const FIELDS: [(&str, &str, Reading); 13] = [
    ("reason", "card-reason", why),
    ("channel", "card-responses-channel", channel),
    ("comment", "card-agent-comment", str::to_owned),
    ("answers_validated", "detail-answers", str::to_owned),
    ("tries_left", "detail-tries-left", str::to_owned),
    ("status_word", "detail-status-word", str::to_owned),
    ("tried", "detail-key-tried", str::to_owned),
    ("pin_tries", Number::PIN_TRIES.title, str::to_owned),
    ("card_type", "card-type", str::to_owned),
    ("label", "card-label", str::to_owned),
    ("policy", "users-policy", str::to_owned),
    ("role", "detail-role", str::to_owned),
    ("question", "question-text", str::to_owned),
];

/// How a text of an event is said.
type Reading = fn(&str) -> String;

/// Titles of settings, as policies, roles and card types are stored.
const SETTINGS: [(&str, &str); 29] = [
    Number::QUESTIONS_TO_ASK.titled(),
    Number::MAXIMUM_RETRY.titled(),
    ("count_operator_answers", "policy-count-operator"),
    ("captcha", "policy-captcha"),
    Number::OWN_QUESTIONS.titled(),
    Number::OWN_QUESTION_LENGTH.titled(),
    Number::OWN_ANSWER_LENGTH.titled(),
    ("unblock_card_offline", "policy-unblock-offline"),
    ("validate_answers", "policy-validate-answers"),
    ("reset_user_pin", "policy-reset-user-pin"),
    ("allow_self_unlock", "policy-allow-self"),
    ("set_answers", "policy-set-answers"),
    ("unlock_in_remote", "policy-unlock-remote"),
    ("disable_card", "policy-disable-card"),
    ("enable_card", "policy-enable-card"),
    ("revoke_card", "policy-revoke-card"),
    ("change_pin", "policy-change-pin"),
    Number::MAXIMUM_CARDS.titled(),
    ("require_tags", "policy-require-tags"),
    ("initialize_card", "policy-initialize-card"),
    ("lock_card", "policy-lock-card"),
    ("random_user_pin", "policy-random-pin"),
    ("length", Number::RANDOM_LENGTH.title),
    ("digits", "policy-random-digits"),
    ("upper", "policy-random-upper"),
    ("lower", "policy-random-lower"),
    ("special", "policy-random-special"),
    ("forbidden", "policy-random-forbidden"),
    Number::PIN_TRIES.titled(),
];

/// Titles and what belongs to them. What is before and after a change is there as far as it is not the same.
pub(super) fn details(detail: &str) -> Vec<(String, String)> {
    let Ok(Value::Object(detail)) = serde_json::from_str(detail) else { return Vec::new() };
    let of = |(name, title, read): &(&str, &str, Reading)| {
        let value = detail.get(*name).filter(|value| !value.is_null())?;
        let said = match value {
            Value::String(text) => read(text),
            Value::Bool(is) => plain(if *is { "yes" } else { "no" }),
            other => said(other),
        };
        Some((plain(title), said)).filter(|(_, said)| !said.is_empty())
    };
    let mut details: Vec<_> = FIELDS.iter().filter_map(of).collect();
    let field = |name: &str| detail.get(name).and_then(Value::as_str);
    // A report has its time of itself; a login has none, but an address.
    details.extend(field("at").filter(|_| field("report").is_some()).map(|at| (plain("detail-clock"), at.to_owned())));
    let address = field("from").filter(|from| from.parse::<IpAddr>().is_ok());
    details.extend(address.map(|address| (plain("detail-address"), address.to_owned())));
    details.extend(changed(&detail));
    details
}

/// What is another one now.
fn changed(detail: &Map<String, Value>) -> Vec<(String, String)> {
    if let (Some(from), Some(to)) = (state(detail.get("from")), state(detail.get("to"))) {
        return vec![(plain("cards-state"), arrow(&from, &to))];
    }
    match (detail.get("before"), detail.get("after")) {
        (Some(Value::String(before)), Some(Value::String(after))) => return vec![(plain("question-text"), arrow(before, after))],
        (None, Some(Value::String(question))) => return vec![(plain("question-text"), question.clone())],
        // One that was deleted. What has had another name says beside it what it is.
        (Some(Value::String(question)), None) if detail.len() == 1 => return vec![(plain("question-text"), question.clone())],
        (Some(before @ Value::Number(_)), Some(after @ Value::Number(_))) => {
            return vec![(plain("detail-place"), arrow(&said(before), &said(after)))];
        }
        _ => {}
    }
    let flat = |when: &str| {
        let mut leaves = Vec::new();
        flatten(detail.get(when).unwrap_or(&Value::Null), &mut leaves);
        leaves
    };
    let (before, after) = (flat("before"), flat("after"));
    let find =
        |leaves: &[(String, Value)], name: &str| leaves.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let mut titles: Vec<(&str, &str)> = SETTINGS.to_vec();
    titles.extend([("cipher", "types-cipher"), ("privileges", "roles-privileges")]);
    let line = |(name, title): (&str, &str)| match (find(&before, name), find(&after, name)) {
        (Some(before), Some(after)) if before != after => Some((plain(title), arrow(&said(&before), &said(&after)))),
        // All that there was is gone with it.
        (None, Some(after)) if !detail.contains_key("before") => Some((plain(title), said(&after))),
        (None, Some(after)) => Some((plain(title), arrow(&plain("none"), &said(&after)))),
        _ => None,
    };
    let mut lines: Vec<_> = titles.into_iter().filter_map(line).collect();
    lines.extend(policies(detail.get("before"), detail.get("after")).map(|said| (plain("roles-policies"), said)));
    if find(&after, "another_default_pin") == Some(Value::Bool(true)) {
        lines.push((plain("types-pin"), plain("detail-another")));
    }
    lines
}

/// For how many policies a role is, where that is another thing now. Which they are an event has by ids, that say nothing to people.
fn policies(before: Option<&Value>, after: Option<&Value>) -> Option<String> {
    let of = |role: &Value| role.get("policies").cloned();
    let after = of(after?)?;
    let said = |policies: &Value, many: &str| match policies.as_array() {
        Some(policies) => say(many, &[("count", policies.len().into())]),
        None => plain("detail-all-policies"),
    };
    let Some(before) = before.and_then(of) else { return Some(said(&after, "detail-policies")) };
    let many = |policies: &Value| policies.as_array().map(Vec::len);
    let is_alike = many(&before).is_some() && many(&before) == many(&after);
    let now = said(&after, if is_alike { "detail-other-policies" } else { "detail-policies" });
    (before != after).then(|| arrow(&said(&before, "detail-policies"), &now))
}

/// Settings by their names alone, each of which is there once. What holds others is there as well: on, where they are.
fn flatten(value: &Value, leaves: &mut Vec<(String, Value)>) {
    let Value::Object(fields) = value else { return };
    for (name, value) in fields {
        if value.is_object() {
            leaves.push((name.clone(), Value::Bool(true)));
            flatten(value, leaves);
        } else {
            let off = value.is_null() && name == "random_user_pin";
            leaves.push((name.clone(), if off { Value::Bool(false) } else { value.clone() }));
        }
    }
}

/// A value for people.
fn said(value: &Value) -> String {
    match value {
        Value::Null => plain("none"),
        Value::Bool(is_on) => plain(if *is_on { "on" } else { "off" }),
        Value::String(text) if text.is_empty() => plain("none"),
        Value::String(text) => text.clone(),
        Value::Array(all) if all.is_empty() => plain("none"),
        Value::Array(all) => {
            all.iter().map(|one| one.as_str().map_or_else(|| said(one), privilege)).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// A privilege by its name, as roles are stored.
fn privilege(name: &str) -> String {
    let known = Privilege::ALL.into_iter().find(|privilege| privilege.name() == name);
    known.map_or_else(|| name.to_owned(), |privilege| plain(&privilege.word()))
}

/// A card's state by its name.
fn state(value: Option<&Value>) -> Option<String> {
    let name = value?.as_str()?;
    CardState::ALL.into_iter().find(|state| state.name() == name).map(|state| plain(state.word()))
}

fn channel(name: &str) -> String {
    let key = format!("channel-{name}");
    if has(&key) { plain(&key) } else { name.to_owned() }
}

fn arrow(before: &str, after: &str) -> String {
    say("detail-changed", &[("before", text(before)), ("after", text(after))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::policy::Policy;
    use crate::model::random_pin::RandomPin;
    use serde_json::json;
    use std::collections::BTreeSet;

    fn read(detail: &Value) -> Vec<String> {
        let plain = |text: String| text.replace(['\u{2068}', '\u{2069}'], "");
        details(&detail.to_string()).into_iter().map(|(title, said)| plain(format!("{title}: {said}"))).collect()
    }

    #[test]
    fn every_setting_of_a_policy_has_its_title() {
        let mut policy = Policy::default();
        policy.issuance.random_user_pin = Some(RandomPin::default());
        let mut leaves = Vec::new();
        flatten(&json!(policy), &mut leaves);
        let sections = BTreeSet::from(["authentication", "issuance", "workflow"]);
        let names: BTreeSet<&str> =
            leaves.iter().map(|(name, _)| name.as_str()).filter(|name| !sections.contains(name)).collect();
        assert_eq!(names, SETTINGS.iter().map(|(name, _)| *name).collect());
        assert_eq!(leaves.len(), SETTINGS.len() + sections.len(), "each name once");
    }

    #[test]
    fn a_change_says_what_was_and_what_is() {
        let (before, mut after) = (Policy::default(), Policy::default());
        after.issuance.pin_tries = Some(5);
        after.workflow.unblock_card_offline = false;
        after.issuance.random_user_pin = Some(RandomPin::default());
        let said = read(&json!({"policy": "Default", "before": before, "after": after}));
        assert_eq!(said[..3], ["Policy: Default", "Unblock card offline: on → off", "Set random user PIN: off → on"]);
        assert!(
            said.contains(&"Maximum PIN attempts: None → 5".into()) && said.contains(&"Digits: None → on".into()),
            "{said:?}"
        );
        assert_eq!(read(&json!({"policy": "Default", "before": before, "after": before})), ["Policy: Default"]);
        let role = json!({"role": "Night", "after": {"policies": null, "privileges": ["view-log", "unlock-card"]}});
        assert_eq!(read(&role), ["Role: Night", "Privileges: View the log, Unlock cards", "Policies: All policies"]);
        assert_eq!(read(&json!({"from": "Issued", "to": "Disabled", "operation": "disable"})), ["State: Issued → Disabled"]);
    }

    #[test]
    fn codes_are_words() {
        let given = json!({"channel": "operator", "answers_validated": true, "tries_left": 2, "reason": "USER_LOCKED"});
        assert_eq!(read(&given), ["Reason: the user is locked", "Way: Operator", "Answers compared: Yes", "Tries left: 2"]);
        let login = json!({"at": "console", "from": "192.0.2.7"});
        let report = json!({"at": "2026-11-26T10:45:03.004Z", "report": "pin-wrong", "tries_left": 0});
        assert_eq!(read(&login), ["Address: 192.0.2.7"]);
        assert_eq!(read(&report), ["Tries left: 0", "By the workstation's clock: 2026-11-26T10:45:03.004Z"]);
        assert_eq!(details("no JSON"), []);
        assert_eq!(read(&json!({"unheard": {"of": 1}, "before": 3, "after": [2]})), [""; 0]);
    }

    #[test]
    fn a_question_is_said_however_it_was_changed() {
        assert_eq!(read(&json!({"before": "Pet?", "after": "Town?"})), ["Question: Pet? → Town?"]);
        assert_eq!(read(&json!({"after": "Town?"})), ["Question: Town?"]);
        assert_eq!(read(&json!({"before": "Secret pet?"})), ["Question: Secret pet?"]);
        let moved = json!({"question": "Pet?", "before": 3, "after": 2});
        assert_eq!(read(&moved), ["Question: Pet?", "Place in the order: 3 → 2"]);
        assert_eq!(read(&json!({"policy": "Night", "before": 2, "after": 1})), ["Policy: Night", "Place in the order: 2 → 1"]);
        assert_eq!(read(&json!({"operator": "nora", "before": "nina", "password": false})), [""; 0], "no question");
        assert_eq!(read(&json!({"operation": "renamed", "policy": "Night", "before": "Day"})), ["Policy: Night"]);
    }

    /// A local role that became one for everything said its name alone.
    #[test]
    fn a_role_says_for_how_many_policies_it_is() {
        let role = |policies: Value| json!({"policies": policies, "privileges": []});
        let changed = |before, after| read(&json!({"role": "Night", "before": role(before), "after": role(after)}));
        let said = |says: &str| ["Role: Night".to_owned(), format!("Policies: {says}")];
        assert_eq!(changed(json!(["a", "b"]), Value::Null), said("2 policies → All policies"));
        assert_eq!(changed(Value::Null, json!(["a"])), said("All policies → 1 policy"));
        assert_eq!(changed(json!(["a"]), json!(["b"])), said("1 policy → 1 policy, not the same"));
        assert_eq!(changed(json!(["a"]), json!([])), said("1 policy → 0 policies"));
        assert_eq!(changed(json!(["a"]), json!(["a"])), ["Role: Night"]);
        assert_eq!(changed(Value::Null, Value::Null), ["Role: Night"]);
    }

    #[test]
    fn another_pin_of_a_card_type_is_said_and_not_which() {
        let changed = |is_another: bool| {
            let after = json!({"cipher": "AES", "another_default_pin": is_another});
            read(&json!({"card_type": "gids", "before": {"cipher": "AES"}, "after": after}))
        };
        assert_eq!(changed(true), ["Type: gids", "Default user PIN: Another one"]);
        assert_eq!(changed(false), ["Type: gids"]);
    }
}
