//! Keeps the journal on disk and tells the main instance: of a use at once, of attempts when a
//! while has passed, of nothing when nothing happened.

use std::sync::Arc;
use std::time::Duration;

use api::{ActivityAccepted, EmergencyAccess, EmergencyReport};
use http::Method;
use tokio_util::sync::CancellationToken;
use world::Clock;

use super::journal::Journal;
use crate::link::LinkError;
use crate::reporter::{FIRST_PAUSE, LAST_WORDS, Reporter, longer};

/// Attempts are gathered, so that a flood of them is no flood of reports.
const GATHERING: Duration = Duration::from_secs(30);

/// Has the journal on disk and at the main instance.
pub(crate) struct JournalReporter {
    pub(crate) journal: Arc<Journal>,
    /// Without a main instance the journal stays on disk.
    pub(crate) reporter: Option<Arc<Reporter>>,
    pub(crate) clock: Clock,
}

impl JournalReporter {
    /// Saves and reports until `stop`.
    pub(crate) async fn run(&self, stop: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        // What an earlier life could not say is said first.
        let mut failed = self.tell(self.journal.unsent()).await.err();
        loop {
            let wait = failed.as_ref().map(|error| {
                let wait = self.reporter.as_ref().map_or(pause, |reporter| reporter.spread(pause));
                pause = longer(pause, error);
                wait
            });
            tokio::select! {
                () = self.journal.urgent() => {}
                () = self.gathered() => {}
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
                () = stop.cancelled() => return,
            }
            self.save().await;
            let again = failed.is_some();
            failed = self.tell(self.journal.due(self.clock.now())).await.err();
            match &failed {
                None => pause = FIRST_PAUSE,
                Some(_) if again => {}
                Some(error) => {
                    tracing::warn!(%error, "Emergency access could not be reported; it is kept, and sent again later: {error}");
                }
            }
        }
    }

    /// Saves, and says what is left to say, for the end of the process.
    pub(crate) async fn last_words(&self) {
        self.save().await;
        match tokio::time::timeout(LAST_WORDS, self.tell(self.journal.unsent())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "Emergency access could not be reported; that is done at the next start")
            }
            Err(_) => {
                tracing::warn!("The report of emergency access took too long; it is sent again at the next start")
            }
        }
    }

    async fn gathered(&self) {
        self.journal.calm().await;
        self.save().await;
        tokio::time::sleep(GATHERING).await;
    }

    async fn tell(&self, entries: Vec<EmergencyAccess>) -> Result<(), LinkError> {
        let Some(reporter) = &self.reporter else { return Ok(()) };
        if entries.is_empty() {
            return Ok(());
        }
        let report = EmergencyReport { entries };
        let json = serde_json::to_vec(&report).map_err(|error| LinkError::Failed(error.to_string()))?;
        let answer = reporter.call(Method::POST, "activity/emergency", Some(json)).await?;
        self.journal.acknowledge(&report.entries, self.clock.now());
        self.save().await;
        if let Ok(accepted) = serde_json::from_slice::<ActivityAccepted>(&answer) {
            reporter.take(accepted.members);
        }
        Ok(())
    }

    /// Not on the thread that serves: a disk may take its time.
    async fn save(&self) {
        let journal = Arc::clone(&self.journal);
        drop(tokio::task::spawn_blocking(move || journal.save()).await);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::convert::Infallible;
    use std::net::IpAddr;
    use std::path::Path;
    use std::sync::Mutex;

    use api::EmergencyOutcome;
    use http::{Request, Response, StatusCode, Uri};
    use http_body_util::BodyExt as _;
    use hyper::body::Incoming;
    use hyper::service::service_fn;
    use jiff::{SignedDuration, Timestamp};
    use proxy::{Body, Limits, serve};
    use tokio::net::TcpListener;
    use world::Entropy;

    use super::*;
    use crate::ledger::Ledger;
    use crate::link::Link;
    use crate::roster::Roster;
    use crate::settings::{Main, MembersFrom};

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);
    const DAYS: Duration = Duration::from_secs(3 * 24 * 3600);

    /// How many entries each report had.
    type Reports = Arc<Mutex<Vec<usize>>>;

    /// A main instance that first fails so many times.
    async fn main_instance(failures: usize) -> (Uri, Reports) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let reports = Reports::default();
        let (told, failing) = (Arc::clone(&reports), Arc::new(Mutex::new(failures)));
        tokio::spawn(serve(listener, Limits::default(), CancellationToken::new(), move |_| {
            let (told, failing) = (Arc::clone(&told), Arc::clone(&failing));
            service_fn(move |request: Request<Incoming>| {
                let (told, failing) = (Arc::clone(&told), Arc::clone(&failing));
                async move {
                    let said = request.into_body().collect().await.unwrap().to_bytes();
                    let report: EmergencyReport = serde_json::from_slice(&said).unwrap();
                    told.lock().unwrap().push(report.entries.len());
                    let mut answer = Response::new(Body::from("{}"));
                    let mut failing = failing.lock().unwrap();
                    if *failing > 0 {
                        *failing -= 1;
                        *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                    }
                    Ok::<_, Infallible>(answer)
                }
            })
        }));
        (url, reports)
    }

    fn journal_reporter(url: &Uri, folder: &Path, clock: &Clock) -> Arc<JournalReporter> {
        let reporter = Reporter {
            main: Main { url: url.clone(), token: "token".into() },
            link: Link::to(url, None, None),
            ledger: Arc::new(Ledger::open(folder.join("activity"))),
            roster: Arc::new(Roster::open(MembersFrom::Nowhere, folder.join("members.json"), clock.clone()).unwrap()),
            entropy: Entropy::seeded(1),
        };
        let journal = Arc::new(Journal::open(folder.join("emergency.json"), "root".into()));
        Arc::new(JournalReporter { journal, reporter: Some(Arc::new(reporter)), clock: clock.clone() })
    }

    fn runs(journal_reporter: &Arc<JournalReporter>) {
        let journal_reporter = Arc::clone(journal_reporter);
        tokio::spawn(async move { journal_reporter.run(CancellationToken::new()).await });
    }

    fn source(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[tokio::test(start_paused = true)]
    async fn a_use_is_told_once_a_flood_of_attempts_together_and_nothing_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let (url, reports) = main_instance(0).await;
        let clock = Clock::at(NOW);
        let journal_reporter = journal_reporter(&url, folder.path(), &clock);
        runs(&journal_reporter);
        tokio::time::sleep(DAYS).await;
        assert!(reports.lock().unwrap().is_empty(), "a door that nobody tries is silent");

        for _ in 0..100 {
            journal_reporter.journal.record(EmergencyOutcome::Accepted, source(1), NOW);
        }
        tokio::time::sleep(DAYS).await;
        journal_reporter.journal.record(EmergencyOutcome::Accepted, source(1), NOW);
        (0..100).for_each(|number| journal_reporter.journal.record(EmergencyOutcome::Refused, source(number), NOW));
        tokio::time::sleep(DAYS).await;
        assert_eq!(*reports.lock().unwrap(), [1, 100]);

        clock.advance(SignedDuration::from_hours(1));
        journal_reporter.journal.record(EmergencyOutcome::Accepted, source(1), clock.now());
        tokio::time::sleep(DAYS).await;
        assert_eq!(*reports.lock().unwrap(), [1, 100, 2], "the new hour, and how the last one ended");
        journal_reporter.last_words().await;
        assert!(journal_reporter.journal.unsent().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_report_that_fails_is_sent_again_until_it_arrives() {
        let folder = tempfile::tempdir().unwrap();
        let (url, reports) = main_instance(5).await;
        let journal_reporter = journal_reporter(&url, folder.path(), &Clock::at(NOW));
        journal_reporter.journal.record(EmergencyOutcome::Accepted, source(1), NOW);
        runs(&journal_reporter);
        tokio::time::sleep(DAYS).await;
        assert_eq!(*reports.lock().unwrap(), [1; 6]);
        assert!(journal_reporter.journal.unsent().is_empty());
    }
}
