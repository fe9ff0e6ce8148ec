//! The administrator key: what a card management system authenticates with by challenge and
//! response. One per card, on every card edge: PIV's 9B, GIDS' key file B080.
//!
//! The key is a record of [`crate::keys`]. Where the profile counts wrong responses, its tries are
//! [`ADMINISTRATION`], under the rules of [`mod@crate::reference`]; at 0 the key is lost for good, since
//! nothing unblocks it.

use crate::keys::{self, TouchPolicy};
use crate::memory;
use crate::nvm::{Nvm, Transaction};
use crate::profile::ManagementKeyRules;
use crate::reference::{ADMINISTRATION, Verdict};
use crate::status::{Abort, StatusWord};
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use subtle::ConstantTimeEq;

/// The key and its touch policy.
#[must_use]
pub fn load(nvm: &Nvm) -> Option<(AdminKey, TouchPolicy)> {
    let [algorithm, _, _, touch, rest @ ..] = nvm.read(memory::key(keys::ADMINISTRATION))? else { return None };
    let parts = keys::split(rest)?;
    let key = AdminKey::new(Cipher::from_id(*algorithm)?, parts.first()?).ok()?;
    Some((key, TouchPolicy::from_byte(*touch)?))
}

/// Stores a key; its tries stay as they are.
pub(crate) fn store(transaction: &mut Transaction<'_>, key: &AdminKey, touch: TouchPolicy) -> Result<(), Abort> {
    keys::store_symmetric(transaction, keys::ADMINISTRATION, key, touch)
}

/// The factory key with full tries.
pub(crate) fn create(transaction: &mut Transaction<'_>, rules: &ManagementKeyRules) -> Result<(), Abort> {
    store(transaction, &AdminKey::new(rules.algorithm, &rules.value)?, TouchPolicy::Never)?;
    create_tries(transaction, rules)
}

/// Full tries, where the profile counts.
pub(crate) fn create_tries(transaction: &mut Transaction<'_>, rules: &ManagementKeyRules) -> Result<(), Abort> {
    match rules.tries {
        0 => Ok(()),
        tries => ADMINISTRATION.create_counter(transaction, tries),
    }
}

/// 6983 when no try is left.
pub(crate) fn check_blocked(nvm: &Nvm) -> Result<(), Abort> {
    let blocked = ADMINISTRATION.exists(nvm) && ADMINISTRATION.counter(nvm).left == 0;
    if blocked { Err(StatusWord::BLOCKED.into()) } else { Ok(()) }
}

/// Compares an answer with what the key makes of the challenge. A wrong one is 63Cx and a try where
/// the card counts, else the profile's status word.
pub(crate) fn prove(nvm: &mut Nvm, rules: &ManagementKeyRules, expected: &[u8], answer: &[u8]) -> Result<(), Abort> {
    let compare = || bool::from(expected.ct_eq(answer));
    let verdict = match ADMINISTRATION.exists(nvm) {
        true => ADMINISTRATION.prove(nvm, compare)?,
        false if compare() => Verdict::Match,
        false => return Err(rules.wrong_response.into()),
    };
    match verdict {
        Verdict::Match => Ok(()),
        other => Err(other.status(StatusWord::tries_left(0)).into()),
    }
}
