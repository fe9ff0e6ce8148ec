//! A card without a reader, in a test's own process: bytes in, bytes out, and the same each time.
//!
//! ```console
//! $ cargo test --example in_process
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

/// What is tested here: a login that says how many tries are left. `transmit` is the way to a card, whichever it is.
#[cfg_attr(not(test), allow(dead_code))]
fn login(pin: &str, transmit: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> Result<(), u8> {
    transmit(&[0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08]);
    let mut verify = vec![0x00, 0x20, 0x00, 0x80, 0x08];
    verify.extend(pin.bytes().chain([0xFF; 8]).take(8));
    match transmit(&verify)[..] {
        [0x90, 0x00] => Ok(()),
        [0x63, left] => Err(left & 0x0F),
        _ => Err(0),
    }
}

fn main() {
    println!("this example is a test: cargo test --example in_process");
}

#[cfg(test)]
mod tests {
    use super::login;
    use cardlab_sim::{Card, Profile, World};

    #[test]
    fn three_wrong_pins_block_the_card_whatever_comes_then() {
        for profile in ["nist-piv", "yubikey-4.3", "yubikey-5.7"] {
            // A seed repeats every serial, key and challenge.
            let mut card = Card::new(Profile::builtin(profile).unwrap(), World::seeded(7)).unwrap();
            card.power_on();
            let mut transmit = |command: &[u8]| card.transmit(command).unwrap();
            assert_eq!(login("123456", &mut transmit), Ok(()), "{profile}");
            for left in [2, 1, 0] {
                assert_eq!(login("000000", &mut transmit), Err(left), "{profile}");
            }
            assert_eq!(login("123456", &mut transmit), Err(0), "{profile}: the right one comes too late");
        }
    }
}
