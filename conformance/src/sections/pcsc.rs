//! PC/SC through the service's real API: sharing, transactions, resets, states, errors.

use crate::bench::{Bench, Checked, Stop, holds};
use crate::book::Book;
use crate::target::SILENCE;
use crate::test::Need;
use cardlab_pcsclite::client::{Connection, Context, Disposition, Error, ShareMode};
use cardlab_pcsclite::code::{ReturnCode, state};
use std::path::Path;

/// A second program beside the bench.
fn beside<T>(b: &mut Bench<'_>, speak: impl FnOnce(&mut Bench<'_>, &Context, &str) -> Checked<T>) -> Checked<T> {
    let (socket, reader) = b
        .slot()
        .reader()
        .map(|(socket, reader)| (socket.to_owned(), reader.to_owned()))
        .ok_or_else(|| Stop::NotApplicable("there is no PC/SC between test and card".into()))?;
    speak(b, &service(&socket)?, &reader)
}

/// A context whose every wait ends.
fn service(socket: &Path) -> Checked<Context> {
    let context = Context::establish_at(socket).map_err(failed)?;
    context.set_limit(SILENCE).map_err(failed)?;
    Ok(context)
}

fn failed(error: Error) -> Stop {
    Stop::Failed(error.to_string())
}

fn connected<'c>(context: &'c Context, reader: &str) -> Checked<Connection<'c>> {
    context.connect(reader, ShareMode::Shared).map_err(failed)
}

/// This PC/SC code.
fn refused<T>(result: Result<T, Error>, allowed: &[ReturnCode], what: &str) -> Checked {
    match result {
        Ok(_) => Err(Stop::Failed(format!("{what}: expected a refusal"))),
        Err(error) => holds(error.code().is_some_and(|code| allowed.contains(&code)), format!("{what}: {error}")),
    }
}

const SELECT: &[u8] = &[0x00, 0xA4, 0x04, 0x00, 0x07, 0xA0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00];

pub(super) fn fill(book: &mut Book) {
    sharing(book);
    transactions(book);
    resets(book);
    states(book);
}

fn sharing(book: &mut Book) {
    let mut s = book.section("pcsc/part-5/share-modes", "PC/SC part 5 section 3.1.3, SCardConnect", &[Need::Pcsc]);
    s.must("two-programs-share", "Two programs share a card", |b| {
        b.start()?;
        beside(b, |b, context, reader| {
            let mut other = connected(context, reader)?;
            other.transmit(SELECT).map_err(failed)?;
            b.query().map(drop)
        })
    });
    s.must("exclusive-is-refused-beside-another", "A card that somebody uses is not had for oneself", |b| {
        beside(b, |_, context, reader| {
            refused(context.connect(reader, ShareMode::Exclusive), &[ReturnCode::SHARING_VIOLATION], "SCardConnect for oneself")
        })
    });
    s.must("reconnect-to-exclusive-beside-another", "A card that two use is not had for oneself by reconnecting", |b| {
        beside(b, |_, context, reader| {
            let mut other = connected(context, reader)?;
            refused(other.reconnect(ShareMode::Exclusive, Disposition::Leave), &[ReturnCode::SHARING_VIOLATION], "SCardReconnect")
        })
    });
    s.must("unknown-reader", "A reader that is not there", |b| {
        beside(b, |_, context, _| {
            refused(context.connect("No Such Reader 99 99", ShareMode::Shared), &[ReturnCode::UNKNOWN_READER], "SCardConnect")
        })
    });
    s.must("empty-reader-name", "An empty reader name", |b| {
        beside(b, |_, context, _| {
            refused(
                context.connect("", ShareMode::Shared),
                &[ReturnCode::UNKNOWN_READER, ReturnCode::INVALID_VALUE],
                "SCardConnect",
            )
        })
    });
    s.must("reader-name-that-is-too-long", "A reader name of 200 bytes", |b| {
        beside(b, |_, context, _| {
            refused(
                context.connect(&"R".repeat(200), ShareMode::Shared),
                &[ReturnCode::UNKNOWN_READER, ReturnCode::INVALID_VALUE],
                "SCardConnect",
            )
        })
    });
    s.must("a-handle-ends-with-its-connection", "What one program disconnects, another still has", |b| {
        b.start()?;
        beside(b, |b, context, reader| {
            let other = connected(context, reader)?;
            other.disconnect(Disposition::Leave).map_err(failed)?;
            b.query().map(drop)
        })
    });
    s.must("disconnect-leaves-the-card", "Disconnecting with 'leave' keeps the PIN of a program that goes on", |b| {
        b.start()?;
        b.verify()?;
        beside(b, |b, context, reader| {
            connected(context, reader)?.disconnect(Disposition::Leave).map_err(failed)?;
            b.is_verified("after another program has disconnected")
        })
    })
    .needs(&[Need::Pin]);
    s.must("many-connections", "Twenty connections to one card", |b| {
        b.start()?;
        beside(b, |b, context, reader| {
            // Fewer are allowed in one context; the rest is refused with a reason.
            let cards: Vec<_> = (0..20).map(|_| context.connect(reader, ShareMode::Shared)).collect();
            holds(cards.iter().filter(|c| c.is_ok()).count() >= 10, "at least ten")?;
            drop(cards);
            b.query().map(drop)
        })
    });
    s.must("contexts-are-apart", "A context that ends takes no other with it", |b| {
        b.start()?;
        beside(b, |b, context, reader| {
            {
                let third = connected(context, reader)?;
                drop(third);
            }
            b.query().map(drop)
        })?;
        b.query().map(drop)
    });
}

fn transactions(book: &mut Book) {
    let mut s = book.section("pcsc/part-5/transactions", "PC/SC part 5 section 3.2, SCardBeginTransaction", &[Need::Pcsc]);
    s.must("one-at-a-time", "While one program has a transaction another gets none", |b| {
        beside(b, |_, context, reader| {
            // Both are connected first: pcscd keeps who connects beside a transaction waiting for its end.
            let (mut one, mut two) = (connected(context, reader)?, connected(context, reader)?);
            one.begin().map_err(failed)?;
            refused(two.try_begin(), &[ReturnCode::SHARING_VIOLATION], "SCardBeginTransaction")?;
            one.end(Disposition::Leave).map_err(failed)?;
            two.try_begin().map_err(failed)?;
            two.end(Disposition::Leave).map_err(failed)
        })
    });
    s.must("nested", "A program may begin twice, and ends twice", |b| {
        beside(b, |_, context, reader| {
            let (mut one, mut two) = (connected(context, reader)?, connected(context, reader)?);
            one.begin().map_err(failed)?;
            one.begin().map_err(failed)?;
            one.end(Disposition::Leave).map_err(failed)?;
            refused(two.try_begin(), &[ReturnCode::SHARING_VIOLATION], "SCardBeginTransaction in the outer one")?;
            one.end(Disposition::Leave).map_err(failed)?;
            two.try_begin().map_err(failed)?;
            two.end(Disposition::Leave).map_err(failed)
        })
    });
    s.must("end-without-begin", "Ending what was not begun is refused", |b| {
        beside(b, |_, context, reader| {
            let mut one = connected(context, reader)?;
            refused(
                one.end(Disposition::Leave),
                &[ReturnCode::NOT_TRANSACTED, ReturnCode::SHARING_VIOLATION],
                "SCardEndTransaction",
            )
        })
    });
    s.must("disconnect-ends-it", "Disconnecting ends a transaction", |b| {
        beside(b, |_, context, reader| {
            let mut one = connected(context, reader)?;
            one.begin().map_err(failed)?;
            one.disconnect(Disposition::Leave).map_err(failed)?;
            let mut two = connected(context, reader)?;
            two.try_begin().map_err(failed)?;
            two.end(Disposition::Leave).map_err(failed)
        })
    });
    s.must("a-program-that-dies-frees-the-card", "A program that ends without a word frees the card", |b| {
        let (socket, reader) = match b.slot().reader() {
            Some((socket, reader)) => (socket.to_owned(), reader.to_owned()),
            None => return Err(Stop::NotApplicable("there is no PC/SC between test and card".into())),
        };
        {
            let dying = service(&socket)?;
            let mut card = connected(&dying, &reader)?;
            card.begin().map_err(failed)?;
        }
        let context = service(&socket)?;
        let mut two = connected(&context, &reader)?;
        two.begin().map_err(failed)?;
        two.end(Disposition::Leave).map_err(failed)
    });
    s.must("ending-with-a-reset", "Ending with a reset resets the card for everybody", |b| {
        b.start()?;
        beside(b, |b, context, reader| {
            let mut one = connected(context, reader)?;
            one.begin().map_err(failed)?;
            one.end(Disposition::Reset).map_err(failed)?;
            match b.query() {
                Err(Stop::Card(cardlab_client::transport::TransportError::Reset)) => b.reset(),
                Err(other) => Err(other),
                Ok(_) => Err(Stop::Failed("the other program must be told of the reset".into())),
            }
        })
    });
}

fn resets(book: &mut Book) {
    let mut s =
        book.section("pcsc/part-5/resets", "PC/SC part 5 section 3.1.3, SCardReconnect and SCardDisconnect", &[Need::Pcsc]);
    for (slug, how) in [("reset", Disposition::Reset), ("unpower", Disposition::Unpower)] {
        s.must(
            &format!("reconnect-with-{slug}-is-told"),
            "A reset by one program is told to the other at its next command",
            move |b| {
                b.start()?;
                beside(b, |b, context, reader| {
                    let mut other = connected(context, reader)?;
                    other.reconnect(ShareMode::Shared, how).map_err(failed)?;
                    match b.query() {
                        Err(Stop::Card(cardlab_client::transport::TransportError::Reset)) => b.reset(),
                        Err(other) => Err(other),
                        Ok(_) => Err(Stop::Failed("the other program must be told of the reset".into())),
                    }
                })
            },
        );
        s.must(&format!("disconnect-with-{slug}-ends-the-pin"), "Disconnecting with a reset ends the PIN's status", move |b| {
            b.start()?;
            b.verify()?;
            beside(b, |b, context, reader| {
                connected(context, reader)?.disconnect(how).map_err(failed)?;
                b.start()?;
                b.is_not_verified("after another program has reset the card")
            })
        })
        .needs(&[Need::Pin]);
    }
    s.must("who-resets-goes-on", "Who resets the card goes on at once", |b| {
        beside(b, |_, context, reader| {
            let mut one = connected(context, reader)?;
            one.reconnect(ShareMode::Shared, Disposition::Reset).map_err(failed)?;
            one.transmit(SELECT).map_err(failed).map(drop)
        })
    });
    s.must(
        "reset-refuses-transactions-until-reconnect",
        "After another's reset a transaction is refused until reconnecting",
        |b| {
            beside(b, |_, context, reader| {
                let (mut one, mut two) = (connected(context, reader)?, connected(context, reader)?);
                one.reconnect(ShareMode::Shared, Disposition::Reset).map_err(failed)?;
                refused(two.try_begin(), &[ReturnCode::RESET_CARD], "SCardBeginTransaction")?;
                two.reconnect(ShareMode::Shared, Disposition::Leave).map_err(failed)?;
                two.try_begin().map_err(failed)?;
                two.end(Disposition::Leave).map_err(failed)
            })
        },
    );
    s.must("a-challenge-dies-with-anothers-reset", "Another program's reset ends a pending challenge", |b| {
        b.start()?;
        let challenge = b.challenge()?;
        let response = b.response(&challenge)?;
        beside(b, |_, context, reader| connected(context, reader)?.disconnect(Disposition::Reset).map_err(failed))?;
        b.start()?;
        b.name_admin_key()?;
        b.respond(&response)?.refused("the response after another program's reset")
    })
    .needs(&[Need::AdminKey])
    .spends();
}

fn states(book: &mut Book) {
    let mut s =
        book.section("pcsc/part-5/states", "PC/SC part 5 section 3.1.2, SCardGetStatusChange and SCardStatus", &[Need::Pcsc]);
    s.must("reader-is-listed", "The reader is listed, with a card in it", |b| {
        beside(b, |_, context, reader| {
            let readers = context.readers().map_err(failed)?;
            let found = readers.iter().find(|r| r.name == reader);
            holds(found.is_some_and(|r| r.state & state::PRESENT != 0), "the reader and its card")
        })
    });
    s.must("answer-to-reset", "The state holds the card's answer to reset, 3B or 3F first", |b| {
        beside(b, |_, context, reader| {
            let readers = context.readers().map_err(failed)?;
            let atr = readers.into_iter().find(|r| r.name == reader).map(|r| r.atr).unwrap_or_default();
            holds(matches!(atr.first(), Some(0x3B | 0x3F)) && atr.len() <= 33, hex::encode_upper(atr))
        })
    });
    s.must("sharing-is-counted", "The state tells that somebody uses the card", |b| {
        beside(b, |_, context, reader| {
            let _one = connected(context, reader)?;
            let readers = context.readers().map_err(failed)?;
            let sharing = readers.into_iter().find(|r| r.name == reader).map_or(0, |r| r.sharing);
            holds(sharing >= 1, format!("{sharing} handles"))
        })
    });
    s.must("names-are-unique", "No two readers have one name", |b| {
        beside(b, |_, context, _| {
            let mut names: Vec<String> = context.readers().map_err(failed)?.into_iter().map(|r| r.name).collect();
            let count = names.len();
            names.sort();
            names.dedup();
            holds(names.len() == count, "a name twice")
        })
    });
    s.must("attribute-of-the-answer-to-reset", "The attribute ATR_STRING is the answer to reset", |b| {
        beside(b, |_, context, reader| {
            let mut card = connected(context, reader)?;
            let attribute = match card.attribute(0x0009_0303) {
                Err(error) if error.code() == Some(ReturnCode::UNSUPPORTED_FEATURE) => {
                    return Err(Stop::NotApplicable("this reader's driver tells no attributes".into()));
                }
                attribute => attribute.map_err(failed)?,
            };
            let readers = context.readers().map_err(failed)?;
            let atr = readers.into_iter().find(|r| r.name == reader).map(|r| r.atr).unwrap_or_default();
            crate::bench::same(&attribute, &atr, "ATR_STRING")
        })
    });
    s.must("unknown-attribute", "An attribute that nobody has is refused", |b| {
        beside(b, |_, context, reader| {
            let mut card = connected(context, reader)?;
            match card.attribute(0x0FFF_FFFF) {
                Err(_) => Ok(()),
                Ok(_) => Err(Stop::Failed("an attribute that nobody has".into())),
            }
        })
    });
    s.must("status-of-a-living-handle", "SCardStatus of a card that is as it was", |b| {
        beside(b, |_, context, reader| connected(context, reader)?.status().map_err(failed))
    });
    s.must("status-after-anothers-reset", "SCardStatus tells of another's reset, or stays quiet until the next command", |b| {
        beside(b, |_, context, reader| {
            let (mut one, mut two) = (connected(context, reader)?, connected(context, reader)?);
            one.reconnect(ShareMode::Shared, Disposition::Reset).map_err(failed)?;
            match two.status() {
                Ok(()) => Ok(()),
                Err(error) => holds(error.code() == Some(ReturnCode::RESET_CARD), error.to_string()),
            }
        })
    });
    s.must("direct-connection", "A direct connection reaches the reader", |b| {
        beside(b, |_, context, reader| match context.connect(reader, ShareMode::Direct) {
            Ok(_) => Ok(()),
            Err(error) => holds(error.code() == Some(ReturnCode::SHARING_VIOLATION), error.to_string()),
        })
    });
}
