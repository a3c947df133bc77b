use domain::IncidentState;
use jiff::SignedDuration;

use super::{Preview, Sample, shown};
use crate::mail::{
    CancellationRequested, CancellationTakenBack, ConfirmSubscription, Deleted, DeletionAnnounced, DeletionAsked,
    DeletionTakenBack, IncidentUpdate, Invitation, Leaver, MoveBegins, MoveFailed, MoveWaits, Moved, MovedBack, Mover,
    OperatorAlert, OrderClosed, OrderPlaced, ProvisioningFailed, RenameFailed, Renamed, RestoreFailed, Restored,
    Resumed, Returned, ServiceEnded, SignInCode, SupportAccess, Suspended, UpdateAnnounced, UpdateFailed,
    UpdateTakenBack, Updated, Welcome, WinBack, Workspace,
};

pub(super) fn all(sample: &Sample) -> Vec<Preview> {
    [orders(sample), access(sample), changes(sample), updates(sample), moves(sample), leaving(sample), news(sample)]
        .concat()
}

fn orders(sample: &Sample) -> Vec<Preview> {
    let (product, name, hostname) = (sample.product(), sample.name(), sample.hostname());
    shown! {
        "order-placed", "An operator ordered a workspace, and payment details are missing", Customer, OrderPlaced {
            product: product.clone(),
            hostname: hostname.clone(),
            closes_at: sample.now + SignedDuration::from_hours(24),
            url: sample.url("/signup/wfl_1"),
        };
        "order-closed", "An order came to nothing", Customer, OrderClosed {
            product: product.clone(),
            name: name.clone(),
            hostname: hostname.clone(),
            reason: "No payment details were entered in time.".to_owned(),
            retry_url: sample.url("/signup"),
        };
        "welcome", "A workspace is ready", Customer, Welcome {
            product: product.clone(),
            name: name.clone(),
            hostname: hostname.clone(),
            url: sample.workspace(),
            next_hostname: None,
            portal_url: sample.url("/portal"),
        };
        "provisioning-failed", "A workspace could not be made", Customer, ProvisioningFailed {
            product,
            name,
            hostname,
            reason: "our hosting provider did not answer in time".to_owned(),
            retry_url: sample.url("/signup"),
        };
    }
}

fn access(sample: &Sample) -> Vec<Preview> {
    let (product, hostname) = (sample.product(), sample.hostname());
    shown! {
        "sign-in-code", "Somebody signs in", Member, SignInCode {
            product: product.clone(),
            code: "402913".to_owned(),
            hostname: hostname.clone(),
            valid_minutes: 10,
        };
        "invitation", "Somebody is invited to a workspace", Member, Invitation {
            product: product.clone(),
            invited_by: "ada@example.com".to_owned(),
            hostname: hostname.clone(),
            url: sample.workspace(),
        };
        "support-access", "Support asks to enter, enters, or may no more", Customer, SupportAccess {
            product,
            subject: format!("Support asks to enter {hostname}"),
            paragraphs: vec![
                format!("grace@example.com asks to enter {hostname} for 2 hours, to look only."),
                "Nobody can enter before you let them in.".to_owned(),
            ],
            url: sample.portal("/support"),
            is_owners: true,
        };
    }
}

fn changes(sample: &Sample) -> Vec<Preview> {
    let (product, name, hostname) = (sample.product(), sample.name(), sample.hostname());
    let former = hostname.replacen("corner-bakery", "bakery", 1);
    shown! {
        "suspended", "A workspace is closed for now", Customer, Suspended {
            product: product.clone(),
            name: name.clone(),
            hostname: hostname.clone(),
            reason: "You asked us to close it for a while.".to_owned(),
            portal_url: sample.portal(""),
        };
        "resumed", "A workspace is open again", Customer, Resumed {
            product: product.clone(),
            name: name.clone(),
            hostname: hostname.clone(),
            url: sample.workspace(),
        };
        "renamed", "A workspace has another address", Customer, Renamed {
            product: product.clone(),
            name: name.clone(),
            old_hostname: former.clone(),
            hostname: hostname.clone(),
            url: sample.workspace(),
        };
        "rename-failed", "A workspace could not get another address", Customer, RenameFailed {
            product: product.clone(),
            name: name.clone(),
            hostname: former,
            wanted: hostname.clone(),
            reason: "the new address did not answer in time".to_owned(),
            portal_url: sample.portal(""),
        };
        "restored", "A backup was put back", Customer, Restored {
            product: product.clone(),
            name: name.clone(),
            hostname: hostname.clone(),
            url: sample.portal("/backups"),
        };
        "restore-failed", "A backup could not be put back", Customer, RestoreFailed {
            product,
            name,
            hostname,
            url: sample.portal("/backups"),
        };
    }
}

fn updates(sample: &Sample) -> Vec<Preview> {
    let (product, name, hostname) = (sample.product(), sample.name(), sample.hostname());
    let workspace = Workspace { product, name, hostname, url: sample.portal("") };
    let (version, notes) = ("2.4".to_owned(), "Meetings open twice as fast.".to_owned());
    shown! {
        "update-announced", "An update is coming", Customer, UpdateAnnounced {
            workspace: workspace.clone(),
            version: version.clone(),
            notes: notes.clone(),
            opens_at: Some(sample.now + SignedDuration::from_hours(30)),
        };
        "updated", "A workspace was updated", Customer, Updated { workspace: workspace.clone(), version, notes };
        "update-failed", "An update failed and was undone", Customer, UpdateFailed {
            workspace: workspace.clone(),
            former: Some("2.3".to_owned()),
        };
        "update-taken-back", "You took a release back", Customer, UpdateTakenBack {
            workspace,
            former: "2.3".to_owned(),
            kept_data: true,
        };
    }
}

fn moves(sample: &Sample) -> Vec<Preview> {
    let (product, name, hostname) = (sample.product(), sample.name(), sample.hostname());
    let mover = Mover { product, name, hostname, url: sample.portal("") };
    let (from, to) = ("Oregon".to_owned(), "Frankfurt".to_owned());
    shown! {
        "move-begins", "A workspace is about to move", Customer, MoveBegins { mover: mover.clone(), to: to.clone() };
        "moved", "A workspace has moved", Customer, Moved { mover: mover.clone(), from: from.clone(), to: to.clone() };
        "move-waits", "Nobody has said that all is well after a move", Customer, MoveWaits {
            mover: mover.clone(),
            from: from.clone(),
            to,
        };
        "moved-back", "A workspace is back where it was", Customer, MovedBack { mover: mover.clone(), to: from };
        "move-failed", "A workspace could not be moved", Customer, MoveFailed { mover };
    }
}

fn leaving(sample: &Sample) -> Vec<Preview> {
    let (product, name, hostname) = (sample.product(), sample.name(), sample.hostname());
    let leaver = Leaver {
        product: product.clone(),
        name: name.clone(),
        hostname: hostname.clone(),
        url: sample.portal("/cancel"),
    };
    let kept_until = "the end of 30 December 2026".to_owned();
    let charged = "Hours are charged as before from then on.".to_owned();
    shown! {
        "cancelled", "A workspace is cancelled", Customer, CancellationRequested {
            leaver: leaver.clone(),
            ends: "the end of 30 November 2026".to_owned(),
            last_bill: "One more invoice follows, on 1 December 2026 or soon after.".to_owned(),
            kept_until: kept_until.clone(),
            announced_on: "24 December 2026".to_owned(),
            is_by_owner: true,
        };
        "kept-on", "A cancellation is taken back", Customer, CancellationTakenBack { leaver: leaver.clone() };
        "ended", "A cancelled workspace has ended", Customer, ServiceEnded {
            leaver: leaver.clone(),
            kept_until: kept_until.clone(),
            charged: charged.clone(),
            can_download: true,
        };
        "returned", "A customer came back", Customer, Returned {
            leaver: leaver.clone(),
            charged,
            open_url: sample.workspace(),
        };
        "win-back", "Some days after a customer left, once", FormerCustomer, WinBack {
            product: product.clone(),
            name: name.clone(),
            hostname: hostname.clone(),
            kept_until: Some(kept_until),
            url: sample.portal("/cancel"),
            leave_url: sample.url("/mail/unsubscribe/cus_1.0a1b"),
        };
        "deletion-announced", "The data of a workspace that ended will be deleted", Customer, DeletionAnnounced {
            leaver: leaver.clone(),
            deleted_on: "31 December 2026".to_owned(),
            can_download: true,
        };
        "deletion-asked", "A workspace is to be deleted", Customer, DeletionAsked {
            leaver: leaver.clone(),
            until: "27 November 2026, 22:54 UTC".to_owned(),
            is_by_owner: true,
            can_download: true,
        };
        "deletion-taken-back", "A deletion is taken back", Customer, DeletionTakenBack { leaver, stays_closed: None };
        "deleted", "A workspace was removed", Customer, Deleted {
            product,
            name,
            hostname,
            record_url: sample.portal(""),
        };
    }
}

fn news(sample: &Sample) -> Vec<Preview> {
    let product = sample.product();
    shown! {
        "confirm-subscription", "Somebody wants news of incidents", Subscriber, ConfirmSubscription {
            product: product.clone(),
            url: sample.url("/status/confirm/1.0a1b"),
        };
        "incident-update", "There is news of an incident", Subscriber, IncidentUpdate {
            product: product.clone(),
            title: "Some workspaces open slowly".to_owned(),
            state: IncidentState::Identified,
            text: "Our hosting provider has an outage in one region. We wait for them.".to_owned(),
            url: sample.url("/status"),
            leave_url: sample.url("/status/unsubscribe/1.0a1b"),
        };
        "operator-alert", "Something waits for you", Operator, OperatorAlert {
            product,
            what: "Provisioning corner-bakery failed and was undone".to_owned(),
            why: "The hosting provider did not answer within 5 minutes.".to_owned(),
            url: sample.url("/admin/alerts"),
        };
    }
}
