//! The workstation's settings in a file: what an administrator rolls out to clients, under the names that the management
//! system's administrators know.

use anyhow::{Context as _, anyhow};
use cardlab_whole as whole;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// As `--settings FILE` has them; a flag on the command line goes before.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ClientSettings {
    /// *Smart card unlocking server*, *Service URL*: `https://HOST/credprovapi`. Without it there is no online unlock.
    pub(crate) service_url: Option<String>,
    /// *Verify server certificate*; on where nothing is said.
    pub(crate) verify_server_certificate: Option<bool>,
    /// PEM of the certificate that the server must have, or that has signed its; relative to the file.
    pub(crate) server_certificate: Option<PathBuf>,
    /// Shown beside the challenge: whom to call.
    pub(crate) offline_text: Option<String>,
}

impl ClientSettings {
    /// Reads a file; none is none set.
    pub(crate) fn read(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let named = || format!("--settings {}", path.display());
        let text = whole::read_text(path, whole::TEXT).with_context(named)?;
        let mut settings: Self = toml::from_str(&text).map_err(|error| {
            let line = whole::line_of(&text, error.span().map_or(0, |span| span.start));
            anyhow!("{}, line {line}: {}", named(), whole::excerpt(error.message()))
        })?;
        if let (Some(certificate), Some(directory)) = (&mut settings.server_certificate, path.parent()) {
            *certificate = directory.join(&*certificate);
        }
        Ok(settings)
    }
}
