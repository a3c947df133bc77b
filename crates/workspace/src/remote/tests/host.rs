//! A git host: the real `git http-backend` behind a small server that asks for a user and a token.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

pub const USER: &str = "ada";
pub const TOKEN: &str = "tok-very-secret";

#[derive(Clone)]
pub enum Behaviour {
    Serves,
    Hangs,
    SendsOn(String),
}

pub struct Host {
    home: tempfile::TempDir,
    base: String,
    asked: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct Desk {
    root: PathBuf,
    behaviour: Behaviour,
    asked: Arc<AtomicUsize>,
}

impl Host {
    pub async fn serving() -> Self {
        Self::that(Behaviour::Serves).await
    }

    pub async fn that(behaviour: Behaviour) -> Self {
        let home = tempfile::tempdir().unwrap();
        git(home.path(), &["init", "--quiet", "--bare", "app.git"]);
        let asked = Arc::new(AtomicUsize::new(0));
        let desk = Desk { root: home.path().to_owned(), behaviour, asked: Arc::clone(&asked) };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(desk);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { home, base, asked }
    }

    pub fn address(&self) -> String {
        format!("{}/app.git", self.base)
    }

    pub fn repository(&self) -> PathBuf {
        self.home.path().join("app.git")
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The state that a name means; empty for none.
    pub fn state(&self, name: &str) -> String {
        git(&self.repository(), &["for-each-ref", "--format=%(objectname)", name])
    }

    /// Work of somebody else on the main branch.
    pub fn commit(&self, message: &str) -> String {
        let repository = self.repository();
        let tree = git(&repository, &["hash-object", "-t", "tree", "-w", "/dev/null"]);
        let commit = git(&repository, &["commit-tree", &tree, "-m", message]);
        git(&repository, &["update-ref", "refs/heads/main", &commit]);
        commit
    }
}

pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(folder).args(["-c", "user.name=x", "-c", "user.email=x@example.com"]).args(arguments);
    let done = command.output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

async fn answer(State(desk): State<Desk>, request: Request) -> Response {
    desk.asked.fetch_add(1, Ordering::SeqCst);
    match &desk.behaviour {
        Behaviour::Hangs => std::future::pending().await,
        Behaviour::SendsOn(to) => {
            let path = request.uri().path_and_query().unwrap().as_str().replace("/app.git", "");
            (StatusCode::FOUND, [(header::LOCATION, format!("{to}{path}"))]).into_response()
        }
        Behaviour::Serves => {
            let expected = format!("Basic {}", STANDARD.encode(format!("{USER}:{TOKEN}")));
            let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            if given != Some(expected.as_str()) {
                let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"git\"")];
                return (StatusCode::UNAUTHORIZED, challenge, "no").into_response();
            }
            serve(&desk.root, request).await
        }
    }
}

async fn serve(root: &Path, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut backend = tokio::process::Command::new("git");
    backend.arg("http-backend").env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1");
    backend.env("REMOTE_USER", USER).env("REQUEST_METHOD", parts.method.as_str()).env("PATH_INFO", parts.uri.path());
    backend.env("QUERY_STRING", parts.uri.query().unwrap_or_default()).env("CONTENT_TYPE", text("content-type"));
    backend.env("HTTP_CONTENT_ENCODING", text("content-encoding")).env("GIT_PROTOCOL", text("git-protocol"));
    let mut child = backend.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeding = tokio::spawn(async move {
        // It may not want all of it.
        let _ = stdin.write_all(&body).await;
    });
    let done = child.wait_with_output().await.unwrap();
    feeding.await.unwrap();
    let end = done.stdout.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(done.stdout[..end].to_vec()).unwrap();
    let (mut status, mut headers) = (StatusCode::OK, HeaderMap::new());
    for line in head.lines() {
        let (name, value) = line.split_once(": ").unwrap();
        match name {
            "Status" => status = value[..3].parse().unwrap(),
            name => {
                headers.insert(header::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
            }
        }
    }
    (status, headers, Bytes::copy_from_slice(&done.stdout[end + 4..])).into_response()
}
