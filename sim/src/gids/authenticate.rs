//! GENERAL AUTHENTICATE with the administrator key, ISO/IEC 7816-4:2020 section 11.5.5.
//!
//! `00 87 00 00`, after MANAGE SECURITY ENVIRONMENT `22 C1 A4 {83 80}`:
//!
//! | exchange | command | answer |
//! |---|---|---|
//! | external, step 1 | `7C {81}` | `7C {81 challenge}` |
//! | external, step 2 | `7C {82 E(challenge)}` | 9000 |
//! | mutual, step 1 | `7C {81 R1}` | `7C {81 R2}` |
//! | mutual, step 2 | `7C {82 E(R2 R1 Z1)}` | `7C {82 E(R1 R2 Z2)}` |
//!
//! A challenge is one block: 8 bytes under 3DES, 16 under AES. R1 and R2 have 16 bytes; Z1 and Z2 are
//! a block less one random byte, then 80. E is CBC with a zero initial vector. What is pending dies
//! with the next challenge, any answer, VERIFY 82, selection, reset and power-off; an answer with
//! nothing pending is 6985 and costs nothing, since nothing is compared.

use super::Gids;
use super::files::LifeCycle;
use crate::admin_key;
use crate::applet::Env;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::admin_key::AdminKey;
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::{self, Writer};
use zeroize::Zeroizing;

/// Length of R1 and R2 in bytes.
const RANDOM: usize = 16;
/// Ends Z1 and Z2.
const PADDING: u8 = 0x80;

/// What the card waits for.
pub(super) enum Pending {
    /// The encryption of this challenge.
    External(Zeroizing<Vec<u8>>),
    /// R1 and R2 under the key.
    Mutual([u8; RANDOM], [u8; RANDOM]),
}

pub(super) fn process(gids: &mut Gids, env: &mut Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
    if LifeCycle::of_application(env.nvm) == LifeCycle::Creation {
        return Err(StatusWord::NOT_ALLOWED.into());
    }
    if command.p1p2() != 0 {
        return Err(StatusWord::WRONG_P1P2.into());
    }
    let template = tlv::only(command.data, 0x7C).ok_or(StatusWord::DATA_INVALID)?;
    let pending = gids.pending.take();
    if let Some(random) = tlv::only(template, 0x81) {
        gids.admin = false;
        let key = key(gids, env)?;
        admin_key::check_blocked(env.nvm)?;
        return challenge(gids, env, &key, random, out);
    }
    let answer = tlv::only(template, 0x82).filter(|answer| !answer.is_empty()).ok_or(StatusWord::DATA_INVALID)?;
    let pending = pending.ok_or(StatusWord::CONDITIONS_OF_USE)?;
    let key = key(gids, env)?;
    gids.admin = false;
    match pending {
        Pending::External(challenge) => {
            if answer.len() != challenge.len() {
                return Err(StatusWord::DATA_INVALID.into());
            }
            admin_key::prove(env.nvm, &env.profile.management_key, &key.encrypt(&challenge)?, answer)?;
        }
        Pending::Mutual(r1, r2) => mutual(env, &key, (r1, r2), answer, out)?,
    }
    gids.admin = true;
    Ok(())
}

/// The administrator key, once MANAGE SECURITY ENVIRONMENT has named it.
fn key(gids: &Gids, env: &Env<'_>) -> Result<AdminKey, Abort> {
    let named = gids.environment.is_some_and(|e| e.is_administration());
    let (key, _) = admin_key::load(env.nvm).filter(|_| named).ok_or(StatusWord::CONDITIONS_OF_USE)?;
    Ok(key)
}

fn challenge(gids: &mut Gids, env: &mut Env<'_>, key: &AdminKey, random: &[u8], out: &mut Vec<u8>) -> Result<(), Abort> {
    let (challenge, pending) = if random.is_empty() {
        let mut challenge = Zeroizing::new(vec![0; key.cipher().block_len()]);
        env.random.fill(&mut challenge);
        (challenge.to_vec(), Pending::External(challenge))
    } else {
        let r1 = random.try_into().map_err(|_| StatusWord::DATA_INVALID)?;
        if !env.profile.gids().mutual {
            return Err(StatusWord::SECURITY_STATUS.into());
        }
        let r2: [u8; RANDOM] = env.random.bytes();
        (r2.to_vec(), Pending::Mutual(r1, r2))
    };
    gids.pending = Some(pending);
    Writer::new(out).nested(0x7C, |t| {
        t.value(0x81, &challenge);
    });
    Ok(())
}

fn mutual(
    env: &mut Env<'_>,
    key: &AdminKey,
    (r1, r2): ([u8; RANDOM], [u8; RANDOM]),
    answer: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Abort> {
    let block = key.cipher().block_len();
    if answer.len() != 2 * RANDOM + block {
        return Err(env.profile.management_key.wrong_response.into());
    }
    let plain = Zeroizing::new(key.decrypt_cbc(answer)?);
    // All that is known of the plain text: both random numbers and the padding.
    let known = |r: [&[u8]; 2], last: u8| Zeroizing::new([r[0], r[1], &[last]].concat());
    let got = known([&plain[..RANDOM], &plain[RANDOM..2 * RANDOM]], plain[plain.len() - 1]);
    admin_key::prove(env.nvm, &env.profile.management_key, &known([&r2, &r1], PADDING), &got)?;
    let mut z2 = Zeroizing::new(vec![0; block]);
    env.random.fill(&mut z2[..block - 1]);
    z2[block - 1] = PADDING;
    let reply = key.encrypt_cbc(&Zeroizing::new([&r1[..], &r2, &z2].concat()))?;
    Writer::new(out).nested(0x7C, |t| {
        t.value(0x82, &reply);
    });
    Ok(())
}
