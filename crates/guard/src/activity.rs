//! What counts as use. Pure functions decide, so that a bill can be explained: billing follows
//! people and programs at work, not tabs left open. `docs/activity.md` says the same at length.
//!
//! - Visits without identity, robots and prefetches are never use, whatever the rules say.
//! - Then the operator's rules, in their order; the first that fits decides.
//! - Then the built-in ones, which know what open tabs say on their own account.
//! - What is left is use when it changes something, when a person opens a page, and when a program
//!   reads. Scripts of an open tab fetch on their own account, and pages load themselves anew; those
//!   GETs are not use, however many.
//!
//! [`Activity`] decides; [`Account`], the application's reports and the look at its app bring what
//! happens; a [`Meter`] notes it.

mod account;
pub(crate) mod app_probe;
pub(crate) mod application_report;
mod body;
mod defaults;
mod file;
mod frames;
mod meter;
mod page;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use domain::Signal;
use http::header::USER_AGENT;
use http::{HeaderMap, Method};

pub(crate) use self::account::Account;
pub(crate) use self::body::ByBody;
use self::defaults::{Defaults, Keepalives};
pub(crate) use self::file::Rules;
pub use self::file::{RulesError, check_activity_rules};
pub(crate) use self::meter::Meter;
pub(crate) use self::rules::{Asked, MESSAGE_BYTES, Message, MessageForm};
use self::rules::{Fit, MessageRule, RequestRule, changes};
use crate::visitor::Visitor;

const ROBOTS: [&str; 9] = ["bot", "crawl", "spider", "slurp", "monitor", "uptime", "pingdom", "probe", "healthcheck"];

/// What a page says this soon after it opened a WebSocket introduces it: it joins rooms and
/// subscribes. Tabs left open connect again and again, and say it each time.
const INTRODUCTION: Duration = Duration::from_secs(5);

/// Judges what is use.
#[derive(Debug)]
pub(crate) struct Activity {
    /// The operator's, then the built-in ones.
    requests: Vec<Arc<RequestRule>>,
    /// The operator's.
    messages: Vec<Arc<MessageRule>>,
    keepalives: Arc<Keepalives>,
}

/// What a request is as use.
#[derive(Debug)]
pub(crate) enum Usage {
    Known(Option<Signal>),
    /// Its body will say.
    ByBody(ByBody),
    /// Nothing by itself; what is said through the WebSocket that it opens may be.
    ByMessages(Messages),
}

/// Judges what one visitor says through one WebSocket.
#[derive(Debug)]
pub(crate) struct Messages {
    rules: Vec<Arc<MessageRule>>,
    keepalives: Arc<Keepalives>,
    own: Signal,
    /// Pages introduce themselves; programs come to the point.
    of_a_page: bool,
}

impl Activity {
    /// Judges by these rules before the built-in ones.
    ///
    /// # Errors
    /// What is broken in the built-in rules: nothing, while they are well-formed.
    pub(crate) fn new(rules: Rules) -> Result<Self, String> {
        let defaults = Defaults::new()?;
        Ok(Self {
            requests: rules.requests.into_iter().chain(defaults.requests).map(Arc::new).collect(),
            messages: rules.messages.into_iter().map(Arc::new).collect(),
            keepalives: Arc::new(defaults.keepalives),
        })
    }

    /// What an admitted request is as use.
    pub(crate) fn request(&self, visitor: &Visitor, asked: &Asked<'_>) -> Usage {
        self.judge(visitor.signal(), asked)
    }

    /// What a request is that opens a WebSocket.
    pub(crate) fn websocket(&self, visitor: &Visitor, asked: &Asked<'_>) -> Usage {
        self.messages(visitor.signal(), asked).map_or(Usage::Known(None), Usage::ByMessages)
    }

    fn messages(&self, own: Option<Signal>, asked: &Asked<'_>) -> Option<Messages> {
        let own = doer(own, asked.headers)?;
        let fits = |rule: &&Arc<MessageRule>| rule.path.is_match(asked.target.path());
        Some(Messages {
            rules: self.messages.iter().filter(fits).cloned().collect(),
            keepalives: Arc::clone(&self.keepalives),
            own,
            of_a_page: is_browser(asked.headers),
        })
    }

    fn judge(&self, own: Option<Signal>, asked: &Asked<'_>) -> Usage {
        let Some(own) = doer(own, asked.headers) else { return Usage::Known(None) };
        let by_program = own == Signal::ApiCall || !is_browser(asked.headers);
        let own = if by_program { Signal::ApiCall } else { Signal::Member };
        let mut otherwise = by_method(own, asked);
        let mut by_body = Vec::new();
        for rule in &self.requests {
            match rule.fits(asked) {
                Fit::No => {}
                Fit::IfBody => by_body.push(Arc::clone(rule)),
                Fit::Yes => {
                    otherwise = rule.counts.signal(own);
                    break;
                }
            }
        }
        if by_body.iter().all(|rule| rule.counts.signal(own) == otherwise) {
            return Usage::Known(otherwise);
        }
        Usage::ByBody(ByBody { rules: by_body, own, otherwise })
    }
}

impl Messages {
    /// What a message is as use, this long after the WebSocket was opened.
    pub(crate) fn signal(&self, message: &Message<'_>, after: Duration) -> Option<Signal> {
        if let Some(rule) = self.rules.iter().find(|rule| rule.fits(message)) {
            return rule.counts.signal(self.own);
        }
        let introduces = self.of_a_page && after < INTRODUCTION;
        (!introduces && !self.keepalives.include(message)).then_some(self.own)
    }
}

/// Which signal the doings of whoever asks are, when they are use; `None` when they never are.
fn doer(own: Option<Signal>, headers: &HeaderMap) -> Option<Signal> {
    own.filter(|_| !is_robot(headers) && !is_prefetch(headers))
}

fn by_method(own: Signal, asked: &Asked<'_>) -> Option<Signal> {
    match *asked.method {
        Method::GET if own == Signal::ApiCall => Some(own),
        Method::GET => page::is_opened(asked).then_some(own),
        ref method => changes(method).then_some(own),
    }
}

/// A client is a program when it shows none of a browser's marks.
fn is_browser(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with("sec-fetch-")) || agent(headers).starts_with("mozilla/")
}

fn is_prefetch(headers: &HeaderMap) -> bool {
    text(headers, "sec-purpose").contains("prefetch") || matches!(text(headers, "purpose"), "prefetch" | "preview")
}

fn is_robot(headers: &HeaderMap) -> bool {
    let agent = agent(headers);
    ROBOTS.iter().any(|word| agent.contains(word))
}

fn agent(headers: &HeaderMap) -> String {
    headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
