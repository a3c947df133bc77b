//! What crosses the wire between the main instance and everyone who talks to it: the types of the
//! REST API under `/api/v1`, and a client that speaks them.
//!
//! A field of a domain type was checked when the document was read, so nobody checks it again.
//! Names and words here are promises to scripts: fields are added, never renamed.

mod access;
mod activity;
mod alerts;
mod analytics;
mod audit;
mod backups;
mod billing;
mod billing_details;
mod cancellation;
mod client;
mod contests;
mod coupons;
mod customers;
mod disputes;
mod dunning;
mod emergency;
mod error;
mod health;
mod incidents;
mod instance_health;
mod instances;
mod invoices;
mod isolation;
mod ledgers;
mod margins;
mod members;
mod messages;
mod model;
mod moves;
mod page;
mod pool;
mod problem;
mod providers;
mod releases;
mod rollouts;
mod search;
mod spend;
mod spending;
mod support_access;
mod suppressions;
mod tickets;
mod updates;
mod usage;
mod workflows;

pub use access::{Access, AccessApplication, IdentityProvider, NewAccess, OidcClient};
pub use activity::{ActivityAccepted, ActivityReport, ReportSource, SignedMembers};
pub use alerts::{Alert, AlertFilter, SilenceAlert};
pub use analytics::{
    Analytics, AnalyticsMonth, CohortMonth, Figure, FunnelStep, LeavingComment, ReasonCount, SignupCohort,
};
pub use audit::AuditEvent;
pub use backups::{Backup, BackupFilter, BackupProof, NewBackup, RestoreBackup};
pub use billing::{BillPreview, BooksCheck, ChargeDifference, ClosePeriods, Closing, DryRun, InvoicePreview};
pub use billing_details::{BillingDetails, NewBillingDetails};
pub use cancellation::{CancelInstance, Cancellation, TakenBack};
pub use client::Client;
pub use contests::{Contest, ContestFilter, ContestState, DecideContest, HoursWaived, NewContest, WaiveHours};
pub use coupons::{Coupon, CustomerCoupon, NewCoupon, RedeemCoupon};
pub use customers::Customer;
pub use disputes::Dispute;
pub use dunning::Dunning;
pub use emergency::{EmergencyAccess, EmergencyOutcome, EmergencyReport};
pub use error::ClientError;
pub use health::{HealthReport, HealthState};
pub use incidents::{Incident, IncidentFilter, IncidentUpdate, NewIncident, NewIncidentUpdate};
pub use instance_health::{HealthObservation, InstanceHealth, UptimeOf};
pub use instances::{
    AskedDeletion, CopyInstance, DeleteInstance, DeletionAccepted, Health, Instance, InstanceAccepted, InstanceFilter,
    NewInstance, RemovalRecord, Removed, RenameInstance, SuspendInstance,
};
pub use invoices::{
    ChargeFailure, Invoice, InvoiceCredit, InvoiceFilter, InvoiceLine, InvoiceState, NewPayment, NewRefund, Refund,
    WriteOff,
};
pub use isolation::{Isolation, IsolationPlace, IsolationProof, IsolationRound, NewIsolationRound, NotTried};
pub use ledgers::{Ledger, LedgerEntry, NewCredit};
pub use margins::{CostsByKind, CustomerMargin, Margin, MarginBasis, Margins, SpendLimit};
pub use members::{Member, NewMember};
pub use messages::{Message, MessageFilter, MessageState};
pub use model::{ModelUsage, ModelUse};
pub use moves::{Home, Move, NewMove};
pub use page::{Page, Paging};
pub use pool::{Pool, WarmInstance};
pub use problem::Problem;
pub use providers::{
    Ceiling, CheckVerdict, Finding, FindingClass, FindingFilter, FindingState, Provider, ProviderCheck, ProviderLine,
};
pub use releases::{NewProof, NewRelease, PromoteRelease, Promotion, Proof, Release, WithdrawRelease, Withdrawal};
pub use rollouts::{
    LeftOut, NewRollout, PlannedUnit, Rollout, RolloutEvent, RolloutFilter, RolloutOccasion, RolloutPlan,
    RolloutStrategy, RolloutUnit, RolloutWave, UnitCounts, UnitFilter,
};
pub use search::{Found, FoundThing};
pub use spend::{NewSpend, Spend};
pub use spending::{Budget, Cap, NewBudget, NewCap, Spending};
pub use support_access::{AskForAccess, SupportAccess, SupportHour};
pub use suppressions::{NewSuppression, Suppression};
pub use tickets::{
    AssignTicket, CannedAnswer, NewCannedAnswer, NewTicket, NewTicketAnswer, NewTicketNote, Ticket, TicketAttachment,
    TicketFacts, TicketFigures, TicketFilter, TicketMessage, TicketWithMessages,
};
pub use updates::{ChangeUpdates, NewPin, PastUpdate, Pin, RunningRelease, Updates, WaitingUpdate};
pub use usage::{HourCharge, HourOfUse, SignedInHour, Usage, UsedHour, Waiver};
pub use workflows::{Direction, Step, StepState, Workflow, WorkflowAccepted, WorkflowFilter, WorkflowState};

/// Where the REST API begins below the main instance's address.
pub const PREFIX: &str = "/api/v1";

/// The header under which a request that must not be done twice carries its key.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The media type of a [`Problem`] (RFC 9457, section 3).
pub const PROBLEM_JSON: &str = "application/problem+json";
