//! Where cards come from.
//!
//! | target | a test gets | PC/SC between |
//! |---|---|---|
//! | [`sim`] | a new simulated card, in process | no |
//! | [`socket`] | a new simulated card in a reader of its own, behind pcsc-lite's socket | yes |
//! | [`pcsc`] | the card that is in a reader: anybody's | yes |

pub mod pcsc;
pub mod sim;
pub mod socket;

use crate::bench::Facts;
use crate::test::{Danger, Need, Wish};
use cardlab_client::transport::TransportError;
use std::path::Path;

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
pub trait Target {
    /// What its report is called by.
    fn name(&self) -> String;

    /// A card for one test.
    ///
    /// # Errors
    /// [`NoCard`] with the reason.
    fn place(&mut self, needs: &[Need], wish: &Wish, danger: Danger) -> Result<Placed<'_>, NoCard>;
}

/// Whether a card of these facts has what a test needs.
pub(crate) fn check_needs(facts: &Facts, needs: &[Need], pcsc: bool, tears: bool) -> Result<(), NoCard> {
    for need in needs {
        let known = &facts.credentials;
        let (met, why) = match need {
            Need::Pcsc => (pcsc, "there is no PC/SC between test and card"),
            Need::TearPoints => (tears, "power cannot be cut inside a command here"),
            Need::New => (facts.new, "needs a card that is made for it"),
            Need::Pin => (known.pin.is_some(), "the PIN is not known"),
            Need::Puk => (known.puk.is_some(), "the PUK is not known"),
            Need::AdminKey => (known.admin.is_some(), "the administration key is not known"),
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
