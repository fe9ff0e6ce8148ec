//! Faults that a conformance suite must catch. They exist only under the feature `seeded-faults`: without
//! it `is_on` is a constant `false`, and the compiler removes what stands behind it.

#[cfg(feature = "seeded-faults")]
mod switched {
    use std::cell::Cell;

    thread_local! {
        static ON: Cell<&'static str> = const { Cell::new("") };
    }

    /// The faults: name, and what the card does wrong.
    pub const FAULTS: [(&str, &str); 65] = [
        ("counter-after-comparison", "the try is written after the comparison, and only for a wrong value"),
        ("wrong-value-costs-nothing", "a wrong value costs no try"),
        ("wrong-value-costs-two", "a wrong value costs two tries"),
        ("match-restores-nothing", "a right value gives no tries back"),
        ("match-restores-one", "a right value gives one try back"),
        ("zero-tries-still-compared", "with no tries left the value is compared all the same"),
        ("prefix-matches", "a value that begins like the right one matches"),
        ("last-byte-ignored", "the last byte is not compared"),
        ("blocked-says-6982", "a blocked reference answers 6982"),
        ("tries-off-by-one", "63Cx names one try more than there is"),
        ("response-costs-nothing", "a wrong response costs no try"),
        ("any-response-matches", "every response is right"),
        ("half-response-matches", "the first half of a response is enough"),
        ("blocked-key-answers", "a blocked administration key gives challenges"),
        ("access-rules-ignored", "the access rules of files are not looked at"),
        ("never-means-always", "what nobody may do everybody may"),
        ("user-stands-for-admin", "the PIN opens the administrator's files"),
        ("admin-not-asked-for-either", "only the PIN opens what either opens"),
        ("inactive-files-work", "a file works before it is activated"),
        ("forget-does-not", "P1=FF leaves the PIN verified"),
        ("wrong-pin-keeps-status", "a wrong PIN leaves the status of a verified one"),
        ("right-pin-sets-nothing", "a right PIN is not remembered"),
        ("query-always-9000", "VERIFY without data says 9000"),
        ("puk-verifies", "VERIFY takes the PUK"),
        ("p1-ignored", "VERIFY looks at no P1"),
        ("contactless-open", "the contactless rules are not kept"),
        ("unknown-reference-is-pin", "every unknown reference is the PIN"),
        ("short-new-pin", "a new PIN may have any form"),
        ("pin-always-is-once", "a key that wants the PIN each time wants it once"),
        ("pin-never-asked", "no key wants the PIN"),
        ("any-algorithm", "a key works under every algorithm"),
        ("any-key-agrees", "every key agrees"),
        ("empty-slot-9000", "an empty slot answers 9000"),
        ("unknown-tags-ignored", "unknown tags in a template are passed over"),
        ("admin-not-asked", "nothing wants the administration key"),
        ("class-ignored", "the class byte is not looked at"),
        ("secure-messaging-ignored", "secure messaging is taken for plain"),
        ("chain-survives", "a chain goes on over another command"),
        ("chain-joins-anything", "a last block joins a chain for another key"),
        ("pending-survives", "a response waits over other commands"),
        ("get-response-repeats", "GET RESPONSE gives the first part again"),
        ("unknown-aid-deselects", "SELECT of an unknown application selects none"),
        ("unknown-aid-9000", "SELECT of an unknown application says 9000"),
        ("reset-keeps-status", "a reset forgets nothing"),
        ("change-verifies-nothing", "CHANGE REFERENCE DATA does not verify the PIN"),
        ("change-keeps-the-old", "CHANGE REFERENCE DATA sets no new value"),
        ("blocked-is-changed", "a blocked PIN is changed"),
        ("unblock-verifies", "RESET RETRY COUNTER verifies the PIN"),
        ("puk-failure-not-counted", "a wrong PUK costs no try"),
        ("blocked-puk-unblocks", "a blocked PUK unblocks"),
        ("unblock-without-key", "the administration key is not asked for to unblock"),
        ("unblock-keeps-authentication", "one response unblocks again and again"),
        ("objects-without-pin", "protected objects are read without the PIN"),
        ("one-byte-short", "the last byte of an object is not answered"),
        ("object-is-not-written", "PUT DATA says 9000 and writes nothing"),
        ("challenge-not-cleared", "a challenge stays after its response"),
        ("challenge-passes-as-witness", "a challenge that was given in the clear passes as a witness"),
        ("same-challenge", "every challenge is the same"),
        ("wrong-response-keeps-authentication", "a wrong response leaves an authentication that was there"),
        ("same-public-key", "GENERATE answers and keeps the old key"),
        ("gids-unblock-without-key", "a GIDS card unblocks without the administration key"),
        ("gids-forget-does-not", "VERIFY 82 forgets nothing"),
        ("gids-new-value-without-old", "P1=01 sets a PIN without the old one"),
        ("gids-key-not-named", "GENERAL AUTHENTICATE works without MSE"),
        ("status-tells-one-more", "7F71 tells one try more"),
    ];

    /// Switches one fault on for this thread, and the others off; an empty name switches all off.
    pub fn switch(name: &'static str) {
        ON.with(|on| on.set(name));
    }

    #[inline]
    pub(crate) fn is_on(name: &str) -> bool {
        ON.with(|on| on.get() == name)
    }
}

#[cfg(feature = "seeded-faults")]
pub(crate) use switched::is_on;
#[cfg(feature = "seeded-faults")]
pub use switched::{FAULTS, switch};

/// Whether a fault is switched on.
#[cfg(not(feature = "seeded-faults"))]
#[inline(always)]
pub(crate) const fn is_on(_: &str) -> bool {
    false
}
