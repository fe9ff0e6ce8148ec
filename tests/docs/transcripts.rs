//! Every transcript (a `console` fence) of the README and the docs is run, and what it shows must come.
//!
//! A page is one session of bash in a directory of its own, from its first fence to its last: what a reader has exported
//! or put up stays. `$` begins a command, `>` goes on with it. In what it shows `[..]` is any part of a line and `...` any
//! lines. A command that ends with `&` stays in the background, and what stands below it is waited for. `/tmp` is the
//! session's own. `<!-- before: .. -->` above a fence is run first and shows nothing.
//!
//! `CARDLAB_WRITE_DOCS=1 cargo test --test e2e docs::transcripts` writes what came into the page, where it differs.

use super::document::{Document, Fence, root};
use crate::common::CARDLAB;
use rustix::process::{Pid, Signal, kill_process_group};
use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// A page whose transcripts are run, and its test.
macro_rules! pages {
    ($($test:ident: $page:literal,)*) => {
        const PAGES: &[&str] = &[$($page),*];
        $(#[test] fn $test() { holds($page); })*
    };
}

pages! {
    readme: "README.md",
    any_card: "docs/any-card.md",
    bench: "docs/bench.md",
    ci: "docs/ci.md",
    key_files: "docs/key-files.md",
    opensc_ci: "docs/opensc-ci.md",
    packages: "docs/packages.md",
    start: "docs/start.md",
    unlock: "docs/unlock.md",
    virt_cacard: "docs/virt-cacard.md",
    your_card: "docs/your-card.md",
}

#[test]
fn every_page_with_a_transcript_is_run() {
    let with = Document::all().into_iter().filter(|page| page.fences().iter().any(|fence| fence.language == "console"));
    let with: Vec<String> = with.map(|page| page.name).collect();
    assert_eq!(with, PAGES, "the pages with transcripts, and those that are run (in the order of their names)");
}

/// Whoever follows one page after another in one shell has no readers of the last page beside those of the next, and no socket that
/// is taken.
#[test]
fn what_a_page_begins_it_ends() {
    let mut begun = 0;
    for page in PAGES {
        let document = Document::read(page);
        let fences = document.fences();
        let of_page = fences.iter().filter(|fence| fence.language == "console").flat_map(|fence| exchanges(fence, page));
        let commands: Vec<String> = of_page.map(|exchange| exchange.command).collect();
        let begins = |command: &String| command.starts_with("cardlab up ") && command.ends_with('&');
        if let Some(at) = commands.iter().position(begins) {
            begun += 1;
            let ends = commands[at..].iter().any(|command| command == "kill $! && unset PCSCLITE_CSOCK_NAME");
            assert!(ends, "{page}: {} is not ended", commands[at]);
        }
    }
    assert!(begun > 3, "{begun}");
}

/// A transcript that says something else fails: in its words, in a line too few and in one too many.
#[test]
fn another_sentence_is_seen() {
    let page = |shown: &str| Document {
        name: "here".into(),
        lines: ["```console", "$ printf 'one\\ntwo %s\\n' 3", shown, "```"]
            .iter()
            .flat_map(|l| l.lines())
            .map(str::to_owned)
            .collect(),
    };
    for right in ["one\ntwo 3", "one\ntwo [..]", "...\ntwo 3", "one\n..."] {
        assert_eq!(differences(&page(right)).len(), 0, "{right}");
    }
    for wrong in ["one\ntwo 4", "one", "one\ntwo 3\nthree", "two 3", "two 3\none", "one\ntwo [..] 3"] {
        assert_eq!(differences(&page(wrong)).len(), 1, "{wrong}");
    }
    let missing = Document { name: "here".into(), lines: ["```console", "$ no-such-program", "```"].map(str::to_owned).into() };
    assert_eq!(differences(&missing).len(), 1, "a command that is not there");
}

/// What stands between the parts of a session's output; no program says it.
const MARK: &str = "\u{1}cardlab-transcript\u{1}";

/// A command of a transcript and what is shown of it.
struct Exchange {
    command: String,
    shown: Vec<String>,
    /// The lines that show it: from, to (not included), counted from 0.
    place: std::ops::Range<usize>,
}

/// What came instead of what a page shows.
struct Difference {
    place: std::ops::Range<usize>,
    command: String,
    shown: String,
    came: String,
}

#[track_caller]
fn holds(page: &str) {
    let document = Document::read(page);
    let different = differences(&document);
    if different.is_empty() {
        return;
    }
    if std::env::var_os("CARDLAB_WRITE_DOCS").is_some() {
        let mut lines = document.lines;
        for difference in different.into_iter().rev() {
            lines.splice(difference.place, difference.came.lines().map(str::to_owned));
        }
        return std::fs::write(root().join(page), lines.join("\n") + "\n").unwrap();
    }
    let said = different.iter().map(|Difference { place, command, shown, came }| {
        format!("{page}:{}: $ {command}\n--- the page shows\n{shown}\n--- but there came\n{came}\n", place.start)
    });
    panic!("{}", said.collect::<String>());
}

fn differences(document: &Document) -> Vec<Difference> {
    let fences = document.fences();
    let mut session = Session::default();
    for fence in fences.iter().filter(|fence| fence.language == "console") {
        fence.before.iter().for_each(|command| session.add(command, 0, None));
        for exchange in exchanges(fence, &document.name) {
            session.add(&exchange.command.clone(), exchange.shown.len(), Some(exchange));
        }
    }
    let came = session.run();
    assert_eq!(came.len(), session.parts.len(), "{}: a command ended the session, after {:?}", document.name, came.last());
    let pairs = session.parts.into_iter().zip(came).filter_map(|(exchange, came)| Some((exchange?, came)));
    let different = pairs.filter_map(|(exchange, (code, came))| {
        let Exchange { command, shown, place } = exchange;
        let shown = shown.join("\n");
        let came = came.trim_end().to_owned();
        let like = snapbox::Assert::new().try_eq(None, came.clone().into(), shown.clone().into()).is_ok();
        (!like || code == 127).then_some(Difference { place, command, shown, came })
    });
    different.collect()
}

/// The commands of a fence with what is shown of each.
fn exchanges(fence: &Fence<'_>, page: &str) -> Vec<Exchange> {
    let mut found: Vec<Exchange> = Vec::new();
    for (number, line) in (fence.first..).zip(fence.lines) {
        if let Some(command) = line.strip_prefix("$ ") {
            found.push(Exchange { command: command.into(), shown: Vec::new(), place: number + 1..number + 1 });
            continue;
        }
        let last = found.last_mut().unwrap_or_else(|| panic!("{page}:{}: a transcript begins with a command", number + 1));
        match line.strip_prefix("> ") {
            Some(more) if last.shown.is_empty() => {
                last.command = format!("{}\n{more}", last.command);
                last.place = number + 1..number + 1;
            }
            _ => {
                last.shown.push(line.clone());
                last.place.end = number + 1;
            }
        }
    }
    found
}

/// What is run for a page.
#[derive(Default)]
struct Session {
    script: String,
    /// Of each part of the output the command that it is of; none for what was done before a fence.
    parts: Vec<Option<Exchange>>,
}

impl Session {
    /// A command of which so many lines are shown.
    fn add(&mut self, command: &str, lines: usize, of: Option<Exchange>) {
        let background = command.split(" #").next().is_some_and(|command| command.trim_end().ends_with('&'));
        let number = self.parts.len();
        if background && lines > 0 {
            // What it says goes through a pipe that stays open; its first lines are waited for.
            let pipe = format!("mkfifo ../.said{number}; exec {{said}}<>../.said{number}");
            let _ = writeln!(self.script, "{pipe}\n{{ {command}\n}} >&$said 2>&1\nhead -n {lines} <&$said");
        } else {
            let _ = writeln!(self.script, "{command}");
        }
        let _ = writeln!(self.script, "printf '\\n{MARK}%s\\n' $?");
        self.parts.push(of);
    }

    /// The exit code and output of each part.
    fn run(&self) -> Vec<(i32, String)> {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path().to_str().unwrap().to_owned();
        let home = directory.path().join("home");
        std::fs::create_dir(&home).unwrap();
        let script = format!(
            "shopt -s expand_aliases\ntrap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n{}",
            self.script.replace("/tmp/", &format!("{here}/"))
        );
        std::fs::write(directory.path().join(".script"), script).unwrap();
        let path = std::env::var("PATH").unwrap();
        let program = Path::new(CARDLAB).parent().unwrap().display();
        let mut command = Command::new("bash");
        command.current_dir(&home).args(["--noprofile", "--norc", "-c", "exec 2>&1; . ../.script"]).stdin(Stdio::null());
        command.env("HOME", &home).env("PATH", format!("{program}:{path}")).env("LC_ALL", "C.UTF-8");
        for variable in ["PCSCLITE_CSOCK_NAME", "CARDLAB_CONTROL", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"] {
            command.env_remove(variable);
        }
        // Into a file: what a page has left running must not be waited for.
        let said = directory.path().join(".said");
        let mut bash = command.stdout(File::create(&said).unwrap()).process_group(0).spawn().unwrap();
        let group = Pid::from_child(&bash);
        bash.wait().unwrap();
        let _ = kill_process_group(group, Signal::KILL);
        let text =
            String::from_utf8_lossy(&std::fs::read(&said).unwrap()).replace(&format!("{here}/"), "/tmp/").replace('\r', "");
        let mut found = Vec::new();
        let mut rest = text.as_str();
        while let Some((part, after)) = rest.split_once(&format!("\n{MARK}")) {
            let (code, after) = after.split_once('\n').unwrap();
            found.push((code.parse().unwrap(), part.to_owned()));
            rest = after;
        }
        found
    }
}
