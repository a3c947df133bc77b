//! Takes member lists that the main instance pushes. A list proves itself by its signature, but only
//! once it has been read, so what may be read is bounded: one list at a time, and where the guard has
//! a token of the main instance's, only from whoever knows it.

use std::time::Duration;

use access::{SignedMembers, pushed};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use proxy::Body;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use crate::answers::{Form, Notice, bare};
use crate::roster::{NotTaken, Roster};
use crate::server::Outcome;

/// Signed lists are small; this holds tens of thousands of members.
const MAX_LIST: usize = 1024 * 1024;
/// For a pushed list to arrive.
const PUSH_TIME: Duration = Duration::from_secs(10);
const RETRY_SECONDS: u8 = 1;
const TITLE: &str = "The member list was not taken";

/// The way in for lists.
pub(crate) struct MemberPush {
    /// Without one the signature has to do.
    token: Option<SecretString>,
    reading: Semaphore,
}

impl MemberPush {
    pub(crate) fn new(token: Option<SecretString>) -> Self {
        Self { token, reading: Semaphore::new(1) }
    }

    /// Takes a list.
    pub(crate) async fn take(&self, roster: &Roster, request: Request<Incoming>) -> Outcome {
        if !roster.takes_signed_lists() {
            return Outcome::refused(problem(StatusCode::NOT_FOUND, &NotTaken::NotConfigured), "no-signed-lists");
        }
        if !self.is_from_main(request.headers()) {
            let detail = "Lists are taken from the main instance only, which proves what it is.";
            let answer = Notice::new(StatusCode::UNAUTHORIZED, TITLE, detail).answer(Form::Json);
            return Outcome::refused(answer, "list-unproven");
        }
        let Ok(_reading) = self.reading.try_acquire() else {
            let notice = Notice::new(StatusCode::TOO_MANY_REQUESTS, TITLE, "Another one is being read.");
            return Outcome::refused(notice.retrying(RETRY_SECONDS).answer(Form::Json), "list-beside-another");
        };
        let reading = Limited::new(request.into_body(), MAX_LIST).collect();
        let Ok(Ok(body)) = tokio::time::timeout(PUSH_TIME, reading).await else {
            return Outcome::refused(bare(StatusCode::BAD_REQUEST), "list-unreadable");
        };
        let Ok(signed) = serde_json::from_slice::<SignedMembers>(&body.to_bytes()) else {
            return Outcome::refused(bare(StatusCode::BAD_REQUEST), "list-malformed");
        };
        let (status, rule) = match roster.apply(&signed) {
            Ok(()) => return Outcome::own(bare(StatusCode::NO_CONTENT)),
            Err(error @ NotTaken::Older) => (problem(StatusCode::CONFLICT, &error), "list-older"),
            Err(error @ NotTaken::Disk) => (problem(StatusCode::SERVICE_UNAVAILABLE, &error), "list-not-kept"),
            Err(error) => (problem(StatusCode::FORBIDDEN, &error), "list-not-believed"),
        };
        Outcome::refused(status, rule)
    }

    fn is_from_main(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return false };
        let proof = value.as_bytes().strip_prefix(b"Bearer ");
        proof.is_some_and(|proof| pushed::is_proof(proof, token.expose_secret()))
    }
}

fn problem(status: StatusCode, error: &NotTaken) -> Response<Body> {
    Notice::new(status, TITLE, error.to_string()).answer(Form::Json)
}
