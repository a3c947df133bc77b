//! The operations against Railway's public schema, which is looked for in `../shared/specs` beside this
//! repository or in the folder that `SPINOFF_SPECS` names; and against the simulator's part of it.

use std::path::{Path, PathBuf};

use apollo_compiler::{ExecutableDocument, Schema};
use providers::compute::railway::documents;

#[test]
fn every_operation_is_valid_by_railways_public_schema() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs");
    let path = std::env::var_os("SPINOFF_SPECS").map_or(beside, PathBuf::from).join("railway.graphql");
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let schema = Schema::parse(text, "railway.graphql").unwrap_or_else(|invalid| invalid.partial);
            judge(&schema);
        }
        Err(error) => println!("The operations were NOT compared with Railway's schema: {}: {error}", path.display()),
    }
}

#[test]
fn every_operation_is_valid_by_the_simulators_part_of_it() {
    judge(&Schema::parse(simulators::railway::SCHEMA, "schema.graphql").unwrap());
}

fn judge(schema: &Schema) {
    let schema = apollo_compiler::validation::Valid::assume_valid_ref(schema);
    let mut judged = 0;
    for (name, text) in documents() {
        let document = ExecutableDocument::parse_and_validate(schema, text, "operation.graphql");
        let document = document.unwrap_or_else(|invalid| panic!("{name}: {}", invalid.errors));
        assert!(document.operations.get(Some(name)).is_ok(), "{name}");
        judged += 1;
    }
    assert!(judged >= 25, "{judged}");
    // How a main instance of one's own is made there, by hand.
    let text = include_str!("../../../../deploy/railway.graphql");
    let document = ExecutableDocument::parse_and_validate(schema, text, "railway.graphql");
    let document = document.unwrap_or_else(|invalid| panic!("deploy/railway.graphql: {}", invalid.errors));
    assert!(document.operations.get(Some("Start")).is_ok());
}
