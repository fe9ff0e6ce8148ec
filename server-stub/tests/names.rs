//! Names are people's, on both engines: which are one, how they are found, and databases where they clash.

use crate::common::{Answer, Engine, Site, new_card};
use cardlab_server_stub::service::login::Door;
use serde_json::{Value, json};

on_both_engines! {
    a_name_is_one_in_every_spelling,
    people_are_found_by_any_of_their_words,
    no_operator_is_called_as_a_program_is_in_the_log,
    names_that_an_older_version_told_apart,
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
        let renamed = site.block_on(site.server.staff().change_operator(&admin, oleg.as_str().unwrap(), name, None));
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
        ("LAB\\\u{200b}", "x@lab.example", r"a logon name is DOMAIN\Name"),
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
