//! Events on their way to the endpoints: signed, retried, and going wrong as asked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use aws_lc_rs::hmac;
use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use world::Entropy;

use crate::stripe::account::Account;
use crate::stripe::invoicing;
use crate::stripe::objects::{number, shown, word};

/// How deliveries go wrong, each in thousandths of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// Up to half an hour late.
    pub late: u16,
    /// Once more, shortly after.
    pub twice: u16,
    /// After others that were made later.
    pub out_of_order: u16,
    /// Never.
    pub lost: u16,
}

/// One attempt to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// `evt_…`.
    pub event: String,
    /// What the event tells of.
    pub kind: String,
    /// `we_…`.
    pub endpoint: String,
    /// When, in seconds since 1970.
    pub at: i64,
    /// What the endpoint said, or `None` when it couldn't be reached.
    pub status: Option<u16>,
}

/// Everything that is to be delivered.
#[derive(Debug, Default)]
pub(super) struct Post {
    waiting: BTreeMap<(i64, u64), Letter>,
    turn: u64,
    pub(super) attempts: Vec<Attempt>,
    pub(super) wrong: Option<(Deliveries, Entropy)>,
    pub(super) drop_next: VecDeque<String>,
    pub(super) duplicate_next: VecDeque<String>,
    /// Invoices of which an endpoint is still to be told, with the event that tells it.
    pub(super) untold: BTreeSet<(String, String)>,
}

#[derive(Debug, Clone)]
struct Letter {
    event: String,
    endpoint: String,
    tries: usize,
}

/// After each failure so long, in seconds. After the last one three days are over.
const GAPS: [i64; 10] = [60, 300, 1_800, 7_200, 18_000, 36_000, 43_200, 43_200, 43_200, 43_200];
/// Room between two letters, so that one out of order finds a place behind later ones.
const TURNS: u64 = 16;
/// A late letter comes within so many seconds, one out of order within so many.
const LATEST: u32 = 1_800;
const SHUFFLE: u32 = 60;
/// So long an endpoint may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Puts an event into the post for every endpoint that wants it.
pub(super) fn address(account: &mut Account, event: &str, kind: &str) {
    let wants = |endpoint: &&Value| {
        let kinds = endpoint["enabled_events"].as_array();
        endpoint["status"] == "enabled"
            && kinds.is_some_and(|kinds| kinds.iter().any(|wanted| wanted == "*" || wanted == kind))
    };
    let endpoints: Vec<String> =
        account.objects.all("webhook_endpoint").filter(wants).map(|endpoint| word(endpoint, "id").to_owned()).collect();
    let now = account.now;
    account.change("event", event, |event| event["pending_webhooks"] = endpoints.len().into());
    for endpoint in endpoints {
        if kind == "invoice.created" {
            let invoice =
                account.objects.get("event", event).map(|event| word(&event["data"]["object"], "id").to_owned());
            account.post.untold.extend(invoice.map(|invoice| (invoice, event.to_owned())));
        }
        let letter = Letter { event: event.to_owned(), endpoint, tries: 0 };
        if !account.post.send(letter, kind, now) {
            // The real Stripe believes of a lost event that it arrived.
            arrived(account, event);
        }
    }
}

fn arrived(account: &mut Account, event: &str) {
    account.change("event", event, |event| {
        event["pending_webhooks"] = (number(event, "pending_webhooks") - 1).max(0).into();
    });
    let told = account.post.untold.iter().find(|(_, untold)| untold == event).cloned();
    if let Some(told) = told {
        account.post.untold.remove(&told);
        invoicing::announced(account, &told.0);
    }
}

impl Post {
    /// Whether it goes out at all.
    fn send(&mut self, letter: Letter, kind: &str, now: i64) -> bool {
        self.turn += TURNS;
        let fits = |waiting: &VecDeque<String>| waiting.iter().position(|wanted| wanted == kind);
        let explicit = fits(&self.duplicate_next).map(|place| self.duplicate_next.remove(place)).is_some();
        if let Some(place) = fits(&self.drop_next) {
            self.drop_next.remove(place);
            return false;
        }
        let chance = |thousandths: fn(&Deliveries) -> u16| match &self.wrong {
            Some((wrong, entropy)) => u16::from_be_bytes(entropy.bytes()) % 1000 < thousandths(wrong),
            None => false,
        };
        let (lost, twice) = (chance(|wrong| wrong.lost), chance(|wrong| wrong.twice));
        let (late, displaced) = (chance(|wrong| wrong.late), chance(|wrong| wrong.out_of_order));
        if lost {
            return false;
        }
        let extra = self.wrong.as_ref().map_or(0, |(_, entropy)| u32::from_be_bytes(entropy.bytes()));
        let pause = if late { extra % LATEST } else { 0 } + if displaced { extra % SHUFFLE } else { 0 };
        let due = now + i64::from(pause);
        let turn = if displaced { self.turn + TURNS * 4 + 1 + u64::from(extra % 7) } else { self.turn };
        if twice || explicit {
            self.waiting.insert((due, turn + 1), letter.clone());
        }
        self.waiting.insert((due, turn), letter);
        true
    }

    /// How many letters wait, due or not.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

/// A letter that is ready to go.
#[derive(Debug)]
pub(super) struct Envelope {
    letter: Letter,
    kind: String,
    url: String,
    signature: String,
    body: Bytes,
}

/// The next letter that is due, signed. Letters to endpoints that are gone are thrown away.
pub(super) fn next(account: &mut Account) -> Option<Envelope> {
    loop {
        let (&key, _) = account.post.waiting.first_key_value().filter(|((due, _), _)| *due <= account.now)?;
        let letter = account.post.waiting.remove(&key)?;
        let endpoint = account.objects.get("webhook_endpoint", &letter.endpoint);
        let event = account.objects.get("event", &letter.event);
        let (Some(endpoint), Some(event)) = (endpoint.filter(|endpoint| endpoint["status"] == "enabled"), event) else {
            continue;
        };
        let body = shown(event).to_string();
        let secrets = endpoint["_secrets"].as_array().into_iter().flatten();
        let secrets = secrets.filter(|held| held["until"].as_i64().is_none_or(|until| account.now < until));
        let secrets: Vec<&str> = secrets.map(|held| word(held, "secret")).collect();
        return Some(Envelope {
            kind: word(event, "type").to_owned(),
            url: word(endpoint, "url").to_owned(),
            signature: signature(&secrets, account.now, body.as_bytes()),
            body: body.into(),
            letter,
        });
    }
}

/// The header `Stripe-Signature`: the moment, and one signature for each secret.
///
/// Source: PROVIDERS C.7.
pub(super) fn signature(secrets: &[&str], at: i64, body: &[u8]) -> String {
    let mut header = format!("t={at}");
    for secret in secrets {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let mut context = hmac::Context::with_key(&key);
        context.update(format!("{at}.").as_bytes());
        context.update(body);
        header.push_str(",v1=");
        header.push_str(&hex::encode(context.sign().as_ref()));
    }
    header
}

/// Takes a letter to its endpoint; `None` when nobody answers.
pub(super) async fn carry(envelope: &Envelope) -> Option<u16> {
    let request = http::Request::post(&envelope.url)
        .header(http::header::CONTENT_TYPE, "application/json; charset=utf-8")
        .header(http::header::USER_AGENT, "Stripe/1.0 (simulated)")
        .header("stripe-signature", &envelope.signature)
        .body(Full::new(envelope.body.clone()))
        .ok()?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = tokio::time::timeout(PATIENCE, client.request(request)).await;
    answer.ok()?.ok().map(|answer| answer.status().as_u16())
}

/// Notes what came of a letter, and sends it again later when it didn't arrive.
pub(super) fn settle(account: &mut Account, envelope: Envelope, status: Option<u16>) {
    let Envelope { mut letter, kind, .. } = envelope;
    let at = account.now;
    let taken = status.is_some_and(|status| (200..300).contains(&status));
    if taken {
        arrived(account, &letter.event);
    }
    let (event, endpoint) = (letter.event.clone(), letter.endpoint.clone());
    account.post.attempts.push(Attempt { event, kind, endpoint, at, status });
    if let Some(gap) = GAPS.get(letter.tries).filter(|_| !taken) {
        letter.tries += 1;
        account.post.turn += TURNS;
        account.post.waiting.insert((at + gap, account.post.turn), letter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_published_vector() {
        let signed = signature(&["whsec_test"], 1_795_554_000, br#"{"id":"evt_1"}"#);
        assert_eq!(signed, "t=1795554000,v1=d4ace46983feba4c6588c72687b3f3f1c26fce836c8d830f835f943c0e20e572");
        let rolled = signature(&["whsec_new", "whsec_test"], 1_795_554_000, br#"{"id":"evt_1"}"#);
        assert!(rolled.ends_with(&signed["t=1795554000".len()..]), "{rolled}");
    }

    #[test]
    fn the_gaps_grow_to_three_days() {
        assert!(GAPS.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!((2 * 86_400..=3 * 86_400).contains(&GAPS.iter().sum::<i64>()));
    }
}
