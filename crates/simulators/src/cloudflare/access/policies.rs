use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::envelope::{Refusal, Reply, access_form, read};
use super::super::ids;
use super::super::routes::Asked;
use super::super::shelf::Shelf;
use super::super::state::State;
use super::duration;
use super::groups::Group;
use super::rules::{self, Rule};
use super::visitor::Visitor;

/// Who may or may not pass, wherever an application names it.
#[derive(Debug, Clone)]
pub struct Policy {
    pub(super) fields: Fields,
    created: Timestamp,
    updated: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    name: String,
    pub(super) decision: Decision,
    include: Vec<Rule>,
    #[serde(default)]
    exclude: Vec<Rule>,
    #[serde(default)]
    require: Vec<Rule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session_duration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval_required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    isolation_required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose_justification_required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose_justification_prompt: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Decision {
    Allow,
    Deny,
    NonIdentity,
    Bypass,
}

impl Policy {
    /// What it is called.
    pub fn name(&self) -> &str {
        &self.fields.name
    }

    /// Whom it means, exceptions aside.
    pub fn include(&self) -> &[Rule] {
        &self.fields.include
    }

    pub(super) fn means(&self, visitor: Visitor<'_>, groups: &Shelf<Group>) -> bool {
        rules::mean(&self.fields.include, &self.fields.require, &self.fields.exclude, visitor, groups)
    }

    pub(super) fn names_group(&self, wanted: &str) -> bool {
        let lists = [&self.fields.include, &self.fields.exclude, &self.fields.require];
        lists.into_iter().flatten().any(|rule| matches!(rule, Rule::Group { id } if id == wanted))
    }

    pub(super) fn shown(&self, id: &str) -> Value {
        let mut shown = serde_json::to_value(&self.fields).unwrap_or_default();
        if let Some(fields) = shown.as_object_mut() {
            fields.insert("id".into(), json!(id));
            fields.insert("created_at".into(), json!(self.created));
            fields.insert("updated_at".into(), json!(self.updated));
        }
        shown
    }
}

/// `GET …/policies`
pub(in super::super) fn list(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    asked.query.only(&["page", "per_page"])?;
    let all: Vec<_> = state.access.policies.as_of(state.listed_at()).collect();
    let (shown, info) = asked.query.page(25, 1000)?.of(all);
    let shown: Vec<_> = shown.into_iter().map(|(id, policy)| in_full(policy.shown(id), state, id)).collect();
    Ok(Reply { info: Some(info), ..Reply::ok(json!(shown)) })
}

/// `POST …/policies`
pub(in super::super) fn create(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let fields = fields(state, asked)?;
    let most = state.settings.policy_limit;
    if state.access.policies.len() >= most {
        return Err(Refusal::access(format!("the account holds {most} reusable policies already")));
    }
    let id = ids::uuid(&state.entropy);
    let policy = Policy { fields, created: state.now, updated: state.now };
    let shown = policy.shown(&id);
    state.access.policies.put(&id, state.now, policy);
    Ok(Reply::created(in_full(shown, state, &id)))
}

/// `GET …/policies/{id}`
pub(in super::super) fn show(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let policy = state.access.policies.get(&asked.id).ok_or_else(|| Refusal::unknown("policy"))?;
    Ok(Reply::ok(in_full(policy.shown(&asked.id), state, &asked.id)))
}

/// `PUT …/policies/{id}`
pub(in super::super) fn overwrite(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let created = state.access.policies.get(&asked.id).ok_or_else(|| Refusal::unknown("policy"))?.created;
    let policy = Policy { fields: fields(state, asked)?, created, updated: state.now };
    let shown = policy.shown(&asked.id);
    state.access.policies.put(&asked.id, state.now, policy);
    Ok(Reply::ok(in_full(shown, state, &asked.id)))
}

/// `DELETE …/policies/{id}`
pub(in super::super) fn delete(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    if state.access.policies.get(&asked.id).is_none() {
        return Err(Refusal::unknown("policy"));
    }
    if uses(state, &asked.id) > 0 {
        return Err(Refusal::new(409, 12132, "access.api.error.policy_in_use"));
    }
    state.access.policies.remove(&asked.id, state.now);
    Ok(Reply { status: http::StatusCode::ACCEPTED, ..Reply::ok(json!({ "id": asked.id })) })
}

fn fields(state: &State, asked: &Asked) -> Result<Fields, Refusal> {
    let fields: Fields = read(&asked.body, access_form)?;
    duration::check(fields.session_duration.as_ref(), "session_duration")?;
    rules::check([&fields.include, &fields.exclude, &fields.require], &state.access, true)?;
    Ok(fields)
}

fn uses(state: &State, id: &str) -> usize {
    state.access.apps.iter().filter(|(_, app)| app.policies().iter().any(|policy| policy == id)).count()
}

fn in_full(mut shown: Value, state: &State, id: &str) -> Value {
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("app_count".into(), json!(uses(state, id)));
        fields.insert("reusable".into(), json!(true));
    }
    shown
}
