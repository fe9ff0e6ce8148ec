//! GENERAL AUTHENTICATE with the administrator key (9B), SP 800-73-4 part 2 appendix A.1 and A.2.
//!
//! | exchange | command | answer |
//! |---|---|---|
//! | external, step 1 | `7C {81}` | `7C {81 challenge}` |
//! | external, step 2 | `7C {82 E(challenge)}` | 9000 |
//! | mutual, step 1 | `7C {80}` | `7C {80 E(witness)}` |
//! | mutual, step 2 | `7C {80 witness, 81 challenge [, 82]}` | `7C {82 E(challenge)}` |
//!
//! What is pending remembers which kind it is: a challenge was given out in the clear, a witness
//! only encrypted, and the one must never pass for the other. Every answer burns it.

use super::Piv;
use super::general_authenticate::Template;
use crate::admin_key;
use crate::applet::Env;
use crate::keys::TouchPolicy;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::admin_key::Cipher;
use cardlab_protocol::tlv::Writer;
use zeroize::Zeroizing;

/// A block that the host has to answer.
pub(crate) enum Pending {
    /// Sent in the clear; the answer is its encryption.
    Challenge(Zeroizing<Vec<u8>>),
    /// Sent encrypted; the answer is its plaintext.
    Witness(Zeroizing<Vec<u8>>),
}

pub(super) fn authenticate(
    piv: &mut Piv,
    env: &mut Env<'_>,
    algorithm: u8,
    template: &Template<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Abort> {
    let (key, touch) = admin_key::load(env.nvm).ok_or(StatusWord::REFERENCE_NOT_FOUND)?;
    if Cipher::from_id(algorithm) != Some(key.cipher()) {
        return Err(env.profile.piv().wrong_algorithm.into());
    }
    admin_key::check_blocked(env.nvm)?;
    let block = key.cipher().block_len();
    let pending = piv.pending.take();
    match *template {
        Template { witness: None, challenge: Some([]), response: None, exponentiation: None } => {
            let mut challenge = Zeroizing::new(vec![0; block]);
            env.random.fill(&mut challenge);
            Writer::new(out).nested(0x7C, |t| {
                t.value(0x81, &challenge);
            });
            piv.pending = Some(Pending::Challenge(challenge));
            Ok(())
        }
        Template { witness: Some([]), challenge: None, response: None, exponentiation: None } => {
            let mut witness = Zeroizing::new(vec![0; block]);
            env.random.fill(&mut witness);
            let hidden = key.encrypt(&witness)?;
            Writer::new(out).nested(0x7C, |t| {
                t.value(0x80, &hidden);
            });
            piv.pending = Some(Pending::Witness(witness));
            Ok(())
        }
        Template { witness: None, challenge: None, response: Some(response), exponentiation: None } => {
            piv.admin = false;
            let Some(Pending::Challenge(challenge)) = pending else {
                return Err(env.profile.management_key.wrong_response.into());
            };
            accept(piv, env, touch, &key.encrypt(&challenge)?, response)
        }
        Template { witness: Some(answer), challenge: Some(challenge), response: None | Some([]), exponentiation: None } => {
            piv.admin = false;
            let Some(Pending::Witness(witness)) = pending else {
                return Err(env.profile.management_key.wrong_response.into());
            };
            if challenge.len() != block {
                return Err(StatusWord::WRONG_DATA.into());
            }
            accept(piv, env, touch, &witness, answer)?;
            let response = key.encrypt(challenge)?;
            Writer::new(out).nested(0x7C, |t| {
                t.value(0x82, &response);
            });
            Ok(())
        }
        _ => Err(StatusWord::WRONG_DATA.into()),
    }
}

fn accept(piv: &mut Piv, env: &mut Env<'_>, touch: TouchPolicy, expected: &[u8], answer: &[u8]) -> Result<(), Abort> {
    if answer.len() != expected.len() {
        return Err(StatusWord::WRONG_DATA.into());
    }
    admin_key::prove(env.nvm, &env.profile.management_key, expected, answer)?;
    piv.require_touch(env, touch)?;
    piv.admin = true;
    Ok(())
}
