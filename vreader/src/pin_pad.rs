//! A reader's keypad (PC/SC part 10, revision 2.02.09): PINs are typed at the reader, by a script, and no
//! program sees them. This file puts a PIN into the command that a program wants sent; the card's answer goes back.

use cardlab_protocol::apdu::Command;
use cardlab_protocol::status::StatusWord;
use std::collections::VecDeque;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::Notify;
use zeroize::Zeroizing;

/// Answers of the reader itself (part 10 section 2.5.2).
pub const TIMEOUT: StatusWord = StatusWord(0x6400);
/// The person pressed Cancel.
pub const CANCELLED: StatusWord = StatusWord(0x6401);
/// A new PIN and its confirmation differ.
pub const DIFFERENT: StatusWord = StatusWord(0x6402);
/// Fewer or more digits than the program allows.
pub const LENGTH: StatusWord = StatusWord(0x6403);
/// The structure makes no sense.
pub const BAD_STRUCTURE: StatusWord = StatusWord(0x6B80);

const VERIFY_HEAD: usize = 19;
const MODIFY_HEAD: usize = 24;
/// What is waited where the program says 0.
const USUAL_WAIT: Duration = Duration::from_secs(15);
/// Entries that may wait.
const MOST: usize = 64;

/// What a person does at the keypad.
#[derive(Clone, PartialEq, Eq)]
pub enum Entry {
    /// Types digits and OK.
    Digits(Zeroizing<String>),
    /// Presses Cancel.
    Cancel,
    /// Goes away.
    Nothing,
}

/// Text that is no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EntryError {
    /// Something else than digits.
    #[error("at a PIN pad one types digits (16 at most), or says cancel or nothing")]
    Text,
    /// Too many.
    #[error("{MOST} entries wait already")]
    TooMany,
}

impl FromStr for Entry {
    type Err = EntryError;

    fn from_str(text: &str) -> Result<Self, EntryError> {
        match text {
            "cancel" => Ok(Self::Cancel),
            "nothing" => Ok(Self::Nothing),
            digits if digits.len() <= 16 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                Ok(Self::Digits(Zeroizing::new(digits.to_owned())))
            }
            _ => Err(EntryError::Text),
        }
    }
}

/// A keypad with what will be typed at it. Cheap to clone.
#[derive(Clone, Default)]
pub struct PinPad(Arc<(Mutex<VecDeque<Entry>>, Notify)>);

impl PinPad {
    /// What will be typed next, after what waits already.
    ///
    /// # Errors
    /// [`EntryError::TooMany`].
    pub fn script(&self, entry: Entry) -> Result<(), EntryError> {
        let mut waiting = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MOST {
            return Err(EntryError::TooMany);
        }
        waiting.push_back(entry);
        self.0.1.notify_one();
        Ok(())
    }

    async fn next(&self, limit: Duration) -> Result<Zeroizing<String>, StatusWord> {
        let typed = async {
            loop {
                let next = self.0.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                match next {
                    Some(entry) => return entry,
                    None => self.0.1.notified().await,
                }
            }
        };
        match tokio::time::timeout(limit, typed).await {
            Ok(Entry::Digits(digits)) => Ok(digits),
            Ok(Entry::Cancel) => Err(CANCELLED),
            Ok(Entry::Nothing) | Err(_) => Err(TIMEOUT),
        }
    }

    /// The command of a VERIFY_PIN_DIRECT structure with the PIN that is typed.
    ///
    /// # Errors
    /// What the reader answers instead of the card.
    pub(crate) async fn verify(&self, structure: &[u8]) -> Result<Zeroizing<Vec<u8>>, StatusWord> {
        let form = Form::read(structure, VERIFY_HEAD, 5, 15)?;
        let pin = form.checked(self.next(form.wait).await?)?;
        form.command(&[(0, &pin)])
    }

    /// As [`PinPad::verify`], of a MODIFY_PIN_DIRECT structure: the old PIN where it is asked for, the new one,
    /// its confirmation where it is wanted.
    ///
    /// # Errors
    /// What the reader answers instead of the card.
    pub(crate) async fn modify(&self, structure: &[u8]) -> Result<Zeroizing<Vec<u8>>, StatusWord> {
        let form = Form::read(structure, MODIFY_HEAD, 7, 20)?;
        let (old_at, new_at, confirm) = (usize::from(structure[5]), usize::from(structure[6]), structure[9]);
        let old = if confirm & 2 != 0 { Some(form.checked(self.next(form.wait).await?)?) } else { None };
        let new = form.checked(self.next(form.wait).await?)?;
        if confirm & 1 != 0 && self.next(form.wait).await? != new {
            return Err(DIFFERENT);
        }
        let old = old.as_ref().map(|old| (old_at, old));
        form.command(&old.into_iter().chain([(new_at, &new)]).collect::<Vec<_>>())
    }
}

/// What both structures have in common.
struct Form<'a> {
    wait: Duration,
    /// Where the PIN begins in its block, in bytes.
    position: usize,
    bcd: bool,
    /// Size of the block in bytes; 0 where the PIN's own length counts.
    block: usize,
    least: usize,
    most: usize,
    template: &'a [u8],
}

impl<'a> Form<'a> {
    fn read(structure: &'a [u8], head: usize, limits: usize, length: usize) -> Result<Self, StatusWord> {
        let field = |at: usize| structure.get(at).copied().ok_or(BAD_STRUCTURE);
        let (format, block) = (field(2)?, field(3)?);
        let size = structure.get(length..length + 4).and_then(|bytes| bytes.try_into().ok()).ok_or(BAD_STRUCTURE)?;
        let template = structure.get(head..).ok_or(BAD_STRUCTURE)?;
        let position = usize::from(format >> 3 & 0x0F);
        let in_bytes = format & 0x80 != 0;
        // A right-justified PIN, a length inside the block and PINs between bytes are nobody's way here.
        let known = format & 0x04 == 0 && block & 0xF0 == 0 && (in_bytes || position % 8 == 0) && matches!(format & 3, 1 | 2);
        if !known || template.len() != u32::from_le_bytes(size) as usize || template.len() < 4 {
            return Err(BAD_STRUCTURE);
        }
        let wait = match field(0)? {
            0 => USUAL_WAIT,
            seconds => Duration::from_secs(seconds.into()),
        };
        Ok(Self {
            wait,
            position: if in_bytes { position } else { position / 8 },
            bcd: format & 3 == 1,
            block: usize::from(block & 0x0F),
            most: field(limits)?.into(),
            least: field(limits + 1)?.into(),
            template,
        })
    }

    fn checked(&self, pin: Zeroizing<String>) -> Result<Zeroizing<String>, StatusWord> {
        let most = if self.most == 0 { usize::MAX } else { self.most };
        if (self.least..=most).contains(&pin.len()) { Ok(pin) } else { Err(LENGTH) }
    }

    fn encoded(&self, pin: &str) -> Zeroizing<Vec<u8>> {
        if !self.bcd {
            return Zeroizing::new(pin.as_bytes().to_vec());
        }
        let digits = pin.as_bytes().chunks(2);
        Zeroizing::new(digits.map(|pair| (pair[0] - b'0') << 4 | pair.get(1).map_or(0x0F, |low| low - b'0')).collect())
    }

    /// The template with each PIN at its offset in the data field.
    fn command(&self, pins: &[(usize, &Zeroizing<String>)]) -> Result<Zeroizing<Vec<u8>>, StatusWord> {
        let (header, rest) = self.template.split_first_chunk::<4>().ok_or(BAD_STRUCTURE)?;
        let mut data = Zeroizing::new(match rest {
            [] => Vec::new(),
            [_] => Vec::new(),
            [length, data @ ..] if usize::from(*length) == data.len() => data.to_vec(),
            _ => return Err(BAD_STRUCTURE),
        });
        for (offset, pin) in pins {
            let (pin, at) = (self.encoded(pin), offset + self.position);
            if self.block == 0 {
                data.truncate(at);
                if data.len() != at {
                    return Err(BAD_STRUCTURE);
                }
                data.extend_from_slice(&pin);
            } else {
                let block = data.get_mut(*offset..offset + self.block).ok_or(BAD_STRUCTURE)?;
                let place = block.get_mut(self.position..self.position + pin.len()).ok_or(LENGTH)?;
                place.copy_from_slice(&pin);
            }
        }
        let length = u8::try_from(data.len()).map_err(|_| BAD_STRUCTURE)?;
        let mut command = Zeroizing::new(header.to_vec());
        command.push(length);
        command.extend_from_slice(&data);
        Command::parse(&command).map_err(|_| BAD_STRUCTURE)?;
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn typed(entries: &[&str]) -> PinPad {
        let pad = PinPad::default();
        entries.iter().for_each(|entry| pad.script(entry.parse().unwrap()).unwrap());
        pad
    }

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
    }

    fn verify(structure: &str, entries: &[&str]) -> Result<String, u16> {
        let structure = hex::decode(structure.replace(' ', "")).unwrap();
        run(typed(entries).verify(&structure)).map(|command| hex::encode_upper(&*command)).map_err(|sw| sw.0)
    }

    /// What OpenSC 0.23 sends for a PIV card.
    const PIV: &str = "1E1E82080008040200000000000000 0D000000 0020008008FFFFFFFFFFFFFFFF";

    #[test]
    fn a_pin_is_put_into_its_block() {
        assert_eq!(verify(PIV, &["123456"]), Ok("0020008008313233343536FFFF".into()));
        assert_eq!(verify(PIV, &["123"]), Err(0x6403));
        assert_eq!(verify(PIV, &["123456789"]), Err(0x6403));
        assert_eq!(verify(PIV, &["cancel"]), Err(0x6401));
        assert_eq!(verify(PIV, &["nothing"]), Err(0x6400));
        // Its own length, BCD.
        assert_eq!(
            verify("000082000008040200000000000000 05000000 0020008000", &["4711"]),
            Ok("00200080044711".replace("4711", "34373131"))
        );
        assert_eq!(verify("000081030008040200000000000000 08000000 0020008003FFFFFF", &["47115"]), Ok("002000800347115F".into()));
    }

    #[test]
    fn a_structure_that_makes_no_sense_is_refused() {
        for wrong in [
            "",
            "1E1E8208",
            "1E1E82080008040200000000000000 0E000000 0020008008FFFFFFFFFFFFFFFF",
            "1E1E82080008040200000000000000 0D000000 0020008007FFFFFFFFFFFFFFFF",
            "1E1E86080008040200000000000000 0D000000 0020008008FFFFFFFFFFFFFFFF",
            "1E1E82480008040200000000000000 0D000000 0020008008FFFFFFFFFFFFFFFF",
            "1E1E820F0008040200000000000000 0D000000 0020008008FFFFFFFFFFFFFFFF",
        ] {
            assert_eq!(verify(wrong, &["123456"]), Err(0x6B80), "{wrong}");
        }
    }

    #[test]
    fn a_change_asks_for_what_it_says() {
        let structure = |confirm: u8| {
            let head = format!("1E1E8208000008 0804 {confirm:02X} 02 03 0904 000102 000000 15000000");
            hex::decode(format!("{head} 0024008010FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF").replace(' ', "")).unwrap()
        };
        let modify = |confirm: u8, entries: &[&str]| {
            run(typed(entries).modify(&structure(confirm))).map(|command| hex::encode_upper(&*command)).map_err(|sw| sw.0)
        };
        let whole = "0024008010313233343536FFFF363534333231FFFF";
        assert_eq!(modify(3, &["123456", "654321", "654321"]), Ok(whole.into()));
        assert_eq!(modify(3, &["123456", "654321", "654322"]), Err(0x6402));
        assert_eq!(modify(2, &["123456", "654321"]), Ok(whole.into()));
        assert_eq!(modify(1, &["654321", "654321"]), Ok("0024008010FFFFFFFFFFFFFFFF363534333231FFFF".into()));
        assert_eq!(modify(3, &["123456", "cancel"]), Err(0x6401));
    }

    proptest! {
        #[test]
        fn any_structure_is_a_command_or_a_status(structure in proptest::collection::vec(any::<u8>(), 0..60), change in any::<bool>()) {
            let pad = typed(&["1234", "5678", "5678"]);
            let made = run(async { if change { pad.modify(&structure).await } else { pad.verify(&structure).await } });
            if let Ok(command) = made {
                prop_assert!(Command::parse(&command).is_ok());
            }
        }
    }
}
