use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use apollo_compiler::executable::{Operation, Selection};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use serde_json::{Value, json};

/// A client sends the same few texts again and again; whoever sends more makes it start over.
const KEPT: usize = 256;

/// The types, fields and inputs that are known here.
#[expect(clippy::expect_used, reason = "the schema is part of this crate and every test parses it")]
pub(super) static SCHEMA: LazyLock<Valid<Schema>> = LazyLock::new(|| {
    Schema::parse_and_validate(include_str!("schema.graphql"), "schema.graphql").expect("schema.graphql is valid")
});

/// A text that is valid by the schema, or the errors that say why it isn't.
pub(super) type Document = Result<Arc<Valid<ExecutableDocument>>, Value>;

/// The texts that were seen, parsed and judged.
#[derive(Default)]
pub(super) struct Documents(Mutex<HashMap<String, Document>>);

impl Documents {
    pub(super) fn get(&self, query: &str) -> Document {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = known.get(query) {
            return document.clone();
        }
        if known.len() >= KEPT {
            known.clear();
        }
        let document = judge(query);
        known.insert(query.to_owned(), document.clone());
        document
    }
}

fn judge(query: &str) -> Document {
    match ExecutableDocument::parse_and_validate(&SCHEMA, query, "query.graphql") {
        Ok(document) => Ok(Arc::new(document)),
        Err(invalid) => {
            let errors = invalid.errors.iter().map(|diagnostic| {
                let error = diagnostic.to_json();
                let locations: Vec<_> =
                    error.locations.iter().map(|at| json!({ "line": at.line, "column": at.column })).collect();
                json!({
                    "message": error.message,
                    "locations": locations,
                    "extensions": { "code": "GRAPHQL_VALIDATION_FAILED" },
                })
            });
            Err(errors.collect())
        }
    }
}

/// The first field of an operation, which names it.
pub(super) fn root_field(operation: &Operation) -> Option<&str> {
    operation.selection_set.selections.iter().find_map(|selection| match selection {
        Selection::Field(field) => Some(field.name.as_str()),
        Selection::FragmentSpread(_) | Selection::InlineFragment(_) => None,
    })
}
