//! The newest of what came in at several cards.

use cardlab_vreader::trace::Record;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// The records of several cards together, the newest first, each with whose it is. `cards` are those of each, the newest first; no
/// more of them is taken in hand than is asked for.
pub(super) fn newest<W, R>(cards: impl IntoIterator<Item = (W, R)>) -> impl Iterator<Item = (W, Arc<Record>)>
where
    W: Clone,
    R: Iterator<Item = Arc<Record>>,
{
    let mut cards: Vec<(W, R, Option<Arc<Record>>)> = cards.into_iter().map(|(whose, records)| (whose, records, None)).collect();
    let mut order = BinaryHeap::new();
    // A card without more is in no order any more.
    let next = |number: usize, records: &mut R, first: &mut Option<Arc<Record>>, order: &mut BinaryHeap<_>| {
        *first = records.next();
        order.extend(first.iter().map(|record| (record.at, record.number, number)));
    };
    for (number, (_, records, first)) in cards.iter_mut().enumerate() {
        next(number, records, first, &mut order);
    }
    std::iter::from_fn(move || {
        let (.., number) = order.pop()?;
        let (whose, records, first) = &mut cards[number];
        let record = first.take()?;
        next(number, records, first, &mut order);
        Some((whose.clone(), record))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardlab_vreader::trace::{Ticks, Trace};

    /// Of those that came last no card has a place before another's by being asked first; what is not asked for is not taken.
    #[test]
    fn the_newest_of_several_cards_come_first() {
        let trace = Trace::new(Ticks::Count);
        let mut recorders = ["a", "b", "c"].map(|card| trace.of(card));
        let mut kept: [Vec<Arc<Record>>; 3] = Default::default();
        for card in [0, 0, 1, 0, 2, 1, 1] {
            kept[card].push(recorders[card].exchange(&[0, 0x20, 0, 0x80], None, None));
        }
        let taken = std::cell::Cell::new(0);
        let back = |card: usize| kept[card].iter().rev().cloned().inspect(|_| taken.set(taken.get() + 1));
        let of =
            |count: usize| newest((0..3).map(|card| (card, back(card)))).take(count).map(|(card, _)| card).collect::<Vec<_>>();
        assert_eq!(of(2), [1, 1]);
        assert_eq!(taken.get(), 5, "the first of each, and one for each that was given");
        assert_eq!(of(9), [1, 1, 2, 0, 1, 0, 0]);
    }
}
