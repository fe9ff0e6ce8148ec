//! Letters that are typed before a name is taken in Remote Self-Service. Nobody is known there yet: what the policy says that
//! stands for everybody holds, so that the page is the same for every name.

use crate::model::captcha::{Letters, ONCE, Typed};
use crate::model::random;
use crate::model::refusal::{Code, Refusal};
use crate::service::Server;
use crate::store::{Snapshot, Tx, hits, policies};
use crate::words::sentence;

/// Letters that are typed before a name is taken.
#[derive(Clone, Copy)]
pub struct Captchas<'s> {
    pub(super) server: &'s Server,
}

impl Captchas<'_> {
    /// The token of letters that are to be typed now; none where nobody is asked.
    ///
    /// # Errors
    /// [`Code::StoreDown`].
    pub async fn wanted(&self) -> Result<Option<String>, Refusal> {
        let mut snapshot = self.server.store.read().await?;
        if !is_on(&mut snapshot).await? {
            return Ok(None);
        }
        let drawn = Letters::drawn(&self.server.vault, self.server.now());
        drawn.map(Some).map_err(|error| Refusal::new(Code::Busy, sentence!("refused-work", why = error)))
    }

    /// The picture of the letters that a token names: PNG.
    ///
    /// # Errors
    /// [`Code::NotFound`] for a token that is none, or too old.
    pub async fn picture(&self, token: &str) -> Result<Vec<u8>, Refusal> {
        self.made(token, Letters::picture).await
    }

    /// The sound of the letters that a token names: WAV.
    ///
    /// # Errors
    /// As [`Self::picture`].
    pub async fn sound(&self, token: &str) -> Result<Vec<u8>, Refusal> {
        self.made(token, Letters::sound).await
    }

    async fn made(&self, token: &str, make: fn(&Letters) -> Option<Vec<u8>>) -> Result<Vec<u8>, Refusal> {
        let letters = Letters::of(&self.server.vault, token, self.server.now());
        let letters = letters.ok_or_else(|| Refusal::not_found("picture"))?;
        let made = self.server.workers.run(move || make(&letters)).await?;
        made.ok_or_else(|| Refusal::new(Code::Busy, sentence!("refused-captcha-not-drawn")))
    }

    /// Whether the letters were typed, where somebody is asked for them. Right or wrong, they are not taken again.
    ///
    /// # Errors
    /// [`Code::Captcha`].
    pub(super) async fn check(&self, tx: &mut Tx, typed: Option<&Typed>) -> Result<(), Refusal> {
        if !is_on(tx).await? {
            return Ok(());
        }
        let refused = || Refusal::new(Code::Captcha, sentence!("refused-captcha"));
        let typed = typed.ok_or_else(refused)?;
        let now = self.server.now();
        let letters = Letters::of(&self.server.vault, &typed.token, now).ok_or_else(refused)?;
        let bucket = format!("captcha {}", random::fingerprint(&typed.token));
        hits::count(tx, ONCE, &bucket, now).await.map_err(|refusal| match refusal.code {
            Code::RateLimited => refused(),
            _ => refusal,
        })?;
        if letters.are(&typed.letters) { Ok(()) } else { Err(refused()) }
    }
}

async fn is_on(conn: &mut Snapshot) -> Result<bool, Refusal> {
    Ok(policies::default(conn).await?.is_some_and(|policy| policy.settings.authentication.captcha))
}
