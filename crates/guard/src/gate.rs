//! The decision: identity first, then membership, then the instance's state. A [`Pass`] is the
//! proof of it, and only [`Gate::decide`] makes one.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use access::{Identity, ListState, Refusal};
use domain::Email;
use http::HeaderMap;
use tokio_util::sync::CancellationToken;

use crate::app_site::Place;
use crate::emergency::EmergencyDoor;
use crate::identities::Identities;
use crate::roster::{Belonging, Roster};
use crate::visitor::Visitor;

/// Everything a decision rests on.
pub(crate) struct Gate {
    pub(crate) identities: Identities,
    pub(crate) roster: Arc<Roster>,
    pub(crate) service_tokens: Vec<String>,
    pub(crate) public_paths: Vec<String>,
    /// For requests without any assertion; `None` unless configured.
    pub(crate) emergency: Option<Arc<EmergencyDoor>>,
}

/// What a decision looks at.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'r> {
    /// The raw path, without the query.
    pub(crate) path: &'r str,
    pub(crate) headers: &'r HeaderMap,
    pub(crate) place: Place,
    /// The address that the request came from.
    pub(crate) source: IpAddr,
}

/// Leave to pass.
#[derive(Debug)]
pub(crate) struct Pass {
    visitor: Visitor,
    stay: CancellationToken,
    emergency: Option<Arc<EmergencyDoor>>,
}

/// Why a request does not pass.
#[derive(Debug, PartialEq, Eq)]
pub enum Denied {
    /// No assertion at all.
    Unidentified,
    /// Two assertions, or none that is text.
    Ambiguous,
    /// An assertion that does not verify.
    Assertion(Refusal),
    /// The issuer's keys have not been seen yet.
    NoKeys,
    /// A person who is not on the list.
    Stranger(Email),
    /// A service token that is not listed.
    UnlistedService,
    /// There is no member list to judge by.
    NoMembers,
    /// A member, but the instance is closed.
    Closed(ListState),
    /// No assertion, and HTTP Basic that can't be read.
    EmergencyUnreadable,
    /// No assertion, and emergency credentials that are wrong.
    EmergencyWrong,
    /// The same, not looked at: so long there may be no further attempt.
    EmergencyThrottled(Duration),
}

impl Gate {
    /// Decides one request.
    ///
    /// # Errors
    /// [`Denied`]: the first thing that stands against it.
    pub(crate) async fn decide(&self, ask: Ask<'_>) -> Result<Pass, Denied> {
        let visitor = self.visitor(ask).await?;
        match self.roster.state() {
            ListState::Active => {}
            closed => return Err(Denied::Closed(closed)),
        }
        let stay = self.roster.stay(visitor.member());
        Ok(Pass { visitor, stay, emergency: self.emergency.clone() })
    }

    async fn visitor(&self, ask: Ask<'_>) -> Result<Visitor, Denied> {
        if ask.place == Place::Workspace && is_public(ask.path, &self.public_paths) {
            return Ok(Visitor::Public);
        }
        let verified = match self.identities.identify(ask.headers).await {
            // Only without any assertion: a bad one is not rescued.
            Err(Denied::Unidentified) => return self.emergency_visitor(ask.headers, ask.source).await,
            identified => identified?,
        };
        match verified.identity() {
            Identity::Service(name) if self.service_tokens.contains(name) => Ok(Visitor::Service(verified)),
            Identity::Service(_) => Err(Denied::UnlistedService),
            Identity::Person(email) => match self.roster.belongs(email).await {
                Belonging::Member => Ok(Visitor::Member(verified)),
                Belonging::Stranger => Err(Denied::Stranger(email.clone())),
                Belonging::Unknown => Err(Denied::NoMembers),
            },
        }
    }

    /// Whom a request without an assertion comes from.
    ///
    /// # Errors
    /// [`Denied`], always so when there is no emergency door.
    pub(crate) async fn emergency_visitor(&self, headers: &HeaderMap, source: IpAddr) -> Result<Visitor, Denied> {
        let door = self.emergency.as_ref().ok_or(Denied::Unidentified)?;
        door.identify(headers, source).await.map(Visitor::Emergency)
    }
}

/// Whether a raw path is one of those configured as public, byte for byte.
pub(crate) fn is_public(path: &str, public_paths: &[String]) -> bool {
    public_paths.iter().any(|public| public == path)
}

impl Pass {
    pub(crate) fn visitor(&self) -> &Visitor {
        &self.visitor
    }

    /// Cancelled when this would no longer be decided so.
    pub(crate) fn stay(&self) -> &CancellationToken {
        &self.stay
    }

    /// Removes emergency credentials, whoever it was that was let in: browsers go on sending them.
    pub(crate) fn conceal_credentials(&self, headers: &mut HeaderMap) {
        if let Some(door) = &self.emergency {
            door.conceal(headers);
        }
    }
}

impl Denied {
    /// A short name of the rule that refused, for a log.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Unidentified => "no-assertion",
            Self::Ambiguous => "ambiguous-assertion",
            Self::Assertion(refusal) => refusal.rule(),
            Self::NoKeys => "no-keys-yet",
            Self::Stranger(_) => "not-a-member",
            Self::UnlistedService => "service-not-listed",
            Self::NoMembers => "no-member-list",
            Self::Closed(ListState::Deleting) => "deleting",
            Self::Closed(_) => "suspended",
            Self::EmergencyUnreadable => "emergency-unreadable",
            Self::EmergencyWrong => "emergency-wrong",
            Self::EmergencyThrottled(_) => "emergency-throttled",
        }
    }
}
