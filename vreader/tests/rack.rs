//! A rack's readers and cards, handled while programs work with them over the socket.

use cardlab_pcsclite::client::{Context, Disposition, ShareMode};
use cardlab_pcsclite::code::ReturnCode;
use cardlab_sim::{Card, Profile, World};
use cardlab_vreader::rack::RackError;
use cardlab_vreader::trace::{Ticks, What};
use cardlab_vreader::{ThreadedRack, Trace, VirtualCard, Whereabouts};
use std::time::Duration;

const SELECT: &[u8] = &[0, 0xA4, 4, 0, 5, 0xA0, 0, 0, 3, 8];
const WRONG: &[u8] = b"\x00\x20\x00\x80\x08999999\xFF\xFF";
const STATUS: &[u8] = &[0, 0x20, 0, 0x80];

fn card(seed: u64) -> VirtualCard {
    VirtualCard::new(Card::new(Profile::builtin("nist-piv").unwrap(), World::seeded(seed)).unwrap(), None)
}

fn rack() -> ThreadedRack {
    ThreadedRack::start(1, Duration::ZERO).unwrap()
}

/// What TRANSMIT gives: the response, or PC/SC's code.
fn send(card: &mut cardlab_pcsclite::client::Connection<'_>, command: &[u8]) -> Result<Vec<u8>, ReturnCode> {
    card.transmit(command).map_err(|e| e.code().unwrap())
}

#[test]
fn cards_go_in_and_out_and_change_places() {
    let rack = rack();
    let (one, two) = (rack.add("One", card(1)), rack.add("Two", card(2)));
    let context = Context::establish_at(rack.socket()).unwrap();
    assert_eq!(rack.insert(one), Err(RackError::Occupied("One 00 00".into())));
    let serials = || [one, two].map(|place| rack.rack().card(place).lock().card().unwrap().serial());
    let before = serials();
    let mut handle = context.connect("One 00 00", ShareMode::Shared).unwrap();
    rack.remove(one).unwrap();
    assert_eq!(send(&mut handle, STATUS), Err(ReturnCode::REMOVED_CARD));
    assert_eq!(rack.rack().whereabouts(one), Whereabouts::Out);
    assert_eq!(rack.reset(one, true), Err(RackError::Empty("One 00 00".into())));
    rack.swap(one, two).unwrap();
    let [a, b] = before;
    assert_eq!(serials(), [b, a]);
    assert_eq!([one, two].map(|place| rack.rack().whereabouts(place)), [Whereabouts::In; 2]);
    assert_eq!(rack.rack().find("Two"), Ok(two));
    assert_eq!(rack.rack().find("0"), Ok(one));
    assert_eq!(rack.rack().find("Three").unwrap_err().to_string(), "there is no reader Three; there are: One 00 00, Two 01 00");
    assert!(rack.rack().find("").unwrap_err().to_string().starts_with("there are several readers; name one: One"));
}

#[test]
fn a_reset_and_an_unplugged_reader_are_noticed() {
    let rack = rack();
    let one = rack.add("One", card(1));
    let context = Context::establish_at(rack.socket()).unwrap();
    let mut handle = context.connect("One 00 00", ShareMode::Shared).unwrap();
    send(&mut handle, SELECT).unwrap();
    for cold in [false, true] {
        rack.reset(one, cold).unwrap();
        assert_eq!(send(&mut handle, STATUS), Err(ReturnCode::RESET_CARD));
        handle.reconnect(ShareMode::Shared, Disposition::Leave).unwrap();
        assert_eq!(send(&mut handle, SELECT).map(|r| r[r.len() - 2]), Ok(0x90));
    }
    rack.unplug(one).unwrap();
    assert_eq!(rack.unplug(one), Err(RackError::Unplugged("One 00 00".into())));
    assert_eq!(rack.insert(one), Err(RackError::Unplugged("One 00 00".into())));
    assert!(context.readers().unwrap().is_empty());
    rack.plug(one).unwrap();
    rack.insert(one).unwrap();
    assert_eq!(context.readers().unwrap().len(), 1);
    assert_eq!(rack.plug(one), Err(RackError::Plugged("One 00 00".into())));
}

/// The reader is another to those who had it open, and the same to those who look: also in mid-command.
#[test]
fn a_usb_reset() {
    let rack = rack();
    let (one, two) = (rack.add("One", card(1)), rack.add("Two", card(2)));
    let context = Context::establish_at(rack.socket()).unwrap();
    let [mut shared, mut neighbour] = ["One 00 00", "Two 01 00"].map(|name| context.connect(name, ShareMode::Shared).unwrap());
    for handle in [&mut shared, &mut neighbour] {
        assert_eq!(send(handle, b"\x00\x20\x00\x80\x08123456\xFF\xFF"), Ok(vec![0x90, 0]));
    }
    let known = context.readers().unwrap();
    rack.reset_usb(one).unwrap();
    assert_eq!(send(&mut shared, STATUS), Err(ReturnCode::INVALID_VALUE));
    assert_eq!(shared.status().unwrap_err().code(), Some(ReturnCode::READER_UNAVAILABLE));
    assert_eq!(send(&mut neighbour, STATUS), Ok(vec![0x90, 0]), "nobody else notices");
    let now = context.readers().unwrap();
    assert_eq!(now.iter().map(|r| &r.name).collect::<Vec<_>>(), known.iter().map(|r| &r.name).collect::<Vec<_>>());
    let mut again = context.connect("One 00 00", ShareMode::Shared).unwrap();
    assert_eq!(send(&mut again, STATUS), Ok(vec![0x63, 0xC3]), "it was powered anew");
    rack.remove(two).unwrap();
    rack.reset_usb(two).unwrap();
    assert_eq!(rack.rack().whereabouts(two), Whereabouts::Out, "what was out stays out");
    rack.unplug(two).unwrap();
    assert_eq!(rack.reset_usb(two), Err(RackError::Unplugged("Two 01 00".into())));
}

/// A card gives no answer for an hour, and other readers go on. Whoever pulls it out, or unplugs its reader, need
/// not wait so long: it has not carried the command out, and works as soon as it is back.
#[test]
fn a_silent_card_holds_nobody_up() {
    let trace = Trace::new(Ticks::Count);
    let silent = Card::new(Profile::builtin("nist-piv").unwrap(), World::seeded(1)).unwrap();
    let rack = rack();
    let busy = rack.add("Busy", VirtualCard::new(silent, Some(trace.of("busy"))));
    let other = rack.add("Other", card(2));
    let context = Context::establish_at(rack.socket()).unwrap();
    for way in ["remove", "unplug", "usb"] {
        let mut heard = trace.listen();
        rack.rack().card(busy).lock().arm("silent=3600000,ins=20".parse().unwrap()).unwrap();
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| {
                let context = Context::establish_at(rack.socket()).unwrap();
                let mut handle = context.connect(&rack.rack().name(busy), ShareMode::Shared).unwrap();
                send(&mut handle, SELECT).unwrap();
                send(&mut handle, WRONG)
            });
            while !matches!(&heard.blocking_recv().unwrap().what, What::Event { text, .. } if text.starts_with("fault silent")) {}
            let mut handle = context.connect(&rack.rack().name(other), ShareMode::Shared).unwrap();
            for _ in 0..20 {
                send(&mut handle, SELECT).unwrap();
            }
            assert!(!asked.is_finished());
            match way {
                "usb" => rack.reset_usb(busy).unwrap(),
                "unplug" => {
                    rack.unplug(busy).unwrap();
                    rack.plug(busy).unwrap();
                    rack.insert(busy).unwrap();
                }
                _ => {
                    rack.remove(busy).unwrap();
                    rack.insert(busy).unwrap();
                }
            }
            assert!(asked.join().unwrap().is_err());
        });
        let mut handle = context.connect(&rack.rack().name(busy), ShareMode::Shared).unwrap();
        send(&mut handle, SELECT).unwrap();
        assert_eq!(send(&mut handle, STATUS), Ok(vec![0x63, 0xC3]));
    }
}

/// PINs that are typed at the reader: no program sees them, the card answers as ever.
#[test]
fn a_pin_pad() {
    let rack = rack();
    let (place, plain) = (rack.add("Pad", card(1)), rack.add("Plain", card(2)));
    rack.rack().add_pin_pad(place);
    let pad = rack.rack().pin_pad(place).unwrap();
    assert!(rack.rack().pin_pad(plain).is_none());
    let typed = |entries: &[&str]| entries.iter().for_each(|entry| pad.script(entry.parse().unwrap()).unwrap());
    let context = Context::establish_at(rack.socket()).unwrap();
    let features = |reader: &str| {
        let mut handle = context.connect(reader, ShareMode::Shared).unwrap();
        handle.control(0x4200_0D48, &[]).unwrap().chunks(6).map(|record| record[0]).collect::<Vec<u8>>()
    };
    assert_eq!((features("Pad 00 00"), features("Plain 01 00")), (vec![0x06, 0x07, 0x0A, 0x12], vec![0x12]));
    let mut handle = context.connect("Pad 00 00", ShareMode::Shared).unwrap();
    send(&mut handle, SELECT).unwrap();
    let verify = hex::decode("1E1E820800080402000000000000000D0000000020008008FFFFFFFFFFFFFFFF").unwrap();
    let mut ask = |code: u32, structure: &[u8], entries: &[&str]| {
        typed(entries);
        handle.control(code, structure).unwrap()
    };
    assert_eq!(ask(0x4233_0006, &verify, &["999999"]), [0x63, 0xC2]);
    assert_eq!(ask(0x4233_0006, &verify, &["123456"]), [0x90, 0x00]);
    assert_eq!(ask(0x4233_0006, &verify, &["cancel"]), [0x64, 0x01]);
    assert_eq!(ask(0x4233_0006, &verify[..10], &[]), [0x6B, 0x80]);
    let modify = "1E1E8208000008080403020309040001020000001500000000240080\
                  10FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF";
    let modify = hex::decode(modify).unwrap();
    assert_eq!(ask(0x4233_0007, &modify, &["123456", "654321", "654322"]), [0x64, 0x02]);
    assert_eq!(ask(0x4233_0007, &modify, &["123456", "654321", "654321"]), [0x90, 0x00]);
    assert_eq!(ask(0x4233_0006, &verify, &["654321"]), [0x90, 0x00]);
    // The reader still has its keypad when it comes back.
    rack.unplug(place).unwrap();
    rack.plug(place).unwrap();
    rack.insert(place).unwrap();
    assert_eq!(features("Pad 00 00").len(), 4);
}

#[test]
fn faults_strike_the_command_they_were_armed_for() {
    let rack = rack();
    let place = rack.add("One", card(1));
    let context = Context::establish_at(rack.socket()).unwrap();
    let strike = |fault: &str| {
        let mut handle = context.connect("One 00 00", ShareMode::Shared).unwrap();
        send(&mut handle, SELECT).unwrap();
        rack.rack().card(place).lock().arm(fault.parse().unwrap()).unwrap();
        let answer = send(&mut handle, WRONG);
        let again = send(&mut handle, STATUS);
        drop(handle);
        if rack.rack().whereabouts(place) == Whereabouts::Out {
            rack.insert(place).unwrap();
        } else {
            rack.reset(place, true).unwrap();
        }
        // What the card knows afterwards.
        let mut handle = context.connect("One 00 00", ShareMode::Shared).unwrap();
        send(&mut handle, SELECT).unwrap();
        let left = send(&mut handle, STATUS).unwrap()[1] & 0x0F;
        let mut shared = rack.rack().card(place);
        let mut given_back = b"\x00\x20\x00\x80\x08123456\xFF\xFF".to_vec();
        assert_eq!(cardlab_vreader::icc::Icc::transmit(&mut shared, &given_back), Ok(vec![0x90, 0]));
        given_back.clear();
        (answer, again.map(|r| r.len()), left)
    };
    assert_eq!(strike("status=6F00").0, Ok(vec![0x6F, 0]));
    assert_eq!(strike("status=6F00").2, 3);
    assert_eq!(strike("answer=9000"), (Ok(vec![0x90, 0]), Ok(2), 2));
    assert_eq!(strike("truncate=1").0, Ok(vec![0x63]));
    assert_eq!(strike("flip-bit=15").0, Ok(vec![0x63, 0xC3]));
    assert_eq!(strike("silent=30"), (Ok(vec![0x63, 0xC2]), Ok(2), 2));
    assert_eq!(strike("memory-failure"), (Ok(vec![0x65, 0x81]), Ok(2), 3));
    assert_eq!(strike("power-cut=0"), (Err(ReturnCode::NOT_TRANSACTED), Err(ReturnCode::RESET_CARD), 3));
    assert_eq!(strike("power-cut=2"), (Err(ReturnCode::NOT_TRANSACTED), Err(ReturnCode::RESET_CARD), 2));
    assert_eq!(strike("remove-before"), (Err(ReturnCode::NO_SMARTCARD), Err(ReturnCode::REMOVED_CARD), 3));
    assert_eq!(strike("remove-after"), (Err(ReturnCode::NO_SMARTCARD), Err(ReturnCode::REMOVED_CARD), 2));
    assert_eq!(strike("mute"), (Err(ReturnCode::NOT_TRANSACTED), Err(ReturnCode::NOT_TRANSACTED), 3));
    let mut handle = context.connect("One 00 00", ShareMode::Shared).unwrap();
    rack.rack().card(place).lock().arm("reader-gone".parse().unwrap()).unwrap();
    assert_eq!(send(&mut handle, SELECT), Err(ReturnCode::READER_UNAVAILABLE));
    assert_eq!(rack.rack().whereabouts(place), Whereabouts::Unplugged);
    drop(handle);
    rack.plug(place).unwrap();
    assert_eq!(rack.rack().whereabouts(place), Whereabouts::Out);
}
