//! How a deployment fares over time. Its steps are laid down when it starts; later calls cut what has
//! not happened yet and add steps of their own.

use jiff::{SignedDuration, Timestamp};

use super::{Behaviour, Report};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Initializing,
    Building,
    Deploying,
    Success,
    Sleeping,
    Failed,
    Crashed,
    Removed,
}

impl Status {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Initializing => "INITIALIZING",
            Self::Building => "BUILDING",
            Self::Deploying => "DEPLOYING",
            Self::Success => "SUCCESS",
            Self::Sleeping => "SLEEPING",
            Self::Failed => "FAILED",
            Self::Crashed => "CRASHED",
            Self::Removed => "REMOVED",
        }
    }

    /// Nothing more is to come by itself.
    pub(super) fn is_settled(self) -> bool {
        !matches!(self, Self::Initializing | Self::Building | Self::Deploying)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Timeline {
    steps: Vec<(Timestamp, Status)>,
    /// Only a report says that it runs, and not before this moment.
    reported: Option<Timestamp>,
    /// It sleeps after so long without a request.
    idle: Option<SignedDuration>,
    last_request: Option<Timestamp>,
    /// When it slept or was stopped, and runs again.
    pauses: Vec<(Timestamp, Timestamp)>,
    stopped: Option<Timestamp>,
}

impl Timeline {
    pub(super) fn new(
        start: Timestamp,
        length: SignedDuration,
        behaviour: Behaviour,
        idle: Option<SignedDuration>,
    ) -> Self {
        let end = start + length;
        let mut steps = vec![
            (start, Status::Initializing),
            (start + length / 10, Status::Building),
            (start + length / 2, Status::Deploying),
        ];
        match behaviour {
            Behaviour::Succeeds | Behaviour::Sleeps => steps.push((end, Status::Success)),
            Behaviour::Fails => steps.push((end, Status::Failed)),
            Behaviour::CrashesAfter(time) => steps.extend([(end, Status::Success), (end + time, Status::Crashed)]),
            Behaviour::NeverSettles | Behaviour::AsReported => {}
        }
        let idle = if behaviour == Behaviour::Sleeps { Some(SignedDuration::ZERO) } else { idle };
        let reported = (behaviour == Behaviour::AsReported).then_some(end);
        Self { steps, reported, idle, last_request: None, pauses: Vec::new(), stopped: None }
    }

    /// What it is now and since when, as far as it alone decides.
    pub(super) fn status(&self, now: Timestamp) -> (Status, Timestamp) {
        if let Some(since) = self.asleep_since(now) {
            return (Status::Sleeping, since);
        }
        let (since, status) = self.step(now);
        (status, since)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// When it first got so far, if it did.
    pub(super) fn reached(&self, wanted: Status, now: Timestamp) -> Option<Timestamp> {
        self.steps.iter().find(|(at, status)| *status == wanted && *at <= now).map(|(at, _)| *at)
    }

    /// From now on it is this and nothing else.
    pub(super) fn turn(&mut self, now: Timestamp, status: Status) {
        self.wake(now);
        self.steps.retain(|(at, _)| *at <= now);
        self.steps.push((now, status));
    }

    /// Whether nothing more is to come before somebody reports.
    pub(super) fn awaits_report(&self, now: Timestamp) -> bool {
        self.reported.is_some() && self.steps.iter().all(|(at, _)| *at <= now)
    }

    /// Whoever runs it says how it fares. What isn't deployed any more doesn't come back by it.
    pub(super) fn report(&mut self, now: Timestamp, report: Report) {
        let Some(earliest) = self.reported else { return };
        match (self.status(now).0, report) {
            (Status::Deploying, Report::Healthy) if self.awaits_report(now) => {
                self.steps.push((earliest.max(now), Status::Success));
            }
            (Status::Deploying, Report::Unhealthy) => self.turn(now, Status::Failed),
            (Status::Deploying | Status::Success, Report::Crashed) => self.turn(now, Status::Crashed),
            _ => {}
        }
    }

    pub(super) fn stop(&mut self, now: Timestamp) {
        self.wake(now);
        self.stopped.get_or_insert(now);
    }

    /// Starts its containers again, whatever became of them.
    pub(super) fn restart(&mut self, now: Timestamp, length: SignedDuration) {
        self.turn(now, Status::Deploying);
        match &mut self.reported {
            Some(earliest) => *earliest = now + length,
            None => self.steps.push((now + length, Status::Success)),
        }
        if let Some(stopped) = self.stopped.take() {
            self.pauses.push((stopped, now));
        }
        self.last_request = None;
    }

    /// A request came, which wakes it.
    pub(super) fn wake(&mut self, now: Timestamp) {
        if let Some(since) = self.asleep_since(now) {
            self.pauses.push((since, now));
        }
        self.last_request = Some(now);
    }

    /// How long it ran between two moments, of which the second is not in the future.
    pub(super) fn running(&self, from: Timestamp, to: Timestamp, ended: Option<Timestamp>) -> SignedDuration {
        let to = [ended, self.stopped, self.asleep_since(to)].into_iter().flatten().fold(to, Timestamp::min);
        let overlap =
            |start: Timestamp, end: Timestamp| end.min(to).duration_since(start.max(from)).max(SignedDuration::ZERO);
        let mut time = SignedDuration::ZERO;
        for (index, (at, status)) in self.steps.iter().enumerate() {
            if *status == Status::Success {
                let next = self.steps.get(index + 1).map_or(to, |(next, _)| *next);
                time += overlap(*at, next);
            }
        }
        let paused = self.pauses.iter().fold(SignedDuration::ZERO, |sum, (start, end)| sum + overlap(*start, *end));
        (time - paused).max(SignedDuration::ZERO)
    }

    fn step(&self, now: Timestamp) -> (Timestamp, Status) {
        let reached = self.steps.iter().rev().find(|(at, _)| *at <= now);
        reached.or(self.steps.first()).copied().unwrap_or((now, Status::Initializing))
    }

    fn asleep_since(&self, now: Timestamp) -> Option<Timestamp> {
        let (since, status) = self.step(now);
        if status != Status::Success || self.stopped.is_some() {
            return None;
        }
        let asleep = self.last_request.map_or(since, |last| last.max(since)) + self.idle?;
        (asleep <= now).then_some(asleep)
    }
}
