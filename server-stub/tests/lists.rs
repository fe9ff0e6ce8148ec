//! Lists by pages, and what a page costs: few statements, no writer's lock, whatever there is beside.

use crate::common::{ANNA, BORIS, Engine, SPARE, Site, new_card, wrong};
use cardlab_server_stub::model::policy::Policy;
use cardlab_server_stub::service::login::Door;
use cardlab_server_stub::service::setup::sample;
use serde_json::{Value, json};

on_both_engines! {
    users_by_pages,
    cards_by_pages,
    people_by_their_telephone,
    cards_by_what_pages_call_them,
    the_log_by_pages,
    the_log_of_what_a_person_calls_it,
    what_is_no_page_is_refused,
    a_page_is_six_statements_at_most,
    reads_wait_for_no_writer,
    a_read_sees_one_moment,
    writers_have_their_turn_in_order,
    what_is_over_goes_though_the_step_is_refused,
    a_step_is_judged_as_the_operator_is_now,
    a_list_of_an_older_version,
}

/// All rows of a list, page by page, and how many pages there were.
pub(crate) fn pages(site: &Site, path: &str, token: &str) -> (Vec<Value>, usize) {
    let (mut rows, mut count, mut address) = (Vec::new(), 0, path.to_owned());
    loop {
        let response = site.send(&address, |http, url| http.get(url).bearer_auth(token));
        assert_eq!(response.status(), 200, "{address}");
        let next = response.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        let page: Value = response.json().unwrap();
        rows.extend(page.as_array().unwrap().iter().cloned());
        count += 1;
        let Some(next) = next else { return (rows, count) };
        let query = next.strip_prefix('<').and_then(|next| next.strip_suffix(">; rel=\"next\"")).unwrap();
        address = format!("{}{query}", path.split('?').next().unwrap());
    }
}

fn of(rows: &[Value], field: &str) -> Vec<String> {
    rows.iter().map(|row| row[field].as_str().map_or_else(|| row[field].to_string(), str::to_owned)).collect()
}

/// An address with what is asked for.
pub(crate) fn asking(path: &str, fields: &[(&str, &str)]) -> String {
    format!("{path}?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
}

fn users_by_pages(engine: Engine) {
    let site = Site::start(engine);
    let token = site.administrator();
    let policy = site.get("/api/v1/policies", &token).ok()[0]["id"].clone();
    // In an order that no alphabet of bytes has: as names are compared.
    for (number, cn) in ["Zoé", "émile", "Émile", "emil", "ZORA", "Ångström", "anders"].into_iter().enumerate() {
        let user = json!({"logon": format!("LAB\\u{}", 9 - number), "upn": format!("u{number}@x"), "cn": cn, "password": "long enough", "policy": policy});
        site.post("/api/v1/users", &token, &user).ok();
    }
    let expected = ["anders", "Anna Berg", "Boris Lund", "Clara Moss", "emil", "ZORA", "Zoé", "Ångström", "émile", "Émile"];
    for limit in [1, 3, 9, 10, 11] {
        let (rows, count) = pages(&site, &format!("/api/v1/users?limit={limit}"), &token);
        let mut names = of(&rows, "cn");
        // Two that compare as one are in either order.
        names[8..].sort_unstable_by_key(|name| name.starts_with('É'));
        assert_eq!((names, count), (expected.map(str::to_owned).to_vec(), 10_usize.div_ceil(limit)), "{engine:?}");
        let (mut down, _) = pages(&site, &format!("/api/v1/users?sort=-name&limit={limit}"), &token);
        down.reverse();
        assert_eq!(of(&down, "id"), of(&rows, "id"));
    }
    let logons = |sort: &str| of(&pages(&site, &format!("/api/v1/users?limit=4&q=u&sort={sort}"), &token).0, "logon");
    let sorted: Vec<String> = (3..10).map(|n| format!("LAB\\u{n}")).collect();
    assert_eq!(logons("logon"), sorted);
    assert_eq!(logons("-logon"), sorted.into_iter().rev().collect::<Vec<_>>());
    searches_by_pages(&site, &token, policy.as_str().unwrap());
    // Filters.
    let clara = site.user("clara");
    site.post(&format!("/api/v1/users/{clara}/disable"), &token, &json!({})).ok();
    site.set_answers("anna");
    for _ in 0..3 {
        let session = site.open(ANNA);
        site.answers(&session, wrong).ok();
    }
    let state = |query: &str| of(&site.get(&format!("/api/v1/users?{query}"), &token).ok().as_array().unwrap().clone(), "cn");
    assert_eq!(state("state=locked"), ["Anna Berg"]);
    assert_eq!(state("state=disabled"), ["Clara Moss"]);
    assert_eq!(state("state=active").len(), 9);
    assert_eq!(state("state=disabled&q=anna"), [""; 0]);
    // A view has the same in a list and alone.
    let anna = site.get("/api/v1/users?q=anna+b", &token).ok()[0].clone();
    assert_eq!(anna, site.get(&format!("/api/v1/users/{}", anna["id"].as_str().unwrap()), &token).ok());
    assert_eq!((&anna["policy"], &anna["answers_set"], &anna["locked"]), (&json!("Default"), &json!(3), &json!(true)));
    assert_eq!(anna["cards"][0]["serialNumber"], ANNA);
}

/// Whatever is searched for, in either order and under a policy too, its pages together are what one page has.
fn searches_by_pages(site: &Site, token: &str, policy: &str) {
    for query in ["q=u", "q=a", "q=e+u", "q=%C3%A9", "q=lab%5Cu", "q=u&state=active", "q=lab", ""] {
        for policy in ["", policy] {
            for sort in ["name", "-name", "logon", "-logon"] {
                let address = format!("/api/v1/users?{query}&policy={policy}&sort={sort}").replace("&policy=&", "&");
                let whole = site.get(&format!("{address}&limit=1000"), token).ok().as_array().unwrap().clone();
                assert!(!whole.is_empty(), "{address}");
                for limit in [1, 2, 5] {
                    assert_eq!(pages(site, &format!("{address}&limit={limit}"), token).0, whole, "{address} {limit}");
                }
                let key = |user: &Value| {
                    let text = user[if sort.ends_with("name") { "cn" } else { "logon" }].as_str().unwrap();
                    (text.to_lowercase(), user["id"].as_str().unwrap().to_owned())
                };
                let mut sorted = whole.clone();
                sorted.sort_by_key(key);
                if sort.starts_with('-') {
                    sorted.reverse();
                }
                assert_eq!(whole, sorted, "{address}");
            }
        }
    }
}

fn cards_by_pages(engine: Engine) {
    let site = Site::start(engine);
    let token = site.administrator();
    for number in 0..5 {
        let mut card = json!({"serial": format!("D{number}"), "card_type": "gids-sim", "label": format!("Tür {number} Nord")});
        if number == 4 {
            card["card_type"] = "gids-sim-aes".into();
        }
        site.post("/api/v1/cards", &token, &card).ok();
    }
    let serials = |query: &str| of(&pages(&site, &format!("/api/v1/cards?{query}"), &token).0, "serialNumber");
    let all = [ANNA, BORIS, "D0", "D1", "D2", "D3", "D4"];
    for limit in [1, 2, 7, 1000] {
        assert_eq!(serials(&format!("limit={limit}")), all, "{engine:?}");
        assert_eq!(serials(&format!("limit={limit}&q=*")), all);
        assert_eq!(serials(&format!("limit={limit}&sort=-serial")), all.into_iter().rev().collect::<Vec<_>>());
    }
    for (query, found) in [
        ("q=d3", vec!["D3"]),
        ("q=a0f1e2", vec![ANNA]),
        ("q=t%C3%BCr", vec!["D0", "D1", "D2", "D3", "D4"]),
        ("q=NORD+2", vec!["D2"]),
        ("q=ord", vec![]),
        ("q=%25", vec![]),
        ("state=Issued", vec![ANNA, BORIS]),
        ("state=Clean&q=d1", vec!["D1"]),
        ("card_type=gids-sim-aes", vec!["D4"]),
    ] {
        assert_eq!(serials(&format!("limit=2&{query}")), found, "{query}");
    }
    let (anna, policy) = (site.user("anna"), site.get("/api/v1/policies", &token).ok()[0]["id"].clone());
    for beside in ["", "&state=Issued", "&card_type=gids-sim", &format!("&policy={}", policy.as_str().unwrap())] {
        assert_eq!(serials(&format!("user={anna}{beside}")), [ANNA], "{beside}");
    }
    assert_eq!(serials(&format!("user={anna}&state=Clean")), [""; 0]);
    assert_eq!(serials(&format!("policy={}", policy.as_str().unwrap())), [ANNA, BORIS]);
    for (field, value) in [("policy", "none"), ("policy", "-1"), ("card_type", "NaN")] {
        let message = site.get(&format!("/api/v1/cards?{field}={value}"), &token).refused(400, "MALFORMED");
        assert_eq!(message, format!("'{value}' is nothing that there is here ({field})"), "{engine:?}");
        let csv = site.page(&format!("/mc/cards/csv?{}={value}", field.trim_start_matches("card_")), "mc", &token);
        assert!(csv.contains("is nothing that there is here"), "{csv}");
    }
}

/// What a telephone shows, what somebody reads out, what stands in a list.
fn people_by_their_telephone(engine: Engine) {
    let site = Site::start(engine);
    let token = site.administrator();
    let policy = site.get("/api/v1/policies", &token).ok()[0]["id"].clone();
    for (name, phone) in [("Dora", "030 5550 217"), ("Emil", "+43 (0)1 5550-317"), ("Fritz", ""), ("Gerd", "0043 1 5550417")] {
        let user = json!({"logon": format!("LAB\\{name}"), "upn": format!("{name}@x"), "cn": name, "password": "long enough", "phone": phone, "policy": policy});
        site.post("/api/v1/users", &token, &user).ok();
    }
    let found = |site: &Site, query: &str| {
        let response = site.send(&asking("/api/v1/users", &[("q", query)]), |http, url| http.get(url).bearer_auth(&token));
        of(response.json::<Value>().unwrap().as_array().unwrap(), "cn")
    };
    let finds = |site: &Site| {
        for query in [
            "+49305550117",
            "+49 30 5550 117",
            "5550117",
            "5550-117",
            "5550 117",
            "030 5550 117",
            "0049 30 5550 117",
            "49305550117",
            "117",
            "+49 (0)30 5550-117",
            "anna 5550117",
        ] {
            assert_eq!(found(site, query), ["Anna Berg"], "{engine:?}: {query}");
        }
        for query in ["+49 30 5550 217", "0305550217", "5550217"] {
            assert_eq!(found(site, query), ["Dora"], "{engine:?}: {query}");
        }
        for (query, who) in [("+43 1 5550317", "Emil"), ("01 5550 317", "Emil"), ("+4315550417", "Gerd"), ("015550417", "Gerd")] {
            assert_eq!(found(site, query), [who], "{engine:?}: {query}");
        }
        for query in ["5550999", "+49 40 5550 117", "boris 5550117", "+"] {
            assert_eq!(found(site, query), [""; 0], "{engine:?}: {query}");
        }
    };
    finds(&site);
    // As an older version has left it.
    crate::people::change(
        &site,
        &["DELETE FROM user_words WHERE word LIKE '<%'", "UPDATE users SET name_key = '' WHERE phone <> ''"],
    );
    finds(&site.second());
}

/// The end of a serial, and whose card it is for those who may see people.
fn cards_by_what_pages_call_them(engine: Engine) {
    let site = Site::start(engine);
    let token = site.administrator();
    for serial in [SPARE, "2E1F00", "D4"] {
        site.post("/api/v1/cards", &token, &json!({"serial": serial, "card_type": "gids-sim", "label": "Reserve"})).ok();
    }
    let by = |site: &Site, token: &str, query: &str| {
        let response = site.send(&asking("/api/v1/cards", &[("q", query)]), |http, url| http.get(url).bearer_auth(token));
        of(response.json::<Value>().unwrap().as_array().unwrap(), "serialNumber")
    };
    let all = ["2E1F00", ANNA, BORIS, SPARE];
    let role = json!({"policies": null, "privileges": ["view-cards"]});
    let id = site.put("/api/v1/roles/Cards", &token, &role).ok()["id"].clone();
    site.post("/api/v1/operators", &token, &json!({"name": "carl", "password": "carl-password", "role": id, "user": null})).ok();
    let carl = site.log_in(("carl", "carl-password"));
    let finds = |site: &Site| {
        for query in ["2E1F", "..2e1f", "\u{22EF}2E1F"] {
            assert_eq!(by(site, &token, query), all, "{engine:?}: {query}");
            assert_eq!(by(site, &carl, query), all, "{engine:?}: {query}");
        }
        for (query, serial) in [("6A5B4C3D2E1F a0f1", ANNA), ("B0F1..2E1F", BORIS), ("2E1F reserve c0", SPARE)] {
            assert_eq!(by(site, &token, query), [serial], "{engine:?}: {query}");
        }
        for query in ["anna", "Anna Berg", "BERG", "LAB\\anna", "anna@lab.example", "anna 2E1F"] {
            assert_eq!(by(site, &token, query), [ANNA], "{engine:?}: {query}");
            // Who may not see people learns nothing of them by searching.
            assert_eq!(by(site, &carl, query), [""; 0], "{engine:?}: {query}");
        }
        for query in ["E1F", "2E1", "1F2E", "nobody", "anna boris"] {
            assert!(!by(site, &token, query).contains(&ANNA.to_owned()), "{engine:?}: {query}");
        }
        assert_eq!(by(site, &token, "lab"), [ANNA, BORIS], "{engine:?}");
        let address = "/api/v1/cards?q=lab&limit=1";
        assert_eq!(pages(site, address, &token).0.len(), 2);
        assert_eq!(pages(site, &format!("{address}&sort=-serial&state=Issued"), &token).0.len(), 2);
    };
    finds(&site);
    crate::people::change(&site, &["DELETE FROM card_words", "UPDATE cards SET search_key = ''"]);
    finds(&site.second());
    let label = |token: &str| site.page("/mc/cards", "mc", token);
    assert!(label(&token).contains("name of the owner") && !label(&carl).contains("name of the owner"));
}

fn the_log_by_pages(engine: Engine) {
    let site = Site::start(engine);
    let token = site.administrator();
    site.post("/api/v1/login", "", &json!({"name": "oleg", "password": "wrong"})).refused(401, "NOT_LOGGED_IN");
    site.post("/api/v1/cards/00/reset-pin", &token, &json!({})).refused(404, "NOT_FOUND");
    let middle = site.clock.now();
    site.clock.advance(std::time::Duration::from_secs(10));
    site.open(ANNA);
    site.open(BORIS);
    let whole = site.get("/api/v1/events", &token).ok().as_array().unwrap().clone();
    let seqs = |query: &str| of(&pages(&site, &format!("/api/v1/events?{query}"), &token).0, "seq");
    let those = |keep: &dyn Fn(&Value) -> bool| of(&whole.iter().filter(|e| keep(e)).cloned().collect::<Vec<_>>(), "seq");
    let reversed = |mut seqs: Vec<String>| {
        seqs.reverse();
        seqs
    };
    for limit in [1, 7, 1000] {
        let limit = format!("limit={limit}");
        for sort in ["seq", "at"] {
            assert_eq!(seqs(&format!("{limit}&sort={sort}")), those(&|_| true), "{engine:?}");
            assert_eq!(seqs(&format!("{limit}&sort=-{sort}")), reversed(those(&|_| true)));
        }
        assert_eq!(seqs(&format!("{limit}&card={ANNA}")), those(&|e| e["card"] == ANNA));
        assert_eq!(seqs(&format!("{limit}&name=LOGIN_FAILED")), those(&|e| e["name"] == "LOGIN_FAILED"));
        assert_eq!(seqs(&format!("{limit}&initiator=setup")), those(&|e| e["initiator"] == "setup"));
        assert_eq!(
            seqs(&format!("{limit}&card={ANNA}&name=UNLOCK_OPENED&initiator=workstation&kind=I")),
            those(&|e| e["card"] == ANNA && e["name"] == "UNLOCK_OPENED")
        );
        assert_eq!(
            seqs(&format!("{limit}&name=LOGGED_IN&initiator=admin")),
            those(&|e| e["name"] == "LOGGED_IN" && e["initiator"] == "admin")
        );
        assert_eq!(seqs(&format!("{limit}&after=5&kind=I")), those(&|e| e["kind"] == "I" && e["seq"].as_i64() > Some(5)));
        assert_eq!(seqs(&format!("{limit}&from={}", middle + 1)), those(&|e| e["at"].as_i64() > Some(middle)));
        assert_eq!(seqs(&format!("{limit}&to={middle}&sort=-at")), reversed(those(&|e| e["at"].as_i64() <= Some(middle))));
    }
    for kind in ["W", "E"] {
        assert_eq!(seqs(&format!("kind={kind}")), those(&|e| e["kind"] == kind));
        assert!(!those(&|e| e["kind"] == kind).is_empty());
    }
    let csv = site.send("/api/v1/events.csv?limit=2", |http, url| http.get(url).bearer_auth(&token));
    assert!(csv.headers()["link"].to_str().unwrap().starts_with("<?limit=2&cursor="));
    assert_eq!(csv.text().unwrap().lines().count(), 3);
}

fn what_is_no_page_is_refused(engine: Engine) {
    let site = Site::start(engine);
    let token = site.administrator();
    let link = site.send("/api/v1/users?limit=1", |http, url| http.get(url).bearer_auth(&token));
    let link = link.headers()["link"].to_str().unwrap().to_owned();
    let cursor = link.split("cursor=").nth(1).unwrap().split('>').next().unwrap();
    for query in [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=x",
        "sort=cn",
        "state=open",
        "cursor=x",
        "cursor=00",
        &format!("sort=-name&cursor={cursor}"),
        &format!("cursor={}", &cursor[2..]),
    ] {
        site.get(&format!("/api/v1/users?{query}"), &token).refused(400, "MALFORMED");
    }
    for path in ["cards?state=Lost", "cards?sort=label", "events?kind=X", "events?from=yesterday", "events?sort=name"] {
        site.get(&format!("/api/v1/{path}"), &token).refused(400, "MALFORMED");
    }
    for (list, field, value) in [("users", "policy", "-1"), ("events", "after", "-1"), ("events.csv", "after", "-9")] {
        let message = site.get(&format!("/api/v1/{list}?{field}={value}"), &token).refused(400, "MALFORMED");
        assert_eq!(message, format!("'{value}' is nothing that there is here ({field})"), "{engine:?}");
    }
    for list in ["cards", "events"] {
        site.get(&format!("/api/v1/{list}?cursor={cursor}"), &token).refused(400, "MALFORMED");
    }
    // A cursor that somebody has made: of the right order, of nothing else.
    let made = hex::encode(r#"{"order":"seq","place":["x","y"]}"#);
    site.get(&format!("/api/v1/events?cursor={made}"), &token).refused(400, "MALFORMED");
}

/// Two cards end so.
const SEVERAL: &str = "/log?card=2e1f&user=lab%5Canna";

/// Every page and every read of the API, with many more rows than one would count by.
fn a_page_is_six_statements_at_most(engine: Engine) {
    let site = Site::with(engine, |server| server.without_limits());
    let token = site.administrator();
    site.set_answers("anna");
    for number in 1..12 {
        site.user_with_card(number);
    }
    let policies = site.get("/api/v1/policies", &token).ok();
    let default = policies[0]["id"].as_str().unwrap().to_owned();
    // One who is for a policy is asked for no more.
    let seeing = ["view-user", "view-cards", "view-log", "view-policy"];
    let role = site.put("/api/v1/roles/Local", &token, &json!({"policies": [default], "privileges": seeing})).ok()["id"].clone();
    site.post("/api/v1/operators", &token, &json!({"name": "local", "password": "local-password", "role": role})).ok();
    let local = site.log_in(("local", "local-password"));
    for name in ["One", "Two", "Three", "Four"] {
        let policy = site.post("/api/v1/policies", &token, &json!({"name": name})).ok()["id"].clone();
        let path = format!("/api/v1/policies/{}/questions", policy.as_str().unwrap());
        site.post(&path, &token, &json!({"text": format!("Question of {name}?")})).ok();
    }
    site.post(&format!("/api/v1/cards/{ANNA}/tasks"), &token, &json!({})).ok();
    let anna = site.user("anna");
    let wizard = site.post(&format!("/api/v1/cards/{ANNA}/wizard"), &token, &json!({})).ok();
    let wizard = wizard["wizard"].as_str().unwrap().to_owned();
    let remote = site.post("/api/v1/remote", "", &json!({"name": "lab\\anna"})).ok();
    let answers = crate::common::given(&remote["questions"], crate::common::right);
    let remote = remote["session"].as_str().unwrap();
    site.post(&format!("/api/v1/remote/{remote}/answers"), "", &answers).ok();
    let (_, _, password) = sample::USERS[0];
    let person = site.block_on(site.server.logins().log_in(Door::SelfService, "lab\\anna", password, "127.0.0.1")).unwrap().token;
    let cost = |what: &str, ask: &dyn Fn() -> u16| {
        let before = site.server.store().statements();
        let status = ask();
        let cost = site.server.store().statements() - before;
        // Of what means several, the page says which there are.
        let wanted = if what == SEVERAL { 400 } else { 200 };
        assert!(status == wanted && (1..=6).contains(&cost), "{engine:?}: {what}: {status}, {cost} statements");
    };
    let document = site.get("/api/openapi.json", "").ok();
    let mut walked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        // The check of the log reads all of it; without readers none are connected.
        if methods["get"].is_null() || path.starts_with("/certiflow") || path.ends_with("/check") || path.ends_with("/connected")
        {
            continue;
        }
        let id = if path.contains("policies") { &default } else { &anna };
        let address = path.replace("{serial}", ANNA).replace("{id}", id).replace("{wizard}", &wizard);
        let address = address.replace("{session}", remote);
        cost(path, &|| site.get(&address, &token).status);
        walked += 1;
    }
    assert!(walked >= 15, "{walked}");
    for query in [
        "users?q=worker+lab+w&state=active",
        "users?sort=-logon&limit=1",
        &format!("users?q=worker+lab&policy={default}"),
        "cards?q=00&state=Issued",
        &format!("cards?q=00&policy={default}"),
        "events?sort=-at&kind=W",
        "events?user=Anna+Berg&card=anna+a0f1&initiator=ADMIN&name=user_locked",
        "events.csv?user=Anna+Berg&card=anna+a0f1&initiator=ADMIN",
        "cards?user=Anna+Berg",
        &format!("cards?user=Anna+Berg&q=a0f1&policy={default}&tag=x"),
    ] {
        for token in [&token, &local] {
            cost(query, &|| site.get(&format!("/api/v1/{query}"), token).status);
        }
    }
    let page = |path: &str, area: &str, token: &str| {
        site.send(path, |http, url| http.get(url).header("cookie", format!("{area}={token}"))).status().as_u16()
    };
    for path in [
        "",
        "?q=lab&state=active",
        &format!("?policy={default}"),
        &format!("?q=lab&policy={default}"),
        "/users/new",
        "/cards",
        "/cards?q=00",
        "/cards?q=00&tag=x",
        "/cards?user=LAB%5Canna",
        "/cards?user=Anna+Berg",
        &format!("/cards?user=Anna+Berg&q=a0f1&policy={default}&type=gids-sim&state=Issued&tag=x"),
        "/cards/csv?user=Anna+Berg&q=a0f1",
        &format!("/cards?q=00&policy={default}"),
        "/log",
        "/log?user=anna&kind=W",
        "/log?user=Anna+Berg&card=anna+a0f1&by=ADMIN&kind=W",
        "/log?user=lab+berg+example&card=anna+berg+a0f1&by=nobody",
        SEVERAL,
        "/log/csv?user=Anna+Berg&card=anna+a0f1&by=ADMIN",
        "/configuration/policies",
        &format!("/configuration/policies/{default}/issuance"),
        &format!("/configuration/policies/{default}/authentication"),
        "/configuration/card-types",
        "/configuration/roles",
        "/configuration/operators",
    ] {
        cost(path, &|| page(&format!("/mc{path}"), "mc", &token));
        // Roles are of no policy.
        if !path.ends_with("/roles") && !path.ends_with("/operators") && !path.ends_with("/new") {
            cost(path, &|| page(&format!("/mc{path}"), "mc", &local));
        }
    }
    for path in
        [format!("/users/{anna}"), format!("/users/{anna}/policies"), format!("/cards/{ANNA}"), format!("/unlock/{wizard}")]
    {
        cost(&path, &|| page(&format!("/mc{path}"), "mc", &token));
    }
    cost("/ss", &|| page("/ss", "ss", &person));
}

/// Somebody writes and does not end: who reads is served meanwhile.
fn reads_wait_for_no_writer(engine: Engine) {
    let site = Site::start(engine);
    let token = site.administrator();
    let (anna, other) = (site.user("anna"), site.second());
    let writing = site.block_on(site.server.store().begin()).unwrap();
    for site in [&site, &other] {
        for path in ["users?q=anna", "cards", "events", "policies", "staff", &format!("users/{anna}"), &format!("cards/{ANNA}")] {
            site.get(&format!("/api/v1/{path}"), &token).ok();
        }
        assert!(site.page("/mc/configuration/operators", "mc", &token).contains("Operators"));
    }
    site.block_on(writing.rollback()).unwrap();
}

fn a_read_sees_one_moment(engine: Engine) {
    let site = Site::with(engine, |server| server.without_limits());
    let token = site.administrator();
    let operator = site.block_on(site.server.logins().operator(&token)).unwrap();
    // While a check reads the log, somebody writes: it says of the log as it was that it is whole, not that it has a hole.
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (0..20).for_each(|_| drop(site.open(SPARE))));
        for _ in 0..40 {
            assert_eq!(site.block_on(site.server.log().check(&operator)).unwrap(), None, "{engine:?}");
        }
        writer.join().unwrap();
    });
    assert_eq!(site.events(&format!("card={SPARE}")).len(), 20);
}

/// A hundred who want to write at once have their turn in the order in which they came, and none is turned away.
fn writers_have_their_turn_in_order(engine: Engine) {
    let site = Site::start(engine);
    let order = site.block_on(async {
        let first = site.server.store().begin().await.unwrap();
        let order = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut waiting = Vec::new();
        for number in 0..100 {
            let (store, order, (asked, has_asked)) =
                (site.server.store().clone(), order.clone(), tokio::sync::oneshot::channel());
            waiting.push(tokio::spawn(async move {
                let mut turn = Box::pin(store.begin());
                // Polled once, it has its place.
                assert!(futures_poll(&mut turn).await.is_none());
                asked.send(()).unwrap();
                let tx = turn.await.unwrap();
                order.lock().unwrap().push(number);
                tx.rollback().await.unwrap();
            }));
            has_asked.await.unwrap();
        }
        first.rollback().await.unwrap();
        for one in waiting {
            one.await.unwrap();
        }
        std::sync::Arc::try_unwrap(order).unwrap().into_inner().unwrap()
    });
    assert_eq!(order, (0..100).collect::<Vec<_>>(), "{engine:?}");
}

/// One poll of a future.
async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

/// The first step after a while is refused; what was over is gone all the same.
fn what_is_over_goes_though_the_step_is_refused(engine: Engine) {
    let site = Site::start(engine);
    let came = site.block_on(site.server.logins().operator(&site.operator())).unwrap();
    site.open(ANNA);
    site.open("0007");
    site.clock.advance(std::time::Duration::from_secs(6 * 60));
    let flows = || {
        site.block_on(async {
            let mut database = crate::common::database(&site.url).await;
            let row = sqlx::query("SELECT COUNT(*) FROM flows").fetch_one(&mut *database).await.unwrap();
            sqlx::Row::get::<i64, _>(&row, 0)
        })
    };
    assert_eq!(flows(), 2, "{engine:?}");
    let refused = site.block_on(site.server.policies().add(&came, "No", &Policy::default()));
    assert_eq!((refused.unwrap_err().code.name(), flows()), ("NO_PRIVILEGE", 0));
}

/// The role is taken away after the request has come in, and before its step begins.
fn a_step_is_judged_as_the_operator_is_now(engine: Engine) {
    let site = Site::start(engine);
    let (admin, oleg) = (site.administrator(), site.operator());
    let came = site.block_on(site.server.logins().operator(&oleg)).unwrap();
    let staff = site.get("/api/v1/staff", &admin).ok();
    let id = staff["operators"].as_array().unwrap().iter().find(|o| o["name"] == "oleg").unwrap()["id"].clone();
    site.put(&format!("/api/v1/operators/{}/role", id.as_str().unwrap()), &admin, &json!({"role": null})).ok();
    let anna = site.user("anna");
    let unlocked = site.block_on(site.server.users().unlock(&came, &anna));
    assert_eq!(unlocked.unwrap_err().code.name(), "NO_PRIVILEGE", "{engine:?}");
    let opened = site.block_on(site.server.wizards().open(&came, ANNA));
    assert_eq!(opened.unwrap_err().code.name(), "NO_PRIVILEGE");
    assert_eq!(site.events(&format!("user={anna}&name=USER_NOT_UNLOCKED")).len(), 1);
}

/// Rows without the columns and words of lists are found and in order after the next start.
fn a_list_of_an_older_version(engine: Engine) {
    let site = Site::start(engine);
    site.block_on(async {
        let mut database = crate::common::database(&site.url).await;
        for statement in [
            "UPDATE users SET name_key = '', logon_key = '', upn_own = ''",
            "UPDATE cards SET search_key = ''",
            "DELETE FROM user_words",
            "DELETE FROM card_words",
        ] {
            sqlx::query(statement).execute(&mut *database).await.unwrap();
        }
        database.commit().await.unwrap();
    });
    let after = site.second();
    let token = after.administrator();
    let names = |query: &str| of(after.get(&format!("/api/v1/users?{query}"), &token).ok().as_array().unwrap(), "cn");
    assert_eq!(names(""), ["Anna Berg", "Boris Lund", "Clara Moss"], "{engine:?}");
    assert_eq!(names("q=lund"), ["Boris Lund"]);
    assert_eq!(after.get("/api/v1/cards?q=a0f1", &token).ok()[0]["serialNumber"], ANNA);
    site.block_on(site.server.setup().add_issued_card(&new_card(SPARE), "lab\\clara")).unwrap();
}

/// The page of the log takes a card as pages name it, and says which there are when it may be several; and it tells what somebody
/// did, in whichever spelling.
fn the_log_of_what_a_person_calls_it(engine: Engine) {
    let site = Site::start(engine);
    let (admin, oleg) = (site.administrator(), site.operator());
    site.post("/api/v1/cards", &admin, &json!({"serial": "0102AAAAB6FA", "card_type": "gids-sim"})).ok();
    site.set_answers("anna");
    site.post(&format!("/api/v1/cards/{ANNA}/wizard"), &oleg, &json!({})).ok();
    site.open(ANNA);
    let page = |query: &[(&str, &str)]| {
        let cookie = format!("mc={admin}");
        site.send(&asking("/mc/log", query), |http, url| http.get(url).header("cookie", cookie)).text().unwrap()
    };
    let rows = |query: &[(&str, &str)]| page(query).matches("<td><time").count();
    let events = |query: &str| site.get(&format!("/api/v1/events?{query}"), &admin).ok().as_array().unwrap().len();
    for card in ["B6FA", "..b6fa", "\u{22EF}B6FA", "0102", "01 02 AA AA B6 FA"] {
        assert_eq!(rows(&[("card", card)]), events("card=0102AAAAB6FA"), "{engine:?}: {card}");
    }
    for card in [&ANNA.to_lowercase(), "a0f1", "Anna Berg", "anna 2e1f"] {
        assert_eq!(rows(&[("card", card)]), events(&format!("card={ANNA}")), "{engine:?}: {card}");
    }
    // The API reads what a person writes.
    let encoded = |pairs: &[(&str, &str)]| form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let mut known = [0; 3];
    for (index, (page_field, field, texts)) in [
        ("card", "card", vec!["B6FA", "..b6fa", "01 02 AA AA B6 FA", &ANNA.to_lowercase(), "a0f1", "anna 2e1f", "EE00EE00EE00"]),
        ("user", "user", vec!["lab\\ANNA", "anna@lab.example", "Anna", "berg anna", "lab\\an\u{3164}na"]),
        ("by", "initiator", vec!["admin", " ADMIN ", "Oleg", "LAB\\anna", "workstation", "nobody"]),
    ]
    .into_iter()
    .enumerate()
    {
        for text in texts {
            let found = events(&encoded(&[(field, text)]));
            assert_eq!(rows(&[(page_field, text)]), found.min(50), "{engine:?}: {field} {text}");
            known[index] += usize::from(found > 0);
        }
    }
    assert_eq!(known, [6, 5, 5], "{engine:?}");
    let of_name = |name: &str| events(&encoded(&[("name", name)]));
    assert!(of_name("UNLOCK_OPENED") > 0 && of_name(" unlock_opened ") == of_name("UNLOCK_OPENED"), "{engine:?}");
    for (field, text, says) in [
        ("card", "nobody's", "there is no such card"),
        ("card", "2E1F", "several cards are '2E1F'; write the serial of one: "),
        ("user", "nobody", "there is no such user"),
        ("user", "example", "several users are called 'example'"),
        ("name", "NOTHING", "'NOTHING' is nothing that can be chosen here"),
        ("kind", "X", ""),
        ("from", "-1", "a time is milliseconds since 1970"),
        ("to", &i64::MAX.to_string(), "a time is milliseconds since 1970"),
    ] {
        for list in ["events", "events.csv"] {
            let asked = format!("/api/v1/{list}?{}", encoded(&[(field, text)]));
            let message = site.get(&asked, &admin).refused(400, "MALFORMED");
            assert!(message.starts_with(says), "{engine:?}: {field} {text}: {message}");
        }
    }
    site.get("/api/v1/events?from=2&to=1", &admin).refused(400, "MALFORMED");
    site.get("/api/v1/cards?user=nobody", &admin).refused(400, "MALFORMED");
    assert_eq!(site.get("/api/v1/cards?user=berg", &admin).ok()[0]["serialNumber"], ANNA);
    let several = page(&[("card", "2E1F")]).replace("&#39;", "'").replace("&#x27;", "'");
    let says = format!("Several cards are '2E1F'; write the serial of one: {ANNA} (Anna Berg), {BORIS} (Boris Lund).");
    assert!(several.contains(&says) && !several.contains("<td><time"), "{engine:?}: {several}");
    assert!(page(&[("card", "nobody's")]).contains("There is no such card"), "{engine:?}");
    // A whole serial that nobody has registered may be in the log all the same.
    site.open("EE00EE00EE00");
    assert_eq!(rows(&[("card", "ee00ee00ee00")]), 1, "{engine:?}");
    for by in ["admin", " ADMIN "] {
        assert_eq!(rows(&[("by", by)]), events("initiator=admin"), "{engine:?}: {by}");
    }
    assert!(
        rows(&[("by", "Oleg")]) > 0
            && rows(&[("by", "Oleg"), ("card", "a0f1")]) == events(&format!("initiator=oleg&card={ANNA}"))
    );
    assert_eq!(rows(&[("by", "nobody")]), 0, "{engine:?}");
    assert_eq!(rows(&[("by", "workstation")]), events("initiator=workstation").min(50), "{engine:?}");
    let csv = site.send("/mc/log/csv?by=OLEG", |http, url| http.get(url).header("cookie", format!("mc={admin}"))).text().unwrap();
    assert_eq!(csv.lines().count(), 1 + events("initiator=oleg"), "{engine:?}");
    // Behind what programs read stands what people do, each in their language.
    assert!(csv.starts_with("seq,time,code,name,kind,initiator,card,user,workstation,session,detail,type,text\r\n"), "{csv}");
    assert!(csv.contains(",Information,oleg logged in\r\n"), "{engine:?}: {csv}");
    let german = site.send("/mc/log/csv?by=OLEG", |http, url| {
        http.get(url).header("cookie", format!("mc={admin}")).header("accept-language", "de")
    });
    let german = german.text().unwrap();
    assert!(german.contains(",Hinweis,oleg hat sich angemeldet\r\n"), "{engine:?}: {german}");
}
