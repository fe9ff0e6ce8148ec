//! The workspace itself: what is tested is what ships, and every file of tests is one that runs.

use crate::common::{CARDLAB, Lab, cardlab, has};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Features that only tests and benches ask for. Each is of a crate that is not ours, and changes nothing of what the
/// program does with it.
const OF_TESTS: [(&str, &str, &str); 5] = [
    ("crossbeam-utils", "default", "criterion's; the same as std, which the program has"),
    ("either", "use_std", "criterion's; another name of std, which the program has"),
    ("time", "default", "fantoccini's; another name of std, which the program has"),
    ("zerocopy", "derive", "criterion's; macros that nothing of the program uses"),
    ("zerocopy", "zerocopy-derive", "criterion's; the same"),
];

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The features of each crate that is compiled into programs (not into the compiler), by name and version.
fn features(of: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let tree = ["tree", "--locked", "--prefix", "none", "--format", "{p}|{f}"];
    let mut found = BTreeMap::<String, BTreeSet<String>>::new();
    for line in cargo(&[&tree, of].concat()).lines().filter(|line| !line.is_empty()) {
        let (package, features) = line.trim_end_matches(" (*)").split_once('|').unwrap();
        let package = package.split(' ').take(2).collect::<Vec<_>>().join(" ");
        found.entry(package).or_default().extend(features.split(',').filter(|f| !f.is_empty()).map(str::to_owned));
    }
    found
}

/// The tests run the program that `cargo test --workspace` compiles, where crates have the features that any member's
/// tests ask for.
#[test]
fn the_program_under_test_has_the_features_of_a_release() {
    let released = features(&["--package", "cardlab", "--edges", "normal,no-proc-macro"]);
    let tested = features(&["--workspace", "--edges", "normal,dev,no-proc-macro"]);
    assert!(released.len() > 100, "{released:?}");
    let mut more = BTreeSet::new();
    for (package, features) in &released {
        let name = package.split(' ').next().unwrap();
        more.extend(tested[package].difference(features).map(|feature| (name, feature.as_str())));
    }
    let known = OF_TESTS.iter().map(|(name, feature, _)| (*name, *feature)).collect();
    assert_eq!(more, known, "features that only tests have, and what is known of them");
}

#[test]
fn the_program_says_what_it_is_built_of() {
    let number = format!("cardlab {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(cardlab(&["-V"]).ok(), number);
    let text = cardlab(&["--version", "--verbose"]).ok();
    assert!(text.starts_with(&number), "{text}");
    let features: Vec<&str> = text.lines().filter(|line| line.starts_with("features")).collect();
    assert_eq!(features, ["features      fast-crypto"], "no feature is for tests");
    has(&text, &["cryptography  aws-lc", "profile       "]);
}

/// What switches something on for tests only is no option of any command, and no variable.
#[test]
fn nothing_is_switched_on_for_tests() {
    for option in ["--seeded-fault", "--sabotage", "--test"] {
        has(&cardlab(&["up", option, "verify-no-decrement"]).code(2), &["unexpected argument", option]);
    }
    let program = std::fs::read(CARDLAB).unwrap();
    let word = b"CARDLAB_TEST_";
    assert!(!program.windows(word.len()).any(|window| window == word), "the program knows a variable of the tests");
}

/// What the registry and docs.rs ask of a crate; and no dependency needs a newer Rust than cardlab says it does.
#[test]
fn every_crate_can_be_taken() {
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--locked", "--format-version", "1"])).unwrap();
    let (ours, others): (Vec<&Value>, Vec<&Value>) =
        metadata["packages"].as_array().unwrap().iter().partition(|package| package["source"].is_null());
    let oldest = env!("CARGO_PKG_RUST_VERSION");
    let published: Vec<&&Value> = ours.iter().filter(|package| package["publish"].is_null()).collect();
    assert!(published.len() > 10, "{}", published.len());
    for package in published {
        let name = &package["name"];
        for (field, value) in [("license", "MIT OR Apache-2.0"), ("rust_version", oldest), ("version", env!("CARGO_PKG_VERSION"))]
        {
            assert_eq!(package[field], value, "{name}: {field}");
        }
        assert!(package["description"].as_str().is_some_and(|text| text.len() > 20), "{name}: description");
        assert!(package["metadata"]["docs"]["rs"]["targets"].is_array(), "{name}: what docs.rs builds it for");
        for list in ["keywords", "categories"] {
            assert!((1..=5).contains(&package[list].as_array().unwrap().len()), "{name}: {list}");
        }
    }
    let number = |version: &str| version.split('.').map(|part| part.parse::<u32>().unwrap()).collect::<Vec<_>>();
    let newer = others
        .iter()
        .filter(|package| package["rust_version"].as_str().is_some_and(|version| number(version)[..2] > number(oldest)[..]));
    let newer: Vec<String> = newer.map(|package| format!("{} {}", package["name"], package["rust_version"])).collect();
    assert!(newer.is_empty(), "need a newer Rust than {oldest}: {newer:?}");
}

/// Where a version is written again, it is the same.
#[test]
fn the_kits_have_the_version_of_the_program() {
    let version = env!("CARGO_PKG_VERSION");
    for (file, written) in [
        ("kits/python/pyproject.toml", format!("\nversion = \"{version}\"\n")),
        ("kits/java/pom.xml", format!("<artifactId>cardlab</artifactId>\n  <version>{version}</version>")),
        ("kits/node/package.json", format!("\"version\": \"{version}\"")),
        ("kits/node/package-lock.json", format!("\"name\": \"cardlab\",\n  \"version\": \"{version}\"")),
    ] {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        assert!(text.contains(&written), "{file}: no {written}");
    }
}

/// What a step of `tests/release` takes from the machine is said before anything is compiled, with what brings it.
#[test]
fn a_release_says_what_the_machine_lacks() {
    let lab = Lab::new("gids");
    let release = |steps: &str| {
        lab.host(&format!(
            "rm -rf bin; mkdir bin; for tool in bash env dirname sed; do ln -s \"$(command -v $tool)\" bin/$tool; done
             PATH=$PWD/bin {}/tests/release {steps}",
            env!("CARGO_MANIFEST_DIR")
        ))
        .code(2)
    };
    has(&release("static"), &["tests/release static needs gcc musl-tools binutils: apt-get install gcc musl-tools binutils\n"]);
    has(&release("workflows reuse"), &["needs python3-venv: apt-get install python3-venv\n"]);
    has(
        &release(""),
        &[
            "deny reuse workflows msrv api publish site static needs gcc python3-venv python3 pkg-config libpcsclite-dev libssl-dev musl-tools binutils:",
        ],
    );
    has(&release("nothing"), &["deny       licences,", "static     a program"]);
}

/// What `tests/run` does where little is there; the programs that it would run only say how they are called.
#[test]
fn the_test_command_says_what_it_leaves_out() {
    let lab = Lab::new("gids");
    let run = |programs: &str, option: &str| {
        lab.host(&format!(
            "rm -rf bin; mkdir bin
             for tool in bash env dirname sed df tail tr nproc grep cat; do ln -s \"$(command -v $tool)\" bin/$tool; done
             for tool in dpkg-query false; do ln -sf /bin/false bin/$tool; done
             fake() {{ printf '#!/bin/sh\\n%s\\n' \"$2\" >bin/$1; chmod +x bin/$1; }}
             fake id 'echo 1000'
             fake cargo 'echo cargo \"$@\"; case \"$*\" in nextest*|*no-run) exit 77; esac'
             {programs}
             PATH=$PWD/bin {}/tests/run {option}",
            env!("CARGO_MANIFEST_DIR")
        ))
    };
    has(&run("", "").code(2), &["tests/run needs root, for packages,", "tests/run --user goes as far as one comes without"]);
    // A word that it does not know is none that it goes on without.
    has(&run("", "--help").code(0), &["tests/run --needs"]);
    let refused = run("", "--quick --help").code(2);
    assert!(refused.contains("tests/run --needs") && !refused.contains("cargo"), "{refused}");
    let text = run("", "--user").code(0);
    has(
        &text,
        &[
            "What follows is tests/run --quick",
            "\ncargo clippy --workspace --exclude cardlab",
            "\ncargo test --workspace --exclude",
        ],
    );
    // What compiles is there; what would fetch is not, or fails.
    let text =
        run("for tool in c++ pkg-config; do ln -s /bin/true bin/$tool; done; ln -s /bin/false bin/pip3", "--user").code(77);
    has(
        &text,
        &[
            "left out, or failing: what needs build-essential pkg-config",
            "left out, or failing: what needs axe\n",
            "left out, or failing: what needs node\n",
            "\ncargo clippy --workspace --all-targets",
            "\ncargo test --workspace --locked --no-run\n",
        ],
    );
}

/// A script that is asked how it is called says that and does nothing; a word that it does not know is none that it begins with.
#[test]
fn scripts_say_how_they_are_called() {
    let lab = Lab::new("gids");
    let script = |line: &str| lab.host(&format!("{}/{line}", env!("CARGO_MANIFEST_DIR")));
    for name in [
        "dist/deb/build",
        "dist/ifd/install",
        "dist/site/build",
        "dist/static/build",
        "tests/mutants",
        "tests/postgres",
        "tests/release",
        "tests/run",
        "tests/virtual-machine",
        "tests/windows",
    ] {
        has(&script(&format!("{name} --help")).code(0), &[name]);
        // What these take is cargo's.
        if !["tests/mutants", "tests/windows"].contains(&name) {
            has(&script(&format!("{name} --hlep")).code(2), &[name]);
        }
    }
    has(&script("dist/deb/build dist --bulit").code(2), &["dist/deb/build [PROFILE [--built]]"]);
    has(&script("dist/ifd/install /run/cardlab/cards two").code(2), &["[SOCKET [READERS]]"]);
    has(&script("dist/ifd/install /run/cardlab/cards --remove").code(2), &["install --remove"]);
}

/// How long the tests take is said by `tests/run`, and by nobody otherwise.
#[test]
fn pages_say_of_the_tests_what_they_say_themselves() {
    let read = |file: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let run = read("tests/run");
    let needs = |what: &str| {
        let line =
            run.lines().find_map(|line| line.strip_prefix(what)).unwrap_or_else(|| panic!("tests/run says nothing of {what}"));
        line.trim().split([',', ' ']).next().unwrap().parse::<u32>().unwrap()
    };
    let first = needs("a first build ");
    has(&read("README.md"), &[&format!("and {first} for the other; `tests/run --needs`")]);
    let contributing = read("CONTRIBUTING.md");
    has(&contributing, &[&format!("A first build takes {first} minutes more.")]);
    for how in ["tests/run --quick", "tests/run --user", "tests/run"] {
        let minutes = needs(&format!("{how}  "));
        let row = contributing.lines().find(|line| line.starts_with(&format!("| `{how}` |"))).unwrap();
        assert!(row.contains(&format!(" | {minutes} minutes")), "{row}: tests/run says {minutes}");
    }
}

/// The forge runs each step of a release.
#[test]
fn the_workflow_has_every_step_of_a_release() {
    let read = |file: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let between =
        |text: &str, before: &str, after: char| text.split_once(before).unwrap().1.split_once(after).unwrap().0.replace(',', "");
    let steps = between(&read("tests/release"), "\nall=(", ')');
    assert!(steps.split(' ').count() > 5, "{steps}");
    assert_eq!(between(&read(".github/workflows/ci.yml"), "step: [", ']'), steps);
}

/// Tests are found by name no more: each program of tests has a list of its files.
#[test]
fn every_file_of_tests_is_run() {
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--locked", "--no-deps", "--format-version", "1"])).unwrap();
    let mut seen = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let programs = package["targets"].as_array().unwrap().iter().filter(|target| target["kind"][0] == "test");
        let programs: Vec<&Path> = programs.map(|target| Path::new(target["src_path"].as_str().unwrap())).collect();
        let directory = Path::new(package["manifest_path"].as_str().unwrap()).with_file_name("tests");
        for entry in directory.read_dir().into_iter().flatten().map(|entry| entry.unwrap().path()) {
            let file = if entry.is_dir() { entry.join("main.rs") } else { entry };
            if file.extension().is_none_or(|extension| extension != "rs") || !file.exists() {
                continue;
            }
            let module = format!("mod {};", file.file_stem().unwrap().display());
            let listed = |program: &&Path| std::fs::read_to_string(program).unwrap().lines().any(|line| line == module);
            assert!(programs.contains(&&*file) || programs.iter().any(listed), "{}: no program of tests has it", file.display());
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
}
