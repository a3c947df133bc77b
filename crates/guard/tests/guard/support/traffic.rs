//! Visitors who do not stop asking: each on a connection of his own that is kept, one request after
//! the other, each request with a number of its own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::task::JoinSet;

use super::client::{Kept, Lost};
use super::{App, soon, until};

/// Traffic under way.
pub struct Traffic {
    state: Arc<State>,
    visitors: JoinSet<()>,
}

struct State {
    address: String,
    line: Box<dyn Fn(u64) -> String + Send + Sync>,
    stop: AtomicBool,
    next: AtomicU64,
    outcome: Mutex<Outcome>,
}

/// What became of the requests.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Answered as they should be.
    pub served: u64,
    /// Sent again, because the connection they went out on had been closed without a word.
    pub retried: u64,
    /// Of these, how many were on their way when the connection closed.
    pub reset: u64,
    /// Everything else: refused, broken off, never answered.
    pub wrong: Vec<String>,
}

impl Traffic {
    /// As many visitors as there are to be. The header line may be another for each number.
    pub fn start(address: &str, visitors: usize, line: impl Fn(u64) -> String + Send + Sync + 'static) -> Self {
        let state = Arc::new(State {
            address: address.to_owned(),
            line: Box::new(line),
            stop: AtomicBool::new(false),
            next: AtomicU64::new(0),
            outcome: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        for _ in 0..visitors {
            tasks.spawn(Arc::clone(&state).visit());
        }
        Self { state, visitors: tasks }
    }

    /// Requests served so far.
    pub fn served(&self) -> u64 {
        self.state.outcome.lock().unwrap().served
    }

    /// Waits until so many more are served than at this moment.
    pub async fn more(&self, requests: u64) {
        let goal = self.served() + requests;
        until("more requests are served", || self.served() >= goal || self.gone() > 0).await;
    }

    /// Visitors who gave up, each after one request that went wrong.
    pub fn gone(&self) -> usize {
        self.state.outcome.lock().unwrap().wrong.len()
    }

    /// Ends it, and says what became of it.
    pub async fn end(mut self) -> Outcome {
        self.state.stop.store(true, Ordering::SeqCst);
        soon("the last answers", async { while self.visitors.join_next().await.is_some_and(|ended| ended.is_ok()) {} })
            .await;
        std::mem::take(&mut self.state.outcome.lock().unwrap())
    }
}

impl Outcome {
    /// No request was refused or lost, and none reached the application twice.
    pub fn assert_flawless(&self, app: &App) {
        assert!(
            self.wrong.is_empty(),
            "{} of {} went wrong: {:?}",
            self.wrong.len(),
            self.served,
            &self.wrong[..self.wrong.len().min(5)]
        );
        let mut times: HashMap<String, u64> = HashMap::new();
        for request in app.seen().iter().filter(|request| request.contains(" /live/")) {
            *times.entry(request.lines().next().unwrap_or_default().to_owned()).or_default() += 1;
        }
        let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "reached the application more than once: {twice:?}");
        assert_eq!(times.len() as u64, self.served, "every request that was answered reached the application");
    }
}

impl State {
    async fn visit(self: Arc<Self>) {
        let mut kept: Option<Kept> = None;
        while !self.stop.load(Ordering::SeqCst) {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            // Every other one has an effect, so that nobody on the way may send it twice by himself.
            let (method, body) =
                if number.is_multiple_of(2) { ("GET", "") } else { ("POST", "Content-Length: 4\r\n\r\nbody") };
            let line = (self.line)(number);
            let end = if body.is_empty() { "\r\n" } else { body };
            let request = format!("{method} /live/{number} HTTP/1.1\r\nHost: acme.test\r\n{line}\r\n{end}");
            let result = self.ask(&mut kept, &request).await;
            let mut outcome = self.outcome.lock().unwrap();
            match result {
                Ok(()) => outcome.served += 1,
                Err(problem) => {
                    outcome.wrong.push(format!("number {number}: {problem}"));
                    return;
                }
            }
        }
    }

    async fn ask(&self, kept: &mut Option<Kept>, request: &str) -> Result<(), String> {
        loop {
            let mut connection = match kept.take() {
                Some(connection) => connection,
                None => Kept::connect(&self.address).await.map_err(|error| format!("can't connect: {error}"))?,
            };
            match soon("an answer under traffic", connection.exchange(request)).await {
                Ok(answer) if answer.status == 200 => {
                    // Whoever is told that the connection closes does not use it again.
                    if !answer.head.contains("connection: close") {
                        *kept = Some(connection);
                    }
                    return Ok(());
                }
                Ok(answer) => return Err(format!("{} {}", answer.status, answer.body)),
                Err(Lost::Unanswered { reset }) => {
                    let mut outcome = self.outcome.lock().unwrap();
                    outcome.retried += 1;
                    outcome.reset += u64::from(reset);
                }
                Err(Lost::Midway(problem)) => return Err(problem),
            }
        }
    }
}
