//! Pages of the admin console: what is broken, why, and what now.

mod alerts;
mod analytics;
mod audit;
mod close;
mod customers;
mod home;
mod incidents;
mod instances;
mod invoice;
mod isolation;
mod margins;
mod money;
mod previews;
mod providers;
mod releases;
mod rollouts;
mod search;
mod spend;
mod tickets;
mod workflows;

pub use alerts::{AlertRow, ConsoleAlerts};
pub use analytics::{
    AnalyticsFigure, AnalyticsMonthRow, CohortRow, CommentRow, ConsoleAnalytics, FunnelRow, ReasonRow,
};
pub use audit::{AuditRow, ConsoleAudit};
pub use close::{CloseInvoiceRow, CloseState, ConsoleClose};
pub use customers::{BounceView, ConsoleCustomer, ConsoleCustomers, CustomerRow};
pub use home::{Attention, ConsoleHome, Count};
pub use incidents::{ConsoleIncident, ConsoleIncidents, IncidentForm};
pub use instances::{ConsoleInstance, ConsoleInstances, Fact, InstanceMemberRow, InstanceRow, UpdatesCard};
pub use invoice::{ConfirmRefund, ConfirmWriteOff, ConsoleInvoice, CreditForm, DunningView, HistoryRow, PaymentForm};
pub use isolation::{ConsoleIsolation, ConsoleIsolationRound, IsolationPlaceRow, IsolationRoundRow};
pub use margins::{BasisRow, ConsoleMargins, CostsView, LimitRow, MarginFigure, MarginOrder, MarginRow};
pub use money::{
    ConsoleInvoiceRow, ConsoleInvoices, ConsoleMoney, ContestRow, CreditRow, DifferenceRow, DisputeRow,
    FailedPaymentRow, IssuedRow, MoneyFigures, OverdueRow,
};
pub use previews::{ConsoleMailPreview, ConsoleMailPreviews, PreviewRow};
pub use providers::{
    CeilingRow, CheckRow, CheckVerdict, ConfirmRepair, ConsoleProviders, FindingClass, FindingRow, PoolCard, PoolRow,
    ProviderCard, SaidRow,
};
pub use releases::{
    ConfirmPromote, ConfirmWithdraw, ConsoleNewRelease, ConsoleRelease, ConsoleReleases, PromotionRow, ProofRow,
    ReleaseRow, ReleaseValues,
};
pub use rollouts::{
    ConfirmRolloutAction, ConsoleNewRollout, ConsoleRollout, ConsoleRolloutPlan, ConsoleRollouts, PlannedRow,
    RolloutAction, RolloutForm, RolloutRights, RolloutRow, UnitRow, WaveRow,
};
pub use search::{ConsoleSearch, FoundRow};
pub use spend::{ConsoleSpend, SpendForm, SpendRow};
pub use tickets::{
    CannedAnswerForm, CannedAnswerRow, ConsoleCannedAnswers, ConsoleTicket, ConsoleTicketRow, ConsoleTickets,
    TicketFigures, TicketFilter,
};
pub use workflows::{
    ConfirmWorkflowAction, ConsoleWorkflow, ConsoleWorkflows, WorkflowAction, WorkflowRow, WorkflowState,
    WorkflowStepRow,
};
