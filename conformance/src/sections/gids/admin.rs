//! GENERAL AUTHENTICATE with the administrator key.

use super::GIDS;
use crate::bench::{Bench, Checked, Stop, holds, same};
use crate::book::Book;
use crate::place::Place;
use crate::sections::common;
use crate::test::{Danger, Need};
use cardlab_protocol::admin_key::AdminKey;
use cardlab_protocol::tlv::{encode, find_path};
use hex_literal::hex;

fn may_write(b: &mut Bench<'_>) -> Checked<bool> {
    Ok(b.send(&hex!("00DBA01404DF310101"))?.sw == 0x9000)
}

fn mutual(b: &mut Bench<'_>, spoil: bool) -> Checked<(crate::bench::Reply, Vec<u8>)> {
    b.start()?;
    b.name_admin_key()?;
    let r1 = [0x11u8; 16];
    let data = b.admin_command(&encode(0x7C, &encode(0x81, &r1)))?.ok("mutual authentication, R1")?;
    let r2 = find_path(&data, &[0x7C, 0x81]).unwrap_or_default();
    holds(r2.len() == 16, "R2 has 16 bytes")?;
    let key = b.admin_key()?;
    let mut z1 = vec![0x33; key.cipher().block_len()];
    if let Some(last) = z1.last_mut() {
        *last = if spoil { 0x81 } else { 0x80 };
    }
    let answer = key.encrypt_cbc(&[r2, &r1, &z1].concat()).map_err(|e| Stop::Failed(e.to_string()))?;
    let reply = b.admin_command(&encode(0x7C, &encode(0x82, &answer)))?;
    Ok((reply, key.encrypt_cbc(&[&r1[..], r2].concat()).map_err(|e| Stop::Failed(e.to_string()))?))
}

pub(super) fn fill(book: &mut Book) {
    let mut s = book
        .section(
            "gids/2.0/general-authenticate",
            &format!("{GIDS}, GENERAL AUTHENTICATE; ISO/IEC 7816-4:2020 section 11.5.5"),
            &[Need::Gids, Need::AdminKey],
        )
        .at_least(Danger::ChangesKeys)
        .writes([Place::InFile(0xA014, 0xDF31)]);
    common::administration(&mut s, may_write);
    s.must("key-is-named-first", "Without MANAGE SECURITY ENVIRONMENT there is no challenge", |b| {
        b.start()?;
        b.admin_command(&[0x7C, 0x02, 0x81, 0x00])?.refused("GENERAL AUTHENTICATE without MSE")
    });
    s.must("unknown-key", "MSE with a key that is not there is refused", |b| {
        b.start()?;
        b.send(&hex!("0022C1A403830185"))?.refused("MSE")
    });
    s.must("mutual", "Mutual authentication: the card answers with both random numbers", |b| {
        let (reply, expected) = mutual(b, false)?;
        let data = reply.ok("mutual authentication")?;
        let got = find_path(&data, &[0x7C, 0x82]).unwrap_or_default();
        same(got.get(..32).unwrap_or_default(), &expected, "E(R1 R2)")?;
        holds(may_write(b)?, "the administrator's file is written")
    })
    .changes();
    s.must("mutual-wrong-padding", "Mutual authentication with wrong padding is refused", |b| {
        mutual(b, true)?.0.refused("mutual authentication")?;
        holds(!may_write(b)?, "the administrator's file is not written")
    })
    .spends();
    for (slug, template) in [
        ("empty", &hex!("7C00")[..]),
        ("no-template", &hex!("8100")[..]),
        ("cut", &hex!("7C0281")[..]),
        ("unknown-tag", &hex!("7C028900")[..]),
        ("empty-response", &hex!("7C028200")[..]),
    ] {
        s.must(slug, "A malformed template is refused", move |b| {
            b.start()?;
            b.name_admin_key()?;
            b.admin_command(template)?.refused("GENERAL AUTHENTICATE")?;
            holds(!may_write(b)?, "the administrator's file is not written")
        });
    }
    let mut s = book
        .section("gids/2.0/put-admin-key", &format!("{GIDS}, PUT DATA of the administrator key"), &[Need::Gids, Need::AdminKey])
        .at_least(Danger::ChangesKeys);
    let put = &hex!("00DB3FFF267024840180A51F8718A1A2A3A4A5A6A7A8B1B2B3B4B5B6B7B8C1C2C3C4C5C6C7C88803000000");
    s.must("needs-itself", "The administrator key is not put by strangers", move |b| {
        b.start()?;
        b.send(put)?.is(0x6982, "PUT DATA").map(drop)
    });
    s.must("not-by-the-user", "The administrator key is not put with the PIN", move |b| {
        b.start()?;
        b.verify()?;
        b.send(put)?.is(0x6982, "PUT DATA").map(drop)
    })
    .needs(&[Need::Pin]);
    s.must("new-key-works", "The new key works, and the old one does not", move |b| {
        b.start()?;
        let old = b.admin_key()?;
        b.admin()?;
        b.send(put)?.ok("PUT DATA")?;
        let challenge = b.challenge()?;
        let with_old = old.respond(&challenge).map_err(|e| Stop::Failed(e.to_string()))?;
        b.respond(&with_old)?.refused("a response of the old key")?;
        let new = hex!("A1A2A3A4A5A6A7A8B1B2B3B4B5B6B7B8C1C2C3C4C5C6C7C8");
        let challenge = b.challenge()?;
        let with_new =
            AdminKey::new(old.cipher(), &new).and_then(|k| k.respond(&challenge)).map_err(|e| Stop::Failed(e.to_string()))?;
        b.respond(&with_new)?.ok("a response of the new key").map(drop)
    })
    .writes(&[Place::Key(0x80)])
    .resets();
    s.must("never-read", "The administrator key is read by nobody", |b| {
        b.start()?;
        b.admin()?;
        b.long([0x00, 0xCB, 0x3F, 0xFF], &[0x70, 0x08, 0x84, 0x01, 0x80, 0xA5, 0x03, 0x7F, 0x49, 0x80])?
            .refused("GET DATA of the key")
    });
}
