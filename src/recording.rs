//! Where `--trace` writes: a file, or somebody who reads.

use cardlab_vreader::trace::Form;
use cardlab_vreader::{Outage, Trace};
use cardlab_whole as whole;
use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::time::Duration;

/// How long the last records have at the end of the process.
const LAST_RECORDS: Duration = Duration::from_secs(2);

/// What happens at the cards of these readers. It ends when this goes: what waits is written, if somebody reads it.
pub(crate) struct Recording(Trace);

impl Recording {
    /// In no file.
    pub(crate) const fn of(trace: Trace) -> Self {
        Self(trace)
    }

    /// In this file; - is stderr.
    pub(crate) fn begin(trace: Trace, path: &Path, secrets: bool, outage: Outage) -> io::Result<Self> {
        let file: File = match path.as_os_str() == "-" {
            // Without its lock, which is held as long as nobody reads what another line says.
            true => io::stderr().as_fd().try_clone_to_owned()?.into(),
            false => whole::record(path)?,
        };
        let form = Form::of(path);
        match may_stall(&file)? {
            true => trace.to_reader(form, secrets, Box::new(file), outage)?,
            false => trace.to_file(form, secrets, Box::new(file), outage)?,
        }
        Ok(Self(trace))
    }

    /// Where records go.
    pub(crate) const fn trace(&self) -> &Trace {
        &self.0
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.0.end(LAST_RECORDS);
    }
}

/// Whether writing waits for who reads at the other end. In a file nothing is ever lost for want of a reader.
fn may_stall(file: &File) -> io::Result<bool> {
    let kind = file.metadata()?.file_type();
    Ok(kind.is_fifo() || kind.is_socket() || file.is_terminal())
}
