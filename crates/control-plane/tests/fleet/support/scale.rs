use jiff::SignedDuration;
use providers::budget::Rate;

use super::host::Manners;

/// How large a fleet is, and how much goes wrong with it.
#[derive(Debug, Clone)]
pub struct Scale {
    pub instances: u64,
    pub releases: u32,
    pub store: store::Engine,
    /// So many workflows at once in each replica.
    pub parallel: u32,
    /// How many may be deployed at a time, in rollouts of more than one at once.
    pub at_once: &'static [u16],
    /// Whether some rollouts go one by one, as is usual.
    pub one_by_one: bool,
    /// For how many minutes instances are watched.
    pub soaks: &'static [u32],
    /// So many of a thousand have a maintenance window.
    pub windows: u64,
    pub manners: Manners,
    /// So many of a thousand calls at the storage fail.
    pub storage_failing: u64,
    /// So many of ten thousand steps end with the death of who does them.
    pub deaths: u64,
    /// In so many of ten thousand moments a replica is killed, whatever it does.
    pub kills: u64,
    /// Clocks are looked at so often.
    pub tick: SignedDuration,
    /// What people do during a rollout.
    pub deeds: u64,
}

impl Scale {
    /// For every run of the tests, and for seeds by the hundred.
    pub fn small(instances: u64, releases: u32) -> Self {
        let rate = Rate { number: 240, per: SignedDuration::from_mins(1), burst: 20 };
        Self {
            instances,
            releases,
            store: store::Engine::Sqlite,
            parallel: 4,
            at_once: &[2, 4, 8],
            one_by_one: true,
            soaks: &[0, 2, 4],
            windows: 200,
            manners: Manners { rate, failing: 20, deploy: (20, 60) },
            storage_failing: 5,
            deaths: 20,
            kills: 40,
            tick: SignedDuration::from_secs(1),
            deeds: 8,
        }
    }

    /// A fleet as large as one may become.
    pub fn large(instances: u64, releases: u32) -> Self {
        let rate = Rate { number: 100 * 60, per: SignedDuration::from_mins(1), burst: 400 };
        Self {
            parallel: 32,
            at_once: &[100, 200],
            one_by_one: false,
            soaks: &[0, 2],
            windows: 50,
            manners: Manners { rate, failing: 2, deploy: (20, 60) },
            storage_failing: 1,
            deaths: 2,
            kills: 2,
            tick: SignedDuration::from_secs(2),
            deeds: 40,
            ..Self::small(instances, releases)
        }
    }
}
