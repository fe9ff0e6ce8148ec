//! Tags of cards: who gives them, what they are found by, what the log says of it.

use crate::common::browser::{Browser, forms};
use crate::common::{ANNA, BORIS, Engine, SPARE, Site};
use cardlab_server_stub::service::setup::sample;
use reqwest::header::{ACCEPT_LANGUAGE, COOKIE};
use serde_json::{Value, json};

on_both_engines! {
    cards_are_found_by_their_tags,
    what_is_no_tag_is_said_at_its_field,
    two_at_once_undo_nothing_of_each_other,
    who_may_tag_a_card,
    a_policy_wants_a_tag_before_a_card_is_issued,
    a_database_without_tags,
    what_could_not_be_saved_is_there_still,
}

fn retag(site: &Site, token: &str, serial: &str, add: &[&str], remove: &[&str]) -> crate::common::Answer {
    site.post(&format!("/api/v1/cards/{serial}/tags"), token, &json!({"add": add, "remove": remove}))
}

fn found(site: &Site, token: &str, query: &str) -> Vec<String> {
    let cards = site.get(&format!("/api/v1/cards?{query}"), token).ok();
    cards.as_array().unwrap().iter().map(|card| card["serialNumber"].as_str().unwrap().to_owned()).collect()
}

fn cards_are_found_by_their_tags(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    let tagged = retag(&site, &admin, ANNA, &["Straße", " on loan ", "on LOAN"], &[]).ok();
    assert_eq!(tagged["tags"], json!(["on loan", "Straße"]), "{engine:?}: each once, in order");
    retag(&site, &admin, BORIS, &["On loan"], &[]).ok();
    assert_eq!(site.get(&format!("/api/v1/cards/{ANNA}"), &admin).ok()["tags"], json!(["on loan", "Straße"]));
    for (query, cards) in [
        ("tag=ON+LOAN", vec![ANNA, BORIS]),
        ("tag=on+loan&limit=1&sort=-serial", vec![BORIS]),
        ("tag=STRASSE", vec![ANNA]),
        ("tag=loan", vec![]),
        ("tag=", vec![]),
        ("tag=on+loan&state=Clean", vec![]),
        ("tag=on+loan&q=b0f1", vec![BORIS]),
        // A word of a tag, as it begins, beside one of the serial.
        ("q=loa", vec![ANNA, BORIS]),
        ("q=stras+A0", vec![ANNA]),
    ] {
        assert_eq!(found(&site, &admin, query), cards, "{query}");
    }
    let csv = site.page("/mc/cards/csv?tag=on+loan", "mc", &admin);
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines.len() == 3 && lines[0].ends_with(",owner,tags") && lines[1].ends_with("\"on loan, Straße\""), "{csv}");
    let page = site.page("/mc/cards?tag=Stra%C3%9Fe", "mc", &admin);
    assert!(page.contains("1 card") && page.contains(ANNA) && !page.contains(BORIS), "{page}");
    let card = site.page(&format!("/mc/cards/{ANNA}"), "mc", &admin);
    assert!(card.contains("href=\"/mc/cards?tag=Stra%C3%9Fe\""), "{card}");

    // Taken again, however it is written; what changes nothing is no event.
    retag(&site, &admin, ANNA, &["STRASSE"], &["ON LOAN"]).ok();
    retag(&site, &admin, ANNA, &["straße"], &["never there"]).ok();
    assert_eq!(found(&site, &admin, "tag=on+loan"), [BORIS]);
    assert_eq!(found(&site, &admin, "q=loan"), [BORIS]);
    retag(&site, &admin, ANNA, &[], &["straße"]).ok();
    assert_eq!(found(&site, &admin, "q=strasse"), [""; 0]);
    assert_eq!(found(&site, &admin, "q=a0f1e2"), [ANNA], "by its serial still");
    let events = site.get(&format!("/api/v1/events?card={ANNA}&name=CARD_TAGS_CHANGED"), &admin).ok();
    let detail = |event: &Value| serde_json::from_str::<Value>(event["detail"].as_str().unwrap()).unwrap()["tags"].clone();
    let events: Vec<Value> = events.as_array().unwrap().iter().map(detail).collect();
    assert_eq!(events, [json!(["on loan", "Straße"]), json!(["Straße"]), json!([])]);
    let log = site.page(&format!("/mc/log?card={ANNA}"), "mc", &admin);
    for sentence in ["changed the tags of the card ⋯2E1F to on loan, Straße", "took the last tag from the card ⋯2E1F"] {
        assert!(log.contains(sentence), "{sentence}: {log}");
    }
    let german = |path: &str| {
        let cookie = format!("mc={admin}");
        site.send(path, |http, url| http.get(url).header(COOKIE, &cookie).header(ACCEPT_LANGUAGE, "de")).text().unwrap()
    };
    assert!(german(&format!("/mc/log?card={ANNA}")).contains("hat die Schlagworte der Karte ⋯2E1F geändert: on loan, Straße"));
}

fn what_is_no_tag_is_said_at_its_field(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    for tag in ["", "a,b", "\u{200B}", &"x".repeat(41)] {
        let message = retag(&site, &admin, ANNA, &["good", tag], &[]).refused(400, "MALFORMED");
        assert_eq!(message, "a tag has 1 to 40 characters in one line, and no comma", "{engine:?}: {tag:?}");
    }
    let message = retag(&site, &admin, ANNA, &["good", "\u{202E}nepo"], &[]).refused(400, "MALFORMED");
    assert_eq!(
        message,
        "a tag has U+202E in it, which nobody sees there: remove this sign, or type everything anew instead of pasting it",
        "{engine:?}"
    );
    assert_eq!(site.get(&format!("/api/v1/cards/{ANNA}"), &admin).ok()["tags"], json!([]), "nothing of it is half done");
    let many: Vec<String> = (0..21).map(|number| format!("t{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    retag(&site, &admin, ANNA, &many[..20], &[]).ok();
    retag(&site, &admin, ANNA, &many[20..], &[]).refused(400, "MALFORMED");
    retag(&site, &admin, "00", &["x"], &[]).refused(404, "NOT_FOUND");
    assert_eq!(site.events(&format!("card={ANNA}&name=CARD_TAGS_NOT_CHANGED")).len(), 6);

    // On the page: the sentence at the field, what was typed in it still, as text.
    let path = format!("/mc/cards/{BORIS}");
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    let typed = "<b>\u{202E}😀</b>, x";
    let send = |fields: &[(&str, &str)]| browser.send_from(&path, &format!("{path}/tags"), fields);
    let refused = send(&[("add", typed)]);
    assert!(browser.was_led() && refused.path == path, "{}", refused.path);
    let page = refused.text;
    let field = page.split("id=\"add-tag\"").nth(1).unwrap();
    let (input, rest) = field.split_once('>').unwrap();
    assert!(input.contains("value=\"&#60;b&#62;\u{202E}😀&#60;/b&#62;, x\"") && input.contains("aria-invalid"), "{input}");
    let (hint, rest) = rest.split_once("</p>").unwrap();
    assert!(hint.starts_with("<p class=\"hint\" id=\"h-add-tag\">"), "{hint}");
    let fault = "<p class=\"fault\" id=\"f-add-tag\" role=\"alert\">A tag has 1 to 40 characters";
    assert!(rest.starts_with(fault) && input.contains("aria-describedby=\"h-add-tag f-add-tag\""), "{input} {rest}");
    // What is one is text wherever it stands.
    let tag = "<b>😀</b>";
    assert!(send(&[("add", tag)]).alerts().is_empty());
    let card = site.page(&path, "mc", &admin);
    assert!(card.contains("&#60;b&#62;") && !card.contains("<b>😀"), "{card}");
    assert!(send(&[("remove", tag)]).alerts().is_empty());
    assert_eq!(site.get(&format!("/api/v1/cards/{BORIS}"), &admin).ok()["tags"], json!([]));
}

/// Each changes what it says and nothing else: a page that is old takes no tag away.
fn two_at_once_undo_nothing_of_each_other(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (site, admin) = (&site, &admin);
            scope.spawn(move || retag(site, admin, ANNA, &[&format!("t{number}")], &[]).ok());
        }
    });
    let tags = site.get(&format!("/api/v1/cards/{ANNA}"), &admin).ok()["tags"].clone();
    assert_eq!(tags, json!((0..8).map(|number| format!("t{number}")).collect::<Vec<_>>()), "{engine:?}");
}

fn who_may_tag_a_card(engine: Engine) {
    let site = Site::start(engine);
    let (admin, oleg) = (site.administrator(), site.operator());
    retag(&site, &oleg, ANNA, &["mine"], &[]).refused(403, "NO_PRIVILEGE");
    assert_eq!(site.events(&format!("card={ANNA}&name=CARD_TAGS_NOT_CHANGED")), ["CARD_TAGS_NOT_CHANGED"], "{engine:?}");
    let path = format!("/mc/cards/{ANNA}");
    assert!(!site.page(&path, "mc", &oleg).contains(&format!("{path}/tags")));
    assert!(site.page(&path, "mc", &admin).contains(&format!("{path}/tags")));
    // A card that is deleted takes its tags with it.
    let card = json!({"serial": SPARE, "card_type": "gids-sim"});
    site.post("/api/v1/cards", &admin, &card).ok();
    retag(&site, &admin, SPARE, &["spare"], &[]).ok();
    site.delete(&format!("/api/v1/cards/{SPARE}"), &admin).ok();
    site.post("/api/v1/cards", &admin, &card).ok();
    assert_eq!(site.get(&format!("/api/v1/cards/{SPARE}"), &admin).ok()["tags"], json!([]));
    assert_eq!(found(&site, &admin, "tag=spare"), [""; 0]);
}

fn a_policy_wants_a_tag_before_a_card_is_issued(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    site.policy("issuance", "require_tags", json!(true));
    site.policy("issuance", "maximum_cards", json!(2));
    site.post("/api/v1/cards", &admin, &json!({"serial": SPARE, "card_type": "gids-sim"})).ok();
    site.post(&format!("/api/v1/cards/{SPARE}/assign"), &admin, &json!({"user": "lab\\anna"})).ok();
    let issue = || site.post(&format!("/api/v1/cards/{SPARE}/issue"), &admin, &json!({}));
    let message = issue().refused(409, "CONFLICT");
    assert_eq!(message, "the card has no tag, and its policy wants one before a card is issued; give it one first", "{engine:?}");
    assert_eq!(site.get(&format!("/api/v1/cards/{SPARE}"), &admin).ok()["state"], "Assigned");
    assert_eq!(site.events(&format!("card={SPARE}")).last().unwrap(), "CARD_STATE_NOT_CHANGED");
    retag(&site, &admin, SPARE, &["desk 4"], &[]).ok();
    assert_eq!(issue().ok()["state"], "Issued");
    // It is judged when a card is issued: the last tag of one that is can be taken.
    retag(&site, &admin, SPARE, &[], &["desk 4"]).ok();
    assert_eq!(site.get(&format!("/api/v1/cards/{SPARE}"), &admin).ok()["state"], "Issued");
}

/// Cards of an older version have none, and are given some.
fn a_database_without_tags(engine: Engine) {
    let site = Site::start(engine);
    site.block_on(async {
        let mut database = crate::common::database(&site.url).await;
        for statement in
            ["DELETE FROM _sqlx_migrations WHERE version = 15", "DROP TABLE card_tags", "ALTER TABLE cards DROP COLUMN tags"]
        {
            sqlx::query(statement).execute(&mut *database).await.unwrap();
        }
        database.commit().await.unwrap();
    });
    let after = site.second();
    let admin = after.administrator();
    assert_eq!(after.get(&format!("/api/v1/cards/{ANNA}"), &admin).ok()["tags"], json!([]), "{engine:?}");
    retag(&after, &admin, ANNA, &["old"], &[]).ok();
    assert_eq!(found(&after, &admin, "tag=OLD"), [ANNA]);
}

/// The database does not write: what was typed is not lost by that.
fn what_could_not_be_saved_is_there_still(engine: Engine) {
    let site = Site::start(engine);
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    crate::people::change(&site, &["DROP TABLE card_tags"]);
    let (card, form) = (format!("/mc/cards/{ANNA}"), format!("/mc/cards/{ANNA}/tags"));
    let page = browser.send_from(&card, &form, &[("add", "desk 4, by the window")]);
    assert_eq!((page.status, page.alerts().len()), (200, 1), "{engine:?}: {}", page.text);
    let page = browser.send_from(&card, &form, &[("add", "desk 4")]);
    assert_eq!((page.status, page.alerts().len()), (200, 1), "{engine:?}: {}", page.text);
    let sent = forms(&page.text).into_iter().find(|one| one.action == form && one.fields.contains_key("add")).unwrap();
    assert_eq!(sent.fields["add"], "desk 4", "{engine:?}");
    // What has gone since has no page to be shown on.
    let page = browser.send_from(&card, "/mc/cards/EE00/tags", &[("add", "desk 4")]);
    assert_eq!(page.status, 404, "{engine:?}");
}
