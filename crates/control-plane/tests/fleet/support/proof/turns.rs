//! Whether everybody's turn came when it should: so many at once, wave after wave, and no more once too many failed.

use std::collections::BTreeMap;

use fleet::AtOnce;
use jiff::Timestamp;

use super::Fleet;
use super::rollout::{Played, Unit};

impl Fleet {
    pub fn turns_wrong(&self, played: &Played, units: &[Unit]) -> Vec<String> {
        let version = &played.version;
        let begun: Vec<&Unit> = units.iter().filter(|unit| unit.begun.is_some()).collect();
        let planned = units.iter().filter(|unit| unit.was_planned()).count();
        let mut wrong = self.beyond_budget(played, &begun, planned);
        // What a person had tried again, or was taken back with everything, is settled later than its update was over.
        let told: Vec<&&Unit> = begun
            .iter()
            .filter(|unit| unit.state != "went_back" && !unit.why.contains("it was to be taken back"))
            .filter(|unit| unit.workflow.as_ref().is_none_or(|workflow| !self.retried.contains(workflow)))
            .collect();
        let most = most_at_once(told.iter().filter_map(|unit| {
            let end = match played.strategy.at_once {
                AtOnce::One => unit.settled?,
                AtOnce::Waves { .. } if unit.is_watched_late => return None,
                AtOnce::Waves { .. } => unit.watched.or(unit.settled)?,
            };
            Some((unit.begun?, end))
        }));
        let allowed = match &played.strategy.at_once {
            AtOnce::One => 1,
            AtOnce::Waves { deploying, .. } => usize::from(deploying.get()),
        };
        if most > allowed {
            wrong.push(format!("{most} were updated to {version} at once, and {allowed} may be"));
        }
        // The latest end in each wave so far, and whose it is.
        let mut ends: BTreeMap<i64, (Timestamp, &Unit)> = BTreeMap::new();
        for unit in &told {
            let (Some(begun), Some(settled)) = (unit.begun, unit.settled) else { continue };
            if let Some((wave, (end, last))) = ends.range(..unit.wave).find(|(_, (end, _))| *end > begun) {
                let (who, what) = (&unit.instance, &last.state);
                wrong.push(format!(
                    "{who} of wave {} began at {begun}, before wave {wave} was over: {} was {what} at {end} ({})",
                    unit.wave, last.instance, last.why
                ));
            }
            let end = ends.entry(unit.wave).or_insert((settled, unit));
            if settled > end.0 {
                *end = (settled, unit);
            }
        }
        wrong
    }

    /// Nobody's turn comes after more failed than is tolerated.
    fn beyond_budget(&self, played: &Played, begun: &[&Unit], planned: usize) -> Vec<String> {
        let (fresh, version) = (played.tolerates(planned), &played.version);
        let failed_at = |at: Timestamp| {
            begun.iter().filter(|unit| unit.has_failed() && unit.settled.is_some_and(|end| end <= at)).count()
        };
        // After a halt that was accepted, what failed so far is, and as many more may.
        let allowed: Vec<(Timestamp, usize)> = std::iter::once((played.made_at, fresh))
            .chain(played.accepted.iter().map(|at| (*at, failed_at(*at) + fresh)))
            .collect();
        let allowed_at = |at: Timestamp| {
            allowed.iter().filter(|(since, _)| *since <= at).map(|(_, most)| *most).max().unwrap_or(fresh)
        };
        let mut wrong = Vec::new();
        let one_by_one = played.strategy.at_once == AtOnce::One;
        let ends: Vec<Timestamp> =
            begun.iter().filter(|unit| unit.has_failed()).filter_map(|unit| unit.settled).collect();
        let mut failed = 0;
        for unit in begun {
            let Some(at) = unit.begun else { continue };
            // One by one, everybody's turn is over before the next one's comes, though it be in the same moment.
            let before = if one_by_one { failed } else { ends.iter().filter(|end| **end < at).count() };
            let most = allowed_at(at);
            if before > most {
                wrong.push(format!("{} got {version} after {before} had failed, and {most} may", unit.instance));
            }
            failed += usize::from(unit.has_failed());
        }
        let release = &self.grounds.host.look().releases[version];
        let shows_at_once = release.flaw.is_some() && release.bad_thousandths == 1000 && !release.shows_late();
        if let (AtOnce::Waves { deploying, .. }, true) = (&played.strategy.at_once, shows_at_once) {
            // Each that begins fails while it counts as being deployed.
            let most = allowed.iter().map(|(_, most)| *most).max().unwrap_or(fresh) + usize::from(deploying.get());
            if begun.len() > most {
                wrong.push(format!("{version} is bad and reached {}, and {most} it may", begun.len()));
            }
        }
        wrong
    }
}

/// How many of these were under way at the same time. What ends in the moment in which another begins is over by then, and
/// what lasts for a moment only is with nobody.
fn most_at_once(spans: impl Iterator<Item = (Timestamp, Timestamp)>) -> usize {
    let spans = spans.filter(|(begin, end)| begin < end);
    let mut moves: Vec<(Timestamp, bool)> = spans.flat_map(|(begin, end)| [(begin, true), (end, false)]).collect();
    moves.sort_unstable();
    let (mut now, mut most) = (0_usize, 0);
    for (_, begins) in moves {
        now = if begins { now + 1 } else { now.saturating_sub(1) };
        most = most.max(now);
    }
    most
}
