//! Runs a valid operation: root fields are done or read by the state, which gives whole values;
//! the selection then takes from them what was asked for. Lists inside a project are only made when
//! they are asked for, since a list of a thousand projects is asked for often.

use std::cell::RefCell;
use std::collections::BTreeMap;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::executable::Operation;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::{GraphQLError, JsonMap, ResponseDataPathSegment};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use serde_json::{Value, json};

use super::documents::SCHEMA;
use super::refusal::{INTERNAL, Refusal, error_body};
use super::state::State;
use super::tokens::Caller;

/// The body of the answer, or of the refusal when the variables don't fit.
pub(super) fn execute(
    document: &Valid<ExecutableDocument>,
    operation: &Operation,
    variables: &Value,
    state: &mut State,
    caller: &Caller,
) -> Result<Value, Value> {
    let refuse = |message: &str| error_body("BAD_USER_INPUT", message);
    let variables: JsonMap = match variables {
        Value::Null => JsonMap::new(),
        given => serde_json::from_value(given.clone()).map_err(|_| refuse("variables must be an object"))?,
    };
    let variables =
        coerce_variable_values(&SCHEMA, operation, &variables).map_err(|error| refuse(&error.message().to_string()))?;
    let work = Work { state: RefCell::new(state), caller, refusals: RefCell::default() };
    let root = Node { work: &work, type_name: operation.object_type().as_str(), value: Value::Null };
    let response = Execution::new(&SCHEMA, document)
        .operation(operation)
        .coerced_variable_values(&variables)
        .enable_schema_introspection(true)
        .execute_sync(&root)
        .map_err(|error| refuse(&error.message().to_string()))?;
    let data = serde_json::to_value(&response.data).unwrap_or(Value::Null);
    if response.errors.is_empty() {
        return Ok(json!({ "data": data }));
    }
    let refusals = work.refusals.take();
    let errors: Vec<_> = response.errors.iter().map(|error| told(error, &refusals)).collect();
    Ok(json!({ "errors": errors, "data": data }))
}

fn told(error: &GraphQLError, refusals: &BTreeMap<String, Refusal>) -> Value {
    let refusal = match error.path.as_slice() {
        [ResponseDataPathSegment::Field(key)] => refusals.get(key.as_str()),
        _ => None,
    };
    let (code, message) = refusal.map_or((INTERNAL, &error.message), |refusal| (refusal.code, &refusal.message));
    let locations: Vec<_> = error.locations.iter().map(|at| json!({ "line": at.line, "column": at.column })).collect();
    json!({ "message": message, "locations": locations, "path": error.path, "extensions": { "code": code } })
}

struct Work<'w> {
    state: RefCell<&'w mut State>,
    caller: &'w Caller,
    refusals: RefCell<BTreeMap<String, Refusal>>,
}

struct Node<'n, 'w> {
    work: &'n Work<'w>,
    type_name: &'n str,
    value: Value,
}

impl ObjectValue for Node<'_, '_> {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let type_name = info.field_definition().ty.inner_named_type().as_str();
        let found = match &self.value {
            Value::Null => self.at_root(info)?,
            value => match value.get(info.field_name()) {
                Some(field) => field.clone(),
                None => self.work.state.borrow().nested(self.type_name, value, info.field_name(), &arguments(info)),
            },
        };
        Ok(resolved(self.work, type_name, found))
    }
}

impl Node<'_, '_> {
    fn at_root(&self, info: &ResolveInfo<'_>) -> Result<Value, FieldError> {
        let mut state = self.work.state.borrow_mut();
        state.perform(self.work.caller, info.field_name(), arguments(info)).map_err(|refusal| {
            let message = refusal.message.clone();
            if let Some(selection) = info.field_selections().first() {
                self.work.refusals.borrow_mut().insert(selection.response_key().to_string(), refusal);
            }
            FieldError { message }
        })
    }
}

fn arguments(info: &ResolveInfo<'_>) -> Value {
    serde_json::to_value(info.arguments()).unwrap_or(Value::Null)
}

fn resolved<'a>(work: &'a Work<'_>, type_name: &'a str, value: Value) -> ResolvedValue<'a> {
    let is_object = matches!(SCHEMA.types.get(type_name), Some(ExtendedType::Object(_)));
    match value {
        Value::Null => ResolvedValue::null(),
        Value::Array(items) if is_object || !is_open(type_name) => {
            ResolvedValue::list(items.into_iter().map(|item| resolved(work, type_name, item)))
        }
        value if is_object => ResolvedValue::object(Node { work, type_name, value }),
        value => ResolvedValue::leaf(value),
    }
}

/// Scalars that may hold any JSON, a list included.
fn is_open(type_name: &str) -> bool {
    matches!(type_name, "JSON" | "EnvironmentVariables" | "DeploymentMeta")
}
