//! Closes a month for 100,000 customers on one core, and marks hours in sets:
//! `cargo run --release -p billing --example close`. What the customers did is drawn from a fixed seed, so every run computes the same invoices.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use billing::{
    Coupon, Currency, Cycle, HourSet, Invoice, InvoiceInputs, Lasting, Party, Period, PlanVersion, Price, Rate, Source,
    Tax, Terms, Usage, Worth, closed_by,
};
use domain::{Cents, CustomerId, InstanceId, Month, UsageHour, UsageHours};
use jiff::{Timestamp, civil::date};

const CUSTOMERS: u64 = 100_000;
const MARKS: u32 = 20_000_000;
/// Inputs are made in batches, so that memory measures nothing.
const BATCH: u64 = 2_000;

fn main() -> Result<(), Box<dyn Error>> {
    close()?;
    mark()
}

fn close() -> Result<(), Box<dyn Error>> {
    let (october, november) = (period("2026-10")?, period("2026-11")?);
    let mut chance = Chance(1);
    let (mut taken, mut bytes, mut hours, mut late, mut credits) = (Duration::ZERO, 0, 0, 0, 0);
    for first in (0..CUSTOMERS).step_by(BATCH.try_into()?) {
        let batch = (first..first + BATCH).map(|customer| customer_at_close(customer, october, november, &mut chance));
        let batch = batch.collect::<Result<Vec<_>, _>>()?;
        let began = Instant::now();
        for inputs in &batch {
            let invoice = Invoice::of(inputs)?;
            bytes += black_box(invoice.to_bytes()?).len();
            hours += invoice.lines[1].quantity;
            late += invoice.lines.iter().skip(2).map(|line| line.quantity).sum::<u32>();
            credits += invoice.credits.len();
        }
        taken += began.elapsed();
    }
    println!(
        "{CUSTOMERS} invoices: {:.2} s on one core ({hours} hours, {late} late ones, {credits} credits, {bytes} bytes)",
        taken.as_secs_f64()
    );
    Ok(())
}

fn mark() -> Result<(), Box<dyn Error>> {
    let month = Month::parse("2026-11")?;
    let hours: Vec<UsageHour> = UsageHours::from_bytes(month, &[255; 90])?.iter().collect();
    let mut chance = Chance(2);
    let marks: Vec<UsageHour> = (0..65_536).map(|_| *chance.one_of(&hours)).collect();
    let (mut set, mut of_month) = (HourSet::none(), UsageHours::none(month));
    let rate = |began: Instant| f64::from(MARKS) / began.elapsed().as_secs_f64() / 1e6;

    let began = Instant::now();
    (0..MARKS).zip(marks.iter().cycle()).for_each(|(_, hour)| set.insert(black_box(*hour)));
    println!("{:.1} million marks/s into a set of hours ({} hours)", rate(began), set.count());

    let began = Instant::now();
    for (_, hour) in (0..MARKS).zip(marks.iter().cycle()) {
        of_month.insert(black_box(*hour))?;
    }
    println!("{:.1} million marks/s into the set of one month ({} hours)", rate(began), of_month.count());
    Ok(())
}

/// A customer as the close of November finds them: October has its invoice, some hours of it came late, some were
/// waived, and everybody used November in their way.
fn customer_at_close(
    number: u64,
    october: Period,
    november: Period,
    chance: &mut Chance,
) -> Result<InvoiceInputs, Box<dyn Error>> {
    let mut usage = Usage::none();
    work(&mut usage, october, chance);
    let before = inputs(number, "10", terms(october)?, usage.clone())?;
    let closed = closed_by(&[Invoice::of(&before)?])?;
    if chance.is(10) {
        usage.mark(Source::Guard, chance.hour_of(october));
    }
    if chance.is(20) {
        closed
            .iter()
            .flat_map(|closed| closed.billed().iter().collect::<Vec<_>>())
            .take(1)
            .for_each(|hour| usage.waive(hour));
    }
    work(&mut usage, november, chance);
    let mut inputs = inputs(number, "11", terms(november)?, usage)?;
    inputs.closed = closed;
    if chance.is(5) {
        let worth = Worth::percent(Rate::new(200_000)?, november, Lasting::Forever, Cycle::Calendar);
        inputs.coupons.push(Coupon { id: "spring".to_owned(), name: "Spring offer".to_owned(), worth });
    }
    Ok(inputs)
}

/// About twenty days of a few hours each; what the guard saw, a sprint told again or went on beyond.
fn work(usage: &mut Usage, period: Period, chance: &mut Chance) {
    for day in 0..period.hours() / 24 {
        if chance.is(3) {
            continue;
        }
        let first = day * 24 + 8 + chance.below(4);
        for hour in first..first + 1 + chance.below(6) {
            let hour = UsageHour::from_number(period.start().get() + i64::from(hour));
            hour.into_iter().for_each(|hour| usage.mark(Source::Guard, hour));
            hour.into_iter().filter(|_| chance.is(4)).for_each(|hour| usage.mark(Source::Application, hour));
        }
    }
}

fn inputs(number: u64, month: &str, terms: Terms, usage: Usage) -> Result<InvoiceInputs, Box<dyn Error>> {
    let began = Timestamp::from_second(1_790_000_000)?;
    let mut id = [0; 10];
    id[2..].copy_from_slice(&number.to_be_bytes());
    let party = |name: String| Party {
        name,
        address: vec!["1 High Street".to_owned(), "London".to_owned()],
        tax_id: Some("GB123456789".to_owned()),
    };
    Ok(InvoiceInputs {
        number: format!("2026-{month}-{number:06}"),
        customer: CustomerId::new(began, id),
        instance: InstanceId::new(began, id),
        terms,
        usage,
        closed: Vec::new(),
        coupons: Vec::new(),
        credit_balance: Price::FREE,
        issued: date(2026, 12, 1),
        due: date(2026, 12, 15),
        seller: party("Spinoff Ltd".to_owned()),
        buyer: party(format!("Customer {number}")),
    })
}

fn terms(period: Period) -> Result<Terms, Box<dyn Error>> {
    let plan = PlanVersion {
        id: "2026".to_owned(),
        valid_from: UsageHour::of(Timestamp::UNIX_EPOCH),
        base: Price::new(Cents::new(500))?,
        hour: Price::new(Cents::new(100))?,
        currency: Currency::parse("usd")?,
        trial_days: 0,
        taxes: vec![Tax { name: "VAT".to_owned(), rate: Rate::new(200_000)? }],
    };
    let service_began = plan.valid_from;
    Ok(Terms { plan, period, service_began, trial: None, tax_exempt: None })
}

fn period(month: &str) -> Result<Period, Box<dyn Error>> {
    Ok(Cycle::Calendar.period_of(Month::parse(month)?.first_hour()))
}

/// A generator of numbers that only have to look different (xorshift).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32
    }

    fn below(&mut self, end: u32) -> u32 {
        self.next() % end
    }

    /// Once in so many times.
    fn is(&mut self, in_so_many: u32) -> bool {
        self.below(in_so_many) == 0
    }

    fn hour_of(&mut self, period: Period) -> UsageHour {
        let offset = i64::from(self.below(period.hours()));
        UsageHour::from_number(period.start().get() + offset).unwrap_or(period.start())
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.next() as usize % all.len()]
    }
}
