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
        (String::new(), "line 1, column 1: there is nothing in it; `cardlab scenario show NAME` prints one to begin with"),
        ("# a title is wanted\n".into(), "line 1, column 1: missing field `title`"),
        (HEAD.into(), "line 2, column 1: there is no step"),
        ("title = \" \"\n[[step]]\ndo = \"insert\"".into(), "line 1, column 1: the title is empty"),
        (
            format!("{HEAD}titel = 1\n[[step]]\ndo = \"insert\""),
            "line 2, column 1: there is no field of a scenario 'titel'; did you mean 'title'?",
        ),
        (format!("{HEAD}step = 3"), "line 2, column 8: steps are tables: write [[step]]"),
        (file("do = \"jump\""), "line 7, column 6, step 2: there is no action 'jump'; there are: insert, remove, swap"),
        (file("do = \"inesrt\""), "line 7, column 6, step 2: there is no action 'inesrt'; did you mean 'insert'?"),
        (file("card = \"G1\""), "line 6, column 1, step 2: the step does nothing: write do = \"...\""),
        (file("do = 7"), "line 7, column 6, step 2: do is the name of an action"),
        (file("do = \"verify\""), "line 7, column 6, step 2: missing field `pin`"),
        (
            file("do = \"verify\"\npin = \"1\"\npuk = \"2\""),
            "line 9, column 1, step 2: there is no field of verify 'puk'; there are: pin, card, do, expect, save",
        ),
        (file("do = \"verify\"\npin = 1"), "line 8, column 7, step 2: invalid type: integer `1`, expected a string"),
        (file("do = \"remove\"\ncard = \"G7\""), "line 8, column 8, step 2: there is no card 'G7'; did you mean 'G1'?"),
        (file("do = \"fault\"\nfault = \"fire\""), "line 8, column 9, step 2: no fault named 'fire'; there are: power-cut"),
        (
            file("do = \"look\"\nexpect = { pin_left = 3 }"),
            "line 8, column 12, step 2: there is no field of expect 'pin_left'; did you mean 'pin-left'?",
        ),
        (file("do = \"look\"\nsave = 3"), "line 8, column 8, step 2: save is a name"),
        (
            file("do = \"type-answers\"\nanswers = \"perhaps\""),
            "line 8, column 11, step 2: answers are \"right\", \"wrong\" or a list",
        ),
        (format!("{HEAD}[card.A]\nprofile = \"sim\"\n[[step]]\ndo = \"look\""), "line 2, column 1: no profile named 'sim'"),
        (
            format!("{HEAD}[card.A]\nstate = \"Lost\"\n[[step]]\ndo = \"look\""),
            "there is no state at the beginning 'Lost'; there are: unknown, Clean",
        ),
        (format!("{HEAD}[card.A]\nsettings = {{ colour = 3 }}\n[[step]]\ndo = \"look\""), "no card setting named 'colour'"),
        ("title = \"a\"\nx = [".into(), "line 2"),
    ] {
        assert!(error(&text).contains(says), "{text}\n{}\nexpected: {says}", error(&text));
    }
}

/// Names of what the world has not are found without playing anything, where they stand.
#[test]
fn what_is_named_is_there() {
    let step = |text: &str| format!("{HEAD}[[step]]\n{text}");
    for (text, says) in [
        (
            step("do = \"look\"\nexpect = { screen = \"lokced\" }"),
            "line 4, column 21, step 1: there is no screen 'lokced'; did you mean 'locked'?",
        ),
        (
            step("do = \"look\"\nexpect.events = [\"CARD_UNLOCKED\", \"CARD_UNLOKED\"]"),
            "line 4, column 35, step 1: there is no event 'CARD_UNLOKED'; did you mean 'CARD_UNLOCKED'?",
        ),
        (
            step("do = \"look\"\nexpect = { refused = \"NOT_LOGED_IN\" }"),
            "there is no refusal 'NOT_LOGED_IN'; did you mean 'NOT_LOGGED_IN'?",
        ),
        (step("do = \"look\"\nexpect = { mode = \"on line\" }"), "there is no mode 'on line'; did you mean 'online'?"),
        (
            step("do = \"look\"\nexpect = { card-state = \"issued\" }"),
            "there is no state of a card 'issued'; did you mean 'Issued'?",
        ),
        (step("do = \"look\"\nexpect = { user = \"ana\" }"), "there is no user 'ana'; did you mean 'anna'?"),
        (
            step("do = \"console-open\"\noperator = \"olga\""),
            "line 4, column 12, step 1: there is no operator 'olga'; did you mean 'oleg'?",
        ),
        (
            step("do = \"press\"\nbutton = \"Answer your question\""),
            "line 4, column 10, step 1: there is no button 'Answer your question'; did you mean 'Answer your questions'?",
        ),
        (step("do = \"user\"\noperation = \"unlok\""), "there is no operation with a user 'unlok'; did you mean 'unlock'?"),
        (step("do = \"card\"\noperation = \"revoce\""), "there is no operation with a card 'revoce'; did you mean 'revoke'?"),
        (step("do = \"session-result\"\noutcome = \"unlokced\""), "there is no outcome 'unlokced'; did you mean 'unlocked'?"),
        (
            step("do = \"add-user\"\nname = \"dora\"\npolicy = \"Defualt\""),
            "line 5, column 10, step 1: there is no policy 'Defualt'; did you mean 'Default'?",
        ),
        (
            step("do = \"policy\"\nset = { \"workflow.validate_answer\" = false }"),
            "line 4, column 9, step 1: there is no setting of a policy 'workflow.validate_answer'; did you mean 'workflow.validate_answers'?",
        ),
        (
            step("do = \"role\"\nname = \"R\"\nprivileges = [\"view-card\"]"),
            "line 5, column 15, step 1: there is no privilege 'view-card'; did you mean 'view-cards'?",
        ),
        (
            step("do = \"type-pin\"\npin = \"$nothing\""),
            "line 4, column 7, step 1: there is no value saved as 'nothing'; there are: challenge, check, pin",
        ),
        (
            format!("{HEAD}policy = {{ \"workflow.offline\" = true }}\n[[step]]\ndo = \"look\""),
            "line 2, column 12: there is no setting of a policy 'workflow.offline'; there are:",
        ),
        (
            format!("{HEAD}[answers]\nhanna = [\"a\"]\n[[step]]\ndo = \"look\""),
            "line 3, column 1: there is no user 'hanna'; did you mean 'anna'?",
        ),
        (
            format!("{HEAD}[card.A]\nuser = \"Boris\"\n[[step]]\ndo = \"look\""),
            "line 3, column 8: there is no user 'Boris'; did you mean 'boris'?",
        ),
    ] {
        assert!(error(&text).contains(says), "{text}\n{}\nexpected: {says}", error(&text));
    }
    // What a step has made is there in the next ones, and no earlier.
    let added = "do = \"add-user\"\nname = \"dora\"\n";
    let used = "do = \"set-answers\"\nuser = \"dora\"\nanswers = [\"a\"]\n";
    assert!(Scenario::parse(&format!("{HEAD}[[step]]\n{added}[[step]]\n{used}")).is_ok());
    let early = error(&format!("{HEAD}[[step]]\n{used}[[step]]\n{added}"));
    assert!(early.starts_with("line 4, column 8, step 1: there is no user 'dora'"), "{early}");
    let saved = "do = \"tool-challenge\"\nsave = \"first\"\n[[step]]\ndo = \"console-challenge\"\nchallenge = \"$first\"";
    assert!(Scenario::parse(&step(saved)).is_ok());
}

/// What is typed, pressed and chosen has to be on the screen.
#[test]
fn a_field_a_button_or_a_card_that_is_not_shown_fails() {
    let cards = "[card.G1]\npin-left = 0\n[card.G2]\ninserted = false\n";
    let sat = "[[step]]\ndo = \"lock-screen\"\ncard = \"G1\"\nall-readers = true\nexpect = { screen = \"locked\" }\n[[step]]\n";
    let cases = [
        ("do = \"type-pin\"\npin = \"123456\"", "line 11, step 2 (type-pin): there is no field for a PIN on the screen locked: "),
        ("do = \"type-puk\"\npuk = \"1\"\npin = \"123456\"", "there is no field for a PUK on the screen locked: "),
        ("do = \"type-new-pin\"\npin = \"123456\"", "there is no field for a new PIN on the screen locked: "),
        ("do = \"type-answers\"", "the lock screen asks no questions"),
        ("do = \"press\"\nbutton = \"Unlock with your PUK\"", "there is no button 'Unlock with your PUK' on the screen locked: "),
        ("do = \"choose-card\"\ncard = \"G2\"", "G2 is not offered on the screen locked: "),
        ("do = \"let-go\"\ncard = \"G1\"", "no other program holds G1"),
    ];
    let fails = |(step, says): (&str, &str)| {
        let scenario = Scenario::parse(&format!("{HEAD}{cards}{sat}{step}")).unwrap();
        let mut screens = Vec::new();
        let played = play(&scenario, &Source::Simulated(1), |played| screens.push(played.screen.as_ref().map(|seen| seen.name)));
        let failure = played.unwrap_err().to_string();
        assert!(failure.contains(says), "{failure}\nexpected: {says}");
        assert_eq!(screens, [Some("locked"), Some("locked")], "what was on the screen is told, also where it fails");
    };
    std::thread::scope(|scope| cases.into_iter().for_each(|case| drop(scope.spawn(move || fails(case)))));
}

/// What a step expects is looked at: each expectation of a good scenario, made wrong, fails at its step.
#[test]
fn a_wrong_expectation_fails_at_its_step() {
    let good = catalogue::all().into_iter().find(|entry| entry.name == "online/happy").unwrap().text;
    let cases = [
        ("screen = \"questions\"", "screen = \"new-pin\"", "step 2 (press): screen: expected \"new-pin\", found \"questions\""),
        ("pin-left = 3", "pin-left = 2", "step 4 (type-new-pin): tries of the PIN: expected 2, found 3"),
        ("admin-left = 5", "admin-left = 4", "tries of the administrator key"),
        ("\"RESPONSE_GIVEN\", ", "", "step 4 (type-new-pin): events: expected"),
        ("shows = \"3 tries left\"", "shows = \"9 tries left\"", "step 5 (press): the screen: expected it to say"),
        ("screen = \"welcome\"", "screen = \"welcome\", error = \"x\"", "expected the error \"x\", but it was carried out"),
        (
            "screen = \"welcome\"",
            "screen = \"welcome\", refused = \"CONFLICT\"",
            "expected the refusal CONFLICT, but it was carried out",
        ),
        ("screen = \"welcome\"", "screen = \"welcome\", user-locked = true", "user locked: expected true"),
        ("screen = \"welcome\"", "screen = \"welcome\", card-state = \"Clean\"", "card state: expected \"Clean\""),
        ("screen = \"welcome\"", "screen = \"welcome\", shows-not = \"Welcome\"", "the screen says \"Welcome\""),
        ("screen = \"welcome\"", "screen = \"welcome\", value = \"1\"", "value: expected \"1\", found none"),
        ("screen = \"welcome\"", "screen = \"welcome\", status = \"9000\"", "status word"),
        ("screen = \"welcome\"", "screen = \"welcome\", ok = true", "answers right"),
        ("screen = \"welcome\"", "screen = \"welcome\", mode = \"online\"", "mode: expected"),
        ("screen = \"welcome\"", "screen = \"welcome\", field = [\"a\", \"1\"]", "a: expected \"1\", found \"null\""),
    ];
    let falsified = |(from, to, says): (&str, &str, &str)| {
        assert!(good.contains(from), "{from}");
        let scenario = Scenario::parse(&good.replace(from, to)).unwrap();
        let failure = play(&scenario, &Source::Simulated(1), |_| {}).unwrap_err().to_string();
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
                if let Err(failure) = play(&scenario, &Source::Simulated(1), |_| {}) {
                    prop_assert!(failure.step <= scenario.steps.len() && failure.line >= 1 && !failure.message.is_empty());
                }
            }
        }
    }
}
