use std::collections::BTreeMap;
use std::net::SocketAddr;

use reqwest::header::{ACCEPT, COOKIE, HOST, SET_COOKIE};
use reqwest::{Method, RequestBuilder, Response};

/// A browser that stays on one hostname, keeps cookies, and follows no redirect on its own.
#[derive(Clone)]
pub struct Browser {
    client: reqwest::Client,
    address: SocketAddr,
    host: String,
    pub cookies: BTreeMap<String, String>,
}

impl Browser {
    pub fn new(address: SocketAddr, hostname: &str) -> Self {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { client, address, host: format!("{hostname}:8080"), cookies: BTreeMap::new() }
    }

    /// The same cookies carried to another hostname, which no real browser would do.
    pub fn smuggled_to(&self, hostname: &str) -> Self {
        Self { host: format!("{hostname}:8080"), ..self.clone() }
    }

    /// A page, as when an address is typed.
    pub async fn visit(&mut self, path: &str) -> Response {
        let request = self.request(Method::GET, path).header(ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8");
        self.send(request).await
    }

    pub async fn ask_for_code(&mut self, email: &str) -> Response {
        self.post("/cdn-cgi/access/login?redirect_url=%2Fvisions%3Fpage%3D2", &[("email", email)]).await
    }

    pub async fn enter_code(&mut self, code: &str) -> Response {
        let form = [("code", code), ("email", "whoever@example.com")];
        self.post("/cdn-cgi/access/code?redirect_url=%2Fvisions%3Fpage%3D2", &form).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Response {
        let request = self.request(Method::POST, path).form(form);
        self.send(request).await
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("http://{}{path}", self.address)).header(HOST, &self.host);
        if self.cookies.is_empty() { request } else { request.header(COOKIE, self.cookie_header()) }
    }

    pub async fn send(&mut self, request: RequestBuilder) -> Response {
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        response
    }

    pub fn cookie_header(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub fn session(&self) -> &str {
        &self.cookies["CF_Authorization"]
    }
}

pub fn location(response: &Response) -> &str {
    response.headers()["location"].to_str().unwrap()
}
