//! The period that is running, with what it is charged by.

use std::iter::successors;

use billing::{
    Cap, Coupon, CouponError, Forecast, HourSet, Invoice, InvoiceError, InvoiceInputs, OutOfRange, Party, Price,
    Source, Terms, Usage,
};
use domain::{InstanceId, UsageHour};
use jiff::Timestamp;

use super::close::{Closing, Service, store as services};
use super::coupons::held::Held;
use super::{details, invoices, plans};
use crate::app::Core;
use crate::usage;

/// See the module.
pub(crate) struct Running {
    pub service: Service,
    pub terms: Terms,
    pub usage: Usage,
    pub now: UsageHour,
}

impl Running {
    /// Nothing for an instance that was never in use, or is no more, or where there is no plan.
    pub(crate) async fn of(core: &Core, instance: InstanceId) -> Result<Option<Self>, ::store::sqlx::Error> {
        let now = UsageHour::of(core.clock.now());
        let service = services::find(&core.db, instance).await?;
        let Some(service) = service.filter(|service| service.ended.is_none_or(|ended| ended >= now)) else {
            return Ok(None);
        };
        let period = core.settings.billing.cycle_of(service.began).period_of(now);
        let closing = Closing::new(core).await?;
        let mut connection = core.db.read().acquire().await?;
        let details = details::store::find(&mut connection, service.customer).await?.map(|(details, _)| details);
        let Some(terms) = closing.terms(&service, period, details.as_ref()) else { return Ok(None) };
        let usage = usage::recorded(&mut connection, instance, period.start(), period.end()).await?;
        Ok(Some(Self { service, terms, usage, now }))
    }

    /// What is left of a coupon for this period's invoice.
    pub(crate) fn left_of(&self, core: &Core, coupon: &Held) -> Result<Option<Coupon>, CouponError> {
        let cycle = core.settings.billing.cycle_of(self.service.began);
        coupon.left(self.service.customer_since, &self.terms, cycle)
    }

    /// What the period comes to with so many charged hours, after coupons and taxes: its invoice, without late hours and
    /// credit.
    pub(crate) fn estimate(&self, hours: u32, coupons: &[Coupon]) -> Result<Invoice, InvoiceError> {
        let mut usage = self.usage.clone();
        let charged = self.charged();
        let coming = successors(Some(self.now.max(self.terms.charged_from())), |hour| Some(plans::next(*hour)));
        let coming = coming.take_while(|hour| *hour < self.terms.period.end()).filter(|hour| !charged.contains(*hour));
        let more = usize::try_from(hours.saturating_sub(charged.count())).unwrap_or(usize::MAX);
        coming.take(more).for_each(|hour| usage.mark(Source::Guard, hour));
        let nobody = || Party { name: String::new(), address: Vec::new(), tax_id: None };
        let today = invoices::day_of(self.now.start());
        Invoice::of(&InvoiceInputs {
            number: String::new(),
            customer: self.service.customer,
            instance: self.service.instance,
            terms: self.terms.clone(),
            usage,
            closed: Vec::new(),
            coupons: coupons.to_vec(),
            credit_balance: Price::FREE,
            issued: today,
            due: today,
            seller: nobody(),
            buyer: nobody(),
        })
    }

    /// The hours so far that are to be paid for.
    pub(crate) fn charged(&self) -> HourSet {
        self.terms.charged(&self.usage.billable())
    }

    /// What it comes to if it goes on like this.
    pub(crate) fn forecast(&self, cap: Option<Cap>) -> Result<Forecast, OutOfRange> {
        Forecast::of(&self.terms, &self.usage.billable(), self.now, cap)
    }

    /// Until when nothing is charged, during a trial.
    pub(crate) fn trial_until(&self) -> Option<Timestamp> {
        let trial = self.terms.trial.filter(|trial| trial.ends > self.now);
        trial.map(|trial| trial.ends.start())
    }
}
