//! Where a command is carried out: on the readers' thread, or away from it.
//!
//! One thread serves all readers, so that a short command costs no change of threads. A command that takes
//! longer than such a change leaves it, for one of the runtime's blocking threads: so cards compute side by
//! side, and nobody waits for another's card. Which one it is, [`crate::icc::Icc::is_slow`] says, from the command and the
//! key that it names:
//!
//! | stays | leaves |
//! |---|---|
//! | what works with memory, ciphers and hashes: SELECT, VERIFY, GET DATA, PUT DATA, the administrator key | RSA; elliptic curves where the backend needs longer than [`HOP`] |
//! | ECDSA on P-256 by a fast backend, Ed25519, X25519 | new keys, keys that are put in or whose public key is derived (GET METADATA, ATTEST) |
//! | all blocks of a chain but the last | what waits: for a touch, its pace, a fault, or for who holds the card |

use crate::icc::Loss;
use crate::resource::SlotCard;
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;

/// What computes longer than this leaves the readers' thread. The way there and back takes 12 to 40 us, the
/// more the busier the machine is (docs/performance.md).
pub const HOP: Duration = Duration::from_micros(50);

/// A reader's card, held for one command.
pub(crate) type HeldCard = OwnedMutexGuard<SlotCard>;

/// Sends a command to the card that is held, on the thread where it belongs. The card is held until its answer is
/// there, whatever becomes of who asked, and is given back with it, so that the answer can be judged before
/// anybody else gets the card. `None` when there is no card, or it broke down: then nobody holds it any more.
pub(crate) async fn transmit(mut card: HeldCard, command: &[u8]) -> (Option<HeldCard>, Option<Result<Vec<u8>, Loss>>) {
    let Some(icc) = card.as_mut() else { return (Some(card), None) };
    if !icc.is_slow(command) {
        let response = icc.transmit(command);
        return (Some(card), Some(response));
    }
    let command = zeroize::Zeroizing::new(command.to_vec());
    let work = move || {
        let response = card.as_mut().map(|icc| icc.transmit(&command));
        (Some(card), response)
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_default()
}
