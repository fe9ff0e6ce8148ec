//! Secure messaging of PIV: the host's side of a session, in pieces that a test may break.

use super::{Bench, Checked, Reply, Stop, holds};
use cardlab_client::messaging::{self, Established, Host};
use cardlab_protocol::apdu::short;
use cardlab_protocol::channel::piv::{Session, Suite};
use cardlab_protocol::tlv::{encode, tag_list};
use zeroize::Zeroizing;

/// What the suite calls itself.
const HOST: [u8; 8] = *b"cardlab\0";
/// A pairing code that the suite's cards are made with.
pub(crate) const PAIRING_CODE: &str = "65135275";

impl Bench<'_> {
    /// The cipher suite that the card names in its answer to SELECT.
    pub(crate) fn suite(&mut self) -> Checked<Suite> {
        let template = self.select()?.ok("SELECT")?;
        messaging::offered(&template).ok_or_else(|| Stop::failed("SELECT must name the cipher suite: AC {80 27 or 2E}"))
    }

    /// The suite's own side of an establishment. Its key is always the same: reports of one seed are equal.
    pub(crate) fn host(&self, suite: Suite) -> Checked<Host> {
        let host = Host::with_key(suite, HOST, Zeroizing::new(vec![0x33; suite.coordinate()]));
        host.ok_or_else(|| Stop::failed("a fault of the suite: its key is none"))
    }

    /// GENERAL AUTHENTICATE with key 04 and this template.
    pub(crate) fn establish_with(&mut self, suite: u8, template: &[u8]) -> Checked<Reply> {
        self.full(&short([0x00, 0x87, suite, 0x04], template, Some(0)))
    }

    /// The establishment of a session, the card's proof verified.
    pub(crate) fn establish_as(&mut self, host: &Host, suite: Suite) -> Checked<Established> {
        let request = host.request(suite).map_err(|error| Stop::failed(error.to_string()))?;
        let answer = self.establish_with(suite.id(), &request)?.ok("GENERAL AUTHENTICATE with key 04")?;
        host.accept(suite, &answer).map_err(|error| Stop::failed(error.to_string()))
    }

    /// A session, after a reset.
    pub(crate) fn secured(&mut self) -> Checked<Session> {
        self.start()?;
        let suite = self.suite()?;
        let host = self.host(suite)?;
        Ok(self.establish_as(&host, suite)?.session)
    }

    /// A session over which the virtual contact interface is open, where the card wants a code for it.
    pub(crate) fn paired(&mut self) -> Checked<Session> {
        let mut session = self.secured()?;
        self.wrapped(&mut session, [0x20, 0x00, 0x98], PAIRING_CODE.as_bytes(), false)?.ok("VERIFY of the pairing code")?;
        Ok(session)
    }

    /// What a command answers under secure messaging; its response has to be 9000 outside.
    pub(crate) fn wrapped(&mut self, session: &mut Session, header: [u8; 3], data: &[u8], le: bool) -> Checked<Reply> {
        let field = wrap(session, header, data, le)?;
        let [ins, p1, p2] = header;
        let answer = self.long([0x0C, ins, p1, p2], &field)?;
        self.opened(session, answer)
    }

    /// What a wrapped response says inside.
    pub(crate) fn opened(&mut self, session: &mut Session, answer: Reply) -> Checked<Reply> {
        let field = answer.ok("the response under secure messaging, outside")?;
        let (data, sw) = session.open_response(&field).map_err(|error| Stop::failed(format!("the response: {error}")))?;
        Ok(Reply { data: data.to_vec(), sw: sw.0 })
    }

    /// GET DATA under secure messaging.
    pub(crate) fn get_under(&mut self, session: &mut Session, tag: u32) -> Checked<Reply> {
        self.wrapped(session, [0xCB, 0x3F, 0xFF], &tag_list(tag), true)
    }

    /// GENERAL AUTHENTICATE under secure messaging.
    pub(crate) fn sign_under(&mut self, session: &mut Session, algorithm: u8, slot: u8, input: &[u8]) -> Checked<Reply> {
        let template = encode(0x7C, &[&[0x82, 0x00], &encode(0x81, input)[..]].concat());
        self.wrapped(session, [0x87, algorithm, slot], &template, true)
    }

    /// No session is there any more: a wrapped command finds no keys.
    pub(crate) fn has_no_session(&mut self) -> Checked {
        self.send(&short([0x0C, 0xCB, 0x3F, 0xFF], &encode(0x8E, &[0; 8]), Some(0)))?
            .is(0x6982, "a wrapped command without a session")
            .map(drop)
    }

    /// An APDU of secure messaging that has to be refused with this status word in the open, and to end the session.
    pub(crate) fn ends(&mut self, apdu: &[u8], allowed: &[u16], what: &str) -> Checked {
        let reply = self.send(apdu)?;
        holds(reply.data.is_empty(), format!("{what}: a refusal has no data"))?;
        reply.any_of(allowed, what)?;
        self.has_no_session()
    }
}

/// The data field that carries a command.
pub(crate) fn wrap(session: &mut Session, header: [u8; 3], data: &[u8], le: bool) -> Checked<Vec<u8>> {
    session.seal_command(header, data, le).map_err(|error| Stop::failed(error.to_string()))
}

/// A wrapped GET DATA, as one APDU.
pub(crate) fn read(session: &mut Session, tag: u32) -> Checked<Vec<u8>> {
    Ok(reading(&wrap(session, [0xCB, 0x3F, 0xFF], &tag_list(tag), true)?))
}

/// The APDU of a wrapped GET DATA with this field.
pub(crate) fn reading(field: &[u8]) -> Vec<u8> {
    short([0x0C, 0xCB, 0x3F, 0xFF], field, Some(0))
}
