//! `kill -9` of a running `cardlab up --state` at random moments: the card is as one of the commands
//! that were under way leaves it, and every rule of the counters holds.

use crate::common::{self, Lab, Up};
use cardlab_client::minidriver::{Authenticator, CardError, Minidriver};
use cardlab_pcsclite::client::{Context, ShareMode};
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_sim::Random;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

const KILLS_OF_EACH: u64 = 110;
/// Longest life of a server after it is ready, in microseconds: some dozens of commands.
const LONGEST_LIFE: u64 = 40_000;
const FULL: (u8, u8) = (3, 5);

/// What a card remembers without power.
#[derive(Clone, Debug, PartialEq)]
struct Kept {
    pin: Vec<u8>,
    pin_left: u8,
    admin_left: u8,
}

/// The states in which a card may be.
type Possible = Vec<Kept>;

/// What is known of the card.
#[derive(Clone)]
struct Known {
    possible: Possible,
    /// The right response to the challenge that may be pending.
    pending: Option<Vec<u8>>,
}

/// What the user of a card has at hand.
struct Desk<'a> {
    key: &'a AdminKey,
    known: &'a Mutex<Known>,
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    Verify,
    VerifyWrong,
    Change,
    ChangeWrong,
    Unblock,
    WrongResponse,
}

impl Deed {
    /// One that cannot bring the administrator key to its end.
    fn any(random: &mut Random, kept: &Kept) -> Self {
        let [drawn] = random.bytes();
        match drawn % 8 {
            0 | 1 => Self::Verify,
            2 | 3 => Self::VerifyWrong,
            4 => Self::Change,
            5 => Self::ChangeWrong,
            6 if kept.admin_left > 2 => Self::WrongResponse,
            _ => Self::Unblock,
        }
    }

    /// Every state in which the card may be while it does this, the one after it last.
    fn passes(self, kept: &Kept, new: &[u8]) -> Possible {
        let with = |pin_left, admin_left| Kept { pin_left, admin_left, ..kept.clone() };
        let (pin, admin) = (kept.pin_left, kept.admin_left);
        let renewed = |admin_left| Kept { pin: new.to_vec(), pin_left: FULL.0, admin_left };
        let blocked = pin == 0;
        match self {
            Self::Verify | Self::Change | Self::VerifyWrong | Self::ChangeWrong if blocked => vec![kept.clone()],
            Self::Verify => vec![kept.clone(), with(pin - 1, admin), with(FULL.0, admin)],
            Self::Change => vec![kept.clone(), with(pin - 1, admin), with(FULL.0, admin), renewed(admin)],
            Self::VerifyWrong | Self::ChangeWrong => vec![kept.clone(), with(pin - 1, admin)],
            Self::Unblock => vec![kept.clone(), with(pin, admin - 1), with(pin, FULL.1), renewed(FULL.1)],
            Self::WrongResponse => vec![kept.clone(), with(pin, admin - 1)],
        }
    }

    fn carry_out(self, card: &mut Minidriver<'_>, desk: &Desk<'_>, kept: &Kept, new: &[u8]) -> Result<(), CardError> {
        match self {
            Self::Verify => card.card_authenticate_pin(&kept.pin),
            Self::VerifyWrong => card.card_authenticate_pin(b"999999"),
            Self::Change => card.card_change_authenticator(&kept.pin, new),
            Self::ChangeWrong => card.card_change_authenticator(b"999999", new),
            Self::Unblock => {
                let response = desk.key.respond(&card.card_get_challenge()?).unwrap();
                desk.known.lock().unwrap().pending = Some(response.clone());
                card.card_unblock_pin(Authenticator::Response(&response), new)
            }
            Self::WrongResponse => {
                let length = card.card_get_challenge()?.len();
                card.card_unblock_pin(Authenticator::Response(&vec![0x5A; length]), new)
            }
        }
    }
}

/// What the card says of itself is one of the states that it may be in; the PIN decides between those
/// that look alike. A challenge from before the power went is gone, and its response costs no try.
fn examine(card: &mut Minidriver<'_>, possible: &Possible, old_response: Option<&[u8]>) -> Kept {
    if let Some(response) = old_response {
        card.card_authenticate_challenge(response).unwrap_err();
    }
    let status = card.card_pin_status().unwrap();
    let left = (status.pin.unwrap().left, status.admin.unwrap().left);
    let alike: Vec<&Kept> = possible.iter().filter(|kept| (kept.pin_left, kept.admin_left) == left).collect();
    assert!(!alike.is_empty(), "tries left {left:?}, possible are {possible:?}");
    if left.0 == 0 {
        assert!(matches!(card.card_authenticate_pin(&alike[0].pin), Err(CardError::Blocked { .. })));
        assert!(alike.iter().all(|kept| kept.pin == alike[0].pin), "a new PIN has tries: {alike:?}");
        return alike[0].clone();
    }
    let mut pins: Vec<&[u8]> = alike.iter().map(|kept| kept.pin.as_slice()).collect();
    pins.dedup();
    assert!(pins.len() <= usize::from(left.0), "each can be tried: {alike:?}");
    let pin = pins.into_iter().find(|pin| card.card_authenticate_pin(pin).is_ok()).expect("the old PIN or the new");
    Kept { pin: pin.to_vec(), pin_left: FULL.0, admin_left: left.1 }
}

/// Uses the card until the server dies, keeping count of what may be so.
fn use_up(socket: &Path, desk: &Desk<'_>, mut random: Random, ready: impl FnOnce()) {
    let context = Context::establish_at(socket).unwrap();
    let reader = context.readers().unwrap()[0].name.clone();
    let mut card = context.connect(&reader, ShareMode::Shared).unwrap();
    let mut card = Minidriver::open(&mut card).unwrap();
    let Known { possible, pending } = desk.known.lock().unwrap().clone();
    let mut kept = examine(&mut card, &possible, pending.as_deref());
    let settle = |kept: &Kept| *desk.known.lock().unwrap() = Known { possible: vec![kept.clone()], pending: None };
    settle(&kept);
    // A kill costs a try of the key at most; many in a row would lose the card, and rightly so.
    if kept.admin_left < FULL.1 {
        let pin = kept.pin.clone();
        Deed::Unblock.carry_out(&mut card, desk, &kept, &pin).unwrap();
        kept = Kept { pin, pin_left: FULL.0, admin_left: FULL.1 };
        settle(&kept);
    }
    ready();
    loop {
        let deed = Deed::any(&mut random, &kept);
        let new: Vec<u8> = random.bytes::<6>().iter().map(|b| b'0' + b % 9).collect();
        let passes = deed.passes(&kept, &new);
        let after = passes.last().unwrap().clone();
        desk.known.lock().unwrap().possible = passes;
        let result = deed.carry_out(&mut card, desk, &kept, &new);
        match (&result, deed) {
            (Err(CardError::Transport(_)), _) => break,
            (Ok(()), _) => assert!(kept.pin_left > 0 || matches!(deed, Deed::Unblock), "{deed:?} on {kept:?}"),
            (Err(CardError::Wrong { left, .. }), Deed::WrongResponse) => assert_eq!(*left, Some(after.admin_left)),
            (Err(CardError::Wrong { left, .. }), Deed::VerifyWrong | Deed::ChangeWrong) => {
                assert_eq!(*left, Some(after.pin_left));
            }
            (Err(CardError::Blocked { .. }), Deed::Unblock | Deed::WrongResponse) => panic!("{deed:?} on {kept:?}"),
            (Err(CardError::Blocked { .. }), _) => assert_eq!(after.pin_left, 0, "{deed:?} on {kept:?}"),
            (result, deed) => panic!("{deed:?} on {kept:?}: {result:?}"),
        }
        kept = after;
        settle(&kept);
    }
}

fn survives(profile: &str, key: &[u8]) {
    let key = &AdminKey::new(Cipher::Tdes, key).unwrap();
    let lab = Lab::new(profile);
    let new = Kept { pin: b"123456".to_vec(), pin_left: FULL.0, admin_left: FULL.1 };
    let known = Mutex::new(Known { possible: vec![new], pending: None });
    let desk = Desk { key, known: &known };
    let mut moments = Random::from_number(7, 0);
    let mut interrupted = 0;
    for round in 0..KILLS_OF_EACH {
        let up = Up::start(&lab, &["--socket", "s", "--state", "state", "--card", profile]);
        let socket = up.socket();
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let user = scope.spawn(|| {
                use_up(&socket, &desk, Random::from_number(7, round + 1), move || sender.send(()).unwrap());
            });
            // A user that fails says why when it is joined.
            if receiver.recv().is_ok() {
                let moment = u64::from_le_bytes(moments.bytes()) % LONGEST_LIFE;
                std::thread::sleep(Duration::from_micros(moment));
                up.stop("-KILL");
            }
            user.join().unwrap();
        });
        interrupted += u64::from(known.lock().unwrap().possible.len() > 1);
    }
    assert!(interrupted > KILLS_OF_EACH / 2, "only {interrupted} kills met a command under way");
}

#[test]
fn a_gids_card_survives() {
    survives("gids", &[0; 24]);
}

#[test]
fn a_managed_piv_card_survives() {
    survives("piv-admin", &hex::decode(common::KEY).unwrap());
}
