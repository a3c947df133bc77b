use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::envelope::{Refusal, Reply, dns_form, read};
use super::super::routes::Asked;
use super::super::state::State;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    #[serde(default)]
    deletes: Vec<Named>,
    #[serde(default)]
    patches: Vec<Map<String, Value>>,
    #[serde(default)]
    puts: Vec<Map<String, Value>>,
    #[serde(default)]
    posts: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    id: String,
}

/// What was done so far: the ids that changed, oldest first, and what the answer shows.
#[derive(Default)]
struct Done {
    changed: Vec<String>,
    deletes: Vec<Value>,
    patches: Vec<String>,
    puts: Vec<String>,
    posts: Vec<String>,
}

/// `POST …/dns_records/batch`: all or nothing.
pub(in super::super) fn run(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let batch: Batch = read(&asked.body, dns_form)?;
    let size = batch.deletes.len() + batch.patches.len() + batch.puts.len() + batch.posts.len();
    let most = state.settings.largest_batch();
    if size == 0 || size > most {
        return Err(Refusal::dns(9206, format!("A batch holds 1 to {most} operations, not {size}.")));
    }
    let mut done = Done::default();
    if let Err(refusal) = work(state, batch, &mut done) {
        for id in done.changed.iter().rev() {
            state.records.take_back(id);
        }
        return Err(refusal);
    }
    let shown =
        |ids: &[String]| ids.iter().map(|id| Ok(state.records.get(id)?.shown(id))).collect::<Result<Vec<_>, _>>();
    Ok(Reply::ok(json!({
        "deletes": done.deletes,
        "patches": shown(&done.patches)?,
        "puts": shown(&done.puts)?,
        "posts": shown(&done.posts)?,
    })))
}

fn work(state: &mut State, batch: Batch, done: &mut Done) -> Result<(), Refusal> {
    for Named { id } in batch.deletes {
        done.deletes.push(state.records.get(&id)?.shown(&id));
        state.records.remove(&id, state.now);
        done.changed.push(id);
    }
    for fields in batch.patches {
        let (id, changes) = with_id(fields)?;
        state.edit_record(&id, changes)?;
        done.changed.push(id.clone());
        done.patches.push(id);
    }
    for fields in batch.puts {
        let (id, new) = with_id(fields)?;
        state.overwrite_record(&id, new)?;
        done.changed.push(id.clone());
        done.puts.push(id);
    }
    for fields in batch.posts {
        let id = state.make_record(formed(fields)?)?;
        done.changed.push(id.clone());
        done.posts.push(id);
    }
    Ok(())
}

fn with_id<T: serde::de::DeserializeOwned>(mut fields: Map<String, Value>) -> Result<(String, T), Refusal> {
    match fields.remove("id") {
        Some(Value::String(id)) => Ok((id, formed(fields)?)),
        _ => Err(dns_form("missing field `id`".into())),
    }
}

fn formed<T: serde::de::DeserializeOwned>(fields: Map<String, Value>) -> Result<T, Refusal> {
    serde_json::from_value(Value::Object(fields)).map_err(|error| dns_form(error.to_string()))
}
