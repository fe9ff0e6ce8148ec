//! Files that people write: read, or refused with a line and a step.

use cardlab_scenario::catalogue;
use cardlab_scenario::file::Scenario;
use cardlab_scenario::play::play;
use cardlab_scenario::world::cards::Source;
use proptest::prelude::*;

fn error(text: &str) -> String {
    Scenario::parse(text).unwrap_err().to_string()
}

const HEAD: &str = "title = \"A title\"\n";

#[test]
fn errors_name_the_line_and_the_step() {
    let file = |step: &str| format!("{HEAD}\n[[step]]\ndo = \"insert\"\n\n[[step]]\n{step}\n");
    for (text, says) in [
        (String::new(), "line 1: missing field `title`"),
        (HEAD.into(), "line 2: there is no step"),
        ("title = \" \"\n[[step]]\ndo = \"insert\"".into(), "line 1: the title is empty"),
        (format!("{HEAD}titel = 1\n[[step]]\ndo = \"insert\""), "line 2: unknown field `titel`"),
        (format!("{HEAD}step = 3"), "line 2: steps are tables: write [[step]]"),
        (file("do = \"jump\""), "line 7, step 2: there is no action `jump`, expected one of `insert`, `remove`"),
        (file("card = \"G1\""), "line 6, step 2: the step does nothing: write do = \"...\""),
        (file("do = 7"), "line 7, step 2: do is the name of an action"),
        (file("do = \"verify\""), "line 7, step 2: missing field `pin`"),
        (
            file("do = \"verify\"\npin = \"1\"\npuk = \"2\""),
            "line 9, step 2: unexpected keys in table: puk, available keys: card, pin",
        ),
        (file("do = \"verify\"\npin = 1"), "line 8, step 2: invalid type: integer `1`, expected a string"),
        (file("do = \"remove\"\ncard = \"G7\""), "line 6, step 2: there is no card 'G7'; the file has: G1"),
        (file("do = \"fault\"\nfault = \"fire\""), "line 8, step 2: no fault named 'fire'; there are: power-cut"),
        (file("do = \"look\"\nexpect = { pin_left = 3 }"), "line 8, step 2: unknown field `pin_left`"),
        (file("do = \"look\"\nsave = 3"), "line 8, step 2: save is a name"),
        (file("do = \"type-answers\"\nanswers = \"perhaps\""), "line 8, step 2: answers are \"right\", \"wrong\" or a list"),
        (format!("{HEAD}[card.A]\nprofile = \"sim\"\n[[step]]\ndo = \"look\""), "line 2: no profile named 'sim'"),
        (format!("{HEAD}[card.A]\nstate = \"Lost\"\n[[step]]\ndo = \"look\""), "a card is not 'Lost' at the beginning"),
        (format!("{HEAD}[card.A]\nsettings = {{ colour = 3 }}\n[[step]]\ndo = \"look\""), "no card setting named 'colour'"),
        ("title = \"a\"\nx = [".into(), "line 2"),
    ] {
        assert!(error(&text).contains(says), "{text}\n{}\nexpected: {says}", error(&text));
    }
}

/// What a step expects is looked at: each expectation of a good scenario, made wrong, fails at its step.
#[test]
fn a_wrong_expectation_fails_at_its_step() {
    let good = catalogue::all().into_iter().find(|entry| entry.name == "online/happy").unwrap().text;
    let cases = [
        ("screen = \"questions\"", "screen = \"new-pin\"", "step 2 (press): screen: expected \"new-pin\", found \"questions\""),
        ("pin-left = 3", "pin-left = 2", "step 4 (type-new-pin): tries of the PIN: expected Some(2), found Some(3)"),
        ("admin-left = 5", "admin-left = 4", "tries of the administration key"),
        ("\"RESPONSE_GIVEN\", ", "", "step 4 (type-new-pin): events: expected"),
        ("shows = \"3 tries left\"", "shows = \"9 tries left\"", "step 5 (press): the screen: expected it to say"),
        ("screen = \"welcome\"", "screen = \"welcome\", error = \"x\"", "expected the error \"x\", but it was carried out"),
        ("screen = \"welcome\"", "screen = \"welcome\", refused = \"X\"", "expected the refusal X, but it was carried out"),
        ("screen = \"welcome\"", "screen = \"welcome\", user-locked = true", "user locked: expected Some(true)"),
        ("screen = \"welcome\"", "screen = \"welcome\", card-state = \"Clean\"", "card state: expected \"Clean\""),
        ("screen = \"welcome\"", "screen = \"welcome\", shows-not = \"Welcome\"", "the screen says \"Welcome\""),
        ("screen = \"welcome\"", "screen = \"welcome\", value = \"1\"", "value: expected Some(\"1\"), found None"),
        ("screen = \"welcome\"", "screen = \"welcome\", status = \"9000\"", "status word"),
        ("screen = \"welcome\"", "screen = \"welcome\", ok = true", "answers right"),
        ("screen = \"welcome\"", "screen = \"welcome\", mode = \"online\"", "mode: expected"),
        ("screen = \"welcome\"", "screen = \"welcome\", field = [\"a\", \"1\"]", "a: expected \"1\", found \"null\""),
        ("pin = \"471147\"\nexpect = { screen = \"welcome\" }", "pin = \"$nothing\"", "nothing was saved as 'nothing'"),
    ];
    let falsified = |(from, to, says): (&str, &str, &str)| {
        assert!(good.contains(from), "{from}");
        let scenario = Scenario::parse(&good.replace(from, to)).unwrap();
        let failure = play(&scenario, &Source::Simulated(1), |_, _| {}).unwrap_err().to_string();
        assert!(failure.contains(says), "{failure}\nexpected: {says}");
    };
    // Together: a screen that does not come is waited for.
    std::thread::scope(|scope| cases.into_iter().for_each(|case| drop(scope.spawn(move || falsified(case)))));
}

/// Pieces of files, put together at random.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("title = \"t\"\n".to_owned()),
        Just("[[step]]\n".to_owned()),
        Just("[card.A]\n".to_owned()),
        "do = \"(insert|remove|verify|send|look|fault)\"\n",
        "(pin|card|command|fault|save|covers|state|profile|pin-left) = (\"[a-z0-9]{0,6}\"|[0-9]{1,3}|true|\\[\\])\n",
        "expect = \\{ (pin-left|screen|error) = (\"[a-z]{0,5}\"|[0-9]{1,2}) \\}\n",
        "\\PC{0,20}\n",
    ];
    proptest::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// Any file is refused with a line that it has, or is played to its end or to a failing step.
    #[test]
    fn any_file_runs_or_says_where_it_does_not(text in pieces()) {
        match Scenario::parse(&text) {
            Err(error) => prop_assert!(error.line >= 1 && error.line <= text.matches('\n').count() + 1, "{error}"),
            Ok(scenario) => {
                if let Err(failure) = play(&scenario, &Source::Simulated(1), |_, _| {}) {
                    prop_assert!(failure.step <= scenario.steps.len() && failure.line >= 1 && !failure.message.is_empty());
                }
            }
        }
    }
}
