//! Whole rollouts, played through on paper: whatever fails, whoever waits, the rules hold.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::num::NonZeroU16;

use domain::InstanceId;
use fleet::{
    AtOnce, Candidate, Left, Next, Opening, Pace, Plan, Progress, Rest, RolloutState, Strategy, Tolerated, UnitEvent,
    UnitState, UpdateRules, UpgradesFrom, Version, Wave, Window, next, plan,
};
use jiff::civil::Weekday;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::{Just, ProptestConfig, any, prop, prop_assert, prop_assert_eq, prop_assume, proptest};
use proptest::prop_oneof;

const PACE: Pace = Pace { update: SignedDuration::from_secs(60), between: SignedDuration::from_secs(7) };

fn start() -> Timestamp {
    // A Monday.
    "2026-11-30T12:00:00Z".parse().unwrap()
}

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn candidate(number: u8, rest: Rest) -> Candidate {
    let id = InstanceId::new(start(), [number; 10]);
    Candidate { id, runs: Some(version("1")), rest, is_suspended: false, rules: UpdateRules::default() }
}

fn planned(candidates: Vec<Candidate>, strategy: &Strategy) -> Plan {
    plan(candidates, &version("2"), &UpgradesFrom::Any, strategy, start(), PACE)
}

fn waves(percents: &[u8], deploying: u16) -> Strategy {
    let deploying = NonZeroU16::new(deploying).unwrap();
    Strategy { at_once: AtOnce::Waves { percents: percents.to_vec(), deploying }, ..Strategy::default() }
}

#[test]
fn sleepers_come_first_and_whoever_has_a_window_last() {
    let windowed = |number, day| {
        let window = Some(Window::new(&[day], 2, 3).unwrap());
        Candidate { rules: UpdateRules { window, ..UpdateRules::default() }, ..candidate(number, Rest::Asleep) }
    };
    let candidates = vec![
        windowed(1, Weekday::Friday),
        candidate(2, Rest::InUse),
        windowed(3, Weekday::Tuesday),
        candidate(4, Rest::Quiet),
        candidate(5, Rest::Asleep),
    ];
    let ids: Vec<_> = candidates.iter().map(|candidate| candidate.id).collect();
    let plan = planned(candidates, &Strategy::default());
    let order: Vec<_> = plan.units.iter().map(|unit| unit.id).collect();
    assert_eq!(order, [ids[4], ids[3], ids[1], ids[2], ids[0]]);
    assert_eq!(plan.estimate.last_opening, Some("2026-12-04T02:00:00Z".parse().unwrap()));
}

#[test]
fn a_plan_says_of_everybody_who_is_left_out_why() {
    let mut pinned = candidate(1, Rest::InUse);
    pinned.rules.pin("2026-12-24T00:00:00Z".parse().unwrap(), "a fair".to_owned(), start()).unwrap();
    let pin = pinned.rules.pin.clone().unwrap();
    let there = Candidate { runs: Some(version("2")), ..candidate(2, Rest::InUse) };
    let suspended = Candidate { is_suspended: true, ..candidate(3, Rest::Asleep) };
    let old = Candidate { runs: Some(version("0.9")), ..candidate(4, Rest::InUse) };
    let unknown = Candidate { runs: None, ..candidate(5, Rest::InUse) };
    let from = UpgradesFrom::Only(vec![version("1")]);
    let candidates = vec![pinned, there, suspended, old, unknown, candidate(6, Rest::InUse)];
    let plan = plan(candidates, &version("2"), &from, &Strategy::default(), start(), PACE);
    let why: Vec<_> = plan.left.into_iter().map(|(_, why)| why).collect();
    assert_eq!(
        why,
        [
            Left::IsPinned(pin),
            Left::RunsItAlready,
            Left::IsSuspended,
            Left::CannotFollow(Some(version("0.9"))),
            Left::CannotFollow(None)
        ]
    );
    assert_eq!(plan.units.len(), 1);
}

#[test]
fn the_time_of_a_rollout_is_what_deploys_and_the_providers_rate_dictate() {
    let many = |number| (0..number).map(|each| candidate(each, Rest::InUse)).collect::<Vec<_>>();
    let one_by_one = Strategy { soak_minutes: 2, ..Strategy::default() };
    assert_eq!(planned(many(10), &one_by_one).estimate.work, SignedDuration::from_mins(30));
    // Ten at a time take a minute; twenty can't begin faster than in 140 seconds.
    let in_waves = Strategy { soak_minutes: 10, ..waves(&[], 10) };
    assert_eq!(planned(many(20), &in_waves).estimate.work, SignedDuration::from_secs(140 + 600));
}

#[test]
fn notice_is_given_before_the_first_one() {
    let strategy = Strategy { notice_hours: 24, ..Strategy::default() };
    let plan = planned(vec![candidate(1, Rest::Asleep)], &strategy);
    assert_eq!(plan.units[0].opening.unwrap().opens, "2026-12-01T12:00:00Z".parse().unwrap());
}

#[test]
fn a_wave_that_waits_for_somebodys_window_lets_others_go_on_only_once_it_proved_the_release() {
    let strategy = waves(&[10], 5);
    let progress = |waves: &[Wave]| {
        let (state, next_opening) = (RolloutState::Running, Some(start()));
        let (failed, updating, going_back) = (0, 0, 0);
        next(&Progress { state, strategy: &strategy, tolerated: 0, failed, updating, going_back, waves, next_opening })
    };
    let unproven = Wave { number: 0, has_later: true, ..Wave::default() };
    let behind = Wave { number: 1, is_ready: true, ..Wave::default() };
    assert_eq!(progress(&[unproven, behind]), Next::Wait(Some(start())));
    let proven = Wave { has_updated: true, ..unproven };
    assert_eq!(progress(&[proven, behind]), Next::Begin { until_wave: 1, most: 5 });
}

/// What becomes of a unit once it was begun.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Well,
    FailsAtOnce,
    DiesInSoak,
    GetsStuck,
}

struct Unit {
    wave: u32,
    opening: Option<Opening>,
    state: UnitState,
    fate: Fate,
    begun: u32,
}

struct Play {
    units: Vec<Unit>,
    strategy: Strategy,
    tolerated: u32,
    state: RolloutState,
    now: Timestamp,
}

impl Play {
    fn waves(&self) -> Vec<Wave> {
        let last = self.units.iter().map(|unit| unit.wave).max().map_or(0, |last| last + 1);
        let mut waves: Vec<Wave> = (0..last).map(|number| Wave { number, ..Wave::default() }).collect();
        for unit in &self.units {
            let wave = &mut waves[unit.wave as usize];
            match unit.state {
                UnitState::Waiting if self.may_begin(unit) => wave.is_ready = true,
                UnitState::Waiting => wave.has_later = true,
                UnitState::Updating | UnitState::Soaking => wave.is_under_way = true,
                UnitState::Updated => wave.has_updated = true,
                _ => {}
            }
        }
        waves
    }

    fn may_begin(&self, unit: &Unit) -> bool {
        unit.opening.is_none_or(|opening| opening.contains(self.now))
    }

    fn next(&self) -> Next {
        let waiting = self.units.iter().filter(|unit| unit.state == UnitState::Waiting && !self.may_begin(unit));
        let next_opening = waiting.filter_map(|unit| unit.opening).map(|open| open.opens).min();
        next(&Progress {
            state: self.state,
            strategy: &self.strategy,
            tolerated: self.tolerated,
            failed: self.number(UnitState::has_failed),
            updating: self.number(|state| state == UnitState::Updating),
            going_back: self.number(|state| state == UnitState::GoingBack),
            waves: &self.waves(),
            next_opening,
        })
    }

    fn number(&self, state: impl Fn(UnitState) -> bool) -> u32 {
        u32::try_from(self.units.iter().filter(|unit| state(unit.state)).count()).unwrap()
    }

    fn take(&mut self, unit: usize, event: UnitEvent) {
        self.units[unit].state = self.units[unit].state.after(event).unwrap();
    }

    /// Lets one of those that are under way get on.
    fn move_one(&mut self, choice: usize) -> bool {
        let moving: Vec<usize> = (0..self.units.len())
            .filter(|unit| {
                matches!(self.units[*unit].state, UnitState::Updating | UnitState::Soaking | UnitState::GoingBack)
            })
            .collect();
        let Some(unit) = moving.get(choice % moving.len().max(1)) else { return false };
        let event = match (self.units[*unit].state, self.units[*unit].fate) {
            (UnitState::GoingBack, _) => UnitEvent::Back,
            (_, Fate::GetsStuck) => UnitEvent::GetStuck,
            (UnitState::Updating, Fate::FailsAtOnce) | (UnitState::Soaking, Fate::DiesInSoak) => UnitEvent::Return,
            (UnitState::Updating, _) => UnitEvent::Soak,
            (_, _) => UnitEvent::Succeed,
        };
        self.take(*unit, event);
        true
    }
}

fn fates() -> impl proptest::strategy::Strategy<Value = Fate> {
    prop_oneof![
        20 => Just(Fate::Well),
        1 => Just(Fate::FailsAtOnce),
        1 => Just(Fate::DiesInSoak),
        1 => Just(Fate::GetsStuck),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_fails_no_rule_is_broken_and_nobody_is_forgotten(
        fates in prop::collection::vec(fates(), 0..60),
        percents in prop::collection::vec(1_u8..=40, 0..4),
        deploying in 0_u16..6,
        tolerated in 0_u32..4,
        windowed in prop::collection::vec(any::<bool>(), 60),
        choices in prop::collection::vec(any::<usize>(), 64),
        accepts in any::<bool>(),
    ) {
        let strategy = match NonZeroU16::new(deploying) {
            None => Strategy { tolerated: Tolerated::Failures(tolerated), ..Strategy::default() },
            Some(deploying) => {
                prop_assume!(percents.iter().map(|percent| u32::from(*percent)).sum::<u32>() <= 100);
                let at_once = AtOnce::Waves { percents, deploying };
                Strategy { at_once, tolerated: Tolerated::Failures(tolerated), ..Strategy::default() }
            }
        };
        let candidates = fates.iter().zip(0_u8..).map(|(_, number)| {
            let mut each = candidate(number, Rest::InUse);
            each.rules.window = windowed[usize::from(number)].then(|| Window::new(&[Weekday::Sunday], 2, 2).unwrap());
            each
        });
        let plan = planned(candidates.collect(), &strategy);
        let unit = |(unit, fate): (&fleet::PlannedUnit, &Fate)| Unit {
            wave: unit.wave, opening: unit.opening, state: UnitState::Waiting, fate: *fate, begun: 0,
        };
        let units = plan.units.iter().zip(&fates).map(unit).collect();
        let mut play = Play { units, strategy, tolerated: plan.tolerated, state: RolloutState::Running, now: start() };
        let mut choices = choices.into_iter().cycle();
        let most = if deploying == 0 { 1 } else { u32::from(deploying) };
        for _ in 0..2_000 {
            match play.next() {
                Next::Begin { until_wave, most: so_many } => {
                    let ready: Vec<usize> = (0..play.units.len())
                        .filter(|unit| {
                            let unit = &play.units[*unit];
                            unit.state == UnitState::Waiting && unit.wave <= until_wave && play.may_begin(unit)
                        })
                        .take(so_many as usize)
                        .collect();
                    prop_assert!(!ready.is_empty(), "it never begins with nobody");
                    for unit in ready {
                        play.take(unit, UnitEvent::Begin);
                        play.units[unit].begun += 1;
                        let wave = play.units[unit].wave;
                        let under_way = |other: &Unit| matches!(other.state, UnitState::Updating | UnitState::Soaking);
                        let earlier = play.units.iter().any(|other| other.wave < wave && under_way(other));
                        prop_assert!(!earlier, "a wave begins when those before it are over");
                    }
                    prop_assert!(play.number(|state| state == UnitState::Updating) <= most);
                    prop_assert!(play.number(UnitState::has_failed) <= play.tolerated);
                }
                Next::Halt { failed } => {
                    prop_assert!(failed > play.tolerated);
                    prop_assert_eq!(failed, play.number(UnitState::has_failed));
                    if !accepts {
                        play.state = RolloutState::Halted;
                        prop_assert_eq!(play.next(), Next::Wait(None));
                        break;
                    }
                    play.tolerated += failed;
                }
                Next::Wait(until) => {
                    if !play.move_one(choices.next().unwrap()) {
                        let until = until.expect("it waits for something that comes");
                        prop_assert!(until > play.now);
                        play.now = until;
                    }
                }
                Next::Finish => {
                    prop_assert!(play.units.iter().all(|unit| unit.state.is_settled() && unit.begun == 1));
                    play.state = RolloutState::Done;
                    break;
                }
                Next::GoBack { .. } => prop_assert!(false, "nobody asked for that"),
            }
        }
        prop_assert!(play.state != RolloutState::Running, "it comes to an end");
        // Then all of it is taken back.
        play.state = play.state.after(fleet::RolloutCommand::RollBack).unwrap();
        for unit in 0..play.units.len() {
            if play.units[unit].state == UnitState::Waiting {
                play.take(unit, UnitEvent::Skip);
            }
        }
        for _ in 0..2_000 {
            match play.next() {
                Next::GoBack { most: so_many } => {
                    let updated: Vec<usize> = (0..play.units.len())
                        .rev()
                        .filter(|unit| play.units[*unit].state == UnitState::Updated)
                        .take(so_many as usize)
                        .collect();
                    prop_assert!(!updated.is_empty(), "it never takes nobody back");
                    for unit in updated {
                        play.take(unit, UnitEvent::GoBack);
                    }
                    prop_assert!(play.number(|state| state == UnitState::GoingBack) <= most);
                }
                Next::Wait(None) => prop_assert!(play.move_one(choices.next().unwrap()), "somebody is on the way"),
                Next::Finish => {
                    prop_assert!(play.number(|state| state == UnitState::Updated) == 0);
                    return Ok(());
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert!(false, "it comes to an end");
    }
}
