use super::message::{IccStatus, Message, Outcome, Reply, error, to_reader};
use super::*;
use crate::pin_pad;
use crate::usb::descriptor::Speed;
use hex_literal::hex;
use proptest::prelude::*;

/// T=1 alone, as a YubiKey's.
const ATR: [u8; 23] = hex!("3BFD1300008131FE158073C021C057597562694B657940");

fn function(slots: u8) -> Function {
    let ids = "0E0F:0004".parse().unwrap();
    let mut function =
        Function::new(Identity { ids, product: "Reader".into(), serial: "1".into(), speed: Speed::High, slots, pin_pad: true });
    assert!(function.set_configuration(1));
    function
}

fn send(function: &mut Function, kind: u8, slot: u8, seq: u8, data: &[u8]) {
    send_with(function, kind, slot, seq, [0, 0, 0], data);
}

fn send_with(function: &mut Function, kind: u8, slot: u8, seq: u8, parameters: [u8; 3], data: &[u8]) {
    function.write(BULK_OUT, &Message { kind, slot, seq, parameters, data }.to_bytes()).unwrap();
}

fn reply(function: &mut Function) -> Option<Reply> {
    function.read(BULK_IN, 70_000).map(|bytes| Reply::read(&bytes).unwrap())
}

/// Type, status of the card, outcome, data.
fn said(function: &mut Function) -> (u8, IccStatus, Outcome, Vec<u8>) {
    let reply = reply(function).unwrap();
    (reply.kind, reply.icc, reply.outcome, reply.data)
}

fn failed(function: &mut Function) -> u8 {
    match said(function).2 {
        Outcome::Failed(error) => error,
        other => panic!("{other:?}"),
    }
}

fn work(function: &mut Function) -> Action {
    function.next_action().unwrap()
}

/// A card that is in and has power.
fn powered(function: &mut Function, slot: usize) {
    function.card(slot, true);
    send(function, to_reader::ICC_POWER_ON, slot as u8, 0, &[]);
    let action = work(function);
    assert!(action.what == Work::PowerOn { warm: false });
    function.ended(slot, action.ticket, Ended::Power(Some(ATR.to_vec())));
    assert_eq!(said(function), (0x80, IccStatus::Active, Outcome::Done, ATR.to_vec()));
}

#[test]
fn a_card_is_powered_asked_and_powered_off() {
    let mut this = function(2);
    send(&mut this, to_reader::ICC_POWER_ON, 1, 1, &[]);
    assert_eq!(said(&mut this), (0x80, IccStatus::Absent, Outcome::Failed(error::ICC_MUTE), vec![]));
    powered(&mut this, 1);
    send(&mut this, to_reader::GET_SLOT_STATUS, 0, 2, &[]);
    assert_eq!(said(&mut this), (0x81, IccStatus::Absent, Outcome::Done, vec![]));
    send(&mut this, to_reader::XFR_BLOCK, 1, 3, &[0, 0xA4, 4, 0]);
    let action = work(&mut this);
    assert!(action.what == Work::Transmit(vec![0, 0xA4, 4, 0].into()));
    assert_eq!(reply(&mut this), None, "nothing before the card has answered");
    this.ended(1, action.ticket, Ended::Answer(Ok(vec![0x90, 0])));
    let answer = reply(&mut this).unwrap();
    assert_eq!((answer.slot, answer.seq, answer.data), (1, 3, vec![0x90, 0]));
    send(&mut this, to_reader::ICC_POWER_ON, 1, 4, &[]);
    let action = work(&mut this);
    assert!(action.what == Work::PowerOn { warm: true });
    this.ended(1, action.ticket, Ended::Power(Some(ATR.to_vec())));
    assert_eq!(said(&mut this).1, IccStatus::Active);
    send(&mut this, to_reader::ICC_POWER_OFF, 1, 5, &[]);
    let action = work(&mut this);
    this.ended(1, action.ticket, Ended::Done);
    assert_eq!(said(&mut this), (0x81, IccStatus::Inactive, Outcome::Done, vec![]));
    send(&mut this, to_reader::XFR_BLOCK, 1, 6, &[0, 0xA4, 4, 0]);
    assert_eq!(failed(&mut this), error::ICC_MUTE);
}

#[test]
fn slots_that_are_not_there_and_commands_that_nobody_knows() {
    let mut this = function(2);
    send(&mut this, to_reader::GET_SLOT_STATUS, 2, 7, &[]);
    assert_eq!(said(&mut this), (0x81, IccStatus::Absent, Outcome::Failed(error::BAD_SLOT), vec![]));
    for (kind, answer) in [(0x00, 0x81), (0x6B, 0x83), (0x71, 0x81), (0xFF, 0x81)] {
        send(&mut this, kind, 0, 8, &[1, 2, 3]);
        assert_eq!(said(&mut this), (answer, IccStatus::Absent, Outcome::Failed(error::NOT_SUPPORTED), vec![]));
    }
    send(&mut this, to_reader::SET_DATA_RATE_AND_CLOCK_FREQUENCY, 0, 9, &[7; 8]);
    assert_eq!(said(&mut this), (0x84, IccStatus::Absent, Outcome::Done, vec![7; 8]));
}

#[test]
fn one_command_at_a_time_in_a_slot_and_others_meanwhile() {
    let mut this = function(2);
    powered(&mut this, 0);
    powered(&mut this, 1);
    send(&mut this, to_reader::XFR_BLOCK, 0, 1, &[1, 2, 3, 4]);
    send(&mut this, to_reader::XFR_BLOCK, 0, 2, &[1, 2, 3, 4]);
    assert_eq!(failed(&mut this), error::SLOT_BUSY);
    send(&mut this, to_reader::XFR_BLOCK, 1, 3, &[1, 2, 3, 4]);
    let (first, second) = (work(&mut this), work(&mut this));
    assert!(this.next_action().is_none());
    this.ended(1, second.ticket, Ended::Answer(Ok(vec![0x6A, 0x82])));
    this.ended(0, first.ticket, Ended::Answer(Ok(vec![0x90, 0])));
    let (one, two) = (reply(&mut this).unwrap(), reply(&mut this).unwrap());
    assert_eq!(((one.slot, one.seq), (two.slot, two.seq)), ((1, 3), (0, 1)));
}

#[test]
fn what_takes_long_asks_for_more_time_but_not_power() {
    let mut this = function(1);
    powered(&mut this, 0);
    assert!(!this.is_working());
    send(&mut this, to_reader::XFR_BLOCK, 0, 9, &[0, 0x47, 0, 0x9A]);
    let action = work(&mut this);
    for _ in 0..3 {
        assert!(this.is_working());
        this.second();
        let reply = reply(&mut this).unwrap();
        assert_eq!((reply.kind, reply.seq, reply.outcome, reply.data), (0x80, 9, Outcome::MoreTime, vec![]));
    }
    this.ended(0, action.ticket, Ended::Answer(Ok(vec![0x90, 0])));
    assert_eq!(said(&mut this).3, [0x90, 0]);
    this.second();
    assert_eq!(reply(&mut this), None);
    send(&mut this, to_reader::ICC_POWER_ON, 0, 10, &[]);
    let action = work(&mut this);
    this.second();
    this.second();
    assert_eq!(reply(&mut this), None);
    this.second();
    assert_eq!(failed(&mut this), error::ICC_MUTE);
    this.ended(0, action.ticket, Ended::Power(Some(ATR.to_vec())));
    assert_eq!(reply(&mut this), None, "too late");
    for _ in 0..1000 {
        send(&mut this, to_reader::XFR_BLOCK, 0, 9, &[0, 0x47, 0, 0x9A]);
        this.second();
        let _ = reply(&mut this);
    }
}

#[test]
fn a_host_that_reads_nothing_is_stopped() {
    let mut this = function(1);
    powered(&mut this, 0);
    send(&mut this, to_reader::XFR_BLOCK, 0, 9, &[0, 0x47, 0, 0x9A]);
    (0..1000).for_each(|_| this.second());
    let message = Message { kind: to_reader::GET_SLOT_STATUS, slot: 0, seq: 0, parameters: [0; 3], data: &[] }.to_bytes();
    while this.write(BULK_OUT, &message).is_ok() {}
    let mut count = 0;
    while this.read(BULK_IN, 10).is_some() {
        count += 1;
    }
    assert_eq!(count, MOST_UNREAD);
    assert_eq!(this.write(BULK_OUT, &message), Err(Stall), "halted until the host clears it");
    this.control(Setup { request_type: 2, request: 1, value: 0, index: 1, length: 0 }).unwrap();
    this.write(BULK_OUT, &message).unwrap();
    assert_eq!(failed(&mut this), error::SLOT_BUSY);
}

#[test]
fn a_message_of_four_gigabytes_halts_the_endpoint() {
    let mut this = function(1);
    assert_eq!(this.write(BULK_OUT, &hex!("6F FFFFFFFF 00 01 00 0000")), Err(Stall));
    assert_eq!(this.control(Setup { request_type: 0x82, request: 0, value: 0, index: 1, length: 2 }), Ok(vec![1, 0]));
    assert_eq!(this.write(BULK_OUT, &[0; 10]), Err(Stall));
    this.set_configuration(1);
    send(&mut this, to_reader::GET_SLOT_STATUS, 0, 1, &[]);
    assert_eq!(said(&mut this).2, Outcome::Done);
    assert_eq!(this.write(0x02, &[0; 10]), Err(Stall), "no such endpoint");
    assert_eq!((this.read(0x84, 10), Function::has_in(0x84)), (None, false));
}

#[test]
fn changes_are_told_once_by_the_interrupt() {
    let mut this = function(5);
    assert_eq!(this.read(INTERRUPT_IN, 8), None);
    this.card(0, true);
    this.card(4, true);
    this.card(4, true);
    assert_eq!(this.read(INTERRUPT_IN, 8), Some(vec![0x50, 0b11, 0b11]));
    assert_eq!(this.read(INTERRUPT_IN, 8), None);
    this.card(3, true);
    assert_eq!(this.read(INTERRUPT_IN, 1), Some(vec![0x50]), "never more than was asked for");
    this.card(3, false);
    let _ = this.read(INTERRUPT_IN, 8);
    this.card(0, false);
    this.card(0, true);
    this.card(4, false);
    assert_eq!(this.read(INTERRUPT_IN, 8), Some(vec![0x50, 0b11, 0b10]));
    // A host that comes later hears of the cards that are in.
    this.reset();
    assert_eq!(this.read(INTERRUPT_IN, 8), None);
    this.set_configuration(1);
    assert_eq!(this.read(INTERRUPT_IN, 8), Some(vec![0x50, 0b11, 0]));
}

#[test]
fn a_card_that_is_pulled_out_ends_its_command() {
    let mut this = function(1);
    powered(&mut this, 0);
    send(&mut this, to_reader::XFR_BLOCK, 0, 5, &[0, 0x20, 0, 0x80]);
    let action = work(&mut this);
    this.card(0, false);
    assert_eq!(said(&mut this), (0x80, IccStatus::Absent, Outcome::Failed(error::ICC_MUTE), vec![]));
    this.card(0, true);
    this.ended(0, action.ticket, Ended::Answer(Ok(vec![0x90, 0])));
    assert_eq!(reply(&mut this), None, "what it answers is not heard any more");
    // Somebody else resets it.
    powered(&mut this, 0);
    let _ = this.read(INTERRUPT_IN, 8);
    this.lost_power(0);
    assert_eq!(this.read(INTERRUPT_IN, 8), Some(vec![0x50, 3]));
    send(&mut this, to_reader::GET_SLOT_STATUS, 0, 6, &[]);
    assert_eq!(said(&mut this).1, IccStatus::Inactive);
    // It lost its power in a command.
    powered(&mut this, 0);
    let _ = this.read(INTERRUPT_IN, 8);
    send(&mut this, to_reader::XFR_BLOCK, 0, 5, &[0, 0x20, 0, 0x80]);
    let action = work(&mut this);
    this.ended(0, action.ticket, Ended::Answer(Err(Loss::Power)));
    assert_eq!(said(&mut this), (0x80, IccStatus::Inactive, Outcome::Failed(error::ICC_MUTE), vec![]));
    assert_eq!(this.read(INTERRUPT_IN, 8), Some(vec![0x50, 3]));
}

#[test]
fn aborts_in_either_order() {
    let abort = Setup { request_type: 0x21, request: 1, value: 0x0900, index: 0, length: 0 };
    for control_first in [true, false] {
        let mut this = function(1);
        powered(&mut this, 0);
        send(&mut this, to_reader::XFR_BLOCK, 0, 8, &[0, 0x47, 0, 0x9A]);
        let action = work(&mut this);
        if control_first {
            this.control(abort).unwrap();
            send(&mut this, to_reader::GET_SLOT_STATUS, 0, 1, &[]);
            assert_eq!(failed(&mut this), error::ABORTED, "until the message comes");
        }
        send(&mut this, to_reader::ABORT, 0, 9, &[]);
        let answer = reply(&mut this).unwrap();
        assert_eq!((answer.kind, answer.seq, answer.outcome), (0x81, 9, Outcome::Done));
        if !control_first {
            this.control(abort).unwrap();
        }
        this.ended(0, action.ticket, Ended::Answer(Ok(vec![0x90, 0])));
        assert_eq!(reply(&mut this), None);
        send(&mut this, to_reader::GET_SLOT_STATUS, 0, 10, &[]);
        assert_eq!(said(&mut this).2, Outcome::Done);
    }
}

#[test]
fn pins_at_the_keypad() {
    let block = hex!("00 1E 82 08 00 0804 02 00 0000 00 000000 0020008008FFFFFFFFFFFFFFFF");
    let mut this = function(1);
    powered(&mut this, 0);
    for (ended, wanted) in [
        (Ended::Answer(Ok(vec![0x90, 0])), (Outcome::Done, vec![0x90, 0])),
        (Ended::Keypad(pin_pad::CANCELLED), (Outcome::Failed(error::PIN_CANCELLED), vec![])),
        (Ended::Keypad(pin_pad::TIMEOUT), (Outcome::Failed(error::PIN_TIMEOUT), vec![])),
        (Ended::Keypad(pin_pad::LENGTH), (Outcome::Done, vec![0x64, 0x03])),
    ] {
        send(&mut this, to_reader::SECURE, 0, 1, &block);
        let action = work(&mut this);
        assert!(matches!(action.what, Work::AtKeypad(PinBlock::Verify(_))));
        this.second();
        assert_eq!(said(&mut this).2, Outcome::MoreTime);
        this.ended(0, action.ticket, ended);
        let (kind, icc, outcome, data) = said(&mut this);
        assert_eq!((kind, icc, (outcome, data)), (0x80, IccStatus::Active, wanted));
    }
    // Nobody is asked any more after an abort, a card that is gone, a reset.
    for end in [
        |this: &mut Function| send(this, to_reader::ABORT, 0, 2, &[]),
        |this: &mut Function| this.card(0, false),
        |this: &mut Function| this.reset(),
    ] {
        let mut this = function(1);
        powered(&mut this, 0);
        send(&mut this, to_reader::SECURE, 0, 1, &block);
        let asked = work(&mut this).ticket;
        end(&mut this);
        let action = work(&mut this);
        assert!(action.what == Work::GiveUp && action.ticket == asked);
    }
    send(&mut this, to_reader::SECURE, 0, 1, &[9]);
    assert_eq!(failed(&mut this), error::BAD_PIN_BLOCK);
    let identity = Identity { pin_pad: false, ..this.identity().clone() };
    let mut without = Function::new(identity);
    without.set_configuration(1);
    powered(&mut without, 0);
    send(&mut without, to_reader::SECURE, 0, 1, &block);
    assert_eq!(failed(&mut without), error::NOT_SUPPORTED);
}

#[test]
fn a_command_in_blocks() {
    let mut this = function(1);
    powered(&mut this, 0);
    for (level, data) in [(1, &[0, 0x20][..]), (3, &[0, 0x80])] {
        send_with(&mut this, to_reader::XFR_BLOCK, 0, 1, [0, level, 0], data);
        assert_eq!(reply(&mut this).unwrap().parameter, 0x10);
    }
    send_with(&mut this, to_reader::XFR_BLOCK, 0, 2, [0, 2, 0], &[7]);
    let action = work(&mut this);
    assert!(action.what == Work::Transmit(vec![0, 0x20, 0, 0x80, 7].into()));
    this.ended(0, action.ticket, Ended::Answer(Ok(vec![0x90, 0])));
    assert_eq!(said(&mut this).3, [0x90, 0]);
    // What is no beginning, a chain that is too long, a level that is none.
    for level in [2, 3] {
        send_with(&mut this, to_reader::XFR_BLOCK, 0, 3, [0, level, 0], &[7]);
        assert_eq!(failed(&mut this), error::BAD_LEVEL);
    }
    send_with(&mut this, to_reader::XFR_BLOCK, 0, 4, [0, 1, 0], &[7; 40_000]);
    let _ = reply(&mut this);
    send_with(&mut this, to_reader::XFR_BLOCK, 0, 5, [0, 2, 0], &[7; 40_000]);
    assert_eq!(failed(&mut this), error::BAD_LENGTH);
    send_with(&mut this, to_reader::XFR_BLOCK, 0, 6, [0, 2, 0], &[7]);
    assert_eq!(failed(&mut this), error::BAD_LEVEL, "the chain is over");
    send_with(&mut this, to_reader::XFR_BLOCK, 0, 7, [0, 0x10, 0], &[]);
    assert_eq!(failed(&mut this), error::BAD_LEVEL);
}

#[test]
fn parameters_and_the_protocol() {
    let mut this = function(1);
    powered(&mut this, 0);
    send(&mut this, to_reader::GET_PARAMETERS, 0, 1, &[]);
    let t1 = reply(&mut this).unwrap();
    assert_eq!((t1.kind, t1.parameter, &t1.data[..]), (0x82, 1, &hex!("11100045 00FE00")[..]));
    send_with(&mut this, to_reader::SET_PARAMETERS, 0, 2, [1, 0, 0], &t1.data);
    assert_eq!(said(&mut this).2, Outcome::Done);
    send_with(&mut this, to_reader::SET_PARAMETERS, 0, 2, [0, 0, 0], &[0; 5]);
    assert_eq!(failed(&mut this), error::BAD_PROTOCOL, "the card offers T=1 alone");
    send_with(&mut this, to_reader::SET_PARAMETERS, 0, 2, [1, 0, 0], &[0; 5]);
    assert_eq!(failed(&mut this), error::BAD_LENGTH);
    // A card of both.
    let mut this = function(1);
    this.card(0, true);
    send(&mut this, to_reader::ICC_POWER_ON, 0, 0, &[]);
    let action = work(&mut this);
    this.ended(0, action.ticket, Ended::Power(Some(hex!("3B 80 80 01 01").to_vec())));
    let _ = reply(&mut this);
    send_with(&mut this, to_reader::SET_PARAMETERS, 0, 2, [1, 0, 0], &[0; 7]);
    let action = work(&mut this);
    assert!(action.what == Work::SetProtocol(Protocol::T1));
    this.ended(0, action.ticket, Ended::Done);
    assert_eq!(reply(&mut this).unwrap().parameter, 1);
    send(&mut this, to_reader::RESET_PARAMETERS, 0, 3, &[]);
    let action = work(&mut this);
    assert!(action.what == Work::SetProtocol(Protocol::T0));
    this.ended(0, action.ticket, Ended::Done);
    assert_eq!(reply(&mut this).unwrap().parameter, 0);
}

#[test]
fn a_reset_takes_the_power_of_every_card_away() {
    let mut this = function(2);
    powered(&mut this, 1);
    this.card(0, true);
    this.write(BULK_OUT, &[0x65, 0]).unwrap();
    this.reset();
    let action = work(&mut this);
    assert!(action.slot == 1 && action.what == Work::PowerOff && this.next_action().is_none());
    assert_eq!(this.write(BULK_OUT, &[0; 10]), Err(Stall), "not configured");
    this.set_configuration(1);
    send(&mut this, to_reader::GET_SLOT_STATUS, 1, 0, &[]);
    assert_eq!(said(&mut this).1, IccStatus::Inactive);
}

#[test]
fn control_requests() {
    let mut this = function(1);
    let mut ask = |request_type, request, value, index, length| {
        this.control(Setup { request_type, request, value, index, length }).map(hex::encode).ok()
    };
    assert_eq!(ask(0x80, 6, 0x0100, 0, 8).as_deref(), Some("1201000200000040"));
    assert_eq!(ask(0x80, 6, 0x0300, 0, 255).as_deref(), Some("04030904"));
    for qualifier_and_strings in [0x0600, 0x03EE, 0x0F00] {
        assert_eq!(ask(0x80, 6, qualifier_and_strings, 0, 255), None);
    }
    assert_eq!(ask(0x80, 8, 0, 0, 1).as_deref(), Some("01"));
    assert_eq!(ask(0x00, 9, 2, 0, 0), None);
    assert_eq!(ask(0x00, 9, 1, 0, 0).as_deref(), Some(""));
    assert_eq!(ask(0x81, 0x0A, 0, 0, 1).as_deref(), Some("00"));
    assert_eq!(ask(0x01, 0x0B, 1, 0, 0), None);
    assert_eq!(ask(0x02, 1, 0, 0x07, 0), None);
    assert_eq!(ask(0x02, 1, 0, 0x82, 0).as_deref(), Some(""));
    assert_eq!(ask(0xA1, 2, 0, 0, 4).as_deref(), Some("a00f0000"));
    assert_eq!(ask(0xA1, 3, 0, 0, 4).as_deref(), Some("80250000"));
    assert_eq!(ask(0xC0, 1, 0, 0, 4), None);
}

/// What a host may do, and the world.
#[derive(Clone, Debug)]
enum Step {
    Write(Vec<u8>),
    Card(usize, bool),
    Answer,
    Second,
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![0x60_u8..0x74, any::<u8>()];
    let message = (kind, 0_u8..3, any::<u8>(), 0_u8..4, proptest::collection::vec(any::<u8>(), 0..20)).prop_map(
        |(kind, slot, seq, level, data)| {
            Step::Write(Message { kind, slot, seq, parameters: [0, level, 0], data: &data }.to_bytes().to_vec())
        },
    );
    prop_oneof![
        8 => message,
        1 => proptest::collection::vec(any::<u8>(), 0..30).prop_map(Step::Write),
        2 => (0_usize..2, any::<bool>()).prop_map(|(slot, present)| Step::Card(slot, present)),
        4 => Just(Step::Answer),
        1 => Just(Step::Second),
    ]
}

/// Takes the steps, with what is written cut by `cuts`, and gives all that was read.
fn run(steps: &[Step], cuts: &[usize], most: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut this = function(2);
    let (mut read, mut notified, mut cuts) = (Vec::new(), Vec::new(), cuts.iter().copied().cycle());
    for step in steps {
        match step {
            Step::Write(bytes) => {
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    let (piece, more) = rest.split_at(cuts.next().unwrap_or(rest.len()).min(rest.len()));
                    let _ = this.write(BULK_OUT, piece);
                    rest = more;
                }
            }
            Step::Card(slot, present) => this.card(*slot, *present),
            Step::Second => this.second(),
            Step::Answer => {
                while let Some(Action { slot, ticket, what }) = this.next_action() {
                    let ended = match what {
                        Work::PowerOn { .. } => Ended::Power(Some(hex!("3B80800101").to_vec())),
                        Work::Transmit(command) => Ended::Answer(Ok(command.to_vec())),
                        Work::AtKeypad(_) => Ended::Keypad(pin_pad::CANCELLED),
                        Work::PowerOff | Work::SetProtocol(_) | Work::GiveUp => Ended::Done,
                    };
                    this.ended(slot, ticket, ended);
                }
            }
        }
        while let Some(piece) = this.read(BULK_IN, most) {
            assert!(piece.len() <= most);
            read.extend(piece);
        }
        notified.extend(this.read(INTERRUPT_IN, 8));
        assert!(this.collected.len() < message::HEAD + message::MAX_DATA);
    }
    (read, notified)
}

proptest! {
    /// However a host cuts what it writes and reads, it has the same answers, each of them a message.
    #[test]
    fn any_cut_gives_the_same_answers(
        steps in proptest::collection::vec(step(), 0..40),
        cuts in proptest::collection::vec(1_usize..12, 1..20),
        most in 1_usize..30,
    ) {
        let whole = run(&steps, &[usize::MAX], 70_000);
        prop_assert_eq!(&run(&steps, &cuts, most), &whole);
        let mut rest = &whole.0[..];
        while !rest.is_empty() {
            let length = message::HEAD + u32::from_le_bytes([rest[1], rest[2], rest[3], rest[4]]) as usize;
            prop_assert!(Reply::read(&rest[..length]).is_some());
            rest = &rest[length..];
        }
    }

    #[test]
    fn any_request_is_answered_or_stalled(setup: [u8; 8]) {
        let setup = Setup::read(setup);
        prop_assert_eq!(Setup::read(setup.to_bytes()), setup);
        if let Ok(answer) = function(3).control(setup) {
            prop_assert!(answer.len() <= setup.length.into());
        }
    }
}
