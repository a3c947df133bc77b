use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::envelope::{Refusal, Reply, access_form, read};
use super::super::ids;
use super::super::routes::Asked;
use super::super::state::State;
use super::duration;

const MOST: usize = 50;
const A_YEAR: &str = "8760h";

/// What a program enters with.
#[derive(Debug, Clone)]
pub(in super::super) struct ServiceToken {
    name: String,
    pub(super) client_id: String,
    secret: String,
    duration: String,
    created: Timestamp,
    expires: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    name: String,
    duration: Option<String>,
}

impl ServiceToken {
    pub(super) fn opens(&self, client_id: &str, secret: &str, now: Timestamp) -> bool {
        self.client_id == client_id && self.secret == secret && now < self.expires
    }

    fn shown(&self, id: &str) -> Value {
        json!({
            "id": id, "name": self.name, "client_id": self.client_id, "duration": self.duration,
            "expires_at": self.expires, "created_at": self.created, "updated_at": self.created,
        })
    }
}

/// `GET …/service_tokens`
pub(in super::super) fn list(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    asked.query.only(&["name", "search", "page", "per_page"])?;
    let mut all: Vec<_> = state.access.service_tokens.as_of(state.listed_at()).collect();
    all.retain(|(_, token)| asked.query.get("name").is_none_or(|name| token.name == name));
    all.retain(|(_, token)| asked.query.get("search").is_none_or(|part| token.name.contains(part)));
    let (shown, info) = asked.query.page(25, 1000)?.of(all);
    let shown: Vec<_> = shown.into_iter().map(|(id, token)| token.shown(id)).collect();
    Ok(Reply { info: Some(info), ..Reply::ok(json!(shown)) })
}

/// `POST …/service_tokens`. Only this answer ever shows the secret.
pub(in super::super) fn create(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let new: NewToken = read(&asked.body, access_form)?;
    duration::check(new.duration.as_ref(), "duration")?;
    if state.access.service_tokens.len() >= MOST {
        return Err(Refusal::access(format!("the account holds {MOST} service tokens already")));
    }
    let duration = new.duration.unwrap_or_else(|| A_YEAR.into());
    let token = ServiceToken {
        name: new.name,
        client_id: format!("{}.access", ids::short(&state.entropy)),
        secret: ids::hex_of::<32>(&state.entropy),
        expires: state.now + duration::parse(&duration).unwrap_or(SignedDuration::ZERO),
        duration,
        created: state.now,
    };
    let id = ids::uuid(&state.entropy);
    let mut shown = token.shown(&id);
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("client_secret".into(), json!(token.secret));
        fields.remove("expires_at");
    }
    state.access.service_tokens.put(&id, state.now, token);
    Ok(Reply::created(shown))
}

/// `GET …/service_tokens/{id}`
pub(in super::super) fn show(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let token = state.access.service_tokens.get(&asked.id).ok_or_else(|| Refusal::unknown("service_token"))?;
    Ok(Reply::ok(token.shown(&asked.id)))
}

/// `DELETE …/service_tokens/{id}`
pub(in super::super) fn delete(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let token = state.access.service_tokens.get(&asked.id).ok_or_else(|| Refusal::unknown("service_token"))?;
    let shown = token.shown(&asked.id);
    state.access.service_tokens.remove(&asked.id, state.now);
    Ok(Reply::ok(shown))
}
