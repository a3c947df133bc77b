//! Words and rules of the business.
//!
//! Nothing here performs I/O, waits, or asks for the time or for chance: whoever needs those
//! passes them in. A value of one of these types was checked when it was made, so no other
//! crate checks it again.

mod alert;
mod backup;
mod bill;
mod country;
mod coupon_code;
mod email;
mod evidence;
mod health;
mod home;
mod id;
mod incident;
mod instance;
mod instances_txt;
mod leaving;
mod micros;
mod money;
mod month;
mod moving;
mod plan;
mod project_name;
mod role;
mod subdomain;
mod tax_id;
mod text;
mod ticket;
mod uptime;
mod usage;

pub use alert::{AlertEvent, AlertIsOver, AlertState, Severity, UnknownAlertWord};
pub use backup::{BackupEvent, BackupReason, BackupState, Retention, UnknownBackupWord};
pub use bill::{Bill, BillLine};
pub use country::{Country, UnknownCountry};
pub use coupon_code::{CouponCode, CouponCodeError};
pub use email::{Email, EmailError};
pub use evidence::{Doers, DoersError, Evidence, Signal, UnknownSignal};
pub use health::{
    Freshness, Judgement, Look, Met, Probe, Purpose, Seen, Source, UnknownMeeting, UnknownVerdict, Verdict, Views,
};
pub use home::{HomeName, HomeNameError};
pub use id::{
    AlertId, AuditId, BackupId, CannedAnswerId, CustomerId, IdError, IncidentId, InstanceId, MessageId, ModelCallId,
    ReleaseId, RolloutId, SpendId, SupportAccessId, TicketId, WorkflowId,
};
pub use incident::{Component, Impact, IncidentIsOver, IncidentState, UnknownIncidentWord};
pub use instance::{Event, InstanceState, InvalidTransition, UnknownState};
pub use instances_txt::{InstancesTxtError, parse_instances_txt, write_instances_txt};
pub use leaving::{LeavingReason, UnknownLeavingReason};
pub use micros::{Micros, MicrosError};
pub use money::{Cents, CentsError};
pub use month::{Month, MonthError, UsageHour};
pub use moving::{MoveEvent, MoveState, UnknownMoveState};
pub use plan::Plan;
pub use project_name::{ProjectName, ProjectNameError};
pub use role::{MemberRole, OperatorRole, UnknownRole};
pub use subdomain::{RESERVED, Subdomain, SubdomainError};
pub use tax_id::{TaxId, TaxIdError};
pub use ticket::{Rating, TicketEvent, TicketIsClosed, TicketKind, TicketState, TicketVoice, UnknownTicketWord};
pub use uptime::{Share, Span, Uptime};
pub use usage::{UsageError, UsageHours};
