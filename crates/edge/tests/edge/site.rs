use edge::{Edge, EdgeError, Settings};
use std::sync::Arc;
use store::Engine;
use world::{Clock, Entropy, Sealer};

use crate::town::{Town, email, no_mail};

#[tokio::test]
async fn the_site_is_one_more_hostname_to_sign_in_to() {
    let town = Town::start(Engine::Sqlite).await;
    town.edge.admit(town.edge.site(), &"root@example.com".parse().unwrap()).await.unwrap();
    let mut root = town.signed_in("root@example.com", "localhost").await;
    assert_eq!(root.visit("/cdn-cgi/access/get-identity").await.status(), 200);
    assert_eq!(identified(&town, &root.cookie_header()).await, Some(email("root@example.com")));
    assert_eq!(root.smuggled_to("acme.localhost").visit("/").await.status(), 302);

    town.edge.set_admissions(town.edge.site(), &[]).await.unwrap();
    assert_eq!(identified(&town, &root.cookie_header()).await, None);
}

#[tokio::test]
async fn a_member_of_an_instance_is_nobody_at_the_site() {
    let town = Town::start(Engine::Sqlite).await;
    let ada = town.signed_in("ada@example.com", "acme.localhost").await;
    assert_eq!(identified(&town, &ada.cookie_header()).await, None);
    assert_eq!(identified(&town, "").await, None);
    town.browser("localhost").ask_for_code("ada@example.com").await;
    assert!(town.no_mail_waits().await);
}

#[tokio::test]
async fn a_cookie_made_without_a_code_needs_an_admission_too() {
    let town = Town::start(Engine::Sqlite).await;
    let root = email("root@example.com");
    let cookie = town.edge.sign_in_to_site(&root).unwrap();
    let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(identified(&town, &pair).await, None);
    town.edge.admit(town.edge.site(), &"root@example.com".parse().unwrap()).await.unwrap();
    assert_eq!(identified(&town, &pair).await, Some(root));
    assert_eq!(town.edge.site_sign_in_url("/admin"), "/cdn-cgi/access/login?redirect_url=%2Fadmin");
    assert_eq!(town.edge.site_sign_in_url("https://evil.example"), "/cdn-cgi/access/login?redirect_url=%2F");
}

#[tokio::test]
async fn cookies_are_secure_where_the_site_is() {
    let db = store::testing::fresh(Engine::Sqlite, edge::MIGRATIONS).await;
    let open = async |public_url: &str| {
        let settings = Settings::new(public_url, "example.com", "AI-DIY");
        let sealer = Arc::new(Sealer::new([7; 32]));
        Edge::open(db.db.clone(), sealer, Clock::System, Entropy::System, settings, no_mail()).await
    };
    let edge = open("https://example.com").await.unwrap();
    assert_eq!(edge.issuer(), "https://example.com");
    assert!(edge.sign_in_to_site(&email("root@example.com")).unwrap().to_str().unwrap().ends_with("; Secure"));
    let form = |path: &str, body: &str, cookie: &str| {
        http::Request::post(format!("/cdn-cgi/access/{path}"))
            .header("host", "acme.example.com")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", cookie)
            .body(axum::body::Body::from(body.to_owned()))
            .unwrap()
    };
    let acme = crate::town::route(&edge, "acme.example.com", "127.0.0.1:1".parse().unwrap());
    edge.publish(&acme).await.unwrap();
    let asked = edge.handle(form("login", "email=ada%40example.com", "")).await;
    let tie = asked.headers()["set-cookie"].to_str().unwrap();
    assert!(tie.starts_with("__Host-spinoff_sign_in="), "a name that no neighbour can give: {tie}");
    assert!(tie.contains("; Path=/;") && tie.ends_with("; Secure") && !tie.contains("Domain"), "{tie}");
    let pair = tie.split(';').next().unwrap();
    let says = async |cookie: &str| {
        let answer = edge.handle(form("code", "code=000000", cookie)).await;
        let page = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        String::from_utf8(page.to_vec()).unwrap()
    };
    assert!(says(pair).await.contains("4 tries are left"));
    assert!(
        says(pair.strip_prefix("__Host-").unwrap()).await.contains("Ask for a new one"),
        "the plain name is nothing"
    );
    for url in ["", "example.com", "ftp://example.com", "https://127.0.0.1", "https://example.com/path"] {
        assert!(matches!(open(url).await, Err(EdgeError::PublicUrl(_))), "{url}");
    }
}

async fn identified(town: &Town, cookies: &str) -> Option<domain::Email> {
    let mut headers = http::HeaderMap::new();
    headers.insert("cookie", cookies.parse().unwrap());
    town.edge.identify(&headers).await.unwrap()
}
