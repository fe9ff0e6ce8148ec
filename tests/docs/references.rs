//! References that are made from the code. `CARDLAB_WRITE_DOCS=1 cargo test --test e2e docs::references` writes them.

use super::document::root;
use crate::common::{cardlab, has};
use cardlab_server_stub::model::event::Kind;
use cardlab_vreader::fault::Effect;
use std::fmt::Write as _;

/// A page that the program makes.
pub(super) fn made(name: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    cardlab(&["manual", "--markdown", directory.path().to_str().unwrap()]).ok();
    std::fs::read_to_string(directory.path().join(name)).unwrap()
}

/// The page in `docs` is this.
#[track_caller]
fn is(name: &str, page: &str) {
    let file = root().join("docs").join(name);
    if std::env::var_os("CARDLAB_WRITE_DOCS").is_some() {
        std::fs::write(&file, page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(written, page, "docs/{name} is out of date; CARDLAB_WRITE_DOCS=1 writes it");
}

#[test]
fn commands() {
    is("commands.md", &made("commands.md"));
}

#[test]
fn variables_files_and_exit_codes() {
    is("environment.md", &made("environment.md"));
}

/// What README counts is counted.
#[test]
fn numbers_of_the_readme() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let lines = |arguments: &[&str]| cardlab(arguments).ok().lines().count();
    let tests = lines(&["conform", "--list"]) / 100 * 100;
    has(
        &readme,
        &[
            &format!(" {} lock scenarios", lines(&["scenario", "list"])),
            &format!("more than {},{:03} tests", tests / 1000, tests % 1000),
            &format!("({} or newer)", env!("CARGO_PKG_RUST_VERSION")),
        ],
    );
}

/// One cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|").replace('<', "&lt;")
}

#[test]
fn faults() {
    let mut page = String::from(
        "# Faults\n\n`cardlab card fault FAULT` arms one while programs run, `exec --fault FAULT` and `up --fault FAULT` from the start \
         (`N:FAULT` at the N-th card, from 0), the pytest fixtures, scenarios and the control socket likewise. A fault is \
         `EFFECT[=VALUE][,CONDITION=VALUE]..`; it waits for the command that it strikes, and repeats with `--seed`. Made from the code \
         (`CARDLAB_WRITE_DOCS=1 cargo test --test e2e docs::references`).\n\n| effect | value | what happens |\n|---|---|---|\n",
    );
    for (name, value) in Effect::NAMES {
        let _ = writeln!(page, "| `{name}` | {value} | {} |", what_happens(name));
    }
    page += "\n| condition | which commands it strikes |\n|---|---|\n\
             | `ins=HH` | those of this instruction, two hexadecimal digits |\n\
             | `applet=NAME` | those for this application: piv, gids, management, otp, security-domain, or that of a card edge of one's own |\n\
             | `nth=N` | the N-th that matches is the first; 1 by itself |\n\
             | `times=N` | so many that match, from there on; 1 by itself |\n\n\
             `power-cut`, `memory-failure` and `applet` are for simulated cards. ISO/IEC 7816-4 numbers instructions: 20 is VERIFY, 24 CHANGE \
             REFERENCE DATA, 2C RESET RETRY COUNTER, 87 GENERAL AUTHENTICATE, A4 SELECT, CB GET DATA.\n";
    is("faults.md", &page);
}

/// What an effect does.
fn what_happens(effect: &str) -> &'static str {
    match effect {
        "power-cut" => "the power goes at this tear point of the command: a write, the moment before a commit or after it",
        "remove-before" => "the card is pulled out before it has done anything",
        "remove-after" => "the card is pulled out when it has done everything; its answer is lost",
        "silent" => "the answer comes later; a card that is pulled out meanwhile has not carried the command out",
        "mute" => "no answer until the next reset; the command is not carried out",
        "answer" => "this answer instead of the card's, which has done everything",
        "truncate" => "only so many bytes of the answer",
        "status" => "this status word; the command is not carried out",
        "flip-bit" => "one bit of the answer is wrong, counted from the left; beyond the end it starts anew",
        "memory-failure" => "the card has no memory that can be written during the command",
        "reader-gone" => "the reader is unplugged, with the card in it",
        other => panic!("{other}: a fault that this page does not tell of"),
    }
}

#[test]
fn events_of_the_server() {
    let words = std::fs::read_to_string(root().join("server-stub/words/en.ftl")).unwrap();
    let mut kinds: Vec<(i64, &str, &str)> = Kind::ALL.iter().map(|kind| kind.facts()).collect();
    kinds.sort_unstable();
    let mut page = String::from(
        "# Events of the management server\n\nWhat its log has (`GET /api/v1/events`, the page *Log*): a place in the log, a time, a code, a name, \
         how bad it is, who, the card, the user, the workstation, the session, and more by kind as JSON. A failure has the code of its \
         success plus 1000. Each row's hash covers the row before (`GET /api/v1/events/check`). Never in an event: answers, PINs, keys, a \
         challenge together with its response. Made from the code (`CARDLAB_WRITE_DOCS=1 cargo test --test e2e docs::references`).\n\n\
         | code | name | | as the page says it |\n|---|---|---|---|\n",
    );
    for (code, name, level) in kinds {
        let level = match level {
            "I" => "information",
            "W" => "warning",
            _ => "error",
        };
        let _ = writeln!(page, "| {code} | `{name}` | {level} | {} |", cell(&sentence(&words, name)));
    }
    is("events.md", &page);
}

/// The sentence of an event in the words of the pages, its usual form where it has several; its values are written large.
fn sentence(words: &str, event: &str) -> String {
    let start = format!("event-{event} =");
    let after = words.split_once(&start).unwrap_or_else(|| panic!("{event} has no sentence")).1;
    let first = after.lines().next().unwrap().trim();
    let text = if first.is_empty() {
        let usual = after.lines().find_map(|line| line.trim().strip_prefix("*[")).unwrap();
        usual.split_once("] ").unwrap().1
    } else {
        first
    };
    let text = text.replace("}{", "} {");
    let mut parts = text.split("{ $");
    let mut sentence = parts.next().unwrap().to_owned();
    for part in parts {
        let (value, rest) = part.split_once(" }").unwrap();
        sentence += &format!("{}{rest}", value.to_uppercase());
    }
    sentence
}

#[test]
fn profiles() {
    let mut page = String::from(
        "# Kinds of cards\n\n`--card PROFILE`. `cardlab profile show PROFILE` has every value with the source it was read from; what can be \
         set on top is in [settings.md](settings.md). Made from the profiles (`CARDLAB_WRITE_DOCS=1 cargo test --test e2e docs::references`).\n",
    );
    for name in cardlab_sim::Profile::names() {
        let text = cardlab_sim::Profile::text(name).unwrap();
        let profile: toml::Table = toml::from_str(text).unwrap();
        let of = |section: &str, field: &str| profile.get(section).and_then(|section| section.get(field));
        let plain = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let list = |value: &toml::Value| value.as_array().unwrap().iter().map(plain).collect::<Vec<_>>().join(", ");
        let _ = write!(page, "\n## {name}\n\n{}\n\n| | |\n|---|---|\n", plain(&profile["description"]));
        let _ = writeln!(page, "| ATR | `{}` |", plain(of("card", "atr").unwrap()));
        for (what, section) in [("PIN", "pin"), ("PUK", "puk")] {
            if let (Some(value), Some(tries)) = (of(section, "value"), of(section, "tries")) {
                let _ = writeln!(page, "| {what} | {}, {tries} tries |", plain(value));
            }
        }
        let key = if profile.contains_key("gids") { "administrator key B080" } else { "administrator key 9B" };
        let algorithm = plain(of("management-key", "algorithm").unwrap());
        let _ = writeln!(page, "| {key} | {algorithm}, `{}` |", plain(of("management-key", "value").unwrap()));
        let _ = writeln!(page, "| its algorithms | {} |", list(of("management-key", "algorithms").unwrap()));
        let tries = of("management-key", "tries").and_then(toml::Value::as_integer).unwrap_or_default();
        let _ = writeln!(page, "| its tries | {} |", if tries == 0 { "not counted".into() } else { tries.to_string() });
        let edge = if profile.contains_key("gids") { "gids" } else { "piv" };
        let _ = writeln!(page, "| keys | {} |", list(of(edge, "algorithms").unwrap()));
    }
    is("profiles.md", &page);
}

#[test]
fn the_control_socket() {
    let script = r#"curl --silent --unix-socket "$CARDLAB_CONTROL" http://cardlab/openapi.json"#;
    let text = cardlab(&["exec", "--card", "gids", "--", "sh", "-c", script]).ok();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut page = String::from(
        "# The control socket\n\nHTTP and JSON on the Unix socket that `CARDLAB_CONTROL` names, or the PC/SC socket's path and `.control` \
         (mode 0600). `{reader}` is a reader's number, its name, the beginning of its name, or `-` where there is only one. What is wrong is \
         answered with a status from 400 on and a `Problem`. The whole description is `GET /openapi.json`. Made from it \
         (`CARDLAB_WRITE_DOCS=1 cargo test --test e2e docs::references`).\n\n```sh\n\
         curl --unix-socket $CARDLAB_CONTROL http://cardlab/v1/readers\n\
         curl --unix-socket $CARDLAB_CONTROL -X POST http://cardlab/v1/readers/0/remove\n```\n\n\
         | request | what it does | sent | answered |\n|---|---|---|---|\n",
    );
    let name = |schema: &serde_json::Value| match (&schema["$ref"], &schema["items"]) {
        (serde_json::Value::String(path), _) => format!("`{}`", path.rsplit('/').next().unwrap()),
        (_, items) if items["$ref"].is_string() => {
            format!("list of `{}`", items["$ref"].as_str().unwrap().rsplit('/').next().unwrap())
        }
        (_, items) if items.is_object() => format!("list of {}", items["type"].as_str().unwrap_or("anything")),
        _ => schema["type"].as_str().unwrap_or_default().to_owned(),
    };
    let of = |content: &serde_json::Value| {
        content.as_object().and_then(|all| all.values().next()).map(|one| name(&one["schema"])).unwrap_or_default()
    };
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let text = ["summary", "description"].iter().find_map(|key| operation[key].as_str()).unwrap_or_default();
            let query = operation["parameters"].as_array().into_iter().flatten().filter(|parameter| parameter["in"] == "query");
            let query: Vec<String> = query.map(|parameter| format!("`{}`", parameter["name"].as_str().unwrap())).collect();
            let sent = if query.is_empty() {
                of(&operation["requestBody"]["content"])
            } else {
                format!("in the query {}", query.join(", "))
            };
            let answered = of(&operation["responses"]["200"]["content"]);
            let _ = writeln!(page, "| `{} {path}` | {} | {sent} | {answered} |", method.to_uppercase(), cell(text));
        }
    }
    for (schema, of) in document["components"]["schemas"].as_object().unwrap() {
        let _ = write!(page, "\n## {schema}\n\n{}", cell(of["description"].as_str().unwrap_or_default()));
        if let Some(words) = of["enum"].as_array() {
            let words: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_str().unwrap())).collect();
            let _ = writeln!(page, " One of {}.", words.join(", "));
            continue;
        }
        page.push_str("\n\n| | |\n|---|---|\n");
        for (field, of) in of["properties"].as_object().unwrap_or_else(|| panic!("{schema} has neither fields nor words: {of}")) {
            // What has no words of its own is of a type that has.
            let kinds = of["oneOf"].as_array().into_iter().flatten().chain([of]);
            let kind = kinds.filter(|kind| kind["$ref"].is_string()).map(name).next();
            let about = of["description"].as_str().map(str::to_owned).or(kind);
            let about = about.unwrap_or_else(|| panic!("{schema}.{field}: nothing is said of it: {of}"));
            let _ = writeln!(page, "| `{field}` | {} |", cell(&about));
        }
    }
    is("control.md", &page);
}

/// The files that people write for the suite: their fields are those that the parsers know.
#[test]
fn files_of_the_suite() {
    let page = std::fs::read_to_string(root().join("docs/files.md")).unwrap();
    let fields = |error: String| -> Vec<String> { error.split('`').skip(3).step_by(2).map(str::to_owned).collect() };
    let credentials = cardlab_conformance::credentials::Credentials::parse("x = 1", "f").err().unwrap().to_string();
    let expectations = cardlab_conformance::expectations::Expectations::parse("[[failure]]\nx = 1").err().unwrap().to_string();
    for known in [fields(credentials), fields(expectations)] {
        assert!(known.len() > 2, "{known:?}");
        has(
            &page,
            &known
                .iter()
                .map(|field| format!("| `{field}` |"))
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>(),
        );
    }
}
