//! What a shell may do with the good card inside: pass commands on, look into its memory, write there, and be for a
//! moment who the card lets do things.

use cardlab_conformance::target::Slot as _;
use cardlab_conformance::target::sim::InProcess;
use cardlab_protocol::admin_key::AdminKey;
use cardlab_protocol::apdu::Command;
use cardlab_protocol::status::StatusWord;
use cardlab_protocol::tlv;
use cardlab_sim::admin_key;
use cardlab_sim::card::{Card, NoAnswer};
use cardlab_sim::conditions::Interface;
use cardlab_sim::memory::{counter, reference as value};
use cardlab_sim::nvm::{Nvm, RecordId};
use cardlab_sim::profile::Profile;
use zeroize::Zeroizing;

/// A whole response APDU.
pub type Answer = Result<Vec<u8>, NoAnswer>;

/// A counted secret by its reference.
pub type Secret = u8;
pub const PIN: Secret = 0x80;
pub const PUK: Secret = 0x81;
/// The administrator key; its value is a key.
pub const ADMINISTRATION: Secret = 0x9B;

pub const VERIFY: u8 = 0x20;
pub const CHANGE: u8 = 0x24;
pub const UNBLOCK: u8 = 0x2C;
pub const AUTHENTICATE: u8 = 0x87;
pub const GENERATE: u8 = 0x47;
pub const GET_DATA: u8 = 0xCB;
pub const PUT_DATA: u8 = 0xDB;
pub const SELECT: u8 = 0xA4;
pub const GET_RESPONSE: u8 = 0xC0;
/// Class bit of a block that is not the last of its chain.
pub const MORE: u8 = 0x10;

/// The good card.
pub struct Good(InProcess);

impl Good {
    pub const fn new(card: Card) -> Self {
        Self(InProcess(card))
    }

    /// What the good card answers.
    pub fn pass(&mut self, command: &Command<'_>) -> Answer {
        self.pass_bytes(&command.to_bytes())
    }

    pub fn pass_bytes(&mut self, command: &[u8]) -> Answer {
        self.0.0.transmit(command)
    }

    /// A command with other data.
    pub fn pass_data(&mut self, command: &Command<'_>, data: &[u8]) -> Answer {
        self.pass(&Command { data, ..*command })
    }

    /// The good card's answer to a command that has changed nothing afterwards.
    pub fn pass_in_vain(&mut self, command: &Command<'_>) -> Answer {
        self.nvm_mut().keep_history();
        let _ = self.nvm_mut().take_history();
        let answer = self.pass(command);
        let before = self.nvm_mut().take_history();
        self.nvm_mut().rewrite(before).unwrap();
        answer
    }

    /// The good card's answer while these records are other ones.
    pub fn pass_with(&mut self, records: &[(RecordId, Vec<u8>)], command: &Command<'_>) -> Answer {
        let before: Vec<_> = records.iter().map(|(id, _)| (*id, self.record(*id))).collect();
        for (id, bytes) in records {
            self.write(*id, Some(bytes));
        }
        let answer = self.pass(command);
        for ((id, changed), (_, before)) in records.iter().zip(before) {
            if self.record(*id).as_ref() == Some(changed) {
                self.write(*id, before.as_deref());
            }
        }
        answer
    }

    pub fn reset(&mut self, cold: bool) {
        self.0.reset(cold).unwrap();
    }

    pub const fn is_powered(&self) -> bool {
        self.0.0.is_powered()
    }

    pub const fn profile(&self) -> &Profile {
        self.0.0.profile()
    }

    pub const fn is_gids(&self) -> bool {
        self.profile().gids.is_some()
    }

    pub const fn nvm(&self) -> &Nvm {
        self.0.0.nvm()
    }

    pub const fn nvm_mut(&mut self) -> &mut Nvm {
        self.0.0.nvm_mut()
    }

    /// Contents of a record.
    pub fn record(&self, id: RecordId) -> Option<Vec<u8>> {
        self.nvm().read(id).map(<[u8]>::to_vec)
    }

    /// Sets or erases a record.
    pub fn write(&mut self, id: RecordId, bytes: Option<&[u8]>) {
        let change = (id, bytes.map(|bytes| Zeroizing::new(bytes.to_vec())));
        self.nvm_mut().rewrite(vec![change]).unwrap();
    }

    /// The tries that are left, and how many there are.
    pub fn tries(&self, secret: Secret) -> (u8, u8) {
        match self.nvm().read(counter(secret)) {
            Some(&[left, maximum]) => (left, maximum),
            _ => (0, 0),
        }
    }

    /// The tries that are left.
    pub fn left(&self, secret: Secret) -> u8 {
        self.tries(secret).0
    }

    pub fn set_left(&mut self, secret: Secret, left: u8) {
        let (_, maximum) = self.tries(secret);
        self.write(counter(secret), Some(&[left, maximum]));
    }

    /// Sets the tries that are left, and says so.
    pub fn leave(&mut self, secret: Secret, left: u8) -> Answer {
        self.set_left(secret, left);
        says(StatusWord::tries_left(left).0)
    }

    /// The value of a secret, as it is compared.
    pub fn value(&self, secret: Secret) -> Vec<u8> {
        self.record(value(secret)).unwrap_or_default()
    }

    pub fn set_value(&mut self, secret: Secret, bytes: &[u8]) {
        self.write(value(secret), Some(bytes));
    }

    /// The secret of a key reference.
    pub fn secret(&self, reference: u8) -> Secret {
        if self.is_gids() && reference == 0 { PIN } else { reference }
    }

    /// What a command presents for comparison.
    pub fn offer<'c>(&self, command: &Command<'c>) -> Option<Offer<'c>> {
        let secret = match (command.ins, command.p1) {
            (VERIFY | CHANGE, 0) if !command.data.is_empty() => self.secret(command.p2),
            (UNBLOCK, 0) => PUK,
            _ => return None,
        };
        let whole = command.ins == VERIFY;
        let length = if whole { command.data.len() } else { self.value(secret).len() };
        let (value, rest) = command.data.split_at_checked(length)?;
        self.nvm().read(counter(secret)).is_some().then_some(Offer { secret, value, rest })
    }

    /// The good card's answer when the right value is presented.
    pub fn pass_right(&mut self, command: &Command<'_>, offer: &Offer<'_>) -> Answer {
        let data = [&self.value(offer.secret), offer.rest].concat();
        self.pass_data(command, &data)
    }

    /// Whether the PIN is verified.
    pub fn is_verified(&mut self) -> bool {
        sw(&self.pass_bytes(&[0x00, VERIFY, 0x00, PIN])) == 0x9000
    }

    /// Verifies the PIN; its tries stay as they are.
    pub fn log_in(&mut self) {
        let right = self.value(PIN);
        self.present(&right);
    }

    /// Ends the status of a verified PIN; its tries stay as they are.
    pub fn log_out(&mut self) {
        let mut wrong = self.value(PIN);
        wrong[0] = if wrong[0] == b'1' { b'2' } else { b'1' };
        self.present(&wrong);
    }

    fn present(&mut self, pin: &[u8]) {
        let left = self.left(PIN);
        self.set_left(PIN, 1);
        let _ = self.pass(&Command { data: pin, ..header([0x00, VERIFY, 0x00, PIN]) });
        self.set_left(PIN, left);
    }

    /// The administrator key.
    pub fn key(&self) -> AdminKey {
        admin_key::load(self.nvm()).unwrap().0
    }

    /// The right response to a challenge.
    pub fn response(&self, challenge: &[u8]) -> Vec<u8> {
        self.key().encrypt(challenge).unwrap_or_default()
    }

    /// GENERAL AUTHENTICATE with the administrator key: how the card wants it.
    pub fn authenticate<'c>(&self, template: &'c [u8]) -> Command<'c> {
        let (p1, p2) = if self.is_gids() { (0, 0) } else { (self.key().cipher().id(), ADMINISTRATION) };
        Command { data: template, le: Some(256), ..header([0x00, AUTHENTICATE, p1, p2]) }
    }

    /// Draws a challenge.
    pub fn challenge(&mut self) -> Vec<u8> {
        if self.is_gids() {
            self.name_key();
        }
        let answer = self.pass(&self.authenticate(&[0x7C, 0x02, 0x81, 0x00]));
        part(&answer, 0x81)
    }

    /// GIDS: MANAGE SECURITY ENVIRONMENT for the administrator key.
    pub fn name_key(&mut self) {
        let _ = self.pass_bytes(&[0x00, 0x22, 0xC1, 0xA4, 0x03, 0x83, 0x01, 0x80]);
    }

    /// Authenticates with the administrator key; its tries stay as they are.
    pub fn be_administrator(&mut self) {
        let (left, counts) = self.tries(ADMINISTRATION);
        if counts > 0 {
            self.set_left(ADMINISTRATION, counts);
        }
        let challenge = self.challenge();
        let template = tlv::encode(0x7C, &tlv::encode(0x82, &self.response(&challenge)));
        let _ = self.pass(&self.authenticate(&template));
        if counts > 0 {
            self.set_left(ADMINISTRATION, left);
        }
    }

    /// Whether a command is GENERAL AUTHENTICATE with the administrator key; its template.
    pub fn template<'c>(&self, command: &Command<'c>) -> Option<&'c [u8]> {
        let named = if self.is_gids() { 0 } else { ADMINISTRATION };
        (command.ins == AUTHENTICATE && command.p2 == named).then(|| tlv::only(command.data, 0x7C))?
    }

    /// Whether a command asks for a challenge.
    pub fn asks(&self, command: &Command<'_>) -> bool {
        self.template(command) == Some(&[0x81, 0x00])
    }

    /// The response that a command gives to a challenge.
    pub fn answers<'c>(&self, command: &Command<'c>) -> Option<&'c [u8]> {
        tlv::only(self.template(command)?, 0x82).filter(|response| !response.is_empty())
    }

    /// Passes another response on.
    pub fn pass_response(&mut self, command: &Command<'_>, response: &[u8]) -> Answer {
        self.pass_data(command, &tlv::encode(0x7C, &tlv::encode(0x82, response)))
    }

    /// How the good card is reached.
    pub const fn interface(&self) -> Interface {
        self.0.0.conditions().interface
    }

    /// How the good card believes to be reached.
    pub const fn set_interface(&mut self, interface: Interface) {
        self.0.0.set_interface(interface);
    }
}

/// A value that is presented, and what follows it in the command.
pub struct Offer<'c> {
    pub secret: Secret,
    pub value: &'c [u8],
    pub rest: &'c [u8],
}

/// A command without data.
pub const fn header([cla, ins, p1, p2]: [u8; 4]) -> Command<'static> {
    Command { cla, ins, p1, p2, data: &[], le: None, extended: false }
}

/// An answer without data.
pub fn says(sw: u16) -> Answer {
    Ok(sw.to_be_bytes().to_vec())
}

/// The status word of an answer; 0 when there is none.
pub fn sw(answer: &Answer) -> u16 {
    answer.as_ref().ok().and_then(|bytes| bytes.last_chunk()).map_or(0, |sw| u16::from_be_bytes(*sw))
}

pub fn is_ok(answer: &Answer) -> bool {
    sw(answer) == 0x9000
}

/// The data of an answer.
pub fn data(answer: &Answer) -> &[u8] {
    answer.as_ref().ok().and_then(|bytes| bytes.split_last_chunk::<2>()).map_or(&[], |(data, _)| data)
}

/// One object of the dynamic authentication template that is answered.
pub fn part(answer: &Answer, tag: u32) -> Vec<u8> {
    tlv::only(data(answer), 0x7C).and_then(|template| tlv::find(template, tag)).unwrap_or_default().to_vec()
}

/// VERIFY without data.
pub const fn is_query(command: &Command<'_>) -> bool {
    command.ins == VERIFY && command.p1 == 0 && command.data.is_empty()
}

/// Whether a block is not the last of its chain.
pub const fn goes_on(command: &Command<'_>) -> bool {
    command.cla & MORE != 0
}
