//! A sign-in by a mailed code: begun at a hostname, done at the team domain, taken back to the hostname.

use std::collections::HashMap;

use http::Uri;
use jiff::{SignedDuration, Timestamp};

use super::super::ids;
use super::super::state::State;
use super::door::AUTHORIZED;
use super::log::Action;
use super::page;
use super::visitor::Visitor;
use crate::{Answer, Request};

const CODE_LASTS: SignedDuration = SignedDuration::from_mins(10);

pub(super) const LOGIN: &str = "/cdn-cgi/access/login/";
pub(super) const CALLBACK: &str = "/cdn-cgi/access/callback";

/// A code that was mailed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// To whom, in lower case.
    pub email: String,
    /// Six digits.
    pub code: String,
    /// Where it lets in, with the port if there is one.
    pub host: String,
    /// When.
    pub sent: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct SignIns {
    begun: HashMap<String, Begun>,
    handoffs: HashMap<String, Handoff>,
    codes: Vec<Code>,
    /// Not mailed yet.
    outgoing: Vec<Code>,
}

#[derive(Debug, Clone)]
pub(super) struct Begun {
    /// With its port.
    host: String,
    app: String,
    /// Where to go afterwards, on that host.
    path: String,
    email: Option<String>,
    code: Option<Code>,
}

/// A sign-in on its way back to its hostname.
#[derive(Debug, Clone)]
struct Handoff {
    begun: Begun,
    email: String,
}

impl State {
    pub(in super::super) fn codes(&self) -> Vec<Code> {
        self.access.sign_ins.codes.clone()
    }

    pub(in super::super) fn take_outgoing(&mut self) -> Vec<Code> {
        std::mem::take(&mut self.access.sign_ins.outgoing)
    }

    /// Begins at a hostname.
    pub(super) fn send_to_sign_in(&mut self, host: &str, app: &str, uri: &Uri) -> Answer {
        let meta = ids::short(&self.entropy);
        let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
        let begun = Begun { host: host.to_owned(), app: app.to_owned(), path, email: None, code: None };
        self.access.sign_ins.begun.insert(meta.clone(), begun);
        page::redirect(&format!("{}{LOGIN}{host}?meta={meta}", self.settings.team_url))
    }

    pub(super) fn begun(&self, meta: &str) -> Option<Begun> {
        self.access.sign_ins.begun.get(meta).cloned()
    }

    /// Sends a code, but only to an address that a policy lets in.
    pub(super) fn send_code(&mut self, meta: &str, mut begun: Begun, email: &str) -> Answer {
        let email = email.trim().to_ascii_lowercase();
        if self.is_welcome(&begun, &email) {
            let (host, code) = (begun.host.clone(), ids::code(&self.entropy));
            let code = Code { email: email.clone(), code, host, sent: self.now };
            self.access.sign_ins.codes.push(code.clone());
            self.access.sign_ins.outgoing.push(code.clone());
            begun.code = Some(code);
        } else {
            begun.code = None;
        }
        begun.email = Some(email.clone());
        self.access.sign_ins.begun.insert(meta.to_owned(), begun);
        page::ask_for_code(&email, meta, CALLBACK, None)
    }

    /// Takes a code, and sends whoever knew it back to the hostname.
    pub(super) fn take_code(&mut self, meta: &str, mut begun: Begun, given: &str) -> Answer {
        let sent = begun.code.take();
        let is_right = |code: &Code| code.code == given.trim() && self.now < code.sent + CODE_LASTS;
        match sent {
            Some(code) if is_right(&code) => {
                self.access.sign_ins.begun.remove(meta);
                self.let_in(begun, &code.email, true)
            }
            _ => {
                let email = begun.email.unwrap_or_default();
                page::ask_for_code(&email, meta, CALLBACK, Some("That code is wrong or too old."))
            }
        }
    }

    /// Sends a person whose address is proven back to the hostname, if they may enter there.
    pub(super) fn let_in(&mut self, begun: Begun, email: &str, is_new: bool) -> Answer {
        let (app, host) = (begun.app.clone(), begun.host.clone());
        if !self.is_welcome(&begun, email) {
            self.log(Action::Login, false, Some(&app), email);
            let known = self.access.apps.get(&app);
            let why = known.and_then(|app| app.fields.custom_deny_message.clone());
            return page::denied(why.as_deref().unwrap_or("No policy lets you in."));
        }
        if !self.take_seat(email) {
            self.log(Action::Login, false, Some(&app), email);
            return page::denied("Your team has no seat left.");
        }
        self.log(Action::Login, true, Some(&app), email);
        let nonce = ids::short(&self.entropy);
        self.access.sign_ins.handoffs.insert(nonce.clone(), Handoff { begun, email: email.to_owned() });
        let scheme = if self.settings.is_https() { "https" } else { "http" };
        let mut answer = page::redirect(&format!("{scheme}://{host}{AUTHORIZED}?nonce={nonce}"));
        if is_new && let Some(cookie) = self.team_cookie(email) {
            answer.headers_mut().append(http::header::SET_COOKIE, cookie);
        }
        answer
    }

    /// Ends at the hostname, with its own cookie.
    pub(super) fn authorize(&mut self, request: &Request, host: &str) -> Answer {
        let query = super::super::query::Query::parse(request.uri().query());
        let handoff = query.get("nonce").and_then(|nonce| self.access.sign_ins.handoffs.remove(nonce));
        let Some(Handoff { begun, email }) = handoff.filter(|handoff| handoff.begun.host == host) else {
            return page::gone("Please go back to where you wanted to go.");
        };
        let Some(app) = self.access.apps.get(&begun.app).cloned() else {
            return page::gone("It is not there any more.");
        };
        let provider = self.code_provider(&app.fields.allowed_idps).unwrap_or_default();
        let visitor = Visitor::Person { email: &email, provider: &provider };
        let lasts = self.letting_in(&app, visitor).map(|policy| self.lasting(&app, policy));
        let Some(lasts) = lasts else { return page::denied("No policy lets you in.") };
        let cookie = self.issue(&email, &begun.app, lasts).ok().and_then(|token| self.app_cookie(&app, &token, lasts));
        let Some(cookie) = cookie else { return page::empty(http::StatusCode::INTERNAL_SERVER_ERROR) };
        let mut answer = page::redirect(&begun.path);
        answer.headers_mut().append(http::header::SET_COOKIE, cookie);
        answer
    }

    /// The provider that mails codes, if there is one and an application allows it.
    fn code_provider(&self, allowed: &[String]) -> Option<String> {
        let mut providers = self.access.identity_providers.iter();
        let found = providers.find(|(_, provider)| provider.is_by_mailed_code())?.0;
        (allowed.is_empty() || allowed.iter().any(|id| id == found)).then(|| found.to_owned())
    }

    fn is_welcome(&self, begun: &Begun, email: &str) -> bool {
        let Some(app) = self.access.apps.get(&begun.app) else { return false };
        let Some(provider) = self.code_provider(&app.fields.allowed_idps) else { return false };
        self.letting_in(app, Visitor::Person { email, provider: &provider }).is_some()
    }
}
