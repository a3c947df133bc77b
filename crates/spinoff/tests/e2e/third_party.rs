//! Web applications that know nothing of us, sold unchanged: what their customers do with them
//! works through edge and guard, and an hour of it is on the bill.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::support::apps::Apps;
use crate::support::server::Server;
use crate::support::sign_in::Session;
use crate::support::until::until;

const ADA: &str = "ada@example.com";

/// Datasette offers writing through queries that its owner names.
const DATASETTE: &str = r#"
cat > "$DATA/metadata.json" <<'END'
{"databases": {"notes": {"queries": {
    "begin": {"sql": "create table if not exists notes (text text)", "write": true},
    "add": {"sql": "insert into notes (text) values (:text)", "write": true}
}}}}
END
exec PROGRAM serve "$DATA/notes.db" --create --metadata "$DATA/metadata.json" --host 127.0.0.1 --port "$PORT""#;

const JUPYTER: &str = r#"
exec PROGRAM --no-browser --ip=127.0.0.1 --port="$PORT" --ServerApp.root_dir="$DATA" \
    --ServerApp.allow_remote_access=True --IdentityProvider.token="""#;

#[tokio::test]
async fn datasette_keeps_what_a_customer_writes() {
    let apps = Apps::installed();
    let command = DATASETTE.replace("PROGRAM", &apps.program("datasette"));
    let mut server = apps.seller().app(&command).start().await;
    server.provision(ADA, "acme");
    let mut ada = server.sign_in("acme", ADA).await;

    write(&server, &mut ada, "begin", &[]).await;
    write(&server, &mut ada, "add", &[("text", "it's \"kept\" & safe")]).await;
    let rows: Value = serde_json::from_str(&ada.text(&server, "/notes/notes.json?_shape=array").await).unwrap();
    assert_eq!(rows[0]["text"], "it's \"kept\" & safe", "{rows}");
    assert!(server.project("acme").join("data/notes.db").is_file(), "it lies in the customer's own volume");

    let stranger = server.at("acme", "/notes/notes.json").send().await.unwrap();
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
    assert!(!stranger.text().await.unwrap().contains("kept"));
    assert_an_hour_on_the_bill(&server).await;

    assert!(server.stop().await.success());
    server.restart().await;
    server.until_healthy("acme").await;
    let rows = ada.text(&server, "/notes/notes.json?_shape=array").await;
    assert!(rows.contains("kept"), "{rows}");
}

#[tokio::test]
async fn a_jupyter_terminal_works_through_its_web_socket() {
    let apps = Apps::installed();
    let command = JUPYTER.replace("PROGRAM", &apps.program("jupyter-server"));
    let server = apps.seller().app(&command).health("/api").start().await;
    server.provision(ADA, "acme");
    let mut ada = server.sign_in("acme", ADA).await;

    // Every page of its own sets the cookie against forged requests, the one that finds nothing too.
    let page = ada.get(&server, "/nothing-here").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::NOT_FOUND);
    ada.keep(&page);
    let made = ada.post(&server, "/api/terminals");
    let made = made.header("x-xsrftoken", ada.cookie_named("_xsrf").unwrap_or_default()).send().await.unwrap();
    let (status, text) = (made.status(), made.text().await.unwrap());
    assert_eq!(status, StatusCode::OK, "{text}");
    let terminal: Value = serde_json::from_str(&text).unwrap();
    let path = format!("/terminals/websocket/{}", terminal["name"].as_str().unwrap());

    let shown = type_into(&server, &ada, &path, "echo answer-$((6*7))\r", "answer-42").await;
    assert!(shown.contains("answer-42"), "{shown}");
    refuses_socket(&server, &path).await;
    assert_an_hour_on_the_bill(&server).await;
}

/// Sends a form of Datasette's, as a person does who opened its page.
async fn write(server: &Server, session: &mut Session, query: &str, fields: &[(&str, &str)]) {
    let path = format!("/notes/{query}");
    let page = session.get(server, &path).send().await.unwrap();
    session.keep(&page);
    let page = page.text().await.unwrap();
    let token = page.split("name=\"csrftoken\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let token = token.unwrap_or_else(|| panic!("no token in {page}"));
    let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("csrftoken", token)]).collect();
    let answer = session.post(server, &path).header("accept", "application/json").form(&fields).send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, StatusCode::OK, "{text}");
    assert!(text.contains("\"ok\": true"), "{text}");
}

/// Types at a terminal, and gives what is on it once the words were seen.
async fn type_into(server: &Server, session: &Session, path: &str, keys: &str, words: &str) -> String {
    let stream = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    let request = socket_request(session.host(), path, Some(&session.cookie()));
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    socket.send(Message::text(json!(["stdin", keys]).to_string())).await.unwrap();
    let mut shown = String::new();
    let reading = timeout(Duration::from_secs(30), async {
        while !shown.contains(words) {
            let message = socket.next().await.expect("the terminal stays open").unwrap();
            let Ok(text) = message.to_text() else { continue };
            let said: Value = serde_json::from_str(text).unwrap();
            if said[0] == "stdout" {
                shown.push_str(said[1].as_str().unwrap());
            }
        }
    });
    assert!(reading.await.is_ok(), "{words:?} does not appear at the terminal: {shown}");
    let _ = socket.close(None).await;
    shown
}

async fn refuses_socket(server: &Server, path: &str) {
    let stream = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    let refused = tokio_tungstenite::client_async(socket_request(&server.host("acme"), path, None), stream).await;
    let Err(tokio_tungstenite::tungstenite::Error::Http(answer)) = refused else { panic!("{refused:?}") };
    assert_eq!(answer.status(), 401);
}

fn socket_request(host: &str, path: &str, cookie: Option<&str>) -> http::Request<()> {
    let mut request = format!("ws://{host}{path}").into_client_request().unwrap();
    request.headers_mut().insert("origin", format!("http://{host}").parse().unwrap());
    if let Some(cookie) = cookie {
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
    }
    request
}

async fn assert_an_hour_on_the_bill(server: &Server) {
    let usage = until("the hour is on the bill", Duration::from_secs(60), async || {
        let usage = server.cli(&["usage", "show", "acme", "--json"]).ok().json();
        (!usage["hours"].as_array()?.is_empty()).then_some(usage)
    })
    .await;
    // A test that runs across a full hour uses two.
    let hours = usage["hours"].as_array().unwrap();
    assert!(hours.len() <= 2, "{usage:#}");
    assert!(!hours[0]["evidence"].as_array().unwrap().is_empty(), "{usage:#}");
    let dollars = 5 + hours.len();
    assert_eq!(usage["bill"]["total"], dollars * 100, "{usage:#}");
    let ada = server.sign_in_to_site(ADA).await;
    let portal = ada.text(server, "/portal/instances/acme").await;
    assert!(portal.contains(&format!("${dollars}.00")), "{portal}");
}
