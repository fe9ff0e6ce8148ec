//! What opens a simulated card of these readers: for whoever judges it in the same process. No route tells it.

use crate::api::Control;
use crate::error::ApiError;
use cardlab_protocol::admin_key::AdminKey;
use cardlab_sim::nvm::Nvm;
use cardlab_sim::{admin_key, memory};
use cardlab_vreader::VirtualCard;
use zeroize::Zeroizing;

/// Key references of SP 800-73-4 part 1, table 4.
const PIN: u8 = 0x80;
const PUK: u8 = 0x81;
/// Fills a PIN to its length there.
const FILLER: u8 = 0xFF;

/// Secrets of a card, as it has them now. Has no `Debug`.
#[derive(Clone, Default)]
pub struct Known {
    /// As it is typed; none where it has none, or none that can be typed.
    pub pin: Option<Zeroizing<String>>,
    /// As it is typed.
    pub puk: Option<Zeroizing<String>>,
    /// The administrator key.
    pub admin: Option<AdminKey>,
}

impl Known {
    fn of(nvm: &Nvm) -> Self {
        let typed = |reference| {
            let value = nvm.read(memory::reference(reference))?;
            let length = value.iter().rposition(|byte| *byte != FILLER)? + 1;
            String::from_utf8(value[..length].to_vec()).ok().map(Zeroizing::new)
        };
        Self { pin: typed(PIN), puk: typed(PUK), admin: admin_key::load(nvm).map(|(key, _)| key) }
    }
}

impl Control {
    /// What opens the card of a reader.
    ///
    /// # Errors
    /// [`ApiError`] when there is no such reader, or its card is not simulated here.
    pub async fn known(&self, reader: &str) -> Result<Known, ApiError> {
        let place = self.rack().find(reader)?;
        let of = |card: &mut VirtualCard| match card.card() {
            Some(simulated) => Ok(Known::of(simulated.nvm())),
            None => Err(ApiError::bad(format!("{} is not simulated here: what opens it, only its owner knows", card.name()))),
        };
        self.with(place, of).await?
    }
}
