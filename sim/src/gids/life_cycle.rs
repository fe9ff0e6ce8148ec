//! CREATE FILE, DELETE FILE, ACTIVATE FILE, TERMINATE DF, ISO/IEC 7816-9 section 7.
//!
//! | CLA INS P1 P2 | data | needs |
//! |---|---|---|
//! | 00 E0 00 00 | `62 {82 type, 83 identifier, 8C rules, A5 key usages}` | the application's rule: user or administrator key |
//! | 00 E4 00 00 | - ; the selected file | the file's own rule, else the application's |
//! | 00 44 00 00 | - ; the selected file, else the application | nothing; a file is made to be activated |
//! | 00 E6 00 00 | - ; the application | the administrator key |
//!
//! In the creation state of the application all of them are open.

use super::files::{self, File, Kind, LifeCycle};
use super::{Gids, access};
use crate::applet::Env;
use crate::keys;
use crate::memory;
use crate::status::{Abort, StatusWord};
use cardlab_protocol::apdu::Command;

pub(super) fn create(gids: &mut Gids, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    no_parameters(command)?;
    let file = File::parse(command.data).ok_or(StatusWord::DATA_INVALID)?;
    if file.kind == Kind::Key && file.usages().is_empty() {
        return Err(StatusWord::DATA_INVALID.into());
    }
    access::check(gids, env, access::condition(&access::APPLICATION, access::CREATE_CHILD))?;
    if File::open(env.nvm, file.id).is_some() {
        return Err(StatusWord::DATA_INVALID.into());
    }
    files::check_room(env.nvm, env.profile, command.data.len())?;
    let mut transaction = env.nvm.begin();
    file.write(&mut transaction)?;
    transaction.commit()?;
    gids.selected = Some(file.id);
    Ok(())
}

pub(super) fn delete(gids: &mut Gids, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    no_parameters(command)?;
    if !command.data.is_empty() {
        return Err(StatusWord::WRONG_LENGTH.into());
    }
    let file = selected(gids, env)?.ok_or(StatusWord::NOT_ALLOWED)?;
    let rule =
        access::condition(file.rules(), access::DELETE).or_else(|| access::condition(&access::APPLICATION, access::DELETE_CHILD));
    access::check(gids, env, rule)?;
    let objects: Vec<_> = files::objects(env.nvm, file.id).map(|(record, _)| record).collect();
    let mut transaction = env.nvm.begin();
    transaction.erase(memory::file(file.id))?;
    for record in objects {
        transaction.erase(record)?;
    }
    match files::key_reference(file.id) {
        _ if file.id == files::ADMINISTRATION => transaction.erase(memory::key(keys::ADMINISTRATION))?,
        Some(reference) => transaction.erase(memory::key(reference))?,
        None => {}
    }
    transaction.commit()?;
    gids.forget_key(file.id);
    gids.selected = None;
    Ok(())
}

pub(super) fn activate(gids: &mut Gids, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    no_parameters(command)?;
    let mut transaction = env.nvm.begin();
    match gids.selected.and_then(|id| File::open(transaction.nvm(), id)) {
        Some(file) => File { state: LifeCycle::Operational, ..file }.write(&mut transaction)?,
        None if gids.selected.is_some() => return Err(StatusWord::NOT_FOUND.into()),
        None => LifeCycle::Operational.set_application(&mut transaction)?,
    }
    transaction.commit()?;
    if gids.selected.is_none() {
        gids.deauthenticate();
    }
    Ok(())
}

pub(super) fn terminate(gids: &mut Gids, env: &mut Env<'_>, command: &Command<'_>) -> Result<(), Abort> {
    no_parameters(command)?;
    access::check(gids, env, Some(access::ADMINISTRATOR))?;
    let mut transaction = env.nvm.begin();
    LifeCycle::Terminated.set_application(&mut transaction)?;
    transaction.commit()?;
    gids.deauthenticate();
    Ok(())
}

fn no_parameters(command: &Command<'_>) -> Result<(), Abort> {
    if command.p1p2() == 0 { Ok(()) } else { Err(StatusWord::WRONG_P1P2.into()) }
}

/// The selected elementary file.
fn selected(gids: &Gids, env: &Env<'_>) -> Result<Option<File>, Abort> {
    gids.selected.map(|id| File::open(env.nvm, id).ok_or_else(|| StatusWord::NOT_FOUND.into())).transpose()
}

impl Gids {
    /// A key file has changed or gone: nothing prepared from it may live on.
    pub(super) fn forget_key(&mut self, file: u16) {
        if let Some(reference) = files::key_reference(file) {
            self.prepared.remove(&reference);
        }
        if self.environment.is_some_and(|e| e.file() == file) {
            self.environment = None;
            self.pending = None;
        }
    }
}
