//! The record that leads all hostnames to the router, made once by the setup.

use reqwest::Method;
use serde_json::json;

use super::Cloudflare;
use super::api::DNS;
use super::records::{MARK, Record};
use crate::ProviderError;
use crate::http::{Call, Repeat};
use crate::setup::State;

/// How the comment of the record goes on after our mark.
const OURS: &str = "router";

/// The wildcard record as it is found.
pub(super) enum Wildcard {
    /// As it should be, whoever made it.
    Right,
    Missing,
    /// Ours, and not as it should be.
    Changed(Record),
    /// Somebody else's.
    Foreign(Record),
}

impl Wildcard {
    /// # Errors
    /// Refused for one that we did not make: it may lead to what somebody needs.
    pub(super) fn unless_foreign(self, router: &str) -> Result<Self, ProviderError> {
        match self {
            Self::Foreign(record) => Err(foreign(&record, router)),
            found => Ok(found),
        }
    }

    pub(super) fn state(&self) -> State {
        match self {
            Self::Right => State::Present,
            Self::Missing => State::Missing,
            Self::Changed(_) | Self::Foreign(_) => State::Differs,
        }
    }
}

impl Cloudflare {
    pub(super) fn wildcard_name(&self) -> String {
        format!("*.{}", self.settings.base_domain)
    }

    /// The record, where there is to be one that leads to `router`.
    pub(super) async fn wildcard(&self, router: &str) -> Result<Wildcard, ProviderError> {
        let name = self.wildcard_name();
        let all = self.zone.at(&name).await?;
        let mut leading = all.into_iter().filter(|record| ["A", "AAAA", "CNAME"].contains(&record.kind.as_str()));
        let Some(found) = leading.next() else { return Ok(Wildcard::Missing) };
        let leads_here = found.is_hostname() && found.content.trim_end_matches('.').eq_ignore_ascii_case(router);
        if leads_here && found.proxied {
            return Ok(Wildcard::Right);
        }
        let is_ours = found.comment.as_deref() == Some(&mark());
        Ok(if is_ours { Wildcard::Changed(found) } else { Wildcard::Foreign(found) })
    }

    /// Makes the record, or puts ours right.
    ///
    /// # Errors
    /// Refused when there is one that we did not make.
    pub(super) async fn lead_to(&self, router: &str) -> Result<(), ProviderError> {
        let name = self.wildcard_name();
        let body = json!({
            "type": "CNAME", "name": name, "content": router, "ttl": 1, "proxied": true, "comment": mark(),
        });
        let path = format!("{}/dns_records", self.zone.path);
        let (call, repeat) = match self.wildcard(router).await? {
            Wildcard::Right => return Ok(()),
            // A second record of a name and kind is refused, so asking twice can't make two.
            Wildcard::Missing => (("POST …/dns_records", Method::POST, path), Repeat::Never),
            Wildcard::Changed(record) => {
                (("PUT …/dns_records/{id}", Method::PUT, format!("{path}/{}", record.id)), Repeat::Safe)
            }
            Wildcard::Foreign(record) => return Err(foreign(&record, router)),
        };
        let (operation, method, path) = call;
        match self.rest.attempt::<Record>(Call::new(operation, method, path, repeat).json(body), DNS).await? {
            Ok(_) => Ok(()),
            Err(denied) if denied.is_there_already() => {
                let why = "Cloudflare may have made the wildcard record a moment ago and does not list it yet";
                Err(ProviderError::not_yet(why, super::hostname::SOON))
            }
            Err(denied) => Err(denied.in_words()),
        }
    }

    /// Whether the record leads to the router and nothing keeps it from standing in for a hostname.
    pub(super) async fn wildcard_works(&self, router: &str) -> Result<String, ProviderError> {
        let name = self.wildcard_name();
        let what = || format!("lead {name} to {router}");
        match self.wildcard(router).await? {
            Wildcard::Right => {}
            Wildcard::Missing => {
                return Err(ProviderError::refused(
                    what(),
                    "there is no such record",
                    "run `spinoff setup cloudflare`",
                ));
            }
            Wildcard::Changed(record) => {
                let why = format!("the record is {}", shown(&record));
                return Err(ProviderError::refused(what(), why, "put it right: `spinoff setup cloudflare`"));
            }
            Wildcard::Foreign(record) => return Err(foreign(&record, router)),
        }
        // A record of any kind at a name or below it keeps the wildcard from standing in for that name.
        let single = self.zone.ours().await?;
        if let Some(record) = single.first() {
            let why = format!("{} has a record of its own, left from [edge] routing = \"records\"", record.name);
            return Err(ProviderError::refused(what(), why, "delete it in Cloudflare's dashboard"));
        }
        Ok(format!("{name} leads to {router}"))
    }
}

fn mark() -> String {
    format!("{MARK}{OURS}")
}

fn shown(record: &Record) -> String {
    let way = if record.proxied { "proxied" } else { "not proxied" };
    format!("{} {} ({way})", record.kind, record.content)
}

fn foreign(record: &Record, router: &str) -> ProviderError {
    let what = format!("lead {} to {router}", record.name);
    let why = format!("there is a record that Spinoff did not make: {}", shown(record));
    let next = "delete it in Cloudflare's dashboard if nothing needs it, then run `spinoff setup cloudflare`";
    ProviderError::refused(what, why, next)
}
