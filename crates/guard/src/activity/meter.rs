//! Where use is noted. A closed instance has none: whoever is in it is being cut off, and what goes
//! on running there is nobody's wish.

use std::sync::Arc;

use access::ListState;
use domain::Signal;
use jiff::Timestamp;
use world::Clock;

use crate::ledger::Ledger;
use crate::roster::Roster;

/// Notes use of this instance, with all that knows whether it is open.
#[derive(Clone)]
pub(crate) struct Meter {
    ledger: Arc<Ledger>,
    roster: Arc<Roster>,
    clock: Clock,
}

impl Meter {
    pub(crate) fn new(ledger: Arc<Ledger>, roster: Arc<Roster>, clock: Clock) -> Self {
        Self { ledger, roster, clock }
    }

    /// What was noted.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Notes what a request is that was let in when it was asked: the instance was open then.
    pub(crate) fn asked(&self, signal: Signal, at: Timestamp, by: Option<&str>) {
        self.ledger.record(signal, at, by);
    }

    /// Notes what the guard sees now, whoever was let in when.
    pub(crate) fn seen(&self, signal: Signal, by: Option<&str>) {
        if self.roster.state() == ListState::Active {
            self.ledger.record(signal, self.now(), by);
        }
    }

    /// Notes what the application says of itself now.
    ///
    /// # Errors
    /// The state of an instance that is closed.
    pub(crate) fn told(&self, signal: Signal) -> Result<(), ListState> {
        match self.roster.state() {
            ListState::Active => {
                self.ledger.record_told(signal, self.now());
                Ok(())
            }
            closed => Err(closed),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::path::Path;

    use access::{MemberList, MembersKey};
    use domain::InstanceId;

    use super::*;
    use crate::settings::MembersFrom;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    /// An instance that can be closed and opened again.
    pub(crate) struct Instance {
        pub(crate) meter: Meter,
        roster: Arc<Roster>,
        key: MembersKey,
        lists: u64,
    }

    impl Instance {
        pub(crate) fn open(folder: &Path) -> Self {
            let key = MembersKey::generate().unwrap();
            let from = MembersFrom::Signed { key: key.public().unwrap(), instance: id() };
            let clock = Clock::at(NOW);
            let roster = Arc::new(Roster::open(from, folder.join("members.json"), clock.clone()).unwrap());
            let ledger = Arc::new(Ledger::open(folder.join("activity")));
            Self { meter: Meter::new(ledger, Arc::clone(&roster), clock), roster, key, lists: 0 }
        }

        pub(crate) fn enter(&mut self, state: ListState) {
            self.lists += 1;
            let list =
                MemberList { instance: id(), serial: self.lists, state, members: Vec::new(), guests: Vec::new() };
            self.roster.apply(&self.key.sign(&list)).unwrap();
        }

        /// How often anything was noted.
        pub(crate) fn noted(&self) -> u64 {
            let unsent = self.meter.ledger().unsent();
            let evidence = unsent.iter().flat_map(|pending| &pending.report.evidence);
            evidence.map(|evidence| u64::from(evidence.count)).sum()
        }
    }

    fn id() -> InstanceId {
        InstanceId::new(Timestamp::UNIX_EPOCH, [7; 10])
    }

    #[test]
    fn a_closed_instance_gathers_no_hours_until_it_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut instance = Instance::open(folder.path());
        instance.meter.seen(Signal::Member, None);
        for closed in [ListState::Suspended, ListState::Deleting] {
            instance.enter(closed);
            instance.meter.seen(Signal::AppRunning, None);
            assert_eq!(instance.meter.told(Signal::Sprint), Err(closed));
            assert_eq!(instance.noted(), 1, "{closed:?}");
        }
        instance.meter.asked(Signal::Member, NOW, None);
        assert_eq!(instance.noted(), 2, "it was let in before");
        instance.enter(ListState::Active);
        instance.meter.seen(Signal::AppRunning, None);
        assert_eq!(instance.meter.told(Signal::Sprint), Ok(()));
        assert_eq!(instance.noted(), 4);
    }
}
