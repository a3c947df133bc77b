//! Which Access application stands before an instance.

use serde_json::{Value, json};

use crate::server::{Server, WORKFLOW, accepted, instance, problem, step, workflow};
use crate::spinoff::{ask, ask_with_input, run};

const ACCESS: &str = "/api/v1/instances/acme/access";

fn changing() -> Server {
    let done = workflow("done", &[step("make application", "do", "done")]);
    Server::start().on(&format!("PUT {ACCESS}"), 202, accepted()).on(&format!("DELETE {ACCESS}"), 202, accepted()).on(
        &format!("GET /api/v1/workflows/{WORKFLOW}"),
        200,
        done,
    )
}

fn with(access: &Value) -> Server {
    let mut shown = instance("acme", "active");
    shown["access"] = access.clone();
    Server::start().on("GET /api/v1/instances/acme", 200, shown)
}

#[test]
fn an_identity_provider_that_is_known_is_named() {
    let server = changing();
    let ran = ask(&server.url, &["instances", "access", "own", "acme", "--identity-provider", "Acme Okta"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "acme has its own application\n"), "{ran:?}");
    assert_eq!(server.changes()[0].line, format!("PUT {ACCESS}"));
    assert_eq!(server.changes()[0].body, json!({"identity_provider": {"existing": "Acme Okta"}}));
}

#[test]
fn the_secret_of_a_client_comes_from_a_file_or_standard_input_and_is_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "s3cret\n").unwrap();
    let own =
        ["instances", "access", "own", "acme", "--issuer", "https://login.acme.example", "--client-id", "spinoff"];
    let wanted = json!({"identity_provider": {"oidc": {
        "issuer": "https://login.acme.example", "client_id": "spinoff", "client_secret": "s3cret",
    }}});
    for from in [file.to_str().unwrap(), "-"] {
        let server = changing();
        let args = [&own[..], &["--client-secret-file", from, "--no-wait"]].concat();
        let ran = ask_with_input(&server.url, &args, "s3cret\n");
        assert!(ran.code == 0 && ran.out.contains(WORKFLOW), "{ran:?}");
        assert_eq!(server.changes()[0].body, wanted, "{from}");
        assert!(!format!("{ran:?}").contains("s3cret"), "{ran:?}");
    }
    let server = changing();
    let empty = ask_with_input(&server.url, &[&own[..], &["--client-secret-file", "-"]].concat(), "\n");
    empty.assert_failed(2, &["client's secret", "empty"]);
    let missing = ask(&server.url, &[&own[..], &["--client-secret-file", "/nowhere/secret"]].concat());
    missing.assert_failed(1, &["/nowhere/secret"]);
    assert_eq!(server.changes(), []);
    for args in [&own[..], &own[..4], &[&own[..], &["--identity-provider", "x"]].concat()] {
        assert_eq!(run(args).code, 2, "{args:?}");
    }
}

#[test]
fn the_shared_one_is_given_back_and_a_refusal_says_why() {
    let server = changing();
    let ran = ask(&server.url, &["instances", "access", "shared", "acme"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "the shared application stands before acme\n"), "{ran:?}");
    assert_eq!(server.changes()[0].line, format!("DELETE {ACCESS}"));
    let why = problem(409, "acme has no Access application of its own", "There is nothing to take back.");
    let server = Server::start().on(&format!("DELETE {ACCESS}"), 409, why);
    ask(&server.url, &["instances", "access", "shared", "acme"])
        .assert_failed(4, &["no Access application", "nothing"]);
}

#[test]
fn what_stands_before_an_instance_is_shown() {
    let own = json!({"application": "own", "identity_provider": "Acme Okta", "changing": true});
    let server = with(&own);
    let ran = ask(&server.url, &["instances", "access", "show", "acme"]);
    assert!(ran.code == 0 && ran.out.starts_with("own application, with Acme Okta (it changes just now)"), "{ran:?}");
    assert_eq!(ask(&server.url, &["instances", "access", "show", "acme", "--json"]).json(), own);
    let shown = ask(&server.url, &["instances", "show", "acme"]);
    assert!(shown.out.contains("own application, with Acme Okta"), "{shown:?}");
    let ran = ask(&with(&json!(null)).url, &["instances", "access", "show", "acme"]);
    ran.assert_failed(3, &["the same way"]);
}
