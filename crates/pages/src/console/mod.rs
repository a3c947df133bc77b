//! Pages of the admin console: what is broken, why, and what now.

mod audit;
mod customers;
mod home;
mod instances;
mod providers;
mod workflows;

pub use audit::{AuditRow, ConsoleAudit};
pub use customers::{BounceView, ConsoleCustomer, ConsoleCustomers, CustomerRow};
pub use home::{Attention, ConsoleHome, Count};
pub use instances::{ConsoleInstance, ConsoleInstances, Fact, InstanceMemberRow, InstanceRow};
pub use providers::{
    CeilingRow, CheckRow, CheckVerdict, ConfirmRepair, ConsoleProviders, FindingClass, FindingRow, PoolCard, PoolRow,
    ProviderCard,
};
pub use workflows::{
    ConfirmWorkflowAction, ConsoleWorkflow, ConsoleWorkflows, WorkflowAction, WorkflowRow, WorkflowState,
    WorkflowStepRow,
};
