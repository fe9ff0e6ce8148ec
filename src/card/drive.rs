//! `cardlab card insert`, `remove`, `fault` and the others that drive simulated cards through the control
//! socket of `up`, `exec` or `lab`.

use crate::exit::{Exit, Failure, OrExit};
use crate::terminal::{print, print_while_read};
use anyhow::{Context as _, anyhow};
use cardlab_control::client::{Client, ControlError, Method};
use cardlab_control::secret::Secret;
use cardlab_control::view::{
    Claim, ClaimResult, FaultView, NewCard, PaceView, ReaderView, Reset, RestoreOrder, SnapshotOrder, TouchView, TypedView,
    UndoOrder, Wanted, Which, With,
};
use cardlab_control::{CONTROL_VARIABLE, beside};
use cardlab_pcsclite::client::default_socket;
use cardlab_vreader::setup::PASSPHRASE_VARIABLE;
use cardlab_vreader::trace::text;
use cardlab_whole as whole;
use clap::{Args, Subcommand};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Whom to drive.
#[derive(Args)]
pub(crate) struct Target {
    /// The reader: its number, its name or the beginning of its name; not needed where there is only one
    #[arg(long)]
    reader: Option<String>,

    #[command(flatten)]
    socket: Socket,
}

/// Which readers to drive.
#[derive(Args)]
pub(crate) struct Socket {
    /// The control socket; else the one beside that of PCSCLITE_CSOCK_NAME
    #[arg(long, value_name = "PATH", env = CONTROL_VARIABLE)]
    control: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct RecordFilter {
    /// Only what came after the command of this number
    #[arg(long, value_name = "N")]
    after: Option<u64>,

    /// Only commands of this instruction, two hexadecimal digits
    #[arg(long, value_name = "INS")]
    ins: Option<String>,

    /// Only commands whose name has this in it, such as VERIFY
    #[arg(long)]
    name: Option<String>,

    /// Only commands that were answered so, such as 63Cx
    #[arg(long, value_name = "SW")]
    status: Option<String>,

    /// Only commands of programs whose name has this in it, such as ssh
    #[arg(long)]
    program: Option<String>,
}

#[derive(Subcommand)]
pub(super) enum Drive {
    /// Show a simulated reader and its card: where it is, every counter, faults that wait
    Show {
        #[command(flatten)]
        target: Target,

        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Put the card into its reader
    Insert {
        #[command(flatten)]
        target: Target,
    },
    /// Pull the card out, also in the middle of a command
    Remove {
        #[command(flatten)]
        target: Target,
    },
    /// Let two readers change their cards
    Swap {
        #[command(flatten)]
        target: Target,

        /// The other reader
        with: String,
    },
    /// Put a new card in; the one before is thrown away
    ///
    /// Example: cardlab card new yubikey-5.7,pin=654321. Files of keys are read where the readers run.
    New {
        #[command(flatten)]
        target: Target,

        /// PROFILE[,KEY=VALUE].., as --card of `up` has it
        card: String,
    },
    /// Plug the reader in; its card lies beside it
    Plug {
        #[command(flatten)]
        target: Target,
    },
    /// Unplug the reader with its card in it
    Unplug {
        #[command(flatten)]
        target: Target,
    },
    /// Reset the card, as another program does, or its reader, as the system does
    Reset {
        #[command(flatten)]
        target: Target,

        /// Take its power away for a moment
        #[arg(long)]
        cold: bool,

        /// Reset the reader's USB device: it is gone and back at once, with its card; what programs had of it is over
        #[arg(long, conflicts_with = "cold")]
        usb: bool,
    },
    /// Bring the card to a state at once: fresh, last-try, pin-blocked, puk-blocked, admin-blocked, blocked, lost
    State {
        #[command(flatten)]
        target: Target,

        /// A state by its name
        state: Option<String>,

        /// Tries of the PIN
        #[arg(long, value_name = "N")]
        pin: Option<u8>,

        /// Tries of the PUK
        #[arg(long, value_name = "N")]
        puk: Option<u8>,

        /// Tries of the administrator key
        #[arg(long, value_name = "N")]
        admin: Option<u8>,
    },
    /// Touch the card that waits for it, or say how questions for a touch are answered
    Touch {
        #[command(flatten)]
        target: Target,

        /// auto, never, wait, or after=200ms
        mode: Option<String>,
    },
    /// Say how long commands take: off, yubikey-5, nitrokey-3, java-card, or milliseconds by class
    ///
    /// Classes: select, verify, read, write, sign, generate, and any for the others: `any:10+sign:475`.
    /// `cardlab profile settings` has the models with their sources.
    Pace {
        #[command(flatten)]
        target: Target,

        /// A model, or times
        pace: String,
    },
    /// Type at the keypad of a reader with pin-pad=on: digits, cancel or nothing, one for each question to come
    Type {
        #[command(flatten)]
        target: Target,

        /// What is typed; none reads lines from stdin
        entries: Vec<String>,
    },
    /// Arm a fault, such as `remove-after,ins=87,nth=2`
    ///
    /// Faults: power-cut=N (tear point, from 0), remove-before, remove-after, silent=MS, mute, answer=HEX,
    /// truncate=N, status=SW, flip-bit=N, memory-failure, reader-gone. Conditions: ins, applet, nth, times.
    Fault {
        #[command(flatten)]
        target: Target,

        /// The fault; none shows those that wait
        fault: Option<String>,

        /// Disarm all that wait
        #[arg(long, conflicts_with = "fault")]
        clear: bool,
    },
    /// Show what came in, PINs and keys masked
    Log {
        #[command(flatten)]
        target: Target,

        #[command(flatten)]
        filter: RecordFilter,

        /// For programs: JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Write what became of the cards - tries, locks, unlocks, removals, faults - as an HTML file that opens anywhere
    ///
    /// Of all cards, or of the one of --reader. PINs and keys are masked unless the readers run with --trace-secrets.
    History {
        #[command(flatten)]
        target: Target,

        /// The file; else stdout
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Exit with 1 unless something came in
    Assert {
        #[command(flatten)]
        target: Target,

        #[command(flatten)]
        filter: RecordFilter,

        /// Exactly so many times
        #[arg(long, value_name = "N")]
        count: Option<usize>,

        /// At least so many times; once where nothing is said
        #[arg(long, value_name = "N")]
        at_least: Option<usize>,
    },
    /// Write the card's whole state as text; PINs and keys are masked, sealed or clear
    ///
    /// Masked it is for reading: no card can be made from it. Sealed with the passphrase of the environment variable CARDLAB_PASSPHRASE.
    Snapshot {
        #[command(flatten)]
        target: Target,

        /// The file; else stdout
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,

        /// masked, sealed or clear
        #[arg(long, default_value = "masked")]
        secrets: String,

        /// Keep it in the readers' process under this name as well
        #[arg(long, value_name = "NAME")]
        keep: Option<String>,
    },
    /// Bring the card back to a snapshot
    Restore {
        #[command(flatten)]
        target: Target,

        /// A file, clear or sealed (CARDLAB_PASSPHRASE)
        #[arg(required_unless_present = "kept")]
        file: Option<PathBuf>,

        /// One that is kept
        #[arg(long, value_name = "NAME", conflicts_with = "file")]
        kept: Option<String>,
    },
    /// List the snapshots that are kept
    Snapshots {
        #[command(flatten)]
        target: Target,
    },
    /// Take the last commands back; the card is reset
    Undo {
        #[command(flatten)]
        target: Target,

        /// How many
        #[arg(default_value_t = 1)]
        count: usize,
    },
    /// Wait until the card is in, out, unplugged or waits for a touch, or until a command comes
    Wait {
        #[command(flatten)]
        target: Target,

        /// in, out, unplugged or touch
        #[arg(required_unless_present = "ins")]
        what: Option<String>,

        /// A command of this instruction
        #[arg(long, value_name = "INS", conflicts_with = "what")]
        ins: Option<String>,

        /// Milliseconds
        #[arg(long, value_name = "MS", default_value_t = 10_000)]
        limit: u64,
    },
    /// Follow what happens at all cards: JSON lines
    Events {
        #[command(flatten)]
        target: Target,
    },
}

/// What is said of a snapshot that is made as it is by itself.
const MASKED: &str = "PINs and keys are masked in this text: it is for reading, no card can be made from it; --secrets sealed \
                      (with a passphrase in CARDLAB_PASSPHRASE) or --secrets clear makes one that can be restored";

/// A control error with its exit code.
fn failed(error: ControlError) -> Failure {
    let exit = match error {
        ControlError::Nobody { .. } | ControlError::NotThere(_) | ControlError::Broken(_) => Exit::NOT_THERE,
        ControlError::TooLate(_) => Exit::FAILED,
        ControlError::Refused(_) => Exit::USAGE,
    };
    Failure { exit, error: error.into() }
}

/// Most characters of what is asked for in an address; the longest name of a reader has 121 bytes.
const LONGEST_WORD: usize = 1000;
/// All but what RFC 3986 leaves unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A way to one reader.
struct Link {
    client: Client,
    /// As it stands in an address.
    reader: Option<String>,
}

impl Socket {
    fn client(&self) -> Result<Client, Failure> {
        Client::at(&self.control.clone().unwrap_or_else(|| beside(&default_socket()))).map_err(failed)
    }

    /// One request; its answer as text.
    pub(crate) fn ask(&self, method: Method, path: &str, body: &impl serde::Serialize) -> Result<String, Failure> {
        self.client()?.text(method, path, body).map_err(failed)
    }

    /// One request; its answer as data.
    pub(crate) fn ask_json<T: serde::de::DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl serde::Serialize,
    ) -> Result<T, Failure> {
        self.client()?.json(method, path, body).map_err(failed)
    }
}

impl Target {
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        self.socket.client()
    }

    fn link(&self) -> Result<Link, Failure> {
        let reader = self.reader.as_deref().map(|reader| within("reader", reader)).transpose()?;
        Ok(Link { client: self.client()?, reader })
    }
}

impl Link {
    fn path(&self, rest: &str) -> String {
        format!("/v1/readers/{}{rest}", self.reader.as_deref().unwrap_or("-"))
    }

    fn text(&self, method: Method, rest: &str, body: &impl serde::Serialize) -> Result<String, Failure> {
        self.client.text(method, &self.path(rest), body).map_err(failed)
    }

    fn json<T: serde::de::DeserializeOwned>(
        &self,
        method: Method,
        rest: &str,
        body: &impl serde::Serialize,
    ) -> Result<T, Failure> {
        self.client.json(method, &self.path(rest), body).map_err(failed)
    }

    fn post(&self, rest: &str, body: &impl serde::Serialize) -> Result<(), Failure> {
        self.text(Method::POST, rest, body).map(drop)
    }
}

impl RecordFilter {
    fn which(self) -> Which {
        Which { after: self.after, ins: self.ins, name: self.name, status: self.status, program: self.program }
    }
}

fn query(pairs: &[(&str, Option<String>)]) -> Result<String, Failure> {
    let given = pairs.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
    let pairs: Vec<String> =
        given.map(|(name, value)| Ok(format!("{name}={}", within(name, value)?))).collect::<Result<_, Failure>>()?;
    Ok(if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) })
}

/// A word as it stands in an address, which has room for a few of them.
fn within(name: &str, value: &str) -> Result<String, Failure> {
    match value.chars().count() {
        0..=LONGEST_WORD => Ok(utf8_percent_encode(value, RESERVED).to_string()),
        length => Err(anyhow!("--{name}: {length} characters; at most {LONGEST_WORD} are possible")).or_exit(Exit::USAGE),
    }
}

fn passphrase() -> Option<Secret> {
    std::env::var(PASSPHRASE_VARIABLE).ok().map(|passphrase| Secret(passphrase.into()))
}

impl Drive {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let none = json!({});
        match self {
            Self::Show { target, json } => show(&target, json)?,
            Self::Insert { target } => target.link()?.post("/insert", &none)?,
            Self::Remove { target } => target.link()?.post("/remove", &none)?,
            Self::New { target, card } => {
                target.link()?.text(Method::PUT, "/card", &NewCard { card, ..NewCard::default() })?;
            }
            Self::Plug { target } => target.link()?.post("/plug", &none)?,
            Self::Unplug { target } => target.link()?.post("/unplug", &none)?,
            Self::Swap { target, with } => target.link()?.post("/swap", &With { with })?,
            Self::Reset { target, cold, usb } => target.link()?.post("/reset", &Reset { cold, usb })?,
            Self::State { target, state, pin, puk, admin } => {
                let wanted = Wanted { state, pin_left: pin, puk_left: puk, admin_left: admin };
                target.link()?.text(Method::PUT, "/state", &wanted)?;
            }
            Self::Touch { target, mode: Some(touch) } => {
                target.link()?.text(Method::PUT, "/touch", &TouchView { touch })?;
            }
            Self::Pace { target, pace } => {
                target.link()?.text(Method::PUT, "/pace", &PaceView { pace })?;
            }
            Self::Touch { target, mode: None } => target.link()?.post("/touch", &none)?,
            Self::Type { target, entries } => {
                let entries = if entries.is_empty() {
                    std::io::stdin().lines().collect::<Result<_, _>>().context("stdin")?
                } else {
                    entries
                };
                let entries = entries.into_iter().map(|entry: String| Secret(entry.into())).collect();
                target.link()?.post("/type", &TypedView { entries })?;
            }
            Self::Fault { target, fault, clear } => {
                let faults: Vec<String> = match (fault, clear) {
                    (Some(fault), _) => target.link()?.json(Method::POST, "/faults", &FaultView { fault })?,
                    (None, true) => {
                        target.link()?.text(Method::DELETE, "/faults", &none)?;
                        Vec::new()
                    }
                    (None, false) => target.link()?.json(Method::GET, "/faults", &none)?,
                };
                faults.iter().for_each(|fault| println!("{fault}"));
            }
            Self::Log { target, filter, json } => log(&target, filter.which(), json)?,
            Self::History { target, output } => {
                let query = query(&[("reader", target.reader.clone())])?;
                let page = target.socket.ask(Method::GET, &format!("/v1/history{query}"), &none)?;
                hand_out(output.as_deref(), &page)?;
            }
            Self::Assert { target, filter, count, at_least } => {
                let claim = Claim { which: filter.which(), count, at_least };
                let result: ClaimResult = target.link()?.json(Method::POST, "/assert", &claim)?;
                if !result.holds {
                    return Err(anyhow!("it came {} times", result.found)).or_exit(Exit::FAILED);
                }
            }
            Self::Snapshot { target, output, secrets, keep } => {
                let passphrase = passphrase().filter(|_| secrets == "sealed");
                let masked = secrets == "masked";
                let order = SnapshotOrder { secrets: Some(secrets), passphrase, keep };
                let text = target.link()?.text(Method::POST, "/snapshot", &order)?;
                if masked {
                    eprintln!("cardlab: {MASKED}");
                }
                hand_out(output.as_deref(), &text)?;
            }
            Self::Restore { target, file, kept } => {
                let text = match &file {
                    None => None,
                    Some(file) => Some(whole::read_text(file, whole::TEXT).with_context(|| file.display().to_string())?),
                };
                let restored = target.link()?.post("/restore", &RestoreOrder { text, passphrase: passphrase(), kept });
                // What is wrong with a text is wrong with the file.
                restored.map_err(|failure| match &file {
                    Some(file) => Failure { error: failure.error.context(file.display().to_string()), ..failure },
                    None => failure,
                })?;
            }
            Self::Snapshots { target } => {
                let kept: Value = target.client()?.json(Method::GET, "/v1/snapshots", &none).map_err(failed)?;
                let kept = kept.as_object().cloned().unwrap_or_default();
                kept.iter().for_each(|(name, profile)| println!("{name}: {}", profile.as_str().unwrap_or_default()));
            }
            Self::Undo { target, count } => target.link()?.post("/undo", &UndoOrder { count })?,
            Self::Wait { target, what, ins, limit } => {
                let query = query(&[("card", what), ("ins", ins), ("limit", Some(limit.to_string()))])?;
                target.link()?.text(Method::GET, &format!("/wait{query}"), &none)?;
            }
            Self::Events { target } => {
                let followed = target.client()?.follow(|name, data| {
                    let line = if name == "record" { data.to_owned() } else { json!({ name: data }).to_string() };
                    print_while_read(format_args!("{line}\n"))
                });
                followed.map_err(failed)?;
            }
        }
        Ok(Exit::FINE)
    }
}

/// To a file that its owner alone reads, or to stdout.
pub(crate) fn hand_out(file: Option<&Path>, text: &str) -> Result<(), Failure> {
    let Some(file) = file.filter(|file| file.as_os_str() != "-") else {
        print(format_args!("{text}"));
        return Ok(());
    };
    let written = whole::write(file, text.as_bytes(), whole::For::Owner);
    Ok(written.with_context(|| file.display().to_string())?)
}

fn show(target: &Target, as_json: bool) -> Result<(), Failure> {
    let link = target.link()?;
    let readers: Vec<ReaderView> = match &link.reader {
        None => link.client.json(Method::GET, "/v1/readers", &json!({})).map_err(failed)?,
        Some(_) => vec![link.json(Method::GET, "", &json!({}))?],
    };
    if as_json {
        println!("{}", serde_json::to_string_pretty(&readers)?);
        return Ok(());
    }
    for reader in readers {
        let Some(card) = reader.card else {
            println!("{}  {} (card {}), at work or waiting for a touch", reader.number, reader.name, reader.card_is);
            continue;
        };
        let serial = card.serial.map(|serial| format!(" {serial}")).unwrap_or_default();
        println!("{}  {} (card {}), {}{serial}", reader.number, reader.name, reader.card_is, card.profile);
        let counted =
            [("PIN", card.pin), ("PUK", card.puk), ("administrator key", card.admin_key), ("Global PIN", card.global_pin)];
        for (what, tries) in counted.into_iter().filter_map(|(what, tries)| Some((what, tries?))) {
            println!("   {what}: {} of {} tries left", tries.left, tries.maximum);
        }
        card.faults.iter().for_each(|fault| println!("   fault: {fault}"));
        if card.pace != "off" {
            println!("   pace: {}", card.pace);
        }
        if card.touch != "auto" {
            println!("   touch: {}", card.touch);
        }
    }
    Ok(())
}

fn log(target: &Target, which: Which, as_json: bool) -> Result<(), Failure> {
    let link = target.link()?;
    let Which { after, ins, name, status, program } = which;
    let after = after.map(|n| n.to_string());
    let query = query(&[("after", after), ("ins", ins), ("name", name), ("status", status), ("program", program)])?;
    let records: Vec<Value> = link.json(Method::GET, &format!("/log{query}"), &json!({}))?;
    for record in records {
        println!("{}", if as_json { record.to_string() } else { text::lines(&record) });
    }
    Ok(())
}
