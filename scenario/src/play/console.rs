//! Whoever speaks to the server: workstations, operators, administrators, users at Self-Service.

use super::{Done, Flow, Player};
use crate::action::Action;
use crate::world::Broken;
use crate::world::site::{PASSWORD, Reply};
use cardlab_protocol::workstation::{PATH, Question};
use serde_json::{Value, json};

impl Done {
    fn of(reply: &Reply) -> Self {
        Self {
            refused: reply.refusal(),
            ok: reply.body["ok"].as_bool(),
            mode: reply.body["mode"].as_str().map(str::to_owned),
            body: reply.body.clone(),
            ..Self::default()
        }
    }
}

fn questions(body: &Value) -> Vec<Question> {
    serde_json::from_value(body["questions"].clone()).unwrap_or_default()
}

fn given(questions: &[Question], texts: &[String]) -> Value {
    let answers: Vec<Value> = questions.iter().zip(texts).map(|(q, text)| json!({"question": q.id, "text": text})).collect();
    json!({"answers": answers})
}

impl Player<'_> {
    pub(super) fn at_the_server(&mut self, action: &Action) -> Result<Done, Broken> {
        match action {
            Action::SessionOpen { .. }
            | Action::SessionAnswers { .. }
            | Action::SessionChallenge { .. }
            | Action::SessionResult { .. }
            | Action::GuessAnswers { .. } => self.workstation(action),
            Action::ConsoleOpen { .. } | Action::ConsoleAnswers { .. } | Action::ConsoleChallenge { .. } => self.wizard(action),
            Action::RemoteOpen { .. } | Action::RemoteAnswers { .. } | Action::RemoteChallenge { .. } => self.remote(action),
            Action::User { .. } | Action::AddCard { .. } | Action::Card { .. } | Action::Request { .. } => self.operator(action),
            other => self.configuration(other),
        }
    }

    fn serial(&self, card: Option<&String>) -> Result<String, Broken> {
        Ok(self.cards.known(&self.card(card)?).serial.clone())
    }

    /// Keeps the response that somebody was given.
    fn hear(&mut self, mut done: Done) -> Done {
        if let Some(response) = done.body["response"].as_str() {
            self.values.insert("response".into(), response.to_owned());
            done.value = Some(response.to_owned());
        }
        done
    }

    fn workstation(&mut self, action: &Action) -> Result<Done, Broken> {
        let post =
            |this: &Self, path: &str, body: &Value| this.site.request("POST", &format!("{PATH}{path}"), "", &body.to_string());
        match action {
            Action::SessionOpen { card, serial, atr, remote_desktop } => {
                let serial = match serial {
                    Some(serial) => self.text(serial)?,
                    None => self.serial(card.as_ref())?,
                };
                let body = json!({"serial": serial, "atr": atr, "workstation": "WS2", "remote_desktop": remote_desktop});
                let reply = post(self, "/sessions", &body)?;
                let id = reply.body["session"].as_str().unwrap_or_default().to_owned();
                self.session = Flow { id, questions: questions(&reply.body) };
                self.at_screen = self.card(card.as_ref())?;
                Ok(Done::of(&reply))
            }
            Action::SessionAnswers { answers, typed } => {
                let Flow { id, questions } = self.session.clone();
                let user = self.cards.known(&self.at_screen).user.clone();
                let texts = self.answers(&user, &questions, answers, typed);
                Ok(Done::of(&post(self, &format!("/sessions/{id}/answers"), &given(&questions, &texts))?))
            }
            Action::SessionChallenge { challenge } => {
                let body = json!({"challenge": self.text(challenge)?});
                let done = Done::of(&post(self, &format!("/sessions/{}/challenge", self.session.id), &body)?);
                Ok(self.hear(done))
            }
            Action::SessionResult { outcome } => {
                Ok(Done::of(&post(self, &format!("/sessions/{}/result", self.session.id), &json!({"outcome": outcome}))?))
            }
            Action::GuessAnswers { card, sessions } => {
                let serial = self.serial(card.as_ref())?;
                self.site.without_limits()?;
                let open = json!({"serial": serial, "workstation": "WS3"});
                let mut opened = Vec::new();
                for _ in 0..*sessions {
                    let reply = post(self, "/sessions", &open)?;
                    let id = reply.body["session"].as_str().unwrap_or_default().to_owned();
                    opened.push((id, questions(&reply.body)));
                }
                let this = &*self;
                std::thread::scope(|scope| {
                    let ask = |(id, questions): &(String, Vec<Question>)| {
                        let wrong = given(questions, &vec!["nothing of the kind".to_owned(); questions.len()]);
                        post(this, &format!("/sessions/{id}/answers"), &wrong).map(drop)
                    };
                    let asking: Vec<_> = opened.iter().map(|flow| scope.spawn(move || ask(flow))).collect();
                    let broken = || Broken("a guessing thread ended".into());
                    asking.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(broken())))
                })?;
                Ok(Done::default())
            }
            _ => Err(Broken("no workstation does this".into())),
        }
    }

    fn wizard(&mut self, action: &Action) -> Result<Done, Broken> {
        match action {
            Action::ConsoleOpen { card, operator } => {
                let serial = self.serial(card.as_ref())?;
                let reply = self.site.ask(operator, "POST", &format!("/cards/{serial}/wizard"), &json!({}))?;
                let id = reply.body["wizard"].as_str().unwrap_or_default().to_owned();
                self.at_screen = self.card(card.as_ref())?;
                self.wizards.insert(operator.clone(), Flow { id, questions: questions(&reply.body) });
                Ok(Done::of(&reply))
            }
            Action::ConsoleAnswers { operator, answers, typed, wizard_of } => {
                let Flow { id, questions } = self.wizard_of(wizard_of.as_ref().unwrap_or(operator))?;
                let user = self.cards.known(&self.at_screen).user.clone();
                let texts = self.answers(&user, &questions, answers, typed);
                let reply = self.site.ask(operator, "POST", &format!("/unlock/{id}/answers"), &given(&questions, &texts))?;
                Ok(Done::of(&reply))
            }
            Action::ConsoleChallenge { operator, challenge, typed, check } => {
                let Flow { id, .. } = self.wizard_of(operator)?;
                let mut body = json!({"challenge": self.typed(challenge, typed)?});
                if let Some(check) = check {
                    body["check"] = json!(self.text(check)?);
                }
                let done = Done::of(&self.site.ask(operator, "POST", &format!("/unlock/{id}/challenge"), &body)?);
                Ok(self.hear(done))
            }
            _ => Err(Broken("no wizard does this".into())),
        }
    }

    fn wizard_of(&self, operator: &str) -> Result<Flow, Broken> {
        let wizard = self.wizards.get(operator).filter(|flow| !flow.id.is_empty());
        wizard.cloned().ok_or_else(|| Broken(format!("{operator} has no wizard open: begin with do = \"console-open\"")))
    }

    fn remote(&mut self, action: &Action) -> Result<Done, Broken> {
        let post = |this: &Self, path: &str, body: &Value| {
            this.site.request("POST", &format!("/api/v1/remote{path}"), "", &body.to_string())
        };
        match action {
            Action::RemoteOpen { user } => {
                let reply = post(self, "", &json!({"name": format!("LAB\\{user}")}))?;
                let id = reply.body["session"].as_str().unwrap_or_default().to_owned();
                self.remote = Flow { id, questions: questions(&reply.body) };
                self.remote_user = user.clone();
                Ok(Done::of(&reply))
            }
            Action::RemoteAnswers { answers } => {
                let Flow { id, questions } = self.remote.clone();
                let texts = self.answers(&self.remote_user, &questions, answers, &[]);
                Ok(Done::of(&post(self, &format!("/{id}/answers"), &given(&questions, &texts))?))
            }
            Action::RemoteChallenge { card, challenge } => {
                let body = json!({"card": self.serial(card.as_ref())?, "challenge": self.text(challenge)?});
                let done = Done::of(&post(self, &format!("/{}/challenge", self.remote.id), &body)?);
                Ok(self.hear(done))
            }
            _ => Err(Broken("nobody does this at Remote Self-Service".into())),
        }
    }

    fn operator(&mut self, action: &Action) -> Result<Done, Broken> {
        match action {
            Action::User { user, operation, operator } => {
                let id = self.site.user(user)?;
                Ok(Done::of(&self.site.ask(operator, "POST", &format!("/users/{id}/{operation}"), &json!({}))?))
            }
            Action::AddCard { card, operator, key, no_key, atr, card_type } => {
                let known = self.cards.known(&self.card(card.as_ref())?).clone();
                let own = known.admin_key.map(|key| key.to_string());
                let key = if *no_key { None } else { key.clone().or(own) };
                let body = json!({
                    "serial": known.serial, "card_type": card_type, "atr": atr, "admin_key": key, "no_admin_key": key.is_none(),
                });
                Ok(Done::of(&self.site.ask(operator, "POST", "/cards", &body)?))
            }
            Action::Card { card, operation, operator, user, reason } => {
                let serial = self.serial(card.as_ref())?;
                let user = match user {
                    Some(user) => json!(self.site.user(user)?),
                    None => Value::Null,
                };
                let reason = Some(reason).filter(|reason| !reason.is_empty());
                let path = format!("/cards/{serial}/{operation}");
                let done = Done::of(&self.site.ask(operator, "POST", &path, &json!({"user": user, "reason": reason}))?);
                Ok(Done { value: done.body["userPin"].as_str().map(str::to_owned), ..done })
            }
            Action::Request { card, method, path, body, operator } => {
                let token = match operator {
                    Some(operator) => self.site.token(operator)?,
                    None => String::new(),
                };
                let serial = self.serial(card.as_ref()).unwrap_or_default();
                let fill = |text: &str| text.replace("$card", &serial).replace("$session", &self.session.id);
                Ok(Done::of(&self.site.request(method, &fill(path), &token, &fill(body))?))
            }
            _ => Err(Broken("no operator does this".into())),
        }
    }

    fn configuration(&mut self, action: &Action) -> Result<Done, Broken> {
        match action {
            Action::Policy { set, policy, operator } => self.change_policy(operator, policy, set),
            Action::AddPolicy { name } => Ok(Done::of(&self.site.ask("admin", "POST", "/policies", &json!({"name": name}))?)),
            Action::DeletePolicy { name } => {
                let (id, _) = self.site.policy(name)?;
                Ok(Done::of(&self.site.ask("admin", "DELETE", &format!("/policies/{id}"), &Value::Null)?))
            }
            Action::Role { name, privileges, policies } => {
                let policies = match policies {
                    None => Value::Null,
                    Some(names) => names.iter().map(|n| Ok(json!(self.site.policy(n)?.0))).collect::<Result<_, Broken>>()?,
                };
                let body = json!({"privileges": privileges, "policies": policies});
                let done = Done::of(&self.site.ask("admin", "PUT", &format!("/roles/{name}"), &body)?);
                if let Some(id) = done.body["id"].as_str() {
                    self.values.insert(format!("role {name}"), id.to_owned());
                }
                Ok(done)
            }
            Action::AddOperator { name, role, user } => {
                let role = match role {
                    None => Value::Null,
                    Some(role) => json!(self.text(&format!("$role {role}"))?),
                };
                let user = match user {
                    None => Value::Null,
                    Some(user) => json!(self.site.user(user)?),
                };
                let body = json!({"name": name, "password": PASSWORD, "role": role, "user": user});
                let done = Done::of(&self.site.ask("admin", "POST", "/operators", &body)?);
                self.site.know_operator(name);
                Ok(done)
            }
            Action::AddUser { name, policy } => {
                let (policy, _) = self.site.policy(policy)?;
                let body = json!({
                    "logon": format!("LAB\\{name}"), "upn": format!("{name}@lab.example"), "cn": name, "password": PASSWORD, "policy": policy,
                });
                Ok(Done::of(&self.site.ask("admin", "POST", "/users", &body)?))
            }
            Action::SetAnswers { user, answers } => {
                Ok(Done { refused: self.site.set_answers(user, answers)?, ..Done::default() })
            }
            _ => Err(Broken("nobody does this".into())),
        }
    }
}
