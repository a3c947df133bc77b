//! JSON in which every member name occurs once.
//!
//! Readers disagree about which of two equal members counts, and a token that means two things is
//! an attack. Strings with NUL are refused as well: they end early in some languages downstream.

use serde::Deserialize;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Parses one JSON object that has no duplicate members at any depth and no NUL in any string.
pub(crate) fn parse_object(bytes: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice::<Strict>(bytes) {
        Ok(Strict(Value::Object(members))) => Some(members),
        _ => None,
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JSON without duplicate members")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        if value.contains('\0') {
            return Err(E::custom("NUL in a string"));
        }
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let Strict(value) = members.next_value()?;
            if name.contains('\0') || object.insert(name, value).is_some() {
                return Err(A::Error::custom("a member name is doubled or has a NUL"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_plain_object_is_read() {
        let object = parse_object(br#"{"a":[1,-2,2.5,null,true,"x"],"b":{"c":{}}}"#).unwrap();
        assert_eq!(object["a"][1], -2);
        assert_eq!(object["b"]["c"], serde_json::json!({}));
    }

    #[test]
    fn anything_ambiguous_is_refused() {
        for (text, why) in [
            (r#"{"a":1,"a":2}"#, "doubled member"),
            (r#"{"a":1,"\u0061":2}"#, "doubled member, one escaped"),
            (r#"{"x":{"a":1,"a":1}}"#, "doubled member inside"),
            (r#"{"a":"b\u0000"}"#, "NUL in a value"),
            (r#"{"a\u0000":1}"#, "NUL in a name"),
            (r#"["a"]"#, "not an object"),
            (r#"{"a":1} {"b":2}"#, "two documents"),
            (r#"{"a":1}x"#, "trailing garbage"),
            (r#"{"a":1e999}"#, "no finite number"),
            ("", "nothing"),
        ] {
            assert!(parse_object(text.as_bytes()).is_none(), "{why}");
        }
        assert!(parse_object(b"{\"a\":\"\xff\"}").is_none(), "not UTF-8");
    }
}
