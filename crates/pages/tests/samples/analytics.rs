use super::{Fill, Sample, before, now, sample};
use domain::{Cents, Month};
use pages::console::{
    AnalyticsFigure, AnalyticsMonthRow, CohortRow, CommentRow, ConsoleAnalytics, ConsoleMailPreview,
    ConsoleMailPreviews, ConsoleSpend, FunnelRow, PreviewRow, ReasonRow, SpendForm, SpendRow,
};
use pages::mail::previews;
use pages::{Area, Unsubscribe};

pub fn all(fill: Fill) -> Vec<Sample> {
    vec![
        sample("console-analytics", analytics(fill, true).render()),
        sample("console-analytics-so-far", analytics(fill, false).render()),
        sample("console-spend", spend(fill, true).render()),
        sample("console-spend-reader", spend(fill, false).render()),
        sample("console-mail-previews", mails(fill).render()),
        sample("console-mail-preview", mail(fill).render()),
        sample("unsubscribe", unsubscribe(fill).render()),
    ]
}

fn analytics(fill: Fill, is_complete: bool) -> ConsoleAnalytics {
    ConsoleAnalytics {
        shell: fill.shell("Analytics", Area::Console),
        month: month("2026-11"),
        is_running: !is_complete,
        is_complete,
        currency: "usd".to_owned(),
        figures: fill.list(vec![
            figure(fill, "Recurring revenue (MRR)", Some("$1234.00"), None, None),
            figure(fill, "Growth of recurring revenue", Some("23.4 %"), Some("over 20 %"), Some(true)),
            figure(fill, "Customers lost (churn)", Some("7.2 %"), Some("under 5 %"), Some(false)),
            figure(fill, "Cost of winning a customer (CAC)", None, Some("under $50.00"), None),
        ]),
        months: fill.list(
            ["2026-06", "2026-07", "2026-08", "2026-09", "2026-10", "2026-11"]
                .into_iter()
                .zip([12_300, 34_500, 51_000, 88_800, 87_000, 123_400])
                .map(|(text, cents)| month_row(text, cents, is_complete || text != "2026-11"))
                .collect(),
        ),
        funnel: fill.list(vec![
            step(fill, "Visited", 1_204, None),
            step(fill, "Opened the order", 210, Some(174)),
            step(fill, "Signed up", 37, Some(176)),
            step(fill, "Paid", 0, Some(0)),
        ]),
        cohorts: fill.list(vec![
            CohortRow { month: month("2026-09"), customers: 12, paying: vec![8, 11, 9] },
            CohortRow { month: month("2026-10"), customers: 30, paying: vec![20, 29] },
            CohortRow { month: month("2026-11"), customers: 37, paying: vec![0] },
        ]),
        reasons: fill.list(vec![
            ReasonRow { label: fill.text("It costs too much"), count: 3 },
            ReasonRow { label: fill.text("Did not say"), count: 1 },
        ]),
        comments: fill.list(vec![CommentRow {
            customer: fill.text("Corner Bakery"),
            customer_url: "/admin/customers/cus_1".to_owned(),
            at: before(86_400),
            reason: fill.maybe("It costs too much"),
            comment: fill.text("We bake, and write little."),
        }]),
    }
}

fn figure(fill: Fill, label: &str, shown: Option<&str>, target: Option<&str>, is_met: Option<bool>) -> AnalyticsFigure {
    AnalyticsFigure {
        label: fill.text(label),
        definition: fill.text("What it is computed from, and how, in a sentence that is long enough to wrap."),
        shown: shown.unwrap_or("unknown").to_owned(),
        target: target.map(|target| fill.text(target)),
        is_met,
        unknown_because: match shown {
            Some(_) => None,
            None => Some(fill.text("What was spent is not entered for the month.")),
        },
    }
}

fn month_row(text: &str, cents: i64, is_complete: bool) -> AnalyticsMonthRow {
    AnalyticsMonthRow {
        month: month(text),
        is_complete,
        recurring: Cents::new(cents),
        new: Cents::new(cents / 4),
        returned: Cents::ZERO,
        grown: Cents::new(300),
        shrunk: Cents::new(1_200),
        lost: Cents::new(500),
        revenue: Cents::new(cents - 120),
        customers: cents.unsigned_abs() / 1_400,
        customers_lost: 1,
        signups: 12,
        visits: 1_204,
        spend: is_complete.then(|| Cents::new(45_000)),
    }
}

fn step(fill: Fill, label: &str, count: u64, of_previous_permille: Option<i64>) -> FunnelRow {
    let definition = fill.text("Who is counted here, in a sentence.");
    FunnelRow { label: fill.text(label), definition, count, of_previous_permille }
}

fn spend(fill: Fill, may_act: bool) -> ConsoleSpend {
    let row = |purpose: &str, taken_back| SpendRow {
        month: month("2026-11"),
        amount: Cents::new(45_000),
        purpose: fill.text(purpose),
        by: fill.text("operator@localhost"),
        at: before(3_600),
        taken_back,
        take_back_url: "/admin/analytics/spend/spd_1/take-back".to_owned(),
    };
    ConsoleSpend {
        shell: fill.shell("What was spent", Area::Console),
        currency: "usd".to_owned(),
        may_act,
        form: SpendForm {
            key: "0a1b".to_owned(),
            month: fill.text("2026-11"),
            amount: fill.text("-5"),
            purpose: fill.text("search ads"),
        },
        error: fill.maybe("\"-5\" is not an amount. Enter 0 where nothing was spent."),
        entries: fill.list(vec![
            row("search ads", None),
            row("a stand at a fair", Some((before(60), fill.text("operator@localhost")))),
        ]),
    }
}

fn mails(fill: Fill) -> ConsoleMailPreviews {
    let all = previews("AI-DIY", "http://localhost:8080", "localhost:8080", now());
    let row = |preview: pages::mail::Preview| PreviewRow {
        url: format!("/admin/mail/previews/{}", preview.name),
        when: fill.text(preview.when),
        subject: fill.text(&preview.written.subject),
        reader: fill.text(preview.reader.in_words()),
    };
    ConsoleMailPreviews { shell: fill.shell("Mails", Area::Console), mails: all.into_iter().map(row).collect() }
}

fn mail(fill: Fill) -> ConsoleMailPreview {
    ConsoleMailPreview {
        shell: fill.shell("Mail", Area::Console),
        when: fill.text("A workspace is ready"),
        reader: fill.text("the customer"),
        subject: fill.text("Your AI-DIY workspace is ready"),
        text: fill.text("Hello Ada,\n\nYour workspace is ready."),
        html_src: "/admin/mail/previews/welcome/body".to_owned(),
    }
}

fn unsubscribe(fill: Fill) -> Unsubscribe {
    Unsubscribe {
        shell: fill.shell("No more mails like this one?", Area::Site),
        title: fill.text("No more mails like this one?"),
        text: fill.text("You still get what your workspaces need: sign-in codes, bills and the like."),
        action: fill.option((fill.text("No more such mails"), "/mail/unsubscribe/1.2".to_owned())),
    }
}

fn month(text: &str) -> Month {
    Month::parse(text).unwrap()
}
