//! The emergency door: user and password, on the day when nobody can sign in.

use crate::support;
use std::process::Stdio;

use crate::support::{Guard, Town, ask, ask_with, bearer, command, push, refused_start, soon, until};
use access::ListState;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

const PASSWORD: &str = "correct horse battery";
const DOOR: &str = "/-/access/emergency";
/// What a member is asked for, as the edge asks for it: nothing that opens a dialog, or that is not read.
const MEMBERS: &str = "www-authenticate: cookie realm=\"members\", cookie-name=\"cf_authorization\"";

pub type Settings = Vec<(&'static str, String)>;

/// What `hash-password` makes of its input: exit code, what it prints, what it says.
async fn hashed(input: &str) -> (Option<i32>, String, String) {
    let mut command = command(&Vec::new());
    command.arg("hash-password").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    process.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let output = soon("its words", process.wait_with_output()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

pub async fn with_door(mut settings: Settings) -> Settings {
    let (_, hash, _) = hashed(PASSWORD).await;
    settings.push(("GUARD_EMERGENCY_USER", "root".into()));
    settings.push(("GUARD_EMERGENCY_PASSWORD_HASH", hash.trim().to_owned()));
    settings
}

async fn guarded(town: &Town) -> Guard {
    Guard::start(&with_door(town.settings()).await, &[]).await
}

fn basic(user: &str, password: &str) -> String {
    format!("Authorization: Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

pub fn right() -> String {
    basic("root", PASSWORD)
}

fn from(address: &str) -> String {
    format!("X-Forwarded-For: {address}")
}

/// The cookie of a new session, as a browser would send it.
async fn session(guard: &Guard, lines: &[&str]) -> String {
    let credentials = right();
    let answer = ask(&guard.address, DOOR, &[&[credentials.as_str()], lines].concat()).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    // The head is lower-cased, and the secret is not.
    let raw = support::client::everything(
        &guard.address,
        format!(
            "GET {DOOR} HTTP/1.1\r\nHost: acme.test\r\nConnection: close\r\n{credentials}\r\n{}\r\n\r\n",
            lines.join("\r\n")
        ),
    )
    .await;
    let text = String::from_utf8(raw).unwrap();
    let line = text.lines().find(|line| line.to_ascii_lowercase().starts_with("set-cookie: ")).expect("a cookie");
    format!("Cookie: {}", line["set-cookie: ".len()..].split(';').next().unwrap())
}

#[tokio::test]
async fn without_configuration_there_is_no_door() {
    let town = Town::new().await;
    let guard = town.guard().await;
    for path in ["/", DOOR] {
        let answer = ask(&guard.address, path, &[&right()]).await;
        assert_eq!(answer.status, 401);
        assert!(answer.head.contains(MEMBERS) && !answer.head.contains("basic"), "{}", answer.head);
        assert!(answer.body.contains("Please sign in"), "{}", answer.body);
    }
    assert!(town.app.seen().is_empty());
    let own = basic("root", "the application's own");
    assert_eq!(ask(&guard.address, "/", &[&bearer(&town.ada()), &own]).await.status, 200);
    assert!(
        town.app.last().contains(own.split_once(' ').unwrap().1),
        "without a door it is the application's business"
    );
}

#[tokio::test]
async fn the_right_password_opens_and_the_application_sees_a_name_and_no_password() {
    let town = Town::new().await;
    let guard = guarded(&town).await;
    for scheme in ["Basic", "basic", "BASIC"] {
        let line = right().replace("Basic", scheme);
        let answer = ask_with(&guard.address, "POST", "/notes", &[&line, &from("203.0.113.9")], "x").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "app got x"));
        assert!(!answer.head.contains("set-cookie"), "{}", answer.head);
    }
    let seen = town.app.last();
    assert!(seen.contains("x-spinoff-user: root\n") && seen.contains("x-forwarded-for: 203.0.113.9\n"), "{seen}");
    assert!(!seen.contains("authorization") && !seen.contains("x-spinoff-user-id"), "{seen}");
    let who = ask(&guard.address, "/-/access/whoami", &[&right(), &from("203.0.113.9")]).await;
    assert_eq!(serde_json::from_str::<Value>(&who.body).unwrap(), json!({"emergency": "root", "member": false}));

    assert!(guard.end().await.success());
    let told = town.main.emergencies();
    let last = told.last().unwrap();
    assert_eq!(last["outcome"], "accepted");
    assert_eq!((last["source"].as_str(), last["user"].as_str()), (Some("203.0.113.9"), Some("root")));
    // The clock may strike while the test runs.
    assert!(last["count"] == 4 || told.len() > 2, "{told:?}");
    assert!(town.main.reports().is_empty(), "the operator's help is not the customer's use");
}

#[tokio::test]
async fn what_is_not_exactly_right_opens_nothing() {
    let town = Town::new().await;
    let guard = guarded(&town).await;
    let encoded = STANDARD.encode(format!("root:{PASSWORD}"));
    let cases = [
        vec![basic("root", "wrong")],
        vec![basic("Root", PASSWORD)],
        vec![basic("", PASSWORD)],
        vec![basic("root", "")],
        vec![basic("root", &format!("{PASSWORD} "))],
        vec![format!("Authorization: Basic {}", encoded.trim_end_matches('='))],
        vec![format!("Authorization: Basic {encoded}x")],
        vec!["Authorization: Basic".to_owned()],
        vec![format!("Authorization: Basic {}", STANDARD.encode("root"))],
        vec![format!("Authorization: Bearer {encoded}")],
        vec![format!("Proxy-Authorization: Basic {encoded}")],
        vec![right(), right()],
        vec!["Authorization: Bearer x".to_owned(), right()],
        vec![format!("Authorization: Basic {encoded}, Basic {encoded}")],
        vec![format!("Cookie: spinoff_emergency={encoded}")],
        vec!["Cookie: spinoff_emergency=".to_owned()],
        vec!["X-Spinoff-User: root".to_owned()],
    ];
    for (number, lines) in cases.iter().enumerate() {
        let source = from(&format!("10.0.0.{}", number / 3));
        let lines: Vec<&str> = lines.iter().map(String::as_str).chain([source.as_str()]).collect();
        let answer = ask(&guard.address, "/", &lines).await;
        assert_eq!(answer.status, 401, "{lines:?}");
        assert!(answer.head.contains(MEMBERS), "only the door's own address asks: {}", answer.head);
        // Nobody learns which of both was wrong, and who sent none learns of no door.
        let tried = lines.iter().any(|line| line.starts_with("Authorization: Basic"));
        let says = if tried { "<h1>Wrong user or password</h1>" } else { "<h1>Please sign in</h1>" };
        assert!(answer.body.contains(says), "{lines:?}: {}", answer.body);
        assert!(tried || !answer.body.contains("mergency"), "{}", answer.body);
    }
    assert!(town.app.seen().is_empty(), "{:?}", town.app.last());
}

#[tokio::test]
async fn a_bad_assertion_is_not_rescued_by_a_good_password_or_session() {
    let town = Town::new().await;
    let guard = guarded(&town).await;
    let session = session(&guard, &[]).await;
    let value = session.strip_prefix("Cookie: ").unwrap();
    let stranger = bearer(&town.forge.token("eve@example.com"));
    for (bad, status) in [
        (vec![bearer("nonsense")], 401),
        (vec![bearer("")], 401),
        (vec![bearer(&town.ada()), bearer(&town.ada())], 401),
        (vec![stranger], 403),
        (vec![bearer(&town.forge.service_token("other.access"))], 403),
    ] {
        for good in [right(), session.clone()] {
            let lines: Vec<&str> = bad.iter().map(String::as_str).chain([good.as_str()]).collect();
            assert_eq!(ask(&guard.address, "/", &lines).await.status, status, "{lines:?}");
            let door = ask(&guard.address, DOOR, &lines).await;
            assert!(door.status == 403 && door.body.contains("sign out first"), "{door:?}");
        }
    }
    let both = format!("Cookie: {value}; CF_Authorization=nonsense");
    assert_eq!(ask(&guard.address, "/", &[&both, &right()]).await.status, 401);
    assert!(town.app.seen().is_empty(), "{:?}", town.app.last());
}

#[tokio::test]
async fn a_browser_is_asked_at_one_address_and_then_remembered_until_it_signs_out() {
    let town = Town::new().await;
    let guard = guarded(&town).await;
    let asked = ask(&guard.address, DOOR, &["Accept: text/html"]).await;
    assert_eq!(asked.status, 401);
    assert!(
        asked.head.contains("www-authenticate: basic realm=\"emergency access\", charset=\"utf-8\""),
        "{}",
        asked.head
    );
    let wrong = ask(&guard.address, DOOR, &[&basic("root", "wrong")]).await;
    assert!(wrong.status == 401 && wrong.head.contains("www-authenticate: basic"), "asked again: {wrong:?}");
    assert_eq!(ask_with(&guard.address, "POST", DOOR, &[&right()], "").await.status, 405);
    assert_eq!(ask(&guard.address, &format!("{DOOR}/"), &[]).await.status, 401);

    let answer = ask(&guard.address, DOOR, &[&right()]).await;
    assert!(answer.status == 303 && answer.head.contains("location: /\r\n"), "{answer:?}");
    assert!(answer.head.contains("; path=/; max-age=28800; httponly; samesite=strict\r\n"), "{}", answer.head);
    let plain = session(&guard, &[]).await;
    let secure = session(&guard, &["X-Forwarded-Proto: https"]).await;
    assert!(secure.starts_with("Cookie: __Host-spinoff_emergency="), "{secure}");
    for cookie in [&plain, &secure] {
        let more = format!("{cookie}; a=1; __host-SPINOFF_emergency=x");
        assert_eq!(ask(&guard.address, "/page", &[&more, &basic("app", "its own")]).await.status, 200);
        let seen = town.app.last();
        assert!(seen.contains("cookie: a=1\n") && seen.contains("x-spinoff-user: root\n"), "{seen}");
        assert!(seen.contains(basic("app", "its own").split_once(' ').unwrap().1), "{seen}");
    }
    let again = ask(&guard.address, DOOR, &[&plain]).await;
    assert!(again.status == 303 && !again.head.contains("set-cookie"), "it has one: {again:?}");
    let out = ask(&guard.address, "/-/access/logout", &[&plain]).await;
    assert!(out.status == 303 && out.head.contains("spinoff_emergency=; path=/; max-age=0"), "{out:?}");
    assert_eq!(ask(&guard.address, "/", &[&plain]).await.status, 401);
    assert_eq!(ask(&guard.address, "/", &[&secure]).await.status, 200, "another browser stays");
    assert!(guard.end().await.success());
    let guard = guarded(&town).await;
    assert_eq!(ask(&guard.address, "/", &[&secure]).await.status, 401, "a restart forgets");
}

#[tokio::test]
async fn credentials_that_come_along_with_a_token_stay_outside_and_others_are_the_applications() {
    let town = Town::new().await;
    let guard = guarded(&town).await;
    let ada = bearer(&town.ada());
    for (line, passes) in [
        (right(), false),
        (basic("root", "wrong"), false),
        ("Authorization: Basic ???".to_owned(), false),
        ("Authorization: basic".to_owned(), false),
        (basic("app", "its own"), true),
        ("Authorization: Bearer its-own".to_owned(), true),
    ] {
        for lines in [vec![ada.as_str(), &line], vec![line.as_str()]] {
            let path = if lines.len() == 2 { "/page" } else { "/robots.txt" };
            assert_eq!(ask(&guard.address, path, &lines).await.status, 200);
            let seen = town.app.last();
            assert_eq!(seen.contains("\nauthorization: "), passes, "{line}: {seen}");
        }
    }
    assert!(guard.end().await.success());
    assert!(town.main.emergencies().is_empty(), "none of that was an attempt");
}

/// How many passwords the guard has hashed.
async fn hashes(metrics: &str) -> u64 {
    let figures = ask(metrics, "/metrics", &[]).await.body;
    let line = figures.lines().find_map(|line| line.strip_prefix("spinoff_guard_password_hashes_total "));
    line.expect("the figure").parse().unwrap()
}

/// The memory that the guard occupies.
fn resident_kib(guard: &Guard) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", guard.process.id().unwrap())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_flood_of_guesses_costs_a_dozen_hashes_and_members_nothing() {
    let town = Town::new().await;
    let metrics = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let mut settings = with_door(town.settings()).await;
    settings.push(("GUARD_METRICS", metrics.clone()));
    let guard = Guard::start(&settings, &[]).await;
    let session = session(&guard, &[]).await;
    let before = hashes(&metrics).await;

    let address = guard.address.as_str();
    let flood = (0..400).map(|number| async move {
        let guess = basic(["root", "admin", "ada"][number % 3], &format!("guess {number}"));
        let claims = from(&format!("2001:db8:{number:x}::1"));
        ask(address, ["/", DOOR][number % 2], &[&guess, &claims]).await
    });
    let ada = bearer(&town.ada());
    let members = async {
        let mut passed = 0;
        for _ in 0..100 {
            passed += usize::from(ask(address, "/", &[&ada]).await.status == 200);
        }
        passed
    };
    let (answers, passed) = tokio::join!(join_all(flood), members);
    assert_eq!(passed, 100);
    assert!(answers.iter().all(|answer| answer.status == 401));
    let throttled = answers.iter().filter(|answer| answer.head.contains("retry-after: ")).count();
    for answer in &answers {
        let waits = answer.head.lines().find_map(|line| line.strip_prefix("retry-after: "));
        let says = waits.map_or("Wrong user or password".to_owned(), |wait| format!("Wait {wait} seconds"));
        assert!(answer.body.contains(&says) && !answer.body.contains("sign-in is missing"), "{answer:?}");
    }
    // The flood may last long enough for a few attempts more, one in ten seconds.
    let hashed = hashes(&metrics).await - before;
    assert!((12..=15).contains(&hashed), "{hashed}");
    assert_eq!(u64::try_from(400 - throttled).unwrap(), hashed, "every other guess was turned away at once");
    assert!(answers.iter().all(|answer| !answer.body.contains("http-equiv")), "a page must not guess again by itself");

    // Meanwhile one attempt may have come back: somebody else takes it, and the operator is turned away.
    let refused = soon("a refusal", async {
        loop {
            let answer = ask(address, "/", &[&right(), &from("192.0.2.1")]).await;
            if answer.status == 401 {
                return answer;
            }
            ask(address, "/", &[&basic("root", "used up"), &from("192.0.2.2")]).await;
        }
    })
    .await;
    assert!(refused.head.contains("retry-after: "), "{refused:?}");
    assert!(resident_kib(&guard) < 80 * 1024, "hashes leave nothing behind: {} KiB", resident_kib(&guard));
    let known = hashes(&metrics).await;
    assert_eq!(ask(address, "/", &[&session]).await.status, 200, "whoever is in stays in");
    assert_eq!(ask(address, "/", &[&ada]).await.status, 200);
    assert_eq!(hashes(&metrics).await, known, "neither costs a hash");

    assert!(guard.end().await.success());
    let told = town.main.emergencies();
    let attempts = |outcome: &str| -> u64 {
        told.iter().filter(|entry| entry["outcome"] == outcome).map(|entry| entry["count"].as_u64().unwrap()).sum()
    };
    assert!(attempts("refused") >= 12 && attempts("throttled") >= 380, "{told:?}");
    assert!(told.iter().any(|entry| entry["source"].is_null()), "too many to name");
}

#[tokio::test]
async fn a_cold_start_without_keys_keeps_members_out_and_lets_the_operator_in() {
    let town = Town::new().await;
    town.main.set_down(true);
    let guard = guarded(&town).await;
    assert_eq!(ask(&guard.address, "/", &[&right()]).await.status, 200);
    let session = session(&guard, &[]).await;
    assert_eq!(ask(&guard.address, "/", &[&session]).await.status, 200);
    let ada = bearer(&town.ada());
    assert_eq!(ask(&guard.address, "/", &[&ada]).await.status, 401);
    assert_eq!(ask(&guard.address, "/", &[&ada, &right()]).await.status, 401);
    assert_eq!(town.app.seen().len(), 2);
}

#[tokio::test]
async fn a_closed_instance_is_closed_to_the_operator_too() {
    let town = Town::new().await;
    let guard = guarded(&town).await;
    let session = session(&guard, &[]).await;
    for (serial, state, says) in [(2, ListState::Suspended, "suspended"), (3, ListState::Deleting, "being deleted")] {
        let list = town.list(serial, state, &["ada@example.com"]);
        assert_eq!(push(&guard.address, &list).await.status, 204);
        for line in [right(), session.clone()] {
            let page = ask(&guard.address, "/", &[&line]).await;
            assert!(page.status == 503 && page.body.contains(says), "{page:?}");
        }
        let stranger = ask(&guard.address, "/", &[&basic("root", "wrong")]).await;
        assert!(stranger.status == 401 && !stranger.body.contains(says), "{stranger:?}");
    }
    assert!(town.app.seen().is_empty());
}

#[tokio::test]
async fn a_use_survives_a_crash_and_is_told_when_the_main_instance_is_back() {
    let town = Town::new().await;
    town.main.set_down(true);
    let mut guard = guarded(&town).await;
    assert_eq!(ask(&guard.address, "/", &[&right(), &from("203.0.113.9")]).await.status, 200);
    guard.signal(Signal::SIGKILL);
    guard.ended().await;
    town.main.set_down(false);
    let guard = guarded(&town).await;
    until("the report", || !town.main.emergencies().is_empty()).await;
    let told = town.main.emergencies();
    assert_eq!((&told[0]["source"], &told[0]["outcome"]), (&json!("203.0.113.9"), &json!("accepted")));
    assert!(guard.end().await.success());
    let guard = guarded(&town).await;
    assert!(guard.end().await.success());
    assert_eq!(town.main.emergencies().len(), 1, "once is enough");
}

#[tokio::test]
async fn a_password_becomes_a_hash_that_opens() {
    let town = Town::new().await;
    for input in [format!("{PASSWORD}\n"), format!("{PASSWORD}\r\n"), PASSWORD.to_owned()] {
        let (code, hash, says) = hashed(&input).await;
        assert_eq!((code, says.as_str()), (Some(0), ""), "{input:?}");
        let file = town.folder.path().join("hash");
        std::fs::write(&file, &hash).unwrap();
        let mut settings = town.settings();
        settings.push(("GUARD_EMERGENCY_USER", "root".into()));
        settings.push(("GUARD_EMERGENCY_PASSWORD_HASH_FILE", file.display().to_string()));
        let guard = Guard::start(&settings, &[]).await;
        assert_eq!(ask(&guard.address, "/", &[&right()]).await.status, 200, "{input:?}");
    }
    let (code, hash, says) = hashed("short\n").await;
    assert!(
        code == Some(0) && hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && says.contains("warning"),
        "{says}"
    );
    for (input, why) in [("", "empty"), ("\n", "empty"), ("two\nlines\n", "control"), (&"x".repeat(2_000), "longer")] {
        let (code, hash, says) = hashed(input).await;
        assert!(code == Some(2) && hash.is_empty() && says.contains(why), "{input:?}: {says}");
    }
}

#[tokio::test]
async fn half_a_door_or_a_weak_one_does_not_start_and_says_how_to_make_a_good_one() {
    let town = Town::new().await;
    let (_, good, _) = hashed(PASSWORD).await;
    let weak = good.trim().replace("m=19456,t=2", "m=1024,t=1");
    for (user, hash, says) in [
        (Some("root"), None, "hash-password"),
        (None, Some(good.trim()), "--emergency-user"),
        (Some(""), Some(good.trim()), "visible ASCII"),
        (Some("a:b"), Some(good.trim()), "colon"),
        (Some("root"), Some(PASSWORD), "hash-password"),
        (Some("root"), Some(weak.as_str()), "too weak"),
        (Some("root"), Some("$2b$12$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"), "hash-password"),
    ] {
        let mut settings = town.settings();
        settings.extend(user.map(|user| ("GUARD_EMERGENCY_USER", user.to_owned())));
        settings.extend(hash.map(|hash| ("GUARD_EMERGENCY_PASSWORD_HASH", hash.to_owned())));
        let (code, complaint) = refused_start(&settings).await;
        assert_eq!(code, Some(2), "{says}: {complaint}");
        assert!(complaint.contains(says), "{says}: {complaint}");
        for secret in hash.into_iter().filter(|hash| hash.len() > 10) {
            assert!(!complaint.contains(secret), "{complaint}");
        }
    }
}
