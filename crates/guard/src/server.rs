//! How a request reaches the application, in five phases: read, admit, account, forward, answer.

use std::sync::Arc;
use std::time::Duration;

use access::protocol::REFUSED_BY;
use http::header::{CONNECTION, HOST, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use proxy::{Body, ForwardError, Upstream};
use tokio::time::Instant;
use world::Clock;

use crate::access_log::AccessLog;
use crate::activity::{Account, Activity, Meter, application_report};
use crate::admit::Admitted;
use crate::answers::Form;
use crate::app_site::{self, AppSite, Place, Way};
use crate::application::Application;
use crate::cookies;
use crate::cross_site;
use crate::custody::Custody;
use crate::gate::{Ask, Denied, Gate, Pass};
use crate::headers::{self, Origin};
use crate::keyring::Keyring;
use crate::member_push::MemberPush;
use crate::metrics::Metrics;
use crate::model::Model;
use crate::notices;
use crate::observed::Observed;
use crate::own::{self, Own};
use crate::peers::{Peer, TrustedProxies};
use crate::routed;
use crate::visitor::Visitor;

/// The rule about requests that pages of other hostnames have browsers send.
pub(crate) const FROM_ANOTHER_SITE: &str = "from-another-site";

/// The decision against a request.
const REFUSED: &str = "refused";

/// Of requests for what no application is asked for.
const METHOD: &str = "method";

/// Everything a request meets.
pub(crate) struct Guard {
    pub(crate) gate: Gate,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) application: Arc<Application>,
    /// What this deployment is called.
    pub(crate) release: Option<String>,
    pub(crate) upstream: Upstream,
    pub(crate) app_site: AppSite,
    pub(crate) trusted_proxies: Arc<TrustedProxies>,
    /// Whether a router says by which host the visitor asked.
    pub(crate) behind_router: bool,
    pub(crate) member_push: MemberPush,
    /// Of what the application keeps, where there is a main instance that could order something.
    pub(crate) custody: Option<Custody>,
    pub(crate) meter: Meter,
    pub(crate) activity: Arc<Activity>,
    /// Whether the application reports use here, and not at an address of its own.
    pub(crate) takes_reports: bool,
    /// The model that the application may ask, where there is one.
    pub(crate) model: Option<Arc<Model>>,
    pub(crate) access_log: AccessLog,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Clock,
}

/// What became of a request.
pub(crate) struct Outcome {
    pub(crate) answer: Response<Body>,
    pub(crate) who: Option<String>,
    pub(crate) decision: &'static str,
    pub(crate) reason: &'static str,
    /// How long the application took to begin its answer, if it was asked.
    pub(crate) application: Option<Duration>,
}

enum Kind {
    Own(Own, Request<Incoming>, Origin),
    Report(Request<Incoming>),
    Question(Arc<Model>, Request<Incoming>),
    Visit(Visit),
}

/// A well-formed request for the application, from nobody knows whom yet.
struct Visit {
    request: Request<Incoming>,
    host: HeaderValue,
    origin: Origin,
    place: Place,
}

/// Why a request is not even looked at: nothing about who sent it.
pub(crate) struct Malformed(&'static str);

impl Guard {
    /// Serves one request; each is decided anew, also on a kept connection.
    pub(crate) async fn serve(self: Arc<Self>, peer: Peer, mut request: Request<Incoming>) -> Response<Body> {
        let restored = if self.behind_router { routed::restore(&mut request) } else { Ok(()) };
        let issuer = self.gate.identities.verifier.issuer();
        let origin = headers::origin(request.headers(), peer, &self.trusted_proxies, issuer);
        let observed = Observed::begin(Arc::clone(&self), origin.client, &request);
        let form = Form::preferred(request.headers());
        let outcome = match restored.and_then(|()| self.read(peer, origin, request)) {
            Err(Malformed(why)) => {
                let notice = if why == METHOD { notices::not_served() } else { notices::malformed() };
                let mut answer = notice.answer(form);
                // What comes next on this connection can't be trusted to be a request.
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                Outcome::refused(answer, why)
            }
            Ok(Kind::Own(own, request, origin)) => own::answer(&self, own, request, &origin, form).await,
            Ok(Kind::Report(request)) => application_report::take(&self.meter, request.into_body()).await,
            Ok(Kind::Question(model, request)) => Outcome::own(model.answer(request).await),
            Ok(Kind::Visit(visit)) => self.visit(visit, form).await,
        };
        observed.end(outcome.signed())
    }

    async fn visit(&self, visit: Visit, form: Form) -> Outcome {
        let Visit { request, host, origin, place } = visit;
        let (method, path, headers) = (request.method(), request.uri().path(), request.headers());
        let ask = Ask { method, path, headers, place, source: origin.client };
        let pass = match self.gate.decide(ask).await {
            Ok(pass) => pass,
            Err(denied) => return Outcome::denied(denied, form),
        };
        if self.is_anothers_wish(&pass, place, &request) {
            let refused = Outcome::refused(notices::from_another_site().answer(form), FROM_ANOTHER_SITE);
            return Outcome { who: pass.visitor().name().map(str::to_owned), ..refused };
        }
        if self.rests() {
            let waits = Outcome::refused(notices::resting().answer(form), "application-rests");
            return Outcome { who: pass.visitor().name().map(str::to_owned), ..waits };
        }
        if place == Place::App(Way::BarePrefix) {
            return Outcome::own(self.app_site.to_prefix(request.uri()));
        }
        let inward = self.app_site.inward(place, request);
        let prepared = inward.and_then(|request| Admitted::prepare(pass, request, &origin, host, &self.activity));
        let mut admitted = match prepared {
            Ok(admitted) => admitted,
            Err(_) => return Outcome::refused(notices::malformed().answer(form), "target"),
        };
        let account = Account::open(&mut admitted, &self.meter);
        let visitor = admitted.visitor().clone();
        let sent = Instant::now();
        let forwarded = self.forward(place, admitted).await;
        let application = Some(sent.elapsed());
        if forwarded.is_ok() {
            account.note(&self.meter);
        }
        Outcome { application, ..self.answer(place, forwarded, &visitor, form) }
    }

    /// Whether the application rests, so that visitors wait.
    pub(crate) fn rests(&self) -> bool {
        self.custody.as_ref().is_some_and(Custody::rests)
    }

    /// Phase 1: what is asked, without regard to who asks. Anything that two servers could read
    /// differently ends here.
    fn read(&self, peer: Peer, origin: Origin, request: Request<Incoming>) -> Result<Kind, Malformed> {
        if self.takes_reports
            && application_report::is_report(peer.address, request.method(), request.uri(), request.headers())
        {
            return Ok(Kind::Report(request));
        }
        if let Some(model) = self.model.as_ref().filter(|_| self.takes_reports)
            && application_report::is_question(peer.address, request.uri(), request.headers())
        {
            return Ok(Kind::Question(Arc::clone(model), request));
        }
        let own = Own::named_by(request.method(), request.uri());
        // Without an emergency door its address is like any other, and so are those of orders where nobody gives any.
        let is_taken = |own: &Own| match own {
            Own::Emergency => self.gate.emergency.is_some(),
            Own::Order(_) => self.custody.is_some(),
            _ => true,
        };
        if let Some(own) = own.filter(is_taken) {
            return Ok(Kind::Own(own, request, origin));
        }
        if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
            return Err(Malformed(METHOD));
        }
        let host = only_host(&request)?;
        let place = self.app_site.place(&host, request.uri()).map_err(|_| Malformed("dot-segments"))?;
        Ok(Kind::Visit(Visit { request, host, origin, place }))
    }

    /// Whether a page of another hostname has the visitor's browser send this. What is open to everybody is so
    /// for such pages too.
    fn is_anothers_wish(&self, pass: &Pass, place: Place, request: &Request<Incoming>) -> bool {
        let matters = cross_site::acts(request) || self.app_site.reaches_across(place, request.headers());
        !pass.visitor().is_nobody() && matters && cross_site::is_from_elsewhere(request)
    }

    /// Phase 4: the only way to the application, and to the app that it makes.
    async fn forward(&self, place: Place, admitted: Admitted) -> Result<Response<Body>, ForwardError> {
        match place {
            Place::Workspace => self.upstream.forward(admitted.into_outbound()).await,
            Place::App(way) => self.app_site.forward(way, admitted).await,
        }
    }

    /// Phase 5: the application's answer, or why there is none.
    fn answer(
        &self,
        place: Place,
        mut forwarded: Result<Response<Body>, ForwardError>,
        visitor: &Visitor,
        form: Form,
    ) -> Outcome {
        if let Ok(answer) = &mut forwarded {
            answer.headers_mut().remove(&REFUSED_BY);
        }
        let (answer, reason) = match forwarded {
            Ok(answer) if place != Place::Workspace => (answer, ""),
            Err(error) if place != Place::Workspace => app_site::no_answer(&error, visitor, form),
            Ok(mut answer) => {
                self.application.is_ready();
                cookies::strip_answer(answer.headers_mut());
                (answer, "")
            }
            Err(ForwardError::Unreachable(_)) if !self.application.was_ready() => {
                (notices::starting().answer(form), "application-starting")
            }
            Err(error) => {
                tracing::warn!(%error, "The application gave no answer");
                (notices::no_answer(&error).answer(form), "application-failed")
            }
        };
        let reason = if reason.is_empty() { visitor.exception() } else { reason };
        Outcome {
            answer,
            who: visitor.name().map(str::to_owned),
            decision: visitor.decision(),
            reason,
            application: None,
        }
    }
}

impl Outcome {
    /// The guard's word to somebody who may not pass.
    pub(crate) fn denied(denied: Denied, form: Form) -> Self {
        let mut outcome = Self::refused(notices::denied(&denied).answer(form), denied.rule());
        match denied {
            Denied::Stranger(email) => outcome.who = Some(email.to_string()),
            // No page that asks again by itself: the browser would send its credentials again.
            Denied::EmergencyThrottled(wait) => {
                let seconds = HeaderValue::from(notices::whole_seconds(wait));
                outcome.answer.headers_mut().insert(RETRY_AFTER, seconds);
            }
            _ => {}
        }
        outcome
    }

    pub(crate) fn refused(answer: Response<Body>, reason: &'static str) -> Self {
        Self { answer, who: None, decision: REFUSED, reason, application: None }
    }

    /// Says of a refusal whose it is.
    pub(crate) fn signed(mut self) -> Self {
        if self.decision == REFUSED {
            self.answer.headers_mut().insert(REFUSED_BY, HeaderValue::from_static("guard"));
        }
        self
    }

    pub(crate) fn own(answer: Response<Body>) -> Self {
        Self { answer, who: None, decision: "own", reason: "", application: None }
    }
}

impl Malformed {
    pub(crate) const HOST: Self = Self("host");
}

/// The host of a request that names exactly one, wherever it does.
pub(crate) fn only_host<B>(request: &Request<B>) -> Result<HeaderValue, Malformed> {
    let mut hosts = request.headers().get_all(HOST).into_iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(Malformed::HOST) };
    let text = host.to_str().map_err(|_| Malformed::HOST)?;
    let agrees = request.uri().authority().is_none_or(|target| target.as_str().eq_ignore_ascii_case(text));
    if is_plausible(text) && agrees { Ok(host.clone()) } else { Err(Malformed::HOST) }
}

/// Whether it could be a host and perhaps a port.
pub(crate) fn is_plausible(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte))
}
