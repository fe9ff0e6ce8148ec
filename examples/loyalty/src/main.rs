//! A loyalty card: points that any till adds, and that are spent after the PIN.
//!
//! ```console
//! $ cargo run --package loyalty -- exec --card loyalty,pin=2468 -- opensc-tool -s 00A4040008F04C4F59414C5459 -s 00CA010000
//! ```
//! The program is the whole of `cardlab` with a kind of card more: it runs under `exec` and `up`, in the journal, with
//! undo, faults, snapshots and a state directory, and knows nothing of them.
//!
//! | command | | data | answer |
//! |---|---|---|---|
//! | SELECT | `00 A4 04 00` | AID | its name |
//! | VERIFY | `00 20 00 80` | PIN; none asks for the tries | 63Cx, 6983 |
//! | GET DATA | `00 CA 01 00` | | points, four bytes |
//! | INCREASE | `00 32 00 00` | points, two bytes | points now |
//! | DECREASE | `00 30 00 00` | points, two bytes | points now; 6982 without the PIN, 6A84 for more than there are |

use cardlab_sim::applet::{Applet, Command, Env};
use cardlab_sim::nvm::{Nvm, Transaction};
use cardlab_sim::own::{Kind, record};
use cardlab_sim::reference::{PIN, Verdict};
use cardlab_sim::status::{Abort, StatusWord};
use cardlab_sim::{Profile, Random};

/// F0: a proprietary AID without registration (ISO/IEC 7816-5 section 8.4).
const AID: &[u8] = b"\xF0LOYALTY";
/// Where the points are.
const POINTS: cardlab_sim::nvm::RecordId = record(0);

const LOYALTY: Kind = Kind {
    name: "loyalty",
    description: "an example: a loyalty card with points and a PIN",
    reader: "Loyalty",
    applet: || Box::new(Loyalty { verified: false }),
    personalise,
    ..Kind::DEFAULT
};

fn main() -> std::process::ExitCode {
    cardlab::run_with(&[LOYALTY])
}

/// A new card has the PIN and the tries that were asked for, and no points.
fn personalise(transaction: &mut Transaction<'_>, profile: &Profile, _: &mut Random) -> Result<(), Abort> {
    PIN.create(transaction, profile.pin.value.as_bytes(), profile.pin.tries)?;
    transaction.write(POINTS, &0u32.to_be_bytes())
}

/// The card as long as it has power.
struct Loyalty {
    /// Whether the PIN was right since it was selected.
    verified: bool,
}

impl Applet for Loyalty {
    fn name(&self) -> &'static str {
        "loyalty"
    }

    fn answers_to(&self, aid: &[u8], _: &Profile) -> bool {
        !aid.is_empty() && AID.starts_with(aid)
    }

    fn select(&mut self, _: &mut Env<'_>, _: &Command<'_>, _: bool, out: &mut Vec<u8>) -> Result<(), Abort> {
        self.verified = false;
        out.extend_from_slice(b"loyalty");
        Ok(())
    }

    fn deselect(&mut self) {
        self.verified = false;
    }

    fn reset(&mut self) {
        self.verified = false;
    }

    fn process(&mut self, env: &mut Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
        match (command.ins, command.p1p2()) {
            (0x20, 0x0080) => self.verify(env, command),
            (0xCA, 0x0100) => show(env.nvm, out),
            (0x32, 0x0000) => change(env.nvm, command, u32::checked_add, out),
            (0x30, 0x0000) if !self.verified => Err(StatusWord::SECURITY_STATUS.into()),
            (0x30, 0x0000) => change(env.nvm, command, u32::checked_sub, out),
            (0x20 | 0xCA | 0x32 | 0x30, _) => Err(StatusWord::WRONG_P1P2.into()),
            _ => Err(StatusWord::UNKNOWN_INS.into()),
        }
    }
}

impl Loyalty {
    /// VERIFY. The counter is the library's: a wrong value costs its try before it is compared, whatever happens then.
    fn verify(&mut self, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
        let last = env.profile.pin.last_wrong;
        if command.data.is_empty() {
            return match PIN.counter(env.nvm).left {
                _ if self.verified => Ok(()),
                0 => Err(StatusWord::BLOCKED.into()),
                left => Err(StatusWord::tries_left(left).into()),
            };
        }
        let verdict = PIN.verify(env.nvm, command.data)?;
        self.verified = verdict == Verdict::Match;
        if self.verified { Ok(()) } else { Err(verdict.status(last).into()) }
    }
}

fn points(nvm: &Nvm) -> u32 {
    nvm.read(POINTS).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes)
}

/// GET DATA: anybody may look.
fn show(nvm: &Nvm, out: &mut Vec<u8>) -> Result<(), Abort> {
    out.extend_from_slice(&points(nvm).to_be_bytes());
    Ok(())
}

/// INCREASE and DECREASE: more than there are, or can be, changes nothing. The old or the new number of points, whenever the power goes.
fn change(nvm: &mut Nvm, command: &Command<'_>, sum: fn(u32, u32) -> Option<u32>, out: &mut Vec<u8>) -> Result<(), Abort> {
    let amount = command.data.try_into().map(u16::from_be_bytes).map_err(|_| StatusWord::WRONG_LENGTH)?;
    let now = sum(points(nvm), amount.into()).ok_or(StatusWord::NO_MEMORY)?;
    let mut transaction = nvm.begin();
    transaction.write(POINTS, &now.to_be_bytes())?;
    transaction.commit()?;
    show(nvm, out)
}
