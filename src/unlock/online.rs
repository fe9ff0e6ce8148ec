//! Which server, and what is set on this workstation.

use crate::client_settings::ClientSettings;
use crate::exit::Failure;
use anyhow::Context as _;
use cardlab_client::service::{Service, Trust};
use cardlab_whole as whole;
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct OnlineOptions {
    /// Unlock by security questions at this card management server
    #[arg(long, value_name = "URL")]
    online: Option<String>,

    /// PEM of the certificate that the server must have, or that has signed its; else those that this machine trusts
    #[arg(long, value_name = "FILE", requires = "online")]
    server_certificate: Option<PathBuf>,

    /// Take any certificate: whoever is between you and the server gets your answers
    #[arg(long, requires = "online")]
    do_not_verify_server: bool,

    /// The workstation's settings (TOML): service_url, verify_server_certificate, server_certificate, offline_text
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
}

impl OnlineOptions {
    /// The server, when one was named.
    pub(crate) fn service(&self) -> Result<Option<Service>, Failure> {
        let settings = self.settings()?;
        let Some(address) = self.online.as_ref().or(settings.service_url.as_ref()) else { return Ok(None) };
        let read = |path: &PathBuf| whole::read(path, whole::TEXT).with_context(|| path.display().to_string());
        let roots = self.server_certificate.as_ref().or(settings.server_certificate.as_ref()).map(read).transpose()?;
        let unverified = self.do_not_verify_server || settings.verify_server_certificate == Some(false);
        Ok(Some(Service::at(address, &Trust { roots, unverified })?))
    }

    /// The workstation's settings.
    pub(crate) fn settings(&self) -> Result<ClientSettings, Failure> {
        Ok(ClientSettings::read(self.settings.as_deref())?)
    }
}

/// The user's state directory (XDG Base Directory Specification; on Windows in the user's local application data): reports wait
/// there, codes are noted there. Where it cannot be written that is said, since several programs may then take each other's codes
/// for their own.
pub(crate) fn state() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = set("XDG_STATE_HOME").filter(|path| path.is_absolute());
    #[cfg(unix)]
    let own = || set("HOME").map(|home| home.join(".local/state"));
    #[cfg(windows)]
    let own = || set("LOCALAPPDATA");
    let state = home.or_else(own)?.join("cardlab");
    // What is written there is written below this.
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let writable = builder.recursive(true).create(state.join("codes"));
    if let Err(error) = writable {
        let what = "no reports are kept, and codes of other programs are not noticed";
        eprintln!("cardlab: {}: {error}; {what}", state.display());
        return None;
    }
    Some(state)
}
