//! A customer's bills: the period so far, the invoices, and how much may be spent.

use askama::Template;
use domain::{Cents, Month, UsageHour};
use jiff::{Timestamp, civil::Date};

use crate::calendar::{self, Mark};
use crate::invoice::{HowToPay, InvoiceView, Standing};
use crate::page::{Markup, page};
use crate::shell::Shell;

/// What one workspace costs: now, in the end, and so far.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/bills.html")]
pub struct Bills {
    /// What surrounds the page.
    pub shell: Shell,
    /// The workspace's hostname.
    pub hostname: String,
    /// Where the workspace's page is. Forms and links below it: `GET <portal_url>/bills/cap` (fields `cap`, which is
    /// `none`, `hours` or `money`, `hours` and `amount`) shows [`ConfirmCap`]; `POST <portal_url>/bills/budget`
    /// (fields `amount`, empty for none, and `threshold` for each percentage ticked); `POST <portal_url>/bills/coupons`
    /// (field `code`); `GET <portal_url>/bills/details` shows [`crate::BillingDetailsPage`].
    pub portal_url: String,
    /// Of all amounts; ISO 4217, lower case.
    pub currency: String,
    /// The period that is running; none when nothing is counted any more.
    pub so_far: Option<SoFar>,
    /// The months of that period, or of the last one, earliest first.
    pub months: Vec<MonthOfHours>,
    /// What the customer has of credit.
    pub credit: Cents,
    /// The workspace's invoices, newest first.
    pub invoices: Vec<InvoiceRow>,
    /// Where older ones are.
    pub next: Option<String>,
    /// What the customer has of coupons, and the way to redeem one.
    pub coupons: CouponsView,
    /// The spending cap, where one can be set.
    pub cap: Option<CapForm>,
    /// The budget, where one can be set.
    pub budget: Option<BudgetForm>,
    /// Whether the reader may change cap and budget.
    pub may_manage: bool,
}

/// The period so far, and what it comes to. Amounts are base fee and hours, before coupons, credit and taxes.
#[derive(Debug, Clone)]
pub struct SoFar {
    /// Which period, in words.
    pub period: String,
    /// Hours to be charged so far.
    pub hours: u32,
    /// What they and the base fee cost.
    pub amount: Cents,
    /// Hours to be charged in the end, if it goes on like this.
    pub expected_hours: u32,
    /// What they and the base fee will cost.
    pub expected_amount: Cents,
    /// The most hours that can be charged in the end.
    pub most_hours: u32,
    /// What they and the base fee would cost.
    pub most_amount: Cents,
    /// Until when nothing is charged, during a trial.
    pub trial_until: Option<Timestamp>,
    /// What it comes to with coupons and taxes, where there are any.
    pub reckoning: Option<Reckoning>,
}

/// From base fee and hours to what will stand on the invoice, before credit.
#[derive(Debug, Clone)]
pub struct Reckoning {
    /// Base fee and hours first, then coupons, then taxes.
    pub rows: Vec<ReckoningRow>,
    /// What it comes to now.
    pub total: Cents,
    /// What it comes to in the end, if it goes on like this.
    pub expected_total: Cents,
    /// Why no tax is charged, where that is so.
    pub tax_exempt: Option<String>,
}

/// One of its rows; what is taken off is below nothing.
#[derive(Debug, Clone)]
pub struct ReckoningRow {
    /// What it is, in words.
    pub what: String,
    /// Now.
    pub amount: Cents,
    /// In the end.
    pub expected: Cents,
}

/// The customer's coupons, and what was entered for another one.
#[derive(Debug, Clone)]
pub struct CouponsView {
    /// Those that they have, the earliest first.
    pub held: Vec<CouponRow>,
    /// What stands in the field.
    pub code: String,
    /// Why that was refused.
    pub error: Option<String>,
}

/// A coupon that a customer has.
#[derive(Debug, Clone)]
pub struct CouponRow {
    /// As it stands on invoices.
    pub name: String,
    /// What was typed to have it, where that is something else.
    pub code: Option<String>,
    /// What it gives, in words.
    pub offer: String,
    /// What is left of it, in words.
    pub left: String,
}

/// A month with its used hours.
#[derive(Debug, Clone)]
pub struct MonthOfHours {
    /// Which.
    pub month: Month,
    /// Its used hours, earliest first.
    pub hours: Vec<HourLink>,
}

/// A used hour, and where its evidence is.
#[derive(Debug, Clone)]
pub struct HourLink {
    /// The hour.
    pub hour: UsageHour,
    /// Whether it is charged.
    pub kind: HourKind,
    /// Where its [`HourPage`] is.
    pub url: String,
}

/// Whether a used hour is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HourKind {
    /// It is.
    Charged,
    /// It is not, because it lies in a trial.
    Free,
    /// It is not any more: it was waived.
    Waived,
}

/// One invoice in the list.
#[derive(Debug, Clone)]
pub struct InvoiceRow {
    /// Its number.
    pub number: String,
    /// What it is for, in words.
    pub period: String,
    /// Its total, before credit.
    pub total: Cents,
    /// What is still to be paid.
    pub open: Cents,
    /// Where it stands.
    pub standing: Standing,
    /// The day by which it is to be paid.
    pub due: Date,
    /// Where it is shown.
    pub url: String,
    /// Where it is as PDF.
    pub pdf_url: String,
    /// Where its lines and hours are as CSV.
    pub csv_url: String,
}

/// The spending cap, and what was entered for it.
#[derive(Debug, Clone)]
pub struct CapForm {
    /// The cap in force, in a sentence; none when there is none.
    pub now: Option<String>,
    /// Whether it is reached.
    pub reached: bool,
    /// Which kind is chosen.
    pub chosen: CapChoice,
    /// What stands in the field for hours.
    pub hours: String,
    /// What stands in the field for money.
    pub amount: String,
    /// Why what was entered was refused.
    pub error: Option<String>,
}

/// What a cap is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapChoice {
    /// There is no cap.
    Uncapped,
    /// Hours of a period.
    Hours,
    /// Money for a period.
    Money,
}

/// The budget, and what was entered for it.
#[derive(Debug, Clone)]
pub struct BudgetForm {
    /// What stands in its field; empty for none.
    pub amount: String,
    /// The percentages that can be told, smallest first.
    pub thresholds: Vec<Threshold>,
    /// Why what was entered was refused.
    pub error: Option<String>,
}

/// A percentage of a budget.
#[derive(Debug, Clone, Copy)]
pub struct Threshold {
    /// In percent.
    pub percent: u32,
    /// Whether a mail is sent when it is reached.
    pub told: bool,
}

/// Says what a cap means before it is set. Posts `cap` and `value` as they are to `action`.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/confirm_cap.html")]
pub struct ConfirmCap {
    /// What surrounds the page.
    pub shell: Shell,
    /// The workspace's hostname.
    pub hostname: String,
    /// What is to be set.
    pub chosen: CapChoice,
    /// The number of hours, or the amount as it was entered; empty for no cap.
    pub value: String,
    /// What will happen, in sentences; each is shown on its own.
    pub meaning: String,
    /// That it would be reached at once, because so much is used already.
    pub reached_at_once: bool,
    /// Where the form goes.
    pub action: String,
    /// Where to go back to.
    pub back_url: String,
}

/// One invoice, to be read, paid and printed.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/invoice.html")]
pub struct InvoicePage {
    /// What surrounds the page.
    pub shell: Shell,
    /// The invoice.
    pub invoice: InvoiceView,
    /// What is to be done about what is open.
    pub how_to_pay: HowToPay,
    /// The months in which the hours on it lie, earliest first; none without hours.
    pub months: Vec<MonthOfHours>,
    /// Where the workspace's bills are.
    pub bills_url: String,
    /// Where it is set to whom later ones are made out.
    pub details_url: String,
    /// Where it is as PDF.
    pub pdf_url: String,
    /// Where its lines and hours are as CSV.
    pub csv_url: String,
}

page!(Bills, here: "/portal");
page!(ConfirmCap, here: "/portal");
page!(InvoicePage, here: "/portal");

impl Bills {
    fn price(&self, amount: &Cents) -> String {
        amount.priced(&self.currency)
    }

    fn has_credit(&self) -> bool {
        self.credit != Cents::ZERO
    }

    /// What a field for money is in: `$`, or a word where there is no sign.
    fn unit(&self) -> String {
        match self.currency.as_str() {
            "usd" | "eur" | "gbp" => Cents::ZERO.priced(&self.currency).replace("0.00", ""),
            other => other.to_ascii_uppercase(),
        }
    }

    fn is_chosen(&self, choice: CapChoice) -> bool {
        self.cap.as_ref().is_some_and(|cap| cap.chosen == choice)
    }
}

impl SoFar {
    fn bar(&self) -> Markup {
        calendar::bar(self.hours, self.expected_hours, self.most_hours)
    }
}

impl MonthOfHours {
    fn in_words(&self) -> String {
        calendar::month_in_words(self.month)
    }

    fn picture(&self) -> Markup {
        let marks = self.hours.iter().map(|link| Mark { hour: link.hour, class: link.kind.class(), url: &link.url });
        calendar::linked(self.month, marks)
    }

    /// The used hours, day by day.
    fn days(&self) -> Vec<(String, &[HourLink])> {
        let days = self.hours.chunk_by(|a, b| a.hour.get().div_euclid(24) == b.hour.get().div_euclid(24));
        days.filter_map(|day| Some((calendar::day_in_words(day.first()?.hour), day))).collect()
    }

    fn has(&self, kind: HourKind) -> bool {
        self.hours.iter().any(|link| link.kind == kind)
    }
}

impl InvoiceRow {
    fn is_owed(&self) -> bool {
        self.open != Cents::ZERO
    }
}

impl HourLink {
    fn clock(&self) -> String {
        calendar::hour_of_day(self.hour)
    }
}

impl HourKind {
    const fn class(self) -> &'static str {
        match self {
            Self::Charged => "used",
            Self::Free => "gift",
            Self::Waived => "waived",
        }
    }

    /// What is not plain from the hour alone.
    const fn remark(self) -> &'static str {
        match self {
            Self::Charged => "",
            Self::Free => "free",
            Self::Waived => "waived",
        }
    }
}

impl CapChoice {
    /// Reads the word that the form sends.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Uncapped, Self::Hours, Self::Money].into_iter().find(|choice| choice.word() == word)
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Uncapped => "none",
            Self::Hours => "hours",
            Self::Money => "money",
        }
    }
}

impl ConfirmCap {
    /// A point within an amount has no space after it.
    fn sentences(&self) -> Vec<&str> {
        self.meaning.split_inclusive(". ").map(str::trim_end).collect()
    }

    fn removes(&self) -> bool {
        self.chosen == CapChoice::Uncapped
    }
}
