use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::envelope::{Refusal, Reply, access_form, read};
use super::super::ids;
use super::super::routes::Asked;
use super::super::state::State;

const MOST: usize = 50;

/// A way to prove who one is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Provider {
    pub(super) name: String,
    #[serde(rename = "type")]
    kind: Kind,
    config: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    OneTimePin,
    Oidc,
}

impl Provider {
    pub(super) fn is_by_mailed_code(&self) -> bool {
        self.kind == Kind::OneTimePin
    }

    fn shown(&self, id: &str) -> Value {
        let mut config = self.config.clone();
        if let Some(secret) = config.get_mut("client_secret") {
            *secret = json!("**********************************");
        }
        json!({ "id": id, "name": self.name, "type": self.kind, "config": config })
    }
}

/// `GET …/identity_providers`
pub(in super::super) fn list(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    asked.query.only(&["page", "per_page"])?;
    let all = state.access.identity_providers.as_of(state.listed_at());
    let (shown, info) = asked.query.page(25, 1000)?.of(all.map(|(id, it)| it.shown(id)).collect());
    Ok(Reply { info: Some(info), ..Reply::ok(json!(shown)) })
}

/// `POST …/identity_providers`
pub(in super::super) fn create(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let provider: Provider = read(&asked.body, access_form)?;
    let known: &[&str] = match provider.kind {
        Kind::OneTimePin => &[],
        Kind::Oidc => &[
            "auth_url",
            "certs_url",
            "claims",
            "client_id",
            "client_secret",
            "email_claim_name",
            "pkce_enabled",
            "scopes",
            "token_url",
        ],
    };
    if let Some(name) = provider.config.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(Refusal::access(format!("unknown field `{name}` in config")));
    }
    let all = &mut state.access.identity_providers;
    if provider.is_by_mailed_code() && all.iter().any(|(_, other)| other.is_by_mailed_code()) {
        return Err(Refusal::new(409, 11007, "access.api.error.identity_provider_already_exists"));
    }
    if all.len() >= MOST {
        return Err(Refusal::access(format!("the account holds {MOST} identity providers already")));
    }
    let id = ids::uuid(&state.entropy);
    let shown = provider.shown(&id);
    all.put(&id, state.now, provider);
    Ok(Reply::created(shown))
}

/// `GET …/identity_providers/{id}`
pub(in super::super) fn show(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let provider =
        state.access.identity_providers.get(&asked.id).ok_or_else(|| Refusal::unknown("identity_provider"))?;
    Ok(Reply::ok(provider.shown(&asked.id)))
}

/// `DELETE …/identity_providers/{id}`
pub(in super::super) fn delete(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    if !state.access.identity_providers.remove(&asked.id, state.now) {
        return Err(Refusal::unknown("identity_provider"));
    }
    Ok(Reply::ok(json!({ "id": asked.id })))
}
