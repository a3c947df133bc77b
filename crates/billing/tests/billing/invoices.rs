use billing::{Cycle, Invoice, InvoiceError, InvoiceInputs, LineKind, Price, Terms, Trial, Usage, closed_by};
use domain::{Cents, UsageHour};
use proptest::prelude::*;

use crate::given::{
    coupon, coupons, hour, hours, inputs, month, percent, plan, plans, plus, price, sources, terms, used, vat,
};

/// Any period of any cycle, with any use in and around it.
fn any_inputs() -> impl Strategy<Value = InvoiceInputs> {
    let marks = prop::collection::vec((sources(), -100_i64..900), 0..80);
    let waived = prop::collection::vec(-100_i64..900, 0..10);
    (plans(), hours(), any::<bool>(), 0_i64..2_000, marks, waived, coupons(), 0_i64..3_000).prop_map(
        |(plan, began, calendar, into, marks, waived, coupons, credit)| {
            let cycle = if calendar { Cycle::Calendar } else { Cycle::Anniversary { of: began } };
            let period = cycle.period_of(plus(began, into));
            let trial = Trial::of(&plan, began);
            let mut usage = Usage::none();
            marks.into_iter().for_each(|(source, offset)| usage.mark(source, plus(period.start(), offset)));
            waived.into_iter().for_each(|offset| usage.waive(plus(period.start(), offset)));
            let terms = Terms { service_began: began, trial, period, ..terms(plan, period) };
            InvoiceInputs { coupons, credit_balance: price(credit), ..inputs(terms, usage) }
        },
    )
}

fn sum(amounts: impl Iterator<Item = Cents>) -> i64 {
    amounts.map(Cents::get).sum()
}

proptest! {
    #[test]
    fn an_invoice_is_never_more_than_base_fee_and_all_hours(inputs in any_inputs()) {
        let invoice = Invoice::of(&inputs).unwrap();
        let plan = &inputs.terms.plan;
        let most = plan.base.amount().get() + i64::from(inputs.terms.period.hours()) * plan.hour.amount().get();
        prop_assert!(invoice.subtotal.get() <= most);
        prop_assert!(Cents::ZERO <= invoice.net && invoice.net <= invoice.subtotal);
        prop_assert!(invoice.net <= invoice.total);
    }

    #[test]
    fn an_invoice_adds_up_to_the_cent(inputs in any_inputs()) {
        let invoice = Invoice::of(&inputs).unwrap();
        let lines = || invoice.lines.iter();
        prop_assert_eq!(sum(lines().map(|line| line.amount)), invoice.subtotal.get());
        prop_assert_eq!(sum(lines().map(|line| line.net)), invoice.net.get());
        let taken = sum(invoice.discounts.iter().map(|discount| discount.taken.amount));
        prop_assert_eq!(taken, sum(lines().map(|line| line.discount)));
        prop_assert_eq!(invoice.subtotal.get() - taken, invoice.net.get());
        for (place, tax) in invoice.taxes.iter().enumerate() {
            prop_assert_eq!(sum(lines().map(|line| line.taxes[place].amount)), tax.amount.get());
        }
        for line in lines() {
            prop_assert_eq!(line.unit.get() * i64::from(line.quantity), line.amount.get());
            prop_assert_eq!(line.amount.get() - line.discount.get(), line.net.get());
            prop_assert!(line.net >= Cents::ZERO && line.discount >= Cents::ZERO);
            prop_assert!(line.taxes.iter().all(|tax| tax.amount >= Cents::ZERO));
            prop_assert!(line.kind == LineKind::BaseFee || line.quantity == line.hours.count());
        }
    }

    #[test]
    fn credit_is_spent_or_kept_and_never_lost(inputs in any_inputs()) {
        let invoice = Invoice::of(&inputs).unwrap();
        prop_assert_eq!(invoice.credit_applied.get() + invoice.credit_left.get(), invoice.credit_before.get());
        prop_assert_eq!(invoice.total.get() - invoice.credit_applied.get(), invoice.amount_due.get());
        prop_assert!(invoice.credit_left >= Cents::ZERO && invoice.amount_due >= Cents::ZERO);
        prop_assert!(invoice.credit_left == Cents::ZERO || invoice.amount_due == Cents::ZERO);
        for coupon in &inputs.coupons {
            if let Some(discount) = invoice.discounts.iter().find(|discount| discount.coupon == coupon.id) {
                prop_assert!(coupon.after(&discount.taken).is_ok());
            }
        }
    }

    #[test]
    fn evidence_told_again_and_inputs_in_another_order_change_no_byte(inputs in any_inputs()) {
        let bytes = Invoice::of(&inputs).unwrap().to_bytes().unwrap();
        let mut again = inputs.clone();
        again.usage.merge(&inputs.usage);
        again.coupons.reverse();
        prop_assert_eq!(Invoice::of(&again).unwrap().to_bytes().unwrap(), bytes.clone());
        let stored: InvoiceInputs = serde_json::from_slice(&serde_json::to_vec(&inputs).unwrap()).unwrap();
        prop_assert_eq!(Invoice::of(&stored).unwrap().to_bytes().unwrap(), bytes.clone());
        let read: Invoice = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(read.to_bytes().unwrap(), bytes);
    }

    #[test]
    fn one_more_hour_never_makes_it_cheaper(inputs in any_inputs(), offset in 0_i64..744) {
        let before = Invoice::of(&inputs).unwrap();
        let mut more = inputs;
        more.usage.mark(billing::Source::Guard, plus(more.terms.period.start(), offset));
        let after = Invoice::of(&more).unwrap();
        prop_assert!(after.net >= before.net);
        prop_assert!(after.hours().count() - before.hours().count() <= 1);
    }
}

#[test]
fn the_bytes_of_an_invoice_are_a_promise() {
    let november = month("2026-11");
    let bytes = Invoice::of(&inputs(terms(plan(), november), used(november, 1))).unwrap().to_bytes().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let party = |name: &str| format!(r#"{{"name":"{name}","address":["1 High Street"],"tax_id":"GB123"}}"#);
    let period = r#""period":{"start":498192,"end":498912}"#;
    let rest = r#""free_hours":0,"discount":0"#;
    let days = "1 Nov 2026 to 30 Nov 2026";
    let expected = [
        r#"{"number":"INV-1","customer":"cus_01kdvdna00040g2081040g2081","instance":"ins_01kdvdna00081040g2081040g2","#,
        &format!(r#""plan":"2026","currency":"usd",{period},"issued":"2026-12-01","due":"2026-12-15","#),
        &format!(r#""seller":{},"buyer":{},"tax_exempt":null,"lines":["#, party("Spinoff Ltd"), party("Acme")),
        &format!(r#"{{"kind":"base_fee","description":"Base fee, {days}",{period},"hours":[],"#),
        &format!(r#""quantity":1,"unit":500,"amount":500,{rest},"net":500,"taxes":[]}},"#),
        &format!(r#"{{"kind":"hours","description":"Usage hours, {days}",{period},"#),
        r#""hours":[{"month":"2026-11","hours":"AQ"}],"#,
        &format!(r#""quantity":1,"unit":100,"amount":100,{rest},"net":100,"taxes":[]}}],"#),
        r#""subtotal":600,"discounts":[],"net":600,"taxes":[],"total":600,"credits":[],"#,
        r#""credit_before":0,"credit_applied":0,"credit_left":0,"amount_due":600}"#,
    ];
    assert_eq!(text, expected.concat());
}

#[test]
fn who_is_exempt_pays_no_tax_and_the_invoice_says_why() {
    let november = month("2026-11");
    let plan = billing::PlanVersion { taxes: vec![vat(19)], ..plan() };
    let exempt = Terms { tax_exempt: Some("Reverse charge".to_owned()), ..terms(plan, november) };
    let invoice = Invoice::of(&inputs(exempt, used(november, 1))).unwrap();
    assert_eq!((invoice.taxes.len(), invoice.total), (0, Cents::new(600)));
    assert_eq!(invoice.tax_exempt.as_deref(), Some("Reverse charge"));
}

#[test]
fn inputs_that_contradict_each_other_give_no_invoice() {
    let (november, december) = (month("2026-11"), month("2026-12"));
    let bill = Invoice::of(&inputs(terms(plan(), november), used(november, 2))).unwrap();
    let closed = closed_by(std::slice::from_ref(&bill)).unwrap();
    let good = InvoiceInputs { closed: closed.clone(), ..inputs(terms(plan(), december), used(december, 2)) };
    assert!(Invoice::of(&good).is_ok());
    let refused = |change: &dyn Fn(&mut InvoiceInputs)| {
        let mut wrong = good.clone();
        change(&mut wrong);
        Invoice::of(&wrong).unwrap_err()
    };
    assert_eq!(refused(&|it| it.terms.period = november), InvoiceError::ClosedAlready(november));
    assert_eq!(refused(&|it| it.closed.push(closed[0].clone())), InvoiceError::ClosedAlready(november));
    let again = |it: &mut InvoiceInputs| it.closed[0].charges.push(closed[0].charges[0].clone());
    assert_eq!(refused(&again), InvoiceError::BilledTwice(november));
    let elsewhere = |it: &mut InvoiceInputs| it.closed[0].charges[0].hours.insert(december.start());
    assert_eq!(refused(&elsewhere), InvoiceError::HourOutside(november));
    let unbilled = |it: &mut InvoiceInputs| it.closed[0].charges[0].credited.insert(plus(november.start(), 700));
    assert_eq!(refused(&unbilled), InvoiceError::NeverBilled(november));
    assert_eq!(refused(&|it| it.closed[0].charges[0].net = Cents::new(-1)), InvoiceError::BelowNothing);
    let same = coupon("a", billing::Worth::Hours { left: 1 });
    assert_eq!(refused(&|it| it.coupons = vec![same.clone(), same.clone()]), InvoiceError::SameCoupon("a".to_owned()));
    assert_eq!(refused(&|it| std::mem::swap(&mut it.due, &mut it.issued)), InvoiceError::DueBeforeIssued);
}

#[test]
fn amounts_that_no_money_holds_are_an_error() {
    let november = month("2026-11");
    let dear = billing::PlanVersion { hour: price(i64::MAX), taxes: vec![vat(100)], ..plan() };
    for (base, hours) in [(500, 1), (0, 2), (0, 1)] {
        let plan = billing::PlanVersion { base: price(base), ..dear.clone() };
        let refused = Invoice::of(&inputs(terms(plan, november), used(november, hours)));
        assert!(matches!(refused, Err(InvoiceError::OutOfRange(_))), "{base} and {hours} hours");
    }
}

#[test]
fn a_coupon_that_covers_all_leaves_nothing_to_pay_and_keeps_the_credit() {
    let november = month("2026-11");
    let mut inputs = inputs(terms(plan(), november), used(november, 3));
    let forever = billing::Worth::percent(percent(100), november, billing::Lasting::Forever, Cycle::Calendar);
    inputs.coupons = vec![coupon("all", forever)];
    inputs.credit_balance = price(700);
    let invoice = Invoice::of(&inputs).unwrap();
    assert_eq!((invoice.total, invoice.credit_left), (Cents::ZERO, Cents::new(700)));
    assert_eq!(invoice.hours().count(), 3, "the hours are billed all the same, at nothing");
}

#[test]
fn what_was_taken_of_a_coupon_is_gone_and_more_is_an_error() {
    let november: [UsageHour; 1] = [hour("2026-11-01T00")];
    let taken = billing::Taken { amount: Cents::new(300), hours: 3 };
    let after = |worth| coupon("a", worth).after(&taken).map(|coupon| coupon.worth);
    use billing::{CouponError, Worth};
    assert_eq!(after(Worth::Hours { left: 5 }), Ok(Worth::Hours { left: 2 }));
    assert_eq!(after(Worth::Hours { left: 2 }), Err(CouponError::Overdrawn));
    assert_eq!(after(Worth::Amount { left: price(300) }), Ok(Worth::Amount { left: Price::FREE }));
    assert_eq!(after(Worth::Amount { left: price(299) }), Err(CouponError::Overdrawn));
    let lasting = Worth::Percent { rate: percent(10), from: november[0], until: None };
    assert_eq!(after(lasting), Ok(lasting));
}
