use domain::{CustomerId, Email, InstanceId, ProjectName, ReleaseId, RolloutId, Subdomain};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::sqlx::Error;

/// Reads a stored text as what it means. What we wrote ourselves always reads; anything else means
/// that the store was changed by another hand, and is reported, not guessed at.
pub(crate) trait Stored: Sized {
    fn from_stored(text: &str) -> Result<Self, Error>;
}

macro_rules! stored {
    ($($type:ty),*) => { $(
        impl Stored for $type {
            fn from_stored(text: &str) -> Result<Self, Error> {
                <$type>::parse(text).map_err(|error| Error::Decode(Box::new(error)))
            }
        }
    )* };
}

stored!(
    domain::BackupId,
    domain::BackupReason,
    domain::BackupState,
    providers::storage::ObjectName,
    CustomerId,
    InstanceId,
    domain::SupportAccessId,
    Email,
    ProjectName,
    domain::InstanceState,
    domain::MemberRole,
    domain::OperatorRole,
    domain::Country,
    domain::CouponCode,
    domain::Signal,
    domain::Month,
    domain::TaxId,
    ReleaseId,
    RolloutId,
    fleet::Stage,
    fleet::Version,
    domain::Verdict,
    domain::AlertId,
    domain::IncidentId,
    domain::Severity,
    domain::Impact,
    domain::IncidentState,
    domain::Component,
    domain::Met,
    domain::MoveState,
    domain::TicketId,
    domain::CannedAnswerId,
    domain::TicketState,
    domain::TicketKind,
    domain::TicketVoice,
    domain::SpendId,
    domain::LeavingReason
);

impl Stored for Subdomain {
    fn from_stored(text: &str) -> Result<Self, Error> {
        Self::parse_given(text).map_err(|error| Error::Decode(Box::new(error)))
    }
}

/// A value as stored in a column of text.
pub(crate) fn to_json(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Encode(Box::new(error)))
}

/// A value that was stored as text.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Decode(Box::new(error)))
}

/// A sentence with its first letter large.
pub(crate) fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
