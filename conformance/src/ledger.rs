//! What a run may cost a card that is somebody's, and what it has cost so far: an account for each credential.
//!
//! | account | what is sent |
//! |---|---|
//! | closed | nothing, not even the right value: what needs it is not run |
//! | untried | one value, which proves or closes it |
//! | proved | right values; wrong ones while no more of them are outstanding than was announced |
//!
//! A value is counted before it is sent: a card that keeps silent has taken its try.

use crate::report::Stays;
use crate::test::{Danger, Need};
use std::collections::BTreeMap;
use std::fmt;

/// A secret that a card compares, and that a person knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Credential {
    /// The PIN.
    Pin,
    /// The PUK.
    Puk,
    /// The administrator key.
    AdminKey,
}

impl Credential {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pin, Self::Puk, Self::AdminKey];

    /// What a test says when it needs this credential.
    #[must_use]
    pub const fn need(self) -> Need {
        match self {
            Self::Pin => Need::Pin,
            Self::Puk => Need::Puk,
            Self::AdminKey => Need::AdminKey,
        }
    }
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pin => "PIN",
            Self::Puk => "PUK",
            Self::AdminKey => "administrator key",
        })
    }
}

/// The tries of a credential before the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tries {
    /// So many are left.
    Left(u8),
    /// The standard knows no counter for it: PIV's administrator key.
    Uncounted,
    /// The card does not tell.
    Untold,
}

/// A value that is on its way to the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guess {
    /// What it is compared with.
    pub credential: Credential,
    /// It is the value that the card has, as far as is known.
    pub right: bool,
    /// It is sent to give tries back, not to see what comes of it.
    pub restores: bool,
}

/// Fewer tries than this are left alone: one proves a value, one stays for its owner.
const LEAST: u8 = 3;

/// So many wrong values that nobody counts them.
const NO_LIMIT: u8 = u8::MAX;

struct Account {
    tries: Tries,
    /// Why nothing is sent.
    closed: Option<String>,
    proved: bool,
    /// Values that were sent and not taken, since the last one that was.
    outstanding: u8,
    /// Those of them that the card refused for their form: an honest card has compared nothing.
    doubtful: u8,
    /// The most of them that there may be, or [`NO_LIMIT`].
    most: u8,
}

/// The accounts of one card in one run.
#[derive(Default)]
pub struct Ledger(BTreeMap<Credential, Account>);

impl Ledger {
    /// Opens an account for a credential whose value is known and wanted. Nothing is sent where tries are not told, or fewer
    /// than three are left: the account is closed then, and says why.
    pub fn open(&mut self, credential: Credential, tries: Tries) {
        let closed = match tries {
            Tries::Left(0) => Some(format!("the {credential} is blocked, and was left as it was found")),
            Tries::Left(left @ 1..LEAST) => Some(format!("the {credential} has {} only: nothing is tried on it", counted(left))),
            Tries::Untold => Some(format!("the card does not tell how many tries the {credential} has: nothing is tried on it")),
            Tries::Left(_) | Tries::Uncounted => None,
        };
        self.0.insert(credential, Account { tries, closed, proved: false, outstanding: 0, doubtful: 0, most: 1 });
    }

    /// Sends no more of this credential, whatever comes.
    pub fn close(&mut self, credential: Credential, why: String) {
        if let Some(account) = self.0.get_mut(&credential) {
            account.closed.get_or_insert(why);
        }
    }

    /// Says how many wrong values of the proved secrets there may be at a time, from here on: none in a run that only
    /// reads, in others as many as leave one try for the right value and one for the card's owner, and all of the PIN's
    /// where it may be blocked and `brings_back` is proved.
    pub fn allow(&mut self, danger: Danger, brings_back: Option<Credential>) {
        let bring = brings_back.is_some_and(|credential| self.is_proved(credential));
        for (credential, account) in &mut self.0 {
            let Tries::Left(left) = account.tries else {
                account.most = NO_LIMIT;
                continue;
            };
            account.most = match danger {
                Danger::Safe => 0,
                Danger::Locks | Danger::Resets if *credential == Credential::Pin && bring => NO_LIMIT,
                Danger::Resets => NO_LIMIT,
                _ => left.saturating_sub(2),
            };
        }
    }

    /// Whether the card has taken this credential in this run, and nothing has gone wrong since.
    #[must_use]
    pub fn is_proved(&self, credential: Credential) -> bool {
        self.0.get(&credential).is_some_and(|account| account.proved && account.closed.is_none())
    }

    /// Why nothing of this credential is sent; `None` where it may be, and where there is no account.
    #[must_use]
    pub fn closed(&self, credential: Credential) -> Option<&str> {
        self.0.get(&credential)?.closed.as_deref()
    }

    /// Whether tries may be gone that the right value gives back.
    #[must_use]
    pub fn owes(&self, credential: Credential) -> bool {
        self.is_proved(credential) && self.0.get(&credential).is_some_and(|account| account.outstanding > 0)
    }

    /// Takes a value into account that is about to be sent.
    ///
    /// # Errors
    /// Why it is not to be sent.
    pub fn before(&mut self, guess: Guess) -> Result<(), String> {
        let Guess { credential, right, restores } = guess;
        let Some(account) = self.0.get_mut(&credential) else {
            return Err(format!("nothing is known of the {credential} and its tries: nothing is tried on it"));
        };
        if let Some(why) = &account.closed {
            return Err(why.clone());
        }
        if !right && account.most != NO_LIMIT && account.outstanding >= account.most {
            return Err(format!("one more wrong {credential} would cost more tries than was announced"));
        }
        if let Tries::Left(left) = account.tries
            && account.most != NO_LIMIT
            // Whether a card that counts what it refuses for its form takes the right value on its last try is no matter: one
            // that does not is lost with it or without.
            && account.outstanding - if right && restores { account.doubtful } else { 0 } + 1 >= left
        {
            return Err(format!("the last try of the {credential} is its owner's"));
        }
        account.outstanding = account.outstanding.saturating_add(1);
        Ok(())
    }

    /// Takes the answer to it into account; `None` when there was none. What was not to be expected closes the account.
    pub fn after(&mut self, guess: Guess, sw: Option<u16>) {
        let Guess { credential, right, .. } = guess;
        let Some(account) = self.0.get_mut(&credential) else { return };
        let left = match (account.tries, sw) {
            (_, Some(0x9000 | 0x6100..=0x61FF)) => {
                account.proved |= right;
                (account.outstanding, account.doubtful) = (0, 0);
                return;
            }
            (Tries::Left(left), _) => left.saturating_sub(account.outstanding),
            _ => u8::MAX,
        };
        let said = match sw {
            Some(sw @ 0x63C0..=0x63CF) => Some((sw & 0x0F) as u8),
            Some(0x6983) => Some(0),
            _ => None,
        };
        let compared = said.is_some() || sw.is_some_and(|sw| sw >> 8 == 0x63);
        account.doubtful = account.doubtful.saturating_add(u8::from(sw.is_some() && !compared));
        if right && !account.proved {
            let answer = sw.map_or_else(|| "no answer".to_owned(), |sw| format!("{sw:04X}"));
            account.closed = Some(format!("the {credential} that was given is not the card's ({answer}); it is not sent again"));
        } else if right && compared && left > 0 {
            account.closed = Some(format!("the card refused the right {credential} ({:04X})", sw.unwrap_or_default()));
        } else if said.is_some_and(|said| said < left.min(15)) {
            let said = counted(said.unwrap_or_default());
            account.closed = Some(format!("the card says {said} of the {credential} where it should say {}", counted(left)));
        }
    }

    /// Tries that are gone and were not given back.
    #[must_use]
    pub fn outstanding(&self) -> Vec<Stays> {
        let gone = |(credential, account): (&Credential, &Account)| {
            let why = account.closed.as_deref().unwrap_or("the right one gives them back");
            let counted_here = matches!(account.tries, Tries::Left(_)) && account.outstanding > 0;
            let why = || format!("{} fewer at most; {why}", counted(account.outstanding));
            counted_here.then(|| Stays { what: format!("tries of the {credential}"), why: why() })
        };
        self.0.iter().filter_map(gone).collect()
    }

    /// What the run may cost at most, a line for each credential that it needs.
    #[must_use]
    pub fn announcement(&self) -> Vec<String> {
        let line = |(credential, account): (&Credential, &Account)| {
            if let Some(why) = &account.closed {
                return format!("{credential}: {why}");
            }
            let tries = match account.tries {
                Tries::Left(left) => format!("{} left, ", counted(left)),
                _ => String::new(),
            };
            let cost = match account.most {
                0 => "only the right one is sent".to_owned(),
                NO_LIMIT if account.tries == Tries::Uncounted => "wrong ones cost nothing on PIV cards".to_owned(),
                NO_LIMIT => "it may be blocked, and is brought back".to_owned(),
                _ => "wrong ones too, whose tries are given back; the last try is left alone".to_owned(),
            };
            format!("{credential}: {tries}proved; {cost}")
        };
        self.0.iter().map(line).collect()
    }
}

/// Tries in words.
fn counted(tries: u8) -> String {
    format!("{tries} {}", if tries == 1 { "try" } else { "tries" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RIGHT: Guess = Guess { credential: Credential::Pin, right: true, restores: false };
    const WRONG: Guess = Guess { right: false, ..RIGHT };

    fn proved(left: u8, danger: Danger) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.open(Credential::Pin, Tries::Left(left));
        ledger.before(RIGHT).unwrap();
        ledger.after(RIGHT, Some(0x9000));
        ledger.allow(danger, None);
        ledger
    }

    #[test]
    fn one_value_proves_or_closes() {
        let mut ledger = Ledger::default();
        ledger.open(Credential::Pin, Tries::Left(3));
        ledger.before(RIGHT).unwrap();
        ledger.after(RIGHT, Some(0x63C2));
        assert!(!ledger.is_proved(Credential::Pin));
        assert_eq!(ledger.before(RIGHT).unwrap_err(), "the PIN that was given is not the card's (63C2); it is not sent again");
        assert!(proved(3, Danger::Safe).is_proved(Credential::Pin));
    }

    #[test]
    fn what_is_blocked_nearly_used_up_or_not_told_is_left_alone() {
        for (tries, why) in [
            (Tries::Left(0), "the PIN is blocked, and was left as it was found"),
            (Tries::Left(1), "the PIN has 1 try only: nothing is tried on it"),
            (Tries::Left(2), "the PIN has 2 tries only: nothing is tried on it"),
            (Tries::Untold, "the card does not tell how many tries the PIN has: nothing is tried on it"),
        ] {
            let mut ledger = Ledger::default();
            ledger.open(Credential::Pin, tries);
            assert_eq!(ledger.before(RIGHT).unwrap_err(), why);
            assert_eq!(ledger.announcement(), [format!("PIN: {why}")]);
        }
        let nobodys = Guess { credential: Credential::Puk, ..RIGHT };
        assert!(Ledger::default().before(nobodys).is_err());
    }

    #[test]
    fn wrong_values_stop_before_the_last_try() {
        let mut ledger = proved(3, Danger::SpendsTries);
        ledger.before(WRONG).unwrap();
        ledger.after(WRONG, Some(0x63C2));
        assert_eq!(ledger.before(WRONG).unwrap_err(), "one more wrong PIN would cost more tries than was announced");
        ledger.before(RIGHT).unwrap();
        ledger.after(RIGHT, Some(0x9000));
        ledger.before(WRONG).unwrap();
        // The right one is asked in a way that the card refuses: who knows what it counts.
        ledger.before(RIGHT).unwrap();
        ledger.after(RIGHT, Some(0x6A86));
        assert_eq!(ledger.before(RIGHT).unwrap_err(), "the last try of the PIN is its owner's");
        // To give it back it is worth it: the card has said of one only that it was compared.
        ledger.before(Guess { restores: true, ..RIGHT }).unwrap();
        assert!(proved(3, Danger::Safe).before(WRONG).is_err());
    }

    #[test]
    fn a_card_that_counts_otherwise_is_left_alone() {
        let mut quick = proved(3, Danger::SpendsTries);
        quick.before(WRONG).unwrap();
        quick.after(WRONG, Some(0x63C0));
        assert_eq!(quick.before(RIGHT).unwrap_err(), "the card says 0 tries of the PIN where it should say 2 tries");
        let mut stubborn = proved(3, Danger::SpendsTries);
        stubborn.before(RIGHT).unwrap();
        stubborn.after(RIGHT, Some(0x6300));
        assert_eq!(stubborn.before(RIGHT).unwrap_err(), "the card refused the right PIN (6300)");
    }

    #[test]
    fn the_pin_is_blocked_only_where_something_brings_it_back() {
        let mut ledger = proved(3, Danger::Safe);
        ledger.open(Credential::Puk, Tries::Left(3));
        ledger.allow(Danger::Locks, Some(Credential::Puk));
        assert_eq!(
            ledger.announcement()[0],
            "PIN: 3 tries left, proved; wrong ones too, whose tries are given back; the last try is left alone"
        );
        let puk = Guess { credential: Credential::Puk, ..RIGHT };
        ledger.before(puk).unwrap();
        ledger.after(puk, Some(0x9000));
        ledger.allow(Danger::Locks, Some(Credential::Puk));
        for sw in [0x63C2, 0x63C1, 0x63C0, 0x6983, 0x6983, 0x6983] {
            ledger.before(WRONG).unwrap();
            ledger.after(WRONG, Some(sw));
        }
        // Blocked as announced: the right one is refused as well, and that is no surprise.
        ledger.before(RIGHT).unwrap();
        ledger.after(RIGHT, Some(0x6983));
        assert!(ledger.closed(Credential::Pin).is_none());
    }

    /// A key that nothing counts may be wrong any number of times in a run.
    #[test]
    fn what_is_not_counted_has_no_end() {
        let mut ledger = Ledger::default();
        ledger.open(Credential::AdminKey, Tries::Uncounted);
        let right = Guess { credential: Credential::AdminKey, ..RIGHT };
        ledger.before(right).unwrap();
        ledger.after(right, Some(0x9000));
        ledger.allow(Danger::SpendsTries, None);
        let wrong = Guess { right: false, ..right };
        for _ in 0..600 {
            ledger.before(wrong).unwrap();
            ledger.after(wrong, Some(0x6982));
        }
        ledger.before(Guess { restores: true, ..right }).unwrap();
        assert!(ledger.closed(Credential::AdminKey).is_none());
    }

    proptest! {
        /// Whatever a card answers, no more wrong values are outstanding than were announced.
        #[test]
        fn no_answer_makes_it_cost_more(left in 3..16u8, steps in proptest::collection::vec((any::<bool>(), proptest::option::of(any::<u16>())), 0..60)) {
            let mut ledger = proved(left, Danger::SpendsTries);
            let mut outstanding = 0u8;
            for (right, sw) in steps {
                let guess = Guess { right, ..RIGHT };
                if ledger.before(guess).is_ok() {
                    outstanding += 1;
                    ledger.after(guess, sw);
                    if matches!(sw, Some(0x9000 | 0x6100..=0x61FF)) {
                        outstanding = 0;
                    }
                    prop_assert!(outstanding < left, "the last try is left");
                }
            }
        }
    }
}
