//! The management application: what the device is and has, and what it is set to.
//!
//! SELECT answers a text with the firmware version.
//!
//! | CLA INS P1 P2 | name | data | answer |
//! |---|---|---|---|
//! | 00 1D page 00 | READ CONFIG | | length, then tags; there is one page |
//! | 00 01 00 00 | ECHO, firmware 5.7.2 | anything | the same |
//! | 00 1C 00 00 | WRITE CONFIG, firmware 5 | length, then tags | 9000, 6982, 6A80 |
//!
//! READ CONFIG: 01 applications it has, 02 serial number, 04 form factor, 05 firmware, 0A whether it is locked, 16 whether simple PINs
//! are refused, and the tags of [`super::device`]. WRITE CONFIG: those tags, 0A a new lock code of 16 bytes (zeros take it away), 0B the one that is set (zeros where none is), 0C
//! restart. Without the right 0B a locked configuration is not changed: 6982 (unconfirmed; clients take any error so). All
//! applications cannot be switched off (6A80; unconfirmed, clients do not try).
//!
//! What is switched off cannot be selected from the next SELECT on; a real device wants to be restarted first.

use super::device::{self, Configuration, LOCK_CODE};
use crate::applet::{Applet, Env};
use crate::profile::{Profile, YubiKeyRules};
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::tlv::{Reader, Writer};

const AID: [u8; 8] = [0xA0, 0x00, 0x00, 0x05, 0x27, 0x47, 0x11, 0x17];

/// The management application.
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
        let Some(rules) = &env.profile.yubikey else { return Err(StatusWord::UNKNOWN_INS.into()) };
        match command.ins {
            0x01 if rules.has_channels() => {
                out.extend_from_slice(command.data);
                Ok(())
            }
            0x1C if rules.version[0] >= 5 => write_config(env, rules, command),
            0x1D => read_config(env, rules, command, out),
            _ => Err(StatusWord::UNKNOWN_INS.into()),
        }
    }
}

fn read_config(env: &Env<'_>, rules: &YubiKeyRules, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
    if command.p1p2() != 0 {
        return Err(StatusWord::WRONG_P1P2.into());
    }
    let configuration = Configuration::load(env.nvm, rules);
    let mut information = Vec::new();
    let mut writer = Writer::new(&mut information);
    writer
        .value(0x01, short(&rules.applications.to_be_bytes()))
        .value(0x02, &crate::factory::serial(env.nvm).to_be_bytes())
        .value(0x03, short(&configuration.enabled.to_be_bytes()))
        .value(0x04, &[rules.form_factor])
        .value(0x05, &rules.version);
    if rules.version[0] >= 5 {
        writer
            .value(0x06, &configuration.eject_after.to_be_bytes())
            .value(0x07, &[configuration.challenge_timeout])
            .value(0x08, &[configuration.flags]);
    }
    writer.value(0x0A, &[u8::from(device::is_locked(env.nvm))]);
    // An option of the factory from 5.7 on; told by older ones where a setting has it.
    if rules.version >= [5, 7, 0] || env.profile.pin.complexity {
        writer.value(0x16, &[u8::from(env.profile.pin.complexity)]);
    }
    out.push(information.len() as u8);
    out.extend(information);
    Ok(())
}

fn write_config(env: &mut Env<'_>, rules: &YubiKeyRules, command: &Command<'_>) -> Result<(), Abort> {
    if command.p1p2() != 0 {
        return Err(StatusWord::WRONG_P1P2.into());
    }
    let wanted = Wanted::parse(command.data).ok_or(StatusWord::WRONG_DATA)?;
    let unlocked = wanted.unlock.map_or(!device::is_locked(env.nvm), |code| device::unlocks(env.nvm, code));
    if !unlocked {
        return Err(StatusWord::SECURITY_STATUS.into());
    }
    let old = Configuration::load(env.nvm, rules);
    let new = Configuration {
        enabled: wanted.enabled.map_or(old.enabled, |enabled| enabled & rules.applications),
        eject_after: wanted.eject_after.unwrap_or(old.eject_after),
        challenge_timeout: wanted.challenge_timeout.unwrap_or(old.challenge_timeout),
        flags: wanted.flags.unwrap_or(old.flags),
    };
    if new.enabled == 0 {
        return Err(StatusWord::WRONG_DATA.into());
    }
    let mut transaction = env.nvm.begin();
    if new != old {
        new.store(&mut transaction)?;
    }
    if let Some(code) = wanted.lock {
        device::lock(&mut transaction, code)?;
    }
    transaction.commit()
}

/// What a WRITE CONFIG asks for.
#[derive(Default)]
struct Wanted<'a> {
    enabled: Option<u16>,
    eject_after: Option<u16>,
    challenge_timeout: Option<u8>,
    flags: Option<u8>,
    unlock: Option<&'a [u8; LOCK_CODE]>,
    lock: Option<&'a [u8; LOCK_CODE]>,
    restart: Option<()>,
}

impl<'a> Wanted<'a> {
    fn parse(data: &'a [u8]) -> Option<Self> {
        let (length, tags) = data.split_first()?;
        if usize::from(*length) != tags.len() {
            return None;
        }
        let mut wanted = Self::default();
        for object in Reader::new(tags) {
            let object = object.ok()?;
            let known = match (object.tag, object.value) {
                (0x03, &[bits]) => wanted.enabled.replace(bits.into()).is_none(),
                (0x03, &[high, low]) => wanted.enabled.replace(u16::from_be_bytes([high, low])).is_none(),
                (0x06, &[high, low]) => wanted.eject_after.replace(u16::from_be_bytes([high, low])).is_none(),
                (0x07, &[seconds]) => wanted.challenge_timeout.replace(seconds).is_none(),
                (0x08, &[flags]) => wanted.flags.replace(flags).is_none(),
                (0x0A, code) => wanted.lock.replace(code.try_into().ok()?).is_none(),
                (0x0B, code) => wanted.unlock.replace(code.try_into().ok()?).is_none(),
                (0x0C, []) => wanted.restart.replace(()).is_none(),
                _ => false,
            };
            known.then_some(())?;
        }
        Some(wanted)
    }
}

/// A number without its leading zero.
fn short(bytes: &[u8; 2]) -> &[u8] {
    if bytes[0] == 0 { &bytes[1..] } else { bytes }
}
