use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::envelope::{Refusal, Reply, access_form, read};
use super::super::ids;
use super::super::routes::Asked;
use super::super::state::State;
use super::duration;
use super::hostnames::Pattern;

const MOST_DOMAINS: usize = 5;

/// Hostnames that Access stands in front of.
#[derive(Debug, Clone)]
pub struct App {
    pub(super) fields: Fields,
    aud: String,
    policies: Vec<String>,
    patterns: Vec<Pattern>,
    created: Timestamp,
    updated: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    pub(super) domain: String,
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destinations: Option<Vec<Destination>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    self_hosted_domains: Option<Vec<String>>,
    #[serde(default)]
    pub(super) allowed_idps: Vec<String>,
    #[serde(default)]
    auto_redirect_to_identity: bool,
    #[serde(default, skip_serializing)]
    policies: Vec<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session_duration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_launcher_visible: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) http_only_cookie_attribute: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) same_site_cookie_attribute: Option<SameSite>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_binding_cookie: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_auth_401_redirect: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) options_preflight_bypass: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) custom_deny_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_deny_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eager_redirect_cookie_setting: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_cookie_attribute: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_interstitial: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    SelfHosted,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Destination {
    Public { uri: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum SameSite {
    None,
    Lax,
    Strict,
}

/// A policy by its id, perhaps with its place.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Link {
    Id(String),
    Placed(Placed),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Placed {
    id: String,
    precedence: Option<u32>,
}

impl App {
    /// What it is called.
    pub fn name(&self) -> &str {
        self.fields.name.as_deref().unwrap_or_default()
    }

    /// Its first hostname.
    pub fn domain(&self) -> &str {
        &self.fields.domain
    }

    /// All that it covers.
    pub fn domains(&self) -> Vec<String> {
        let named = self.fields.destinations.iter().flatten().map(|Destination::Public { uri }| uri.clone());
        let mut all: Vec<String> = std::iter::once(self.fields.domain.clone()).chain(named).collect();
        all.dedup();
        all
    }

    /// For whom its assertions are made out.
    pub fn aud(&self) -> &str {
        &self.aud
    }

    /// The ids of its policies, by precedence.
    pub fn policies(&self) -> &[String] {
        &self.policies
    }

    /// How well it covers an address; more is more specific.
    pub(super) fn covers(&self, hostname: &str, path: &str) -> Option<(usize, usize)> {
        self.patterns.iter().filter_map(|pattern| pattern.covers(hostname, path)).max()
    }
}

/// `GET …/apps`
pub(in super::super) fn list(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    asked.query.only(&["aud", "domain", "name", "exact", "search", "page", "per_page"])?;
    let is_exact = asked.query.get("exact") == Some("true");
    let fits = |given: &str, field: &str| {
        let Some(wanted) = asked.query.get(field) else { return true };
        if is_exact { given == wanted } else { given.contains(wanted) }
    };
    let is_wanted = |app: &App| {
        let found =
            asked.query.get("search").is_none_or(|part| app.name().contains(part) || app.domain().contains(part));
        let is_audience = asked.query.get("aud").is_none_or(|aud| aud == app.aud);
        found && is_audience && fits(app.domain(), "domain") && fits(app.name(), "name")
    };
    let all: Vec<_> = state.access.apps.as_of(state.listed_at()).filter(|(_, app)| is_wanted(app)).collect();
    let (shown, info) = asked.query.page(25, 1000)?.of(all);
    let shown: Vec<_> = shown.into_iter().map(|(id, app)| shown_app(state, id, app)).collect();
    Ok(Reply { info: Some(info), ..Reply::ok(json!(shown)) })
}

/// `POST …/apps`
pub(in super::super) fn create(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let fields: Fields = read(&asked.body, access_form)?;
    let most = state.settings.application_limit;
    if state.access.apps.len() >= most {
        return Err(Refusal::access(format!("the account holds {most} applications already")));
    }
    let (patterns, policies) = (patterns(&fields, state, None)?, policies(&fields, state)?);
    let (id, aud) = (ids::uuid(&state.entropy), ids::hex_of::<32>(&state.entropy));
    let app = App { fields, aud, policies, patterns, created: state.now, updated: state.now };
    let shown = shown_app(state, &id, &app);
    state.access.apps.put(&id, state.now, app);
    Ok(Reply::created(shown))
}

/// `GET …/apps/{id}`
pub(in super::super) fn show(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let app = known(state, &asked.id)?;
    Ok(Reply::ok(shown_app(state, &asked.id, app)))
}

/// `PUT …/apps/{id}`: what isn't named goes back to what is usual, policies included.
pub(in super::super) fn overwrite(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let old = known(state, &asked.id)?.clone();
    let fields: Fields = read(&asked.body, access_form)?;
    let (patterns, policies) = (patterns(&fields, state, Some(&asked.id))?, policies(&fields, state)?);
    let app = App { fields, policies, patterns, updated: state.now, ..old };
    let shown = shown_app(state, &asked.id, &app);
    state.access.apps.put(&asked.id, state.now, app);
    Ok(Reply::ok(shown))
}

/// `DELETE …/apps/{id}`
pub(in super::super) fn delete(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    known(state, &asked.id)?;
    state.access.apps.remove(&asked.id, state.now);
    Ok(Reply { status: http::StatusCode::ACCEPTED, ..Reply::ok(json!({ "id": asked.id })) })
}

/// `POST …/apps/{id}/revoke_tokens`
pub(in super::super) fn revoke_tokens(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    known(state, &asked.id)?;
    state.access.sessions.end_of_app(&asked.id);
    Ok(Reply::ok(json!({})))
}

fn known<'s>(state: &'s State, id: &str) -> Result<&'s App, Refusal> {
    state.access.apps.get(id).ok_or_else(|| Refusal::unknown("application"))
}

fn patterns(fields: &Fields, state: &State, own: Option<&str>) -> Result<Vec<Pattern>, Refusal> {
    duration::check(fields.session_duration.as_ref(), "session_duration")?;
    let mut names: Vec<&str> = vec![&fields.domain];
    names.extend(fields.self_hosted_domains.iter().flatten().map(String::as_str));
    names.extend(fields.destinations.iter().flatten().map(|Destination::Public { uri }| uri.as_str()));
    names.sort_unstable();
    names.dedup();
    if names.len() > MOST_DOMAINS {
        return Err(Refusal::access(format!("an application has {MOST_DOMAINS} domains at most")));
    }
    let mut patterns = Vec::new();
    for name in names {
        let pattern =
            Pattern::parse(name).ok_or_else(|| Refusal::access(format!("{name} is no hostname with a path")))?;
        if !pattern.is_in(&state.settings.zone) {
            return Err(Refusal::access(format!("domain {name} does not belong to a zone of this account")));
        }
        let mut others = state.access.apps.iter().filter(|(id, _)| Some(*id) != own);
        if others.any(|(_, app)| app.patterns.contains(&pattern)) {
            return Err(Refusal::new(409, 11010, "access.api.error.application_already_exists"));
        }
        patterns.push(pattern);
    }
    Ok(patterns)
}

fn policies(fields: &Fields, state: &State) -> Result<Vec<String>, Refusal> {
    if let Some(id) = fields.allowed_idps.iter().find(|id| state.access.identity_providers.get(id).is_none()) {
        return Err(Refusal::access(format!("no identity provider {id}")));
    }
    if fields.auto_redirect_to_identity && fields.allowed_idps.len() != 1 {
        return Err(Refusal::access("auto_redirect_to_identity needs exactly one of allowed_idps"));
    }
    let mut placed = Vec::new();
    for (place, link) in (1..).zip(&fields.policies) {
        let (id, precedence) = match link {
            Link::Id(id) => (id, place),
            Link::Placed(Placed { id, precedence }) => (id, precedence.unwrap_or(place)),
        };
        if state.access.policies.get(id).is_none() {
            return Err(Refusal::access(format!("no reusable policy {id}")));
        }
        if placed.iter().any(|(_, other)| other == id) {
            return Err(Refusal::access(format!("policy {id} is named twice")));
        }
        placed.push((precedence, id.clone()));
    }
    placed.sort_by_key(|(precedence, _)| *precedence);
    Ok(placed.into_iter().map(|(_, id)| id).collect())
}

fn shown_app(state: &State, id: &str, app: &App) -> Value {
    let policies = (1..).zip(&app.policies).filter_map(|(precedence, id): (u32, _)| {
        let mut shown = state.access.policies.get(id)?.shown(id);
        shown.as_object_mut()?.insert("precedence".into(), json!(precedence));
        Some(shown)
    });
    let policies: Vec<Value> = policies.collect();
    let mut shown = serde_json::to_value(&app.fields).unwrap_or_default();
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("id".into(), json!(id));
        fields.insert("aud".into(), json!(app.aud));
        fields.insert("policies".into(), json!(policies));
        fields.insert("created_at".into(), json!(app.created));
        fields.insert("updated_at".into(), json!(app.updated));
    }
    shown
}
