//! Questions go out, and answers come back as they arrive.
//!
//! A question has a task of its own from the moment it is paid for: who leaves must not keep its end from being written
//! down. An answer whose reader left is heard to its end, since only there the provider says what it took.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use domain::InstanceId;
use futures_util::stream;
use providers::model::{Answering, Unanswered};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::counter::Counter;
use super::meter::{self, Ended};
use super::question::{LARGEST, Question};
use super::{ModelGateway, Refused, Room};
use crate::app::{App, Core};

/// From the question to the end of the answer.
const LONGEST: Duration = Duration::from_mins(15);
/// For a question to arrive.
const ARRIVAL: Duration = Duration::from_secs(60);
/// How many pieces of an answer may wait for its reader; the provider waits with them.
const PIECES: usize = 16;

type Piece = Result<Bytes, std::io::Error>;

/// Answers a question of an instance.
pub(crate) async fn answer(app: &App, instance: InstanceId, question: Body) -> Result<Response, Refused> {
    let gateway = app.model.clone().ok_or_else(Refused::not_offered)?;
    let room = gateway.enter(instance).ok_or_else(|| Refused::too_many_at_once(gateway.settings().at_once))?;
    let arrived = tokio::time::timeout(ARRIVAL, to_bytes(question, LARGEST)).await;
    let raw = match arrived {
        Ok(Ok(raw)) => raw,
        Ok(Err(error)) if is_too_long(&error) => return Err(Refused::too_large(LARGEST)),
        _ => return Err(Refused::question("broken_off", "The question did not arrive whole.")),
    };
    let question = Question::parse(gateway.settings(), &raw)?;
    let (head, begun) = oneshot::channel();
    tokio::spawn(converse(Conversation { core: app.core(), gateway, instance, _room: room }, question, head));
    begun.await.unwrap_or_else(|_| Err(Refused::provider_failed()))
}

struct Conversation {
    core: Arc<Core>,
    gateway: ModelGateway,
    instance: InstanceId,
    _room: Room,
}

type Head = oneshot::Sender<Result<Response, Refused>>;

/// Whoever asked may be gone by the time something is told: then nobody hears it, and all else goes on.
async fn converse(with: Conversation, question: Question, head: Head) {
    let (core, gateway) = (&with.core, &with.gateway);
    let reserved = match meter::reserve(core, gateway, with.instance, &question).await {
        Ok(reserved) => reserved,
        Err(refused) => return drop(head.send(Err(refused))),
    };
    let (until, streams) = (Instant::now() + LONGEST, question.streams);
    let asking = gateway.0.provider.ask(question.answered_within(reserved.longest));
    let asked = timeout_at(until, asking).await;
    match asked.unwrap_or_else(|_| Err(Unanswered::Lost("it took too long".to_owned()))) {
        Ok(answering) => {
            let (pieces, passed_on) = mpsc::channel(PIECES);
            let _gone = head.send(Ok(response(&answering, passed_on)));
            let heard = listen(answering, &pieces, (until, streams)).await;
            // Before its reader sees the end, so that the next question finds what is left.
            meter::settle(core, &reserved, heard.ended).await;
            if let Some(why) = heard.broke_off {
                tracing::warn!(model_call.id = %reserved.id, "The answer to {} broke off: {why}", reserved.id);
                let _gone = timeout_at(until, pieces.send(Err(std::io::Error::other("the answer broke off")))).await;
            }
        }
        Err(unanswered) => {
            tracing::warn!(
                instance.id = %with.instance, model_call.id = %reserved.id,
                "The provider of models gave no answer to {}: {}", reserved.id, cause(&unanswered)
            );
            let ended = if matches!(unanswered, Unanswered::Lost(_)) { Ended::Uncounted } else { Ended::NotDone };
            meter::settle(core, &reserved, ended).await;
            let _gone = head.send(Err(in_words(&unanswered)));
        }
    }
}

/// What came of an answer.
struct Heard {
    ended: Ended,
    /// Why it did not come to its end.
    broke_off: Option<String>,
}

/// Passes an answer on until its end.
async fn listen(mut answering: Answering, pieces: &mpsc::Sender<Piece>, (until, streams): (Instant, bool)) -> Heard {
    let mut counter = Counter::new(streams);
    let broke_off = loop {
        let next = timeout_at(until, answering.next()).await.unwrap_or_else(|_| Err("it took too long".to_owned()));
        match next {
            Ok(Some(piece)) => {
                counter.hear(&piece);
                // Without a reader it is heard all the same.
                let _gone = timeout_at(until, pieces.send(Ok(piece))).await;
            }
            Ok(None) => break None,
            Err(why) => break Some(why),
        }
    };
    Heard { ended: counter.told().map_or(Ended::Uncounted, Ended::Counted), broke_off }
}

fn response(answering: &Answering, mut pieces: mpsc::Receiver<Piece>) -> Response {
    let kind = answering.content_type().and_then(|kind| HeaderValue::from_str(kind).ok());
    let body = Body::from_stream(stream::poll_fn(move |context| pieces.poll_recv(context)));
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind.unwrap_or_else(|| HeaderValue::from_static("application/octet-stream")));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// For the operator.
fn cause(unanswered: &Unanswered) -> String {
    match unanswered {
        Unanswered::Unreachable(why) => format!("it can't be reached ({why}); look at [model] provider_url"),
        Unanswered::Lost(why) => format!("{why}; it counts with the most it can have cost"),
        Unanswered::Refused { status: status @ (401 | 403), said, .. } => {
            format!("it refuses the key ({status}): {said}; look at [model] key")
        }
        Unanswered::Refused { status, said, .. } => format!("it says {status}: {said}"),
    }
}

/// For whoever asked. What is between operator and provider is not theirs.
fn in_words(unanswered: &Unanswered) -> Refused {
    match unanswered {
        Unanswered::Unreachable(_) => Refused::provider_failed(),
        Unanswered::Lost(_) => Refused::provider_is_silent(),
        Unanswered::Refused { status: 429, retry_after, .. } => Refused::provider_is_busy(*retry_after),
        Unanswered::Refused { status: 400 | 404 | 413 | 422, said, .. } => Refused::by_provider(said),
        Unanswered::Refused { .. } => Refused::provider_failed(),
    }
}

/// The limit stands at the end of a chain of causes.
fn is_too_long(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("length limit") {
            return true;
        }
        cause = error.source();
    }
    false
}

/// What a list of models says of each: `GET …/models`.
pub(crate) fn models(app: &App) -> Result<axum::Json<serde_json::Value>, Refused> {
    let gateway = app.model.as_ref().ok_or_else(Refused::not_offered)?;
    let one = |model: &super::OfferedModel| serde_json::json!({"id": model.name, "object": "model", "created": 0, "owned_by": "operator"});
    let all: Vec<_> = gateway.settings().models.iter().map(one).collect();
    Ok(axum::Json(serde_json::json!({"object": "list", "data": all})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_question_that_is_too_long_is_told_from_one_that_broke_off() {
        let long = to_bytes(Body::from("long"), 3).await;
        assert!(long.is_err_and(|error| is_too_long(&error)));
        let broken = Body::from_stream(stream::iter([Err::<Bytes, _>(std::io::Error::other("gone"))]));
        assert!(to_bytes(broken, 3).await.is_err_and(|error| !is_too_long(&error)));
    }
}
