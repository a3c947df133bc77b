//! The table of worked examples in the operator's guide: its figures are read from there and computed again, so that the
//! guide says what is charged.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use billing::{
    Cap, Cycle, Invoice, InvoiceInputs, Lasting, LineKind, PlanVersion, Source, Terms, Trial, Worth, closed_by,
};
use domain::Cents;

use crate::given::{coupon, hour, inputs, month, percent, plan, plus, price, terms, used, vat};

const GUIDE: &str = include_str!("../../../../docs/operator.md");
const HEADING: &str = "\n### Worked examples\n";
const COLUMNS: &str = "| example | base fee | hours | late hours | coupons | tax | credit | to pay |";

/// The figures of each example, by its name.
fn told() -> BTreeMap<&'static str, Vec<&'static str>> {
    let (_, section) = GUIDE.split_once(HEADING).unwrap();
    let (section, _) = section.split_once("\n### ").unwrap();
    assert!(section.contains(COLUMNS), "the columns are others than those that are computed");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| **"));
    rows.map(|row| {
        let (name, rest) = row.split_once("**").unwrap();
        (name, rest.trim_end_matches('|').split('|').skip(1).map(str::trim).collect())
    })
    .collect()
}

/// The same figures as an invoice has them; what is nothing is left out.
fn figures(inputs: &InvoiceInputs) -> Vec<String> {
    let invoice = Invoice::of(inputs).unwrap();
    let of = |kind| invoice.lines.iter().filter(|line| line.kind == kind).map(|line| line.amount.get()).sum::<i64>();
    let taken: i64 = invoice.discounts.iter().map(|discount| discount.taken.amount.get()).sum();
    let columns = [
        of(LineKind::BaseFee),
        of(LineKind::Hours),
        of(LineKind::LateHours),
        taken,
        invoice.tax().unwrap().get(),
        invoice.credit_applied.get(),
        invoice.amount_due.get(),
    ];
    let shown = |cents| if cents == 0 { String::new() } else { invoice.currency.price(Cents::new(cents)) };
    columns.map(shown).into()
}

/// So many hours of November, with or without a coupon and a tax.
fn november(hours: i64, is_cheaper: bool, is_taxed: bool) -> InvoiceInputs {
    let november = month("2026-11");
    let taxes = if is_taxed { vec![vat(19)] } else { Vec::new() };
    let mut inputs = inputs(terms(PlanVersion { taxes, ..plan() }, november), used(november, hours));
    if is_cheaper {
        let worth = Worth::percent(percent(20), november, Lasting::Periods(NonZeroU32::MIN), Cycle::Calendar);
        inputs.coupons = vec![coupon("fifth", worth)];
    }
    inputs
}

/// So many hours of December, after November was billed with twelve.
fn december(hours: i64) -> InvoiceInputs {
    let before = november(12, false, false);
    let mut inputs = inputs(terms(plan(), month("2026-12")), used(month("2026-12"), hours));
    inputs.number = "INV-2".to_owned();
    inputs.usage.merge(&before.usage);
    inputs.closed = closed_by(&[Invoice::of(&before).unwrap()]).unwrap();
    inputs
}

fn first_month() -> InvoiceInputs {
    let mut inputs = november(0, false, false);
    inputs.terms.service_began = hour("2026-11-14T00");
    (9..12).for_each(|offset| inputs.usage.mark(Source::Guard, plus(hour("2026-11-14T00"), offset)));
    inputs
}

fn trial() -> InvoiceInputs {
    let mut inputs = november(5, false, false);
    let began = inputs.terms.period.start();
    let plan = PlanVersion { trial_days: 14, ..plan() };
    let trial = Trial::of(&plan, began);
    inputs.terms = Terms { plan, trial, service_began: began, ..inputs.terms };
    (0..2).for_each(|offset| inputs.usage.mark(Source::Guard, plus(hour("2026-11-15T00"), offset)));
    inputs
}

fn late_hours() -> InvoiceInputs {
    let mut inputs = december(3);
    inputs.usage.merge(&used(month("2026-11"), 14));
    inputs
}

fn waived_hour() -> InvoiceInputs {
    let mut inputs = december(0);
    inputs.usage.waive(month("2026-11").start());
    inputs
}

/// As many hours as the cap lets begin.
fn cap() -> InvoiceInputs {
    let terms = november(0, false, true).terms;
    november(Cap::Spend(price(2000)).hours_allowed(&terms).into(), false, true)
}

#[test]
fn the_worked_examples_of_the_guide_are_what_is_charged() {
    let examples: BTreeMap<&str, InvoiceInputs> = BTreeMap::from([
        ("a usual month", november(12, false, false)),
        ("an idle month", november(0, false, false)),
        ("the first month", first_month()),
        ("a trial", trial()),
        ("late hours", late_hours()),
        ("a waived hour", waived_hour()),
        ("a coupon", november(12, true, false)),
        ("a coupon and tax", november(12, true, true)),
        ("a cap", cap()),
    ]);
    let computed: BTreeMap<&str, Vec<String>> =
        examples.iter().map(|(name, inputs)| (*name, figures(inputs))).collect();
    let told: BTreeMap<&str, Vec<String>> =
        told().into_iter().map(|(name, cells)| (name, cells.into_iter().map(str::to_owned).collect())).collect();
    assert_eq!(told, computed);
}
