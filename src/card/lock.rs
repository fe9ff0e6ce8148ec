//! `cardlab card lock`: brings a card to few tries, or to a pending challenge.

use crate::choose::CardChoice;
use crate::exit::{Exit, Failure, OrExit};
#[cfg(unix)]
use crate::stored::StoredChoice;
use anyhow::anyhow;
use cardlab_client::lock::{self, LockError};
use cardlab_client::minidriver::{CardError, Minidriver, Secret};
use cardlab_client::transport::Transport;
use cardlab_pcsclite::client::ShareMode;
use cardlab_protocol::codes::{check_code, digits};
use clap::{Args, ValueEnum};

/// Bring a card to few tries left, to a blocked PIN, PUK or administrator key, or to a pending
/// challenge
///
/// In a reader the tries are spent with wrong values, on real cards too. In a state directory, whose
/// card nobody may use meanwhile, the counter is set.
#[derive(Args)]
#[command(after_help = "Examples:\n  cardlab card lock pin                      the PIN is blocked\n  \
                        cardlab card lock pin --tries 2            two tries are left\n  \
                        cardlab card lock admin --state DIR        a kept card is lost for unblocking")]
pub(super) struct LockCommand {
    /// What to lock
    target: Target,

    /// Tries to leave
    #[arg(long, value_name = "N", default_value_t = 0)]
    tries: u8,

    #[command(flatten)]
    choice: CardChoice,

    #[cfg(unix)]
    #[command(flatten)]
    stored: StoredChoice,

    /// Block the administrator key of a card in a reader: a real card is lost for good
    #[arg(long)]
    for_good: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    /// The PIN
    Pin,
    /// The PIN unblocking key
    Puk,
    /// The administrator key
    Admin,
    /// Draw a challenge and leave it pending; prints it
    Challenge,
}

impl Target {
    /// The secret whose tries are meant.
    const fn secret(self) -> Option<Secret> {
        match self {
            Self::Pin => Some(Secret::Pin),
            Self::Puk => Some(Secret::Puk),
            Self::Admin => Some(Secret::AdminKey),
            Self::Challenge => None,
        }
    }
}

impl LockCommand {
    pub(super) fn run(self) -> Result<(), Failure> {
        #[cfg(unix)]
        if self.stored.is_given() {
            return self.stored_card();
        }
        self.card_in_reader()
    }

    #[cfg(unix)]
    fn stored_card(&self) -> Result<(), Failure> {
        use cardlab_sim::reference::{ADMINISTRATION, PIN, PUK};

        let reference = match self.target {
            Target::Pin => PIN,
            Target::Puk => PUK,
            Target::Admin => ADMINISTRATION,
            Target::Challenge => {
                return Err(anyhow!("a challenge lives only while the card has power: start the card and use --reader").into());
            }
        };
        let Some(mut stored) = self.stored.open()? else { return Ok(()) };
        let nvm = stored.card.nvm_mut();
        if !reference.exists(nvm) {
            return Err(anyhow!("this card does not count tries of that")).or_exit(Exit::NOT_THERE);
        }
        let maximum = reference.counter(nvm).maximum;
        if self.tries > maximum {
            return Err(anyhow!("--tries {}: this card has {maximum} at most", self.tries).into());
        }
        let mut transaction = nvm.begin();
        let written = reference.set_left(&mut transaction, self.tries).and_then(|()| transaction.commit());
        written.map_err(|_| anyhow!("the state directory cannot be written; nothing has changed"))?;
        println!("{}", done(self.target, self.tries));
        Ok(())
    }

    fn card_in_reader(&self) -> Result<(), Failure> {
        if self.target == Target::Admin && self.tries == 0 && !self.for_good {
            return Err(anyhow!("nothing unblocks a blocked administrator key; say --for-good if you mean it").into());
        }
        let context = self.choice.readers.context()?;
        let reader = self.choice.pick(&context)?.reader;
        let mut card = context.connect(&reader, ShareMode::Shared).or_exit(Exit::NOT_THERE)?;
        Transport::begin(&mut card).or_exit(Exit::NOT_THERE)?;
        let mut card = Minidriver::open(&mut card).or_exit(Exit::NOT_THERE)?;
        match self.target.secret() {
            None => {
                let challenge = crate::unlock::draw(&mut card, Minidriver::card_get_challenge).map_err(exit_of)?;
                println!("{}  check code {}", digits(&challenge), check_code(&challenge));
            }
            Some(secret) => {
                lock::bring_to(&mut card, secret, self.tries).map_err(|error| match error {
                    LockError::Card(error) => exit_of(error),
                    other => Failure { exit: Exit::FAILED, error: other.into() },
                })?;
                println!("{}", done(self.target, self.tries));
            }
        }
        Ok(())
    }
}

fn exit_of(error: CardError) -> Failure {
    let exit = if matches!(error, CardError::Transport(_)) { Exit::NOT_THERE } else { Exit::FAILED };
    Failure { exit, error: error.into() }
}

fn done(target: Target, tries: u8) -> String {
    let what = match target {
        Target::Pin => "PIN",
        Target::Puk => "PUK",
        Target::Admin => "administrator key",
        Target::Challenge => "challenge",
    };
    match tries {
        0 => format!("{what} blocked"),
        1 => format!("{what}: 1 try left"),
        tries => format!("{what}: {tries} tries left"),
    }
}
