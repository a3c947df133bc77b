//! The decision: identity first, then membership, then the instance's state. A [`Pass`] is the
//! proof of it, and only [`Gate::decide`] makes one.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use access::{Identity, LEEWAY, ListState, Refusal, Verified};
use domain::Email;
use http::header::UPGRADE;
use http::{HeaderMap, Method};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::app_site::{Place, Sharing, Way};
use crate::emergency::EmergencyDoor;
use crate::identities::Identities;
use crate::roster::{Belonging, Leave, Roster};
use crate::visitor::Visitor;

/// Everything a decision rests on.
pub(crate) struct Gate {
    pub(crate) identities: Identities,
    pub(crate) roster: Arc<Roster>,
    pub(crate) service_tokens: Vec<String>,
    /// Audiences whose tokens open the app's hostname and nothing else, while all others open
    /// everything but that; with none of them, any opens all.
    pub(crate) app_audiences: Vec<String>,
    pub(crate) public_paths: Vec<String>,
    /// Whether the app's hostname is open to everybody.
    pub(crate) sharing: Arc<Sharing>,
    /// For requests without any assertion; `None` unless configured.
    pub(crate) emergency: Option<Arc<EmergencyDoor>>,
}

/// What a decision looks at.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'r> {
    pub(crate) method: &'r Method,
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
    stay: Arc<CancellationToken>,
    endless_until: Option<Instant>,
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
    /// A guest who was let in to look, and wants to change something.
    OnlyLooks,
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
        self.is_open_to(&visitor).await?;
        let leave = visitor.member().and_then(|email| self.roster.leave_of(email));
        if leave.is_some_and(|leave| !leave.may_change) && ask.may_change_something() {
            return Err(Denied::OnlyLooks);
        }
        let stay = self.stay(&visitor)?;
        let endless_until = self.end_of(&visitor, leave, ask.headers);
        Ok(Pass { visitor, stay, endless_until, emergency: self.emergency.clone() })
    }

    /// Whom this is, if it is somebody who belongs.
    ///
    /// # Errors
    /// [`Denied`].
    pub(crate) async fn standing(&self, verified: Arc<Verified>) -> Result<Visitor, Denied> {
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

    /// Whether the state of the instance lets this visitor in.
    ///
    /// # Errors
    /// [`Denied::Closed`], and [`Denied::NoMembers`] while no list has said that it is open.
    pub(crate) async fn is_open_to(&self, visitor: &Visitor) -> Result<(), Denied> {
        // The emergency door is for the day on which no list arrives, and whoever passes it may know
        // more than the guard. A list that says "suspended" closes it too.
        if !matches!(visitor, Visitor::Emergency(_)) && !self.roster.knows_state().await {
            return Err(Denied::NoMembers);
        }
        match self.roster.state() {
            ListState::Active => Ok(()),
            closed => Err(Denied::Closed(closed)),
        }
    }

    /// Whether a token is good for where the request leads: a sign-in to the app is none to the
    /// workspace, nor the other way round.
    pub(crate) fn is_good_for(&self, verified: &Verified, place: Place) -> bool {
        let is_apps = |audience: &str| self.app_audiences.iter().any(|apps| apps == audience);
        let wants_apps = place == Place::App(Way::Host);
        self.app_audiences.is_empty() || verified.audiences().any(|audience| is_apps(audience) == wants_apps)
    }

    async fn visitor(&self, ask: Ask<'_>) -> Result<Visitor, Denied> {
        if ask.place == Place::Workspace && is_public(ask.path, &self.public_paths) {
            return Ok(Visitor::Public);
        }
        if ask.place == Place::App(Way::Host) && self.sharing.is_shared() {
            return Ok(self.visitor_of_all(ask).await);
        }
        let verified = match self.identities.identify(ask.headers).await {
            // Only without any assertion: a bad one is not rescued.
            Err(Denied::Unidentified) => return self.emergency_visitor(ask.headers, ask.source).await,
            identified => identified?,
        };
        self.visitor_by(verified, ask.place).await
    }

    /// Who shows an assertion, if they belong and it is good for where the request leads.
    async fn visitor_by(&self, verified: Arc<Verified>, place: Place) -> Result<Visitor, Denied> {
        if !self.is_good_for(&verified, place) {
            return Err(Denied::Assertion(Refusal::Audience));
        }
        self.standing(verified).await
    }

    /// Whom the app is shown to where it is shared: those who belong are known to it as ever, and all
    /// others are nobody, whatever they show. Credentials of the emergency door open nothing here that is
    /// not open, so they are not judged, and nobody spends its attempts.
    async fn visitor_of_all(&self, ask: Ask<'_>) -> Visitor {
        let known = match self.identities.identify(ask.headers).await {
            Ok(verified) => self.visitor_by(verified, ask.place).await,
            Err(denied) => Err(denied),
        };
        known.unwrap_or(Visitor::Shared)
    }

    /// What lasts as long as this visitor may stay.
    fn stay(&self, visitor: &Visitor) -> Result<Arc<CancellationToken>, Denied> {
        let stay = self.roster.stay(visitor.member());
        match visitor {
            // It may have been closed since.
            Visitor::Shared => self.sharing.stay(stay).ok_or(Denied::Unidentified),
            _ => Ok(stay),
        }
    }

    /// When what has no end of its own must end because the visitor would no longer be let in: the
    /// token has expired, the guest's time is up, or the emergency session is over.
    fn end_of(&self, visitor: &Visitor, leave: Option<Leave>, headers: &HeaderMap) -> Option<Instant> {
        let until = match visitor {
            Visitor::Member(verified) | Visitor::Service(verified) => verified.expires().saturating_add(LEEWAY).ok()?,
            Visitor::Emergency(_) => self.emergency.as_ref()?.lets_stay_until(headers),
            Visitor::Public | Visitor::Shared => return None,
        };
        let until = leave.map_or(until, |leave| until.min(leave.until));
        let left = until.duration_since(self.identities.clock.now());
        Instant::now().checked_add(Duration::try_from(left).unwrap_or(Duration::ZERO))
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

impl Ask<'_> {
    /// Whether the application may take it for more than a look. What is said through a tunnel can't be known.
    fn may_change_something(&self) -> bool {
        let looks = matches!(*self.method, Method::GET | Method::HEAD | Method::OPTIONS);
        !looks || self.headers.contains_key(UPGRADE)
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
    pub(crate) fn stay(&self) -> &Arc<CancellationToken> {
        &self.stay
    }

    /// When a tunnel or an event stream must end, however it is used; `None` for those that may last.
    pub(crate) fn endless_until(&self) -> Option<Instant> {
        self.endless_until
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
            Self::OnlyLooks => "guest-only-looks",
            Self::Closed(ListState::Deleting) => "deleting",
            Self::Closed(_) => "suspended",
            Self::EmergencyUnreadable => "emergency-unreadable",
            Self::EmergencyWrong => "emergency-wrong",
            Self::EmergencyThrottled(_) => "emergency-throttled",
        }
    }
}
