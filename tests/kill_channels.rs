//! `kill -9` of a running `cardlab up --state` while keys of secure channels are put, generated and deleted: afterwards
//! there are the old keys or the new ones, and the set that was told last, or the one that was on its way, opens.

use crate::common::{Lab, Up};
use cardlab_client::channel::{Channel, ChannelError, SCP11A, SECURITY_DOMAIN, select};
use cardlab_client::transport::{Transport, send};
use cardlab_pcsclite::client::{Context, ShareMode};
use cardlab_protocol::channel::scp::derivation::StaticKeys;
use cardlab_protocol::status::StatusWord;
use cardlab_protocol::tlv::objects;
use cardlab_sim::Random;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

const KILLS: u64 = 60;
/// Longest life of a server after it is ready, in microseconds.
const LONGEST_LIFE: u64 = 40_000;
const PROFILE: &str = "yubikey-5.7,version=5.7.4";

/// The keys that the security domain has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Keys {
    /// KVN of the one set of SCP03, which its keys follow from.
    set: u8,
    /// Whether there is a key for SCP11a.
    agreement: bool,
}

impl Keys {
    const NEW: Self = Self { set: 0xFF, agreement: false };

    fn values(self) -> StaticKeys {
        let keys = if self.set == Self::NEW.set { *b"@ABCDEFGHIJKLMNO" } else { [self.set; 16] };
        StaticKeys::new(&keys, &keys, &keys).unwrap()
    }

    /// What the next command makes of them.
    fn next(self, random: &mut Random) -> Self {
        match random.bytes() {
            [drawn] if drawn % 2 == 0 => Self { set: self.set % 0x7F + 1, ..self },
            _ => Self { agreement: !self.agreement, ..self },
        }
    }

    /// The command that leads from these keys to others.
    fn change(self, to: Self, channel: &mut Channel<'_>) -> Result<StatusWord, ChannelError> {
        match (self.agreement, to.agreement) {
            (false, true) => channel.generate([SCP11A, 1], 0).map(|_| StatusWord::OK),
            (true, false) => channel.delete([SCP11A, 0], false),
            // The set of the factory goes by itself.
            _ => channel.put_set(to.set, &to.values(), if self.set == Self::NEW.set { 0x00 } else { self.set }),
        }
    }
}

/// What the card says that it has.
fn told(card: &mut dyn Transport) -> Keys {
    select(card, &SECURITY_DOMAIN).unwrap();
    let (information, sw) = send(card, &[0x00, 0xCA, 0x00, 0xE0, 0x00]).unwrap();
    assert_eq!(sw, 0x9000);
    let keys: Vec<[u8; 2]> = objects(&information).map(|key| [key.value[0], key.value[1]]).collect();
    let sets: Vec<u8> = keys.iter().filter(|key| key[0] == 0x01).map(|key| key[1]).collect();
    assert_eq!(sets.len(), 1, "one set: {keys:02X?}");
    Keys { set: sets[0], agreement: keys.iter().any(|key| key[0] == SCP11A) }
}

/// Changes keys until the server dies, keeping count of what may be so.
fn use_up(socket: &Path, known: &Mutex<Vec<Keys>>, mut random: Random, ready: impl FnOnce()) {
    let context = Context::establish_at(socket).unwrap();
    let reader = context.readers().unwrap()[0].name.clone();
    let mut card = context.connect(&reader, ShareMode::Shared).unwrap();
    let mut keys = told(&mut card);
    let possible = known.lock().unwrap().clone();
    assert!(possible.contains(&keys), "{keys:?}, possible are {possible:?}");
    let mut channel = Channel::scp03(&mut card, keys.set, &keys.values()).expect("the set that the card tells opens");
    *known.lock().unwrap() = vec![keys];
    ready();
    loop {
        let next = keys.next(&mut random);
        *known.lock().unwrap() = vec![keys, next];
        match keys.change(next, &mut channel) {
            Err(ChannelError::Transport(_)) => break,
            result => assert_eq!(result, Ok(StatusWord::OK), "{keys:?} to {next:?}"),
        }
        keys = next;
        *known.lock().unwrap() = vec![keys];
    }
}

#[test]
fn keys_of_secure_channels_survive() {
    let lab = Lab::new(PROFILE);
    let known = Mutex::new(vec![Keys::NEW]);
    let mut moments = Random::from_number(8, 0);
    let mut interrupted = 0;
    for round in 0..KILLS {
        let up = Up::start(&lab, &["--socket", "s", "--state", "state", "--card", PROFILE]);
        let socket = up.socket();
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let user = scope.spawn(|| {
                use_up(&socket, &known, Random::from_number(8, round + 1), move || sender.send(()).unwrap());
            });
            // A user that fails says why when it is joined.
            if receiver.recv().is_ok() {
                let moment = u64::from_le_bytes(moments.bytes()) % LONGEST_LIFE;
                std::thread::sleep(Duration::from_micros(moment));
                up.stop("-KILL");
            }
            user.join().unwrap();
        });
        interrupted += u64::from(known.lock().unwrap().len() > 1);
    }
    assert!(interrupted > KILLS / 2, "only {interrupted} kills met a command under way");
}
