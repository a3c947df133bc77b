#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use http::{HeaderName, HeaderValue};

use super::*;

const FIREFOX: &str = "user-agent: Mozilla/5.0 (X11; rv:140.0) Gecko/20100101 Firefox/140.0";
const CURL: &str = "user-agent: curl/8.0";
const PAGE: &str = "sec-fetch-mode: navigate";
const USER: &str = "sec-fetch-user: ?1";
const MEMBER: Option<Signal> = Some(Signal::Member);
const API: Option<Signal> = Some(Signal::ApiCall);

fn activity(rules: &str) -> Activity {
    let rules = if rules.is_empty() { Rules::default() } else { Rules::parse(rules).unwrap() };
    Activity::new(rules).unwrap()
}

fn headers(lines: &[&str]) -> HeaderMap {
    let pairs = lines.iter().map(|line| line.split_once(": ").unwrap());
    pairs.map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())).collect()
}

/// What a request of whoever's doings are `own` is, with this body.
fn judged(activity: &Activity, own: Option<Signal>, request: &str, lines: &[&str], body: &str) -> Option<Signal> {
    let (method, target) = request.split_once(' ').unwrap();
    let length = format!("content-length: {}", body.len());
    let headers = headers(&[lines, &[&*length]].concat());
    let asked = Asked { method: &method.parse().unwrap(), target: &target.parse().unwrap(), headers: &headers };
    match activity.judge(own, &asked) {
        Usage::ByMessages(_) => unreachable!("no WebSocket was opened"),
        Usage::Known(signal) => signal,
        Usage::ByBody(by_body) => {
            let (mut watch, mut told) = by_body.watch();
            watch.client_sent(body.as_bytes());
            watch.client_done();
            told.try_recv().unwrap()
        }
    }
}

#[test]
fn use_is_what_people_and_programs_do() {
    let activity = activity("");
    for (own, request, lines, expected, what) in [
        (MEMBER, "GET /", vec![FIREFOX, PAGE, USER], MEMBER, "a page"),
        (MEMBER, "GET /", vec![FIREFOX, PAGE], None, "a page that loads itself anew"),
        (MEMBER, "GET /", vec![FIREFOX, "accept: text/html,*/*"], MEMBER, "a page on an untrusted address"),
        (MEMBER, "POST /", vec![FIREFOX, "sec-fetch-mode: cors"], MEMBER, "a form or an upload"),
        (MEMBER, "PUT /", vec![CURL], API, "a program that changes something"),
        (MEMBER, "DELETE /", vec![FIREFOX], MEMBER, "a removal"),
        (MEMBER, "GET /", vec![CURL], API, "a program that reads"),
        (MEMBER, "GET /", vec![], API, "a program without a name"),
        (API, "GET /", vec![FIREFOX], API, "a service is a program, whatever it looks like"),
        (MEMBER, "GET /", vec![FIREFOX, "sec-fetch-mode: cors"], None, "a script of an open tab"),
        (MEMBER, "GET /", vec![FIREFOX, "sec-fetch-mode: no-cors"], None, "an image"),
        (MEMBER, "GET /", vec![FIREFOX, "accept: application/json"], None, "a poll on an untrusted address"),
        (MEMBER, "GET /", vec!["accept: text/event-stream", "sec-fetch-mode: cors"], None, "an event stream"),
        (MEMBER, "HEAD /", vec![CURL], None, "a look at headers"),
        (MEMBER, "OPTIONS /", vec![FIREFOX], None, "a preflight"),
        (MEMBER, "GET /", vec![PAGE, USER, "sec-purpose: prefetch;prerender"], None, "ahead"),
        (MEMBER, "GET /", vec!["user-agent: Googlebot/2.1"], None, "a robot"),
        (MEMBER, "POST /", vec!["user-agent: UptimeRobot/2.0"], None, "a monitor"),
        (MEMBER, "GET /", vec![FIREFOX, "sec-fetch-mode: websocket"], None, "opening a WebSocket"),
        (None, "POST /", vec![FIREFOX], None, "nobody"),
    ] {
        assert_eq!(judged(&activity, own, request, &lines, ""), expected, "{what}");
    }
}

#[test]
fn what_open_tabs_and_browsers_send_on_their_own_account_is_no_use() {
    let (activity, script) = (activity(""), "sec-fetch-mode: cors");
    for (request, line, body, expected, what) in [
        ("POST /ping-me", "content-type: text/ping", "PING", None, "a link's ping"),
        ("POST /csp", "content-type: application/csp-report", "{}", None, "a broken policy"),
        ("POST /nel", "content-type: application/reports+json; x=y", "[]", None, "a report"),
        ("POST /other", "sec-fetch-dest: report", "{}", None, "any other report"),
        ("POST /collect", "sec-fetch-mode: no-cors", "left after 5 s", None, "a beacon"),
        ("POST /echo/000/k3x/xhr", script, "", None, "SockJS listens"),
        ("POST /echo/000/k3x/xhr_streaming", script, "", None, "SockJS listens"),
        ("POST /echo/000/k3x/xhr_send", script, "[\"typed\"]", MEMBER, "SockJS speaks"),
        ("POST /socket.io/?EIO=4&transport=polling&sid=x", script, "3", None, "Engine.IO pong"),
        ("POST /socket.io/?EIO=4&transport=polling&sid=x", script, "42[\"chat\",\"2\"]", MEMBER, "Engine.IO speaks"),
        ("POST /rating", script, "3", MEMBER, "three stars"),
        ("POST /message-bus/0a1b/poll?dlp=t", script, "/new=7", None, "MessageBus"),
        ("POST /longpolling/poll", script, "{}", None, "Odoo"),
        ("POST /wp-admin/admin-ajax.php", script, "interval=60&action=heartbeat&has_focus=false", None, "WordPress"),
        ("POST /wp-admin/admin-ajax.php", script, "action=heartbeats", MEMBER, "something else in WordPress"),
        ("POST /cometd/connect", script, "[{\"id\":\"7\",\"channel\":\"/meta/connect\"}]", None, "Bayeux"),
        ("PUT /user_status/heartbeat?format=json", script, "{\"status\":\"online\"}", None, "Nextcloud"),
        ("POST /hub?id=x", script, "{\"type\":6}\x1e", None, "SignalR"),
        ("POST /anything", script, "{\"type\":\"ping\"}", None, "an object that says so"),
        ("POST /anything", script, "{\"type\":\"run\"}", MEMBER, "an object that says something else"),
        ("POST /anything", script, "{}", MEMBER, "nothing in brackets may be an order"),
        ("POST /anything", script, "", MEMBER, "a button"),
    ] {
        assert_eq!(judged(&activity, MEMBER, request, &[FIREFOX, line], body), expected, "{what}");
    }
    let long = format!("{{\"type\":\"ping\",\"text\":\"{}\"}}", "x".repeat(300));
    assert_eq!(judged(&activity, MEMBER, "POST /", &[FIREFOX], &long), MEMBER, "no keep-alive is that long");
}

#[test]
fn the_operators_rules_come_first_and_the_first_that_fits_decides() {
    let activity = activity(
        r#"
        [[rule]]
        method = "POST"
        path = "^/api/poll$"
        use = false
        [[rule]]
        method = ["GET", "POST"]
        path = "^/api/"
        query = "(^|&)run=1"
        use = "sprint"
        [[rule]]
        path = "^/graphql$"
        body = '"operationName":\s*"Poll'
        use = false
        [[rule]]
        path = "^/(live|a%20b)"
        use = true
        [[rule]]
        method = "GET"
        path = "^/status"
        use = false
        "#,
    );
    for (request, line, body, expected, what) in [
        ("POST /api/poll", FIREFOX, "", None, "by method and path"),
        ("POST /api/poll?run=1", FIREFOX, "", None, "the first decides"),
        ("PUT /api/poll", FIREFOX, "", MEMBER, "another method"),
        ("GET /api/x?run=1", FIREFOX, "", Some(Signal::Sprint), "by query"),
        ("GET /api/x?rerun=1", FIREFOX, "", None, "another query"),
        ("POST /graphql", FIREFOX, r#"{"operationName": "PollInbox"}"#, None, "by body"),
        ("POST /graphql", FIREFOX, r#"{"operationName": "Send"}"#, MEMBER, "another body"),
        ("GET /live/feed", FIREFOX, "", MEMBER, "what would be no use otherwise"),
        ("HEAD /live/feed", CURL, "", API, "of the kind that is due to the client"),
        ("POST /live/feed", "content-type: text/ping", "", API, "before the built-in rules"),
        ("GET /a%20b", FIREFOX, "", MEMBER, "the path as written"),
        ("GET /status", CURL, "", None, "what would be use otherwise"),
        ("GET /live", "user-agent: Pingdom", "", None, "a robot, whatever the rules say"),
        ("GET /live", "purpose: prefetch", "", None, "a prefetch, whatever the rules say"),
    ] {
        assert_eq!(judged(&activity, MEMBER, request, &[line], body), expected, "{what}");
    }
    assert_eq!(judged(&activity, None, "GET /live", &[FIREFOX], ""), None, "nobody, whatever the rules say");
}

fn said(start: &[u8], form: MessageForm) -> Message<'_> {
    Message { start, whole: start.len() < MESSAGE_BYTES, form }
}

fn listener(activity: &Activity, path: &str, line: &str) -> Messages {
    let headers = headers(&[line]);
    let asked = Asked { method: &Method::GET, target: &path.parse().unwrap(), headers: &headers };
    activity.messages(MEMBER, &asked).unwrap()
}

#[test]
fn messages_are_use_unless_they_only_keep_something_alive() {
    let messages = listener(&activity(""), "/", FIREFOX);
    let (text, binary) = (MessageForm::Text, MessageForm::Binary);
    let long = format!("{{\"type\":\"ping\",\"text\":\"{}\"}}", "x".repeat(300));
    for (message, form, counts, what) in [
        (&b"ls -l"[..], text, true, "typed"),
        (b"l", text, true, "a key of a terminal"),
        (b"\x1b[A", binary, true, "a key of a terminal, in bytes"),
        (b"2", text, false, "Engine.IO ping"),
        (b"3", text, false, "Engine.IO pong"),
        (b"4hello", text, true, "Engine.IO message"),
        (b"42[\"chat\",\"ping me\"]", text, true, "Socket.IO event"),
        (b"", text, false, "nothing"),
        (b"\n", text, false, "STOMP"),
        (b"\r\n", text, false, "STOMP"),
        (b"SEND\ndestination:/a\n\nx\0", text, true, "STOMP speaks"),
        (b"ping", text, false, "a bare word"),
        (b"KeepAlive", text, false, "a bare word"),
        (b"pinging", text, true, "another word"),
        (br#"{"type":"ping"}"#, text, false, "GraphQL, Home Assistant, Vite"),
        (br#"{"id":17,"type":"ping"}"#, text, false, "Home Assistant"),
        (br#"{"type":"pong","payload":{"at":1}}"#, text, false, "GraphQL"),
        (br#"{"type":"subscribe","id":"1"}"#, text, true, "GraphQL speaks"),
        (br#"{"type":"chat","text":"ping"}"#, text, true, "said by a person"),
        (br#"{"type":"chat","message":{"type":"ping"}}"#, text, true, "about a ping"),
        (br#"{"msg":"pong"}"#, text, false, "Meteor"),
        (br#"{"msg":"method","method":"send","params":[]}"#, text, true, "Meteor speaks"),
        (br#"{"event":"pusher:ping","data":{}}"#, text, false, "Pusher"),
        (br#"{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"4"}"#, text, false, "Phoenix, first version"),
        (br#"[null,"4","phoenix","heartbeat",{}]"#, text, false, "Phoenix, second version"),
        (br#"["1","4","room:1","shout",{"text":"heartbeat"}]"#, text, true, "Phoenix speaks"),
        (b"{\"type\":6}\x1e", text, false, "SignalR"),
        (b"{\"type\":1,\"target\":\"Send\",\"arguments\":[]}\x1e", text, true, "SignalR speaks"),
        (b"\x02\x91\x06", binary, false, "SignalR, MessagePack"),
        (br#"{"ping":1717}"#, text, false, "an object with nothing else"),
        (b"[]", text, false, "Faye"),
        (b"{}", text, false, "Centrifugo"),
        (br#"["\n"]"#, text, false, "STOMP in SockJS"),
        (br#"["SEND\n\n\u0000"]"#, text, true, "STOMP in SockJS speaks"),
        (b"\xc0\x00", binary, false, "MQTT"),
        (b"\x30\x05\x00\x01a12", binary, true, "MQTT speaks"),
        (b"\x09\0\0\0\0\0\0\0\x07\0\0\0\0", binary, false, "Visual Studio Code"),
        (b"\x03\0\0\0\0\0\0\0\x0a\0\0\0\0\x09\0\0\0\0\0\0\0\x0a\0\0\0\0", binary, false, "the same, twice"),
        (b"\x01\0\0\0\x01\0\0\0\x0a\0\0\0\x01x", binary, true, "Visual Studio Code speaks"),
        (long.as_bytes(), text, true, "no keep-alive is that long"),
        (b"2", MessageForm::Unreadable, true, "what cannot be read"),
    ] {
        let expected = counts.then_some(Signal::Member);
        assert_eq!(messages.signal(&said(message, form), INTRODUCTION), expected, "{what}");
    }
    let beginning = Message { start: b"2", whole: false, form: text };
    assert_eq!(messages.signal(&beginning, INTRODUCTION), MEMBER, "the beginning of more");
}

#[test]
fn a_page_introduces_itself_and_a_program_comes_to_the_point() {
    let activity = activity("[[rule]]\nwebsocket = \"^/chat\"\nuse = true\n");
    let (early, late) = (Duration::from_secs(1), Duration::from_secs(6));
    let join = said(b"42[\"join\",\"room\"]", MessageForm::Text);
    for (path, line, after, expected) in [
        ("/live", FIREFOX, early, None),
        ("/live", FIREFOX, late, MEMBER),
        ("/live", CURL, early, MEMBER),
        ("/chat?x", FIREFOX, early, MEMBER),
    ] {
        let messages = listener(&activity, path, line);
        assert_eq!(messages.signal(&join, after), expected, "{path} {line} {after:?}");
    }
}

#[test]
fn the_operators_rules_about_messages_come_first() {
    let rules = "[[rule]]\nwebsocket = \"^/terminal\"\nmessage = '^\\{\"op\":\"resize\"'\nuse = false\n\
                 [[rule]]\nwebsocket = \"^/terminal\"\nmessage = '^\\x03[\\x00\\x01]\\xff'\nuse = false\n\
                 [[rule]]\nwebsocket = \"^/run\"\nuse = \"sprint\"\n";
    let activity = activity(rules);
    for (path, message, form, expected) in [
        ("/terminal/1", &br#"{"op":"resize"}"#[..], MessageForm::Text, None),
        ("/terminal/1", br#"{"op":"key"}"#, MessageForm::Text, MEMBER),
        ("/terminal/1", b"2", MessageForm::Text, None),
        ("/terminal/1", b"\x03\x01\xff\xfe", MessageForm::Binary, None),
        ("/x/terminal/1", br#"{"op":"resize"}"#, MessageForm::Text, MEMBER),
        ("/run", b"2", MessageForm::Text, Some(Signal::Sprint)),
    ] {
        let messages = listener(&activity, path, CURL);
        assert_eq!(messages.signal(&said(message, form), Duration::ZERO), expected, "{path} {message:?}");
    }
}

#[test]
fn the_rules_that_are_described_do_what_is_said_of_them() {
    let document = include_str!("../../../../docs/activity.md");
    let files = document.split("```toml\n").skip(1).filter_map(|rest| rest.split_once("```"));
    let all: Vec<Activity> = files.map(|(rules, _)| activity(rules)).collect();
    let [_, grafana, ttyd, novnc] = &all[..] else { panic!("{} examples", all.len()) };
    assert_eq!(judged(grafana, MEMBER, "POST /api/ds/query?ds_type=prometheus", &[FIREFOX], "{}"), None);
    assert_eq!(judged(grafana, MEMBER, "POST /api/dashboards/db", &[FIREFOX], "{}"), MEMBER);
    let (text, binary) = (MessageForm::Text, MessageForm::Binary);
    for (activity, path, message, form, expected) in [
        (ttyd, "/ws", &b"0l"[..], binary, MEMBER),
        (ttyd, "/ws", b"1{\"columns\":80,\"rows\":24}", binary, None),
        (ttyd, "/ws", b"{\"AuthToken\":\"\"}", text, None),
        (novnc, "/websockify", b"\x03\x01\0\0\0\0\x04\0\x0a\xff", binary, None),
        (novnc, "/websockify", b"\x05\0\0\x10\0\x20", binary, MEMBER),
    ] {
        let messages = listener(activity, path, CURL);
        assert_eq!(messages.signal(&said(message, form), Duration::ZERO), expected, "{path} {message:?}");
    }
}

#[test]
fn nobody_listens_to_robots_and_to_visitors_without_identity() {
    let headers = headers(&[FIREFOX, "purpose: prefetch"]);
    let asked = Asked { method: &Method::GET, target: &"/".parse().unwrap(), headers: &headers };
    assert!(activity("").messages(MEMBER, &asked).is_none());
    assert!(matches!(activity("").websocket(&Visitor::Public, &asked), Usage::Known(None)));
}
