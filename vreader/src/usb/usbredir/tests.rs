use super::*;
use crate::usb::ccid::Setup;
use proptest::prelude::*;

fn function() -> Function {
    let ids = "0E0F:0004".parse().unwrap();
    let (product, serial) = ("Reader".into(), "1".into());
    let mut function = Function::new(Identity { ids, product, serial, speed: Speed::High, slots: 2, pin_pad: false });
    function.card(1, true);
    function
}

fn bytes(both: Both, packets: &[(u64, Packet<'_>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (id, packet) in packets {
        Framed { id: *id, packet: packet.clone() }.write(both, &mut bytes);
    }
    bytes
}

/// HELLO of a guest that can this.
fn hello(capabilities: u32) -> Vec<u8> {
    bytes(Both::default(), &[(0, Packet::Hello { capabilities })])
}

/// The answers in `bytes`, without HELLO.
fn answers(bytes: &[u8], both: Both) -> Vec<(u64, Packet<'_>)> {
    let (hello, mut used) = read(bytes, Both::default()).unwrap().unwrap();
    assert_eq!(hello.packet, Packet::Hello { capabilities: CAPABILITIES });
    let mut answers = Vec::new();
    while let Some((framed, length)) = read(&bytes[used..], both).unwrap() {
        answers.push((framed.id, framed.packet));
        used += length;
    }
    assert_eq!(used, bytes.len());
    answers
}

fn conversation() -> Vec<(u64, Packet<'static>)> {
    let setup = Setup { request_type: 0x80, request: 6, value: 0x0100, index: 0, length: 8 };
    let asks = |length| Packet::Bulk { endpoint: BULK_IN, status: 0, length, data: &[] };
    let status: &[u8] = &[0x65, 0, 0, 0, 0, 1, 7, 0, 0, 0];
    vec![
        (1, Packet::Control { endpoint: 0x80, status: 0, setup, data: &[] }),
        (2, Packet::SetConfiguration(1)),
        (3, Packet::StartInterruptReceiving(INTERRUPT_IN)),
        (4, asks(3)),
        (5, asks(100)),
        (6, Packet::Bulk { endpoint: BULK_OUT, status: 0, length: 10, data: status }),
        (7, asks(100)),
        (8, Packet::Bulk { endpoint: 5, status: 0, length: 10, data: status }),
        (9, Packet::SetConfiguration(7)),
        (7, Packet::CancelDataPacket),
        (7, Packet::CancelDataPacket),
        (10, Packet::StartInterruptReceiving(0x85)),
        (11, Packet::SetAltSetting { interface: 0, alternate: 0 }),
        (12, Packet::GetConfiguration),
    ]
}

/// What is answered when the conversation comes in pieces that end at `cuts`.
fn talk(capabilities: u32, cuts: &[usize]) -> Vec<u8> {
    let (mut wire, mut function, mut out) = (Redir::default(), function(), Vec::new());
    wire.receive(&hello(capabilities), &mut function).unwrap();
    wire.advance(&mut function, true, &mut out);
    let bytes = bytes(Both(capabilities & CAPABILITIES), &conversation());
    let mut start = 0;
    for end in cuts.iter().map(|cut| cut % bytes.len()).chain([bytes.len()]) {
        if end > start {
            wire.receive(&bytes[start..end], &mut function).unwrap();
            start = end;
        }
        assert!(wire.advance(&mut function, true, &mut out));
    }
    out
}

#[test]
fn a_guest_connects_enumerates_and_asks() {
    let both = Both(CAPABILITIES);
    let out = talk(0xFF, &[]);
    let answers = answers(&out, both);
    assert!(matches!(answers[0].1, Packet::InterfaceInfo(ref rows) if rows[..] == [[0, 0x0B, 0, 0]]));
    let Packet::EpInfo(endpoints) = &answers[1].1 else { panic!() };
    let kinds: Vec<_> =
        endpoints.iter().enumerate().filter(|(_, e)| e.kind != 0xFF).map(|(n, e)| (n, e.kind, e.packet_size)).collect();
    assert_eq!(kinds, [(0, 0, 64), (1, 2, 512), (16, 0, 64), (18, 2, 512), (19, 3, 8)]);
    let connect = Packet::DeviceConnect { speed: 2, class: [0; 3], vendor: 0x0E0F, product: 4, release: 0x0100 };
    assert_eq!(answers[2].1, connect);
    let of = |id: u64| answers.iter().filter(|a| a.0 == id).map(|a| a.1.clone()).collect::<Vec<_>>();
    let Packet::Control { status: 0, data, .. } = of(1)[0] else { panic!() };
    assert_eq!(data, [0x12, 1, 0, 2, 0, 0, 0, 64]);
    assert_eq!(of(2), [Packet::ConfigurationStatus { status: 0, configuration: 1 }]);
    assert_eq!(of(3), [Packet::InterruptReceivingStatus { status: 0, endpoint: INTERRUPT_IN }]);
    let got = |length, data| Packet::Bulk { endpoint: BULK_IN, status: 0, length, data };
    assert_eq!(of(4), [got(3, &[0x81, 0, 0])]);
    assert_eq!(of(5), [got(7, &[0, 0, 1, 7, 1, 0, 0])]);
    assert_eq!(of(6), [Packet::Bulk { endpoint: BULK_OUT, status: 0, length: 10, data: &[] }]);
    assert_eq!(of(7), [Packet::Bulk { endpoint: BULK_IN, status: status::CANCELLED, length: 0, data: &[] }], "once");
    assert_eq!(of(8), [Packet::Bulk { endpoint: 5, status: status::STALL, length: 0, data: &[] }]);
    assert_eq!(of(9), [Packet::ConfigurationStatus { status: status::STALL, configuration: 7 }]);
    assert_eq!(of(10), [Packet::InterruptReceivingStatus { status: status::INVALID, endpoint: 0x85 }]);
    assert_eq!(of(12), [Packet::ConfigurationStatus { status: 0, configuration: 1 }]);
    assert!(answers.contains(&(1, Packet::Interrupt { endpoint: INTERRUPT_IN, status: 0, data: &[0x50, 0b1100] })));
}

#[test]
fn a_guest_of_the_oldest_kind() {
    let out = talk(0, &[]);
    let answers = answers(&out, Both::default());
    assert!(matches!(answers[2].1, Packet::DeviceConnect { vendor: 0x0E0F, release: 0, .. }));
    assert!(answers.iter().any(|answer| answer.0 == 12));
}

#[test]
fn a_device_that_is_unplugged_comes_back_after_the_guest_knows() {
    for acknowledges in [true, false] {
        let capabilities = if acknowledges { CAPABILITIES } else { 0 };
        let both = Both(capabilities);
        let (mut wire, mut function, mut out) = (Redir::default(), function(), Vec::new());
        wire.receive(&hello(capabilities), &mut function).unwrap();
        for plugged in [false, true, false, true] {
            wire.advance(&mut function, plugged, &mut out);
        }
        if acknowledges {
            assert_eq!(answers(&out, both).len(), 4, "in and out; back only when the guest knows");
            wire.receive(&bytes(both, &[(0, Packet::DeviceDisconnectAck)]), &mut function).unwrap();
            wire.advance(&mut function, true, &mut out);
        }
        let kinds: Vec<u32> = answers(&out, both).iter().map(|answer| answer.1.kind()).collect();
        assert_eq!(kinds, [4, 5, 1, 2, 4, 5, 1]);
    }
}

#[test]
fn what_no_guest_does_ends_the_connection() {
    let (both, mut function) = (Both(CAPABILITIES), function());
    let mut early = Redir::default();
    assert_eq!(early.receive(&bytes(Both::default(), &[(1, Packet::Reset)]), &mut function), Err(Fault::Kind(3)));
    let begun = |function: &mut Function| {
        let mut wire = Redir::default();
        wire.receive(&hello(0xFF), function).unwrap();
        wire.advance(function, true, &mut Vec::new());
        wire
    };
    let twice = bytes(both, &[]).into_iter().chain(hello(0xFF)).collect::<Vec<_>>();
    assert!(begun(&mut function).receive(&[&twice[..], &[0; 4]].concat(), &mut function).is_err());
    let asks = Packet::Bulk { endpoint: BULK_IN, status: 0, length: 1, data: &[] };
    let many: Vec<_> = (0..=MOST_WAITING as u64).map(|id| (id, asks.clone())).collect();
    assert_eq!(begun(&mut function).receive(&bytes(both, &many), &mut function), Err(Fault::TooMany));
    let long = [101_u32.to_le_bytes(), u32::MAX.to_le_bytes()].concat();
    assert_eq!(begun(&mut function).receive(&long, &mut function), Err(Fault::TooLong(u32::MAX.into())));
}

/// Answers by their ids; interrupts come when they come.
fn sorted<'a>(bytes: &'a [u8], both: Both) -> Vec<(u64, Packet<'a>)> {
    let mut answers = answers(bytes, both);
    answers.sort_by_key(|(id, packet)| (*id, packet.kind()));
    answers
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_answers(mut cuts in proptest::collection::vec(any::<usize>(), 0..30), capabilities: u32) {
        let both = Both(capabilities & CAPABILITIES);
        let length = bytes(both, &conversation()).len();
        cuts.iter_mut().for_each(|cut| *cut %= length);
        cuts.sort_unstable();
        let (cut, whole) = (talk(capabilities, &cuts), talk(capabilities, &[]));
        prop_assert_eq!(sorted(&cut, both), sorted(&whole, both));
    }

    #[test]
    fn any_bytes_end_in_answers_or_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (mut wire, mut function, mut out) = (Redir::default(), function(), Vec::new());
        wire.receive(&hello(0xFF), &mut function).unwrap();
        if wire.receive(&bytes, &mut function).is_ok() {
            wire.advance(&mut function, true, &mut out);
        }
    }
}
