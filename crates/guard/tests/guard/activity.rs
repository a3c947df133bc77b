//! What counts as use: rules, tabs left open, reports of the application, the app's own port.

use crate::support;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use crate::support::{Guard, PATIENCE, Town, ask, ask_with, bearer, client, command, push, refused_start, soon, until};
use access::ListState;
use futures_util::{SinkExt as _, StreamExt as _};
use nix::sys::signal::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

const FIREFOX: &str = "User-Agent: Mozilla/5.0 (X11; rv:140.0) Gecko/20100101 Firefox/140.0";
const SCRIPT: &str = "Sec-Fetch-Mode: cors";
const PAGE: &str = "Sec-Fetch-Mode: navigate";
const USER: &str = "Sec-Fetch-User: ?1";
const SPRINT: &str = r#"{"signal":"sprint"}"#;

type Sightings = BTreeMap<(String, String), u64>;

/// Ends the guard, which then says all that it knows, and gives how often each source saw what.
async fn sightings(town: &Town, guard: Guard) -> Sightings {
    assert!(guard.end().await.success());
    let mut hours: BTreeMap<(String, String, i64), u64> = BTreeMap::new();
    for report in town.main.reports() {
        for entry in report["evidence"].as_array().unwrap() {
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            let key = (text(&report["source"]), text(&entry["signal"]), entry["hour"].as_i64().unwrap());
            let count = hours.entry(key).or_default();
            *count = (*count).max(entry["count"].as_u64().unwrap());
        }
    }
    // The clock may strike while a test runs: then two hours were used, rightly.
    hours.into_iter().fold(Sightings::new(), |mut all, ((source, signal, _), count)| {
        *all.entry((source, signal)).or_default() += count;
        all
    })
}

fn expected(all: &[(&str, &str, u64)]) -> Sightings {
    all.iter().map(|(source, signal, count)| (((*source).to_owned(), (*signal).to_owned()), *count)).collect()
}

fn rules(town: &Town, text: &str) -> Vec<(&'static str, String)> {
    let file = town.folder.path().join("rules.toml");
    std::fs::write(&file, text).unwrap();
    town.settings_with("GUARD_ACTIVITY_RULES", file.display().to_string())
}

async fn open_websocket(
    guard: &Guard,
    town: &Town,
    path: &str,
) -> tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<TcpStream>> {
    let mut request = format!("ws://{}{path}", guard.address).into_client_request().unwrap();
    request.headers_mut().insert("cf-access-jwt-assertion", town.ada().parse().unwrap());
    tokio_tungstenite::connect_async(request).await.unwrap().0
}

#[tokio::test]
async fn rules_say_which_requests_are_use_and_of_which_kind() {
    let town = Town::new().await;
    let settings = rules(
        &town,
        r#"
        [[rule]]
        method = "POST"
        path = "^/api/(poll|refresh)$"
        use = false

        [[rule]]
        path = "^/rpc$"
        body = '"method":\s*"getEvents"'
        use = false

        [[rule]]
        path = "^/rpc$"
        body = '"method":\s*"startSprint"'
        use = "sprint"

        [[rule]]
        method = "GET"
        path = "^/export"
        use = true
        "#,
    );
    let guard = Guard::start(&settings, &[]).await;
    let ada = bearer(&town.ada());
    let lines = [&*ada, FIREFOX, SCRIPT];
    let late = format!("{}\"method\":\"getEvents\"", " ".repeat(10_000));
    for (method, path, body) in [
        ("POST", "/api/poll", "x"),
        ("POST", "/api/refresh?t=1", "x"),
        ("POST", "/rpc", r#"{"method": "getEvents"}"#),
        // Four sightings of a member.
        ("POST", "/api/polls", "x"),
        ("POST", "/rpc", r#"{"method": "save"}"#),
        ("POST", "/rpc", &late),
        ("GET", "/export/all", ""),
        // One of a sprint.
        ("POST", "/rpc", r#"{"method":"startSprint"}"#),
    ] {
        assert_eq!(ask_with(&guard.address, method, path, &lines, body).await.status, 200, "{path}");
    }
    let stranger = bearer(&town.forge.token("eve@example.com"));
    assert_eq!(ask(&guard.address, "/export/all", &[&stranger]).await.status, 403, "refused, so no use");
    let all = sightings(&town, guard).await;
    assert_eq!(all, expected(&[("guard", "member", 4), ("guard", "sprint", 1)]));
}

#[tokio::test]
async fn a_body_that_arrives_after_the_answer_has_begun_still_says_what_it_is() {
    let town = Town::new().await;
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = rules(&town, "[[rule]]\nbody = 'sprint'\nuse = \"sprint\"\n");
    settings.retain(|(name, _)| *name != "GUARD_UPSTREAM");
    settings.push(("GUARD_UPSTREAM", format!("http://{}", upstream.local_addr().unwrap())));
    let guard = Guard::start(&settings, &[]).await;
    let mut client = TcpStream::connect(&guard.address).await.unwrap();
    let head = format!("POST /run HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n{}\r\n\r\nsta", bearer(&town.ada()));
    client.write_all(head.as_bytes()).await.unwrap();
    let (mut server, _) = soon("a connection", upstream.accept()).await.unwrap();
    until_said(&mut server, "\r\n\r\nsta").await;
    server
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await
        .unwrap();
    until_said(&mut client, "\r\n\r\n").await;
    client.write_all(b"sprint").await.unwrap();
    until_said(&mut server, "sprint").await;
    server.write_all(b"0\r\n\r\n").await.unwrap();
    until_said(&mut client, "0\r\n\r\n").await;
    drop((client, server));
    assert_eq!(sightings(&town, guard).await, expected(&[("guard", "sprint", 1)]));
}

async fn until_said(stream: &mut TcpStream, end: &str) {
    let mut got = String::new();
    soon(end, async {
        while !got.ends_with(end) {
            got.push(char::from(stream.read_u8().await.unwrap()));
        }
    })
    .await;
}

#[tokio::test]
async fn rules_say_which_messages_are_use() {
    let town = Town::new().await;
    let echo = support::app::websocket_echo().await;
    let mut settings = rules(
        &town,
        "[[rule]]\nwebsocket = '^/terminal'\nmessage = '^\\{\"resize\"'\nuse = false\n\
         [[rule]]\nwebsocket = '^/runs'\nuse = \"sprint\"\n",
    );
    settings.retain(|(name, _)| *name != "GUARD_UPSTREAM");
    settings.push(("GUARD_UPSTREAM", format!("http://{echo}")));
    let guard = Guard::start(&settings, &[]).await;
    for (path, messages) in [
        ("/terminal/1", vec![r#"{"resize":[80,24]}"#, "2", r#"{"type":"ping"}"#]),
        // Two sightings of a member, and two of a sprint.
        ("/terminal/1", vec![r#"{"key":"a"}"#]),
        ("/other", vec![r#"{"resize":[80,24]}"#]),
        ("/runs", vec!["2", "step"]),
    ] {
        let mut socket = open_websocket(&guard, &town, path).await;
        for message in messages {
            socket.send(Message::text(message)).await.unwrap();
            assert_eq!(soon("an echo", socket.next()).await.unwrap().unwrap(), Message::text(message));
        }
        socket.close(None).await.unwrap();
    }
    let all = sightings(&town, guard).await;
    assert_eq!(all, expected(&[("guard", "member", 2), ("guard", "sprint", 2)]));
}

#[tokio::test]
async fn no_compression_is_agreed_on_that_would_hide_keep_alives() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let lines = [
        &*bearer(&town.ada()),
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: graphql-ws",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    ];
    let lines: String = lines.map(|line| format!("{line}\r\n")).concat();
    let request = format!("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\n{lines}\r\n");
    assert_eq!(client::raw(&guard.address, request).await.status, 200);
    let seen = town.app.last();
    assert!(seen.contains("upgrade: websocket") && seen.contains("sec-websocket-protocol: graphql-ws"), "{seen}");
    assert!(!seen.contains("sec-websocket-extensions"), "{seen}");
}

#[tokio::test]
async fn a_tab_left_open_costs_nothing_however_it_keeps_itself_busy() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let ada = bearer(&town.ada());
    let ask_for = async |method: &str, path: &str, more: &[&str], body: &str| {
        let lines = [&[&*ada, FIREFOX], more].concat();
        assert_eq!(ask_with(&guard.address, method, path, &lines, body).await.status, 200, "{method} {path}");
    };
    let report = "Content-Type: application/reports+json";
    for _ in 0..5 {
        ask_for("GET", "/api/state?t=1", &[SCRIPT, "Accept: application/json"], "").await;
        ask_for("GET", "/events", &[SCRIPT, "Accept: text/event-stream"], "").await;
        ask_for("GET", "/avatar.png", &["Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"], "").await;
        ask_for("HEAD", "/api/state", &[SCRIPT], "").await;
        ask_for("POST", "/socket.io/?EIO=4&transport=polling&sid=a", &[SCRIPT], "3").await;
        ask_for("POST", "/sock/000/a1b2/xhr", &[SCRIPT], "").await;
        ask_for("POST", "/wp-admin/admin-ajax.php", &[SCRIPT], "interval=15&action=heartbeat").await;
        ask_for("POST", "/collect", &["Sec-Fetch-Mode: no-cors", "Content-Type: text/plain"], "still here").await;
        ask_for("POST", "/nel", &[report], "[]").await;
        ask_for("POST", "/api/alive", &[SCRIPT], r#"{"type":"ping"}"#).await;
        ask_for("GET", "/next", &[PAGE, USER, "Sec-Purpose: prefetch"], "").await;
        ask_for("GET", "/board", &[PAGE, "Sec-Fetch-Dest: document", "Cache-Control: max-age=0"], "").await;
        ask_for("GET", "/feed", &[PAGE, "Sec-Fetch-Dest: iframe"], "").await;
        ask_for("GET", "/plain", &["Accept: text/html", "Referer: http://acme.test/plain"], "").await;
        assert_eq!(ask(&guard.address, "/-/health", &[]).await.status, 200);
        assert_eq!(ask(&guard.address, "/robots.txt", &[]).await.status, 200);
        assert_eq!(ask(&guard.address, "/", &[&ada, "User-Agent: UptimeRobot/2.0"]).await.status, 200);
        assert_eq!(ask(&guard.address, "/", &[PAGE, USER]).await.status, 401);
    }
    assert_eq!(sightings(&town, guard).await, expected(&[]));
    assert_eq!(town.main.count("/api/v1/activity"), 0);
}

#[tokio::test]
async fn a_page_that_connects_again_and_again_costs_nothing() {
    let town = Town::new().await;
    let echo = support::app::websocket_echo().await;
    let guard = Guard::start(&town.settings_with("GUARD_UPSTREAM", format!("http://{echo}")), &[]).await;
    for _ in 0..3 {
        let mut request = format!("ws://{}/live", guard.address).into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("cf-access-jwt-assertion", town.ada().parse().unwrap());
        headers.insert("user-agent", "Mozilla/5.0".parse().unwrap());
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let join = Message::text(r#"{"type":"subscribe","room":"lobby"}"#);
        socket.send(join.clone()).await.unwrap();
        assert_eq!(soon("an echo", socket.next()).await.unwrap().unwrap(), join);
    }
    assert_eq!(sightings(&town, guard).await, expected(&[]));
}

async fn report(address: &str, host: &str, more: &[&str], body: &str) -> client::Answer {
    let lines: String = more.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    let request = format!(
        "POST /-/activity HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{lines}Content-Length: {length}\r\n\r\n{body}"
    );
    client::raw(address, request).await
}

#[tokio::test]
async fn an_application_on_this_machine_reports_what_no_request_shows() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let host = guard.address.clone();
    for _ in 0..20 {
        let answer = report(&guard.address, &host, &["Content-Type: application/json"], SPRINT).await;
        assert!(answer.status == 204 && answer.body.is_empty(), "{answer:?}");
    }
    assert_eq!(report(&guard.address, "localhost", &[], r#"{"signal":"app_running"}"#).await.status, 204);
    until("the report", || !town.main.reports().is_empty()).await;
    assert_eq!(town.main.reports()[0]["source"], "application");
    for (body, status) in [
        ("", 422),
        ("sprint", 422),
        (r#"{"signal":"lunch"}"#, 422),
        (r#"{"signal":"sprint","note":"x"}"#, 422),
        (r#"{"signal":"sprint"}{"signal":"sprint"}"#, 422),
        (&format!("{SPRINT}{}", " ".repeat(2_000)), 413),
    ] {
        let answer = report(&guard.address, &host, &[], body).await;
        assert!(answer.status == status && answer.body.contains("The report was not taken"), "{body}: {answer:?}");
    }
    assert!(town.app.seen().is_empty(), "reports are the guard's");
    let all = sightings(&town, guard).await;
    assert_eq!(all, expected(&[("application", "sprint", 20), ("application", "app_running", 1)]));
}

#[tokio::test]
async fn nobody_who_comes_through_a_proxy_or_from_elsewhere_can_report() {
    let town = Town::new().await;
    let guard = Guard::start(&town.settings_with("GUARD_LISTEN", "0.0.0.0:0"), &[]).await;
    let port = guard.address.rsplit_once(':').unwrap().1.to_owned();
    let here = format!("127.0.0.1:{port}");
    for (host, line) in [
        ("acme.test", "Accept: */*"),
        ("acme.localhost", "Accept: */*"),
        ("127.0.0.1", "X-Forwarded-For: 203.0.113.9"),
        ("localhost", "X-Forwarded-Proto: https"),
        ("localhost", "Forwarded: for=127.0.0.1"),
        ("localhost", "Via: 1.1 edge"),
        ("localhost", "Cf-Ray: 1"),
        ("localhost", "Origin: http://localhost"),
        ("localhost", "Sec-Fetch-Site: same-origin"),
    ] {
        assert_eq!(report(&here, host, &[line], SPRINT).await.status, 401, "{host} {line}");
    }
    assert_eq!(ask_with(&here, "POST", "/-/activity", &[], SPRINT).await.status, 401);
    if let Some(outside) = address_of_this_machine().await {
        let from_outside = report(&format!("{outside}:{port}"), "localhost", &[], SPRINT).await;
        assert_eq!(from_outside.status, 401, "from {outside}");
    }
    // A member who asks for that path asks the application.
    let ada = bearer(&town.ada());
    let answer = report(&here, "localhost", &["X-Forwarded-For: 203.0.113.9", &ada, FIREFOX, SCRIPT], SPRINT).await;
    assert_eq!((answer.status, &*answer.body), (200, &*format!("app got {SPRINT}")));
    assert_eq!(sightings(&town, guard).await, expected(&[("guard", "member", 1)]));
}

/// Another address than loopback, if this machine has one.
async fn address_of_this_machine() -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind("0.0.0.0:0").await.ok()?;
    // Sends nothing: it only makes the system choose.
    socket.connect("192.0.2.1:9").await.ok()?;
    match socket.local_addr().ok()? {
        SocketAddr::V4(address) if !address.ip().is_loopback() => Some(*address.ip()),
        _ => None,
    }
}

#[tokio::test]
async fn the_application_is_told_where_to_report_and_may_have_an_address_of_its_own_for_it() {
    let town = Town::new().await;
    let told = town.folder.path().join("told");
    let script = format!("echo $SPINOFF_ACTIVITY_URL > {0}.part; mv {0}.part {0}; exec sleep 1000", told.display());
    let mut settings = town.settings();
    settings.push(("PATH", "/usr/bin:/bin".into()));
    let guard = Guard::start(&settings, &["--", "/bin/sh", "-c", &script]).await;
    until("the application has started", || told.exists()).await;
    let url = std::fs::read_to_string(&told).unwrap();
    assert_eq!(url.trim(), format!("http://{}/-/activity", guard.address));
    assert!(guard.end().await.success());

    std::fs::remove_file(&told).unwrap();
    settings.push(("GUARD_ACTIVITY_LISTEN", "127.0.0.1:0".into()));
    let guard = Guard::start(&settings, &["--", "/bin/sh", "-c", &script]).await;
    until("the application has started", || told.exists()).await;
    let url = std::fs::read_to_string(&told).unwrap();
    let own = url.trim().strip_prefix("http://").unwrap().strip_suffix("/-/activity").unwrap().to_owned();
    assert_ne!(own, guard.address);
    assert_eq!(report(&own, &own, &[], SPRINT).await.status, 204);
    for (path, method, lines, status) in [
        ("/", "GET", vec![], 404),
        ("/-/health", "GET", vec![], 404),
        ("/-/activity?x", "POST", vec![], 404),
        ("/-/activity", "GET", vec![], 405),
        ("/-/activity", "POST", vec![], 403),
    ] {
        assert_eq!(ask_with(&own, method, path, &lines, SPRINT).await.status, status, "{method} {path}");
    }
    assert_eq!(report(&own, "localhost", &["X-Forwarded-For: ::1"], SPRINT).await.status, 403);
    let elsewhere = report(&guard.address, &guard.address, &[], SPRINT).await;
    assert_eq!(elsewhere.status, 401, "one door is enough");
    assert_eq!(sightings(&town, guard).await, expected(&[("application", "sprint", 1)]));
}

#[tokio::test]
async fn a_report_is_kept_over_a_crash() {
    let town = Town::new().await;
    town.main.set_down(true);
    let mut guard = town.guard().await;
    assert_eq!(report(&guard.address, &guard.address, &[], SPRINT).await.status, 204);
    guard.signal(Signal::SIGKILL);
    guard.ended().await;
    assert!(town.main.reports().is_empty());
    let in_vain = town.main.count("/api/v1/activity");

    town.main.set_down(false);
    let guard = town.guard().await;
    until("the report of the earlier life", || !town.main.reports().is_empty()).await;
    let seen = sightings(&town, guard).await;
    assert_eq!(seen, expected(&[("application", "sprint", 1)]));
    let arrived = town.main.count("/api/v1/activity") - in_vain;
    assert_eq!(arrived, town.main.reports().len(), "acknowledged, so not sent again");
}

#[tokio::test]
async fn a_closed_instance_takes_no_reports_and_says_why() {
    let town = Town::new().await;
    let guard = town.guard().await;
    for (serial, state, says) in [(2, ListState::Suspended, "suspended"), (3, ListState::Deleting, "being deleted")] {
        let list = town.list(serial, state, &["ada@example.com"]);
        assert_eq!(push(&guard.address, &list).await.status, 204);
        let answer = report(&guard.address, &guard.address, &[], SPRINT).await;
        assert!(answer.status == 503 && answer.body.contains(says), "{answer:?}");
    }
    assert_eq!(sightings(&town, guard).await, expected(&[]));
}

#[tokio::test]
async fn an_app_on_its_port_is_use_where_the_operator_spoke_of_one() {
    let app = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let town = Town::new().await;
    let port = app.local_addr().unwrap().port().to_string();
    let guard = Guard::start(&town.settings_with("GUARD_APP_PORT", port), &[]).await;
    let (mut looking, _) = soon("a look", app.accept()).await.unwrap();
    assert_eq!(looking.read_to_end(&mut Vec::new()).await.unwrap(), 0, "it says nothing");
    until("the report", || !town.main.reports().is_empty()).await;
    assert_eq!(sightings(&town, guard).await, expected(&[("guard", "app_running", 1)]));
}

#[tokio::test]
async fn an_app_that_does_not_run_is_no_use_and_the_default_port_is_left_alone() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = gone.local_addr().unwrap().port().to_string();
    drop(gone);
    let town = Town::new().await;
    let guard = Guard::start(&town.settings_with("GUARD_APP_PORT", port), &[]).await;
    assert_eq!(ask(&guard.address, "/-/health", &[]).await.status, 200);
    assert_eq!(sightings(&town, guard).await, expected(&[]));
    // Nothing is said of an app: somebody else may have the port.
    let said = explained(&town.settings()).await;
    assert!(said.contains("\nuse is also: what the application reports from this machine at /-/activity\n"), "{said}");
    let said = explained(&town.settings_with("GUARD_APP_HOST", "app.example.com")).await;
    assert!(said.contains("any hour in which http://127.0.0.1:3000 takes connections"), "{said}");
}

async fn explained(settings: &[(&'static str, String)]) -> String {
    let checking = command(settings).arg("check").stdin(std::process::Stdio::null()).output();
    let output = tokio::time::timeout(PATIENCE, checking).await.unwrap().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn rules_that_cannot_be_followed_to_the_letter_refuse_to_start() {
    let town = Town::new().await;
    for (text, says) in [
        ("", "rules.toml: line 1: there is no [[rule]] in it"),
        ("[[rule]]\npath = \"^/poll\"\nuse = false\nwhy = \"it polls\"\n", "line 4: unknown field `why`"),
        ("[[rule]]\npath = \"^/(poll\"\nuse = false\n", "line 2: `path` is no regular expression"),
        ("[[rule]]\npath = \"^/poll\"\nuse = \"sometimes\"\n", "line 3: `use` must be"),
        ("[[rule]]\nmessage = \"x\"\nuse = true\n", "line 1: `message` needs `websocket`"),
    ] {
        let (code, said) = refused_start(&rules(&town, text)).await;
        assert!(code == Some(2) && said.contains(says) && said.contains("docs/activity.md"), "{text:?}: {said}");
    }
    for (name, value, says) in [
        ("GUARD_ACTIVITY_RULES", "/does/not/exist", "--activity-rules /does/not/exist: "),
        ("GUARD_ACTIVITY_LISTEN", "0.0.0.0:3129", "--activity-listen 0.0.0.0:3129 is not on loopback"),
    ] {
        let (code, said) = refused_start(&town.settings_with(name, value)).await;
        assert!(code == Some(2) && said.contains(says), "{name}: {said}");
    }
    let mut settings = town.settings_with("GUARD_APP_PORT", "3129");
    settings.push(("GUARD_ACTIVITY_LISTEN", "127.0.0.1:3129".into()));
    let (code, said) = refused_start(&settings).await;
    assert!(code == Some(2) && said.contains("--activity-listen 127.0.0.1:3129 and --app-port"), "{said}");
    let rule = "[[rule]]\nmethod = \"POST\"\nuse = false\n";
    let said = explained(&rules(&town, rule)).await;
    assert!(said.contains("rules.toml say (1), then the built-in ones\n"), "{said}");
    // The same without a file; an empty text is none.
    let said = explained(&town.settings_with("GUARD_ACTIVITY_RULES_TEXT", rule)).await;
    assert!(said.contains("--activity-rules-text say (1), then"), "{said}");
    let said = explained(&town.settings_with("GUARD_ACTIVITY_RULES_TEXT", "")).await;
    assert!(said.contains("what the built-in rules say\n"), "{said}");
    let (code, said) = refused_start(&town.settings_with("GUARD_ACTIVITY_RULES_TEXT", "[[rule]]\nuse = 1\n")).await;
    assert!(code == Some(2) && said.contains("--activity-rules-text: line 2: `use` must be"), "{said}");
}
