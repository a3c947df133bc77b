//! Requests that the guard makes itself: to the issuer and to the main instance. Few, small,
//! bounded in time and size; no redirect is followed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use proxy::{Address, Body, Outbound, Timeouts, Upstream};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::OnceCell;

/// For a whole exchange.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most bytes of an answer that are read.
const MAX_ANSWER: usize = 1024 * 1024;

/// A server the guard talks to.
pub(crate) struct Link {
    way: Way,
}

enum Way {
    /// Through a Unix socket, or plain on this machine. Costs no TLS: most of a small process'
    /// memory would be certificates.
    Plain(Upstream),
    /// Made at the first use.
    Tls { client: OnceCell<reqwest::Client>, ca_file: Option<PathBuf> },
}

/// What is asked.
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) url: Uri,
    pub(crate) token: Option<&'a SecretString>,
    pub(crate) json: Option<Vec<u8>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("no answer within {} s", PATIENCE.as_secs())]
    TimedOut,
    #[error("the answer is longer than {MAX_ANSWER} bytes, or broke off")]
    Unreadable,
    #[error("the answer has status {0}")]
    Status(StatusCode),
    #[error("{0}")]
    Failed(String),
}

impl LinkError {
    /// Whether asking the same again soon is of no use: the other side understood, and said no.
    pub(crate) fn is_refusal(&self) -> bool {
        let Self::Status(status) = self else { return false };
        let passing = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
        status.is_client_error() && !passing.contains(status)
    }
}

impl Link {
    /// The way to `url`, through `socket` if there is one.
    pub(crate) fn to(url: &Uri, socket: Option<&Path>, ca_file: Option<&Path>) -> Self {
        let address = match socket {
            Some(path) => Some(Address::Unix(path.to_owned())),
            None if url.scheme_str() == Some("http") => {
                let port = url.port_u16().unwrap_or(80);
                Some(Address::Tcp(format!("{}:{port}", url.host().unwrap_or_default())))
            }
            None => None,
        };
        let way = match address {
            Some(address) => Way::Plain(Upstream::new(address, Timeouts::default())),
            None => Way::Tls { client: OnceCell::new(), ca_file: ca_file.map(Path::to_owned) },
        };
        Self { way }
    }

    /// The body of a 200 answer.
    ///
    /// # Errors
    /// [`LinkError`], also for every other status.
    pub(crate) async fn ask(&self, ask: Ask<'_>) -> Result<Bytes, LinkError> {
        let exchange = async {
            match &self.way {
                Way::Plain(upstream) => plain(upstream, ask).await,
                Way::Tls { client, ca_file } => {
                    let client = client.get_or_try_init(|| tls_client(ca_file.as_deref())).await?;
                    encrypted(client, ask).await
                }
            }
        };
        tokio::time::timeout(PATIENCE, exchange).await.map_err(|_| LinkError::TimedOut)?
    }

    /// The answer as it arrives, whatever its status, and however long it takes: whoever waits for it decides.
    ///
    /// # Errors
    /// [`LinkError`], when there is none.
    pub(crate) async fn relay(&self, ask: Ask<'_>) -> Result<Response<Body>, LinkError> {
        match &self.way {
            Way::Plain(upstream) => upstream.forward(plain_request(ask)?).await.map_err(failed),
            Way::Tls { client, ca_file } => {
                let client = client.get_or_try_init(|| tls_client(ca_file.as_deref())).await?;
                let answer = encrypted_request(client, ask).send().await.map_err(failed)?;
                Ok(Response::<reqwest::Body>::from(answer).map(Body::stream))
            }
        }
    }
}

/// Looks whether a file has certificates to trust, before anything is asked with them.
///
/// # Errors
/// Naming the file.
pub(crate) fn check_ca(path: &Path) -> Result<(), LinkError> {
    let pem = std::fs::read(path).map_err(|error| about(path, error))?;
    // Without those of the system, which would take time and memory to read.
    let client = reqwest::Client::builder().tls_certs_only(certificates(path, &pem)?).build();
    client.map(drop).map_err(|error| about(path, error))
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<reqwest::Certificate>, LinkError> {
    let certificates = reqwest::Certificate::from_pem_bundle(pem).map_err(|error| about(path, error))?;
    if certificates.is_empty() {
        return Err(about(path, "there is no certificate in it"));
    }
    Ok(certificates)
}

fn about(path: &Path, error: impl std::fmt::Display) -> LinkError {
    LinkError::Failed(format!("{}: {error}", path.display()))
}

fn failed(error: impl std::fmt::Display) -> LinkError {
    LinkError::Failed(error.to_string())
}

fn plain_request(ask: Ask<'_>) -> Result<Outbound, LinkError> {
    let body = ask.json.map_or_else(Body::empty, |json| Body::from(Bytes::from(json)));
    let mut request = Request::new(body);
    let host = ask.url.authority().map(|authority| HeaderValue::from_str(authority.as_str()));
    *request.method_mut() = ask.method;
    *request.uri_mut() = ask.url.clone();
    let headers = request.headers_mut();
    if let Some(Ok(host)) = host {
        headers.insert(HOST, host);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(token) = ask.token {
        let bearer = format!("Bearer {}", token.expose_secret());
        let mut bearer = HeaderValue::from_str(&bearer).map_err(failed)?;
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
    }
    Outbound::new(request).map_err(failed)
}

async fn plain(upstream: &Upstream, ask: Ask<'_>) -> Result<Bytes, LinkError> {
    let answer = upstream.forward(plain_request(ask)?).await.map_err(failed)?;
    if answer.status() != StatusCode::OK {
        return Err(LinkError::Status(answer.status()));
    }
    let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
    Ok(body.map_err(|_| LinkError::Unreadable)?.to_bytes())
}

async fn tls_client(ca_file: Option<&Path>) -> Result<reqwest::Client, LinkError> {
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(PATIENCE)
        .pool_idle_timeout(Duration::from_secs(4));
    if let Some(path) = ca_file {
        let pem = tokio::fs::read(path).await.map_err(|error| about(path, error))?;
        builder = builder.tls_certs_merge(certificates(path, &pem)?);
    }
    builder.build().map_err(failed)
}

fn encrypted_request(client: &reqwest::Client, ask: Ask<'_>) -> reqwest::RequestBuilder {
    let mut request = client.request(ask.method, ask.url.to_string());
    if let Some(token) = ask.token {
        request = request.bearer_auth(token.expose_secret());
    }
    if let Some(json) = ask.json {
        request = request.header(CONTENT_TYPE, "application/json").body(json);
    }
    request
}

async fn encrypted(client: &reqwest::Client, ask: Ask<'_>) -> Result<Bytes, LinkError> {
    let mut answer = encrypted_request(client, ask).send().await.map_err(failed)?;
    if answer.status() != StatusCode::OK {
        return Err(LinkError::Status(answer.status()));
    }
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|_| LinkError::Unreadable)? {
        body.extend_from_slice(&piece);
        if body.len() > MAX_ANSWER {
            return Err(LinkError::Unreadable);
        }
    }
    Ok(body.into())
}
