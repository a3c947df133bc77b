//! Knocks at doors, at a bounded rate.

use std::time::Duration;

use access::protocol::{ASSERTION, ASSERTION_COOKIE, HEALTH, REFUSED_BY};
use access::{Seal, TestIdentity, app_site};
use domain::InstanceState;
use edge::Trial;
use providers::compute::{Door, Health};
use reqwest::header::{ACCEPT, COOKIE, HOST, HeaderName, HeaderValue, LOCATION, USER_AGENT};
use reqwest::{RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::trial::{Power, Trick, Way};
use super::verdict::{Answer, Reason, Sight, Verdict, after_all, at_first_sight};
use crate::app::Core;
use crate::error::AppError;
use crate::instances::Instance;

/// Between two knocks. There is one round at a time, so this bounds what all instances together are asked.
const PACE: Duration = Duration::from_millis(25);
const PATIENCE: Duration = Duration::from_secs(5);

/// What is asked for: the application's, so that whoever is admitted meets the application. No path of ours, and
/// none that anybody would make public.
const BEHIND_THE_WALL: &str = "/-/isolation";
/// Where a guard says whom it sees. Asking is no use of the application.
const WHO_AM_I: &str = "/-/access/whoami";
const NAME: HeaderValue = HeaderValue::from_static("spinoff-isolation");
const NOBODYS: &str = "isolation.invalid";
const NOBODYS_ISSUER: &str = "https://isolation.invalid";

/// An instance with all the ways to it.
pub(super) struct Party {
    instance: Instance,
    identity: TestIdentity,
    audience: String,
    door: Door,
}

/// Somebody else's test identity, which was seen to be good at home.
pub(super) struct Neighbour {
    pub instance: domain::InstanceId,
    identity: TestIdentity,
    audience: String,
}

impl Party {
    /// Finds the ways to an instance, without waking it.
    pub(super) async fn find(core: &Core, instance: Instance) -> Result<Result<Self, Reason>, AppError> {
        if instance.state != InstanceState::Active {
            return Ok(Err(Reason::NotOpen));
        }
        let seen = instance.observed.as_ref().map(|observed| observed.observation.health);
        if seen == Some(Health::Asleep) {
            return Ok(Err(Reason::Asleep));
        }
        let hostname = core.hostname(&instance.subdomain);
        let door = match core.drivers.compute.door(&instance.project, &hostname).await {
            Ok(Some(door)) if door.asleep => return Ok(Err(Reason::Asleep)),
            Ok(Some(door)) => door,
            Ok(None) | Err(_) => return Ok(Err(Reason::NoWay)),
        };
        let audiences = core.drivers.edge.audiences(instance.id).await.unwrap_or_default();
        let Some(audience) = audiences.into_iter().next() else { return Ok(Err(Reason::NoWay)) };
        let identity = TestIdentity::of(instance.id).map_err(AppError::internal)?;
        Ok(Ok(Self { instance, identity, audience, door }))
    }

    /// Its own identity, for trials elsewhere.
    pub(super) fn as_neighbour(&self) -> Neighbour {
        let (identity, audience) = (self.identity.clone(), self.audience.clone());
        Neighbour { instance: self.instance.id, identity, audience }
    }

    /// Whether a door lets in who belongs there; where nobody can be made to belong, whether the guard answers at all.
    pub(super) async fn lets_its_own_in(&self, core: &Core, power: Power, way: Way) -> Result<(), Reason> {
        if power == Power::Forgeries {
            let health = body(self.ask(core, way, HEALTH, None).await?).await?;
            return if health["guard"] == "ok" { Ok(()) } else { Err(Reason::NotShownHere) };
        }
        let audience = side(&self.audience, way.is_apps());
        let trial = Trial { audience: &audience, issuer: None, seal: Seal::Genuine, is_expired: false };
        let token = core.gate.token_for_trial(&self.identity, &trial).map_err(|_| Reason::NotShownHere)?;
        let seen = body(self.ask(core, way, WHO_AM_I, Some(&token)).await?).await?;
        if seen["email"] != self.identity.email().as_str() {
            return Err(Reason::NotShownHere);
        }
        if seen["member"] == true { Ok(()) } else { Err(Reason::NotToldYet) }
    }

    /// Tries to get in.
    ///
    /// # Errors
    /// When no token could be signed.
    pub(super) async fn tried(
        &self,
        core: &Core,
        power: Power,
        way: Way,
        (trick, neighbour): (Trick, Option<&Neighbour>),
    ) -> Result<Verdict, AppError> {
        let issuer = core.drivers.edge.issuer();
        let login = (power == Power::Forgeries && !way.is_bare()).then_some(issuer.as_str());
        let look = async || {
            let token = self.token(core, &issuer, way, trick, neighbour)?;
            let answer = self.ask(core, way, BEHIND_THE_WALL, token.as_ref()).await;
            Ok::<_, AppError>(at_first_sight(&answer.map_or(Answer::Silence, |answer| said(&answer)), login))
        };
        let status = match look().await? {
            Sight::Plain(verdict) => return Ok(verdict),
            Sight::Unclear { status } => status,
        };
        if way.is_apps() && core.gate.lets_apps_be_shared() && self.is_shared(core, way).await {
            return Ok(Verdict::NotTried(Reason::Shared));
        }
        let is_there = self.lets_its_own_in(core, power, way).await.is_ok();
        Ok(after_all(status, is_there, look().await?))
    }

    /// Whether the guard says that the app behind a door is shown to everybody. It answers for its health itself.
    async fn is_shared(&self, core: &Core, way: Way) -> bool {
        let asked = async { body(self.ask(core, way, HEALTH, None).await?).await };
        asked.await.is_ok_and(|health| health["guard"] == "ok" && health["app"] == "shared")
    }

    fn token(
        &self,
        core: &Core,
        issuer: &str,
        way: Way,
        trick: Trick,
        neighbour: Option<&Neighbour>,
    ) -> Result<Option<SecretString>, AppError> {
        let here = side(&self.audience, way.is_apps());
        let trial = Trial { audience: &here, issuer: Some(issuer), seal: Seal::Genuine, is_expired: false };
        let identity = neighbour.map_or(&self.identity, |neighbour| &neighbour.identity);
        let elsewhere = neighbour.map_or_else(String::new, |neighbour| side(&neighbour.audience, way.is_apps()));
        let other_side = side(&self.audience, !way.is_apps());
        let trial = match trick {
            Trick::Nobody => return Ok(None),
            Trick::SignInElsewhere => Trial { audience: &elsewhere, ..trial },
            Trick::SignInHere => trial,
            Trick::Expired => Trial { is_expired: true, ..trial },
            Trick::OtherAudience => Trial { audience: NOBODYS, ..trial },
            Trick::OtherIssuer => Trial { issuer: Some(NOBODYS_ISSUER), ..trial },
            Trick::Tampered => Trial { seal: Seal::Tampered, ..trial },
            Trick::Unsigned => Trial { seal: Seal::Missing, ..trial },
            Trick::OtherSide => Trial { audience: &other_side, ..trial },
        };
        Ok(Some(core.gate.token_for_trial(identity, &trial)?))
    }

    async fn ask(&self, core: &Core, way: Way, path: &str, token: Option<&SecretString>) -> Result<Response, Reason> {
        tokio::time::sleep(PACE).await;
        let mut request = self.request(core, way, path).header(ACCEPT, "application/json").header(USER_AGENT, NAME);
        if let Some(token) = token {
            let (name, text) = shown(way, token);
            let mut value = HeaderValue::try_from(text).map_err(|_| Reason::Unreachable)?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        request.timeout(PATIENCE).send().await.map_err(|_| Reason::Unreachable)
    }

    fn request(&self, core: &Core, way: Way, path: &str) -> RequestBuilder {
        let placed = |host: &str| if way.is_apps() { app_site::hostname_of(host) } else { host.to_owned() };
        if way.is_bare() {
            return self.door.http.get(format!("{}{path}", self.door.url)).header(HOST, placed(&self.door.host));
        }
        let subdomain = &self.instance.subdomain;
        match core.settings.probe_address {
            Some(address) => {
                let host = placed(&core.shown_hostname(subdomain));
                core.http.get(format!("http://{address}{path}")).header(HOST, host)
            }
            None => core.http.get(format!("{}{path}", core.instance_url(subdomain))),
        }
    }
}

/// How a sign-in is shown: to an edge by a browser's cookie, to a guard as an edge does it.
fn shown(way: Way, token: &SecretString) -> (HeaderName, String) {
    if way.is_bare() {
        (ASSERTION, token.expose_secret().to_owned())
    } else {
        (COOKIE, format!("{ASSERTION_COOKIE}={}", token.expose_secret()))
    }
}

fn side(audience: &str, is_apps: bool) -> String {
    if is_apps { app_site::audience_of(audience) } else { audience.to_owned() }
}

fn said(answer: &Response) -> Answer {
    let header = |name: HeaderName| {
        let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
        value.map(str::to_owned)
    };
    Answer::Said { status: answer.status().as_u16(), refused_by: header(REFUSED_BY), location: header(LOCATION) }
}

/// What a guard says of itself.
async fn body(answer: Response) -> Result<Value, Reason> {
    // A health page says so also while the application is not well.
    let is_guards = matches!(answer.status(), StatusCode::OK | StatusCode::SERVICE_UNAVAILABLE);
    let text = answer.text().await.map_err(|_| Reason::Unreachable)?;
    let document = serde_json::from_str(&text).ok().filter(|_| is_guards);
    document.ok_or(Reason::NotShownHere)
}
