//! A rollout before it begins, in words.

use api::{LeftOut, PlannedUnit, RolloutPlan};
use fleet::Rest;

use crate::output::{or_dash, pairs, table};
use crate::when::{about, moment};

/// So many instances are shown; more are told by `--json`.
const SHOWN: usize = 50;

/// Who is updated, in what order, and how long it takes.
pub fn in_words(plan: &RolloutPlan) -> String {
    let mut rows = vec![
        ("release", format!("{}, to the stage {} and those before it", plan.version, plan.stage)),
        ("updates", updates(plan)),
        ("run it", format!("{} already", plan.ran_it_already)),
        ("halts", halts(plan.tolerated)),
        ("takes", about(plan.expected_seconds)),
    ];
    rows.extend(plan.last_opening.map(|at| ("waits", format!("until {}, when the last one may begin", moment(at)))));
    rows.extend(plan.waits_for.map(|id| ("first", format!("{id} has to end, which is open"))));
    let mut text = pairs(&rows);
    if !plan.units.is_empty() {
        let shown = plan.units.iter().take(SHOWN).map(unit);
        let headings = ["INSTANCE", "STAGE", "WAVE", "RUNS", "WHY THERE", "NOT BEFORE"];
        text.push_str(&format!("\n{}", table(&headings, shown)));
        if plan.units.len() > SHOWN {
            text.push_str(&format!("… and {} more; --json has them all\n", plan.units.len() - SHOWN));
        }
    }
    if !plan.left_out.is_empty() {
        let row = |left: &LeftOut| [left.subdomain.to_string(), left.why.clone()];
        text.push_str(&format!("\n{}", table(&["LEFT OUT", "WHY"], plan.left_out.iter().map(row))));
    }
    text
}

fn updates(plan: &RolloutPlan) -> String {
    let waves: Vec<String> = plan.waves.iter().map(ToString::to_string).collect();
    match (plan.units.len(), waves.len()) {
        (0, _) => "nobody".to_owned(),
        (1, _) => "one instance".to_owned(),
        (many, 1) => format!("{many} instances"),
        (many, _) => format!("{many} instances in waves of {}", waves.join(", ")),
    }
}

/// When it stops by itself.
pub fn halts(tolerated: u32) -> String {
    match tolerated {
        0 => "at the first failure".to_owned(),
        1 => "when more than one fails".to_owned(),
        many => format!("when more than {many} fail"),
    }
}

fn unit(unit: &PlannedUnit) -> [String; 6] {
    let why = match unit.rest {
        Rest::Asleep => "asleep",
        Rest::Quiet => "in a quiet hour",
        Rest::InUse => "in use",
    };
    [
        unit.subdomain.to_string(),
        unit.stage.to_string(),
        unit.wave.to_string(),
        or_dash(unit.runs.as_ref()),
        why.to_owned(),
        or_dash(unit.opens_at.map(moment)),
    ]
}
