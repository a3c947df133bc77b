//! Invoices to print, for tests and to be looked at.

#![allow(clippy::unwrap_used, missing_docs, dead_code)]

use billing::{
    Coupon, Currency, Cycle, HourSet, Invoice, InvoiceInputs, Party, Period, PlanVersion, Price, Rate, Source, Tax,
    Terms, Usage, Worth, closed_by,
};
use domain::{Cents, CustomerId, InstanceId, Month, UsageHour};
use jiff::{Timestamp, civil::date};

pub const HOSTILE: &str = "<script>alert(1)</script>\"'>\u{202e}\u{5e9}\u{5dc}\u{5d5}\u{5dd}\u{0}\u{7}\r\n\t👩\u{200d}🚀 \u{1f1e9}\u{1f1ea} e\u{301}\u{302}\u{303} \u{e000}\u{fffe}\u{ffff} العربية 中文";

pub const WORKSPACE: &str = "corner-bakery.example.com";

pub fn how_to_pay() -> Vec<String> {
    vec![
        "Please transfer the amount to Spinoff Ltd, IBAN GB29 NWBK 6016 1331 9268 19, BIC NWBKGB2L, with the number of the invoice as reference.".to_owned(),
        "If something is wrong with it, answer the mail that it came with before you pay.".to_owned(),
    ]
}

/// A second month with everything that an invoice can have: late hours, a waived one, coupons, credit, tax.
pub fn typical() -> Invoice {
    let before = inputs("2026-10-0017", "2026-10", used("2026-10", 30));
    let closed = closed_by(&[Invoice::of(&before).unwrap()]).unwrap();
    let mut usage = used("2026-10", 30);
    usage.merge(&used("2026-11", 47));
    let first = before.usage.billable().iter().next().unwrap();
    usage.waive(first);
    usage.mark(Source::Guard, UsageHour::from_number(first.get() + 13).unwrap());
    let mut inputs = inputs("2026-11-0018", "2026-11", usage);
    inputs.closed = closed;
    inputs.credit_balance = price(250);
    let rate = Rate::new(100_000).unwrap();
    let spring = Worth::Percent { rate, from: UsageHour::of(Timestamp::UNIX_EPOCH), until: None };
    inputs.coupons = vec![
        Coupon { id: "hours".to_owned(), name: "Welcome".to_owned(), worth: Worth::Hours { left: 5 } },
        Coupon { id: "spring".to_owned(), name: "Spring offer".to_owned(), worth: spring },
    ];
    Invoice::of(&inputs).unwrap()
}

/// A month in which nothing was used.
pub fn least() -> Invoice {
    let mut inputs = inputs("2026-11-0001", "2026-11", Usage::none());
    inputs.terms.plan.taxes.clear();
    inputs.terms.tax_exempt = Some("No tax is charged: the place of supply is outside the United Kingdom.".to_owned());
    inputs.buyer = Party { name: "Ada Lovelace".to_owned(), address: Vec::new(), tax_id: None };
    Invoice::of(&inputs).unwrap()
}

/// Every hour of a year, on one invoice.
pub fn long() -> Invoice {
    let start = Month::parse("2026-01").unwrap().first_hour();
    let period = Period::new(start, UsageHour::from_number(start.get() + 365 * 24).unwrap()).unwrap();
    let mut inputs = inputs("2026-0099", "2026-01", Usage::none());
    for offset in (0..365 * 24).filter(|offset| offset % 3 != 0) {
        inputs.usage.mark(Source::Guard, UsageHour::from_number(start.get() + offset).unwrap());
    }
    inputs.terms.period = period;
    Invoice::of(&inputs).unwrap()
}

/// Texts that somebody chose to do harm with.
pub fn hostile() -> Invoice {
    let long = format!("{HOSTILE}{}", "long".repeat(400));
    let party = || Party { name: long.clone(), address: vec![long.clone(); 20], tax_id: Some(long.clone()) };
    let mut inputs = inputs(&long, "2026-11", used("2026-11", 3));
    (inputs.seller, inputs.buyer) = (party(), party());
    inputs.terms.plan.taxes = vec![Tax { name: long.clone(), rate: Rate::new(190_000).unwrap() }; 3];
    inputs.coupons = vec![Coupon { id: "x".to_owned(), name: long.clone(), worth: Worth::Hours { left: 1 } }];
    let mut invoice = Invoice::of(&inputs).unwrap();
    for line in &mut invoice.lines {
        line.description.clone_from(&long);
    }
    invoice
}

fn inputs(number: &str, month: &str, usage: Usage) -> InvoiceInputs {
    let period = Cycle::Calendar.period_of(Month::parse(month).unwrap().first_hour());
    let plan = PlanVersion {
        id: "2026".to_owned(),
        valid_from: UsageHour::of(Timestamp::UNIX_EPOCH),
        base: price(500),
        hour: price(100),
        currency: Currency::parse("usd").unwrap(),
        trial_days: 0,
        taxes: vec![Tax { name: "VAT".to_owned(), rate: Rate::new(200_000).unwrap() }],
    };
    let service_began = plan.valid_from;
    InvoiceInputs {
        number: number.to_owned(),
        customer: CustomerId::new(Timestamp::UNIX_EPOCH, [1; 10]),
        instance: InstanceId::new(Timestamp::UNIX_EPOCH, [1; 10]),
        terms: Terms { plan, period, service_began, trial: None, tax_exempt: None },
        usage,
        closed: Vec::new(),
        coupons: Vec::new(),
        credit_balance: Price::FREE,
        issued: date(2026, 12, 1),
        due: date(2026, 12, 15),
        seller: party("Spinoff Ltd", &["1 High Street", "London EC1A 1BB", "United Kingdom"], "GB123456789"),
        buyer: party(
            "Corner Bakery Žofie & Söhne GmbH",
            &["Ada Lovelace", "Mühlgasse 7", "1040 Wien", "Austria"],
            "ATU12345678",
        ),
    }
}

fn party(name: &str, address: &[&str], tax_id: &str) -> Party {
    Party {
        name: name.to_owned(),
        address: address.iter().map(|line| (*line).to_owned()).collect(),
        tax_id: Some(tax_id.to_owned()),
    }
}

/// So many hours of a month, a few on each day.
fn used(month: &str, count: usize) -> Usage {
    let first = Month::parse(month).unwrap().first_hour().get();
    let hours = (0..30).flat_map(|day| [9, 10, 11, 15].map(|hour| first + day * 24 + hour + day % 3));
    let mut usage = Usage::none();
    let set: HourSet = hours.filter_map(UsageHour::from_number).take(count).collect();
    set.iter().for_each(|hour| usage.mark(Source::Guard, hour));
    usage
}

fn price(cents: i64) -> Price {
    Price::new(Cents::new(cents)).unwrap()
}
