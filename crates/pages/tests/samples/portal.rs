use super::{Fill, Sample, before, now, sample};
use domain::{Bill, InstanceState, MemberRole, Month, Plan, Signal, UsageHour};
use pages::{
    Area, BillView, ConfirmDelete, ConfirmRemoveMember, CopySource, CopyWorkspace, DeletionRecord, Download,
    EvidenceRow, Health, HourRow, IncludedAi, InstanceCard, IsolationNote, MemberRow, Notice, NoticeKind, Observed,
    PortalHome, PortalInstance, RemovedRow, Renaming,
};

pub fn all(fill: Fill) -> Vec<Sample> {
    let cards = vec![
        card(fill, "corner-bakery", InstanceState::Active, Some(Health::Healthy)),
        card(fill, "cake-school", InstanceState::Provisioning, None),
        card(fill, "old-oven", InstanceState::Suspended, Some(Health::Stopped)),
    ];
    let remove = ConfirmRemoveMember {
        shell: fill.shell("Remove member", Area::Portal),
        hostname: fill.text("corner-bakery.localhost:8080"),
        member: fill.text("bob@corner-bakery.example"),
        action: "/portal/instances/ins_1/members/remove".to_owned(),
        back_url: "/portal/instances/ins_1".to_owned(),
    };
    vec![
        sample(
            "portal",
            PortalHome {
                shell: fill.shell("My workspaces", Area::Portal),
                instances: fill.list(cards),
                paid_at: fill.maybe("Stripe"),
            }
            .render(),
        ),
        sample("portal-instance", instance(fill).render()),
        sample("portal-instance-moving", moving(fill).render()),
        sample("portal-remove", remove.render()),
        sample("portal-copy", copy(fill).render()),
        sample("portal-copy-nowhere", CopyWorkspace { instead: Some(fill.text("Not here.")), ..copy(fill) }.render()),
        sample("portal-instance-to-be-deleted", to_be_deleted(fill).render()),
        sample("portal-delete", delete(fill).render()),
        sample("portal-record", record(fill).render()),
    ]
}

fn card(fill: Fill, name: &str, state: InstanceState, health: Option<Health>) -> InstanceCard {
    InstanceCard {
        name: fill.text(name),
        hostname: fill.text(&format!("{name}.localhost:8080")),
        url: format!("http://{name}.localhost:8080"),
        portal_url: "/portal/instances/ins_1".to_owned(),
        state,
        observed: health.map(|health| Observed { health, at: before(3), by: fill.text("the local driver") }),
        hours_this_month: 14,
        bill_so_far: fill.text("$19.00"),
    }
}

fn instance(fill: Fill) -> PortalInstance {
    let month = Month::of(now());
    let hours = fill.list(hours());
    let mut shell = fill.shell("Workspace", Area::Portal);
    shell.notice =
        fill.option(Notice { kind: NoticeKind::Success, text: fill.text("We wrote to bob@corner-bakery.example.") });
    let plan = Plan::default();
    let bill = Bill::of(&plan, month, u32::try_from(hours.len()).unwrap()).unwrap();
    PortalInstance {
        shell,
        name: fill.text("corner-bakery"),
        hostname: fill.text("corner-bakery.localhost:8080"),
        url: "http://corner-bakery.localhost:8080".to_owned(),
        portal_url: "/portal/instances/ins_1".to_owned(),
        state: InstanceState::Active,
        suspended_because: fill.option(fill.text("The last invoice is unpaid.")),
        observed: fill.option(Observed { health: Health::Healthy, at: before(3), by: fill.text("the local driver") }),
        health: super::health::view(fill),
        month,
        hours,
        bill: BillView { bill, plan },
        included_ai: fill.option(IncludedAi {
            used: fill.text("$3.20 of $5.00"),
            is_used_up: false,
            renewed_at: before(-300_000),
        }),
        members: fill.list(members(fill)),
        may_manage: true,
        invite_email: fill.text(""),
        invite_error: None,
        updates: Some(super::updates::view(fill)),
        lives_in: None,
        renaming: Renaming {
            base_domain: fill.text("localhost:8080"),
            moving_to: None,
            doing: None,
            entered: fill.text("corner-bakeries"),
            error: fill.maybe("That name is taken."),
        },
        leaving: Some(super::leaving::possible(fill)),
        deleted_at: None,
        download: Download::Possible,
        support_until: fill.option(before(-3_000)),
        isolation: IsolationNote {
            proven_at: fill.option(before(1_700)),
            refused: 312,
            neighbours: 99,
            since: fill.option((before(200), fill.text("Not tried: it sleeps, and is not woken for this."))),
            is_breached: false,
        },
    }
}

fn moving(fill: Fill) -> PortalInstance {
    let still = instance(fill);
    let renaming = Renaming {
        moving_to: Some(fill.text("corner-bakeries.localhost:8080")),
        doing: fill.maybe("Waiting until the new address is connected"),
        ..still.renaming.clone()
    };
    let lives_in = Some(super::moves::lives_in(fill, domain::MoveState::Kept));
    PortalInstance { renaming, lives_in, ..still }
}

fn hours() -> Vec<HourRow> {
    let starts = [300, 297, 296, 250, 249, 226, 225, 130, 129, 128, 55, 54, 2, 1, 0];
    let evidence = |signal, at, minutes: i64, count| EvidenceRow {
        signal,
        who: (signal == Signal::Member).then(|| "ada@example.com and zoe.with.a.long.name@bakery.example".to_owned()),
        first: at,
        last: at + jiff::SignedDuration::from_mins(minutes),
        count,
    };
    let row = |back: &i64| {
        let hour = UsageHour::of(before(back * 3600));
        let at = hour.start() + jiff::SignedDuration::from_mins(7);
        let evidence = vec![evidence(Signal::Member, at, 31, 46), evidence(Signal::Sprint, at, 12, 3)];
        HourRow { hour, evidence }
    };
    starts.iter().map(row).collect()
}

fn members(fill: Fill) -> Vec<MemberRow> {
    let row = |member: &str, role, removable| MemberRow {
        member: if member.starts_with("ada") { fill.email().to_string() } else { fill.text(member) },
        role,
        added_at: before(400_000),
        remove_url: if removable { Some("/portal/instances/ins_1/members/remove?member=bob".to_owned()) } else { None },
    };
    vec![
        row("ada@corner-bakery.example", MemberRole::Owner, false),
        row("bob@corner-bakery.example", MemberRole::Member, true),
        row("@flour-and-sons.example", MemberRole::Member, true),
    ]
}

fn to_be_deleted(fill: Fill) -> PortalInstance {
    let deleted_at = Some(fill.text("3 December 2026, 10:00 UTC"));
    PortalInstance { state: InstanceState::Suspended, leaving: None, deleted_at, ..instance(fill) }
}

fn copy(fill: Fill) -> CopyWorkspace {
    CopyWorkspace {
        shell: fill.shell("Copy this workspace", Area::Portal),
        hostname: fill.text("corner-bakery.localhost:8080"),
        base_domain: fill.text("localhost:8080"),
        plan: Plan::default(),
        card_entered_at: fill.maybe("Stripe"),
        backups: vec![CopySource { id: "bak_1".to_owned(), at: before(90_000), is_chosen: true }],
        key: "b1946ac9".to_owned(),
        entered: fill.text("corner-bakery-trial"),
        error: fill.maybe("That name is taken."),
        instead: None,
        portal_url: "/portal/instances/ins_1".to_owned(),
    }
}

fn delete(fill: Fill) -> ConfirmDelete {
    ConfirmDelete {
        shell: fill.shell("Delete", Area::Portal),
        subdomain: fill.text("corner-bakery"),
        hostname: fill.text("corner-bakery.localhost:8080"),
        members: 3,
        bill_so_far: fill.text("$20.00"),
        undo_days: 3,
        why: super::leaving::why(fill),
        error: fill.maybe("That is not the name. Nothing was deleted."),
        action: "/portal/instances/ins_1/delete".to_owned(),
        back_url: "/portal/instances/ins_1".to_owned(),
    }
}

fn record(fill: Fill) -> DeletionRecord {
    let row =
        |what: &str, name: &str| RemovedRow { what: fill.text(what), name: fill.text(name), removed_at: before(20) };
    DeletionRecord {
        shell: fill.shell("What was removed", Area::Portal),
        hostname: fill.text("corner-bakery.localhost:8080"),
        requested_by: fill.text("ada@corner-bakery.example"),
        completed_at: before(19),
        removed: fill.list(vec![
            row("Running workspace", "ai-diy-corner-bakery"),
            row("Data folder", "instances/ai-diy-corner-bakery/data"),
            row("Address", "corner-bakery.localhost:8080"),
            row("Entry of 3 members", "ada@corner-bakery.example and 2 more"),
            row("Plan", "ended after $20.00"),
        ]),
    }
}
