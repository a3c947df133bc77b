use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{ClientError, HealthReport, PREFIX, Page, Paging, Problem};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// The whole of a large download.
const DOWNLOADED_WITHIN: Duration = Duration::from_hours(24);

/// Speaks the API of one main instance. The methods stand with their nouns.
///
/// Redirects are not followed, since a token belongs to one server only.
#[derive(Clone)]
pub struct Client {
    base: Url,
    http: reqwest::Client,
}

impl Client {
    /// Speaks to the server at `base_url`, such as `http://localhost:8080`. Connects when first used.
    ///
    /// # Errors
    /// [`ClientError::Address`] and [`ClientError::Setup`].
    pub fn new(base_url: &str, token: Option<SecretString>) -> Result<Self, ClientError> {
        let base = parse_base(base_url)?;
        let builder = reqwest::Client::builder()
            .default_headers(headers(token.as_ref())?)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .user_agent(concat!("spinoff/", env!("CARGO_PKG_VERSION")));
        // Reading the machine's certificates takes longer than the whole rest; plain http needs none.
        let builder = if base.scheme() == "http" { builder.tls_certs_only([]) } else { builder };
        let http = builder.build().map_err(|error| ClientError::Setup(chain(&error)))?;
        Ok(Self { base, http })
    }

    /// Whether the server can do its work. Needs no token.
    ///
    /// # Errors
    /// [`ClientError`]; a server that can't do its work answers with a report, not with an error.
    pub async fn health(&self) -> Result<HealthReport, ClientError> {
        let url = self.at(&["-", "health"]);
        let response = send(self.http.get(url.clone()), &url).await?;
        match response.status() {
            StatusCode::OK | StatusCode::SERVICE_UNAVAILABLE => read(response, &url).await,
            _ => Err(refusal(response, &url).await),
        }
    }

    /// All entries of a list, page after page, as one page.
    ///
    /// # Errors
    /// The first error of `fetch`, and [`ClientError::Malformed`] when the pages run in a circle.
    pub async fn every<T>(
        mut fetch: impl AsyncFnMut(Paging) -> Result<Page<T>, ClientError>,
    ) -> Result<Page<T>, ClientError> {
        let mut all = Vec::new();
        let mut paging = Paging::default();
        loop {
            let page = fetch(paging.clone()).await?;
            all.extend(page.data);
            if page.next_cursor.is_none() {
                return Ok(Page::whole(all));
            }
            if page.next_cursor == paging.cursor {
                let cause = "a page names itself as the next one".to_owned();
                return Err(ClientError::Malformed { url: PREFIX.to_owned(), cause });
            }
            paging.cursor = page.next_cursor;
        }
    }

    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &impl Serialize,
    ) -> Result<T, ClientError> {
        let url = self.api(path)?;
        read(accept(self.http.get(url.clone()).query(query), &url).await?, &url).await
    }

    pub(crate) async fn get_text(&self, path: &[&str], query: &impl Serialize) -> Result<String, ClientError> {
        let url = self.api(path)?;
        let response = accept(self.http.get(url.clone()).query(query), &url).await?;
        response.text().await.map_err(|error| lost(&error, &url))
    }

    pub(crate) async fn get_bytes(&self, path: &[&str]) -> Result<Vec<u8>, ClientError> {
        let url = self.api(path)?;
        let response = accept(self.http.get(url.clone()), &url).await?;
        Ok(response.bytes().await.map_err(|error| lost(&error, &url))?.into())
    }

    /// An answer that is read as it comes. It may take longer than others, so long as something comes.
    pub(crate) async fn get_stream(&self, path: &[&str]) -> Result<Response, ClientError> {
        let url = self.api(path)?;
        accept(self.http.get(url.clone()).timeout(DOWNLOADED_WITHIN), &url).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let url = self.api(path)?;
        read(accept(self.http.post(url.clone()).json(body), &url).await?, &url).await
    }

    /// Posts under a key: the server does what is asked once, however often it is asked.
    pub(crate) async fn post_once<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
        key: Option<&str>,
    ) -> Result<T, ClientError> {
        let url = self.api(path)?;
        let mut request = self.http.post(url.clone()).json(body);
        if let Some(key) = key {
            request = request.header(crate::IDEMPOTENCY_KEY, key);
        }
        read(accept(request, &url).await?, &url).await
    }

    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let url = self.api(path)?;
        read(accept(self.http.put(url.clone()).json(body), &url).await?, &url).await
    }

    pub(crate) async fn delete<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let url = self.api(path)?;
        read(accept(self.http.delete(url.clone()).json(body), &url).await?, &url).await
    }

    /// Sends a request whose answer has nothing to read.
    pub(crate) async fn quietly(&self, method: Method, path: &[&str]) -> Result<(), ClientError> {
        let url = self.api(path)?;
        accept(self.http.request(method, url.clone()), &url).await.map(drop)
    }

    fn api(&self, path: &[&str]) -> Result<Url, ClientError> {
        // A URL drops such parts instead of carrying them, so they would name something else.
        if path.iter().any(|part| matches!(*part, "" | "." | "..")) {
            return Err(ClientError::Problem(Box::new(Problem::new(404, "not found", "nothing has that name"))));
        }
        let prefix = PREFIX.split('/').filter(|part| !part.is_empty());
        Ok(self.at(&prefix.chain(path.iter().copied()).collect::<Vec<_>>()))
    }

    fn at(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path);
        }
        url
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

fn parse_base(address: &str) -> Result<Url, ClientError> {
    let fail = |cause: String| ClientError::Address { address: address.to_owned(), cause };
    let base = Url::parse(address).map_err(|error| fail(error.to_string()))?;
    if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
        return Err(fail("it needs http or https, and a host".to_owned()));
    }
    if base.query().is_some() || base.fragment().is_some() || !base.username().is_empty() || base.password().is_some() {
        return Err(fail("it may hold nothing but scheme, host, port and path".to_owned()));
    }
    Ok(base)
}

fn headers(token: Option<&SecretString>) -> Result<HeaderMap, ClientError> {
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
            .map_err(|_| ClientError::Setup("the token holds characters that no token has".to_owned()))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

async fn accept(request: RequestBuilder, url: &Url) -> Result<Response, ClientError> {
    let response = send(request, url).await?;
    if response.status().is_success() { Ok(response) } else { Err(refusal(response, url).await) }
}

async fn send(request: RequestBuilder, url: &Url) -> Result<Response, ClientError> {
    request.send().await.map_err(|error| lost(&error, url))
}

async fn read<T: DeserializeOwned>(response: Response, url: &Url) -> Result<T, ClientError> {
    let bytes = response.bytes().await.map_err(|error| lost(&error, url))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| ClientError::Malformed { url: url.to_string(), cause: error.to_string() })
}

/// Reads why. Whatever stands between client and server may answer too, so any body will do.
async fn refusal(response: Response, url: &Url) -> ClientError {
    let status = response.status();
    let Ok(bytes) = response.bytes().await else {
        return ClientError::Problem(Box::new(without_words(status, url)));
    };
    let problem = serde_json::from_slice::<Problem>(&bytes).unwrap_or_else(|_| without_words(status, url));
    // The status line is what happened; a document that says otherwise is a slip of its writer.
    ClientError::Problem(Box::new(Problem { status: status.as_u16(), ..problem }))
}

fn without_words(status: StatusCode, url: &Url) -> Problem {
    Problem::new(status.as_u16(), format!("{url} answered {status}"), "")
}

fn lost(error: &reqwest::Error, url: &Url) -> ClientError {
    if error.is_builder() {
        return ClientError::Setup(chain(error));
    }
    let url = url.to_string();
    match error.is_timeout() {
        true if error.is_connect() => ClientError::TimedOut { url, after: CONNECT_WITHIN },
        true => ClientError::TimedOut { url, after: ANSWER_WITHIN },
        false => ClientError::Unreachable { url, cause: chain(error) },
    }
}

/// The innermost cause is the one that helps, such as "connection refused".
fn chain(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut words = None;
    while let Some(inner) = cause {
        words = Some(inner.to_string());
        cause = inner.source();
    }
    words.unwrap_or_else(|| error.to_string())
}
