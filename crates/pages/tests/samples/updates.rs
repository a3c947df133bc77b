use super::{Fill, Sample, before, now, sample};
use domain::RolloutId;
use fleet::{Rest, RolloutState, Stage, UnitState, Version, Window};
use jiff::SignedDuration;
use jiff::civil::Weekday;
use pages::console::{
    ConfirmPromote, ConfirmRolloutAction, ConfirmWithdraw, ConsoleNewRelease, ConsoleNewRollout, ConsoleRelease,
    ConsoleReleases, ConsoleRollout, ConsoleRolloutPlan, ConsoleRollouts, Fact, HistoryRow, PlannedRow, PromotionRow,
    ProofRow, ReleaseRow, ReleaseValues, RolloutAction, RolloutForm, RolloutRights, RolloutRow, UnitRow, UpdatesCard,
    WaveRow,
};
use pages::{Area, ComingUpdate, PastUpdateRow, UpdatesView, WindowForm};

pub fn all(fill: Fill) -> Vec<Sample> {
    let shell = |title: &str| fill.shell(title, Area::Console);
    let releases = [release(fill, "1.4.0", Stage::Development), release(fill, "1.3.2", Stage::Customers)];
    let rollouts = RolloutState::ALL.into_iter().map(|state| rollout(fill, state)).collect();
    let confirm =
        |action| ConfirmRolloutAction { shell: shell("Rollout"), action, rollout: rollout(fill, RolloutState::Halted) };
    let promote = |is_proven| ConfirmPromote {
        shell: shell("Promote"),
        version: version("1.4.0"),
        from: Stage::Main,
        to: Stage::Customers,
        is_proven,
    };
    vec![
        sample(
            "console-releases",
            ConsoleReleases {
                shell: shell("Releases"),
                releases: fill.list(releases.to_vec()),
                may_add: true,
                next: fill.option("/admin/releases?cursor=rls_1".to_owned()),
            }
            .render(),
        ),
        sample("console-release", release_page(fill).render()),
        sample("console-new-release", new_release(fill).render()),
        sample("console-promote", promote(true).render()),
        sample("console-promote-unproven", promote(false).render()),
        sample(
            "console-withdraw",
            ConfirmWithdraw { shell: shell("Withdraw"), version: version("1.4.0"), instances: 12 }.render(),
        ),
        sample(
            "console-rollouts",
            ConsoleRollouts {
                shell: shell("Rollouts"),
                rollouts: fill.list(rollouts),
                may_start: true,
                next: fill.option("/admin/rollouts?cursor=rol_1".to_owned()),
            }
            .render(),
        ),
        sample("console-new-rollout", new_rollout(fill).render()),
        sample("console-rollout-plan", plan(fill).render()),
        sample("console-rollout-running", rollout_page(fill, RolloutState::Running).render()),
        sample("console-rollout-halted", rollout_page(fill, RolloutState::Halted).render()),
        sample("console-rollout-done", rollout_page(fill, RolloutState::Done).render()),
        sample("console-cancel-rollout", confirm(RolloutAction::Cancel).render()),
        sample("console-roll-back", confirm(RolloutAction::RollBack).render()),
    ]
}

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn fact(fill: Fill, label: &str, value: &str) -> Fact {
    Fact { label: fill.text(label), value: fill.text(value) }
}

fn release(fill: Fill, name: &str, stage: Stage) -> ReleaseRow {
    ReleaseRow {
        version: version(name),
        stage,
        is_withdrawn: false,
        current_for: if stage == Stage::Customers { vec![Stage::Main, Stage::Customers] } else { Vec::new() },
        instances: 412,
        made_at: before(90_000),
        made_by: fill.text("operator@example.com"),
    }
}

fn release_page(fill: Fill) -> ConsoleRelease {
    ConsoleRelease {
        shell: fill.shell("1.4.0", Area::Console),
        release: release(fill, "1.4.0", Stage::Development),
        facts: fill.list(vec![
            fact(
                fill,
                "Image",
                "registry.example.com/app@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0",
            ),
            fact(fill, "Health path", "/health"),
            fact(fill, "Follows", "every version"),
        ]),
        notes: fill.text("Drafts are kept while you are away.\nMeetings open twice as fast."),
        withdrawn: None,
        proofs: fill.list(vec![ProofRow {
            stage: Stage::Development,
            environment: fill.text("AI-DIY"),
            at: before(3_700),
            by: fill.text("operator@example.com"),
            detail: fill.text("3 were updated in rollout rol_01kat1zgr00000000000000000 and none failed"),
        }]),
        promotions: fill.list(vec![PromotionRow {
            to: Stage::Main,
            at: before(1_200),
            by: fill.text("operator@example.com"),
            without_proof: fill.maybe("It mends a hole that is being used."),
        }]),
        may_change: true,
    }
}

fn new_release(fill: Fill) -> ConsoleNewRelease {
    ConsoleNewRelease {
        shell: fill.shell("Add a release", Area::Console),
        is_container: false,
        values: ReleaseValues {
            version: fill.text("1.4.0"),
            runs: fill.text("exec '/opt/app/serve' --port $PORT"),
            health_path: fill.text("/health"),
            notes: fill.text("Drafts are kept while you are away."),
            upgrades_from: fill.text("1.3.2, 1.3.1"),
        },
        error: fill.maybe(
            "There is another release 1.4.0 already. A release never changes: give the new one a version of its own.",
        ),
    }
}

fn rollout(fill: Fill, state: RolloutState) -> RolloutRow {
    RolloutRow {
        id: RolloutId::new(now(), [7; 10]),
        version: version("1.4.0"),
        stage: Stage::Customers,
        state,
        planned: 412,
        counts: vec![
            (UnitState::Waiting, 279),
            (UnitState::Updating, 4),
            (UnitState::Soaking, 6),
            (UnitState::Updated, 118),
            (UnitState::RolledBack, 2),
            (UnitState::Stuck, 1),
            (UnitState::Skipped, 2),
        ],
        made_at: before(4_300),
        made_by: fill.text("operator@example.com"),
        finished_at: state.is_over().then(|| before(60)),
    }
}

fn unit(fill: Fill, name: &str, state: UnitState) -> UnitRow {
    let has_begun = state != UnitState::Waiting;
    UnitRow {
        hostname: fill.text(name),
        url: "/admin/instances/ins_1".to_owned(),
        stage: Stage::Customers,
        wave: 2,
        state,
        from: Some(version("1.3.2")),
        opens_at: (!has_begun).then(|| now() + SignedDuration::from_hours(31)),
        why: if has_begun { fill.maybe("come up: it answered, and then died 3 times within a minute") } else { None },
        workflow_url: has_begun.then(|| "/admin/workflows/wfl_1".to_owned()),
        skip_url: (!has_begun).then(|| "/admin/rollouts/rol_1/units/ins_1/skip".to_owned()),
    }
}

fn rollout_page(fill: Fill, state: RolloutState) -> ConsoleRollout {
    let wave = |wave, counts: &[(UnitState, u32)]| WaveRow { wave, counts: counts.to_vec() };
    let row =
        |seconds, what: &str, by: &str| HistoryRow { at: before(seconds), what: fill.text(what), by: fill.text(by) };
    ConsoleRollout {
        shell: fill.shell("Rollout", Area::Console),
        rollout: rollout(fill, state),
        why: if state == RolloutState::Halted {
            fill.maybe("3 instances failed and went back to what they ran before")
        } else {
            None
        },
        facts: fill.list(vec![
            fact(fill, "Goes", "waves of 1 %, 10 %, 20 %, 30 % and the rest, 10 at a time"),
            fact(fill, "Halts", "when more than 2 fail"),
            fact(fill, "Watches each for", "30 minutes"),
        ]),
        expected_seconds: 12_600,
        waves: fill.list(vec![
            wave(1, &[(UnitState::Updated, 5)]),
            wave(2, &[(UnitState::Updated, 38), (UnitState::RolledBack, 2), (UnitState::Stuck, 1)]),
            wave(3, &[(UnitState::Waiting, 83)]),
        ]),
        failed: fill.list(vec![
            unit(fill, "cake-school.localhost:8080", UnitState::Stuck),
            unit(fill, "old-oven.localhost:8080", UnitState::RolledBack),
        ]),
        filter: None,
        units: fill.list(vec![
            unit(fill, "corner-bakery.localhost:8080", UnitState::Updating),
            unit(fill, "flour-and-sons.localhost:8080", UnitState::Waiting),
        ]),
        next: fill.option("/admin/rollouts/rol_1?cursor=1.2.ins_1".to_owned()),
        log: fill.list(vec![
            row(70, "Halted: 3 instances failed and went back to what they ran before", "rollout"),
            row(4_300, "Began: 412 instances in 5 waves", "operator@example.com"),
        ]),
        may: RolloutRights { look_after: true, decide: true },
    }
}

fn wanted(fill: Fill) -> RolloutForm {
    RolloutForm {
        version: "1.4.0".to_owned(),
        pace: "waves".to_owned(),
        waves: fill.text("1, 10, 20, 30"),
        at_once: "10".to_owned(),
        soak_minutes: "30".to_owned(),
        tolerated: fill.text("2%"),
        notice_hours: "24".to_owned(),
        without_backup: String::new(),
    }
}

fn new_rollout(fill: Fill) -> ConsoleNewRollout {
    ConsoleNewRollout {
        shell: fill.shell("Begin a rollout", Area::Console),
        releases: fill.list(vec![(version("1.4.0"), Stage::Customers), (version("1.5.0-rc.1"), Stage::Development)]),
        form: wanted(fill),
        no_backups: fill.maybe("No place is set where backups are kept."),
        error: fill.maybe("The waves add up to 110 per cent; make it 100 at most. Change the strategy and ask again."),
    }
}

fn plan(fill: Fill) -> ConsoleRolloutPlan {
    let row = |name: &str, rest, opens: bool| PlannedRow {
        hostname: fill.text(name),
        url: "/admin/instances/ins_1".to_owned(),
        stage: Stage::Customers,
        runs: Some(version("1.3.2")),
        wave: 1,
        rest,
        opens_at: opens.then(|| now() + SignedDuration::from_hours(31)),
    };
    ConsoleRolloutPlan {
        shell: fill.shell("Plan", Area::Console),
        form: wanted(fill),
        form_url: "/admin/rollouts/new?version=1.4.0".to_owned(),
        version: version("1.4.0"),
        stage: Stage::Customers,
        number: if fill == Fill::Empty { 0 } else { 412 },
        units: fill.list(vec![
            row("old-oven.localhost:8080", Rest::Asleep, false),
            row("corner-bakery.localhost:8080", Rest::Quiet, false),
            row("cake-school.localhost:8080", Rest::InUse, true),
        ]),
        left_out: fill.list(vec![
            (fill.text("fair-bakery.localhost:8080"), fill.text("it is pinned until 24 December 2026: their fair")),
            (fill.text("closed-oven.localhost:8080"), fill.text("it is suspended; it is updated once it is resumed")),
        ]),
        ran_it_already: 3,
        waves: fill.list(vec![5, 42, 83, 124, 158]),
        tolerated: 8,
        expected_seconds: 12_600,
        last_opening: fill.option(now() + SignedDuration::from_hours(31)),
        waits_for: None,
        error: None,
        digest: "00ff".to_owned(),
    }
}

/// On the page of an instance in the console.
pub fn card(fill: Fill) -> UpdatesCard {
    UpdatesCard {
        facts: fill.list(vec![
            fact(fill, "Is to run", "1.3.2, since 2026-11-20T08:00:00Z"),
            fact(fill, "Last rollout", "1.3.2, updated"),
        ]),
        stage: Stage::Customers,
        is_pinned: false,
        may_pin: true,
        may_move: true,
    }
}

/// On the page of a workspace in the portal.
pub fn view(fill: Fill) -> UpdatesView {
    let past =
        |name: &str, state, seconds| PastUpdateRow { version: fill.text(name), state, at: Some(before(seconds)) };
    let weekend = [Weekday::Saturday, Weekday::Sunday];
    UpdatesView {
        runs: fill.option((fill.text("1.3.2"), before(400_000))),
        coming: fill.option(ComingUpdate {
            version: fill.text("1.4.0"),
            notes: fill.text("Drafts are kept while you are away.\nMeetings open twice as fast."),
            state: UnitState::Waiting,
            opens_at: Some(now() + SignedDuration::from_hours(31)),
        }),
        deferred_until: fill.option(now() + SignedDuration::from_hours(31)),
        most_days: 5,
        pinned_until: None,
        window: WindowForm {
            now: fill.option(Window::new(&weekend, 2, 4).unwrap()),
            days: weekend.to_vec(),
            from: fill.text("2"),
            hours: fill.text("4"),
            error: fill
                .maybe("1 hours are too few or too many for a maintenance window; use 2 to 24. Choose other hours."),
        },
        past: fill
            .list(vec![past("1.3.2", UnitState::Updated, 400_000), past("1.3.1", UnitState::RolledBack, 900_000)]),
        defer_error: None,
    }
}
