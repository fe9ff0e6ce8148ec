//! Random sequences of PIN and PUK commands against a small model, on every profile.

use crate::common::{self, PROFILES, bench};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Verify(usize),
    Forget,
    Query,
    ChangePin(usize, usize),
    ChangePuk(usize, usize),
    Unblock(usize, usize),
    Reset,
    Reselect,
}

const PINS: [&str; 3] = ["123456", "654321", "777777"];
const PUKS: [&str; 3] = ["12345678", "87654321", "00112233"];

struct Model {
    pin: usize,
    puk: usize,
    pin_left: u8,
    puk_left: u8,
    verified: bool,
    yubikey: bool,
    old_yubikey: bool,
}

impl Model {
    fn compare(left: &mut u8, right: bool, maximum: u8) -> String {
        match (*left, right) {
            (0, _) => "6983".into(),
            (_, true) => {
                *left = maximum;
                "9000".into()
            }
            _ => {
                *left -= 1;
                format!("63C{left}")
            }
        }
    }

    fn step(&mut self, step: &Step) -> String {
        match *step {
            Step::Verify(n) => {
                let blocked = self.pin_left == 0;
                let sw = Self::compare(&mut self.pin_left, n == self.pin, 3);
                if !blocked {
                    self.verified = sw == "9000";
                }
                sw
            }
            Step::Forget if self.old_yubikey => "6A86".into(),
            Step::Forget => {
                self.verified = false;
                "9000".into()
            }
            Step::Query => match (self.verified, self.pin_left) {
                (true, _) => "9000".into(),
                (_, 0) if self.yubikey => "6983".into(),
                (_, left) => format!("63C{left}"),
            },
            Step::ChangePin(old, new) => {
                let blocked = self.pin_left == 0;
                let sw = Self::compare(&mut self.pin_left, old == self.pin, 3);
                if sw == "9000" {
                    self.pin = new;
                }
                if !blocked {
                    self.verified = sw == "9000";
                }
                sw
            }
            Step::ChangePuk(old, new) => {
                let sw = Self::compare(&mut self.puk_left, old == self.puk, 3);
                if sw == "9000" {
                    self.puk = new;
                }
                sw
            }
            Step::Unblock(puk, new) => {
                let blocked = self.puk_left == 0;
                let sw = Self::compare(&mut self.puk_left, puk == self.puk, 3);
                if sw == "9000" {
                    self.pin = new;
                    self.pin_left = 3;
                } else if !blocked {
                    self.verified = false;
                }
                sw
            }
            Step::Reset => {
                self.verified = false;
                "9000".into()
            }
            Step::Reselect => {
                self.verified &= !self.yubikey;
                "9000".into()
            }
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3usize).prop_map(Step::Verify),
        1 => Just(Step::Forget),
        2 => Just(Step::Query),
        2 => (0..3usize, 0..3usize).prop_map(|(a, b)| Step::ChangePin(a, b)),
        2 => (0..3usize, 0..3usize).prop_map(|(a, b)| Step::ChangePuk(a, b)),
        2 => (0..3usize, 0..3usize).prop_map(|(a, b)| Step::Unblock(a, b)),
        1 => Just(Step::Reset),
        1 => Just(Step::Reselect),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn the_card_does_what_the_model_says(profile in 0..PROFILES.len(), steps in proptest::collection::vec(step(), 1..60)) {
        let name = PROFILES[profile];
        let mut b = bench(name, &[]);
        let mut model = Model {
            pin: 0, puk: 0, pin_left: 3, puk_left: 3, verified: false,
            yubikey: name != "nist-piv", old_yubikey: name == "yubikey-4.3",
        };
        for (number, step) in steps.iter().enumerate() {
            let got = match step {
                Step::Verify(n) => b.verify(PINS[*n]),
                Step::Forget => b.sw("0020FF80"),
                Step::Query => b.status(),
                Step::ChangePin(old, new) => b.change("80", PINS[*old], PINS[*new]),
                Step::ChangePuk(old, new) => b.change("81", PUKS[*old], PUKS[*new]),
                Step::Unblock(puk, new) => b.unblock(PUKS[*puk], PINS[*new]),
                Step::Reset => { b.power_on(); "9000".into() }
                Step::Reselect => b.sw(common::SELECT),
            };
            prop_assert_eq!(got, model.step(step), "{} step {}: {:?}", name, number, step);
        }
    }
}
