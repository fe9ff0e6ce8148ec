//! Functions of Microsoft's minidriver specification, over whatever card edge there is.

use crate::bench::{Stop, holds};
use crate::book::Book;
use crate::test::Need;
use cardlab_client::minidriver::{Authenticator, CardError, PinFault, Secret};

fn failed(error: CardError) -> Stop {
    match error {
        CardError::Transport(error) => Stop::Card(error),
        CardError::NotSupported(why) => Stop::NotApplicable(why.into()),
        other => Stop::Failed(other.to_string()),
    }
}

pub(super) fn fill(book: &mut Book) {
    let mut s =
        book.section("minidriver/7.07/4.4", "Microsoft smart card minidriver specification 7.07 section 4.4", &[Need::Pin]);
    s.must("card-authenticate-pin", "CardAuthenticatePin with the right PIN", |b| {
        let pin = b.pin()?;
        b.minidriver(|card| card.card_authenticate_pin(&pin).map_err(failed))
    });
    s.must("card-authenticate-pin-wrong", "CardAuthenticatePin with a wrong PIN tells the tries left", |b| {
        let (pin, wrong) = (b.pin()?, b.wrong_pin()?);
        b.minidriver(|card| {
            card.card_authenticate_pin(&pin).map_err(failed)?;
            match card.card_authenticate_pin(&wrong) {
                Err(CardError::Wrong { secret: Secret::Pin, left: Some(_) }) => Ok(()),
                other => Err(Stop::Failed(format!("{other:?}"))),
            }
        })
    })
    .spends();
    s.must("card-authenticate-pin-blocked", "CardAuthenticatePin of a blocked PIN says so", |b| {
        b.start()?;
        b.block_pin()?;
        let pin = b.pin()?;
        b.minidriver(|card| match card.card_authenticate_pin(&pin) {
            Err(CardError::Blocked(Secret::Pin)) => Ok(()),
            other => Err(Stop::Failed(format!("{other:?}"))),
        })
    })
    .locks();
    s.must("pin-rules-before-the-card", "A PIN against the rules never reaches the card", |b| {
        b.minidriver(|card| {
            let policy = card.card_pin_policy();
            holds(policy.minimum >= 4 && policy.minimum <= policy.maximum, format!("{policy:?}"))?;
            let long = vec![b'1'; policy.maximum + 1];
            match card.card_authenticate_pin(&long) {
                Err(CardError::Pin(PinFault::Length { .. })) => Ok(()),
                other => Err(Stop::Failed(format!("{other:?}"))),
            }
        })?;
        holds(b.transcript.iter().all(|line| !line.command.starts_with("00200080")), "no VERIFY was sent")
    });
    s.must("card-get-challenge", "CardGetChallenge gives 8 or 16 bytes", |b| {
        b.minidriver(|card| {
            let challenge = card.card_get_challenge().map_err(failed)?;
            holds(matches!(challenge.len(), 8 | 16), format!("{} bytes", challenge.len()))
        })
    })
    .needs(&[Need::AdminKey]);
    s.must("card-authenticate-challenge", "CardAuthenticateChallenge with the right response", |b| {
        let key = b.admin_key()?;
        b.minidriver(|card| {
            let challenge = card.card_get_challenge().map_err(failed)?;
            let response = key.respond(&challenge).map_err(|e| Stop::Failed(e.to_string()))?;
            card.card_authenticate_challenge(&response).map_err(failed)
        })
    })
    .needs(&[Need::AdminKey]);
    s.must("card-authenticate-challenge-wrong", "CardAuthenticateChallenge with a wrong response is refused", |b| {
        let key = b.admin_key()?;
        b.minidriver(|card| {
            let challenge = card.card_get_challenge().map_err(failed)?;
            let mut response = key.respond(&challenge).map_err(|e| Stop::Failed(e.to_string()))?;
            response[0] ^= 1;
            match card.card_authenticate_challenge(&response) {
                Err(CardError::Wrong { .. } | CardError::ChallengeGone) => Ok(()),
                other => Err(Stop::Failed(format!("{other:?}"))),
            }
        })
    })
    .needs(&[Need::AdminKey])
    .spends();
    s.must("card-unblock-pin", "CardUnblockPin by challenge and response", |b| {
        b.start()?;
        b.block_pin()?;
        let key = b.admin_key()?;
        let pin = b.pin()?;
        b.minidriver(|card| {
            let challenge = card.card_get_challenge().map_err(failed)?;
            let response = key.respond(&challenge).map_err(|e| Stop::Failed(e.to_string()))?;
            card.card_unblock_pin(Authenticator::Response(&response), &pin).map_err(failed)?;
            card.card_authenticate_pin(&pin).map_err(failed)
        })
    })
    .needs(&[Need::AdminUnblock, Need::AdminKey])
    .locks();
    s.must("card-unblock-pin-by-puk", "CardUnblockPin by PUK", |b| {
        b.start()?;
        b.block_pin()?;
        let (puk, pin) = (b.puk()?, b.pin()?);
        b.minidriver(|card| {
            card.card_unblock_pin(Authenticator::Puk(&puk), &pin).map_err(failed)?;
            card.card_authenticate_pin(&pin).map_err(failed)
        })
    })
    .needs(&[Need::Piv, Need::Puk])
    .locks();
    s.must("card-change-authenticator", "CardChangeAuthenticator changes the PIN, and back", |b| {
        let pin = b.pin()?;
        b.minidriver(|card| {
            card.card_change_authenticator(&pin, b"84629517").map_err(failed)?;
            card.card_authenticate_pin(b"84629517").map_err(failed)?;
            card.card_change_authenticator(b"84629517", &pin).map_err(failed)
        })
    })
    .changes();
    s.must("card-deauthenticate", "CardDeauthenticateEx ends the PIN's status", |b| {
        let pin = b.pin()?;
        b.minidriver(|card| {
            card.card_authenticate_pin(&pin).map_err(failed)?;
            card.card_deauthenticate().map_err(failed)?;
            let verified = card.card_pin_status().map_err(failed)?.pin_verified;
            holds(!verified || matches!(card.edge(), cardlab_client::recognise::Edge::Piv { .. }), "the PIN is still verified")
        })
    });
    s.must("pin-status", "The PIN's status tells the tries", |b| {
        b.start()?;
        let left = b.tries()?;
        b.minidriver(|card| {
            let told = card.card_pin_status().map_err(failed)?.pin.map(|c| c.left);
            holds(told == Some(left), format!("{told:?}, VERIFY says {left}"))
        })
    });
    s.must("card-identifier", "The card's identifier is the same each time", |b| {
        b.minidriver(|card| {
            let (one, two) = (card.card_id().map_err(failed)?, card.card_id().map_err(failed)?);
            holds(one == two, "two identifiers")
        })
    });
    s.must("free-space", "CardQueryFreeSpace tells containers", |b| {
        b.minidriver(|card| {
            let space = card.card_query_free_space().map_err(failed)?;
            holds(space.containers <= space.maximum_containers, format!("{space:?}"))
        })
    });
    s.must("recognition-is-stable", "The card is recognised as the same kind twice", |b| {
        let one = b.minidriver(|card| Ok(card.edge()))?;
        let two = b.minidriver(|card| Ok(card.edge()))?;
        // What a card of somebody's is judged as may be what a person says (`--as`).
        holds(one == two && (!b.facts.new || one == b.facts.edge), format!("{one:?}, then {two:?}"))
    });
}
