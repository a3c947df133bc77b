use askama::Template;
use domain::RolloutId;
use fleet::{Rest, RolloutState, Stage, UnitState, Version};
use jiff::Timestamp;

use super::instances::Fact;
use super::invoice::HistoryRow;
use super::releases::stage_label;
use crate::page::page;
use crate::shell::Shell;
use crate::when;

/// The rollouts.
#[derive(Debug, Clone, Template)]
#[template(path = "console/rollouts.html")]
pub struct ConsoleRollouts {
    /// What surrounds the page.
    pub shell: Shell,
    /// The rollouts, newest first.
    pub rollouts: Vec<RolloutRow>,
    /// Whether the reader may begin one, at `/admin/rollouts/new`.
    pub may_start: bool,
    /// Where the next ones are.
    pub next: Option<String>,
}

/// One rollout in a list; shown at `/admin/rollouts/<id>`.
#[derive(Debug, Clone)]
pub struct RolloutRow {
    /// Its id.
    pub id: RolloutId,
    /// To which release.
    pub version: Version,
    /// To instances of this stage and those before it.
    pub stage: Stage,
    /// Where it stands.
    pub state: RolloutState,
    /// How many it was to update.
    pub planned: u32,
    /// How many are in which state.
    pub counts: Vec<(UnitState, u32)>,
    /// When it began.
    pub made_at: Timestamp,
    /// Who began it.
    pub made_by: String,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
}

/// One rollout, as it is now. Loads itself again while it is open. Buttons post to `<url>/{pause,resume}`; cancelling and
/// rolling back are asked for at `<url>/{cancel,roll-back}`, each first with a page that asks.
#[derive(Debug, Clone, Template)]
#[template(path = "console/rollout.html")]
pub struct ConsoleRollout {
    /// What surrounds the page.
    pub shell: Shell,
    /// What the list says of it.
    pub rollout: RolloutRow,
    /// Why it is where it is.
    pub why: Option<String>,
    /// How it goes about it.
    pub facts: Vec<Fact>,
    /// How long it was expected to take, in seconds.
    pub expected_seconds: u64,
    /// Its waves, where there is more than one.
    pub waves: Vec<WaveRow>,
    /// Those that failed; shown whatever else is.
    pub failed: Vec<UnitRow>,
    /// Which of its instances are listed; none for all.
    pub filter: Option<UnitState>,
    /// Its instances.
    pub units: Vec<UnitRow>,
    /// Where the next ones are.
    pub next: Option<String>,
    /// What happened, the latest first.
    pub log: Vec<HistoryRow>,
    /// What the reader may do.
    pub may: RolloutRights,
}

/// What the reader may do with a rollout, where it can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RolloutRights {
    /// Hold it, go on after that, and leave instances out.
    pub look_after: bool,
    /// Go on after a halt, end it, and take it back.
    pub decide: bool,
}

/// How far a wave has come.
#[derive(Debug, Clone)]
pub struct WaveRow {
    /// Which, from 1 on.
    pub wave: u32,
    /// How many are in which state.
    pub counts: Vec<(UnitState, u32)>,
}

/// One instance of a rollout.
#[derive(Debug, Clone)]
pub struct UnitRow {
    /// Its hostname.
    pub hostname: String,
    /// Where it is shown.
    pub url: String,
    /// Its stage.
    pub stage: Stage,
    /// Its wave, from 1 on.
    pub wave: u32,
    /// How far it is.
    pub state: UnitState,
    /// What it ran before.
    pub from: Option<Version>,
    /// Not before then.
    pub opens_at: Option<Timestamp>,
    /// What happened.
    pub why: Option<String>,
    /// Where its workflow is shown.
    pub workflow_url: Option<String>,
    /// Where it is left out; none where it can't be.
    pub skip_url: Option<String>,
}

/// What a rollout is asked for with. `GET /admin/rollouts/plan` with the fields as they are called in [`RolloutForm`].
#[derive(Debug, Clone, Template)]
#[template(path = "console/new_rollout.html")]
pub struct ConsoleNewRollout {
    /// What surrounds the page.
    pub shell: Shell,
    /// The releases that can be chosen, newest first, and how far each may reach.
    pub releases: Vec<(Version, Stage)>,
    /// What was entered, or is proposed.
    pub form: RolloutForm,
    /// Why backups can't be made here; then only updates without are possible.
    pub no_backups: Option<String>,
    /// Why it was refused.
    pub error: Option<String>,
}

/// How a rollout is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RolloutForm {
    /// To which release.
    pub version: String,
    /// `one` or `waves`.
    pub pace: String,
    /// Per cents with commas between.
    pub waves: String,
    /// How many of a wave are deployed at a time.
    pub at_once: String,
    /// Minutes.
    pub soak_minutes: String,
    /// A number, or a share with `%`.
    pub tolerated: String,
    /// Hours.
    pub notice_hours: String,
    /// `yes`, or nothing.
    pub without_backup: String,
}

/// A rollout before it begins. `POST /admin/rollouts` with the fields of the form and `digest` begins it as shown.
#[derive(Debug, Clone, Template)]
#[template(path = "console/rollout_plan.html")]
pub struct ConsoleRolloutPlan {
    /// What surrounds the page.
    pub shell: Shell,
    /// What was asked for.
    pub form: RolloutForm,
    /// Where the form is, filled in like this.
    pub form_url: String,
    /// The release.
    pub version: Version,
    /// To instances of this stage and those before it.
    pub stage: Stage,
    /// How many are updated.
    pub number: usize,
    /// The first of them, in order.
    pub units: Vec<PlannedRow>,
    /// Who is left out, and why.
    pub left_out: Vec<(String, String)>,
    /// How many run it already.
    pub ran_it_already: u32,
    /// How many each wave has.
    pub waves: Vec<u32>,
    /// How many may fail before it halts.
    pub tolerated: u32,
    /// How long it takes, in seconds.
    pub expected_seconds: u64,
    /// When the last one may begin, if somebody is waited for.
    pub last_opening: Option<Timestamp>,
    /// The rollout that is open and has to end first.
    pub waits_for: Option<RolloutId>,
    /// Why nothing was begun, and this is shown again.
    pub error: Option<String>,
    /// Names what is shown, so that nothing else is begun.
    pub digest: String,
}

/// One instance's place in a plan.
#[derive(Debug, Clone)]
pub struct PlannedRow {
    /// Its hostname.
    pub hostname: String,
    /// Where it is shown.
    pub url: String,
    /// Its stage.
    pub stage: Stage,
    /// What it runs.
    pub runs: Option<Version>,
    /// Its wave, from 1 on.
    pub wave: u32,
    /// Why it has this place.
    pub rest: Rest,
    /// When it may begin, if not whenever its turn comes.
    pub opens_at: Option<Timestamp>,
}

/// What is asked before it is done to a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RolloutAction {
    /// End it.
    Cancel,
    /// Take everything back.
    RollBack,
}

/// Asks whether a rollout shall really be ended or taken back. Posts nothing but itself.
#[derive(Debug, Clone, Template)]
#[template(path = "console/confirm_rollout.html")]
pub struct ConfirmRolloutAction {
    /// What surrounds the page.
    pub shell: Shell,
    /// What would be done.
    pub action: RolloutAction,
    /// To which rollout.
    pub rollout: RolloutRow,
}

page!(ConsoleRollouts, here: "/admin/rollouts");
page!(ConsoleRollout, here: "/admin/rollouts");
page!(ConsoleNewRollout, here: "/admin/rollouts");
page!(ConsoleRolloutPlan, here: "/admin/rollouts");
page!(ConfirmRolloutAction, here: "/admin/rollouts");

fn number_of(counts: &[(UnitState, u32)], states: &[UnitState]) -> u32 {
    counts.iter().filter(|(state, _)| states.contains(state)).map(|(_, number)| *number).sum()
}

/// A state of an instance within a rollout, and the colour that goes with it.
fn unit_words(state: UnitState) -> (&'static str, &'static str) {
    match state {
        UnitState::Waiting => ("Waiting", "off"),
        UnitState::Updating => ("Being updated", "wait"),
        UnitState::Soaking => ("Being watched", "wait"),
        UnitState::Updated => ("Updated", "good"),
        UnitState::RolledBack => ("Failed, and back", "bad"),
        UnitState::Stuck => ("Needs a person", "bad"),
        UnitState::Skipped => ("Left out", "off"),
        UnitState::Excused => ("Nothing to update", "off"),
        UnitState::GoingBack => ("Being taken back", "wait"),
        UnitState::WentBack => ("Taken back", "off"),
    }
}

/// How long something takes that is to come, in seconds, roughly.
fn about(seconds: u64) -> String {
    when::duration(seconds.div_ceil(60).max(1).saturating_mul(60_000)).trim_end_matches(" 0 s").to_owned()
}

fn halts(tolerated: u32) -> String {
    match tolerated {
        0 => "at the first failure".to_owned(),
        1 => "when more than one fails".to_owned(),
        many => format!("when more than {many} fail"),
    }
}

impl RolloutRow {
    pub(super) fn label(&self) -> &'static str {
        match self.state {
            RolloutState::Running => "Under way",
            RolloutState::Paused => "Paused",
            RolloutState::Halted => "Halted",
            RolloutState::Cancelling => "Ending",
            RolloutState::Cancelled => "Cancelled",
            RolloutState::RollingBack => "Being taken back",
            RolloutState::RolledBack => "Taken back",
            RolloutState::Done => "Done",
        }
    }

    pub(super) fn tone(&self) -> &'static str {
        match self.state {
            RolloutState::Done => "good",
            RolloutState::Running | RolloutState::Paused | RolloutState::Cancelling | RolloutState::RollingBack => {
                "wait"
            }
            RolloutState::Halted => "bad",
            RolloutState::Cancelled | RolloutState::RolledBack => "off",
        }
    }

    pub(super) fn updated(&self) -> u32 {
        number_of(&self.counts, &[UnitState::Updated])
    }

    pub(super) fn failed(&self) -> u32 {
        number_of(&self.counts, &[UnitState::RolledBack, UnitState::Stuck])
    }

    fn under_way(&self) -> u32 {
        number_of(&self.counts, &[UnitState::Updating, UnitState::Soaking, UnitState::GoingBack])
    }

    fn waiting(&self) -> u32 {
        number_of(&self.counts, &[UnitState::Waiting])
    }

    fn left_out(&self) -> u32 {
        number_of(&self.counts, &[UnitState::Skipped])
    }

    fn taken_back(&self) -> u32 {
        number_of(&self.counts, &[UnitState::WentBack])
    }

    fn settled(&self) -> u32 {
        self.updated() + self.failed() + self.left_out() + self.taken_back()
    }

    pub(super) fn took(&self) -> Option<String> {
        let millis = self.finished_at?.as_millisecond().checked_sub(self.made_at.as_millisecond())?;
        Some(when::duration(u64::try_from(millis).ok()?))
    }
}

impl ConsoleRollout {
    fn is_open(&self) -> bool {
        !self.rollout.state.is_over()
    }

    fn expected(&self) -> String {
        about(self.expected_seconds)
    }

    fn may_pause(&self) -> bool {
        self.may.look_after && self.rollout.state == RolloutState::Running
    }

    fn may_resume(&self) -> bool {
        match self.rollout.state {
            RolloutState::Paused => self.may.look_after,
            RolloutState::Halted => self.may.decide,
            _ => false,
        }
    }

    fn is_halted(&self) -> bool {
        self.rollout.state == RolloutState::Halted
    }

    fn may_cancel(&self) -> bool {
        self.may.decide
            && matches!(self.rollout.state, RolloutState::Running | RolloutState::Paused | RolloutState::Halted)
    }

    fn may_roll_back(&self) -> bool {
        self.may.decide && !matches!(self.rollout.state, RolloutState::RollingBack | RolloutState::RolledBack)
    }

    fn filters(&self) -> Vec<(&'static str, &'static str, bool, u32)> {
        let shown = UnitState::ALL.into_iter().filter_map(|state| {
            let number = number_of(&self.rollout.counts, &[state]);
            let is_chosen = self.filter == Some(state);
            (number > 0 || is_chosen).then_some((state.as_str(), unit_words(state).0, is_chosen, number))
        });
        shown.collect()
    }
}

impl WaveRow {
    fn planned(&self) -> u32 {
        self.counts.iter().map(|(_, number)| *number).sum()
    }

    fn in_words(&self) -> String {
        let words =
            self.counts.iter().map(|(state, number)| format!("{number} {}", unit_words(*state).0.to_lowercase()));
        words.collect::<Vec<_>>().join(", ")
    }
}

impl UnitRow {
    fn label(&self) -> &'static str {
        unit_words(self.state).0
    }

    fn tone(&self) -> &'static str {
        unit_words(self.state).1
    }

    fn stage_label(&self) -> &'static str {
        stage_label(self.stage)
    }

    fn waits_until(&self) -> Option<&Timestamp> {
        self.opens_at.as_ref().filter(|_| self.state == UnitState::Waiting)
    }
}

impl ConsoleNewRollout {
    fn is_chosen(&self, version: &Version) -> bool {
        self.form.version == version.as_str()
    }
}

impl RolloutForm {
    fn is_in_waves(&self) -> bool {
        self.pace == "waves"
    }

    fn is_without_backup(&self) -> bool {
        !self.without_backup.is_empty()
    }
}

impl ConsoleRolloutPlan {
    fn takes(&self) -> String {
        about(self.expected_seconds)
    }

    fn halts(&self) -> String {
        halts(self.tolerated)
    }

    fn waves_in_words(&self) -> String {
        self.waves.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    fn more(&self) -> usize {
        self.number.saturating_sub(self.units.len())
    }

    fn may_start(&self) -> bool {
        self.number > 0 && self.waits_for.is_none()
    }
}

impl PlannedRow {
    fn why(&self) -> &'static str {
        match self.rest {
            Rest::Asleep => "asleep",
            Rest::Quiet => "in a quiet hour",
            Rest::InUse => "in use now",
        }
    }

    fn stage_label(&self) -> &'static str {
        stage_label(self.stage)
    }
}

impl ConfirmRolloutAction {
    fn takes_back(&self) -> bool {
        self.action == RolloutAction::RollBack
    }

    fn touched(&self) -> u32 {
        self.rollout.updated() + self.rollout.under_way()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_come_is_told_roughly() {
        assert_eq!([10, 90, 3_700].map(about), ["1 min", "2 min", "1 h 2 min"]);
    }
}
