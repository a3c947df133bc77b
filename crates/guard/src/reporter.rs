//! Talks to the main instance: when an hour begins to be used, at the start and at the end.
//! Otherwise silent, so that a platform which puts idle instances to sleep may do so.

use std::sync::Arc;
use std::time::Duration;

use access::SignedMembers;
use api::ActivityAccepted;
use http::{Method, Uri};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use world::Entropy;

use crate::ledger::{Ledger, Pending};
use crate::link::{Ask, Link, LinkError};
use crate::roster::Roster;
use crate::settings::Main;

pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// What was refused will be refused again, until somebody changes something.
const LONGEST_PAUSE_AFTER_REFUSAL: Duration = Duration::from_secs(60 * 60);
/// How long a start without a member list goes on trying by itself.
const WAKING: Duration = Duration::from_secs(60);
/// Between two questions for a list that visitors miss.
const MISSED_LIST_INTERVAL: Duration = Duration::from_secs(30);
/// How long the end of the process may wait for the last report; it is on disk in any case.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(3);

/// Reports use, and brings member lists back.
pub(crate) struct Reporter {
    pub(crate) main: Main,
    pub(crate) link: Link,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) entropy: Entropy,
}

impl Reporter {
    /// Reports until `stop`: at each new hour, and again with growing pauses while that fails.
    pub(crate) async fn run(&self, stop: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        let mut said = None;
        // What an earlier life could not say at its end is said first.
        let mut months = self.ledger.unsent();
        while !stop.is_cancelled() {
            let (wait, retry) = match self.report(months).await {
                Ok(()) => {
                    said = None;
                    (Duration::MAX, FIRST_PAUSE)
                }
                Err(error) => {
                    let why = error.to_string();
                    if said.as_ref() != Some(&why) {
                        tracing::warn!(%error, "Use could not be reported; it is kept, and sent again later: {error}");
                    }
                    said = Some(why);
                    (self.spread(pause), longer(pause, &error))
                }
            };
            pause = retry;
            tokio::select! {
                () = self.ledger.new_hour() => {}
                () = tokio::time::sleep(wait), if wait != Duration::MAX => {}
                () = stop.cancelled() => {}
            }
            months = if said.is_some() { self.ledger.unsent() } else { self.ledger.unacknowledged() };
        }
    }

    /// Fetches the member list at the start, and goes on trying for a while if none is known. After
    /// that only a visit that misses one has it tried again: with nobody to judge, a main instance that
    /// is away need not be asked for ever.
    pub(crate) async fn wake(&self) {
        if !self.roster.takes_signed_lists() {
            return;
        }
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        while !self.pull_members().await && began.elapsed() + pause <= WAKING {
            tokio::time::sleep(self.spread(pause)).await;
            pause *= 2;
        }
        while !self.roster.is_known() {
            self.roster.missed().await;
            if self.roster.is_known() || self.pull_members().await {
                return;
            }
            tokio::time::sleep(MISSED_LIST_INTERVAL).await;
        }
    }

    /// Sends what is left to say, for the end of the process.
    pub(crate) async fn last_words(&self) {
        self.ledger.save_all();
        match tokio::time::timeout(LAST_WORDS, self.report(self.ledger.unsent())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "The last report failed; it will be sent at the next start"),
            Err(_) => tracing::warn!("The last report took too long; it will be sent at the next start"),
        }
    }

    async fn report(&self, months: Vec<Pending>) -> Result<(), LinkError> {
        let mut outcome = Ok(());
        for pending in months {
            match self.send(&pending).await {
                Ok(()) => {}
                // One month is refused; the others may be welcome.
                Err(error) if error.is_refusal() => outcome = Err(error),
                Err(error) => return Err(error),
            }
        }
        outcome
    }

    async fn send(&self, pending: &Pending) -> Result<(), LinkError> {
        let json = serde_json::to_vec(&pending.report).map_err(|error| LinkError::Failed(error.to_string()))?;
        let answer = self.call(Method::POST, "activity", Some(json)).await?;
        self.ledger.acknowledge(pending);
        // The hours have arrived even if the list in the answer is of no use.
        match serde_json::from_slice::<ActivityAccepted>(&answer) {
            Ok(accepted) => self.take(accepted.members),
            Err(error) => tracing::debug!(%error, "A report's answer had no member list"),
        }
        Ok(())
    }

    /// Asks for the list; says whether there is one now, be it this one or another.
    pub(crate) async fn pull_members(&self) -> bool {
        let answer = self.call(Method::GET, "activity/members", None).await;
        let told =
            answer.and_then(|json| serde_json::from_slice(&json).map_err(|error| LinkError::Failed(error.to_string())));
        match told {
            Ok(signed) => self.take(signed),
            Err(error) => tracing::warn!(%error, "The member list could not be fetched"),
        }
        self.roster.is_known()
    }

    /// Takes the member list that came with an answer, if lists come that way.
    pub(crate) fn take(&self, told: api::SignedMembers) {
        if !self.roster.takes_signed_lists() {
            return;
        }
        let signed = SignedMembers::received(told.payload, told.signature);
        if let Err(problem) = self.roster.apply(&signed) {
            tracing::warn!(%problem, "A member list from the main instance was not taken");
        }
    }

    /// Asks the main instance's API something, in this instance's name.
    pub(crate) async fn call(
        &self,
        method: Method,
        noun: &str,
        json: Option<Vec<u8>>,
    ) -> Result<bytes::Bytes, LinkError> {
        let base = self.main.url.to_string();
        let url = format!("{}{}/{noun}", base.trim_end_matches('/'), api::PREFIX);
        let url: Uri = url.parse().map_err(|_| LinkError::Failed(format!("{url} is no address")))?;
        self.link.ask(Ask { method, url, token: Some(&self.main.token), json }).await
    }

    /// Three quarters of the pause to all of it, so that the guards of a returning main instance
    /// do not come all at once.
    pub(crate) fn spread(&self, pause: Duration) -> Duration {
        let [chance] = self.entropy.bytes::<1>();
        pause.mul_f64(0.75 + f64::from(chance) / 1024.0)
    }
}

/// The pause after the next failure.
pub(crate) fn longer(pause: Duration, error: &LinkError) -> Duration {
    let longest = if error.is_refusal() { LONGEST_PAUSE_AFTER_REFUSAL } else { LONGEST_PAUSE };
    (pause * 2).min(longest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::convert::Infallible;
    use std::path::Path;
    use std::sync::Mutex;

    use access::{ListState, MemberList, MembersKey, SigningKey, key_set_json};
    use domain::{InstanceId, Signal};
    use http::{Request, Response, StatusCode};
    use http_body_util::BodyExt as _;
    use hyper::body::Incoming;
    use hyper::service::service_fn;
    use jiff::Timestamp;
    use proxy::{Body, Limits, serve};
    use tokio::net::TcpListener;

    use super::*;
    use crate::keyring::Keyring;
    use crate::roster::Belonging;
    use crate::settings::MembersFrom;

    type Asked = Arc<Mutex<Vec<String>>>;

    /// A main instance that counts what it is asked, and takes no report with `refused` in it.
    async fn main_instance(members: impl Into<Mutex<String>>, refused: &'static str) -> (Uri, Asked) {
        let (url, asked, _) = changing_main_instance(members.into(), refused).await;
        (url, asked)
    }

    /// The same, whose member list changes.
    async fn changing_main_instance(members: Mutex<String>, refused: &'static str) -> (Uri, Asked, Arc<Mutex<String>>) {
        let members = Arc::new(members);
        let shown = Arc::clone(&members);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let asked = Asked::default();
        let recorded = Arc::clone(&asked);
        let certs = key_set_json(&[&SigningKey::generate().unwrap()]);
        tokio::spawn(serve(listener, Limits::default(), CancellationToken::new(), move |_| {
            let (asked, shown, certs) = (Arc::clone(&recorded), Arc::clone(&shown), certs.clone());
            service_fn(move |request: Request<Incoming>| {
                let path = request.uri().path().to_owned();
                let members = shown.lock().unwrap().clone();
                let answer = match path.as_str() {
                    "/certs" => certs.clone(),
                    "/api/v1/activity" => format!("{{\"members\":{members}}}"),
                    _ => members,
                };
                asked.lock().unwrap().push(path);
                async move {
                    let said = request.into_body().collect().await.unwrap().to_bytes();
                    let mut answer = Response::new(Body::from(answer));
                    if !refused.is_empty() && String::from_utf8_lossy(&said).contains(refused) {
                        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
                    }
                    Ok::<_, Infallible>(answer)
                }
            })
        }));
        (url, asked, members)
    }

    fn reporter(url: &Uri, key: &MembersKey, instance: InstanceId, folder: &Path) -> Arc<Reporter> {
        let from = MembersFrom::Signed { key: key.public().unwrap(), instance };
        Arc::new(Reporter {
            main: Main { url: url.clone(), token: "token".into() },
            link: Link::to(url, None, None),
            ledger: Arc::new(Ledger::open(folder.join("activity"))),
            roster: Arc::new(Roster::open(from, folder.join("members.json"), world::Clock::System).unwrap()),
            entropy: Entropy::seeded(1),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_guard_is_silent_for_days() {
        let folder = tempfile::tempdir().unwrap();
        let key = MembersKey::generate().unwrap();
        let instance = InstanceId::new(Timestamp::UNIX_EPOCH, [1; 10]);
        let list =
            MemberList { instance, serial: 1, state: ListState::Active, members: Vec::new(), guests: Vec::new() };
        let (url, asked) = main_instance(serde_json::to_string(&key.sign(&list)).unwrap(), "").await;
        let reporter = reporter(&url, &key, instance, folder.path());
        let certs: Uri = format!("{url}certs").parse().unwrap();
        let keyring = Keyring::open(certs.clone(), Link::to(&certs, None, None), folder.path().join("certs.json"));
        let count = |path: &str| asked.lock().unwrap().iter().filter(|asked| *asked == path).count();
        let days = || tokio::time::sleep(Duration::from_secs(3 * 24 * 3600));

        Arc::clone(&keyring).wake().await;
        reporter.wake().await;
        let running = Arc::clone(&reporter);
        tokio::spawn(async move { running.run(CancellationToken::new()).await });
        days().await;
        assert_eq!(*asked.lock().unwrap(), ["/certs", "/api/v1/activity/members"], "nothing but the wake-up");

        reporter.ledger.record(Signal::Member, "2026-11-24T10:00:00Z".parse().unwrap(), None);
        reporter.ledger.record(Signal::Member, "2026-11-24T10:59:59Z".parse().unwrap(), None);
        days().await;
        assert_eq!(count("/api/v1/activity"), 1, "one hour, one report");
        reporter.ledger.record(Signal::Member, "2026-11-24T11:00:00Z".parse().unwrap(), None);
        days().await;
        assert_eq!(count("/api/v1/activity"), 2);
        assert_eq!(count("/certs"), 1);

        keyring.keys().await;
        assert_eq!(count("/certs"), 2, "a visit after days has the keys fetched before it is judged");
        keyring.keys().await;
        assert_eq!(count("/certs"), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_missing_list_is_asked_for_for_a_minute_and_then_only_when_somebody_comes() {
        let folder = tempfile::tempdir().unwrap();
        let key = MembersKey::generate().unwrap();
        let instance = InstanceId::new(Timestamp::UNIX_EPOCH, [1; 10]);
        let ada = domain::Email::parse("ada@x.org").unwrap();
        let list = MemberList {
            instance,
            serial: 1,
            state: ListState::Active,
            members: vec!["ada@x.org".parse().unwrap()],
            guests: Vec::new(),
        };
        let (url, asked, members) = changing_main_instance(Mutex::new("no list".to_owned()), "").await;
        let reporter = reporter(&url, &key, instance, folder.path());
        let roster = Arc::clone(&reporter.roster);
        let waking = tokio::spawn(async move { reporter.wake().await });
        let asked = || asked.lock().unwrap().len();
        let days = || tokio::time::sleep(Duration::from_secs(3 * 24 * 3600));
        tokio::time::sleep(WAKING * 2).await;
        let tries = asked();
        assert!((5..=10).contains(&tries), "{tries}");
        days().await;
        assert_eq!(asked(), tries, "nobody came");

        assert_eq!(roster.belongs(&ada).await, Belonging::Unknown);
        assert_eq!(asked(), tries + 1);
        for _ in 0..5 {
            assert_eq!(roster.belongs(&ada).await, Belonging::Unknown);
        }
        assert_eq!(asked(), tries + 1, "20 s after the last try");
        days().await;
        assert_eq!(asked(), tries + 2, "for those who came meanwhile");

        *members.lock().unwrap() = serde_json::to_string(&key.sign(&list)).unwrap();
        assert_eq!(roster.belongs(&ada).await, Belonging::Member, "who comes then waits for it");
        waking.await.unwrap();
        assert_eq!(asked(), tries + 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_month_is_tried_again_ever_more_rarely_and_holds_up_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let key = MembersKey::generate().unwrap();
        let instance = InstanceId::new(Timestamp::UNIX_EPOCH, [1; 10]);
        let (url, asked) = main_instance("{}".to_owned(), "2026-11").await;
        let reporter = reporter(&url, &key, instance, folder.path());
        reporter.ledger.record(Signal::Member, "2026-11-30T23:00:00Z".parse().unwrap(), None);
        reporter.ledger.record(Signal::Member, "2026-12-01T00:00:00Z".parse().unwrap(), None);
        let running = Arc::clone(&reporter);
        tokio::spawn(async move { running.run(CancellationToken::new()).await });
        tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
        let unsent = reporter.ledger.unsent();
        let months: Vec<String> = unsent.iter().map(|pending| pending.report.hours.month().to_string()).collect();
        assert_eq!(months, ["2026-11"], "December has arrived");
        // Thirteen doublings from half a second to an hour, then at least three quarters of an hour each.
        let tries = asked.lock().unwrap().len();
        assert!((20..=50).contains(&tries), "{tries} in a day");
    }

    #[tokio::test(start_paused = true)]
    async fn what_an_earlier_life_could_not_say_is_said_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let key = MembersKey::generate().unwrap();
        let instance = InstanceId::new(Timestamp::UNIX_EPOCH, [1; 10]);
        let (url, asked) = main_instance("{}".to_owned(), "").await;
        let earlier = reporter(&url, &key, instance, folder.path());
        earlier.ledger.record(Signal::Member, "2026-11-30T23:00:00Z".parse().unwrap(), None);
        earlier.report(earlier.ledger.unacknowledged()).await.unwrap();
        earlier.ledger.record(Signal::Member, "2026-11-30T23:01:00Z".parse().unwrap(), None);
        earlier.ledger.save_all();

        let later = reporter(&url, &key, instance, folder.path());
        let running = Arc::clone(&later);
        tokio::spawn(async move { running.run(CancellationToken::new()).await });
        tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
        assert!(later.ledger.unsent().is_empty());
        assert_eq!(asked.lock().unwrap().len(), 2, "once before, once after");
    }
}
