use super::{Fill, before, now};
use domain::UsageHour;
use jiff::civil::date;
use pages::mail::{
    Account, BudgetAlert, CapReached, ContestAccepted, ContestRefused, InvoiceIssued, MoneyReturned, NextStep,
    PaymentReceived, PaymentReminder, ReminderKind, UsageDay,
};

macro_rules! parts {
    ($file:literal, $mail:expr) => {{
        let mail = $mail;
        ($file, mail.subject(), mail.text(), mail.html())
    }};
}

/// Name, subject, text and HTML of each mail about money.
pub fn all(fill: Fill) -> Vec<(&'static str, String, String, String)> {
    let (number, url) = (fill.text("2026-11-0018"), "http://localhost:8080/portal/invoices/1".to_owned());
    let bills_url = "http://localhost:8080/portal/instances/ins_1/bills".to_owned();
    let (account, hour) = (account(fill), UsageHour::of(now()));
    vec![
        parts!("mail-invoice", invoice(fill)),
        parts!(
            "mail-receipt",
            PaymentReceived {
                account: account.clone(),
                number: number.clone(),
                amount: fill.text("$48.14"),
                how: fill.text("card ending in 4242"),
                on: date(2026, 12, 3),
                open: fill.maybe("$3.70"),
                reopened: true,
                url: url.clone(),
            }
        ),
        parts!(
            "mail-refund",
            MoneyReturned {
                account: account.clone(),
                number: number.clone(),
                amount: fill.text("$5.00"),
                reason: fill.text("We had an outage on 14 November."),
                to_card: true,
                url: url.clone(),
            }
        ),
        parts!(
            "mail-reminder",
            reminder(fill, ReminderKind::Overdue { number: 2 }, Some((NextStep::Suspend, before(-700_000))))
        ),
        parts!(
            "mail-charge-failed",
            reminder(
                fill,
                ReminderKind::ChargeFailed(fill.maybe("Your card has insufficient funds.")),
                Some((NextStep::Charge, before(-200_000)))
            )
        ),
        parts!(
            "mail-last-reminder",
            reminder(fill, ReminderKind::BeforeSuspension, Some((NextStep::Suspend, before(-200_000))))
        ),
        parts!(
            "mail-suspended-unpaid",
            reminder(fill, ReminderKind::Suspended, Some((NextStep::Cancel, before(-900_000))))
        ),
        parts!(
            "mail-ended-unpaid",
            reminder(fill, ReminderKind::Cancelled, Some((NextStep::AnnounceDeletion, before(-900_000))))
        ),
        parts!(
            "mail-deletion",
            reminder(fill, ReminderKind::DeletionAnnounced, Some((NextStep::Delete, before(-900_000))))
        ),
        parts!(
            "mail-contest-accepted",
            ContestAccepted {
                account: account.clone(),
                hour,
                answer: fill.text("The page was open in a hidden tab."),
                credited: fill.maybe("$1.20"),
                url: url.clone()
            }
        ),
        parts!(
            "mail-contest-refused",
            ContestRefused {
                account: account.clone(),
                hour,
                answer: fill.text("Bob wrote eleven messages to the team in that hour."),
                url
            }
        ),
        parts!(
            "mail-budget",
            BudgetAlert {
                account: account.clone(),
                percent: 80,
                spent: fill.text("$20.00"),
                budget: fill.text("$25.00"),
                bills_url: bills_url.clone()
            }
        ),
        parts!(
            "mail-cap",
            CapReached {
                account,
                cap: fill.text("You are charged for at most 40 hours in each period."),
                closes_at: before(-3_600),
                opens_at: before(-600_000),
                bills_url
            }
        ),
    ]
}

fn account(fill: Fill) -> Account {
    Account {
        product: fill.text("AI-DIY"),
        name: fill.text("Ada"),
        hostname: fill.text("corner-bakery.localhost:8080"),
    }
}

fn invoice(fill: Fill) -> InvoiceIssued {
    let day = |day: &str, spans: &str, count| UsageDay { day: fill.text(day), spans: fill.text(spans), count };
    InvoiceIssued {
        account: account(fill),
        number: fill.text("2026-11-0018"),
        period: fill.text("1 Nov 2026 to 30 Nov 2026"),
        total: fill.text("$51.84"),
        amount_due: fill.maybe("$48.14"),
        due: date(2026, 12, 15),
        how_to_pay: fill
            .list(vec![fill.text("We charge your card ending in 4242 on 3 December 2026. You need not do anything.")]),
        days: fill.list(vec![
            day("Sun 1 Nov 2026", "09:00–12:00, 15:00–16:00", 4),
            day("Mon 2 Nov 2026", "10:00–13:00, 16:00–17:00", 4),
            day("Thu 12 Nov 2026", "22:00–23:00", 1),
        ]),
        url: "http://localhost:8080/portal/invoices/1".to_owned(),
        bills_url: "http://localhost:8080/portal/instances/ins_1/bills".to_owned(),
    }
}

fn reminder(fill: Fill, kind: ReminderKind, next: Option<(NextStep, jiff::Timestamp)>) -> PaymentReminder {
    PaymentReminder {
        account: account(fill),
        number: fill.text("2026-11-0018"),
        amount: fill.text("$48.14"),
        due: date(2026, 12, 15),
        kind,
        next,
        how_to_pay: fill
            .list(vec![fill.text("You can pay by card, or transfer the amount to IBAN GB29 NWBK 6016 1331 9268 19.")]),
        pay_url: "http://localhost:8080/portal/invoices/1".to_owned(),
    }
}
