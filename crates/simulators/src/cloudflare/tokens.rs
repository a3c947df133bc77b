use std::collections::{BTreeSet, HashMap};

use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::envelope::{Refusal, Reply};
use super::limits::Window;
use super::routes::Asked;
use super::state::State;

/// What a token opens, as the dashboard calls it. Writing includes reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// "DNS Write" on the zone.
    Dns,
    /// "Zone Settings Write" on the zone.
    ZoneSettings,
    /// "Access: Apps and Policies Write".
    AppsAndPolicies,
    /// "Access: Organizations, Identity Providers, and Groups Write".
    Organizations,
    /// "Access: Service Tokens Write".
    ServiceTokens,
    /// "Access: Audit Logs Read".
    AuditLogs,
    /// "Zero Trust: Seats Write".
    Seats,
}

impl Permission {
    /// All there are.
    pub const ALL: [Self; 7] = [
        Self::Dns,
        Self::ZoneSettings,
        Self::AppsAndPolicies,
        Self::Organizations,
        Self::ServiceTokens,
        Self::AuditLogs,
        Self::Seats,
    ];

    fn is_of_the_zone(self) -> bool {
        matches!(self, Self::Dns | Self::ZoneSettings)
    }
}

/// What a route asks of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Any token that works.
    Valid,
    /// Any permission on the zone.
    OnZone,
    /// This one.
    Of(Permission),
}

#[derive(Debug, Default)]
pub(super) struct Tokens(HashMap<String, Token>);

#[derive(Debug)]
pub(super) struct Token {
    id: String,
    permissions: BTreeSet<Permission>,
    granted: Timestamp,
    until: Option<Timestamp>,
    is_revoked: bool,
    pub(super) window: Window,
}

impl Tokens {
    pub(super) fn grant(
        &mut self,
        secret: &str,
        id: String,
        permissions: &[Permission],
        granted: Timestamp,
        until: Option<Timestamp>,
    ) {
        let permissions = permissions.iter().copied().collect();
        let token = Token { id, permissions, granted, until, is_revoked: false, window: Window::default() };
        self.0.insert(secret.to_owned(), token);
    }

    pub(super) fn revoke(&mut self, secret: &str) {
        if let Some(token) = self.0.get_mut(secret) {
            token.is_revoked = true;
        }
    }

    /// The token that a request bears, as far as it is one.
    pub(super) fn borne(&mut self, headers: &HeaderMap) -> Result<&mut Token, Refusal> {
        let Some(value) = headers.get(AUTHORIZATION) else {
            return Err(Refusal::new(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers"));
        };
        let secret = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        match self.0.get_mut(secret) {
            Some(token) if !token.is_revoked => Ok(token),
            _ => Err(invalid()),
        }
    }
}

impl Token {
    /// Whether it opens a route, at a moment.
    pub(super) fn check(&self, need: Need, now: Timestamp, lag: SignedDuration) -> Result<(), Refusal> {
        if now < self.granted + lag {
            return Err(invalid());
        }
        // An expired token still says of itself that it is.
        if need == Need::Valid {
            return Ok(());
        }
        if !self.works(now) {
            return Err(invalid());
        }
        match need {
            Need::Of(permission) if !self.permissions.contains(&permission) => Err(unauthorized(permission)),
            _ => Ok(()),
        }
    }

    pub(super) fn sees_the_zone(&self) -> bool {
        self.permissions.iter().any(|permission| permission.is_of_the_zone())
    }

    pub(super) fn about(&self, now: Timestamp) -> Value {
        let mut about = json!({ "id": self.id, "status": if self.works(now) { "active" } else { "expired" } });
        if let (Some(until), Some(fields)) = (self.until, about.as_object_mut()) {
            fields.insert("expires_on".into(), json!(until));
        }
        about
    }

    fn works(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// `GET /user/tokens/verify`
pub(super) fn verify(_: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    Ok(Reply::ok(asked.token.clone()))
}

fn invalid() -> Refusal {
    Refusal::new(403, 9109, "Invalid access token")
}

fn unauthorized(permission: Permission) -> Refusal {
    match permission {
        Permission::ZoneSettings => Refusal::new(403, 9109, "Unauthorized to access requested resource"),
        _ => Refusal::new(403, 10000, "Authentication error"),
    }
}
