//! Things that have an order: policies, and the questions of one.

use crate::model::refusal::{Code, Refusal};
use crate::words::Sentence;

/// Moves one up among `ids`: before the one of the id `over`, where whoever moves it has seen that, and else before the one that
/// stands before it. Asked again, it stands there already. Gives its place before and after, from 0, when it was moved.
///
/// # Errors
/// [`Code::NotFound`], as the sentence that `what` has for it; [`Code::Conflict`] with `first` when it is the first.
pub(super) fn moved_up(
    ids: &mut [&str],
    id: &str,
    over: Option<&str>,
    what: &str,
    first: Sentence,
) -> Result<Option<(usize, usize)>, Refusal> {
    let place_of = |id: &str| ids.iter().position(|other| *other == id).ok_or_else(|| Refusal::not_found(what));
    let place = place_of(id)?;
    let above = match over {
        None => place.checked_sub(1).ok_or_else(|| Refusal::new(Code::Conflict, first))?,
        Some(over) => place_of(over)?,
    };
    if above >= place {
        return Ok(None);
    }
    ids[above..=place].rotate_right(1);
    Ok(Some((place, above)))
}
