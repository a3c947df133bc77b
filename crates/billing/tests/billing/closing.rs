//! Whole lives: periods are closed one after another while reports and waivers come when they like.

use billing::ledger::{Account, Ledger, issue};
use billing::{
    Coupon, Cycle, HourSet, Invoice, InvoiceError, InvoiceInputs, Period, PlanVersion, Price, Source, Terms, Trial,
    Usage, closed_by,
};
use domain::{Cents, UsageHour};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::given::{coupons, hours, inputs, plans, plus, sources, terms};

/// Something told at a close, or after it: a report of an hour, or that one is waived.
#[derive(Debug, Clone, Copy)]
struct Told {
    hour: UsageHour,
    /// None waives it.
    by: Option<Source>,
    /// First known at this close.
    at_close: usize,
}

#[derive(Debug, Clone)]
struct Life {
    plan: PlanVersion,
    cycle: Cycle,
    began: UsageHour,
    told: Vec<Told>,
    coupons: Vec<Coupon>,
    closes: usize,
}

fn lives() -> impl Strategy<Value = Life> {
    let closes = 5_usize;
    // Reports come for any of the first periods; the last two closes find nothing new but what came before them.
    let told = prop::collection::vec((0_i64..3 * 720, prop::option::weighted(0.8, sources()), 0_usize..4), 0..120);
    let busy = prop::collection::vec((0_i64..40, prop::option::weighted(0.5, sources()), 0_usize..4), 0..80);
    (plans(), hours(), any::<bool>(), told, busy, coupons()).prop_map(
        move |(plan, began, calendar, told, busy, coupons)| {
            let cycle = if calendar { Cycle::Calendar } else { Cycle::Anniversary { of: began } };
            let told = told.into_iter().chain(busy);
            let told = told.map(|(offset, by, at_close)| Told { hour: plus(began, offset), by, at_close }).collect();
            Life { plan, cycle, began, told, coupons, closes }
        },
    )
}

impl Life {
    fn usage_known_at(&self, close: usize) -> Usage {
        let mut usage = Usage::none();
        for told in self.told.iter().filter(|told| told.at_close <= close) {
            match told.by {
                Some(source) => usage.mark(source, told.hour),
                None => usage.waive(told.hour),
            }
        }
        usage
    }

    fn periods(&self) -> Vec<Period> {
        self.cycle.periods_from(self.began).take(self.closes).collect()
    }

    /// Closes each period with what is known by then. Inputs and invoices, in order.
    fn live(&self) -> Vec<(InvoiceInputs, Invoice)> {
        let mut lived: Vec<(InvoiceInputs, Invoice)> = Vec::new();
        let (mut coupons, mut credit) = (self.coupons.clone(), Price::FREE);
        for (close, period) in self.periods().into_iter().enumerate() {
            let trial = Trial::of(&self.plan, self.began);
            let terms = Terms { service_began: self.began, trial, ..terms(self.plan.clone(), period) };
            let invoices: Vec<Invoice> = lived.iter().map(|(_, invoice)| invoice.clone()).collect();
            let inputs = InvoiceInputs {
                number: format!("INV-{close}"),
                closed: closed_by(&invoices).unwrap(),
                coupons: coupons.clone(),
                credit_balance: credit,
                ..inputs(terms, self.usage_known_at(close))
            };
            let invoice = Invoice::of(&inputs).unwrap();
            credit = Price::new(invoice.credit_left).unwrap();
            for coupon in &mut coupons {
                if let Some(discount) = invoice.discounts.iter().find(|discount| discount.coupon == coupon.id) {
                    *coupon = coupon.after(&discount.taken).unwrap();
                }
            }
            lived.push((inputs, invoice));
        }
        lived
    }
}

fn total(amounts: impl Iterator<Item = Cents>) -> i64 {
    amounts.map(Cents::get).sum()
}

proptest! {
    #[test]
    fn every_used_hour_is_billed_exactly_once_or_waived(life in lives()) {
        let lived = life.live();
        let (mut billed, mut credited) = (HourSet::none(), HourSet::none());
        for (_, invoice) in &lived {
            for line in &invoice.lines {
                prop_assert!(billed.intersection(&line.hours).is_empty(), "an hour stands on two lines");
                billed.union(&line.hours);
            }
            for credit in &invoice.credits {
                prop_assert!(credited.intersection(&credit.hours).is_empty(), "an hour is credited twice");
                credited.union(&credit.hours);
            }
        }
        let usage = life.usage_known_at(usize::MAX);
        prop_assert_eq!(billed.difference(&credited), usage.billable());
        prop_assert_eq!(&credited, &billed.intersection(&usage.waived()));
        prop_assert!(billed.difference(&usage.used()).is_empty(), "an hour without evidence is billed");
    }

    #[test]
    fn every_invoice_recomputes_to_the_byte(life in lives()) {
        for (inputs, invoice) in life.live() {
            let stored = serde_json::to_vec(&inputs).unwrap();
            let mut read: InvoiceInputs = serde_json::from_slice(&stored).unwrap();
            read.closed.reverse();
            prop_assert_eq!(Invoice::of(&read).unwrap().to_bytes().unwrap(), invoice.to_bytes().unwrap());
        }
    }

    #[test]
    fn a_period_is_closed_once(life in lives()) {
        let lived = life.live();
        let invoices: Vec<Invoice> = lived.iter().map(|(_, invoice)| invoice.clone()).collect();
        for (inputs, invoice) in lived {
            let again = InvoiceInputs { closed: closed_by(&invoices).unwrap(), ..inputs };
            prop_assert_eq!(Invoice::of(&again), Err(InvoiceError::ClosedAlready(invoice.period)));
        }
    }

    #[test]
    fn all_invoices_together_charge_no_period_more_than_base_fee_and_its_hours(life in lives()) {
        let lived = life.live();
        for period in life.periods() {
            let lines = lived.iter().flat_map(|(_, invoice)| &invoice.lines).filter(|line| line.period == period);
            let hours = i64::from(period.hours()) * life.plan.hour.amount().get();
            prop_assert!(total(lines.map(|line| line.net)) <= life.plan.base.amount().get() + hours);
        }
    }

    #[test]
    fn credits_give_back_no_more_than_was_charged_and_are_never_lost(life in lives()) {
        let lived = life.live();
        let invoices = || lived.iter().map(|(_, invoice)| invoice);
        let granted = total(invoices().flat_map(|invoice| &invoice.credits).map(|credit| credit.amount));
        let applied = total(invoices().map(|invoice| invoice.credit_applied));
        let left = invoices().next_back().map_or(0, |invoice| invoice.credit_left.get());
        prop_assert_eq!(granted, applied + left);
        for (_, invoice) in &lived {
            let credits = invoices().flat_map(|later| &later.credits).filter(|credit| credit.invoice == invoice.number);
            let charged = invoice.lines.iter().filter(|line| !line.hours.is_empty());
            let charged = total(charged.flat_map(|line| line.taxes.iter().map(|tax| tax.amount).chain([line.net])));
            prop_assert!(total(credits.map(|credit| credit.amount)) <= charged);
        }
    }

    #[test]
    fn the_books_hold_what_the_invoices_say(life in lives()) {
        let mut ledger = Ledger::new();
        let lived = life.live();
        let at = |day: i64| Timestamp::from_second(1_800_000_000 + day * 86_400).unwrap();
        for (day, (_, invoice)) in (0..).zip(&lived) {
            for _ in 0..2 {
                for transaction in issue(invoice, at(day)).unwrap() {
                    ledger.record(transaction).unwrap();
                }
            }
            prop_assert_eq!(ledger.credit().unwrap(), invoice.credit_left);
        }
        let invoices = || lived.iter().map(|(_, invoice)| invoice);
        prop_assert_eq!(ledger.owed().get(), total(invoices().map(|invoice| invoice.amount_due)));
        prop_assert_eq!(-ledger.balance(Account::Revenue).get(), total(invoices().map(|invoice| invoice.net)));
        prop_assert_eq!(total(Account::ALL.into_iter().map(|account| ledger.balance(account))), 0);
    }
}
