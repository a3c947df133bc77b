//! What a test looks at and turns, past the API.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use world::Entropy;

use crate::stripe::completion::{self, Card, Incomplete};
use crate::stripe::deliveries::{Attempt, Deliveries};
use crate::stripe::keys::{Keys, Permission};
use crate::stripe::objects::{number, shown, word};
use crate::stripe::subscriptions::ENDED;
use crate::stripe::{Stripe, checkout, refunds, webhooks};

/// Cents.
pub type Money = i64;

impl Stripe {
    /// Every customer that is there, oldest first.
    pub fn customers(&self) -> Vec<Value> {
        self.all("customer")
    }

    /// Every subscription, oldest first, those that ended too.
    pub fn subscriptions(&self) -> Vec<Value> {
        self.all("subscription")
    }

    /// Subscriptions that did not end.
    pub fn live_subscriptions(&self) -> Vec<Value> {
        let all = self.all("subscription").into_iter();
        all.filter(|subscription| !ENDED.contains(&word(subscription, "status"))).collect()
    }

    /// Every invoice, oldest first.
    pub fn invoices(&self) -> Vec<Value> {
        self.all("invoice")
    }

    /// Every event, oldest first.
    pub fn events(&self) -> Vec<Value> {
        self.all("event")
    }

    /// Every checkout session, oldest first.
    pub fn checkout_sessions(&self) -> Vec<Value> {
        self.all("checkout.session")
    }

    /// What a customer's cards were charged, whether or not it was given back.
    pub fn charged_cents(&self, customer: &str) -> Money {
        self.sum_of_charges(customer, "amount_captured")
    }

    /// What of it was given back.
    pub fn refunded_cents(&self, customer: &str) -> Money {
        self.sum_of_charges(customer, "amount_refunded")
    }

    /// How many of a kind were ever made, such as `customer` or `checkout.session`.
    pub fn creations(&self, kind: &str) -> u64 {
        self.account().made.get(kind).copied().unwrap_or_default()
    }

    /// Every attempt to deliver an event, oldest first.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.account().post.attempts.clone()
    }

    /// How many deliveries wait, due or not.
    pub fn deliveries_waiting(&self) -> usize {
        self.account().post.waiting()
    }

    /// Identifiers of meter events that were taken and then couldn't be counted, and why.
    pub fn faulty_usage(&self) -> Vec<(String, &'static str)> {
        self.account().usage.faulty.clone()
    }

    /// A customer completes a checkout with a card that works. Gives the address to go on to.
    ///
    /// # Errors
    /// When the session is unknown or not open.
    pub fn complete(&self, session: &str) -> Result<String, Incomplete> {
        self.complete_with(session, Card::Works)
    }

    /// A customer tries to complete a checkout with a card that the bank declines.
    ///
    /// # Errors
    /// Always: [`Incomplete::Declined`] where the session is open, which it stays.
    pub fn decline(&self, session: &str) -> Result<String, Incomplete> {
        self.complete_with(session, Card::Declined)
    }

    /// A customer completes a checkout with the given card, or with none.
    ///
    /// # Errors
    /// When the session is unknown or not open, or doesn't go with that card.
    pub fn complete_with(&self, session: &str, card: Card) -> Result<String, Incomplete> {
        completion::complete(&mut self.account(), session, card)
    }

    /// The time of an open checkout is over at once.
    pub fn expire(&self, session: &str) {
        checkout::expire_due(&mut self.account(), session);
    }

    /// Whether the bank pays for a customer from now on.
    pub fn set_card(&self, customer: &str, works: bool) {
        let mut account = self.account();
        if works {
            account.declining.remove(customer);
        } else {
            account.declining.insert(customer.to_owned());
        }
    }

    /// The next invoice becomes dearer by so many cents when it is made final, as by a tax that the operator added in
    /// the dashboard.
    pub fn surcharge_next(&self, cents: Money) {
        self.account().surcharge = Some(cents);
    }

    /// Makes a restricted key, `rk_test_…`, that may do only this. Resources are named as in the
    /// dashboard, such as `customer` or `checkout_session`.
    pub fn restricted_key(&self, permissions: &[(&str, Permission)]) -> String {
        let mut account = self.account();
        let secret = format!("rk_test_{}", account.chance::<24>());
        let permissions = permissions.iter().map(|(resource, held)| ((*resource).to_owned(), *held));
        account.keys.restricted(secret.clone(), permissions.collect::<BTreeMap<_, _>>());
        secret
    }

    /// Takes a key away for good.
    pub fn revoke(&self, secret: &str) {
        self.account().keys.revoke(secret);
    }

    /// The account's own key opens everything again.
    pub fn restore_key(&self) {
        let mut account = self.account();
        account.keys = Keys::new(&account.settings);
    }

    /// Lets a key run out.
    pub fn expire_key(&self, secret: &str) {
        self.account().keys.expire(secret);
    }

    /// Where customers reach the pages, such as `https://pay.example`: otherwise where the first
    /// request went.
    pub fn set_pages(&self, address: &str) {
        address.trim_end_matches('/').clone_into(&mut self.account().pages);
    }

    /// How many requests a second are answered from now on.
    pub fn limit_requests(&self, per_second: Option<u32>) {
        self.account().settings.requests_per_second = per_second;
    }

    /// Gives a webhook endpoint a new secret, which is returned. The old one signs too for a while.
    pub fn roll_secret(&self, endpoint: &str, both_for: Duration) -> Option<String> {
        let mut account = self.account();
        let until = account.now + i64::try_from(both_for.as_secs()).unwrap_or(0);
        webhooks::roll(&mut account, endpoint, until)
    }

    /// The bank of the card can't take a refund, so that the money comes back to the account.
    pub fn fail_refund(&self, refund: &str) {
        refunds::fail(&mut self.account(), refund);
    }

    /// Every refund, oldest first.
    pub fn refunds(&self) -> Vec<Value> {
        self.all("refund")
    }

    /// From now on so many deliveries go wrong, as a seeded stream decides.
    pub fn misdeliver(&self, deliveries: Deliveries, entropy: Entropy) {
        self.account().post.wrong = Some((deliveries, entropy));
    }

    /// From now on every delivery goes right, but for those already sent.
    pub fn deliver_well(&self) {
        self.account().post.wrong = None;
    }

    /// The next event of a kind is lost on its way.
    pub fn drop_next(&self, kind: &str) {
        self.account().post.drop_next.push_back(kind.to_owned());
    }

    /// The next event of a kind is delivered twice.
    pub fn duplicate_next(&self, kind: &str) {
        self.account().post.duplicate_next.push_back(kind.to_owned());
    }

    pub(super) fn all(&self, kind: &'static str) -> Vec<Value> {
        self.account().objects.all(kind).map(shown).collect()
    }

    fn sum_of_charges(&self, customer: &str, name: &str) -> Money {
        self.account().of_customer("charge", customer).map(|charge| number(charge, name)).sum()
    }
}
