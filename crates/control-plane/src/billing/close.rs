//! One period of one instance becomes one invoice: computed, stored, booked and told in one transaction.

pub(crate) mod store;

use ::store::Tx;
use ::store::sqlx::AnyConnection;
use billing::ledger::issue;
use billing::{
    CapHistory, Coupon, CouponError, Invoice, InvoiceError, InvoiceInputs, Party, Period, Price, PriceBook, Tax,
    TaxBook, Taxed, Terms, Trial, closed_by,
};
use domain::{Cents, CustomerId, Email, InstanceId, UsageHour};
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::accounts::{AccountError, Entry, Held};
use super::coupons::held as coupons;
use super::details::{self, BillingDetails};
use super::{accounts, collection, invoices, letter, plans, spending, taxes};
use crate::app::Core;
use crate::customers;
use crate::{audit, usage};

/// So many of an instance's latest periods may still get late hours or credits: two years of them.
pub(super) const PERIODS_OPEN_TO_CHANGES: u32 = 24;

/// Who issues invoices, as audit log and books call it.
const AUTHOR: &str = "closing";

/// An instance that has, or had, a service to be billed.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub instance: InstanceId,
    pub customer: CustomerId,
    /// The hour in which it first became active.
    pub began: UsageHour,
    /// The hour in which the first of its customer's services became active, which is when their trial began.
    pub customer_since: UsageHour,
    /// The hour in which its end was asked for.
    pub ended: Option<UsageHour>,
    /// The end of its last invoice's period.
    pub billed_until: Option<UsageHour>,
    /// When a contract ended that was restored, and when that was.
    pub uncharged: Option<(UsageHour, UsageHour)>,
}

/// Why a period did not get its invoice.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CloseError {
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Invoice(#[from] InvoiceError),
    #[error(transparent)]
    Coupon(#[from] CouponError),
}

impl From<::store::sqlx::Error> for CloseError {
    fn from(error: ::store::sqlx::Error) -> Self {
        Self::Account(error.into())
    }
}

impl CloseError {
    /// What would meet the next instance as well.
    pub(crate) fn of_the_store(self) -> Result<::store::sqlx::Error, Self> {
        match self {
            Self::Account(AccountError::Store(error)) => Ok(error),
            other => Err(other),
        }
    }
}

/// What a closing needs beside the services.
pub(crate) struct Closing<'a> {
    pub core: &'a Core,
    pub prices: PriceBook,
    pub taxes: TaxBook,
}

impl<'a> Closing<'a> {
    pub(crate) async fn new(core: &'a Core) -> Result<Self, ::store::sqlx::Error> {
        let (prices, taxes) = (plans::store::book(&core.db).await?, taxes::store::book(&core.db).await?);
        Ok(Self { core, prices, taxes })
    }

    /// The periods of a service that end at an hour or before it and have no invoice yet, the earliest first. None
    /// begins after the service ended; the one in which it ended counts whole, and so does the one in which it was
    /// restored. A service that ended within its trial has none. What came before the first version of the plan is
    /// nobody's to bill.
    pub(crate) fn periods(&self, service: &Service, until: UsageHour) -> Vec<Period> {
        let trial = self.trial(service);
        if service.ended.is_some_and(|ended| trial.is_some_and(|trial| ended < trial.ends)) {
            return Vec::new();
        }
        let cycle = self.core.settings.billing.cycle_of(service.began);
        let first = service.billed_until.unwrap_or(service.began).max(service.began);
        let lasts = |period: &Period| service.ended.is_none_or(|ended| period.start() <= ended);
        let periods = cycle.periods_from(first).take_while(|period| period.end() <= until && lasts(period));
        let charged =
            |period: &Period| service.uncharged.is_none_or(|(from, to)| period.start() <= from || to < period.end());
        periods.filter(charged).filter(|period| self.prices.for_period(*period, service.began).is_some()).collect()
    }

    /// What a service pays in a period, of a customer with these details; nothing before there was a plan.
    pub(crate) fn terms(&self, service: &Service, period: Period, details: Option<&BillingDetails>) -> Option<Terms> {
        let rules = self.taxes.in_force(period.start().max(service.began));
        self.terms_taxed(service, period, taxes::taxed(rules, details))
    }

    /// What it paid in a period that has its invoice: with the taxes of that, wherever the customer is now.
    fn terms_of(&self, service: &Service, invoice: &Invoice) -> Option<Terms> {
        let taxes = invoice.taxes.iter().map(|tax| Tax { name: tax.name.clone(), rate: tax.rate }).collect();
        self.terms_taxed(service, invoice.period, Taxed { taxes, exempt: invoice.tax_exempt.clone() })
    }

    fn terms_taxed(&self, service: &Service, period: Period, taxed: Taxed) -> Option<Terms> {
        let mut plan = self.prices.for_period(period, service.began)?.clone();
        plan.taxes = taxed.taxes;
        let trial = self.trial(service);
        Some(Terms { plan, period, service_began: service.began, trial, tax_exempt: taxed.exempt })
    }

    /// A second service has what is left of the first one's trial.
    fn trial(&self, service: &Service) -> Option<Trial> {
        let since = service.customer_since;
        self.prices.in_force(since).and_then(|plan| Trial::of(plan, since))
    }

    /// Closes a period in a transaction of its own. Nothing when it is closed already.
    pub(crate) async fn close(&self, service: &Service, period: Period) -> Result<Option<Invoice>, CloseError> {
        let mut tx = self.core.db.begin().await?;
        let mut held = accounts::open(&mut tx, service.customer).await?;
        let invoice = self.close_in(&mut tx, &mut held, service, period).await?;
        tx.commit().await?;
        Ok(invoice)
    }

    /// Closes a period while the customer's book is held. Nothing when it is closed already.
    pub(crate) async fn close_in(
        &self,
        tx: &mut Tx,
        held: &mut Held,
        service: &Service,
        period: Period,
    ) -> Result<Option<Invoice>, CloseError> {
        if invoices::store::exists(tx, service.instance, period.start()).await? {
            return Ok(None);
        }
        let details = details::store::find(tx, service.customer).await?.map(|(details, _)| details);
        let Some(terms) = self.terms(service, period, details.as_ref()) else { return Ok(None) };
        self.waive_beyond_caps(tx, service, &terms).await?;
        let (seq, inputs) = self.inputs(tx, held, service, (terms, details.as_ref())).await?;
        let invoice = Invoice::of(&inputs)?;
        let copy_to = details.and_then(|details| details.mail_to);
        self.issue(tx, held, (seq, &inputs, &invoice), copy_to.as_ref()).await?;
        Ok(Some(invoice))
    }

    /// Invoices what became known of a service after its last invoice, when nothing will ever follow: its late hours, and
    /// credits, without any base fee. Nothing where nothing became known.
    pub(crate) async fn close_late(&self, service: &Service) -> Result<Option<Invoice>, CloseError> {
        let mut tx = self.core.db.begin().await?;
        let mut held = accounts::open(&mut tx, service.customer).await?;
        let cycle = self.core.settings.billing.cycle_of(service.began);
        let Some(period) = service.billed_until.map(|until| cycle.period_of(until)) else { return Ok(None) };
        if invoices::store::exists(&mut tx, service.instance, period.start()).await? {
            return Ok(None);
        }
        let details = details::store::find(&mut tx, service.customer).await?.map(|(details, _)| details);
        let Some(mut terms) = self.terms(service, period, details.as_ref()) else { return Ok(None) };
        terms.plan.base = Price::FREE;
        self.waive_beyond_caps(&mut tx, service, &terms).await?;
        let (seq, inputs) = self.inputs(&mut tx, &held, service, (terms, details.as_ref())).await?;
        let invoice = Invoice::of(&inputs)?;
        // Dropped without a commit, the transaction gives the number back.
        if invoice.hours().is_empty() && invoice.credits.is_empty() {
            return Ok(None);
        }
        let copy_to = details.and_then(|details| details.mail_to);
        self.issue(&mut tx, &mut held, (seq, &inputs, &invoice), copy_to.as_ref()).await?;
        tx.commit().await?;
        Ok(Some(invoice))
    }

    /// Stores, books and tells an invoice that was just computed.
    async fn issue(
        &self,
        tx: &mut Tx,
        held: &mut Held,
        (seq, inputs, invoice): (i64, &InvoiceInputs, &Invoice),
        copy_to: Option<&Email>,
    ) -> Result<(), CloseError> {
        let now = self.core.clock.now();
        invoices::store::insert(tx, seq, inputs, invoice, now).await?;
        coupons::take(tx, invoice).await?;
        let entry = Entry { author: AUTHOR, reason: "", now };
        for transaction in issue(invoice, now).map_err(AccountError::from)? {
            held.record(tx, transaction, entry).await?;
        }
        // More may have been paid earlier than was owed then.
        let settled = held.settle(tx).await?;
        let left = settled.last().map_or(invoice.amount_due, |newest| newest.outstanding);
        let detail = format!("{}, {}", invoice.period, invoice.currency.price(invoice.total));
        audit::record(tx, self.core, AUTHOR, "invoice.issued", &invoice.number, &detail).await?;
        letter::issued(tx, self.core, invoice, left, copy_to).await?;
        if left > Cents::ZERO && self.core.drivers.payments.charges() {
            collection::begin(tx, self.core, &invoice.number).await?;
        }
        Ok(())
    }

    /// An hour that is told late may have made another one of its period the one too many, also of one that is closed.
    async fn waive_beyond_caps(&self, tx: &mut Tx, service: &Service, terms: &Terms) -> Result<(), CloseError> {
        let caps = spending::store::caps(tx, service.instance).await?;
        if caps == CapHistory::default() {
            return Ok(());
        }
        let earlier = invoices::store::latest(tx, service.instance, PERIODS_OPEN_TO_CHANGES).await?;
        let earlier = earlier.iter().filter_map(|invoice| self.terms_of(service, invoice));
        for terms in earlier.chain([terms.clone()]) {
            spending::waive_beyond(tx, self.core, service.instance, &caps, &terms).await?;
        }
        Ok(())
    }

    async fn inputs(
        &self,
        tx: &mut Tx,
        held: &Held,
        service: &Service,
        (terms, details): (Terms, Option<&BillingDetails>),
    ) -> Result<(i64, InvoiceInputs), CloseError> {
        let settings = &self.core.settings;
        let earlier = invoices::store::latest(tx, service.instance, PERIODS_OPEN_TO_CHANGES).await?;
        let closed = closed_by(&earlier)?;
        let from = closed.iter().map(|closed| closed.period.start()).fold(terms.period.start(), UsageHour::min);
        // Nothing is billed of what came after the service's last hour.
        let until = service.ended.map_or(terms.period.end(), |ended| plans::next(ended).min(terms.period.end()));
        let usage = usage::recorded(tx, service.instance, from, until).await?;
        let issued = invoices::day_of(self.core.clock.now());
        let seq = invoices::store::next_seq(tx).await?;
        let credit = held.ledger.credit().map_err(InvoiceError::from)?;
        let buyer = customers::store::find_in(tx, service.customer).await?;
        let coupons = self.coupons(tx, service, &terms).await?;
        let inputs = InvoiceInputs {
            number: format!("{}{:04}-{seq:06}", settings.billing.number_prefix, issued.year()),
            customer: service.customer,
            instance: service.instance,
            terms,
            usage,
            closed,
            coupons,
            credit_balance: Price::new(credit).map_err(|_| InvoiceError::BelowNothing)?,
            issued,
            due: due(issued, settings.billing.due_days),
            seller: settings.billing.seller(&settings.product),
            buyer: buyer.map_or_else(nobody, |buyer| details::buyer(buyer, details)),
        };
        Ok((seq, inputs))
    }

    /// What is left of the customer's coupons for the next invoice of a service.
    pub(crate) async fn coupons(
        &self,
        connection: &mut AnyConnection,
        service: &Service,
        terms: &Terms,
    ) -> Result<Vec<Coupon>, CloseError> {
        let cycle = self.core.settings.billing.cycle_of(service.began);
        let held = coupons::of(connection, service.customer).await?;
        let left = held.iter().map(|coupon| coupon.left(service.customer_since, terms, cycle));
        Ok(left.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }
}

fn due(issued: Date, days: u16) -> Date {
    issued.saturating_add(i64::from(days).days())
}

/// Every service has a customer; the store sees to that.
fn nobody() -> Party {
    Party { name: String::new(), address: Vec::new(), tax_id: None }
}
