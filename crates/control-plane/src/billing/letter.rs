//! What a customer reads about invoices, payments, contested hours, and what was to be spent.

use ::store::Tx;
use ::store::sqlx::Error;
use billing::{Announcement, Cap, HourSet, Invoice};
use domain::{Cents, CustomerId, Email, InstanceId, UsageHour};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use pages::mail::{self as letters, Account, UsageDay, Written};

use super::close::Service;
use super::contests::{Contest, ContestState};
use super::invoices::Issued;
use super::refunds::Refund;
use super::running::Running;
use super::{paper, plans, spending};
use crate::app::Core;
use crate::customers::{self, Customer};
use crate::instances::names;
use crate::mail::{self, Letter};

/// Whom a letter goes to, and what it is about.
pub(super) struct Addressee {
    customer: Customer,
    pub account: Account,
    pub bills_url: String,
}

/// Nobody, once the customer or the instance is forgotten.
pub(super) async fn addressee(
    tx: &mut Tx,
    core: &Core,
    customer: CustomerId,
    instance: InstanceId,
) -> Result<Option<Addressee>, Error> {
    let Some(customer) = customers::store::find_in(tx, customer).await? else { return Ok(None) };
    let Some(called) = names::store::called(tx, instance).await? else { return Ok(None) };
    let account = Account {
        product: core.settings.product.clone(),
        name: customer.name.clone(),
        hostname: core.shown_hostname(&called.subdomain),
    };
    let bills_url = core.site_url(&format!("/portal/instances/{}/bills", called.subdomain));
    Ok(Some(Addressee { customer, account, bills_url }))
}

impl Addressee {
    pub(super) async fn post(&self, tx: &mut Tx, core: &Core, key: &str, written: Written) -> Result<(), Error> {
        mail::post(tx, core, Letter { key, to: &self.customer.email, written }).await
    }
}

/// Stores the mail that tells of an invoice, once, and a copy for whom the customer named. `left` is what is still to
/// be paid of it.
pub(super) async fn issued(
    tx: &mut Tx,
    core: &Core,
    invoice: &Invoice,
    left: Cents,
    copy_to: Option<&Email>,
) -> Result<(), Error> {
    let Some(to) = addressee(tx, core, invoice.customer, invoice.instance).await? else { return Ok(()) };
    let price = |amount| invoice.currency.price(amount);
    let letter = letters::InvoiceIssued {
        account: to.account.clone(),
        number: invoice.number.clone(),
        period: invoice.period.to_string(),
        total: price(invoice.total),
        amount_due: (left > Cents::ZERO).then(|| price(left)),
        due: invoice.due,
        how_to_pay: if left > Cents::ZERO { paper::in_paragraphs(core, &invoice.number) } else { Vec::new() },
        days: days(&invoice.hours()),
        url: format!("{}/invoices/{}", to.bills_url, invoice.number),
        bills_url: to.bills_url.clone(),
    };
    let key = format!("invoice {}", invoice.number);
    to.post(tx, core, &key, letter.written()).await?;
    let Some(copy_to) = copy_to.filter(|copy_to| **copy_to != to.customer.email) else { return Ok(()) };
    let key = format!("{key} copy");
    mail::post(tx, core, Letter { key: &key, to: copy_to, written: letter.written() }).await
}

/// A payment that came.
pub(super) struct Receipt<'a> {
    /// What the book calls it.
    pub reference: &'a str,
    /// How it came, as the customer reads it.
    pub how: &'a str,
    pub amount: Cents,
    pub on: Date,
}

/// Stores the receipt for a payment, once.
pub(super) async fn received(tx: &mut Tx, core: &Core, issued: &Issued, receipt: &Receipt<'_>) -> Result<(), Error> {
    let Some(to) = addressee(tx, core, issued.customer, issued.instance).await? else { return Ok(()) };
    let letter = letters::PaymentReceived {
        account: to.account.clone(),
        number: issued.number.clone(),
        amount: receipt.amount.priced(&issued.currency),
        how: receipt.how.to_owned(),
        on: receipt.on,
        open: (issued.outstanding > Cents::ZERO).then(|| issued.outstanding.priced(&issued.currency)),
        reopened: false,
        url: format!("{}/invoices/{}", to.bills_url, issued.number),
    };
    let key = format!("receipt {} {}", receipt.reference, issued.customer);
    to.post(tx, core, &key, letter.written()).await
}

/// Stores the mail that tells that money went back, once.
pub(super) async fn given_back(tx: &mut Tx, core: &Core, issued: &Issued, refund: &Refund) -> Result<(), Error> {
    let Some(to) = addressee(tx, core, issued.customer, issued.instance).await? else { return Ok(()) };
    let letter = letters::MoneyReturned {
        account: to.account.clone(),
        number: issued.number.clone(),
        amount: refund.amount.priced(&issued.currency),
        reason: refund.reason.clone(),
        to_card: core.drivers.payments.charges(),
        url: format!("{}/invoices/{}", to.bills_url, issued.number),
    };
    let key = format!("refund {}", refund.reference);
    to.post(tx, core, &key, letter.written()).await
}

/// Stores the answer to a contested hour, once. `credited` is what it had been billed at, if it had.
pub(super) async fn answered(
    tx: &mut Tx,
    core: &Core,
    customer: CustomerId,
    contest: &Contest,
    credited: Option<String>,
) -> Result<(), Error> {
    let Some(to) = addressee(tx, core, customer, contest.instance).await? else { return Ok(()) };
    let (account, hour) = (to.account.clone(), contest.hour);
    let answer = contest.answer.clone().unwrap_or_default();
    let url = format!("{}/hours/{}", to.bills_url, hour.get());
    let mail = match contest.state {
        ContestState::Open => return Ok(()),
        ContestState::Accepted => {
            let letter = letters::ContestAccepted { account, hour, answer, credited, url };
            letter.written()
        }
        ContestState::Refused => {
            let letter = letters::ContestRefused { account, hour, answer, url };
            letter.written()
        }
    };
    to.post(tx, core, &format!("contest {}", contest.id), mail).await
}

/// Stores the mail that tells that a cap is reached, once for each cap and period.
pub(super) async fn cap_reached(tx: &mut Tx, core: &Core, running: &Running, cap: Cap) -> Result<(), Error> {
    let Service { customer, instance, .. } = running.service;
    let Some(to) = addressee(tx, core, customer, instance).await? else { return Ok(()) };
    let now = core.clock.now();
    let goes_on = running.charged().contains(running.now);
    let letter = letters::CapReached {
        account: to.account.clone(),
        cap: spending::in_a_sentence(cap, &running.terms),
        closes_at: if goes_on { plans::next(running.now).start() } else { now },
        opens_at: running.terms.period.end().start(),
        bills_url: to.bills_url.clone(),
    };
    let allowed = cap.hours_allowed(&running.terms);
    let key = format!("cap {instance} {} {allowed}", running.terms.period.start().get());
    to.post(tx, core, &key, letter.written()).await
}

/// Stores the mail that tells how much of a budget is spent, once for each part and period.
pub(super) async fn spent(tx: &mut Tx, core: &Core, running: &Running, told: &Announcement) -> Result<(), Error> {
    let Service { customer, instance, .. } = running.service;
    let Some(to) = addressee(tx, core, customer, instance).await? else { return Ok(()) };
    let price = |amount| running.terms.plan.currency.price(amount);
    let letter = letters::BudgetAlert {
        account: to.account.clone(),
        percent: spending::percent(told.threshold),
        spent: price(told.spent),
        budget: price(told.budget.amount()),
        bills_url: to.bills_url.clone(),
    };
    let (period, budget) = (running.terms.period.start().get(), told.budget.amount().get());
    let key = format!("budget {instance} {period} {budget} {}", told.threshold.ppm());
    to.post(tx, core, &key, letter.written()).await
}

/// Hours by day, with hours that follow one another drawn together.
fn days(hours: &HourSet) -> Vec<UsageDay> {
    let mut days: Vec<(Date, Vec<(i8, i8)>)> = Vec::new();
    for hour in hours.iter() {
        let (day, at) = place(hour);
        match days.last_mut() {
            Some((last, spans)) if *last == day => match spans.last_mut() {
                Some((_, end)) if *end == at => *end += 1,
                _ => spans.push((at, at + 1)),
            },
            _ => days.push((day, vec![(at, at + 1)])),
        }
    }
    let words = |(day, spans): (Date, Vec<(i8, i8)>)| UsageDay {
        day: day.strftime("%a %-d %b %Y").to_string(),
        count: spans.iter().map(|(start, end)| u32::from((end - start).unsigned_abs())).sum(),
        spans: spans.iter().map(|(start, end)| format!("{start:02}:00–{end:02}:00")).collect::<Vec<_>>().join(", "),
    };
    days.into_iter().map(words).collect()
}

fn place(hour: UsageHour) -> (Date, i8) {
    let at = hour.start().to_zoned_datetime(TimeZone::UTC);
    (at.date(), at.hour())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn hours_that_follow_one_another_are_one_span_of_their_day() {
        let mut hours = HourSet::default();
        for hour in ["2026-11-02T09", "2026-11-02T10", "2026-11-02T14", "2026-11-02T23", "2026-11-03T00"] {
            hours.insert(UsageHour::of(format!("{hour}:00:00Z").parse().unwrap()));
        }
        let found: Vec<_> = days(&hours).into_iter().map(|day| (day.day, day.spans, day.count)).collect();
        let day = |day: &str, spans: &str, count| (day.to_owned(), spans.to_owned(), count);
        let monday = day("Mon 2 Nov 2026", "09:00–11:00, 14:00–15:00, 23:00–24:00", 4);
        assert_eq!(found, [monday, day("Tue 3 Nov 2026", "00:00–01:00", 1)]);
    }
}
