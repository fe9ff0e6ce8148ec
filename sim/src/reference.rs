//! Reference data with a retry counter: the one lock that every card edge uses.
//!
//! Five rules hold for PIN, Global PIN, PUK and every other counted secret:
//! 1. at counter 0 nothing is compared;
//! 2. the decrement is committed *before* the comparison, the reset after a match;
//! 3. the comparison takes the same time whatever differs;
//! 4. a wrong value costs one try and the security status of the reference (the caller's part);
//! 5. a power cut leaves the old or the new state, never a free try and never a lost secret.
//!
//! Two records a reference: the value, and `{tries left, maximum}`.

use crate::memory;
use crate::nvm::{Nvm, RecordId, Transaction};
use crate::status::{Abort, StatusWord};
use subtle::ConstantTimeEq;

/// The result of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The values are equal; the counter is at its maximum again.
    Match,
    /// They differ; this many tries are left.
    Wrong(u8),
    /// The counter was 0; nothing was compared.
    Blocked,
}

/// What came of comparing an old value while a new one waited.
pub(crate) enum Compared {
    /// The new one is refused, and nothing has changed.
    NewRefused(Abort),
    /// As the old one was.
    Old(Result<Verdict, Abort>),
}

/// The tries of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryCounter {
    /// Tries left now.
    pub left: u8,
    /// What a success restores.
    pub maximum: u8,
}

/// A counted secret in non-volatile memory. The handle itself holds nothing secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    value: RecordId,
    counter: RecordId,
}

/// Global PIN, reference 00 (PIV).
pub const GLOBAL_PIN: Reference = Reference::new(0x00);
/// PIN of the application, reference 80.
pub const PIN: Reference = Reference::new(0x80);
/// PIN Unblocking Key, reference 81.
pub const PUK: Reference = Reference::new(0x81);
/// Administrator key, reference 9B. Only its counter is kept here, on cards that count wrong
/// responses; the key itself is in [`crate::keys`].
pub const ADMINISTRATION: Reference = Reference::new(0x9B);

impl Reference {
    const fn new(reference: u8) -> Self {
        Self { value: memory::reference(reference), counter: memory::counter(reference) }
    }

    /// A key of a secure channel, by KID and KVN. Only its tries are kept so; the key itself is in `scp::store`.
    pub(crate) const fn of_channel(kid: u8, kvn: u8) -> Self {
        Self { value: memory::channel_key(kid, kvn), counter: memory::channel_tries(kid, kvn) }
    }

    /// What it is called: `PIN`, `PUK`, `Global PIN`, `administrator key`.
    #[must_use]
    pub fn name(self) -> String {
        memory::reference_name(self.value.index() as u8)
    }

    /// Whether the card has this reference.
    #[must_use]
    pub fn exists(self, nvm: &Nvm) -> bool {
        nvm.read(self.counter).is_some()
    }

    /// The tries; `{0, 0}` when the card has no such reference.
    #[must_use]
    pub fn counter(self, nvm: &Nvm) -> RetryCounter {
        match nvm.read(self.counter) {
            Some(&[left, maximum]) => RetryCounter { left, maximum },
            _ => RetryCounter { left: 0, maximum: 0 },
        }
    }

    /// Length of the value in bytes, for a card edge whose values are not padded.
    #[must_use]
    pub(crate) fn length(self, nvm: &Nvm) -> usize {
        nvm.read(self.value).map_or(0, <[u8]>::len)
    }

    /// Whether the value is `candidate`, without touching the counter: for questions such as "is
    /// this still the factory value", never for authentication.
    #[must_use]
    pub fn is(self, nvm: &Nvm, candidate: &[u8]) -> bool {
        nvm.read(self.value).is_some_and(|value| bool::from(value.ct_eq(candidate)))
    }

    /// Compares `candidate` with the value, by the five rules.
    ///
    /// # Errors
    /// [`Abort`] when memory fails or power is lost; the try is then either spent or not begun.
    pub fn verify(self, nvm: &mut Nvm, candidate: &[u8]) -> Result<Verdict, Abort> {
        self.verify_and(nvm, candidate, |_| Ok(()))
    }

    /// As [`Reference::verify`], and on a match runs `change` in the transaction that restores the
    /// counter: the new value and the full counter become durable together.
    ///
    /// # Errors
    /// As [`Reference::verify`], and what `change` gives.
    pub fn verify_and(
        self,
        nvm: &mut Nvm,
        candidate: &[u8],
        change: impl FnOnce(&mut Transaction<'_>) -> Result<(), Abort>,
    ) -> Result<Verdict, Abort> {
        let verdict = self.spend(nvm, |reference, nvm| reference.is(nvm, candidate))?;
        if verdict == Verdict::Match {
            let mut transaction = nvm.begin();
            self.restore(&mut transaction)?;
            change(&mut transaction)?;
            transaction.commit()?;
        }
        Ok(verdict)
    }

    /// As [`Reference::verify`], but a match gives back only the try that was spent: for a command
    /// that is going to be refused for another reason.
    ///
    /// # Errors
    /// As [`Reference::verify`].
    pub fn check(self, nvm: &mut Nvm, candidate: &[u8]) -> Result<Verdict, Abort> {
        let RetryCounter { left, maximum } = self.counter(nvm);
        let spent = self.spend(nvm, |reference, nvm| reference.is(nvm, candidate))?;
        if spent == Verdict::Match {
            let mut transaction = nvm.begin();
            transaction.write(self.counter, &[left, maximum])?;
            transaction.commit()?;
        }
        Ok(spent)
    }

    /// Compares `old` while a new value waits, and on a match makes `change`. `judged` is what is said of the new value;
    /// with `old_first` a card compares before it listens to that, so that a wrong old value costs a try whatever the
    /// new one is. A right one then gets its try back, and nothing else changes.
    #[must_use]
    pub(crate) fn verify_while(
        self,
        nvm: &mut Nvm,
        old: &[u8],
        judged: Result<(), Abort>,
        old_first: bool,
        change: impl FnOnce(&mut Transaction<'_>) -> Result<(), Abort>,
    ) -> Compared {
        match judged {
            Ok(()) => Compared::Old(self.verify_and(nvm, old, change)),
            Err(refused) if old_first => match self.check(nvm, old) {
                Ok(Verdict::Match) => Compared::NewRefused(refused),
                other => Compared::Old(other),
            },
            Err(refused) => Compared::NewRefused(refused),
        }
    }

    /// Proves knowledge of a secret by a response to a challenge: the same rules, but what is
    /// compared is the caller's business. `compare` runs in constant time, after the try is spent.
    ///
    /// # Errors
    /// As [`Reference::verify`].
    pub fn prove(self, nvm: &mut Nvm, compare: impl FnOnce() -> bool) -> Result<Verdict, Abort> {
        let verdict = self.spend(nvm, |_, _| compare())?;
        if verdict == Verdict::Match {
            let mut transaction = nvm.begin();
            self.restore(&mut transaction)?;
            transaction.commit()?;
        }
        Ok(verdict)
    }

    /// Spends a try for a proof that is looked at afterwards, perhaps by a later command. [`Verdict::Wrong`] tells what is
    /// left; [`Reference::proved`] gives them back.
    ///
    /// # Errors
    /// As [`Reference::verify`].
    pub(crate) fn spend_ahead(self, nvm: &mut Nvm) -> Result<Verdict, Abort> {
        self.spend(nvm, |_, _| false)
    }

    /// All tries, after a proof for which one was spent.
    ///
    /// # Errors
    /// As [`Reference::verify`].
    pub(crate) fn proved(self, nvm: &mut Nvm) -> Result<(), Abort> {
        let mut transaction = nvm.begin();
        self.restore(&mut transaction)?;
        transaction.commit()
    }

    /// Sets the tries left, as a test bench does; the maximum stays, and a larger number is cut to it.
    ///
    /// # Errors
    /// [`Abort::PowerLost`] at an armed tear point.
    pub fn set_left(self, transaction: &mut Transaction<'_>, left: u8) -> Result<(), Abort> {
        let maximum = self.counter(transaction.nvm()).maximum;
        transaction.write(self.counter, &[left.min(maximum), maximum])
    }

    /// Sets what a success restores; more tries than that are not left.
    pub(crate) fn set_limit(self, transaction: &mut Transaction<'_>, maximum: u8) -> Result<(), Abort> {
        let left = self.counter(transaction.nvm()).left.min(maximum);
        transaction.write(self.counter, &[left, maximum])
    }

    /// Sets a counter without a value, for a secret that is kept elsewhere or not set yet: nothing
    /// compares equal to it.
    ///
    /// # Errors
    /// [`Abort::PowerLost`] at an armed tear point.
    pub fn create_counter(self, transaction: &mut Transaction<'_>, tries: u8) -> Result<(), Abort> {
        transaction.write(self.counter, &[tries, tries])
    }

    /// Sets value, tries left and maximum, as at personalisation.
    ///
    /// # Errors
    /// [`Abort::PowerLost`] at an armed tear point.
    pub fn create(self, transaction: &mut Transaction<'_>, value: &[u8], tries: u8) -> Result<(), Abort> {
        transaction.write(self.value, value)?;
        transaction.write(self.counter, &[tries, tries])
    }

    /// Sets a new value and a full counter, after the caller's own authentication.
    ///
    /// # Errors
    /// [`Abort::PowerLost`] at an armed tear point.
    pub fn replace(self, transaction: &mut Transaction<'_>, value: &[u8], counter: RetryCounter) -> Result<(), Abort> {
        transaction.write(self.value, value)?;
        transaction.write(self.counter, &[counter.maximum, counter.maximum])
    }

    /// The commit - compare part. The decrement is durable before the first byte is compared, so
    /// that cutting the power on a wrong guess cannot give the try back; the caller commits the
    /// reset only after this has said `Match`.
    fn spend(self, nvm: &mut Nvm, equal: impl FnOnce(Self, &Nvm) -> bool) -> Result<Verdict, Abort> {
        let RetryCounter { left, maximum } = self.counter(nvm);
        if left == 0 {
            return Ok(Verdict::Blocked);
        }
        let mut transaction = nvm.begin();
        transaction.write(self.counter, &[left - 1, maximum])?;
        transaction.commit()?;
        Ok(if equal(self, nvm) { Verdict::Match } else { Verdict::Wrong(left - 1) })
    }

    fn restore(self, transaction: &mut Transaction<'_>) -> Result<(), Abort> {
        let maximum = self.counter(transaction.nvm()).maximum;
        transaction.write(self.counter, &[maximum, maximum])
    }
}

impl Verdict {
    /// The status word that ISO/IEC 7816-4 gives this verdict; `last` is what the profile answers
    /// to the wrong value that spends the last try (63C0 or 6983).
    #[must_use]
    pub fn status(self, last: StatusWord) -> StatusWord {
        match self {
            Self::Match => StatusWord::OK,
            Self::Wrong(0) => last,
            Self::Wrong(left) => StatusWord::tries_left(left),
            Self::Blocked => StatusWord::BLOCKED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nvm::Volatile;

    fn card() -> Nvm {
        let mut nvm = Nvm::open(Box::new(Volatile)).unwrap();
        let mut transaction = nvm.begin();
        PIN.create(&mut transaction, b"123456", 3).unwrap();
        transaction.commit().unwrap();
        nvm
    }

    #[test]
    fn counts_down_blocks_and_restores() {
        let mut nvm = card();
        assert_eq!(PIN.verify(&mut nvm, b"000000"), Ok(Verdict::Wrong(2)));
        assert_eq!(PIN.verify(&mut nvm, b"123456"), Ok(Verdict::Match));
        assert_eq!(PIN.counter(&nvm).left, 3);
        for left in [2, 1, 0] {
            assert_eq!(PIN.verify(&mut nvm, b"12345"), Ok(Verdict::Wrong(left)));
        }
        assert_eq!(PIN.verify(&mut nvm, b"123456"), Ok(Verdict::Blocked));
    }

    #[test]
    fn references_have_names() {
        let names = [GLOBAL_PIN, PIN, PUK, ADMINISTRATION].map(Reference::name);
        assert_eq!(names, ["Global PIN", "PIN", "PUK", "administrator key"]);
    }

    #[test]
    fn a_bench_sets_the_tries_that_are_left_and_no_more_than_all() {
        let mut nvm = card();
        for (wanted, left) in [(1, 1), (0, 0), (3, 3), (9, 3)] {
            let mut transaction = nvm.begin();
            PIN.set_left(&mut transaction, wanted).unwrap();
            transaction.commit().unwrap();
            assert_eq!(PIN.counter(&nvm), RetryCounter { left, maximum: 3 });
        }
    }

    #[test]
    fn a_wrong_guess_is_never_free() {
        for cut in 0..8 {
            let mut nvm = card();
            nvm.cut_power_at(cut);
            let verdict = PIN.verify(&mut nvm, b"000000");
            let left = PIN.counter(&nvm).left;
            match verdict {
                Err(_) if cut < 2 => assert_eq!(left, 3, "not begun: nothing was compared"),
                _ => assert_eq!(left, 2, "tear point {cut}"),
            }
        }
    }

    #[test]
    fn a_right_value_is_never_lost() {
        for cut in 0..8 {
            let mut nvm = card();
            nvm.cut_power_at(cut);
            let _ = PIN.verify(&mut nvm, b"123456");
            nvm.disarm();
            assert!(PIN.counter(&nvm).left >= 2);
            assert_eq!(PIN.verify(&mut nvm, b"123456"), Ok(Verdict::Match));
        }
    }
}
