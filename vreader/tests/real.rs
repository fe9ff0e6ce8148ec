//! A card of another PC/SC service in a reader of ours. The other service is one of ours as well, here and in `tests/guests.rs`
//! of the program: what pcscd itself does otherwise no test sees.

use cardlab_pcsclite::client::{Connection, Context, Disposition, ShareMode};
use cardlab_pcsclite::code::ReturnCode;
use cardlab_sim::{Card, Profile, World};
use cardlab_vreader::icc::VirtualCard;
use cardlab_vreader::real::{self, Event, FindError, Real};
use cardlab_vreader::trace::Ticks;
use cardlab_vreader::{Place, ThreadedRack, Trace, Whereabouts};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const SELECT: &[u8] = &[0, 0xA4, 4, 0, 5, 0xA0, 0, 0, 3, 8];
const WRONG: &[u8] = b"\x00\x20\x00\x80\x08999999\xFF\xFF";
const RIGHT: &[u8] = b"\x00\x20\x00\x80\x08123456\xFF\xFF";
const STATUS: &[u8] = &[0, 0x20, 0, 0x80];
const FOREVER: Duration = Duration::from_secs(60);

/// A service with a card in its reader, and a rack of ours with the same card.
struct Two {
    theirs: ThreadedRack,
    real: Place,
    ours: ThreadedRack,
    place: Place,
    events: Receiver<Event>,
}

impl Two {
    fn new() -> Self {
        let theirs = ThreadedRack::start(1, Duration::ZERO).unwrap();
        let card = Card::new(Profile::builtin("nist-piv").unwrap(), World::seeded(1)).unwrap();
        let real = theirs.add("Real reader", VirtualCard::new(card, None));
        Self::at(theirs, real)
    }

    fn at(theirs: ThreadedRack, place: Place) -> Self {
        let (ours, real) = (ThreadedRack::start(2, Duration::ZERO).unwrap(), place);
        let reader = real::find(theirs.socket(), "Real").unwrap();
        let guest = Real::open(theirs.socket().into(), reader, FOREVER).unwrap();
        let card = guest.card("pcsc Real reader 00 00", guest.icc(), Trace::new(Ticks::Count).of("real"));
        let place = ours.add("Ours", card);
        let (tell, events) = channel();
        let (rack, card) = (ours.rack().clone(), ours.rack().card(place));
        ours.runtime().spawn(guest.keep(rack, card, move |event| drop(tell.send(event))));
        Self { theirs, real, ours, place, events }
    }

    fn event(&self) -> Event {
        self.events.recv_timeout(FOREVER).unwrap()
    }

    fn comes(&self) {
        let event = self.event();
        assert!(matches!(event, Event::Came), "{event:?}");
        assert_eq!(self.ours.rack().whereabouts(self.place), Whereabouts::In);
    }

    fn goes(&self) {
        let event = self.event();
        assert!(matches!(event, Event::Went(_)), "{event:?}");
        assert_eq!(self.ours.rack().whereabouts(self.place), Whereabouts::Out);
    }

    fn context(&self) -> Context {
        Context::establish_at(self.ours.socket()).unwrap()
    }
}

fn send(card: &mut Connection<'_>, command: &[u8]) -> Result<Vec<u8>, ReturnCode> {
    card.transmit(command).map_err(|e| e.code().unwrap())
}

#[test]
fn a_real_card_works_is_pulled_out_and_comes_back() {
    let two = Two::new();
    two.comes();
    let context = two.context();
    let mut handle = context.connect("Ours 00 00", ShareMode::Shared).unwrap();
    assert_eq!(handle.atr().unwrap(), Profile::builtin("nist-piv").unwrap().card.atr);
    send(&mut handle, SELECT).unwrap();
    assert_eq!(send(&mut handle, WRONG), Ok(vec![0x63, 0xC2]));
    assert_eq!(send(&mut handle, RIGHT), Ok(vec![0x90, 0x00]));
    handle.reconnect(ShareMode::Shared, Disposition::Reset).unwrap();
    assert_eq!(send(&mut handle, STATUS), Ok(vec![0x63, 0xC3]), "the reset reached it");
    two.theirs.remove(two.real).unwrap();
    two.goes();
    assert_eq!(send(&mut handle, STATUS), Err(ReturnCode::REMOVED_CARD));
    two.theirs.insert(two.real).unwrap();
    two.comes();
    handle.reconnect(ShareMode::Shared, Disposition::Leave).unwrap();
    assert_eq!(send(&mut handle, STATUS), Ok(vec![0x63, 0xC3]));
    // The whole reader: it is back under its name.
    two.theirs.unplug(two.real).unwrap();
    two.goes();
    assert_eq!(send(&mut handle, STATUS), Err(ReturnCode::REMOVED_CARD));
    two.theirs.plug(two.real).unwrap();
    two.theirs.insert(two.real).unwrap();
    two.comes();
    handle.reconnect(ShareMode::Shared, Disposition::Leave).unwrap();
    assert_eq!(send(&mut handle, STATUS), Ok(vec![0x63, 0xC3]));
}

/// Unplugged while the card works: who asked is told, and the card comes back as it was.
#[test]
fn unplugged_in_mid_command() {
    let two = Two::new();
    two.comes();
    let context = two.context();
    let mut handle = context.connect("Ours 00 00", ShareMode::Shared).unwrap();
    two.theirs.rack().card(two.real).lock().arm("reader-gone,ins=20".parse().unwrap()).unwrap();
    assert_eq!(send(&mut handle, WRONG), Err(ReturnCode::NO_SMARTCARD));
    two.goes();
    two.theirs.plug(two.real).unwrap();
    two.theirs.insert(two.real).unwrap();
    two.comes();
    handle.reconnect(ShareMode::Shared, Disposition::Leave).unwrap();
    assert_eq!(send(&mut handle, STATUS), Ok(vec![0x63, 0xC3]));
    // Pulled out of our reader while the real card gives no answer: nobody waits for it.
    two.theirs.rack().card(two.real).lock().arm("silent=3600000,ins=20".parse().unwrap()).unwrap();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| send(&mut handle, WRONG));
        let card = two.theirs.rack().card(two.real);
        while card.try_lock().is_some() {
            std::thread::yield_now();
        }
        two.ours.remove(two.place).unwrap();
        assert_eq!(asked.join().unwrap(), Err(ReturnCode::NO_SMARTCARD));
    });
    two.theirs.remove(two.real).unwrap();
}

/// Another program has it: that is said once, and it comes as soon as it is free.
#[test]
fn a_card_that_is_held() {
    let theirs = ThreadedRack::start(1, Duration::ZERO).unwrap();
    let card = Card::new(Profile::builtin("nist-piv").unwrap(), World::seeded(1)).unwrap();
    let real = theirs.add("Real reader", VirtualCard::new(card, None));
    let other = Context::establish_at(theirs.socket()).unwrap();
    let held = other.connect("Real reader 00 00", ShareMode::Shared).unwrap();
    let two = Two::at(theirs, real);
    let event = two.event();
    assert!(matches!(&event, Event::Held(error) if error.code() == Some(ReturnCode::SHARING_VIOLATION)), "{event:?}");
    assert_eq!(two.ours.rack().whereabouts(two.place), Whereabouts::Out);
    drop(held);
    two.comes();
    let refused = other.connect("Real reader 00 00", ShareMode::Shared).err().and_then(|e| e.code());
    assert_eq!(refused, Some(ReturnCode::SHARING_VIOLATION), "it is ours alone");
}

#[test]
fn a_reader_that_there_is_not() {
    let rack = ThreadedRack::start(1, Duration::ZERO).unwrap();
    for name in ["Real one", "Real two"] {
        rack.add(name, VirtualCard::new(Card::new(Profile::builtin("gids").unwrap(), World::seeded(1)).unwrap(), None));
    }
    let find = |wanted: &str| real::find(rack.socket(), wanted);
    assert_eq!(find("Real two").unwrap(), "Real two 01 00");
    assert!(
        find("Other").unwrap_err().to_string().ends_with("no reader named 'Other'; there are: Real one 00 00, Real two 01 00")
    );
    assert!(matches!(find("Real"), Err(FindError::Several { .. })));
    assert!(matches!(real::find("/nowhere".as_ref(), "x"), Err(FindError::Service(_))));
}
