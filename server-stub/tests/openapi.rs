//! The OpenAPI document against the server.

use crate::common::{Engine, Site};
use serde_json::{Value, json};

/// Every operation of the document is there, and answers as the document says.
#[test]
fn every_operation_exists() {
    let site = Site::with(Engine::Sqlite, |server| server.without_limits());
    let document = site.get("/api/openapi.json", "").ok();
    assert_eq!(document, serde_json::to_value(cardlab_server_stub::http::openapi()).unwrap());
    let token = site.administrator();
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let mut address = path.clone();
        while let (Some(start), Some(end)) = (address.find('{'), address.find('}')) {
            address.replace_range(start..=end, "00");
        }
        for (method, operation) in methods.as_object().unwrap() {
            let answer = match method.as_str() {
                "get" => site.get(&address, &token),
                "post" => site.post(&address, &token, &json!({})),
                "put" => site.put(&address, &token, &json!({})),
                "delete" => site.delete(&address, &token),
                other => panic!("{other} {path}"),
            };
            assert_ne!(answer.body["message"], "there is no such page", "{method} {path}");
            assert_ne!(answer.status, 405, "{method} {path}");
            // What holds for all: no such thing, and a body that is none.
            let known =
                [400, 404, 410, 503].contains(&answer.status) || !operation["responses"][answer.status.to_string()].is_null();
            assert!(known, "{method} {path}: {} is not in the document: {}", answer.status, answer.text);
            operations += 1;
        }
    }
    assert!(operations > 30, "{operations}");
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in ["Open", "Opened", "Answers", "Wizard", "Policy", "Event", "Problem"] {
        assert!(matches!(schemas.get(name), Some(Value::Object(_))), "{name}");
    }
}
