//! How a request reaches the application, in five phases: read, admit, account, forward, answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, HOST};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use proxy::{Body, ForwardError, Upstream};
use tokio::time::Instant;

use crate::access_log::AccessLog;
use crate::admit::Admitted;
use crate::answers::Form;
use crate::application::Application;
use crate::frames::Frames;
use crate::gate::{Ask, Denied, Gate};
use crate::headers::{self, Origin};
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::notices;
use crate::observed::Observed;
use crate::own::{self, Own};
use crate::visitor::Visitor;

/// Everything a request meets.
pub(crate) struct Guard {
    pub(crate) gate: Gate,
    pub(crate) application: Application,
    pub(crate) upstream: Upstream,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) access_log: AccessLog,
    pub(crate) metrics: Metrics,
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
    Own(Own, Request<Incoming>),
    Visit(Visit),
}

/// A well-formed request for the application, from nobody knows whom yet.
struct Visit {
    request: Request<Incoming>,
    host: HeaderValue,
    origin: Origin,
}

/// Why a request is not even looked at: nothing about who sent it.
struct Malformed(&'static str);

impl Guard {
    /// Serves one request; each is decided anew, also on a kept connection.
    pub(crate) async fn serve(self: Arc<Self>, peer: SocketAddr, request: Request<Incoming>) -> Response<Body> {
        let origin = headers::origin(request.headers(), peer, self.gate.verifier.issuer());
        let observed = Observed::begin(Arc::clone(&self), origin.client, &request);
        let form = Form::preferred(request.headers());
        let outcome = match self.read(origin, request) {
            Err(Malformed(why)) => {
                let mut answer = notices::malformed().answer(form);
                // What comes next on this connection can't be trusted to be a request.
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                Outcome::refused(answer, why)
            }
            Ok(Kind::Own(own, request)) => own::answer(&self, own, request, form).await,
            Ok(Kind::Visit(visit)) => self.visit(visit, form).await,
        };
        observed.end(outcome)
    }

    async fn visit(&self, visit: Visit, form: Form) -> Outcome {
        let Visit { request, host, origin } = visit;
        let ask = Ask { path: request.uri().path(), headers: request.headers() };
        let pass = match self.gate.decide(ask).await {
            Ok(pass) => pass,
            Err(denied) => return self.refuse(denied, form),
        };
        let mut admitted = match Admitted::prepare(pass, request, &origin, host) {
            Ok(admitted) => admitted,
            Err(_) => return Outcome::refused(notices::malformed().answer(form), "target"),
        };
        self.account(&mut admitted);
        let (visitor, signal, asked) = (admitted.visitor().clone(), admitted.signal(), self.gate.clock.now());
        let sent = Instant::now();
        let forwarded = self.forward(admitted).await;
        let application = Some(sent.elapsed());
        // Asking an application that does not answer is no use of it: pages that wait for its start
        // ask again and again by themselves.
        if let (Some(signal), Ok(_)) = (signal, &forwarded) {
            self.ledger.record(signal, asked);
        }
        Outcome { application, ..self.answer(forwarded, &visitor, form) }
    }

    fn refuse(&self, denied: Denied, form: Form) -> Outcome {
        let mut outcome = Outcome::refused(notices::denied(&denied).answer(form), denied.rule());
        if let Denied::Stranger(email) = denied {
            outcome.who = Some(email.to_string());
        }
        outcome
    }

    /// Phase 1: what is asked, without regard to who asks. Anything that two servers could read
    /// differently ends here.
    fn read(&self, origin: Origin, request: Request<Incoming>) -> Result<Kind, Malformed> {
        if let Some(own) = Own::named_by(&request) {
            return Ok(Kind::Own(own, request));
        }
        if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
            return Err(Malformed("method"));
        }
        let host = only_host(&request)?;
        Ok(Kind::Visit(Visit { request, host, origin }))
    }

    /// Phase 3: what will be said through a tunnel is use as well.
    fn account(&self, admitted: &mut Admitted) {
        if let (true, Some(signal)) = (admitted.is_websocket(), admitted.visitor().signal()) {
            let (ledger, clock) = (Arc::clone(&self.ledger), self.gate.clock.clone());
            admitted.watch_tunnel(Box::new(Frames::new(move || ledger.record(signal, clock.now()))));
        }
    }

    /// Phase 4: the only way to the application.
    async fn forward(&self, admitted: Admitted) -> Result<Response<Body>, ForwardError> {
        self.upstream.forward(admitted.into_outbound()).await
    }

    /// Phase 5: the application's answer, or why there is none.
    fn answer(&self, forwarded: Result<Response<Body>, ForwardError>, visitor: &Visitor, form: Form) -> Outcome {
        let (answer, reason) = match forwarded {
            Ok(answer) => {
                self.application.is_ready();
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
        Outcome { answer, who: visitor.name().map(str::to_owned), decision: "admitted", reason, application: None }
    }
}

impl Outcome {
    pub(crate) fn refused(answer: Response<Body>, reason: &'static str) -> Self {
        Self { answer, who: None, decision: "refused", reason, application: None }
    }

    pub(crate) fn own(answer: Response<Body>) -> Self {
        Self { answer, who: None, decision: "own", reason: "", application: None }
    }
}

impl Malformed {
    const HOST: Self = Self("host");
}

/// The host of a request that names exactly one, wherever it does.
fn only_host(request: &Request<Incoming>) -> Result<HeaderValue, Malformed> {
    let mut hosts = request.headers().get_all(HOST).into_iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(Malformed::HOST) };
    let text = host.to_str().map_err(|_| Malformed::HOST)?;
    let plausible =
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte));
    let agrees = request.uri().authority().is_none_or(|target| target.as_str().eq_ignore_ascii_case(text));
    if plausible && agrees { Ok(host.clone()) } else { Err(Malformed::HOST) }
}

/// Statuses for what the application did not do.
pub(crate) fn status_of(error: &ForwardError) -> StatusCode {
    match error {
        ForwardError::ConnectTimedOut | ForwardError::AnswerTimedOut => StatusCode::GATEWAY_TIMEOUT,
        ForwardError::ClientBrokeOff(_) => StatusCode::BAD_REQUEST,
        ForwardError::Unreachable(_) | ForwardError::Broken(_) | ForwardError::UnexpectedUpgrade => {
            StatusCode::BAD_GATEWAY
        }
    }
}
