//! Events as sentences.

use crate::model::event::{AGENT, Event, Kind, SERVER, WORKSTATION};
use crate::words::{self, Value, card_name, plain, say, text};
use serde_json::Value as Json;

/// An event for people.
#[derive(PartialEq, Eq)]
pub(super) struct Told {
    /// What happened.
    pub(super) sentence: String,
    /// `good`, `warn` or `bad`, or empty for what is as usual.
    pub(super) class: &'static str,
    /// What that is called.
    pub(super) weight: String,
}

/// The name of a person for a sentence: as the catalog has it now.
pub(super) fn told(event: &Event, user: Option<&str>) -> Told {
    let detail: Json = serde_json::from_str(&event.detail).unwrap_or_default();
    let field = |name: &str| detail.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let number = |name: &str| detail.get(name).and_then(Json::as_i64);
    let or_nobody = |text: &str, otherwise: &str| if text.is_empty() { plain(otherwise) } else { text.to_owned() };
    let of_old = claim_of_old(event);
    let values: Vec<(&'static str, Value<'_>)> = vec![
        ("report", of_old.map_or_else(|| field("report"), str::to_owned).into()),
        ("by", text(&by(event, user))),
        ("card", text(&card_name(&event.card))),
        ("user", text(&or_nobody(user.unwrap_or_default(), "event-somebody"))),
        ("workstation", text(&or_nobody(&event.workstation, "event-a-workstation"))),
        ("channel", field("channel").into()),
        ("mode", field("mode").into()),
        ("door", field("at").into()),
        ("operation", field("operation").into()),
        ("to", field("to").into()),
        ("why", why(&field("reason")).into()),
        ("comment", text(&field("comment"))),
        ("policy", text(&field("policy"))),
        ("role", text(&or_nobody(&field("role"), "none"))),
        ("operator", text(&field("operator"))),
        ("before", text(&field("before"))),
        ("was", text(&field("was"))),
        ("type", text(&field("card_type"))),
        ("tags", text(&tags(&detail))),
        ("changed", corrected(&detail).into()),
        ("tagged", detail.get("tags").and_then(Json::as_array).map_or(0, Vec::len).into()),
        ("left", number("tries_left").unwrap_or(-1).into()),
        ("failed", number("failed").unwrap_or_default().into()),
        ("times", number("refused").unwrap_or(1).into()),
        ("serial", if event.card.is_empty() { "none" } else { "some" }.into()),
        ("about", about(&detail).into()),
        ("change", change(&detail).into()),
    ];
    let key = format!("event-{}", if of_old.is_some() { Kind::ReportUnconfirmed.facts().1 } else { &event.name });
    let sentence = if words::has(&key) { say(&key, &values) } else { event.name.clone() };
    let (class, weight) = match event.kind.as_str() {
        _ if of_old.is_some() => ("warn", "event-warning"),
        "E" => ("bad", "event-error"),
        "W" => ("warn", "event-warning"),
        _ => ("", "event-information"),
    };
    Told { sentence, class, weight: plain(weight) }
}

/// The tags that a card has then.
fn tags(detail: &Json) -> String {
    let tags = detail.get("tags").and_then(Json::as_array).into_iter().flatten();
    tags.filter_map(Json::as_str).collect::<Vec<_>>().join(", ")
}

/// Which data of a user are now otherwise, and how.
fn corrected(detail: &Json) -> String {
    const FIELDS: [(&str, &str); 5] = [
        ("cn", "new-user-cn"),
        ("logon", "new-user-logon"),
        ("upn", "new-user-upn"),
        ("mail", "user-mail"),
        ("phone", "users-phone"),
    ];
    let of = |when: &str, field: &str| detail.get(when)?.get(field)?.as_str().map(text);
    let names: Vec<&str> =
        detail.get("changed").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
    let changed = FIELDS.into_iter().filter(|(field, _)| names.contains(field)).map(|(field, title)| {
        match of("before", field).zip(of("after", field)) {
            Some((before, after)) => {
                say("event-corrected", &[("field", plain(title).into()), ("before", before), ("after", after)])
            }
            None => plain(title),
        }
    });
    changed.collect::<Vec<_>>().join("; ")
}

/// What an event says that an older version wrote of a claim as of what happened.
fn claim_of_old(event: &Event) -> Option<&'static str> {
    const OLD: [(Kind, &str); 4] = [
        (Kind::CardUnlocked, "unlocked"),
        (Kind::CardRefusedResponse, "refused"),
        (Kind::AdminKeyBlocked, "admin-key-blocked"),
        (Kind::CardGone, "gone"),
    ];
    let found = OLD.into_iter().find(|(kind, _)| kind.facts().1 == event.name && event.is_claim());
    found.map(|(_, report)| report)
}

/// What a claim says, as a workstation names it.
pub(super) fn claimed(event: &Event) -> String {
    if let Some(report) = claim_of_old(event) {
        return report.to_owned();
    }
    match event.name.as_str() {
        name if name == Kind::PinBlockSeen.facts().1 => "pin-blocked".into(),
        name if name == Kind::PinWrongSeen.facts().1 => "pin-wrong".into(),
        _ => {
            let detail: Json = serde_json::from_str(&event.detail).unwrap_or_default();
            detail.get("report").and_then(Json::as_str).unwrap_or_default().to_owned()
        }
    }
}

/// What a change of roles and operators is about, as its sentence has it.
fn about(detail: &Json) -> &'static str {
    let has = |name: &str| detail.get(name).is_some();
    let is = |name: &str| detail.get(name) == Some(&Json::Bool(true));
    let is_renamed = has("before") && detail.get("before") != detail.get("operator");
    match has("operator") {
        true if detail.get("role").is_some_and(Json::is_null) => "member-none",
        true if has("role") => "member",
        true if is("deleted") => "operator-deleted",
        true if is_renamed && is("password") => "operator-anew",
        true if is_renamed => "operator-renamed",
        true if has("before") => "operator-password",
        true if is("added") => "operator-added",
        // As older versions wrote either.
        true => "operator",
        false if has("was") && detail.get("before") != detail.get("after") => "role-anew",
        false if has("was") => "role-renamed",
        false if has("after") => "role",
        false => "role-deleted",
    }
}

/// How the configuration was changed, as its sentence has it.
fn change(detail: &Json) -> &'static str {
    match (detail.get("before"), detail.get("after")) {
        _ if detail.get("operation").is_some_and(|operation| operation == "renamed") => "renamed",
        (Some(Json::Number(_)), Some(Json::Number(_))) => "moved",
        (None, Some(_)) => "added",
        (Some(_), None) => "deleted",
        _ => "changed",
    }
}

/// Tries that are left after what an event says, where it says so.
pub(super) fn tries_left(detail: &str) -> Option<i64> {
    let detail: Json = serde_json::from_str(detail).ok()?;
    detail.get("tries_left")?.as_i64()
}

/// Who did it: programs have no name of a person.
fn by(event: &Event, user: Option<&str>) -> String {
    match event.initiator.as_str() {
        WORKSTATION if event.workstation.is_empty() => plain("event-a-workstation"),
        WORKSTATION | AGENT => event.workstation.clone(),
        SERVER => plain("event-the-server"),
        "" => user.map_or_else(|| plain("event-somebody"), str::to_owned),
        name => name.to_owned(),
    }
}

/// A reason: a code of ours has a sentence, what a card said is said as it is.
pub(super) fn why(reason: &str) -> String {
    let key = format!("reason-{reason}");
    if reason.is_empty() {
        plain("reason-unknown")
    } else if words::has(&key) {
        plain(&key)
    } else {
        reason.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: Kind, detail: &Json) -> Event {
        let (code, name, weight) = kind.facts();
        Event {
            seq: 1,
            at: 0,
            code,
            name: name.into(),
            kind: weight.into(),
            initiator: "oleg".into(),
            card: "0123456789ABCDEF001122334455152D".into(),
            user: "u1".into(),
            workstation: "PC-12".into(),
            flow: String::new(),
            detail: detail.to_string(),
            hash: String::new(),
        }
    }

    #[test]
    fn every_event_is_a_sentence_of_its_own() {
        for kind in Kind::ALL {
            let told = told(&event(kind, &Json::Null), Some("Anna Berg"));
            assert!(
                told.sentence.chars().next().is_some_and(|c| c.is_uppercase() || told.sentence.starts_with("oleg")),
                "{}",
                told.sentence
            );
            assert!(!told.sentence.contains('_') && !told.sentence.contains('{'), "{}", told.sentence);
        }
    }

    #[test]
    fn an_unlock_reads_like_a_story() {
        let said = |kind, detail: Json| told(&event(kind, &detail), Some("Anna Berg")).sentence;
        assert_eq!(
            said(Kind::ResponseGiven, serde_json::json!({"channel": "operator"})),
            "oleg gave Anna Berg a response for the card ⋯152D"
        );
        assert_eq!(said(Kind::CardUnlocked, Json::Null), "The card ⋯152D of Anna Berg was unlocked at PC-12");
        assert_eq!(
            said(Kind::CardRefusedResponse, serde_json::json!({"tries_left": 1})),
            "The card ⋯152D refused a response at PC-12; 1 try left"
        );
        assert_eq!(
            said(Kind::ResponseRefused, serde_json::json!({"reason": "USER_LOCKED"})),
            "oleg got no response for the card ⋯152D: the user is locked"
        );
        assert_eq!(
            said(Kind::AnswersWrong, serde_json::json!({"channel": "operator"})),
            "oleg asked Anna Berg the security questions: the answers were wrong"
        );
        assert_eq!(
            said(Kind::CardStateNotChanged, serde_json::json!({"operation": "issue", "reason": "CARD_STATE"})),
            "oleg could not issue the card ⋯152D: the card is in another state"
        );
        let login = Event { card: String::new(), ..event(Kind::ResponseRefused, &serde_json::json!({"reason": "USER_LOCKED"})) };
        assert_eq!(told(&login, None).sentence, "oleg was not let on with unlocking a card: the user is locked");
        for (detail, says) in [
            (serde_json::json!({"operator": "nora", "added": true}), "oleg added the operator nora"),
            // As older versions wrote either.
            (serde_json::json!({"operator": "nora"}), "oleg added or deleted the operator nora"),
            (serde_json::json!({"operator": "nora", "role": "Helper"}), "oleg gave the operator nora the role Helper"),
            (serde_json::json!({"operator": "nora", "role": null}), "oleg took the role of the operator nora away"),
            (serde_json::json!({"operator": "nora", "deleted": true}), "oleg deleted the operator nora"),
            (
                serde_json::json!({"operator": "nora", "before": "nina", "password": false}),
                "oleg gave the operator nina another name: nora",
            ),
            (
                serde_json::json!({"operator": "nora", "before": "nora", "password": true}),
                "oleg gave the operator nora another password",
            ),
            (
                serde_json::json!({"operator": "nora", "before": "nina", "password": true}),
                "oleg gave the operator nina another name, nora, and another password",
            ),
            (serde_json::json!({"role": "Helper", "after": {}}), "oleg set what the role Helper allows"),
            (
                serde_json::json!({"role": "Night", "was": "Helper", "before": {}, "after": {}}),
                "oleg gave the role Helper another name: Night",
            ),
            (
                serde_json::json!({"role": "Night", "was": "Helper", "before": {}, "after": {"policies": []}}),
                "oleg gave the role Helper another name, Night, and set what it allows",
            ),
            (serde_json::json!({"role": "Helper", "before": {}}), "oleg deleted the role Helper"),
        ] {
            assert_eq!(said(Kind::RoleChanged, detail), says);
        }
    }

    /// A question that was deleted was one line with those that were added.
    #[test]
    fn a_change_of_the_configuration_says_which() {
        let said = |kind, detail: Json| told(&event(kind, &detail), None).sentence;
        for (detail, says) in [
            (serde_json::json!({"after": "Pet?"}), "oleg added a security question"),
            (serde_json::json!({"before": "Pet?"}), "oleg deleted a security question"),
            (serde_json::json!({"before": "Pet?", "after": "Town?"}), "oleg changed a security question"),
            (serde_json::json!({"question": "Pet?", "before": 2, "after": 1}), "oleg moved a security question up"),
            (Json::Null, "oleg changed a security question"),
        ] {
            assert_eq!(said(Kind::QuestionChanged, detail), says);
        }
        for (detail, says) in [
            (serde_json::json!({"policy": "Night", "after": {}}), "oleg added to the configuration: Night"),
            (serde_json::json!({"policy": "Night", "before": {}}), "oleg deleted from the configuration: Night"),
            (serde_json::json!({"policy": "Night", "before": {}, "after": {}}), "oleg changed the configuration: Night"),
            (serde_json::json!({"policy": "Night", "before": 2, "after": 1}), "oleg moved a policy up: Night"),
            (
                serde_json::json!({"operation": "renamed", "policy": "Night", "before": "Day"}),
                "oleg gave the policy Day another name: Night",
            ),
            (serde_json::json!({"card_type": "gids", "before": {}}), "oleg deleted from the configuration: gids"),
        ] {
            assert_eq!(said(Kind::PolicyChanged, detail), says);
        }
    }

    #[test]
    fn what_nobody_has_confirmed_is_said_as_a_claim() {
        let said = |kind, detail: Json| {
            let told = told(&event(kind, &detail), Some("Anna Berg"));
            (told.sentence, told.class)
        };
        for report in ["unlocked", "refused", "admin-key-blocked", "gone"] {
            let (sentence, class) = said(Kind::ReportUnconfirmed, serde_json::json!({"report": report, "settles": false}));
            let (before, after) = ("PC-12 reports that the card ⋯152D of Anna Berg ", "; nobody has confirmed it");
            assert!(sentence.starts_with(before) && sentence.ends_with(after) && class == "warn", "{sentence}");
        }
        // As an older version wrote it; and what it wrote of a response that was given.
        let claim = "PC-12 reports that the card ⋯152D of Anna Berg can no longer be unlocked; nobody has confirmed it";
        assert_eq!(said(Kind::AdminKeyBlocked, serde_json::json!({"settles": false})), (claim.into(), "warn"));
        let fact = "The card ⋯152D of Anna Berg can no longer be unlocked: no try is left";
        assert_eq!(said(Kind::AdminKeyBlocked, serde_json::json!({"settles": true})), (fact.into(), "bad"));
        let blocked = "PC-12 reports that the PIN of the card ⋯152D of Anna Berg is blocked; nobody has confirmed it";
        assert_eq!(said(Kind::PinBlockSeen, Json::Null).0, blocked);
    }

    #[test]
    fn what_people_call_themselves_stays_in_its_place() {
        let told = told(&event(Kind::UserUnlocked, &Json::Null), Some("\u{202E}<b>שרה</b>"));
        assert_eq!(told.sentence, "oleg unlocked the user \u{2068}<b>שרה</b>\u{2069}");
    }
}
