//! Filters of the lists on pages: what stands in the address is in the form, in the file and in the next address.

use crate::common::browser::{Browser, attribute, between, unescaped};
use crate::common::document::operations;
use crate::common::{ANNA, BORIS, Engine, Site};
use cardlab_server_stub::service::setup::sample;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

on_both_engines! {
    no_filter_is_lost,
    the_cards_of_one_user,
}

type Fields = BTreeMap<String, String>;

/// A list: its path, the operation by which programs read it, and its filters with a value each.
type List<'a> = (&'a str, &'a str, Vec<(&'a str, &'a str)>);

/// What a list's form sends when nothing is typed.
fn sent_again(page: &str) -> Fields {
    let form = between(page, "<form class=\"filters\"", "</form>")[0];
    let typed = between(form, "<input", ">").into_iter();
    let typed = typed.map(|tag| (attribute(tag, "name").unwrap(), attribute(tag, "value").unwrap_or_default()));
    let chosen = between(form, "<select", "</select>").into_iter().map(|select| {
        let selected = between(select, "<option", ">").into_iter().find(|option| option.ends_with(" selected"));
        (attribute(select, "name").unwrap(), selected.and_then(|option| attribute(option, "value")).unwrap_or_default())
    });
    let filled = typed.chain(chosen).filter(|(_, text)| !text.is_empty());
    let mut seen = Fields::new();
    for (name, text) in filled {
        assert!(seen.insert(name.into(), unescaped(text)).is_none(), "{name} is sent twice");
    }
    seen
}

/// The part of an address behind `?`.
fn query(address: &str) -> Fields {
    let query = address.split_once('?').map_or("", |(_, query)| query).replace("&#38;", "&");
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Of every list, with each filter and with all of them; whoever it is, and whatever the form has fields for.
fn no_filter_is_lost(engine: Engine) {
    let site = Site::start(engine);
    let policy = site.get("/api/v1/policies", &site.administrator()).ok()[0]["id"].as_str().unwrap().to_owned();
    let anna = site.user("anna");
    site.set_answers("anna");
    site.open(ANNA);
    site.post(&format!("/api/v1/cards/{ANNA}/tags"), &site.administrator(), &json!({"add": ["Night"]})).ok();
    let event = site.get(&format!("/api/v1/events?card={ANNA}&user={anna}"), &site.administrator()).ok()[0].clone();
    let [name, kind] = ["name", "kind"].map(|field| event[field].as_str().unwrap().to_owned());
    let lists: [List<'_>; 3] = [
        ("/mc", "/api/v1/users", vec![("q", "anna"), ("state", "active"), ("policy", &policy), ("sort", "-logon")]),
        (
            "/mc/cards",
            "/api/v1/cards",
            vec![
                ("q", ANNA),
                ("user", &anna),
                ("state", "Issued"),
                ("type", "gids-sim"),
                ("tag", "Night"),
                ("policy", &policy),
                ("sort", "-serial"),
            ],
        ),
        (
            "/mc/log",
            "/api/v1/events",
            vec![("user", &anna), ("card", ANNA), ("name", &name), ("kind", &kind), ("from", "2026-01-01"), ("to", "2099-12-31")],
        ),
    ];
    // What a program can ask for, a person can: all but how it is parted, and what of the log only a program follows.
    for (_, operation, filters) in &lists {
        let (.., operation) = operations().find(|(method, path, _)| method == "GET" && path == operation).unwrap();
        let known = operation["parameters"].as_array().unwrap().iter().map(|parameter| parameter["name"].as_str().unwrap());
        let of_programs: &[&str] = match filters.iter().any(|(name, _)| *name == "kind") {
            true => &["limit", "cursor", "initiator", "after", "sort"],
            false => &["limit", "cursor"],
        };
        let known: BTreeSet<_> = known.filter(|name| !of_programs.contains(name)).collect();
        let called = |name| if name == "type" { "card_type" } else { name };
        assert_eq!(filters.iter().map(|(name, _)| called(*name)).collect::<BTreeSet<_>>(), known);
    }
    let sees = ["view-user", "view-cards", "view-log"];
    let everybody = [
        sample::ADMINISTRATOR,
        site.somebody("without policies", &sees),
        site.somebody("without users", &["view-cards", "view-log", "view-policy"]),
        site.somebody("with few", &sees[1..]),
    ];
    let mut files = BTreeSet::new();
    for who in everybody {
        let browser = Browser::logged_in(&site, "en", "/mc", who);
        for (path, _, filters) in &lists {
            let alone = filters.iter().map(std::slice::from_ref);
            for asked in alone.chain([filters.as_slice(), &[]]) {
                let address = form_urlencoded::Serializer::new(format!("{path}?")).extend_pairs(asked).finish();
                let page = browser.get(&address);
                if page.path != address {
                    // The list of users is not for everybody.
                    assert!(*path == "/mc" && page.path == "/mc/cards", "{who:?}: {address}: {}", page.path);
                    continue;
                }
                let expected: Fields = asked.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
                assert_eq!((page.status, page.alerts()), (200, vec![]), "{who:?}: {address}");
                assert_eq!(sent_again(&page.text), expected, "{engine:?}: {who:?}: {address}");
                let files_here = between(&page.text, &format!("href=\"{path}/csv"), "\"");
                assert!(files_here.iter().all(|file| query(file) == expected), "{who:?}: {address}: {files_here:?}");
                files.extend(files_here.iter().map(|_| (*path, asked.len() > 1)));
                let columns = between(&page.text, &format!("<th scope=\"col\"><a href=\"{path}?"), "\"");
                let unsorted = |fields: Fields| fields.into_iter().filter(|(name, _)| name != "sort").collect::<Fields>();
                for column in columns {
                    assert_eq!(unsorted(query(&format!("?{column}"))), unsorted(expected.clone()), "{who:?}: {address}");
                }
            }
        }
    }
    assert_eq!(files.len(), 6, "each list has a file, with filters and without: {files:?}");
    // What is no longer to choose stays chosen until somebody chooses otherwise.
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    let gone = browser.get("/mc/cards?type=of-before&policy=of-before");
    let expected = [("policy", "of-before"), ("type", "of-before")].map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(sent_again(&gone.text), Fields::from(expected));
}

/// From the user's page to the list of the user's cards; the file and the interface for programs have the same.
fn the_cards_of_one_user(engine: Engine) {
    let site = Site::start(engine);
    let (admin, anna) = (site.administrator(), site.user("anna"));
    let policy = site.get("/api/v1/policies", &admin).ok()[0]["id"].clone();
    let user = json!({"logon": "LAB\\anna2", "upn": "anna2@lab", "cn": "Anna Bell", "password": "long enough", "policy": policy});
    site.post("/api/v1/users", &admin, &user).ok();
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    let listed = |address: &str| {
        let page = browser.get(address);
        let rows = between(&page.text, "<tbody>", "</tbody>").concat();
        let cards: Vec<String> = between(&rows, "title=\"", "\"").into_iter().map(Into::into).collect();
        (cards, page.alerts())
    };
    let profile = browser.get(&format!("/mc/users/{anna}")).text;
    let link = unescaped(between(&profile, "href=\"/mc/cards?", "\"")[0]);
    assert_eq!(query(&format!("?{link}")), Fields::from([("user".into(), "LAB\\anna".into())]), "{engine:?}");
    assert_eq!(listed(&format!("/mc/cards?{link}")), (vec![ANNA.to_owned()], vec![]));
    let file = browser.get(&format!("/mc/cards/csv?{link}")).text;
    assert_eq!(file.lines().count(), 2, "{file}");
    assert!(file.lines().nth(1).unwrap().starts_with(ANNA), "{file}");
    let of_program = site.get(&format!("/api/v1/cards?user={anna}"), &admin).ok();
    assert_eq!(
        of_program.as_array().unwrap().iter().map(|card| card["serialNumber"].as_str().unwrap()).collect::<Vec<_>>(),
        [ANNA]
    );
    // In any form that means one user.
    for text in [anna.as_str(), "ANNA@lab.example", "anna berg", "5550 117"] {
        let address = form_urlencoded::Serializer::new("/mc/cards?".to_owned()).append_pair("user", text).finish();
        assert_eq!(listed(&address), (vec![ANNA.to_owned()], vec![]), "{text}");
    }
    let none: Vec<String> = Vec::new();
    let several = listed("/mc/cards?user=anna");
    assert_eq!(several, (none.clone(), vec!["Several users are called 'anna'; write the logon name.".into()]));
    assert_eq!(listed("/mc/cards?user=nobody"), (none, vec!["There is no such user.".into()]));
    assert_eq!(listed("/mc/cards?user=boris&state=Issued").0, [BORIS]);
    // Who may not see users narrows by the id alone, as programs do.
    let browser = Browser::logged_in(&site, "en", "/mc", site.somebody("some", &["view-cards"]));
    let rows = |user: &str| browser.get(&format!("/mc/cards?user={user}")).text.matches("title=\"").count();
    assert_eq!((rows(&anna), rows("anna")), (1, 0));
}
