//! Words as a shell takes them, and requests as one types them there.

use serde_json::Value;

/// A word, in quotes where it needs them.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | ':' | '=' | '@' | '+' | ',');
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// A part of a request that does not stand in its line: what is secret, and what is long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// The value of this variable, which is set before the line.
    Variable(&'static str),
    /// The text of a file, in place of whose name stands `FILE`.
    File,
    /// A file in Base64, likewise.
    Base64,
}

/// A request to the control socket, for curl. Fields that are `elsewhere` are put in by jq, whatever `body` has there.
#[must_use]
pub fn curl(method: &str, path: &str, body: Option<&Value>, elsewhere: &[(&str, Elsewhere)]) -> String {
    let request =
        |how: String| format!("curl --unix-socket \"$CARDLAB_CONTROL\" {how}{}", quoted(&format!("http://cardlab{path}")));
    let method_of = |usual: &str| if method == usual { String::new() } else { format!("-X {method} ") };
    let Some(body) = body else { return request(method_of("GET")) };
    if elsewhere.is_empty() {
        return request(format!("{}--json {} ", method_of("POST"), quoted(&body.to_string())));
    }
    let is_elsewhere = |name: &str| elsewhere.iter().any(|(other, _)| *other == name);
    // Text as JSON has it is text as jq has it.
    let told = |name: &str, value: String| format!("{}:{value}", Value::from(name));
    let plain = body.as_object().into_iter().flatten().filter(|(name, _)| !is_elsewhere(name));
    let mut fields: Vec<String> = plain.map(|(name, value)| told(name, value.to_string())).collect();
    let mut variables = String::new();
    let (mut before, mut options, mut file) = ("", "-n", "");
    for (name, at) in elsewhere {
        fields.push(match at {
            Elsewhere::Variable(variable) => {
                variables.push_str(&format!("{variable}=… "));
                told(name, format!("env.{variable}"))
            }
            Elsewhere::File => {
                (options, file) = ("-Rs", " FILE");
                told(name, ".".into())
            }
            Elsewhere::Base64 => {
                (before, options) = ("base64 -w0 FILE | ", "-R");
                told(name, ".".into())
            }
        });
    }
    let made = format!("{before}{variables}jq {options} {}{file}", quoted(&format!("{{{}}}", fields.join(","))));
    format!("{made} | {}", request(format!("{}--json @- ", method_of("POST"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_a_line() {
        let body = serde_json::json!({ "secrets": "sealed", "passphrase": "sesame" });
        let told = |method: &str, body: Option<&Value>, elsewhere: &[_]| curl(method, "/v1/x", body, elsewhere);
        let socket = "curl --unix-socket \"$CARDLAB_CONTROL\"";
        assert_eq!(told("POST", None, &[]), format!("{socket} -X POST http://cardlab/v1/x"));
        assert_eq!(told("GET", None, &[]), format!("{socket} http://cardlab/v1/x"));
        let plain = r#"--json '{"passphrase":"sesame","secrets":"sealed"}'"#;
        assert_eq!(told("PUT", Some(&body), &[]), format!("{socket} -X PUT {plain} http://cardlab/v1/x"));
        let hidden = told("POST", Some(&body), &[("passphrase", Elsewhere::Variable("CARDLAB_PASSPHRASE"))]);
        let made = r#"CARDLAB_PASSPHRASE=… jq -n '{"secrets":"sealed","passphrase":env.CARDLAB_PASSPHRASE}'"#;
        assert_eq!(hidden, format!("{made} | {socket} --json @- http://cardlab/v1/x"));
        let key = [("key", Elsewhere::Base64), ("password", Elsewhere::Variable("SECRET"))];
        let key = told("PUT", Some(&serde_json::json!({ "card": "gids" })), &key);
        let made = r#"base64 -w0 FILE | SECRET=… jq -R '{"card":"gids","key":.,"password":env.SECRET}'"#;
        assert_eq!(key, format!("{made} | {socket} -X PUT --json @- http://cardlab/v1/x"));
        let file = told("POST", Some(&serde_json::json!({ "text": "long" })), &[("text", Elsewhere::File)]);
        assert_eq!(file, format!(r#"jq -Rs '{{"text":.}}' FILE | {socket} --json @- http://cardlab/v1/x"#));
    }

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        for (word, wanted) in [("remove", "remove"), ("", "''"), ("Anna 00 00", "'Anna 00 00'"), ("it's", r"'it'\''s'")] {
            assert_eq!(quoted(word), wanted);
        }
        let told =
            std::process::Command::new("sh").args(["-c", &format!("printf %s {}", quoted("$HOME `x` 'y' \"z\" \\n"))]).output();
        assert_eq!(told.unwrap().stdout, b"$HOME `x` 'y' \"z\" \\n");
    }
}
