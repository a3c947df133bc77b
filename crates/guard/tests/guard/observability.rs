//! What an operator can see of a guard, and what must never be seen.

use crate::support;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use crate::support::{Guard, Town, ask, command, until};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A guard whose log the test reads.
pub async fn logging(town: &Town, more: &[(&'static str, String)]) -> (Guard, Arc<Mutex<String>>) {
    let mut settings = town.settings();
    settings.extend_from_slice(more);
    let mut command = command(&settings);
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    let mut guard = Guard::wait_until_ready(command).await;
    let log = Arc::new(Mutex::new(String::new()));
    let (written, mut lines) = (Arc::clone(&log), BufReader::new(guard.process.stderr.take().unwrap()).lines());
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            written.lock().unwrap().push_str(&(line + "\n"));
        }
    });
    (guard, log)
}

#[tokio::test]
async fn the_access_log_says_who_what_and_why_and_keeps_secrets() {
    let town = Town::new().await;
    let (guard, log) = logging(&town, &[]).await;
    let ada = town.ada();
    let trace = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let token = format!("Cf-Access-Jwt-Assertion: {ada}");
    ask(&guard.address, "/notes?secret=in-the-query", &[&token, trace, "Cookie: sid=in-a-cookie"]).await;
    assert!(town.app.last().contains("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), "{}", town.app.last());
    let eve = town.forge.token("eve@example.org");
    ask(&guard.address, "/notes", &[&format!("Cf-Access-Jwt-Assertion: {eve}")]).await;
    ask(&guard.address, "/notes", &["Cf-Access-Jwt-Assertion: nonsense"]).await;
    ask(&guard.address, "/-/health", &[]).await;
    ask(&guard.address, "/notes", &[]).await;

    let seen = |words: &[&str]| {
        let log = log.lock().unwrap();
        log.lines().any(|line| line.contains(" access ") && words.iter().all(|word| line.contains(word)))
    };
    for words in [
        ["who=ada@example.com ", "decision=admitted", "trace=0af7651916cd43dd8448eb211c80319c", "app_ms="],
        ["who=eve@example.org ", "decision=refused", "reason=not-a-member", "status=403"],
        ["who=- ", "reason=token-malformed", "status=401", "method=GET path=/notes"],
        ["who=- ", "reason=no-assertion", "status=401", "from=127.0.0.1"],
    ] {
        until("the line", || seen(&words)).await;
    }
    let log = log.lock().unwrap();
    for secret in ["in-the-query", "in-a-cookie", ada.as_str(), eve.as_str(), "nonsense", support::TOKEN, "/-/health"] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

#[tokio::test]
async fn a_request_whose_client_leaves_is_noted_too() {
    let town = Town::new().await;
    let (guard, log) = logging(&town, &[]).await;
    let mut client = TcpStream::connect(&guard.address).await.unwrap();
    let request = format!("GET /gate HTTP/1.1\r\nHost: acme.test\r\nCf-Access-Jwt-Assertion: {}\r\n\r\n", town.ada());
    client.write_all(request.as_bytes()).await.unwrap();
    until("the application to be asked", || !town.app.seen().is_empty()).await;
    drop(client);
    until("the line", || log.lock().unwrap().contains("decision=abandoned reason=client-left status=499")).await;
}

#[tokio::test]
async fn figures_are_on_an_address_of_their_own() {
    let town = Town::new().await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let (guard, _) = logging(&town, &[("GUARD_METRICS", free.clone())]).await;
    let token = format!("Cf-Access-Jwt-Assertion: {}", town.ada());
    for _ in 0..3 {
        ask(&guard.address, "/", &[&token]).await;
    }
    ask(&guard.address, "/", &[]).await;
    let figures = ask(&free, "/metrics", &[]).await;
    assert!(figures.head.contains("application/openmetrics-text"), "{}", figures.head);
    for line in [
        "spinoff_guard_requests_total{decision=\"admitted\",reason=\"\"} 3",
        "spinoff_guard_requests_total{decision=\"refused\",reason=\"no-assertion\"} 1",
        "spinoff_guard_requests_under_way 0",
        "spinoff_guard_answer_seconds_count 4",
        "spinoff_guard_keys 1",
        "spinoff_guard_member_list_known 1",
        "spinoff_guard_member_list_serial 1",
        "spinoff_guard_remembered_tokens 1",
        "# EOF",
    ] {
        assert!(figures.body.contains(line), "{line} is missing:\n{}", figures.body);
    }
    assert_eq!(ask(&free, "/", &[]).await.status, 404);
    assert_eq!(ask(&guard.address, "/metrics", &[]).await.status, 401, "not for visitors");
}

#[tokio::test]
async fn a_members_file_that_cannot_be_read_is_no_known_list() {
    let town = Town::new().await;
    let file = town.folder.path().join("members.txt");
    std::fs::write(&file, "ada@example.com\n").unwrap();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let mut settings = town.settings_with_file(&file);
    settings.push(("GUARD_METRICS", free.clone()));
    let guard = Guard::start(&settings, &[]).await;
    let shows = |known: u8| {
        let (free, line) = (free.clone(), format!("spinoff_guard_member_list_known {known}\n"));
        support::soon("the figure", async move { while !ask(&free, "/metrics", &[]).await.body.contains(&line) {} })
    };
    shows(1).await;
    std::fs::write(&file, "this is no address\n").unwrap();
    shows(0).await;
    assert_eq!(ask(&guard.address, "/", &[&support::bearer(&town.ada())]).await.status, 403);
    assert_eq!(ask(&guard.address, "/robots.txt", &[]).await.status, 200, "a file says nothing about the instance");
    std::fs::write(&file, "ada@example.com\n").unwrap();
    shows(1).await;
}
