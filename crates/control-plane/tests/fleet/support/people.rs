//! What customers and the operator do, and what they agreed on.

use std::collections::BTreeMap;

use domain::InstanceId;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Chance, Fleet};

/// What was agreed about the updates of an instance, as its people know it.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Days of the week, Monday being 0; from which hour; for how many hours.
    pub window: Option<(Vec<i64>, i64, i64)>,
    pub deferred_until: Option<Timestamp>,
    pub pinned_until: Option<Timestamp>,
}

impl Rules {
    /// Whether an update may begin at a moment.
    pub fn permit(&self, at: Timestamp) -> bool {
        let is_over = |until: Option<Timestamp>| until.is_none_or(|until| until <= at);
        is_over(self.deferred_until) && is_over(self.pinned_until) && self.is_open(at)
    }

    fn is_open(&self, at: Timestamp) -> bool {
        let Some((days, from, hours)) = &self.window else { return true };
        let (second, day) = (at.as_second(), at.as_second().div_euclid(86_400));
        // It may have opened yesterday, and 1970 began on a Thursday.
        [day - 1, day].into_iter().any(|day| {
            let opens = day * 86_400 + from * 3_600;
            days.contains(&(day + 3).rem_euclid(7)) && opens <= second && second < opens + hours * 3_600
        })
    }
}

/// An instance as its people know it.
#[derive(Debug)]
pub struct Known {
    pub id: InstanceId,
    pub ordered_at: Timestamp,
    /// What was agreed, each from when on.
    pub rules: Vec<(Timestamp, Rules)>,
}

impl Known {
    fn now(&self) -> Rules {
        self.rules.last().map(|(_, rules)| rules.clone()).unwrap_or_default()
    }

    /// Whether an update may begin at a moment. What is agreed in that very moment may be seen or not.
    pub fn permits(&self, at: Timestamp) -> bool {
        let none = (Timestamp::UNIX_EPOCH, Rules::default());
        let all: Vec<&(Timestamp, Rules)> = std::iter::once(&none).chain(&self.rules).collect();
        let before = all.iter().rposition(|(since, _)| *since < at).unwrap_or(0);
        all[before..].iter().take_while(|(since, _)| *since <= at).any(|(_, rules)| rules.permit(at))
    }
}

/// Everybody's instances, by subdomain.
pub type People = BTreeMap<String, Known>;

/// Something that somebody does at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deed {
    Pause,
    Resume,
    Cancel,
    RollBack,
    Skip,
    Pin,
    Window,
    Defer,
    Suspend,
    Reopen,
    Delete,
    SignUp,
}

impl Deed {
    pub fn by_chance(chance: Chance, question: (u32, u64)) -> Self {
        use Deed::{Cancel, Defer, Delete, Pause, Pin, Reopen, Resume, RollBack, SignUp, Skip, Suspend, Window};
        const USUAL: [Deed; 24] = [
            Pause, Resume, Resume, Skip, Skip, Pin, Pin, Window, Window, Defer, Defer, Suspend, Suspend, Suspend,
            Reopen, Reopen, Reopen, Delete, SignUp, SignUp, SignUp, Cancel, RollBack, Pause,
        ];
        chance.one_of(("deed", question), &USUAL)
    }
}

impl Fleet {
    /// Orders an instance.
    pub async fn sign_up(&mut self) {
        let name = format!("w{}x", self.ordered);
        self.ordered += 1;
        let order = json!({"customer_email": format!("{name}@example.com"), "subdomain": name});
        let accepted = self.ask(Method::POST, "/instances", order).await.expect("an order is accepted");
        let id = accepted["id"].as_str().unwrap().parse().unwrap();
        self.people.insert(name, Known { id, ordered_at: self.grounds.clock.now(), rules: Vec::new() });
    }

    /// Chooses hours for updates, by chance.
    pub async fn choose_window(&mut self, name: &str, question: u64) {
        let chance = self.grounds.chance;
        let draw = |what: &str, bound| i64::try_from(chance.below((what, name, question), bound)).unwrap();
        let (first, from, hours) = (draw("day", 7), draw("from", 24), 2 + draw("hours", 6));
        let days = vec![first, (first + 2) % 7, (first + 4) % 7];
        let words = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let named: Vec<&str> = days.iter().map(|day| words[usize::try_from(*day).unwrap()]).collect();
        let body = json!({"window": {"days": named, "from_hour": from, "hours": hours}});
        self.agree(name, body, |rules| rules.window = Some((days, from, hours))).await;
    }

    async fn agree(&mut self, name: &str, body: Value, change: impl FnOnce(&mut Rules)) {
        let now = self.grounds.clock.now();
        if self.ask(Method::PUT, &format!("/instances/{name}/updates"), body).await.is_some() {
            let known = self.people.get_mut(name).unwrap();
            let mut rules = known.now();
            change(&mut rules);
            known.rules.push((now, rules));
        }
    }

    /// Does something, if it goes with how things stand.
    pub async fn act(&mut self, deed: Deed, question: u64) {
        let (chance, now) = (self.grounds.chance, self.grounds.clock.now());
        let place = usize::try_from(chance.below(("whom", question), self.people.len() as u64)).unwrap();
        let name = self.people.keys().nth(place).unwrap().clone();
        let rollout = self.open().await.map(|(id, _)| id);
        let order = |word: &str| rollout.as_ref().map(|id| format!("/rollouts/{id}/{word}"));
        let hours =
            |most| SignedDuration::from_hours(1 + i64::try_from(chance.below(("for", question), most)).unwrap());
        match deed {
            Deed::Pause | Deed::Resume | Deed::Cancel | Deed::RollBack => {
                let word = match deed {
                    Deed::Pause => "pause",
                    Deed::Resume => "resume",
                    Deed::Cancel => "cancel",
                    _ => "roll-back",
                };
                if let Some(path) = order(word) {
                    self.ask(Method::POST, &path, json!({})).await;
                }
            }
            Deed::Skip => {
                if let Some(path) = order(&format!("units/{name}/skip")) {
                    self.ask(Method::POST, &path, json!({})).await;
                }
            }
            Deed::Pin => {
                let until = now + hours(24 * 20);
                let body = json!({"pin": {"until": until, "because": "Their fair."}});
                self.agree(&name, body, |rules| rules.pinned_until = Some(until)).await;
            }
            Deed::Window => self.choose_window(&name, question).await,
            Deed::Defer => {
                let until = now + hours(24 * 5);
                let body = json!({"deferred_until": until});
                self.agree(&name, body, |rules| rules.deferred_until = Some(until)).await;
            }
            Deed::Suspend => {
                // Just while it is updated, if one is.
                let name = self.at_work().await.unwrap_or(name);
                let why = json!({"reason": "The last invoice is unpaid."});
                self.ask(Method::POST, &format!("/instances/{name}/suspend"), why).await;
            }
            Deed::Reopen => {
                if let Some(closed) = self.closed().await {
                    self.ask(Method::POST, &format!("/instances/{closed}/resume"), json!({})).await;
                }
            }
            Deed::Delete => {
                self.ask(Method::DELETE, &format!("/instances/{name}"), json!({"confirm": name})).await;
            }
            Deed::SignUp => self.sign_up().await,
        }
    }

    /// One that is being updated or watched.
    async fn at_work(&self) -> Option<String> {
        let sql = "select i.subdomain from instances i join rollout_units u on u.instance_id = i.id
                   where u.state in ('updating', 'soaking') order by u.begun_at limit 1";
        store::sqlx::query_scalar(sql).fetch_optional(self.grounds.db.read()).await.unwrap()
    }

    /// One that is suspended.
    async fn closed(&self) -> Option<String> {
        let sql = "select subdomain from instances where state = 'suspended' order by id limit 1";
        store::sqlx::query_scalar(sql).fetch_optional(self.grounds.db.read()).await.unwrap()
    }

    /// Asks the API as the operator's program; `None` where that is refused as things stand.
    pub async fn ask(&self, method: Method, path: &str, body: Value) -> Option<Value> {
        let request = self.http.request(method, format!("{}{path}", self.url)).json(&body);
        let answer = request.bearer_auth(&self.token).send().await.unwrap();
        let (status, said) = (answer.status(), answer.text().await.unwrap());
        match status {
            status if status.is_success() => Some(serde_json::from_str(&said).unwrap_or_default()),
            StatusCode::CONFLICT | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY => None,
            other => panic!("seed {}: {path}: {other} {said}", self.grounds.chance.0),
        }
    }
}
