//! The administrator key: challenge, response, and the unblocking that they open.

use super::{Bench, Checked, Reply, Stop, holds};
use cardlab_protocol::admin_key::AdminKey;
use cardlab_protocol::apdu::short;
use cardlab_protocol::tlv::find_path;
use hex_literal::hex;

impl Bench<'_> {
    pub(crate) fn admin_key(&self) -> Checked<AdminKey> {
        self.facts.credentials.admin.clone().ok_or_else(|| Stop::NotApplicable("the administrator key is not known".into()))
    }

    /// GENERAL AUTHENTICATE of the administrator key: header and, on GIDS, the environment.
    pub(crate) fn admin_command(&mut self, template: &[u8]) -> Checked<Reply> {
        if self.gids() {
            return self.full(&short([0x00, 0x87, 0x00, 0x00], template, Some(0)));
        }
        let algorithm = self.admin_algorithm()?;
        self.full(&short([0x00, 0x87, algorithm, 0x9B], template, Some(0)))
    }

    /// The algorithm identifier of the PIV administrator key.
    pub(crate) fn admin_algorithm(&self) -> Checked<u8> {
        Ok(self.admin_key()?.cipher().id())
    }

    /// MANAGE SECURITY ENVIRONMENT for the administrator key, on GIDS.
    pub(crate) fn name_admin_key(&mut self) -> Checked {
        if self.gids() { self.send(&hex!("0022C1A403830180"))?.ok("MSE for the administrator key").map(drop) } else { Ok(()) }
    }

    /// A challenge of the card.
    pub(crate) fn challenge(&mut self) -> Checked<Vec<u8>> {
        self.name_admin_key()?;
        let data = self.admin_command(&[0x7C, 0x02, 0x81, 0x00])?.ok("GENERAL AUTHENTICATE, request for a challenge")?;
        let challenge = find_path(&data, &[0x7C, 0x81]).unwrap_or_default();
        holds(!challenge.is_empty(), "the answer to a request for a challenge must be 7C {81 challenge}")?;
        Ok(challenge.to_vec())
    }

    /// Sends a response.
    pub(crate) fn respond(&mut self, response: &[u8]) -> Checked<Reply> {
        let length = response.len() as u8;
        self.admin_command(&[&[0x7C, length + 2, 0x82, length], response].concat())
    }

    /// The right response to a challenge.
    pub(crate) fn response(&self, challenge: &[u8]) -> Checked<Vec<u8>> {
        self.admin_key()?.respond(challenge).map_err(|e| Stop::failed(format!("challenge: {e}")))
    }

    /// A wrong one.
    pub(crate) fn wrong_response(&self, challenge: &[u8]) -> Checked<Vec<u8>> {
        let mut response = self.response(challenge)?;
        response[0] ^= 0x01;
        Ok(response)
    }

    /// Authenticates with the administrator key.
    pub(crate) fn admin(&mut self) -> Checked {
        let challenge = self.challenge()?;
        let response = self.response(&challenge)?;
        self.respond(&response)?.ok("the right response").map(drop)
    }

    /// The administrator key's tries, by GET DATA 7F73.
    pub(crate) fn admin_tries(&mut self) -> Checked<u8> {
        let data = self.send(&hex!("00CB3FFF045C027F7300"))?.ok("GET DATA 7F73")?;
        let left = find_path(&data, &[0x7F73, 0x97]);
        left.and_then(|l| l.first().copied()).ok_or_else(|| Stop::failed("7F73 must hold 97 {tries left}"))
    }

    /// RESET RETRY COUNTER after the administrator key.
    pub(crate) fn admin_unblock(&mut self, new: &[u8]) -> Checked<Reply> {
        let new_framed = self.framed(new);
        self.send(&short([0x00, 0x2C, 0x02, 0x80], &new_framed, None))
    }
}
