use std::collections::HashMap;
use std::sync::Mutex;

use bytes::Bytes;
use simulators::cloudflare::Visit;
use simulators::{Answer, Request};

use crate::harness::House;

/// Somebody with a jar of cookies, who asks hostnames in this process and the team domain by socket.
pub struct Browser<'h> {
    house: &'h House,
    jar: Mutex<HashMap<String, String>>,
}

/// Where a sign-in ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// At the hostname, with its cookie; and where the browser was sent.
    In(String),
    /// On a page of the team domain, with its status.
    At(u16, String),
}

impl<'h> Browser<'h> {
    pub fn of(house: &'h House) -> Self {
        Self { house, jar: Mutex::default() }
    }

    /// Asks for a page of a hostname.
    pub fn visit(&self, host: &str, path: &str) -> Visit {
        self.house.cloudflare.visit(&self.request(host, path))
    }

    /// The assertion with which a page of a hostname is passed on.
    pub fn assertion(&self, host: &str) -> String {
        match self.visit(host, "/") {
            Visit::Pass(pass) => pass.assertion,
            other => panic!("{other:?}"),
        }
    }

    pub fn cookie(&self, host: &str) -> Option<String> {
        self.jar.lock().unwrap().get(host).cloned()
    }

    pub fn keep(&self, host: &str, token: &str) {
        self.jar.lock().unwrap().insert(host.to_owned(), format!("CF_Authorization={token}"));
    }

    /// Goes from a page of a hostname through the whole sign-in, with the code that `read` finds.
    pub async fn sign_in(&self, host: &str, email: &str, read: impl Fn() -> String) -> Ended {
        let login = location(&self.login(host, "/board?x=1"));
        let shown = self.team("GET", &login, None).await;
        if let Some(to) = shown.1 {
            return self.back(&to);
        }
        let (status, _, page) = self.team("POST", &login, Some(&[("email", email)])).await;
        assert_eq!(status, 200);
        let meta = page.split("name=meta type=hidden value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let form = [("meta", meta.as_str()), ("code", &read())];
        match self.team("POST", "https://aidiy.cloudflareaccess.com/cdn-cgi/access/callback", Some(&form)).await {
            (_, Some(to), _) => self.back(&to),
            (status, None, page) => Ended::At(status, page),
        }
    }

    /// The way to the sign-in that a page of a hostname shows.
    pub fn login(&self, host: &str, path: &str) -> Answer {
        match self.visit(host, path) {
            Visit::Login(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    pub async fn team(&self, method: &str, url: &str, form: Option<&[(&str, &str)]>) -> (u16, Option<String>, String) {
        let team = "https://aidiy.cloudflareaccess.com";
        let path = url.strip_prefix(team).unwrap();
        let mut request = self.house.http.request(method.parse().unwrap(), format!("{}{path}", self.house.served.url));
        if let Some(cookie) = self.cookie(team) {
            request = request.header("cookie", cookie);
        }
        if let Some(form) = form {
            request = request.form(form);
        }
        let answer = request.send().await.unwrap();
        if let Some(cookie) = answer.headers().get("set-cookie") {
            self.take(team, cookie.to_str().unwrap());
        }
        let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        (answer.status().as_u16(), to, answer.text().await.unwrap())
    }

    fn back(&self, url: &str) -> Ended {
        let rest = url.strip_prefix("https://").unwrap();
        let (host, path) = rest.split_once('/').unwrap();
        let Visit::Own(answer) = self.visit(host, &format!("/{path}")) else { panic!("{url}") };
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert!(
            cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax") && cookie.contains("; Secure"),
            "{cookie}"
        );
        self.take(host, cookie);
        Ended::In(location(&answer))
    }

    fn take(&self, host: &str, set_cookie: &str) {
        let pair = set_cookie.split(';').next().unwrap();
        self.jar.lock().unwrap().insert(host.to_owned(), pair.to_owned());
    }

    fn request(&self, host: &str, path: &str) -> Request {
        let mut request = http::Request::get(path).header("host", host);
        if let Some(cookie) = self.cookie(host) {
            request = request.header("cookie", format!("theme=dark; {cookie}"));
        }
        request.body(Bytes::new()).unwrap()
    }
}

pub fn location(answer: &Answer) -> String {
    answer.headers()["location"].to_str().unwrap().to_owned()
}
