//! Words as a shell takes them.

/// A word, in quotes where it needs them.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | ':' | '=' | '@' | '+' | ',');
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

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
