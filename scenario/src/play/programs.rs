//! Programs that use the card, each with a connection of its own: a logon, a PIN dialog, the Unlock tool.

use super::{Done, Player};
use crate::action::Action;
use crate::world::Broken;
use cardlab_client::minidriver::{Authenticator, CardError, Minidriver};
use cardlab_client::transport::{TransportError, send};

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
            Action::ToolChallenge { card } => {
                let name = self.card(card.as_ref())?;
                let drawn = self
                    .cards
                    .with(&name, |card| Ok(Minidriver::open(card).and_then(|mut opened| opened.unblock_challenge())))?;
                Ok(match drawn {
                    Ok(challenge) => {
                        let digits = cardlab_protocol::codes::digits(&challenge);
                        self.values.insert("challenge".into(), digits.clone());
                        Done { value: Some(digits), ..Done::default() }
                    }
                    Err(error) => complaint(Err(error)),
                })
            }
            Action::ToolRespond { card, response, typed, pin } => {
                let (response, pin) = (self.typed(response, typed)?, self.text(pin)?);
                let name = self.card(card.as_ref())?;
                let response = match cardlab_protocol::codes::parse(&response, &[8, 16]) {
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

    fn send(&self, card: &str, command: &str) -> Result<Done, Broken> {
        let command = hex::decode(self.text(command)?.replace(' ', "")).map_err(|_| Broken("a command is hexadecimal".into()))?;
        self.cards.with(card, |card| {
            Ok(match send(card, &command) {
                Ok((data, sw)) => Done {
                    status: Some(format!("{sw:04X}")),
                    value: Some(cardlab_protocol::codes::digits(&data)),
                    ..Done::default()
                },
                Err(error @ TransportError::Other(_)) => Done { error: Some(error.to_string()), ..Done::default() },
                Err(error) => complaint(Err(error.into())),
            })
        })
    }
}
