//! The rules of PC/SC through the socket, as two real pcscd versions were seen to keep them (and
//! better where they are wrong). Numbers in names are rows of the checklist in docs/architecture.md.

use crate::common::{BOTH, Bench, Raw, T1, bench, bench_with};
use cardlab_pcsclite::code::{ReturnCode as Rc, attribute, disposition, part10, protocol, share, state};
use cardlab_pcsclite::wire::{Attribute, ContextOnly, Control, MAX_ATTRIBUTE, Reconnect, Request, SYSTEM_SOCKET};
use cardlab_vreader::resource::ProtocolVersion;
use std::io::Write;
use std::time::{Duration, Instant};

const ANY: u32 = protocol::T0 | protocol::T1;

fn two(b: &Bench) -> (Raw, Raw) {
    let (mut first, mut second) = (b.raw(4), b.raw(6));
    first.shared();
    second.shared();
    (first, second)
}

#[test]
fn contexts() {
    let b = bench();
    let mut raw = Raw::open(&b.path);
    for scope in [4, 99] {
        assert_eq!((raw.establish_scope(scope), raw.context), (Rc::INVALID_VALUE, 0));
    }
    for scope in 0..=3 {
        assert_eq!(raw.establish_scope(scope), Rc::OK, "also without VERSION");
        assert!(raw.context != 0 && raw.context < 1 << 31);
    }
    let mut other = b.raw(4);
    assert_ne!(raw.context, other.context);
    assert_eq!(raw.release(raw.context ^ 1), Rc::INVALID_VALUE);
    assert_eq!((raw.release(raw.context), raw.release(raw.context)), (Rc::OK, Rc::INVALID_HANDLE));
    let foreign = other.context;
    other.context = raw.context;
    assert_eq!(other.connect(share::SHARED, ANY), Err(Rc::INVALID_VALUE));
    other.context = foreign;
    assert_eq!(other.state().sharing, 0, "no handle was left behind");
    let mut many: Vec<Raw> = (0..200).map(|_| b.raw(4)).collect();
    assert_eq!(many[199].connect(share::SHARED, ANY), Ok(protocol::T1));
}

#[test]
fn versions() {
    let b = bench();
    for minor in 4..=6 {
        assert_eq!(Raw::open(&b.path).version(4, minor), (4, minor, Rc::OK));
    }
    let mut strange = b.server.strange_versions();
    for (major, minor) in [(4, 3), (4, 7), (3, 4), (4, u32::MAX), (4, 7)] {
        assert_eq!(Raw::open(&b.path).version(major, minor), (4, 6, Rc::SERVICE_STOPPED));
    }
    let told = |versions: &[ProtocolVersion]| versions.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(told(&strange.borrow_and_update()), ["4:3", "4:7", "3:4", "4:4294967295"], "each once");
    for minor in 100..200 {
        Raw::open(&b.path).version(4, minor);
    }
    assert_eq!(strange.borrow().len(), 16, "and not without end");
}

#[test]
fn connecting() {
    let b = bench();
    let mut raw = b.raw(4);
    assert_eq!(raw.connect_to("nobody 00 00", share::SHARED, ANY), Err(Rc::UNKNOWN_READER));
    assert_eq!(raw.connect_to("", share::SHARED, ANY), Err(Rc::UNKNOWN_READER));
    for mode in [0, 4] {
        assert_eq!(raw.connect(mode, ANY), Err(Rc::INVALID_VALUE));
    }
    for protocols in [0, 8] {
        assert_eq!(raw.connect(share::SHARED, protocols), Err(Rc::PROTO_MISMATCH));
    }
    assert_eq!(raw.connect(share::DIRECT, 0), Ok(0), "DIRECT chooses no protocol");
    raw.send_transmit(protocol::T1, &[0; 4], 100);
    assert_eq!(raw.transmitted().0.rv, Rc::PROTO_MISMATCH);
    assert_eq!((raw.state().protocol, raw.state().state), (0, 0x34));
    raw.disconnect(disposition::LEAVE);
    assert_eq!(raw.connect(share::SHARED, protocol::T0), Err(Rc::PROTO_MISMATCH), "the card has T=1 only");
    assert_eq!(raw.connect(share::SHARED, protocol::RAW), Ok(protocol::RAW));
    for protocols in [protocol::T1, ANY, protocol::ANY_OLD, protocol::T1 | 8] {
        assert_eq!(raw.connect(share::SHARED, protocols), Ok(protocol::T1));
    }
}

#[test]
fn the_protocol_belongs_to_the_reader_until_a_reset() {
    let b = bench_with(BOTH, Duration::ZERO);
    let (mut first, mut second) = (b.raw(4), b.raw(4));
    assert_eq!(first.connect(share::SHARED, protocol::T0), Ok(protocol::T0));
    assert_eq!(second.connect(share::SHARED, protocol::T1), Err(Rc::PROTO_MISMATCH));
    assert_eq!(second.connect(share::SHARED, ANY), Ok(protocol::T0));
    assert_eq!(second.disconnect(disposition::LEAVE), Rc::OK);
    assert_eq!(first.reconnect(share::SHARED, protocol::T1, disposition::LEAVE), Err(Rc::PROTO_MISMATCH));
    assert_eq!(first.reconnect(share::SHARED, protocol::T1, disposition::RESET), Ok(protocol::T1));
    assert_eq!(first.disconnect(disposition::LEAVE), Rc::OK);
    assert_eq!(second.connect(share::SHARED, protocol::T0), Err(Rc::PROTO_MISMATCH));
}

#[test]
fn exclusive() {
    let b = bench();
    let (mut first, mut second) = (b.raw(4), b.raw(4));
    first.shared();
    assert_eq!(second.connect(share::EXCLUSIVE, ANY), Err(Rc::SHARING_VIOLATION));
    second.shared();
    assert_eq!(first.state().sharing, 2);
    assert_eq!(first.reconnect(share::EXCLUSIVE, ANY, disposition::LEAVE), Err(Rc::SHARING_VIOLATION));
    second.disconnect(disposition::LEAVE);
    assert_eq!(first.reconnect(share::EXCLUSIVE, ANY, disposition::LEAVE), Ok(protocol::T1));
    assert_eq!(first.state().sharing, -1);
    for mode in [share::SHARED, share::EXCLUSIVE, share::DIRECT] {
        assert_eq!(second.connect(mode, ANY), Err(Rc::SHARING_VIOLATION));
    }
    assert_eq!((first.begin(), first.end(0), first.end(0)), (Rc::OK, Rc::OK, Rc::NOT_TRANSACTED));
    assert_eq!(second.connect(share::SHARED, ANY), Err(Rc::SHARING_VIOLATION), "still exclusive");
    assert_eq!(first.reconnect(share::SHARED, ANY, disposition::LEAVE), Ok(protocol::T1));
    second.shared();
    assert_eq!(second.transmit(&[9; 4]), Ok(vec![9; 4]), "the lock went with the mode");
}

#[test]
fn resets_are_told_to_the_others() {
    for how in [disposition::RESET, disposition::UNPOWER] {
        let b = bench();
        let (mut first, mut second) = two(&b);
        second.transmit(&[1]).unwrap();
        assert_eq!(first.disconnect(how), Rc::OK);
        for _ in 0..2 {
            assert_eq!((second.status(), second.begin()), (Rc::RESET_CARD, Rc::RESET_CARD));
            assert_eq!(second.transmit(&[2]), Err(Rc::RESET_CARD), "until it reconnects");
        }
        let expected = if how == disposition::RESET { 0x34 } else { state::PRESENT };
        assert_eq!(second.state().state, expected);
        assert_eq!(second.reconnect(share::SHARED, ANY, disposition::LEAVE), Ok(protocol::T1));
        assert_eq!(second.transmit(&[2]), Ok(vec![0, 0x90, 0]), "what was verified is gone");
        assert_eq!(second.state().state, 0x34, "powered again");
    }
    let b = bench();
    let (mut first, mut second) = two(&b);
    second.transmit(&[1]).unwrap();
    assert_eq!(first.disconnect(4), Rc::INVALID_VALUE);
    assert_eq!(first.disconnect(disposition::LEAVE), Rc::OK);
    assert_eq!(second.transmit(&[2]), Ok(vec![1, 0x90, 0]));
    let mut first = b.raw(4);
    first.shared();
    assert_eq!(first.disconnect(disposition::EJECT), Rc::OK);
    assert_eq!(second.status(), Rc::OK);
}

#[test]
fn reconnecting() {
    let b = bench();
    let (mut first, mut second) = two(&b);
    assert_eq!(first.reconnect(share::SHARED, ANY, 3), Err(Rc::INVALID_VALUE));
    assert_eq!(first.reconnect(4, ANY, 0), Err(Rc::INVALID_VALUE));
    assert_eq!(first.reconnect(share::SHARED, 0, 0), Err(Rc::PROTO_MISMATCH));
    assert_eq!(first.reconnect(share::SHARED, protocol::T0, 0), Err(Rc::PROTO_MISMATCH));
    first.transmit(&[1]).unwrap();
    assert_eq!(first.reconnect(share::SHARED, ANY, disposition::LEAVE), Ok(protocol::T1));
    assert!(b.card.verified());
    assert_eq!(first.reconnect(share::DIRECT, 0, disposition::LEAVE), Ok(protocol::T1), "the protocol is unchanged");
    assert_eq!(first.reconnect(share::SHARED, ANY, disposition::RESET), Ok(protocol::T1));
    assert_eq!((first.status(), second.status()), (Rc::OK, Rc::RESET_CARD));
    assert_eq!(second.reconnect(share::SHARED, ANY, disposition::LEAVE), Ok(protocol::T1));
    assert_eq!(first.begin(), Rc::OK);
    assert_eq!(first.reconnect(share::SHARED, ANY, disposition::RESET), Ok(protocol::T1));
    assert_eq!(second.transmit(&[2]), Err(Rc::SHARING_VIOLATION), "the transaction is held through the reset");
    assert_eq!(first.end(0), Rc::OK);
}

/// What a failed call leaves in the fields that a program reads afterwards.
#[test]
fn a_failed_call_answers_with_nothing() {
    let b = bench();
    let mut raw = b.raw(4);
    raw.shared();
    let reconnect = |raw: &mut Raw, share: u32, protocols: u32, initialization: u32| {
        let body = Reconnect { handle: raw.handle, share, protocols, initialization, active: 7, rv: Rc::OK };
        raw.send(&Request::Reconnect(body));
        let answer = Reconnect::read(&raw.read(Reconnect::SIZE));
        (answer.rv, answer.active)
    };
    assert_eq!(reconnect(&mut raw, share::SHARED, 0, 0), (Rc::PROTO_MISMATCH, 0));
    assert_eq!(reconnect(&mut raw, share::SHARED, ANY, 3), (Rc::INVALID_VALUE, 0));
    assert_eq!(reconnect(&mut raw, share::SHARED, ANY, 0), (Rc::OK, protocol::T1));
    let code = part10::GET_FEATURE_REQUEST + 1;
    let body = Control { handle: raw.handle, code, send_length: 0, receive_length: 100, returned: 9, rv: Rc::OK };
    raw.send(&Request::Control(body, &[]));
    let answer = Control::read(&raw.read(Control::SIZE));
    assert_eq!((answer.rv, answer.returned), (Rc::UNSUPPORTED_FEATURE, 0));
    b.remove();
    raw.send_transmit(protocol::T1, &[2], 100);
    let (answer, _) = raw.transmitted();
    assert_eq!((answer.rv, answer.receive_length), (Rc::REMOVED_CARD, 0));
    assert_eq!(reconnect(&mut raw, share::SHARED, ANY, 0), (Rc::NO_SMARTCARD, 0));
}

/// pcscd looks at the reader's list first, then at the context's.
#[test]
fn more_handles_than_there_can_be() {
    let b = bench();
    b.add_reader("Second");
    let mut raw = b.raw(4);
    let connect = |raw: &mut Raw, reader: &str| raw.connect_to(reader, share::DIRECT, 0).map(|_| ());
    for _ in 0..200 {
        connect(&mut raw, "Test 00 00").unwrap();
    }
    assert_eq!(connect(&mut raw, "Test 00 00"), Err(Rc::INTERNAL_ERROR), "200 on the reader");
    assert_eq!(connect(&mut raw, "Second 01 00"), Err(Rc::NO_MEMORY), "200 of the context");
    let mut other = b.raw(4);
    assert_eq!(connect(&mut other, "Test 00 00"), Err(Rc::INTERNAL_ERROR));
    assert_eq!(connect(&mut other, "Second 01 00"), Ok(()));
    drop(raw);
    // The end of a connection is not told to others; its handles go one by one.
    while connect(&mut other, "Test 00 00").is_err() {}
}

#[test]
fn a_direct_handle_has_no_protocol() {
    let b = bench();
    let mut raw = b.raw(4);
    assert_eq!(raw.connect(share::DIRECT, 0), Ok(0));
    assert_eq!(raw.reconnect(share::DIRECT, 0, disposition::LEAVE), Ok(0));
}

#[test]
fn transactions_nest_and_belong_to_their_handle() {
    let b = bench();
    let (mut first, mut second) = two(&b);
    assert_eq!(first.end(0), Rc::NOT_TRANSACTED);
    assert_eq!((first.begin(), first.begin()), (Rc::OK, Rc::OK));
    assert_eq!(second.end(disposition::RESET), Rc::SHARING_VIOLATION);
    assert_eq!(b.card.resets(), 0, "a stranger resets nothing");
    assert_eq!(first.end(4), Rc::INVALID_VALUE);
    assert_eq!(first.end(0), Rc::OK);
    assert_eq!(second.transmit(&[7; 4]), Err(Rc::SHARING_VIOLATION), "one level is left");
    assert_eq!(second.states(6)[0].name, "Test 00 00", "asking for states is free");
    assert_eq!(second.disconnect(disposition::LEAVE), Rc::OK, "so is leaving");
    assert_eq!(first.transmit(&[7; 4]), Ok(vec![7; 4]));
    assert_eq!((first.end(0), first.end(0)), (Rc::OK, Rc::NOT_TRANSACTED));
    assert_eq!((first.begin(), first.begin(), first.disconnect(0)), (Rc::OK, Rc::OK, Rc::OK));
    let mut third = b.raw(5);
    third.shared();
    assert_eq!(third.transmit(&[7; 4]), Ok(vec![7; 4]), "a disconnect frees every level");
}

#[test]
fn ends_that_reset() {
    for how in [disposition::RESET, disposition::UNPOWER] {
        let b = bench();
        let (mut first, mut second) = two(&b);
        assert_eq!((first.begin(), first.end(how)), (Rc::OK, Rc::OK));
        assert_eq!((first.status(), second.status()), (Rc::RESET_CARD, Rc::RESET_CARD), "the caller too");
    }
    let b = bench();
    let (mut first, mut second) = two(&b);
    assert_eq!((first.begin(), first.end(disposition::EJECT)), (Rc::OK, Rc::UNSUPPORTED_FEATURE));
    assert_eq!(second.begin(), Rc::OK, "the lock is free all the same");
}

#[test]
fn a_lock_is_handed_over_at_once() {
    let b = bench();
    let (mut first, mut second) = two(&b);
    assert_eq!(first.begin(), Rc::OK);
    // Refused after a bounded wait, never held for ever.
    let start = Instant::now();
    assert_eq!(second.begin(), Rc::SHARING_VIOLATION);
    assert!(start.elapsed() >= Duration::from_millis(90));
    second.send_begin();
    assert!(first.transmit(&[6; 4]).is_ok(), "the owner goes on meanwhile");
    assert_eq!(first.end(0), Rc::OK);
    assert_eq!(second.handled(), Rc::OK, "woken, not refused");
    // The same for a connect, which may wait longer than that.
    let mut third = b.raw(4);
    let waiter = std::thread::spawn(move || third.connect(share::SHARED, ANY));
    assert_eq!(first.begin(), Rc::SHARING_VIOLATION);
    assert!(!waiter.is_finished());
    assert_eq!(second.end(0), Rc::OK);
    assert_eq!(waiter.join().unwrap(), Ok(protocol::T1));
}

#[test]
fn a_lock_of_the_same_connection_is_answered_at_once() {
    let b = bench();
    let mut raw = b.raw(4);
    raw.shared();
    let owner = raw.handle;
    assert_eq!(raw.begin(), Rc::OK);
    raw.shared();
    assert_ne!(raw.handle, owner, "connecting beside the own transaction goes through");
    assert_eq!(raw.begin(), Rc::SHARING_VIOLATION);
    assert_eq!(raw.transmit(&[5; 4]), Err(Rc::SHARING_VIOLATION));
    assert_eq!(raw.disconnect(disposition::RESET), Rc::OK, "no deadlock with itself");
    raw.handle = owner;
    assert_eq!(raw.status(), Rc::RESET_CARD);
}

#[test]
fn a_program_that_dies_in_a_transaction_resets_the_card() {
    let b = bench();
    let (mut first, mut second) = two(&b);
    second.transmit(&[1]).unwrap();
    assert_eq!(first.begin(), Rc::OK);
    drop(first);
    second.send_reconnect(share::SHARED, ANY, disposition::LEAVE);
    assert!(second.read(24)[20..] == [0; 4]);
    assert_eq!((second.transmit(&[2]), b.card.resets()), (Ok(vec![0, 0x90, 0]), 1));
    second.transmit(&[1]).unwrap();
    let mut third = b.raw(4);
    third.shared();
    drop(third);
    let mut third = b.raw(4);
    third.shared();
    assert_eq!(third.release(third.context), Rc::OK);
    assert_eq!(second.transmit(&[2]), Ok(vec![1, 0x90, 0]), "without a transaction nobody notices");
}

#[test]
fn a_client_that_dies_while_it_waits_leaves_no_trace() {
    let b = bench();
    let (mut first, mut second) = two(&b);
    assert_eq!(first.begin(), Rc::OK);
    second.send_disconnect(disposition::RESET);
    drop(second);
    let deadline = Instant::now() + Duration::from_secs(5);
    while first.state().sharing != 1 && Instant::now() < deadline {
        std::thread::yield_now();
    }
    assert_eq!(first.state().sharing, 1, "its handle is closed while it still waits");
    assert_eq!(first.end(0), Rc::OK);
    assert_eq!(first.status(), Rc::OK, "its reset was not carried out");
}

#[test]
fn exchanges() {
    let b = bench();
    let mut raw = b.raw(4);
    raw.shared();
    for (pci, rv) in [
        (protocol::T1, Rc::OK),
        (protocol::RAW, Rc::OK),
        (protocol::ANY_OLD, Rc::OK),
        (protocol::T0, Rc::PROTO_MISMATCH),
        (0, Rc::PROTO_MISMATCH),
    ] {
        raw.send_transmit(pci, &[8; 5], 5);
        let (t, data) = raw.transmitted();
        assert_eq!(t.rv, rv, "{pci}");
        if rv == Rc::OK {
            assert_eq!((data, t.receive_protocol, t.receive_pci_length), (vec![8; 5], 1, 16));
        } else {
            assert_eq!((t.receive_protocol, t.receive_pci_length), (3, 16), "unchanged on error");
            assert_eq!(t.receive_length, 0, "nothing was received");
        }
    }
    for room in [4, 1, 0] {
        raw.send_transmit(protocol::T1, &[8; 5], room);
        let (t, _) = raw.transmitted();
        assert_eq!((t.rv, t.receive_length), (Rc::INSUFFICIENT_BUFFER, 5), "the length that is needed");
    }
    for length in [0usize, 1, 4, 261, 65_544, 65_548] {
        assert_eq!(raw.transmit(&vec![9; length]), Ok(vec![9; length]));
    }
    for length in [258u16, 4098, 65_535] {
        let [a, c] = length.to_be_bytes();
        assert_eq!(raw.transmit(&[3, a, c]).unwrap().len(), usize::from(length));
    }
    assert_eq!(raw.transmit(&[5]), Err(Rc::NOT_TRANSACTED), "the card lost its power");
    assert_eq!(raw.transmit(&[2]), Err(Rc::RESET_CARD));
    assert_eq!(raw.reconnect(share::SHARED, ANY, 0), Ok(protocol::T1));
    assert_eq!(raw.transmit(&[2]), Ok(vec![0, 0x90, 0]));
}

#[test]
fn a_slow_command_stops_nobody_else() {
    let b = bench();
    let mut raw = b.raw(4);
    raw.shared();
    let gate = b.card.close_gate();
    raw.send_transmit(protocol::T1, &[4], 100);
    let mut other = b.raw(6);
    assert_eq!(other.states(6)[0].name, "Test 00 00");
    let mut watcher = b.raw(4);
    watcher.wait();
    b.add_reader("Second");
    assert_eq!(watcher.event().rv, Rc::OK, "events flow meanwhile");
    gate.send(()).unwrap();
    assert_eq!(raw.transmitted().1, [0x90, 0]);
}

#[test]
fn pulled_out_in_the_middle_of_a_command() {
    let b = bench();
    let mut raw = b.raw(4);
    raw.shared();
    let gate = b.card.close_gate();
    raw.send_transmit(protocol::T1, &[4], 100);
    let mut watcher = b.raw(4);
    // The command has begun when the card has counted it.
    while b.card.0.lock().unwrap().commands == 0 {
        std::thread::yield_now();
    }
    watcher.wait();
    b.pull();
    assert_eq!(watcher.event().rv, Rc::OK, "seen at once");
    gate.send(()).unwrap();
    assert_eq!(raw.transmitted().0.rv, Rc::NO_SMARTCARD);
    assert_eq!(raw.status(), Rc::REMOVED_CARD);
}

/// A card may be put in elsewhere only when the command is over: whoever unplugs the reader can wait for that.
#[test]
fn unplugged_in_the_middle_of_a_command() {
    let b = bench();
    let mut raw = b.raw(4);
    raw.shared();
    let gate = b.card.close_gate();
    raw.send_transmit(protocol::T1, &[4], 100);
    while b.card.0.lock().unwrap().commands == 0 {
        std::thread::yield_now();
    }
    let ended = b.ended(b.unplug(b.reader));
    assert_eq!(ended.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty));
    gate.send(()).unwrap();
    ended.recv().unwrap();
    assert_eq!(raw.transmitted().0.rv, Rc::NO_SMARTCARD);
}

#[test]
fn removal_and_insertion() {
    let b = bench();
    let (mut first, mut second) = two(&b);
    assert_eq!(first.begin(), Rc::OK);
    let before = first.state().event_counter;
    b.remove();
    for raw in [&mut first, &mut second] {
        assert_eq!((raw.status(), raw.begin(), raw.end(0)), (Rc::REMOVED_CARD, Rc::REMOVED_CARD, Rc::REMOVED_CARD));
        assert_eq!(raw.transmit(&[2]), Err(Rc::REMOVED_CARD));
        assert_eq!(raw.reconnect(share::SHARED, ANY, disposition::LEAVE), Err(Rc::NO_SMARTCARD));
    }
    let absent = first.state();
    assert_eq!((absent.state, absent.atr.len(), absent.protocol, absent.event_counter), (state::ABSENT, 0, 0, before + 1));
    assert_eq!(first.connect_to("Test 00 00", share::SHARED, ANY).err(), Some(Rc::NO_SMARTCARD));
    assert_eq!(first.reconnect(share::SHARED, ANY, disposition::RESET), Err(Rc::NO_SMARTCARD));
    assert_eq!(first.status(), Rc::RESET_CARD, "reset overwrites removed");
    b.insert(T1);
    assert_eq!(second.status(), Rc::RESET_CARD, "a reset is told to every handle, and stays told");
    assert_eq!(second.reconnect(share::SHARED, ANY, disposition::LEAVE), Ok(protocol::T1));
    assert_eq!(second.transmit(&[2]), Ok(vec![0, 0x90, 0]));
    assert_eq!((second.state().event_counter, second.state().state), (before + 2, 0x34));
    assert_eq!(first.disconnect(disposition::RESET), Rc::OK);
}

#[test]
fn removal_under_an_exclusive_handle() {
    let b = bench();
    let (mut first, mut second) = (b.raw(4), b.raw(4));
    assert_eq!(first.connect(share::EXCLUSIVE, ANY), Ok(protocol::T1));
    b.remove();
    b.insert(T1);
    assert_eq!(first.transmit(&[2]), Err(Rc::REMOVED_CARD));
    assert_eq!(second.connect(share::SHARED, ANY), Err(Rc::SHARING_VIOLATION));
    assert_eq!(first.reconnect(share::EXCLUSIVE, ANY, 0), Ok(protocol::T1));
    assert_eq!((first.transmit(&[2]), first.end(0)), (Ok(vec![0, 0x90, 0]), Rc::NOT_TRANSACTED));
    first.disconnect(0);
    second.shared();
}

#[test]
fn a_mute_card() {
    let b = bench();
    b.remove();
    b.card.0.lock().unwrap().mute = true;
    b.insert(T1);
    let mut raw = b.raw(4);
    let seen = raw.state();
    assert_eq!((seen.state, seen.atr.len()), (state::PRESENT | state::SWALLOWED, 0));
    assert_eq!(raw.connect(share::SHARED, ANY), Err(Rc::UNPOWERED_CARD));
    assert_eq!(raw.connect(share::DIRECT, 0), Ok(0));
    assert_eq!(raw.reconnect(share::SHARED, ANY, disposition::LEAVE), Err(Rc::UNRESPONSIVE_CARD));
    b.card.0.lock().unwrap().mute = false;
    assert_eq!(raw.reconnect(share::SHARED, ANY, disposition::RESET), Ok(protocol::T1));
}

#[test]
fn a_reader_that_fails_or_goes_away() {
    let b = bench();
    let mut raw = b.raw(4);
    raw.shared();
    b.set_failing(true);
    assert_eq!((raw.status(), raw.begin()), (Rc::READER_UNAVAILABLE, Rc::READER_UNAVAILABLE));
    assert_eq!(raw.transmit(&[2]), Err(Rc::READER_UNAVAILABLE));
    assert_eq!(raw.connect_to("Test 00 00", share::SHARED, ANY).err(), Some(Rc::READER_UNAVAILABLE));
    assert_eq!(raw.state().state, state::UNKNOWN);
    b.set_failing(false);
    assert_eq!(raw.transmit(&[2]), Err(Rc::PROTO_MISMATCH), "until it reconnects");
    assert_eq!(raw.reconnect(share::SHARED, ANY, 0), Ok(protocol::T1));
    let _ = b.unplug(b.reader);
    assert_eq!(raw.transmit(&[2]), Err(Rc::INVALID_VALUE));
    assert_eq!(raw.status(), Rc::READER_UNAVAILABLE);
    assert!(raw.states(4).iter().all(|s| s.name.is_empty()));
    assert_eq!(raw.disconnect(0), Rc::OK);
}

#[test]
fn an_unused_card_loses_its_power_and_nobody_sees_it() {
    let b = bench_with(T1, Duration::from_millis(50));
    let mut raw = b.raw(4);
    raw.shared();
    raw.transmit(&[1]).unwrap();
    raw.disconnect(disposition::LEAVE);
    raw.shared();
    assert_eq!(raw.transmit(&[2]), Ok(vec![1, 0x90, 0]), "kept for a moment");
    raw.disconnect(disposition::LEAVE);
    let (before, deadline) = (raw.state(), Instant::now() + Duration::from_secs(5));
    while b.card.0.lock().unwrap().powered && Instant::now() < deadline {
        std::thread::yield_now();
    }
    let after = raw.state();
    assert_eq!((after.state, &after.atr, after.event_counter), (before.state, &before.atr, before.event_counter));
    raw.shared();
    assert_eq!(raw.transmit(&[2]), Ok(vec![0, 0x90, 0]), "powered up, not verified");
}

fn control(raw: &mut Raw, code: u32, room: u32) -> Result<Vec<u8>, (Rc, u32)> {
    raw.send(&Request::Control(
        Control { handle: raw.handle, code, send_length: 0, receive_length: room, returned: 0, rv: Rc::OK },
        &[],
    ));
    let c = Control::read(&raw.read(Control::SIZE));
    if c.rv == Rc::OK { Ok(raw.read(c.returned as usize)) } else { Err((c.rv, c.returned)) }
}

fn attribute(raw: &mut Raw, id: u32) -> Result<Vec<u8>, Rc> {
    raw.send(&Request::GetAttribute(Attribute { handle: raw.handle, id, value: [0; MAX_ATTRIBUTE], length: 264, rv: Rc::OK }));
    let a = Attribute::read(&raw.read(Attribute::SIZE));
    if a.rv == Rc::OK { Ok(a.value[..a.length as usize].to_vec()) } else { Err(a.rv) }
}

#[test]
fn attributes_and_features() {
    let b = bench();
    let mut raw = b.raw(4);
    raw.shared();
    assert_eq!(attribute(&mut raw, attribute::ATR_STRING).unwrap(), hex::decode(T1).unwrap());
    assert_eq!(attribute(&mut raw, attribute::VENDOR_NAME).unwrap(), b"cardlab\0");
    assert_eq!(attribute(&mut raw, attribute::DEVICE_FRIENDLY_NAME).unwrap(), b"Test 00 00\0");
    assert_eq!(attribute(&mut raw, attribute::DEVICE_SYSTEM_NAME).unwrap(), b"Test 00 00\0");
    assert_eq!(attribute(&mut raw, attribute::ICC_PRESENCE).unwrap(), [2]);
    for unknown in [0x7FFF_0005, 0x7FFF_0002, 0x0001_0101, 0] {
        assert_eq!(attribute(&mut raw, unknown), Err(Rc::UNSUPPORTED_FEATURE));
    }
    raw.send(&Request::SetAttribute(Attribute { handle: raw.handle, id: 1, value: [0; MAX_ATTRIBUTE], length: 4, rv: Rc::OK }));
    assert_eq!(Attribute::read(&raw.read(Attribute::SIZE)).rv, Rc::UNSUPPORTED_FEATURE);
    let features = control(&mut raw, part10::GET_FEATURE_REQUEST, 256).unwrap();
    assert_eq!(hex::encode(&features), "120442330012");
    assert_eq!(control(&mut raw, part10::GET_FEATURE_REQUEST_WINDOWS, 256).unwrap(), features);
    assert_eq!(control(&mut raw, part10::GET_FEATURE_REQUEST, 5), Err((Rc::INSUFFICIENT_BUFFER, 6)));
    let properties = control(&mut raw, part10::control_code(0x12), 256).unwrap();
    assert!(properties.windows(6).any(|w| w == [0x0A, 4, 0, 0, 1, 0]), "64 KiB, little-endian");
    assert_eq!(control(&mut raw, 0x4200_0001, 256), Err((Rc::UNSUPPORTED_FEATURE, 0)));
    b.remove();
    assert!(control(&mut raw, part10::GET_FEATURE_REQUEST, 256).is_ok(), "no flag matters to CONTROL");
    assert_eq!(attribute(&mut raw, attribute::ATR_STRING), Err(Rc::REMOVED_CARD));
    let mut direct = b.raw(4);
    assert_eq!(direct.connect(share::DIRECT, 0), Ok(0));
    assert_eq!(attribute(&mut direct, attribute::ATR_STRING).unwrap(), b"");
    assert_eq!(attribute(&mut direct, attribute::ICC_PRESENCE).unwrap(), [0]);
    let mut other = b.raw(4);
    other.connect(share::DIRECT, 0).unwrap();
    assert_eq!(direct.begin(), Rc::OK);
    assert_eq!(attribute(&mut other, attribute::VENDOR_NAME), Err(Rc::SHARING_VIOLATION));
    assert_eq!(control(&mut other, part10::GET_FEATURE_REQUEST, 256), Err((Rc::SHARING_VIOLATION, 0)));
}

#[test]
fn waiting_for_changes() {
    let b = bench();
    let mut raw = b.raw(4);
    let before = raw.wait();
    b.remove();
    assert_eq!(raw.event().rv, Rc::OK);
    let after = raw.wait();
    assert_eq!((before[0].state, after[0].state), (0x34, state::ABSENT));
    raw.send(&Request::StopWaiting);
    assert_eq!(raw.event().rv, Rc::OK, "the answer to STOP");
    raw.send(&Request::StopWaiting);
    assert!(raw.is_silent(), "not registered: no answer");
    b.insert(T1);
    assert_eq!(raw.wait()[0].state, 0x34, "the connection lives");
    // One event a registration.
    b.remove();
    b.insert(T1);
    raw.event();
    assert!(raw.is_silent());
    assert_eq!(raw.state().state, 0x34);
}

#[test]
fn events_of_4_6_are_held_back_while_states_are_fetched() {
    let b = bench();
    let mut raw = b.raw(6);
    raw.send(&Request::WaitReaderStateChange);
    raw.send(&Request::GetReadersStateSize);
    assert_eq!(raw.read(4), 16u32.to_ne_bytes(), "so the wait has begun");
    b.remove();
    assert!(raw.is_silent(), "the client reads states next");
    raw.send(&Request::GetReadersStateArray);
    assert_eq!(raw.read(16 * 184)[132..136], state::ABSENT.to_ne_bytes());
    assert_eq!(raw.event().rv, Rc::OK, "now");
    raw.send(&Request::WaitReaderStateChange);
    raw.states(6);
    raw.send(&Request::StopWaiting);
    assert_eq!(raw.event().rv, Rc::OK);
    assert!(raw.is_silent());
}

#[test]
fn sizes_that_were_announced_are_kept() {
    let b = bench();
    let mut raw = b.raw(6);
    raw.send(&Request::GetReadersStateSize);
    assert_eq!(raw.read(4), 16u32.to_ne_bytes());
    for _ in 0..39 {
        b.add_reader("More");
    }
    raw.send(&Request::GetReadersStateArray);
    assert_eq!(raw.read(16 * 184).len(), 2944);
    assert_eq!(raw.states(6).len(), 40, "all of them for 4:6");
    assert_eq!(raw.states(6)[39].name, "More 27 00");
    assert_eq!(b.raw(4).states(4).len(), 16, "the first sixteen for the others");
    let _ = b.unplug(b.reader);
    assert_eq!(raw.states(6).len(), 40, "never fewer");
}

#[test]
fn reader_events_and_cancel() {
    let b = bench();
    let mut raw = b.raw(5);
    let count = |raw: &mut Raw| {
        raw.send(&Request::GetReaderEvents);
        raw.read(8)[0]
    };
    let before = count(&mut raw);
    let second = b.add_reader("Second");
    let _ = b.unplug(second);
    assert_eq!(count(&mut raw), before + 2);
    raw.wait();
    b.add_reader("Third");
    assert_eq!(raw.event().time_out, u32::from(before) + 3, "the count rides on the event");
    raw.wait();
    let mut stranger = Raw::open(&b.path);
    let mut cancel = |context: u32| {
        stranger.send(&Request::Cancel(ContextOnly { context, rv: Rc::OK }));
        ContextOnly::read(&stranger.read(8)).rv
    };
    assert_eq!(cancel(raw.context), Rc::OK, "as the first message of a connection");
    assert_eq!(raw.event().rv, Rc::CANCELLED);
    assert_eq!(cancel(raw.context), Rc::OK, "idle");
    assert_eq!(cancel(raw.context ^ 1), Rc::INVALID_HANDLE);
    raw.wait();
    raw.send(&Request::StopWaiting);
    assert_eq!(raw.event().rv, Rc::OK, "works after a cancel");
}

#[test]
fn the_end_of_use_is_told_to_those_who_wait() {
    let b = bench();
    let (mut user, mut watcher) = (b.raw(4), b.raw(4));
    user.shared();
    // The change to "in use" is gathered first.
    watcher.wait();
    watcher.event();
    assert_eq!(watcher.wait()[0].sharing, 1);
    user.disconnect(disposition::LEAVE);
    assert_eq!(watcher.event().rv, Rc::OK);
    assert_eq!(watcher.wait()[0].sharing, 0);
}

#[test]
fn waits_stay_in_step_under_a_flood() {
    let b = bench();
    std::thread::scope(|scope| {
        for minor in [4, 5, 6] {
            let b = &b;
            scope.spawn(move || {
                let mut raw = b.raw(minor);
                for turn in 0..400 {
                    if minor == 6 {
                        raw.send(&Request::WaitReaderStateChange);
                        assert_eq!(raw.states(6)[0].name, "Test 00 00");
                    } else {
                        assert_eq!(raw.wait()[0].name, "Test 00 00");
                    }
                    if turn % 3 == 0 {
                        let mut stranger = Raw::open(&b.path);
                        stranger.send(&Request::Cancel(ContextOnly { context: raw.context, rv: Rc::OK }));
                        stranger.read(8);
                    }
                    raw.send(&Request::StopWaiting);
                    assert!(matches!(raw.event().rv, Rc::OK | Rc::CANCELLED));
                }
                assert_eq!(raw.release(raw.context), Rc::OK, "still in step");
            });
        }
        for _ in 0..300 {
            b.remove();
            b.insert(T1);
        }
    });
}

#[test]
fn hostile_bytes_close_one_connection_only() {
    let b = bench();
    let mut good = b.raw(4);
    good.shared();
    let word = |n: u32| n.to_ne_bytes();
    let mut frames: Vec<Vec<u8>> = vec![
        [word(11), word(1)].concat(),
        [word(0), word(3)].concat(),
        [word(0), word(0x18)].concat(),
        [word(u32::MAX), word(9)].concat(),
        vec![0xFF; 600],
    ];
    let huge = good.transmit_body(protocol::T1, 65_549, 10);
    let mut frame = Vec::new();
    Request::Transmit(huge, &[]).write(&mut frame);
    frames.push(frame);
    for frame in frames {
        let mut bad = Raw::open(&b.path);
        bad.stream.write_all(&frame).unwrap();
        assert!(bad.is_closed(), "{frame:02X?}");
    }
    let mut thief = b.raw(4);
    thief.handle = good.handle;
    thief.send_begin();
    assert!(thief.is_closed(), "a handle of somebody else");
    let mut half = b.raw(4);
    half.stream.write_all(&[1, 2, 3]).unwrap();
    drop(half);
    let mut random = cardlab_sim::random::Random::from_number(3, 3);
    for _ in 0..300 {
        let mut bytes = vec![0; usize::from(random.bytes::<1>()[0]) * 4];
        random.fill(&mut bytes);
        if bytes.len() > 8 {
            let command = u32::from(bytes[4] % 0x18);
            bytes[4..8].copy_from_slice(&word(command));
        }
        let mut bad = Raw::open(&b.path);
        let _ = bad.stream.write_all(&bytes);
    }
    assert_eq!(good.transmit(&[6; 4]), Ok(vec![6; 4]));
}

#[test]
fn one_byte_a_write() {
    let b = bench();
    let mut raw = b.raw(4);
    raw.shared();
    let mut out = Vec::new();
    let body = raw.transmit_body(protocol::T1, 3, 10);
    Request::Transmit(body, &[7, 7, 7]).write(&mut out);
    for byte in out {
        raw.stream.write_all(&[byte]).unwrap();
    }
    assert_eq!(raw.transmitted().1, [7, 7, 7]);
}

#[test]
fn a_client_that_does_not_read_holds_up_nobody() {
    let b = bench();
    let (mut lazy, mut good) = two(&b);
    for _ in 0..40 {
        lazy.send_transmit(protocol::T1, &[3, 0xFF, 0xFF], 65_548);
    }
    assert_eq!(good.transmit(&[6; 4]), Ok(vec![6; 4]));
}

#[test]
fn sockets_that_cannot_be() {
    use cardlab_vreader::server::{ListenError, listen};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let directory = tempfile::tempdir().unwrap();
    let long = directory.path().join("x".repeat(108));
    let message = listen(&long).unwrap_err().to_string();
    assert!(message.contains("at most 107 are possible"), "{message}");
    let file = directory.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    assert!(matches!(listen(&file), Err(ListenError::NotASocket(_))));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
    let socket = directory.path().join("socket");
    let first = listen(&socket).unwrap();
    assert!(matches!(listen(&socket), Err(ListenError::InUse(_))));
    drop(first);
    listen(&socket).expect("a stale socket is replaced");
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(listen(&directory.path().join("no/such/dir")), Err(ListenError::System { .. })));
    assert!(SYSTEM_SOCKET.len() <= 107);
}
