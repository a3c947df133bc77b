//! The operator's desk at `/-/simulation`: what the three providers hold, what they were asked last, and
//! buttons for what can go wrong.

mod overview;
mod page;

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};
use proxy::Body;
use simulators::stripe::{Deliveries, Doubt, Turn};
use simulators::{Fault, Served};
use world::{Clock, Entropy};

use super::answers::{html, json, notice, see_other};
use super::providers::Providers;
use overview::Overview;

/// Where it is, on the site's hostname.
const PATH: &str = "/-/simulation";
/// What a 429 says about when to come back.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// The desk.
pub struct Desk {
    providers: Arc<Providers>,
    product: String,
}

impl Desk {
    /// A desk in front of these providers, in a rehearsal of selling this.
    pub fn new(providers: Arc<Providers>, product: &str) -> Self {
        Self { providers, product: product.to_owned() }
    }

    /// Whether a path of the site is the desk's.
    pub fn is_for(path: &str) -> bool {
        path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Shows the desk, or does what a button says.
    pub fn answer(&self, head: &Parts) -> Response<Body> {
        let path = head.uri.path().strip_prefix(PATH).unwrap_or_default();
        match (&head.method, path) {
            (&Method::GET, "" | "/") => self.show(head),
            (&Method::POST, button) if !is_from_here(&head.headers) => {
                let text = format!("The button {button} was pressed on a page of another site.");
                notice(StatusCode::FORBIDDEN, "Not from here", &text)
            }
            (&Method::POST, button) => match self.press(button) {
                Some(()) => see_other(PATH),
                None => notice(StatusCode::NOT_FOUND, "No such button", "Go back to the desk and choose another."),
            },
            _ => notice(StatusCode::NOT_FOUND, "Not found", "The desk is at /-/simulation."),
        }
    }

    fn show(&self, head: &Parts) -> Response<Body> {
        let overview = Overview::of(&self.providers);
        let accept = head.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        if head.uri.query() == Some("json") || accept.contains("application/json") {
            return json(serde_json::to_string_pretty(&overview).unwrap_or_default());
        }
        html(StatusCode::OK, page::render(&overview, &self.product, Clock::System.now()))
    }

    /// `/<provider>/<button>`
    fn press(&self, button: &str) -> Option<()> {
        let (provider, button) = button.strip_prefix('/')?.split_once('/')?;
        let providers = &self.providers;
        let api = match provider {
            "railway" => &providers.railway_api,
            "cloudflare" => &providers.cloudflare_api,
            "stripe" => &providers.stripe_api,
            _ => return None,
        };
        match (provider, button) {
            ("railway", "revoke") => providers.railway.revoke(providers.railway.workspace_token()),
            ("railway", "restore") => providers.railway.restore_token(),
            ("cloudflare", "revoke") => providers.cloudflare.revoke(providers.cloudflare.token()),
            ("cloudflare", "restore") => providers.cloudflare.restore_token(),
            ("stripe", "revoke") => providers.revoke_stripe_key(),
            ("stripe", "restore") => providers.stripe.restore_key(),
            ("stripe", "lose") => {
                let all = Deliveries { lost: 1000, ..Deliveries::default() };
                providers.stripe.misdeliver(all, Entropy::System);
            }
            ("stripe", "deliver") => providers.stripe.deliver_well(),
            ("stripe", "decline") => set_cards(providers, false),
            ("stripe", "accept") => set_cards(providers, true),
            ("stripe", "dispute") => dispute_the_last(providers),
            ("stripe", "bank-for-customer") => settle_disputes(providers, Turn::Lost),
            ("stripe", "bank-for-us") => settle_disputes(providers, Turn::Won),
            (_, fault) => return break_next(api, fault),
        }
        Some(())
    }
}

fn set_cards(providers: &Providers, work: bool) {
    for customer in providers.stripe.customers() {
        providers.stripe.set_card(customer["id"].as_str().unwrap_or_default(), work);
    }
}

/// Where there is one that no bank questions yet.
fn dispute_the_last(providers: &Providers) {
    let charges = providers.stripe.charges().into_iter().rev();
    for charge in charges {
        if providers.stripe.dispute(&charge, Doubt::FRAUDULENT).is_ok() {
            return;
        }
    }
}

fn settle_disputes(providers: &Providers, turn: Turn) {
    for dispute in providers.stripe.disputes() {
        providers.stripe.settle_dispute(dispute["id"].as_str().unwrap_or_default(), turn);
    }
}

fn break_next(api: &Served, fault: &str) -> Option<()> {
    let fault = match fault {
        "clear" => {
            api.faults.clear();
            return Some(());
        }
        "503" => Fault::Status(503),
        "429" => Fault::TooMany { retry_after: RETRY_AFTER },
        "reset-before" => Fault::ResetBefore,
        "reset-after" => Fault::ResetAfter,
        _ => return None,
    };
    api.faults.next(fault);
    Some(())
}

/// Whether a button was pressed on the desk itself. Programs say nothing about where they come from.
fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text(ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin.split_once("://").map(|(_, host)| host) == text(HOST.as_str()),
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn buttons_work_from_the_desk_only() {
        let from = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs.iter().map(|(name, value)| (name.parse().ok(), HeaderValue::from_static(value)));
            is_from_here(&pairs.filter_map(|(name, value)| Some((name?, value))).collect())
        };
        assert!(from(&[("host", "localhost:8080"), ("origin", "http://localhost:8080")]));
        assert!(from(&[("sec-fetch-site", "same-origin")]) && from(&[]));
        assert!(!from(&[("host", "localhost:8080"), ("origin", "http://acme.localhost:8080")]));
        assert!(!from(&[("sec-fetch-site", "same-site"), ("origin", "null")]));
        assert!(Desk::is_for("/-/simulation") && Desk::is_for("/-/simulation/stripe/lose"));
        assert!(!Desk::is_for("/-/simulations") && !Desk::is_for("/-/health"));
    }
}
