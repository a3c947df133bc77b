use std::time::Instant;

/// What happened in a fleet, or in several.
#[derive(Debug, Clone)]
pub struct Figures {
    began: Instant,
    /// Whether progress is told as it comes.
    pub aloud: bool,
    pub rollouts: u64,
    pub updated: u64,
    pub rolled_back: u64,
    /// Taken back with their whole rollout.
    pub went_back: u64,
    pub halts: u64,
    /// Replicas that were killed in the middle of whatever they did.
    pub kills: u64,
    /// Deaths before or after a step.
    pub deaths: u64,
    /// How often a person had something tried again.
    pub retries: u64,
    /// Backups that were put back and compared.
    pub put_back: u64,
    /// Calls at the compute provider.
    pub calls: u64,
    /// Those of them that were beyond its limit.
    pub breaches: u64,
}

impl Figures {
    pub fn begin() -> Self {
        Self {
            began: Instant::now(),
            aloud: false,
            rollouts: 0,
            updated: 0,
            rolled_back: 0,
            went_back: 0,
            halts: 0,
            kills: 0,
            deaths: 0,
            retries: 0,
            put_back: 0,
            calls: 0,
            breaches: 0,
        }
    }

    /// Those of another fleet as well.
    pub fn add(&mut self, other: &Self) {
        self.rollouts += other.rollouts;
        self.updated += other.updated;
        self.rolled_back += other.rolled_back;
        self.went_back += other.went_back;
        self.halts += other.halts;
        self.kills += other.kills;
        self.deaths += other.deaths;
        self.retries += other.retries;
        self.put_back += other.put_back;
        self.calls += other.calls;
        self.breaches += other.breaches;
    }

    pub fn in_words(&self) -> String {
        let Self { rollouts, updated, rolled_back, went_back, halts, kills, deaths, put_back, calls, breaches, .. } =
            self;
        format!(
            "{rollouts} rollouts, {updated} updated, {rolled_back} rolled back, {went_back} taken back, {put_back} backups \
             put back and compared, {halts} halts, {deaths} deaths in steps and {kills} of replicas, {calls} calls, \
             {breaches} beyond the limit"
        )
    }

    /// Tells how far it has come, if that is wanted.
    pub fn of_release(&self, number: u32, began: Instant) {
        if self.aloud {
            println!("release {number}: {:.0} s; so far {}", began.elapsed().as_secs_f64(), self.in_words());
        }
    }

    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }
}
