//! The simulator against `stripe_core.json`, where that is present: it knows no operation, parameter
//! or field that Stripe doesn't.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use simulators::stripe::{Field, Fields, Kind, Operation, Stripe};

use crate::story;

/// Operations that the file leaves out, since it is cut to what its author thought of, and the schema
/// that their answers have. PROVIDERS and the product need them.
const LEFT_OUT: [(&str, &str, &str, bool); 11] = [
    ("GET", "/v1/account", "Account", false),
    ("GET", "/v1/customers/{id}/payment_methods", "PaymentMethod", true),
    ("GET", "/v1/payment_methods", "PaymentMethod", true),
    ("GET", "/v1/payment_methods/{id}", "PaymentMethod", false),
    ("GET", "/v1/payment_intents/{id}", "PaymentIntent", false),
    ("GET", "/v1/charges", "Charge", true),
    ("GET", "/v1/charges/{id}", "Charge", false),
    ("GET", "/v1/disputes", "Dispute", true),
    ("GET", "/v1/disputes/{id}", "Dispute", false),
    ("GET", "/v1/balance_transactions", BOOKED, true),
    ("GET", "/v1/balance_transactions/{id}", BOOKED, false),
];

/// What the file says nothing of at all: its names are those of Stripe's own sample.
const BOOKED: &str = "BalanceTransaction";

/// The file has an id wherever the real API has an id or, by `expand`, the whole thing, and these are
/// the schemas of the things that the story expands.
const WHOLE: [(&str, &str); 4] =
    [("customer", "Customer"), ("invoice", "Invoice"), ("product", "Product"), ("subscription", "Subscription")];

/// The file took the product of another branch of Stripe's API for the one that is sold here.
const MIXED_UP: (&str, &str) = ("Partial_of_Product", "Product");

#[test]
fn every_operation_and_parameter_is_in_the_specification() {
    let Some(spec) = Spec::load() else { return };
    let mut wrong = Vec::new();
    for operation in Stripe::operations() {
        if LEFT_OUT.iter().any(|(method, path, ..)| (*method, *path) == (operation.method, operation.path)) {
            continue;
        }
        let Some(found) = spec.operation(operation) else {
            wrong.push(format!("{} {}: not there", operation.method, operation.path));
            continue;
        };
        let place = format!("{} {}", operation.method, operation.path);
        spec.takes(&operation.parameters, &spec.request(found), &place, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_field_of_every_answer_is_in_the_specification() {
    let Some(spec) = Spec::load() else { return };
    let scene = story::told().await;
    let replies = scene.replies.lock().unwrap().clone();
    let (mut wrong, mut answered) = (BTreeSet::new(), BTreeSet::new());
    for (method, path, answer) in &replies {
        let operation = Stripe::operation_of(method, path).unwrap();
        answered.insert((operation.method, operation.path));
        if let Err(why) = spec.fits(&spec.response(operation), answer, "") {
            wrong.insert(format!("{method} {}: {why}", operation.path));
        }
    }
    for event in scene.stripe.events() {
        if let Err(why) = spec.event(&event) {
            wrong.insert(format!("event {}: {why}", event["type"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
    let all: BTreeSet<_> = Stripe::operations().iter().map(|operation| (operation.method, operation.path)).collect();
    assert_eq!(all.difference(&answered).collect::<Vec<_>>(), Vec::<&(&str, &str)>::new(), "never asked for");
}

#[test]
fn the_check_of_answers_finds_what_is_wrong() {
    let Some(spec) = Spec::load() else { return };
    let customer = json!({ "$ref": "#/components/schemas/Customer" });
    for (answer, fits) in [
        (json!({ "object": "customer", "email": null, "balance": 0 }), true),
        (json!({ "object": "customer", "colour": "red" }), false),
        (json!({ "object": "customer", "balance": "0" }), false),
        (json!({ "object": "customer", "balance": null }), false),
        (json!({ "object": "customer", "address": { "planet": "x" } }), false),
    ] {
        assert_eq!(spec.fits(&customer, &answer, "").is_ok(), fits, "{answer}");
    }
}

struct Spec(Value);

impl Spec {
    /// The file belongs to others and is not part of this repository.
    fn load() -> Option<Self> {
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs");
        let folder = std::env::var_os("SPINOFF_SPECS").map_or(beside, PathBuf::from);
        let read = |name: &str| {
            let path = folder.join(name);
            match std::fs::read(&path) {
                Ok(json) => Some(serde_json::from_slice::<Value>(&json).unwrap()),
                Err(error) => {
                    println!("skipped: {} can't be read ({error})", path.display());
                    None
                }
            }
        };
        let (mut spec, samples) = (read("stripe_core.json")?, read("stripe_fixtures.json")?);
        let sample = samples["resources"]["balance_transaction"].as_object().unwrap();
        let names: serde_json::Map<_, _> =
            sample.keys().map(|name| (name.clone(), json!({ "nullable": true }))).collect();
        spec["components"]["schemas"][BOOKED] = json!({ "type": "object", "properties": names });
        Some(Self(spec))
    }

    fn operation(&self, operation: &Operation) -> Option<&Value> {
        let method = operation.method.to_ascii_lowercase();
        let found = &self.0["paths"][operation.path][method];
        (!found.is_null()).then_some(found)
    }

    /// All that an operation takes, as one schema: from the query or from the form.
    fn request(&self, operation: &Value) -> Value {
        let mut names = json!({});
        let mut required = Vec::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "query" {
                names[parameter["name"].as_str().unwrap()] = parameter["schema"].clone();
                required.extend((parameter["required"] == true).then(|| parameter["name"].clone()));
            }
        }
        let form = &operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"];
        let form = self.target(form);
        for (name, schema) in form["properties"].as_object().into_iter().flatten() {
            names[name] = schema.clone();
        }
        required.extend(form["required"].as_array().into_iter().flatten().cloned());
        json!({ "type": "object", "properties": names, "required": required })
    }

    fn response(&self, operation: &Operation) -> Value {
        let left_out =
            LEFT_OUT.iter().find(|(method, path, ..)| (*method, *path) == (operation.method, operation.path));
        let Some((_, _, schema, list)) = left_out else {
            let found = self.operation(operation).unwrap();
            return found["responses"]["200"]["content"]["application/json"]["schema"].clone();
        };
        let one = json!({ "$ref": format!("#/components/schemas/{schema}") });
        if !list {
            return one;
        }
        let list = json!({ "type": "object", "properties": {
            "object": { "type": "string" }, "url": { "type": "string" }, "has_more": { "type": "boolean" },
            "data": { "type": "array", "items": one },
        }});
        list
    }

    fn target<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(name) => {
                let name = name.rsplit('/').next().unwrap();
                self.schema(if name == MIXED_UP.0 { MIXED_UP.1 } else { name })
            }
            None => schema,
        }
    }

    fn schema(&self, name: &str) -> &Value {
        &self.0["components"]["schemas"][name]
    }

    /// The forms that a schema allows.
    fn forms<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let schema = self.target(schema);
        let several = ["anyOf", "oneOf"].iter().find_map(|name| schema[*name].as_array());
        several.map_or_else(|| vec![schema], |several| several.iter().flat_map(|one| self.forms(one)).collect())
    }

    /// Whether Stripe takes all of these parameters, and needs no others.
    fn takes(&self, fields: &Fields, schema: &Value, place: &str, wrong: &mut Vec<String>) {
        for (name, field) in fields {
            let place = format!("{place} {name}");
            match schema["properties"].get(name) {
                Some(schema) => self.takes_one(field, schema, &place, wrong),
                None => wrong.push(format!("{place}: unknown parameter")),
            }
        }
        for needed in schema["required"].as_array().into_iter().flatten() {
            if !fields.get(needed.as_str().unwrap()).is_some_and(|field| field.required) {
                wrong.push(format!("{place}: must require {needed}"));
            }
        }
    }

    fn takes_one(&self, field: &Field, schema: &Value, place: &str, wrong: &mut Vec<String>) {
        let forms = self.forms(schema);
        let of = |kind: &str| forms.iter().copied().find(|form| form["type"] == kind && form["enum"] != json!([""]));
        let fine = match &field.kind {
            Kind::Text => of("string").is_some(),
            Kind::Integer => of("integer").or(of("number")).is_some(),
            Kind::Flag => of("boolean").is_some(),
            Kind::Map => of("object").is_some_and(|form| form["additionalProperties"].is_object()),
            Kind::Range => of("integer").is_some() && of("object").is_some(),
            Kind::Moment => of("integer").is_some() && of("string").is_some_and(|form| form["enum"] == json!(["now"])),
            Kind::Choice(words) => of("string").is_some_and(|form| {
                let known = form["enum"].as_array();
                known.is_some_and(|known| words.iter().all(|word| known.contains(&json!(word))))
            }),
            Kind::Fields(fields) => of("object").is_some_and(|form| {
                self.takes(fields, form, place, wrong);
                true
            }),
            Kind::List(kind) => of("array").is_some_and(|form| {
                let inner = Field { kind: (**kind).clone(), required: false };
                self.takes_one(&inner, &form["items"], place, wrong);
                true
            }),
        };
        if !fine {
            wrong.push(format!("{place}: {:?} is not what Stripe takes there", field.kind));
        }
    }

    /// An event against the schema of its own kind.
    fn event(&self, event: &Value) -> Result<(), String> {
        let schemas = self.0["components"]["schemas"].as_object().unwrap();
        let kind = json!([event["type"]]);
        let schema = schemas.values().find(|schema| schema["properties"]["type"]["enum"] == kind);
        self.fits(schema.ok_or("unknown kind")?, event, "")
    }

    /// Whether a value has only what a schema allows, and of the right kinds.
    fn fits(&self, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
        let resolved = self.target(schema);
        if value.is_null() {
            let nullable = schema["nullable"] == true || resolved["nullable"] == true;
            return if nullable { Ok(()) } else { Err(format!("{place} is null")) };
        }
        let several = ["anyOf", "oneOf"].iter().find_map(|name| resolved[*name].as_array());
        if let Some(several) = several {
            let tries = several.iter().map(|one| self.fits(one, value, place));
            // The reason of the form that went furthest says most.
            let reasons: Result<Vec<String>, ()> = tries.map(|tried| tried.err().ok_or(())).collect();
            return reasons
                .map_or(Ok(()), |reasons| Err(reasons.into_iter().max_by_key(String::len).unwrap_or_default()));
        }
        let right = match resolved["type"].as_str() {
            Some("object") => return self.fits_object(resolved, value, place),
            Some("array") => {
                let list = value.as_array().ok_or(format!("{place} is no list"))?;
                return list.iter().try_for_each(|inner| self.fits(&resolved["items"], inner, place));
            }
            Some("string") if value.is_object() => {
                let whole = WHOLE.iter().find(|(object, _)| value["object"] == *object);
                let (_, schema) = whole.ok_or(format!("{place} is an object: {value}"))?;
                return self.fits(self.schema(schema), value, place);
            }
            Some("string") => value.is_string(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            _ => true,
        };
        let words = resolved["enum"].as_array().filter(|_| resolved["x-open-enum"] != true);
        if !right || words.is_some_and(|words| !words.contains(value)) {
            return Err(format!("{place} can't be {value}"));
        }
        Ok(())
    }

    fn fits_object(&self, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
        let object = value.as_object().ok_or(format!("{place} is no object: {value}"))?;
        for (name, inner) in object {
            let place = format!("{place}.{name}");
            match (schema["properties"].get(name), schema.get("additionalProperties")) {
                (Some(schema), _) => self.fits(schema, inner, &place)?,
                (None, Some(schema)) if schema.is_object() => self.fits(schema, inner, &place)?,
                (None, _) => return Err(format!("{place} is not in the specification")),
            }
        }
        Ok(())
    }
}
