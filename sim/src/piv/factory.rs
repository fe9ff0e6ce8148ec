//! Factory content: what a new card has in its memory, and what an issuer adds to it.

use super::content::{self, FascN};
use super::messaging::{self, Credentials};
use super::objects::{self, WriteRule};
use super::{pairing, pins};
use crate::admin_key;
use crate::issued::{Issue, Issued, IssuedObject};
use crate::keys::{self, Origin, PinPolicy, Slot, TouchPolicy};
use crate::memory;
use crate::nvm::Transaction;
use crate::profile::{PairingCode, Profile};
use crate::random::Random;
use crate::reference;
use crate::status::Abort;
use crate::yubikey::attestation::Authority;
use cardlab_protocol::tlv;
use zeroize::Zeroizing;

/// Everything random of a new card.
pub(crate) struct Factory {
    guid: [u8; 16],
    ccc: [u8; 14],
    authority: Option<Authority>,
    messaging: Option<Credentials>,
    pairing: Option<Zeroizing<[u8; pairing::LENGTH]>>,
}

impl Factory {
    pub(crate) fn new(profile: &Profile, random: &mut Random) -> Result<Self, Abort> {
        let mut guid: [u8; 16] = random.bytes();
        guid[6] = guid[6] & 0x0F | 0x40;
        guid[8] = guid[8] & 0x3F | 0x80;
        let ccc = random.bytes();
        let attests = profile.yubikey.as_ref().filter(|rules| rules.attestation);
        let authority = attests.map(|rules| Authority::new(rules, random)).transpose()?;
        // The certificate of secure messaging has the same one as the CHUID.
        let chosen = profile.chosen.chuid.as_deref().and_then(|chuid| tlv::find(chuid, 0x34)?.try_into().ok());
        let guid = chosen.or(profile.chosen.guid).unwrap_or(guid);
        let messaging = profile.chosen.messaging.map(|suite| Credentials::new(suite, guid, random)).transpose()?;
        let pairing = match (&messaging, &profile.chosen.pairing) {
            (None, _) | (_, PairingCode::None) => None,
            (Some(_), PairingCode::Given(code)) => Some(code.clone()),
            (Some(_), PairingCode::Random) => Some(Zeroizing::new(random.bytes().map(|byte: u8| b'0' + byte % 10))),
        };
        Ok(Self { guid, ccc, authority, messaging, pairing })
    }

    pub(crate) fn write(&self, transaction: &mut Transaction<'_>, profile: &Profile, serial: u32) -> Result<(), Abort> {
        reference_data(transaction, profile, profile.pin.tries, profile.puk().tries)?;
        let chosen = &profile.chosen;
        if let Some((value, tries)) = &chosen.global_pin {
            reference::GLOBAL_PIN.create(transaction, &pins::pad(value.as_bytes()), *tries)?;
        }
        admin_key::create(transaction, &profile.management_key)?;
        if let Some(messaging) = &self.messaging {
            messaging.write(transaction)?;
        }
        if let Some(code) = &self.pairing {
            pairing::create(transaction, code)?;
        }
        let discovery = content::discovery(content::Usage {
            global_pin: chosen.global_pin.is_some(),
            virtual_contact: self.messaging.is_some(),
            pairing: self.pairing.is_some(),
        });
        transaction.write(memory::object(objects::DISCOVERY), &discovery)?;
        if let Some(chuid) = &chosen.chuid {
            transaction.write(memory::object(objects::CHUID), chuid)?;
        } else if profile.piv().personalised || chosen.guid.is_some() {
            let fasc_n = FascN {
                // 9999 stands for an agency outside the federal government: the UUID identifies.
                agency: 9999,
                system: 9999,
                credential: serial % 1_000_000,
                series: 0,
                issue: 1,
                person: u64::from(serial),
                category: 3,
                organisation: 9999,
                association: 1,
            };
            transaction.write(memory::object(objects::CHUID), &content::chuid(fasc_n, &self.guid, "20491231"))?;
        }
        if profile.piv().personalised {
            transaction.write(memory::object(objects::CCC), &content::ccc(&self.ccc))?;
        }
        match &self.authority {
            Some(authority) => authority.write(transaction),
            None => Ok(()),
        }
    }
}

/// PIN and PUK at their factory values.
pub(crate) fn reference_data(transaction: &mut Transaction<'_>, profile: &Profile, pin: u8, puk: u8) -> Result<(), Abort> {
    reference::PIN.create(transaction, &pins::pad(profile.pin.value.as_bytes()), pin)?;
    reference::PUK.create(transaction, &pins::pad(profile.puk().value.as_bytes()), puk)
}

/// Whether a card of this profile can hold an issuer's key; the reason of a refusal is for people.
pub(crate) fn check_issued(issued: &Issued, profile: &Profile) -> Result<(), String> {
    let attests = issued.slot == keys::ATTESTATION && profile.yubikey.as_ref().is_some_and(|rules| rules.attestation);
    if !keys::is_slot(issued.slot) && !attests {
        return Err("not a key slot of this card; there are 9a, 9c, 9d, 9e and 82 to 95, and f9 on a YubiKey that attests".into());
    }
    if attests && issued.certificate.is_none() {
        return Err("the attestation key needs a certificate: write f9=KEY:CERTIFICATE or f9=KEY:self".into());
    }
    issued.check_algorithm(profile, &profile.piv().algorithms)?;
    if !messaging::allows(profile.chosen.messaging, issued.slot, issued.key.algorithm()) {
        return Err("a p384 key here wants sm=cs7: over the virtual contact interface cs2 would be weaker than the key".into());
    }
    if object(issued).is_some_and(|o| o.len() > profile.piv().max_object) {
        return Err(format!("the certificate is longer than the card's {} bytes", profile.piv().max_object));
    }
    Ok(())
}

/// The data object of its certificate.
fn object(issued: &Issued) -> Option<Vec<u8>> {
    issued.certificate.as_deref().map(|certificate| content::certificate(certificate, issued.compressed))
}

/// Whether a card of this profile can hold an issuer's data object; the reason of a refusal is for people.
pub(crate) fn check_object(issued: &IssuedObject, profile: &Profile) -> Result<(), String> {
    let Some(object) = objects::of(issued.tag, profile).filter(|object| object.write == WriteRule::Administration) else {
        return Err(format!("a {} has no such data object", profile.name));
    };
    if issued.value.len() > object.most {
        return Err(format!("{} bytes are more than the card's {} for an object", issued.value.len(), object.most));
    }
    Ok(())
}

/// The value of a data object that holds this certificate.
#[must_use]
pub fn certificate_object(certificate: &[u8], compressed: bool) -> Vec<u8> {
    content::certificate(certificate, compressed)
}

/// Writes what an issuer gives: keys and certificates, the key history when retired keys are among them and the issuers
/// of such cards write one, data objects.
pub(crate) fn write_issue(transaction: &mut Transaction<'_>, profile: &Profile, issue: &Issue) -> Result<(), Abort> {
    write_keys(transaction, profile, &issue.keys)?;
    for IssuedObject { tag, value } in &issue.objects {
        match value.as_slice() {
            [] => transaction.erase(memory::object(*tag))?,
            value => transaction.write(memory::object(*tag), value)?,
        }
    }
    Ok(())
}

fn write_keys(transaction: &mut Transaction<'_>, profile: &Profile, issued: &[Issued]) -> Result<(), Abort> {
    for one in issued {
        let (key, pin) = (one.key.clone(), PinPolicy::of_slot(one.slot));
        keys::store(transaction, one.slot, &Slot { key, origin: Origin::Imported, pin, touch: TouchPolicy::Never })?;
        if let (Some(object), Some(tag)) = (object(one), objects::certificate_of(one.slot)) {
            transaction.write(memory::object(tag), &object)?;
        }
    }
    let retired: Vec<&Issued> = issued.iter().filter(|one| matches!(one.slot, 0x82..=0x95)).collect();
    if issued.iter().any(|one| one.slot == keys::ATTESTATION) {
        // The root that this card made for itself signed another key.
        transaction.erase(memory::object(objects::ATTESTATION_ROOT))?;
    }
    if retired.is_empty() || !profile.piv().key_history {
        return Ok(());
    }
    let with_certificate = retired.iter().filter(|one| one.certificate.is_some()).count() as u8;
    transaction.write(memory::object(objects::KEY_HISTORY), &content::key_history(with_certificate))
}
