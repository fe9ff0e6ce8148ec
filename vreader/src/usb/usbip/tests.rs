use super::*;
use crate::usb::ccid::Setup;
use crate::usb::descriptor::{Identity, Speed};
use proptest::prelude::*;

fn function() -> Function {
    let ids = "0E0F:0004".parse().unwrap();
    let (product, serial) = ("Reader".into(), "1".into());
    let mut function = Function::new(Identity { ids, product, serial, speed: Speed::High, slots: 2, pin_pad: false });
    function.card(1, true);
    function
}

/// A transfer to the device, or one to the host that asks for this many bytes.
fn submit(seq: u32, endpoint: u8, setup: Setup, data: Result<&[u8], u32>) -> Vec<u8> {
    let (to_host, length, data) = match data {
        Ok(data) => (false, data.len() as u32, data),
        Err(length) => (true, length, &[][..]),
    };
    Command::Submit { seq, endpoint, to_host, flags: 0, length, setup, data }.to_bytes()
}

const NONE: Setup = Setup { request_type: 0, request: 0, value: 0, index: 0, length: 0 };

/// Enumerates the device, asks for its slots, takes a transfer back.
fn conversation() -> Vec<u8> {
    let descriptor = Setup { request_type: 0x80, request: 6, value: 0x0200, index: 0, length: 300 };
    let configuration = Setup { request_type: 0, request: 9, value: 1, index: 0, length: 0 };
    [
        submit(1, 0, descriptor, Err(300)),
        submit(2, 0, configuration, Ok(&[])),
        submit(3, 3, NONE, Err(8)),
        submit(4, 2, NONE, Err(100)),
        submit(5, 1, NONE, Ok(&[0x65, 0, 0, 0, 0, 1, 7, 0, 0, 0])),
        submit(6, 2, NONE, Err(100)),
        submit(7, 5, NONE, Err(100)),
        submit(8, 5, NONE, Ok(&[1, 2, 3])),
        Command::Unlink { seq: 9, of: 6 }.to_bytes(),
        Command::Unlink { seq: 10, of: 6 }.to_bytes(),
    ]
    .concat()
}

fn answers(bytes: &[u8]) -> Vec<Answer> {
    let (mut answers, mut rest) = (Vec::new(), bytes);
    while let Some((answer, used)) = Answer::read(rest, |seq| matches!(seq, 1 | 3 | 4 | 6 | 7)) {
        answers.push(answer);
        rest = &rest[used..];
    }
    assert!(rest.is_empty());
    answers
}

/// What is answered when the conversation comes in pieces that end at `cuts`.
fn talk(cuts: &[usize]) -> Vec<u8> {
    let (mut wire, mut function, mut out) = (Imported::default(), function(), Vec::new());
    let bytes = conversation();
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
fn transfers_wait_are_answered_and_taken_back() {
    let mut answers = answers(&talk(&[]));
    answers.sort_by_key(|answer| match answer {
        Answer::Submitted { seq, .. } | Answer::Unlinked { seq, .. } => *seq,
    });
    let submitted = |seq, status, length, data: &[u8]| Answer::Submitted { seq, status, length, data: data.to_vec() };
    let descriptor = function().identity().descriptor(2, 0).unwrap();
    let status = [0x81, 0, 0, 0, 0, 1, 7, 1, 0, 0];
    let wanted = [
        submitted(1, 0, 93, &descriptor),
        submitted(2, 0, 0, &[]),
        submitted(3, 0, 2, &[0x50, 0b1100]),
        submitted(4, 0, 10, &status),
        submitted(5, 0, 10, &[]),
        submitted(7, status::NO_ENDPOINT, 0, &[]),
        submitted(8, status::STALL, 0, &[]),
        Answer::Unlinked { seq: 9, status: status::UNLINKED },
        Answer::Unlinked { seq: 10, status: 0 },
    ];
    assert_eq!(answers, wanted, "6 was taken back and has no other answer");
}

#[test]
fn fewer_bytes_than_a_host_wants_are_an_error_where_it_says_so() {
    let (mut wire, mut function, mut out) = (Imported::default(), function(), Vec::new());
    function.set_configuration(1);
    let transfer = |seq, flags| Command::Submit { seq, endpoint: 3, to_host: true, flags, length: 8, setup: NONE, data: &[] };
    wire.receive(&transfer(1, wire::SHORT_NOT_OK).to_bytes(), &mut function).unwrap();
    wire.advance(&mut function, true, &mut out);
    let wanted = Answer::Submitted { seq: 1, status: status::SHORT, length: 2, data: vec![0x50, 0b1100] };
    assert_eq!(Answer::read(&out, |_| true).unwrap().0, wanted);
    assert!(!wire.advance(&mut function, false, &mut out), "an unplugged device ends the connection");
}

#[test]
fn no_host_makes_more_wait_than_there_is_room_for() {
    let (mut wire, mut function) = (Imported::default(), function());
    let many: Vec<u8> = (0..=MOST_WAITING as u32).flat_map(|seq| submit(seq, 2, NONE, Err(u32::MAX))).collect();
    assert_eq!(wire.receive(&many, &mut function), Err(Fault::TooMany));
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_answers(mut cuts in proptest::collection::vec(any::<usize>(), 0..30)) {
        let length = conversation().len();
        cuts.iter_mut().for_each(|cut| *cut %= length);
        cuts.sort_unstable();
        let key = |answer: &Answer| match answer {
            Answer::Submitted { seq, .. } | Answer::Unlinked { seq, .. } => *seq,
        };
        let (mut cut, mut whole) = (answers(&talk(&cuts)), answers(&talk(&[])));
        // Which of two endpoints is served first is chance.
        cut.sort_by_key(key);
        whole.sort_by_key(key);
        prop_assert_eq!(cut, whole);
    }

    #[test]
    fn any_bytes_end_in_answers_or_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (mut wire, mut function, mut out) = (Imported::default(), function(), Vec::new());
        if wire.receive(&bytes, &mut function).is_ok() {
            wire.advance(&mut function, true, &mut out);
        }
    }
}
