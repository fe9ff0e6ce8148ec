//! What every card edge has in common, in the words of each one's bench: a PIN whose tries are counted, an
//! administrator key whose challenges are answered.

use crate::bench::{Bench, Checked, Stop, holds};
use crate::book::Section;
use crate::test::Need;

/// The PIN's tries (ISO/IEC 7816-4:2020 section 11.5.6).
pub(super) fn counted_pin(s: &mut Section<'_>) {
    s.must("right-pin", "The right PIN verifies", |b| {
        b.start()?;
        b.verify()?;
        b.query()?.ok("VERIFY without data, of a verified PIN").map(drop)
    });
    s.must("query-costs-nothing", "Asking twice gets the same answer", |b| {
        b.start()?;
        let (one, two) = (b.tries()?, b.tries()?);
        holds(one == two, format!("{one} tries, then {two}"))
    });
    s.must("wrong-pin-costs-a-try", "A wrong PIN costs one try, and says how many are left", |b| {
        b.start()?;
        let all = b.all_tries()?;
        b.verify_wrong()?.left(all - 1, "a wrong PIN")
    })
    .spends();
    s.must("counter-agrees", "After a wrong PIN the query says what the answer said", |b| {
        b.start()?;
        let all = b.all_tries()?;
        b.verify_wrong()?;
        b.query()?.left(all - 1, "VERIFY without data")?;
        b.query()?.left(all - 1, "VERIFY without data once more")
    })
    .spends();
    s.must("wrong-pin-ends-the-status", "A wrong PIN ends the status of a verified one", |b| {
        b.start()?;
        b.verify()?;
        let reply = b.verify_wrong()?;
        holds(matches!(reply.sw, 0x63C0..=0x63CF), format!("a wrong PIN: expected 63Cx, got {:04X}", reply.sw))?;
        b.is_not_verified("after a wrong PIN")
    })
    .spends();
    s.must("right-pin-restores", "The right PIN gives all tries back", |b| {
        b.start()?;
        let all = b.all_tries()?;
        b.verify_wrong()?;
        b.verify()?;
        b.start()?;
        let left = b.tries()?;
        holds(left == all, format!("{all} tries before, {left} after a wrong and the right PIN"))
    })
    .spends();
    s.must("wrong-pins-do-not-add-up-over-a-right-one", "Wrong, right, wrong: one try is missing, not two", |b| {
        b.start()?;
        let all = b.all_tries()?;
        b.verify_wrong()?;
        b.verify()?;
        b.verify_wrong()?.left(all - 1, "the second wrong PIN")
    })
    .spends();
    s.must("counts-down-to-the-end", "Each wrong PIN costs one more, down to 63C0 or 6983", |b| {
        b.start()?;
        let all = b.all_tries()?;
        for left in (1..all).rev() {
            b.verify_wrong()?.left(left, "a wrong PIN")?;
        }
        b.verify_wrong()?.any_of(&[0x63C0, 0x6983], "the last wrong PIN").map(drop)
    })
    .locks();
    s.must("blocked-is-blocked", "With no tries left the right PIN is refused with 6983", |b| {
        b.start()?;
        b.block_pin()?;
        let pin = b.pin()?;
        b.verify_with(&pin)?.is(0x6983, "the right PIN").map(drop)
    })
    .locks();
    s.must("blocked-query", "VERIFY without data of a blocked PIN: 63C0 or 6983", |b| {
        b.start()?;
        b.block_pin()?;
        b.query()?.any_of(&[0x63C0, 0x6983], "VERIFY without data").map(drop)
    })
    .locks();
    s.must("blocked-stays-over-a-reset", "A blocked PIN is blocked after power off and on", |b| {
        b.start()?;
        b.block_pin()?;
        b.power_cycle()?;
        b.select()?.ok("SELECT")?;
        let pin = b.pin()?;
        b.verify_with(&pin)?.is(0x6983, "the right PIN").map(drop)
    })
    .locks();
}

/// A challenge that is not the one before: what tells them apart has nothing to judge otherwise, and that they
/// differ is a test of its own.
pub(super) fn is_another(before: &[u8], challenge: &[u8]) -> Checked {
    if before == challenge { Err(Stop::NotApplicable("the card gave the same challenge twice".into())) } else { Ok(()) }
}

/// The administrator key, challenge and response (ISO/IEC 7816-4:2020 section 11.5.5). `may_write` tells
/// whether it is authenticated, by what it alone allows.
pub(super) fn administration(s: &mut Section<'_>, may_write: fn(&mut Bench<'_>) -> Checked<bool>) {
    s.must("challenge-is-a-block", "A challenge has the length of the cipher's block", |b| {
        b.start()?;
        let length = b.challenge()?.len();
        let expected = b.admin_key()?.cipher().block_len();
        holds(length == expected, format!("a challenge of {length} bytes, the block has {expected}"))
    });
    s.must("right-response", "The right response authenticates", move |b| {
        b.start()?;
        b.admin()?;
        holds(may_write(b)?, "what the administrator writes is written after the right response")
    })
    .changes();
    s.must("right-response-has-no-data", "The answer to the right response has no data", |b| {
        b.start()?;
        let challenge = b.challenge()?;
        let response = b.response(&challenge)?;
        let data = b.respond(&response)?.ok("the right response")?;
        holds(data.is_empty(), "no data")
    });
    s.must("wrong-response", "A wrong response does not authenticate", move |b| {
        b.start()?;
        let challenge = b.challenge()?;
        let wrong = b.wrong_response(&challenge)?;
        b.respond(&wrong)?.refused("a wrong response")?;
        holds(!may_write(b)?, "nothing is written after a wrong response")
    })
    .spends();
    s.must("every-byte-of-a-response-counts", "A response that is wrong in one byte is wrong, wherever the byte stands", |b| {
        b.start()?;
        let length = b.challenge()?.len();
        for at in 0..length {
            b.admin()?;
            let challenge = b.challenge()?;
            let mut response = b.response(&challenge)?;
            response[at] ^= 0x01;
            b.respond(&response)?.refused(&format!("a response that is wrong in byte {at}"))?;
        }
        b.admin()
    })
    .spends();
    s.must("wrong-response-ends-it", "A wrong response ends an authentication that was there", move |b| {
        b.start()?;
        b.admin()?;
        let challenge = b.challenge()?;
        let wrong = b.wrong_response(&challenge)?;
        b.respond(&wrong)?.refused("a wrong response")?;
        holds(!may_write(b)?, "nothing is written any more")
    })
    .spends();
    s.must("challenges-differ", "Challenges differ from each other", |b| {
        b.start()?;
        let mut seen = Vec::new();
        for _ in 0..8 {
            let challenge = b.challenge()?;
            holds(!seen.contains(&challenge), "a challenge came twice")?;
            seen.push(challenge);
        }
        Ok(())
    });
    s.must("challenges-differ-after-a-reset", "After power off and on other challenges come", |b| {
        b.start()?;
        let first = b.challenge()?;
        b.power_cycle()?;
        b.select()?.ok("SELECT")?;
        let second = b.challenge()?;
        holds(first != second, "the same challenge after power off and on")
    });
    s.must("reset-ends-the-authentication", "A reset ends the authentication", move |b| {
        b.start()?;
        b.admin()?;
        b.start()?;
        holds(!may_write(b)?, "nothing is written after a reset")
    });
    s.must("pin-is-independent", "The administrator key does not verify the PIN", |b| {
        b.start()?;
        b.admin()?;
        b.is_not_verified("after the administrator key")
    })
    .needs(&[Need::Pin]);
    s.must("cut-response", "A response that is too short is refused", move |b| {
        b.start()?;
        let challenge = b.challenge()?;
        let response = b.response(&challenge)?;
        b.respond(&response[..response.len() - 1])?.refused("a response with a byte less")?;
        holds(!may_write(b)?, "nothing is written")
    })
    .spends();
}
