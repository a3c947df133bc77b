use super::{Fill, Sample, before, sample};
use pages::mail::SupportAccess;
use pages::{Area, SupportNow, SupportPage, SupportRow};

pub fn all(fill: Fill) -> Vec<Sample> {
    let asked = SupportNow::Asked { reason: fill.text("We want to see why it does not start."), at: before(900) };
    let let_in = SupportNow::LetIn { until: before(-3_000), may_change: true };
    let letter = SupportAccess {
        product: fill.text("AI-DIY"),
        subject: fill.text("May we enter corner-bakery.localhost:8080?"),
        paragraphs: fill.list(vec![fill.text("We ask for your leave to enter.")]),
        url: "http://localhost:8080/portal/instances/corner-bakery/support".to_owned(),
        is_owners: true,
    };
    vec![
        sample("portal-support", page(fill, SupportNow::Shut).render()),
        sample("portal-support-asked", page(fill, asked).render()),
        sample("portal-support-let-in", page(fill, let_in).render()),
        sample("mail-support", letter.html()),
    ]
}

pub fn row(fill: Fill) -> SupportRow {
    SupportRow {
        at: before(90_000),
        what: vec![fill.text("operator@localhost asked: it does not start."), fill.text("It ended by itself.")],
        hours: fill.list(vec![fill.text("operator@localhost in the hour of 24 November 2026, 10:00 UTC")]),
    }
}

fn page(fill: Fill, now: SupportNow) -> SupportPage {
    SupportPage {
        shell: fill.shell("Support access", Area::Portal),
        hostname: fill.text("corner-bakery.localhost:8080"),
        url: "/portal/instances/corner-bakery/support".to_owned(),
        back_url: "/portal/instances/corner-bakery".to_owned(),
        is_open: true,
        now,
        log: fill.list(vec![row(fill)]),
    }
}
