//! vsmartcard's protocol between a virtual reader (vpcd) and a card, both sides of it.
//!
//! | module | what it knows |
//! |---|---|
//! | [`wire`] | messages, bytes only |
//! | [`reader`] | the reader's side as a state machine: what it waits for, and what breaks the protocol |
//! | [`guest`] | a reader of ours whose card is whoever connects: other people's simulators |
//! | `card` | our card in the reader of others: of a system-wide pcscd |
//!
//! A message is a big-endian u16 length and that many bytes. From the reader, one byte is control ([`wire::Control`]), of
//! which only the question for the ATR is answered; anything longer is a command APDU, answered by one message. The
//! reader listens on TCP, the card connects. (vsmartcard, `virtualsmartcard/src/vpcd/vpcd.c` and `vpicc`.)

mod card;
pub mod guest;
pub mod reader;
pub mod wire;

pub use card::serve;
