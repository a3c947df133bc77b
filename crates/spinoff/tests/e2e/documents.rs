//! What documents say to type, typed.

use std::path::Path;

use crate::support::server::Server;

/// The lines of a document, or of one part of it, that begin with `spinoff`, as words without the first one.
fn commands(document: &str, part: Option<&str>) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(document);
    let text = std::fs::read_to_string(path).unwrap();
    let text = part.map_or(text.as_str(), |part| text.split("\n## ").find(|text| text.starts_with(part)).unwrap());
    let lines = text.lines().map(|line| line.split(" #").next().unwrap().trim());
    let found: Vec<Vec<String>> = lines.filter_map(|line| line.strip_prefix("spinoff ")).map(words).collect();
    assert!(!found.is_empty(), "{document} has no commands");
    found
}

/// Apart by spaces, but not within quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, piece) in line.split('\'').enumerate() {
        if place % 2 == 1 {
            words.push(piece.to_owned());
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn type_all(server: &Server, commands: &[Vec<String>]) {
    for command in commands {
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        server.cli(&command).ok();
    }
}

#[tokio::test]
async fn the_operators_part_of_the_quick_start_can_be_followed() {
    let server = Server::start().await;
    server.provision("you@example.com", "acme");
    type_all(&server, &commands("quick-start.md", Some("Be the operator")));
}

#[tokio::test]
async fn the_runbook_for_an_instance_that_is_down_can_be_followed() {
    let server = Server::start().await;
    server.provision("you@example.com", "acme");
    type_all(&server, &commands("runbooks/instance-down.md", None));
}
