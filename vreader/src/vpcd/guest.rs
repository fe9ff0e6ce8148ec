//! A reader whose card is whoever connects: jCardSim, vicc, canokey, piv-authenticator and other cards that look for
//! vsmartcard's virtual reader.
//!
//! [`Port`] is the reader's end. Its card comes in when a program has connected and given an ATR, and goes out when the
//! connection ends; the next program waits in the listener's queue until then. Nothing of it happens on the readers'
//! thread but the sending of a few bytes: commands are waited for on blocking threads, what the card says is read by a
//! thread of the connection.

use super::reader::{Breach, Heard, Reader};
use crate::chip::Presence;
use crate::icc::{Icc, Loss, SharedCard, VirtualCard};
use crate::rack::Rack;
use crate::touch::Button;
use crate::trace::Recorder;
use cardlab_sim::atr::Protocol;
use rustix::net::{SendFlags, sockopt};
use std::convert::Infallible;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How long a card may take for an answer where nothing else is said: a simulator may make an RSA key meanwhile.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How long a new connection may take for its ATR.
const GREETING: Duration = Duration::from_secs(10);

/// How a card's connection ended.
#[derive(Debug, Error)]
pub enum End {
    /// It closed the connection.
    #[error("it has gone")]
    Closed,
    /// It broke the protocol.
    #[error(transparent)]
    Breach(#[from] Breach),
    /// It does not answer.
    #[error("it gave no answer in {} s", .0.as_secs_f32())]
    Silent(Duration),
    /// The system's error.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// What happens at a port.
#[derive(Debug)]
pub enum Event {
    /// A card is in.
    Came(SocketAddr),
    /// It is out again, or never was a card.
    Went(SocketAddr, End),
}

/// The reader's end of the line.
pub struct Port {
    link: Arc<Link>,
    signals: UnboundedReceiver<Signal>,
}

/// What a connection's thread tells.
enum Signal {
    Atr,
    Ended(u64, End),
}

struct Link {
    line: Mutex<Line>,
    presence: Presence,
    button: Button,
    patience: Duration,
    signals: UnboundedSender<Signal>,
}

/// A connection, or none.
#[derive(Default)]
struct Line {
    stream: Option<Arc<TcpStream>>,
    /// Counts connections: what an earlier one says is not listened to.
    number: u64,
    reader: Reader,
    atr: Option<Vec<u8>>,
    answer: Option<(u64, Vec<u8>)>,
}

impl Port {
    /// Nobody is connected. A card that gives no answer within `patience` is sent away.
    #[must_use]
    pub fn new(patience: Duration) -> Self {
        let (sender, signals) = unbounded_channel();
        let (line, presence, button) = (Mutex::default(), Presence::absent(), Button::default());
        Self { link: Arc::new(Link { line, presence, button, patience, signals: sender }), signals }
    }

    /// What reaches the card, for [`Port::card`].
    #[must_use]
    pub fn icc(&self) -> Box<dyn Icc> {
        Box::new(Plug(Arc::clone(&self.link)))
    }

    /// The card, for a rack: `name` is for people, `icc` is [`Port::icc`], perhaps with layers round it.
    #[must_use]
    pub fn card(&self, name: &str, icc: Box<dyn Icc>, recorder: Recorder) -> VirtualCard {
        VirtualCard::guest(name, icc, self.link.presence.clone(), self.link.button.clone(), recorder)
    }

    /// Takes those who connect, one after the other, as `card`, in the reader of `rack` that it belongs to. `told`
    /// hears of them.
    pub async fn keep(mut self, listener: TcpListener, rack: Rack, card: SharedCard, mut told: impl FnMut(Event)) -> Infallible {
        loop {
            let Ok((stream, address)) = listener.accept().await else {
                // Out of descriptors, most likely.
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            };
            let number = match self.link.connect(stream) {
                Ok(number) => number,
                Err(error) => {
                    told(Event::Went(address, error.into()));
                    continue;
                }
            };
            let limit = GREETING.min(self.link.patience);
            let greeted = tokio::time::timeout(limit, self.until(number)).await;
            let end = match greeted {
                Err(_) => {
                    self.link.hang_up(number, End::Silent(limit));
                    self.end_of(number).await
                }
                Ok(Some(end)) => end,
                Ok(None) => {
                    self.link.presence.set(true);
                    if let Some(place) = rack.place_of(&card) {
                        let _ = rack.insert(place).await;
                    }
                    told(Event::Came(address));
                    let end = self.end_of(number).await;
                    self.link.presence.set(false);
                    if let Some(place) = rack.place_of(&card) {
                        let _ = rack.remove(place).await;
                    }
                    end
                }
            };
            told(Event::Went(address, end));
        }
    }

    /// `None` at this connection's next ATR, or how it ended.
    async fn until(&mut self, number: u64) -> Option<End> {
        loop {
            match self.signals.recv().await {
                Some(Signal::Atr) => return None,
                Some(Signal::Ended(ended, end)) if ended == number => return Some(end),
                Some(Signal::Ended(..)) => {}
                None => return Some(End::Closed),
            }
        }
    }

    async fn end_of(&mut self, number: u64) -> End {
        loop {
            if let Some(end) = self.until(number).await {
                return end;
            }
        }
    }
}

impl Link {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A card has connected: it is asked for its ATR, and listened to. The connection's number.
    fn connect(self: &Arc<Self>, stream: tokio::net::TcpStream) -> io::Result<u64> {
        let stream = stream.into_std()?;
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(self.patience))?;
        let stream = Arc::new(stream);
        let (number, question) = {
            let mut line = self.line();
            let number = line.number + 1;
            *line = Line { stream: Some(Arc::clone(&stream)), number, ..Line::default() };
            (number, line.reader.ask_atr())
        };
        let link = Arc::clone(self);
        std::thread::Builder::new().name("vpcd card".into()).spawn({
            let stream = Arc::clone(&stream);
            move || {
                let end = link.listen(&stream, number);
                link.hang_up(number, end);
            }
        })?;
        (&*stream).write_all(&question)?;
        Ok(number)
    }

    /// Hears what the card says until it says nothing more.
    fn listen(&self, mut stream: &TcpStream, number: u64) -> End {
        let mut bytes = [0; 4096];
        let mut heard = Vec::new();
        loop {
            // A card that writes length and data apart waits for an acknowledgement between them, which would be held back for
            // 40 ms. The kernel forgets the option.
            let _ = sockopt::set_tcp_quickack(stream, true);
            let length = match stream.read(&mut bytes) {
                Ok(0) => return End::Closed,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return error.into(),
            };
            let mut line = self.line();
            if line.number != number || line.stream.is_none() {
                return End::Closed;
            }
            let received = line.reader.receive(&bytes[..length], &mut heard);
            for heard in heard.drain(..) {
                match heard {
                    Heard::Atr(atr) => {
                        line.atr = Some(atr);
                        let _ = self.signals.send(Signal::Atr);
                    }
                    Heard::Answer(of, answer) => line.answer = Some((of, answer)),
                }
            }
            drop(line);
            self.button.nudge();
            if let Err(breach) = received {
                return breach.into();
            }
        }
    }

    /// Ends a connection, once; the first reason is told.
    fn hang_up(&self, number: u64, end: End) {
        let stream = {
            let mut line = self.line();
            if line.number != number {
                return;
            }
            line.atr = None;
            line.stream.take()
        };
        if let Some(stream) = stream {
            let _ = stream.shutdown(Shutdown::Both);
            let _ = self.signals.send(Signal::Ended(number, end));
            self.button.nudge();
        }
    }

    /// Sends without waiting: the readers' thread does it.
    fn tell(&self, what: impl FnOnce(&mut Reader) -> Vec<u8>) {
        let (stream, number, bytes) = {
            let mut line = self.line();
            let Some(stream) = line.stream.clone() else { return };
            (stream, line.number, what(&mut line.reader))
        };
        match rustix::net::send(&*stream, &bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
            Ok(sent) if sent == bytes.len() => {}
            // It has not read for so long that there is no room for three bytes.
            Ok(_) => self.hang_up(number, End::Silent(self.patience)),
            Err(error) => self.hang_up(number, End::System(error.into())),
        }
    }

    fn transmit(&self, command: &[u8]) -> Result<Vec<u8>, Loss> {
        let (stream, connection, number, bytes) = {
            let mut line = self.line();
            let Some(stream) = line.stream.clone() else { return Err(Loss::Card) };
            let Some((number, bytes)) = line.reader.command(command) else { return Err(Loss::Mute) };
            line.answer = None;
            (stream, line.number, number, zeroize::Zeroizing::new(bytes))
        };
        if let Err(error) = (&*stream).write_all(&bytes) {
            self.hang_up(connection, error.into());
            return Err(Loss::Card);
        }
        let over = || {
            let line = self.line();
            line.stream.is_none() || line.answer.as_ref().is_some_and(|(of, _)| *of == number)
        };
        let in_place = self.button.until(self.patience, over);
        let answer = self.line().answer.take().filter(|(of, _)| *of == number);
        match answer {
            Some((_, answer)) => Ok(answer),
            None => {
                if in_place {
                    // It has said nothing for so long that nobody waits any more.
                    self.hang_up(connection, End::Silent(self.patience));
                }
                Err(Loss::Card)
            }
        }
    }
}

/// The card in its slot.
struct Plug(Arc<Link>);

impl Icc for Plug {
    /// The ATR as the card gave it last: a new one is asked for, and known from the next reset on.
    fn power_on(&mut self) -> Option<Vec<u8>> {
        self.0.tell(Reader::power_on);
        self.0.line().atr.clone()
    }

    fn reset(&mut self) -> Option<Vec<u8>> {
        self.0.tell(Reader::reset);
        self.0.line().atr.clone()
    }

    fn power_off(&mut self) {
        self.0.tell(|reader| reader.power_off());
    }

    /// vpcd does not speak of protocols: the card gets whole APDUs.
    fn set_protocol(&mut self, _: Protocol) {}

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Loss> {
        self.0.transmit(command)
    }

    /// Another process computes, and may take its time.
    fn is_slow(&self, _: &[u8]) -> bool {
        true
    }
}
