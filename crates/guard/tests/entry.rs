//! Who gets in, and what the application then sees.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use access::ListState;
use serde_json::json;
use support::client::raw;
use support::{Forge, Guard, Town, ask, ask_with, refused_start, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn bearer(token: &str) -> String {
    format!("Cf-Access-Jwt-Assertion: {token}")
}

/// Header lines that must not open the door, and why.
fn hostile_headers(town: &Town) -> Vec<(&'static str, Vec<String>)> {
    let (forge, ada) = (&town.forge, town.ada());
    let stranger = Forge::new();
    let one = |token: String| vec![bearer(&token)];
    let cookie = |token: &str| format!("Cookie: CF_Authorization={token}");
    let now = support::forge::now();
    let unsigned = ada.rsplit_once('.').unwrap().0.to_owned();
    let kid = forge.header()["kid"].clone();
    vec![
        ("nothing", vec![]),
        ("an empty header", one(String::new())),
        ("nonsense", one("nonsense".into())),
        ("two headers, both good", vec![bearer(&ada), bearer(&ada)]),
        ("a bad header beside a good cookie", vec![bearer("x.y.z"), cookie(&ada)]),
        ("an empty header beside a good cookie", vec![bearer(""), cookie(&ada)]),
        ("two cookies", vec![format!("Cookie: CF_Authorization={ada}; CF_Authorization=x")]),
        ("two cookie headers", vec![cookie(&ada), cookie("x")]),
        ("a cookie of another name", vec![format!("Cookie: CF_Authorization2={ada}")]),
        ("a cookie in other letters", vec![format!("Cookie: cf_authorization={ada}")]),
        ("the header with underscores", vec![format!("Cf_Access_Jwt_Assertion: {ada}")]),
        ("a bearer token", vec![format!("Authorization: Bearer {ada}")]),
        ("a claim to be someone", vec!["X-Spinoff-User: ada@example.com".into()]),
        ("Access's e-mail header", vec!["Cf-Access-Authenticated-User-Email: ada@example.com".into()]),
        ("HTTP Basic", vec!["Authorization: Basic YWRhOmFkYQ==".into()]),
        ("no signature", one(format!("{unsigned}."))),
        ("alg none", one(forge.sign(&json!({"alg": "none", "kid": kid}), &forge.claims("ada@example.com")))),
        ("alg HS256", one(forge.with_header("alg", json!("HS256")))),
        ("alg PS256", one(forge.with_header("alg", json!("PS256")))),
        ("another issuer's key under a strange id", one(stranger.token("ada@example.com"))),
        ("another issuer's key under our id", one(stranger.sign(&forge.header(), &forge.claims("ada@example.com")))),
        ("an unknown key id", one(forge.with_header("kid", json!("nobody")))),
        ("a key id that is no text", one(forge.with_header("kid", json!(7)))),
        ("a key brought along", one(forge.with_header("jwk", json!({"kty": "RSA"})))),
        ("a key address brought along", one(forge.with_header("jku", json!("http://evil/keys")))),
        ("a certificate address", one(forge.with_header("x5u", json!("http://evil/cert")))),
        ("a critical extension", one(forge.with_header("crit", json!(["exp"])))),
        ("another audience", one(forge.with("aud", json!(["other"])))),
        ("no audience", one(forge.with("aud", json!(null)))),
        ("an empty audience list", one(forge.with("aud", json!([])))),
        ("another issuer", one(forge.with("iss", json!("https://evil.cloudflareaccess.com")))),
        ("an issuer with a slash", one(forge.with("iss", json!(format!("{}/", support::ISSUER))))),
        ("no issuer", one(forge.with("iss", json!(null)))),
        ("expired", one(forge.with("exp", json!(now - 31)))),
        ("no expiry", one(forge.with("exp", json!(null)))),
        ("an expiry in words", one(forge.with("exp", json!("9999999999")))),
        ("not valid yet", one(forge.with("nbf", json!(now + 120)))),
        ("issued in the future", one(forge.with("iat", json!(now + 120)))),
        ("an organisation token", one(forge.with("type", json!("org")))),
        ("nobody's", one(forge.with("email", json!(null)))),
        ("a stranger's", one(forge.token("eve@example.com"))),
        ("a look-alike's", one(forge.token("ada+x@example.com"))),
        ("a dotted look-alike's", one(forge.token("a.da@example.com"))),
        ("a subdomain look-alike's", one(forge.token("ada@mail.example.com"))),
        ("a suffix look-alike's", one(forge.token("ada@example.com.evil.org"))),
        ("two addresses in one", one(forge.token("ada@example.com,eve@example.com"))),
        ("a space before the address", one(forge.token(" ada@example.com"))),
        ("a list of addresses", one(forge.with("email", json!(["ada@example.com"])))),
        ("a service that is not listed", one(forge.service_token("other.access"))),
        ("a member's address as a service name", one(forge.service_token("ada@example.com"))),
        ("padding", one(format!("{ada}="))),
        ("a fourth part", one(format!("{ada}.x"))),
        ("too long", one(forge.with("groups", json!("g".repeat(17_000))))),
    ]
}

#[tokio::test]
async fn nothing_unauthorised_reaches_the_application() {
    let town = Town::new().await;
    let guard = town.guard().await;
    assert_eq!(ask(&guard.address, "/warm", &[&bearer(&town.ada())]).await.status, 200);
    let before = town.app.seen().len();

    let cases = hostile_headers(&town);
    assert!(cases.len() >= 50);
    for (why, lines) in &cases {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let page = ask(&guard.address, "/secret", &lines).await;
        assert!([401, 403].contains(&page.status), "{why}: {} {}", page.status, page.body);
        let post = ask_with(&guard.address, "POST", "/secret", &lines, "body").await;
        assert!([401, 403].contains(&post.status), "POST, {why}: {}", post.status);
        for hint in ["kid", "signature", "audience", "expired", "issuer", "RS256"] {
            assert!(!page.body.contains(hint), "{why}: tells too much: {}", page.body);
        }
    }
    assert_eq!(town.app.seen().len(), before, "{:?}", town.app.last());
}

#[tokio::test]
async fn paths_that_look_public_are_not() {
    let town = Town::new().await;
    let guard = town.guard().await;
    for path in [
        "/robots.txt/",
        "/robots.txt/x",
        "/ROBOTS.TXT",
        "//robots.txt",
        "/robots%2etxt",
        "/x/../robots.txt",
        "/./robots.txt",
        "/-/health/",
        "/-/health?x",
        "/-/health%20",
        "//-/health",
        "/-/Health",
        "/-/x/../health",
        "/%2d/health",
        "/-/access/",
        "/-/access/whoami/x",
        "/-/members",
        "/-/activity",
        "/cdn-cgi/access/certs",
        "*",
    ] {
        let answer = ask(&guard.address, path, &[]).await;
        assert!([400, 401].contains(&answer.status), "{path}: {}", answer.status);
    }
    assert!(town.app.seen().is_empty(), "{:?}", town.app.last());
    assert_eq!(ask(&guard.address, "/robots.txt", &[]).await.status, 200);
    assert!(!town.app.last().contains("x-spinoff-user"));
}

#[tokio::test]
async fn requests_that_can_be_read_in_two_ways_are_refused_even_from_members() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let token = bearer(&town.ada());
    for (request, why) in [
        (format!("GET / HTTP/1.1\r\n{token}\r\n\r\n"), "no host"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n{token}\r\n\r\n"), "two hosts"),
        (format!("GET / HTTP/1.1\r\nHost: \r\n{token}\r\n\r\n"), "an empty host"),
        (format!("GET / HTTP/1.1\r\nHost: a@b\r\n{token}\r\n\r\n"), "a user in the host"),
        (format!("GET / HTTP/1.1\r\nHost: a/b\r\n{token}\r\n\r\n"), "a path in the host"),
        (format!("GET http://other/ HTTP/1.1\r\nHost: a\r\n{token}\r\n\r\n"), "a target at odds with the host"),
        (format!("TRACE / HTTP/1.1\r\nHost: a\r\n{token}\r\n\r\n"), "TRACE"),
        (format!("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n{token}\r\n\r\n"), "CONNECT"),
        (
            format!("POST / HTTP/1.1\r\nHost: a\r\n{token}\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc"),
            "two lengths",
        ),
        (format!("POST / HTTP/1.1\r\nHost: a\r\n{token}\r\nTransfer-Encoding: x\r\n\r\nabc"), "an unknown framing"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{token}\r\nX : y\r\n\r\n"), "a space before a colon"),
    ] {
        let answer = raw(&guard.address, &request).await;
        assert_eq!(answer.status, 400, "{why}: {}", answer.body);
    }
    assert!(town.app.seen().is_empty(), "{:?}", town.app.last());
}

#[tokio::test]
async fn a_kept_connection_is_decided_anew_at_each_request() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let mut stream = tokio::net::TcpStream::connect(&guard.address).await.unwrap();
    let good = format!("GET /one HTTP/1.1\r\nHost: a\r\n{}\r\n\r\n", bearer(&town.ada()));
    stream
        .write_all(format!("{good}GET /two HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("HTTP/1.1 401"), "{text}");
    assert_eq!(town.app.seen().len(), 1);
}

#[tokio::test]
async fn the_application_sees_who_it_is_and_nothing_that_a_client_made_up() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let token = town.forge.token("Ada@Example.com");
    let answer = ask(
        &guard.address,
        "/page?x=%2F",
        &[
            &bearer(&token),
            &format!("Cookie: a=1; CF_Authorization={token}; b=2"),
            "X-Spinoff-User: root@example.com",
            "x_spinoff_user: root@example.com",
            "X-Spinoff-User-Id: 0",
            "X-Forwarded-Host: evil",
            "X-Forwarded-User: root",
            "X_Forwarded_For: 6.6.6.6",
            "X-Forwarded-For: 6.6.6.6, 203.0.113.9",
            "X-Forwarded-Proto: https",
            "Forwarded: for=6.6.6.6",
            "X-Real-IP: 6.6.6.6",
            "Cf-Access-Authenticated-User-Email: root@example.com",
            "Cf-Connecting-Ip: 6.6.6.6",
            "Connection: X-Spinoff-User, X-Forwarded-For",
            "Authorization: Bearer for-the-app",
        ],
    )
    .await;
    assert_eq!(answer.status, 200);
    let seen = town.app.last();
    for line in [
        "GET /page?x=%2F\n",
        "x-spinoff-user: ada@example.com\n",
        "x-spinoff-user-id: usr-1\n",
        "x-forwarded-for: 203.0.113.9\n",
        "x-forwarded-proto: https\n",
        "x-forwarded-host: acme.test\n",
        "cookie: a=1; b=2\n",
        "authorization: Bearer for-the-app\n",
        "host: acme.test\n",
    ] {
        assert!(seen.contains(line), "{line:?} not in {seen}");
    }
    for never in ["root", "6.6.6.6", "evil", &token, "cf-access", "CF_Auth"] {
        assert!(!seen.contains(never), "{never:?} in {seen}");
    }
}

#[tokio::test]
async fn a_cookie_or_a_listed_service_token_opens_as_well() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let cookie = format!("Cookie: CF_Authorization={}", town.ada());
    assert_eq!(ask(&guard.address, "/", &[&cookie]).await.status, 200);
    let service = bearer(&town.forge.service_token("deploy.access"));
    assert_eq!(ask(&guard.address, "/", &[&service]).await.status, 200);
    assert!(town.app.last().contains("x-spinoff-user: deploy.access\n"));
}

#[tokio::test]
async fn a_pushed_list_holds_from_the_next_request_on() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let (ada, eve) = (bearer(&town.ada()), bearer(&town.forge.token("eve@example.com")));
    assert_eq!(ask(&guard.address, "/", &[&ada]).await.status, 200);
    let push = |list: String| {
        let address = guard.address.clone();
        async move { ask_with(&address, "PUT", "/-/members", &[], &list).await.status }
    };
    let old = town.list(2, ListState::Active, &["ada@example.com"]);
    let new = town.list(3, ListState::Active, &["eve@example.com"]);
    assert_eq!(push(new.clone()).await, 204);
    assert_eq!(ask(&guard.address, "/", &[&ada]).await.status, 403);
    assert_eq!(ask(&guard.address, "/", &[&eve]).await.status, 200);
    assert_eq!(push(new).await, 204, "the same again is no mistake");
    assert_eq!(push(old).await, 409);

    let forger = access::MembersKey::generate().unwrap();
    let list = access::MemberList {
        instance: support::instance(),
        serial: 9,
        state: ListState::Active,
        members: vec!["ada@example.com".parse().unwrap()],
    };
    assert_eq!(push(serde_json::to_string(&forger.sign(&list)).unwrap()).await, 403);
    let other = access::MemberList { instance: domain::InstanceId::new(jiff::Timestamp::UNIX_EPOCH, [8; 10]), ..list };
    assert_eq!(push(serde_json::to_string(&town.key.sign(&other)).unwrap()).await, 403);
    assert_eq!(push("{}".into()).await, 400);
    assert_eq!(push("x".repeat(2_000_000)).await, 400);
    assert_eq!(ask(&guard.address, "/", &[&ada]).await.status, 403);
}

#[tokio::test]
async fn a_suspended_instance_explains_itself_to_its_members_only() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let ada = bearer(&town.ada());
    assert_eq!(ask(&guard.address, "/", &[&ada]).await.status, 200);
    for (serial, state, says) in [(2, ListState::Suspended, "suspended"), (3, ListState::Deleting, "being deleted")] {
        let list = town.list(serial, state, &["ada@example.com"]);
        assert_eq!(ask_with(&guard.address, "PUT", "/-/members", &[], &list).await.status, 204);
        let page = ask(&guard.address, "/", &[&ada, "Accept: text/html"]).await;
        assert!(page.status == 503 && page.body.contains(says), "{page:?}");
        assert!(page.head.contains("text/html") && page.head.contains("no-store"), "{}", page.head);
        let json = ask(&guard.address, "/", &[&ada, "Accept: application/json"]).await;
        assert!(json.status == 503 && json.head.contains("application/problem+json"), "{json:?}");
        let problem: serde_json::Value = serde_json::from_str(&json.body).unwrap();
        assert_eq!(problem["status"], 503);
        assert_eq!(ask(&guard.address, "/robots.txt", &[]).await.status, 503);
        let stranger = bearer(&town.forge.token("eve@example.com"));
        assert_eq!(ask(&guard.address, "/", &[&stranger]).await.status, 403);
    }
    assert_eq!(town.app.seen().len(), 1);
    let list = town.list(4, ListState::Active, &["ada@example.com"]);
    assert_eq!(ask_with(&guard.address, "PUT", "/-/members", &[], &list).await.status, 204);
    assert_eq!(ask(&guard.address, "/", &[&ada]).await.status, 200);
}

#[tokio::test]
async fn a_members_file_is_reread_when_it_changes() {
    let town = Town::new().await;
    let file = town.folder.path().join("members.txt");
    std::fs::write(&file, "# staff\nada@example.com\n").unwrap();
    let guard = Guard::start(&town.settings_with_file(&file), &[]).await;
    let (ada, eve) = (bearer(&town.ada()), bearer(&town.forge.token("eve@example.org")));
    assert_eq!(ask(&guard.address, "/", &[&ada]).await.status, 200);
    assert_eq!(ask(&guard.address, "/", &[&eve]).await.status, 403);
    assert_eq!(ask_with(&guard.address, "PUT", "/-/members", &[], "{}").await.status, 404);

    let becomes = |who: String, status: u16| {
        let address = guard.address.clone();
        support::soon("the change", async move { while ask(&address, "/", &[&who]).await.status != status {} })
    };
    std::fs::write(&file, "@example.org\n").unwrap();
    becomes(ada.clone(), 403).await;
    becomes(eve.clone(), 200).await;
    std::fs::write(&file, "@example.org\nthis is no address\n").unwrap();
    becomes(eve.clone(), 403).await;
    std::fs::remove_file(&file).unwrap();
    becomes(eve.clone(), 403).await;
    std::fs::write(&file, "ada@example.com\n").unwrap();
    becomes(ada, 200).await;
}

#[tokio::test]
async fn who_am_i_and_sign_out_need_no_membership() {
    let town = Town::new().await;
    let guard = town.guard().await;
    for (email, member) in [("ada@example.com", true), ("eve@example.com", false)] {
        let answer = ask(&guard.address, "/-/access/whoami", &[&bearer(&town.forge.token(email))]).await;
        let who: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((who["email"].as_str(), who["member"].as_bool()), (Some(email), Some(member)));
    }
    assert_eq!(ask(&guard.address, "/-/access/whoami", &[]).await.status, 401);
    let answer = ask(&guard.address, "/-/access/logout", &[]).await;
    assert_eq!(answer.status, 303);
    assert!(answer.head.contains("location: /cdn-cgi/access/logout"), "{}", answer.head);
    assert!(answer.head.contains("cf_authorization=; path=/; max-age=0"), "{}", answer.head);
    assert!(town.app.seen().is_empty());
}

#[tokio::test]
async fn a_configuration_that_would_be_an_open_door_does_not_start() {
    let town = Town::new().await;
    let without = |name: &str| -> Vec<_> { town.settings().into_iter().filter(|(key, _)| *key != name).collect() };
    for (settings, says) in [
        (without("GUARD_ISSUER"), "issuer"),
        (without("GUARD_AUDIENCE"), "audience"),
        (without("GUARD_INSTANCE"), "--instance"),
        (town.settings_with_file(std::path::Path::new("/does/not/exist")), "/does/not/exist"),
    ] {
        let (code, complaint) = refused_start(&settings).await;
        assert!(code == Some(2) || code == Some(1), "{says}: {code:?}");
        assert!(complaint.contains(says), "{says}: {complaint}");
    }
    until("nothing was asked", || town.main.total() == 0).await;
}
