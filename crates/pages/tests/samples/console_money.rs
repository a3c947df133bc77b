//! What operators see of money.

use super::{Fill, Sample, before, now, sample};
use domain::{Cents, Month, UsageHour};
use jiff::civil::date;
use pages::console::{
    CloseInvoiceRow, CloseState, ConfirmRefund, ConfirmWriteOff, ConsoleClose, ConsoleInvoice, ConsoleInvoiceRow,
    ConsoleInvoices, ConsoleMoney, ContestRow, CreditForm, CreditRow, DifferenceRow, DisputeRow, DunningView,
    FailedPaymentRow, HistoryRow, IssuedRow, MoneyFigures, OverdueRow, PaymentForm,
};
use pages::{Area, Standing};

pub fn all(fill: Fill) -> Vec<Sample> {
    let early = CloseState::TooEarly { from: before(-600_000) };
    vec![
        sample("console-money", money(fill).render()),
        sample("console-margins", super::margins::page(fill, false).render()),
        sample("console-margins-running", super::margins::page(fill, true).render()),
        sample("console-invoices", invoices(fill).render()),
        sample("console-close", close(fill, CloseState::Ready).render()),
        sample("console-close-early", close(fill, early).render()),
        sample(
            "console-close-running",
            close(fill, CloseState::UnderWay { url: "/admin/workflows/wfl_1".to_owned() }).render(),
        ),
        sample("console-close-done", close(fill, CloseState::Done).render()),
        sample("console-invoice", console_invoice(fill).render()),
        sample("console-refund", refund(fill).render()),
        sample("console-write-off", write_off(fill).render()),
    ]
}

fn money(fill: Fill) -> ConsoleMoney {
    let customer = || fill.text("Ada Lovelace, Corner Bakery");
    let url = || "/admin/customers/cus_1".to_owned();
    ConsoleMoney {
        shell: fill.shell("Money", Area::Console),
        month: Month::of(now()),
        currency: "usd".to_owned(),
        figures: MoneyFigures {
            invoiced: Cents::new(184_200),
            invoiced_before: Cents::new(171_900),
            received: Cents::new(160_014),
            receivable: Cents::new(24_186),
            overdue: Cents::new(4_814),
        },
        contests: fill.list(vec![contest(fill, Some(Cents::new(120))), contest(fill, Some(Cents::new(100)))]),
        failed: Some(fill.list(vec![FailedPaymentRow {
            customer: customer(),
            customer_url: url(),
            number: fill.text("2026-10-0017"),
            invoice_url: "/admin/invoices/1".to_owned(),
            amount: Cents::new(4814),
            reason: fill.text("Your card has insufficient funds."),
            at: before(40_000),
            next: fill.text("charged again on 27 November"),
        }])),
        differences: Some(fill.list(vec![DifferenceRow {
            number: fill.text("2026-11-0019"),
            invoice_url: fill.option("/admin/money/invoices/2026-11-0019".to_owned()),
            reason: fill.text("It is paid at the payment provider, and open here."),
            ours: Cents::new(4_950),
            theirs: Cents::ZERO,
            since: before(90_000),
        }])),
        disputes: Some(fill.list(vec![DisputeRow {
            customer: fill.option(customer()),
            customer_url: url(),
            number: fill.option("2026-10-0017".to_owned()),
            invoice_url: "/admin/money/invoices/2026-10-0017".to_owned(),
            amount: fill.text("$48.14"),
            reason: fill.text("the holder of the card says it was not them"),
            standing: fill.text("The bank took the money and waits for evidence"),
            at: before(90_000),
            due: fill.option(before(-1_700_000)),
            next:
                fill.text(
                    "Send evidence in the provider's dashboard by 15 December 2026; without it the money is lost.",
                ),
            fee: fill.option("$15.00".to_owned()),
            url: "https://dashboard.stripe.com/disputes/dp_1".to_owned(),
        }])),
        overdue: fill.list(vec![OverdueRow {
            customer: customer(),
            customer_url: url(),
            number: fill.text("2026-10-0017"),
            invoice_url: "/admin/invoices/1".to_owned(),
            open: Cents::new(4814),
            due: date(2026, 11, 15),
            dunning: fill.text("Reminded once; again on 29 November"),
        }]),
        credits: fill.list(vec![CreditRow {
            at: before(90_000),
            customer: customer(),
            customer_url: url(),
            amount: Cents::new(1200),
            reason: fill.text("The workspace was slow on 12 November."),
            by: fill.text("operator@example.com"),
        }]),
        issued: fill.list(vec![IssuedRow { day: date(2026, 11, 1), invoices: 63, total: Cents::new(171_900) }]),
        close_url: "/admin/money/closes/2026-11".to_owned(),
    }
}

fn invoices(fill: Fill) -> ConsoleInvoices {
    let row = |number: &str, standing, open| ConsoleInvoiceRow {
        invoice: super::money::row(fill, number, "1 Oct 2026 to 31 Oct 2026", standing, open),
        currency: "usd".to_owned(),
        customer: fill.text("Ada Lovelace, Corner Bakery"),
        customer_url: "/admin/customers/cus_1".to_owned(),
    };
    ConsoleInvoices {
        shell: fill.shell("Invoices", Area::Console),
        state: "overdue".to_owned(),
        invoices: fill.list(vec![row("2026-10-0017", Standing::Overdue, 4814), row("2026-10-0016", Standing::Paid, 0)]),
        next: fill.option("?state=overdue&cursor=2026-10-0016".to_owned()),
    }
}

fn contest(fill: Fill, worth: Option<Cents>) -> ContestRow {
    ContestRow {
        hour: UsageHour::of(before(200_000)),
        customer: fill.text("Ada Lovelace"),
        customer_url: "/admin/customers/cus_1".to_owned(),
        hostname: fill.text("corner-bakery.localhost:8080"),
        evidence: fill.text("a member was active, 02:07 to 02:58, 58 times, seen by the guard"),
        reason: fill.text("Nobody of us worked that night. I think a browser was left open."),
        at: before(90_000),
        worth,
        action: "/admin/contests/1/answer".to_owned(),
    }
}

fn close(fill: Fill, state: CloseState) -> ConsoleClose {
    let row = |hours, total, before: Option<i64>, remarks: &[&str], problem: Option<&str>| CloseInvoiceRow {
        customer: fill.text("Ada Lovelace"),
        customer_url: "/admin/customers/cus_1".to_owned(),
        hostname: fill.text("corner-bakery.localhost:8080"),
        hours,
        total: Cents::new(total),
        before: before.map(Cents::new),
        remarks: fill.list(remarks.iter().map(|remark| fill.text(remark)).collect()),
        problem: problem.map(|text| fill.text(text)),
    };
    ConsoleClose {
        shell: fill.shell("Close", Area::Console),
        month: Month::of(now()),
        currency: "usd".to_owned(),
        state,
        invoices: 63,
        sum: Cents::new(184_200),
        sum_before: fill.option(Cents::new(171_900)),
        rows: fill.list(vec![
            row(120, 12_500, Some(2_100), &["3 late hours", "1 hour credited"], None),
            row(47, 5_200, None, &["first invoice"], None),
            row(12, 1_700, Some(2_400), &[], None),
            row(3, 800, Some(800), &[], Some("an amount is larger than money can be")),
        ]),
        next: fill.option("?after=ins_4".to_owned()),
        error: fill.maybe("Hours were reported since you looked. Nothing was closed; look again."),
        digest: fill.text("b2c1"),
        action: "/admin/money/closes/2026-11".to_owned(),
    }
}

fn console_invoice(fill: Fill) -> ConsoleInvoice {
    ConsoleInvoice {
        shell: fill.shell("Invoice", Area::Console),
        invoice: super::money::invoice(fill, Standing::Overdue),
        invoice_url: "/admin/invoices/inv_1".to_owned(),
        pdf_url: "/admin/invoices/inv_1.pdf".to_owned(),
        customer: fill.text("Ada Lovelace"),
        customer_url: "/admin/customers/cus_1".to_owned(),
        dunning: fill.option(DunningView {
            now: fill.text("An invoice is overdue, and the customer was reminded."),
            next: Some((fill.text("Another reminder is sent."), before(-400_000))),
            paused: false,
        }),
        charge_url: fill.option("/admin/money/invoices/2026-11-0018/charge".to_owned()),
        refund_url: fill.option("/admin/money/invoices/2026-11-0018/refund".to_owned()),
        history: fill.list(vec![
            HistoryRow {
                at: before(80_000),
                what: fill.text("$40.00 paid, reference 2026-11-0018"),
                by: fill.text("operator@example.com"),
            },
            HistoryRow { at: before(900_000), what: fill.text("issued: $51.84"), by: fill.text("the timetable") },
        ]),
        payment: PaymentForm {
            amount: fill.text("8.14"),
            reference: fill.text(""),
            on: "2026-12-09".to_owned(),
            error: fill.maybe("Enter an amount such as 8.14."),
        },
        credit: CreditForm {
            amount: fill.text(""),
            reason: fill.text(""),
            reference: "crd_1".to_owned(),
            error: fill.maybe("Say why: the customer reads it."),
        },
        may_change: true,
    }
}

fn refund(fill: Fill) -> ConfirmRefund {
    ConfirmRefund {
        shell: fill.shell("Give money back", Area::Console),
        number: fill.text("2026-11-0018"),
        customer: fill.text("Ada Lovelace"),
        most: fill.text("$40.00"),
        to_card: fill != Fill::Empty,
        amount: fill.text("40.00"),
        reason: fill.text("We had an outage."),
        reference: "wf_1".to_owned(),
        error: fill.maybe("Of invoice 2026-11-0018, $40.00 can be given back."),
        action: "/admin/money/invoices/2026-11-0018/refund".to_owned(),
        back_url: "/admin/money/invoices/2026-11-0018".to_owned(),
    }
}

fn write_off(fill: Fill) -> ConfirmWriteOff {
    ConfirmWriteOff {
        shell: fill.shell("Write off", Area::Console),
        number: fill.text("2026-11-0018"),
        customer: fill.text("Ada Lovelace"),
        open: fill.text("$8.14"),
        reason: fill.text(""),
        error: fill.maybe("That is not the number. Nothing was written off."),
        action: "/admin/invoices/inv_1/write-off".to_owned(),
        back_url: "/admin/invoices/inv_1".to_owned(),
    }
}
