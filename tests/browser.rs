//! The pages in a headless Chromium: a user at the lock screen, an operator at the console.

use crate::common;
use crate::common::browser::{Browser, Driver};
use crate::common::site::{Running, right};
use crate::common::{CARDLAB, Lab, STATE, has};
use std::process::Command;

async fn log_in(browser: &Browser, url: &str, name: &str, password: &str) {
    browser.go(url).await;
    browser.fill("name", name).await;
    browser.fill("password", password).await;
    browser.press("Log in").await;
}

/// Every page, in each state that people see.
#[tokio::test]
async fn accessible_pages() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::start(), Running::start(&lab));
    let browser = driver.browser("anna").await;
    let at = |path: &str| format!("{}{path}", running.server);
    browser.go(&at("/")).await;
    browser.is_accessible().await;
    browser.go(&at("/ss/login")).await;
    browser.is_accessible().await;
    set_answers(&browser, &running).await;
    browser.is_accessible().await;
    log_in(&browser, &at("/mc/login"), "admin", "admin-password").await;
    for path in ["/mc", "/mc/cards?q=*", "/mc/connected", "/mc/events", "/mc/policies", "/mc/people", "/mc/users/nobody"] {
        browser.go(&at(path)).await;
        browser.is_accessible().await;
    }
    browser.go(&at("/mc?q=anna")).await;
    browser.follow("Anna Berg").await;
    browser.is_accessible().await;
    let serial = browser.text("a.serial").await;
    browser.follow(&serial).await;
    browser.is_accessible().await;
    browser.press("Unlock").await;
    browser.is_accessible().await;
    let (question, name) = browser.questions().await.remove(0);
    browser.fill(&name, &right(&question)).await;
    browser.press("Check answers").await;
    browser.is_accessible().await;
    browser.fill("challenge", "1122334455667788").await;
    browser.press("Get response").await;
    browser.is_accessible().await;

    // Remote Self-Service, to its end.
    browser.go(&at("/rss")).await;
    browser.is_accessible().await;
    browser.fill("name", "lab\\anna").await;
    browser.press("Next").await;
    browser.is_accessible().await;
    let (question, name) = browser.questions().await.remove(0);
    browser.fill(&name, "wrong").await;
    browser.press("Next").await;
    browser.sees("The answers are not right.").await;
    browser.fill("name", "lab\\anna").await;
    browser.press("Next").await;
    browser.fill(&name, &right(&question)).await;
    browser.press("Next").await;
    browser.is_accessible().await;
    browser.fill("challenge", "1122-3344-5566-7788").await;
    browser.press("Get results").await;
    browser.sees("Check code").await;
    browser.is_accessible().await;
    browser.press("Leave").await;

    browser.0.close().await.unwrap();
}

/// Anna's answers.
async fn set_answers(browser: &Browser, running: &Running) {
    log_in(browser, &format!("{}/ss/login", running.server), "lab\\anna", "anna-password").await;
    browser.sees("3 of 3 are answered").await;
    for (question, name) in browser.questions().await {
        browser.fill(&name, &right(&question)).await;
    }
    browser.press("Set answers").await;
    browser.sees("Your answers are set.").await;
    browser.sees("3 of 3 are answered").await;
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
    oleg.picture("console-users").await;
    oleg.follow("Log").await;
    oleg.picture("console-log").await;
    let log = oleg.sees("CARD_UNLOCKED").await;
    has(&log, &["PIN_WRONG_SEEN", "PIN_BLOCK_SEEN", "UNLOCK_OPENED", "ANSWERS_WRONG", "ANSWERS_RIGHT", "RESPONSE_GIVEN"]);
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
    oleg.fill("q", "anna").await;
    oleg.press("Find").await;
    oleg.follow("Anna Berg").await;
    let serial = oleg.text("a.serial").await;
    oleg.follow(&serial).await;
    oleg.press("Unlock").await;
    let (question, name) = oleg.questions().await.remove(0);
    oleg.fill(&name, "wrong").await;
    oleg.press("Check answers").await;
    oleg.sees("The answers are not right; 4 tries left.").await;
    oleg.fill(&name, &right(&question)).await;
    oleg.press("Check answers").await;
    oleg.sees("The answers are right.").await;
    oleg.fill("challenge", "1122").await;
    oleg.press("Get response").await;
    oleg.sees("4 digits, but the code has 16").await;
    oleg.fill("challenge", &challenge).await;
    oleg.press("Get response").await;
    let response = oleg.text("#response").await;
    oleg.picture("console-response").await;

    anna.fill("response0", &response.to_lowercase()).await;
    // The operator's page waits for the workstation's word.
    oleg.sees("Waiting for the workstation.").await;
    anna.fill("pin", "864209").await;
    anna.fill("confirmation", "864209").await;
    anna.press("Unlock").await;
    anna.sees("The card is unlocked").await;
    let status = running.cardlab(&["card", "status", "--reader", "Anna"]).ok();
    has(&status, &["3 of 3 tries left", "5 of 5 tries left"]);

    // Without Validate answers the operator goes straight to the challenge; switched on again, it is judged at once.
    let admin = driver.browser("admin").await;
    log_in(&admin, &format!("{}/mc/login", running.server), "admin", "admin-password").await;
    admin.follow("Configuration").await;
    admin.picture("console-policy").await;
    let switch = async |name: &str| {
        let field = format!("[name={name}]");
        admin.0.find(fantoccini::Locator::Css(&field)).await.unwrap().click().await.unwrap();
        admin.press("Save").await;
        admin.sees("Saved; it holds from now on.").await;
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
    oleg.fill("comment", "called in").await;
    oleg.press("Order").await;
    oleg.sees("The task waits for the workstation that has the card").await;
    oleg.is_accessible().await;
    oleg.press("Cancel").await;
    oleg.sees("The task is cancelled.").await;

    // Switched off, it is off; a program is told why.
    switch("unblock_card_offline").await;
    admin.fill("text", "Colour of your first bicycle?").await;
    admin.press("Create security question").await;
    admin.press("Delete the question Colour of your first bicycle?").await;
    admin.sees("Saved; it holds from now on.").await;
    admin.press("Delete the question Name of your first pet?").await;
    admin.sees("users have answered this question").await;
    oleg.go(&format!("{}/mc/cards/{serial}", running.server)).await;
    oleg.press("Unlock").await;
    oleg.sees("Unblock card offline is switched off in policy 'Default'").await;
    oleg.follow("Configuration").await;
    oleg.sees("your role does not have the privilege view-policy here").await;
    for browser in [anna, oleg, admin] {
        browser.0.close().await.unwrap();
    }
}

/// An administrator gives people their roles, and nobody can lock everybody out.
#[tokio::test]
async fn people_and_roles() {
    let lab = Lab::new("gids");
    let (driver, running) = (Driver::start(), Running::start(&lab));
    let (admin, nora) = (driver.browser("admin").await, driver.browser("nora").await);
    log_in(&admin, &format!("{}/mc/login", running.server), "admin", "admin-password").await;
    admin.follow("People and roles").await;
    admin.picture("console-people").await;
    admin.fill("role_name", "Viewer").await;
    admin.press("Create role").await;
    admin.sees("Role Viewer is saved").await;
    admin.fill("operator_name", "nora").await;
    admin.fill("password", "nora-password").await;
    admin.press("Add operator").await;
    admin.sees("Operator nora is added.").await;
    log_in(&nora, &format!("{}/mc/login", running.server), "nora", "nora-password").await;
    nora.sees("your role does not have the privilege view-user here").await;
    let choose = async |label: &str, option: &str| {
        let select = format!("select[aria-label='{label}']");
        admin.0.find(fantoccini::Locator::Css(&select)).await.unwrap().select_by_label(option).await.unwrap();
    };
    choose("Role of nora", "Operator").await;
    admin.press("Save the role of nora").await;
    admin.sees("The role holds from now on.").await;
    nora.go(&format!("{}/mc", running.server)).await;
    nora.sees("Anna Berg").await;
    choose("Role of admin", "none").await;
    admin.press("Save the role of admin").await;
    admin.sees("your own role is changed by another administrator").await;
    admin.fill("logon", "lab\\nora").await;
    admin.fill("upn", "nora@lab.example").await;
    admin.fill("cn", "Nora Lind").await;
    admin.fill("user_password", "short").await;
    admin.fill("user_password", "nora-self-service").await;
    admin.press("Add user").await;
    admin.sees("User Nora Lind is added.").await;
    admin.fill("type_name", "gids-aes").await;
    admin.press("Create card type").await;
    admin.sees("Card type gids-aes is created.").await;
    admin.fill("type_name", "gids-aes").await;
    admin.press("Create card type").await;
    admin.sees("there is a card type of this name").await;
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
    oleg.press("Unlock user").await;
    let profile = oleg.sees("The user is unlocked.").await;
    assert!(!profile.contains("User is locked"), "{profile}");
    // A form of another page is refused.
    let forged = "const r = await fetch(location.href + '/unlock', {method: 'POST', headers: {'Content-Type': 'application/x-www-form-urlencoded'}, body: 'csrf=forged'}); return r.status";
    let status = oleg.0.execute(&format!("return (async () => {{ {forged} }})()"), vec![]).await;
    // The page's own policy forbids scripts to connect at all, or the server refuses the form.
    assert!(status.is_err() || status.unwrap() == 403);

    let mut remote = Command::new(CARDLAB);
    remote.env(STATE[0], STATE[1]);
    remote.args(["lockscreen", "--remote-desktop", "--reader", "Anna", "--listen", "127.0.0.1:0", "--online", &running.server]);
    let up = common::Up::from(remote.env("PCSCLITE_CSOCK_NAME", &running.socket));
    anna.go(up.ready.strip_prefix("ready ").unwrap()).await;
    let text = anna.sees("not supported on the lock screen of a Remote Desktop connection").await;
    assert!(!text.contains("Answer your questions") && !text.contains("Unlock with an operator"), "{text}");
    drop(up);
    for browser in [anna, oleg] {
        browser.0.close().await.unwrap();
    }
}
