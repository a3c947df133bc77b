//! A rehearsal without a model: a small provider inside the program that plays a recorded project.
//!
//! It listens on a loopback port and speaks the same protocol as any provider, so the client is the
//! same code. It remembers nothing: what it answers follows from the question alone.

mod player;
mod recording;

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::response::sse::{Event, Sse};
use axum::routing::post;
use axum::{Json, Router};
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::price::estimate;
use super::setup::{BaseUrl, Setup};
use player::Reply;

/// The name of the model that is played.
pub const MODEL: &str = "rehearsal";

/// The longest question, in bytes.
const LARGEST_QUESTION: usize = 16 * 1024 * 1024;

/// The provider that plays; it is gone when this is dropped.
pub struct Rehearsal {
    base: BaseUrl,
    server: JoinHandle<()>,
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Rehearsal {
    /// Starts the provider on a free port of this machine; `pace` is the pause between two words.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start(pace: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = format!("http://{}/v1", listener.local_addr()?);
        let base = BaseUrl::parse(&address).map_err(io::Error::other)?;
        let router = Router::new()
            .route("/v1/chat/completions", post(complete))
            .layer(DefaultBodyLimit::max(LARGEST_QUESTION))
            .with_state(Arc::new(pace));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "The rehearsal cannot be played any more: {error}");
            }
        });
        Ok(Self { base, server })
    }

    /// How it is reached.
    #[must_use]
    pub fn setup(&self) -> Setup {
        Setup::new(self.base.clone(), MODEL)
    }
}

/// `POST /v1/chat/completions`
async fn complete(
    State(pace): State<Arc<Duration>>,
    Json(question): Json<Value>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let reply = player::reply(&question);
    let events = stream::iter(chunks(&question, &reply)).then(move |chunk| {
        let pace = *pace;
        async move {
            if !pace.is_zero() {
                tokio::time::sleep(pace).await;
            }
            Ok(Event::default().data(chunk))
        }
    });
    Sse::new(events)
}

fn chunks(question: &Value, reply: &Reply) -> Vec<String> {
    let chunk = |delta: Value, reason: Option<&str>| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": reason});
        json!({"object": "chat.completion.chunk", "model": MODEL, "choices": [choice]}).to_string()
    };
    let mut chunks: Vec<String> =
        reply.text.split_inclusive(' ').map(|word| chunk(json!({"content": word}), None)).collect();
    for (index, (name, arguments)) in reply.calls.iter().enumerate() {
        let function = json!({"name": name, "arguments": arguments.to_string()});
        let call = json!({"index": index, "id": format!("call_{index}"), "type": "function", "function": function});
        chunks.push(chunk(json!({"tool_calls": [call]}), None));
    }
    chunks.push(chunk(json!({}), Some(if reply.calls.is_empty() { "stop" } else { "tool_calls" })));
    let asked = estimate(question.to_string().len());
    let answered = estimate(chunks.iter().map(String::len).sum::<usize>() / 8);
    chunks.push(json!({"choices": [], "usage": {"prompt_tokens": asked, "completion_tokens": answered}}).to_string());
    chunks.push("[DONE]".to_owned());
    chunks
}

#[cfg(test)]
mod tests;
