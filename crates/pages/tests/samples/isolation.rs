use super::{Fill, before};
use pages::console::{ConsoleIsolation, ConsoleIsolationRound, IsolationPlaceRow, IsolationRoundRow};
use pages::{Area, IsolationStanding};

pub fn page(fill: Fill) -> ConsoleIsolation {
    ConsoleIsolation {
        shell: fill.shell("Isolation", Area::Console),
        open: 3,
        proven: 3,
        oldest: fill.option(before(4_000)),
        rounds: fill.list(vec![row(fill, 0, Some(before(40))), row(fill, 2, Some(before(4_000))), row(fill, 0, None)]),
    }
}

pub fn round(fill: Fill) -> ConsoleIsolationRound {
    let place = |standing, why: &str| IsolationPlaceRow {
        hostname: fill.text("corner-bakery.localhost"),
        url: "/admin/instances/ins_1".to_owned(),
        standing,
        refused: 22,
        not_tried: 4,
        why: fill.text(why),
    };
    ConsoleIsolationRound {
        shell: fill.shell("Round", Area::Console),
        round: row(fill, 1, Some(before(40))),
        not_tried: fill.list(vec![(fill.text("it sleeps, and is not woken for this"), 44)]),
        limits: fill.list(vec![fill.text("A sample: each of 200 instances is tried by 49 others in a round.")]),
        entrances: fill
            .list(vec![fill.text("somebody of zoo.localhost got into acme.localhost straight at its guard")]),
        places: fill.list(vec![
            place(IsolationStanding::Proven, "nothing"),
            place(IsolationStanding::NotProven, "Not tried: it did not answer."),
            place(IsolationStanding::Breached, "Something that had to be refused was not."),
            place(IsolationStanding::Waiting, "Its turn is still to come."),
        ]),
        workflow_url: "/admin/workflows/wfl_1".to_owned(),
    }
}

fn row(fill: Fill, admitted: u64, ended_at: Option<jiff::Timestamp>) -> IsolationRoundRow {
    IsolationRoundRow {
        url: "/admin/isolation/wfl_1".to_owned(),
        what: fill.text("3 instances"),
        by: fill.text("schedule"),
        began_at: before(60),
        ended_at,
        refused: 66,
        admitted,
        not_tried: 0,
        proven: 3,
        tried: 3,
    }
}
