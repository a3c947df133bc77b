//! The tokens that were issued, for as long as they are good.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use world::Entropy;

use super::super::envelope::Refusal;
use super::super::ids;
use super::super::state::State;
use super::duration;

/// The team's own sign-in lasts for so long where the organisation says nothing else.
pub(super) const USUAL: SignedDuration = SignedDuration::from_hours(24);

/// Tokens are looked up and not verified: only those that were issued here can be found.
#[derive(Debug)]
pub(super) struct Sessions {
    apps: HashMap<String, Session>,
    team: HashMap<String, Session>,
    /// The audience of the team's own tokens.
    team_audience: String,
}

#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) email: String,
    /// Empty for the team's own.
    app: String,
    kid: String,
    expires: Timestamp,
}

impl Sessions {
    pub(super) fn new(entropy: &Entropy) -> Self {
        Self { apps: HashMap::new(), team: HashMap::new(), team_audience: ids::hex_of::<32>(entropy) }
    }

    pub(super) fn end_of_person(&mut self, email: &str) {
        self.apps.retain(|_, session| session.email != email);
        self.team.retain(|_, session| session.email != email);
    }

    pub(super) fn end_of_app(&mut self, app: &str) {
        self.apps.retain(|_, session| session.app != app);
    }
}

impl State {
    /// Whose token opens an application, if it is one that does.
    pub(super) fn session_at(&mut self, token: &str, app: &str) -> Option<Session> {
        self.app_session(token).filter(|session| session.app == app)
    }

    /// Whose token it is, whatever application it opens.
    pub(super) fn app_session(&mut self, token: &str) -> Option<Session> {
        self.access.keys.turn(self.now);
        let session = self.access.sessions.apps.get(token)?;
        self.is_good(session).then(|| session.clone())
    }

    /// Whose token it is at the team domain.
    pub(super) fn team_session(&mut self, token: &str) -> Option<Session> {
        self.access.keys.turn(self.now);
        let session = self.access.sessions.team.get(token)?;
        self.is_good(session).then(|| session.clone())
    }

    fn is_good(&self, session: &Session) -> bool {
        self.now < session.expires && self.access.keys.holds(&session.kid)
    }

    /// Issues a token of a person for an application.
    pub(super) fn issue(&mut self, email: &str, app: &str, lasts: SignedDuration) -> Result<String, Refusal> {
        self.access.keys.turn(self.now);
        let key = self.access.keys.signing()?;
        let aud = self.access.apps.get(app).ok_or_else(|| Refusal::unknown("application"))?.aud();
        let subject = self.person(email).map(|(_, person)| person.subject.clone()).unwrap_or_default();
        let now = self.now.as_second();
        let token = key.sign(&json!({
            "aud": [aud], "email": email, "exp": now + lasts.as_secs(), "iat": now, "nbf": now,
            "iss": self.settings.team_url, "type": "app", "identity_nonce": ids::hex_of::<8>(&self.entropy),
            "sub": subject, "country": "US", "custom": {},
        }))?;
        let session = Session {
            email: email.to_owned(),
            app: app.to_owned(),
            kid: key.kid().to_owned(),
            expires: self.now + lasts,
        };
        self.access.sessions.apps.insert(token.clone(), session);
        Ok(token)
    }

    /// Issues the team's own token of a person. It is of the kind that an origin must refuse.
    pub(super) fn issue_for_team(&mut self, email: &str) -> Result<String, Refusal> {
        self.access.keys.turn(self.now);
        let key = self.access.keys.signing()?;
        let lasts = self.team_duration();
        let subject = self.person(email).map(|(_, person)| person.subject.clone()).unwrap_or_default();
        let now = self.now.as_second();
        let token = key.sign(&json!({
            "aud": [self.access.sessions.team_audience], "email": email, "exp": now + lasts.as_secs(), "iat": now,
            "nbf": now, "iss": self.settings.team_url, "type": "org",
            "identity_nonce": ids::hex_of::<8>(&self.entropy), "sub": subject,
        }))?;
        let (email, kid) = (email.to_owned(), key.kid().to_owned());
        let session = Session { email, app: String::new(), kid, expires: self.now + lasts };
        self.access.sessions.team.insert(token.clone(), session);
        Ok(token)
    }

    /// Issues the token of a program for an application. It is made anew for each request.
    pub(super) fn issue_for_service(&mut self, client_id: &str, aud: &str) -> Result<String, Refusal> {
        self.access.keys.turn(self.now);
        let now = self.now.as_second();
        self.access.keys.signing()?.sign(&json!({
            "type": "app", "aud": [aud], "exp": now + USUAL.as_secs(), "iss": self.settings.team_url,
            "common_name": client_id, "iat": now, "sub": "",
        }))
    }

    pub(super) fn team_duration(&self) -> SignedDuration {
        let set = self.access.organization.as_ref().and_then(|organization| organization.session_duration());
        set.and_then(duration::parse).unwrap_or(USUAL)
    }
}
