//! Forms that are refused: the error stands at its field, and what was typed is there again, but for what is secret.

use crate::common::browser::{Browser, Page, between, unescaped};
use crate::common::{Engine, Site};
use cardlab_server_stub::service::setup::sample;
use serde_json::json;

on_both_engines! {
    what_was_typed_comes_back_with_its_error_at_its_field,
    names_of_settings_are_one_in_every_spelling,
    names_of_settings_that_an_older_version_told_apart,
    who_changed_it_meanwhile_is_said_and_what_one_chose_stays,
    roles_and_operators_are_renamed_and_deleted,
    a_text_from_the_right_stays_in_its_place_on_every_page,
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    between(tag, &format!(" {name}=\""), "\"").first().map(|value| unescaped(value))
}

/// The tags of the fields of this name.
fn fields<'p>(page: &'p Page, name: &str) -> Vec<&'p str> {
    let tags = between(&page.text, "<input", ">").into_iter().chain(between(&page.text, "<select", ">"));
    tags.filter(|tag| attribute(tag, "name").as_deref() == Some(name)).collect()
}

/// The names of the fields that are wrong, each of which the browser goes to.
fn wrong(page: &Page) -> Vec<String> {
    let tags = between(&page.text, "<input", ">").into_iter().chain(between(&page.text, "<select", ">"));
    let wrong: Vec<_> = tags.filter(|tag| tag.contains("aria-invalid=\"true\"")).collect();
    assert!(wrong.iter().all(|tag| tag.contains(" autofocus")), "{wrong:?}");
    assert_eq!(page.text.matches(" autofocus").count(), wrong.len(), "nothing else is gone to");
    for tag in &wrong {
        let described = attribute(tag, "aria-describedby").unwrap();
        assert!(described.split(' ').any(|id| page.text.contains(&format!("<p class=\"fault\" id=\"{id}\""))), "{tag}");
    }
    wrong.into_iter().map(|tag| attribute(tag, "name").unwrap()).collect()
}

const SECRET: &str = "a-secret-of-hers";

/// Where a form is, where it goes, what is typed, the field that is wrong, and what is said of it.
type Case<'a> = (&'a str, &'a str, Vec<(&'a str, &'a str)>, &'a str, &'a str);

fn what_was_typed_comes_back_with_its_error_at_its_field(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    let policy = site.get("/api/v1/policies", &admin).ok()[0]["id"].as_str().unwrap().to_owned();
    let staff = site.get("/api/v1/staff", &admin).ok();
    let role = staff["roles"].as_array().unwrap().iter().find(|role| role["name"] == "Operator").unwrap()["id"].clone();
    let oleg = staff["operators"].as_array().unwrap().iter().find(|one| one["name"] == "oleg").unwrap()["id"].clone();
    let [all, types, roles, operators] =
        ["policies", "card-types", "roles", "operators"].map(|page| format!("/mc/configuration/{page}"));
    let [issuance, workflow, authentication, questions] =
        ["issuance", "workflow", "authentication", "questions"].map(|page| format!("{all}/{policy}/{page}"));
    let (oleg, role) = (format!("{operators}/{}", oleg.as_str().unwrap()), role.as_str().unwrap().to_owned());
    let long = "W".repeat(201);
    let nora = [
        ("cn", "<b>Nora \u{05E9}"),
        ("logon", "LAB\\nora"),
        ("upn", "nora@lab"),
        ("mail", "n@lab"),
        ("phone", "117"),
        ("user_password", SECRET),
        ("policy", &*policy),
    ];
    let but = |name: &'static str, text: &'static str| {
        nora.map(|(field, typed)| if field == name { (field, text) } else { (field, typed) }).to_vec()
    };
    let number = |tries| vec![("maximum_cards", "7"), ("random_pin_length", "6"), ("random_digits", "on"), ("pin_tries", tries)];
    let retries = |asked, retries| vec![("questions_to_ask", asked), ("maximum_retry_count", retries), ("captcha", "on")];
    let question = |text, length| vec![("text", text), ("min_length", length)];
    let operator = |name, user| vec![("operator_name", name), ("password", SECRET), ("role", &*role), ("operator_user", user)];
    let kind = |name, cipher, pin| vec![("type_name", name), ("cipher", cipher), ("default_user_pin", pin)];
    let new_user = "/mc/users/new";
    let cases: [Case<'_>; 34] = [
        (&issuance, &issuance, number("300"), "pin_tries", "Maximum PIN attempts is 300; it can be 1 to 15."),
        (&issuance, &issuance, number("999"), "pin_tries", "Maximum PIN attempts is 999; it can be 1 to 15."),
        (&issuance, &issuance, number("16"), "pin_tries", "Maximum PIN attempts is 16; it can be 1 to 15."),
        (&issuance, &issuance, number("five"), "pin_tries", "'five' is no number for Maximum PIN attempts."),
        (
            &issuance,
            &issuance,
            vec![("maximum_cards", "0"), ("lock_card", "on"), ("pin_tries", "4")],
            "maximum_cards",
            "Maximum number of cards per user is 0; it can be 1 to 100.",
        ),
        (
            &issuance,
            &issuance,
            vec![("maximum_cards", "2"), ("initialize_card", "on"), ("random_user_pin", "on"), ("random_pin_length", "3")],
            "random_pin_length",
            "Length of the random PIN is 3; it can be 4 to 31.",
        ),
        (
            &issuance,
            &issuance,
            vec![("maximum_cards", "2"), ("lock_card", "on")],
            "initialize_card",
            "Lock card and Set random user PIN need Initialize card: they are written to the card.",
        ),
        (
            &authentication,
            &authentication,
            retries("1", "11"),
            "maximum_retry_count",
            "Maximum authentication retry count is 11; it can be 1 to 10.",
        ),
        (
            &authentication,
            &authentication,
            retries("4", "9"),
            "questions_to_ask",
            "Number of questions to ask is 4, of 3 that are defined; define more first.",
        ),
        (&authentication, &questions, question(sample::QUESTIONS[0], "4"), "text", "This policy asks this question already."),
        (&authentication, &questions, question(&long, "4"), "text", "A question has at most 200 characters, not 201."),
        (&authentication, &questions, question("Who?", "0"), "min_length", "A minimum answer length is 1 to 50."),
        (&all, &all, vec![("name", "DEFAULT"), ("copy_from", &*policy)], "name", "There is a policy of this name."),
        (
            &all,
            &all,
            vec![("name", &*long), ("copy_from", &*policy)],
            "name",
            "A policy's name has at most 200 characters, not 201.",
        ),
        (&roles, &roles, vec![("role_name", "OPERATOR")], "role_name", "There is a role of this name."),
        (&roles, &roles, vec![("role_name", &*long)], "role_name", "A role's name has at most 200 characters, not 201."),
        (
            &roles,
            &roles,
            vec![("role", &*role), ("role_name", "administrator"), ("privilege:view-log", "on")],
            "role_name",
            "There is a role of this name.",
        ),
        (&operators, &operators, operator("OLEG", ""), "operator_name", "There is an operator 'OLEG'."),
        (&operators, &operators, operator("olga", "LAB\\nobody"), "operator_user", "There is no such user."),
        (&operators, &operators, operator(&long, ""), "operator_name", "An operator's name has at most 200 characters, not 201."),
        (&operators, &oleg, vec![("operator_name", "ADMIN")], "operator_name", "There is an operator 'ADMIN'."),
        (&types, &types, kind("GIDS-SIM", "aes256", "4711"), "type_name", "There is a card type of this name."),
        (
            &types,
            &types,
            kind("new", "aes256", "1"),
            "default_user_pin",
            "A default user PIN has 4 to 31 printable ASCII characters.",
        ),
        (&types, &types, kind("new", "rot13", "4711"), "cipher", "No cipher 'rot13'; there are: 3des, aes128, aes192, aes256."),
        (new_user, new_user, but("cn", " "), "cn", "A name is missing."),
        (new_user, new_user, but("cn", "A\u{7}"), "cn", "A name stands in one line of letters and signs; U+0007 is none."),
        (
            new_user,
            new_user,
            but("cn", "\u{202E}<b>Nora"),
            "cn",
            "A name has U+202E in it, which nobody sees there: remove this sign, or type everything anew instead of pasting it.",
        ),
        (new_user, new_user, but("logon", "nora"), "logon", "A logon name is DOMAIN\\Name."),
        (new_user, new_user, but("logon", "lab\\ANNA"), "logon", "There is a user 'lab\\ANNA'."),
        (new_user, new_user, but("upn", "nora"), "upn", "A UPN is name@domain."),
        (
            new_user,
            new_user,
            but("mail", "<script>alert(1)</script>"),
            "mail",
            "A mail address is name@domain, without blanks and signs such as < > , ;.",
        ),
        (
            new_user,
            new_user,
            but("phone", "\u{05E9}even"),
            "phone",
            "A telephone number has 2 to 30 digits, blanks and the signs + - ( ) / . # *, with x before an extension.",
        ),
        (new_user, new_user, but("user_password", "short"), "user_password", "A password has 8 to 200 characters."),
        // Nothing is wrong with a field of it.
        (
            &workflow,
            &workflow,
            vec![("reset_user_pin", "on"), ("was", "another")],
            "",
            "Setup has changed this policy meanwhile; look at what is saved now, and make your change again.",
        ),
    ];
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    for (on, to, typed, field, says) in cases {
        let page = browser.send_from(on, to, &typed);
        assert!(browser.was_led(), "{engine:?} {to} {typed:?}: nothing sends it again");
        assert_eq!((page.status, page.path.split('?').next()), (200, Some(on)), "{engine:?} {to} {typed:?}");
        assert_eq!(page.alerts(), [says], "{to} {typed:?}");
        assert_eq!(wrong(&page).join(" "), field, "{to} {typed:?}");
        assert!(!page.text.contains(SECRET));
        for (name, text) in typed {
            let shown = fields(&page, name);
            let is_there = |tag: &&str| match attribute(tag, "type").as_deref() {
                Some("checkbox") => tag.ends_with(" checked") || tag.contains(" checked "),
                Some("password") => attribute(tag, "value").is_none(),
                // Which page it was made of is another one now.
                Some("hidden") if name == "was" => true,
                Some(_) => attribute(tag, "value").as_deref() == Some(text),
                None => {
                    page.text.contains(&format!("value=\"{text}\" selected>"))
                        || page.text.contains(&format!("<option selected>{text}"))
                        || text == "rot13"
                }
            };
            assert!(shown.iter().any(is_there), "{to}: {name} is not '{text}' but {shown:?}");
        }
        // What was not ticked is not.
        let boxes = fields(&page, "unblock_card_offline");
        assert!(boxes.iter().all(|tag| !tag.contains(" checked")), "{boxes:?}");
    }
    assert_eq!(site.get("/api/v1/policies", &admin).ok()[0]["settings"]["issuance"]["maximum_cards"], 1, "nothing half saved");
}

fn names_of_settings_are_one_in_every_spelling(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    for name in ["default", "DEFAULT", " Ｄｅｆａｕｌｔ "] {
        site.post("/api/v1/policies", &admin, &json!({"name": name})).refused(409, "CONFLICT");
    }
    let kind = json!({"cipher": "3des", "default_user_pin": "123456"});
    site.post("/api/v1/card-types/GIDS-SIM", &admin, &kind).refused(409, "CONFLICT");
    site.post("/api/v1/policies", &admin, &json!({"name": "Straße"})).ok();
    site.post("/api/v1/policies", &admin, &json!({"name": "STRASSE"})).refused(409, "CONFLICT");
    // Who changes a role by its name changes the one that is called so, in whichever spelling.
    let known = site.get("/api/v1/staff", &admin).ok()["roles"].as_array().unwrap().len();
    let made = site.put("/api/v1/roles/OPERATOR", &admin, &json!({"privileges": ["view-log", "view-cards"]})).ok();
    let roles = site.get("/api/v1/staff", &admin).ok()["roles"].clone();
    let roles = roles.as_array().unwrap();
    assert_eq!(roles.len(), known);
    let changed = roles.iter().find(|role| role["id"] == made["id"]).unwrap();
    assert_eq!((&changed["name"], changed["role"]["privileges"].as_array().unwrap().len()), (&json!("Operator"), 2));
    // Not even so one's own.
    site.put("/api/v1/roles/ADMINISTRATOR", &admin, &json!({"privileges": []})).refused(409, "CONFLICT");
}

/// They start, and each is there; no third comes.
fn names_of_settings_that_an_older_version_told_apart(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    site.post("/api/v1/policies", &admin, &json!({"name": "Other"})).ok();
    site.put("/api/v1/roles/Other", &admin, &json!({"privileges": []})).ok();
    site.block_on(async {
        let mut tx = crate::common::database(&site.url).await;
        for statement in [
            "UPDATE policies SET name = 'DEFAULT' WHERE name = 'Other'",
            "UPDATE roles SET name = 'OPERATOR' WHERE name = 'Other'",
            "UPDATE policies SET name_key = ''",
            "UPDATE roles SET name_key = ''",
            "UPDATE card_types SET name_key = ''",
        ] {
            sqlx::query(statement).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
    });
    let after = site.second();
    let token = after.administrator();
    let names = |list: &serde_json::Value| {
        let mut names: Vec<_> = list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names(&after.get("/api/v1/policies", &token).ok()), ["DEFAULT", "Default"], "{engine:?}");
    after.post("/api/v1/policies", &token, &json!({"name": "dEFAULT"})).refused(409, "CONFLICT");
    // Each by the name as it is written, and neither by another.
    let ids = ["Operator", "OPERATOR"]
        .map(|name| after.put(&format!("/api/v1/roles/{name}"), &token, &json!({"privileges": ["view-log"]})).ok()["id"].clone());
    assert_ne!(ids[0], ids[1]);
    after.put("/api/v1/roles/oPERATOR", &token, &json!({"privileges": []})).refused(409, "CONFLICT");
    assert_eq!(names(&after.get("/api/v1/staff", &token).ok()["roles"]), ["Administrator", "OPERATOR", "Operator"]);
}

fn who_changed_it_meanwhile_is_said_and_what_one_chose_stays(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    let policy = site.get("/api/v1/policies", &admin).ok()[0]["id"].as_str().unwrap().to_owned();
    let chief = json!({"privileges": ["view-policy", "change-policy"]});
    let chief = site.put("/api/v1/roles/Chief", &admin, &chief).ok()["id"].clone();
    let hannah = json!({"name": "Hannah", "password": "hannahs-password", "role": chief});
    site.post("/api/v1/operators", &admin, &hannah).ok();
    let path = format!("/mc/configuration/policies/{policy}/issuance");
    let (first, second) = (
        Browser::logged_in(&site, "en", "/mc", ("Hannah", "hannahs-password")),
        Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR),
    );
    let was = |page: &Page| attribute(fields(page, "was")[0], "value").unwrap();
    let seen = was(&second.get(&path));
    let same = [("random_pin_length", "6"), ("random_digits", "on"), ("pin_tries", "5")];
    let saved = [&same[..], &[("was", &*seen), ("maximum_cards", "3"), ("initialize_card", "on")]].concat();
    assert_eq!(first.send_from(&path, &path, &saved).alerts(), [""; 0], "{engine:?}");
    let late = second.send_from(&path, &path, &[&same[..], &[("was", &*seen), ("maximum_cards", "7")]].concat());
    assert_eq!(
        late.alerts(),
        ["Hannah has changed this policy meanwhile; look at what is saved now, and make your change again."]
    );
    assert_eq!(attribute(fields(&late, "maximum_cards")[0], "value").as_deref(), Some("7"));
    let beside = between(&late.text, "<p class=\"fault\">", "</p>");
    assert_eq!(beside, ["Saved meanwhile: 3", "Saved meanwhile: on"]);
    // Who has seen it saves it.
    let again = second.send_from(&path, &path, &[&same[..], &[("was", &*was(&late)), ("maximum_cards", "7")]].concat());
    assert_eq!(again.alerts(), [""; 0], "{}", again.text);
    let issuance = site.get("/api/v1/policies", &admin).ok()[0]["settings"]["issuance"].clone();
    assert_eq!((&issuance["maximum_cards"], &issuance["initialize_card"]), (&json!(7), &json!(false)));
}

fn roles_and_operators_are_renamed_and_deleted(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    let [roles, operators] = ["roles", "operators"].map(|page| format!("/mc/configuration/{page}"));
    let made = browser.send_from(&roles, &roles, &[("role_name", "Desk")]);
    // It is open where one comes to.
    let role = made.path.split_once("?open=").unwrap().1.split('#').next().unwrap().to_owned();
    assert!(made.text.contains(&format!("id=\"r-{role}\" open>")), "{engine:?}: {}", made.text);
    let renamed =
        browser.send_from(&roles, &roles, &[("role", &role), ("role_name", "Night desk"), ("privilege:view-log", "on")]);
    assert_eq!(renamed.alerts(), [""; 0]);
    let role_of = |name: &str| {
        let roles = site.get("/api/v1/staff", &admin).ok()["roles"].clone();
        roles.as_array().unwrap().iter().find(|role| role["name"] == name).map(|role| role["role"]["privileges"].clone())
    };
    assert_eq!((role_of("Desk"), role_of("Night desk")), (None, Some(json!(["view-log"]))));
    let log = browser.get("/mc/log?name=ROLE_CHANGED").text;
    assert!(log.contains("admin gave the role Desk another name, Night desk, and set what it allows"), "{engine:?}: {log}");
    let nina = json!({"name": "nina", "password": "ninas-password", "role": role});
    let nina = site.post("/api/v1/operators", &admin, &nina).ok()["id"].as_str().unwrap().to_owned();
    let token = site.log_in(("nina", "ninas-password"));
    let delete = format!("{roles}/{role}/delete");
    assert!(!browser.get(&roles).text.contains(&delete), "nothing leads to what is refused");
    let refused = browser.send_from(&roles, &delete, &[]);
    assert_eq!(refused.alerts(), ["Operators have this role: 1; give them another first."]);
    // Another name and password: what was open ends, and only the new ones are taken.
    let changed =
        browser.send_from(&operators, &format!("{operators}/{nina}"), &[("operator_name", "Nina"), ("password", "another-one")]);
    assert_eq!(changed.alerts(), [""; 0]);
    site.get("/api/v1/events", &token).refused(401, "NOT_LOGGED_IN");
    site.post("/api/v1/login", "", &json!({"name": "nina", "password": "ninas-password"})).refused(401, "NOT_LOGGED_IN");
    let token = site.log_in(("nina", "another-one"));
    // Without a password it stays.
    let renamed = browser.send_from(&operators, &format!("{operators}/{nina}"), &[("operator_name", "Nina B"), ("password", "")]);
    assert_eq!(renamed.alerts(), [""; 0]);
    site.get("/api/v1/events", &token).ok();
    let own = site.get("/api/v1/staff", &admin).ok()["operators"].clone();
    let own = own.as_array().unwrap().iter().find(|one| one["name"] == sample::ADMINISTRATOR.0).unwrap()["id"].clone();
    let own = browser.send_from(&operators, &format!("{operators}/{}/delete", own.as_str().unwrap()), &[]);
    assert_eq!(own.alerts(), ["You are this operator: another administrator changes and deletes you."]);
    let deleted = browser.send_from(&operators, &format!("{operators}/{nina}/delete"), &[]);
    assert_eq!(deleted.alerts(), [""; 0]);
    site.get("/api/v1/events", &token).refused(401, "NOT_LOGGED_IN");
    assert_eq!(browser.send_from(&roles, &delete, &[]).alerts(), [""; 0]);
    assert_eq!(role_of("Night desk"), None);
}

/// Every page of an area that another leads to.
fn pages_of(browser: &Browser<'_>, area: &str) -> Vec<Page> {
    let (mut to_see, mut seen, mut pages) = (vec![area.to_owned()], std::collections::BTreeSet::new(), Vec::new());
    while let Some(path) = to_see.pop() {
        if path.contains("/csv") || !seen.insert(path.clone()) {
            continue;
        }
        let page = browser.get(&path);
        let links = between(&page.text, "href=\"", "\"").into_iter().map(unescaped).filter(|link| link.starts_with(area));
        to_see.extend(links);
        pages.push(page);
    }
    pages
}

/// A name that is read from the right, with a sign that turns whatever stands behind it, as an older version let it be, is in every
/// field: no page has the sign but in a field to be changed, and the name is in a place of its own.
fn a_text_from_the_right_stays_in_its_place_on_every_page(engine: Engine) {
    const NAME: &str = "\u{05E9}\u{05E8}\u{05D4}";
    const TURNED: &str = "\u{202E}\u{05E9}\u{05E8}\u{05D4}";
    let site = Site::start(engine);
    let admin = site.administrator();
    let policy = site.post("/api/v1/policies", &admin, &json!({"name": NAME})).ok()["id"].as_str().unwrap().to_owned();
    for number in 0..2 {
        let question = json!({"text": format!("{NAME} {number}")});
        site.post(&format!("/api/v1/policies/{policy}/questions"), &admin, &question).ok();
    }
    let browser = Browser::logged_in(&site, "en", "/mc", sample::ADMINISTRATOR);
    let types = "/mc/configuration/card-types";
    let kind = [("type_name", NAME), ("cipher", "3des"), ("default_user_pin", "123456")];
    assert_eq!(browser.send_from(types, types, &kind).alerts(), [""; 0], "{engine:?}");
    let logon = format!("LAB\\{NAME}");
    let user = json!({"logon": logon, "upn": format!("{NAME}@lab"), "cn": NAME, "password": SECRET, "policy": policy});
    let user = site.post("/api/v1/users", &admin, &user).ok()["id"].as_str().unwrap().to_owned();
    let all = site.get("/api/v1/staff", &admin).ok()["roles"].clone();
    let all = all.as_array().unwrap().iter().find(|role| role["name"] == "Administrator").unwrap()["role"]["privileges"].clone();
    let roles = "/mc/configuration/roles";
    let made = browser.send_from(roles, roles, &[("role_name", NAME)]);
    let role = made.path.split_once("?open=").unwrap().1.split('#').next().unwrap().to_owned();
    let ticked: Vec<_> = all.as_array().unwrap().iter().map(|name| format!("privilege:{}", name.as_str().unwrap())).collect();
    let ticked: Vec<_> = ticked.iter().map(|name| (name.as_str(), "on")).collect();
    let set = browser.send_from(roles, roles, &[&[("role", &*role), ("role_name", NAME)], &ticked[..]].concat());
    assert_eq!(set.alerts(), [""; 0]);
    let operator = json!({"name": NAME, "password": SECRET, "role": role, "user": user});
    site.post("/api/v1/operators", &admin, &operator).ok();
    crate::people::change(
        &site,
        &[
            "UPDATE users SET cn = '\u{202E}' || cn, upn = '\u{202E}' || upn, logon = 'LAB\\\u{202E}\u{05E9}\u{05E8}\u{05D4}' WHERE cn = '\u{05E9}\u{05E8}\u{05D4}'",
            "UPDATE policies SET name = '\u{202E}' || name WHERE name = '\u{05E9}\u{05E8}\u{05D4}'",
            "UPDATE questions SET text = '\u{202E}' || text WHERE text LIKE '\u{05E9}%'",
            "UPDATE card_types SET id = '\u{202E}' || id WHERE id = '\u{05E9}\u{05E8}\u{05D4}'",
            "UPDATE roles SET name = '\u{202E}' || name WHERE name = '\u{05E9}\u{05E8}\u{05D4}'",
            "UPDATE operators SET name = '\u{202E}' || name WHERE name = '\u{05E9}\u{05E8}\u{05D4}'",
        ],
    );
    let mut pages = pages_of(&Browser::logged_in(&site, "en", "/mc", (NAME, SECRET)), "/mc");
    assert!(pages.len() > 15, "{}", pages.len());
    let own = Browser::logged_in(&site, "en", "/ss", (&logon, SECRET));
    pages.extend(pages_of(&own, "/ss"));
    pages.push(browser.send_from(roles, "/mc/users/none/disable", &[]));
    let (mut named, mut typed) = (0, 0);
    for page in &pages {
        let mut outside = String::new();
        for part in page.text.split('<') {
            // What a list sends when it is chosen, or a form by itself, is shown by nobody; in a field it is as it was typed.
            let (tag, behind) = part.split_once('>').unwrap_or(("", part));
            let is_hidden = tag.starts_with("input") && tag.contains(" type=\"hidden\"");
            if tag.contains(TURNED) && tag.starts_with("input") && !is_hidden {
                assert!(tag.contains(" dir=\"auto\""), "{}: {tag}", page.path);
                typed += 1;
            } else if !tag.starts_with("option") && !is_hidden {
                outside.push_str(tag);
            }
            outside.push_str(behind);
        }
        assert!(!outside.contains('\u{202E}'), "{}", page.path);
        for (at, _) in outside.match_indices(NAME) {
            let (begun, ended) = (outside[..at].rfind('\u{2068}'), outside[..at].rfind('\u{2069}'));
            assert!(
                begun.is_some() && begun > ended,
                "{}: {}",
                page.path,
                outside[..at].chars().rev().take(40).collect::<String>()
            );
            named += 1;
        }
    }
    assert!(named > 50 && typed > 2, "{named} {typed}");
}
