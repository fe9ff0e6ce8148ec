//! What who watches the server is told.

use crate::common::{Engine, Site, outage};
use serde_json::json;

on_both_engines! {
    both_are_well,
}

fn both_are_well(engine: Engine) {
    let site = Site::start(engine);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(site.get(path, "").ok(), json!({"status": "ok"}), "{engine:?}");
        assert_eq!(site.send(path, |http, url| http.head(url)).status(), 200);
        assert_eq!(site.post(path, "", &json!({})).status, 405);
    }
}

/// While the database is away the process lives and cannot work; when it is back, it can.
#[test]
fn without_its_database_on_postgresql_it_lives_and_is_not_ready() {
    let site = Site::start(Engine::Postgres);
    outage::shut(&site.url);
    site.get("/healthz", "").ok();
    let message = site.get("/readyz", "").refused(503, "STORE_DOWN");
    assert!(message.contains("database"), "{message}");
    outage::open(&site.url);
    site.get("/readyz", "").ok();
}

/// A database that is read, and takes no changes: found out by the first who wants one, not by asking.
#[test]
fn a_postgresql_that_is_read_only_is_not_ready() {
    let site = Site::start(Engine::Postgres);
    outage::set_read_only(&site.url, true);
    site.get("/readyz", "").ok();
    let open = json!({"serial": crate::common::ANNA});
    let says = "the server's database takes no changes now: it is read-only; make it writable, then try again";
    assert_eq!(site.post("/credprovapi/v1/sessions", "", &open).refused(503, "STORE_DOWN"), says);
    for _ in 0..2 {
        assert_eq!(site.get("/readyz", "").refused(503, "STORE_DOWN"), says);
    }
    outage::set_read_only(&site.url, false);
    for _ in 0..2 {
        site.get("/readyz", "").ok();
    }
    site.post("/credprovapi/v1/sessions", "", &open).ok();
    // What was written to find that out is gone.
    let left = site.block_on(async {
        let mut tx = crate::common::database(&site.url).await;
        sqlx::query("SELECT name FROM meta WHERE name <> 'master'").fetch_all(&mut *tx).await.unwrap().len()
    });
    assert_eq!(left, 0);
}

/// Asked every few seconds, they are not in the log of every day.
#[test]
fn they_are_quiet() {
    let (site, log) = Site::logged(Engine::Sqlite);
    site.get("/readyz", "").ok();
    let line = log.lines().pop().unwrap();
    assert_eq!((&line["level"], &line["fields"]["message"]), (&json!("DEBUG"), &json!("answered")));
}
