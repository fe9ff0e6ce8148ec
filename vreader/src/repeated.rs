//! What errors repeat of what somebody has typed. A PIN that was typed into the field beside its own stands in none.

/// Characters of the shortest PIN.
const SHORTEST_PIN: usize = 4;
/// Characters by which a name is known that was mistyped behind them.
const KNOWN_BY: usize = 3;

/// Of what should be a name: nothing of what begins with a digit, as PINs do, and no name of ours does.
pub(crate) fn name(text: &str) -> &str {
    if text.starts_with(|c: char| c.is_ascii_digit()) { ".." } else { text }
}

/// Of what should be a word of few letters, such as a slot: nothing of what may be a PIN.
pub(crate) fn short(text: &str) -> &str {
    if text.chars().count() < SHORTEST_PIN { text } else { ".." }
}

/// Of what should be the name of one of these kinds of cards: nothing of what begins like none of them and may be a PIN, which has
/// letters too where the card lets it.
pub(crate) fn kind<'k>(text: &'k str, mut known: impl Iterator<Item = &'k str>) -> &'k str {
    let begins = |one: &str| match (one.get(..KNOWN_BY), text.get(..KNOWN_BY)) {
        (Some(one), Some(text)) => one.eq_ignore_ascii_case(text),
        _ => false,
    };
    if known.any(begins) { text } else { short(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_repeated_and_a_pin_is_not() {
        assert_eq!(["fire", "mute2", "471147", "0"].map(name), ["fire", "mute2", "..", ".."]);
        let kind = |text| kind(text, ["gids", "nist-piv", "yubikey-5.7"].into_iter());
        assert_eq!(
            ["sim", "yubikey", "YubiKey-9", "gidz", "", "\u{e9}"].map(kind),
            ["sim", "yubikey", "YubiKey-9", "gidz", "", "\u{e9}"]
        );
        assert_eq!(["471147", "4711", "sesame", "g1d5!", "\u{e9}\u{e9}\u{e9}\u{e9}"].map(kind), [".."; 5]);
    }
}
