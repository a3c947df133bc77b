use jiff::SignedDuration;

/// What was paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// No tags, short comments, 200 operations in a batch.
    Free,
    /// Tags, longer comments, 3,500 operations in a batch.
    Paid,
}

/// The account, its limits, and how far behind its lists are.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name of the one zone.
    pub zone: String,
    /// What was paid for.
    pub plan: Plan,
    /// So many DNS records fit into the zone. A Free zone made since September 2024 holds 200.
    pub record_quota: usize,
    /// Origin of the team domain without a slash at its end: who signs the assertions (`iss`), and where
    /// browsers are sent to sign in. Hostnames are reached by the same scheme.
    pub team_url: String,
    /// Whether the account has an Access organisation from the start.
    pub has_organization: bool,
    /// So many people may have a seat.
    pub seats: usize,
    /// So many Access applications fit into the account.
    pub application_limit: usize,
    /// So many reusable policies fit into the account.
    pub policy_limit: usize,
    /// So many requests may a token make within 5 minutes; `None` for tests about something else.
    pub request_limit: Option<u32>,
    /// So long is a new token refused.
    pub token_lag: SignedDuration,
    /// So far are lists behind. Reading by id never is.
    pub list_lag: SignedDuration,
    /// So far back goes the log of sign-ins.
    pub log_reach: SignedDuration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            zone: "ai-diy.ai".into(),
            plan: Plan::Free,
            record_quota: 200,
            team_url: "https://aidiy.cloudflareaccess.com".into(),
            has_organization: true,
            seats: 50,
            application_limit: 500,
            policy_limit: 500,
            request_limit: Some(1200),
            token_lag: SignedDuration::ZERO,
            list_lag: SignedDuration::ZERO,
            log_reach: SignedDuration::from_hours(24),
        }
    }
}

impl Settings {
    pub(super) fn has_tags(&self) -> bool {
        self.plan == Plan::Paid
    }

    pub(super) fn longest_comment(&self) -> usize {
        match self.plan {
            Plan::Free => 100,
            Plan::Paid => 500,
        }
    }

    pub(super) fn largest_batch(&self) -> usize {
        match self.plan {
            Plan::Free => 200,
            Plan::Paid => 3500,
        }
    }

    /// The host and port of the team domain.
    pub(super) fn team_host(&self) -> &str {
        self.team_url.split_once("://").map_or(self.team_url.as_str(), |(_, host)| host)
    }

    pub(super) fn is_https(&self) -> bool {
        self.team_url.starts_with("https://")
    }
}
