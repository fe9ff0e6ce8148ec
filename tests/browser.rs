//! The pages in a headless Chromium: a user at the lock screen, an operator at the console.

use crate::common;
use crate::common::browser::{Browser, Driver};
use crate::common::site::{Running, right};
use crate::common::{CARDLAB, Lab, STATE, has};
use std::process::Command;

pub(crate) async fn log_in(browser: &Browser, url: &str, name: &str, password: &str) {
    log_in_by("Log in", browser, url, name, password).await;
}

/// The same by a button of another language.
pub(crate) async fn log_in_by(button: &str, browser: &Browser, url: &str, name: &str, password: &str) {
    browser.go(url).await;
    browser.fill("name", name).await;
    browser.fill("password", password).await;
    browser.press(button).await;
}

/// Every page, in each state that people see: no rule of accessibility is broken, and nothing is wider than a telephone.
#[tokio::test]
async fn accessible_pages() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::start(), Running::start(&lab));
    let browser = driver.browser("anna").await;
    let at = |path: &str| format!("{}{path}", running.server);
    let look = async |name: &str| browser.is_seen(&format!("console-{name}")).await;
    browser.go(&at("/")).await;
    look("doors").await;
    browser.go(&at("/ss/login")).await;
    look("login").await;
    set_answers(&browser, &running).await;
    look("self-service").await;
    browser.open_all().await;
    look("self-service-open").await;
    log_in(&browser, &at("/mc/login"), "admin", "admin-password").await;
    for (path, name) in [
        ("/mc", "users"),
        ("/mc/users/new", "new-user"),
        ("/mc/cards", "cards"),
        ("/mc/connected", "connected"),
        ("/mc/log", "log"),
        ("/mc/configuration/policies", "policies"),
        ("/mc/configuration/card-types", "card-types"),
        ("/mc/configuration/roles", "roles"),
        ("/mc/configuration/operators", "operators"),
        ("/mc/users/nobody", "nobody"),
    ] {
        browser.go(&at(path)).await;
        look(name).await;
    }
    browser.go(&at("/mc/configuration/roles")).await;
    browser.open_all().await;
    look("roles-open").await;
    browser.go(&at("/mc/configuration/policies")).await;
    browser.follow("Default").await;
    look("issuance").await;
    for (page, name) in [("Workflow", "workflow"), ("Authentication", "authentication")] {
        browser.follow(page).await;
        look(name).await;
    }
    browser.go(&at("/mc/configuration/policies")).await;
    browser.fill("name", "Contractors of the night shift").await;
    browser.press("Create policy").await;
    browser.go(&at("/mc/configuration/policies")).await;
    look("policies-in-order").await;
    browser.follow("3 users").await;
    look("users-of-a-policy").await;
    browser.go(&at("/mc?q=anna")).await;
    browser.follow("Anna Berg").await;
    browser.open("Reset answers to security questions").await;
    look("user").await;
    browser.follow("Policies of the user").await;
    look("user-policies").await;
    browser.follow("Cancel").await;
    browser.follow_part("Card ").await;
    browser.open("Revoke").await;
    look("card").await;
    let card = browser.0.current_url().await.unwrap().to_string();
    browser.open("Tags").await;
    browser.fill("add", "on loan, desk 4").await;
    browser.press("Add tag").await;
    browser.sees("A tag has 1 to 40 characters in one line, and no comma.").await;
    look("card-tag-that-is-none").await;
    for tag in ["on loan", "Rechtsschutzversicherungsgesellschaft"] {
        browser.fill("add", tag).await;
        browser.press("Add tag").await;
        browser.sees("The tags of the card are changed.").await;
        browser.open("Tags").await;
    }
    look("card-tags").await;
    browser.follow("on loan").await;
    browser.sees("1 card").await;
    look("cards-of-a-tag").await;
    browser.go(&card).await;
    browser.press("Unlock").await;
    look("questions").await;
    let (question, name) = browser.questions().await.remove(0);
    browser.fill(&name, &right(&question)).await;
    browser.press("Check answers").await;
    look("challenge").await;
    browser.fill("challenge", "1122334455667788").await;
    browser.press("Get response").await;
    look("response").await;

    // Remote Self-Service, to its end.
    browser.go(&at("/rss")).await;
    look("remote-name").await;
    browser.fill("name", "lab\\anna").await;
    browser.press("Next").await;
    look("remote-questions").await;
    let (question, name) = browser.questions().await.remove(0);
    browser.fill(&name, "wrong").await;
    browser.press("Next").await;
    browser.sees("The answers are not right.").await;
    browser.fill("name", "lab\\anna").await;
    browser.press("Next").await;
    browser.fill(&name, &right(&question)).await;
    browser.press("Next").await;
    look("remote-cards").await;
    browser.open_all().await;
    look("remote-own-operations").await;
    browser.fill("challenge", "1122-3344-5566-7788").await;
    browser.press("Get response").await;
    browser.sees("Check code").await;
    look("remote-response").await;
    // As often as it is loaded.
    let response = browser.text("#response").await;
    browser.go(&at("/rss")).await;
    assert_eq!(browser.text("#response").await, response);
    browser.press("Leave").await;
    browser.sees("Who are you?").await;

    // With letters, which nobody has typed yet.
    browser.go(&at("/mc/configuration/policies")).await;
    browser.follow("Default").await;
    browser.follow("Authentication").await;
    browser.0.find(fantoccini::Locator::Css("[name=captcha]")).await.unwrap().click().await.unwrap();
    browser.press("Save").await;
    browser.go(&at("/rss")).await;
    browser.sees("Letters of the picture").await;
    let script = "return [...document.images].every(image => image.complete && image.naturalWidth > 100)";
    assert_eq!(browser.0.execute(script, vec![]).await.unwrap(), true, "the picture is shown");
    look("remote-captcha").await;
    browser.fill("name", "lab\\anna").await;
    browser.fill("letters", "AAAAA").await;
    browser.press("Next").await;
    browser.sees("Type the letters of the picture").await;

    browser.0.close().await.unwrap();
}

/// Anna's answers.
pub(crate) async fn set_answers(browser: &Browser, running: &Running) {
    log_in(browser, &format!("{}/ss/login", running.server), "lab\\anna", "anna-password").await;
    // What was only half typed is not saved.
    let fields = browser.names("answer:").await;
    assert_eq!(fields.len(), 3);
    browser.open_all().await;
    browser.fill(&fields[0], "Rex").await;
    browser.press("Save answers").await;
    browser.sees("The two entries differ.").await;
    browser.open_all().await;
    for field in fields {
        let question = browser.text(&format!("[data-question='{}']", field.trim_start_matches("answer:"))).await;
        browser.fill(&field, &right(&question)).await;
        browser.fill(&field.replace("answer:", "again:"), &right(&question)).await;
    }
    browser.press("Save answers").await;
    let page = browser.sees("Your answers are saved.").await;
    assert!(!page.contains("Not set"), "{page}");
}

/// What a user does with a card: another PIN, out of use and back, and from elsewhere for good.
#[tokio::test]
async fn a_users_own_card() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::start(), Running::start(&lab));
    let anna = driver.browser("anna").await;
    set_answers(&anna, &running).await;
    let title = anna.attribute("summary[aria-label^='Change PIN']", "aria-label").await;
    let card = title.trim_start_matches("Change PIN: ").to_owned();
    for (old, says) in [("999999", "2 tries left"), ("123456", "has its new PIN.")] {
        anna.open(&title).await;
        anna.fill("old_pin", old).await;
        anna.fill("new_pin", "864209").await;
        anna.fill("again_pin", "864209").await;
        anna.confirm("Change PIN").await;
        anna.sees(says).await;
    }
    let own = anna.0.current_url().await.unwrap().to_string();
    anna.go(&running.lockscreen).await;
    anna.fill("pin", "864209").await;
    anna.press("Sign in").await;
    anna.sees("Welcome").await;
    anna.go(&own).await;
    for (operation, state) in [("Disable", "Disabled"), ("Enable", "Issued")] {
        anna.open(&format!("{operation}: {card}")).await;
        anna.confirm(operation).await;
        anna.sees(&format!("is {state} now.")).await;
    }
    anna.go(&format!("{}/rss", running.server)).await;
    anna.fill("name", "lab\\anna").await;
    anna.press("Next").await;
    let (question, name) = anna.questions().await.remove(0);
    anna.fill(&name, &right(&question)).await;
    anna.press("Next").await;
    anna.open(&format!("Revoke: {card}")).await;
    anna.confirm("Revoke").await;
    anna.sees("is Revoked now.").await;
    let oleg = driver.browser("oleg").await;
    log_in(&oleg, &format!("{}/mc/login", running.server), "oleg", "oleg-password").await;
    oleg.follow("Log").await;
    let log = oleg.sees("revoked the card").await;
    has(&log, &["could not change the PIN of the card", "changed the PIN of the card", "disabled the card", "enabled the card"]);
    for browser in [anna, oleg] {
        browser.0.close().await.unwrap();
    }
}

#[tokio::test]
async fn online_at_the_lock_screen() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::start(), Running::start(&lab));
    let anna = driver.browser("anna").await;
    set_answers(&anna, &running).await;
    anna.go(&running.lockscreen).await;
    for left in ["2 tries left", "1 try left", "card is locked"] {
        anna.fill("pin", "999999").await;
        anna.press("Sign in").await;
        anna.sees(left).await;
    }
    anna.press("Answer your questions").await;
    anna.sees("Your security questions").await;
    anna.fill("answer0", "nothing like it").await;
    anna.press("Check answers").await;
    anna.sees("That is not right.").await;
    let question = anna.questions().await.remove(0).0;
    anna.fill("answer0", &right(&question)).await;
    anna.press("Check answers").await;
    anna.sees("New PIN, 4 to 16 characters").await;
    anna.fill("pin", "4711").await;
    anna.fill("confirmation", "4712").await;
    anna.press("Unlock").await;
    anna.sees("The confirmation differs from the new PIN.").await;
    anna.fill("pin", "4711").await;
    anna.fill("confirmation", "4711").await;
    anna.press("Unlock").await;
    anna.sees("The card is unlocked").await;
    anna.press("OK").await;
    anna.fill("pin", "4711").await;
    anna.press("Sign in").await;
    anna.sees("Welcome").await;

    // The log tells the story to the operator.
    let oleg = driver.browser("oleg").await;
    log_in(&oleg, &format!("{}/mc/login", running.server), "oleg", "oleg-password").await;
    oleg.follow("Log").await;
    let log = oleg.sees("was unlocked at").await;
    oleg.picture("console-log-of-an-unlock").await;
    has(
        &log,
        &[
            "reports a wrong PIN for the card",
            "reports that the PIN of the card",
            "opened an online unlock of the card",
            "Anna Berg answered the security questions wrong at",
            "Anna Berg answered the security questions right at",
            "got a response for the card",
            "of Anna Berg was unlocked at",
        ],
    );
    anna.0.close().await.unwrap();
    oleg.0.close().await.unwrap();
}

#[tokio::test]
async fn offline_with_an_operator() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::start(), Running::start(&lab));
    let (anna, oleg) = (driver.browser("anna").await, driver.browser("oleg").await);
    set_answers(&anna, &running).await;
    anna.go(&running.lockscreen).await;
    anna.sees("3 tries left").await;
    // Another program locks it; the screen follows.
    running.cardlab(&["card", "lock", "pin", "--reader", "Anna"]).ok();
    anna.sees("card is locked").await;
    anna.sees("Call the service desk").await;
    let challenge = anna.text("#challenge").await;

    log_in(&oleg, &format!("{}/mc/login", running.server), "oleg", "oleg-password").await;
    // She calls: her number is what the operator sees first.
    oleg.fill("q", "5550 117").await;
    oleg.press("Find").await;
    oleg.follow("Anna Berg").await;
    let serial = oleg.attribute("a[href^='/mc/cards/0'], a[href^='/mc/cards/']", "href").await;
    let serial = serial.rsplit('/').next().unwrap().to_owned();
    oleg.press_starting("Unlock").await;
    let (question, name) = oleg.questions().await.remove(0);
    oleg.fill(&name, "wrong").await;
    oleg.press("Check answers").await;
    oleg.sees("The answers are not right. 4 tries are left.").await;
    oleg.fill(&name, &right(&question)).await;
    oleg.press("Check answers").await;
    oleg.sees("The answers are right.").await;
    oleg.fill("challenge", "1122").await;
    oleg.press("Get response").await;
    oleg.sees("4 digits, but the code has 16").await;
    oleg.fill("challenge", &challenge).await;
    oleg.press("Get response").await;
    let response = oleg.text("#response").await;
    oleg.picture("console").await;
    // Neither a reload nor Back sends anything again.
    oleg.0.refresh().await.unwrap();
    assert_eq!(oleg.text("#response").await, response);

    anna.fill("response0", &response.to_lowercase()).await;
    // The operator's page waits for the workstation's word, and says it without being loaded again.
    let waits = oleg.sees("Waiting for ").await;
    assert!(!waits.contains("Waiting for the workstation."), "the workstation that reported the card is named: {waits}");
    anna.fill("pin", "864209").await;
    anna.fill("confirmation", "864209").await;
    anna.press("Unlock").await;
    anna.sees("The card is unlocked").await;
    oleg.sees("The card is unlocked.").await;
    // So do the card's badge and its story, without a reload.
    let live = oleg.sees("of Anna Berg was unlocked at").await;
    assert!(live.contains("Unlocked ") && !live.contains("Not confirmed: PIN blocked"), "{live}");
    oleg.is_accessible().await;
    let status = running.cardlab(&["card", "status", "--reader", "Anna"]).ok();
    has(&status, &["3 of 3 tries left", "5 of 5 tries left"]);
    // What happened is told in a line that begins with who did it.
    oleg.follow("Log").await;
    let log = oleg.sees("of Anna Berg was unlocked at").await;
    has(&log, &["oleg gave Anna Berg a response for the card"]);

    // Without Validate answers the operator goes straight to the challenge; switched on again, it is judged at once.
    let admin = driver.browser("admin").await;
    log_in(&admin, &format!("{}/mc/login", running.server), "admin", "admin-password").await;
    admin.follow("Configuration").await;
    admin.follow("Default").await;
    admin.follow("Workflow").await;
    let workflow = admin.0.current_url().await.unwrap().to_string();
    let switch = async |name: &str| {
        admin.go(&workflow).await;
        let field = format!("[name={name}]");
        admin.0.find(fantoccini::Locator::Css(&field)).await.unwrap().click().await.unwrap();
        admin.press("Save").await;
        admin.sees("Saved. It holds from now on.").await;
    };
    switch("validate_answers").await;
    oleg.go(&format!("{}/mc/cards/{serial}", running.server)).await;
    oleg.press("Unlock").await;
    let text = oleg.sees("Get response").await;
    assert!(!text.contains("Check answers"), "{text}");
    switch("validate_answers").await;
    oleg.fill("challenge", "1122334455667788").await;
    oleg.press("Get response").await;
    oleg.sees("The policy asks for the user's answers now").await;

    // A task for the card's user, taken back.
    oleg.go(&format!("{}/mc/cards/{serial}", running.server)).await;
    oleg.open("Reset user PIN on agent").await;
    oleg.fill("comment", "called in").await;
    oleg.press("Order").await;
    oleg.sees("The task waits for the workstation that has the card").await;
    oleg.is_accessible().await;
    oleg.press("Cancel task").await;
    oleg.sees("The task is cancelled.").await;

    // Switched off, it is off: the button is gone, and the page says why.
    switch("unblock_card_offline").await;
    oleg.go(&format!("{}/mc/cards/{serial}", running.server)).await;
    let card = oleg.sees("Unblock card offline is switched off in policy 'Default'").await;
    assert!(!card.lines().any(|line| line == "Unlock"), "{card}");
    // The second of two administrators is told.
    let second = driver.browser("second").await;
    log_in(&second, &format!("{}/mc/login", running.server), "admin", "admin-password").await;
    second.go(&workflow).await;
    switch("unblock_card_offline").await;
    second.press("Save").await;
    second.sees("Admin has changed this policy meanwhile").await;

    admin.follow("Authentication").await;
    admin.fill("questions_to_ask", "4").await;
    admin.press("Save").await;
    admin.sees("Number of questions to ask is 4, of 3 that are defined; define more first.").await;
    for _ in 0..2 {
        admin.fill_last("text", "Colour of your first bicycle?").await;
        admin.press("Create security question").await;
    }
    admin.sees("This policy asks this question already.").await;
    admin.open("Delete: Colour of your first bicycle?").await;
    admin.confirm("Delete").await;
    admin.sees("The question is deleted.").await;
    admin.open("Delete: Name of your first pet?").await;
    admin.confirm("Delete").await;
    admin.sees("Users have answered this question").await;
    oleg.go(&format!("{}/mc/configuration", running.server)).await;
    oleg.sees("Your role does not allow this").await;
    // Even here one knows where one is, and finds the way on.
    oleg.follow("Users").await;
    second.0.close().await.unwrap();
    for browser in [anna, oleg, admin] {
        browser.0.close().await.unwrap();
    }
}

/// Words are longer in German: the pages are as accessible, and no wider.
#[tokio::test]
async fn german_pages() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::start(), Running::start(&lab));
    let (anna, browser) = (driver.browser("anna").await, driver.german_browser("oleg").await);
    set_answers(&anna, &running).await;
    let at = |path: &str| format!("{}{path}", running.server);
    let look = async |name: &str| browser.is_seen(&format!("german-{name}")).await;
    browser.go(&at("/")).await;
    browser.sees("Verwaltungskonsole").await;
    look("doors").await;
    log_in_by("Anmelden", &browser, &at("/ss/login"), "lab\\anna", "anna-password").await;
    browser.sees("Ihre Karten und Antworten").await;
    look("self-service").await;
    log_in_by("Anmelden", &browser, &at("/mc/login"), "admin", "admin-password").await;
    for (path, name) in [
        ("/mc", "users"),
        ("/mc/cards", "cards"),
        ("/mc/connected", "connected"),
        ("/mc/log", "log"),
        ("/mc/configuration/policies", "policies"),
        ("/mc/configuration/roles", "roles"),
        ("/rss", "remote"),
    ] {
        browser.go(&at(path)).await;
        look(name).await;
    }
    browser.go(&at("/mc/configuration/policies")).await;
    for (page, name) in [("Default", "issuance"), ("Abläufe", "workflow"), ("Authentifizierung", "authentication")] {
        browser.follow(page).await;
        look(name).await;
    }
    browser.go(&at("/mc?q=anna")).await;
    browser.follow("Anna Berg").await;
    look("user").await;
    browser.follow_part("Karte ").await;
    browser.open("Widerrufen").await;
    look("card").await;
    browser.press("Entsperren").await;
    let (question, name) = browser.questions().await.remove(0);
    browser.fill(&name, &right(&question)).await;
    browser.press("Antworten prüfen").await;
    browser.fill("challenge", "1122334455667788").await;
    browser.press("Antwort holen").await;
    browser.sees("Lesen Sie dies Anna Berg vor").await;
    look("response").await;
    for browser in [anna, browser] {
        browser.0.close().await.unwrap();
    }
}

/// Times and days are those of the reader's clock, wherever the server is; a page without its script says that they are UTC.
#[tokio::test]
async fn times_are_the_readers() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::in_zone("Asia/Kolkata"), Running::start(&lab));
    let (anna, oleg) = (driver.browser("anna").await, driver.browser("oleg").await);
    set_answers(&anna, &running).await;
    log_in(&oleg, &format!("{}/mc/login", running.server), "oleg", "oleg-password").await;
    oleg.follow("Log").await;
    // They were renamed, and browsers know both names.
    oleg.sees("Times and days are those of your clock: Asia/").await;
    // Half an hour beside whole ones, the same in summer and winter.
    let shifted = "const there = (time) => new Date(Date.parse(time.dateTime) + 330 * 60000).toISOString();
        return [...document.querySelectorAll('time')].map((time) => [time.textContent, there(time).slice(0, 19).replace('T', ' ')])";
    let times = oleg.0.execute(shifted, vec![]).await.unwrap();
    let times: Vec<(String, String)> = serde_json::from_value(times).unwrap();
    assert!(!times.is_empty() && times.iter().all(|(shown, there)| shown == there), "{times:?}");
    // A day of the filter is theirs as well.
    let today = &times[0].1[..10];
    let set = "document.querySelectorAll('input[type=date]').forEach((field) => { field.value = arguments[0] })";
    oleg.0.execute(set, vec![today.into()]).await.unwrap();
    oleg.press("Filter").await;
    oleg.sees("set answers to security questions").await;
    let address = oleg.0.current_url().await.unwrap().to_string();
    has(&address, &[&format!("from={today}"), &format!("to={today}"), "from_ahead=330", "to_ahead=330"]);
    // A story has them too.
    oleg.go(&format!("{}/mc?q=anna", running.server)).await;
    oleg.follow("Anna Berg").await;
    oleg.sees("set answers").await;
    let clocks = oleg.0.execute(shifted, vec![]).await.unwrap();
    let clocks: Vec<(String, String)> = serde_json::from_value(clocks).unwrap();
    let is_theirs = |(shown, there): &(String, String)| *shown == there[11..16] || *shown == there[..10];
    assert!(!clocks.is_empty() && clocks.iter().all(is_theirs), "{clocks:?}");
    for browser in [anna, oleg] {
        browser.0.close().await.unwrap();
    }
}

/// What somebody does who has never seen the pages, and how many clicks it takes; what docs/unlock.md says of it is this.
#[tokio::test]
async fn few_clicks() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::start(), Running::start(&lab));
    let (anna, oleg, admin) = (driver.browser("anna").await, driver.browser("oleg").await, driver.browser("admin").await);
    set_answers(&anna, &running).await;
    log_in(&oleg, &format!("{}/mc/login", running.server), "oleg", "oleg-password").await;
    oleg.clicks();
    oleg.fill("q", "5550 117").await;
    oleg.press("Find").await;
    oleg.follow("Anna Berg").await;
    oleg.press_starting("Unlock").await;
    let (question, name) = oleg.questions().await.remove(0);
    oleg.fill(&name, &right(&question)).await;
    oleg.press("Check answers").await;
    oleg.fill("challenge", "1122334455667788").await;
    oleg.press("Get response").await;
    oleg.text("#response").await;
    assert_eq!(oleg.clicks(), 5, "from the telephone number to the response");
    oleg.follow("Log").await;
    oleg.sees("oleg gave Anna Berg a response for the card").await;
    assert_eq!(oleg.clicks(), 1, "what happened");

    log_in(&admin, &format!("{}/mc/login", running.server), "admin", "admin-password").await;
    admin.clicks();
    admin.follow("Configuration").await;
    admin.follow("Default").await;
    admin.follow("Workflow").await;
    admin.switch("[name=unblock_card_offline]").await;
    admin.press("Save").await;
    admin.sees("Saved. It holds from now on.").await;
    assert_eq!(admin.clicks(), 5, "offline unlock is forbidden");
    admin.follow("Issuance").await;
    admin.fill("pin_tries", "5").await;
    admin.press("Save").await;
    admin.sees("Saved. It holds from now on.").await;
    assert_eq!(admin.clicks(), 2, "five attempts");
    admin.follow("Roles").await;
    admin.fill_last("role_name", "Unlocker").await;
    admin.press("Create role").await;
    // It is open where one comes to.
    let role = "details[open] ";
    for privilege in ["view-user", "view-cards", "unlock-card"] {
        admin.switch(&format!("{role}[name='privilege:{privilege}']")).await;
    }
    admin.press("Save: Unlocker").await;
    admin.sees("The role Unlocker is saved").await;
    assert_eq!(admin.clicks(), 6, "a role that may only unlock");
    for browser in [anna, oleg, admin] {
        browser.0.close().await.unwrap();
    }
}

/// What another switch makes void is greyed at once, with the reason, and what is greyed stays as it is.
#[tokio::test]
async fn a_void_setting_says_why() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::start(), Running::start(&lab));
    let admin = driver.browser("admin").await;
    log_in(&admin, &format!("{}/mc/login", running.server), "admin", "admin-password").await;
    admin.go(&format!("{}/mc/configuration/policies", running.server)).await;
    admin.follow("Default").await;
    // Nothing is random without Initialize card, nor while the card is locked.
    let page = admin.sees("Needs Initialize card, which is off.").await;
    has(&page, &["Needs Set random user PIN, which is off."]);
    assert!(!page.contains("Not while Lock card is on."), "{page}");
    admin.is_accessible().await;
    admin.switch("[name=initialize_card]").await;
    admin.sees_no_more("Needs Initialize card, which is off.").await;
    admin.switch("[name=lock_card]").await;
    admin.sees("Not while Lock card is on.").await;
    admin.switch("[name=lock_card]").await;
    admin.switch("[name=random_user_pin]").await;
    let page = admin.sees_no_more("Needs Set random user PIN, which is off.").await;
    assert!(!page.contains("Not while Lock card is on."), "{page}");
    admin.follow("Workflow").await;
    let void = "Needs Unblock card offline, which is off.";
    assert!(!admin.page().await.contains(void));
    admin.switch("[name=unblock_card_offline]").await;
    let page = admin.sees(void).await;
    assert_eq!(page.matches(void).count(), 2, "Validate answers, and Unlock card in Remote Self-Service: {page}");
    admin.is_accessible().await;
    admin.press("Save").await;
    admin.sees("Saved. It holds from now on.").await;
    admin.sees(void).await;
    let on = "return ['validate_answers', 'unlock_in_remote'].every(name => document.querySelector(`[name=${name}]`).checked)";
    assert_eq!(admin.0.execute(on, vec![]).await.unwrap(), true, "what is greyed was saved as it was");
    admin.0.close().await.unwrap();
}

/// A word as long as a field lets it be, in every field: no page is wider than the window.
#[tokio::test]
async fn long_words_widen_no_page() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::start(), Running::start(&lab));
    let admin = driver.browser("admin").await;
    let at = |path: &str| format!("{}{path}", running.server);
    let long = |length: usize| "W".repeat(length);
    let conf = |page: &str| at(&format!("/mc/configuration/{page}"));
    log_in(&admin, &at("/mc/login"), "admin", "admin-password").await;
    admin.go(&conf("policies")).await;
    admin.fill("name", &long(200)).await;
    admin.press("Create policy").await;
    admin.follow("Authentication").await;
    admin.fill_last("text", &format!("{}?", long(199))).await;
    admin.press("Create security question").await;
    let policy = admin.attribute("form[action$='/authentication']", "action").await;
    let policy = policy.split('/').nth(4).unwrap().to_owned();
    admin.go(&conf("card-types")).await;
    admin.fill("type_name", &long(200)).await;
    admin.press("Create card type").await;
    admin.go(&conf("roles")).await;
    admin.fill_last("role_name", &long(200)).await;
    admin.press("Create role").await;
    for field in admin.names("privilege:").await.into_iter().collect::<std::collections::BTreeSet<_>>() {
        admin.switch(&format!("details[open] [name='{field}']")).await;
    }
    admin.press(&format!("Save: {}", long(200))).await;
    admin.go(&conf("operators")).await;
    admin.fill_last("operator_name", &long(200)).await;
    admin.fill_last("password", "a-long-password").await;
    let choose = async |name: &str, option: &str| {
        let select = format!("form:not(.row) > select[name='{name}']");
        admin.0.find(fantoccini::Locator::Css(&select)).await.unwrap().select_by_label(option).await.unwrap();
    };
    choose("role", &long(200)).await;
    admin.press("Add operator").await;
    admin.go(&at("/mc/users/new")).await;
    let (logon, upn) = (format!("L\\{}", long(198)), format!("{}@l", long(198)));
    for (field, text) in [("cn", long(200)), ("logon", logon.clone()), ("upn", upn), ("mail", format!("{}@m", long(198)))] {
        admin.fill(field, &text).await;
    }
    admin.fill("phone", &format!("+{}", "4".repeat(30))).await;
    admin.fill("user_password", "a-long-password").await;
    choose("policy", &long(200)).await;
    admin.press("Add user").await;
    let user = admin.0.current_url().await.unwrap().path().to_owned();
    // As the operator of the long name, who may do everything: every page that another leads to.
    admin.press("Log out").await;
    log_in(&admin, &at("/mc/login"), &long(200), "a-long-password").await;
    let seen = all_fit(&admin, &running.server, "/mc").await;
    for path in [user.as_str(), &format!("{user}/policies"), &format!("/mc/configuration/policies/{policy}/authentication")] {
        assert!(seen.contains(path), "{path}: {seen:?}");
    }
    assert!(seen.len() > 20, "{seen:?}");
    log_in(&admin, &at("/ss/login"), &logon, "a-long-password").await;
    admin.sees(&long(199)).await;
    all_fit(&admin, &running.server, "/ss").await;
    admin.0.close().await.unwrap();
}

/// Every page of an area that another leads to, with all that is folded open, is as wide as the window.
async fn all_fit(browser: &Browser, server: &str, area: &str) -> std::collections::BTreeSet<String> {
    let (mut to_see, mut seen) = (vec![area.to_owned()], std::collections::BTreeSet::new());
    while let Some(path) = to_see.pop() {
        let is_file = path.contains("csv");
        if is_file || path.contains("cursor=") || path.contains("sort=") || !seen.insert(path.clone()) {
            continue;
        }
        browser.go(&format!("{server}{path}")).await;
        browser.open_all().await;
        browser.fits().await;
        let links = "return [...document.links].map(link => link.getAttribute('href'))";
        let links: Vec<String> = serde_json::from_value(browser.0.execute(links, vec![]).await.unwrap()).unwrap();
        to_see.extend(
            links.into_iter().filter(|link| link.starts_with(area)).map(|link| link.split('#').next().unwrap().to_owned()),
        );
    }
    seen
}

/// An administrator gives people their roles, and nobody can lock everybody out.
#[tokio::test]
async fn people_and_roles() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::start(), Running::start(&lab));
    let (admin, nora) = (driver.browser("admin").await, driver.browser("nora").await);
    log_in(&admin, &format!("{}/mc/login", running.server), "admin", "admin-password").await;
    admin.go(&format!("{}/mc/configuration/roles", running.server)).await;
    admin.fill_last("role_name", "Viewer").await;
    admin.press("Create role").await;
    admin.sees("The role Viewer is saved").await;
    admin.follow("Operators").await;
    admin.fill_last("operator_name", "nora").await;
    admin.fill_last("password", "nora-password").await;
    admin.press("Add operator").await;
    admin.sees("Operator nora is added.").await;
    log_in(&nora, &format!("{}/mc/login", running.server), "nora", "nora-password").await;
    nora.sees("You have no role yet: so far you may do nothing.").await;
    nora.is_seen("console-no-role").await;
    let choose = async |label: &str, option: &str| {
        let select = format!("select[aria-label='{label}']");
        admin.0.find(fantoccini::Locator::Css(&select)).await.unwrap().select_by_label(option).await.unwrap();
    };
    choose("Role of nora", "Operator").await;
    admin.press("Save: Role of nora").await;
    admin.sees("The role holds from now on.").await;
    nora.go(&format!("{}/mc", running.server)).await;
    nora.sees("Anna Berg").await;
    let own = admin.sees("This is you: another administrator changes your role.").await;
    assert!(own.contains("nora"), "{own}");
    admin.go(&format!("{}/mc/users/new", running.server)).await;
    admin.fill("logon", "lab\\nora").await;
    admin.fill("upn", "not one").await;
    admin.fill("cn", "Nora Lind").await;
    admin.fill("user_password", "nora-self-service").await;
    admin.press("Add user").await;
    // What was typed is still there, but for the password.
    admin.sees("New user").await;
    admin.fill("upn", "nora@lab.example").await;
    admin.fill("user_password", "nora-self-service").await;
    admin.press("Add user").await;
    admin.sees("User Nora Lind is added.").await;
    admin.go(&format!("{}/mc/configuration/card-types", running.server)).await;
    for says in ["The card type is there.", "There is a card type of this name."] {
        admin.fill("type_name", "gids-aes").await;
        admin.press("Create card type").await;
        admin.sees(says).await;
    }
    admin.is_accessible().await;
    for browser in [admin, nora] {
        browser.0.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_locked_user_and_remote_desktop() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::start(), Running::start(&lab));
    let anna = driver.browser("anna").await;
    set_answers(&anna, &running).await;
    running.cardlab(&["card", "lock", "pin", "--reader", "Anna"]).ok();
    anna.go(&running.lockscreen).await;
    anna.press("Answer your questions").await;
    for _ in 0..2 {
        anna.fill("answer0", "wrong").await;
        anna.press("Check answers").await;
        anna.sees("That is not right.").await;
    }
    anna.fill("answer0", "wrong").await;
    anna.press("Check answers").await;
    anna.sees("That was wrong too often. Your operator can help.").await;
    anna.sees("Challenge data").await;
    let oleg = driver.browser("oleg").await;
    log_in(&oleg, &format!("{}/mc/login", running.server), "oleg", "oleg-password").await;
    oleg.sees("User is locked").await;
    oleg.follow("Anna Berg").await;
    oleg.open("Unlock user").await;
    oleg.confirm("Unlock").await;
    let profile = oleg.sees("The user is unlocked.").await;
    assert!(!profile.contains("User is locked"), "{profile}");
    // A form of another page is refused.
    let forged = "const r = await fetch(location.href + '/unlock', {method: 'POST', headers: {'Content-Type': 'application/x-www-form-urlencoded'}, body: 'csrf=forged'}); return r.status";
    let status = oleg.0.execute(&format!("return (async () => {{ {forged} }})()"), vec![]).await;
    assert_eq!(status.unwrap(), 403);

    let mut remote = Command::new(CARDLAB);
    remote.env(STATE[0], STATE[1]);
    remote.args(["lockscreen", "--remote-desktop", "--reader", "Anna", "--listen", "127.0.0.1:0", "--online", &running.server]);
    let up = common::Up::from(remote.env("PCSCLITE_CSOCK_NAME", &running.socket));
    anna.go(up.ready.strip_prefix("ready ").unwrap()).await;
    let text = anna.sees("not supported on the lock screen of a Remote Desktop connection").await;
    assert!(!text.contains("Answer your questions") && !text.contains("Call the service desk"), "{text}");
    drop(up);
    for browser in [anna, oleg] {
        browser.0.close().await.unwrap();
    }
}
