//! What cannot be written - a card's memory, a recording - told to whoever runs the readers: once when it begins, and once when it
//! is over. A program at a card sees an error of the card; nobody guesses a full disk from that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tells it.
#[derive(Clone)]
pub struct Outage {
    tell: Arc<dyn Fn(&str) + Send + Sync>,
    /// Between the two.
    lasts: Arc<AtomicBool>,
}

impl Outage {
    /// Told by this, a sentence a time.
    pub fn told_by(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { tell: Arc::new(tell), lasts: Arc::default() }
    }

    /// Told to nobody.
    #[must_use]
    pub fn untold() -> Self {
        Self::told_by(|_| {})
    }

    /// It failed; `sentence` says what, why and what to do.
    pub(crate) fn failed(&self, sentence: impl FnOnce() -> String) {
        if !self.lasts.swap(true, Ordering::Relaxed) {
            (self.tell)(&sentence());
        }
    }

    /// As [`Outage::failed`], and who found it does not wait until it is told: where it is told, nobody may read either.
    pub(crate) fn failed_aside(&self, sentence: impl FnOnce() -> String) {
        if !self.lasts.swap(true, Ordering::Relaxed) {
            let (tell, sentence) = (self.tell.clone(), sentence());
            // Without a thread it stays untold.
            let _ = std::thread::Builder::new().name("outage".into()).spawn(move || tell(&sentence));
        }
    }

    /// It went well.
    pub(crate) fn works(&self, sentence: impl FnOnce() -> String) {
        if self.lasts.load(Ordering::Relaxed) && self.lasts.swap(false, Ordering::Relaxed) {
            (self.tell)(&sentence());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn each_outage_is_told_twice() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let outage = Outage::told_by({
            let told = told.clone();
            move |sentence| told.lock().unwrap().push(sentence.to_owned())
        });
        outage.works(|| "never".into());
        for number in 0..3 {
            outage.failed(|| format!("failed {number}"));
        }
        for number in 0..3 {
            outage.works(|| format!("works {number}"));
        }
        outage.failed(|| "failed again".into());
        assert_eq!(*told.lock().unwrap(), ["failed 0", "works 0", "failed again"]);
    }
}
