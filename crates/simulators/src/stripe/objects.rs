use std::collections::HashMap;

use serde_json::{Map, Value};

/// Everything that was made, by kind and in the order in which it was made.
///
/// Names that begin with `_` are for this simulator alone and never shown.
#[derive(Debug, Default)]
pub(super) struct Objects(HashMap<&'static str, Table>);

#[derive(Debug, Default)]
struct Table {
    order: Vec<String>,
    rows: HashMap<String, Value>,
}

impl Objects {
    pub(super) fn put(&mut self, kind: &'static str, object: Value) {
        let id = object["id"].as_str().unwrap_or_default().to_owned();
        let table = self.0.entry(kind).or_default();
        if table.rows.insert(id.clone(), object).is_none() {
            table.order.push(id);
        }
    }

    pub(super) fn get(&self, kind: &str, id: &str) -> Option<&Value> {
        self.0.get(kind)?.rows.get(id)
    }

    pub(super) fn get_mut(&mut self, kind: &str, id: &str) -> Option<&mut Value> {
        self.0.get_mut(kind)?.rows.get_mut(id)
    }

    pub(super) fn remove(&mut self, kind: &str, id: &str) -> Option<Value> {
        let table = self.0.get_mut(kind)?;
        table.order.retain(|known| known != id);
        table.rows.remove(id)
    }

    /// All of a kind, oldest first.
    pub(super) fn all(&self, kind: &str) -> impl DoubleEndedIterator<Item = &Value> {
        let table = self.0.get(kind);
        table.into_iter().flat_map(|table| table.order.iter().filter_map(|id| table.rows.get(id)))
    }

    /// Whatever has this id.
    pub(super) fn find(&self, id: &str) -> Option<&Value> {
        self.0.values().find_map(|table| table.rows.get(id))
    }
}

/// An object as others may see it.
pub(super) fn shown(object: &Value) -> Value {
    match object {
        Value::Object(map) => {
            let seen = map.iter().filter(|(name, _)| !name.starts_with('_'));
            Value::Object(seen.map(|(name, value)| (name.clone(), shown(value))).collect::<Map<_, _>>())
        }
        Value::Array(list) => Value::Array(list.iter().map(shown).collect()),
        other => other.clone(),
    }
}

/// An object with the names of another one too.
pub(super) fn with(mut object: Value, more: Value) -> Value {
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}

/// An object that has these names too, with nothing in them.
pub(super) fn with_nulls(names: &str, mut object: Value) -> Value {
    for name in names.split_whitespace() {
        object[name] = Value::Null;
    }
    object
}

/// What `sent` asks to be changed in `object`: only names that are there, metadata name by name.
pub(super) fn merge(object: &mut Value, sent: &Value, names: &[&str]) {
    for name in names {
        if let Some(value) = sent.get(*name) {
            object[*name] = value.clone();
        }
    }
    match sent.get("metadata") {
        Some(Value::Object(changes)) => {
            for (name, value) in changes {
                if value == "" {
                    if let Some(metadata) = object["metadata"].as_object_mut() {
                        metadata.remove(name);
                    }
                } else {
                    object["metadata"][name] = value.clone();
                }
            }
        }
        Some(_) => object["metadata"] = Value::Object(Map::new()),
        None => {}
    }
}

/// A word in an object; nothing when there is none.
pub(super) fn word<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}

/// A number in an object; nought when there is none.
pub(super) fn number(object: &Value, name: &str) -> i64 {
    object[name].as_i64().unwrap_or_default()
}

/// A switch in an object; off when there is none.
pub(super) fn is(object: &Value, name: &str) -> bool {
    object[name].as_bool().unwrap_or_default()
}
