use super::{Fill, Sample, sample};
use domain::LeavingReason;
use pages::mail::{
    CancellationRequested, CancellationTakenBack, DeletionAnnounced, DeletionAsked, DeletionTakenBack, Leaver,
    Returned, ServiceEnded,
};
use pages::{Area, Download, LastBillView, Leave, Leaving, WhyLeaving};

pub fn all(fill: Fill) -> Vec<Sample> {
    let possible = leave(fill, possible(fill));
    let free = Leave { last_bill: Some(LastBillView::Free), download: instead(fill), ..possible.clone() };
    let running_out = Leaving::RunningOut {
        ends: fill.text("the end of 30 November 2026"),
        kept_until: fill.text("the end of 30 December 2026"),
        requested_on: fill.text("15 November 2026"),
    };
    let ended = Leaving::Ended { kept_until: fill.text("the end of 30 December 2026") };
    vec![
        sample("portal-leave", possible.render()),
        sample("portal-leave-trial", free.render()),
        sample("portal-leave-running-out", leave(fill, running_out).render()),
        sample("portal-leave-ended", leave(fill, ended).render()),
    ]
}

pub fn possible(fill: Fill) -> Leaving {
    Leaving::Possible {
        ends: fill.text("the end of 30 November 2026"),
        kept_until: fill.text("the end of 30 December 2026"),
        announced_on: fill.text("24 December 2026"),
    }
}

pub fn why(fill: Fill) -> WhyLeaving {
    WhyLeaving { reason: fill.option(LeavingReason::TooHard), comment: fill.text("I got lost in the backlog.") }
}

fn instead(fill: Fill) -> Download {
    Download::Instead(fill.text("A download is not offered here. Copy what you need."))
}

fn leave(fill: Fill, leaving: Leaving) -> Leave {
    let line = |what: &str, amount: &str| (fill.text(what), fill.text(amount));
    let lines = vec![
        line("Base fee, 1 November 2026 to 30 November 2026", "$5.00"),
        line("Usage hours, 1 November 2026 to 30 November 2026", "$12.00"),
        line("Your credit", "−$2.00"),
    ];
    let last_bill = matches!(leaving, Leaving::Possible { .. }).then(|| LastBillView::Coming {
        lines: fill.list(lines),
        due: fill.text("$15.00"),
        made_on: fill.text("1 December 2026"),
    });
    Leave {
        shell: fill.shell("Leaving", Area::Portal),
        hostname: fill.text("corner-bakery.localhost:8080"),
        subdomain: fill.text("corner-bakery"),
        leaving,
        last_bill,
        charged_again: charged(fill),
        download: Download::Possible,
        why: why(fill),
        error: fill.maybe("Type corner-bakery to confirm that it shall end."),
        portal_url: "/portal/instances/ins_1".to_owned(),
    }
}

fn charged(fill: Fill) -> String {
    fill.text(
        "From the moment at which you come back, hours are charged as before ($1.00 each), and the base fee ($5.00).",
    )
}

macro_rules! parts {
    ($file:literal, $mail:expr) => {{
        let mail = $mail;
        ($file, mail.subject(), mail.text(), mail.html())
    }};
}

/// Name, subject, text and HTML of each mail about leaving.
pub fn mails(fill: Fill) -> Vec<(&'static str, String, String, String)> {
    let leaver = Leaver {
        product: fill.text("AI-DIY"),
        name: fill.text("Ada"),
        hostname: fill.text("corner-bakery.localhost:8080"),
        url: "http://localhost:8080/portal/instances/corner-bakery/cancel".to_owned(),
    };
    let kept_until = fill.text("the end of 30 December 2026");
    vec![
        parts!(
            "mail-cancelled",
            CancellationRequested {
                leaver: leaver.clone(),
                ends: fill.text("the end of 30 November 2026"),
                last_bill: fill.text("One more invoice follows."),
                kept_until: kept_until.clone(),
                announced_on: fill.text("24 December 2026"),
                is_by_owner: true,
            }
        ),
        parts!("mail-kept-on", CancellationTakenBack { leaver: leaver.clone() }),
        parts!(
            "mail-ended",
            ServiceEnded { leaver: leaver.clone(), kept_until, charged: charged(fill), can_download: true }
        ),
        parts!(
            "mail-deletion-announced",
            DeletionAnnounced {
                leaver: leaver.clone(),
                deleted_on: fill.text("31 December 2026"),
                can_download: false
            }
        ),
        parts!(
            "mail-deletion-asked",
            DeletionAsked {
                leaver: leaver.clone(),
                until: fill.text("3 December 2026, 10:00 UTC"),
                is_by_owner: true,
                can_download: true
            }
        ),
        parts!(
            "mail-deletion-taken-back",
            DeletionTakenBack { leaver: leaver.clone(), stays_closed: Some(fill.text("An invoice is not paid.")) }
        ),
        parts!(
            "mail-returned",
            Returned { leaver, charged: charged(fill), open_url: "http://corner-bakery.localhost:8080".to_owned() }
        ),
    ]
}
