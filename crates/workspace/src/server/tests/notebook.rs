//! A notebook that is being served, and the person in front of it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Client, RequestBuilder, StatusCode, redirect};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::app::{App, Provision};
use crate::bench::tests::executable;
use crate::model::Setup;
use crate::protection::Answered;
use crate::server::serve;

type Server = (oneshot::Sender<()>, JoinHandle<anyhow::Result<()>>);

#[derive(Clone)]
pub struct Notebook {
    pub client: Client,
    user: Option<&'static str>,
    base: String,
    home: Arc<TempDir>,
    server: Arc<Mutex<Option<Server>>>,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn address(&self) -> String {
        self.headers.get(LOCATION).map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default()
    }
}

impl Notebook {
    pub async fn open() -> Self {
        Self::asking(None).await
    }

    /// A notebook whose team asks a model.
    pub async fn asking(setup: Option<Setup>) -> Self {
        let home = tempfile::tempdir().unwrap();
        Self::open_in(Arc::new(home), Provision { operators: setup, ..Provision::default() }).await
    }

    /// A notebook in this folder, which may have been used before.
    pub async fn open_in(home: Arc<TempDir>, provision: Provision) -> Self {
        let (close, closing) = watch::channel(false);
        let provision = Provision { program: Some(executable()), ..provision };
        let app = App::open(home.path(), provision, closing).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(serve(listener, app, close, None, Answered::new(None), async {
            let _ = stopped.await;
        }));
        let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        let server = Arc::new(Mutex::new(Some((stop, server))));
        Self { client, user: None, base, home, server }
    }

    pub fn signed_in(self, user: &'static str) -> Self {
        Self { user: Some(user), ..self }
    }

    pub async fn stop(&self) {
        let (stop, server) = self.server.lock().unwrap().take().unwrap();
        stop.send(()).unwrap();
        server.await.unwrap().unwrap();
    }

    /// The page at `address` once it says `words`; a page that never does so fails the test.
    pub async fn page_that_says(&self, address: &str, words: &str) -> String {
        for _ in 0..3_000 {
            let page = self.page(address).await;
            if page.contains(words) {
                return page;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{address} never said {words}: {}", self.page(address).await)
    }

    /// The folder, for a notebook that is opened after this one.
    pub fn folder(&self) -> Arc<TempDir> {
        Arc::clone(&self.home)
    }

    pub fn url(&self, address: &str) -> String {
        format!("{}{address}", self.base)
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.home.path().join(file)
    }

    pub fn file(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }

    pub fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path(file), text).unwrap();
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let request = match self.user {
            Some(user) => request.header("x-spinoff-user", user),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        Answer { status, headers, text: answer.text().await.unwrap() }
    }

    pub async fn get(&self, address: &str) -> Answer {
        self.send(self.client.get(self.url(address))).await
    }

    pub async fn page(&self, address: &str) -> String {
        let answer = self.get(address).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}: {}", answer.text);
        answer.text
    }

    pub fn form(&self, address: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        self.client.post(self.url(address)).form(fields)
    }

    pub async fn post(&self, address: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(self.form(address, fields)).await
    }

    pub async fn post_json(&self, address: &str, body: &str) -> Answer {
        let request = self.client.post(self.url(address)).header("content-type", "application/json");
        self.send(request.body(body.to_owned())).await
    }

    pub async fn delete(&self, address: &str) {
        let page = self.page(&format!("{address}/deletion")).await;
        let deleted = self.post(&format!("{address}/deletion"), &[("based_on", &field(&page, "based_on"))]).await;
        assert_eq!(deleted.address(), "/deleted", "{}", deleted.text);
    }
}

/// What a hidden field of a page's form holds.
pub fn field(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let rest = page.split(&start).nth(1).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().unwrap().to_owned()
}
