//! What opens a session is known to who opened it, and to nobody else, on both engines.

use crate::common::{ANNA, Answer, CHALLENGE, Engine, Site, given, right};
use cardlab_server_stub::service::Server;
use serde_json::{Value, json};
use std::net::IpAddr;

on_both_engines! {
    the_log_opens_nothing,
    the_database_opens_nothing,
    a_session_is_of_who_opened_it,
    a_database_of_before,
    a_database_of_a_newer_version,
    a_database_of_another_program,
}

/// Everything that opens a session of Anna's, in the middle of its way.
struct Open {
    online: String,
    agent: String,
    remote: String,
    wizard: String,
}

fn opened(site: &Site) -> Open {
    site.set_answers("anna");
    let oleg = site.operator();
    let of = |body: &Value, name: &str| body[name].as_str().unwrap().to_owned();
    let online = site.open(ANNA);
    site.answers(&online, right).ok();
    site.post(&format!("/api/v1/cards/{ANNA}/tasks"), &oleg, &json!({})).ok();
    let agent = site.post("/credprovapi/v1/tasks", "", &json!({"serial": ANNA, "workstation": "WS1"})).ok();
    site.answers(&agent, right).ok();
    let remote = site.post("/api/v1/remote", "", &json!({"name": "lab\\anna"})).ok();
    let path = format!("/api/v1/remote/{}/answers", of(&remote, "session"));
    assert_eq!(site.post(&path, "", &given(&remote["questions"], right)).ok()["ok"], true);
    let wizard = site.post(&format!("/api/v1/cards/{ANNA}/wizard"), &oleg, &json!({})).ok();
    Open {
        online: of(&online, "session"),
        agent: of(&agent, "session"),
        remote: of(&remote, "session"),
        wizard: of(&wizard, "wizard"),
    }
}

impl Open {
    fn all(&self) -> [&String; 4] {
        [&self.online, &self.agent, &self.remote, &self.wizard]
    }
}

/// What somebody can try who has read the name of a session somewhere.
fn attempts(site: &Site, name: &str, token: &str) -> Vec<Answer> {
    let challenge = json!({"challenge": CHALLENGE});
    vec![
        site.post(&format!("/credprovapi/v1/sessions/{name}/challenge"), "", &challenge),
        site.post(&format!("/certiflow/credprovapi/v1/sessions/{name}/challenge"), "", &challenge),
        site.post(&format!("/credprovapi/v1/sessions/{name}/answers"), "", &json!({"answers": []})),
        site.post(&format!("/credprovapi/v1/sessions/{name}/later"), "", &json!({})),
        site.post(&format!("/credprovapi/v1/sessions/{name}/result"), "", &json!({"outcome": "refused", "tries_left": 0})),
        site.get(&format!("/api/v1/remote/{name}/cards"), ""),
        site.post(&format!("/api/v1/remote/{name}/answers"), "", &json!({"answers": []})),
        site.post(&format!("/api/v1/remote/{name}/challenge"), "", &json!({"card": ANNA, "challenge": CHALLENGE})),
        site.post(&format!("/api/v1/unlock/{name}/challenge"), token, &challenge),
        site.post(&format!("/api/v1/unlock/{name}/answers"), token, &json!({"answers": []})),
        site.get(&format!("/api/v1/unlock/{name}/outcome"), token),
    ]
}

/// Who may only read the log gets nothing by what stands there; who may for another policy reads nothing of it.
fn the_log_opens_nothing(engine: Engine) {
    let site = Site::start(engine);
    let admin = site.administrator();
    let policy = site.post("/api/v1/policies", &admin, &json!({"name": "Another"})).ok()["id"].clone();
    for (name, policies) in [("reader", json!(null)), ("elsewhere", json!([policy]))] {
        let role = json!({"policies": policies, "privileges": ["view-log"]});
        let role = site.put(&format!("/api/v1/roles/{name}"), &admin, &role).ok()["id"].clone();
        site.post("/api/v1/operators", &admin, &json!({"name": name, "password": "reader-password", "role": role})).ok();
    }
    let open = opened(&site);
    let elsewhere = site.log_in(("elsewhere", "reader-password"));
    assert_eq!(site.get("/api/v1/events", &elsewhere).ok(), json!([]), "{engine:?}");
    let reader = site.log_in(("reader", "reader-password"));
    let log = site.get("/api/v1/events", &reader).ok();
    let csv = site.get("/api/v1/events.csv", &reader).text;
    for name in open.all() {
        assert!(!log.to_string().contains(name) && !csv.contains(name), "{engine:?}");
    }
    let mut names: Vec<&str> =
        log.as_array().unwrap().iter().filter_map(|e| e["flow"].as_str()).filter(|f| !f.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 3, "the log tells sessions apart, but for a wizard that has given nothing: {names:?}");
    for name in names {
        for answer in attempts(&site, name, &reader) {
            assert_eq!(answer.status, 410, "{engine:?}: {}", answer.text);
        }
    }
    assert!(site.events("name=RESPONSE_GIVEN").is_empty() && site.events("name=ADMIN_KEY_BLOCKED").is_empty());
    // Who opened it goes on.
    let path = format!("/credprovapi/v1/sessions/{}/challenge", open.online);
    site.post(&path, "", &json!({"challenge": CHALLENGE})).ok();
}

/// Every text of the database, by table.
fn texts(site: &Site) -> Vec<String> {
    const TABLES: [&str; 8] = [
        "SELECT * FROM flows",
        "SELECT * FROM tasks",
        "SELECT * FROM events",
        "SELECT * FROM logins",
        "SELECT * FROM hits",
        "SELECT * FROM givings",
        "SELECT * FROM responses",
        "SELECT * FROM reports",
    ];
    site.block_on(async {
        let mut tx = crate::common::database(&site.url).await;
        let mut texts = Vec::new();
        for table in TABLES {
            for row in sqlx::query(table).fetch_all(&mut *tx).await.unwrap() {
                texts.extend((0..sqlx::Row::len(&row)).filter_map(|n| sqlx::Row::try_get::<String, _>(&row, n).ok()));
            }
        }
        texts
    })
}

fn the_database_opens_nothing(engine: Engine) {
    let site = Site::start(engine);
    let open = opened(&site);
    let tokens = [site.operator(), site.administrator()];
    let texts = texts(&site);
    assert!(texts.len() > 100, "{}", texts.len());
    for secret in open.all().into_iter().chain(&tokens) {
        assert!(!texts.iter().any(|text| text.contains(secret.as_str())), "{engine:?}: {secret} in {texts:?}");
    }
}

/// What opens it, from another address.
fn a_session_is_of_who_opened_it(engine: Engine) {
    let site = Site::start(engine);
    let open = opened(&site);
    let elsewhere = site.from(IpAddr::from([127, 0, 0, 9]));
    for name in [&open.online, &open.agent, &open.remote] {
        for answer in attempts(&elsewhere, name, "") {
            assert!(matches!(answer.status, 401 | 410), "{engine:?}: {}", answer.text);
        }
    }
    // Another operator, with all privileges, from the same address.
    let path = format!("/api/v1/unlock/{}/challenge", open.wizard);
    site.post(&path, &site.administrator(), &json!({"challenge": CHALLENGE})).refused(410, "SESSION_OVER");
    for name in [&open.online, &open.agent] {
        site.post(&format!("/credprovapi/v1/sessions/{name}/challenge"), "", &json!({"challenge": CHALLENGE})).ok();
    }
    assert_eq!(site.get(&format!("/api/v1/remote/{}/cards", open.remote), "").status, 200);
}

/// A database whose sessions were stored with what opens them: they end, and the log stays whole.
fn a_database_of_before(engine: Engine) {
    let site = Site::start(engine);
    site.set_answers("anna");
    let old = "0123456789abcdef0123456789abcdef";
    let open: fn(Server) -> Server = |server| server;
    site.block_on(async {
        let mut tx = crate::common::database(&site.url).await;
        for statement in [
            "DELETE FROM _sqlx_migrations WHERE version IN (5, 8)",
            "ALTER TABLE flows ADD COLUMN operator TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE tasks RENAME COLUMN ordered_by TO operator",
            "ALTER TABLE flows DROP COLUMN opener",
            "ALTER TABLE responses DROP COLUMN flow",
            "DROP INDEX hits_by_time",
            "DROP INDEX flows_by_time",
            "INSERT INTO flows (id, kind, card, user_id, operator, step, questions, wrong, workstation, expires) VALUES ('0123456789abcdef0123456789abcdef', 'online', 'A0', '', '', 'answered', '[]', 0, '', 9000000000000)",
        ] {
            sqlx::query(statement).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
    });
    let after = site.second_with(open);
    for answer in attempts(&after, old, &after.operator()) {
        assert_eq!(answer.status, 410, "{engine:?}: {}", answer.text);
    }
    assert_eq!(after.get("/api/v1/events/check", &after.operator()).ok(), json!({"first_broken": null}));
    assert_eq!(after.open(ANNA)["mode"], "online");
}

/// One that a newer version has been at is refused in a sentence, and left as it is.
fn a_database_of_a_newer_version(engine: Engine) {
    let site = Site::start(engine);
    let refused = site.block_on(async {
        let mut tx = crate::common::database(&site.url).await;
        let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) SELECT 999, 'newer', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
        sqlx::query(newer).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        cardlab_server_stub::store::Store::open(&site.url).await.err().unwrap().message()
    });
    let says = "a newer cardlab has made or changed it; use that one, or name another database: it was left as it is";
    assert!(refused.starts_with("database ") && refused.ends_with(says), "{engine:?}: {refused}");
    site.get("/api/v1/users", &site.administrator()).ok();
}

/// A file that is something else, or half of a database, is left as it is, and it is said what to do.
#[test]
fn a_database_that_is_none_or_cut_off() {
    let site = Site::start(Engine::Sqlite);
    let directory = tempfile::tempdir().unwrap();
    let whole = directory.path().join("whole.db");
    let kept = site.block_on(async {
        cardlab_server_stub::store::Store::open(&format!("sqlite:{}", whole.display())).await.unwrap().close().await;
        std::fs::read(&whole).unwrap()
    });
    let text = b"no database, not at all. ".repeat(100);
    for bytes in [&text[..], &kept[..50], &kept[..1000], &kept[..4096], &kept[..kept.len() / 2], &kept[..kept.len() - 4096]] {
        let file = directory.path().join(format!("{}.db", bytes.len()));
        let url = format!("sqlite:{}", file.display());
        std::fs::write(&file, bytes).unwrap();
        let refused = site.block_on(cardlab_server_stub::store::Store::open(&url)).err().unwrap().message();
        let says = "it is no SQLite database, or one that is damaged or cut off; name another, or bring back a copy of this one";
        assert_eq!(refused, format!("database {url}: {says}"), "{}", bytes.len());
        assert!(std::fs::read(&file).unwrap() == bytes, "{}", bytes.len());
    }
}

/// Where another program keeps its tables nothing is made and nothing changed, and it is said so.
fn a_database_of_another_program(engine: Engine) {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let url = crate::common::new_database(engine, directory.path());
    let file = directory.path().join("cms.db");
    let is_file = matches!(engine, Engine::Sqlite);
    if is_file {
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    let as_it_is = || is_file.then(|| (std::fs::read(&file).unwrap(), file.metadata().unwrap().permissions().mode()));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut tx = crate::common::database(&url).await;
        sqlx::query("CREATE TABLE users (name TEXT NOT NULL)").execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        let before = as_it_is();
        let refused = cardlab_server_stub::store::Store::open(&url).await.err().unwrap().message();
        let says = "there are tables in it that are not this server's; name another database: it was left as it is";
        assert!(refused.starts_with("database ") && refused.ends_with(says), "{engine:?}: {refused}");
        assert!(as_it_is() == before && directory.path().read_dir().unwrap().count() == usize::from(is_file));
        let mut tx = crate::common::database(&url).await;
        assert!(sqlx::query("SELECT 1 FROM _sqlx_migrations").fetch_optional(&mut *tx).await.is_err(), "{engine:?}");
        drop(tx);
        // A first start that was cut off before the first table goes on.
        let mut tx = crate::common::database(&url).await;
        for statement in [
            "DROP TABLE users",
            "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMP NOT NULL \
             DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL)",
        ] {
            sqlx::query(statement).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
        cardlab_server_stub::store::Store::open(&url).await.unwrap().close().await;
    });
}
