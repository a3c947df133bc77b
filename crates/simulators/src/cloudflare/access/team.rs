//! The team domain: keys, sign-in, and who one is.

use std::collections::HashMap;

use access::protocol::{ASSERTION_COOKIE, CERTS, LOGOUT};
use http::header::{HeaderMap, HeaderValue, SET_COOKIE};
use http::{Method, StatusCode};
use serde_json::json;

use super::super::envelope::{Refusal, json_answer};
use super::super::query::Query;
use super::super::state::State;
use super::door::{IDENTITY, cookie};
use super::log::Action;
use super::page;
use super::sign_in::{CALLBACK, LOGIN};
use crate::{Answer, Request};

impl State {
    /// Answers a request for the team domain.
    pub(in super::super) fn team(&mut self, request: &Request) -> Answer {
        match (request.method(), request.uri().path()) {
            (&Method::GET, CERTS) => self.certs(),
            (&Method::GET, IDENTITY) => self.identity(request.headers()),
            (&Method::GET, LOGOUT) => self.sign_out(request.headers()),
            (&Method::GET, path) if path.starts_with(LOGIN) => self.show_sign_in(request),
            (&Method::POST, path) if path.starts_with(LOGIN) => {
                let meta = Query::parse(request.uri().query()).get("meta").unwrap_or_default().to_owned();
                let form = form(request);
                match (self.begun(&meta), form.get("email")) {
                    (Some(begun), Some(email)) => self.send_code(&meta, begun, email),
                    _ => page::gone("Please go back to where you wanted to go."),
                }
            }
            (&Method::POST, CALLBACK) => {
                let form = form(request);
                let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
                match self.begun(field("meta")) {
                    Some(begun) => self.take_code(field("meta"), begun, field("code")),
                    None => page::gone("Please go back to where you wanted to go."),
                }
            }
            _ => page::empty(StatusCode::NOT_FOUND),
        }
    }

    pub(super) fn certs(&mut self) -> Answer {
        self.access.keys.turn(self.now);
        match self.access.keys.document() {
            Ok(document) => json_answer(StatusCode::OK, &document),
            Err(refusal) => refusal.into_answer(),
        }
    }

    /// Who the cookie belongs to.
    pub(super) fn identity(&mut self, headers: &HeaderMap) -> Answer {
        let Some(email) = self.signed_in(headers) else {
            return json_answer(StatusCode::BAD_REQUEST, &json!({ "err": "no app token set" }));
        };
        let subject = self.person(&email).map(|(_, person)| person.subject.clone());
        json_answer(
            StatusCode::OK,
            &json!({
                "email": email, "idp": { "id": "", "type": "onetimepin" }, "geo": { "country": "US" },
                "user_uuid": subject, "account_id": self.account_id, "iat": self.now.as_second(),
                "ip": "198.51.100.1", "auth_status": "NONE", "common_name": "", "service_token_id": "",
                "service_token_status": false, "is_warp": false, "is_gateway": false, "version": 2,
            }),
        )
    }

    /// Ends all sessions of whoever asks: there is no way out of one application alone.
    pub(super) fn sign_out(&mut self, headers: &HeaderMap) -> Answer {
        if let Some(email) = self.signed_in(headers) {
            self.access.sessions.end_of_person(&email);
            self.log(Action::Logout, true, None, &email);
        }
        let mut answer = page::signed_out();
        if let Ok(cookie) = HeaderValue::from_str(&format!("{ASSERTION_COOKIE}=; Path=/; Max-Age=0")) {
            answer.headers_mut().append(SET_COOKIE, cookie);
        }
        answer
    }

    /// The cookie of the team domain, by which other hostnames need no second sign-in.
    pub(super) fn team_cookie(&mut self, email: &str) -> Option<HeaderValue> {
        let token: Result<String, Refusal> = self.issue_for_team(email);
        let secure = if self.settings.is_https() { "; Secure" } else { "" };
        let lasts = self.team_duration().as_secs();
        let text = format!("{ASSERTION_COOKIE}={}; Path=/; Max-Age={lasts}; HttpOnly{secure}", token.ok()?);
        HeaderValue::from_str(&text).ok()
    }

    fn show_sign_in(&mut self, request: &Request) -> Answer {
        let meta = Query::parse(request.uri().query()).get("meta").unwrap_or_default().to_owned();
        let Some(begun) = self.begun(&meta) else { return page::gone("Please go back to where you wanted to go.") };
        let path = request.uri().path();
        match cookie(request.headers()).and_then(|token| self.team_session(&token)) {
            Some(session) => self.let_in(begun, &session.email, false),
            None => page::ask_for_email(path.strip_prefix(LOGIN).unwrap_or_default(), &format!("{path}?meta={meta}")),
        }
    }

    fn signed_in(&mut self, headers: &HeaderMap) -> Option<String> {
        let token = cookie(headers)?;
        let session = self.team_session(&token).or_else(|| self.app_session(&token))?;
        Some(session.email)
    }
}

fn form(request: &Request) -> HashMap<String, String> {
    let pairs = url::form_urlencoded::parse(request.body());
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}
