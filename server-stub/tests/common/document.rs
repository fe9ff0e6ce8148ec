//! The OpenAPI document, and whether what the server says is what the document says. Every answer that a test gets goes through
//! [`check`].

use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::OnceLock;

/// The document.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::to_value(cardlab_server_stub::http::openapi()).unwrap())
}

/// Every operation: method in capitals, path as the document has it, and what it says of it.
pub fn operations() -> impl Iterator<Item = (String, &'static str, &'static Value)> {
    document()["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (method.to_uppercase(), path.as_str(), operation))
    })
}

/// The operation that answers at this address: of those that fit, the one that has the most of it in words.
fn operation(method: &str, address: &str) -> Option<&'static Value> {
    let path = address.split('?').next().unwrap();
    let words = |template: &str| -> Option<usize> {
        let (mut asked, mut parts, mut same) = (path.split('/'), template.split('/'), 0);
        loop {
            match (asked.next(), parts.next()) {
                (None, None) => return Some(same),
                (Some(_), Some(part)) if part.starts_with('{') => {}
                (Some(word), Some(part)) if word == part => same += 1,
                _ => return None,
            }
        }
    };
    let fitting = operations().filter(|(of, ..)| of == method).filter_map(|(_, path, operation)| Some((words(path)?, operation)));
    fitting.max_by_key(|(same, _)| *same).map(|(_, operation)| operation)
}

/// An answer of an operation is in the document, with its status, its kind and its form. What no operation answers is not looked
/// at: pages, addresses that are none.
pub fn check(method: &str, address: &str, status: u16, kind: &str, text: &str) -> Result<(), String> {
    let Some(operation) = operation(method, address) else { return Ok(()) };
    let said = |why: &str| Err(format!("{method} {address}, {status} {kind}: {why}\n{text}"));
    let response = &operation["responses"][status.to_string()];
    if response.is_null() {
        return said("the document has no such answer");
    }
    let kind = kind.split(';').next().unwrap();
    let content = &response["content"][kind];
    if content.is_null() {
        return said(&format!("the document says {}", response["content"]));
    }
    if !kind.ends_with("json") {
        return Ok(());
    }
    let Ok(body) = serde_json::from_str(text) else { return said("no JSON") };
    fits(&content["schema"], &body).or_else(|why| said(&why))
}

fn resolved(schema: &'static Value) -> &'static Value {
    match schema["$ref"].as_str() {
        Some(name) => {
            let found = document().pointer(name.trim_start_matches('#'));
            resolved(found.unwrap_or_else(|| panic!("{name} is not in the document")))
        }
        None => schema,
    }
}

fn kinds(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().map(|kind| kind.as_str().unwrap()).collect(),
        _ => Vec::new(),
    }
}

/// Whether a value is of a schema, and has nothing that the schema does not name.
fn fits(schema: &'static Value, value: &Value) -> Result<(), String> {
    let schema = resolved(schema);
    for several in ["oneOf", "anyOf"] {
        if let Some(all) = schema[several].as_array() {
            let fitting = all.iter().any(|one| fits(one, value).is_ok());
            return if fitting { Ok(()) } else { Err(format!("{value} is none of {schema}")) };
        }
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !schema["type"].is_null() && !kinds(schema).contains(&kind) {
        return Err(format!("{value} is no {}", schema["type"]));
    }
    if let Some(known) = schema["enum"].as_array()
        && !known.contains(value)
    {
        return Err(format!("{value} is none of {}", schema["enum"]));
    }
    if let Some(items) = value.as_array() {
        return items.iter().try_for_each(|item| fits(&schema["items"], item));
    }
    let Some(fields) = value.as_object() else { return Ok(()) };
    // An object may be told in parts.
    let parts = parts(schema);
    for name in parts.iter().flat_map(|part| part["required"].as_array().into_iter().flatten()) {
        if !fields.contains_key(name.as_str().unwrap()) {
            return Err(format!("{name} is missing"));
        }
    }
    fields.iter().try_for_each(|(name, value)| {
        let named = parts.iter().map(|part| &part["properties"][name]).find(|schema| !schema.is_null());
        let others = parts.iter().map(|part| &part["additionalProperties"]).find(|schema| schema.is_object());
        named.or(others).map_or_else(|| Err(format!("{name} is not in the document")), |schema| fits(schema, value))
    })
}

fn parts(schema: &'static Value) -> Vec<&'static Value> {
    let schema = resolved(schema);
    match schema["allOf"].as_array() {
        Some(all) => all.iter().flat_map(parts).collect(),
        None => vec![schema],
    }
}

/// Any value of a schema.
pub fn any_of(schema: &'static Value) -> BoxedStrategy<Value> {
    let schema = resolved(schema);
    for several in ["oneOf", "anyOf"] {
        if let Some(all) = schema[several].as_array() {
            return prop::strategy::Union::new(all.iter().map(any_of)).boxed();
        }
    }
    if let Some(known) = schema["enum"].as_array() {
        return prop::sample::select(known.clone()).boxed();
    }
    let kinds = kinds(schema).into_iter().map(|kind| match kind {
        "null" => Just(Value::Null).boxed(),
        "boolean" => any::<bool>().prop_map(Value::from).boxed(),
        "integer" | "number" => {
            let (least, most) = (schema["minimum"].as_i64().unwrap_or(-1000), schema["maximum"].as_i64().unwrap_or(200));
            (least..=most).prop_map(Value::from).boxed()
        }
        "string" => prop_oneof!["[^\u{0}]{0,20}", "[0-9A-F]{2,40}", r"(anna|LAB\\anna|Default|1122334455667788)"]
            .prop_map(Value::from)
            .boxed(),
        "array" => prop::collection::vec(any_of(&schema["items"]), 0..4).prop_map(Value::from).boxed(),
        "object" => {
            let required: Vec<&str> =
                schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap()).collect();
            let fields = schema["properties"].as_object().into_iter().flatten();
            let fields: Vec<_> = fields
                .map(|(name, schema)| {
                    let there = if required.contains(&name.as_str()) { Just(true).boxed() } else { any::<bool>().boxed() };
                    (Just(name.clone()), there, any_of(schema)).boxed()
                })
                .collect();
            let object = |fields: Vec<(String, bool, Value)>| {
                fields
                    .into_iter()
                    .filter(|(_, there, _)| *there)
                    .map(|(name, _, value)| (name, value))
                    .collect::<serde_json::Map<_, _>>()
            };
            fields.prop_map(move |fields| Value::Object(object(fields))).boxed()
        }
        other => panic!("{other}"),
    });
    let kinds: Vec<_> = kinds.collect();
    if kinds.is_empty() { Just(json!({})).boxed() } else { prop::strategy::Union::new(kinds).boxed() }
}
