//! The OTP applet, as far as clients ask it for the serial number (firmware 4 has no GET SERIAL).
//!
//! SELECT answers version and status; `00 01 10 00` answers the serial number, four bytes.

use super::device;
use crate::applet::{Applet, Env};
use crate::conditions::Conditions;
use crate::nvm::Nvm;
use crate::profile::Profile;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;

const AID: [u8; 8] = [0xA0, 0x00, 0x00, 0x05, 0x27, 0x20, 0x01, 0x01];
/// Clients leave the last byte out.
const SHORTEST: usize = 7;

/// The OTP applet, without any one-time password.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Otp;

impl Applet for Otp {
    fn name(&self) -> &'static str {
        "otp"
    }

    fn answers_to(&self, aid: &[u8], _profile: &Profile) -> bool {
        aid.len() >= SHORTEST && AID.starts_with(aid)
    }

    fn is_on(&self, nvm: &Nvm, profile: &Profile, conditions: Conditions) -> bool {
        device::is_on(nvm, profile, conditions, device::OTP)
    }

    fn select(&mut self, env: &mut Env<'_>, _command: &Command<'_>, _again: bool, out: &mut Vec<u8>) -> Result<(), Abort> {
        let Some(rules) = &env.profile.yubikey else { return Err(StatusWord::NOT_FOUND.into()) };
        out.extend(rules.version);
        // Programming sequence number and touch level: no slot is configured.
        out.extend([0, 0, 0]);
        Ok(())
    }

    fn deselect(&mut self) {}

    fn reset(&mut self) {}

    fn process(&mut self, env: &mut Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
        match (command.ins, command.p1) {
            (0x01, 0x10) => {
                out.extend(crate::factory::serial(env.nvm).to_be_bytes());
                Ok(())
            }
            _ => Err(StatusWord::UNKNOWN_INS.into()),
        }
    }
}
