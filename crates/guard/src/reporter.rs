//! Talks to the main instance: when an hour begins to be used, at the start and at the end.
//! Otherwise silent, so that a platform which puts idle instances to sleep may do so.

use std::sync::Arc;
use std::time::Duration;

use access::SignedMembers;
use http::{Method, Uri};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use world::Entropy;

use crate::ledger::{Ledger, Pending};
use crate::link::{Ask, Link, LinkError};
use crate::roster::Roster;
use crate::settings::Main;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// How long the end of the process may wait for the last report; it is on disk in any case.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Reports use, and brings member lists back.
pub(crate) struct Reporter {
    pub(crate) main: Main,
    pub(crate) link: Link,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) entropy: Entropy,
}

#[derive(Deserialize)]
struct Accepted {
    members: SignedMembers,
}

impl Reporter {
    /// Reports until `stop`: at each new hour, and again with growing pauses while that fails.
    pub(crate) async fn run(&self, stop: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        while !stop.is_cancelled() {
            let (wait, retry) = match self.report(self.ledger.unacknowledged()).await {
                Ok(()) => (Duration::MAX, FIRST_PAUSE),
                Err(error) => {
                    tracing::warn!(%error, "Use could not be reported; it is kept");
                    (self.spread(pause), (pause * 2).min(LONGEST_PAUSE))
                }
            };
            pause = retry;
            tokio::select! {
                () = self.ledger.new_hour() => {}
                () = tokio::time::sleep(wait), if wait != Duration::MAX => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Fetches the member list at the start; goes on trying only while none is known.
    pub(crate) async fn wake(&self) {
        if !self.roster.takes_signed_lists() {
            return;
        }
        let mut pause = FIRST_PAUSE;
        loop {
            match self.pull_members().await {
                Ok(()) => return,
                Err(error) => tracing::warn!(%error, "The member list could not be fetched"),
            }
            if self.roster.is_known() {
                return;
            }
            tokio::time::sleep(self.spread(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
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
        for pending in months {
            let json = serde_json::to_vec(&pending.report).map_err(|error| LinkError::Failed(error.to_string()))?;
            let answer = self.call(Method::POST, "/api/v1/activity", Some(json)).await?;
            self.ledger.acknowledge(&pending);
            // The hours have arrived even if the list in the answer is of no use.
            match serde_json::from_slice::<Accepted>(&answer) {
                Ok(accepted) => self.take(&accepted.members),
                Err(error) => tracing::debug!(%error, "A report's answer had no member list"),
            }
        }
        Ok(())
    }

    async fn pull_members(&self) -> Result<(), LinkError> {
        let answer = self.call(Method::GET, "/api/v1/activity/members", None).await?;
        let signed = serde_json::from_slice(&answer).map_err(|error| LinkError::Failed(error.to_string()))?;
        self.take(&signed);
        Ok(())
    }

    fn take(&self, signed: &SignedMembers) {
        if !self.roster.takes_signed_lists() {
            return;
        }
        if let Err(problem) = self.roster.apply(signed) {
            tracing::warn!(%problem, "A member list from the main instance was not taken");
        }
    }

    async fn call(&self, method: Method, path: &str, json: Option<Vec<u8>>) -> Result<bytes::Bytes, LinkError> {
        let base = self.main.url.to_string();
        let url = format!("{}{path}", base.trim_end_matches('/'));
        let url: Uri = url.parse().map_err(|_| LinkError::Failed(format!("{url} is no address")))?;
        self.link.ask(Ask { method, url, token: Some(&self.main.token), json }).await
    }

    /// Three quarters of the pause to all of it, so that the guards of a returning main instance
    /// do not come all at once.
    fn spread(&self, pause: Duration) -> Duration {
        let [chance] = self.entropy.bytes::<1>();
        pause.mul_f64(0.75 + f64::from(chance) / 1024.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::convert::Infallible;
    use std::path::Path;
    use std::sync::Mutex;

    use access::{ListState, MemberList, MembersKey, SigningKey, key_set_json};
    use domain::{InstanceId, Signal};
    use http::{Request, Response};
    use hyper::body::Incoming;
    use hyper::service::service_fn;
    use jiff::Timestamp;
    use proxy::{Body, Limits, serve};
    use tokio::net::TcpListener;

    use super::*;
    use crate::keyring::Keyring;
    use crate::settings::MembersFrom;

    type Asked = Arc<Mutex<Vec<String>>>;

    /// A main instance that counts what it is asked.
    async fn main_instance(members: String) -> (Uri, Asked) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let asked = Asked::default();
        let recorded = Arc::clone(&asked);
        let certs = key_set_json(&[&SigningKey::generate().unwrap()]);
        tokio::spawn(serve(listener, Limits::default(), CancellationToken::new(), move |_| {
            let (asked, members, certs) = (Arc::clone(&recorded), members.clone(), certs.clone());
            service_fn(move |request: Request<Incoming>| {
                let path = request.uri().path().to_owned();
                let answer = match path.as_str() {
                    "/certs" => certs.clone(),
                    "/api/v1/activity" => format!("{{\"members\":{members}}}"),
                    _ => members.clone(),
                };
                asked.lock().unwrap().push(path);
                async move { Ok::<_, Infallible>(Response::new(Body::from(answer))) }
            })
        }));
        (url, asked)
    }

    fn reporter(url: &Uri, key: &MembersKey, instance: InstanceId, folder: &Path) -> Arc<Reporter> {
        let from = MembersFrom::Signed { key: key.public().unwrap(), instance };
        Arc::new(Reporter {
            main: Main { url: url.clone(), token: "token".into() },
            link: Link::to(url, None, None),
            ledger: Arc::new(Ledger::open(folder.join("activity"))),
            roster: Arc::new(Roster::open(from, folder.join("members.json")).unwrap()),
            entropy: Entropy::seeded(1),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_guard_is_silent_for_days() {
        let folder = tempfile::tempdir().unwrap();
        let key = MembersKey::generate().unwrap();
        let instance = InstanceId::new(Timestamp::UNIX_EPOCH, [1; 10]);
        let list = MemberList { instance, serial: 1, state: ListState::Active, members: Vec::new() };
        let (url, asked) = main_instance(serde_json::to_string(&key.sign(&list)).unwrap()).await;
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

        reporter.ledger.record(Signal::Member, "2026-11-24T10:00:00Z".parse().unwrap());
        reporter.ledger.record(Signal::Member, "2026-11-24T10:59:59Z".parse().unwrap());
        days().await;
        assert_eq!(count("/api/v1/activity"), 1, "one hour, one report");
        reporter.ledger.record(Signal::Member, "2026-11-24T11:00:00Z".parse().unwrap());
        days().await;
        assert_eq!(count("/api/v1/activity"), 2);
        assert_eq!(count("/certs"), 1);

        keyring.keys().await;
        assert_eq!(count("/certs"), 2, "a visit after days has the keys fetched before it is judged");
        keyring.keys().await;
        assert_eq!(count("/certs"), 2);
    }
}
