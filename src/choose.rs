//! Which reader, and which card, a person means.

use crate::exit::{Exit, Failure, OrExit};
use crate::terminal::{Entry, Lines};
use anyhow::anyhow;
use cardlab_client::minidriver::{CardError, Minidriver};
use cardlab_client::owner::owner;
use cardlab_client::transport::{Transport, TransportError};
use cardlab_client::unlock::session::{Chip, Face, Trouble};
use cardlab_pcsclite::client::{Context, ShareMode, default_socket};
use cardlab_pcsclite::wire::ReaderState;
use cardlab_protocol::codes::digits;
use clap::Args;
use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

/// Fewest digits of a serial's end that name a card: as many as are shown.
const FEWEST: usize = 4;
/// How often a wait for a line looks round; nothing can break it off.
const LOOK_EVERY: Duration = Duration::from_secs(60);

// The PC/SC service; there is one on Windows, the system's. (No doc comment: clap would take it for that of the command.)
#[derive(Args, Clone)]
pub(crate) struct ServiceChoice {
    /// The PC/SC socket; else the one of PCSCLITE_CSOCK_NAME, else pcscd's
    #[cfg(unix)]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

impl ServiceChoice {
    /// Where it listens, for those who connect.
    pub(crate) fn socket(&self) -> PathBuf {
        #[cfg(unix)]
        if let Some(path) = &self.socket {
            return path.clone();
        }
        default_socket()
    }
}

#[derive(Args)]
pub(crate) struct ReaderChoice {
    /// The reader, by its name or the beginning of it; else the one that has a card
    #[arg(long)]
    pub(crate) reader: Option<String>,

    #[command(flatten)]
    pub(crate) service: ServiceChoice,
}

impl ReaderChoice {
    /// A connection to the PC/SC service.
    pub(crate) fn context(&self) -> Result<Context, Failure> {
        Context::establish_at(&self.service.socket()).or_exit(Exit::NOT_THERE)
    }

    /// The reader that is named, else the first that has a card; for those who only look.
    pub(crate) fn pick(&self, readers: &[ReaderState]) -> Result<String, Failure> {
        let found = match &self.reader {
            Some(name) => cardlab_client::unlock::desk::named(readers, name),
            None => readers.iter().find(|r| r.has_card()),
        };
        let known = readers.iter().map(|r| format!("'{}'", r.name)).collect::<Vec<_>>().join(", ");
        let missing = || match &self.reader {
            _ if readers.is_empty() => anyhow!("there is no reader; {}", another_reader()),
            Some(name) => anyhow!("no reader named '{name}'; there are: {known}"),
            None => anyhow!("no card in any reader; there are: {known}"),
        };
        found.map(|r| r.name.clone()).ok_or_else(missing).or_exit(Exit::NOT_THERE)
    }
}

/// How a reader comes by.
fn another_reader() -> &'static str {
    if cfg!(windows) { "plug one in" } else { "`cardlab exec --card gids -- COMMAND` gives COMMAND one" }
}

// One card, for those who change something on it. (No doc comment: clap would take it for that of the command.)
#[derive(Args)]
pub(crate) struct CardChoice {
    #[command(flatten)]
    pub(crate) readers: ReaderChoice,

    /// The card with this serial, or with this end of one (four digits or more), in whichever reader
    #[arg(long, value_name = "HEX")]
    pub(crate) serial: Option<String>,
}

/// How long connecting may take before a card counts as held.
const CONNECT: Duration = Duration::from_secs(2);
/// Longest wait for one answer of a card.
const ANSWER: Duration = Duration::from_secs(60);

/// A card that was chosen.
pub(crate) struct Chosen {
    /// Its reader.
    pub(crate) reader: String,
    /// Its whole serial, where one was named.
    pub(crate) serial: Option<String>,
}

impl CardChoice {
    /// The card that is meant, and no other. With several in readers a person is asked; a program is told which there are.
    pub(crate) fn pick(&self, context: &Context) -> Result<Chosen, Failure> {
        let serial = self.digits()?;
        let readers = context.readers().or_exit(Exit::NOT_THERE)?;
        let first = self.readers.pick(&readers)?;
        let among =
            |reader: &&ReaderState| reader.has_card() && self.readers.reader.as_ref().is_none_or(|_| reader.name == first);
        let with_cards: Vec<&ReaderState> = readers.iter().filter(among).collect();
        match (&serial, &with_cards[..]) {
            (None, [] | [_]) => return Ok(Chosen { reader: first, serial: None }),
            (Some(_), []) => return Err(anyhow!("there is no card in {first}")).or_exit(Exit::NOT_THERE),
            _ => {}
        }
        let cards: Vec<Chip> = with_cards.iter().map(|reader| look(context, &reader.name)).collect();
        let Some(serial) = serial else { return choose(&cards) };
        let of = |matches: &dyn Fn(&str) -> bool| -> Vec<&Chip> {
            cards.iter().filter(|card| card.face.as_ref().is_some_and(|face| matches(&face.serial))).collect()
        };
        let whole = of(&|known| known == serial);
        let ends = of(&|known| serial.len() >= FEWEST && known.ends_with(&serial));
        match if whole.is_empty() { &ends[..] } else { &whole[..] } {
            [card] => Ok(chosen(card)),
            [] => Err(no_such_serial(&cards)),
            several => Err(which(several.iter().copied())),
        }
    }

    /// The serial that was named, as sessions compare it.
    pub(crate) fn digits(&self) -> Result<Option<String>, Failure> {
        let Some(text) = &self.serial else { return Ok(None) };
        let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(anyhow!("--serial '{text}': a serial is hexadecimal digits")).or_exit(Exit::USAGE);
        }
        Ok(Some(digits))
    }
}

fn chosen(card: &Chip) -> Chosen {
    let serial = card.face.as_ref().map(|face| face.serial.clone()).filter(|serial| !serial.is_empty());
    Chosen { reader: card.reader.clone(), serial }
}

/// What a card in a reader is and whose, without ending a challenge that waits in it.
pub(crate) fn look(context: &Context, reader: &str) -> Chip {
    let (key, reader) = (reader.to_owned(), reader.to_owned());
    match looked(context, &reader) {
        Ok((face, left)) => Chip { key, face: Some(face), reader, trouble: None, blocked: left == Some(0), left },
        Err(error) => {
            let held = error == CardError::Transport(TransportError::Busy);
            let trouble = Some(if held { Trouble::Held } else { Trouble::Strange(error) });
            Chip { key, face: None, reader, trouble, blocked: false, left: None }
        }
    }
}

fn looked(context: &Context, reader: &str) -> Result<(Face, Option<u8>), CardError> {
    // Services make whoever connects wait as long as another program has a transaction: a connection of its own is given up.
    let context = context.another().map_err(TransportError::from)?;
    context.set_limit(CONNECT).map_err(TransportError::from)?;
    let mut connection = context.connect(reader, ShareMode::Shared).map_err(|error| match error.into() {
        TransportError::Silent(_) => TransportError::Busy,
        other => other,
    })?;
    context.set_limit(ANSWER).map_err(TransportError::from)?;
    connection.try_begin().map_err(TransportError::from)?;
    let facts = (|| {
        let mut card = Minidriver::resume_or_open(&mut connection)?;
        let (edge, id, status) = (card.edge(), card.card_id()?, card.card_pin_status()?);
        let owner = owner(card.transport(), edge)?;
        let serial = id.as_deref().map(digits).unwrap_or_default();
        Ok((Face { kind: edge.name(), owner, serial, reader: reader.to_owned() }, status.pin.map(|counter| counter.left)))
    })();
    // What the card has said holds, however the transaction ends.
    let _ = Transport::end(&mut connection);
    facts
}

/// A card in a list.
pub(crate) fn line(card: &Chip) -> String {
    match card.face {
        Some(_) => format!("{}, {}: {}", card.name(), card.reader, card.state()),
        None => format!("{}: {}", card.reader, card.state()),
    }
}

fn lines<'a>(cards: impl IntoIterator<Item = &'a Chip>) -> String {
    cards.into_iter().map(line).collect::<Vec<_>>().join(" ")
}

/// A program has to say which card it means.
pub(crate) fn which<'a>(cards: impl IntoIterator<Item = &'a Chip>) -> Failure {
    let error = anyhow!("several cards are in readers; say which with --reader or --serial: {}", lines(cards));
    Failure { exit: Exit::USAGE, error }
}

/// A card that was named is not there.
pub(crate) fn no_such_serial<'a>(cards: impl IntoIterator<Item = &'a Chip>) -> Failure {
    Failure { exit: Exit::NOT_THERE, error: anyhow!("no card with this serial; there are: {}", lines(cards)) }
}

/// A person's choice of several cards.
fn choose(cards: &[Chip]) -> Result<Chosen, Failure> {
    let mut input = Lines::new();
    let usable: Vec<&Chip> = cards.iter().filter(|card| card.trouble.is_none()).collect();
    if usable.is_empty() || !input.is_terminal() || !std::io::stdout().is_terminal() {
        return Err(which(cards));
    }
    numbered(&usable, |text| println!("{text}"));
    let number = number(
        usable.len(),
        |text| println!("{text}"),
        |question| {
            print!("{question}");
            std::io::stdout().flush()?;
            match input.next::<()>(false, LOOK_EVERY, || ControlFlow::Continue(()))? {
                Entry::Line(line) => Ok::<_, Failure>(Some(line)),
                Entry::End | Entry::Broken(()) => Ok(None),
            }
        },
    )?;
    let number = number.ok_or_else(|| anyhow!("no card was chosen")).or_exit(Exit::FAILED)?;
    Ok(chosen(usable[number - 1]))
}

/// Says the cards that can be chosen.
pub(crate) fn numbered(cards: &[&Chip], say: impl Fn(&str)) {
    for (index, card) in cards.iter().enumerate() {
        say(&format!("{:>3}  {}", index + 1, line(card)));
    }
}

/// A number from 1 to `count`; `None` when nobody answers.
pub(crate) fn number<E>(
    count: usize,
    say: impl Fn(&str),
    mut ask: impl FnMut(&str) -> Result<Option<Zeroizing<String>>, E>,
) -> Result<Option<usize>, E> {
    loop {
        let Some(text) = ask(&format!("Card (1 to {count}): "))? else { return Ok(None) };
        match text.trim().parse::<usize>() {
            Ok(number) if (1..=count).contains(&number) => return Ok(Some(number)),
            _ => say(&format!("A number from 1 to {count}, please.")),
        }
    }
}
