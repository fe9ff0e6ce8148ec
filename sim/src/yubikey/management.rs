//! The management applet, as far as clients ask before they come to PIV.
//!
//! SELECT answers a text with the firmware version; `00 1D page 00` answers the device
//! information. Reading only: 6D00 for everything else.

use crate::applet::{Applet, Env};
use crate::profile::Profile;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::Writer;

const AID: [u8; 8] = [0xA0, 0x00, 0x00, 0x05, 0x27, 0x47, 0x11, 0x17];
/// Only the PIV application is there: capability bit 10.
const CAPABILITIES: u8 = 0x10;

/// The management applet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Management;

impl Applet for Management {
    fn name(&self) -> &'static str {
        "management"
    }

    fn answers_to(&self, aid: &[u8], _profile: &Profile) -> bool {
        aid == AID
    }

    fn select(&mut self, env: &mut Env<'_>, _command: &Command<'_>, _again: bool, out: &mut Vec<u8>) -> Result<(), Abort> {
        let Some(rules) = &env.profile.yubikey else { return Err(StatusWord::NOT_FOUND.into()) };
        let [major, minor, patch] = rules.version;
        out.extend(format!("Virtual mgr - FW version {major}.{minor}.{patch}").into_bytes());
        Ok(())
    }

    fn deselect(&mut self) {}

    fn reset(&mut self) {}

    fn process(&mut self, env: &mut Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
        let Some(rules) = env.profile.yubikey.as_ref().filter(|_| command.ins == 0x1D) else {
            return Err(StatusWord::UNKNOWN_INS.into());
        };
        if command.p1p2() != 0 {
            return Err(StatusWord::WRONG_P1P2.into());
        }
        let mut information = Vec::new();
        Writer::new(&mut information)
            .value(0x01, &[CAPABILITIES])
            .value(0x02, &crate::factory::serial(env.nvm).to_be_bytes())
            .value(0x03, &[CAPABILITIES])
            .value(0x04, &[rules.form_factor])
            .value(0x05, &rules.version)
            .value(0x0A, &[0]);
        // An option of the factory from 5.7 on; told by older ones where a setting has it.
        if rules.version >= [5, 7, 0] || env.profile.pin.complexity {
            Writer::new(&mut information).value(0x16, &[u8::from(env.profile.pin.complexity)]);
        }
        out.push(information.len() as u8);
        out.extend(information);
        Ok(())
    }
}
