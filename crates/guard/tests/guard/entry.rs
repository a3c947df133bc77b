//! Who gets in, and what the application then sees. Who does not is in the corpus.

use crate::support;
use crate::support::client::Kept;
use crate::support::{Guard, Town, ask, ask_with, bearer, push, refused_start, soon, until};
use access::ListState;

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
        async move { support::push(&address, &list).await.status }
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
        guests: Vec::new(),
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
async fn a_list_is_read_from_the_main_instance_only_and_one_at_a_time() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let list = town.list(2, ListState::Active, &["ada@example.com"]);
    let head = |proof: &str| {
        let length = list.len();
        format!(
            "PUT /-/members HTTP/1.1\r\nHost: acme.test\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n{proof}\r\n"
        )
    };
    let good = format!("Authorization: Bearer {}\r\n", access::pushed::proof(support::TOKEN));
    let stolen = format!("Authorization: Bearer {}\r\n", support::TOKEN);
    let other = format!("Authorization: Bearer {}\r\n", access::pushed::proof("another token"));
    for proof in ["", &stolen, &other, "Authorization: Bearer\r\n", &format!("{good}{good}"), &good.replace(' ', "  ")]
    {
        let mut client = Kept::connect(&guard.address).await.unwrap();
        client.send(head(proof)).await.unwrap();
        // It is told to go on when its body is asked for.
        let told = String::from_utf8(client.rest().await).unwrap();
        assert!(told.starts_with("HTTP/1.1 401 "), "{proof}: {told}");
    }

    let mut first = Kept::connect(&guard.address).await.unwrap();
    first.send(head(&good)).await.unwrap();
    assert!(soon("a word to go on", first.interim()).await.unwrap().starts_with("HTTP/1.1 100 "));
    let second = push(&guard.address, &list).await;
    assert!(second.status == 429 && second.head.contains("retry-after: 1"), "{second:?}");
    first.send(&list).await.unwrap();
    assert_eq!(soon("its answer", first.answer()).await.unwrap().status, 204);
    assert_eq!(push(&guard.address, &list).await.status, 204);
}

#[tokio::test]
async fn a_guard_without_a_token_believes_the_signature() {
    let town = Town::new().await;
    let mut settings = town.settings_without("GUARD_INSTANCE_TOKEN");
    settings.retain(|(name, _)| *name != "GUARD_MAIN_URL");
    let guard = Guard::start(&settings, &[]).await;
    let list = town.list(2, ListState::Active, &["ada@example.com"]);
    assert_eq!(ask_with(&guard.address, "PUT", "/-/members", &[], &list).await.status, 204);
    assert_eq!(ask(&guard.address, "/", &[&bearer(&town.ada())]).await.status, 200);
}

#[tokio::test]
async fn a_suspended_instance_explains_itself_to_its_members_only() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let ada = bearer(&town.ada());
    assert_eq!(ask(&guard.address, "/", &[&ada]).await.status, 200);
    for (serial, state, says) in [(2, ListState::Suspended, "suspended"), (3, ListState::Deleting, "being deleted")] {
        let list = town.list(serial, state, &["ada@example.com"]);
        assert_eq!(push(&guard.address, &list).await.status, 204);
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
    assert_eq!(push(&guard.address, &list).await.status, 204);
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
    let page = support::soon("the file that can't be read", async {
        loop {
            let page = ask(&guard.address, "/", &[&eve, "Accept: text/html"]).await;
            if page.body.contains("The list of members can't be read") {
                return page;
            }
        }
    });
    let page = page.await;
    assert!(page.head.contains("retry-after: 30") && page.body.contains("content=\"30\""), "{page:?}");
    std::fs::remove_file(&file).unwrap();
    becomes(eve.clone(), 403).await;
    std::fs::write(&file, "ada@example.com\n").unwrap();
    becomes(ada, 200).await;
}

#[tokio::test]
async fn what_is_asked_of_no_application_is_named_as_such() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let ada = bearer(&town.ada());
    for (method, target) in [("TRACE", "/"), ("CONNECT", "acme.test:443")] {
        let answer = ask_with(&guard.address, method, target, &[&ada, "Accept: application/json"], "").await;
        assert!(answer.status == 400 && answer.body.contains("not served here"), "{method}: {answer:?}");
    }
    assert!(town.app.seen().is_empty());
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
        assert_eq!(code, Some(2), "{says}");
        assert!(complaint.contains(says), "{says}: {complaint}");
    }
    until("nothing was asked", || town.main.total() == 0).await;
}

#[tokio::test]
async fn until_a_list_has_said_that_the_instance_is_open_nobody_enters() {
    let town = Town::new().await;
    town.main.set_members("no list");
    let guard = town.guard().await;
    let service = bearer(&town.forge.service_token("deploy.access"));
    let ask_both = async || {
        futures_util::future::join(
            ask(&guard.address, "/robots.txt", &["Accept: text/plain"]),
            ask(&guard.address, "/", &[&service]),
        )
        .await
    };
    let (public, listed) = ask_both().await;
    assert_eq!((public.status, listed.status), (403, 403), "it may be suspended");
    assert!(town.app.seen().is_empty());
    for (serial, state, status) in [(1, ListState::Suspended, 503), (2, ListState::Active, 200)] {
        let list = town.list(serial, state, &[]);
        assert_eq!(push(&guard.address, &list).await.status, 204);
        let (public, listed) = ask_both().await;
        assert_eq!((public.status, listed.status), (status, status), "{state:?}");
    }
    assert_eq!(town.app.seen().len(), 2);
}
