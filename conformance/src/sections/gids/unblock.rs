//! The unblock by challenge and response: GIDS cards, and PIV cards that are managed the same way.

use super::GIDS;
use crate::bench::{Bench, Checked, Reply, Stop, holds, same};
use crate::book::{Book, Section};
use crate::sections::common;
use crate::test::Need;
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use hex_literal::hex;

const AES: [(&str, &str); 3] = [
    ("aes128", "000102030405060708090A0B0C0D0E0F"),
    ("aes192", "000102030405060708090A0B0C0D0E0F1011121314151617"),
    ("aes256", "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"),
];

pub(super) fn fill(book: &mut Book) {
    let source = format!("Microsoft smart card minidriver specification section 4.4.7; {GIDS}, RESET RETRY COUNTER");
    let mut s = book.section("unblock/challenge-response/card", &source, &[Need::AdminUnblock, Need::AdminKey, Need::Pin]);
    s.must("unblocks", "A right response and a new PIN unblock a blocked card", |b| {
        b.start()?;
        b.block_pin()?;
        b.admin()?;
        b.admin_unblock(b"84629517")?.ok("RESET RETRY COUNTER")?;
        b.verify()
    })
    .locks();
    s.must("all-tries-are-back", "After unblocking the PIN has all its tries", |b| {
        b.start()?;
        let all = b.all_tries()?;
        b.block_pin()?;
        b.admin()?;
        b.admin_unblock(b"84629517")?.ok("RESET RETRY COUNTER")?;
        b.query()?.left(all, "VERIFY without data")
    })
    .locks();
    s.must("verifies-nothing", "Unblocking does not verify the PIN", |b| {
        b.start()?;
        b.admin()?;
        b.admin_unblock(b"84629517")?.ok("RESET RETRY COUNTER")?;
        b.is_not_verified("after unblocking")
    })
    .changes();
    s.must("ends-the-authentication", "One response unblocks once", |b| {
        b.start()?;
        b.admin()?;
        b.admin_unblock(b"84629517")?.ok("RESET RETRY COUNTER")?;
        b.admin_unblock(b"11223344")?.is(0x6982, "RESET RETRY COUNTER again").map(drop)
    })
    .changes();
    s.must("needs-the-key", "Without a right response nothing is unblocked", |b| {
        b.start()?;
        b.block_pin()?;
        b.admin_unblock(b"84629517")?.is(0x6982, "RESET RETRY COUNTER")?;
        let pin = b.pin()?;
        b.verify_with(&pin)?.is(0x6983, "the right PIN").map(drop)
    })
    .locks();
    s.must("the-pin-is-not-enough", "A verified PIN does not unblock", |b| {
        b.start()?;
        b.verify()?;
        b.admin_unblock(b"84629517")?.is(0x6982, "RESET RETRY COUNTER").map(drop)
    })
    .changes();
    s.must("bad-new-pin", "A new PIN against the rules is refused, and the card stays blocked", |b| {
        b.start()?;
        b.block_pin()?;
        b.admin()?;
        let bad: &[u8] = b"12";
        b.admin_unblock(bad)?.refused("RESET RETRY COUNTER")?;
        let pin = b.pin()?;
        b.verify_with(&pin)?.is(0x6983, "the right PIN").map(drop)
    })
    .locks();
    s.must("wrong-response-costs-a-try", "A wrong response costs a try of the key", |b| {
        b.start()?;
        b.admin()?;
        let all = b.admin_tries()?;
        let challenge = b.challenge()?;
        let wrong = b.wrong_response(&challenge)?;
        b.respond(&wrong)?.left(all - 1, "a wrong response")?;
        let left = b.admin_tries()?;
        holds(left == all - 1, format!("7F73 says {left}"))
    })
    .with("admin-tries", "5")
    .spends();
    s.must("right-response-restores", "A right response gives all tries of the key back", |b| {
        b.start()?;
        b.admin()?;
        let all = b.admin_tries()?;
        for _ in 0..2 {
            let challenge = b.challenge()?;
            let wrong = b.wrong_response(&challenge)?;
            b.respond(&wrong)?;
        }
        b.admin()?;
        let left = b.admin_tries()?;
        holds(left == all, format!("{left} of {all}"))
    })
    .with("admin-tries", "5")
    .spends();
    s.must("key-blocks", "Wrong responses block the key for good", |b| {
        b.start()?;
        for _ in 0..3 {
            let challenge = b.challenge()?;
            let wrong = b.wrong_response(&challenge)?;
            b.respond(&wrong)?;
        }
        b.name_admin_key()?;
        b.admin_command(&[0x7C, 0x02, 0x81, 0x00])?.is(0x6983, "a request for a challenge").map(drop)
    })
    .with("admin-tries", "3")
    .resets();
    s.must("blocked-key-stays-blocked", "A blocked key is blocked after power off and on", |b| {
        b.start()?;
        for _ in 0..3 {
            let challenge = b.challenge()?;
            let wrong = b.wrong_response(&challenge)?;
            b.respond(&wrong)?;
        }
        b.power_cycle()?;
        b.select()?.ok("SELECT")?;
        b.name_admin_key()?;
        b.admin_command(&[0x7C, 0x02, 0x81, 0x00])?.is(0x6983, "a request for a challenge").map(drop)
    })
    .with("admin-tries", "3")
    .resets();
    s.must("challenge-alone-costs-nothing", "Asking for challenges costs no try of the key", |b| {
        b.start()?;
        b.admin()?;
        let all = b.admin_tries()?;
        for _ in 0..20 {
            b.challenge()?;
        }
        let left = b.admin_tries()?;
        holds(left == all, format!("{left} of {all}"))
    })
    .with("admin-tries", "5");
    s.must("response-without-a-challenge-costs-nothing", "A response with nothing pending is compared with nothing", |b| {
        b.start()?;
        b.admin()?;
        let all = b.admin_tries()?;
        b.start()?;
        b.name_admin_key()?;
        let length = b.admin_key()?.cipher().block_len();
        b.respond(&vec![0x5A; length])?.refused("a response to nothing")?;
        let left = b.admin_tries()?;
        holds(left == all, format!("{left} of {all}"))
    })
    .with("admin-tries", "5")
    .spends();
    s.must("wrong-responses-leave-the-pin", "Wrong responses cost no try of the PIN", |b| {
        b.start()?;
        let all = b.all_tries()?;
        let challenge = b.challenge()?;
        let wrong = b.wrong_response(&challenge)?;
        b.respond(&wrong)?;
        b.query()?.left(all, "VERIFY without data")
    })
    .spends();
    s.must("wrong-pins-leave-the-key", "Wrong PINs cost no try of the key", |b| {
        b.start()?;
        b.admin()?;
        let all = b.admin_tries()?;
        b.verify_wrong()?;
        let left = b.admin_tries()?;
        holds(left == all, format!("{left} of {all}"))
    })
    .with("admin-tries", "5")
    .spends();
    s.must("single-use", "A response is right once", |b| {
        b.start()?;
        let challenge = b.challenge()?;
        let response = b.response(&challenge)?;
        b.respond(&response)?.ok("the right response")?;
        b.name_admin_key()?;
        b.respond(&response)?.refused("the same again")
    })
    .spends();
    s.must("dies-with-the-next-challenge", "The response to the challenge before is wrong", |b| {
        b.start()?;
        let first = b.challenge()?;
        common::is_another(&first, &b.challenge()?)?;
        let response = b.response(&first)?;
        b.respond(&response)?.refused("the response to the first challenge")
    })
    .spends();
    s.must("dies-with-a-wrong-response", "After a wrong response the right one comes too late", |b| {
        b.start()?;
        let challenge = b.challenge()?;
        let (wrong, right) = (b.wrong_response(&challenge)?, b.response(&challenge)?);
        b.respond(&wrong)?;
        b.respond(&right)?.refused("the right response afterwards")
    })
    .spends();
    s.must("dies-with-a-reset", "A reset ends the challenge", |b| {
        b.start()?;
        let challenge = b.challenge()?;
        let response = b.response(&challenge)?;
        b.start()?;
        b.name_admin_key()?;
        b.respond(&response)?.refused("the response after a reset")
    })
    .spends();
    s.must("dies-with-power", "Power off and on ends the challenge", |b| {
        b.start()?;
        let challenge = b.challenge()?;
        let response = b.response(&challenge)?;
        b.power_cycle()?;
        b.select()?.ok("SELECT")?;
        b.name_admin_key()?;
        b.respond(&response)?.refused("the response after power off and on")
    })
    .spends();
    s.must("survives-other-commands", "A challenge survives a status query", |b| {
        b.start()?;
        let challenge = b.challenge()?;
        let response = b.response(&challenge)?;
        b.query()?;
        b.respond(&response)?.ok("the response after a status query").map(drop)
    });
    s.must("sixteen-digits", "A 3DES challenge has 8 bytes: 16 digits to read out", |b| {
        b.start()?;
        let length = b.challenge()?.len();
        holds(length == b.admin_key()?.cipher().block_len(), format!("{length} bytes"))
    });
    for (name, key) in AES {
        s.must(
            &format!("{name}-unblocks"),
            &format!("A card with an {name} key is unblocked with a response of 16 bytes"),
            |b| {
                b.start()?;
                b.block_pin()?;
                let challenge = b.challenge()?;
                holds(challenge.len() == 16, "a challenge of 16 bytes")?;
                let response = b.response(&challenge)?;
                b.respond(&response)?.ok("the right response")?;
                b.admin_unblock(b"84629517")?.ok("RESET RETRY COUNTER")?;
                b.verify()
            },
        )
        .with("admin-algorithm", name)
        .with("admin-key", key)
        .locks();
        s.must(&format!("{name}-refuses-half-a-block"), "A response of 8 bytes to an AES challenge is refused", |b| {
            b.start()?;
            let challenge = b.challenge()?;
            let response = b.response(&challenge)?;
            b.respond(&response[..8])?.refused("half a response")
        })
        .with("admin-algorithm", name)
        .with("admin-key", key)
        .spends();
    }
    limit(book);
    let mut s = book.section("unblock/challenge-response/vectors", "NIST SP 800-67 and FIPS 197; computed with OpenSSL", &[]);
    let known = |s: &mut Section<'_>,
                 slug: &str,
                 cipher: Cipher,
                 key: &'static [u8],
                 challenge: &'static [u8],
                 response: &'static [u8]| {
        s.must(slug, "The sum that an operator's console computes is the known answer", move |_| {
            let got = AdminKey::new(cipher, key).and_then(|key| key.respond(challenge));
            same(&got.map_err(|e| Stop::Failed(e.to_string()))?, response, "the response")
        });
    };
    let (one, two) = (&hex!("1122334455667788"), &hex!("0000000000000001"));
    known(
        &mut s,
        "3des",
        Cipher::Tdes,
        &hex!("0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123"),
        one,
        &hex!("88BE354D2E0B2869"),
    );
    known(&mut s, "3des-factory-key", Cipher::Tdes, &[0; 24], two, &hex!("166B40B44ABA4BD6"));
    known(
        &mut s,
        "3des-derived",
        Cipher::Tdes,
        &hex!("D3543DC49EABC257B973D56B92686DD5E3B66B20D64689F8"),
        one,
        &hex!("847022B574DF4753"),
    );
    known(
        &mut s,
        "aes256-derived",
        Cipher::Aes256,
        &hex!("582BC052B304676B1FD32BB7431DF791822E6ABEE84BA13352825A2ECF0958C4"),
        &hex!("000102030405060708090A0B0C0D0E0F"),
        &hex!("7F0D8EAA1DE2223C6F431EFC1B793405"),
    );
}

/// PUT DATA of 7F71: cards of ours alone have it.
fn limit(book: &mut Book) {
    let put =
        |b: &mut Bench<'_>, limit: u8| -> Checked<Reply> { b.send(&[0x00, 0xDB, 0x3F, 0xFF, 6, 0x7F, 0x71, 3, 0x93, 1, limit]) };
    let source = "cardlab's profiles, pin.tries-writable: an extension, PUT DATA of 7F71";
    let mut s = book.section("unblock/pin-tries/limit", source, &[Need::AdminUnblock, Need::AdminKey, Need::Pin]);
    s.profile("counts", "The administrator key sets how many wrong PINs block the PIN, and as many do", move |b| {
        b.start()?;
        b.admin()?;
        put(b, 5)?.ok("PUT DATA of 7F71")?;
        b.admin_unblock(b"84629517")?.ok("RESET RETRY COUNTER")?;
        b.query()?.left(5, "VERIFY without data")?;
        for left in (0..5).rev() {
            b.verify_with(b"10203040")?.left(left, "a wrong PIN")?;
        }
        b.verify_with(b"84629517")?.is(0x6983, "the right PIN").map(drop)
    })
    .with("tries-writable", "on")
    .resets();
    s.profile("needs-the-key", "Without the administrator key the limit stays, also with the PIN", move |b| {
        b.start()?;
        put(b, 5)?.is(0x6982, "PUT DATA of 7F71")?;
        b.verify()?;
        put(b, 5)?.is(0x6982, "PUT DATA of 7F71 after the PIN").map(drop)
    })
    .with("tries-writable", "on")
    .resets();
    s.profile("gives-no-try-back", "A new limit gives no try back, and a blocked PIN stays blocked", move |b| {
        b.start()?;
        let all = b.all_tries()?;
        b.verify_wrong()?;
        b.admin()?;
        put(b, all + 2)?.ok("PUT DATA of 7F71")?;
        b.query()?.left(all - 1, "VERIFY without data")?;
        b.block_pin()?;
        b.admin()?;
        put(b, all)?.ok("PUT DATA of 7F71")?;
        let pin = b.pin()?;
        b.verify_with(&pin)?.is(0x6983, "the right PIN").map(drop)
    })
    .with("tries-writable", "on")
    .resets();
    s.profile("bounds", "No limit, and more than the card has, are refused", move |b| {
        b.start()?;
        let all = b.all_tries()?;
        b.admin()?;
        for wrong in [0, 16] {
            put(b, wrong)?.refused("PUT DATA of 7F71")?;
        }
        b.query()?.left(all, "VERIFY without data")
    })
    .with("tries-writable", "on")
    .resets();
}
