//! One address for everything: which hostname leads where.

use reqwest::{Method, StatusCode, header};

use crate::support::TestApp;

#[tokio::test]
async fn whether_it_is_well_the_main_instance_says_at_any_hostname_and_nothing_else() {
    let app = TestApp::start().await;
    assert_eq!(app.provision("ada@example.com", "acme").await, "done");
    let ask = async |method: Method, host: &str, path: &str| {
        let request = app.http().request(method, format!("{}{path}", app.url())).header(header::HOST, host);
        let answer = request.send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    for host in ["healthcheck.railway.app", "10.0.0.7:8080", "spinoff-6f9c.internal", "localhost", "127.0.0.1"] {
        for path in ["/-/health", "/-/ready"] {
            let (status, body) = ask(Method::GET, host, path).await;
            assert_eq!(status, StatusCode::OK, "{host}{path}: {body}");
            assert!(body.contains("\"status\":\"ok\""), "{host}{path}: {body}");
        }
    }
    for path in ["/", "/-/health/", "/-/healthy", "/signup", "/api/v1/openapi.json", "/admin"] {
        let (status, _) = ask(Method::GET, "healthcheck.railway.app", path).await;
        assert_eq!(status, StatusCode::MISDIRECTED_REQUEST, "{path}");
    }
    // At instances' hostnames, their guards answer, or nobody.
    assert_eq!(ask(Method::GET, "nobody.localhost", "/-/health").await.0, StatusCode::NOT_FOUND);
    let (_, body) = ask(Method::GET, &app.shown("acme"), "/-/health").await;
    assert!(!body.contains("\"status\":\"ok\",\"version\""), "{body}");
}
