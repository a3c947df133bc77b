use jiff::SignedDuration;

/// How much a workspace may ask of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// 100 requests an hour.
    Free,
    /// 1,000 requests an hour and 10 a second.
    Hobby,
    /// 10,000 requests an hour and 50 a second.
    Pro,
    /// No limit: for tests that are about something else. Shown as `PRO`.
    Unlimited,
}

/// A time between two bounds; chance decides where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// At least so long.
    pub least: SignedDuration,
    /// At most so long.
    pub most: SignedDuration,
}

impl Span {
    /// No time at all.
    pub const NONE: Self = Self { least: SignedDuration::ZERO, most: SignedDuration::ZERO };

    /// Between so many seconds and so many.
    pub const fn seconds(least: i64, most: i64) -> Self {
        Self { least: SignedDuration::from_secs(least), most: SignedDuration::from_secs(most) }
    }
}

/// How long everything takes, and what the workspace may do.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The one workspace.
    pub workspace_id: String,
    /// What its owner calls it.
    pub workspace_name: String,
    /// What the API allows.
    pub plan: Plan,
    /// Between two projects made, and between two environments made.
    pub project_throttle: SignedDuration,
    /// Between two volumes made.
    pub volume_throttle: SignedDuration,
    /// So long is a new project missing from the list, and a deleted one still in it.
    pub list_lag: SignedDuration,
    /// So long does reading a new project by its id say that there is none.
    pub read_lag: SignedDuration,
    /// So long after a service was made does its instance appear.
    pub instance_lag: SignedDuration,
    /// So long is a new volume missing from the lists.
    pub volume_lag: SignedDuration,
    /// From the start of a deployment to its end.
    pub deploy: Span,
    /// From when both DNS records are there until the domain counts as verified.
    pub verification: Span,
    /// From verification until `syncStatus` is `ACTIVE`.
    pub domain_sync: SignedDuration,
    /// From verification to a valid certificate; `None` keeps it validating for ever, as it is
    /// behind a proxy.
    pub certificate: Option<SignedDuration>,
    /// Without a request for so long, an instance that may sleep does; `None` for never.
    pub idle: Option<SignedDuration>,
    /// So long is the image of an earlier deployment kept for a rollback.
    pub retention: SignedDuration,
    /// From scheduling a deletion to the deletion.
    pub grace: SignedDuration,
    /// In dollars: from when Railway writes a mail, and from when it would stop everything. The simulator stops nothing.
    pub usage_limit: Option<(u32, Option<u32>)>,
    /// What the workspace spent in this period for what isn't simulated, in dollars.
    pub other_usage: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workspace_id: "ws-simulated".into(),
            workspace_name: "Simulated workspace".into(),
            plan: Plan::Pro,
            project_throttle: SignedDuration::from_secs(30),
            volume_throttle: SignedDuration::from_secs(1),
            list_lag: SignedDuration::from_secs(28),
            read_lag: SignedDuration::ZERO,
            instance_lag: SignedDuration::from_secs(3),
            volume_lag: SignedDuration::from_secs(28),
            deploy: Span::seconds(30, 120),
            verification: Span::seconds(5 * 60, 15 * 60),
            domain_sync: SignedDuration::from_secs(5),
            certificate: None,
            idle: Some(SignedDuration::from_mins(10)),
            retention: SignedDuration::from_hours(120),
            grace: SignedDuration::from_hours(48),
            usage_limit: None,
            other_usage: 0.0,
        }
    }
}

impl Settings {
    /// Everything at once and without limits, for tests that are about something else. Only what is
    /// counted in hours keeps its time.
    pub fn quick() -> Self {
        Self {
            plan: Plan::Unlimited,
            project_throttle: SignedDuration::ZERO,
            volume_throttle: SignedDuration::ZERO,
            list_lag: SignedDuration::ZERO,
            instance_lag: SignedDuration::ZERO,
            volume_lag: SignedDuration::ZERO,
            deploy: Span::NONE,
            verification: Span::NONE,
            domain_sync: SignedDuration::ZERO,
            idle: None,
            ..Self::default()
        }
    }
}
