//! Which provider does what. A name that nobody has is answered with those that exist.

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

impl<'de> Deserialize<'de> for ComputeDriver {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_of(deserializer, "compute", &[("local", Self::Local), ("railway", Self::Railway)])
    }
}

impl<'de> Deserialize<'de> for EdgeDriver {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_of(deserializer, "edge", &[("builtin", Self::Builtin), ("cloudflare", Self::Cloudflare)])
    }
}

impl<'de> Deserialize<'de> for PaymentsDriver {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_of(deserializer, "payments", &[("ledger", Self::Ledger), ("stripe", Self::Stripe)])
    }
}

impl<'de> Deserialize<'de> for MailDriver {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_of(deserializer, "mail", &[("outbox", Self::Outbox), ("smtp", Self::Smtp)])
    }
}

fn one_of<'de, D: Deserializer<'de>, T: Copy>(
    deserializer: D,
    section: &str,
    drivers: &[(&str, T)],
) -> Result<T, D::Error> {
    let wanted = String::deserialize(deserializer)?;
    if let Some((_, driver)) = drivers.iter().find(|(name, _)| *name == wanted) {
        return Ok(*driver);
    }
    let names: Vec<&str> = drivers.iter().map(|(name, _)| *name).collect();
    Err(D::Error::custom(format!("[{section}] has no driver {wanted:?}; there is: {}", names.join(", "))))
}
