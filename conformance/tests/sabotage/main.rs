//! Sabotaged cards: the suite notices what is wrong with a card.
//!
//! A sabotaged card is a good one with a [`Shell`](shell::Shell) around it, which sees each command, the card's
//! memory and each answer, and may change all three. The card inside knows nothing of it. Each fault is one test:
//!
//! ```ignore
//! fault!(query_always_9000, "VERIFY without data says 9000", |card, command| match is_query(command) {
//!     true => says(0x9000),
//!     false => card.pass(command),
//! });
//! ```
//!
//! It holds when one test of the suite fails on the sabotaged card and passes on the good one; which one it was
//! stands in the output (`cargo test -p cardlab-conformance --test sabotage -- --nocapture query_always_9000`).
//!
//! | file | what is wrong |
//! |---|---|
//! | `counter` | the tries of a PIN, a PUK |
//! | `comparison` | what counts as the right value |
//! | `pin_status` | what VERIFY says and remembers |
//! | `change` | CHANGE REFERENCE DATA |
//! | `unblock` | RESET RETRY COUNTER |
//! | `administration` | the administrator key: its tries, its responses, what it opens |
//! | `challenges` | how long a challenge lives, and what passes for its response |
//! | `keys` | which key, which algorithm, which PIN |
//! | `objects` | data objects of a PIV card |
//! | `messaging` | secure messaging, the virtual contact interface |
//! | `device` | the device configuration of a YubiKey |
//! | `access` | access rules of a GIDS card's files |
//! | `transport` | class, chaining, GET RESPONSE, selection, reset |
//! | `good` | nothing: what a shell may do with the card inside |
//! | `control` | nothing: a shell without a fault is the good card; a shell that breaks down or hangs |
#![allow(clippy::unwrap_used, unreachable_pub)]

/// One fault: its name, what the card does wrong, and the shell that makes it so, new for each card.
macro_rules! fault {
    ($name:ident, $what:literal, $shell:expr) => {
        #[test]
        fn $name() {
            crate::shell::is_caught($what, || crate::shell::shell($shell));
        }
    };
}

mod access;
mod administration;
mod challenges;
mod change;
mod comparison;
mod control;
mod counter;
mod device;
mod good;
mod keys;
mod messaging;
mod objects;
mod pin_status;
mod shell;
mod transport;
mod unblock;
