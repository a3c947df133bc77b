use super::{Fill, Sample, before, sample};
use domain::{BackupReason, BackupState};
use pages::mail::{RestoreFailed, Restored};
use pages::{Area, BackupRow, Backups, ConfirmRestore};

pub fn all(fill: Fill) -> Vec<Sample> {
    let impossible = Backups {
        take_url: None,
        instead: Some(fill.text("Backups of single workspaces are not offered here.")),
        doing: None,
        backups: Vec::new(),
        ..list(fill, Area::Portal)
    };
    vec![
        sample("portal-backups", list(fill, Area::Portal).render()),
        sample("portal-backups-impossible", impossible.render()),
        sample("portal-restore", restore(fill, Area::Portal).render()),
        sample("console-backups", list(fill, Area::Console).render()),
        sample("console-restore", restore(fill, Area::Console).render()),
    ]
}

fn list(fill: Fill, area: Area) -> Backups {
    let row = |state, reason, age| BackupRow {
        reason,
        state,
        at: before(age),
        version: fill.text("0.1.0"),
        contents: (state == BackupState::Kept).then_some((312, 48_200_000)),
        left_out: u64::from(reason == BackupReason::BeforeUpdate),
        expires_at: (state == BackupState::Kept).then(|| before(-1_000_000)),
        proven_at: (reason == BackupReason::Scheduled && state == BackupState::Kept).then(|| before(40_000)),
        trouble: (state == BackupState::Failed)
            .then(|| fill.text("keep /mnt/backups/ins_1/bak_1.tar.gz.age: no space left")),
        restore_url: (state == BackupState::Kept)
            .then(|| "/portal/instances/corner-bakery/backups/bak_1/restore".to_owned()),
    };
    let rows = vec![
        row(BackupState::Taking, BackupReason::Requested, 3),
        row(BackupState::Kept, BackupReason::BeforeUpdate, 7_000),
        row(BackupState::Failed, BackupReason::Scheduled, 20_000),
        row(BackupState::Kept, BackupReason::Scheduled, 90_000),
    ];
    Backups {
        shell: fill.shell("Backups", area),
        hostname: fill.text("corner-bakery.localhost:8080"),
        back_url: "/portal/instances/corner-bakery".to_owned(),
        take_url: Some("/portal/instances/corner-bakery/backups".to_owned()),
        instead: None,
        doing: fill.maybe("A backup is being taken."),
        planned: fill.text("One is taken every day, at a quiet time if there is one."),
        proofs: fill.text("Each night the newest one is restored for a test."),
        proven_at: fill.option(before(40_000)),
        backups: fill.list(rows),
        next: fill.option("/portal/instances/corner-bakery/backups?cursor=bak_1".to_owned()),
    }
}

fn restore(fill: Fill, area: Area) -> ConfirmRestore {
    ConfirmRestore {
        shell: fill.shell("Restore a backup", area),
        hostname: fill.text("corner-bakery.localhost:8080"),
        subdomain: fill.text("corner-bakery"),
        at: before(90_000),
        versions: (fill.text("0.1.0"), format!("{}2", fill.text("0.1.0"))),
        error: fill.maybe("Type corner-bakery to confirm that what it keeps now shall be replaced."),
        action: "/portal/instances/corner-bakery/backups/bak_1/restore".to_owned(),
        back_url: "/portal/instances/corner-bakery/backups".to_owned(),
    }
}

/// Name, subject, text and HTML of each mail about backups.
pub fn mails(fill: Fill) -> Vec<(&'static str, String, String, String)> {
    let (product, name) = (fill.text("AI-DIY"), fill.text("Ada"));
    let hostname = fill.text("corner-bakery.localhost:8080");
    let url = "http://localhost:8080/portal/instances/corner-bakery/backups".to_owned();
    let restored =
        Restored { product: product.clone(), name: name.clone(), hostname: hostname.clone(), url: url.clone() };
    let failed = RestoreFailed { product, name, hostname, url };
    vec![
        ("mail-restored", restored.subject(), restored.text(), restored.html()),
        ("mail-restore-failed", failed.subject(), failed.text(), failed.html()),
    ]
}
