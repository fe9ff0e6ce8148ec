//! Secure messaging and the virtual contact interface.
//!
//! A shell cannot look into what is wrapped for the card inside, so it is the card there: it has the key (04) out of the
//! card's memory, keeps the session itself, and passes what was inside on in the clear - over the contacts, where the
//! virtual contact interface is open. `Terminator` does so by the standard, but for the one thing that is wrong.

use crate::good::{
    AUTHENTICATE, Answer, CHANGE, GENERATE, GET_RESPONSE, Good, MORE, PIN, PUT_DATA, SELECT, VERIFY, data, header, says, sw,
};
use crate::shell::{Shell, is_caught_secured, shell};
use cardlab_protocol::apdu::Command;
use cardlab_protocol::channel::aes::Key;
use cardlab_protocol::channel::piv::Suite;
use cardlab_protocol::channel::piv::derivation::{Agreement, card_identifier};
use cardlab_protocol::channel::piv::session::SessionKeys;
use cardlab_protocol::channel::piv::wrapping::{self, Malformed, WrappedCommand};
use cardlab_protocol::status::StatusWord;
use cardlab_protocol::tlv::{encode, find, find_path};
use cardlab_sim::conditions::Interface;
use cardlab_sim::crypto::ec::Curve;
use cardlab_sim::memory::{CARD_CERTIFICATE, key, object};

const SECURED: u8 = 0x0C;
const KEY: u8 = 0x04;
const PAIRING: u8 = 0x98;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    MacIgnored,
    HalfMac,
    ParameterNotCovered,
    KeysKept,
    Replays,
    PaddingIgnored,
    NoMacNeeded,
    StatusOutside,
    CounterWaits,
    AnyInstruction,
    PlainEnds,
    Nested,
    MixedChain,
    AnyControl,
    AnyPoint,
    OneNonce,
    OldKeys,
    BadCertificate,
    NoProof,
    FailureKeeps,
    NoCode,
    WrongCodeKeeps,
    CodeInTheClear,
    PinBeforeCode,
    NoTriesKept,
    PlainKeys,
    PinOnce,
    PukChanged,
    PinNotNeeded,
    Administrator,
    NeverForgets,
    DiscoveryIgnored,
    CodeCounted,
}

struct Session {
    keys: SessionKeys,
    counter: u128,
    commands: [u8; 16],
    before: [u8; 16],
    responses: [u8; 16],
}

struct Terminator {
    fault: Fault,
    session: Option<Session>,
    blocks: Vec<u8>,
    pending: Vec<u8>,
    paired: bool,
    drawn: u8,
}

fn terminator(fault: Fault) -> Box<dyn Shell> {
    Box::new(Terminator { fault, session: None, blocks: Vec::new(), pending: Vec::new(), paired: false, drawn: 0 })
}

impl Shell for Terminator {
    fn transmit(&mut self, card: &mut Good, command: &Command<'_>) -> Answer {
        let Some(suite) = suite(card) else { return card.pass(command) };
        if command.ins == GET_RESPONSE && !self.pending.is_empty() {
            let pending = std::mem::take(&mut self.pending);
            return self.part(&pending);
        }
        self.pending.clear();
        let secured = command.cla & SECURED == SECURED;
        if secured || (self.fault == Fault::MixedChain && !self.blocks.is_empty() && command.ins == AUTHENTICATE) {
            return self.secured(card, suite, command);
        }
        self.blocks.clear();
        if command.ins == AUTHENTICATE && command.p2 == KEY {
            return self.establish(card, suite, command);
        }
        match self.fault {
            Fault::PlainEnds if command.ins != SELECT => self.session = None,
            Fault::CodeInTheClear if command.ins == VERIFY && command.p2 == PAIRING => return with_contacts(card, command),
            Fault::PlainKeys if self.paired && command.ins == AUTHENTICATE => return with_contacts(card, command),
            _ => {}
        }
        card.pass(command)
    }
}

/// The suite of the card's key.
fn suite(card: &Good) -> Option<Suite> {
    match card.record(key(KEY))?.first()? {
        0x11 => Some(Suite::Cs2),
        _ => Some(Suite::Cs7),
    }
}

fn with_contacts(card: &mut Good, command: &Command<'_>) -> Answer {
    let interface = card.interface();
    card.set_interface(Interface::Contact);
    let answer = whole(card, command);
    card.set_interface(interface);
    answer
}

/// An answer with all that waits behind 61xx.
fn whole(card: &mut Good, command: &Command<'_>) -> Answer {
    let mut answer = card.pass(command)?;
    while let [.., 0x61, left] = answer[..] {
        answer.truncate(answer.len() - 2);
        answer.extend(card.pass_bytes(&[0x00, GET_RESPONSE, 0x00, 0x00, left])?);
    }
    Ok(answer)
}

impl Terminator {
    /// What may be sent now; the rest waits.
    fn part(&mut self, bytes: &[u8]) -> Answer {
        if bytes.len() <= 256 {
            return Ok([bytes, &[0x90, 0x00]].concat());
        }
        self.pending = bytes[256..].to_vec();
        Ok([&bytes[..256], &[0x61, self.pending.len().min(255) as u8]].concat())
    }

    fn establish(&mut self, card: &mut Good, suite: Suite, command: &Command<'_>) -> Answer {
        let old = self.session.take();
        if matches!(self.fault, Fault::FailureKeeps | Fault::OldKeys) {
            self.session = old;
        }
        if command.p1 != suite.id() {
            return says(0x6A86);
        }
        let Some((&[control, ref host @ ..], point)) =
            find_path(command.data, &[0x7C, 0x81]).and_then(|c| c.split_first_chunk::<9>())
        else {
            return says(0x6A80);
        };
        if control & 0xF0 != 0 && self.fault != Fault::AnyControl {
            return says(0x6A80);
        }
        let curve = if suite == Suite::Cs2 { Curve::P256 } else { Curve::P384 };
        let scalar = card.record(key(KEY)).unwrap()[6..].to_vec();
        let secret = curve.agree(&scalar, point).map(|secret| secret.to_vec());
        let secret = match secret {
            Ok(secret) => secret,
            Err(_) if self.fault == Fault::AnyPoint && suite.is_point(point) => vec![0; suite.coordinate()],
            Err(_) => return says(0x6A80),
        };
        self.drawn += 1;
        let nonce = vec![if self.fault == Fault::OneNonce { 0 } else { self.drawn }; suite.nonce()];
        let mut certificate = card.record(CARD_CERTIFICATE).unwrap();
        if self.fault == Fault::BadCertificate {
            *certificate.last_mut().unwrap() ^= 1;
        }
        let agreement =
            Agreement { suite, secret: &secret, control, host, point, card: &card_identifier(&certificate), nonce: &nonce };
        let (keys, mut cryptogram) = agreement.derive().unwrap();
        if self.fault == Fault::NoProof {
            cryptogram[0] ^= 1;
        }
        if self.fault != Fault::OldKeys || self.session.is_none() {
            self.session = Some(Session { keys, counter: 1, commands: [0; 16], before: [0; 16], responses: [0; 16] });
        }
        let body = [&[0x00], &nonce[..], &cryptogram, &certificate].concat();
        self.part(&encode(0x7C, &encode(0x82, &body)))
    }

    fn secured(&mut self, card: &mut Good, suite: Suite, command: &Command<'_>) -> Answer {
        let Some(mut session) = self.session.take() else { return says(0x6982) };
        self.blocks.extend_from_slice(command.data);
        if command.cla & MORE != 0 {
            self.session = Some(session);
            return says(0x9000);
        }
        let field = std::mem::take(&mut self.blocks);
        let plain = match session.open(self.fault, command, &field) {
            Ok(plain) => plain,
            Err(sw) => {
                self.session = Some(session).filter(|_| self.fault == Fault::KeysKept);
                return says(sw);
            }
        };
        let carried = matches!(command.ins, 0xCB | VERIFY | CHANGE | AUTHENTICATE) || self.fault == Fault::AnyInstruction;
        if !carried {
            return says(0x6882);
        }
        let inner = Command { cla: 0x00, data: &plain, le: Some(256), extended: plain.len() > 255, ..*command };
        let answer = self.inner(card, suite, &inner);
        let sealed = session.seal(self.fault, !plain.is_empty(), data(&answer), sw(&answer));
        self.session = Some(session);
        if self.fault == Fault::StatusOutside && sw(&answer) != 0x9000 {
            return says(sw(&answer));
        }
        self.part(&sealed)
    }

    /// The answer to a command that was inside.
    fn inner(&mut self, card: &mut Good, suite: Suite, command: &Command<'_>) -> Answer {
        if command.ins == AUTHENTICATE && command.p2 == KEY {
            return match self.fault {
                Fault::Nested => Ok([&encode(0x7C, &[suite.id()])[..], &[0x90, 0x00]].concat()),
                _ => says(0x6982),
            };
        }
        if card.interface() == Interface::Contact {
            return whole(card, command);
        }
        let discovery = card.record(object(0x7E)).unwrap_or_default();
        let mut policy = find(&discovery, 0x5F2F).map_or(0, |bits| bits[0]);
        if self.fault == Fault::DiscoveryIgnored && discovery.is_empty() {
            policy = 0x4C;
        }
        if command.ins == VERIFY && command.p2 == PAIRING {
            return self.code(card, command, policy);
        }
        let open = policy & 0x08 != 0 && (self.paired || policy & 0x04 != 0);
        let open = open || self.fault == Fault::NoCode || (self.fault == Fault::PinBeforeCode && command.ins == VERIFY);
        let never = (command.ins == AUTHENTICATE && command.p2 == 0x9B && self.fault != Fault::Administrator)
            || (command.ins == CHANGE && command.p2 == 0x81 && self.fault != Fault::PukChanged);
        if never {
            return says(0x6982);
        }
        if !open {
            return whole(card, command);
        }
        let guess = matches!(command.ins, VERIFY | CHANGE) && !command.data.is_empty();
        if guess && card.left(PIN) <= 1 && self.fault != Fault::NoTriesKept {
            return says(0x6983);
        }
        let once = self.fault == Fault::PinOnce && command.p2 == 0x9C;
        if command.ins == AUTHENTICATE && (once || self.fault == Fault::PinNotNeeded) {
            let pin = card.value(PIN);
            let _ = with_contacts(card, &Command { data: &pin, ..header([0x00, VERIFY, 0x00, 0x80]) });
        }
        with_contacts(card, command)
    }

    fn code(&mut self, card: &mut Good, command: &Command<'_>, policy: u8) -> Answer {
        if policy & 0x08 == 0 {
            return says(0x6A88);
        }
        let answer = with_contacts(card, command);
        match (command.p1, sw(&answer)) {
            (0xFF, 0x9000) => self.paired = self.fault == Fault::NeverForgets,
            (_, 0x9000) => self.paired = true,
            (_, 0x6300) if self.fault == Fault::CodeCounted => return says(0x63C2),
            (_, 0x6300) if self.fault != Fault::WrongCodeKeeps => self.paired = false,
            _ => {}
        }
        answer
    }
}

impl Session {
    fn open(&mut self, fault: Fault, command: &Command<'_>, field: &[u8]) -> Result<Vec<u8>, u16> {
        let none = [0; 8];
        let wrapped = match WrappedCommand::parse(field) {
            Ok(wrapped) => wrapped,
            Err(Malformed::Missing) if fault == Fault::NoMacNeeded => {
                let cryptogram = find(field, 0x87).and_then(|value| value.get(1..));
                WrappedCommand { cryptogram, expects_data: true, covered: field, mac: &none }
            }
            Err(Malformed::Missing) => return Err(0x6987),
            Err(Malformed::Incorrect) => return Err(0x6988),
        };
        let p1 = if fault == Fault::ParameterNotCovered { 0x00 } else { command.p1 };
        let header = wrapping::header(command.ins, p1, command.p2);
        let mac = self.keys.mac.mac(&[&self.commands, &header, wrapped.covered]);
        let compared = if fault == Fault::HalfMac { 4 } else { 8 };
        let again = || self.keys.mac.mac(&[&self.before, &header, wrapped.covered]);
        let right = mac[..compared] == wrapped.mac[..compared]
            || fault == Fault::MacIgnored
            || fault == Fault::NoMacNeeded && *wrapped.mac == none
            || fault == Fault::Replays && again()[..8] == wrapped.mac[..];
        if !right {
            return Err(0x6988);
        }
        // What is taken again is taken as the one before.
        let counter = if mac[..compared] == wrapped.mac[..compared] {
            self.counter
        } else {
            self.counter - u128::from(fault == Fault::Replays)
        };
        (self.before, self.commands) = (self.commands, mac);
        let Some(cryptogram) = wrapped.cryptogram else { return Ok(Vec::new()) };
        let iv = self.keys.encryption.block(&counter.to_be_bytes());
        match self.keys.encryption.open(&iv, cryptogram) {
            Some(plain) => Ok(plain.to_vec()),
            None if fault == Fault::PaddingIgnored => Ok(unpadded(&self.keys.encryption, &iv, cryptogram).unwrap_or_default()),
            None => Err(0x6988),
        }
    }

    fn seal(&mut self, fault: Fault, had_data: bool, data: &[u8], sw: u16) -> Vec<u8> {
        let mut counter = self.counter.to_be_bytes();
        counter[0] = 0x80;
        let cryptogram = (!data.is_empty()).then(|| self.keys.encryption.seal(&self.keys.encryption.block(&counter), data));
        let mut field = wrapping::response(cryptogram.as_deref(), StatusWord(sw));
        self.responses = self.keys.response_mac.mac(&[&self.responses, &field]);
        wrapping::add_mac(&mut field, &self.responses);
        if had_data || fault != Fault::CounterWaits {
            self.counter += 1;
        }
        field
    }
}

/// What is under a cryptogram, to its last byte that is no zero.
fn unpadded(key: &Key, iv: &[u8; 16], cryptogram: &[u8]) -> Option<Vec<u8>> {
    let plain = key.decrypt(iv, cryptogram)?;
    let end = plain.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
    Some(plain[..end].to_vec())
}

/// A card that is one of these.
macro_rules! wrong {
    ($($name:ident: $fault:ident, $what:literal;)*) => {$(
        #[test]
        fn $name() {
            is_caught_secured($what, || terminator(Fault::$fault));
        }
    )*};
}

wrong! {
    mac_ignored: MacIgnored, "the MAC of a wrapped command is not looked at";
    half_mac: HalfMac, "half of the MAC of a wrapped command is compared";
    parameter_not_covered: ParameterNotCovered, "the MAC of a wrapped command does not cover P1";
    keys_kept: KeysKept, "a session goes on after a wrong MAC";
    replays: Replays, "a wrapped command is taken twice";
    padding_ignored: PaddingIgnored, "the padding of a wrapped command is not looked at";
    no_mac_needed: NoMacNeeded, "a wrapped command needs no MAC";
    status_outside: StatusOutside, "the status of a wrapped command is told in the open";
    counter_waits: CounterWaits, "the counter of a session waits for commands with data";
    any_instruction: AnyInstruction, "any instruction goes under secure messaging";
    plain_ends: PlainEnds, "a plain command ends the session";
    nested: Nested, "a session is established inside another";
    mixed_chain: MixedChain, "a chain is carried out that ends in the clear";
    any_control: AnyControl, "the host's control byte is not looked at";
    any_point: AnyPoint, "a point off the curve establishes a session";
    one_nonce: OneNonce, "every establishment has the same nonce";
    old_keys: OldKeys, "a session goes on after a new establishment";
    bad_certificate: BadCertificate, "the signature of the card's certificate is wrong";
    no_proof: NoProof, "the card's cryptogram is not its key's";
    failure_keeps: FailureKeeps, "a session goes on after an establishment that failed";
    no_code: NoCode, "secure messaging alone opens the virtual contact interface";
    wrong_code_keeps: WrongCodeKeeps, "a wrong pairing code closes nothing";
    code_in_the_clear: CodeInTheClear, "the pairing code is taken in the clear";
    pin_before_code: PinBeforeCode, "the PIN is taken before the pairing code";
    no_tries_kept: NoTriesKept, "the PIN can be blocked over the virtual contact interface";
    plain_keys: PlainKeys, "keys are used in the clear once the virtual contact interface was opened";
    pin_once: PinOnce, "over the virtual contact interface the signature key wants the PIN once";
    puk_changed: PukChanged, "the PUK is changed over the virtual contact interface";
    pin_not_needed: PinNotNeeded, "over the virtual contact interface keys want no PIN";
    administrator: Administrator, "the administrator key is used over the virtual contact interface";
    never_forgets: NeverForgets, "VERIFY with P1=FF does not close the virtual contact interface";
    discovery_ignored: DiscoveryIgnored, "the virtual contact interface needs no Discovery Object";
    code_counted: CodeCounted, "a wrong pairing code says that tries are left";
}

/// What is wrong with a sabotaged card here is its fault, not the shell.
#[test]
fn without_a_fault_the_shell_is_a_good_card() {
    crate::shell::is_good("piv/800-73-4", || terminator(Fault::None));
}

/// As `fault!`, for the tests of secure messaging.
macro_rules! secured {
    ($name:ident, $what:literal, $shell:expr) => {
        #[test]
        fn $name() {
            is_caught_secured($what, || shell($shell));
        }
    };
}

secured!(two_suites_named, "SELECT names both cipher suites", |card, command| {
    let answer = card.pass(command)?;
    let at = answer.windows(6).position(|bytes| bytes.starts_with(&[0xAC, 0x06, 0x80, 0x01]));
    match at.filter(|_| command.ins == SELECT) {
        Some(at) => {
            let inside = [&answer[2..at], &[0xAC, 0x09, 0x80, 0x01, 0x27, 0x80, 0x01, 0x2E, 0x06, 0x01, 0x00]].concat();
            Ok([&encode(0x61, &inside)[..], &[0x90, 0x00]].concat())
        }
        None => Ok(answer),
    }
});

secured!(p384_beside_cs2, "a P-384 signature key stands beside CS2", |card, command| {
    let certificate = card.record(CARD_CERTIFICATE).filter(|_| command.ins == GENERATE);
    let Some(certificate) = certificate else { return card.pass(command) };
    card.write(CARD_CERTIFICATE, None);
    let answer = card.pass(command);
    card.write(CARD_CERTIFICATE, Some(&certificate));
    answer
});

fault!(unknown_class, "a card without secure messaging says of its class that it is unknown", |card, command| {
    match command.cla & SECURED == SECURED && card.record(CARD_CERTIFICATE).is_none() {
        true => says(0x6E00),
        false => card.pass(command),
    }
});

secured!(code_not_readable, "the object of the pairing code has another one", |card, command| {
    let id = object(0x5F_C123);
    match card.record(id).filter(|_| command.ins != PUT_DATA) {
        Some(mut copy) => {
            copy[2] = b'0';
            card.pass_with(&[(id, copy)], command)
        }
        None => card.pass(command),
    }
});
