//! Pages of the admin console: what is broken, why, and what now.

mod audit;
mod close;
mod customers;
mod home;
mod instances;
mod invoice;
mod margins;
mod money;
mod providers;
mod workflows;

pub use audit::{AuditRow, ConsoleAudit};
pub use close::{CloseInvoiceRow, CloseState, ConsoleClose};
pub use customers::{BounceView, ConsoleCustomer, ConsoleCustomers, CustomerRow};
pub use home::{Attention, ConsoleHome, Count};
pub use instances::{ConsoleInstance, ConsoleInstances, Fact, InstanceMemberRow, InstanceRow};
pub use invoice::{ConfirmRefund, ConfirmWriteOff, ConsoleInvoice, CreditForm, DunningView, HistoryRow, PaymentForm};
pub use margins::{BasisRow, ConsoleMargins, CostsView, LimitRow, MarginFigure, MarginOrder, MarginRow};
pub use money::{
    ConsoleInvoiceRow, ConsoleInvoices, ConsoleMoney, ContestRow, CreditRow, DifferenceRow, DisputeRow,
    FailedPaymentRow, IssuedRow, MoneyFigures, OverdueRow,
};
pub use providers::{
    CeilingRow, CheckRow, CheckVerdict, ConfirmRepair, ConsoleProviders, FindingClass, FindingRow, PoolCard, PoolRow,
    ProviderCard,
};
pub use workflows::{
    ConfirmWorkflowAction, ConsoleWorkflow, ConsoleWorkflows, WorkflowAction, WorkflowRow, WorkflowState,
    WorkflowStepRow,
};
