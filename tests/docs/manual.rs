//! Man pages, completions and help say the same, and all of it.

use super::document::root;
use super::references::made;
use crate::common::{CARDLAB, Lab, cardlab, has};
use std::collections::BTreeSet;

#[test]
fn man_pages_have_exit_codes_variables_and_files() {
    let lab = Lab::new("gids");
    let page = |name: &str| {
        cardlab(&["manual", "--man", lab.file("man").to_str().unwrap()]).ok();
        lab.host(&format!("man --warnings -l man/{name}.1 2>&1 | col -b")).ok()
    };
    let exec = page("cardlab-exec");
    has(
        &exec,
        &["EXIT STATUS", "126, 127, 128+N", "ENVIRONMENT", "CARDLAB_VPCD", "FILES", "DIR/cards.redb", "EXAMPLE\n", "SEE ALSO"],
    );
    assert!(!exec.contains("warning:") && !exec.contains("CARDLAB_MASTER_KEY"), "{exec}");
    has(&page("cardlab-serve"), &["CARDLAB_MASTER_KEY", "cardlab-cms.key"]);
    has(&page("cardlab-card-restore"), &["CARDLAB_CONTROL", "CARDLAB_PASSPHRASE"]);
}

#[test]
fn completions_know_the_profiles() {
    let lab = Lab::new("gids");
    let complete =
        "COMP_WORDS=(cardlab exec --card yubi); COMP_CWORD=3; COMP_LINE='cardlab exec --card yubi'; COMP_POINT=${#COMP_LINE}";
    let bash =
        format!(". <({CARDLAB} manual --completions bash); {complete}; _cardlab cardlab yubi --card; echo ${{COMPREPLY[*]}}");
    assert_eq!(lab.host(&bash).ok(), "yubikey-4.3 yubikey-5.4 yubikey-5.7\n");
    let fish = cardlab(&["manual", "--completions", "fish"]).ok();
    let exec = fish.lines().find(|line| line.contains("subcommand exec") && line.contains("-l card ")).unwrap().to_owned();
    let up = fish.lines().find(|line| line.contains("subcommand up") && line.contains("-l card ")).unwrap().to_owned();
    let after = |line: &str| fish[fish.find(line).unwrap()..].split("complete -c cardlab").nth(1).unwrap().to_owned();
    for line in [exec, up] {
        has(&after(&line), &["nist-piv", "gids-blank", "yubikey-5.7"]);
    }
    // They are proposals: more may stand behind a name, and is taken.
    cardlab(&["exec", "--card", "yubikey-5.4,pin-tries=1", "--", "true"]).ok();
}

/// What the list of commands says of one is what the command says of itself.
#[test]
fn a_command_says_of_itself_what_the_list_says() {
    let list = cardlab(&["--help"]).ok();
    let commands = list.split("Commands:\n").nth(1).unwrap().lines().take_while(|line| line.starts_with("  "));
    let mut seen = 0;
    for line in commands {
        let Some((name, about)) = line.trim().split_once(' ') else { continue };
        if name == "help" || line.starts_with("   ") {
            continue;
        }
        let help = cardlab(&[name, "-h"]).ok().split_whitespace().collect::<Vec<_>>().join(" ");
        let about = about.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.starts_with(&about), "{name}: the list says '{about}', the command '{help}'");
        seen += 1;
    }
    assert!(seen > 12, "{seen}");
}

/// Every variable of ours that the code reads is in the table of variables.
#[test]
fn no_variable_is_left_out() {
    let table = made("environment.md");
    let mut found = BTreeSet::new();
    let mut folders =
        ["src", "client/src", "control/src", "vreader/src", "server-stub/src", "sim/src", "conformance/src", "scenario/src"]
            .map(|folder| root().join(folder))
            .to_vec();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            let text = std::fs::read_to_string(entry).unwrap_or_default();
            for quoted in text.split('"').filter(|word| word.starts_with("CARDLAB_")) {
                if quoted.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
                    found.insert(quoted.to_owned());
                }
            }
        }
    }
    // Those of tests beside the code.
    found.retain(|name| !["CARDLAB_WRITE_DOCS", "CARDLAB_NO_SUCH_VARIABLE", "CARDLAB_STRESS_SECONDS"].contains(&name.as_str()));
    found.retain(|name| !name.starts_with("CARDLAB_TEST_"));
    assert!(found.len() > 4, "{found:?}");
    for name in &found {
        has(&table, &[&format!("`{name}`")]);
    }
}
