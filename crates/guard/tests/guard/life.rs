//! A guard over time: how it is, how it starts and ends, and what runs under it.

use crate::support;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;

use crate::support::{App, Forge, Guard, Town, ask, ask_with, bearer, soon, until};
use access::ListState;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
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
async fn an_address_in_use_is_named_before_the_application_is_started() {
    let town = Town::new().await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let _taken = TcpListener::bind(&taken).await.unwrap();
    let started = town.folder.path().join("started");
    for (name, option) in
        [("GUARD_LISTEN", "--listen"), ("GUARD_METRICS", "--metrics"), ("GUARD_ACTIVITY_LISTEN", "--activity-listen")]
    {
        let mut command = support::command(&town.settings_with(name, &taken));
        command.arg("--").arg("touch").arg(&started).stdin(Stdio::null()).stdout(Stdio::null());
        let output = soon("its end", command.output()).await.unwrap();
        let says = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && says.contains(&format!("{option} {taken}")), "{says}");
        assert!(!started.exists(), "{option}");
    }
}

/// What `check` says about a configuration and what comes on its standard input.
async fn checked(settings: &[(&'static str, String)], input: &[u8], folder: &Path) -> (Option<i32>, String) {
    let mut command = support::command(settings);
    command.arg("check").current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    // It may refuse before it reads.
    let _ = process.stdin.take().unwrap().write_all(input).await;
    let output = soon("its words", process.wait_with_output()).await.unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn check_explains_and_judges() {
    let town = Town::new().await;
    let file = town.folder.path().join("members.txt");
    std::fs::write(&file, "ada@example.com\n").unwrap();
    let mut settings = town.settings_with_file(&file);
    settings.extend([("GUARD_APP_HOST", "acme-app.test".into()), ("GUARD_APP_AUDIENCE", "apps".into())]);
    let forge = &town.forge;
    for (input, code, says) in [
        (town.ada().into_bytes(), 0, "token: allowed: ada@example.com is a member (rule=member), opens the workspace,"),
        (forge.with("aud", json!("apps")).into_bytes(), 0, "opens the app's hostname, until"),
        (forge.service_token("deploy.access").into_bytes(), 0, "service deploy.access is listed (rule=service-listed)"),
        (forge.service_token("other.access").into_bytes(), 4, "(rule=service-not-listed)"),
        (forge.token("eve@example.com").into_bytes(), 4, "eve@example.com is not a member (rule=not-a-member)"),
        (forge.with("aud", json!("other")).into_bytes(), 4, "another audience (rule=token-audience)"),
        (b"\xff\xfe".to_vec(), 4, "token: refused: what came is no text, so it is no token (rule=ambiguous-assertion)"),
        (Vec::new(), 0, "token: none on standard input"),
        (Vec::new(), 0, "audiences: aa11bb22; for the app's hostname only: apps\nmembers: those in"),
    ] {
        let (exit, said) = checked(&settings, &input, town.folder.path()).await;
        assert_eq!(exit, Some(code), "{said}");
        assert!(said.contains(says), "{says}: {said}");
    }
    std::fs::write(&file, "this is no address\n").unwrap();
    let (exit, said) = checked(&settings, b"", town.folder.path()).await;
    assert!(exit == Some(2) && said.starts_with("configuration: refused: --members "), "{said}");
}

#[tokio::test]
async fn check_judges_by_the_list_that_a_guard_would_judge_by() {
    let town = Town::new().await;
    let (ada, folder) = (town.ada(), town.folder.path());
    let judged = async |settings: &[(&'static str, String)]| checked(settings, ada.as_bytes(), folder).await;
    let (code, said) = judged(&town.settings()).await;
    assert!(code == Some(0) && said.contains("rule=member"), "{said}");
    assert!(!town.state().exists(), "it leaves nothing behind");
    for (serial, state, rule) in [(2, ListState::Suspended, "suspended"), (3, ListState::Deleting, "deleting")] {
        town.list(serial, state, &["ada@example.com"]);
        let (code, said) = judged(&town.settings()).await;
        assert!(code == Some(4) && said.contains(&format!("(rule={rule})")), "{said}");
    }

    // Without a main instance only a kept list counts, and none that lies in the folder one is in.
    let list = town.list(4, ListState::Active, &["ada@example.com"]);
    std::fs::write(folder.join("members.json"), &list).unwrap();
    let mut settings = town.settings();
    settings.retain(|(name, _)| !["GUARD_MAIN_URL", "GUARD_INSTANCE_TOKEN"].contains(name));
    settings.retain(|(name, _)| *name != "GUARD_STATE");
    let (code, said) = judged(&settings).await;
    assert!(code == Some(4) && said.contains("(rule=no-member-list)"), "{said}");
    settings.push(("GUARD_STATE", folder.display().to_string()));
    let (code, said) = judged(&settings).await;
    assert!(code == Some(0) && said.contains("rule=member"), "{said}");
}
