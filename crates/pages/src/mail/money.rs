use askama::Template as _;
use domain::UsageHour;
use jiff::{Timestamp, civil::Date};

use super::{Button, Letter, Line, one_line};
use crate::calendar;
use crate::invoice::day;
use crate::when::utc;

/// What mails about money have in common.
#[derive(Debug, Clone)]
pub struct Account {
    /// What is sold here.
    pub product: String,
    /// The customer's name.
    pub name: String,
    /// The workspace's hostname.
    pub hostname: String,
}

/// An invoice was issued; says which hours it is for.
#[derive(Debug, Clone)]
pub struct InvoiceIssued {
    /// Whose.
    pub account: Account,
    /// Its number.
    pub number: String,
    /// What it is for, in words.
    pub period: String,
    /// Its total, formatted.
    pub total: String,
    /// What is to be paid of it, formatted; none when nothing is.
    pub amount_due: Option<String>,
    /// The day by which it is to be paid.
    pub due: Date,
    /// What is to be done about it, a paragraph each; empty when nothing is.
    pub how_to_pay: Vec<String>,
    /// The hours it bills, day by day.
    pub days: Vec<UsageDay>,
    /// Where it is.
    pub url: String,
    /// Where each hour opens to its evidence.
    pub bills_url: String,
}

/// The hours of one day, in UTC.
#[derive(Debug, Clone)]
pub struct UsageDay {
    /// The day: `Tue 24 Nov 2026`.
    pub day: String,
    /// From when to when: `09:00–11:00, 14:00–15:00`.
    pub spans: String,
    /// How many.
    pub count: u32,
}

/// A payment arrived; the receipt.
#[derive(Debug, Clone)]
pub struct PaymentReceived {
    /// Whose.
    pub account: Account,
    /// The number of the invoice.
    pub number: String,
    /// How much arrived, formatted.
    pub amount: String,
    /// How: `card ending in 4242`, `bank transfer, reference 2026-11-0018`.
    pub how: String,
    /// The day it arrived.
    pub on: Date,
    /// What is still to be paid of the invoice, formatted; none when nothing is.
    pub open: Option<String>,
    /// That the workspace is open again by it.
    pub reopened: bool,
    /// Where the invoice is.
    pub url: String,
}

/// Money goes back.
#[derive(Debug, Clone)]
pub struct MoneyReturned {
    /// Whose.
    pub account: Account,
    /// The number of the invoice that it was paid for.
    pub number: String,
    /// How much, formatted.
    pub amount: String,
    /// Why, as the operator says it.
    pub reason: String,
    /// Whether it goes to the card that paid.
    pub to_card: bool,
    /// Where the invoice is.
    pub url: String,
}

/// An invoice is not paid; says what comes next, and when.
#[derive(Debug, Clone)]
pub struct PaymentReminder {
    /// Whose.
    pub account: Account,
    /// The number of the invoice.
    pub number: String,
    /// What is owed, formatted.
    pub amount: String,
    /// The day by which it was to be paid.
    pub due: Date,
    /// Which of the reminders this is.
    pub kind: ReminderKind,
    /// What comes next, and when; none while nothing does.
    pub next: Option<(NextStep, Timestamp)>,
    /// What is to be done about it, a paragraph each; may be empty.
    pub how_to_pay: Vec<String>,
    /// Where it is paid.
    pub pay_url: String,
}

/// Which of the reminders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReminderKind {
    /// The card was refused; with what its bank says, where it says anything.
    ChargeFailed(Option<String>),
    /// It is late.
    Overdue {
        /// Counted from 1.
        number: u8,
    },
    /// The last one before entry is refused.
    BeforeSuspension,
    /// Entry is refused from now on.
    Suspended,
    /// The contract has ended.
    Cancelled,
    /// It was set when everything is deleted.
    DeletionAnnounced,
}

/// What comes next when nothing is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// The card is charged again.
    Charge,
    /// Another reminder.
    Remind,
    /// Entry is refused.
    Suspend,
    /// The contract ends.
    Cancel,
    /// It is announced when everything is deleted.
    AnnounceDeletion,
    /// Everything is deleted.
    Delete,
}

/// A contested hour is not charged after all.
#[derive(Debug, Clone)]
pub struct ContestAccepted {
    /// Whose.
    pub account: Account,
    /// The hour.
    pub hour: UsageHour,
    /// What the operator answers.
    pub answer: String,
    /// What goes to the customer's credit, formatted; none where the hour was not billed yet.
    pub credited: Option<String>,
    /// Where the hour is.
    pub url: String,
}

/// A contested hour stays as it is.
#[derive(Debug, Clone)]
pub struct ContestRefused {
    /// Whose.
    pub account: Account,
    /// The hour.
    pub hour: UsageHour,
    /// What the operator answers.
    pub answer: String,
    /// Where the hour is.
    pub url: String,
}

/// A part of the budget is spent.
#[derive(Debug, Clone)]
pub struct BudgetAlert {
    /// Whose.
    pub account: Account,
    /// Which part was reached, in percent.
    pub percent: u32,
    /// What is spent, formatted.
    pub spent: String,
    /// The budget, formatted.
    pub budget: String,
    /// Where the bills are.
    pub bills_url: String,
}

/// The spending cap is reached.
#[derive(Debug, Clone)]
pub struct CapReached {
    /// Whose.
    pub account: Account,
    /// The cap in a sentence.
    pub cap: String,
    /// When the workspace closes.
    pub closes_at: Timestamp,
    /// When it opens again by itself.
    pub opens_at: Timestamp,
    /// Where the cap can be raised.
    pub bills_url: String,
}

mail!(
    InvoiceIssued,
    PaymentReceived,
    MoneyReturned,
    PaymentReminder,
    ContestAccepted,
    ContestRefused,
    BudgetAlert,
    CapReached
);

impl Account {
    fn letter(&self, subject: String) -> Letter {
        Letter {
            product: self.product.clone(),
            subject,
            greeting: Some(format!("Hello {},", self.name)),
            reason: format!("You get this mail because {} is your workspace.", self.hostname),
            ..Letter::default()
        }
    }
}

impl InvoiceIssued {
    fn letter(&self) -> Letter {
        let hostname = &self.account.hostname;
        let count: u32 = self.days.iter().map(|day| day.count).sum();
        let mut paragraphs = vec![format!("Here is your invoice {} for {hostname}, {}.", self.number, self.period)];
        paragraphs.push(match &self.amount_due {
            Some(amount) if *amount == self.total => format!("It comes to {amount}, to be paid by {}.", day(&self.due)),
            Some(amount) => format!(
                "It comes to {}. Credit, or what you had paid too much before, pays for a part; {amount} are to be paid by {}.",
                self.total,
                day(&self.due)
            ),
            None => format!("It comes to {}. There is nothing to be paid.", self.total),
        });
        paragraphs.extend(self.how_to_pay.iter().cloned());
        let usage = match count {
            0 => "No hour was used, so it is the base fee alone.".to_owned(),
            1 => "It is for the base fee and 1 hour, which was used then (times are UTC):".to_owned(),
            count => format!("It is for the base fee and {count} hours, which were used then (times are UTC):"),
        };
        paragraphs.push(usage);
        Letter {
            paragraphs,
            lines: self.days.iter().map(UsageDay::line).collect(),
            button: Some(Button { label: "See the invoice", url: self.url.clone() }),
            after: vec![format!(
                "Each hour opens to what shows that it was used, and can be contested: {}",
                self.bills_url
            )],
            ..self.account.letter(format!("Invoice {} for {hostname}: {}", self.number, self.total))
        }
    }
}

impl UsageDay {
    fn line(&self) -> Line {
        let amount = if self.count == 1 { "1 hour".to_owned() } else { format!("{} hours", self.count) };
        Line { label: self.day.clone(), text: self.spans.clone(), amount }
    }
}

impl PaymentReceived {
    fn letter(&self) -> Letter {
        let mut paragraphs = vec![format!(
            "We received {} on {}, by {}, for invoice {}. Thank you.",
            self.amount,
            day(&self.on),
            self.how,
            self.number
        )];
        paragraphs.push(match &self.open {
            Some(open) => format!("{open} of it are still to be paid."),
            None => "With that it is paid.".to_owned(),
        });
        if self.reopened {
            paragraphs.push(format!("{} is open again, with everything in it.", self.account.hostname));
        }
        Letter {
            paragraphs,
            button: Some(Button { label: "See the invoice", url: self.url.clone() }),
            after: vec!["This mail is your receipt.".to_owned()],
            ..self.account.letter(format!("Receipt: {} for invoice {}", self.amount, self.number))
        }
    }
}

impl MoneyReturned {
    fn letter(&self) -> Letter {
        let way = if self.to_card {
            "It goes to the card that paid, which takes banks up to ten days."
        } else {
            "We send it to the account from which it came."
        };
        Letter {
            paragraphs: vec![
                format!("We give you back {} of invoice {}. {way}", self.amount, self.number),
                self.reason.clone(),
            ],
            button: Some(Button { label: "See the invoice", url: self.url.clone() }),
            ..self.account.letter(format!("You get back {} of invoice {}", self.amount, self.number))
        }
    }
}

impl PaymentReminder {
    fn letter(&self) -> Letter {
        let owed = format!("Invoice {}: {} were to be paid by {}.", self.number, self.amount, day(&self.due));
        let mut paragraphs = vec![self.news(), owed];
        paragraphs
            .extend(self.next.map(|(step, at)| format!("If nothing is paid, {} on {}.", step.in_words(), utc(at))));
        paragraphs.extend(self.how_to_pay.iter().cloned());
        let deleted = self.kind == ReminderKind::DeletionAnnounced;
        let restores = if deleted {
            "Paying before then keeps everything."
        } else {
            "As soon as it is paid, everything is as before."
        };
        Letter {
            paragraphs,
            button: Some(Button { label: "Pay the invoice", url: self.pay_url.clone() }),
            after: vec![
                restores.to_owned(),
                "If something is wrong with the invoice, or you need more time, answer this mail. If you have just paid, you need not do anything.".to_owned(),
            ],
            ..self.account.letter(self.subject_line())
        }
    }

    fn subject_line(&self) -> String {
        let (hostname, number) = (&self.account.hostname, &self.number);
        match &self.kind {
            ReminderKind::ChargeFailed(_) => format!("Your payment for invoice {number} did not go through"),
            ReminderKind::Overdue { number: 1 } => format!("Reminder: invoice {number} is not paid"),
            ReminderKind::Overdue { number: count } => format!("Reminder {count}: invoice {number} is not paid"),
            ReminderKind::BeforeSuspension => format!("{hostname} will be closed soon: invoice {number} is not paid"),
            ReminderKind::Suspended => format!("{hostname} is closed until invoice {number} is paid"),
            ReminderKind::Cancelled => format!("Your contract for {hostname} has ended"),
            ReminderKind::DeletionAnnounced => format!("{hostname} will be deleted, with everything in it"),
        }
    }

    fn news(&self) -> String {
        match &self.kind {
            ReminderKind::ChargeFailed(None) => "Your card was charged, but the payment did not go through.".to_owned(),
            ReminderKind::ChargeFailed(Some(why)) => {
                format!("Your card was charged, but the payment did not go through. Its bank says: {why}")
            }
            ReminderKind::Overdue { number: 1 } => "An invoice is not paid yet; perhaps it was overlooked.".to_owned(),
            ReminderKind::Overdue { .. } => "An invoice is still not paid.".to_owned(),
            ReminderKind::BeforeSuspension => {
                "An invoice is still not paid. This is the last reminder before your workspace is closed.".to_owned()
            }
            ReminderKind::Suspended => {
                "Your workspace is closed, because an invoice is not paid. Nobody can enter it, no hours are counted, and everything in it is kept."
                    .to_owned()
            }
            ReminderKind::Cancelled => {
                "Your contract has ended, because an invoice was not paid. Nothing more is charged, and everything in your workspace is kept for now."
                    .to_owned()
            }
            ReminderKind::DeletionAnnounced => {
                "Your workspace will be deleted with everything in it, because an invoice was not paid. It can't be brought back then."
                    .to_owned()
            }
        }
    }
}

impl NextStep {
    const fn in_words(self) -> &'static str {
        match self {
            Self::Charge => "we try to charge your card again",
            Self::Remind => "we remind you again",
            Self::Suspend => "your workspace is closed, and everything in it kept,",
            Self::Cancel => "your contract ends",
            Self::AnnounceDeletion => "the deletion of your workspace is announced",
            Self::Delete => "your workspace is deleted with everything in it",
        }
    }
}

impl ContestAccepted {
    fn letter(&self) -> Letter {
        let hour = calendar::hour_in_words(self.hour);
        let money = match &self.credited {
            Some(amount) => format!("{amount} go to your credit, and pay for your next invoice."),
            None => "It will not stand on your invoice.".to_owned(),
        };
        Letter {
            paragraphs: vec![
                format!(
                    "You contested an hour of {}: {hour} UTC. You were right, and it is not charged.",
                    self.account.hostname
                ),
                money,
                format!("Our answer: {}", self.answer),
            ],
            button: Some(Button { label: "See the hour", url: self.url.clone() }),
            ..self.account.letter(format!("Not charged: {hour} UTC"))
        }
    }
}

impl ContestRefused {
    fn letter(&self) -> Letter {
        let hour = calendar::hour_in_words(self.hour);
        Letter {
            paragraphs: vec![
                format!(
                    "You contested an hour of {}: {hour} UTC. We looked at it, and it stays as it is.",
                    self.account.hostname
                ),
                format!("Our answer: {}", self.answer),
            ],
            button: Some(Button { label: "See the hour and its evidence", url: self.url.clone() }),
            after: vec!["If that does not settle it, answer this mail.".to_owned()],
            ..self.account.letter(format!("Our answer about {hour} UTC"))
        }
    }
}

impl BudgetAlert {
    fn letter(&self) -> Letter {
        let Self { percent, spent, budget, .. } = self;
        Letter {
            paragraphs: vec![
                format!("{} has cost {spent} in this period: {percent} % or more of your budget of {budget}.", self.account.hostname),
                "A budget stops nothing: your workspace stays open, and hours count as before. If you want it to close at some point, set a spending cap.".to_owned(),
            ],
            button: Some(Button { label: "See your bills", url: self.bills_url.clone() }),
            ..self.account.letter(format!("{percent} % of your budget for {} is spent", self.account.hostname))
        }
    }
}

impl CapReached {
    fn letter(&self) -> Letter {
        let hostname = &self.account.hostname;
        Letter {
            paragraphs: vec![
                format!("The spending cap of {hostname} is reached. {}", self.cap),
                format!(
                    "Your workspace closes on {}, and opens again on {}. Everything in it is kept, and nothing more is charged until then.",
                    utc(self.closes_at),
                    utc(self.opens_at)
                ),
                "If you want to go on working, raise the cap: it opens again at once.".to_owned(),
            ],
            button: Some(Button { label: "Raise the cap", url: self.bills_url.clone() }),
            ..self.account.letter(format!("The spending cap of {hostname} is reached"))
        }
    }
}
