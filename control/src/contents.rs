//! What is on a simulated card, as people ask for it: keys with their certificates, data objects, room. No value of a key or of
//! what is not everybody's to read is in it.

use cardlab_sim::crypto::certificate::{self, Summary};
use cardlab_sim::gids::files;
use cardlab_sim::nvm::Nvm;
use cardlab_sim::piv::objects;
use cardlab_sim::{Card, keys, memory};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is on a card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Contents {
    /// Keys and certificates, by their reference.
    pub slots: Vec<SlotView>,
    /// Data objects.
    pub objects: Vec<ObjectView>,
    /// Bytes that are left for objects, files and keys.
    pub free: usize,
}

/// A key, a certificate, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SlotView {
    /// Key reference, two hexadecimal digits; of a certificate in a GIDS file, the file.
    pub slot: String,
    /// The key's algorithm, where there is a key.
    pub algorithm: Option<String>,
    /// `generated` or `imported`.
    pub origin: Option<String>,
    /// When it wants the PIN: `never`, `once`, `always`.
    pub pin: Option<String>,
    /// When it wants a touch: `never`, `always`, `cached`.
    pub touch: Option<String>,
    /// The certificate's subject.
    pub subject: Option<String>,
    /// The day until which the certificate is valid.
    pub until: Option<String>,
}

/// A data object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ObjectView {
    /// Where it is: its tag, or file and tag.
    pub place: String,
    /// What it is, in words; may be empty.
    pub name: String,
    /// Its length.
    pub bytes: usize,
    /// Whether everybody may read it.
    pub public: bool,
}

impl Contents {
    /// Of this card.
    #[must_use]
    pub fn of(card: &Card) -> Self {
        if card.profile().piv.is_some() { piv(card) } else { gids(card.nvm(), card) }
    }
}

fn word(debug: impl std::fmt::Debug) -> Option<String> {
    Some(format!("{debug:?}").to_lowercase())
}

/// The key of a reference, and the certificate that belongs to it.
fn slot(nvm: &Nvm, reference: u8, summary: Option<Summary>) -> Option<SlotView> {
    let info = keys::info(nvm, reference);
    if info.is_none() && summary.is_none() {
        return None;
    }
    let (subject, until) = summary.map_or((None, None), |summary| (Some(summary.subject), Some(summary.until)));
    Some(SlotView {
        slot: format!("{reference:02X}"),
        algorithm: info.map(|info| info.algorithm.name().to_owned()),
        origin: info.and_then(|info| word(info.origin)),
        pin: info.and_then(|info| word(info.pin)),
        touch: info.and_then(|info| word(info.touch)),
        subject,
        until,
    })
}

fn piv(card: &Card) -> Contents {
    let nvm = card.nvm();
    let references = (0x82..=0x9E).filter(|slot| keys::is_slot(*slot)).chain([keys::MESSAGING, keys::ATTESTATION]);
    let slots = references.filter_map(|reference| {
        let stored = objects::certificate_of(reference).and_then(|tag| nvm.read(memory::object(tag)));
        slot(nvm, reference, stored.and_then(certificate::summary))
    });
    let object = |(id, value): (cardlab_sim::nvm::RecordId, &[u8])| ObjectView {
        place: format!("{:X}", id.index()),
        name: memory::name(id),
        bytes: value.len(),
        public: memory::shows_object(id.index()),
    };
    Contents {
        slots: slots.collect(),
        objects: nvm.area(memory::OBJECTS).map(object).collect(),
        free: objects::free(nvm, card.profile()),
    }
}

fn gids(nvm: &Nvm, card: &Card) -> Contents {
    // References of GIDS keys, up to the administrator key's.
    let mut slots: Vec<SlotView> = (0x81..keys::ADMINISTRATION).filter_map(|reference| slot(nvm, reference, None)).collect();
    let mut objects = Vec::new();
    for (id, record) in nvm.area(memory::FILE_OBJECTS) {
        let Some((file, object)) = record.split_first_chunk::<2>() else { continue };
        let file = u16::from_be_bytes(*file);
        let Some(Ok(tlv)) = cardlab_protocol::tlv::Reader::new(object).next() else { continue };
        let place = format!("{file:04X} {:X}", tlv.tag);
        if let Some(summary) = certificate::summary(tlv.value) {
            slots.push(SlotView {
                slot: place.clone(),
                subject: Some(summary.subject),
                until: Some(summary.until),
                ..SlotView::default()
            });
        }
        let public = memory::shows_file(file);
        objects.push(ObjectView { place, name: memory::name(id), bytes: tlv.value.len(), public });
    }
    Contents { slots, objects, free: files::free(nvm, card.profile()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardlab_vreader::CardRequest;

    fn contents(request: &str) -> Contents {
        let request: CardRequest = request.parse().unwrap();
        Contents::of(&request.make(cardlab_sim::World::seeded(1)).unwrap())
    }

    #[test]
    fn keys_with_their_certificates() {
        let piv = contents("nist-piv,owner=Anna Berg,9a=new:p256");
        let slot = piv.slots.iter().find(|slot| slot.slot == "9A").unwrap();
        assert_eq!(
            (slot.algorithm.as_deref(), slot.pin.as_deref(), slot.touch.as_deref()),
            (Some("p256"), Some("once"), Some("never"))
        );
        assert!(slot.subject.as_deref().unwrap().contains("Anna Berg"), "{slot:?}");
        assert_eq!(slot.until.as_deref().map(str::len), Some(10), "{slot:?}");
        assert!(piv.free > 0 && piv.objects.iter().any(|object| object.place == "5FC102" && object.public), "{piv:?}");
        assert!(piv.objects.iter().any(|object| object.place == "5FC105"), "{piv:?}");
        let gids = contents("gids,owner=Anna Berg");
        assert!(
            gids.slots.iter().any(|slot| slot.subject.as_deref().is_some_and(|subject| subject.contains("Anna Berg"))),
            "{gids:?}"
        );
    }
}
