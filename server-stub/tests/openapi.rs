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

/// Whatever is sent to whichever operation, by whom: it is answered, and when it is refused then as a problem.
#[test]
fn any_request_is_answered() {
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};
    let site = Site::with(Engine::Sqlite, |server| server.without_limits());
    let document = site.get("/api/openapi.json", "").ok();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        operations.extend(methods.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone())));
    }
    let token = site.administrator();
    let text = prop_oneof![any::<String>(), "[0-9A-F]{2,40}", "(anna|LAB..anna|Default|%00|\u{0}|'; --|unlock|assign)"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
        Just(json!(crate::common::ANNA)),
    ];
    let names = "(serial|name|card|challenge|answers|question|text|logon|upn|cn|password|policy|settings|kind|at|tries_left|outcome|user|role|privileges|card_type|cipher|min_length|workstation)";
    let body = leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names, inner, 0..6).prop_map(Value::from_iter),
        ]
    });
    let request = (0..operations.len(), text, body, any::<bool>());
    let mut runner = TestRunner::new(Config { cases: 2_000, failure_persistence: None, ..Config::default() });
    runner
        .run(&request, |(operation, text, body, known)| {
            let (method, path) = &operations[operation];
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let mut address = path.clone();
            while let (Some(start), Some(end)) = (address.find('{'), address.find('}')) {
                address.replace_range(start..=end, if encoded.is_empty() { "x" } else { &encoded });
            }
            let answer = site.send(&address, |http, url| {
                let request = http.request(method.parse().unwrap(), url).json(&body);
                if known { request.bearer_auth(&token) } else { request }
            });
            let status = answer.status().as_u16();
            prop_assert!(status < 500 || status == 503, "{method} {address} {body}: {status}");
            if status >= 400 {
                let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
                prop_assert_eq!(kind, "application/problem+json", "{} {} {}", method, address, body);
            }
            Ok(())
        })
        .unwrap();
}
