//! The simulator's part of the schema against Railway's whole one, and the operations that Spinoff is
//! likely to need against the part. Both are looked for in `../shared/specs` beside this repository, or
//! in the folder that `SPINOFF_SPECS` names; where they aren't, these tests say so and pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use apollo_compiler::ast::InputValueDefinition;
use apollo_compiler::executable::Selection;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{ExecutableDocument, Node, Schema};
use simulators::railway::SCHEMA;

/// What the simulator leaves out on purpose.
const LEFT_OUT: [&str; 3] = ["deployment subscription", "usageLimitSet", "notificationRuleCreate"];

#[test]
fn every_type_field_argument_and_value_is_railways_own() {
    let Some(official) = specification("railway.graphql") else { return };
    let official = Schema::parse(official, "railway.graphql").unwrap_or_else(|invalid| invalid.partial);
    let ours = Schema::parse_and_validate(SCHEMA, "schema.graphql").unwrap();
    let mut compared = 0;
    for (name, ours) in ours.types.iter().filter(|(_, held)| !held.is_built_in()) {
        let theirs = official.types.get(name).unwrap_or_else(|| panic!("Railway has no type {name}"));
        compared += compare(name, ours, theirs);
    }
    assert!(compared > 300, "{compared}");
}

#[test]
fn every_operation_that_is_needed_is_valid_by_the_part() {
    let Some(text) = specification("railway_ops.graphql") else { return };
    let schema = Schema::parse_and_validate(SCHEMA, "schema.graphql").unwrap();
    let fragments: String = definitions(&text).filter(|text| text.starts_with("fragment")).collect();
    let (mut valid, mut refused) = (0, Vec::new());
    for definition in definitions(&text).filter(|text| !text.starts_with("fragment")) {
        let uses = if definition.contains("...DomainState") { fragments.as_str() } else { "" };
        match ExecutableDocument::parse_and_validate(&schema, format!("{definition}{uses}"), "operation.graphql") {
            Ok(document) => {
                let operation = document.operations.iter().next().unwrap();
                assert!(matches!(operation.selection_set.selections.first(), Some(Selection::Field(_))));
                valid += 1;
            }
            Err(_) => refused.push(definition),
        }
    }
    assert_eq!(refused.len(), LEFT_OUT.len(), "{refused:#?}");
    assert!(
        refused
            .iter()
            .all(|text| { text.starts_with("subscription") || LEFT_OUT[1..].iter().any(|name| text.contains(name)) })
    );
    assert!(valid >= 30, "{valid}");
}

fn compare(name: &str, ours: &ExtendedType, theirs: &ExtendedType) -> usize {
    match (ours, theirs) {
        (ExtendedType::Scalar(_), ExtendedType::Scalar(_)) => 1,
        (ExtendedType::Enum(ours), ExtendedType::Enum(theirs)) => {
            for value in ours.values.keys() {
                assert!(theirs.values.contains_key(value), "{name}.{value}");
            }
            ours.values.len()
        }
        (ExtendedType::InputObject(ours), ExtendedType::InputObject(theirs)) => {
            let ours: Vec<_> = ours.fields.values().map(|field| &field.node).collect();
            let theirs: Vec<_> = theirs.fields.values().map(|field| &field.node).collect();
            same_inputs(name, &ours, &theirs)
        }
        (ExtendedType::Object(ours), ExtendedType::Object(theirs)) => {
            let mut compared = 0;
            for (field, ours) in &ours.fields {
                let path = format!("{name}.{field}");
                let theirs = theirs.fields.get(field).unwrap_or_else(|| panic!("Railway has no {path}"));
                assert_eq!(ours.ty, theirs.ty, "{path}");
                let arguments: (Vec<_>, Vec<_>) = (ours.arguments.iter().collect(), theirs.arguments.iter().collect());
                compared += 1 + same_inputs(&path, &arguments.0, &arguments.1);
            }
            compared
        }
        _ => panic!("{name} is another kind of type at Railway"),
    }
}

/// Ours are among theirs, with type and default; and none that they require is missing.
fn same_inputs(path: &str, ours: &[&Node<InputValueDefinition>], theirs: &[&Node<InputValueDefinition>]) -> usize {
    for held in ours {
        let other = theirs.iter().find(|other| other.name == held.name);
        let other = other.unwrap_or_else(|| panic!("Railway has no {path}({})", held.name));
        assert_eq!(held.ty, other.ty, "{path}({})", held.name);
        assert_eq!(held.default_value, other.default_value, "{path}({})", held.name);
    }
    for other in theirs.iter().filter(|other| other.is_required()) {
        assert!(ours.iter().any(|held| held.name == other.name), "{path}({}) is required", other.name);
    }
    ours.len()
}

/// The parts of a document, each from its keyword to the next one that begins a line.
fn definitions(text: &str) -> impl Iterator<Item = String> {
    let mut parts: Vec<String> = Vec::new();
    for line in text.lines() {
        let begins = ["query", "mutation", "subscription", "fragment"].iter().any(|word| line.starts_with(word));
        match parts.last_mut() {
            Some(part) if !begins => part.push_str(&format!("{line}\n")),
            _ => parts.push(format!("{line}\n")),
        }
    }
    parts.into_iter()
}

fn specification(file: &str) -> Option<String> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs");
    let path = std::env::var_os("SPINOFF_SPECS").map_or(beside, PathBuf::from).join(file);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) => {
            println!("Railway's schema was NOT compared: {}: {error}", path.display());
            None
        }
    }
}
