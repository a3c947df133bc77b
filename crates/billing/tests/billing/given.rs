//! What the tests begin with.

use billing::{
    Coupon, Currency, Cycle, HourSet, InvoiceInputs, Party, Period, PlanVersion, Price, Rate, Source, Tax, Terms,
    Usage, Worth,
};
use domain::{Cents, CustomerId, InstanceId, Month, UsageHour};
use jiff::{Timestamp, civil::date};
use proptest::prelude::*;

/// `2026-11-14T09`.
pub fn hour(text: &str) -> UsageHour {
    UsageHour::of(at(&format!("{text}:00:00Z")))
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// So many hours later.
pub fn plus(hour: UsageHour, hours: i64) -> UsageHour {
    UsageHour::from_number(hour.get() + hours).unwrap()
}

pub fn month(text: &str) -> Period {
    Cycle::Calendar.period_of(Month::parse(text).unwrap().first_hour())
}

pub fn price(cents: i64) -> Price {
    Price::new(Cents::new(cents)).unwrap()
}

pub fn percent(percent: u32) -> Rate {
    Rate::new(percent * 10_000).unwrap()
}

pub fn vat(of: u32) -> Tax {
    Tax { name: "VAT".to_owned(), rate: percent(of) }
}

/// $5.00 a month and $1.00 an hour, without tax or trial.
pub fn plan() -> PlanVersion {
    PlanVersion {
        id: "2026".to_owned(),
        valid_from: hour("2026-01-01T00"),
        base: price(500),
        hour: price(100),
        currency: Currency::parse("usd").unwrap(),
        trial_days: 0,
        taxes: Vec::new(),
    }
}

/// Of a service that began long ago.
pub fn terms(plan: PlanVersion, period: Period) -> Terms {
    Terms { plan, period, service_began: hour("2026-01-01T00"), trial: None, tax_exempt: None }
}

/// The first so many hours of a period, as the guard saw them.
pub fn used(period: Period, hours: i64) -> Usage {
    let mut usage = Usage::none();
    (0..hours).for_each(|offset| usage.mark(Source::Guard, plus(period.start(), offset)));
    usage
}

pub fn inputs(terms: Terms, usage: Usage) -> InvoiceInputs {
    let began = at("2026-01-01T00:00:00Z");
    InvoiceInputs {
        number: "INV-1".to_owned(),
        customer: CustomerId::new(began, [1; 10]),
        instance: InstanceId::new(began, [2; 10]),
        terms,
        usage,
        closed: Vec::new(),
        coupons: Vec::new(),
        credit_balance: Price::FREE,
        issued: date(2026, 12, 1),
        due: date(2026, 12, 15),
        seller: party("Spinoff Ltd"),
        buyer: party("Acme"),
    }
}

fn party(name: &str) -> Party {
    Party { name: name.to_owned(), address: vec!["1 High Street".to_owned()], tax_id: Some("GB123".to_owned()) }
}

pub fn coupon(id: &str, worth: Worth) -> Coupon {
    Coupon { id: id.to_owned(), name: format!("Offer {id}"), worth }
}

pub fn set(hours: &[UsageHour]) -> HourSet {
    hours.iter().copied().collect()
}

pub fn sources() -> impl Strategy<Value = Source> {
    prop::sample::select(Source::ALL.to_vec())
}

/// From 2024 on, over two leap years.
pub fn hours() -> impl Strategy<Value = UsageHour> {
    let first = hour("2024-01-01T00").get();
    (first..first + 6 * 366 * 24).prop_map(|number| UsageHour::from_number(number).unwrap())
}

pub fn plans() -> impl Strategy<Value = PlanVersion> {
    let taxes = prop::collection::vec(0_u32..300_000, 0..3);
    (0_i64..10_000, 0_i64..1_000, 0_u16..40, taxes).prop_map(|(base, per_hour, trial_days, taxes)| {
        let named = taxes.into_iter().enumerate();
        let taxes = named.map(|(n, ppm)| Tax { name: format!("Tax {n}"), rate: Rate::new(ppm).unwrap() }).collect();
        PlanVersion { base: price(base), hour: price(per_hour), trial_days, taxes, ..plan() }
    })
}

pub fn coupons() -> impl Strategy<Value = Vec<Coupon>> {
    let worth = prop_oneof![
        (0_u32..50).prop_map(|left| Worth::Hours { left }),
        (0_i64..5_000).prop_map(|cents| Worth::Amount { left: price(cents) }),
        (0_u32..=1_000_000, hours(), prop::option::of(hours()))
            .prop_map(|(ppm, from, until)| { Worth::Percent { rate: Rate::new(ppm).unwrap(), from, until } }),
    ];
    prop::collection::vec(worth, 0..4)
        .prop_map(|worths| worths.into_iter().enumerate().map(|(id, worth)| coupon(&id.to_string(), worth)).collect())
}
