//! A card that is somebody's, with a shell around it that may lie: what the other modules are about.

use cardlab_client::transport::TransportError;
use cardlab_conformance::catalogue::all;
use cardlab_conformance::credentials::Credentials;
use cardlab_conformance::report::{Afterwards, Record};
use cardlab_conformance::run::{Settings, run};
use cardlab_conformance::target::owned::Owned;
use cardlab_conformance::target::sim::{InProcess, Sim};
use cardlab_conformance::target::{NoCard, Placed, Slot, Target};
use cardlab_conformance::test::{Danger, Need, Test, Wish};
use cardlab_protocol::apdu::Command;
use cardlab_sim::reference::Reference;

pub(crate) const HONEST: Malice = |_, _| None;
pub(crate) const LEVELS: [Danger; 4] = [Danger::Safe, Danger::SpendsTries, Danger::ChangesKeys, Danger::Locks];

/// What the card does to a command before it is answered: `None` lets it be.
pub(crate) type Malice = fn(&mut Theirs, &[u8]) -> Option<Result<Vec<u8>, TransportError>>;

/// A card that lives on from test to test, with a shell around it that writes down what came.
pub(crate) struct Theirs {
    pub(crate) card: InProcess,
    pub(crate) malice: Malice,
    /// Commands that presented a secret.
    pub(crate) guesses: Vec<Vec<u8>>,
    /// Numbers for the shell.
    pub(crate) count: u8,
}

impl Theirs {
    pub(crate) fn left(&self, reference: Reference) -> u8 {
        reference.counter(self.card.0.nvm()).left
    }
}

impl Slot for &mut Theirs {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        if presents_pin(command) || presents_puk(command) {
            self.guesses.push(command.to_vec());
        }
        match (self.malice)(self, command) {
            Some(answer) => answer,
            None => self.card.transmit(command),
        }
    }

    fn reset(&mut self, cold: bool) -> Result<(), TransportError> {
        self.card.reset(cold)
    }
}

/// The target: one card, its owner's credentials.
pub(crate) struct Reader {
    pub(crate) theirs: Theirs,
    pub(crate) owned: Owned,
}

impl Reader {
    pub(crate) fn new(profile: &str, danger: Danger, change: impl FnOnce(&mut Credentials), malice: Malice) -> Self {
        let (card, mut facts) = Sim::new(profile, 1).unwrap().card(&Wish::default()).unwrap();
        (facts.new, facts.serial) = (false, "01".into());
        change(&mut facts.credentials);
        let theirs = Theirs { card: InProcess(card), malice, guesses: Vec::new(), count: 0 };
        Self { theirs, owned: Owned::new(facts, danger) }
    }

    /// The whole suite, without what takes its time.
    pub(crate) fn judged(&mut self) -> Vec<Record> {
        let tests = all();
        self.judged_by(&quick(&tests))
    }

    /// These tests.
    pub(crate) fn judged_by(&mut self, tests: &[&Test]) -> Vec<Record> {
        self.prepare(tests).unwrap();
        run(self, tests, Settings::default(), &mut |_| {})
    }

    /// How often a command presented a secret that begins so.
    pub(crate) fn sent(&self, what: impl Fn(&[u8]) -> bool, begin: &[u8]) -> usize {
        self.theirs.guesses.iter().filter(|command| what(command) && command[5..].starts_with(begin)).count()
    }
}

pub(crate) fn quick(tests: &[Test]) -> Vec<&Test> {
    tests.iter().filter(|test| !test.needs.contains(&Need::RsaKeyGeneration)).collect()
}

impl Target for Reader {
    fn name(&self) -> String {
        "theirs".into()
    }

    fn prepare(&mut self, tests: &[&Test]) -> Result<Vec<String>, String> {
        self.owned.prepare(Box::new(&mut self.theirs), tests).map_err(|stop| format!("{stop:?}"))
    }

    fn place(&mut self, needs: &[Need], wish: &Wish, danger: Danger) -> Result<Placed<'_>, NoCard> {
        self.owned.admit(needs, wish, danger)?;
        Ok(self.owned.place(Box::new(&mut self.theirs)))
    }

    fn afterwards(&self) -> Option<Afterwards> {
        Some(self.owned.afterwards())
    }
}

/// Instruction, P1 and P2 of a command that carries data.
pub(crate) fn head(command: &[u8]) -> Option<[u8; 3]> {
    Command::parse(command).ok().filter(|command| !command.data.is_empty()).map(|c| [c.ins, c.p1, c.p2])
}

pub(crate) fn presents_puk(command: &[u8]) -> bool {
    matches!(head(command), Some([0x24, _, 0x81] | [0x2C, 0x00, _]))
}

pub(crate) fn presents_pin(command: &[u8]) -> bool {
    matches!(head(command), Some([0x20 | 0x24, _, 0x80]))
}
