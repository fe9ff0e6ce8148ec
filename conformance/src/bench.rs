//! The bench that a test's body works at: one card, words for what is asked of it, a transcript of what
//! was said, and what was expected.

use crate::credentials::Credentials;
use crate::keys::KeyKind;
use crate::oracle::PublicKey;
use crate::target::Slot;
use crate::test::Danger;
use cardlab_client::minidriver::Minidriver;
use cardlab_client::recognise::Edge;
use cardlab_client::transport::{Transport, TransportError};
use cardlab_protocol::admin_key::AdminKey;
use cardlab_protocol::apdu::{self, short};
use cardlab_protocol::tlv::{encode, find_path, tag_bytes};
use hex_literal::hex;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use zeroize::Zeroizing;

/// How a body ends: quietly, or with a reason.
pub type Verdict<T = ()> = Result<T, Stop>;

/// Why a test did not pass.
#[derive(Debug)]
pub enum Stop {
    /// The card did something else than the standard says.
    Failed(String),
    /// The test does not apply to this card after all.
    NotApplicable(String),
    /// The card could not be asked.
    Card(TransportError),
}

impl From<TransportError> for Stop {
    fn from(error: TransportError) -> Self {
        Self::Card(error)
    }
}

impl Stop {
    pub(crate) fn failed(what: impl Into<String>) -> Self {
        Self::Failed(what.into())
    }
}

/// Data objects by tag.
pub type Objects = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A card as the suite knows it.
#[derive(Clone)]
pub struct Facts {
    /// What its report is called by.
    pub name: String,
    /// What kind of card it is.
    pub edge: Edge,
    /// Serial or card id, upper-case hexadecimal; may be empty.
    pub serial: String,
    /// Secrets that are known.
    pub credentials: Credentials,
    /// Keys in slots.
    pub keys: Vec<(u8, PublicKey)>,
    /// The card is new, and nobody's: it may be used up.
    pub new: bool,
    /// It takes extended-length commands.
    pub extended_length: bool,
    /// PIN entries that it allows, when known.
    pub pin_tries: Option<u8>,
    /// Data objects of a PIV card that lives on, as they were: contents of `53` by tag, `None` for one that is
    /// absent.
    pub objects: Objects,
}

/// One exchange.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Line {
    /// Command APDU, or a word such as `reset`.
    pub command: String,
    /// Response APDU.
    pub response: String,
}

/// A response APDU and the command that it answers.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Data.
    pub data: Vec<u8>,
    /// Status word.
    pub sw: u16,
}

impl Reply {
    /// This status word; gives the data.
    pub(crate) fn is(self, sw: u16, what: &str) -> Verdict<Vec<u8>> {
        self.any_of(&[sw], what)
    }

    pub(crate) fn ok(self, what: &str) -> Verdict<Vec<u8>> {
        self.is(0x9000, what)
    }

    /// One of these status words.
    pub(crate) fn any_of(self, allowed: &[u16], what: &str) -> Verdict<Vec<u8>> {
        if allowed.contains(&self.sw) {
            return Ok(self.data);
        }
        let allowed: Vec<String> = allowed.iter().map(|sw| format!("{sw:04X}")).collect();
        Err(Stop::Failed(format!("{what}: expected {}, got {:04X}", allowed.join(" or "), self.sw)))
    }

    /// 63Cx with these tries left.
    pub(crate) fn left(self, left: u8, what: &str) -> Verdict {
        self.is(0x63C0 | u16::from(left.min(15)), what).map(drop)
    }

    /// Any error, no data.
    pub(crate) fn refused(self, what: &str) -> Verdict {
        if self.sw == 0x9000 || self.sw >> 8 == 0x61 || !self.data.is_empty() {
            return Err(Stop::Failed(format!(
                "{what}: expected an error and no data, got {:04X} and {} bytes",
                self.sw,
                self.data.len()
            )));
        }
        Ok(())
    }
}

/// Checks a fact; the message says what should have been.
pub(crate) fn holds(fact: bool, what: impl Into<String>) -> Verdict {
    if fact { Ok(()) } else { Err(Stop::Failed(what.into())) }
}

/// Two values that must be the same.
pub(crate) fn same(got: &[u8], expected: &[u8], what: &str) -> Verdict {
    holds(got == expected, format!("{what}: expected {}, got {}", shown(expected), shown(got)))
}

fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 40;
    let hex = hex::encode_upper(&bytes[..bytes.len().min(MOST)]);
    if bytes.len() > MOST { format!("{hex}.. ({} bytes)", bytes.len()) } else { format!("'{hex}'") }
}

/// Longest data of one short command.
const BLOCK: usize = 255;
const PIV_PIN: usize = 8;

/// One card on the bench.
pub struct Bench<'a> {
    slot: Box<dyn Slot + 'a>,
    /// What is known of it.
    pub facts: Facts,
    /// What was said.
    pub transcript: Vec<Line>,
    /// The PIN that the card has now, when a test has changed it.
    pin_now: Option<Zeroizing<Vec<u8>>>,
    puk_now: Option<Zeroizing<Vec<u8>>>,
    /// A try of the PUK may have been spent: it was sent, and not taken.
    puk_spent: bool,
    /// Data objects that the test may have written.
    written: BTreeSet<Vec<u8>>,
    /// What the test may do to the card.
    allowed: Danger,
    /// Header and data of a chain that is under way.
    chain: ([u8; 4], Zeroizing<Vec<u8>>),
}

impl<'a> Bench<'a> {
    /// A powered card, for a test that may do this to it. A command that could do more is not sent.
    #[must_use]
    pub fn new(slot: Box<dyn Slot + 'a>, facts: Facts, allowed: Danger) -> Self {
        Self {
            slot,
            facts,
            transcript: Vec::new(),
            pin_now: None,
            puk_now: None,
            puk_spent: false,
            written: BTreeSet::new(),
            allowed,
            chain: Default::default(),
        }
    }

    pub(crate) fn gids(&self) -> bool {
        matches!(self.facts.edge, Edge::Gids { .. })
    }

    /// Firmware of a YubiKey.
    pub(crate) const fn yubikey(&self) -> Option<[u8; 3]> {
        match self.facts.edge {
            Edge::Piv { yubikey, .. } => yubikey,
            Edge::Gids { .. } => None,
        }
    }

    /// Sends one command and nothing else.
    pub(crate) fn send(&mut self, command: &[u8]) -> Verdict<Reply> {
        let risk = self.risk(command);
        if risk > self.allowed {
            return Err(Stop::Failed(format!(
                "a fault of the suite: the test is declared '{}', but sends {}, which may do '{risk}' to a card; it was not sent",
                self.allowed,
                masked(command, self.facts.new)
            )));
        }
        let answer = self.slot.transmit(command);
        let done = answer.as_ref().is_ok_and(|response| response.ends_with(&[0x90, 0x00]));
        if let Some((header, data)) = self.whole(command) {
            if done {
                self.note_written(header, &data);
            }
            self.note_secrets(header, &data, done);
        }
        let said = match &answer {
            Ok(response) => hex::encode_upper(response),
            Err(error) => error.to_string(),
        };
        let command = masked(command, self.facts.new);
        self.transcript.push(Line { command, response: said });
        let answer = answer?;
        let Some((data, sw)) = apdu::response(&answer) else {
            return Err(Stop::Failed(format!("a response of {} bytes has no status word", answer.len())));
        };
        Ok(Reply { data: data.to_vec(), sw: sw.0 })
    }

    /// Header and data of a command, those of the blocks before it included where it ends a chain.
    fn whole(&mut self, command: &[u8]) -> Option<([u8; 4], Zeroizing<Vec<u8>>)> {
        let (&[class, ins, p1, p2], body) = command.split_first_chunk()?;
        let data = match *body {
            [0, high, low, ref data @ ..] => data.get(..usize::from(u16::from_be_bytes([high, low]))).unwrap_or(data),
            [length, ref data @ ..] => data.get(..usize::from(length)).unwrap_or(data),
            [] => &[],
        };
        let header = [class & !0x10, ins, p1, p2];
        if self.chain.0 != header {
            self.chain = (header, Zeroizing::default());
        }
        self.chain.1.extend_from_slice(data);
        (class & 0x10 == 0).then(|| (header, std::mem::take(&mut self.chain.1)))
    }

    /// PUT DATA that a card that lives on has taken: what it writes is to be put back.
    fn note_written(&mut self, header: [u8; 4], data: &[u8]) {
        if let ([_, 0xDB, 0x3F, 0xFF], [0x5C, length, rest @ ..], false) = (header, data, self.facts.new) {
            self.written.extend(rest.get(..usize::from(*length)).map(<[u8]>::to_vec));
        }
    }

    /// CHANGE REFERENCE DATA and RESET RETRY COUNTER: what PIN and PUK are now, also when a card has taken what it should
    /// have refused, and whether tries of the PUK may be gone, whatever the card says or when it says nothing.
    fn note_secrets(&mut self, [_, ins, p1, p2]: [u8; 4], data: &[u8], done: bool) {
        let of_puk = match (ins, p1, p2) {
            (0x24, _, 0x80) | (0x2C, 0x02, _) => false,
            (0x24, _, 0x81) | (0x2C, 0x00, _) => true,
            _ => return,
        };
        if of_puk {
            self.puk_spent = !done;
        }
        let before = match (ins, of_puk) {
            (0x2C, false) => 0,
            // Where the old PIN ends only its sender knows.
            _ if self.gids() => return,
            _ => PIV_PIN,
        };
        let Some(new) = data.get(before..).filter(|new| done && !new.is_empty()) else { return };
        let padding = if self.gids() { 0 } else { new.iter().rev().take_while(|byte| **byte == 0xFF).count() };
        let new = Some(Zeroizing::new(new[..new.len() - padding].to_vec()));
        if ins == 0x24 && of_puk { self.puk_now = new } else { self.pin_now = new }
    }

    /// What a command may do to a card at worst, also to one that does not keep the standard: a guess may
    /// cost a try wherever it is sent, and a write may be carried out though it should be refused.
    /// A response to a challenge is not judged: right and wrong ones look alike here.
    fn risk(&self, command: &[u8]) -> Danger {
        let [_, ins, p1, p2, rest @ ..] = command else { return Danger::Safe };
        let data = rest.get(1..).unwrap_or_default();
        match ins {
            0x20 | 0x24 | 0x2C if data.is_empty() => Danger::Safe,
            0x20 if *p1 == 0x00 && matches!(p2, 0x00 | 0x80) && self.pin().is_ok_and(|pin| data == &self.framed(&pin)[..]) => {
                Danger::Safe
            }
            0x20 | 0x24 | 0x2C => Danger::SpendsTries,
            0xE6 | 0xFB => Danger::Resets,
            0xDB | 0x47 | 0xE0 | 0xE4 | 0x44 | 0xF6 | 0xFA | 0xFE | 0xFF => Danger::ChangesKeys,
            _ => Danger::Safe,
        }
    }

    /// Fetches what 61xx announces.
    pub(crate) fn full(&mut self, command: &[u8]) -> Verdict<Reply> {
        let first = self.send(command)?;
        self.rest(first)
    }

    pub(crate) fn rest(&mut self, first: Reply) -> Verdict<Reply> {
        let (mut data, mut sw) = (first.data, first.sw);
        for _ in 0..256 {
            if sw >> 8 != 0x61 {
                return Ok(Reply { data, sw });
            }
            let next = self.send(&[0x00, 0xC0, 0x00, 0x00, sw as u8])?;
            data.extend(next.data);
            sw = next.sw;
        }
        Err(Stop::failed("GET RESPONSE: the answer has no end"))
    }

    /// A command with as much data as it may have: chained, and its answer fetched.
    pub(crate) fn long(&mut self, header: [u8; 4], data: &[u8]) -> Verdict<Reply> {
        let mut blocks: Vec<&[u8]> = data.chunks(BLOCK).collect();
        let last = blocks.pop().unwrap_or_default();
        for block in blocks {
            let reply = self.send(&short([header[0] | 0x10, header[1], header[2], header[3]], block, None))?;
            if reply.sw != 0x9000 {
                return Ok(reply);
            }
        }
        self.full(&short(header, last, Some(0)))
    }

    /// A warm reset; the application is no longer selected.
    pub(crate) fn reset(&mut self) -> Verdict {
        self.transcript.push(Line { command: "reset".into(), response: String::new() });
        Ok(self.slot.reset(false)?)
    }

    /// Power off and on.
    pub(crate) fn power_cycle(&mut self) -> Verdict {
        self.transcript.push(Line { command: "power off, power on".into(), response: String::new() });
        Ok(self.slot.reset(true)?)
    }

    /// Cuts the power at the `n`-th tear point of the next commands.
    pub(crate) fn cut_power_at(&mut self, n: u32) -> Verdict {
        if self.slot.cut_power_at(n) {
            Ok(())
        } else {
            Err(Stop::NotApplicable("power cannot be cut inside a command here".into()))
        }
    }

    /// SELECT of the card's application.
    pub(crate) fn select(&mut self) -> Verdict<Reply> {
        if self.gids() {
            self.send(&hex!("00A404000BA00000039742544659020100"))
        } else {
            self.send(&hex!("00A4040005A00000030800"))
        }
    }

    /// A new session with the application selected.
    pub(crate) fn start(&mut self) -> Verdict {
        self.reset()?;
        self.select()?.ok("SELECT").map(drop)
    }

    /// The PIN as the card wants it.
    pub(crate) fn framed(&self, pin: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut framed = Zeroizing::new(pin.to_vec());
        if !self.gids() {
            framed.resize(PIV_PIN.max(pin.len()), 0xFF);
        }
        framed
    }

    /// The right PIN, as typed.
    pub(crate) fn pin(&self) -> Verdict<Zeroizing<Vec<u8>>> {
        let known =
            self.pin_now.clone().or_else(|| self.facts.credentials.pin.as_ref().map(|p| Zeroizing::new(p.as_bytes().to_vec())));
        known.ok_or_else(|| Stop::NotApplicable("the PIN is not known".into()))
    }

    pub(crate) fn puk(&self) -> Verdict<Zeroizing<Vec<u8>>> {
        let known =
            self.puk_now.clone().or_else(|| self.facts.credentials.puk.as_ref().map(|p| Zeroizing::new(p.as_bytes().to_vec())));
        known.ok_or_else(|| Stop::NotApplicable("the PUK is not known".into()))
    }

    pub(crate) fn admin_key(&self) -> Verdict<AdminKey> {
        self.facts.credentials.admin.clone().ok_or_else(|| Stop::NotApplicable("the administration key is not known".into()))
    }

    /// A PIN of the same length that is not the right one.
    pub(crate) fn wrong_pin(&self) -> Verdict<Zeroizing<Vec<u8>>> {
        Ok(Zeroizing::new(self.pin()?.iter().map(|b| if *b == b'9' { b'0' } else { b + 1 }).collect()))
    }

    pub(crate) fn wrong_puk(&self) -> Verdict<Zeroizing<Vec<u8>>> {
        Ok(Zeroizing::new(self.puk()?.iter().map(|b| if *b == b'9' { b'0' } else { b + 1 }).collect()))
    }

    /// VERIFY with this reference and these bytes as they are.
    pub(crate) fn verify_raw(&mut self, reference: u8, bytes: &[u8]) -> Verdict<Reply> {
        self.send(&short([0x00, 0x20, 0x00, reference], bytes, None))
    }

    pub(crate) fn verify_with(&mut self, pin: &[u8]) -> Verdict<Reply> {
        let framed = self.framed(pin);
        self.verify_raw(0x80, &framed)
    }

    /// VERIFY with the right PIN.
    pub(crate) fn verify(&mut self) -> Verdict {
        let pin = self.pin()?;
        self.verify_with(&pin)?.ok("VERIFY with the right PIN").map(drop)
    }

    pub(crate) fn verify_wrong(&mut self) -> Verdict<Reply> {
        let wrong = self.wrong_pin()?;
        self.verify_with(&wrong)
    }

    /// VERIFY without data: 9000 when verified, else the tries.
    pub(crate) fn query(&mut self) -> Verdict<Reply> {
        self.send(&hex!("00200080"))
    }

    pub(crate) fn is_verified(&mut self, what: &str) -> Verdict {
        self.query()?.ok(&format!("{what}: VERIFY without data, of a verified PIN")).map(drop)
    }

    pub(crate) fn is_not_verified(&mut self, what: &str) -> Verdict {
        let sw = self.query()?.sw;
        holds(sw != 0x9000, format!("{what}: the PIN must not be verified, but VERIFY without data says 9000"))
    }

    /// Tries of the PIN, which must not be verified.
    pub(crate) fn tries(&mut self) -> Verdict<u8> {
        let reply = self.query()?;
        match reply.sw {
            0x6983 => Ok(0),
            0x63C0..=0x63CF => Ok((reply.sw & 0x0F) as u8),
            sw => Err(Stop::Failed(format!("VERIFY without data: expected 63Cx or 6983, got {sw:04X}"))),
        }
    }

    /// All tries, by giving them back with the right PIN.
    pub(crate) fn all_tries(&mut self) -> Verdict<u8> {
        self.verify()?;
        self.start()?;
        self.tries()
    }

    /// A secret to be changed to: another one, which keeps every rule.
    pub(crate) fn other_pin(&self) -> &'static [u8] {
        b"84629517"
    }

    pub(crate) fn change_raw(&mut self, reference: u8, data: &[u8]) -> Verdict<Reply> {
        self.send(&short([0x00, 0x24, 0x00, reference], data, None))
    }

    /// CHANGE REFERENCE DATA of the PIN.
    pub(crate) fn change(&mut self, old: &[u8], new: &[u8]) -> Verdict<Reply> {
        let data = [&self.framed(old)[..], &self.framed(new)].concat();
        let reply = self.change_raw(0x80, &data)?;
        if reply.sw == 0x9000 {
            self.pin_now = Some(Zeroizing::new(new.to_vec()));
        }
        Ok(reply)
    }

    /// CHANGE REFERENCE DATA of the PUK.
    pub(crate) fn change_puk(&mut self, old: &[u8], new: &[u8]) -> Verdict<Reply> {
        let data = [&self.framed(old)[..], &self.framed(new)].concat();
        self.change_raw(0x81, &data)
    }

    /// RESET RETRY COUNTER with a PUK.
    pub(crate) fn unblock(&mut self, puk: &[u8], new: &[u8]) -> Verdict<Reply> {
        let data = [&self.framed(puk)[..], &self.framed(new)].concat();
        self.send(&short([0x00, 0x2C, 0x00, 0x80], &data, None))
    }

    /// RESET RETRY COUNTER after the administration key.
    pub(crate) fn admin_unblock(&mut self, new: &[u8]) -> Verdict<Reply> {
        let new_framed = self.framed(new);
        self.send(&short([0x00, 0x2C, 0x02, 0x80], &new_framed, None))
    }

    /// Wrong PINs until it is blocked.
    pub(crate) fn block_pin(&mut self) -> Verdict {
        for _ in 0..=255 {
            if self.verify_wrong()?.sw == 0x6983 {
                return Ok(());
            }
        }
        Err(Stop::failed("256 wrong PINs do not block it"))
    }

    pub(crate) fn block_puk(&mut self) -> Verdict {
        let wrong = self.wrong_puk()?;
        for _ in 0..=255 {
            if self.change_puk(&wrong, &wrong)?.sw == 0x6983 {
                return Ok(());
            }
        }
        Err(Stop::failed("256 wrong PUKs do not block it"))
    }

    /// GENERAL AUTHENTICATE of the administration key: header and, on GIDS, the environment.
    pub(crate) fn admin_command(&mut self, template: &[u8]) -> Verdict<Reply> {
        if self.gids() {
            return self.full(&short([0x00, 0x87, 0x00, 0x00], template, Some(0)));
        }
        let algorithm = self.admin_algorithm()?;
        self.full(&short([0x00, 0x87, algorithm, 0x9B], template, Some(0)))
    }

    /// The algorithm identifier of the PIV administration key.
    pub(crate) fn admin_algorithm(&self) -> Verdict<u8> {
        use cardlab_protocol::admin_key::Cipher;
        Ok(match self.admin_key()?.cipher() {
            Cipher::Tdes => 0x03,
            Cipher::Aes128 => 0x08,
            Cipher::Aes192 => 0x0A,
            Cipher::Aes256 => 0x0C,
        })
    }

    /// MANAGE SECURITY ENVIRONMENT for the administration key, on GIDS.
    pub(crate) fn name_admin_key(&mut self) -> Verdict {
        if self.gids() { self.send(&hex!("0022C1A403830180"))?.ok("MSE for the administration key").map(drop) } else { Ok(()) }
    }

    /// A challenge of the card.
    pub(crate) fn challenge(&mut self) -> Verdict<Vec<u8>> {
        self.name_admin_key()?;
        let data = self.admin_command(&[0x7C, 0x02, 0x81, 0x00])?.ok("GENERAL AUTHENTICATE, request for a challenge")?;
        let challenge = find_path(&data, &[0x7C, 0x81]).unwrap_or_default();
        holds(!challenge.is_empty(), "the answer to a request for a challenge must be 7C {81 challenge}")?;
        Ok(challenge.to_vec())
    }

    /// Sends a response.
    pub(crate) fn respond(&mut self, response: &[u8]) -> Verdict<Reply> {
        let length = response.len() as u8;
        self.admin_command(&[&[0x7C, length + 2, 0x82, length], response].concat())
    }

    /// The right response to a challenge.
    pub(crate) fn response(&self, challenge: &[u8]) -> Verdict<Vec<u8>> {
        self.admin_key()?.respond(challenge).map_err(|e| Stop::failed(format!("challenge: {e}")))
    }

    /// A wrong one.
    pub(crate) fn wrong_response(&self, challenge: &[u8]) -> Verdict<Vec<u8>> {
        let mut response = self.response(challenge)?;
        response[0] ^= 0x01;
        Ok(response)
    }

    /// Authenticates with the administration key.
    pub(crate) fn admin(&mut self) -> Verdict {
        let challenge = self.challenge()?;
        let response = self.response(&challenge)?;
        self.respond(&response)?.ok("the right response").map(drop)
    }

    /// The administration key's tries, by GET DATA 7F73.
    pub(crate) fn admin_tries(&mut self) -> Verdict<u8> {
        let data = self.send(&hex!("00CB3FFF045C027F7300"))?.ok("GET DATA 7F73")?;
        let left = find_path(&data, &[0x7F73, 0x97]);
        left.and_then(|l| l.first().copied()).ok_or_else(|| Stop::failed("7F73 must hold 97 {tries left}"))
    }

    /// GET DATA of a PIV object: the whole answer.
    pub(crate) fn get(&mut self, tag: u32) -> Verdict<Reply> {
        self.full(&short([0x00, 0xCB, 0x3F, 0xFF], &encode(0x5C, &tag_list(tag)), Some(0)))
    }

    /// PUT DATA of a PIV object: `53` with this value.
    pub(crate) fn put(&mut self, tag: u32, value: &[u8]) -> Verdict<Reply> {
        let data = [encode(0x5C, &tag_list(tag)), encode(0x53, value)].concat();
        self.long([0x00, 0xDB, 0x3F, 0xFF], &data)
    }

    /// GENERAL AUTHENTICATE with a key: `7C {82, 81 input}`.
    pub(crate) fn sign(&mut self, algorithm: u8, slot: u8, input: &[u8]) -> Verdict<Reply> {
        let template = encode(0x7C, &[&[0x82, 0x00], &encode(0x81, input)[..]].concat());
        self.long([0x00, 0x87, algorithm, slot], &template)
    }

    /// Key agreement: `7C {82, 85 point}`.
    pub(crate) fn agree(&mut self, algorithm: u8, slot: u8, point: &[u8]) -> Verdict<Reply> {
        let template = encode(0x7C, &[&[0x82, 0x00], &encode(0x85, point)[..]].concat());
        self.long([0x00, 0x87, algorithm, slot], &template)
    }

    /// The public key of a slot.
    pub(crate) fn public(&self, slot: u8) -> Verdict<PublicKey> {
        let found = self.facts.keys.iter().find(|(of, _)| *of == slot).map(|(_, key)| key.clone());
        found.ok_or_else(|| Stop::NotApplicable(format!("no key is known in slot {slot:02X}")))
    }

    /// GENERATE ASYMMETRIC KEY PAIR on a PIV card.
    pub(crate) fn generate(&mut self, slot: u8, algorithm: u8) -> Verdict<Reply> {
        self.full(&short([0x00, 0x47, 0x00, slot], &[0xAC, 0x03, 0x80, 0x01, algorithm], Some(0)))
    }

    /// Puts a key of the suite into a slot of a YubiKey.
    pub(crate) fn import(&mut self, slot: u8, kind: KeyKind, extra: &[u8]) -> Verdict<Reply> {
        let mut data = crate::oracle::import_parts(kind);
        data.extend_from_slice(extra);
        self.long([0x00, 0xFE, kind.id(), slot], &data)
    }

    /// The minidriver's functions over this card.
    pub(crate) fn minidriver<T>(&mut self, speak: impl FnOnce(&mut Minidriver<'_>) -> Verdict<T>) -> Verdict<T> {
        let mut through = Through(self);
        let mut card = Minidriver::open(&mut through).map_err(|e| Stop::failed(format!("the card is not recognised: {e}")))?;
        speak(&mut card)
    }

    /// Puts back what a test has changed: PIN, PUK and tries. For cards that go on living.
    pub(crate) fn restore(&mut self) -> Verdict {
        self.put_objects_back()?;
        let Some(pin) = self.facts.credentials.pin.clone() else { return Ok(()) };
        let pin = pin.as_bytes();
        self.allowed = Danger::Resets;
        self.start()?;
        if (self.puk_now.is_some() || self.puk_spent) && self.facts.credentials.puk.is_some() {
            let (now, before) = (self.puk()?, self.facts.credentials.puk.clone().unwrap_or_default());
            self.change_puk(&now, before.as_bytes())?.ok("putting the PUK and its tries back")?;
        }
        if self.tries().is_ok_and(|left| left == 0) {
            if self.facts.credentials.puk.is_some() && !self.gids() {
                let puk = self.puk()?;
                self.unblock(&puk, pin)?.ok("unblocking with the PUK")?;
            } else {
                self.admin()?;
                self.admin_unblock(pin)?.ok("unblocking with the administration key")?;
            }
        }
        let now = self.pin()?;
        if now[..] == *pin {
            self.verify()?;
        } else {
            let reply = self.change(&now, pin)?;
            // A card may take no old PIN of a form in which it has taken a new one.
            if reply.sw != 0x9000 && self.facts.credentials.puk.is_some() && !self.gids() {
                let puk = self.puk()?;
                self.unblock(&puk, pin)?.ok("putting the PIN back with the PUK")?;
            } else {
                reply.ok("putting the PIN back")?;
            }
        }
        (self.pin_now, self.puk_now) = (None, None);
        self.reset()
    }

    /// Data objects that the test wrote, as they were before.
    fn put_objects_back(&mut self) -> Verdict {
        let written = std::mem::take(&mut self.written);
        if written.is_empty() || self.gids() {
            return Ok(());
        }
        self.allowed = Danger::Resets;
        self.start()?;
        self.admin()?;
        for tag in written {
            let before = self.facts.objects.get(&tag).cloned();
            let before = before.ok_or_else(|| Stop::failed(format!("object {} was not read before", hex::encode_upper(&tag))))?;
            let data = [&[0x5C, tag.len() as u8], &tag[..], &encode(0x53, &before.unwrap_or_default())].concat();
            self.long([0x00, 0xDB, 0x3F, 0xFF], &data)?.ok("putting a data object back")?;
        }
        Ok(())
    }

    /// The slot itself, for what is about the reader.
    pub(crate) fn slot(&mut self) -> &mut (dyn Slot + 'a) {
        &mut *self.slot
    }
}

/// A bench as a way to the card: what passes is in the transcript too.
struct Through<'b, 'a>(&'b mut Bench<'a>);

impl Transport for Through<'_, '_> {
    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        match self.0.send(command) {
            Ok(mut reply) => {
                reply.data.extend(reply.sw.to_be_bytes());
                Ok(reply.data)
            }
            Err(Stop::Card(error)) => Err(error),
            Err(_) => Err(TransportError::Short(0)),
        }
    }
}

fn tag_list(tag: u32) -> Vec<u8> {
    tag_bytes(tag).collect()
}

/// A command for the transcript: secrets of cards that are somebody's do not show.
fn masked(command: &[u8], nobodys: bool) -> String {
    let secret = matches!(command, [_, 0x20 | 0x24 | 0x2C, ..]) && command.len() > 5;
    let key = matches!(command, [_, 0xFF, 0xFF, ..]);
    if nobodys || !(secret || key) {
        return hex::encode_upper(command);
    }
    let mut text = hex::encode_upper(&command[..5]);
    let _ = write!(text, " ({} bytes not shown)", command.len() - 5);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_real_cards_do_not_show() {
        assert_eq!(masked(&[0, 0x20, 0, 0x80, 2, 0x31, 0x32], true), "00200080023132");
        assert_eq!(masked(&[0, 0x20, 0, 0x80, 2, 0x31, 0x32], false), "0020008002 (2 bytes not shown)");
        assert_eq!(masked(&[0, 0x20, 0, 0x80], false), "00200080");
        assert_eq!(masked(&[0, 0xFF, 0xFF, 0xFF, 1, 9], false), "00FFFFFF01 (1 bytes not shown)");
    }

    /// A card that says 9000 and counts what it is sent.
    struct Counting<'c>(&'c std::cell::Cell<u32>);

    impl Slot for Counting<'_> {
        fn transmit(&mut self, _: &[u8]) -> Result<Vec<u8>, TransportError> {
            self.0.set(self.0.get() + 1);
            Ok(vec![0x90, 0x00])
        }

        fn reset(&mut self, _: bool) -> Result<(), TransportError> {
            Ok(())
        }
    }

    fn facts() -> Facts {
        let secret = |text: &str| Some(Zeroizing::new(text.to_owned()));
        Facts {
            name: String::new(),
            edge: Edge::Piv { admin_unblock: false, yubikey: None },
            serial: String::new(),
            credentials: Credentials { pin: secret("123456"), puk: secret("12345678"), ..Credentials::default() },
            keys: Vec::new(),
            new: false,
            extended_length: false,
            pin_tries: None,
            objects: Objects::new(),
        }
    }

    /// A card that refuses a wrong PUK without telling how many tries are left, and remembers who asked.
    struct Silent<'c>(&'c std::cell::RefCell<Vec<Vec<u8>>>);

    impl Slot for Silent<'_> {
        fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
            let wrong = command[1..4] == [0x24, 0, 0x81] && !command[5..].starts_with(b"12345678");
            self.0.borrow_mut().push(command.to_vec());
            Ok(if wrong { vec![0x63, 0x00] } else { vec![0x90, 0x00] })
        }

        fn reset(&mut self, _: bool) -> Result<(), TransportError> {
            Ok(())
        }
    }

    /// A card of another make answers 6300 to a wrong PUK. Its tries were taken for untouched, were not given back,
    /// and ran out over the next tests.
    #[test]
    fn tries_of_the_puk_are_given_back_whatever_the_card_says() {
        let sent = std::cell::RefCell::new(Vec::new());
        let mut b = Bench::new(Box::new(Silent(&sent)), facts(), Danger::SpendsTries);
        assert_eq!(b.change_puk(b"00000000", b"87654321").unwrap().sw, 0x6300);
        sent.borrow_mut().clear();
        b.restore().unwrap();
        let right = |command: &Vec<u8>| command[1..4] == [0x24, 0, 0x81] && command[5..].starts_with(b"1234567812345678");
        assert_eq!(sent.borrow().iter().filter(|command| right(command)).count(), 1);
        // The right one has given them back: nothing is left to do.
        sent.borrow_mut().clear();
        b.restore().unwrap();
        assert!(!sent.borrow().iter().any(|command| command[1] == 0x24));
    }

    /// A card of another make takes a new PIN of five digits, which a test offers it. It could not be given its PIN back.
    #[test]
    fn a_pin_that_should_have_been_refused_is_known() {
        let sent = std::cell::RefCell::new(Vec::new());
        let mut b = Bench::new(Box::new(Silent(&sent)), facts(), Danger::Resets);
        // In two blocks, which is none the better.
        b.send(b"\x10\x2C\x00\x80\x0812345678").unwrap();
        b.send(b"\x00\x2C\x00\x80\x0854321\xFF\xFF\xFF").unwrap();
        assert_eq!(b.pin().unwrap()[..], *b"54321");
        b.restore().unwrap();
        assert!(sent.borrow().iter().any(|command| command.ends_with(b"54321\xFF\xFF\xFF123456\xFF\xFF")));
    }

    #[test]
    fn what_a_test_may_not_do_is_not_sent() {
        let facts = facts();
        let sent = std::cell::Cell::new(0);
        let mut b = Bench::new(Box::new(Counting(&sent)), facts.clone(), Danger::Safe);
        b.verify().unwrap();
        b.query().unwrap();
        assert_eq!(sent.get(), 2, "the right PIN and a question are safe");
        for refused in [
            b.verify_wrong(),
            b.verify_raw(0x81, b"123456\xFF\xFF"),
            b.put(0x5FC105, &[]),
            b.send(&hex!("00FB0000")),
            b.send(&hex!("80200080 0431323334")),
        ] {
            assert!(matches!(refused, Err(Stop::Failed(why)) if why.contains("it was not sent") && !why.contains("3132")));
        }
        assert_eq!(sent.get(), 2);
        let mut b = Bench::new(Box::new(Counting(&sent)), facts, Danger::SpendsTries);
        b.verify_wrong().unwrap();
        assert!(b.put(0x5FC105, &[]).is_err());
        assert_eq!(sent.get(), 3);
    }
}
