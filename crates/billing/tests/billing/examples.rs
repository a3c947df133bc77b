//! Worked examples in which every number can be checked by hand. Those of the operator's guide: `guide.rs`.

use std::num::NonZeroU32;

use billing::ledger::Refunded;
use billing::{
    Cap, Cycle, Forecast, Invoice, InvoiceInputs, Lasting, LineKind, PlanVersion, Terms, Trial, Worth, closed_by,
};
use domain::Cents;

use crate::given::{coupon, hour, inputs, month, percent, plan, plus, price, terms, used, vat};

fn invoice(inputs: &InvoiceInputs) -> Invoice {
    Invoice::of(inputs).unwrap()
}

fn cents(amount: i64) -> Cents {
    Cents::new(amount)
}

/// Half of everything, for as long as the customer stays, and 19 % of tax.
fn half_price(text: &str, hours: i64) -> InvoiceInputs {
    let plan = PlanVersion { taxes: vec![vat(19)], ..plan() };
    let mut inputs = inputs(terms(plan, month(text)), used(month(text), hours));
    let half = Worth::percent(percent(50), month("2026-11"), Lasting::Forever, Cycle::Calendar);
    inputs.coupons = vec![coupon("half", half)];
    inputs
}

#[test]
fn twelve_hours_cost_seventeen_dollars() {
    let november = month("2026-11");
    let bill = invoice(&inputs(terms(plan(), november), used(november, 12)));
    assert_eq!((bill.subtotal, bill.total, bill.amount_due), (cents(1700), cents(1700), cents(1700)));
    let lines: Vec<_> = bill.lines.iter().map(|line| (line.description.as_str(), line.quantity, line.unit)).collect();
    assert_eq!(
        lines,
        [
            ("Base fee, 1 Nov 2026 to 30 Nov 2026", 1, cents(500)),
            ("Usage hours, 1 Nov 2026 to 30 Nov 2026", 12, cents(100))
        ]
    );
}

#[test]
fn an_idle_month_costs_the_base_fee() {
    let november = month("2026-11");
    assert_eq!(invoice(&inputs(terms(plan(), november), used(november, 0))).total, cents(500));
}

#[test]
fn who_begins_on_the_fourteenth_pays_seventeen_thirtieths_of_the_base_fee() {
    let november = month("2026-11");
    let terms = Terms { service_began: hour("2026-11-14T00"), ..terms(plan(), november) };
    let bill = invoice(&inputs(terms.clone(), used(november, 3)));
    // 408 of 720 hours: 500 × 17 ÷ 30 = 283.33. The hours before the service began are nobody's.
    assert_eq!(bill.total, cents(283));
    let text = "Base fee, 1 Nov 2026 to 30 Nov 2026: 408 of 720 hours, from 14 Nov 2026 00:00 UTC";
    assert_eq!(bill.lines[0].description, text);
    let december = Terms { period: month("2026-12"), ..terms };
    assert_eq!(invoice(&inputs(december, used(november, 0))).total, cents(500), "and from then on all of it");
}

#[test]
fn an_anniversary_is_never_prorated() {
    let of = hour("2026-11-14T09");
    let period = Cycle::Anniversary { of }.period_of(of);
    let terms = Terms { service_began: of, ..terms(plan(), period) };
    assert_eq!(invoice(&inputs(terms, used(period, 2))).total, cents(700));
}

#[test]
fn a_trial_of_two_weeks_leaves_sixteen_thirtieths_of_the_base_fee() {
    let november = month("2026-11");
    let began = november.start();
    let plan = PlanVersion { trial_days: 14, ..plan() };
    let trial = Trial::of(&plan, began);
    let terms = Terms { service_began: began, trial, ..terms(plan, november) };
    let mut usage = used(november, 5);
    let after = hour("2026-11-15T00");
    [after, plus(after, 1)].into_iter().for_each(|hour| usage.mark(billing::Source::Guard, hour));
    let bill = invoice(&inputs(terms, usage));
    // 384 of 720 hours: 500 × 16 ÷ 30 = 266.67, and two hours.
    assert_eq!(bill.total, cents(267 + 200));
    let hours: Vec<_> = bill.lines.iter().map(|line| (line.kind, line.quantity, line.amount)).collect();
    let expected =
        [(LineKind::BaseFee, 1, cents(267)), (LineKind::TrialHours, 5, cents(0)), (LineKind::Hours, 2, cents(200))];
    assert_eq!(hours, expected);
}

#[test]
fn coupons_tax_and_credit_come_in_this_order() {
    let november = month("2026-11");
    let plan = PlanVersion { taxes: vec![vat(19)], ..plan() };
    let mut inputs = inputs(terms(plan, november), used(november, 12));
    let once = Lasting::Periods(NonZeroU32::MIN);
    inputs.coupons = vec![
        coupon("amount", Worth::Amount { left: price(200) }),
        coupon("fifth", Worth::percent(percent(20), november, once, Cycle::Calendar)),
        coupon("hours", Worth::Hours { left: 3 }),
    ];
    inputs.credit_balance = price(400);
    let bill = invoice(&inputs);
    assert_eq!(bill.subtotal, cents(1700));
    // Three hours: 300. A fifth of the other 1400: 280. Then 200.
    let taken: Vec<_> = bill.discounts.iter().map(|it| (it.coupon.as_str(), it.taken.amount)).collect();
    assert_eq!(taken, [("hours", cents(300)), ("fifth", cents(280)), ("amount", cents(200))]);
    assert_eq!(bill.discounts[0].description, "Offer hours: 3 hours for free");
    assert_eq!(bill.net, cents(920));
    // 19 % of 920 is 174.8.
    assert_eq!(bill.taxes[0].amount, cents(175));
    assert_eq!((bill.total, bill.credit_applied, bill.amount_due), (cents(1095), cents(400), cents(695)));
}

#[test]
fn a_percentage_for_two_periods_ends_with_the_second() {
    let december = month("2026-12");
    let two =
        Worth::percent(percent(20), month("2026-11"), Lasting::Periods(NonZeroU32::new(2).unwrap()), Cycle::Calendar);
    for (period, total) in [(month("2026-10"), 500), (month("2026-11"), 400), (december, 400), (month("2027-01"), 500)]
    {
        let mut inputs = inputs(terms(plan(), period), used(period, 0));
        inputs.coupons = vec![coupon("two", two)];
        assert_eq!(invoice(&inputs).total, cents(total), "{period}");
    }
}

#[test]
fn late_hours_are_named_and_cost_what_they_cost_when_they_were_used() {
    let (november, december) = (month("2026-11"), month("2026-12"));
    let first = invoice(&inputs(terms(plan(), november), used(november, 12)));
    let dearer = PlanVersion { id: "2027".to_owned(), hour: price(200), ..plan() };
    let mut usage = used(november, 14);
    usage.merge(&used(december, 3));
    let mut inputs = inputs(terms(dearer, december), usage);
    inputs.number = "INV-2".to_owned();
    inputs.closed = closed_by(&[first]).unwrap();
    let bill = invoice(&inputs);
    assert_eq!(bill.total, cents(500 + 3 * 200 + 2 * 100));
    let late = &bill.lines[2];
    assert_eq!((late.kind, late.quantity, late.unit), (LineKind::LateHours, 2, cents(100)));
    let text = "Late usage hours of 1 Nov 2026 to 30 Nov 2026, reported after its close: \
                1 Nov 2026 12:00, 1 Nov 2026 13:00 UTC";
    assert_eq!(late.description, text);
}

#[test]
fn an_hour_waived_after_it_was_billed_comes_back_with_its_tax_and_without_its_discount() {
    let first = half_price("2026-11", 10);
    let november = month("2026-11");
    let bill = invoice(&first);
    // (500 + 1000) ÷ 2 = 750, and 19 % of that: 142.5. Of these, 500 and 95 belong to the ten hours.
    assert_eq!((bill.net, bill.taxes[0].amount, bill.total), (cents(750), cents(143), cents(893)));
    assert_eq!((bill.lines[1].net, bill.lines[1].taxes[0].amount), (cents(500), cents(95)));

    let mut second = half_price("2026-12", 0);
    second.number = "INV-2".to_owned();
    second.usage.merge(&first.usage);
    second.usage.waive(november.start());
    second.closed = closed_by(std::slice::from_ref(&bill)).unwrap();
    let after = invoice(&second);
    // A tenth: 50, and 9.5 of tax.
    assert_eq!((after.credits[0].net, after.credits[0].amount), (cents(50), cents(60)));
    assert_eq!(
        after.credits[0].description,
        "Credit for 1 hour of 1 Nov 2026 to 30 Nov 2026, waived after invoice INV-1"
    );
    // 250 and 19 % of that, 47.5; less the credit.
    assert_eq!((after.total, after.credit_applied, after.amount_due), (cents(298), cents(60), cents(238)));

    let mut third = half_price("2027-01", 0);
    third.usage = second.usage.clone();
    (1..10).for_each(|offset| third.usage.waive(plus(november.start(), offset)));
    third.closed = closed_by(&[bill, after]).unwrap();
    let last = invoice(&third);
    assert_eq!(last.credits[0].amount, cents(595 - 60), "all ten hours together give back what they cost");
    assert_eq!((last.credit_left, last.amount_due), (cents(535 - 298), cents(0)));
}

#[test]
fn a_cap_of_twenty_dollars_with_tax_leaves_eleven_hours() {
    let november = month("2026-11");
    let plan = PlanVersion { taxes: vec![vat(19)], ..plan() };
    let terms = terms(plan, november);
    let cap = Cap::Spend(price(2000));
    // 16.00 and 3.04 make 19.04; 17.00 and 3.23 make 20.23.
    assert_eq!(cap.hours_allowed(&terms), 11);
    let words = cap.in_words(&terms);
    assert!(words.starts_with("You pay at most $20.00 for each period, taxes included: the base fee and 11 hours."));
    assert!(Cap::Hours(1).in_words(&terms).starts_with("You are charged for at most 1 hour in each period."));
}

#[test]
fn twenty_hours_in_ten_days_of_thirty_will_be_sixty() {
    let november = month("2026-11");
    let terms = terms(plan(), november);
    let billable = used(november, 20).billable();
    let forecast = Forecast::of(&terms, &billable, hour("2026-11-10T23"), None).unwrap();
    assert_eq!((forecast.hours, forecast.expected_hours, forecast.expected_amount), (20, 60, cents(6500)));
    assert_eq!(
        forecast.in_words(plan().currency),
        "So far this period: 20 hours, $25.00. If it goes on like this, it will be 60 hours, $65.00, and never more \
         than 500 hours."
    );
}

#[test]
fn an_invoice_that_goes_back_in_parts_gives_back_its_taxes_to_the_cent() {
    let inputs = half_price("2026-11", 12);
    let bill = invoice(&inputs);
    // $8.50 with 19 %: $1.62 (161.5, a half away from zero) of $10.12.
    assert_eq!((bill.net, bill.total), (cents(850), cents(1012)));
    for step in [1, 3, 7, 100, 333, 1012] {
        let (mut before, mut taxes, mut nets) = (0, 0, 0);
        while before < 1012 {
            let amount = step.min(1012 - before);
            let back = bill.given_back(cents(before), cents(amount)).unwrap();
            let Refunded::Sale { net, tax } = back else { panic!("{back:?}") };
            assert!(net >= Cents::ZERO && tax >= Cents::ZERO && net.get() + tax.get() == amount, "{back:?}");
            (before, taxes, nets) = (before + amount, taxes + tax.get(), nets + net.get());
        }
        assert_eq!((nets, taxes), (850, 162), "in steps of {step}");
    }
}
