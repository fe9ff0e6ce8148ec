//! Names are people's, on both engines: which are one, how they are found, and databases where they clash.

use crate::common::{ANNA, Answer, Engine, SPARE, Site, new_card};
use cardlab_server_stub::service::login::Door;
use serde_json::{Value, json};

on_both_engines! {
    an_operator_who_is_called_as_another_user_is_listed,
    a_name_is_one_in_every_spelling,
    people_are_found_by_any_of_their_words,
    no_operator_is_called_as_a_program_is_in_the_log,
    nobody_is_called_as_another_is_in_the_log,
    names_that_look_alike_are_one,
    what_stands_in_an_address_is_a_name,
    names_that_an_older_version_told_apart,
    names_that_looked_alike_to_an_older_version,
}

fn add(site: &Site, token: &str, logon: &str, upn: &str, cn: &str) -> Answer {
    let policy = site.get("/api/v1/policies", token).ok()[0]["id"].clone();
    let user = json!({"logon": logon, "upn": upn, "cn": cn, "password": "a-long-password", "policy": policy});
    site.post("/api/v1/users", token, &user)
}

fn log_in(site: &Site, name: &str) -> u16 {
    let fields = [("name", name), ("password", "a-long-password")];
    site.send("/ss/login", |http, url| http.post(url).form(&fields)).status().as_u16()
}

/// What an operator of that name did, the log would say of a workstation, an agent or the server.
fn no_operator_is_called_as_a_program_is_in_the_log(engine: Engine) {
    let site = Site::start(engine);
    let token = site.administrator();
    let staff = site.get("/api/v1/staff", &token).ok();
    let oleg = staff["operators"].as_array().unwrap().iter().find(|one| one["name"] == "oleg").unwrap()["id"].clone();
    let admin = site.block_on(site.server.logins().operator(&token)).unwrap();
    for name in ["workstation", "Agent", " SERVER ", "ｓｅｔｕｐ"] {
        let new = json!({"name": name, "password": "a-long-password", "role": null});
        let message = site.post("/api/v1/operators", &token, &new).refused(409, "CONFLICT");
        assert!(message.contains("stands for a program in the log"), "{engine:?} {message}");
        let renamed = site.block_on(site.server.staff().change_operator(&admin, oleg.as_str().unwrap(), name, None, None));
        assert!(renamed.unwrap_err().to_string().contains("stands for a program in the log"), "{name}");
    }
    assert_eq!(site.get("/api/v1/staff", &token).ok(), staff, "nothing of it is half done");
}

fn a_name_is_one_in_every_spelling(engine: Engine) {
    let site = Site::start(engine);
    let token = site.administrator();
    add(&site, &token, "LAB\\Émile", "emile1@lab.example", "Émile Zola").ok();
    for (logon, upn) in [
        ("LAB\\émile", "other@lab.example"),
        ("lab\\E\u{301}mile", "other@lab.example"),
        ("ＬＡＢ\\Émile", "other@lab.example"),
        ("LAB\\other", "EMILE1@LAB.example"),
    ] {
        add(&site, &token, logon, upn, "Other").refused(409, "CONFLICT");
    }
    // Another letter is another name.
    add(&site, &token, "LAB\\Emile", "emile2@lab.example", "Emile Durkheim").ok();
    add(&site, &token, "LAB\\Straße", "strasse@lab.example", "Große Straße").ok();
    add(&site, &token, "LAB\\STRASSE", "s@lab.example", "Other").refused(409, "CONFLICT");
    for name in ["lab\\ÉMILE", " LAB\\e\u{301}mile ", "ｅｍｉｌｅ１@lab.example", "lab\\strasse", "lab\\emile"] {
        assert_eq!(log_in(&site, name), 303, "{engine:?}: {name}");
    }
    assert_eq!(log_in(&site, "lab\\èmile"), 401);
    for (logon, upn, says) in [
        ("émile", "x@lab.example", r"a logon name is DOMAIN\Name"),
        ("LAB\\x", "x", "a UPN is name@domain"),
        ("LAB\\", "x@lab.example", r"a logon name is DOMAIN\Name"),
    ] {
        assert_eq!(add(&site, &token, logon, upn, "X").refused(400, "MALFORMED"), says);
    }
    let operator = |name: &str| site.post("/api/v1/operators", &token, &json!({"name": name, "password": "a-long-password"}));
    operator("Ægir").ok();
    operator("ÆGIR").refused(409, "CONFLICT");
    site.log_in(("æGIR", "a-long-password"));
    assert_eq!(site.get("/api/v1/clashing-names", &token).ok(), json!([]));
}

fn people_are_found_by_any_of_their_words(engine: Engine) {
    let site = Site::start(engine);
    let token = site.administrator();
    add(&site, &token, "LAB\\Émile", "emile1@lab.example", "Émile Zola").ok();
    add(&site, &token, "LAB\\sisyphos", "s@lab.example", "Σίσυφος ΓΡΑΜΜΑΤΕΥΣ").ok();
    add(&site, &token, "LAB\\gross", "g@lab.example", "Große_100% Weber").ok();
    let found = |q: &str| {
        let path = format!("/api/v1/users?q={}", q.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>());
        let users = site.get(&path, &token).ok();
        users.as_array().unwrap().iter().map(|user| user["cn"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for q in ["émile", "ÉMILE", "zola", "Zola émile", "e\u{301}mile", "ＺＯＬＡ", "emile1@", "lab\\ém"] {
        assert_eq!(found(q), ["Émile Zola"], "{engine:?}: {q}");
    }
    // A final sigma is a sigma; an accent is part of a letter.
    for q in ["σίσυφος", "ΣΊΣΥΦΟΣ", "γραμματευς", "γραμματευσ"] {
        assert_eq!(found(q), ["Σίσυφος ΓΡΑΜΜΑΤΕΥΣ"], "{q}");
    }
    for q in ["grosse", "GROSSE", "große_", "_100%", "weber 100"] {
        assert_eq!(found(q), ["Große_100% Weber"], "{q}");
    }
    for q in ["emilie zola", "%zola%", "z_la", "γραμματεύς", "'; DROP TABLE users; --"] {
        assert_eq!(found(q), [""; 0], "{q}");
    }
    assert_eq!(found("").len(), 6);
}

/// They start, each logs in by the own name as it is written and neither by another spelling of it, and a page says who they
/// are.
fn names_that_an_older_version_told_apart(engine: Engine) {
    let site = Site::start(engine);
    let token = site.administrator();
    add(&site, &token, "LAB\\Émile", "emile1@lab.example", "Émile Zola").ok();
    add(&site, &token, "LAB\\Emilia", "emile2@lab.example", "Other").ok();
    for name in ["Ægir", "Egir"] {
        site.post("/api/v1/operators", &token, &json!({"name": name, "password": "a-long-password"})).ok();
    }
    site.block_on(async {
        let mut tx = crate::common::database(&site.url).await;
        for statement in [
            "UPDATE users SET logon = 'LAB\\émile', logon_key = '' WHERE logon = 'LAB\\Emilia'",
            "UPDATE operators SET name = 'ægir', name_key = '' WHERE name = 'Egir'",
        ] {
            sqlx::query(statement).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
    });
    let after = site.second();
    let who = |name: &str| {
        after.block_on(async {
            let login = after.server.logins().log_in(Door::SelfService, name, "a-long-password", "127.0.0.1").await.ok()?;
            let person = after.server.logins().person(&login.token).await.unwrap();
            Some(after.server.self_service().own(&person).await.unwrap().logon)
        })
    };
    for name in ["LAB\\Émile", "LAB\\émile"] {
        assert_eq!(who(&format!(" {name} ")).as_deref(), Some(name), "{engine:?}");
        assert_eq!(after.block_on(after.server.setup().add_issued_card(&new_card(&hex::encode(name)), name)), Ok(()));
    }
    for name in ["lab\\émile", "LAB\\ÉMILE", "LAB\\E\u{301}mile"] {
        assert_eq!(log_in(&after, name), 401, "{name}");
    }
    // By a name that is one's own they do.
    assert_eq!((log_in(&after, "emile1@lab.example"), log_in(&after, "emile2@lab.example")), (303, 303));
    for name in ["Ægir", "ægir"] {
        let token = after.log_in((name, "a-long-password"));
        let operator = after.block_on(after.server.logins().operator(&token)).unwrap();
        assert_eq!(operator.name, name);
    }
    after.post("/api/v1/login", "", &json!({"name": "ÆGIR", "password": "a-long-password"})).refused(401, "NOT_LOGGED_IN");
    let clashes = after.get("/api/v1/clashing-names", &token).ok();
    let mut users: Vec<&str> = clashes[0]["of"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    users.sort_unstable();
    assert_eq!((users, &clashes[0]["name"]), (vec!["LAB\\Émile", "LAB\\émile"], &json!("lab\\émile")));
    assert_eq!((clashes.as_array().unwrap().len(), &clashes[1]["operators"]), (2, &Value::Bool(true)));
    let page = after.page("/mc", "mc", &token);
    assert!(
        page.contains("Names that more than one has") && page.contains("LAB\\émile") && page.contains("(operators)"),
        "{page}"
    );
}

/// An operator's doings stand in the log under the name, a user's under the logon name: nobody has that of the other, but the
/// operator who is that user.
fn nobody_is_called_as_another_is_in_the_log(engine: Engine) {
    let site = Site::start(engine);
    let token = site.administrator();
    let new = |name: &str, user: Option<&str>| {
        let new = json!({"name": name, "password": "a-long-password", "role": null, "user": user});
        site.post("/api/v1/operators", &token, &new)
    };
    let (anna, boris) = (site.user("anna"), site.user("boris"));
    let says = "a user is called 'LAB\\Boris', and the log could not tell what either did; give another name, or make that user the \
                operator";
    assert_eq!(new("LAB\\Boris", None).refused(409, "CONFLICT"), says, "{engine:?}");
    for name in ["lab\\bo\u{ff52}is", "BORIS@lab.example"] {
        new(name, Some(&anna)).refused(409, "CONFLICT");
    }
    let own = new("LAB\\Boris", Some(&boris)).ok()["id"].clone();
    // The one who it is keeps the name, and another does not get it later either.
    let admin = site.block_on(site.server.logins().operator(&token)).unwrap();
    let rename = |id: &Value, name: &str| {
        site.block_on(site.server.staff().change_operator(&admin, id.as_str().unwrap(), name, None, None))
            .map_err(|refusal| refusal.message())
    };
    assert_eq!(rename(&own, "lab\\BORIS"), Ok(()));
    let oleg = new("Olga", None).ok()["id"].clone();
    assert!(rename(&oleg, "lab\\clara").unwrap_err().starts_with("a user is called 'lab\\clara'"));
    new("desk@lab.example", None).ok();
    let refused = add(&site, &token, "LAB\\desk", "DE\u{ff33}K@lab.example", "Desk").refused(409, "CONFLICT");
    assert!(refused.starts_with("an operator is called"), "{refused}");
    let called = |id: &str, logon: &str| {
        let data = json!({"logon": logon, "upn": "bo@lab.example", "cn": "Boris", "mail": "", "phone": ""});
        site.put(&format!("/api/v1/users/{id}"), &token, &data)
    };
    new("LAB\\bo", None).ok();
    let refused = called(&boris, "lab\\BO").refused(409, "CONFLICT");
    assert!(refused.starts_with("an operator is called"), "{refused}");
    called(&boris, "LAB\\boris").ok();
    assert_eq!(site.events("name=USER_NOT_ADDED").len(), 1);
}

/// What nobody sees makes no other name, of whatever is called something: it is in none, and who types one with it is found.
fn names_that_look_alike_are_one(engine: Engine) {
    let site = Site::start(engine);
    let token = site.administrator();
    let unseen = ["\u{34f}", "\u{3164}", "\u{e0041}", "\u{200b}", "\u{115f}"];
    for (number, unseen) in unseen.into_iter().enumerate() {
        let upn = format!("other{number}@lab.example");
        add(&site, &token, &format!("LAB\\an{unseen}na"), &upn, "Other").refused(400, "MALFORMED");
        add(&site, &token, &format!("LAB\\other{number}"), &format!("an{unseen}na@lab.example"), "Other")
            .refused(400, "MALFORMED");
        add(&site, &token, &format!("LAB\\{unseen}"), &upn, "Other").refused(400, "MALFORMED");
        add(&site, &token, &format!("LAB\\other{number}"), &upn, unseen).refused(400, "MALFORMED");
        for (path, body) in [
            ("/api/v1/operators", json!({"name": format!("ad{unseen}min"), "password": "a-long-password"})),
            ("/api/v1/operators", json!({"name": format!("{unseen}server"), "password": "a-long-password"})),
            ("/api/v1/policies", json!({"name": format!("Default{unseen}")})),
            ("/api/v1/cards", json!({"serial": SPARE, "card_type": "gids-sim", "label": format!("Door{unseen}")})),
        ] {
            let said = site.post(path, &token, &body).refused(400, "MALFORMED");
            assert!(said.contains(&format!("has U+{:04X} in it", u32::from(unseen.chars().next().unwrap()))), "{said}");
        }
        let written = |name: &str| name.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let card_type = format!("/api/v1/card-types/{}", written(&format!("gids-sim{unseen}")));
        site.post(&card_type, &token, &json!({"cipher": "3des", "default_user_pin": "0000"})).refused(400, "MALFORMED");
        let own = format!("/api/v1/roles/{}", written(&format!("Admini{unseen}strator")));
        site.put(&own, &token, &json!({"privileges": []})).refused(409, "CONFLICT");
        let typed = format!(" lab\\{unseen}AN{unseen}NA");
        assert_eq!(
            site.send("/ss/login", |http, url| http.post(url).form(&[("name", &*typed), ("password", "anna-password")])).status(),
            303
        );
    }
    let mail = json!({"logon": "LAB\\m", "upn": "m@lab.example", "cn": "M", "mail": "m\u{34f}@lab.example", "password": "a-long-password",
        "policy": site.get("/api/v1/policies", &token).ok()[0]["id"]});
    site.post("/api/v1/users", &token, &mail).refused(400, "MALFORMED");
    assert_eq!(site.get("/api/v1/users", &token).ok().as_array().unwrap().len(), 3, "{engine:?}");
}

fn what_stands_in_an_address_is_a_name(engine: Engine) {
    let site = Site::start(engine);
    let token = site.administrator();
    for name in ["%2E%E2%80%8B%2E", "a%2Fb", "a%5Cb", "%EF%BC%8E%EF%BC%8E", "a%0Ab", "a%E2%80%A9b", "a%1Bb"] {
        let about = json!({"cipher": "3des", "default_user_pin": "0000"});
        site.post(&format!("/api/v1/card-types/{name}"), &token, &about).refused(400, "MALFORMED");
        site.put(&format!("/api/v1/roles/{name}"), &token, &json!({"privileges": []})).refused(400, "MALFORMED");
    }
    let admin = site.block_on(site.server.logins().operator(&token)).unwrap();
    let about = serde_json::from_value(json!({"cipher": "3des", "default_user_pin": "0000"})).unwrap();
    let role = serde_json::from_value(json!({"privileges": []})).unwrap();
    for name in ["..", ".", "a/b", "..\\..", "\u{2025}"] {
        let added = site.block_on(site.server.card_types().add(&admin, name, &about)).unwrap_err();
        assert!(added.message().starts_with("a card type's name stands in addresses"), "{name:?}");
        let added = site.block_on(site.server.staff().add_role(&admin, name, &role)).unwrap_err();
        assert!(added.message().starts_with("a role's name stands in addresses"), "{name:?}");
    }
    for kind in ["POLICY_NOT_CHANGED", "ROLE_NOT_CHANGED"] {
        assert_eq!(site.events(&format!("name={kind}")).len(), 12, "{engine:?} {kind}");
    }
}

/// What nobody sees was kept in the keys of an older version. They start, nobody's name opens another's account, and the page says
/// who they are.
fn names_that_looked_alike_to_an_older_version(engine: Engine) {
    let site = Site::start(engine);
    let token = site.administrator();
    add(&site, &token, "LAB\\zola", "zola@lab.example", "Zola").ok();
    add(&site, &token, "LAB\\other", "other@lab.example", "Other").ok();
    site.post("/api/v1/operators", &token, &json!({"name": "Egir", "password": "a-long-password"})).ok();
    site.post("/api/v1/policies", &token, &json!({"name": "Other"})).ok();
    site.post(&format!("/api/v1/cards/{ANNA}/tags"), &token, &json!({"add": ["desk 4", "desk 5"]})).ok();
    crate::people::change(
        &site,
        &[
            "DELETE FROM _sqlx_migrations WHERE version = 21",
            "UPDATE users SET logon = 'LAB\\zo\u{3164}la', logon_key = 'lab\\zo\u{1160}la', cn = 'Zo\u{34f}la', name_key = 'zo\u{34f}la' WHERE logon = 'LAB\\other'",
            "UPDATE operators SET name = 'ad\u{e0041}min', name_key = 'ad\u{e0041}min' WHERE name = 'Egir'",
            "UPDATE policies SET name = 'Default\u{3164}', name_key = 'default\u{1160}' WHERE name = 'Other'",
            "UPDATE cards SET tags = '[\"desk 4\",\"desk\u{3164} 4\"]' WHERE tags <> '[]'",
            "UPDATE card_tags SET tag = 'desk\u{1160} 4' WHERE tag = 'desk 5'",
            "DELETE FROM user_words WHERE word = 'other'",
        ],
    );
    let after = site.second();
    let token = after.administrator();
    for name in ["LAB\\zola", "LAB\\zo\u{3164}la"] {
        assert_eq!(log_in(&after, name), 303, "{engine:?}: {name:?}");
    }
    for name in ["lab\\zola", "LAB\\zo\u{34f}la", "LAB\\ZO\u{3164}LA"] {
        assert_eq!(log_in(&after, name), 401, "{engine:?}: {name:?}");
    }
    let clashes = after.get("/api/v1/clashing-names", &token).ok();
    assert_eq!(
        clashes.as_array().unwrap().iter().map(|clash| &clash["name"]).collect::<Vec<_>>(),
        ["lab\\zola", "admin"],
        "{engine:?}"
    );
    assert_eq!(clashes[0]["of"].as_array().unwrap().len(), 2);
    // Found as it is seen, in lists and by its tag.
    let found = after.get("/api/v1/users?q=zola", &token).ok();
    assert_eq!(found.as_array().unwrap().len(), 2, "{engine:?}: {found}");
    // What is corrected otherwise leaves the names as they are.
    let of_old = found.as_array().unwrap().iter().find(|user| user["logon"] == "LAB\\zo\u{3164}la").unwrap();
    let corrected = json!({"logon": of_old["logon"], "upn": of_old["upn"], "cn": of_old["cn"], "phone": "117"});
    let path = format!("/api/v1/users/{}", of_old["id"].as_str().unwrap());
    assert_eq!(after.put(&path, &token, &corrected).ok()["phone"], "117", "{engine:?}");
    let corrected = json!({"logon": of_old["logon"], "upn": of_old["upn"], "cn": "Zo\u{200b}la"});
    after.put(&path, &token, &corrected).refused(400, "MALFORMED");
    assert_eq!(after.get("/api/v1/cards?tag=DESK%204", &token).ok().as_array().unwrap().len(), 1);
    after.post("/api/v1/policies", &token, &json!({"name": "default"})).refused(409, "CONFLICT");
    after.post(&format!("/api/v1/cards/{ANNA}/tags"), &token, &json!({"remove": ["Desk 4"]})).ok();
    assert_eq!(after.get(&format!("/api/v1/cards/{ANNA}"), &token).ok()["tags"], json!([]));
}

/// What an older version let be: the log cannot tell what the operator did from what the user did. Who is the user is not listed.
fn an_operator_who_is_called_as_another_user_is_listed(engine: Engine) {
    let site = Site::start(engine);
    let token = site.administrator();
    let zora = add(&site, &token, "LAB\\zora", "zora@lab.example", "Zora").ok()["id"].clone();
    add(&site, &token, "LAB\\egon", "egon@lab.example", "Egon").ok();
    let operator = |name: &str, user: &Value| {
        site.post("/api/v1/operators", &token, &json!({"name": name, "password": "a-long-password", "user": user})).ok();
    };
    operator("LAB\\zora", &zora);
    operator("first", &Value::Null);
    operator("second", &zora);
    assert_eq!(site.get("/api/v1/clashing-names", &token).ok(), json!([]), "{engine:?}");
    crate::people::change(
        &site,
        &[
            "UPDATE operators SET name = 'Lab\\Egon', name_key = '' WHERE name = 'first'",
            "UPDATE operators SET name = 'EGON@lab.example', name_key = '' WHERE name = 'second'",
        ],
    );
    let after = site.second();
    let clashes = after.get("/api/v1/clashing-names", &token).ok();
    let of = |name: &str, also: &str| json!({"name": name, "of": ["LAB\\egon"], "operators": false, "also": [also]});
    assert_eq!(clashes, json!([of("egon@lab.example", "EGON@lab.example"), of("lab\\egon", "Lab\\Egon")]), "{engine:?}");
    let page = after.page("/mc", "mc", &token);
    assert!(page.contains("the log cannot tell them from the operator Lab\\Egon"), "{page}");
}
