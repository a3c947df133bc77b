//! Where backups are kept: a folder of this machine, or an object store.

pub mod folder;
pub mod s3;

use std::fmt;

use async_trait::async_trait;

use crate::ProviderError;
use crate::compute::Archive;
use crate::inventory::Check;

pub use folder::FolderStorage;
pub use s3::{S3Settings, S3Storage};

/// Keeps sealed things by their names. Every call may be made twice.
#[async_trait]
pub trait Storage: Send + Sync {
    /// How the driver is called in configuration: `folder`, `s3`.
    fn name(&self) -> &'static str;

    /// Where something of that name is, as the operator finds it. No secret.
    fn place(&self, name: &ObjectName) -> String;

    /// Keeps it: all of it or nothing, and in place of what had the name before.
    ///
    /// # Errors
    /// Unavailable when it could not be kept, or broke off before its end; refused when that is not going to change.
    async fn put(&self, name: &ObjectName, content: Archive) -> Result<(), ProviderError>;

    /// What is kept by that name.
    ///
    /// # Errors
    /// Not found when there is nothing.
    async fn get(&self, name: &ObjectName) -> Result<Archive, ProviderError>;

    /// Removes it; fine when there is nothing.
    async fn delete(&self, name: &ObjectName) -> Result<(), ProviderError>;

    /// The names of all that is kept here, in no order. What is not called as we call things is left out.
    async fn list(&self) -> Result<Vec<ObjectName>, ProviderError>;

    /// Whether it can be used.
    async fn check(&self) -> Vec<Check>;
}

/// What something is called where it is kept: names with slashes between them, fit for a path and for an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectName(String);

/// Why a text is no name of something that is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} can't be the name of a backup: small letters, digits, dots, dashes and underscores, with slashes between them"
)]
pub struct ObjectNameError(String);

impl ObjectName {
    /// Reads a name.
    ///
    /// # Errors
    /// [`ObjectNameError`] when it could lead out of where things are kept, or would have to be escaped.
    pub fn parse(text: &str) -> Result<Self, ObjectNameError> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        let is_part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.chars().all(is_plain);
        if text.len() > 500 || !text.split('/').all(is_part) {
            return Err(ObjectNameError(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
