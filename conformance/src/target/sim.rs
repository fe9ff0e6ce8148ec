//! Simulated cards in process: each test gets a new one.

use super::watched::Watched;
use super::{NoCard, Placed, SILENCE, Slot, Target, check_needs};
use crate::bench::{Facts, Objects};
use crate::credentials::Credentials;
use crate::oracle;
use crate::test::{Danger, Need, Wish};
use cardlab_client::recognise::Edge;
use cardlab_client::transport::TransportError;
use cardlab_protocol::admin_key::AdminKey;
use cardlab_sim::card::{Card, CardError, NoAnswer, World};
use cardlab_sim::conditions::Interface;
use cardlab_sim::crypto::encoded::from_pkcs8;
use cardlab_sim::profile::{Profile, ProfileError};
use cardlab_sim::{Issue, Issued};
use zeroize::Zeroizing;

/// New cards of one profile.
pub struct Sim {
    profile: Profile,
    seed: u64,
}

impl Sim {
    /// Cards of a built-in profile, whose random numbers follow from `seed`.
    ///
    /// # Errors
    /// [`ProfileError`] when there is none of this name.
    pub fn new(profile: &str, seed: u64) -> Result<Self, ProfileError> {
        Ok(Self { profile: Profile::builtin(profile)?, seed })
    }

    /// The card that a test wishes for, powered, and what is known of it. For a target of one's own that puts
    /// something between the suite and a simulated card: see [`Target`].
    ///
    /// # Errors
    /// [`NoCard::NotApplicable`] when this profile cannot be such a card.
    pub fn card(&self, wish: &Wish) -> Result<(Card, Facts), NoCard> {
        let mut profile = self.profile.clone();
        for (setting, value) in &wish.settings {
            profile.set(setting, value).map_err(|e| NoCard::NotApplicable(e.to_string()))?;
        }
        profile.check().map_err(|e| NoCard::NotApplicable(e.to_string()))?;
        let facts = facts(&profile, wish)?;
        let keys = wish.keys.clone();
        let issue = move |_, _: &mut _| {
            let of = |(slot, kind): (u8, crate::keys::KeyKind)| {
                let key = from_pkcs8(kind.pkcs8()).map_err(|e| CardError::Slot { slot, reason: e.to_string() })?;
                Ok(Issued { slot, key, certificate: None, compressed: false })
            };
            Ok(Issue::of(keys.into_iter().map(of).collect::<Result<_, CardError>>()?))
        };
        let card = Card::issue(profile, World::seeded(self.seed), issue);
        let mut card = card.map_err(|e: CardError| NoCard::NotApplicable(e.to_string()))?;
        card.power_on();
        Ok((card, facts))
    }
}

impl Target for Sim {
    fn name(&self) -> String {
        self.profile.name.clone()
    }

    fn place(&mut self, needs: &[Need], wish: &Wish, _: Danger) -> Result<Placed<'_>, NoCard> {
        let (card, facts) = self.card(wish)?;
        check_needs(&facts, needs, false, true)?;
        Ok(Placed::new(Box::new(Watched::new(InProcess(card), SILENCE)), facts))
    }
}

/// What a person knows of a card of this profile.
fn facts(profile: &Profile, wish: &Wish) -> Result<Facts, NoCard> {
    let edge = match (&profile.gids, &profile.piv) {
        (Some(gids), _) => Edge::Gids { initialised: gids.initialised },
        (None, Some(piv)) => Edge::Piv { admin_unblock: piv.admin_unblock, yubikey: profile.yubikey.as_ref().map(|y| y.version) },
        (None, None) => return Err(NoCard::NotApplicable("the profile has no card edge".into())),
    };
    let blank = matches!(edge, Edge::Gids { initialised: false });
    let key = &profile.management_key;
    let admin = AdminKey::new(key.algorithm, &key.value).ok();
    let mut keys = Vec::new();
    for (slot, kind) in &wish.keys {
        let public = oracle::public_of(*kind).map_err(|e| NoCard::NotRun(format!("{e:?}")))?;
        keys.push((*slot, public));
    }
    Ok(Facts {
        name: profile.name.clone(),
        edge,
        serial: String::new(),
        credentials: Credentials {
            pin: (!blank).then(|| Zeroizing::new(profile.pin.value.clone())),
            puk: profile.puk.as_ref().map(|puk| Zeroizing::new(puk.value.clone())),
            admin: admin.filter(|_| !blank),
            ..Credentials::default()
        },
        keys,
        new: true,
        extended_length: profile.card.extended_length,
        tells_verified: true,
        pin_tries: Some(profile.pin.tries),
        objects: Objects::new(),
        files: Vec::new(),
    })
}

/// A card that the suite speaks to without a reader. Its memory can be torn, and is there to be looked at.
pub struct InProcess(pub Card);

impl Slot for InProcess {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        self.0.transmit(command).map_err(|error| match error {
            NoAnswer::Unpowered => TransportError::Removed,
            NoAnswer::PowerLost => TransportError::Reset,
        })
    }

    fn reset(&mut self, cold: bool) -> Result<(), TransportError> {
        self.0.nvm_mut().disarm();
        if cold || !self.0.is_powered() {
            self.0.power_off();
            self.0.power_on();
        } else {
            self.0.reset();
        }
        Ok(())
    }

    fn reach(&mut self, interface: Interface) -> bool {
        self.0.set_interface(interface);
        true
    }

    fn cut_power_at(&mut self, n: u32) -> bool {
        self.0.nvm_mut().cut_power_at(n);
        true
    }
}
