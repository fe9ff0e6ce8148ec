//! What counts as the right value of a PIN or PUK.

/// How many bytes a careless comparison looks at.
const LOOKED_AT: usize = 4;

fault!(prefix_matches, "a value that begins like the right one matches", |card, command| {
    let Some(offer) = card.offer(command) else { return card.pass(command) };
    let right = card.value(offer.secret);
    if offer.value.starts_with(&right[..LOOKED_AT]) { card.pass_right(command, &offer) } else { card.pass(command) }
});

fault!(last_byte_ignored, "the last byte is not compared", |card, command| {
    let Some(offer) = card.offer(command) else { return card.pass(command) };
    let right = card.value(offer.secret);
    let end = right.iter().rposition(|byte| *byte != 0xFF).unwrap_or_default();
    let matches = offer.value.len() == right.len() && offer.value[..end] == right[..end];
    if matches { card.pass_right(command, &offer) } else { card.pass(command) }
});
