//! The kits of other languages: each is tested as its users have it, in their own test runner with their own PC/SC
//! library, and nothing is written into the sources.

use crate::common::{CARDLAB, Lab, has};
use std::collections::BTreeSet;
use std::path::Path;

const KITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/kits");
const TARGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target");

/// What the scripts below begin with: the kit in a directory of its own, and no readers but those that it makes. `example`
/// is the first block of a language in a file.
fn prelude(language: &str) -> String {
    format!(
        "export CARDLAB={CARDLAB}
         unset PCSCLITE_CSOCK_NAME CARDLAB_CONTROL
         cp -r {KITS}/{language} kit
         example() {{ awk -v from='```'$1 '$0 == from {{ on = 1; next }} /^```/ && on {{ exit }} on' $2; }}
         "
    )
}

fn run(language: &str, script: &str) -> String {
    Lab::new("nist-piv").host(&(prelude(language) + script)).ok()
}

/// `tests/run` fetches what builds the wheel into the environment of ykman's tests.
#[test]
fn the_pytest_kit_is_a_wheel_and_leaves_nothing_beside_its_sources() {
    let script = format!(
        "find kit | sort >before
         pip() {{ {TARGET}/ykman/bin/python -m pip --disable-pip-version-check --quiet \"$@\"; }}
         pip wheel --no-index --no-deps --no-build-isolation --wheel-dir wheels ./kit
         find kit | sort | diff before -
         pip install --no-index --no-deps --target site wheels/cardlab-*.whl
         example python kit/README.md >test_readme.py
         PYTHONPATH=$PWD/site /usr/bin/python3 -B -m pytest -p no:cacheprovider -q kit/tests test_readme.py"
    );
    has(&run("python", &script), &["9 passed"]);
}

/// With piv-go, which is Debian's.
#[test]
fn the_go_kit() {
    let cache = concat!(env!("CARGO_TARGET_TMPDIR"), "/go");
    let script = format!(
        "export GOCACHE={cache} GOPATH=$PWD/go GOPROXY=off GOTOOLCHAIN=local GOFLAGS=-mod=mod
         test -z \"$(gofmt -l kit)\"
         (cd kit && go vet ./...)
         cd kit/tests
         example go ../README.md >readme_test.go
         go vet ./...
         go test -count=1 -v ./..."
    );
    let text = run("go", &script);
    let passed = text.lines().filter(|line| line.starts_with("--- PASS: ")).count();
    assert!(passed == 9 && !text.contains("SKIP"), "{passed}: {text}");
}

/// With `javax.smartcardio` and Maven; its plugins and JUnit are Debian's, in the versions that Debian has.
#[test]
fn the_java_kit() {
    let text = run(
        "java",
        r#"repository=/usr/share/maven-repo
         newest() { ls $repository/$1 | grep '^[0-9]' | sort -V | tail -1; }
         echo "<settings><localRepository>$PWD/m2</localRepository><mirrors><mirror><id>debian</id><mirrorOf>*</mirrorOf>\
<url>file://$repository</url></mirror></mirrors></settings>" >settings.xml
         example java kit/README.md >kit/tests/ReadmeTest.java
         mvn --quiet --batch-mode --settings settings.xml --file kit/pom.xml \
           -Djunit.version=$(newest org/junit/jupiter/junit-jupiter-api) \
           -Djunit.platform.version=$(newest org/junit/platform/junit-platform-launcher) \
           -Dcompiler.version=$(newest org/apache/maven/plugins/maven-compiler-plugin) \
           -Dsurefire.version=$(newest org/apache/maven/plugins/maven-surefire-plugin) test >&2
         cat kit/target/surefire-reports/*.txt"#,
    );
    has(&text, &["Tests run: 8, Failures: 0, Errors: 0, Skipped: 0", "Tests run: 1, Failures: 0, Errors: 0, Skipped: 0"]);
}

/// With the packages smartcard and @pokusew/pcsclite, which `tests/run` fetches and compiles.
#[test]
fn the_node_kit() {
    let script = format!(
        "mkdir node_modules tests
         echo '{{\"type\":\"module\"}}' >package.json
         ln -s ../kit node_modules/cardlab
         ln -s {TARGET}/node/node_modules/* node_modules
         cp kit/tests/* tests
         example js kit/README.md >tests/readme.test.js
         node --test --test-reporter=tap tests/*.test.js"
    );
    has(&run("node", &script), &["# pass 10\n", "# fail 0\n", "# skipped 0\n"]);
}

/// What stands behind the beginning of a function, in a line that is one.
type Function = fn(&str) -> Option<&str>;

/// A kit's file that says what a card can do, and how a function begins there.
const LANGUAGES: [(&str, &str, Function); 4] = [
    ("Python", "python/cardlab/__init__.py", |line| line.strip_prefix("    def ")),
    ("Java", "java/src/cardlab/Card.java", |line| {
        let before = line.strip_prefix("    public ")?.split('(').next()?;
        before.rsplit(' ').next()
    }),
    ("Go", "go/card.go", |line| line.strip_prefix("func (c *Card) ")),
    ("Node", "node/index.d.ts", |line| line.strip_prefix("  ")),
];

/// The public functions of the class or type `Card`.
fn functions_of(language: usize) -> BTreeSet<String> {
    let (name, file, function) = LANGUAGES[language];
    let text = std::fs::read_to_string(Path::new(KITS).join(file)).unwrap();
    let card = ["class Card:", "class Card {"].iter().find_map(|class| text.split_once(class)).map_or(&*text, |(_, rest)| rest);
    let end = card.find("\nclass ").unwrap_or(card.len());
    let mut found = BTreeSet::new();
    for line in card[..end].lines().filter_map(function).filter(|line| name == "Java" || line.contains('(')) {
        let function = line.split('(').next().unwrap();
        let public = function.starts_with(char::is_alphabetic) && (name != "Go" || function.starts_with(char::is_uppercase));
        if public && function.chars().all(|c| c.is_alphanumeric() || c == '_') && function != "constructor" {
            found.insert(function.to_owned());
        }
    }
    found
}

/// What one kit can do, all can: the table of docs/kits.md is what there is, in each language.
#[test]
fn every_kit_has_the_functions_of_the_table() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/kits.md")).unwrap();
    let table = page.split_once("## A card\n").unwrap().1.split("\n## ").next().unwrap();
    let rows: Vec<Vec<&str>> =
        table.lines().filter(|line| line.starts_with("| `")).map(|line| line.split('|').skip(1).collect()).collect();
    assert!(rows.len() > 20, "{rows:?}");
    for (language, (name, file, _)) in LANGUAGES.iter().enumerate() {
        let named = |row: &Vec<&str>| {
            let cell = row[language].trim().trim_matches('`');
            cell.split('(').next().unwrap().to_owned()
        };
        assert_eq!(functions_of(language), rows.iter().map(named).collect(), "{name}: {file}, and the table of docs/kits.md");
    }
}
