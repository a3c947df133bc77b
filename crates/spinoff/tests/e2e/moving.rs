//! A workspace moves to another home on the same machine, through the death of the server, and back.

use std::fs;
use std::path::PathBuf;

use crate::support::server::Server;

const ADA: &str = "ada@example.com";

/// Where the workspace's data is in the other home.
fn there(server: &Server) -> PathBuf {
    server.data().join("big-disk/ai-diy-engines--big-disk/data/vision.md")
}

fn here(server: &Server) -> PathBuf {
    server.project("engines").join("data/vision.md")
}

#[tokio::test]
async fn a_workspace_moves_to_another_home_although_the_server_dies_and_back() {
    let mut server = Server::with().second_home("big-disk").crash_at("move.v1/put the rest in/after").start().await;
    server.provision(ADA, "engines");
    server.until_healthy("engines").await;
    fs::write(here(&server), "A shop").unwrap();
    server.cli(&["instances", "move", "engines", "--to", "big-disk"]).failed(4, &["--yes"]);
    server.cli(&["instances", "move", "engines", "--to", "mars", "--yes"]).failed(4, &["big-disk"]);
    server.cli(&["instances", "move", "engines", "--to", "big-disk", "--yes", "--no-wait"]).ok();
    server.crashed().await;
    server.restart().await;
    assert_eq!(server.workflow_over("move.v1").await["state"], "done");
    let instance = server.instance("engines");
    assert_eq!(
        (&instance["home"]["name"], &instance["last_move"]["state"]),
        (&"big-disk".into(), &"kept".into()),
        "{instance}"
    );
    assert_eq!(fs::read_to_string(there(&server)).unwrap(), "A shop");
    server.until_healthy("engines").await;
    server.mail_to(ADA, "has moved").await;
    assert!(here(&server).exists(), "what it left is kept");

    fs::write(there(&server), "A bigger shop").unwrap();
    server.cli(&["instances", "move-back", "engines"]).ok();
    assert_eq!(fs::read_to_string(here(&server)).unwrap(), "A bigger shop");
    assert!(!there(&server).exists());
    server.until_healthy("engines").await;

    server.cli(&["instances", "move", "engines", "--to", "big-disk", "--yes"]).ok();
    server.cli(&["instances", "confirm-move", "engines", "--yes"]).ok();
    assert!(!server.project("engines").exists() && there(&server).exists());
    server.until_healthy("engines").await;
    // It lives there when the server starts again, too, and without that home the server does not start.
    server.kill9();
    let file = server.data().join("spinoff.toml");
    let settings = fs::read_to_string(&file).unwrap();
    fs::write(&file, settings.split("[compute.homes").next().unwrap()).unwrap();
    server
        .cli(&["up", "--listen", "127.0.0.1:0"])
        .failed(1, &["lives in the home big-disk", "put [compute.homes.big-disk] back"]);
    fs::write(&file, settings).unwrap();
    server.restart().await;
    server.until_healthy("engines").await;
    server.cli(&["delete", "engines", "--confirm", "engines"]).ok();
    assert!(!server.data().join("big-disk/ai-diy-engines--big-disk").exists());
}
