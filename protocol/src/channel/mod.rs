//! Secure channels: what card and host agree on once they share a secret. No key store, no command, no
//! elliptic curve: a session is made of bytes that both sides have already.
//!
//! - [`aes`]: the block cipher modes that every channel here is made of;
//! - [`piv`]: secure messaging of SP 800-73-4 part 2 section 4, cipher suites CS2 and CS7;
//! - [`scp`]: GlobalPlatform's SCP03 and SCP11, as YubiKeys have them.
//!
//! In each channel derivation, wrapping and session are a file each: how secrets become keys, which bytes are
//! where, and what is remembered from one command to the next.

pub mod aes;
pub mod piv;
pub mod scp;
