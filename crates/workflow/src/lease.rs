use jiff::Timestamp;

/// The right to work on one workflow. The number grows with each holder; every write names it, so
/// a former holder's writes change nothing.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub id: String,
    pub number: i64,
}

/// A workflow that was just leased, with what is needed to go on.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub lease: Lease,
    pub kind: String,
    pub subject: String,
    pub input: String,
    pub undoing: bool,
    pub deadline: Timestamp,
}
