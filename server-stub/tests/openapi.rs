//! The OpenAPI document against the server. Every other test's answers are compared with it as well
//! ([`crate::common::document::check`]).

use crate::common::document::{any_of, check, document, operations};
use crate::common::{Engine, Site};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

on_both_engines! {
    any_request_is_answered,
    a_body_of_the_document_is_one,
}

/// An address of this path, with this in its places.
fn address_of(path: &str, text: &str) -> String {
    let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut address = path.to_owned();
    while let (Some(start), Some(end)) = (address.find('{'), address.find('}')) {
        address.replace_range(start..=end, if encoded.is_empty() { "x" } else { &encoded });
    }
    address
}

/// Every operation of the document is there, and answers as the document says.
#[test]
fn every_operation_exists() {
    let site = Site::with(Engine::Sqlite, |server| server.without_limits());
    assert_eq!(site.get("/api/openapi.json", "").ok(), *document());
    let token = site.administrator();
    let mut count = 0;
    for (method, path, _) in operations() {
        let address = address_of(path, "00");
        let answer = match method.as_str() {
            "GET" => site.get(&address, &token),
            "POST" => site.post(&address, &token, &json!({})),
            "PUT" => site.put(&address, &token, &json!({})),
            "DELETE" => site.delete(&address, &token),
            other => panic!("{other} {path}"),
        };
        assert_ne!(answer.body["message"], "there is no such page", "{method} {path}");
        assert_ne!(answer.status, 405, "{method} {path}");
        count += 1;
    }
    assert!(count > 30, "{count}");
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    for name in ["Open", "Opened", "Answers", "Wizard", "Policy", "Event", "Problem"] {
        assert!(matches!(schemas.get(name), Some(Value::Object(_))), "{name}");
    }
}

/// Who needs a login is in the document, and nobody else is asked for one.
#[test]
fn logins_are_where_the_document_has_them() {
    let site = Site::with(Engine::Sqlite, |server| server.without_limits());
    let scheme = &document()["components"]["securitySchemes"]["operator"];
    assert_eq!((&scheme["type"], &scheme["scheme"]), (&json!("http"), &json!("bearer")));
    let mut secured = 0;
    for (method, path, operation) in operations() {
        let request = |http: &reqwest::blocking::Client, url| http.request(method.parse().unwrap(), url).json(&json!({}));
        let answer = site.send(&address_of(path, "00"), request);
        let says = operation["security"] == json!([{"operator": []}]);
        assert_eq!(answer.status() == 401, says, "{method} {path}: {}", answer.status());
        secured += usize::from(says);
    }
    assert!(secured > 25, "{secured}");
}

/// A parameter is where the document has it, and every place of an address is a parameter.
#[test]
fn parameters_are_where_they_are_sent() {
    let of = |operation: &Value, place: &str| -> Vec<String> {
        let all = operation["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == place);
        all.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    let mut queries = 0;
    for (method, path, operation) in operations() {
        let places: Vec<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
        assert_eq!(of(operation, "path"), places, "{method} {path}");
        queries += of(operation, "query").len();
    }
    assert!(queries >= 6, "{queries}");
    // What is no parameter is refused, so that a filter that is misspelt does not show everything.
    let site = Site::start(Engine::Sqlite);
    let token = site.administrator();
    for (method, path, operation) in operations().filter(|(method, ..)| method == "GET") {
        if !of(operation, "query").is_empty() {
            let message = site.get(&format!("{}?colour=red", address_of(path, "00")), &token).refused(400, "MALFORMED");
            assert!(message.contains("colour"), "{method} {path}: {message}");
        }
    }
}

/// Whatever is sent to whichever operation, by whom: the answer is one that the document has, and no error of the server.
fn any_request_is_answered(engine: Engine) {
    let site = Site::with(engine, |server| server.without_limits());
    let all: Vec<_> = operations().collect();
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
    let bytes = prop_oneof![
        4 => body.prop_map(|body| body.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..64),
        1 => text.clone().prop_map(String::into_bytes),
    ];
    // A client takes "." and ".." out of an address before it sends it: another one is asked then.
    let place = text.prop_filter("a step to another address", |text| !matches!(text.as_str(), "." | ".."));
    let request = (0..all.len(), place, bytes, any::<bool>());
    let mut runner = TestRunner::new(Config { cases: 2_000, failure_persistence: None, ..Config::default() });
    let ran = runner.run(&request, |(operation, text, body, known)| {
        let (method, path, _) = &all[operation];
        answered(&site, method, &address_of(path, &text), body, known.then_some(&token))?;
        Ok(())
    });
    ran.unwrap();
}

/// A body as the document has it is taken for one, whatever stands in it; what is refused then is what it says.
fn a_body_of_the_document_is_one(engine: Engine) {
    let site = Site::with(engine, |server| server.without_limits());
    let token = site.administrator();
    for (method, path, operation) in operations() {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if schema.is_null() || path.starts_with("/certiflow") {
            continue;
        }
        let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
        let ran = runner.run(&any_of(schema), |body| {
            let answer = answered(&site, &method, &address_of(path, "00"), body.to_string().into_bytes(), Some(&token))?;
            prop_assert!(!answer.contains("the body is "), "{} {} {}: {}", method, path, body, answer);
            Ok(())
        });
        ran.unwrap_or_else(|why| panic!("{method} {path}: {why}"));
    }
}

/// Sends it, and gives the answer, which is one that the document has.
fn answered(site: &Site, method: &str, address: &str, body: Vec<u8>, token: Option<&String>) -> Result<String, TestCaseError> {
    let shown = String::from_utf8_lossy(&body).into_owned();
    let answer = site.send(address, |http, url| {
        let request = http.request(method.parse().unwrap(), url).header(CONTENT_TYPE, "application/json").body(body);
        if let Some(token) = token { request.bearer_auth(token) } else { request }
    });
    let status = answer.status().as_u16();
    prop_assert!(status < 500 || status == 503, "{method} {address} {shown}: {status}");
    let kind = answer.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
    prop_assert!(answer.headers().contains_key("x-request-id"));
    let text = answer.text().unwrap();
    check(method, address, status, &kind, &text).map_err(|why| TestCaseError::fail(format!("{shown}: {why}")))?;
    Ok(text)
}
