//! Factory content: what every new card has, and what its card edge adds.

use crate::issued::Issue;
use crate::memory::SERIAL;
use crate::nvm::{Nvm, Transaction};
use crate::own::Kind;
use crate::profile::Profile;
use crate::random::Random;
use crate::status::Abort;
use crate::{gids, piv, scp};

/// Everything random of a new card.
pub(crate) struct Factory {
    serial: u32,
    edge: Edge,
    channels: Option<scp::factory::Content>,
}

enum Edge {
    Piv(Box<piv::factory::Factory>),
    Gids(gids::factory::Factory),
    Own(Kind, [u8; 32]),
}

impl Factory {
    pub(crate) fn new(profile: &Profile, random: &mut Random) -> Result<Self, Abort> {
        // Eight decimal digits, as printed on most keys.
        let serial = 10_000_000 + u32::from_be_bytes(random.bytes()) % 90_000_000;
        let edge = match (&profile.gids, profile.own) {
            (_, Some(kind)) => Edge::Own(kind, random.bytes()),
            (Some(_), None) => Edge::Gids(gids::factory::Factory::new(profile, random)),
            (None, None) => Edge::Piv(Box::new(piv::factory::Factory::new(profile, random)?)),
        };
        let channels = profile.yubikey.as_ref().filter(|rules| rules.has_channels());
        let channels = channels.map(|_| scp::factory::Content::new(random)).transpose()?;
        Ok(Self { serial: profile.chosen.serial.unwrap_or(serial), edge, channels })
    }

    pub(crate) const fn serial(&self) -> u32 {
        self.serial
    }

    /// Writes it, and what an issuer adds.
    pub(crate) fn write(&self, transaction: &mut Transaction<'_>, profile: &Profile, issue: &Issue) -> Result<(), Abort> {
        transaction.write(SERIAL, &self.serial.to_be_bytes())?;
        if let Some(channels) = &self.channels {
            channels.write(transaction)?;
        }
        match &self.edge {
            Edge::Piv(piv) => {
                piv.write(transaction, profile, self.serial)?;
                piv::factory::write_issue(transaction, profile, issue)
            }
            Edge::Gids(gids) => gids.write(transaction, profile, &issue.keys),
            Edge::Own(kind, seed) => (kind.personalise)(transaction, profile, &mut Random::from_seed(*seed)),
        }
    }
}

/// The card's serial number.
pub(crate) fn serial(nvm: &Nvm) -> u32 {
    nvm.read(SERIAL).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes)
}
