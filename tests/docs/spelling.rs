//! Commands and options in the pages are those that the program has.

use super::document::{Document, root};
use super::references::made;
use crate::common::{cardlab, has};
use std::collections::{BTreeMap, BTreeSet};

/// The options of each command, by its words without `cardlab`.
type Options = BTreeMap<String, BTreeSet<String>>;

/// Stands for the words that a command takes.
const WORD: &str = "<";

/// What the parser knows, out of the reference that is made from it.
fn known() -> Options {
    let text = made("commands.md");
    let mut known = Options::new();
    let mut command = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("## cardlab ") {
            command = name.to_owned();
            known.insert(command.clone(), ["--help", "-h"].map(str::to_owned).into());
        } else if let Some(row) = line.strip_prefix("| `") {
            let written = row.split('`').next().unwrap();
            let spelled = written.split([' ', ',']).filter(|word| word.starts_with('-')).map(str::to_owned);
            let word = written.starts_with('<').then(|| WORD.to_owned());
            known.get_mut(&command).unwrap().extend(spelled.chain(word));
        }
    }
    known
}

/// What is wrong with a command line that begins with `cardlab`.
fn mistake(line: &str, known: &Options) -> Option<String> {
    let words = line.split_whitespace().skip(1);
    let mut command = String::new();
    let mut options = false;
    for word in words {
        // What is behind it is another program's; and what a shell says is no word of ours.
        if word == "--" || word.starts_with(['|', ';', '&', '>', '<', '#', ')', '\\']) {
            break;
        }
        let (plain, last) = match word.strip_suffix([';', ')', ',', '.', ':']) {
            Some(plain) => (plain, true),
            None => (word, false),
        };
        let longer = format!("{command} {plain}").trim_start().to_owned();
        if !options && known.contains_key(&longer) {
            command = longer;
        } else if plain.starts_with('-') && plain.len() > 1 {
            options = true;
            let option = plain.split(['=', ']', '|']).next().unwrap();
            let top = command.is_empty() && ["--version", "-V", "--help", "-h", "--verbose"].contains(&option);
            if !top && !known.get(&command).is_some_and(|of| of.contains(option)) {
                return Some(format!("'cardlab {command}' has no {option}"));
            }
        } else if !options && !known.get(&command).is_some_and(|of| of.contains(WORD)) {
            // What is written large stands for a word.
            if plain.starts_with(|c: char| c.is_lowercase()) {
                return Some(format!("'cardlab {command}' takes no word '{plain}'"));
            }
            options = true;
        } else {
            options = true;
        }
        if last {
            break;
        }
    }
    None
}

/// Where a page says a command of ours: after `cardlab` at the beginning of a command in a shell, or in code in a sentence.
fn said(page: &Document) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut add = |number: usize, text: &str| {
        for (at, _) in text.match_indices("cardlab ") {
            let before = text[..at].trim_end();
            let begins = before.is_empty()
                || before.ends_with(['$', '#', '(', '|', ';', '&', '`', ':', '"', '\''])
                || before.ends_with("--")
                || before.rsplit(' ').next().is_some_and(|word| word.contains('=') && !word.starts_with('-'));
            let text = text[at..].split(['`', '"', '\'']).next().unwrap();
            // A word that is written large stands for something.
            if begins
                && text.split_whitespace().nth(1).is_some_and(|word| word.starts_with(|c: char| c.is_lowercase() || c == '-'))
            {
                found.push((number + 1, text.to_owned()));
            }
        }
    };
    for fence in page.fences() {
        let shell = matches!(fence.language, "console" | "sh" | "yaml" | "");
        for (number, line) in (fence.first..).zip(fence.lines).filter(|_| shell) {
            let transcript = fence.language == "console";
            if !transcript || line.starts_with("$ ") || line.starts_with("> ") {
                add(number, line.split(" #").next().unwrap());
            }
        }
    }
    for (number, line) in page.prose() {
        line.split('`').skip(1).step_by(2).filter(|code| code.contains("cardlab ")).for_each(|code| add(number, code));
    }
    found
}

#[test]
fn pages_name_commands_and_options_that_there_are() {
    let known = known();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for page in Document::all() {
        // Tests that have gone are in it.
        if page.name == "CHANGELOG.md" {
            continue;
        }
        for (line, text) in said(&page) {
            seen += 1;
            wrong.extend(mistake(&text, &known).map(|mistake| format!("{}:{line}: {mistake} ({text})", page.name)));
        }
    }
    assert!(seen > 100, "{seen} commands");
    assert!(wrong.is_empty(), "what the parser does not know:\n{}", wrong.join("\n"));
}

#[test]
fn a_command_that_is_not_there_is_seen() {
    let known = known();
    assert!(known.len() > 50, "{known:?}");
    for wrong in
        ["cardlab fly", "cardlab up --sockte x", "cardlab card locks", "cardlab card lock pin --trys 3", "cardlab exec --pin"]
    {
        assert!(mistake(wrong, &known).is_some(), "{wrong}");
    }
    for right in
        ["cardlab exec --card gids -- make --trys", "cardlab card lock pin --tries 3", "cardlab up --socket=x | head -n 3"]
    {
        assert_eq!(mistake(right, &known), None);
    }
}

/// The kind of card that each `--card` of a command line names; none for a snapshot, a guest, or what stands for one.
fn kinds(line: &str) -> Vec<&str> {
    let words: Vec<&str> = line.split([' ', '=']).collect();
    let values = words.windows(2).filter(|pair| pair[0] == "--card").map(|pair| pair[1]);
    let kinds = values.map(|value| value.split([',', ')', ']', ';']).next().unwrap());
    kinds.filter(|kind| kind.starts_with(|c: char| c.is_lowercase()) && !kind.contains([':', '$'])).collect()
}

#[test]
fn pages_name_cards_that_there_are() {
    let text = cardlab(&["profile", "list"]).ok();
    let known: BTreeSet<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    let mut seen = 0;
    for page in Document::all() {
        for (line, text) in said(&page) {
            for kind in kinds(&text) {
                seen += 1;
                assert!(known.contains(kind), "{}:{line}: there is no card '{kind}' ({text})", page.name);
            }
        }
    }
    assert!(seen > 40, "{seen} cards");
}

/// The scripts of the repository that pages name are there, and their options are theirs.
#[test]
fn pages_name_scripts_that_there_are() {
    let mut seen = 0;
    for page in Document::all() {
        let shell = page.fences().into_iter().filter(|fence| matches!(fence.language, "sh" | "console"));
        let lines = shell.flat_map(|fence| fence.lines.iter().map(|line| line.trim_start_matches("$ "))).map(str::to_owned);
        let code = page.prose().into_iter().flat_map(|(_, line)| line.split('`').skip(1).step_by(2)).map(str::to_owned);
        for text in lines.chain(code) {
            let mut words = text.split_whitespace();
            let script = words.next().unwrap_or_default();
            if !["dist/", "tests/", ".ci/"].iter().any(|folder| script.starts_with(folder)) || script.contains(['*', '{']) {
                continue;
            }
            seen += 1;
            let path = root().join(script);
            assert!(path.exists(), "{}: {script} is not there", page.name);
            for option in words.take_while(|word| *word != "#").filter(|word| path.is_file() && word.starts_with("--")) {
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(text.contains(option), "{}: {script} has no {option}", page.name);
            }
        }
    }
    assert!(seen > 30, "{seen} scripts");
}

#[test]
fn an_unknown_option_names_the_nearest() {
    has(&cardlab(&["up", "--sockte", "x"]).code(2), &["unexpected argument '--sockte'", "'--socket'"]);
    has(&cardlab(&["conforn"]).code(2), &["unrecognized subcommand 'conforn'", "'conform'"]);
}
