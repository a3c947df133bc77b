use std::time::Duration;

/// What an account is like.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The key that may do everything, `sk_test_…`.
    pub secret_key: String,
    /// `acct_…`.
    pub account_id: String,
    /// What the business calls itself.
    pub account_name: String,
    /// Whether every request must name [`crate::stripe::VERSION`]; otherwise any version or none will do.
    pub strict_version: bool,
    /// So many requests a second are answered, the others refused. The real test mode has 25.
    pub requests_per_second: Option<u32>,
    /// How long it takes until a meter event counts.
    pub counting_takes: Duration,
    /// When a failed payment is tried again, each time after the attempt before.
    pub retries: Vec<Duration>,
    /// What becomes of a subscription after the last of these.
    pub afterwards: Afterwards,
    /// What Stripe keeps of each charge: so many parts of ten thousand, and so many cents.
    pub fee: (i64, i64),
    /// Whether a draft waits until an endpoint heard of it, up to 72 hours. The real one does.
    pub invoices_wait_for_webhooks: bool,
    /// Whether the operator saved the portal's settings in the dashboard.
    pub portal_configured: bool,
}

/// What becomes of a subscription that can't be collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// It ends.
    Cancel,
    /// It goes on, and its invoices stay drafts.
    Unpaid,
    /// Nothing.
    PastDue,
}

const DAY: Duration = Duration::from_secs(86_400);

impl Default for Settings {
    fn default() -> Self {
        Self {
            secret_key: "sk_test_simulated".to_owned(),
            account_id: "acct_1Simulated".to_owned(),
            account_name: "Simulated business".to_owned(),
            strict_version: true,
            requests_per_second: None,
            counting_takes: Duration::from_secs(30),
            retries: vec![DAY * 3, DAY * 5, DAY * 6],
            afterwards: Afterwards::Cancel,
            fee: (290, 30),
            invoices_wait_for_webhooks: true,
            portal_configured: true,
        }
    }
}
