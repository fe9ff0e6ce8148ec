//! What is refused is said in the reader's language, on the page of every service.

use crate::common::browser::{Browser, between};
use crate::common::{ANNA, BORIS, Engine, SPARE, Site, right};
use cardlab_server_stub::service::setup::{CARD_TYPE, sample};
use serde_json::json;

on_both_engines! {
    operators_read_why_in_their_language,
    users_read_why_in_their_language,
    a_login_says_why_in_its_language,
}

/// The browsers of one person, and which of the two sentences each is to show.
const LANGUAGES: [(&str, usize); 2] = [("de-AT,de;q=0.9,en;q=0.5", 1), ("en", 0)];

/// What a form is refused with: the page that has it, where it goes, its fields, and the sentence in English and in German.
type Refused<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], [&'a str; 2]);

fn check(site: &Site, area: &str, who: (&str, &str), refused: &[Refused<'_>]) {
    for (language, place) in LANGUAGES {
        let browser = Browser::logged_in(site, language, area, who);
        for (on, path, fields, sentences) in refused {
            let page = browser.send_from(on, path, fields);
            assert_eq!(page.alerts(), [sentences[place]], "{language}: {path} {fields:?}: {}", page.text);
        }
    }
}

fn operators_read_why_in_their_language(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    site.post("/api/v1/cards", &admin, &json!({"serial": SPARE, "card_type": CARD_TYPE, "untried": true})).ok();
    let policy = site.get("/api/v1/policies", &admin).ok()[0]["id"].as_str().unwrap().to_owned();
    let roles = site.get("/api/v1/staff", &admin).ok()["roles"].clone();
    let own_role = roles.as_array().unwrap().iter().find(|role| role["name"] == "Administrator").unwrap();
    let own_role = own_role["id"].as_str().unwrap().to_owned();
    let anna = site.user("anna");
    let (user, policies) = (format!("/mc/users/{anna}"), format!("/mc/users/{anna}/policies"));
    let (card, spare) = (format!("/mc/cards/{ANNA}"), format!("/mc/cards/{SPARE}"));
    let [remove, enable, key, tasks, issue] =
        [(ANNA, "remove"), (ANNA, "enable"), (SPARE, "correct-key"), (SPARE, "tasks"), (SPARE, "issue")]
            .map(|(card, what)| format!("/mc/cards/{card}/{what}"));
    let conf = "/mc/configuration";
    let [all, types, roles, operators] = ["policies", "card-types", "roles", "operators"].map(|page| format!("{conf}/{page}"));
    let authentication = format!("{all}/{policy}/authentication");
    let (questions, up) = (format!("{all}/{policy}/questions"), format!("{all}/{policy}/up"));
    let nora = [("logon", "LAB\\nora"), ("upn", "nora@lab"), ("user_password", "long-enough-1"), ("policy", &policy)];
    let nobody = [&nora[..], &[("cn", " ")]].concat();
    let again = [&nora[1..], &[("logon", "lab\\ANNA"), ("cn", "Nora")]].concat();
    let by_hand = [("questions_to_ask", "three"), ("maximum_retry_count", "3"), ("was", "")];
    check(
        &site,
        "/mc",
        sample::ADMINISTRATOR,
        &[
            // Users.
            ("/mc/users/new", "/mc/users/new", &nobody, ["A name is missing.", "Ein Name fehlt."]),
            (
                "/mc/users/new",
                "/mc/users/new",
                &again,
                ["There is a user 'lab\\ANNA'.", "Einen Benutzer 'lab\\ANNA' gibt es schon."],
            ),
            (
                &policies,
                &policies,
                &[],
                ["A user is under one policy at least.", "Ein Benutzer ist unter mindestens einer Richtlinie."],
            ),
            (&user, "/mc/users/none/disable", &[], ["There is no such user.", "Diesen Benutzer gibt es nicht."]),
            // Cards.
            (
                &card,
                &remove,
                &[],
                [
                    "The card was issued, so that it stays in the repository; revoke it to take it out of use.",
                    "Die Karte war ausgegeben und bleibt deshalb im Bestand; widerrufen Sie sie, um sie außer Gebrauch zu nehmen.",
                ],
            ),
            (
                &card,
                &enable,
                &[],
                [
                    "The card is Issued; this can be done with Disabled cards.",
                    "Die Karte ist Ausgegeben; das geht mit Karten, die Abgeschaltet sind.",
                ],
            ),
            (
                &spare,
                &key,
                &[("admin_key", "xyz")],
                ["An administrator key is hexadecimal.", "Ein Administratorschlüssel ist hexadezimal."],
            ),
            (
                &spare,
                &tasks,
                &[("comment", ""), ("workstation", "WS1")],
                [
                    "The card is Clean; only Issued cards are unlocked.",
                    "Die Karte ist Leer; nur ausgegebene Karten werden entsperrt.",
                ],
            ),
            (
                &spare,
                &issue,
                &[],
                [
                    "The card is Clean; this can be done with Assigned, Pending cards.",
                    "Die Karte ist Leer; das geht mit Karten, die Zugewiesen, In Ausgabe sind.",
                ],
            ),
            // Policies and their questions.
            (
                &all,
                &all,
                &[("name", "Default")],
                ["There is a policy of this name.", "Eine Richtlinie dieses Namens gibt es schon."],
            ),
            (&all, &up, &[], ["This policy is the first already.", "Diese Richtlinie ist schon die erste."]),
            (
                &authentication,
                &authentication,
                &by_hand,
                ["'three' is no number for Number of questions to ask.", "'three' ist keine Zahl für Zahl der Fragen."],
            ),
            (
                &authentication,
                &questions,
                &[("text", sample::QUESTIONS[0]), ("min_length", "3")],
                ["This policy asks this question already.", "Diese Richtlinie stellt diese Frage schon."],
            ),
            (
                &authentication,
                &questions,
                &[("text", "Who?"), ("min_length", "none")],
                ["A minimum answer length is 1 to 50.", "Eine Mindestlänge der Antwort ist 1 bis 50."],
            ),
            (
                &types,
                &types,
                &[("type_name", "x"), ("cipher", "rot13"), ("default_user_pin", "123456")],
                [
                    "No cipher 'rot13'; there are: 3des, aes128, aes192, aes256.",
                    "Kein Verfahren 'rot13'; es gibt: 3des, aes128, aes192, aes256.",
                ],
            ),
            // Roles and operators.
            (
                &roles,
                &roles,
                &[("role", &own_role), ("role_name", "Administrator")],
                ["Your own role is changed by another administrator.", "Ihre eigene Rolle ändert ein anderer Administrator."],
            ),
            (
                &operators,
                &operators,
                &[("operator_name", "oleg"), ("password", "long-enough-1")],
                ["There is an operator 'oleg'.", "Einen Operator 'oleg' gibt es schon."],
            ),
            (
                &operators,
                &operators,
                &[("operator_name", "olga"), ("password", "short")],
                ["A password has 8 to 200 characters.", "Ein Passwort hat 8 bis 200 Zeichen."],
            ),
        ],
    );
    // A filter of an address that nobody has chosen from a list, and a form that is of no page of this login.
    for (language, place) in LANGUAGES {
        let browser = Browser::logged_in(&site, language, "/mc", sample::ADMINISTRATOR);
        let narrowed = browser.get("/mc/cards?state=lost");
        assert_eq!(
            narrowed.alerts(),
            [["'lost' is nothing that can be chosen here.", "'lost' steht hier nicht zur Wahl."][place]],
            "{engine:?}"
        );
        // What there is none of in the database is told by its field, as over the API.
        for (address, text, field) in [
            ("/mc?state=foo", "foo", ""),
            ("/mc?sort=evil", "evil", ""),
            ("/mc?policy=none", "none", "policy"),
            ("/mc/cards?sort=label", "label", ""),
            ("/mc/cards?type=none", "none", "card_type"),
            ("/mc/cards?policy=none", "none", "policy"),
            ("/mc/cards/csv?state=lost", "lost", ""),
            ("/mc/log?kind=zzz", "zzz", ""),
            ("/mc/log?name=zzz", "zzz", ""),
        ] {
            let sentence = match field {
                "" => [format!("'{text}' is nothing that can be chosen here."), format!("'{text}' steht hier nicht zur Wahl.")],
                field => [
                    format!("'{text}' is nothing that there is here ({field})."),
                    format!("'{text}' gibt es hier nicht ({field})."),
                ],
            };
            let page = browser.get(address);
            assert_eq!((page.status, page.alerts()), (400, vec![sentence[place].clone()]), "{engine:?}: {address}");
            // Whichever list it is, its fields are there to ask for something else.
            let is_list = !address.contains("/csv");
            assert_eq!(page.text.contains("<form class=\"filters\""), is_list, "{engine:?}: {address}");
        }
        for address in ["/mc?event=nonsense", "/mc/cards?q=a&q=b", "/mc/log?event=nonsense", "/mc/log/csv?event=nonsense"] {
            let sentence = [
                "The address asks for something that this list does not have, or twice for the same; use the fields of the page.",
                "Die Adresse fragt nach etwas, das diese Liste nicht hat, oder zweimal nach demselben; nehmen Sie die Felder der Seite.",
            ];
            assert_eq!(browser.get(address).alerts(), [sentence[place]], "{engine:?}: {address}");
        }
        let foreign = browser.send(&format!("/mc/users/{}/disable", site.user("anna")), &[("csrf", "guessed")]);
        let sentences = [
            "This form did not come from a page of this login; open the page again.",
            "Dieses Formular kam nicht von einer Seite dieser Anmeldung; öffnen Sie die Seite neu.",
        ];
        assert_eq!((browser.was_led(), foreign.alerts()), (true, vec![sentences[place].to_owned()]));
    }
    // Unlocking: the questions, and the challenge.
    site.set_answers("boris");
    for (language, place) in LANGUAGES {
        let browser = Browser::logged_in(&site, language, "/mc", sample::OPERATOR);
        let card = format!("/mc/cards/{BORIS}");
        let asked = browser.send_from(&card, &format!("{card}/wizard"), &[]);
        let questions = asked_of(&asked.text);
        let wrong: Vec<_> = questions.iter().map(|(name, _)| (name.as_str(), "nothing like it")).collect();
        let wrong = browser.send_from(&asked.path, &format!("{}/answers", asked.path), &wrong);
        let sentences = ["The answers are not right. 4 tries are left.", "Die Antworten sind nicht richtig. Noch 4 Versuche."];
        assert_eq!(wrong.alerts(), [sentences[place]], "{}", wrong.text);
        let questions = asked_of(&wrong.text);
        let answers: Vec<_> = questions.iter().map(|(name, text)| (name.as_str(), right(text))).collect();
        let answers: Vec<_> = answers.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let answered = browser.send_from(&asked.path, &format!("{}/answers", asked.path), &answers);
        assert_eq!(answered.alerts(), [""; 0], "{}", answered.text);
        let path = format!("{}/challenge", asked.path);
        let short = browser.send_from(&asked.path, &path, &[("challenge", "1122")]);
        let sentences = ["Challenge: 4 digits, but the code has 16.", "Anfrage: 4 Ziffern, aber der Code hat 16."];
        assert_eq!(short.alerts(), [sentences[place]]);
    }
}

/// The questions that a page asks: the field and the question.
fn asked_of(page: &str) -> Vec<(String, String)> {
    let labels = between(page, "<label for=\"q-", "</label>");
    let pair = |label: &str| label.split_once("\">").map(|(id, text)| (format!("answer:{id}"), text.to_owned()));
    labels.into_iter().map(|label| pair(label).unwrap()).collect()
}

fn users_read_why_in_their_language(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let policy = site.get("/api/v1/policies", &site.administrator()).ok()[0]["id"].as_str().unwrap().to_owned();
    let questions = site.get(&format!("/api/v1/policies/{policy}/questions"), &site.administrator()).ok();
    let question = questions.as_array().unwrap().iter().find(|question| question["text"] == sample::QUESTIONS[1]).unwrap();
    let [answer, again] = ["answer", "again"].map(|kind| format!("{kind}:{}", question["id"].as_str().unwrap()));
    check(
        &site,
        "/ss",
        ("lab\\anna", "anna-password"),
        &[
            (
                "/ss",
                "/ss/answers",
                &[(&answer, "born"), (&again, "born")],
                [
                    "'Town where you were born?': the answer stands in the question.",
                    "'Town where you were born?': Die Antwort steht in der Frage.",
                ],
            ),
            (
                "/ss",
                "/ss/answers",
                &[(&answer, "Riga"), (&again, "Rigo")],
                ["The two entries differ.", "Die beiden Eingaben sind verschieden."],
            ),
            ("/ss", "/ss/answers", &[], ["Nothing was typed.", "Es wurde nichts getippt."]),
            (
                "/ss",
                "/ss/cards",
                &[("card", ANNA), ("operation", "revoke")],
                [
                    "Say why: the card is lost, faulty, or somebody else may know its PIN.",
                    "Sagen Sie, warum: Die Karte ist verloren oder defekt, oder jemand anders kennt vielleicht ihre PIN.",
                ],
            ),
            (
                "/ss",
                "/ss/cards",
                &[("card", BORIS), ("operation", "disable")],
                ["There is no such card of yours.", "Eine solche Karte haben Sie nicht."],
            ),
            (
                "/ss",
                "/ss/pin",
                &[("card", ANNA), ("old_pin", "1"), ("new_pin", "2"), ("again_pin", "3")],
                [
                    "The two entries of the new PIN differ; nothing was changed.",
                    "Die beiden Eingaben der neuen PIN sind verschieden; nichts wurde geändert.",
                ],
            ),
        ],
    );
    for (language, place) in LANGUAGES {
        let browser = Browser::new(&site, language);
        let asked = browser.send("/rss", &[("name", "lab\\anna")]);
        let questions = asked_of(&asked.text);
        let answers: Vec<_> = questions.iter().map(|(name, text)| (name.as_str(), right(text))).collect();
        let answers: Vec<_> = answers.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let cards = browser.send_from("/rss", "/rss/answers", &answers);
        assert_eq!(cards.alerts(), [""; 0], "{engine:?}: {}", cards.text);
        let zeros = browser.send_from("/rss", "/rss/unblock", &[("card", ANNA), ("challenge", "0000000000000000")]);
        let sentences = [
            "Challenge: a challenge of zeros only is none that a card gives.",
            "Anfrage: Eine aus lauter Nullen gibt keine Karte.",
        ];
        assert_eq!(zeros.alerts(), [sentences[place]]);
        browser.send_from("/rss", "/rss/leave", &[]);
        let asked = browser.send("/rss", &[("name", "lab\\anna")]);
        let wrong: Vec<_> = asked_of(&asked.text).into_iter().map(|(name, _)| (name, "no".to_owned())).collect();
        let wrong: Vec<_> = wrong.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let wrong = browser.send_from("/rss", "/rss/answers", &wrong);
        let sentences = [
            "The answers are not right. Begin again, or ask your operator.",
            "Die Antworten sind nicht richtig. Beginnen Sie neu, oder fragen Sie Ihren Operator.",
        ];
        assert_eq!(wrong.alerts(), [sentences[place]]);
    }
}

fn a_login_says_why_in_its_language(engine: Engine) {
    let site = Site::start(engine);
    site.policy("authentication", "captcha", json!(true));
    for (language, place) in LANGUAGES {
        let browser = Browser::new(&site, language);
        for area in ["/mc", "/ss"] {
            let wrong = browser.send(&format!("{area}/login"), &[("name", "nobody"), ("password", "guessed")]);
            let sentences = ["Wrong name or password.", "Name oder Passwort ist falsch."];
            assert_eq!(wrong.alerts(), [sentences[place]], "{engine:?}: {area}");
        }
        let without = browser.send("/rss", &[("name", "lab\\anna"), ("letters", "none")]);
        let sentences = [
            "Type the letters of the picture; if they cannot be read, there are others.",
            "Tippen Sie die Buchstaben des Bildes; wenn man sie nicht lesen kann, gibt es andere.",
        ];
        assert_eq!(without.alerts(), [sentences[place]]);
    }
    // Who tries too often is told so.
    for (language, place) in LANGUAGES {
        let browser = Browser::new(&site, language);
        let seen = (0..40).map(|_| browser.send("/mc/login", &[("name", "nobody"), ("password", "guessed")]).alerts().remove(0));
        let sentences = ["Too many failed logins", "Zu viele fehlgeschlagene Anmeldungen"];
        let seen: Vec<_> = seen.collect();
        assert!(seen.iter().any(|said| said.starts_with(sentences[place])), "{seen:?}");
    }
}
