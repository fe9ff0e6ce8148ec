//! What workstations ask and tell without a session: which ways are open to a card, and what became of one. Whoever reaches
//! the service can do both. A report is answered alike for every card, known or not. Ways tell of a card whether it can be
//! unlocked online now, and of its policy whether offline is on; for a card that nobody knows, what the policy *Default* says.

use super::online::another_card;
use crate::model::event::{Happening, Kind, WORKSTATION};
use crate::model::refusal::Refusal;
use crate::model::response::Ending;
use crate::model::{clock, limit, names, random, subject};
use crate::service::Server;
use crate::store::responses::{self, Settled};
use crate::store::{Tx, cards, hits, policies, reports, subjects};
use crate::words::{Sentence, sentence};
use cardlab_protocol::workstation::{Open, Report, ReportKind, Ways};
use serde_json::json;

/// What workstations ask and tell without a session.
#[derive(Clone, Copy)]
pub struct Workstations<'s> {
    pub(in crate::service) server: &'s Server,
}

impl Workstations<'_> {
    /// A lock screen wants to know what to offer. Opens no session, draws no questions, and is not in the log; the same is
    /// looked up for every card.
    ///
    /// # Errors
    /// As malformed, too many, or without a database; never who is who.
    pub async fn ways(&self, open: &Open, address: &str) -> Result<Ways, Refusal> {
        let (serial, atr) = (subject::serial(&open.serial)?, subject::atr(&open.atr)?);
        if open.remote_desktop {
            return Ok(Ways { online: false, offline: false });
        }
        let mut tx = self.server.begin().await?;
        if let Err(refusal) =
            self.server.limit(&mut tx, limit::WAYS_OF_ADDRESS, &format!("ways from {}", limit::network(address))).await
        {
            hits::sweep(&mut tx, self.server.now()).await?;
            tx.commit().await?;
            return Err(refusal);
        }
        let subject = subjects::of_card(&mut tx, &serial).await?;
        let default = policies::default(&mut tx).await?;
        tx.commit().await?;
        let online = subject.online().is_ok() && another_card(&subject, &atr).is_none();
        let policy = subject.policy.or(default).map(|policy| policy.settings).unwrap_or_default();
        Ok(Ways { online, offline: policy.workflow.unblock_card_offline })
    }

    /// A workstation tells what became of a card. Where this card was given a response to this challenge, and nothing else is
    /// known of it, that is what happened; anything else is written down as a claim, which changes nothing: whoever reaches the
    /// service can make it. What is known already leaves no second event; the same report again does nothing at all. Claims are
    /// counted by who makes them and of which card, apart from what is told of a response.
    ///
    /// # Errors
    /// As malformed, too many, or without a database; never whether the card is known.
    pub async fn take_report(&self, report: &Report, address: &str) -> Result<(), Refusal> {
        let report = checked(report)?;
        let mut tx = self.server.begin().await?;
        // Before it settles anything: sent again, it is of a response that may have been given anew since.
        let fingerprint = random::fingerprint(&json!(report).to_string());
        if !reports::is_new(&mut tx, &fingerprint, self.server.now()).await? {
            return tx.commit().await;
        }
        let settled = match (ending(&report), &report.challenge) {
            (Some(ending), Some(challenge)) => {
                responses::settle(&mut tx, &report.serial, challenge, (ending, report.tries_left), self.server.now()).await?
            }
            _ => Settled::NoResponse,
        };
        if let Err(refusal) = self.count(&mut tx, &report, settled, address).await {
            let refused = Happening { card: &report.serial, ..Happening::new(Kind::RateLimited, WORKSTATION) };
            return self.server.concluded(tx, Err(refusal), &refused).await;
        }
        let kinds = match settled {
            Settled::Now => facts(&report),
            Settled::AsBefore => &[],
            Settled::NoResponse | Settled::Otherwise => claim(report.kind),
        };
        let card = cards::by_serial(&mut tx, &report.serial).await?;
        let user = card.and_then(|card| card.user).unwrap_or_default();
        for kind in kinds {
            let detail = json!({
                "by": "the workstation",
                "at": clock::iso(report.at),
                "report": report.kind,
                "status_word": report.status_word,
                "tries_left": report.tries_left,
                "settles": settled == Settled::Now,
            });
            let (card, workstation) = (&report.serial, &report.workstation);
            let happening = Happening { card, user: &user, workstation, detail, ..Happening::new(*kind, WORKSTATION) };
            self.server.record(&mut tx, &happening).await?;
        }
        tx.commit().await
    }

    /// Counts a report, or refuses it. Nobody who has not seen the challenge uses up what may be told of its response.
    async fn count(&self, tx: &mut Tx, report: &Report, settled: Settled, address: &str) -> Result<(), Refusal> {
        if let (Some(challenge), false) = (&report.challenge, settled == Settled::NoResponse) {
            // What was refused is in the log; the challenge's fingerprint is not.
            let response = random::fingerprint(&format!("{} {challenge}", report.serial));
            return self.server.limit(tx, limit::REPORTS_OF_RESPONSE, &format!("reports of response {response}")).await;
        }
        let network = limit::network(address);
        self.server.limit(tx, limit::REPORTS_OF_ADDRESS, &format!("reports from {network}")).await?;
        let bucket = format!("reports of {} from {network}", report.serial);
        self.server.limit(tx, limit::REPORTS_OF_CARD, &bucket).await
    }
}

/// A report as it is stored and compared.
fn checked(report: &Report) -> Result<Report, Refusal> {
    let digits = |what: Sentence, text: &Option<String>, length: usize| {
        let right = |text: &String| text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit());
        match text {
            Some(text) if !right(text) => Err(Refusal::malformed(sentence!("refused-digits", what = what, length = length))),
            text => Ok(text.as_deref().map(str::to_uppercase)),
        }
    };
    Ok(Report {
        serial: subject::serial(&report.serial)?,
        at: clock::moment(report.at)?,
        workstation: names::workstation(&report.workstation),
        challenge: digits(sentence!("refused-digits-challenge"), &report.challenge, 64)?,
        status_word: digits(sentence!("refused-digits-status"), &report.status_word, 4)?,
        ..*report
    })
}

/// What a report says of a response.
fn ending(report: &Report) -> Option<Ending> {
    match report.kind {
        ReportKind::Unlocked => Some(Ending::Unlocked),
        ReportKind::Refused => Some(Ending::of_refusal(report.tries_left)),
        ReportKind::AdminKeyBlocked => Some(Ending::AdminKeyBlocked),
        ReportKind::Gone => Some(Ending::Gone),
        ReportKind::PinBlocked | ReportKind::PinWrong => None,
    }
}

/// The events of a report that settles what became of a response.
const fn facts(report: &Report) -> &'static [Kind] {
    match (report.kind, report.tries_left) {
        (ReportKind::Unlocked, _) => &[Kind::CardUnlocked],
        (ReportKind::Refused, Some(0)) => &[Kind::CardRefusedResponse, Kind::AdminKeyBlocked],
        (ReportKind::Refused, _) => &[Kind::CardRefusedResponse],
        (ReportKind::AdminKeyBlocked, _) => &[Kind::AdminKeyBlocked],
        (ReportKind::Gone, _) => &[Kind::CardGone],
        (ReportKind::PinBlocked | ReportKind::PinWrong, _) => claim(report.kind),
    }
}

/// The event of a report that nothing confirms.
const fn claim(kind: ReportKind) -> &'static [Kind] {
    match kind {
        ReportKind::PinBlocked => &[Kind::PinBlockSeen],
        ReportKind::PinWrong => &[Kind::PinWrongSeen],
        ReportKind::Unlocked | ReportKind::Refused | ReportKind::AdminKeyBlocked | ReportKind::Gone => &[Kind::ReportUnconfirmed],
    }
}
