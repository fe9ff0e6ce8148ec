//! What became of cards in a session: tries, locks, unlocks, removals, faults, out of what happened at them.
//!
//! It is read off the lines of a trace ([`super::json`]), masked or not: headers, status words and events are never masked. What a
//! card did not say is not told: tries that are left stand where a status word, or the bench, names them.

use super::event::Event;
use super::text;
use crate::state::{Left, Tries};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::status::StatusWord;
use cardlab_protocol::tlv;
use cardlab_sim::memory::reference_name;
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

/// The cards of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct History {
    /// In the order in which something happened at them.
    pub cards: Vec<Timeline>,
}

/// What happened at one card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Timeline {
    /// The card's name in its records.
    pub card: String,
    /// Commands that came, those included of which nothing is told.
    pub commands: u64,
    /// Number of the first of them; more than 1 when the beginning is not known any more.
    pub first: u64,
    /// In the order in which they happened.
    pub moments: Vec<Moment>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// The command's number, or that of the command before.
    pub number: u64,
    /// Time since 1970, or the record's number in milliseconds where time was counted.
    pub at: Duration,
    /// Of which kind.
    pub kind: Kind,
    /// In words.
    pub what: String,
    /// Tries that are left afterwards, where that is known.
    pub left: Vec<TriesLeft>,
    /// Command and answer as lines for people; empty for what is no command.
    pub wire: String,
}

/// Tries of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TriesLeft {
    /// `PIN`, `PUK`, `administrator key`, `Global PIN`.
    pub of: String,
    /// So many.
    pub left: u8,
    /// The most that were seen in this session: the card has at least so many.
    pub most: u8,
}

/// What a moment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A try was spent.
    Try,
    /// The last try was spent, or what is locked was asked for.
    Lock,
    /// Tries came back by PUK or administrator key.
    Unlock,
    /// A secret was right.
    Right,
    /// A secret, a key or an object was changed.
    Change,
    /// The card, or its reader, came or went.
    Place,
    /// Power or reset.
    Power,
    /// Something went wrong, or is armed to go wrong.
    Fault,
    /// Somebody reached into the card, or changed what is round it.
    Bench,
    /// A touch, or none.
    Touch,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Try,
        Self::Lock,
        Self::Unlock,
        Self::Right,
        Self::Change,
        Self::Place,
        Self::Power,
        Self::Fault,
        Self::Bench,
        Self::Touch,
    ];

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Try => "try",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::Right => "right",
            Self::Change => "change",
            Self::Place => "place",
            Self::Power => "power",
            Self::Fault => "fault",
            Self::Bench => "bench",
            Self::Touch => "touch",
        }
    }
}

/// What a moment is, in words, and tries that it tells.
type Told = (Kind, String, Vec<(String, u8)>);

impl History {
    /// Of the lines of a trace, oldest first.
    ///
    /// # Errors
    /// A sentence with the line, for one that is no record.
    pub fn of<'v>(lines: impl IntoIterator<Item = &'v Value>) -> Result<Self, String> {
        let mut history = Self::default();
        for (index, line) in lines.into_iter().enumerate() {
            history.add(line).map_err(|why| format!("line {}: {why}", index + 1))?;
        }
        Ok(history)
    }

    fn add(&mut self, line: &Value) -> Result<(), String> {
        let missing = |name: &str| format!("no record of a trace: '{name}' is missing");
        let number = line["n"].as_u64().ok_or_else(|| missing("n"))?;
        let at = line["at"].as_f64().and_then(|at| Duration::try_from_secs_f64(at).ok()).ok_or_else(|| missing("at"))?;
        let card = line["card"].as_str().ok_or_else(|| missing("card"))?;
        let told = match line["event"].as_str() {
            Some(text) => happened(text),
            None => said(&Exchange::of(line).ok_or_else(|| missing("command"))?),
        };
        let timeline = self.card(card);
        let wire = if line["event"].is_string() {
            String::new()
        } else {
            timeline.commands += 1;
            timeline.first = if timeline.commands == 1 { number } else { timeline.first };
            text::lines(line)
        };
        if let Some((kind, what, tries)) = told {
            let left = tries.into_iter().map(|(of, left)| timeline.tries(of, left, kind)).collect();
            timeline.moments.push(Moment { number, at, kind, what, left, wire });
        }
        Ok(())
    }

    fn card(&mut self, name: &str) -> &mut Timeline {
        let place = self.cards.iter().position(|timeline| timeline.card == name).unwrap_or_else(|| {
            self.cards.push(Timeline { card: name.to_owned(), commands: 0, first: 0, moments: Vec::new() });
            self.cards.len() - 1
        });
        &mut self.cards[place]
    }
}

impl Timeline {
    /// How many moments are of a kind.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        self.moments.iter().filter(|moment| moment.kind == kind).count()
    }

    fn tries(&self, of: String, left: u8, kind: Kind) -> TriesLeft {
        let before = self.moments.iter().rev().flat_map(|moment| &moment.left).find(|tries| tries.of == of);
        // Before a wrong guess there was one more.
        let had = if matches!(kind, Kind::Try | Kind::Lock) { left.saturating_add(1) } else { left };
        TriesLeft { most: before.map_or(0, |tries| tries.most).max(had), of, left }
    }
}

/// A command and its answer, as far as a masked line has them.
struct Exchange {
    /// Its first bytes; none when it is shorter.
    header: Option<[u8; 4]>,
    /// What the command is called.
    name: String,
    /// Whether it carried data.
    has_data: bool,
    /// The whole command, where nothing of it is masked.
    whole: Option<Vec<u8>>,
    /// The status word; none when the card was silent, or sent less.
    status: Option<StatusWord>,
    /// Whether there was an answer at all.
    answered: bool,
}

impl Exchange {
    fn of(line: &Value) -> Option<Self> {
        let masked = line["command_masked"].as_str();
        let digits: String = match masked {
            Some(masked) => masked.split('[').next().unwrap_or_default().split_whitespace().collect(),
            None => line["command"].as_str()?.to_owned(),
        };
        let bytes = hex::decode(digits).ok()?;
        let header = bytes.first_chunk::<4>().copied();
        let has_data = masked.is_some() || Command::parse(&bytes).is_ok_and(|command| !command.data.is_empty());
        let answer = line["response"].as_str().or_else(|| line["response_masked"].as_str());
        let status = answer.and_then(|answer| {
            let digits: String = answer.chars().filter(|c| !c.is_whitespace()).collect();
            let last = digits.get(digits.len().checked_sub(4)?..)?;
            u16::from_str_radix(last, 16).ok().map(StatusWord)
        });
        // A file may name it as it likes.
        let name = line["name"].as_str().unwrap_or("a command").chars().filter(|c| !c.is_control()).collect();
        Some(Self { header, name, has_data, whole: masked.is_none().then_some(bytes), status, answered: answer.is_some() })
    }
}

/// What a command did; nothing where that is not worth telling.
fn said(exchange: &Exchange) -> Option<Told> {
    let [cla, ins, p1, p2] = exchange.header?;
    if !exchange.answered {
        return Some((Kind::Fault, format!("No answer to {}", exchange.name), Vec::new()));
    }
    let status = exchange.status?;
    if status.to_bytes()[0] == 0x6F {
        return Some((Kind::Fault, format!("The card answered {status} ({})", status.meaning()), Vec::new()));
    }
    // What went through a secure channel does not tell what it was about.
    if cla & 0x0C == 0x0C {
        return None;
    }
    match ins {
        0x20 if exchange.has_data => guessed(status, &reference_name(p2), |of| (Kind::Right, format!("{of} right"))),
        0x24 => guessed(status, &reference_name(p2), |of| (Kind::Change, format!("{of} changed"))),
        0x2C if p1 == 2 => (status == StatusWord::OK)
            .then(|| (Kind::Unlock, format!("{} set anew by the administrator", reference_name(p2)), Vec::new())),
        0x2C => guessed(status, "PUK", |_| (Kind::Unlock, format!("{} unlocked by the PUK", reference_name(p2)))),
        0x87 if p2 == 0x9B || (p1 == 0 && p2 == 0) => proved(exchange.whole.as_deref()?, status),
        0x47 | 0xDB | 0xE0 | 0xE4 | 0xE6 | 0xF1 | 0xF6 | 0xFA | 0xFB | 0xFE | 0xFF if status == StatusWord::OK => {
            Some((Kind::Change, format!("{} done", exchange.name), Vec::new()))
        }
        _ => None,
    }
}

/// A secret was presented.
fn guessed(status: StatusWord, of: &str, right: impl FnOnce(&str) -> (Kind, String)) -> Option<Told> {
    match (status, status.retries()) {
        (StatusWord::OK, _) => {
            let (kind, what) = right(of);
            Some((kind, what, Vec::new()))
        }
        (_, Some(0)) => Some((Kind::Lock, format!("Wrong {of}: it is locked now"), vec![(of.to_owned(), 0)])),
        (_, Some(left)) => Some((Kind::Try, format!("Wrong {of}"), vec![(of.to_owned(), left)])),
        (StatusWord::BLOCKED, None) => Some((Kind::Lock, format!("{of} refused: it is locked"), vec![(of.to_owned(), 0)])),
        _ => None,
    }
}

/// The administrator key was asked for a challenge, or given an answer to one.
fn proved(command: &[u8], status: StatusWord) -> Option<Told> {
    let of = reference_name(0x9B);
    let command = Command::parse(command).ok()?;
    let template = tlv::find(command.data, 0x7C)?;
    let given = |tag: u32| tlv::find(template, tag).is_some_and(|value| !value.is_empty());
    if !given(0x82) && !given(0x80) {
        return (status == StatusWord::OK).then(|| (Kind::Right, format!("Challenge of the {of} drawn"), Vec::new()));
    }
    // A card that does not count says only that it was wrong.
    if status == StatusWord::SECURITY_STATUS {
        return Some((Kind::Try, format!("Wrong response under the {of}"), Vec::new()));
    }
    guessed(status, &of, |of| (Kind::Right, format!("{of} proved")))
}

/// What an event tells.
fn happened(text: &str) -> Option<Told> {
    let (kind, what) = match Event::read(text) {
        // What every session is full of.
        Event::PowerOn | Event::PowerOff => return None,
        Event::Reset => (Kind::Power, "Reset by a program".into()),
        Event::Inserted => (Kind::Place, "Card inserted".into()),
        Event::Removed => (Kind::Place, "Card removed".into()),
        Event::Plugged => (Kind::Place, "Reader plugged in".into()),
        Event::Unplugged => (Kind::Place, "Reader unplugged".into()),
        Event::SwappedWith(card) => (Kind::Place, format!("Swapped with {card}")),
        Event::State(tries) => {
            let left = told(&tries);
            return Some((Kind::Bench, "Brought to a state".into(), left));
        }
        Event::Touch(mode) => (Kind::Bench, format!("Touch: {mode}")),
        Event::Pace(pace) => (Kind::Bench, format!("Pace: {pace}")),
        Event::WaitsForTouch => (Kind::Touch, "Waits for a touch".into()),
        Event::Touched => (Kind::Touch, "Touched".into()),
        Event::NotTouched => (Kind::Touch, "Not touched in time".into()),
        Event::Armed(fault) => (Kind::Fault, format!("Fault armed: {fault}")),
        Event::Disarmed => (Kind::Fault, "Faults disarmed".into()),
        Event::Struck(effect) => (Kind::Fault, format!("Fault struck: {effect}")),
        Event::Undone(1) => (Kind::Bench, "1 command undone".into()),
        Event::Undone(count) => (Kind::Bench, format!("{count} commands undone")),
        Event::Restored => (Kind::Bench, "Snapshot restored".into()),
        Event::Other(text) => (Kind::Bench, text),
    };
    Some((kind, what, Vec::new()))
}

/// Tries that the bench has set, where it says how many.
fn told(tries: &Tries) -> Vec<(String, u8)> {
    let named = [(0x80, tries.pin), (0x81, tries.puk), (0x9B, tries.admin), (0x00, tries.global_pin)];
    let exactly = |(reference, left): (u8, Option<Left>)| match left {
        Some(Left::Exactly(left)) => Some((reference_name(reference), left)),
        Some(Left::All) | None => None,
    };
    named.into_iter().filter_map(exactly).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Ticks, Trace, json};
    use proptest::prelude::*;

    fn told_of(history: &History) -> Vec<(Kind, String)> {
        history.cards.iter().flat_map(|card| &card.moments).map(|moment| (moment.kind, moment.what.clone())).collect()
    }

    /// The records of a session: commands with answers, and events.
    fn lines(session: &[(&str, &str)], secrets: bool) -> Vec<Value> {
        let mut recorder = Trace::new(Ticks::Count).of("gids");
        let line = |(one, other): &(&str, &str)| {
            let record = match hex::decode(one) {
                Ok(command) => {
                    let answer = hex::decode(other).unwrap();
                    recorder.exchange(&command, (!answer.is_empty()).then_some(answer.as_slice()), None)
                }
                Err(_) => recorder.event(one, &[]),
            };
            json::value(&record, secrets)
        };
        session.iter().map(line).collect()
    }

    const SESSION: [(&str, &str); 13] = [
        ("power on", ""),
        ("00A4040009A00000039742544659", "9000"),
        ("00200080", "63C3"),
        ("0020008006393939393939", "63C1"),
        ("0020008006393939393939", "63C0"),
        ("0020008006313233343536", "6983"),
        ("removed", ""),
        ("inserted", ""),
        ("00870000047C028100", "7C0A810811223344556677889000"),
        ("008700000C7C0A82081122334455667788", "9000"),
        ("002C028006343731313437", "9000"),
        ("fault armed: mute,ins=20", ""),
        ("0020008006313233343536", ""),
    ];

    #[test]
    fn tries_locks_and_unlocks_are_told_masked_or_not() {
        let expected = [
            (Kind::Try, "Wrong PIN"),
            (Kind::Lock, "Wrong PIN: it is locked now"),
            (Kind::Lock, "PIN refused: it is locked"),
            (Kind::Place, "Card removed"),
            (Kind::Place, "Card inserted"),
            (Kind::Right, "Challenge of the administrator key drawn"),
            (Kind::Right, "administrator key proved"),
            (Kind::Unlock, "PIN set anew by the administrator"),
            (Kind::Fault, "Fault armed: mute,ins=20"),
            (Kind::Fault, "No answer to VERIFY, PIN"),
        ];
        let expected: Vec<_> = expected.iter().map(|(kind, what)| (*kind, (*what).to_owned())).collect();
        for secrets in [false, true] {
            let history = History::of(&lines(&SESSION, secrets)).unwrap();
            assert_eq!(told_of(&history), expected);
            let card = &history.cards[0];
            assert_eq!((card.commands, card.first, card.count(Kind::Lock)), (9, 1, 2));
            let left: Vec<(u8, u8)> = card.moments.iter().flat_map(|m| &m.left).map(|tries| (tries.left, tries.most)).collect();
            assert_eq!(left, [(1, 2), (0, 2), (0, 2)]);
            let shown = card.moments.iter().any(|moment| moment.wire.contains("39 39 39"));
            assert_eq!(shown, secrets, "a PIN stands in it where it was asked for, and nowhere else");
        }
    }

    #[test]
    fn what_is_no_record_is_named_by_its_line() {
        let mut lines = lines(&SESSION[..2], false);
        lines.push(serde_json::json!({"n": 1, "at": 0.1, "card": "c"}));
        assert_eq!(History::of(&lines).unwrap_err(), "line 3: no record of a trace: 'command' is missing");
        assert!(History::of(&[serde_json::json!([])]).unwrap_err().contains("'n' is missing"));
    }

    proptest! {
        /// Nobody's trace breaks it, and each line is one command or event at most.
        #[test]
        fn any_trace_has_a_history(
            commands in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..20), prop::option::of(prop::collection::vec(any::<u8>(), 0..6))), 0..12),
            events in prop::collection::vec("\\PC{0,12}|fault mute|touch auto|swapped with x", 0..6),
            secrets in any::<bool>(),
        ) {
            let mut recorder = Trace::new(Ticks::Count).of("c");
            let mut lines: Vec<Value> = events.iter().map(|text| json::value(&recorder.event(text, &[]), secrets)).collect();
            for (command, response) in &commands {
                lines.push(json::value(&recorder.exchange(command, response.as_deref(), None), secrets));
            }
            let history = History::of(&lines).unwrap();
            let told: usize = history.cards.iter().map(|card| card.moments.len()).sum();
            prop_assert!(told <= lines.len());
            prop_assert_eq!(history.cards.iter().map(|card| card.commands).sum::<u64>(), commands.len() as u64);
        }

        #[test]
        fn any_json_is_answered(text in "[{}\\[\\]\":,a-z0-9]{0,60}", command in "\\PC{0,12}", response in "\\PC{0,12}") {
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                let _ = History::of([&value]);
            }
            let line = serde_json::json!({"n": 1, "at": 1e300, "card": "c", "command_masked": command, "response": response});
            let _ = History::of([&line]);
            let line = serde_json::json!({"n": 1, "at": 1, "card": "c", "command": command, "response_masked": response});
            let _ = History::of([&line]);
        }
    }
}
