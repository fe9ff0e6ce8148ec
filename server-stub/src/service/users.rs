//! Users of the catalog, as operators handle them.

use crate::model::card::CardRecord;
use crate::model::event::{Happening, Kind};
use crate::model::list::Listed;
use crate::model::names::{self, Clash};
use crate::model::policy::NamedPolicy;
use crate::model::random;
use crate::model::refusal::{Code, Refusal};
use crate::model::revision;
use crate::model::role::{Privilege, Scope};
use crate::model::subject::Subject;
use crate::model::user::{User, UserFilter, UserLock};
use crate::service::Server;
use crate::service::cards::{CardView, one_of};
use crate::service::flow::wizard::permitted;
use crate::service::login::Operator;
use crate::store::changed::Configured;
use crate::store::{Snapshot, Tx, answers, cards, flows, logins, operators, own_questions, policies, subjects, users};
use crate::words::sentence;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use std::collections::{BTreeSet, HashMap};
use utoipa::ToSchema;

/// A user as consoles show one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UserView {
    /// Id.
    pub id: String,
    /// `DOMAIN\Name`.
    pub logon: String,
    /// `name@domain`.
    pub upn: String,
    /// Name.
    pub cn: String,
    /// Mail address.
    pub mail: String,
    /// Telephone.
    pub phone: String,
    /// Active in the catalog.
    pub active: bool,
    /// *User is locked*.
    pub locked: bool,
    /// Wrong answers since the last right ones.
    pub failed: i64,
    /// Name of the policy that holds.
    pub policy: Option<String>,
    /// Its id.
    #[serde(skip)]
    pub policy_id: Option<String>,
    /// How many questions it asks.
    #[serde(skip)]
    pub asked: usize,
    /// Questions answered.
    pub answers_set: usize,
    /// Questions that the user has written.
    pub own_questions: usize,
    /// Serials of the cards.
    pub cards: Vec<CardView>,
    /// Serials of those that the operator who looks at this user can unlock now; of many users nobody asks.
    #[serde(skip)]
    pub unlockable: Vec<String>,
    /// Names these data: a correction that says which it is of does not undo another's.
    pub revision: String,
}

impl UserView {
    /// There are answers, and fewer than the policy asks.
    #[must_use]
    pub const fn has_too_few(&self) -> bool {
        0 < self.answers_set && self.answers_set < self.asked
    }
}

/// What the catalog says of a user, and an administrator corrects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserData {
    /// `DOMAIN\Name`.
    pub logon: String,
    /// `name@domain`.
    pub upn: String,
    /// Name.
    pub cn: String,
    /// Mail address.
    #[serde(default)]
    pub mail: String,
    /// Telephone.
    #[serde(default)]
    pub phone: String,
}

impl UserData {
    fn of(user: &User) -> Self {
        let User { logon, upn, cn, mail, phone, .. } = user.clone();
        Self { logon, upn, cn, mail, phone }
    }

    /// As it is stored. What has been so `before`, and an older version let be, stays.
    fn checked(&self, before: Option<&Self>) -> Result<Self, Refusal> {
        let checked = |of: fn(&Self) -> &String, check: fn(&str) -> Result<String, Refusal>| match before.map(of) {
            Some(was) if was == of(self) => Ok(was.clone()),
            _ => check(of(self)),
        };
        let logon = |text: &str| {
            let logon = names::named("logon", sentence!("refused-name-logon"), text)?;
            names::logon(&logon).map(|()| logon)
        };
        let upn = |text: &str| {
            let upn = names::named("upn", sentence!("refused-name-upn"), text)?;
            names::upn(&upn).map(|()| upn)
        };
        Ok(Self {
            cn: checked(|data| &data.cn, |text| names::named("cn", sentence!("refused-name-user"), text))?,
            logon: checked(|data| &data.logon, logon)?,
            upn: checked(|data| &data.upn, upn)?,
            mail: checked(|data| &data.mail, names::mail)?,
            phone: checked(|data| &data.phone, names::phone)?,
        })
    }

    /// Refuses names that another user than the one of the id `own`, who has been called `before`, has, or an operator who is
    /// somebody else: the log could not tell what either did. What an older version let be stays. That a name is taken cannot be
    /// kept from who gives it, as people log in by it; whose it is, is told to who `sees` what is under their policy.
    async fn require_free(
        &self,
        tx: &mut Tx,
        own: Option<&str>,
        before: Option<&Self>,
        sees: impl Fn(Option<&str>) -> bool,
    ) -> Result<(), Refusal> {
        for (field, name) in [("logon", &self.logon), ("upn", &self.upn)] {
            if before.is_some_and(|before| before.fields().contains(&(field, name))) {
                continue;
            }
            let (whose, says) = if users::is_taken(tx, name, own).await? {
                (subjects::of_name(tx, name).await?, sentence!("refused-user-there", name = name))
            } else if operators::somebody_is_called(tx, name, own).await? {
                (Subject::default(), sentence!("refused-user-operator", name = name))
            } else {
                continue;
            };
            let says = if sees(whose.policy_id()) { says } else { sentence!("refused-name-taken", name = name) };
            return Err(Refusal::new(Code::Conflict, says).at(field));
        }
        Ok(())
    }

    /// By their names, as the log and programs have them.
    const fn fields(&self) -> [(&'static str, &String); 5] {
        [("cn", &self.cn), ("logon", &self.logon), ("upn", &self.upn), ("mail", &self.mail), ("phone", &self.phone)]
    }
}

/// A user for the catalog.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// `DOMAIN\Name`.
    pub logon: String,
    /// `name@domain`.
    pub upn: String,
    /// Name.
    pub cn: String,
    /// Mail address.
    #[serde(default)]
    pub mail: String,
    /// Telephone.
    #[serde(default)]
    pub phone: String,
    /// For Self-Service.
    pub password: String,
    /// Id of the policy that holds.
    pub policy: String,
}

/// Users of the catalog, as operators handle them. Whoever changes them has to see them too ([`Privilege::ViewUser`]).
#[derive(Clone, Copy)]
pub struct Users<'s> {
    pub(super) server: &'s Server,
}

impl Users<'_> {
    /// Users of a list; by a local role those for whom one of its policies holds.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Malformed`], also for a policy that there is not.
    pub async fn list(&self, operator: &Operator, filter: &UserFilter) -> Result<Listed<UserView>, Refusal> {
        Ok(self.list_with_policies(operator, filter).await?.0)
    }

    /// Users of a list, and the policies that it can be narrowed to: all that the role sees, in their order; none for who may not
    /// see policies.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn list_with_policies(
        &self,
        operator: &Operator,
        filter: &UserFilter,
    ) -> Result<(Listed<UserView>, Vec<NamedPolicy>), Refusal> {
        let scope = operator.scope(Privilege::ViewUser)?;
        let mut snapshot = self.server.store.read().await?;
        let page = users::list(&mut snapshot, filter, &scope).await?;
        let (views, mut policies) = views(&mut snapshot, &scope, None, &page.items).await?;
        one_of("policy", filter.policy.as_deref(), policies.iter().map(|policy| policy.id.as_str()), &scope)?;
        policies.retain(|policy| operator.may(Privilege::ViewPolicy, Some(&policy.id)));
        Ok((page.with(views), policies))
    }

    /// The id of the user with this logon name.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`].
    pub async fn id_of(&self, operator: &Operator, name: &str) -> Result<String, Refusal> {
        let subject = subjects::of_name(&mut self.server.store.read().await?, name).await?;
        operator.require(Privilege::ViewUser, subject.policy_id())?;
        subject.user.map(|user| user.id).ok_or_else(|| Refusal::not_found("user"))
    }

    /// One user.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`].
    pub async fn view(&self, operator: &Operator, id: &str) -> Result<UserView, Refusal> {
        let mut snapshot = self.server.store.read().await?;
        Ok(view(&mut snapshot, operator, Some(operator), id).await?.0)
    }

    /// *Unlock user*: answers are compared again. Touches neither cards nor answers.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`].
    pub async fn unlock(&self, operator: &Operator, id: &str) -> Result<(), Refusal> {
        let refused = Happening { user: id, ..Happening::new(Kind::UserNotUnlocked, &operator.name) };
        let step = async |tx: &mut Tx, operator: &Operator| {
            let user = covered(tx, operator, id, Privilege::UnlockUser).await?;
            self.server.flows().settle_last_try(tx, &user).await?;
            users::reopen(tx, &user.id).await?;
            let happening = Happening { user: &user.id, ..Happening::new(Kind::UserUnlocked, &operator.name) };
            self.server.record(tx, &happening).await
        };
        self.server.attempt(operator, &refused, step).await
    }

    /// *Reset answers to security questions*. A locked user stays locked.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`].
    pub async fn reset_answers(&self, operator: &Operator, id: &str) -> Result<(), Refusal> {
        let refused = Happening { user: id, ..Happening::new(Kind::AnswersNotReset, &operator.name) };
        let step = async |tx: &mut Tx, operator: &Operator| {
            let user = covered(tx, operator, id, Privilege::ResetQuestions).await?;
            answers::delete_of_user(tx, &user.id).await?;
            own_questions::delete_of_user(tx, &user.id).await?;
            users::forget_answers(tx, &user.id).await?;
            let happening = Happening { user: &user.id, ..Happening::new(Kind::AnswersReset, &operator.name) };
            self.server.record(tx, &happening).await
        };
        self.server.attempt(operator, &refused, step).await
    }

    /// Activates or deactivates a user in the catalog.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`]; [`Code::Conflict`] for the last operator who changes roles.
    pub async fn set_active(&self, operator: &Operator, id: &str, active: bool) -> Result<(), Refusal> {
        let refused = Happening { user: id, ..Happening::new(Kind::UserStateNotChanged, &operator.name) };
        let step = async |tx: &mut Tx, operator: &Operator| {
            let user = covered(tx, operator, id, Privilege::ChangePolicy).await?;
            users::set_active(tx, &user.id, active).await?;
            if !active {
                // Who is no user any more is nowhere logged in, neither as the operator who the user is, and has no session.
                logins::delete_of_user(tx, &user.id).await?;
                flows::end_of_user(tx, &user.id).await?;
                self.server.staff().somebody_changes_roles(tx).await?;
            }
            let detail = json!({"to": if active { "active" } else { "disabled" }});
            let happening = Happening { user: &user.id, detail, ..Happening::new(Kind::UserStateChanged, &operator.name) };
            self.server.record(tx, &happening).await
        };
        self.server.attempt(operator, &refused, step).await
    }

    /// The ids of the policies that a user is under, and the revision of that; the first in the order of policies holds.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn policies(&self, operator: &Operator, id: &str) -> Result<(Vec<String>, String), Refusal> {
        let (under, holding) = policies::of_user_with_holding(&mut self.server.store.read().await?, id).await?;
        operator.require(Privilege::ViewUser, holding.as_deref())?;
        let revision = revision::of(&under);
        Ok((under, revision))
    }

    /// A user, the policies that the role sees and those that the user is under, in their order, each with whether the user is under
    /// it, and the revision of that.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`].
    pub async fn view_with_policies(
        &self,
        operator: &Operator,
        id: &str,
    ) -> Result<(UserView, Vec<(NamedPolicy, bool)>, String), Refusal> {
        let scope = operator.scope(Privilege::ViewPolicy)?;
        let mut snapshot = self.server.store.read().await?;
        let (view, policies) = view(&mut snapshot, operator, None, id).await?;
        let under = policies::of_user(&mut snapshot, id).await?;
        let with = |policy: NamedPolicy| {
            let is_under = under.contains(&policy.id);
            (is_under || scope.covers(Some(&policy.id))).then_some((policy, is_under))
        };
        Ok((view, policies.into_iter().filter_map(with).collect(), revision::of(&under)))
    }

    /// Puts a user under these policies, and under no other. Cards that were issued under a policy stay under it. `seen` is the
    /// revision that the change is of, where who makes it says so.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`] where the role does not cover the policy that holds and each that changes; [`Code::NotFound`];
    /// [`Code::Malformed`] for none; [`Code::Conflict`] when it is another revision now.
    pub async fn set_policies(&self, operator: &Operator, id: &str, after: &[String], seen: Option<&str>) -> Result<(), Refusal> {
        let refused = Happening { user: id, ..Happening::new(Kind::UserPolicyNotChanged, &operator.name) };
        let step = async |tx: &mut Tx, operator: &Operator| {
            let user = covered(tx, operator, id, Privilege::ChangePolicy).await?;
            if after.is_empty() {
                return Err(Refusal::malformed(sentence!("refused-no-policy")));
            }
            let before = policies::of_user(tx, &user.id).await?;
            if after.iter().collect::<BTreeSet<_>>() == before.iter().collect() {
                return Ok(());
            }
            Configured::UserPolicies.require(tx, id, &revision::of(&before), seen).await?;
            let (mut names, mut under) = (Vec::new(), Vec::new());
            for policy in after {
                if !before.contains(policy) {
                    operator.require(Privilege::ChangePolicy, Some(policy))?;
                }
                let named = policies::by_id(tx, policy).await?.ok_or_else(|| Refusal::not_found("policy"))?;
                if names.contains(&named.name) {
                    continue;
                }
                if !before.contains(policy) {
                    under.push(policy.as_str());
                }
                names.push(named.name);
            }
            let from: Vec<&str> = before.iter().filter(|policy| !after.contains(policy)).map(String::as_str).collect();
            from.iter().try_for_each(|policy| operator.require(Privilege::ChangePolicy, Some(policy)))?;
            policies::relink(tx, &user.id, &under, &from).await?;
            Configured::UserPolicies.note(tx, id, &operator.name).await?;
            // Its questions may be others.
            users::set_draw(tx, &user.id, &[]).await?;
            let detail = json!({"policy": names.join(", ")});
            let happening = Happening { user: &user.id, detail, ..Happening::new(Kind::UserPolicyChanged, &operator.name) };
            self.server.record(tx, &happening).await
        };
        self.server.attempt(operator, &refused, step).await
    }

    /// Corrects what the catalog says of a user; found, listed and logged in by from then on. Answers, cards and open logins stay:
    /// they are of the id. `seen` is the revision that the correction is of, where who makes it says so.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::NotFound`], [`Code::Malformed`]; [`Code::Conflict`] for a name that another has, and when it
    /// is another revision now.
    pub async fn correct(&self, operator: &Operator, id: &str, data: &UserData, seen: Option<&str>) -> Result<(), Refusal> {
        let refused = Happening { user: id, ..Happening::new(Kind::UserNotCorrected, &operator.name) };
        let step = async |tx: &mut Tx, operator: &Operator| {
            let user = covered(tx, operator, id, Privilege::ChangePolicy).await?;
            let before = UserData::of(&user);
            let after = data.checked(Some(&before))?;
            if after == before {
                return Ok(());
            }
            Configured::UserData.require(tx, id, &revision::of(&before), seen).await?;
            after.require_free(tx, Some(id), Some(&before), |policy| operator.may(Privilege::ViewUser, policy)).await?;
            let changed = before.fields().into_iter().zip(after.fields()).filter(|(before, after)| before != after);
            let changed: Vec<_> = changed.collect();
            let names: Vec<_> = changed.iter().map(|((name, _), _)| *name).collect();
            // How somebody is reached is nobody's who may only read the log.
            let told = changed.iter().filter(|((name, _), _)| !matches!(*name, "mail" | "phone"));
            let (was, is): (Map<_, _>, Map<_, _>) = told
                .map(|((name, before), (_, after))| (((*name).into(), json!(before)), ((*name).into(), json!(after))))
                .unzip();
            let UserData { logon, upn, cn, mail, phone } = after;
            users::set(tx, &User { logon, upn, cn, mail, phone, ..user }).await?;
            Configured::UserData.note(tx, id, &operator.name).await?;
            let detail = json!({"changed": names, "before": was, "after": is});
            let happening = Happening { user: id, detail, ..Happening::new(Kind::UserCorrected, &operator.name) };
            self.server.record(tx, &happening).await
        };
        self.server.attempt(operator, &refused, step).await
    }

    /// Adds a user to the catalog; gives the id.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`], [`Code::Conflict`], [`Code::Malformed`].
    pub async fn add(&self, operator: &Operator, new: &NewUser) -> Result<String, Refusal> {
        // Who may not is not hashed for.
        let hash = match may_change(operator, Privilege::ChangePolicy, None) {
            Ok(()) => self.server.workers.password("user_password", &new.password).await,
            Err(refusal) => Err(refusal),
        };
        let refused = Happening::new(Kind::UserNotAdded, &operator.name);
        let step = async |tx: &mut Tx, operator: &Operator| {
            may_change(operator, Privilege::ChangePolicy, None)?;
            self.insert(tx, &operator.name, new, hash?).await
        };
        self.server.attempt(operator, &refused, step).await
    }

    pub(crate) async fn insert(&self, tx: &mut Tx, initiator: &str, new: &NewUser, hash: String) -> Result<String, Refusal> {
        let NewUser { logon, upn, cn, mail, phone, .. } = new.clone();
        let data = UserData { logon, upn, cn, mail, phone }.checked(None)?;
        policies::by_id(tx, &new.policy).await?.ok_or_else(|| Refusal::not_found("policy"))?;
        // Nobody adds users who does not see all.
        data.require_free(tx, None, None, |_| true).await?;
        let UserData { logon, upn, cn, mail, phone } = data;
        let user = User {
            id: random::token(),
            logon,
            upn,
            cn,
            mail,
            phone,
            active: true,
            password: hash,
            failed: 0,
            lock: UserLock::Open,
            last_try_at: 0,
            draw: Vec::new(),
        };
        users::insert(tx, &user).await?;
        Configured::UserData.note(tx, &user.id, initiator).await?;
        Configured::UserPolicies.note(tx, &user.id, initiator).await?;
        policies::relink(tx, &user.id, &[&new.policy], &[]).await?;
        self.server.record(tx, &Happening { user: &user.id, ..Happening::new(Kind::UserAdded, initiator) }).await?;
        Ok(user.id)
    }

    /// Names that more than one has: each of them logs in by it only as it is written in the catalog.
    ///
    /// # Errors
    /// [`Code::NoPrivilege`].
    pub async fn clashes(&self, operator: &Operator) -> Result<Vec<Clash>, Refusal> {
        operator.require(Privilege::ViewUser, None)?;
        users::clashes(&mut self.server.store.read().await?).await
    }
}

/// Refuses who may not do this with users under `policy`, or not see them: whoever changes a user is shown the user then, and what
/// is refused afterwards would be done.
fn may_change(operator: &Operator, privilege: Privilege, policy: Option<&str>) -> Result<(), Refusal> {
    operator.require(privilege, policy)?;
    operator.require(Privilege::ViewUser, policy)
}

/// The user, if a role that changes and sees users covers the policy that holds.
async fn covered(conn: &mut Snapshot, operator: &Operator, id: &str, privilege: Privilege) -> Result<User, Refusal> {
    let subject = subjects::of_user(conn, id).await?;
    may_change(operator, privilege, subject.policy_id())?;
    subject.user.ok_or_else(|| Refusal::not_found("user"))
}

/// The user as a console shows one, if a role covers the policy that holds, and all policies in their order.
async fn view(
    conn: &mut Snapshot,
    operator: &Operator,
    unlocking: Option<&Operator>,
    id: &str,
) -> Result<(UserView, Vec<NamedPolicy>), Refusal> {
    let scope = operator.scope(Privilege::ViewUser)?;
    let user = users::by_id(conn, id).await?;
    let (mut views, policies) = views(conn, &scope, unlocking, user.as_slice()).await?;
    let view = views.pop();
    operator.require(Privilege::ViewUser, view.as_ref().and_then(|view| view.policy_id.as_deref()))?;
    Ok((view.ok_or_else(|| Refusal::not_found("user"))?, policies))
}

/// Users as consoles show them, with policies, answers, and those of their cards that are in the scope, and all policies in their
/// order: three statements, however many they are. Which of their cards can be unlocked is judged where somebody asks, `unlocking`.
async fn views(
    conn: &mut Snapshot,
    scope: &Scope,
    unlocking: Option<&Operator>,
    users: &[User],
) -> Result<(Vec<UserView>, Vec<NamedPolicy>), Refusal> {
    let ids: Vec<&str> = users.iter().map(|user| user.id.as_str()).collect();
    let (policies, held) = policies::of_users(conn, &ids).await?;
    let counts: HashMap<_, _> =
        answers::counts_of_users(conn, &ids).await?.into_iter().map(|(user, policy, n)| ((user, policy), n)).collect();
    let mut cards: HashMap<String, Vec<CardRecord>> = HashMap::new();
    for card in cards::of_users(conn, &ids).await? {
        cards.entry(card.user.clone().unwrap_or_default()).or_default().push(card);
    }
    let mut view = |user: &User| {
        let policy = held.get(&user.id).and_then(|id| policies.iter().find(|policy| policy.id == *id));
        let answered_of = |policy: &NamedPolicy| counts.get(&(user.id.clone(), policy.id.clone()));
        let answered = policy.and_then(answered_of);
        let mut cards = cards.remove(&user.id).unwrap_or_default();
        // A card that was issued stands under the policy of then.
        let of_card = |card: &CardRecord| match &card.policy {
            Some(id) => policies.iter().find(|policy| policy.id == *id),
            None => policy,
        };
        cards.retain(|card| scope.covers(of_card(card).map(|policy| policy.id.as_str())));
        let can_be_unlocked = |operator: &Operator, card: &CardRecord| {
            let policy = of_card(card);
            let has_answers = policy.and_then(answered_of).is_some_and(|n| *n > 0);
            may_unlock(operator, user, card, policy, has_answers)
        };
        let unlockable = cards.iter().filter(|card| unlocking.is_some_and(|operator| can_be_unlocked(operator, card)));
        UserView {
            id: user.id.clone(),
            logon: user.logon.clone(),
            upn: user.upn.clone(),
            cn: user.cn.clone(),
            mail: user.mail.clone(),
            phone: user.phone.clone(),
            active: user.active,
            locked: user.lock != UserLock::Open,
            failed: user.failed,
            policy_id: policy.map(|policy| policy.id.clone()),
            asked: policy.map_or(0, |policy| policy.settings.authentication.questions_to_ask.into()),
            policy: policy.map(|policy| policy.name.clone()),
            answers_set: answered.map_or(0, |n| *n as usize),
            own_questions: counts.get(&(user.id.clone(), String::new())).map_or(0, |n| *n as usize),
            unlockable: unlockable.map(|card| card.serial.clone()).collect(),
            cards: cards.iter().map(CardView::of).collect(),
            revision: revision::of(&UserData::of(user)),
        }
    };
    let views = users.iter().map(&mut view).collect();
    Ok((views, policies))
}

/// Whether the operator can unlock a card now, as its own page judges it.
fn may_unlock(operator: &Operator, user: &User, card: &CardRecord, policy: Option<&NamedPolicy>, has_answers: bool) -> bool {
    let (card, user) = (Some(card.clone()), Some(user.clone()));
    let subject = Subject { card, user, policy: policy.cloned(), ..Subject::default() };
    permitted(&subject, operator).is_ok_and(|unlockable| {
        !unlockable.policy.settings.workflow.validate_answers || subject.may_answer_with(has_answers).is_ok()
    })
}
