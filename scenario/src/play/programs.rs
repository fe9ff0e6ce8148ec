//! Programs that use the card, each with a connection of its own: a logon, a PIN dialog, the Unlock tool.

use super::{Done, Player};
use crate::action::Action;
use crate::world::Broken;
use cardlab_client::minidriver::{Authenticator, CardError, Minidriver};
use cardlab_client::transport::{TransportError, send};
use cardlab_protocol::{codes, tlv};

/// What a card's refusal says; a card that is gone is one as well.
fn complaint(result: Result<(), CardError>) -> Done {
    Done { error: result.err().map(|e| e.to_string()), ..Done::default() }
}

impl Player<'_> {
    pub(super) fn program(&mut self, action: &Action) -> Result<Done, Broken> {
        let work = |this: &Self, card: &Option<String>, work: &mut dyn FnMut(&mut Minidriver<'_>) -> Result<(), CardError>| {
            let name = this.card(card.as_ref())?;
            this.cards.with(&name, |card| Ok(complaint(Minidriver::open(card).and_then(|mut opened| work(&mut opened)))))
        };
        match action {
            Action::Verify { card, pin } => {
                let pin = self.text(pin)?;
                work(self, card, &mut |card| card.card_authenticate_pin(pin.as_bytes()))
            }
            Action::ChangePin { card, pin, new } => {
                let (pin, new) = (self.text(pin)?, self.text(new)?);
                work(self, card, &mut |card| card.card_change_authenticator(pin.as_bytes(), new.as_bytes()))
            }
            Action::UnblockWithPuk { card, puk, new } => {
                let (puk, new) = (self.text(puk)?, self.text(new)?);
                work(self, card, &mut |card| card.card_unblock_pin(Authenticator::Puk(puk.as_bytes()), new.as_bytes()))
            }
            Action::Spend { card, secret, left } => {
                self.cards.spend(&self.card(card.as_ref())?, *secret, *left).map(|()| Done::default())
            }
            Action::Send { card, command } => self.send(&self.card(card.as_ref())?, command),
            Action::Respond { card, challenge, witness } => self.respond(&self.card(card.as_ref())?, challenge, *witness),
            Action::ToolChallenge { card } => {
                let name = self.card(card.as_ref())?;
                let drawn = self
                    .cards
                    .with(&name, |card| Ok(Minidriver::open(card).and_then(|mut opened| opened.unblock_challenge())))?;
                Ok(match drawn {
                    Ok(challenge) => {
                        let digits = codes::digits(&challenge);
                        self.values.insert("challenge".into(), digits.clone());
                        Done { value: Some(digits), ..Done::default() }
                    }
                    Err(error) => complaint(Err(error)),
                })
            }
            Action::ToolRespond { card, response, typed, pin } => {
                let (response, pin) = (self.typed(response, typed)?, self.text(pin)?);
                let name = self.card(card.as_ref())?;
                let response = match codes::parse(&response, &[8, 16]) {
                    Ok(response) => response,
                    Err(error) => return Ok(Done { error: Some(error.to_string()), ..Done::default() }),
                };
                self.cards.with(&name, |card| {
                    let unblocked = Minidriver::resume(card).and_then(|mut opened| {
                        opened.card_pin_policy().check(pin.as_bytes())?;
                        opened.card_unblock_pin(Authenticator::Response(&response), pin.as_bytes())
                    });
                    Ok(complaint(unblocked))
                })
            }
            _ => Err(Broken("no program does this".into())),
        }
    }

    fn send(&mut self, card: &str, command: &str) -> Result<Done, Broken> {
        let mut bytes = Vec::new();
        for word in command.split_whitespace() {
            bytes.extend(hex::decode(self.text(word)?).map_err(|_| Broken("a command is hexadecimal".into()))?);
        }
        let sent = self.cards.with(card, |card| Ok(send(card, &bytes)))?;
        Ok(match sent {
            Ok((data, sw)) => {
                if let Some(challenge) = drawn(&data) {
                    self.values.insert("challenge".into(), codes::digits(challenge));
                }
                Done { status: Some(format!("{sw:04X}")), value: Some(codes::digits(&data)), ..Done::default() }
            }
            Err(error @ TransportError::Other(_)) => Done { error: Some(error.to_string()), ..Done::default() },
            Err(error) => complaint(Err(error.into())),
        })
    }

    /// Whoever has the key: it is not the card that is asked.
    fn respond(&mut self, card: &str, challenge: &str, witness: bool) -> Result<Done, Broken> {
        let challenge = hex::decode(self.text(challenge)?).map_err(|_| Broken("a challenge is hexadecimal".into()))?;
        let key = self.cards.admin_key(card)?;
        let block = if witness { key.decrypt(&challenge) } else { key.respond(&challenge) };
        let response = codes::digits(&block.map_err(Broken::at("the response"))?);
        self.values.insert("response".into(), response.clone());
        Ok(Done { value: Some(response), ..Done::default() })
    }
}

/// The challenge or the witness that an answer carries: one block in a dynamic authentication template.
fn drawn(data: &[u8]) -> Option<&[u8]> {
    let template = tlv::find(data, 0x7C)?;
    let block = tlv::find(template, 0x81).or_else(|| tlv::find(template, 0x80))?;
    matches!(block.len(), 8 | 16).then_some(block)
}
