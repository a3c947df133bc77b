//! Who signs and pays.

pub(crate) mod store;

use domain::{CustomerId, Email};
use jiff::Timestamp;

/// Somebody who has, had or is about to have an instance.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    pub id: CustomerId,
    pub name: String,
    pub email: Email,
    pub company: Option<String>,
    pub created_at: Timestamp,
}

/// The texts that a customer agrees to; the version is the date of the text.
pub(crate) const AGREEMENTS: [(&str, &str); 4] = [
    ("terms", "2026-11-24"),
    ("privacy", "2026-11-24"),
    ("acceptable-use", "2026-11-24"),
    ("billing-agreement", "2026-11-24"),
];
