//! The first rows: roles and an administrator, and sample people to try everything with.

use crate::model::card::{CardRecord, CardState, CardType, Operation};
use crate::model::event::SETUP;
use crate::model::policy::Policy;
use crate::model::refusal::Refusal;
use crate::model::role::Role;
use crate::model::subject;
use crate::service::Server;
use crate::service::cards::NewCard;
use crate::service::policies::NewQuestion;
use crate::service::staff::NewOperator;
use crate::service::users::NewUser;
use crate::store::{card_types, cards, operators, roles, subjects, users};
use cardlab_protocol::admin_key::Cipher;

/// The card type of cards with a 3DES administrator key.
pub const CARD_TYPE: &str = "gids-sim";
/// The card type of cards with an AES-256 administrator key.
pub const AES_CARD_TYPE: &str = "gids-sim-aes";

/// The card type of PIV cards that a management system has the keys of.
pub const MANAGED_CARD_TYPE: &str = "Managed PIV card";
/// The card type of YubiKeys, which their PUK unlocks.
pub const YUBIKEY_CARD_TYPE: &str = "YubiKey";

/// Names and passwords of the sample.
pub mod sample {
    /// Administrator of the Management Console.
    pub const ADMINISTRATOR: (&str, &str) = ("admin", "admin-password");
    /// Operator of the Management Console.
    pub const OPERATOR: (&str, &str) = ("oleg", "oleg-password");
    /// Users: logon name, name, password for Self-Service.
    pub const USERS: [(&str, &str, &str); 3] = [
        ("LAB\\anna", "Anna Berg", "anna-password"),
        ("LAB\\boris", "Boris Lund", "boris-password"),
        ("LAB\\clara", "Clara Moss", "clara-password"),
    ];
    /// Their telephone numbers; nobody has such ones.
    pub const TELEPHONES: [&str; USERS.len()] = ["+49 30 5550 117", "+49 30 5550 118", "+49 30 5550 119"];
    /// Telephone number of those who help them.
    pub const DESK: &str = "+49 30 5550 100";
    /// Security questions.
    pub const QUESTIONS: [&str; 3] = ["Name of your first pet?", "Town where you were born?", "Your favourite teacher?"];
}

/// The first rows.
#[derive(Clone, Copy)]
pub struct Setup<'s> {
    pub(super) server: &'s Server,
}

impl Setup<'_> {
    /// Makes the roles *Administrator* and *Operator*, the card types, and one administrator, unless
    /// there are operators already. Gives whether it did.
    ///
    /// # Errors
    /// A sentence when the password is too short, or the database fails.
    pub async fn bootstrap(&self, name: &str, password: &str) -> Result<bool, Refusal> {
        let hash = self.server.workers.password("password", password).await?;
        let mut tx = self.server.begin().await?;
        if operators::count(&mut tx).await? > 0 {
            return Ok(false);
        }
        let role = self.server.staff().put_role(&mut tx, SETUP, "Administrator", &Role::administrator()).await?;
        self.server.staff().put_role(&mut tx, SETUP, "Operator", &Role::operator()).await?;
        for (id, cipher) in [(CARD_TYPE, Cipher::Tdes), (AES_CARD_TYPE, Cipher::Aes256)] {
            self.server.card_types().insert(&mut tx, id, &CardType::with_cipher(cipher)).await?;
        }
        let operator = NewOperator { name: name.into(), password: String::new(), role: Some(role), user: None };
        self.server.staff().insert_operator(&mut tx, SETUP, &operator, hash).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// A policy *Default* with questions, three users, an operator, unless there are users already. Gives
    /// whether it did.
    ///
    /// # Errors
    /// A sentence when the database fails.
    pub async fn add_sample(&self) -> Result<bool, Refusal> {
        let operator_hash = self.server.workers.password("password", sample::OPERATOR.1).await?;
        let mut hashes = Vec::new();
        for (_, _, password) in sample::USERS {
            hashes.push(self.server.workers.password("password", password).await?);
        }
        let mut tx = self.server.begin().await?;
        if users::count(&mut tx).await? > 0 {
            return Ok(false);
        }
        let policy = self.server.policies().insert(&mut tx, SETUP, "Default", &Policy::default()).await?;
        for question in sample::QUESTIONS {
            self.server
                .policies()
                .insert_question(&mut tx, SETUP, &policy, &NewQuestion { text: question.into(), min_length: 3 })
                .await?;
        }
        for (((logon, cn, _), phone), hash) in sample::USERS.into_iter().zip(sample::TELEPHONES).zip(hashes) {
            let short = logon.rsplit('\\').next().unwrap_or(logon);
            let new = NewUser {
                logon: logon.into(),
                upn: format!("{short}@lab.example"),
                cn: cn.into(),
                mail: format!("{short}@lab.example"),
                phone: phone.into(),
                password: String::new(),
                policy: policy.clone(),
            };
            self.server.users().insert(&mut tx, SETUP, &new, hash).await?;
        }
        let role = roles::by_name(&mut tx, "Operator").await?.map(|role| role.id);
        let operator = NewOperator { name: sample::OPERATOR.0.into(), password: String::new(), role, user: None };
        self.server.staff().insert_operator(&mut tx, SETUP, &operator, operator_hash).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// A card type, unless there is one of this name.
    ///
    /// # Errors
    /// A sentence when the name is too long, or the database fails.
    pub async fn add_card_type(&self, id: &str, cipher: Cipher) -> Result<(), Refusal> {
        let mut tx = self.server.begin().await?;
        if card_types::by_id(&mut tx, id).await?.is_none() {
            self.server.card_types().insert(&mut tx, id, &CardType::with_cipher(cipher)).await?;
        }
        tx.commit().await
    }

    /// A card that is issued to a user from the start; one that is registered already stays as it is.
    ///
    /// # Errors
    /// A sentence when the serial or type is wrong, or the database fails.
    pub async fn add_issued_card(&self, new: &NewCard, logon: &str) -> Result<(), Refusal> {
        let mut tx = self.server.begin().await?;
        let serial = subject::serial(&new.serial)?;
        if cards::by_serial(&mut tx, &serial).await?.is_some() {
            return Ok(());
        }
        let holder = subjects::of_name(&mut tx, logon).await?;
        let policy = holder.policy.map(|policy| policy.id);
        let user = holder.user.ok_or_else(|| Refusal::not_found("user"))?.id;
        let card = self.server.cards().register(&mut tx, SETUP, new).await?;
        let before = card.state;
        let card = CardRecord { state: CardState::Issued, user: Some(user), policy, ..card };
        cards::set(&mut tx, &card).await?;
        cards::note_issued(&mut tx, &serial, self.server.now()).await?;
        self.server.cards().record_state(&mut tx, SETUP, before, &card, Operation::Issue, "").await?;
        tx.commit().await
    }
}
