//! Random sequences over PIN, administrator key and challenge against a small model.

use crate::common::{Bench, MANAGED, bench};
use proptest::prelude::*;

const PINS: [&str; 3] = ["123456", "654321", "777777"];
const PIN_TRIES: u8 = 3;

#[derive(Clone, Debug)]
enum Step {
    Verify(usize),
    Query,
    Forget,
    Challenge,
    /// The response to the living challenge.
    Right,
    /// The response to some earlier challenge.
    Old(usize),
    /// No challenge's response.
    Wrong,
    Malformed,
    Unblock(usize),
    UnblockWithBadPin,
    Reset,
    PowerCycle,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3usize).prop_map(Step::Verify),
        1 => Just(Step::Query),
        1 => Just(Step::Forget),
        4 => Just(Step::Challenge),
        4 => Just(Step::Right),
        2 => (0..4usize).prop_map(Step::Old),
        1 => Just(Step::Wrong),
        1 => Just(Step::Malformed),
        3 => (0..3usize).prop_map(Step::Unblock),
        1 => Just(Step::UnblockWithBadPin),
        1 => Just(Step::Reset),
        1 => Just(Step::PowerCycle),
    ]
}

struct Model {
    gids: bool,
    pin: usize,
    pin_left: u8,
    verified: bool,
    /// Tries of the administrator key; `None` when wrong responses are not counted.
    admin_left: Option<u8>,
    admin_maximum: u8,
    admin: bool,
    /// Index of the challenge that lives.
    challenge: Option<usize>,
}

impl Model {
    fn forget(&mut self) {
        self.verified = false;
        self.admin = false;
        self.challenge = None;
    }

    fn answered(&mut self, challenge: Option<usize>) -> &'static str {
        let pending = self.challenge.take();
        // A PIV card looks at the counter first, a GIDS card whether it waits for anything.
        if self.admin_left == Some(0) && (!self.gids || pending.is_some()) {
            return "6983";
        }
        let Some(pending) = pending else {
            if !self.gids {
                self.admin = false;
            }
            return if self.gids { "6985" } else { "6982" };
        };
        self.admin = challenge == Some(pending);
        match (&mut self.admin_left, self.admin) {
            (Some(left), true) => *left = self.admin_maximum,
            (Some(left), false) => {
                *left -= 1;
                return ["63C0", "63C1", "63C2", "63C3", "63C4"][usize::from(*left)];
            }
            (None, false) => return "6982",
            (None, true) => {}
        }
        "9000"
    }
}

fn run(b: &mut Bench, model: &mut Model, challenges: &mut Vec<Vec<u8>>, step: &Step) -> (String, String) {
    let verdict = |left: u8| format!("63C{left}");
    match *step {
        Step::Verify(n) => {
            let got = b.verify(PINS[n]);
            let expected = match (model.pin_left, n == model.pin) {
                (0, _) => "6983".into(),
                (_, true) => {
                    model.pin_left = PIN_TRIES;
                    model.verified = true;
                    "9000".into()
                }
                _ => {
                    model.pin_left -= 1;
                    model.verified = false;
                    verdict(model.pin_left)
                }
            };
            (got, expected)
        }
        Step::Query => {
            let expected = match (model.verified, model.pin_left) {
                (true, _) => "9000".into(),
                (_, 0) if model.gids => "6983".into(),
                (_, left) => verdict(left),
            };
            (b.status(), expected)
        }
        Step::Forget => {
            let command = if model.gids { "00200082" } else { "0020FF80" };
            if model.gids {
                model.forget();
            }
            model.verified = false;
            (b.sw(command), "9000".into())
        }
        Step::Challenge => {
            let (challenge, got) = b.try_challenge();
            model.challenge = None;
            if model.gids {
                model.admin = false;
            }
            if model.admin_left == Some(0) {
                return (got, "6983".into());
            }
            model.challenge = Some(challenges.len());
            challenges.push(challenge);
            (got, "9000".into())
        }
        Step::Right | Step::Old(_) | Step::Wrong => {
            let chosen = match *step {
                Step::Right => challenges.len().checked_sub(1),
                Step::Old(back) => challenges.len().checked_sub(2 + back),
                _ => None,
            };
            let response = chosen.map_or_else(|| vec![0xEE; 8], |n| b.response(&challenges[n]));
            (b.respond(&response), model.answered(chosen).into())
        }
        Step::Malformed => {
            let (waiting, blocked) = (model.challenge.take().is_some(), model.admin_left == Some(0));
            let expected = match (model.gids, waiting) {
                (false, _) if blocked => "6983",
                (true, true) => "6984",
                (true, false) => "6985",
                (false, true) => "6A80",
                (false, false) => "6982",
            };
            if waiting || (!model.gids && !blocked) {
                model.admin = false;
            }
            (b.respond(&[1, 2, 3]), expected.into())
        }
        Step::Unblock(n) => {
            let got = b.unblock_by_admin(PINS[n]);
            if !model.admin {
                return (got, "6982".into());
            }
            model.pin = n;
            model.pin_left = PIN_TRIES;
            model.forget();
            (got, "9000".into())
        }
        Step::UnblockWithBadPin => {
            let got = b.unblock_by_admin("1");
            let expected = match (model.admin, model.gids) {
                (false, _) => "6982",
                (true, true) => "6700",
                (true, false) => "6A80",
            };
            (got, expected.into())
        }
        Step::Reset => {
            b.card.reset();
            model.forget();
            (b.select(), "9000".into())
        }
        Step::PowerCycle => {
            b.card.power_off();
            b.power_on();
            model.forget();
            ("9000".into(), "9000".into())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn the_card_does_what_the_model_says(
        profile in 0..MANAGED.len(),
        aes: bool,
        tries in proptest::option::of(1u8..=5),
        steps in proptest::collection::vec(step(), 1..80),
    ) {
        let text = tries.map_or("none".to_owned(), |n| n.to_string());
        let mut settings = vec![("admin-tries", text.as_str())];
        if aes {
            settings.extend([("admin-algorithm", "aes128"), ("admin-key", "000102030405060708090A0B0C0D0E0F")]);
        }
        let mut b = bench(MANAGED[profile], &settings);
        let mut model = Model {
            gids: b.is_gids(),
            pin: 0,
            pin_left: PIN_TRIES,
            verified: false,
            admin_left: tries,
            admin_maximum: tries.unwrap_or(0),
            admin: false,
            challenge: None,
        };
        let mut challenges = Vec::new();
        for (number, step) in steps.iter().enumerate() {
            // A made-up response has the length of a 3DES block; under AES it is malformed.
            let step = if aes && matches!(step, Step::Wrong) { &Step::Malformed } else { step };
            let step = match step {
                Step::Right | Step::Old(_) if challenges.len() < 6 => &Step::Challenge,
                step => step,
            };
            let (got, expected) = run(&mut b, &mut model, &mut challenges, step);
            prop_assert_eq!(got, expected, "{} step {}: {:?}", MANAGED[profile], number, step);
        }
    }
}
