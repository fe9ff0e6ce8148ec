//! Which reader, and which card, a person means.

use crate::exit::{Exit, Failure, OrExit};
use crate::terminal::{Entry, Lines};
use anyhow::anyhow;
use cardlab_client::unlock::look::look;
use cardlab_client::unlock::session::Chip;
use cardlab_pcsclite::client::{Context, default_socket};
use cardlab_pcsclite::wire::ReaderState;
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

#[derive(Args, Clone)]
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
        let context = Context::establish_at(&self.service.socket());
        context.map_err(|error| anyhow!("{error}{}", who_knows_why())).or_exit(Exit::NOT_THERE)
    }

    /// The reader that is named, else the first that has a card; for those who go on to say which card it has to be.
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

    /// The reader that is named; else the one with the card of this serial, where several have one; else the one that has a card.
    /// For those who compare the serial themselves.
    pub(crate) fn pick_for(&self, context: &Context, serial: Option<&str>) -> Result<String, Failure> {
        let readers = context.readers().or_exit(Exit::NOT_THERE)?;
        match serial {
            Some(serial) if self.reader.is_none() && readers.iter().filter(|reader| reader.has_card()).count() > 1 => {
                let choice = CardChoice { readers: self.clone(), serial: Some(serial.to_owned()) };
                Ok(choice.pick(context)?.reader)
            }
            _ => self.pick(&readers),
        }
    }
}

/// Who says more of a service that cannot be reached.
fn who_knows_why() -> &'static str {
    if cfg!(windows) { "" } else { "; `cardlab doctor` says what to do" }
}

/// How a reader comes by.
fn another_reader() -> &'static str {
    if cfg!(windows) { "plug one in" } else { "`cardlab exec --card gids -- COMMAND` gives COMMAND one" }
}

// One card of those in readers. (No doc comment: clap would take it for that of the command.)
#[derive(Args)]
pub(crate) struct CardChoice {
    #[command(flatten)]
    pub(crate) readers: ReaderChoice,

    /// The card with this serial, or with this end of one (four digits or more), in whichever reader
    #[arg(long, value_name = "HEX")]
    pub(crate) serial: Option<String>,
}

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
        let whole = of(&|known| known == serial || printed(known).is_some_and(|printed| printed == serial));
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

/// The number that is printed on a YubiKey, whose serial is that number in four bytes.
fn printed(serial: &str) -> Option<String> {
    if serial.len() != 8 { None } else { u32::from_str_radix(serial, 16).ok().map(|number| number.to_string()) }
}

fn chosen(card: &Chip) -> Chosen {
    let serial = card.face.as_ref().map(|face| face.serial.clone()).filter(|serial| !serial.is_empty());
    Chosen { reader: card.reader.clone(), serial }
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
