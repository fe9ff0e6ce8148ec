//! Virtual PC/SC readers.
//!
//! | module | what it knows |
//! |---|---|
//! | `clock` | time for cards |
//! | [`icc`] | a card in a slot: power, protocol, exchange, trace |
//! | `chip` | what computes in it: a simulated card, or a guest |
//! | [`placement`] | where a command is carried out: on the readers' thread, or away from it |
//! | [`fault`] | what goes wrong at a card |
//! | `touch` | its button |
//! | `pace` | how long its commands take |
//! | [`pin_pad`] | a reader's keypad |
//! | [`journal`] | what came in, and taking it back |
//! | [`snapshot`] | a card as text, and back |
//! | [`resource`] | the rules of PC/SC as a state machine without I/O: who may speak to which card when |
//! | [`server`] | pcsc-lite's socket: bytes in and out, waiting, one task a connection |
//! | [`vpcd`] | vsmartcard's protocol: our cards in readers of a system-wide pcscd, others' cards in ours |
//! | [`real`] | a card of another PC/SC service, in a reader of ours |
//! | [`replay`] | a recording as a card |
//! | [`spare`] | tries of somebody else's card that are not to be spent |
//! | [`state`] | bringing a card to a state at once |
//! | `store` | cards in a state directory: durable, one owner at a time |
//! | [`rack`] | readers and their cards as people handle them: in, out, reset, faults |
//! | [`threaded`] | a rack on a thread of its own, for programs that are not asynchronous |
//! | [`setup`] | cards as people ask for them: `yubikey-5.4,serial=1,9a=new:p256` |
//! | `outage` | what cannot be written, told once |
//! | `repeated` | what errors repeat of what was typed |
//! | [`trace`] | what happens at a card: text, JSON lines, pcapng, listeners |
//! | `private` | private directories and their clean-up |
//!
//! What most users need stands at the head of the crate: a [`CardRequest`] makes a card, [`VirtualCard`] puts a bench
//! round it, a [`Rack`] (or a [`ThreadedRack`]) holds it in a reader behind the socket of a [`Server`].
//!
//! One APDU's way: [`server`] frames it, [`resource`] says whether this handle may speak now, the
//! slot's [`icc::Icc`] - away from the readers' thread when it takes long ([`placement`]) - passes it to the card and traces it, and the answer goes back with one write.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod chip;
mod clock;
mod contain;
pub mod fault;
pub mod icc;
pub mod journal;
mod outage;
mod pace;
pub mod pin_pad;
pub mod placement;
mod private;
pub mod rack;
pub mod real;
mod repeated;
pub mod replay;
pub mod resource;
pub mod server;
pub mod session;
pub mod setup;
pub mod snapshot;
pub mod spare;
pub mod state;
mod store;
pub mod threaded;
mod touch;
pub mod trace;
pub mod usb;
pub mod vpcd;

pub use chip::{NotSimulated, Presence};
pub use clock::Monotonic;
pub use fault::Fault;
pub use icc::{Icc, VirtualCard};
pub use outage::Outage;
pub use pace::{Pace, PaceError};
pub use private::PrivateDirectory;
pub use rack::{Place, Rack, Whereabouts};
pub use server::Server;
pub use setup::{CardRequest, SetupError};
pub use snapshot::{Secrets, Snapshot};
pub use store::{StateDirectory, StateDirectoryError};
pub use threaded::ThreadedRack;
pub use touch::{Button, TouchError, TouchMode};
pub use trace::Trace;
