use serde_json::Value;

use crate::anchors::slug;

const NAMED: &str = "#/components/schemas/";

/// The document about everything that is sent and answered, a section for each type.
pub(crate) fn page(api: &Value) -> String {
    let mut text =
        "# API: what is sent and answered\n\nJSON, everywhere but where files are sent. What may be left out \
                    is marked so.\n\n"
            .to_owned();
    for (name, schema) in api["components"]["schemas"].as_object().into_iter().flatten() {
        text.push_str(&format!("## {name}\n\n"));
        if let Some(words) = schema["description"].as_str() {
            text.push_str(&format!("{}\n\n", prose(words)));
        }
        let members = members(schema);
        if members.is_empty() {
            text.push_str(&format!("{}\n\n", capital(&kind(schema))));
        }
        text.push_str(&members);
    }
    text
}

/// The type that a reference names.
pub(crate) fn named<'a>(schema: &Value, api: &'a Value) -> Option<&'a Value> {
    let name = schema["$ref"].as_str()?.strip_prefix(NAMED)?;
    api["components"]["schemas"].get(name)
}

/// An object's members as a table, with those of all that it is put together from; nothing for anything else.
pub(crate) fn members(schema: &Value) -> String {
    let mut rows = String::new();
    let parts = schema["allOf"].as_array().into_iter().flatten();
    for part in std::iter::once(schema).chain(parts) {
        for (name, member) in part["properties"].as_object().into_iter().flatten() {
            let required = part["required"].as_array().is_some_and(|all| all.iter().any(|it| it == name));
            let optional = if required { "" } else { ", may be left out" };
            let what = prose(member["description"].as_str().unwrap_or_default());
            rows.push_str(&format!("| `{name}` | {}{optional} | {what} |\n", kind(member)));
        }
    }
    if rows.is_empty() { rows } else { format!("| member | type | |\n|---|---|---|\n{rows}\n") }
}

/// A type in a few words, with links to those that have a name.
pub(crate) fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|to| to.strip_prefix(NAMED)) {
        return format!("[{name}](types.md#{})", slug(name));
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        if let Some(all) = schema[several].as_array() {
            let (nothing, rest): (Vec<_>, Vec<_>) = all.iter().partition(|one| one["type"] == "null");
            let mut kinds: Vec<String> = rest.into_iter().map(kind).collect();
            kinds.dedup();
            let between = if several == "allOf" { " with " } else { " or " };
            let or_nothing = if nothing.is_empty() { "" } else { " or null" };
            return kinds.join(between) + or_nothing;
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> = values.iter().filter_map(Value::as_str).map(|value| format!("`{value}`")).collect();
        return values.join(", ");
    }
    match &schema["type"] {
        Value::String(one) => simple(one, schema),
        Value::Array(several) => {
            let kinds: Vec<String> = several.iter().filter_map(Value::as_str).map(|one| simple(one, schema)).collect();
            kinds.join(" or ")
        }
        _ => "anything".to_owned(),
    }
}

fn simple(kind_name: &str, schema: &Value) -> String {
    match (kind_name, schema["format"].as_str()) {
        ("array", _) => format!("list of {}", kind(&schema["items"])),
        ("object", _) if schema["additionalProperties"].is_object() => {
            format!("object whose members are {}", kind(&schema["additionalProperties"]))
        }
        ("object", _) => match schema["properties"].as_object() {
            Some(members) => {
                let members: Vec<String> =
                    members.iter().map(|(name, member)| format!("`{name}`: {}", kind(member))).collect();
                format!("object with {}", members.join("; "))
            }
            None => "object".to_owned(),
        },
        ("string", Some("date-time")) => "moment (RFC 3339)".to_owned(),
        ("string", Some("binary")) => "bytes".to_owned(),
        ("integer", _) => "whole number".to_owned(),
        (other, _) => other.to_owned(),
    }
}

/// Words of a comment as a cell of a table can hold them: on one line, nothing in them read as HTML or as a link.
pub(crate) fn prose(words: &str) -> String {
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = words.replace("[`", "`").replace("`]", "`").replace('|', "\\|");
    let pieces = words.split('`').enumerate();
    let pieces = pieces.map(|(at, piece)| {
        let in_code = at % 2 == 1;
        if in_code { piece.to_owned() } else { piece.replace('<', "&lt;").replace('[', "\\[").replace('*', "\\*") }
    });
    pieces.collect::<Vec<_>>().join("`")
}

fn capital(words: &str) -> String {
    if words.starts_with(['[', '`']) {
        return format!("One of: {words}");
    }
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_are_told_in_words() {
        for (schema, words) in [
            (json!({"type": "string"}), "string"),
            (json!({"type": ["string", "null"], "format": "date-time"}), "moment (RFC 3339) or null"),
            (json!({"type": "array", "items": {"type": "integer"}}), "list of whole number"),
            (json!({"enum": ["a", "b"]}), "`a`, `b`"),
            (json!({"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Tea"}]}), "[Tea](types.md#tea) or null"),
            (json!({"type": "object", "additionalProperties": {"type": "string"}}), "object whose members are string"),
            (json!({}), "anything"),
        ] {
            assert_eq!(kind(&schema), words);
        }
    }

    #[test]
    fn comments_become_harmless_words() {
        assert_eq!(prose("See\n [`Page::next`], a|b, <i>, `<x>`"), "See `Page::next`, a\\|b, &lt;i>, `<x>`");
    }
}
