//! `cardlab card`: what is in the readers that programs here see.

use crate::exit::{Exit, Failure, OrExit};
use anyhow::anyhow;
use cardlab_client::piv::{self, Status, Tries};
use cardlab_pcsclite::client::{Context, ShareMode};
use cardlab_pcsclite::code::state;
use cardlab_pcsclite::wire::ReaderState;
use clap::{Args, Subcommand};
use serde_json::json;

/// Look at cards, in the readers that PCSCLITE_CSOCK_NAME (or pcscd) shows
#[derive(Args)]
pub(crate) struct CardCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// List the readers and what is in them
    List {
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Show a PIV card's state: version, serial, tries, certificates. Changes nothing on the card
    Status {
        /// The reader; the first one with a card when not given
        #[arg(long)]
        reader: Option<String>,
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Print the root certificate of a simulated YubiKey's attestations, in PEM
    AttestationRoot {
        /// The reader; the first one with a card when not given
        #[arg(long)]
        reader: Option<String>,
    },
}

impl CardCommand {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let context = Context::establish().or_exit(Exit::NOT_THERE)?;
        let readers = context.readers().or_exit(Exit::NOT_THERE)?;
        match self.what {
            What::List { json } => list(&readers, json),
            What::Status { reader, json } => show_status(&context, &readers, reader.as_deref(), json)?,
            What::AttestationRoot { reader } => {
                let mut card = context.connect(pick(&readers, reader.as_deref())?, ShareMode::Shared).or_exit(Exit::NOT_THERE)?;
                let root = piv::attestation_root(&mut card).or_exit(Exit::NOT_THERE)?;
                let root =
                    root.ok_or_else(|| anyhow!("this card has no attestation root of its own")).or_exit(Exit::NOT_THERE)?;
                print!("{}", cardlab_vreader::setup::files::certificate_pem(&root)?);
            }
        }
        Ok(Exit::FINE)
    }
}

fn hex_of(bytes: &[u8]) -> String {
    hex::encode_upper(bytes)
}

fn list(readers: &[ReaderState], as_json: bool) {
    if as_json {
        let all: Vec<_> = readers
            .iter()
            .map(|r| json!({"reader": r.name, "card": r.state & state::PRESENT != 0, "atr": hex_of(&r.atr), "events": r.event_counter}))
            .collect();
        println!("{}", json!(all));
        return;
    }
    if readers.is_empty() {
        println!("no readers");
    }
    for reader in readers {
        let card = match reader.state {
            s if s & state::UNKNOWN != 0 => "reader does not work".into(),
            s if s & state::SWALLOWED != 0 => "card does not answer".into(),
            s if s & state::PRESENT != 0 => format!("ATR {}", hex_of(&reader.atr)),
            _ => "no card".into(),
        };
        println!("{}: {card}", reader.name);
    }
}

fn pick<'a>(readers: &'a [ReaderState], wanted: Option<&str>) -> Result<&'a str, Failure> {
    let found = match wanted {
        Some(name) => readers.iter().find(|r| r.name == name || r.name.starts_with(&format!("{name} "))),
        None => readers.iter().find(|r| r.state & state::PRESENT != 0),
    };
    let known = || readers.iter().map(|r| format!("'{}'", r.name)).collect::<Vec<_>>().join(", ");
    let missing = || match wanted {
        Some(name) => anyhow!("no reader named '{name}'; there are: {}", known()),
        None => anyhow!("no card in any reader; there are: {}", known()),
    };
    found.map(|r| r.name.as_str()).ok_or_else(missing).or_exit(Exit::NOT_THERE)
}

fn show_status(context: &Context, readers: &[ReaderState], wanted: Option<&str>, as_json: bool) -> Result<(), Failure> {
    let reader = pick(readers, wanted)?;
    let mut card = context.connect(reader, ShareMode::Shared).or_exit(Exit::NOT_THERE)?;
    let status = piv::status(&mut card).or_exit(Exit::NOT_THERE)?;
    let status = status.ok_or_else(|| anyhow!("the card in '{reader}' has no PIV application")).or_exit(Exit::NOT_THERE)?;
    let Status { version, serial, guid, pin, puk, certificates } = status;
    let version = version.map(|[a, b, c]| format!("{a}.{b}.{c}"));
    let guid = guid.map(|g| hex_of(&g));
    let (pin_left, pin_text) = match pin {
        Tries::Left(left) => (Some(left), format!("{left} tries left")),
        Tries::Blocked => (Some(0), "blocked".into()),
        Tries::Verified => (None, "verified".into()),
        Tries::Unknown => (None, "unknown".into()),
    };
    let certificates: Vec<String> = certificates.iter().map(|c| format!("{c:02x}")).collect();
    if as_json {
        let value = json!({
            "reader": reader, "version": version, "serial": serial, "guid": guid,
            "pin": {"tries_left": pin_left, "verified": pin == Tries::Verified}, "puk": {"tries_left": puk}, "certificates": certificates,
        });
        println!("{value}");
        return Ok(());
    }
    let unknown = || "not told".to_owned();
    println!("reader        {reader}");
    println!("version       {}", version.unwrap_or_else(unknown));
    println!("serial        {}", serial.map_or_else(unknown, |s| s.to_string()));
    println!("card UUID     {}", guid.unwrap_or_else(|| "none".into()));
    println!("PIN           {pin_text}");
    println!("PUK           {}", puk.map_or_else(unknown, |left| format!("{left} tries left")));
    println!("certificates  {}", if certificates.is_empty() { "none".into() } else { certificates.join(" ") });
    Ok(())
}
