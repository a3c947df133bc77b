//! Files by which the product is run fit together, and are what the programs that read them expect. That they name
//! only what the code knows is checked by `cargo xtask tidy`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod containers;
mod kubernetes;
mod prometheus;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_norway::Value;

/// The folder of this repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The documents of a file of YAML.
fn documents(path: &str) -> Vec<Value> {
    let text = read(path);
    let documents = text.split("\n---\n").filter(|document| document.lines().any(|line| !line.starts_with('#')));
    documents
        .map(|document| serde_norway::from_str(document).unwrap_or_else(|error| panic!("{path}: {error}")))
        .collect()
}

/// What stands there, wherever the way leads through.
fn at<'a>(value: &'a Value, way: &str) -> &'a Value {
    way.split('.').fold(value, |value, step| match step.parse::<usize>() {
        Ok(place) => &value[place],
        Err(_) => &value[step],
    })
}

fn text<'a>(value: &'a Value, way: &str) -> &'a str {
    at(value, way).as_str().unwrap_or_else(|| panic!("no text at {way} in {value:?}"))
}

fn list<'a>(value: &'a Value, way: &str) -> &'a [Value] {
    at(value, way).as_sequence().unwrap_or_else(|| panic!("no list at {way} in {value:?}"))
}

/// The secrets that the settings read from `/run/secrets`.
fn secrets_read() -> BTreeSet<String> {
    let settings = read("deploy/spinoff.toml");
    let lines = settings.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split("/run/secrets/").nth(1)?.split('"').next().map(str::to_owned)).collect()
}
