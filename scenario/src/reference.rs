//! The language of scenarios as a page, `docs/scenarios.md`, made from the types that read it: actions and their fields with
//! what they are when left out, expectations, and the names of this world.

use crate::action::{Action, BUTTONS};
use crate::expect::Expect;
use crate::file::{CardSetup, Head};
use crate::typed::Slip;
use crate::vocabulary;
use schemars::{JsonSchema, schema_for};
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::LazyLock;

/// A field of an action, an expectation or a card.
pub(crate) struct Field {
    pub(crate) name: String,
    about: String,
    values: String,
    /// What it is when it is left out; none where it must stand, or is nothing then.
    default: Option<String>,
    required: bool,
}

/// An action.
pub(crate) struct Form {
    pub(crate) name: String,
    about: String,
    pub(crate) fields: Vec<Field>,
}

/// Where a group of actions begins, in their order.
const GROUPS: [(&str, &str); 9] = [
    ("insert", "Hands"),
    ("verify", "Programs that use the card"),
    ("tool-challenge", "The Unlock tool, in two steps"),
    ("lock-screen", "The lock screen"),
    ("session-open", "Another workstation, by the service's messages"),
    ("console-open", "The Management Console"),
    ("policy", "Configuration"),
    ("set-answers", "Self-Service and Remote Self-Service"),
    ("stop-server", "The server itself"),
];

/// All actions, in the order in which they are declared.
pub(crate) fn actions() -> &'static [Form] {
    static ACTIONS: LazyLock<Vec<Form>> = LazyLock::new(|| {
        let schema = schema_of::<Action>();
        let variants = schema["oneOf"].as_array().cloned().unwrap_or_default();
        let forms = variants.iter().filter_map(|variant| {
            let (name, body) = variant["properties"].as_object()?.iter().next()?;
            Some(Form { name: name.clone(), about: text(variant, "description"), fields: fields(body, &schema) })
        });
        forms.collect()
    });
    &ACTIONS
}

/// What can be expected.
pub(crate) fn expectations() -> &'static [Field] {
    static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(of::<Expect>);
    &FIELDS
}

/// What can be said of a card.
pub(crate) fn of_card() -> &'static [Field] {
    static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(of::<CardSetup>);
    &FIELDS
}

/// What can be said of the whole.
pub(crate) fn of_file() -> &'static [Field] {
    static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(of::<Head>);
    &FIELDS
}

fn schema_of<T: JsonSchema>() -> Value {
    schema_for!(T).to_value()
}

fn of<T: JsonSchema>() -> Vec<Field> {
    let schema = schema_of::<T>();
    fields(&schema, &schema)
}

fn text(schema: &Value, name: &str) -> String {
    schema[name].as_str().unwrap_or_default().replace('\n', " ")
}

/// Those that must stand first, then by name.
fn fields(of: &Value, root: &Value) -> Vec<Field> {
    let required = |name: &str| of["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    let field = |(name, schema): (&String, &Value)| Field {
        name: name.clone(),
        about: text(schema, "description"),
        values: values(schema, root),
        default: schema.get("default").filter(|default| !default.is_null()).map(Value::to_string),
        required: required(name),
    };
    let mut fields: Vec<Field> = of["properties"].as_object().into_iter().flatten().map(field).collect();
    fields.sort_by_key(|field| !field.required);
    fields
}

/// What may stand there.
fn values(schema: &Value, root: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        let referred = &root["$defs"][name.rsplit('/').next().unwrap_or_default()];
        let names = names(referred);
        return if names.is_empty() { text(referred, "description") } else { names.join(", ") };
    }
    if let Some(all) = schema["anyOf"].as_array() {
        return all.iter().find(|one| one["type"] != "null").map(|one| values(one, root)).unwrap_or_default();
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect(),
        _ => Vec::new(),
    };
    match kinds.first() {
        Some(&"boolean") => "true or false".into(),
        Some(&"integer") => "a number".into(),
        Some(&"array") if schema["prefixItems"].is_array() => "two texts".into(),
        Some(&"array") => format!("a list of: {}", values(&schema["items"], root)),
        Some(&"object") => format!("a table of: {}", values(&schema["additionalProperties"], root)),
        _ => "a text".into(),
    }
}

/// The words of an enumeration.
fn names(schema: &Value) -> Vec<String> {
    let of = |one: &Value| -> Vec<String> {
        let listed = one["enum"].as_array().into_iter().flatten();
        listed.chain(one.get("const")).filter_map(Value::as_str).map(|word| format!("`{word}`")).collect()
    };
    schema["oneOf"].as_array().map_or_else(|| of(schema), |all| all.iter().flat_map(of).collect())
}

/// The page.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(
        "# Lock scenarios\n\n\
         A scenario is a TOML file: cards, people and a server as they begin, and steps with what must hold after each. \
         `cardlab scenario list` shows those that come with cardlab, `show` prints one, `run -v` plays it and prints what was \
         on the screen at each step, `check` reads files without playing them. This page is made from the code that reads \
         them (`CARDLAB_WRITE_DOCS=1 cargo test -p cardlab-scenario reference`), and printed by `cardlab scenario language`.\n\n\
         ```toml\n\
         title = \"The last wrong PIN locks the card, and the lock screen gives a challenge\"\n\
         covers = [\"R1\", \"R6\"]\n\n\
         [card.G1]\n\
         pin-left = 1\n\n\
         [[step]]\n\
         do = \"lock-screen\"\n\
         expect = { screen = \"pin\" }\n\n\
         [[step]]\n\
         do = \"type-pin\"\n\
         pin = \"999999\"\n\
         expect = { screen = \"locked\", pin-left = 0 }\n\
         ```\n\n## The file\n\n",
    );
    table(&mut page, of_file());
    page.push_str(
        "\n`[[step]]` is a step: `do` names the action, `expect` is a table of what must hold afterwards, `save` keeps the value \
         that the step gives (a challenge, a response, a PIN) under a name.\n\n## A card\n\n`[card.NAME]`. Without one there is \
         `G1`: a GIDS card, issued to anna, its PIN blocked. `card` may be left out in steps where there is only one.\n\n",
    );
    table(&mut page, of_card());
    page.push_str("\n`settings` are those of [settings.md](settings.md) from `owner` on.\n\n## Steps\n");
    for form in actions() {
        if let Some((_, title)) = GROUPS.iter().find(|(first, _)| *first == form.name) {
            let _ = writeln!(page, "\n### {title}");
        }
        let _ = writeln!(page, "\n**`{}`** {}", form.name, form.about);
        if !form.fields.is_empty() {
            page.push('\n');
            table(&mut page, &form.fields);
        }
    }
    page.push_str(
        "\n## Expectations\n\nWhere nothing is said of failing, a step must succeed. What the lock screen shows is waited for.\n\n",
    );
    table(&mut page, expectations());
    page.push_str(
        "\n## Names\n\nA name that is none of these is refused before anything is played, with its line and column.\n\n",
    );
    let values = vocabulary::VALUES.map(|name| format!("${name}"));
    let list = |words: &[&str]| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let settings = vocabulary::settings();
    let buttons = BUTTONS.map(|(label, _)| label.english());
    for (what, words) in [
        ("Operators, before `add-operator`", list(&vocabulary::OPERATORS)),
        ("Users, before `add-user`", list(&vocabulary::USERS)),
        ("Policies, before `add-policy`", list(&[vocabulary::POLICY])),
        ("Settings of a policy", list(&settings.iter().map(String::as_str).collect::<Vec<_>>())),
        ("Privileges of a role", list(&vocabulary::privileges())),
        ("Operations with a card", list(&vocabulary::of_cards())),
        ("Operations with a user", list(&vocabulary::OF_USERS)),
        ("Outcomes of a session", list(&vocabulary::OUTCOMES)),
        ("Modes", list(&vocabulary::MODES)),
        ("Card states at the beginning", list(&vocabulary::STATES)),
        ("Card states at the server", list(&vocabulary::card_states())),
        ("Values that nobody has to save", list(&values.each_ref().map(String::as_str))),
        ("Buttons", list(&buttons.each_ref().map(String::as_str))),
        ("Refusals", list(&vocabulary::refusals())),
        ("Events", list(&vocabulary::events())),
    ] {
        let _ = writeln!(page, "- {what}: {words}");
    }
    page.push_str("\n| screen | when |\n|---|---|\n");
    for (name, about) in vocabulary::SCREENS {
        let _ = writeln!(page, "| `{name}` | {about} |");
    }
    page.push_str("\nHow people type (`typed`):\n\n| slip | what it does |\n|---|---|\n");
    for slip in schema_of::<Slip>()["oneOf"].as_array().into_iter().flatten() {
        let _ = writeln!(page, "| {} | {} |", names(slip).join(", "), text(slip, "description"));
    }
    page
}

fn table(page: &mut String, fields: &[Field]) {
    page.push_str("| field | what | values | left out |\n|---|---|---|---|\n");
    for Field { name, about, values, default, required } in fields {
        let left_out = match (required, default) {
            (true, _) => "must stand".to_owned(),
            (false, Some(default)) if default != "\"\"" => format!("`{default}`"),
            _ => String::new(),
        };
        let _ = writeln!(page, "| `{name}` | {about} | {values} | {left_out} |");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `CARDLAB_WRITE_DOCS=1` writes the page instead.
    #[test]
    fn the_page_of_the_language_is_made_from_its_types() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/scenarios.md");
        let page = page();
        if std::env::var_os("CARDLAB_WRITE_DOCS").is_some() {
            std::fs::write(file, &page).unwrap();
        }
        let written = std::fs::read_to_string(file).unwrap_or_default();
        assert_eq!(written, page, "docs/scenarios.md is out of date; CARDLAB_WRITE_DOCS=1 writes it");
    }

    #[test]
    fn every_action_has_a_sentence_and_a_group() {
        let names: Vec<&str> = actions().iter().map(|form| form.name.as_str()).collect();
        assert_eq!(GROUPS[0].0, names[0]);
        assert!(GROUPS.iter().all(|(first, _)| names.contains(first)));
        for form in actions() {
            assert!(!form.about.is_empty(), "{}", form.name);
        }
        for field in expectations().iter().chain(of_card()).chain(of_file()) {
            assert!(!field.about.is_empty() && !field.values.is_empty(), "{}", field.name);
        }
    }
}
