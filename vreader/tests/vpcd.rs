//! Cards of others in readers of ours, by vsmartcard's protocol: a simulated card that plays the other, and cards that
//! do what no card should.

use cardlab_pcsclite::client::{Connection, Context, Disposition, ShareMode};
use cardlab_pcsclite::code::ReturnCode;
use cardlab_sim::{Card, Profile, World};
use cardlab_vreader::icc::{SharedCard, UndoError, VirtualCard};
use cardlab_vreader::rack::RackError;
use cardlab_vreader::state::{self, StateError, Tries};
use cardlab_vreader::trace::event::Event as Happened;
use cardlab_vreader::trace::{Ticks, What};
use cardlab_vreader::vpcd::guest::{End, Event, PATIENCE, Port};
use cardlab_vreader::{Place, ThreadedRack, Trace, Whereabouts, vpcd};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const SELECT: &[u8] = &[0, 0xA4, 4, 0, 5, 0xA0, 0, 0, 3, 8];
const WRONG: &[u8] = b"\x00\x20\x00\x80\x08999999\xFF\xFF";
const STATUS: &[u8] = &[0, 0x20, 0, 0x80];
const ATR: &[u8] = &[0x3B, 0x80, 0x80, 0x01, 0x01];
/// No test waits so long that goes right.
const FOREVER: Duration = Duration::from_secs(60);

/// A reader that waits for its card.
struct Desk {
    rack: ThreadedRack,
    place: Place,
    card: SharedCard,
    address: SocketAddr,
    events: Receiver<Event>,
    trace: Trace,
}

impl Desk {
    fn new(patience: Duration) -> Self {
        let (rack, trace) = (ThreadedRack::start(1, Duration::ZERO).unwrap(), Trace::new(Ticks::Count));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let port = Port::new(patience);
        let place = rack.add("Guest", port.card(&format!("vpcd {address}"), port.icc(), trace.of("guest")));
        let card = rack.rack().card(place);
        let (tell, events) = channel();
        let (handled, kept) = (rack.rack().clone(), card.clone());
        rack.runtime().spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            port.keep(listener, handled, kept, move |event| drop(tell.send(event))).await
        });
        Self { rack, place, card, address, events, trace }
    }

    fn event(&self) -> Event {
        self.events.recv_timeout(FOREVER).unwrap()
    }

    fn comes(&self) {
        let event = self.event();
        assert!(matches!(event, Event::Came(_)), "{event:?}");
        assert_eq!(self.rack.rack().whereabouts(self.place), Whereabouts::In);
    }

    fn went(&self) -> End {
        match self.event() {
            Event::Went(_, end) => {
                assert_eq!(self.rack.rack().whereabouts(self.place), Whereabouts::Out);
                end
            }
            event => panic!("{event:?}"),
        }
    }

    fn context(&self) -> Context {
        Context::establish_at(self.rack.socket()).unwrap()
    }

    /// A simulated card at the other end, for as long as what is given back lives.
    fn visit(&self, profile: &str) -> Visitor {
        let card = VirtualCard::new(Card::new(Profile::builtin(profile).unwrap(), World::seeded(1)).unwrap(), None);
        let address = self.address.to_string();
        Visitor(self.rack.runtime().spawn(async move { match vpcd::serve(&address, Box::new(card), || {}).await {} }))
    }

    /// Somebody at the other end who has given an ATR.
    fn stranger(&self) -> Stranger {
        let mut stranger = Stranger::connect(self.address);
        assert_eq!(stranger.hears(), [4]);
        stranger.says(ATR);
        self.comes();
        assert_eq!(stranger.hears(), [1]);
        assert_eq!(stranger.hears(), [4]);
        stranger.says(ATR);
        stranger
    }
}

struct Visitor(tokio::task::JoinHandle<()>);

impl Drop for Visitor {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The card's end of a line, by hand.
struct Stranger(TcpStream);

impl Stranger {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(FOREVER)).unwrap();
        Self(stream)
    }

    fn says(&mut self, message: &[u8]) {
        self.0.write_all(&[&(message.len() as u16).to_be_bytes(), message].concat()).unwrap();
    }

    fn hears(&mut self) -> Vec<u8> {
        let mut length = [0; 2];
        self.0.read_exact(&mut length).unwrap();
        let mut message = vec![0; u16::from_be_bytes(length).into()];
        self.0.read_exact(&mut message).unwrap();
        message
    }

    fn hears_the_end(&mut self) {
        let mut rest = Vec::new();
        // What was on its way before is read; then nothing more comes.
        let _ = self.0.read_to_end(&mut rest);
    }
}

fn send(card: &mut Connection<'_>, command: &[u8]) -> Result<Vec<u8>, ReturnCode> {
    card.transmit(command).map_err(|e| e.code().unwrap())
}

/// One command of a program of its own.
fn ask(socket: &Path, command: &[u8]) -> Result<Vec<u8>, ReturnCode> {
    let context = Context::establish_at(socket).unwrap();
    let mut handle = context.connect("Guest 00 00", ShareMode::Shared).unwrap();
    send(&mut handle, command)
}

#[test]
fn a_card_comes_works_goes_and_comes_back() {
    let desk = Desk::new(PATIENCE);
    assert_eq!(desk.rack.insert(desk.place), Err(RackError::Absent("Guest 00 00".into())));
    let context = desk.context();
    assert_eq!(context.connect("Guest 00 00", ShareMode::Shared).err().unwrap().code(), Some(ReturnCode::NO_SMARTCARD));
    let visitor = desk.visit("yubikey-5.4");
    desk.comes();
    let mut handle = context.connect("Guest 00 00", ShareMode::Shared).unwrap();
    assert_eq!(handle.atr().unwrap(), Profile::builtin("yubikey-5.4").unwrap().card.atr);
    send(&mut handle, SELECT).unwrap();
    assert_eq!(send(&mut handle, WRONG), Ok(vec![0x63, 0xC2]));
    // Pulled out by hand, and put in again: it had no power.
    desk.rack.remove(desk.place).unwrap();
    assert_eq!(send(&mut handle, STATUS), Err(ReturnCode::REMOVED_CARD));
    desk.rack.insert(desk.place).unwrap();
    handle.reconnect(ShareMode::Shared, Disposition::Reset).unwrap();
    send(&mut handle, SELECT).unwrap();
    assert_eq!(send(&mut handle, STATUS), Ok(vec![0x63, 0xC2]));
    drop(visitor);
    assert!(matches!(desk.went(), End::Closed));
    assert_eq!(send(&mut handle, STATUS), Err(ReturnCode::REMOVED_CARD));
    assert_eq!(desk.rack.insert(desk.place), Err(RackError::Absent("Guest 00 00".into())));
    let _visitor = desk.visit("gids");
    desk.comes();
    let mut handle = context.connect("Guest 00 00", ShareMode::Shared).unwrap();
    assert_eq!(handle.atr().unwrap(), Profile::builtin("gids").unwrap().card.atr);
    assert_eq!(send(&mut handle, &hex::decode("00A4040009A00000039742544659").unwrap()).unwrap().last(), Some(&0));
}

/// Faults, the journal and the trace are the reader's; the card does not know of them.
#[test]
fn faults_strike_from_outside() {
    let desk = Desk::new(PATIENCE);
    let mut heard = desk.trace.listen();
    let _visitor = desk.visit("nist-piv");
    desk.comes();
    let context = desk.context();
    let strike = |fault: &str| {
        desk.card.lock().arm(fault.parse().unwrap()).unwrap();
        let mut handle = context.connect("Guest 00 00", ShareMode::Shared).unwrap();
        let answer = send(&mut handle, WRONG);
        if desk.rack.rack().whereabouts(desk.place) == Whereabouts::Out {
            desk.rack.insert(desk.place).unwrap();
        }
        desk.rack.reset(desk.place, true).unwrap();
        let mut handle = context.connect("Guest 00 00", ShareMode::Shared).unwrap();
        (answer, send(&mut handle, STATUS).unwrap()[1] & 0x0F)
    };
    assert_eq!(strike("status=6F00"), (Ok(vec![0x6F, 0]), 3));
    assert_eq!(strike("remove-before"), (Err(ReturnCode::NO_SMARTCARD), 3));
    assert_eq!(strike("remove-after"), (Err(ReturnCode::NO_SMARTCARD), 2));
    assert_eq!(strike("flip-bit=15"), (Ok(vec![0x63, 0xC0]), 1));
    assert_eq!(strike("mute"), (Err(ReturnCode::NOT_TRANSACTED), 1));
    let card = desk.card.lock();
    let log: Vec<_> = card
        .journal()
        .unwrap()
        .after(0)
        .filter_map(|r| match &r.what {
            What::Exchange { command, .. } => Some(command.to_vec()),
            What::Event { .. } => None,
        })
        .collect();
    assert_eq!(log.iter().filter(|command| *command == WRONG).count(), 5);
    assert!(matches!(&heard.try_recv().unwrap().what, What::Event { text, atr } if text == "power on" && !atr.is_empty()));
}

/// What reaches into a card's memory is refused in a sentence that says why.
#[test]
fn what_needs_the_cards_memory_says_so() {
    let desk = Desk::new(PATIENCE);
    let _visitor = desk.visit("nist-piv");
    desk.comes();
    let name = format!("vpcd {}", desk.address);
    let sentence = format!(
        "{name} is not simulated here, its memory is its own: states, snapshots, undo, touches, and faults of power and memory are for simulated cards"
    );
    let mut card = desk.card.lock();
    let tries: Tries = "pin-blocked".parse().unwrap();
    let brought: Result<(), StateError> = card.change(&Happened::State(tries), |card| state::set(card, tries));
    assert_eq!(brought.unwrap_err().to_string(), sentence);
    assert!(matches!(card.undo(1), Err(UndoError::NotSimulated(_))));
    assert_eq!(card.set_touch("wait".parse().unwrap()).unwrap_err().to_string(), sentence);
    assert_eq!(cardlab_vreader::Snapshot::of_virtual(&card).err().unwrap().to_string(), sentence);
    for fault in ["power-cut=0", "memory-failure", "status=6F00,applet=piv"] {
        assert_eq!(card.arm(fault.parse().unwrap()).unwrap_err().to_string(), sentence, "{fault}");
    }
    assert!(card.faults().waiting().is_empty() && card.card().is_none());
    assert_eq!((card.name(), card.journal().unwrap().undoable()), (&*name, 0));
}

/// Whoever does not keep to the protocol is sent away, with the reason; the next may come, and nobody else notices.
#[test]
fn whoever_is_no_card_is_sent_away() {
    let desk = Desk::new(PATIENCE);
    let other = desk
        .rack
        .add("Other", VirtualCard::new(Card::new(Profile::builtin("nist-piv").unwrap(), World::seeded(2)).unwrap(), None));
    let context = desk.context();
    let mut neighbour = context.connect(&desk.rack.rack().name(other), ShareMode::Shared).unwrap();
    drop(Stranger::connect(desk.address));
    assert!(matches!(desk.went(), End::Closed | End::System(_)));
    for greeting in [&[][..], ATR] {
        let mut stranger = Stranger::connect(desk.address);
        stranger.says(greeting);
        if !greeting.is_empty() {
            desk.comes();
            stranger.says(&[0x90, 0]);
            stranger.says(&[0x90, 0]);
        }
        let end = desk.went();
        assert!(matches!(end, End::Breach(_)), "{end:?}");
        stranger.hears_the_end();
    }
    let (mut stranger, socket) = (desk.stranger(), desk.rack.socket().to_owned());
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| ask(&socket, STATUS));
        assert_eq!(stranger.hears(), STATUS);
        // Half an answer, then nothing.
        stranger.0.write_all(&[0, 5, 0x90]).unwrap();
        assert_eq!(send(&mut neighbour, STATUS), Ok(vec![0x63, 0xC3]));
        drop(stranger);
        assert_eq!(asked.join().unwrap(), Err(ReturnCode::NO_SMARTCARD));
    });
    desk.went();
    assert_eq!(send(&mut neighbour, STATUS), Ok(vec![0x63, 0xC3]));
}

#[test]
fn a_card_that_says_nothing() {
    let desk = Desk::new(Duration::from_millis(100));
    let mut stranger = Stranger::connect(desk.address);
    assert!(matches!(desk.went(), End::Silent(_)), "not even its ATR");
    stranger.hears_the_end();
    let mut stranger = desk.stranger();
    let context = desk.context();
    let mut handle = context.connect("Guest 00 00", ShareMode::Shared).unwrap();
    assert_eq!(send(&mut handle, STATUS), Err(ReturnCode::NO_SMARTCARD));
    assert!(matches!(desk.went(), End::Silent(_)));
    stranger.hears_the_end();
}

/// Who pulls it out does not wait with who asked; what it answers then is nobody's any more.
#[test]
fn pulled_out_while_it_works() {
    let desk = Desk::new(PATIENCE);
    let (mut stranger, socket) = (desk.stranger(), desk.rack.socket().to_owned());
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| ask(&socket, SELECT));
        assert_eq!(stranger.hears(), SELECT);
        desk.rack.remove(desk.place).unwrap();
        assert_eq!(asked.join().unwrap(), Err(ReturnCode::NO_SMARTCARD));
    });
    desk.rack.insert(desk.place).unwrap();
    let answered = std::thread::scope(|scope| {
        let asked = scope.spawn(|| ask(&socket, STATUS));
        assert_eq!([stranger.hears(), stranger.hears(), stranger.hears()], [vec![0], vec![1], vec![4]]);
        assert_eq!(stranger.hears(), STATUS);
        stranger.says(b"late\x90\x00");
        stranger.says(ATR);
        stranger.says(&[0x63, 0xC3]);
        asked.join().unwrap()
    });
    assert_eq!(answered, Ok(vec![0x63, 0xC3]));
}

#[test]
fn the_longest_there_are_and_the_next_in_the_queue() {
    let desk = Desk::new(PATIENCE);
    let (mut stranger, socket) = (desk.stranger(), desk.rack.socket().to_owned());
    let mut next = Stranger::connect(desk.address);
    let long: Vec<u8> = (0..65_535u32).map(|n| n as u8).collect();
    let context = desk.context();
    std::thread::scope(|scope| {
        // One byte is control in this protocol, and more than 65,535 no message: neither reaches the card.
        assert_eq!(ask(&socket, &[4]), Err(ReturnCode::NOT_TRANSACTED));
        assert_eq!(ask(&socket, &vec![0; 65_540]), Err(ReturnCode::NOT_TRANSACTED));
        let asked = scope.spawn(|| ask(&socket, &long));
        assert_eq!(stranger.hears(), long);
        stranger.says(&long);
        assert_eq!(asked.join().unwrap(), Ok(long.clone()));
    });
    drop(stranger);
    assert!(matches!(desk.went(), End::Closed | End::System(_)));
    assert_eq!(next.hears(), [4]);
    next.says(ATR);
    desk.comes();
    assert_eq!(context.connect("Guest 00 00", ShareMode::Shared).unwrap().atr().unwrap(), ATR);
}

/// Its reader may be another one meanwhile: it comes and goes where it belongs.
#[test]
fn a_guest_that_changed_places() {
    let desk = Desk::new(PATIENCE);
    let own = VirtualCard::new(Card::new(Profile::builtin("nist-piv").unwrap(), World::seeded(2)).unwrap(), None);
    let other = desk.rack.add("Other", own);
    let stranger = desk.stranger();
    desk.rack.swap(desk.place, other).unwrap();
    drop(stranger);
    assert!(matches!(desk.event(), Event::Went(..)));
    assert_eq!([desk.place, other].map(|place| desk.rack.rack().whereabouts(place)), [Whereabouts::In, Whereabouts::Out]);
    assert_eq!(desk.rack.rack().place_of(&desk.card), Some(other));
}
