//! Where cards come from.
//!
//! | target | a test gets | PC/SC between |
//! |---|---|---|
//! | [`sim`] | a new simulated card, in process | no |
//! | `socket` | a new simulated card in a reader of its own, behind pcsc-lite's socket; not on Windows | yes |
//! | [`pcsc`] | the card that is in a reader: anybody's, [`owned`] | yes |

pub mod owned;
pub mod pcsc;
pub mod sim;
#[cfg(unix)]
pub mod socket;
pub mod watched;

use crate::bench::Facts;
use crate::changes::Changes;
use crate::ledger::Ledger;
use crate::report::Afterwards;
use crate::test::{Danger, Need, Test, Wish};
use cardlab_client::transport::TransportError;
use cardlab_sim::conditions::Interface;
use std::path::Path;
use std::time::Duration;

/// Longest wait for a card's answer: making an RSA key of 4096 bits takes real cards a minute. A card that is silent
/// for longer ends the run.
pub const SILENCE: Duration = Duration::from_secs(180);

/// A powered card that a test speaks to.
pub trait Slot {
    /// One exchange: the whole response APDU.
    ///
    /// # Errors
    /// [`TransportError`] when the card could not be asked.
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError>;

    /// Resets the card; `cold` takes its power away for a moment.
    ///
    /// # Errors
    /// [`TransportError`] when there is no card any more.
    fn reset(&mut self, cold: bool) -> Result<(), TransportError>;

    /// Cuts the power at the `n`-th tear point from now on; the card is then without power until it is
    /// reset. `false` where that cannot be had.
    fn cut_power_at(&mut self, n: u32) -> bool {
        let _ = n;
        false
    }

    /// How the card is reached from now on. `false` where that cannot be chosen.
    fn reach(&mut self, interface: Interface) -> bool {
        let _ = interface;
        false
    }

    /// Whether the card is still there, as far as its reader can tell.
    fn is_there(&mut self) -> bool {
        true
    }

    /// The PC/SC service and the reader that the card is in.
    fn reader(&self) -> Option<(&Path, &str)> {
        None
    }
}

/// A card on its way to the bench.
pub struct Placed<'a> {
    /// The way to it.
    pub slot: Box<dyn Slot + 'a>,
    /// What is known of it.
    pub facts: Facts,
    /// What watches over it, where it is somebody's.
    pub custody: Option<Custody<'a>>,
}

/// What watches over a card that is somebody's.
pub struct Custody<'a> {
    /// What the run may cost it.
    pub ledger: &'a mut Ledger,
    /// What it has changed.
    pub changes: &'a mut Changes,
}

impl<'a> Placed<'a> {
    /// A card that is nobody's.
    #[must_use]
    pub fn new(slot: Box<dyn Slot + 'a>, facts: Facts) -> Self {
        Self { slot, facts, custody: None }
    }
}

/// Why a test gets no card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoCard {
    /// The test is for other cards.
    NotApplicable(String),
    /// It may not be run, or there is no card now.
    NotRun(String),
}

/// A source of cards of one kind.
///
/// What stands between the suite and a card is a target of one's own, whose slot has the card inside: a layer that
/// counts, delays or breaks what passes.
///
/// ```
/// use cardlab_client::transport::TransportError;
/// use cardlab_conformance::target::sim::{InProcess, Sim};
/// use cardlab_conformance::target::watched::Watched;
/// use cardlab_conformance::target::{NoCard, Placed, SILENCE, Slot, Target, check_needs};
/// use cardlab_conformance::test::{Danger, Need, Wish};
///
/// /// A card that knows no GET RESPONSE.
/// struct Terse(InProcess);
///
/// impl Slot for Terse {
///     fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
///         if command.get(1) == Some(&0xC0) { Ok(vec![0x6D, 0x00]) } else { self.0.transmit(command) }
///     }
///
///     fn reset(&mut self, cold: bool) -> Result<(), TransportError> {
///         self.0.reset(cold)
///     }
/// }
///
/// struct TerseCards(Sim);
///
/// impl Target for TerseCards {
///     fn name(&self) -> String {
///         format!("terse {}", self.0.name())
///     }
///
///     fn place(&mut self, needs: &[Need], wish: &Wish, _: Danger) -> Result<Placed<'_>, NoCard> {
///         let (card, facts) = self.0.card(wish)?;
///         check_needs(&facts, needs, false, false)?;
///         Ok(Placed::new(Box::new(Watched::new(Terse(InProcess(card)), SILENCE)), facts))
///     }
/// }
/// ```
pub trait Target {
    /// What its report is called by.
    fn name(&self) -> String;

    /// Makes ready for these tests: proves what they need on a card that is somebody's. Gives what the run may cost
    /// it, a line for each secret; nothing for cards that are nobody's.
    ///
    /// # Errors
    /// A sentence for people: the card could not be asked.
    fn prepare(&mut self, tests: &[&Test]) -> Result<Vec<String>, String> {
        let _ = tests;
        Ok(Vec::new())
    }

    /// What became of a card that is somebody's, once all tests have run; nothing for cards that are nobody's.
    fn afterwards(&self) -> Option<Afterwards> {
        None
    }

    /// A card for one test.
    ///
    /// # Errors
    /// [`NoCard`] with the reason.
    fn place(&mut self, needs: &[Need], wish: &Wish, danger: Danger) -> Result<Placed<'_>, NoCard>;
}

/// Whether a card of these facts has what a test needs; `pcsc` tells that there is PC/SC between test and card,
/// `tears` that the power can be cut inside a command.
///
/// # Errors
/// [`NoCard::NotApplicable`] names the first need that is not met.
pub fn check_needs(facts: &Facts, needs: &[Need], pcsc: bool, tears: bool) -> Result<(), NoCard> {
    for need in needs {
        let known = &facts.credentials;
        let (met, why) = match need {
            Need::Pcsc => (pcsc, "there is no PC/SC between test and card"),
            Need::TearPoints => (tears, "power cannot be cut inside a command here"),
            Need::New => (facts.new, "needs a card that is made for it"),
            Need::Pin => (known.pin.is_some(), "the PIN is not known"),
            Need::Puk => (known.puk.is_some(), "the PUK is not known"),
            Need::AdminKey => (known.admin.is_some(), "the administrator key is not known"),
            Need::ExtendedLength => (facts.extended_length, "the card takes no extended-length commands"),
            Need::Server => (false, "for the unlock system, not for a card"),
            // Asked of the card by the test itself.
            Need::AdminTries | Need::RsaKeyGeneration => (true, ""),
            kind => (kind.fits(facts.edge), "for cards of another kind"),
        };
        if !met {
            return Err(NoCard::NotApplicable(format!("{why} ({})", need.name())));
        }
    }
    Ok(())
}
