use super::{Fill, Sample, before, sample};
use std::sync::Arc;

use domain::Plan;
use pages::{
    Area, Brand, Docs, ErrorPage, Figure, Front, Landing, Legal, LegalText, News, NewsEntry, NotFound, Notice,
    NoticeKind, Onward, Point, Pricing, Progress, ProgressState, ProgressStep, ProgressView, Purpose, Security, Shell,
    Signup, SignupErrors, SignupValues, StatusCounts, StepState, Walls,
};

pub fn all(fill: Fill) -> Vec<Sample> {
    let site = |title: &str| fill.shell(title, Area::Site);
    let plan = Plan::default();
    let counts = StatusCounts { answering: 41, starting: 1, not_answering: 0, unknown: 0, observed_at: before(9) };
    let mut found = vec![
        sample("landing", Landing::new(site("Software from your own words"), plan.clone()).render()),
        sample(
            "landing-other",
            Landing::new(Shell { brand: branded(fill), ..site("Notebooks") }, plan.clone()).render(),
        ),
        sample("pricing", Pricing { shell: site("Pricing"), plan: plan.clone() }.render()),
        sample("getting-started", Docs { shell: site("Getting started"), plan: plan.clone() }.render()),
        sample("status", super::status::status(fill, fill.option(counts)).render()),
        sample("status-subscription", super::status::subscription(fill).render()),
        sample("security", security(fill).render()),
        sample("news", news(fill).render()),
        sample("not-found", NotFound { shell: site("Not found") }.render()),
        sample("error", error(fill).render()),
        sample("signup", signup(fill, SignupErrors::default()).render()),
        sample("signup-errors", signup(fill, errors(fill)).render()),
        sample(
            "signup-elsewhere",
            Signup { card_entered_at: Some(fill.text("Stripe")), ..signup(fill, SignupErrors::default()) }.render(),
        ),
        sample("onward", onward(fill, Some("https://pay.example/c/1?a=1&b=2".to_owned())).render()),
        sample("onward-opening", onward(fill, None).render()),
    ];
    for text in LegalText::ALL {
        let page = Legal { shell: site(""), text, plan: plan.clone() };
        found.push(sample(&text.path()[1..], page.render()));
    }
    found.extend(progress(fill));
    found
}

/// A brand whose every word is somebody's own.
fn branded(fill: Fill) -> Arc<Brand> {
    let point = |title: &str, text: &str| Point { title: fill.text(title), text: fill.text(text) };
    let front = Front {
        headline: fill.text("Notebooks for your team"),
        lead: fill.text("A notebook server of your own."),
        figure: Some(Figure { alt: fill.text("A page with a chart"), caption: fill.text("A notebook") }),
        steps: fill.list(vec![point("Write", "Text and code side by side.")]),
        audience: fill.list(vec![point("Teams", "Who calculate together.")]),
        questions: fill.list(vec![point("Can we leave?", "Any day.")]),
    };
    let brand = Brand::default().speaking(front);
    Arc::new(if fill == Fill::Empty { brand } else { brand.reached_at(fill.text("help@notebooks.example")) })
}

fn security(fill: Fill) -> Security {
    let walls = Walls { refused: 2_310, got_in: 0, proven: 41, tried: 41, of: 212, ended_at: before(640) };
    Security {
        shell: Shell { brand: branded(fill), ..fill.shell("Security", Area::Site) },
        walls: fill.option(walls),
        restore: fill.option(before(30_000)),
        backs_up: fill != Fill::Empty,
    }
}

fn news(fill: Fill) -> News {
    let entry =
        NewsEntry { version: fill.text("1.4.0"), at: before(90_000), notes: fill.text("Stories can be dragged.") };
    News { shell: fill.shell("What is new", Area::Site), entries: fill.list(vec![entry]) }
}

fn error(fill: Fill) -> ErrorPage {
    ErrorPage {
        shell: fill.shell("Error", Area::Site),
        status: 503,
        title: fill.text("The store does not answer"),
        what_next: fill.text("Try again in a minute. If it stays like this, write to the operator."),
    }
}

fn onward(fill: Fill, url: Option<String>) -> Onward {
    let shell = fill.shell("Payment", Area::Site);
    Onward { shell, to: fill.text("the payment page"), url, back_url: "/signup/wfl_1".to_owned() }
}

fn signup(fill: Fill, errors: SignupErrors) -> Signup {
    Signup {
        shell: fill.shell("Get a workspace", Area::Site),
        plan: Plan::default(),
        base_domain: "localhost:8080".to_owned(),
        card_entered_at: None,
        nothing_is_charged: true,
        takes_coupons: true,
        values: SignupValues {
            name: fill.text("Ada Baker"),
            email: fill.text("ada@corner-bakery"),
            company: fill.text("Corner Bakery"),
            subdomain: fill.text("corner-bakery"),
            coupon: fill.text("FRIENDS-2026"),
            agree_terms: true,
            ..SignupValues::default()
        },
        errors,
    }
}

fn errors(fill: Fill) -> SignupErrors {
    SignupErrors {
        form: None,
        email: fill.maybe("Enter an address such as name@example.com."),
        subdomain: fill.maybe("That name is taken. Try corner-bakery-2."),
        card_number: fill.maybe("This number has a typing error: its last digit does not fit."),
        coupon: fill.maybe("All of coupon FRIENDS-2026 are taken. Nothing has changed."),
        agreements: fill.maybe("Please agree to all four to go on."),
        ..SignupErrors::default()
    }
}

fn progress(fill: Fill) -> Vec<Sample> {
    use ProgressState::{Done, Failed, Running, Undoing};
    [
        ("progress-order", Purpose::SignUp, Running, 1),
        ("progress-order-failed", Purpose::SignUp, Failed, 1),
        ("progress-running", Purpose::Provision, Running, 5),
        ("progress-undoing", Purpose::Provision, Undoing, 5),
        ("progress-done", Purpose::Provision, Done, 9),
        ("progress-failed", Purpose::Provision, Failed, 5),
        ("progress-deleting", Purpose::Delete, Running, 3),
        ("progress-deleted", Purpose::Delete, Done, 9),
    ]
    .into_iter()
    .map(|(name, purpose, state, at)| sample(name, progress_page(fill, purpose, state, at).render()))
    .collect()
}

fn progress_page(fill: Fill, purpose: Purpose, state: ProgressState, at: usize) -> Progress {
    let failed = matches!(state, ProgressState::Failed | ProgressState::Undoing);
    let notice = Notice { kind: NoticeKind::Success, text: fill.text("Thank you, your sign-up is complete.") };
    let mut shell = fill.shell("Your workspace", Area::Site);
    shell.notice = (state == ProgressState::Running).then_some(notice);
    Progress {
        shell,
        purpose,
        hostname: fill.text("corner-bakery.localhost:8080"),
        events_url: "/signup/wfl_1/events".to_owned(),
        view: ProgressView {
            state,
            steps: fill.list(steps(fill, at, failed)),
            url: fill.option("http://corner-bakery.localhost:8080".to_owned()),
            pay_url: (purpose == Purpose::SignUp).then(|| "https://pay.example/c/1".to_owned()),
            message: if failed {
                fill.text("The machine had no room left for another workspace.")
            } else {
                String::new()
            },
        },
        mail_to: fill.option(fill.email()),
        mailbox_url: fill.option("/mailbox".to_owned()),
        cancel_url: (purpose == Purpose::SignUp).then(|| "/signup/wfl_1/cancel".to_owned()),
    }
}

fn steps(fill: Fill, at: usize, failed: bool) -> Vec<ProgressStep> {
    let labels = [
        "Set a place apart for it",
        "Make its keys",
        "Put the application in",
        "Take its name",
        "Point its address to it",
        "Let you in, and nobody else",
        "Wait until it answers",
        "Begin your plan",
        "Write you a mail",
    ];
    let step = |(index, label): (usize, &&str)| ProgressStep {
        name: format!("step_{index}"),
        label: fill.text(label),
        state: match index.cmp(&at) {
            std::cmp::Ordering::Less => StepState::Done,
            std::cmp::Ordering::Equal if failed => StepState::Failed,
            std::cmp::Ordering::Equal => StepState::Running,
            std::cmp::Ordering::Greater => StepState::Waiting,
        },
        attempts: u32::from(index <= at) + 2 * u32::from(index == at),
        duration_ms: (index <= at).then_some(40 + 173 * index as u64),
        error: (index == at).then(|| fill.text("No answer within 2 s; trying again.")),
    };
    labels.iter().enumerate().map(step).collect()
}
