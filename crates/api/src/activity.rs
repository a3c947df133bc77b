use domain::{Evidence, UsageHours};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What one source knows about the use of one instance in one month: all of it so far, not only
/// what is new. Sending it again, late or out of order changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActivityReport {
    /// The month and its used hours; on the wire two fields, `month` (`2026-11`) and `hours`
    /// (base64url of a bitmap, the month's first hour in the lowest bit of the first byte).
    #[serde(flatten)]
    #[schema(value_type = MonthOfHours)]
    pub hours: UsageHours,
    /// Who saw it.
    pub source: ReportSource,
    /// Why the hours count; may lack hours that an earlier report explained.
    #[schema(value_type = Vec<EvidenceEntry>)]
    pub evidence: Vec<Evidence>,
}

/// Who reports activity. The usage of an instance is the union over all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportSource {
    /// The reverse proxy in front of the application.
    Guard,
    /// The application itself.
    Application,
}

impl ReportSource {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Guard, Self::Application];

    /// The word that is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guard => "guard",
            Self::Application => "application",
        }
    }
}

/// The answer to a report: the report is stored, and this is who may enter now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActivityAccepted {
    /// The instance's present member list.
    pub members: SignedMembers,
}

/// A member list as it travels; the types that sign and verify it have the same form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignedMembers {
    /// Base64url of the list's JSON.
    pub payload: String,
    /// Base64url of an Ed25519 signature over the bytes of `payload` as written.
    pub signature: String,
}

/// The usage hours of one month.
#[derive(ToSchema)]
#[expect(dead_code, reason = "stands for domain::UsageHours in the API's document")]
struct MonthOfHours {
    /// The month, UTC.
    #[schema(example = "2026-11")]
    month: String,
    /// Base64url without padding of a bitmap with one bit for each hour.
    hours: String,
}

/// Why one hour counts.
#[derive(ToSchema)]
#[expect(dead_code, reason = "stands for domain::Evidence in the API's document")]
pub(crate) struct EvidenceEntry {
    /// Hours since 1970-01-01T00:00Z.
    hour: i64,
    /// `member`, `api_call`, `sprint` or `app_running`.
    signal: String,
    /// When it was first seen within the hour.
    #[schema(format = DateTime)]
    first: String,
    /// When it was last seen within the hour.
    #[schema(format = DateTime)]
    last: String,
    /// How often it was seen.
    count: u32,
    /// Whose doing it was; left out where nobody is known.
    who: Option<DoersEntry>,
}

/// Whose doing something was.
#[derive(ToSchema)]
#[expect(dead_code, reason = "stands for domain::Doers in the API's document")]
struct DoersEntry {
    /// Members by their address, programs by the name of their service token; eight at most.
    names: Vec<String>,
    /// Whether there were others.
    more: Option<bool>,
}
