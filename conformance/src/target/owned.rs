//! A card that is somebody's: what is proved of it before the first test, and which tests it is given to.

use super::{NoCard, Placed, Slot, check_needs};
use crate::bench::{Bench, Checked, Facts, Objects, Stop};
use crate::keys::KeyKind;
use crate::ledger::{Credential, Ledger, Tries};
use crate::oracle::PublicKey;
use crate::test::{Danger, Need, Test, Wish};
use cardlab_client::minidriver::{Counter, PinStatus};
use cardlab_client::recognise::Edge;
use cardlab_protocol::tlv::find;
use std::collections::BTreeSet;

/// What is known of the card, and what may be done to it.
pub struct Owned {
    facts: Facts,
    allowed: Danger,
    ledger: Ledger,
}

impl Owned {
    /// A card to which no more than this may be done. Until [`Owned::prepare`] no secret is sent to it at all.
    #[must_use]
    pub fn new(facts: Facts, allowed: Danger) -> Self {
        Self { facts, allowed, ledger: Ledger::default() }
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
        let Self { facts, allowed, ledger } = self;
        let mut bench = Bench::new(slot, facts.clone(), Danger::SpendsTries).under(ledger);
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
        let read = *allowed >= Danger::ChangesKeys && matches!(facts.edge, Edge::Piv { .. });
        let objects = if read { objects(&mut bench)? } else { Objects::new() };
        let tells_verified = bench.facts.tells_verified;
        drop(bench);
        facts.objects = objects;
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
        if tests.iter().any(|test| test.danger >= Danger::ChangesKeys && test.danger <= *allowed) {
            lines.push(stays(facts.edge).into());
        }
        Ok(lines)
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
        Placed { slot, facts: self.facts.clone(), ledger: Some(&mut self.ledger) }
    }

    fn suits(&self, wish: &Wish) -> Result<(), NoCard> {
        if !wish.settings.is_empty() {
            return Err(NoCard::NotApplicable("needs a card that is made for it".into()));
        }
        let has = |slot: &u8, kind: &KeyKind| self.facts.keys.iter().any(|(of, key)| of == slot && kind_of(key) == Some(*kind));
        match wish.keys.iter().find(|(slot, kind)| !has(slot, kind)) {
            Some((slot, kind)) => {
                Err(NoCard::NotApplicable(format!("no certificate of a {} key in slot {slot:02X}", kind.name())))
            }
            None => Ok(()),
        }
    }

    /// The secrets that the tests need which are going to run, and what puts back what they change.
    fn wanted(&self, tests: &[&Test]) -> BTreeSet<Credential> {
        let runs = |test: &&&Test| {
            let admitted = self.suits(&test.wish).is_ok() && check_needs(&self.facts, &test.needs, true, false).is_ok();
            admitted && test.danger <= self.allowed
        };
        let mut wanted = BTreeSet::new();
        for test in tests.iter().filter(runs) {
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

/// What nothing puts back once the tests have changed it.
const fn stays(edge: Edge) -> &'static str {
    match edge {
        Edge::Gids { .. } => "stays as the tests leave it: files, keys and data objects",
        Edge::Piv { .. } => {
            "stays as the tests leave it: keys in the slots where they make or import one; an object that was absent may come \
             back empty, where the card cannot delete"
        }
    }
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

/// All data objects of SP 800-73-4 part 1 table 3 that can be read, for being put back.
fn objects(bench: &mut Bench<'_>) -> Checked<Objects> {
    bench.start()?;
    if bench.facts.credentials.pin.is_some() {
        // Without it the objects that it protects are not read, and not written either.
        if let Err(Stop::Card(error)) = bench.verify() {
            return Err(Stop::Card(error));
        }
    }
    let mut objects = Objects::new();
    for last in 0x01..=0x23u8 {
        let reply = bench.get(0x5F_C100 | u32::from(last))?;
        match reply.sw {
            0x9000 => drop(objects.insert(vec![0x5F, 0xC1, last], find(&reply.data, 0x53).map(<[u8]>::to_vec))),
            0x6A82 => drop(objects.insert(vec![0x5F, 0xC1, last], None)),
            // Not readable: a test that writes it ends the run, because it could not be put back.
            _ => {}
        }
    }
    Ok(objects)
}

fn kind_of(key: &PublicKey) -> Option<KeyKind> {
    match key {
        PublicKey::Rsa { modulus, .. } => [KeyKind::Rsa2048, KeyKind::Rsa3072].into_iter().find(|k| k.size() == modulus.len()),
        PublicKey::Point(kind, _) => Some(*kind),
    }
}
