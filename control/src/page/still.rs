//! Whether a page still shows what there is. Little is made to find out - the list of who holds a reader, where somebody does -: fifty
//! readers are looked at several times a second for each page that follows, and most of them are as they were.

use super::buttons::Key;
use crate::view::{CardView, HolderView, ReaderView, TriesView, challenge_words, word};
use cardlab_vreader::VirtualCard;
use cardlab_vreader::rack::Here;
use cardlab_vreader::server::Holder;
use cardlab_vreader::state::{COUNTED, tries};
use std::fmt::{self, Display, Write};

/// What there is, beside what a page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Still {
    /// The same.
    Shown,
    /// Something else.
    Changed,
    /// The card works just now: what it is like nobody can see.
    AtWork,
}

impl Still {
    /// A reader of `readers`, beside what [`Key::seen`] gave of it.
    pub(super) fn of(here: &Here<'_>, readers: usize, (view, key): &(ReaderView, Key)) -> Self {
        // A reader keeps its number and its name.
        let ReaderView { number: _, name: _, card_is, card, touch_awaited, held_by } = view;
        let is_here = *card_is == word(here.whereabouts())
            && *touch_awaited == here.card.button().is_waiting()
            && key.is_of(here.card.label(), readers)
            && are(held_by, &here.holders());
        if !is_here {
            return Self::Changed;
        }
        match (here.card.try_lock(), card) {
            (None, _) => Self::AtWork,
            (Some(now), Some(shown)) if shows(shown, &now) => Self::Shown,
            (Some(_), _) => Self::Changed,
        }
    }
}

/// Whether a page shows this of the card.
fn shows(shown: &CardView, card: &VirtualCard) -> bool {
    let CardView {
        profile,
        serial,
        powered,
        mute,
        selected,
        pin_verified,
        admin_verified,
        challenge,
        pin,
        puk,
        admin_key,
        global_pin,
        touch,
        pace,
        faults,
        undoable,
    } = shown;
    let simulated = card.card();
    let standing = simulated.map(|card| card.standing()).unwrap_or_default();
    let counted = || COUNTED.iter().map(|reference| simulated.and_then(|card| tries(card, *reference)).map(TriesView::from));
    let waiting = card.faults().waiting();
    *profile == card.name()
        && *serial == simulated.map(|card| card.serial())
        && *powered == card.is_powered()
        && *mute == card.is_mute()
        && selected.as_deref() == simulated.and_then(|card| card.selected())
        && (*pin_verified, *admin_verified) == (standing.pin, standing.admin)
        && match (challenge, standing.pending) {
            (None, None) => true,
            (Some(text), Some(pending)) => *text == challenge_words(&pending),
            (Some(_), None) | (None, Some(_)) => false,
        }
        && counted().eq([*pin, *puk, *admin_key, *global_pin])
        && says(touch, card.touch())
        && says(pace, card.pace())
        && faults.len() == waiting.len()
        && faults.iter().zip(waiting).all(|(text, fault)| says(text, fault))
        // How many is not shown, see `Key::seen`.
        && (*undoable > 0) == card.journal().is_some_and(|journal| journal.undoable() > 0)
}

fn are(shown: &[HolderView], holders: &[Holder]) -> bool {
    shown.len() == holders.len() && shown.iter().zip(holders).all(|(shown, holder)| shown.is(holder))
}

/// Whether `text` is how `value` is written.
fn says(text: &str, value: impl Display) -> bool {
    struct Rest<'t>(&'t str);
    impl Write for Rest<'_> {
        fn write_str(&mut self, piece: &str) -> fmt::Result {
            self.0 = self.0.strip_prefix(piece).ok_or(fmt::Error)?;
            Ok(())
        }
    }
    let mut rest = Rest(text);
    write!(rest, "{value}").is_ok() && rest.0.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardlab_sim::{Card, Profile, Random, World};
    use cardlab_vreader::trace::{Ticks, Trace};
    use cardlab_vreader::{Icc as _, Place, Rack, Server, Snapshot, state};
    use std::time::Duration;

    fn card(profile: &str, label: &str) -> VirtualCard {
        let card = Card::new(Profile::builtin(profile).unwrap(), World::seeded(1)).unwrap();
        VirtualCard::journaled(card, Trace::new(Ticks::Count).of(label))
    }

    fn seen(rack: &Rack, place: Place) -> (ReaderView, Key) {
        Key::seen(rack, place, ReaderView::of(rack, place))
    }

    fn still(rack: &Rack, place: Place, shown: &(ReaderView, Key)) -> Still {
        let (readers, mut told) = (rack.count(), None);
        rack.each(|here| told = told.or((here.place == place).then(|| Still::of(here, readers, shown))));
        told.unwrap()
    }

    const SELECT: &[u8] = b"\x00\xA4\x04\x00\x05\xA0\x00\x00\x03\x08";
    const RIGHT: &[u8] = b"\x00\x20\x00\x80\x08123456\xFF\xFF";
    const WRONG: &[u8] = b"\x00\x20\x00\x80\x08999999\xFF\xFF";
    const WRONG_PUK: &[u8] = b"\x00\x2C\x00\x80\x1099999999123456\xFF\xFF";
    const CHALLENGE: &[u8] = b"\x00\x87\x0A\x9B\x04\x7C\x02\x81\x00";

    /// Whatever changes what a page shows is found, and what does not change it is not: what is compared piece by piece is what is
    /// shown, for each kind of change.
    #[tokio::test]
    async fn each_change_of_a_reader_is_found_and_nothing_else() {
        let rack = Rack::new(Server::new(Random::from_number(1, 1), Duration::ZERO));
        let place = rack.add("One", card("yubikey-5.7", "one")).await;
        let send = |command: &'static [u8]| drop(rack.card(place).lock().transmit(command));
        let at_card = |work: &dyn Fn(&mut VirtualCard)| work(&mut rack.card(place).lock());
        let (told, quiet) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
        let shown = std::cell::RefCell::new(seen(&rack, place));
        let look = |what: &str, changes: bool| {
            let now = seen(&rack, place);
            let expected = if now == *shown.borrow() { Still::Shown } else { Still::Changed };
            assert_eq!(still(&rack, place, &shown.borrow()), expected, "{what}");
            assert_eq!(expected == Still::Changed, changes, "{what}");
            *shown.borrow_mut() = now;
            let count = if changes { &told } else { &quiet };
            count.set(count.get() + 1);
        };
        look("nothing", false);
        send(SELECT);
        look("the first command can be undone, and selects", true);
        send(WRONG);
        look("a try of the PIN", true);
        send(RIGHT);
        look("the PIN is verified", true);
        send(RIGHT);
        look("once more", false);
        send(WRONG_PUK);
        look("a try of the PUK", true);
        send(CHALLENGE);
        look("a challenge is pending", true);
        send(CHALLENGE);
        look("another challenge is pending", true);
        send(WRONG);
        look("the PIN is wrong, and verified no longer", true);
        for fault in ["mute,ins=A4,nth=3", "status=6F00,ins=20"] {
            at_card(&|card| card.arm(fault.parse().unwrap()).unwrap());
            look("a fault is armed", true);
        }
        send(SELECT);
        look("it counts down", true);
        send(WRONG);
        look("one struck", true);
        send(SELECT);
        look("it counts down again", true);
        send(SELECT);
        look("mute", true);
        rack.reset(place, false).await.unwrap();
        look("reset", true);
        at_card(&|card| card.disarm());
        look("there was none to disarm", false);
        for touch in ["wait", "after=200ms", "never"] {
            at_card(&|card| card.set_touch(touch.parse().unwrap()).unwrap());
            look("touch", true);
        }
        for pace in ["yubikey-5", "any:10+sign:475", "any:10+sign:47", "off"] {
            at_card(&|card| card.set_pace(pace.parse().unwrap()));
            look("pace", true);
        }
        at_card(&|card| {
            card.change(&cardlab_vreader::trace::event::Event::Restored, |card| state::set(card, "blocked".parse().unwrap()))
                .unwrap()
        });
        look("brought to a state", true);
        send(SELECT);
        look("something can be undone", true);
        at_card(&|card| card.undo(1).unwrap());
        look("nothing can be undone any more", true);
        at_card(&|card| card.power_off());
        look("no power", true);
        rack.card(place).button().press();
        look("nobody waits for a touch", false);
        rack.remove(place).await.unwrap();
        look("out", true);
        rack.insert(place).await.unwrap();
        look("in", true);
        rack.unplug(place).unwrap();
        look("unplugged", true);
        rack.plug(place).unwrap();
        look("plugged in", true);
        rack.insert(place).await.unwrap();
        look("in again", true);
        let other = rack.add("Other", card("yubikey-5.7", "other")).await;
        look("another reader", true);
        rack.swap(place, other).await.unwrap();
        look("another card of the same kind", true);
        rack.replace(place, card("gids", "third")).await;
        look("another kind of card", true);
        rack.replace(place, card("gids", "fourth")).await;
        look("as it was, by another name", true);
        let snapshot = Snapshot::of_virtual(&rack.card(place).lock()).unwrap();
        at_card(&|card| card.change(&cardlab_vreader::trace::event::Event::Restored, |card| snapshot.restore(card)).unwrap());
        look("restored as it was", false);
        assert_eq!((told.get(), quiet.get()), (34, 5));
        let held = rack.card(place);
        let held = held.lock();
        assert_eq!(still(&rack, place, &shown.borrow()), Still::AtWork);
        drop(held);
    }

    #[test]
    fn a_text_is_what_is_written_and_nothing_more() {
        for (text, wanted) in
            [("after=200ms", true), ("after=200m", false), ("after=200ms ", false), ("", false), ("fter=200ms", false)]
        {
            assert_eq!(says(text, format_args!("{}={}{}", "after", 200, "ms")), wanted, "{text}");
        }
    }

    #[test]
    fn programs_are_known_by_all_that_is_shown_of_them() {
        use cardlab_vreader::resource::Holding;
        use std::time::{SystemTime, UNIX_EPOCH};
        let since = |seconds: u64| -> SystemTime { UNIX_EPOCH + Duration::from_secs(seconds) };
        let holder = |program: &str, process, how, at| Holder { program: program.into(), process, how, since: since(at) };
        let one = holder("ssh", 7, Holding::Shared, 9);
        let shown = [HolderView::from(one.clone())];
        assert!(are(&shown, std::slice::from_ref(&one)) && are(&[], &[]));
        for other in [
            holder("sshd", 7, Holding::Shared, 9),
            holder("ssh", 8, Holding::Shared, 9),
            holder("ssh", 7, Holding::Exclusive, 9),
            holder("ssh", 7, Holding::Transaction, 9),
            holder("ssh", 7, Holding::Shared, 10),
        ] {
            assert!(!are(&shown, std::slice::from_ref(&other)), "{other:?}");
            assert!(!are(&shown, &[one.clone(), other]));
        }
        assert!(!are(&shown, &[]) && !are(&[], &[one]));
    }
}
