//! Who runs the business, and what each of them may do.

pub(crate) mod store;

pub(crate) use store::{appoint, role_of};
