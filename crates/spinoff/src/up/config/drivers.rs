//! Which provider does what. A name that nobody has is answered with those that exist.

use providers::Routing;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// `[compute] driver`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ComputeDriver {
    /// Processes on this machine.
    #[default]
    Local,
    /// Services at Railway.
    Railway,
}

/// `[edge] driver`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EdgeDriver {
    /// The edge in this process.
    #[default]
    Builtin,
    /// Records and Access at Cloudflare.
    Cloudflare,
}

/// `[payments] driver`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PaymentsDriver {
    /// Keeps account and charges nobody.
    #[default]
    Ledger,
    /// Subscriptions at Stripe.
    Stripe,
}

/// `[mail] driver`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MailDriver {
    /// Mail stays here and is read at `/mailbox`.
    #[default]
    Outbox,
    /// Mail leaves by an SMTP server.
    Smtp,
}

/// `[backups] driver`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StorageDriver {
    /// Files below a folder of this machine.
    #[default]
    Folder,
    /// An object store that speaks S3's language.
    S3,
}

impl<'de> Deserialize<'de> for StorageDriver {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_of(deserializer, "backups", "driver", &[("folder", Self::Folder), ("s3", Self::S3)])
    }
}

impl<'de> Deserialize<'de> for ComputeDriver {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_of(deserializer, "compute", "driver", &[("local", Self::Local), ("railway", Self::Railway)])
    }
}

impl<'de> Deserialize<'de> for EdgeDriver {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_of(deserializer, "edge", "driver", &[("builtin", Self::Builtin), ("cloudflare", Self::Cloudflare)])
    }
}

impl<'de> Deserialize<'de> for PaymentsDriver {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_of(deserializer, "payments", "driver", &[("ledger", Self::Ledger), ("stripe", Self::Stripe)])
    }
}

impl<'de> Deserialize<'de> for MailDriver {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_of(deserializer, "mail", "driver", &[("outbox", Self::Outbox), ("smtp", Self::Smtp)])
    }
}

/// `[edge] routing`
pub fn routing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Routing, D::Error> {
    let named = |routing: Routing| (routing.as_str(), routing);
    one_of(deserializer, "edge", "routing", &[Routing::Records, Routing::Wildcard].map(named))
}

fn one_of<'de, D: Deserializer<'de>, T: Copy>(
    deserializer: D,
    section: &str,
    key: &str,
    choices: &[(&str, T)],
) -> Result<T, D::Error> {
    let wanted = String::deserialize(deserializer)?;
    if let Some((_, chosen)) = choices.iter().find(|(name, _)| *name == wanted) {
        return Ok(*chosen);
    }
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    Err(D::Error::custom(format!("[{section}] has no {key} {wanted:?}; there is: {}", names.join(", "))))
}
