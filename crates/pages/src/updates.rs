use fleet::{UnitState, Window};
use jiff::Timestamp;
use jiff::civil::Weekday;

/// What a customer sees of the updates of a workspace. `POST <portal_url>/updates/window` with the fields `day` (several),
/// `from` and `hours`, or `at_any_time`; `POST <portal_url>/updates/defer` with the field `days`, 0 for no longer.
#[derive(Debug, Clone)]
pub struct UpdatesView {
    /// What it runs and since when; none until something was deployed.
    pub runs: Option<(String, Timestamp)>,
    /// The update that waits or is under way.
    pub coming: Option<ComingUpdate>,
    /// Until when updates are put off.
    pub deferred_until: Option<Timestamp>,
    /// For how many days more they can be put off.
    pub most_days: u8,
    /// Until when the operator keeps it at what it runs.
    pub pinned_until: Option<Timestamp>,
    /// When updates may begin.
    pub window: WindowForm,
    /// The last updates, the latest first.
    pub past: Vec<PastUpdateRow>,
    /// Why putting off was refused.
    pub defer_error: Option<String>,
}

/// An update that waits, or is under way.
#[derive(Debug, Clone)]
pub struct ComingUpdate {
    /// To which version.
    pub version: String,
    /// What changes with it; may be nothing.
    pub notes: String,
    /// How far it is.
    pub state: UnitState,
    /// Not before then.
    pub opens_at: Option<Timestamp>,
}

/// The choice of hours for updates.
#[derive(Debug, Clone, Default)]
pub struct WindowForm {
    /// What holds now.
    pub now: Option<Window>,
    /// The days that are ticked.
    pub days: Vec<Weekday>,
    /// The hour at which it opens, as entered.
    pub from: String,
    /// For how many hours, as entered.
    pub hours: String,
    /// Why it was refused.
    pub error: Option<String>,
}

/// An update that is over.
#[derive(Debug, Clone)]
pub struct PastUpdateRow {
    /// To which version.
    pub version: String,
    /// How it went.
    pub state: UnitState,
    /// When.
    pub at: Option<Timestamp>,
}

/// The days of the week, as forms send and people read them.
pub const WEEKDAYS: [(&str, &str, Weekday); 7] = [
    ("mon", "Monday", Weekday::Monday),
    ("tue", "Tuesday", Weekday::Tuesday),
    ("wed", "Wednesday", Weekday::Wednesday),
    ("thu", "Thursday", Weekday::Thursday),
    ("fri", "Friday", Weekday::Friday),
    ("sat", "Saturday", Weekday::Saturday),
    ("sun", "Sunday", Weekday::Sunday),
];

impl UpdatesView {
    pub(crate) fn may_defer(&self) -> bool {
        self.most_days > 0 && self.coming.as_ref().is_none_or(ComingUpdate::is_waiting)
    }

    pub(crate) fn days(&self) -> std::ops::RangeInclusive<u8> {
        1..=self.most_days
    }
}

impl ComingUpdate {
    pub(crate) fn is_waiting(&self) -> bool {
        self.state == UnitState::Waiting
    }

    pub(crate) fn doing(&self) -> &'static str {
        match self.state {
            UnitState::Soaking => "It runs the new version, and we watch whether all is well.",
            UnitState::GoingBack => "It is being taken back to its former version.",
            _ => "It is being updated now. That takes a few minutes, in which it may not answer.",
        }
    }
}

impl WindowForm {
    pub(crate) fn is_ticked(&self, day: &Weekday) -> bool {
        self.days.contains(day)
    }

    /// The window that holds, in words; none when there is none.
    pub fn in_words(&self) -> Option<String> {
        let window = self.now.as_ref()?;
        let name = |day: &Weekday| WEEKDAYS.iter().find(|(.., known)| known == day).map(|(_, name, _)| *name);
        let days: Vec<&str> = window.days().iter().filter_map(name).collect();
        let days = if days.len() == WEEKDAYS.len() { "every day".to_owned() } else { days.join(", ") };
        let until = (u16::from(window.from_hour()) + u16::from(window.hours())) % 24;
        Some(format!("{days}, {:02}:00 to {until:02}:00 UTC", window.from_hour()))
    }
}

impl PastUpdateRow {
    pub(crate) fn in_words(&self) -> (&'static str, &'static str) {
        match self.state {
            UnitState::Updated => ("Done", "good"),
            UnitState::RolledBack => ("It failed; your workspace runs as before, with everything in it", "bad"),
            UnitState::Stuck => ("It failed, and we are looking after it", "bad"),
            UnitState::WentBack => ("Taken back to the version before", "off"),
            UnitState::Skipped | UnitState::Excused => ("Not done", "off"),
            UnitState::Waiting | UnitState::Updating | UnitState::Soaking | UnitState::GoingBack => {
                ("Under way", "wait")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_window_is_told_with_its_days_and_its_end() {
        let told = |days: &[Weekday], from, hours| {
            let now = Some(Window::new(days, from, hours).unwrap());
            let form = WindowForm { now, days: Vec::new(), from: String::new(), hours: String::new(), error: None };
            form.in_words().unwrap()
        };
        assert_eq!(told(&[Weekday::Saturday, Weekday::Sunday], 22, 4), "Saturday, Sunday, 22:00 to 02:00 UTC");
        assert_eq!(told(&WEEKDAYS.map(|(.., day)| day), 0, 24), "every day, 00:00 to 00:00 UTC");
    }
}
