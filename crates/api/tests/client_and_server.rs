//! The client against a real server on a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use api::{Client, ClientError, InstanceFilter, NewInstance, Page, Paging};
use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::any;
use domain::{Email, InstanceState, Month, Subdomain};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Answers any request with what it received.
async fn echo(request: Request) -> impl IntoResponse {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap());
    let seen = json!({
        "method": parts.method.as_str(),
        "uri": parts.uri.to_string(),
        "token": header("authorization"),
        "key": header("idempotency-key"),
        "body": serde_json::from_slice(&body).unwrap_or(Value::Null),
    });
    // A problem is the one answer that every method of the client hands on whole.
    let problem = json!({"status": 418, "title": "", "detail": seen.to_string()});
    (StatusCode::IM_A_TEAPOT, axum::Json(problem))
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn seen<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> Value {
    match answer {
        Err(ClientError::Problem(problem)) => serde_json::from_str(&problem.detail).unwrap(),
        other => panic!("expected an echo, got {other:?}"),
    }
}

fn acme() -> NewInstance {
    NewInstance {
        customer_email: Email::parse("ada@example.com").unwrap(),
        subdomain: Subdomain::parse("acme").unwrap(),
    }
}

#[tokio::test]
async fn token_and_key_travel_only_where_given() {
    let url = serve(Router::new().fallback(any(echo))).await;
    let client = Client::new(&url, Some(SecretString::from("s3cret"))).unwrap();
    let with = seen(client.create_instance(&acme(), Some("order-7")).await);
    assert_eq!(with["method"], "POST");
    assert_eq!(with["uri"], "/api/v1/instances");
    assert_eq!(with["token"], "Bearer s3cret");
    assert_eq!(with["key"], "order-7");
    assert_eq!(with["body"], json!({"customer_email": "ada@example.com", "subdomain": "acme"}));
    let without = seen(Client::new(&url, None).unwrap().create_instance(&acme(), None).await);
    assert_eq!((&without["token"], &without["key"]), (&Value::Null, &Value::Null));
    assert!(!format!("{client:?}").contains("s3cret"));
}

#[tokio::test]
async fn queries_hold_what_was_asked_and_nothing_else() {
    let url = serve(Router::new().fallback(any(echo))).await;
    let client = Client::new(&url, None).unwrap();
    let uri = |seen: Value| seen["uri"].as_str().unwrap().to_owned();
    let all = client.instances(&InstanceFilter::default(), &Paging::default()).await;
    assert_eq!(uri(seen(all)), "/api/v1/instances");
    let some = client
        .instances(
            &InstanceFilter { state: Some(InstanceState::Active) },
            &Paging { cursor: Some("a b&c".to_owned()), limit: Some(2) },
        )
        .await;
    assert_eq!(uri(seen(some)), "/api/v1/instances?state=active&cursor=a+b%26c&limit=2");
    assert_eq!(uri(seen(client.usage("acme", None).await)), "/api/v1/instances/acme/usage");
    let month = Some(Month::parse("2026-11").unwrap());
    assert_eq!(uri(seen(client.usage("acme", month).await)), "/api/v1/instances/acme/usage?month=2026-11");
    assert_eq!(uri(seen(client.instance_logs("acme", 5).await)), "/api/v1/instances/acme/logs?lines=5");
}

#[tokio::test]
async fn a_name_cannot_lead_to_another_address() {
    let url = serve(Router::new().fallback(any(echo))).await;
    let client = Client::new(&url, None).unwrap();
    let uri = |seen: Value| seen["uri"].as_str().unwrap().to_owned();
    assert_eq!(uri(seen(client.instance("a/../b?c#d").await)), "/api/v1/instances/a%2F..%2Fb%3Fc%23d");
    let email = Email::parse("a/b?c#d%2f@example.com").unwrap();
    let removed = seen(client.remove_member("acme", &email).await);
    assert_eq!(removed["method"], "DELETE");
    assert_eq!(uri(removed), "/api/v1/instances/acme/members/a%2Fb%3Fc%23d%252f@example.com");
    for nothing in ["", ".", ".."] {
        assert!(client.instance(nothing).await.unwrap_err().is_not_found(), "{nothing:?}");
    }
}

#[tokio::test]
async fn a_main_instance_below_a_path_is_reached_there() {
    let url = serve(Router::new().fallback(any(echo))).await;
    for base in [format!("{url}/spinoff"), format!("{url}/spinoff/")] {
        let client = Client::new(&base, None).unwrap();
        assert_eq!(seen(client.instance("acme").await)["uri"], "/spinoff/api/v1/instances/acme");
    }
}

#[tokio::test]
async fn what_went_wrong_is_told_apart() {
    let router = Router::new()
        .route("/api/v1/instances/empty", any(|| async { "" }))
        .route("/api/v1/instances/away", any(|| async { (StatusCode::FOUND, [(header::LOCATION, "/login")]) }))
        .route("/api/v1/instances/broken", any(|| async { (StatusCode::BAD_GATEWAY, "<html>no</html>") }))
        .route(
            "/api/v1/instances/liar",
            any(|| async { (StatusCode::NOT_FOUND, axum::Json(json!({"status": 200, "title": "gone"}))) }),
        );
    let url = serve(router).await;
    let client = Client::new(&url, None).unwrap();
    assert!(matches!(client.instance("empty").await, Err(ClientError::Malformed { .. })));
    assert_eq!(client.instance("away").await.unwrap_err().status(), Some(302));
    let broken = client.instance("broken").await.unwrap_err();
    assert_eq!(broken.status(), Some(502));
    assert!(broken.to_string().contains("502 Bad Gateway"), "{broken}");
    let liar = client.instance("liar").await.unwrap_err();
    assert!(liar.is_not_found());
    assert_eq!(liar.to_string(), "gone");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Client::new(&url, None).unwrap().instance("acme").await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("refused"), "{error}");
    assert_eq!(error.status(), None);
}

#[test]
fn what_is_not_a_servers_address_is_refused() {
    for bad in ["", "localhost", "ftp://x", "http://", "http://a:b@x", "http://x/?q", "http://x/#f", "file:///etc"] {
        assert!(matches!(Client::new(bad, None), Err(ClientError::Address { .. })), "{bad:?}");
    }
    assert!(matches!(Client::new("http://x", Some(SecretString::from("a\nb"))), Err(ClientError::Setup(_))));
}

#[tokio::test]
async fn a_server_that_is_unwell_still_answers() {
    let unwell =
        || async { (StatusCode::SERVICE_UNAVAILABLE, axum::Json(json!({"status": "unavailable", "version": "1"}))) };
    let url = serve(Router::new().route("/-/health", any(unwell))).await;
    let report = Client::new(&url, None).unwrap().health().await.unwrap();
    assert_eq!(report.status, api::HealthState::Unavailable);
}

#[tokio::test]
async fn lists_are_read_to_their_end_and_circles_are_left() {
    let pages = |cursor: &str| match cursor {
        "" => Page { data: vec![1, 2], next_cursor: Some("b".to_owned()) },
        _ => Page { data: vec![3], next_cursor: None },
    };
    let all = Client::every(async |paging: Paging| Ok(pages(&paging.cursor.unwrap_or_default()))).await.unwrap();
    assert_eq!(all, Page::whole(vec![1, 2, 3]));
    let circle = Client::every(async |_| Ok(Page { data: vec![1], next_cursor: Some("a".to_owned()) })).await;
    assert!(matches!(circle, Err(ClientError::Malformed { .. })));
}
