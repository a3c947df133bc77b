//! A guard over time: starts, outages, restarts, ends, and what it says to the main instance.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::os::fd::OwnedFd;
use std::process::Stdio;

use access::key_set_json;
use futures_util::{SinkExt as _, StreamExt as _};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use support::{App, Forge, Guard, Town, ask, ask_with, soon, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

fn bearer(token: &str) -> String {
    format!("Cf-Access-Jwt-Assertion: {token}")
}

fn without(settings: Vec<(&'static str, String)>, name: &str) -> Vec<(&'static str, String)> {
    settings.into_iter().filter(|(key, _)| *key != name).collect()
}

fn with(settings: Vec<(&'static str, String)>, name: &'static str, value: String) -> Vec<(&'static str, String)> {
    let mut settings = without(settings, name);
    settings.push((name, value));
    settings
}

#[tokio::test]
async fn health_says_how_guard_and_application_are() {
    let town = Town::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let settings = with(town.settings(), "GUARD_UPSTREAM", format!("http://{address}"));
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
    let guard = Guard::start(&with(town.settings(), "GUARD_APP_HEALTH", "/broken".into()), &[]).await;
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
async fn a_cold_start_without_keys_fails_closed_and_opens_when_they_come() {
    let town = Town::new().await;
    town.main.set_down(true);
    let guard = town.guard().await;
    let ada = bearer(&town.ada());
    let refused = ask(&guard.address, "/", &[&ada]).await;
    assert!(refused.status == 401 && refused.head.contains("retry-after"), "{refused:?}");
    assert_eq!(ask(&guard.address, "/", &[]).await.status, 401);
    assert!(town.app.seen().is_empty());
    town.main.set_down(false);
    soon("entry", async { while ask(&guard.address, "/", &[&ada]).await.status != 200 {} }).await;
}

#[tokio::test]
async fn the_first_visitor_is_not_refused_because_the_keys_are_on_their_way() {
    let town = Town::new().await;
    for _ in 0..5 {
        std::fs::remove_dir_all(town.state()).ok();
        let guard = town.guard().await;
        assert_eq!(ask(&guard.address, "/", &[&bearer(&town.ada())]).await.status, 200);
    }
}

#[tokio::test]
async fn a_new_key_is_fetched_once_however_many_ask_for_unknown_ones() {
    let town = Town::new().await;
    let guard = town.guard().await;
    assert_eq!(ask(&guard.address, "/", &[&bearer(&town.ada())]).await.status, 200);
    let before = town.main.count("/cdn-cgi/access/certs");
    let rotated = Forge::new();
    town.main.set_certs(rotated.key_set());
    let new = bearer(&rotated.token("ada@example.com"));
    assert_eq!(ask(&guard.address, "/", &[&new]).await.status, 200, "seen within one fetch");
    assert_eq!(
        ask(&guard.address, "/", &[&bearer(&town.ada())]).await.status,
        401,
        "the withdrawn key is worth nothing"
    );
    for number in 0..40 {
        let unknown = bearer(&town.forge.with_header("kid", json!(format!("k{number}"))));
        assert_eq!(ask(&guard.address, "/", &[&unknown]).await.status, 401);
    }
    assert_eq!(town.main.count("/cdn-cgi/access/certs"), before + 1);
    assert_eq!(ask(&guard.address, "/", &[&new]).await.status, 200);
}

#[tokio::test]
async fn a_malformed_key_set_does_not_replace_a_good_one() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let ada = bearer(&town.ada());
    assert_eq!(ask(&guard.address, "/", &[&ada]).await.status, 200);
    for bad in ["<html>".to_owned(), key_set_json(&[]), "x".repeat(3_000_000)] {
        town.main.set_certs(bad);
        let unknown = bearer(&town.forge.with_header("kid", json!("new")));
        assert_eq!(ask(&guard.address, "/", &[&unknown]).await.status, 401);
        assert_eq!(ask(&guard.address, "/", &[&ada]).await.status, 200);
    }
}

#[tokio::test]
async fn an_hour_is_reported_once_when_it_begins_and_its_evidence_at_the_end() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let ada = bearer(&town.ada());
    let browser = ["User-Agent: Mozilla/5.0", "Sec-Fetch-Mode: cors"];
    for _ in 0..3 {
        ask(&guard.address, "/poll", &[&ada, browser[0], browser[1]]).await;
        ask(&guard.address, "/-/health", &[]).await;
        ask(&guard.address, "/", &[]).await;
        ask(&guard.address, "/robots.txt", &[]).await;
    }
    assert_eq!(town.main.count("/api/v1/activity"), 0, "none of that is use");
    for _ in 0..3 {
        ask(&guard.address, "/", &[&ada, browser[0], "Sec-Fetch-Mode: navigate"]).await;
    }
    until("the report", || town.main.reports().len() == 1).await;
    assert!(guard.end().await.success());
    let reports = town.main.reports();
    let last = reports.last().unwrap();
    assert_eq!(last["source"], "guard");
    assert_eq!(last["month"].as_str().unwrap().len(), 7);
    assert!(!last["hours"].as_str().unwrap().is_empty());
    // The clock may strike while the test runs: then two hours were used, rightly.
    let seen: u64 = last["evidence"].as_array().unwrap().iter().map(|entry| entry["count"].as_u64().unwrap()).sum();
    assert!(seen == 3 || town.main.reports().len() > 2, "{reports:?}");
    assert_eq!(last["evidence"][0]["signal"], "member");
}

#[tokio::test]
async fn use_is_kept_while_the_main_instance_is_away_also_over_a_crash() {
    let town = Town::new().await;
    let ada = bearer(&town.ada());
    let mut guard = town.guard().await;
    assert_eq!(ask(&guard.address, "/robots.txt", &[]).await.status, 200);
    until("keys and members", || {
        town.state().join("certs.json").exists() && town.state().join("members.json").exists()
    })
    .await;
    town.main.set_down(true);
    assert_eq!(ask_with(&guard.address, "POST", "/", &[&ada], "x").await.status, 200);
    until("an attempt and another", || town.main.count("/api/v1/activity") >= 2).await;
    guard.signal(Signal::SIGKILL);
    guard.ended().await;

    town.main.set_down(false);
    let guard = town.guard().await;
    until("the report of the earlier life", || !town.main.reports().is_empty()).await;
    assert_eq!(town.main.reports()[0]["evidence"][0]["signal"], "api_call");
    assert!(guard.end().await.success());
}

#[tokio::test]
async fn a_report_brings_the_newest_list_back() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let ada = bearer(&town.ada());
    assert_eq!(ask(&guard.address, "/robots.txt", &[]).await.status, 200);
    until("the first list", || town.main.count("/api/v1/activity/members") == 1).await;
    assert_eq!(ask(&guard.address, "/poll", &[&ada, "Sec-Fetch-Mode: cors"]).await.status, 200);
    town.list(2, access::ListState::Active, &["eve@example.com"]);
    assert_eq!(ask_with(&guard.address, "POST", "/", &[&ada], "x").await.status, 200);
    soon("the removal", async { while ask(&guard.address, "/", &[&ada]).await.status != 403 {} }).await;
}

#[tokio::test]
async fn a_websocket_passes_and_what_is_typed_into_it_is_use() {
    let town = Town::new().await;
    let echo = support::app::websocket_echo().await;
    let guard = Guard::start(&with(town.settings(), "GUARD_UPSTREAM", format!("http://{echo}")), &[]).await;
    let url = format!("ws://{}/ws", guard.address);
    assert!(tokio_tungstenite::connect_async(&url).await.is_err(), "no entry without identity");

    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("cf-access-jwt-assertion", town.ada().parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    socket.send(Message::Ping(vec![1, 2, 3].into())).await.unwrap();
    assert!(soon("a pong", socket.next()).await.unwrap().unwrap().is_pong());
    assert_eq!(town.main.count("/api/v1/activity"), 0, "a ping is not use");
    socket.send(Message::text("ls -l")).await.unwrap();
    assert_eq!(soon("an echo", socket.next()).await.unwrap().unwrap(), Message::text("ls -l"));
    until("the report", || town.main.reports().len() == 1).await;
    assert_eq!(town.main.reports()[0]["evidence"][0]["signal"], "member");
    assert!(guard.end().await.success(), "an open tunnel does not hold up the end");
}

#[tokio::test]
async fn an_open_websocket_ends_with_its_visitors_membership() {
    let town = Town::new().await;
    let echo = support::app::websocket_echo().await;
    let guard = Guard::start(&with(town.settings(), "GUARD_UPSTREAM", format!("http://{echo}")), &[]).await;
    let mut request = format!("ws://{}/ws", guard.address).into_client_request().unwrap();
    request.headers_mut().insert("cf-access-jwt-assertion", town.ada().parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let list = town.list(2, access::ListState::Active, &["ada@example.com", "eve@example.com"]);
    assert_eq!(ask_with(&guard.address, "PUT", "/-/members", &[], &list).await.status, 204);
    socket.send(Message::text("still here")).await.unwrap();
    assert_eq!(soon("an echo", socket.next()).await.unwrap().unwrap(), Message::text("still here"));

    let list = town.list(3, access::ListState::Active, &["eve@example.com"]);
    assert_eq!(ask_with(&guard.address, "PUT", "/-/members", &[], &list).await.status, 204);
    soon("the end", async { while socket.next().await.is_some_and(|message| message.is_ok()) {} }).await;
}

#[tokio::test]
async fn events_pass_one_by_one() {
    let town = Town::new().await;
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = with(town.settings(), "GUARD_UPSTREAM", format!("http://{}", upstream.local_addr().unwrap()));
    let guard = Guard::start(&settings, &[]).await;
    let mut client = TcpStream::connect(&guard.address).await.unwrap();
    let request = format!("GET /events HTTP/1.1\r\nHost: a\r\n{}\r\n\r\n", bearer(&town.ada()));
    client.write_all(request.as_bytes()).await.unwrap();
    let (mut server, _) = soon("a connection", upstream.accept()).await.unwrap();
    let mut head = String::new();
    soon("the request", async {
        while !head.ends_with("\r\n\r\n") {
            head.push(char::from(server.read_u8().await.unwrap()));
        }
    })
    .await;
    server
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await
        .unwrap();
    for event in ["data: first\n\n", "data: second\n\n"] {
        server.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes()).await.unwrap();
        let mut got = String::new();
        soon(event, async {
            while !got.contains(event) {
                got.push(char::from(client.read_u8().await.unwrap()));
            }
        })
        .await;
    }
    drop(client);
    let mut rest = Vec::new();
    let _ = soon("the client's leaving, seen upstream", server.read_to_end(&mut rest)).await;
}

#[tokio::test]
async fn asking_an_application_that_is_not_there_is_no_use_of_it() {
    let town = Town::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let settings = with(town.settings(), "GUARD_UPSTREAM", format!("http://{address}"));
    let guard = Guard::start(&settings, &[]).await;
    let ada = bearer(&town.ada());
    let opened = [&*ada, "User-Agent: Mozilla/5.0", "Sec-Fetch-Mode: navigate"];
    for _ in 0..3 {
        assert_eq!(ask(&guard.address, "/", &opened).await.status, 503);
    }
    assert_eq!(ask_with(&guard.address, "POST", "/", &opened[..2], "x").await.status, 503);
    let _app = App::on(TcpListener::bind(address).await.unwrap());
    assert_eq!(ask(&guard.address, "/", &opened).await.status, 200);
    until("the report", || !town.main.reports().is_empty()).await;
    assert!(guard.end().await.success());
    let reports = town.main.reports();
    let evidence = reports.iter().flat_map(|report| report["evidence"].as_array().unwrap().clone());
    assert!(evidence.clone().count() > 0 && evidence.clone().all(|entry| entry["count"] == 1), "{reports:?}");
}

/// An application's answer, held open by the test: where it is read, and where it is written.
async fn open_answer(town: &Town, token: &str, head: &str) -> (Guard, TcpStream, TcpStream) {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = with(town.settings(), "GUARD_UPSTREAM", format!("http://{}", upstream.local_addr().unwrap()));
    let guard = Guard::start(&settings, &[]).await;
    let mut client = TcpStream::connect(&guard.address).await.unwrap();
    let request = format!("GET /open HTTP/1.1\r\nHost: a\r\n{}\r\n\r\n", bearer(token));
    client.write_all(request.as_bytes()).await.unwrap();
    let (mut server, _) = soon("a connection", upstream.accept()).await.unwrap();
    read_until(&mut server, "\r\n\r\n").await;
    server.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes()).await.unwrap();
    (guard, client, server)
}

async fn read_until(stream: &mut TcpStream, end: &str) {
    let mut got = String::new();
    soon(end, async {
        while !got.contains(end) {
            got.push(char::from(stream.read_u8().await.unwrap()));
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_still_coming_ends_with_its_visitors_membership() {
    for (head, cut_cleanly) in [
        ("Content-Type: text/event-stream\r\nTransfer-Encoding: chunked", true),
        ("Content-Type: text/plain\r\nTransfer-Encoding: chunked", false),
    ] {
        let town = Town::new().await;
        let (guard, mut client, mut server) = open_answer(&town, &town.ada(), head).await;
        server.write_all(b"5\r\nfirst\r\n").await.unwrap();
        read_until(&mut client, "first").await;
        let list = town.list(2, access::ListState::Active, &["ada@example.com", "eve@example.com"]);
        assert_eq!(ask_with(&guard.address, "PUT", "/-/members", &[], &list).await.status, 204);
        server.write_all(b"6\r\nsecond\r\n").await.unwrap();
        read_until(&mut client, "second").await;

        let list = town.list(3, access::ListState::Active, &["eve@example.com"]);
        assert_eq!(ask_with(&guard.address, "PUT", "/-/members", &[], &list).await.status, 204);
        let mut rest = Vec::new();
        if cut_cleanly {
            read_until(&mut client, "0\r\n\r\n").await;
        } else {
            let _ = soon("the end of the answer", client.read_to_end(&mut rest)).await;
            assert!(!String::from_utf8_lossy(&rest).contains("0\r\n\r\n"), "it must not look complete: {rest:?}");
        }
        let _ = soon("the end, seen by the application", server.read_to_end(&mut Vec::new())).await;
    }
}

#[tokio::test]
async fn open_answers_to_a_service_end_when_the_instance_closes() {
    let town = Town::new().await;
    let service = town.forge.service_token("deploy.access");
    let (guard, mut client, mut server) = open_answer(&town, &service, "Transfer-Encoding: chunked").await;
    server.write_all(b"5\r\nfirst\r\n").await.unwrap();
    read_until(&mut client, "first").await;
    let list = town.list(2, access::ListState::Suspended, &["ada@example.com"]);
    assert_eq!(ask_with(&guard.address, "PUT", "/-/members", &[], &list).await.status, 204);
    let _ = soon("the end of the answer", client.read_to_end(&mut Vec::new())).await;
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
    let mut settings = with(town.settings(), "GUARD_LISTEN", "inherited".into());
    settings = without(settings, "GUARD_CERTS_URL");
    settings = with(settings, "GUARD_MAIN_URL", "http://localhost:8080".into());
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
