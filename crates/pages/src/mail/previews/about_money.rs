use domain::UsageHour;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};

use super::{Preview, Sample, shown};
use crate::mail::{
    Account, BudgetAlert, CapReached, ContestAccepted, ContestRefused, InvoiceIssued, MoneyReturned, NextStep,
    PaymentReceived, PaymentReminder, ReminderKind, UsageDay,
};

const NUMBER: &str = "2026-000018";
const DUE: Date = date(2026, 12, 15);

pub(super) fn all(sample: &Sample) -> Vec<Preview> {
    [invoices(sample), reminders(sample), hours(sample)].concat()
}

fn account(sample: &Sample) -> Account {
    Account { product: sample.product(), name: sample.name(), hostname: sample.hostname() }
}

fn invoices(sample: &Sample) -> Vec<Preview> {
    let day = |day: &str, spans: &str, count| UsageDay { day: day.to_owned(), spans: spans.to_owned(), count };
    let url = sample.portal(&format!("/bills/invoices/{NUMBER}"));
    shown! {
        "invoice", "An invoice is issued", Customer, InvoiceIssued {
            account: account(sample),
            number: NUMBER.to_owned(),
            period: "1 Nov 2026 to 30 Nov 2026".to_owned(),
            total: "$14.00".to_owned(),
            amount_due: Some("$14.00".to_owned()),
            due: DUE,
            how_to_pay: vec!["We charge your card ending in 4242 on 3 December 2026.".to_owned()],
            days: vec![
                day("Sun 1 Nov 2026", "09:00–12:00, 15:00–16:00", 4),
                day("Mon 2 Nov 2026", "10:00–13:00, 16:00–17:00", 4),
                day("Thu 12 Nov 2026", "22:00–23:00", 1),
            ],
            url: url.clone(),
            bills_url: sample.portal("/bills"),
        };
        "receipt", "A payment arrived", Customer, PaymentReceived {
            account: account(sample),
            number: NUMBER.to_owned(),
            amount: "$14.00".to_owned(),
            how: "card ending in 4242".to_owned(),
            on: date(2026, 12, 3),
            open: None,
            reopened: false,
            url: url.clone(),
        };
        "refund", "Money goes back", Customer, MoneyReturned {
            account: account(sample),
            number: NUMBER.to_owned(),
            amount: "$5.00".to_owned(),
            reason: "We had an outage on 14 November.".to_owned(),
            to_card: true,
            url,
        };
    }
}

fn reminders(sample: &Sample) -> Vec<Preview> {
    let reminder = |kind, step, days: i64| reminder(sample, kind, step, days);
    shown! {
        "charge-failed", "A charge was refused", Customer, reminder(
            ReminderKind::ChargeFailed(Some("Your card has insufficient funds.".to_owned())), NextStep::Charge, 3);
        "reminder", "An invoice is late", Customer, reminder(
            ReminderKind::Overdue { number: 1 }, NextStep::Remind, 7);
        "last-reminder", "Before a workspace is closed for an unpaid invoice", Customer, reminder(
            ReminderKind::BeforeSuspension, NextStep::Suspend, 3);
        "suspended-unpaid", "A workspace is closed for an unpaid invoice", Customer, reminder(
            ReminderKind::Suspended, NextStep::Cancel, 14);
        "ended-unpaid", "A contract ended for an unpaid invoice", Customer, reminder(
            ReminderKind::Cancelled, NextStep::AnnounceDeletion, 14);
        "deletion-unpaid", "A workspace will be deleted for an unpaid invoice", Customer, reminder(
            ReminderKind::DeletionAnnounced, NextStep::Delete, 7);
    }
}

fn reminder(sample: &Sample, kind: ReminderKind, step: NextStep, days: i64) -> PaymentReminder {
    let next: Timestamp = sample.now + SignedDuration::from_hours(24 * days);
    PaymentReminder {
        account: account(sample),
        number: NUMBER.to_owned(),
        amount: "$14.00".to_owned(),
        due: DUE,
        kind,
        next: Some((step, next)),
        how_to_pay: vec!["You can pay by card, or transfer the amount.".to_owned()],
        pay_url: sample.portal(&format!("/bills/invoices/{NUMBER}")),
    }
}

fn hours(sample: &Sample) -> Vec<Preview> {
    let (hour, bills_url) = (UsageHour::of(sample.now), sample.portal("/bills"));
    let url = sample.portal(&format!("/bills/hours/{}", hour.get()));
    shown! {
        "contest-accepted", "A contested hour is not charged", Customer, ContestAccepted {
            account: account(sample),
            hour,
            answer: "The page was open in a hidden tab. We are sorry.".to_owned(),
            credited: Some("$1.00".to_owned()),
            url: url.clone(),
        };
        "contest-refused", "A contested hour stays as it is", Customer, ContestRefused {
            account: account(sample),
            hour,
            answer: "Bob wrote eleven messages to the team in that hour.".to_owned(),
            url,
        };
        "budget", "A part of a budget is spent", Customer, BudgetAlert {
            account: account(sample),
            percent: 80,
            spent: "$20.00".to_owned(),
            budget: "$25.00".to_owned(),
            bills_url: bills_url.clone(),
        };
        "cap", "A spending cap is reached", Customer, CapReached {
            account: account(sample),
            cap: "You are charged for at most 40 hours in each period.".to_owned(),
            closes_at: sample.now + SignedDuration::from_hours(1),
            opens_at: sample.now + SignedDuration::from_hours(150),
            bills_url,
        };
    }
}
