//! A card that is somebody's: what is proved of it before the first test, and which tests it is given to.

use super::{Custody, NoCard, Placed, Slot, check_needs};
use crate::bench::{Bench, Checked, Facts, Objects, Stop};
use crate::changes::Changes;
use crate::keys::KeyKind;
use crate::ledger::{Credential, Ledger, Tries};
use crate::oracle::PublicKey;
use crate::place::Place;
use crate::report::Afterwards;
use crate::test::{Danger, Need, Test, Wish};
use cardlab_client::minidriver::{Counter, PinStatus};
use cardlab_client::recognise::Edge;
use cardlab_protocol::apdu::short;
use cardlab_protocol::piv::certificate_of;
use cardlab_protocol::tlv::find_path;
use std::collections::BTreeSet;

/// What is known of the card, and what may be done to it.
pub struct Owned {
    facts: Facts,
    allowed: Danger,
    ledger: Ledger,
    changes: Changes,
}

impl Owned {
    /// A card to which no more than this may be done. Until [`Owned::prepare`] no secret is sent to it at all.
    #[must_use]
    pub fn new(facts: Facts, allowed: Danger) -> Self {
        Self { facts, allowed, ledger: Ledger::default(), changes: Changes::default() }
    }

    /// What is known of it.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Proves what the tests need that are going to run, by one try each at most, the secrets that bring others back
    /// first; reads what is to be put back. Gives what the run may cost, a line for each secret.
    ///
    /// # Errors
    /// The card could not be asked.
    pub fn prepare(&mut self, slot: Box<dyn Slot + '_>, tests: &[&Test]) -> Result<Vec<String>, Stop> {
        let wanted = self.wanted(tests);
        let written = self.written(tests);
        let keyed: BTreeSet<u8> =
            tests.iter().filter(|test| self.runs(test)).flat_map(|test| test.wish.keys.iter().map(|(slot, _)| *slot)).collect();
        let Self { facts, allowed, ledger, changes } = self;
        let mut bench = Bench::new(slot, facts.clone(), Danger::SpendsTries).under(Custody { ledger, changes });
        if !wanted.is_empty() {
            let status = status(&mut bench)?;
            for credential in &wanted {
                bench.account(*credential, tries(facts, &status, *credential));
            }
        }
        for credential in
            [Credential::Puk, Credential::AdminKey, Credential::Pin].into_iter().filter(|credential| wanted.contains(credential))
        {
            match prove(&mut bench, credential) {
                Ok(()) | Err(Stop::NotRun(_) | Stop::Failed(_) | Stop::NotApplicable(_)) => {}
                Err(stop) => return Err(stop),
            }
        }
        let others = keys_of_others(&mut bench, &keyed)?;
        if *allowed >= Danger::ChangesKeys {
            read(&mut bench, &written)?;
        }
        let tells_verified = bench.facts.tells_verified;
        let (objects, files) = (std::mem::take(&mut bench.facts.objects), std::mem::take(&mut bench.facts.files));
        drop(bench);
        (facts.objects, facts.files) = (objects, files);
        facts.tells_verified = tells_verified;
        // What is not proved is known to nobody from here on.
        let known = &mut facts.credentials;
        for credential in wanted {
            if ledger.is_proved(credential) {
                continue;
            }
            ledger.close(credential, format!("the {credential} could not be proved: it is not sent"));
            match credential {
                Credential::Pin => known.pin = None,
                Credential::Puk => known.puk = None,
                Credential::AdminKey => known.admin = None,
            }
        }
        ledger.allow(*allowed, brings_back(facts));
        let mut lines = ledger.announcement();
        lines.extend(announced(facts, &written));
        facts.keys.retain(|(slot, _)| !others.contains(slot));
        lines.extend(
            others
                .iter()
                .map(|slot| format!("{slot:02X}: the key there does not sign as its certificate says; it is not judged")),
        );
        Ok(lines)
    }

    /// What became of it.
    #[must_use]
    pub fn afterwards(&self) -> Afterwards {
        let mut stays = self.ledger.outstanding();
        stays.extend(self.changes.staying());
        Afterwards { card: self.facts.name.clone(), put_back: self.changes.put_back(), stays }
    }

    /// Whether the card is given to a test.
    ///
    /// # Errors
    /// [`NoCard`] with the reason.
    pub fn admit(&self, needs: &[Need], wish: &Wish, danger: Danger) -> Result<(), NoCard> {
        self.suits(wish)?;
        for credential in Credential::ALL {
            if let Some(why) = self.ledger.closed(credential).filter(|_| needs.contains(&credential.need())) {
                return Err(NoCard::NotRun(why.into()));
            }
        }
        check_needs(&self.facts, needs, true, false)?;
        if danger > self.allowed {
            return Err(NoCard::NotRun(format!("'{danger}' is not allowed; --allow {danger} --serial {}", self.facts.serial)));
        }
        if danger == Danger::Locks && !brings_back(&self.facts).is_some_and(|credential| self.ledger.is_proved(credential)) {
            return Err(NoCard::NotRun("it would block the PIN, and nothing that is proved brings it back".into()));
        }
        Ok(())
    }

    /// Gives the card to a test.
    #[must_use]
    pub fn place<'a>(&'a mut self, slot: Box<dyn Slot + 'a>) -> Placed<'a> {
        let mut facts = self.facts.clone();
        // A certificate says nothing of a key that a test has made since.
        facts.keys.retain(|(slot, _)| !self.changes.has_key(*slot));
        Placed { slot, facts, custody: Some(Custody { ledger: &mut self.ledger, changes: &mut self.changes }) }
    }

    fn suits(&self, wish: &Wish) -> Result<(), NoCard> {
        if !wish.settings.is_empty() {
            return Err(NoCard::NotApplicable("needs a card that is made for it".into()));
        }
        let has = |slot: &u8, kind: &KeyKind| {
            !self.changes.has_key(*slot) && self.facts.keys.iter().any(|(of, key)| of == slot && kind_of(key) == Some(*kind))
        };
        match wish.keys.iter().find(|(slot, kind)| !has(slot, kind)) {
            Some((slot, kind)) => Err(NoCard::NotApplicable(format!(
                "no certificate of the key in slot {slot:02X} that is of a {} key",
                kind.name()
            ))),
            None => Ok(()),
        }
    }

    /// Whether a test is going to run, as far as is known before anything is proved.
    fn runs(&self, test: &Test) -> bool {
        let admitted = self.suits(&test.wish).is_ok() && check_needs(&self.facts, &test.needs, true, false).is_ok();
        admitted && test.danger <= self.allowed
    }

    /// What the tests may write which are going to run.
    fn written(&self, tests: &[&Test]) -> BTreeSet<Place> {
        let writing = tests.iter().filter(|test| test.danger >= Danger::ChangesKeys && self.runs(test));
        let gids = matches!(self.facts.edge, Edge::Gids { .. });
        writing.flat_map(|test| test.writes.iter().filter(|place| place.suits(gids)).cloned()).collect()
    }

    /// The secrets that the tests need which are going to run, and what puts back what they change.
    fn wanted(&self, tests: &[&Test]) -> BTreeSet<Credential> {
        let mut wanted = BTreeSet::new();
        for test in tests.iter().filter(|test| self.runs(test)) {
            wanted.extend(Credential::ALL.into_iter().filter(|credential| test.needs.contains(&credential.need())));
            if test.danger >= Danger::SpendsTries {
                wanted.insert(Credential::Pin);
            }
            if test.danger >= Danger::ChangesKeys && matches!(self.facts.edge, Edge::Piv { .. }) {
                wanted.insert(Credential::AdminKey);
            }
            if test.danger >= Danger::Locks {
                wanted.extend(brings_back(&self.facts));
            }
        }
        let known = &self.facts.credentials;
        wanted.retain(|credential| match credential {
            Credential::Pin => known.pin.is_some(),
            Credential::Puk => known.puk.is_some(),
            Credential::AdminKey => known.admin.is_some(),
        });
        wanted
    }
}

/// What the tests may write, a line for each kind of end that it has.
fn announced(facts: &Facts, written: &BTreeSet<Place>) -> Vec<String> {
    const ENDS: [&str; 5] = [
        "keys that are lost, and stay as the tests leave them",
        "objects that are written and put back",
        "objects that are absent, written, and deleted again where the card can, else left empty",
        "objects that cannot be read, and are not written",
        "files that are made and deleted again",
    ];
    let mut by_end: [Vec<String>; 5] = Default::default();
    for place in written {
        let (end, there) = match (place, facts.objects.get(place)) {
            (Place::Key(reference), _) => (0, certificate(facts, *reference).then_some("which has a certificate now")),
            (Place::File(file), _) => (4, facts.files.contains(file).then_some("which is there now")),
            (_, Some(Some(_))) => (1, None),
            (_, Some(None)) => (2, None),
            (_, None) => (3, None),
        };
        let short = place.short();
        by_end[end].push(there.map_or_else(|| short.clone(), |there| format!("{short} ({there})")));
    }
    let lines = ENDS.iter().zip(by_end).filter(|(_, places)| !places.is_empty());
    lines.map(|(end, places)| format!("{end}: {}", places.join(", "))).collect()
}

/// Whether there is a certificate of this key.
fn certificate(facts: &Facts, reference: u8) -> bool {
    let value = certificate_of(reference).and_then(|tag| facts.objects.get(&Place::Object(tag))?.as_ref());
    value.is_some_and(|value| !value.is_empty())
}

/// What gives a blocked PIN back on this card, among what is known.
fn brings_back(facts: &Facts) -> Option<Credential> {
    let unblocks = matches!(facts.edge, Edge::Gids { initialised: true } | Edge::Piv { admin_unblock: true, .. });
    match &facts.credentials {
        known if known.puk.is_some() && matches!(facts.edge, Edge::Piv { .. }) => Some(Credential::Puk),
        known if known.admin.is_some() && unblocks => Some(Credential::AdminKey),
        _ => None,
    }
}

/// What the card tells of its tries.
fn status(bench: &mut Bench<'_>) -> Checked<PinStatus> {
    let asked =
        bench.start().and_then(|()| bench.minidriver(|card| card.card_pin_status().map_err(|e| Stop::Failed(e.to_string()))));
    match asked {
        // It answers, but tells nothing.
        Err(Stop::Failed(_)) => {
            Ok(PinStatus { pin: bench.tries().ok().map(|left| Counter { left, maximum: None }), ..PinStatus::default() })
        }
        asked => asked,
    }
}

/// The tries of a secret: what the card tells of them, else what a person says.
fn tries(facts: &Facts, status: &PinStatus, credential: Credential) -> Tries {
    let known = &facts.credentials;
    let (said, told) = match credential {
        Credential::Pin => (known.pin_tries, status.pin),
        Credential::Puk => (known.puk_tries, status.puk),
        Credential::AdminKey => (known.admin_tries, status.admin),
    };
    match (said, told) {
        (_, Some(Counter { left, .. })) | (Some(left), None) => Tries::Left(left),
        (None, None) if credential == Credential::AdminKey && matches!(facts.edge, Edge::Piv { .. }) => Tries::Uncounted,
        (None, None) => Tries::Untold,
    }
}

/// Presents a secret once.
fn prove(bench: &mut Bench<'_>, credential: Credential) -> Checked {
    bench.start()?;
    match credential {
        Credential::Pin => {
            bench.verify()?;
            // What a card does not tell of the verified PIN proves nothing of one that is not.
            bench.facts.tells_verified = bench.query()?.sw == 0x9000;
            Ok(())
        }
        Credential::Puk => {
            let puk = bench.puk()?;
            bench.change_puk(&puk, &puk)?.ok("the PUK, changed to itself").map(drop)
        }
        Credential::AdminKey => bench.admin(),
    }
}

/// The slots among these whose key signs, but not as the certificate there says: an earlier run or somebody else has made
/// it, and left the certificate. One that does not sign is left to the tests.
fn keys_of_others(bench: &mut Bench<'_>, slots: &BTreeSet<u8>) -> Checked<Vec<u8>> {
    let mut others = Vec::new();
    for (slot, key) in bench.facts.keys.clone() {
        let Some(kind) = kind_of(&key).filter(|_| slots.contains(&slot)) else { continue };
        bench.start()?;
        if bench.facts.credentials.pin.is_some()
            && let Err(stop @ Stop::Card(_)) = bench.verify()
        {
            return Err(stop);
        }
        let reply = bench.sign(kind.id(), slot, &key.input())?;
        let signature = find_path(&reply.data, &[0x7C, 0x82]).filter(|_| reply.sw == 0x9000);
        if signature.is_some_and(|signature| key.judge(signature).is_err()) {
            others.push(slot);
        }
    }
    Ok(others)
}

/// The objects of SP 800-73-4 part 1 table 3, from the first to the last.
const OBJECTS: std::ops::RangeInclusive<u32> = 0x5F_C101..=0x5F_C123;

/// Reads what may be written, for being put back: with the PIN and, on GIDS cards, the administrator key, where they are
/// proved. What is not read is not written: nothing could put it back.
fn read(bench: &mut Bench<'_>, written: &BTreeSet<Place>) -> Checked {
    let mut places = written.clone();
    if !bench.gids() {
        // Also what a card should not let be written.
        places.extend(OBJECTS.chain([0x7E, 0x7F61]).map(Place::Object));
    }
    bench.start()?;
    let known = &bench.facts.credentials;
    let (pin, admin) = (known.pin.is_some(), known.admin.is_some() && bench.gids());
    let opened = [if pin { bench.verify() } else { Ok(()) }, if admin { bench.admin() } else { Ok(()) }];
    for opened in opened {
        if let Err(stop @ Stop::Card(_)) = opened {
            return Err(stop);
        }
    }
    let mut objects = Objects::new();
    for place in places {
        if let Place::File(file) = place {
            let [high, low] = file.to_be_bytes();
            if bench.send(&short([0x00, 0xA4, 0x00, 0x0C], &[high, low], None))?.sw == 0x9000 {
                bench.facts.files.push(file);
            }
        } else if let Some(value) = bench.read(&place)? {
            objects.insert(place, value);
        }
    }
    bench.facts.objects = objects;
    Ok(())
}

fn kind_of(key: &PublicKey) -> Option<KeyKind> {
    match key {
        PublicKey::Rsa { modulus, .. } => [KeyKind::Rsa2048, KeyKind::Rsa3072].into_iter().find(|k| k.size() == modulus.len()),
        PublicKey::Point(kind, _) => Some(*kind),
    }
}
