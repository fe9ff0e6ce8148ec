//! The reader's side of the vpcd protocol, without I/O: what to send, what is waited for, what a card may not do.
//!
//! Answers come in the order of the questions. Whoever sends what was not asked for, or an empty message, is no card any
//! more: the protocol has no other way to say that one was taken out.

use super::wire::{self, Control};
use std::collections::VecDeque;
use thiserror::Error;

/// Questions that may wait for their answers. A reader asks one at a time; more come together only of a card that was
/// pulled out in the middle of a command and put in again.
const MOST: usize = 16;

/// What a card said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Its answer to reset.
    Atr(Vec<u8>),
    /// The answer to the command of this number.
    Answer(u64, Vec<u8>),
}

/// Why this is no card any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Breach {
    /// A message that nobody asked for.
    #[error("it sent what it was not asked for")]
    Unasked,
    /// An empty message.
    #[error("it sent an empty message, as a card that is taken out")]
    Empty,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Atr,
    Command(u64),
}

/// One connection.
#[derive(Debug, Default)]
pub struct Reader {
    questions: VecDeque<Question>,
    /// Of messages that are not complete: never more than one message and one read.
    received: Vec<u8>,
    commands: u64,
}

impl Reader {
    /// The question for the ATR, unless it waits for its answer already.
    #[must_use]
    pub fn ask_atr(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.and_ask_atr(&mut out);
        out
    }

    /// Power, or power and a cold reset; the ATR may be another one afterwards.
    #[must_use]
    pub fn power_on(&mut self) -> Vec<u8> {
        let mut out = control(Control::PowerOn);
        self.and_ask_atr(&mut out);
        out
    }

    /// Warm reset.
    #[must_use]
    pub fn reset(&mut self) -> Vec<u8> {
        let mut out = control(Control::Reset);
        self.and_ask_atr(&mut out);
        out
    }

    /// The power goes.
    #[must_use]
    pub fn power_off(&self) -> Vec<u8> {
        control(Control::PowerOff)
    }

    /// A command's number and bytes. `None` for one that this protocol cannot carry: of fewer than two bytes, which are
    /// control, or longer than a message; and when too many wait.
    #[must_use]
    pub fn command(&mut self, command: &[u8]) -> Option<(u64, Vec<u8>)> {
        let mut out = Vec::with_capacity(command.len() + 2);
        if command.len() < 2 || self.questions.len() >= MOST || !wire::write(command, &mut out) {
            return None;
        }
        self.commands += 1;
        self.questions.push_back(Question::Command(self.commands));
        Some((self.commands, out))
    }

    /// Bytes from the card; what they say goes to `heard`.
    ///
    /// # Errors
    /// [`Breach`]: the connection is to be closed. What was said before it is in `heard`.
    pub fn receive(&mut self, bytes: &[u8], heard: &mut Vec<Heard>) -> Result<(), Breach> {
        self.received.extend_from_slice(bytes);
        let mut used = 0;
        let result = loop {
            let Some((message, length)) = wire::read(&self.received[used..]) else { break Ok(()) };
            if message.is_empty() {
                break Err(Breach::Empty);
            }
            match self.questions.pop_front() {
                Some(Question::Atr) => heard.push(Heard::Atr(message.to_vec())),
                Some(Question::Command(number)) => heard.push(Heard::Answer(number, message.to_vec())),
                None => break Err(Breach::Unasked),
            }
            used += length;
        };
        self.received.drain(..used);
        result
    }

    fn and_ask_atr(&mut self, out: &mut Vec<u8>) {
        if !self.questions.contains(&Question::Atr) {
            self.questions.push_back(Question::Atr);
            out.extend(control(Control::GiveAtr));
        }
    }
}

fn control(byte: Control) -> Vec<u8> {
    vec![0, 1, byte as u8]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_insertion_and_a_command() {
        let mut reader = Reader::default();
        assert_eq!(reader.ask_atr(), [0, 1, 4]);
        assert_eq!(reader.power_on(), [0, 1, 1], "the question waits already");
        let (number, bytes) = reader.command(&[0, 0xA4, 4, 0]).unwrap();
        assert_eq!((number, &bytes[..]), (1, &[0, 4, 0, 0xA4, 4, 0][..]));
        let mut heard = Vec::new();
        reader.receive(&[0, 2, 0x3B, 0x00, 0, 2, 0x90], &mut heard).unwrap();
        assert_eq!(heard, [Heard::Atr(vec![0x3B, 0x00])]);
        reader.receive(&[0x00], &mut heard).unwrap();
        assert_eq!(heard[1], Heard::Answer(1, vec![0x90, 0x00]));
        assert_eq!(reader.reset(), [0, 1, 2, 0, 1, 4]);
        assert_eq!(reader.power_off(), [0, 1, 0]);
        assert_eq!(reader.receive(&[0, 2, 0x3B, 0x00, 0, 1, 7], &mut heard), Err(Breach::Unasked));
        assert_eq!(heard.len(), 3);
    }

    #[test]
    fn what_cannot_be_sent() {
        let mut reader = Reader::default();
        assert!([&[][..], &[4], &[0; 65_536]].iter().all(|command| reader.command(command).is_none()));
        assert!(reader.command(&[0; 65_535]).is_some());
        let more = (0..100).filter(|_| reader.command(&[0, 0xA4]).is_some()).count();
        assert_eq!(more, MOST - 1, "a card that answers nothing is not asked without end");
        assert_eq!(reader.receive(&[0, 0], &mut Vec::new()), Err(Breach::Empty));
    }

    proptest! {
        /// However the stream is cut into pieces, the same is heard.
        #[test]
        fn any_cut_gives_the_same(stream in proptest::collection::vec(prop_oneof![Just(0u8), 0u8..4, any::<u8>()], 0..60), cuts in proptest::collection::vec(0usize..60, 0..6)) {
            let listen = |pieces: Vec<&[u8]>| {
                let mut reader = Reader::default();
                let _ = reader.ask_atr();
                for _ in 0..4 {
                    let _ = reader.command(&[0, 0x20]);
                }
                let mut heard = Vec::new();
                let end = pieces.into_iter().try_for_each(|piece| reader.receive(piece, &mut heard));
                (heard, end)
            };
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
            cuts.sort_unstable();
            let (mut pieces, mut from) = (Vec::new(), 0);
            for cut in cuts {
                pieces.push(&stream[from..cut]);
                from = cut;
            }
            pieces.push(&stream[from..]);
            prop_assert_eq!(listen(pieces), listen(vec![&stream]));
        }
    }
}
