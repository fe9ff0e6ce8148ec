//! A PIV card of another make for the conformance suite: piv-authenticator, which is the PIV application of Nitrokeys,
//! in a reader that speaks vsmartcard's vpcd. `foreign-card HOST:PORT DIRECTORY` runs until the reader ends.

mod dispatch;
mod shell;

use dispatch::{BACKENDS, Services};
use piv_authenticator::{Authenticator, Options};
use shell::Shell;
use std::convert::Infallible;
use std::path::Path;
use std::process::ExitCode;
use trussed::virt::{self, StorageConfig, StoreConfig};

/// Card UUID of the CHUID.
const UUID: [u8; 16] = [0x0A, 0x07, 0x4E, 0x20, 0x6D, 0xAE, 0x4B, 0x65, 0xA0, 0x00, 0, 0, 0, 0, 0, 1];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, memory] = &arguments[..] else {
        eprintln!("usage: foreign-card HOST:PORT DIRECTORY   (of a vpcd reader; for the card's memory)");
        return ExitCode::from(2);
    };
    match serve(address, Path::new(memory)) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{address}: {error}");
            ExitCode::FAILURE
        }
        Ok(never) => match never {},
    }
}

/// Until the reader is gone.
fn serve(address: &str, memory: &Path) -> std::io::Result<Infallible> {
    let mut reader = vpicc::connect_socket(address)?;
    loop {
        let file = |name: &str| StorageConfig::filesystem(memory.join(name));
        let store = StoreConfig { internal: file("internal"), external: file("external"), volatile: StorageConfig::ram() };
        virt::with_platform(store, |platform| {
            platform.run_client_with_backends("piv", Services::new(), BACKENDS, |client| {
                let mut shell = Shell::new(Authenticator::new(client, Options::new().uuid(Some(UUID))));
                while !shell.restarts {
                    reader.poll(&mut shell)?;
                }
                Ok::<(), std::io::Error>(())
            })
        })?;
    }
}
