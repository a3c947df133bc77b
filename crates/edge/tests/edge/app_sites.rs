//! The second hostname of every instance, where its app is shown: the same people, another session.

use edge::{EdgeError, HostState, Settings};
use reqwest::Method;
use store::Engine;
use store::sqlx;

use crate::town::{Town, email, host, no_mail, route};

crate::on_both_engines!(
    whoever_loses_the_instance_loses_its_app,
    an_apps_hostname_goes_with_its_instance,
    nobody_else_is_mailed_a_code_for_an_app,
);

const APP: &str = "acme-app.localhost";

async fn whoever_loses_the_instance_loses_its_app(engine: Engine) {
    let town = Town::start(engine).await;
    let acme = host("acme.localhost");
    let mut ada = town.signed_in("ada@example.com", APP).await;
    assert_eq!(ada.visit("/").await.status(), 200);
    let reached = town.upstream.seen().len();
    town.edge.set_admissions(&acme, &[]).await.unwrap();
    assert_eq!(ada.visit("/").await.status(), 403);
    town.edge.admit(&acme, &"ada@example.com".parse().unwrap()).await.unwrap();
    for state in [HostState::Suspended, HostState::Deleting] {
        town.edge.set_state(&acme, state, Some("Said so.")).await.unwrap();
        assert_eq!(ada.visit("/").await.status(), 503, "{state:?}");
        assert_eq!(ada.visit("/-/health").await.status(), 503, "{state:?}");
    }
    assert_eq!(town.upstream.seen().len(), reached);
    town.edge.set_state(&acme, HostState::Active, None).await.unwrap();
    assert_eq!(ada.visit("/").await.status(), 200);
}

async fn an_apps_hostname_goes_with_its_instance(engine: Engine) {
    let town = Town::start(engine).await;
    let mut ada = town.signed_in("ada@example.com", APP).await;
    town.browser(APP).ask_for_code("ada@example.com").await;
    town.edge.unpublish(&host("acme.localhost")).await.unwrap();
    assert_eq!(ada.visit("/").await.status(), 404);
    let waiting: i64 =
        sqlx::query_scalar("select count(*) from edge_codes").fetch_one(town.db.db.read()).await.unwrap();
    assert_eq!(waiting, 0);
}

async fn nobody_else_is_mailed_a_code_for_an_app(engine: Engine) {
    let town = Town::start(engine).await;
    // Only the instance's own list counts, whatever was once written down for such a name.
    town.edge.set_admissions(&host(APP), &["bob@example.com".parse().unwrap()]).await.unwrap();
    for stranger in ["bob@example.com", "eve@example.com"] {
        assert_eq!(town.browser(APP).ask_for_code(stranger).await.status(), 200);
    }
    town.browser(APP).ask_for_code("ada@example.com").await;
    let mail = town.next_mail().await;
    assert_eq!((mail.to, mail.hostname.as_str()), (email("ada@example.com"), "acme-app.localhost:8080"));
}

#[tokio::test]
async fn a_member_signs_in_to_the_app_apart_from_the_workspace() {
    let town = Town::start(Engine::Sqlite).await;
    let mut at_work = town.signed_in("ada@example.com", "acme.localhost").await;
    assert_eq!(at_work.visit("/").await.status(), 200);
    assert_eq!(at_work.smuggled_to(APP).visit("/").await.status(), 302, "the workspace's session is none here");

    let mut ada = town.browser(APP);
    assert_eq!(ada.visit("/").await.status(), 302);
    ada.ask_for_code("ada@example.com").await;
    let code = town.next_mail().await.code;
    let signed_in = ada.enter_code(&code).await;
    let cookies: Vec<_> = signed_in.headers().get_all("set-cookie").iter().map(|it| it.to_str().unwrap()).collect();
    let session = cookies.iter().find(|cookie| cookie.starts_with("CF_Authorization=")).unwrap();
    assert!(session.contains("HttpOnly") && !session.to_ascii_lowercase().contains("domain"), "{session}");

    assert_eq!(ada.visit("/made").await.status(), 200);
    let seen = town.upstream.last();
    assert_eq!(seen.target, "/made");
    assert_eq!(seen.header("host"), Some("acme-app.localhost:8080"), "the guard tells by it what is asked for");
    assert_eq!(seen.header("x-forwarded-host"), Some("acme-app.localhost:8080"));
    assert_eq!(seen.header("cookie"), None);
    assert_eq!(ada.smuggled_to("acme.localhost").visit("/").await.status(), 302, "nor is the app's there");
    assert_eq!(ada.smuggled_to("localhost").visit("/cdn-cgi/access/get-identity").await.status(), 401);
}

#[tokio::test]
async fn a_neighbour_enters_no_app_but_their_own() {
    let town = Town::start(Engine::Sqlite).await;
    let mut bob = town.signed_in("bob@example.com", "umbrella-app.localhost").await;
    assert_eq!(bob.visit("/").await.status(), 200);
    let reached = town.upstream.seen().len();
    for elsewhere in [APP, "acme.localhost", "umbrella.localhost"] {
        let mut smuggled = bob.smuggled_to(elsewhere);
        assert_eq!(smuggled.visit("/").await.status(), 302, "{elsewhere}");
        let script = smuggled.request(Method::POST, "/");
        assert_eq!(smuggled.send(script).await.status(), 401, "{elsewhere}");
    }
    assert_eq!(town.upstream.seen().len(), reached);
}

#[tokio::test]
async fn names_that_look_like_an_apps_lead_nowhere() {
    let town = Town::start(Engine::Sqlite).await;
    for (name, status) in [
        ("nobody-app.localhost", 404),
        ("acme-app-app.localhost", 404),
        ("acme-apps.localhost", 404),
        ("acmeapp.localhost", 404),
        ("acme.x-app.localhost", 404),
        ("x.acme-app.localhost", 404),
        ("-app.localhost", 421),
        ("localhost-app", 421),
        ("acme-app.example.com", 421),
    ] {
        assert_eq!(town.browser(name).visit("/").await.status(), status, "{name}");
    }
    let taken = town.edge.publish(&route(&town.edge, APP, town.upstream.address)).await;
    assert!(matches!(taken, Err(EdgeError::AppSite(_))), "{taken:?}");
}

#[tokio::test]
async fn where_guards_know_no_apps_there_are_no_such_names() {
    let town = Town::start(Engine::Sqlite).await;
    let settings = Settings::new("http://localhost:8080", "localhost", "AI-DIY");
    let sealer = std::sync::Arc::new(world::Sealer::new([7; 32]));
    let (db, entropy) = (town.db.db.clone(), world::Entropy::System);
    let edge = edge::Edge::open(db, sealer, town.clock.clone(), entropy, settings, no_mail()).await.unwrap();
    for (name, status) in [("acme.localhost", 401), (APP, 404)] {
        let request = axum::extract::Request::builder().uri("/").header("host", name);
        assert_eq!(edge.handle(request.body(axum::body::Body::empty()).unwrap()).await.status(), status, "{name}");
    }
}

#[tokio::test]
async fn where_apps_may_be_shared_the_guard_of_an_app_says_whether_strangers_get_in() {
    let town = Town::start_with(Engine::Sqlite, |settings, _| settings.shared_apps = true).await;
    let bob = town.signed_in("bob@example.com", "umbrella-app.localhost").await;
    for (who, mut stranger) in [("nobody", town.browser(APP)), ("a neighbour", bob.smuggled_to(APP))] {
        assert_eq!(stranger.visit("/made?x=1").await.status(), 200, "{who}");
        let seen = town.upstream.last();
        assert_eq!(seen.target, "/made?x=1");
        assert_eq!(seen.header("host"), Some("acme-app.localhost:8080"));
        assert_eq!(seen.header("cf-access-jwt-assertion"), None, "{who} is nobody there");
        assert_eq!(seen.header("cookie"), None);
        let script = stranger.request(Method::POST, "/made").header("x-spinoff-user", "ada@example.com");
        assert_eq!(stranger.send(script.body("text")).await.status(), 200, "{who}");
        assert_eq!(&town.upstream.last().body[..], b"text");
        assert_eq!(town.upstream.last().header("x-spinoff-user"), None);

        let turned_away = stranger.visit("/for-members").await;
        assert_eq!(turned_away.status(), 302, "{who} is sent to sign in, as ever");
        assert_eq!(turned_away.headers().get("x-spinoff-refused-by").unwrap(), "edge");
        let script = stranger.request(Method::POST, "/for-members");
        assert_eq!(stranger.send(script).await.status(), 401, "{who}");
    }
    let reached = town.upstream.seen().len();
    for (name, path) in [
        ("acme.localhost", "/made"),
        ("acme.localhost", "/for-members"),
        (APP, "/-/access/emergency"),
        (APP, "/-/access/whoami"),
        (APP, "/-/data/export"),
    ] {
        assert_eq!(town.browser(name).visit(path).await.status(), 302, "{name}{path}");
    }
    assert_eq!(town.upstream.seen().len(), reached);
    let mut ada = town.signed_in("ada@example.com", APP).await;
    assert_eq!(ada.visit("/made").await.status(), 200);
    assert!(town.upstream.last().header("cf-access-jwt-assertion").is_some(), "members stay members");
    town.edge.set_state(&host("acme.localhost"), HostState::Suspended, None).await.unwrap();
    assert_eq!(town.browser(APP).visit("/made").await.status(), 503);
}

#[tokio::test]
async fn an_app_whose_guard_is_away_is_shared_with_nobody() {
    let town = Town::start_with(Engine::Sqlite, |settings, _| settings.shared_apps = true).await;
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    town.edge.publish(&route(&town.edge, "acme.localhost", gone)).await.unwrap();
    assert_eq!(town.browser(APP).visit("/made").await.status(), 302);
}
