//! Signing in as people do, and what they do then.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};

use super::server::Server;
use super::until::until;

const LOGIN: &str = "/cdn-cgi/access/login";
const CODE: &str = "/cdn-cgi/access/code";

/// Somebody's cookies at one hostname.
#[derive(Debug, Clone)]
pub struct Session {
    host: String,
    cookies: BTreeMap<String, String>,
}

impl Server {
    /// Signs a member in at an instance, with a code from the mailbox.
    ///
    /// # Panics
    /// When that does not work.
    pub async fn sign_in(&self, subdomain: &str, email: &str) -> Session {
        let host = self.host(subdomain);
        self.sign_in_at(&host, email).await
    }

    /// Signs somebody in at the site itself, for the portal.
    pub async fn sign_in_to_site(&self, email: &str) -> Session {
        self.sign_in_at(&format!("localhost:{}", self.port()), email).await
    }

    async fn sign_in_at(&self, host: &str, email: &str) -> Session {
        let former: Vec<String> = self.mails_to(email).await.into_iter().map(|message| message.id).collect();
        let mut session = Session { host: host.to_owned(), cookies: BTreeMap::new() };
        let asked = session.post(self, LOGIN).form(&[("email", email)]).send().await.unwrap();
        assert_eq!(asked.status(), StatusCode::OK, "{email} asks for a code at {host}");
        session.keep(&asked);
        let code = until(&format!("a code for {email} at {host}"), Duration::from_secs(20), async || {
            let fresh = self.mails_to(email).await.into_iter().filter(|message| !former.contains(&message.id));
            fresh.filter_map(|message| message.code().map(str::to_owned)).next()
        })
        .await;
        let form = [("email", email), ("code", &code)];
        let redeemed = session.post(self, CODE).form(&form).send().await.unwrap();
        assert_eq!(redeemed.status(), StatusCode::SEE_OTHER, "{email} gives the code at {host}");
        session.keep(&redeemed);
        session
    }
}

impl Session {
    /// A request with GET.
    pub fn get(&self, server: &Server, path: &str) -> RequestBuilder {
        self.request(server, Method::GET, path)
    }

    /// A request with POST, from a page of the same hostname.
    pub fn post(&self, server: &Server, path: &str) -> RequestBuilder {
        self.request(server, Method::POST, path)
    }

    /// A request with any method.
    pub fn request(&self, server: &Server, method: Method, path: &str) -> RequestBuilder {
        server
            .request(method, &self.host, path)
            .header("origin", format!("http://{}", self.host))
            .header("cookie", self.cookie())
    }

    /// The text at an address, which has to be there.
    pub async fn text(&self, server: &Server, path: &str) -> String {
        let answer = self.get(server, path).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, StatusCode::OK, "GET {path} at {}: {text}", self.host);
        text
    }

    /// The hostname, with its port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The value of the `Cookie` header.
    pub fn cookie(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// A cookie that an application set.
    pub fn cookie_named(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Keeps the cookies that an answer sets, as a browser does.
    pub fn keep(&mut self, answer: &Response) {
        for set in answer.headers().get_all("set-cookie") {
            let pair = set.to_str().unwrap().split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else { continue };
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
