//! Pages of the admin console: what is broken, why, and what now.

mod audit;
mod customers;
mod home;
mod instances;
mod workflows;

pub use audit::{AuditRow, ConsoleAudit};
pub use customers::{ConsoleCustomer, ConsoleCustomers, CustomerRow};
pub use home::{Attention, ConsoleHome, Count};
pub use instances::{ConsoleInstance, ConsoleInstances, Fact, InstanceMemberRow, InstanceRow};
pub use workflows::{
    ConfirmWorkflowAction, ConsoleWorkflow, ConsoleWorkflows, WorkflowAction, WorkflowRow, WorkflowState,
    WorkflowStepRow,
};
