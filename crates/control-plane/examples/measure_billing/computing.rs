//! The rules alone, without a store: what customers did is drawn from fixed seeds, so that every run computes the same.

use std::error::Error;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::thread;
use std::time::{Duration, Instant};

use billing::{
    Coupon, Currency, Cycle, HourSet, Invoice, InvoiceInputs, Lasting, Party, Period, PlanVersion, Price, Rate, Source,
    Tax, Terms, Usage, Worth, closed_by,
};
use domain::{Cents, CustomerId, InstanceId, Month, UsageHour, UsageHours};
use jiff::{Timestamp, civil::date};

use super::Figures;

const CUSTOMERS: u64 = 100_000;
const MARKS: u32 = 20_000_000;
/// Inputs are made in batches, so that memory measures nothing.
const BATCH: u64 = 2_000;

type Failure = Box<dyn Error + Send + Sync>;

pub fn measure(figures: &mut Figures) -> Result<(), Failure> {
    mark(figures)?;
    let processors = u64::try_from(thread::available_parallelism().map_or(1, NonZeroUsize::get))?;
    let each = CUSTOMERS.div_ceil(processors);
    let closed = thread::scope(|threads| {
        let threads: Vec<_> = (0..processors).map(|part| threads.spawn(move || close(part, each))).collect();
        let taken =
            threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread that computes ended early")?);
        taken.collect::<Result<Vec<Duration>, Failure>>()
    })?;
    // All of them work at once, so the slowest one says how long it takes.
    figures.set("compute_seconds", closed.into_iter().max().unwrap_or_default().as_secs_f64());
    Ok(())
}

/// One processor's part of the customers; only computing counts.
fn close(part: u64, customers: u64) -> Result<Duration, Failure> {
    let (october, november) = (period("2026-10")?, period("2026-11")?);
    let mut chance = Chance(part + 1);
    let mut taken = Duration::ZERO;
    for first in (0..customers).step_by(BATCH.try_into()?) {
        let numbers = first..(first + BATCH).min(customers);
        let batch = numbers.map(|customer| customer_at_close(customer, october, november, &mut chance));
        let batch = batch.collect::<Result<Vec<_>, _>>()?;
        let began = Instant::now();
        for inputs in &batch {
            black_box(Invoice::of(inputs)?.to_bytes()?);
        }
        taken += began.elapsed();
    }
    Ok(taken)
}

fn mark(figures: &mut Figures) -> Result<(), Failure> {
    let month = Month::parse("2026-11")?;
    let hours: Vec<UsageHour> = UsageHours::from_bytes(month, &[255; 90])?.iter().collect();
    let mut chance = Chance(2);
    let marks: Vec<UsageHour> = (0..65_536).map(|_| *chance.one_of(&hours)).collect();
    let (mut set, mut of_month) = (HourSet::none(), UsageHours::none(month));
    let rate = |began: Instant| f64::from(MARKS) / began.elapsed().as_secs_f64();

    let began = Instant::now();
    (0..MARKS).zip(marks.iter().cycle()).for_each(|(_, hour)| set.insert(black_box(*hour)));
    figures.set("marks_per_second", rate(began));

    let began = Instant::now();
    for (_, hour) in (0..MARKS).zip(marks.iter().cycle()) {
        of_month.insert(black_box(*hour))?;
    }
    figures.set("marks_per_second_in_a_month", rate(began));
    black_box((set, of_month));
    Ok(())
}

/// A customer as the close of November finds them: October has its invoice, some hours of it came late, some were
/// waived, and everybody used November in their way.
fn customer_at_close(
    number: u64,
    october: Period,
    november: Period,
    chance: &mut Chance,
) -> Result<InvoiceInputs, Failure> {
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

fn inputs(number: u64, month: &str, terms: Terms, usage: Usage) -> Result<InvoiceInputs, Failure> {
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

fn terms(period: Period) -> Result<Terms, Failure> {
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

fn period(month: &str) -> Result<Period, Failure> {
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
