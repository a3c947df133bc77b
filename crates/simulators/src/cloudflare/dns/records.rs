use jiff::Timestamp;
use serde_json::json;

use super::super::envelope::{Refusal, Reply, dns_form, read};
use super::super::ids;
use super::super::routes::Asked;
use super::super::state::State;
use super::body::{Changes, NewRecord, Record};
use super::filters::Filters;
use super::rules;

/// `GET …/dns_records`
pub(in super::super) fn list(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let filters = Filters::parse(&asked.query)?;
    let mut found: Vec<(&str, &Record)> = state.records.shelf().as_of(state.listed_at()).collect();
    found.retain(|(_, record)| filters.let_through(record));
    filters.sort(&mut found);
    let (shown, info) = asked.query.page(100, 5_000_000)?.of(found);
    let shown: Vec<_> = shown.into_iter().map(|(id, record)| record.shown(id)).collect();
    Ok(Reply { info: Some(info), ..Reply::ok(json!(shown)) })
}

/// `POST …/dns_records`
pub(in super::super) fn create(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let id = state.make_record(read(&asked.body, dns_form)?)?;
    state.shown_record(&id)
}

/// `GET …/dns_records/usage`
pub(in super::super) fn usage(state: &mut State, _: &Asked) -> Result<Reply, Refusal> {
    let used = state.records.shelf().len();
    Ok(Reply::ok(json!({ "record_quota": state.settings.record_quota, "record_usage": used })))
}

/// `GET …/dns_records/{id}`
pub(in super::super) fn show(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    state.shown_record(&asked.id)
}

/// `PUT …/dns_records/{id}`
pub(in super::super) fn overwrite(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    state.overwrite_record(&asked.id, read(&asked.body, dns_form)?)?;
    state.shown_record(&asked.id)
}

/// `PATCH …/dns_records/{id}`
pub(in super::super) fn edit(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    state.edit_record(&asked.id, read(&asked.body, dns_form)?)?;
    state.shown_record(&asked.id)
}

/// `DELETE …/dns_records/{id}`
pub(in super::super) fn delete(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    state.records.get(&asked.id)?;
    state.records.remove(&asked.id, state.now);
    Ok(Reply::ok(json!({ "id": asked.id })))
}

impl State {
    /// Makes a record and returns its id.
    pub(super) fn make_record(&mut self, new: NewRecord) -> Result<String, Refusal> {
        let record = rules::record(new, &self.settings, self.now)?;
        self.records.check_room(None, &record)?;
        if self.records.shelf().len() >= self.settings.record_quota {
            return Err(Refusal::dns(81045, "Record quota exceeded."));
        }
        let id = ids::short(&self.entropy);
        self.records.put(&id, self.now, record);
        Ok(id)
    }

    pub(super) fn overwrite_record(&mut self, id: &str, new: NewRecord) -> Result<(), Refusal> {
        let created: Timestamp = self.records.get(id)?.created;
        let record = Record { created, ..rules::record(new, &self.settings, self.now)? };
        self.records.check_room(Some(id), &record)?;
        self.records.put(id, self.now, record);
        Ok(())
    }

    pub(super) fn edit_record(&mut self, id: &str, changes: Changes) -> Result<(), Refusal> {
        let new = changes.to(self.records.get(id)?);
        self.overwrite_record(id, new)
    }

    /// A record that somebody else made, as by a click in the dashboard.
    pub(in super::super) fn plant_record(&mut self, kind: &str, name: &str, content: &str) -> Result<String, Refusal> {
        self.make_record(NewRecord {
            kind: kind.to_owned(),
            name: name.to_owned(),
            content: content.to_owned(),
            ttl: 1,
            proxied: false,
            priority: None,
            comment: None,
            tags: Vec::new(),
            settings: Default::default(),
        })
    }

    fn shown_record(&self, id: &str) -> Result<Reply, Refusal> {
        Ok(Reply::ok(self.records.get(id)?.shown(id)))
    }
}
