//! The layer between the suite and a simulated card, and what must come of it.

use crate::good::{Answer, Good};
use cardlab_client::transport::TransportError;
use cardlab_conformance::catalogue::all;
use cardlab_conformance::report::{Outcome, Record};
use cardlab_conformance::run::{Settings, run};
use cardlab_conformance::target::sim::Sim;
use cardlab_conformance::target::watched::Watched;
use cardlab_conformance::target::{NoCard, Placed, SILENCE, Slot, Target, check_needs};
use cardlab_conformance::test::{Danger, Need, Test, Wish};
use cardlab_protocol::apdu::Command;
use cardlab_sim::card::NoAnswer;
use cardlab_sim::conditions::Interface;
use std::time::Duration;

/// One of each kind of card.
pub const PROFILES: [&str; 4] = ["piv-admin", "gids", "nist-piv", "yubikey-5.7"];

/// What stands around a good card.
pub trait Shell: Send {
    /// One command. [`Good::pass`] is what the good card does with it.
    fn transmit(&mut self, card: &mut Good, command: &Command<'_>) -> Answer;

    /// A reset. The shell itself is then replaced by a new one.
    fn reset(&mut self, card: &mut Good, cold: bool) {
        card.reset(cold);
    }
}

impl<F: FnMut(&mut Good, &Command<'_>) -> Answer + Send> Shell for F {
    fn transmit(&mut self, card: &mut Good, command: &Command<'_>) -> Answer {
        self(card, command)
    }
}

/// A shell that is one function.
pub fn shell(function: impl FnMut(&mut Good, &Command<'_>) -> Answer + Send + 'static) -> Box<dyn Shell> {
    Box::new(function)
}

type Maker = fn() -> Box<dyn Shell>;

/// Cards of one profile in a shell.
pub struct Sabotaged {
    sim: Sim,
    shell: Maker,
    limit: Duration,
}

impl Sabotaged {
    pub fn new(profile: &str, shell: Maker) -> Self {
        Self { sim: Sim::new(profile, 1).unwrap(), shell, limit: SILENCE }
    }

    /// As [`Sabotaged::new`], waiting for an answer no longer than this.
    pub fn impatient(profile: &str, shell: Maker, limit: Duration) -> Self {
        Self { limit, ..Self::new(profile, shell) }
    }
}

impl Target for Sabotaged {
    fn name(&self) -> String {
        self.sim.name()
    }

    fn place(&mut self, needs: &[Need], wish: &Wish, _: Danger) -> Result<Placed<'_>, NoCard> {
        let (card, facts) = self.sim.card(wish)?;
        check_needs(&facts, needs, false, true)?;
        let slot = Covered { card: Good::new(card), shell: (self.shell)(), maker: self.shell };
        Ok(Placed::new(Box::new(Watched::new(slot, self.limit)), facts))
    }
}

/// A card and the shell around it.
struct Covered {
    card: Good,
    shell: Box<dyn Shell>,
    maker: Maker,
}

impl Slot for Covered {
    fn transmit(&mut self, bytes: &[u8]) -> Result<Vec<u8>, TransportError> {
        let answer = match Command::parse(bytes) {
            Ok(command) => self.shell.transmit(&mut self.card, &command),
            Err(_) => self.card.pass_bytes(bytes),
        };
        answer.map_err(|error| match error {
            NoAnswer::Unpowered => TransportError::Removed,
            NoAnswer::PowerLost => TransportError::Reset,
        })
    }

    fn reset(&mut self, cold: bool) -> Result<(), TransportError> {
        self.shell.reset(&mut self.card, cold);
        self.shell = (self.maker)();
        Ok(())
    }

    fn reach(&mut self, interface: Interface) -> bool {
        self.card.set_interface(interface);
        true
    }

    fn cut_power_at(&mut self, n: u32) -> bool {
        self.card.nvm_mut().cut_power_at(n);
        true
    }
}

/// The suite without what takes its time.
pub fn quick(tests: &[Test]) -> Vec<&Test> {
    tests.iter().filter(|test| !test.needs.contains(&Need::RsaKeyGeneration)).collect()
}

/// The tests of the suite whose ids begin so pass on a card in this shell.
pub fn is_good(begin: &str, shell: Maker) {
    let tests = all();
    let these: Vec<&Test> = quick(&tests).into_iter().filter(|test| test.id.starts_with(begin)).collect();
    let records = run(&mut Sabotaged::new("nist-piv", shell), &these, Settings::default(), &mut |_| {});
    let failed: Vec<_> = records.iter().filter(|record| record.outcome == Outcome::Failed).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Whether a test is about a card with secure messaging. They are many: only faults of that are looked for among them.
fn is_secured(test: &Test) -> bool {
    test.wish.settings.iter().any(|(setting, _)| setting == "sm")
}

/// A test of the suite fails on a card in this shell, and passes on the good card.
pub fn is_caught(what: &str, shell: Maker) {
    is_caught_among(what, shell, |test| !is_secured(test));
}

/// As [`is_caught`], among the tests of secure messaging.
pub fn is_caught_secured(what: &str, shell: Maker) {
    is_caught_among(what, shell, is_secured);
}

fn is_caught_among(what: &str, shell: Maker, among: fn(&Test) -> bool) {
    let tests = all();
    let quick: Vec<&Test> = quick(&tests).into_iter().filter(|test| among(test)).collect();
    let caught = PROFILES.into_iter().find_map(|profile| {
        let settings = Settings { fail_fast: true, ..Settings::default() };
        let records = run(&mut Sabotaged::new(profile, shell), &quick, settings, &mut |_| {});
        records.into_iter().find(|record| record.outcome == Outcome::Failed).map(|record| (profile, record))
    });
    let Some((profile, Record { id, reason, .. })) = caught else { panic!("no test of the suite notices that {what}") };
    assert!(!reason.contains("broke down"), "{id} fails because the shell does: {reason}");
    let test: Vec<&Test> = tests.iter().filter(|test| test.id == id).collect();
    let good = run(&mut Sim::new(profile, 1).unwrap(), &test, Settings::default(), &mut |_| {});
    assert_eq!(good[0].outcome, Outcome::Passed, "{id} fails on the good {profile} too: {}", good[0].reason);
    println!("{what}: caught on {profile} by {id}: {reason}");
}
