//! People who ever signed in, and the seats they take.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::envelope::{Refusal, Reply, access_form, read};
use super::super::ids;
use super::super::routes::Asked;
use super::super::state::State;

/// Somebody who signed in at least once.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) email: String,
    /// Another one each time that a seat is taken anew.
    pub(super) subject: String,
    pub(super) has_seat: bool,
    seat_uid: String,
    created: Timestamp,
    last_login: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    seat_uid: String,
    access_seat: bool,
    gateway_seat: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoked {
    email: String,
}

impl Person {
    fn shown(&self, id: &str) -> Value {
        json!({
            "id": id, "uid": id, "email": self.email, "name": self.email, "seat_uid": self.seat_uid,
            "access_seat": self.has_seat, "gateway_seat": false, "active_device_count": 0,
            "created_at": self.created, "updated_at": self.last_login, "last_successful_login": self.last_login,
        })
    }
}

/// `GET …/users`
pub(in super::super) fn users(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    asked.query.only(&["email", "name", "search", "page", "per_page"])?;
    let is_wanted = |person: &Person| {
        let given = [asked.query.get("email"), asked.query.get("name"), asked.query.get("search")];
        given.into_iter().flatten().all(|part| person.email.contains(part))
    };
    let all = state.access.people.as_of(state.listed_at()).filter(|(_, person)| is_wanted(person));
    let (shown, info) = asked.query.page(25, 1000)?.of(all.collect());
    let shown: Vec<_> = shown.into_iter().map(|(id, person)| person.shown(id)).collect();
    Ok(Reply { info: Some(info), ..Reply::ok(json!(shown)) })
}

/// `GET …/users/{id}`
pub(in super::super) fn user(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let person = state.access.people.get(&asked.id).ok_or_else(|| Refusal::unknown("user"))?;
    Ok(Reply::ok(person.shown(&asked.id)))
}

/// `PATCH …/seats`: gives seats free, and ends the sessions of those who had them.
pub(in super::super) fn change(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let changes: Vec<Change> = read(&asked.body, access_form)?;
    let mut shown = Vec::new();
    for change in changes {
        if change.access_seat || change.gateway_seat {
            return Err(Refusal::access("a seat can be given free, but only signing in takes one"));
        }
        let found = state.access.people.iter().find(|(_, person)| person.seat_uid == change.seat_uid);
        let found = found.map(|(id, person)| (id.to_owned(), person.clone()));
        let (id, mut person) = found.ok_or_else(|| Refusal::unknown("seat"))?;
        person.has_seat = false;
        state.access.sessions.end_of_person(&person.email);
        shown.push(json!({
            "seat_uid": person.seat_uid, "access_seat": false, "gateway_seat": false,
            "created_at": person.created, "updated_at": state.now,
        }));
        state.access.people.put(&id, state.now, person);
    }
    Ok(Reply::ok(json!(shown)))
}

/// `POST …/organizations/revoke_user`
pub(in super::super) fn revoke_user(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let Revoked { email } = read(&asked.body, access_form)?;
    state.access.sessions.end_of_person(&email.to_ascii_lowercase());
    Ok(Reply::ok(json!(true)))
}

impl State {
    pub(super) fn person(&self, email: &str) -> Option<(&str, &Person)> {
        self.access.people.iter().find(|(_, person)| person.email == email)
    }

    /// The addresses that take a seat.
    pub(in super::super) fn seated(&self) -> Vec<String> {
        let people = self.access.people.iter().filter(|(_, person)| person.has_seat);
        people.map(|(_, person)| person.email.clone()).collect()
    }

    /// Gives a seat to somebody who signs in, or finds that they have one. False when none is left.
    pub(super) fn take_seat(&mut self, email: &str) -> bool {
        let known = self.person(email).map(|(id, person)| (id.to_owned(), person.clone()));
        let has_seat = known.as_ref().is_some_and(|(_, person)| person.has_seat);
        if !has_seat && self.seated().len() >= self.settings.seats {
            return false;
        }
        let (id, mut person) = known.unwrap_or_else(|| {
            let person = Person {
                email: email.to_owned(),
                subject: String::new(),
                has_seat: false,
                seat_uid: ids::uuid(&self.entropy),
                created: self.now,
                last_login: self.now,
            };
            (ids::uuid(&self.entropy), person)
        });
        if !has_seat {
            person.subject = ids::uuid(&self.entropy);
        }
        person.has_seat = true;
        person.last_login = self.now;
        self.access.people.put(&id, self.now, person);
        true
    }
}
