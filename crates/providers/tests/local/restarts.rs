use providers::compute::{Compute, Health};

use crate::harness::{
    Server, deploy, eventually, name, processes_of, processes_with, read, until, until_healthy, visit,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_ends_is_started_again() {
    let server = Server::new();
    let local = server.open().await;
    let crash_once = "test -e /data/crashed || { touch /data/crashed; echo boom; exit 3; }";
    let acme = deploy(&local, "acme", 1, &server.serving(crash_once)).await;
    let down = until(&local, &acme, |seen| seen.health == Health::Down).await;
    assert!(down.detail.unwrap().contains("exit status: 3"));
    let seen = until_healthy(&local, &acme).await;
    assert_eq!(seen.restarts, 1);
    assert!(local.logs(&acme, 20).await.unwrap().contains("boom"));
    local.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_lets_the_application_finish_and_leaves_no_process() {
    let server = Server::new();
    let local = server.open().await;
    let mut release = server.serving("");
    release.command = format!(
        "trap 'echo saved > /data/saved; exit 0' TERM; {} serve & sleep 1000 & wait",
        server.settings.executable.display()
    );
    let acme = deploy(&local, "acme", 1, &release).await;
    until_healthy(&local, &acme).await;
    local.shutdown().await;
    assert_eq!(read(server.data(&acme).join("saved")), "saved\n");
    assert!(processes_of(&server.settings.executable).is_empty());
    assert!(!server.project_folder(&acme).join("running.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_ignores_a_stop_is_killed() {
    let mut server = Server::new();
    server.settings.grace = std::time::Duration::from_millis(300);
    let local = server.open().await;
    let acme = deploy(&local, "acme", 1, &server.serving("trap '' TERM INT HUP; ( setsid sleep 1000 & )")).await;
    until_healthy(&local, &acme).await;
    local.shutdown().await;
    assert!(processes_of(&server.settings.executable).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_server_starts_what_was_deployed_with_the_same_port_and_data() {
    let server = Server::new();
    let release = server.serving("echo start >> /data/starts");
    let first = server.open().await;
    let acme = deploy(&first, "acme", 1, &release).await;
    until_healthy(&first, &acme).await;
    let origin = first.register_hostname(&acme, "acme.localhost").await.unwrap();
    first.shutdown().await;
    let second = server.open().await;
    until_healthy(&second, &acme).await;
    assert_eq!(second.register_hostname(&acme, "acme.localhost").await.unwrap(), origin);
    assert_eq!(read(server.data(&acme).join("starts")), "start\nstart\n");
    assert!(visit(&second, &acme).await.contains("data=/data"));
    second.shutdown().await;
}

/// Kills a server of its own process and looks at what is left, then lets the next one clean up.
async fn after_a_crash(server: &Server, before_serving: &str) {
    let release = server.serving(before_serving);
    let acme = name("acme");
    let mut first = server.in_a_process_of_its_own("acme", 1, &release);
    eventually(|| server.data(&acme).join("started").exists());
    let note = server.project_folder(&acme).join("running.json");
    eventually(|| read(&note).contains("pid"));
    first.kill().unwrap();
    first.wait().unwrap();
    std::fs::remove_file(server.data(&acme).join("started")).unwrap();
    let second = server.open().await;
    until_healthy(&second, &acme).await;
    eventually(|| server.data(&acme).join("started").exists());
    assert_eq!(processes_with(" serve").iter().filter(|pid| serves(**pid, server)).count(), 1);
    second.shutdown().await;
    assert!(processes_of(&server.settings.executable).is_empty());
    assert!(!note.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crashed_server_leaves_nothing_and_the_next_starts_again() {
    after_a_crash(&Server::new(), "( setsid sleep 1000 & ); touch /data/started").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crashed_server_without_a_sandbox_leaves_nothing_for_long() {
    after_a_crash(&Server::new().insecure(), "touch $DATA/started").await;
}

fn serves(pid: u32, server: &Server) -> bool {
    let expected = format!("{} serve ", server.settings.executable.display());
    read(format!("/proc/{pid}/cmdline")).replace('\0', " ") == expected
}
