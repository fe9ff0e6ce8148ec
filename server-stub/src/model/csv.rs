//! Tables as CSV (RFC 4180).

/// One line. A cell that a spreadsheet would take for a formula gets an apostrophe before it.
#[must_use]
pub fn line(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell_of(cell)).collect();
    format!("{}\r\n", cells.join(","))
}

fn cell_of(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !text.contains([',', '"', '\n', '\r']) {
        return text.to_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_text() {
        assert_eq!(line(&["plain", "a,\"b\"", "=cmd|x"]), "plain,\"a,\"\"b\"\"\",\"'=cmd|x\"\r\n");
    }
}
