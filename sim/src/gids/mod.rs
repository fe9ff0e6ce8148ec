//! The GIDS card edge: the Generic Identity Device Specification, Microsoft's own minidriver card.
//!
//! One file a command or family of commands. `Gids` holds what is volatile: security status,
//! pending challenge, security environment, selected file. Files are records of [`files`], keys of
//! [`crate::keys`], the PIN of [`mod@crate::reference`], the administrator key of [`crate::admin_key`].
//!
//! | INS | command | file |
//! |---|---|---|
//! | A4 | SELECT | `select` |
//! | E0 E4 44 E6 | CREATE FILE, DELETE FILE, ACTIVATE FILE, TERMINATE DF | `life_cycle` |
//! | CB DB | GET DATA, PUT DATA | `data` |
//! | 20 24 2C | VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER | `pin` |
//! | 87 | GENERAL AUTHENTICATE | `authenticate` |
//! | 22 | MANAGE SECURITY ENVIRONMENT | `environment` |
//! | 47 | GENERATE ASYMMETRIC KEY PAIR, and import, and public keys | `keypair` |
//! | 2A | PERFORM SECURITY OPERATION | `operation` |
//!
//! Source: the GIDS 2.0 specification as public cards and programs keep it - GidsApplet and its
//! tests, OpenSC's GIDS driver and `gids-tool` - read for facts. The state diagram:
//!
//! ```text
//! creation (all allowed) -- ACTIVATE FILE on 3FFF --> operational -- TERMINATE DF --> terminated
//! ```

mod access;
mod authenticate;
mod data;
mod environment;
pub(crate) mod factory;
pub mod files;
pub(crate) mod issued;
mod keypair;
mod life_cycle;
mod operation;
mod pin;
pub(crate) mod pin_status;
mod select;

use crate::applet::{Applet, Challenge, Env, Standing};
use crate::crypto::asymmetric::Prepared;
use crate::crypto::backend::Backend;
use crate::keys;
use crate::nvm::Nvm;
use crate::profile::Profile;
use crate::status::{Abort, StatusWord};
use authenticate::Pending;
use cardlab_protocol::apdu::Command;
use environment::Environment;
use files::LifeCycle;
use std::collections::BTreeMap;
use std::time::Duration;

/// The AID without its version.
pub const AID: [u8; 9] = [0xA0, 0x00, 0x00, 0x03, 0x97, 0x42, 0x54, 0x46, 0x59];

/// The volatile state of the application.
#[derive(Default)]
pub(crate) struct Gids {
    /// PIN verified.
    pin: bool,
    /// Administrator key authenticated.
    admin: bool,
    pending: Option<Pending>,
    environment: Option<Environment>,
    /// The elementary file that commands without a file identifier mean.
    selected: Option<u16>,
    /// Keys made ready since power came on, by key reference.
    prepared: BTreeMap<u8, Prepared>,
}

impl Gids {
    /// Forgets PIN, administrator key, challenge and security environment.
    fn deauthenticate(&mut self) {
        self.pin = false;
        self.admin = false;
        self.pending = None;
        self.environment = None;
    }
}

impl Applet for Gids {
    fn name(&self) -> &'static str {
        "gids"
    }

    fn answers_to(&self, aid: &[u8], _profile: &Profile) -> bool {
        aid.len() <= 16 && aid.starts_with(&AID)
    }

    fn select_options(&self) -> &'static [u8] {
        &select::OPTIONS
    }

    fn select(&mut self, env: &mut Env<'_>, command: &Command<'_>, _again: bool, out: &mut Vec<u8>) -> Result<(), Abort> {
        self.deauthenticate();
        self.selected = None;
        select::application(env, command.p2, out)
    }

    fn computing_time(&self, nvm: &Nvm, _profile: &Profile, backend: &dyn Backend, command: &Command<'_>) -> Duration {
        match (command.ins, command.p1p2()) {
            (0x47, _) => keys::GENERATION,
            (0x2A, 0x9E9A | 0x8086) => self.environment.map_or(Duration::ZERO, |e| keys::private_time(nvm, e.key, backend)),
            (0xCB | 0xDB, files::APPLICATION) => keypair::computing_time(nvm, command),
            _ => Duration::ZERO,
        }
    }

    fn standing(&self) -> Standing {
        let pending = self.pending.as_ref().map(|pending| match pending {
            Pending::External(challenge) => Challenge::Clear(challenge.to_vec()),
            Pending::Mutual(..) => Challenge::Hidden,
        });
        Standing { pin: self.pin, admin: self.admin, pending }
    }

    fn deselect(&mut self) {
        self.deauthenticate();
        self.selected = None;
    }

    fn reset(&mut self) {
        *self = Self::default();
    }

    fn process(&mut self, env: &mut Env<'_>, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Abort> {
        if LifeCycle::of_application(env.nvm) == LifeCycle::Terminated && command.ins != 0xA4 {
            return Err(StatusWord::TERMINATED.into());
        }
        match command.ins {
            0x20 => pin::verify(self, env, command),
            0x22 => environment::process(self, env, command),
            0x24 => pin::change(self, env, command),
            0x2A => operation::process(self, env, command, out),
            0x2C => pin::reset_retry_counter(self, env, command),
            0x44 => life_cycle::activate(self, env, command),
            0x47 => keypair::generate(self, env, command, out),
            0x87 => authenticate::process(self, env, command, out),
            0xA4 => select::file(self, env, command, out),
            0xCB => data::get(self, env, command, out),
            0xDB => data::put(self, env, command),
            0xE0 => life_cycle::create(self, env, command),
            0xE4 => life_cycle::delete(self, env, command),
            0xE6 => life_cycle::terminate(self, env, command),
            _ => Err(StatusWord::UNKNOWN_INS.into()),
        }
    }
}
