//! Who was let in.

use std::sync::Arc;

use access::{Identity, Verified};
use domain::{Email, Signal};

/// Somebody, or something, that may pass.
#[derive(Clone, Debug)]
pub enum Visitor {
    /// A person who belongs.
    Member(Arc<Verified>),
    /// A listed service token.
    Service(Arc<Verified>),
    /// The operator, in an emergency, under the user name configured for that.
    Emergency(Arc<str>),
    /// Anybody, on a path configured as public.
    Public,
    /// Anybody, at the hostname of an app that is shared.
    Shared,
}

impl Visitor {
    /// The person whose membership this rests on.
    #[must_use]
    pub fn member(&self) -> Option<&Email> {
        match self {
            Self::Member(verified) => verified.email(),
            Self::Service(_) | Self::Emergency(_) | Self::Public | Self::Shared => None,
        }
    }

    /// The name for the access log and for the application; `None` for whoever has none.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Member(verified) | Self::Service(verified) => Some(match verified.identity() {
                Identity::Person(email) => email.as_str(),
                Identity::Service(name) => name,
            }),
            Self::Emergency(user) => Some(user),
            Self::Public | Self::Shared => None,
        }
    }

    /// The issuer's id of the visitor; empty where there is none.
    #[must_use]
    pub fn subject(&self) -> &str {
        match self {
            Self::Member(verified) => verified.subject(),
            Self::Service(_) | Self::Emergency(_) | Self::Public | Self::Shared => "",
        }
    }

    /// Whether it is anybody, whom the guard knows nothing of.
    pub(crate) fn is_nobody(&self) -> bool {
        matches!(self, Self::Public | Self::Shared)
    }

    /// The access log's word for the decision to let them in.
    pub(crate) fn decision(&self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Member(_) | Self::Service(_) | Self::Emergency(_) | Self::Public => "admitted",
        }
    }

    /// What the access log should say of the way in; empty for the usual ones.
    pub(crate) fn exception(&self) -> &'static str {
        match self {
            Self::Emergency(_) => "emergency",
            Self::Member(_) | Self::Service(_) | Self::Public | Self::Shared => "",
        }
    }

    /// Which signal of use this visitor's doings are, when they are any.
    pub(crate) fn signal(&self) -> Option<Signal> {
        match self {
            Self::Member(_) => Some(Signal::Member),
            Self::Service(_) => Some(Signal::ApiCall),
            // What the operator does to help is not the customer's use.
            Self::Emergency(_) | Self::Public | Self::Shared => None,
        }
    }
}
