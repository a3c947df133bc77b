//! A stateful Stripe, with the version, the parameters and the refusals of [`VERSION`].
//!
//! It keeps customers, prices, checkouts, subscriptions, invoices, disputes, meters and events on a
//! [`world::Clock`], bills as time passes, and delivers signed webhooks, which go wrong on request.
//!
//! # How it differs from the real Stripe
//! - There is one account in test mode, and one currency and one interval in a subscription. There is
//!   no Connect, no tax, discount, coupon, promotion code, tier, test clock or thin event, and of v2
//!   nothing.
//! - It knows a part of the API. A parameter or path that the real one knows and this one doesn't is
//!   refused like a wrong one, so that nobody relies on what isn't imitated. Every `expand` that
//!   finds an id works, even where the real one would refuse it.
//! - `Stripe-Version` must be sent (see [`Settings::strict_version`]), where the real one would take
//!   the account's own.
//! - Cards are a switch for each customer ([`Stripe::set_card`]); no bank asks for confirmation.
//! - A dispute begins, goes on and ends when a test says so ([`Stripe::dispute`], [`Stripe::settle_dispute`]). Each that
//!   takes money costs [`DISPUTE_FEE`], in the currency of the payment; no evidence is taken, and none runs out.
//! - Every attempt to pay an invoice counts in `attempt_count`, where the real one counts the first and those of its own
//!   schedule. An invoice without `auto_advance` is never tried again by itself, as there.
//! - An invoice becomes dearer when it is made final only on request ([`Stripe::surcharge_next`]), by a line; the real one
//!   adds taxes beside the lines.
//! - Subscriptions come from Checkout only, and their items can't be changed. Prorations are made only
//!   when a subscription is ended with `invoice_now` and `prorate`.
//! - What is used in a trial is not billed. The last invoice after `invoice_now` waits an hour like any
//!   other, with `billing_reason` `subscription_update`; that is a guess.
//! - Payments are retried at fixed times ([`Settings::retries`]), not at clever ones. Where there is no
//!   card at all, the subscription stays `past_due` until somebody pays or ends it.
//! - With [`Deliveries`], an event goes wrong for each endpoint by itself. One
//!   that is lost counts as delivered, and is in `GET /v1/events` for 30 days.
//! - Deliveries happen when [`Stripe::deliver_due`] is called, or as [`Stripe::deliver_always`] does
//!   it, and go to `http://` addresses only.
//! - The search finds at once what was made, and understands one clause.
//! - Meter events become countable after a fixed time ([`Settings::counting_takes`]), and the errors
//!   that would come as thin events are in [`Stripe::faulty_usage`].
//! - Identifiers, messages and pages are its own; codes and types are Stripe's.

mod account;
mod balance;
mod checkout;
mod collection;
mod completion;
mod credit_notes;
mod customers;
mod cycle;
mod deliveries;
mod disputes;
mod events;
mod evidence;
mod expansion;
mod form;
mod idempotency;
mod inspection;
mod invoice_items;
mod invoices;
mod invoicing;
mod items;
mod keys;
mod lines;
mod listing;
mod meters;
mod objects;
mod pages;
mod parameters;
mod payments;
mod period;
mod portal;
mod prices;
mod products;
mod refunds;
mod refusal;
mod requests;
mod routes;
mod settings;
mod subscriptions;
mod usage;
mod webhooks;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};
use world::{Clock, Entropy};

use crate::stripe::account::Account;

pub use completion::{Card, Incomplete};
pub use deliveries::{Attempt, Deliveries};
pub use disputes::{DISPUTE_FEE, Doubt, Turn};
pub use inspection::Money;
pub use keys::Permission;
pub use parameters::{Field, Fields, Kind};
pub use requests::Held;
pub use routes::Operation;
pub use settings::{Afterwards, Settings};

/// The version of the API that is imitated.
pub const VERSION: &str = "2026-10-28.endive";

/// The simulator. Clones share their state.
#[derive(Debug, Clone)]
pub struct Stripe(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    account: Mutex<Account>,
    /// Operations whose next request waits, and what lets it go on.
    held: Mutex<Vec<(String, oneshot::Receiver<()>)>>,
}

impl Stripe {
    /// An empty account.
    pub fn new(clock: Clock, entropy: Entropy, settings: Settings) -> Self {
        let account = Account::new(clock.now().as_second(), entropy, settings);
        Self(Arc::new(Inner { clock, account: Mutex::new(account), held: Mutex::new(Vec::new()) }))
    }

    /// Everything that can be asked for, as the contract test looks at it.
    pub fn operations() -> &'static [Operation] {
        routes::OPERATIONS.as_slice()
    }

    /// The operation that a request asks for.
    pub fn operation_of(method: &str, path: &str) -> Option<&'static Operation> {
        routes::find(&method.parse().ok()?, path).map(|(operation, _)| operation)
    }

    /// Does everything that is due by now: trials end, periods turn, invoices are collected. Every
    /// request does this first.
    pub fn tick(&self) {
        drop(self.account());
    }

    /// Delivers every event that is due, one after another, and says how many attempts that took.
    pub async fn deliver_due(&self) -> usize {
        let mut attempts = 0;
        loop {
            let next = deliveries::next(&mut self.account());
            let Some(envelope) = next else { return attempts };
            let status = deliveries::carry(&envelope).await;
            deliveries::settle(&mut self.account(), envelope, status);
            attempts += 1;
        }
    }

    /// Delivers what is due, again and again, until the guard is dropped: for rehearsals in real time.
    pub fn deliver_always(&self, pause: Duration) -> DropGuard {
        let (stripe, stop) = (self.clone(), CancellationToken::new());
        let work = async move {
            let mut beat = tokio::time::interval(pause);
            loop {
                beat.tick().await;
                stripe.deliver_due().await;
            }
        };
        tokio::spawn(stop.clone().run_until_cancelled_owned(work));
        stop.drop_guard()
    }

    /// The state, brought up to now.
    fn account(&self) -> MutexGuard<'_, Account> {
        let mut account = self.0.account.lock().unwrap_or_else(PoisonError::into_inner);
        cycle::turn(&mut account, self.0.clock.now().as_second());
        account
    }
}
