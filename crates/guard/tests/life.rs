//! A guard over time: how it is, how it starts and ends, and what runs under it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::os::fd::OwnedFd;
use std::process::Stdio;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use support::{App, Forge, Guard, Town, ask, ask_with, bearer, soon, until};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn health_says_how_guard_and_application_are() {
    let town = Town::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let settings = town.settings_with("GUARD_UPSTREAM", format!("http://{address}"));
    let guard = Guard::start(&settings, &[]).await;
    let health = |expected: (u16, &'static str)| {
        let address = guard.address.clone();
        soon(expected.1, async move {
            loop {
                let answer = ask(&address, "/-/health", &[]).await;
                let body: Value = serde_json::from_str(&answer.body).unwrap();
                assert_eq!(body["guard"], "ok");
                if (answer.status, body["application"].as_str().unwrap()) == expected {
                    return;
                }
            }
        })
    };
    health((503, "starting")).await;
    let page = ask(&guard.address, "/", &[&bearer(&town.ada()), "Accept: text/html"]).await;
    assert!(page.status == 503 && page.body.contains("is starting"), "{page:?}");
    assert!(page.head.contains("retry-after: ") && page.body.contains("http-equiv=\"refresh\""), "{page:?}");

    let app = App::on(TcpListener::bind(address).await.unwrap());
    health((200, "ok")).await;
    assert_eq!(ask(&guard.address, "/", &[&bearer(&town.ada())]).await.status, 200);
    drop(app);
    health((503, "down")).await;
    let page = ask(&guard.address, "/", &[&bearer(&town.ada())]).await;
    assert_eq!(page.status, 502);
    // Accepts connections, and never answers: frozen, not dead.
    let _frozen = TcpListener::bind(address).await.unwrap();
    health((200, "busy")).await;
    assert_eq!(ask_with(&guard.address, "POST", "/-/health", &[], "").await.status, 405);
}

#[tokio::test]
async fn an_application_that_fails_is_not_healthy() {
    let town = Town::new().await;
    let guard = Guard::start(&town.settings_with("GUARD_APP_HEALTH", "/broken"), &[]).await;
    assert_eq!(ask(&guard.address, "/-/health", &[]).await.status, 503);
}

#[tokio::test]
async fn a_restart_during_an_outage_keeps_members_in_and_strangers_out() {
    let town = Town::new().await;
    let (ada, eve) = (bearer(&town.ada()), bearer(&town.forge.token("eve@example.com")));
    let guard = town.guard().await;
    assert_eq!(ask(&guard.address, "/", &[&ada]).await.status, 200);
    until("keys and members are on disk", || {
        town.state().join("certs.json").exists() && town.state().join("members.json").exists()
    })
    .await;
    assert!(guard.end().await.success());
    town.main.set_down(true);
    let guard = town.guard().await;
    assert_eq!(ask(&guard.address, "/", &[&ada]).await.status, 200);
    assert_eq!(ask(&guard.address, "/", &[&eve]).await.status, 403);
    let forged = bearer(&Forge::new().token("ada@example.com"));
    assert_eq!(ask(&guard.address, "/", &[&forged]).await.status, 401);
}

#[tokio::test]
async fn a_request_under_way_survives_the_end() {
    let town = Town::new().await;
    let mut guard = town.guard().await;
    let (address, ada) = (guard.address.clone(), bearer(&town.ada()));
    let slow = tokio::spawn(async move { ask(&address, "/gate", &[&ada]).await });
    until("it is under way", || !town.app.seen().is_empty()).await;
    guard.signal(Signal::SIGTERM);
    soon("no new ones", async { while TcpStream::connect(&guard.address).await.is_ok() {} }).await;
    town.app.gate.notify_one();
    let answer = soon("its answer", slow).await.unwrap();
    assert!(answer.status == 200 && answer.body.starts_with("app got"), "{answer:?}");
    assert!(guard.ended().await.success());
}

#[tokio::test]
async fn the_application_it_starts_gets_its_port_and_no_secrets_and_ends_with_it() {
    let town = Town::new().await;
    let told = town.folder.path().join("environment");
    let script = format!(
        "trap 'echo bye > {0}.bye; exit 0' TERM; env > {0}.part; mv {0}.part {0}; while :; do sleep 0.05; done",
        told.display()
    );
    let mut settings = town.settings();
    settings.push(("PATH", "/usr/bin:/bin".into()));
    settings.push(("GUARD_INSTANCE_NAME_OF_LATER_VERSIONS", "secret".into()));
    let guard = Guard::start(&settings, &["--", "/bin/sh", "-c", &script]).await;
    until("the application has started", || told.exists()).await;
    let environment = std::fs::read_to_string(&told).unwrap();
    assert!(environment.contains(&format!("PORT={}", town.app.address.port())), "{environment}");
    assert!(!environment.contains("GUARD_") && !environment.contains(support::TOKEN), "{environment}");
    assert!(guard.end().await.success());
    let bye = std::fs::read_to_string(told.with_extension("bye"));
    assert_eq!(bye.unwrap(), "bye\n", "it was asked to stop");
}

#[tokio::test]
async fn signals_that_are_the_applications_reach_it() {
    let town = Town::new().await;
    let notes = town.folder.path().join("notes");
    let script = format!(
        "trap 'echo hangup >> {notes}' HUP; trap 'echo first >> {notes}' USR1; trap 'echo second >> {notes}' USR2; \
         trap 'echo window >> {notes}' WINCH; trap 'echo end >> {notes}; exit 0' TERM; echo ready > {notes}; \
         while :; do sleep 0.02; done",
        notes = notes.display()
    );
    let guard = Guard::start(&town.settings(), &["--", "/bin/sh", "-c", &script]).await;
    let noted = |word: &str| std::fs::read_to_string(&notes).is_ok_and(|text| text.contains(word));
    until("the start", || noted("ready")).await;
    for (signal, word) in [
        (Signal::SIGHUP, "hangup"),
        (Signal::SIGUSR1, "first"),
        (Signal::SIGUSR2, "second"),
        (Signal::SIGWINCH, "window"),
    ] {
        guard.signal(signal);
        until(word, || noted(word)).await;
    }
    assert!(guard.end().await.success());
    assert!(noted("end"), "asked to stop like any other program");
}

#[tokio::test]
async fn the_guard_ends_as_its_application_does() {
    let town = Town::new().await;
    for (script, code) in [("exit 7", 7), ("kill -9 $$", 137), ("exit 0", 0)] {
        let mut guard = Guard::start(&town.settings(), &["--", "/bin/sh", "-c", script]).await;
        assert_eq!(guard.ended().await.code(), Some(code), "{script}");
    }
    let mut command = support::command(&town.settings());
    let status = command.args(["--", "/does/not/exist"]).stdin(Stdio::null()).status().await.unwrap();
    assert_eq!(status.code(), Some(1));
}

#[tokio::test]
async fn a_listener_can_be_inherited_and_the_main_instance_be_a_socket() {
    let town = Town::new().await;
    let socket = town.folder.path().join("main.sock");
    town.main.also_on(&socket);
    let mut settings = town.settings_with("GUARD_LISTEN", "inherited");
    settings.retain(|(name, _)| !["GUARD_CERTS_URL", "GUARD_MAIN_URL"].contains(name));
    settings.push(("GUARD_MAIN_URL", "http://localhost:8080".into()));
    settings.push(("GUARD_MAIN_SOCKET", socket.display().to_string()));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut command = support::command(&settings);
    command.stdin(Stdio::from(OwnedFd::from(listener)));
    let guard = Guard::wait_until_ready(command).await;
    assert_eq!(guard.address, address.to_string());
    assert_eq!(ask_with(&guard.address, "POST", "/", &[&bearer(&town.ada())], "x").await.status, 200);
    until("the report", || town.main.reports().len() == 1).await;
    assert!(guard.end().await.success());
}

#[tokio::test]
async fn check_explains_and_judges() {
    let town = Town::new().await;
    let file = town.folder.path().join("members.txt");
    std::fs::write(&file, "ada@example.com\n").unwrap();
    let settings = town.settings_with_file(&file);
    for (token, code, says) in [
        (town.ada(), 0, "token: allowed: ada@example.com is a member"),
        (town.forge.token("eve@example.com"), 4, "eve@example.com is not a member"),
        (town.forge.with("aud", json!("other")), 4, "another audience"),
        (String::new(), 0, "members: those in"),
    ] {
        let mut command = support::command(&settings);
        let mut process = command.arg("check").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        process.stdin.take().unwrap().write_all(token.as_bytes()).await.unwrap();
        let output = soon("its words", process.wait_with_output()).await.unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(says), "{says}: {said}");
    }
}
