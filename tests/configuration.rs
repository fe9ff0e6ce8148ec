//! What administrators set, in a headless Chromium.

use crate::browser::log_in;
use crate::common::Lab;
use crate::common::browser::Driver;
use crate::common::has;
use crate::common::site::Running;

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
    second.go(&at("/mc/login")).await;
    second.fill("name", "admin").await;
    second.fill("password", "admin-password").await;
    second.press("Anmelden").await;
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
    let log = admin.sees("admin corrected the data of the user Anna Berg").await;
    has(&log, &["Telephone +49 30 5550 117 → +49 30 5550 200", "could not correct the data of the user Anna Berg"]);

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
