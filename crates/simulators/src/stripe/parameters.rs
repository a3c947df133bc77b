//! Which parameters an operation takes, in a short notation, and the check against them.
//!
//! `"email, limit: integer, mode!: =setup|subscription, items: [{price!, quantity: integer}]"`: names
//! are words unless a kind follows; `!` means required.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::stripe::form::Sent;
use crate::stripe::refusal::Refusal;

/// What may stand in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Any word; an empty one unsets.
    Text,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Flag,
    /// Names of the caller's choice.
    Map,
    /// A moment, or bounds for one.
    Range,
    /// A moment, or `now`.
    Moment,
    /// One of these words.
    Choice(Vec<String>),
    /// Further parameters.
    Fields(Fields),
    /// Any number of these.
    List(Box<Self>),
}

/// Parameters by name.
pub type Fields = BTreeMap<String, Field>;

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// What may stand there.
    pub kind: Kind,
    /// Whether it must.
    pub required: bool,
}

/// Reads the notation; what can't be read is left out, which the contract test notices.
pub(super) fn notation(text: &str) -> Fields {
    fields(&mut Letters(text))
}

struct Letters<'a>(&'a str);

impl<'a> Letters<'a> {
    fn eat(&mut self, sign: char) -> bool {
        let rest = self.0.trim_start().strip_prefix(sign);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn word(&mut self) -> &'a str {
        let text = self.0.trim_start();
        let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.0 = rest;
        word
    }
}

fn fields(letters: &mut Letters<'_>) -> Fields {
    let mut fields = Fields::new();
    loop {
        let name = letters.word();
        if name.is_empty() {
            return fields;
        }
        let required = letters.eat('!');
        let kind = if letters.eat(':') { kind(letters) } else { Kind::Text };
        fields.insert(name.to_owned(), Field { kind, required });
        if !letters.eat(',') {
            return fields;
        }
    }
}

fn kind(letters: &mut Letters<'_>) -> Kind {
    if letters.eat('{') {
        let inner = fields(letters);
        letters.eat('}');
        return Kind::Fields(inner);
    }
    if letters.eat('[') {
        let inner = kind(letters);
        letters.eat(']');
        return Kind::List(Box::new(inner));
    }
    if letters.eat('=') {
        let mut words = vec![letters.word().to_owned()];
        while letters.eat('|') {
            words.push(letters.word().to_owned());
        }
        return Kind::Choice(words);
    }
    match letters.word() {
        "integer" => Kind::Integer,
        "flag" => Kind::Flag,
        "map" => Kind::Map,
        "range" => Kind::Range,
        "moment" => Kind::Moment,
        _ => Kind::Text,
    }
}

/// What was sent, as JSON of the right kinds.
///
/// # Errors
/// In the API's words: unknown, missing, or of the wrong kind.
pub(super) fn check(fields: &Fields, sent: &[(String, Sent)]) -> Result<Value, Refusal> {
    under(fields, sent, "")
}

fn under(fields: &Fields, sent: &[(String, Sent)], path: &str) -> Result<Value, Refusal> {
    let mut object = Map::new();
    for (name, sent) in sent {
        let path = join(path, name);
        let Some(field) = fields.get(name) else {
            let message = format!("Received unknown parameter: {path}");
            return Err(Refusal::invalid(message).code("parameter_unknown").at(path));
        };
        object.insert(name.clone(), value(&field.kind, sent, &path)?);
    }
    for (name, field) in fields {
        if field.required && object.get(name).is_none_or(Value::is_null) {
            let path = join(path, name);
            let message = format!("Missing required param: {path}.");
            return Err(Refusal::invalid(message).code("parameter_missing").at(path));
        }
    }
    Ok(Value::Object(object))
}

fn value(kind: &Kind, sent: &Sent, path: &str) -> Result<Value, Refusal> {
    let wrong = |what: &str| Err(Refusal::invalid(format!("Invalid {what}: {path}")).at(path));
    match (kind, sent) {
        (Kind::Text | Kind::Map | Kind::Fields(_) | Kind::List(_), Sent::Word(word)) if word.is_empty() => {
            Ok(Value::Null)
        }
        (Kind::Text, Sent::Word(word)) => Ok(word.clone().into()),
        (Kind::Moment, Sent::Word(word)) if word == "now" => Ok("now".into()),
        (Kind::Integer | Kind::Moment | Kind::Range, Sent::Word(word)) => match word.parse::<i64>() {
            Ok(number) => Ok(number.into()),
            Err(_) => {
                let refusal = Refusal::invalid(format!("Invalid integer: {word}"));
                Err(refusal.code("parameter_invalid_integer").at(path))
            }
        },
        (Kind::Flag, Sent::Word(word)) => match word.parse::<bool>() {
            Ok(flag) => Ok(flag.into()),
            Err(_) => wrong("boolean"),
        },
        (Kind::Choice(words), Sent::Word(word)) => {
            if words.contains(word) {
                return Ok(word.clone().into());
            }
            let words = words.join(", ");
            Err(Refusal::invalid(format!("Invalid {path}: must be one of {words}")).at(path))
        }
        (Kind::Map, Sent::Under(inner)) => map(inner, path),
        (Kind::Fields(fields), Sent::Under(inner)) => under(fields, inner, path),
        (Kind::List(kind), Sent::Under(inner)) => inner
            .iter()
            .map(|(place, sent)| value(kind, sent, &join(path, place)))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::Array),
        (Kind::Range, Sent::Under(inner)) => under(&notation(BOUNDS), inner, path),
        (Kind::List(_), Sent::Word(_)) => wrong("array"),
        (Kind::Map | Kind::Fields(_), Sent::Word(_)) => wrong("object"),
        (_, Sent::Under(_)) => wrong("value"),
    }
}

const BOUNDS: &str = "gt: integer, gte: integer, lt: integer, lte: integer";

/// Longest name and word of metadata, and how many.
const METADATA: (usize, usize, usize) = (40, 500, 50);

fn map(inner: &[(String, Sent)], path: &str) -> Result<Value, Refusal> {
    let mut map = Map::new();
    for (name, sent) in inner {
        let path = join(path, name);
        let Sent::Word(word) = sent else {
            return Err(Refusal::invalid(format!("Invalid value: {path} takes a word")).at(path));
        };
        if name.chars().count() > METADATA.0 || word.chars().count() > METADATA.1 {
            return Err(Refusal::invalid(format!("{path} is too long")).at(path));
        }
        map.insert(name.clone(), word.clone().into());
    }
    if map.len() > METADATA.2 {
        return Err(Refusal::invalid(format!("{path} takes up to {} names", METADATA.2)).at(path));
    }
    Ok(Value::Object(map))
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}[{name}]") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::json;

    use super::*;
    use crate::stripe::form;

    fn ask(form: &str) -> Result<Value, Value> {
        let fields = notation(
            "email, mode!: =setup|subscription, items: [{price!, quantity: integer}], metadata: map, \
             created: range, end: moment, deep: {flag: flag}",
        );
        let sent = form::read(form.as_bytes()).unwrap();
        check(&fields, &sent).map_err(|refusal| refusal.body("req_1")["error"].clone())
    }

    #[test]
    fn words_become_what_the_operation_takes() {
        let form = "email=&mode=setup&items[0][price]=p&items[0][quantity]=2&metadata[a]=&created[gte]=5&end=now&\
                    deep[flag]=true";
        let wanted = json!({
            "email": null, "mode": "setup", "items": [{"price": "p", "quantity": 2}], "metadata": {"a": ""},
            "created": {"gte": 5}, "end": "now", "deep": {"flag": true},
        });
        assert_eq!(ask(form).unwrap(), wanted);
    }

    #[test]
    fn each_fault_is_named_with_its_parameter() {
        for (form, code, param) in [
            ("mode=setup&colour=red", Some("parameter_unknown"), "colour"),
            ("mode=setup&items[0][colour]=red", Some("parameter_unknown"), "items[0][colour]"),
            ("email=a", Some("parameter_missing"), "mode"),
            ("mode=setup&items[0][quantity]=1", Some("parameter_missing"), "items[0][price]"),
            (
                "mode=setup&items[0][price]=p&items[0][quantity]=x",
                Some("parameter_invalid_integer"),
                "items[0][quantity]",
            ),
            ("mode=dance", None, "mode"),
            ("mode=setup&deep[flag]=maybe", None, "deep[flag]"),
            ("mode=setup&items=x", None, "items"),
            ("mode=setup&email[a]=x", None, "email"),
        ] {
            let error = ask(form).unwrap_err();
            assert_eq!((error["code"].as_str(), error["param"].as_str()), (code, Some(param)), "{form}");
        }
        let long = format!("mode=setup&metadata[{}]=1", "x".repeat(41));
        assert_eq!(ask(&long).unwrap_err()["type"], "invalid_request_error");
    }
}
