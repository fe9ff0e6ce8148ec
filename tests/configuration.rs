//! What administrators set, in a headless Chromium.

use crate::browser::{log_in, log_in_by, set_answers};
use crate::common::Lab;
use crate::common::browser::{Browser, Driver};
use crate::common::has;
use crate::common::site::{Running, right};

/// A user's telephone number and name are others now; of two who correct them, the second is told. In both languages.
#[tokio::test]
async fn data_of_a_user_are_corrected() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::start(), Running::start(&lab));
    let (admin, second) = (driver.browser("admin").await, driver.german_browser("second").await);
    let at = |path: &str| format!("{}{path}", running.server);
    log_in(&admin, &at("/mc/login"), "admin", "admin-password").await;
    admin.go(&at("/mc?q=anna")).await;
    admin.follow("Anna Berg").await;
    let user = admin.0.current_url().await.unwrap().to_string();
    admin.follow("Correct data").await;
    admin.is_seen("console-user-data").await;
    log_in_by("Anmelden", &second, &at("/mc/login"), "admin", "admin-password").await;
    second.go(&format!("{user}/data")).await;
    second.sees("Daten berichtigen").await;
    second.is_seen("console-german-user-data").await;

    admin.fill("logon", "lab\\boris").await;
    admin.fill("phone", "+49 30 5550 200").await;
    admin.press("Save").await;
    admin.sees("There is a user 'lab\\boris'.").await;
    admin.is_seen("console-user-data-refused").await;
    admin.fill("logon", "LAB\\anna").await;
    admin.press("Save").await;
    admin.sees("The data of Anna Berg are saved.").await;
    admin.go(&at("/mc")).await;
    admin.fill("q", "5550 200").await;
    admin.press("Find").await;
    admin.sees("Anna Berg").await;
    admin.follow("Log").await;
    let log = admin.sees("admin corrected the data of the user Anna Berg: Telephone").await;
    has(&log, &["could not correct the data of the user Anna Berg"]);
    assert!(!log.contains("5550"), "{log}");

    second.fill("phone", "+49 30 5550 300").await;
    second.press("Speichern").await;
    second.sees("Admin hat die Daten dieses Benutzers inzwischen geändert").await;
    second.sees("Inzwischen gespeichert: +49 30 5550 200").await;
    second.is_seen("console-german-user-data-meanwhile").await;
    second.press("Speichern").await;
    second.sees("Die Daten von Anna Berg sind gespeichert.").await;
    for browser in [admin, second] {
        browser.0.close().await.unwrap();
    }
}

/// Questions are moved up and down, a card type is changed and goes, as far as no card has it; in both languages.
#[tokio::test]
async fn questions_have_an_order_and_card_types_can_go() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::start(), Running::start(&lab));
    let (admin, german) = (driver.browser("admin").await, driver.german_browser("german").await);
    let at = |path: &str| format!("{}{path}", running.server);
    let order = async |browser: &Browser| {
        let script =
            "return [...document.querySelectorAll('ul.list li > div:first-child')].map(div => div.firstChild.textContent)";
        serde_json::from_value::<Vec<String>>(browser.0.execute(script, vec![]).await.unwrap()).unwrap()
    };
    let [pet, town, teacher] = ["Name of your first pet?", "Town where you were born?", "Your favourite teacher?"];
    log_in(&admin, &at("/mc/login"), "admin", "admin-password").await;
    admin.go(&at("/mc/configuration/policies")).await;
    admin.follow("Default").await;
    admin.follow("Authentication").await;
    let page = admin.0.current_url().await.unwrap().to_string();
    assert_eq!(order(&admin).await, [pet, town, teacher]);
    admin.press(&format!("Move up: {teacher}")).await;
    admin.sees("The order of the questions is changed").await;
    assert_eq!(order(&admin).await, [pet, teacher, town]);
    admin.press(&format!("Move down: {pet}")).await;
    assert_eq!(order(&admin).await, [teacher, pet, town]);
    admin.is_seen("console-order-of-questions").await;
    log_in_by("Anmelden", &german, &at("/mc/login"), "admin", "admin-password").await;
    german.go(&page).await;
    german.press(&format!("Nach unten: {teacher}")).await;
    german.sees("Die Reihenfolge der Fragen ist geändert").await;
    assert_eq!(order(&german).await, [pet, teacher, town]);
    german.is_seen("console-german-order-of-questions").await;
    // Where she sets her answers they stand so.
    let anna = driver.browser("anna").await;
    log_in(&anna, &at("/ss/login"), "lab\\anna", "anna-password").await;
    let shown = anna.sees(town).await;
    assert!(shown.find(pet) < shown.find(teacher) && shown.find(teacher) < shown.find(town), "{shown}");

    admin.go(&at("/mc/configuration/card-types")).await;
    admin.fill("type_name", "Badge of visitors").await;
    admin.press("Create card type").await;
    admin.sees("The card type is there.").await;
    // Somebody else has the page before them meanwhile.
    german.go(&at("/mc/configuration/card-types")).await;
    german.open("Ändern: Badge of visitors").await;
    admin.open("Edit: Badge of visitors").await;
    admin.is_seen("console-card-type-edit").await;
    let pin = "details[open] [name=default_user_pin]";
    let id = admin.attribute(pin, "id").await;
    admin.type_into(&id, "4711").await;
    admin.press("Save").await;
    admin.sees("The card type is changed.").await;
    german.type_into(&id, "4712").await;
    german.press("Speichern").await;
    german.sees("Admin hat diesen Kartentyp inzwischen geändert").await;
    german.sees("Inzwischen gespeichert: 4711").await;
    german.is_seen("console-german-card-type-meanwhile").await;
    german.press("Speichern").await;
    german.sees("Der Kartentyp ist geändert.").await;
    // What cards have stays.
    let page = admin.sees("A card type can be deleted while no card has it.").await;
    has(&page, &["gids-sim", "Badge of visitors"]);
    admin.open("Edit: gids-sim").await;
    admin.sees("Cards have this type: the cipher of their keys stays.").await;
    let ways = "return document.querySelectorAll(\"summary[aria-label='Delete: gids-sim']\").length";
    assert_eq!(admin.0.execute(ways, vec![]).await.unwrap(), 0);
    admin.open("Delete: Badge of visitors").await;
    admin.confirm("Delete").await;
    let page = admin.sees("The card type is deleted.").await;
    assert!(!page.contains("Badge of visitors"), "{page}");
    for browser in [admin, german, anna] {
        browser.0.close().await.unwrap();
    }
}

/// The policy lets users write questions; Anna writes one, and the operator asks it. In both languages.
#[tokio::test]
async fn an_own_question_is_asked_by_the_operator() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::start(), Running::start(&lab));
    let (admin, anna, oleg) = (driver.browser("admin").await, driver.german_browser("anna").await, driver.browser("oleg").await);
    let at = |path: &str| format!("{}{path}", running.server);
    set_answers(&oleg, &running).await;
    log_in(&admin, &at("/mc/login"), "admin", "admin-password").await;
    admin.go(&at("/mc/configuration/policies")).await;
    admin.follow("Default").await;
    admin.follow("Authentication").await;
    admin.fill("own_questions", "9").await;
    let script = "document.querySelector('form[action$=authentication]').noValidate = true";
    admin.0.execute(script, vec![]).await.unwrap();
    admin.press("Save").await;
    admin.sees("Number of own questions is 9; it can be 0 to 5.").await;
    admin.fill("own_questions", "2").await;
    admin.press("Save").await;
    admin.sees("Saved. It holds from now on.").await;
    admin.is_seen("console-own-questions-policy").await;

    log_in_by("Anmelden", &anna, &at("/ss/login"), "lab\\anna", "anna-password").await;
    anna.sees("Sie können 2 schreiben.").await;
    anna.open("Neue eigene Frage").await;
    let question = "Wessen Katze schlief im Klavier?";
    for (answer, says) in [("Katze", "Die Antwort steht in der Frage."), ("Tante Berta", "Ihre Frage ist da.")] {
        anna.fill("own_text", question).await;
        anna.fill("own_answer", answer).await;
        anna.fill("own_again", answer).await;
        anna.press("Frage hinzufügen").await;
        let page = anna.page().await;
        assert!(page.contains(says), "{page}");
        anna.is_seen(&format!("console-german-own-question-{}", answer.len())).await;
    }

    log_in(&oleg, &at("/mc/login"), "oleg", "oleg-password").await;
    oleg.go(&at("/mc?q=anna")).await;
    oleg.follow("Anna Berg").await;
    oleg.press_starting("Unlock").await;
    oleg.sees(question).await;
    oleg.is_seen("console-own-question-asked").await;
    for (text, name) in oleg.questions().await {
        oleg.fill(&name, &if text == question { "tante berta".into() } else { right(&text) }).await;
    }
    oleg.press("Check answers").await;
    oleg.sees("The answers are right.").await;
    // At the lock screen and at Remote Self-Service it is asked by nobody.
    oleg.go(&at("/rss")).await;
    oleg.fill("name", "lab\\anna").await;
    oleg.press("Next").await;
    let asked = oleg.questions().await;
    assert!(!asked.is_empty() && asked.iter().all(|(text, _)| text != question), "{asked:?}");

    anna.open(&format!("Löschen: {question}")).await;
    anna.confirm("Löschen").await;
    let page = anna.sees("Ihre Frage ist gelöscht.").await;
    assert!(!page.contains(question), "{page}");
    for browser in [admin, anna, oleg] {
        browser.0.close().await.unwrap();
    }
}
