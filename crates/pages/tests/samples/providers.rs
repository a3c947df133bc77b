use super::{Fill, before};
use domain::Cents;
use pages::Area;
use pages::console::{
    CeilingRow, CheckRow, CheckVerdict, ConfirmRepair, ConsoleProviders, FindingClass, FindingRow, PoolCard, PoolRow,
    ProviderCard, SaidRow,
};

pub fn page(fill: Fill) -> ConsoleProviders {
    let check = |name: &str, verdict, found: &str, advice: &str| CheckRow {
        name: fill.text(name),
        verdict,
        found: fill.text(found),
        advice: fill.text(advice),
    };
    let ceiling = |name: &str, used, limit| CeilingRow {
        name: fill.text(name),
        used,
        limit,
        advice: fill.text("take a larger plan for the zone"),
        renews_at: fill.option(before(-1_200)),
        observed_at: before(200),
    };
    ConsoleProviders {
        shell: fill.shell("Providers", Area::Console),
        providers: vec![
            ProviderCard {
                role: "Compute".to_owned(),
                name: fill.text("railway"),
                checks: fill.list(vec![
                    check("Railway token", CheckVerdict::Ok, "it opens the workspace", "nothing"),
                    check("Railway workspace", CheckVerdict::Warn, "100 calls are left", "wait an hour"),
                ]),
                checked_at: fill.option(before(300)),
                ceilings: fill.list(vec![ceiling("Railway API calls in this hour", 9_400, 10_000)]),
                trouble: fill.maybe("look at Railway: it answered 503"),
                line: fill.maybe("It makes one project every 30 seconds, and 12 instances wait for theirs."),
            },
            ProviderCard {
                role: "Edge".to_owned(),
                name: fill.text("cloudflare"),
                checks: fill.list(vec![check("Cloudflare token", CheckVerdict::Fail, "it is expired", "make one")]),
                checked_at: fill.option(before(300)),
                ceilings: fill.list(vec![ceiling("records in the zone", 60, 200), ceiling("Access seats", 0, 0)]),
                trouble: None,
                line: None,
            },
        ],
        findings: fill.list(vec![
            finding(fill, FindingClass::Orphan, true),
            finding(fill, FindingClass::Missing, false),
            FindingRow { repair_url: None, ..finding(fill, FindingClass::Drifted, false) },
        ]),
        said: fill.list(vec![SaidRow {
            name: fill.text("railway"),
            condition: pages::Condition::Degraded,
            words: fill.text("Some systems have issues"),
            at: before(120),
            trouble: fill.maybe("it answers 502"),
        }]),
        pool: fill.option(PoolCard {
            size: 3,
            ready: 1,
            monthly_cost: fill.option(Cents::new(120)),
            rows: fill.list(vec![warm(fill, "ready"), warm(fill, "preparing")]),
        }),
        looked_at: fill.option(before(240)),
        currency: "usd".to_owned(),
    }
}

fn warm(fill: Fill, state: &str) -> PoolRow {
    PoolRow {
        name: fill.text("calm-river-3847.example.com"),
        project: fill.text("ai-diy-calm-river-3847"),
        state: state.to_owned(),
        since: before(900),
        monthly_cost: fill.option(Cents::new(60)),
    }
}

pub fn confirm(fill: Fill) -> ConfirmRepair {
    ConfirmRepair {
        shell: fill.shell("Repair", Area::Console),
        finding: finding(fill, FindingClass::Orphan, true),
        url: "/admin/providers/findings/railway:project:8f7a/repair".to_owned(),
    }
}

fn finding(fill: Fill, class: FindingClass, removes: bool) -> FindingRow {
    FindingRow {
        class,
        provider: fill.text("railway"),
        kind: fill.text("project"),
        name: fill.text("ai-diy-old-oven"),
        words: fill.text("It was left behind when old-oven.localhost:8080 was deleted."),
        advice: fill.text("Repairing removes the project for good, with the data in it."),
        trouble: fill.maybe("railway still shows it"),
        created_at: fill.option(before(900_000)),
        first_seen_at: before(5_000),
        monthly_cost: fill.option(Cents::new(412)),
        repair_url: Some("/admin/providers/findings/railway:project:8f7a/repair".to_owned()),
        workflow_url: fill.option("/admin/workflows/wfl_1".to_owned()),
        removes,
    }
}
