use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::envelope::{Refusal, Reply, access_form, read};
use super::super::ids;
use super::super::routes::Asked;
use super::super::shelf::Shelf;
use super::super::state::State;
use super::rules::{self, Rule};
use super::visitor::Visitor;

const MOST: usize = 300;

/// People and programs that policies name together.
#[derive(Debug, Clone)]
pub(in super::super) struct Group {
    fields: Fields,
    created: Timestamp,
    updated: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    name: String,
    include: Vec<Rule>,
    #[serde(default)]
    exclude: Vec<Rule>,
    #[serde(default)]
    require: Vec<Rule>,
}

impl Group {
    pub(super) fn means(&self, visitor: Visitor<'_>, groups: &Shelf<Self>) -> bool {
        rules::mean(&self.fields.include, &self.fields.require, &self.fields.exclude, visitor, groups)
    }

    fn shown(&self, id: &str) -> Value {
        json!({
            "id": id, "name": self.fields.name, "include": self.fields.include, "exclude": self.fields.exclude,
            "require": self.fields.require, "created_at": self.created, "updated_at": self.updated,
        })
    }
}

/// `GET …/groups`
pub(in super::super) fn list(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    asked.query.only(&["name", "page", "per_page"])?;
    let mut all: Vec<_> = state.access.groups.as_of(state.listed_at()).collect();
    all.retain(|(_, group)| asked.query.get("name").is_none_or(|name| group.fields.name == name));
    let (shown, info) = asked.query.page(25, 1000)?.of(all);
    let shown: Vec<_> = shown.into_iter().map(|(id, group)| group.shown(id)).collect();
    Ok(Reply { info: Some(info), ..Reply::ok(json!(shown)) })
}

/// `POST …/groups`
pub(in super::super) fn create(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let fields = fields(state, asked)?;
    if state.access.groups.len() >= MOST {
        return Err(Refusal::access(format!("the account holds {MOST} groups already")));
    }
    let id = ids::uuid(&state.entropy);
    let group = Group { fields, created: state.now, updated: state.now };
    let shown = group.shown(&id);
    state.access.groups.put(&id, state.now, group);
    Ok(Reply::created(shown))
}

/// `GET …/groups/{id}`
pub(in super::super) fn show(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let group = state.access.groups.get(&asked.id).ok_or_else(|| Refusal::unknown("group"))?;
    Ok(Reply::ok(group.shown(&asked.id)))
}

/// `PUT …/groups/{id}`
pub(in super::super) fn overwrite(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let created = state.access.groups.get(&asked.id).ok_or_else(|| Refusal::unknown("group"))?.created;
    let group = Group { fields: fields(state, asked)?, created, updated: state.now };
    let shown = group.shown(&asked.id);
    state.access.groups.put(&asked.id, state.now, group);
    Ok(Reply::ok(shown))
}

/// `DELETE …/groups/{id}`
pub(in super::super) fn delete(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    if state.access.policies.iter().any(|(_, policy)| policy.names_group(&asked.id)) {
        return Err(Refusal::new(409, 12133, "access.api.error.group_in_use"));
    }
    if !state.access.groups.remove(&asked.id, state.now) {
        return Err(Refusal::unknown("group"));
    }
    Ok(Reply { status: http::StatusCode::ACCEPTED, ..Reply::ok(json!({ "id": asked.id })) })
}

fn fields(state: &State, asked: &Asked) -> Result<Fields, Refusal> {
    let fields: Fields = read(&asked.body, access_form)?;
    // A group of groups could end in a circle.
    rules::check([&fields.include, &fields.exclude, &fields.require], &state.access, false)?;
    Ok(fields)
}
