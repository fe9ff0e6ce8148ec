//! What an operating system does around its applications: selection, command chaining, GET RESPONSE
//! (ISO/IEC 7816-4 sections 5.3.3, 5.3.4 and 11.2.2).

use apdu_app::App;
use heapless::Vec as Fixed;
use iso7816::command::CommandView;
use iso7816::{Instruction, Interface, Status};
use piv_authenticator::{Authenticator, Client};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Longest joined command and longest answer.
const LONGEST: usize = 7609;
const PIV: &[u8] = &[0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00];

pub struct Shell<C> {
    card: Authenticator<C>,
    selected: bool,
    /// Header and data of a chain that is under way.
    chain: Option<(Vec<u8>, Vec<u8>)>,
    /// What GET RESPONSE will fetch.
    rest: Vec<u8>,
    /// The card was reset: it starts anew, with what its memory holds.
    pub restarts: bool,
}

impl<C: Client> Shell<C> {
    pub fn new(card: Authenticator<C>) -> Self {
        Self { card, selected: false, chain: None, rest: Vec::new(), restarts: false }
    }

    fn answer(&mut self, apdu: &[u8]) -> Result<Vec<u8>, Status> {
        let command = CommandView::try_from(apdu).map_err(|_| Status::WrongLength)?;
        if command.instruction() == Instruction::GetResponse {
            let rest = std::mem::take(&mut self.rest);
            return if rest.is_empty() || apdu[2..4] != [0, 0] { Err(Status::ConditionsOfUseNotSatisfied) } else { Ok(rest) };
        }
        self.rest.clear();
        let mut joined = Vec::new();
        if apdu[0] & 0x10 != 0 || self.chain.is_some() {
            let header = [&[apdu[0] & !0x10], &apdu[1..4]].concat();
            let (first, mut data) = self.chain.take().unwrap_or_else(|| (header.clone(), Vec::new()));
            if first != header {
                return Err(Status::LastCommandOfChainExpected);
            }
            data.extend_from_slice(command.data());
            if data.len() > LONGEST {
                return Err(Status::WrongLength);
            }
            if apdu[0] & 0x10 != 0 {
                self.chain = Some((first, data));
                return Ok(Vec::new());
            }
            let length = (data.len() as u16).to_be_bytes();
            joined = [&header[..], &[0], &length[..], &data, &[0, 0]].concat();
        }
        let command =
            if joined.is_empty() { command } else { CommandView::try_from(&joined[..]).map_err(|_| Status::WrongLength)? };
        if command.instruction() == Instruction::Select {
            if !matches!(apdu, [_, _, 0x04, 0x00, ..]) {
                return Err(Status::IncorrectP1OrP2Parameter);
            }
            // An AID or the beginning of one (SP 800-73-4 part 2 section 3.1.1).
            if !(command.data().starts_with(&PIV[..5]) && (PIV.starts_with(command.data()) || command.data().starts_with(PIV))) {
                return Err(Status::NotFound);
            }
        }
        let mut reply = Fixed::<u8, LONGEST>::new();
        if command.instruction() == Instruction::Select {
            App::select(&mut self.card, Interface::Contact, command, &mut reply)?;
            self.selected = true;
        } else if self.selected {
            App::call(&mut self.card, Interface::Contact, command, &mut reply)?;
        } else {
            return Err(Status::InstructionNotSupportedOrInvalid);
        }
        Ok(reply.to_vec())
    }
}

impl<C: Client> vpicc::VSmartCard for Shell<C> {
    fn power_on(&mut self) {
        self.restarts = true;
    }

    fn reset(&mut self) {
        self.restarts = true;
    }

    fn execute(&mut self, apdu: &[u8]) -> Vec<u8> {
        let short = !matches!(apdu, [_, _, _, _, 0, _, _, ..]);
        let answer = catch_unwind(AssertUnwindSafe(|| self.answer(apdu))).unwrap_or_else(|_| {
            // What a card does whose application has crashed.
            self.restarts = true;
            Err(Status::UnspecifiedPersistentExecutionError)
        });
        let (mut data, status) = match answer {
            Ok(data) => (data, Status::Success),
            Err(status) => (Vec::new(), status),
        };
        let asked = match apdu {
            [_, _, _, _, le] => usize::from(*le).wrapping_sub(1) % 256 + 1,
            _ => 256,
        };
        if status == Status::Success && short && data.len() > asked {
            self.rest = data.split_off(asked);
            let left = u8::try_from(self.rest.len()).unwrap_or(0);
            data.extend([0x61, left]);
            return data;
        }
        data.extend(u16::from(status).to_be_bytes());
        data
    }
}
