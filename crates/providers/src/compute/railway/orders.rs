//! What Railway's API can't do with a volume, its instance's guard does: it runs beside the application, and takes the main
//! instance's orders past the edge (`access::orders`).

use std::time::Duration;

use access::orders::{self, BackUpTerms, ExportTerms, NONCE_BYTES, Order, RestoreTerms, SEAL_BYTES};
use access::protocol::REFUSED_BY;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use jiff::SignedDuration;
use reqwest::{Body, Response, StatusCode};
use secrecy::SecretString;
use serde_json::Value;

use super::answers::{Instance, Status};
use super::receiving::receive;
use super::{Home, Railway, no_project};
use crate::ProviderError;
use crate::backup::{Kept, Source, Target};
use crate::compute::{Archive, Door, Release};

/// For an application to stop, and for an instance that sleeps to be woken.
const FOR_AN_ORDER: Duration = Duration::from_mins(2);
/// Railway's edge carries no request longer than that.
const FOR_AN_ARCHIVE: Duration = Duration::from_mins(15);
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(5);
/// What to do about a guard that does not know orders yet.
const UPDATE_IT_ONCE: &str =
    "its guard is older than backups: bring it to a release with the present guard, once with `--without-backup`";

/// What a guard made of an order.
enum Answered {
    /// It carries it out, or did.
    Done(Response),
    /// It knows no orders, or was not told where the application keeps its data.
    KnowsNone,
}

impl Railway {
    /// Has the application rest. Where nothing runs that could be told so, this release is deployed at rest.
    pub(super) async fn put_to_rest(&self, home: &Home, release: &Release) -> Result<(), ProviderError> {
        let instance = match self.instance(home).await {
            Ok(instance) => instance,
            Err(error) => return Err(self.explain(home, error).await),
        };
        if is_dead(&instance) {
            self.run_at_rest(home, release).await?;
        }
        if let Answered::Done(_) = self.order(home, Order::Rest, "{}").await? {
            return Ok(());
        }
        // An update can have brought a guard that knows no orders.
        let latest = instance.latest_deployment.as_ref();
        if latest.is_some_and(|latest| latest.image() == release.image.as_deref()) {
            return Err(too_old(home, Order::Rest));
        }
        self.run_at_rest(home, release).await?;
        self.expect(home, Order::Rest, "{}").await.map(drop)
    }

    /// Lets it go on. A guard that knows no orders never made it rest.
    pub(super) async fn wake_up(&self, home: &Home) -> Result<(), ProviderError> {
        self.order(home, Order::Wake, "{}").await.map(drop)
    }

    /// What the guard sends, already sealed, goes to where backups are kept.
    pub(super) async fn fetch_backup(&self, home: &Home, to: &Target) -> Result<Kept, ProviderError> {
        let what = format!("back up {}", home.name);
        let terms = written(&BackUpTerms { recipient: to.recipient.to_string() })?;
        let answer = self.expect(home, Order::BackUp, &terms).await?;
        let (sender, archive) = Archive::fed();
        let (received, stored) = tokio::join!(receive(answer, sender), to.storage.put(&to.name, archive));
        match (received, stored) {
            // What is wrong where it is kept breaks everything off.
            (Err(broken), Err(refused)) if broken.is_unwanted() => Err(refused),
            (Err(broken), _) => Err(ProviderError::unavailable(what, broken)),
            (Ok(_), Err(refused)) => Err(refused),
            (Ok(Some(kept)), Ok(())) => Ok(kept),
            (Ok(None), Ok(())) => Err(ProviderError::unavailable(what, "the guard did not say what it sent")),
        }
    }

    /// What the guard sends for its customer.
    pub(super) async fn fetch_export(&self, home: &Home) -> Result<Archive, ProviderError> {
        let terms = written(&ExportTerms { top: home.name.to_string() })?;
        let answer = self.expect(home, Order::Export, &terms).await?;
        let (sender, archive) = Archive::fed();
        // Ends with whoever reads it.
        tokio::spawn(async move { receive(answer, sender).await.map(drop) });
        Ok(archive)
    }

    /// Sends a backup, sealed as it was kept, and what opens it for this guard alone.
    pub(super) async fn send_backup(&self, home: &Home, from: &Source) -> Result<(), ProviderError> {
        let what = format!("put {} back into {}", from.name, home.name);
        let token = self.token_of(home)?;
        let identity = orders::seal(&from.identity.to_secret(), &token, self.entropy.bytes::<SEAL_BYTES>());
        let Some(identity) = identity else {
            return Err(ProviderError::unavailable(what, "the key that opens it could not be sealed"));
        };
        let terms = written(&RestoreTerms { identity, sha256: from.sha256.clone(), bytes: from.bytes })?;
        let door = self.guard_of(home).await?;
        let content = from.storage.get(&from.name).await?;
        let line = Bytes::from(format!("{terms}\n"));
        let rest = stream::unfold(content, |mut content| async {
            let piece = content.next().await?;
            Some((piece, content))
        });
        let body = Body::wrap_stream(stream::once(async { Ok(line) }).chain(rest));
        match self.asked(home, &door, Order::Restore, &terms, body).await? {
            Answered::Done(_) => Ok(()),
            Answered::KnowsNone => Err(too_old(home, Order::Restore)),
        }
    }

    /// The same, where a guard that knows no orders is no help.
    async fn expect(&self, home: &Home, order: Order, terms: &str) -> Result<Response, ProviderError> {
        match self.order(home, order, terms).await? {
            Answered::Done(answer) => Ok(answer),
            Answered::KnowsNone => Err(too_old(home, order)),
        }
    }

    /// Gives an order that is nothing but its terms. One that woke the instance is from before its guard's start, and given
    /// once more.
    async fn order(&self, home: &Home, order: Order, terms: &str) -> Result<Answered, ProviderError> {
        let door = self.guard_of(home).await?;
        let body = || Body::from(format!("{terms}\n"));
        match self.asked(home, &door, order, terms, body()).await {
            Err(ProviderError::NotYet { .. }) => self.asked(home, &door, order, terms, body()).await,
            outcome => outcome,
        }
    }

    async fn asked(
        &self,
        home: &Home,
        door: &Door,
        order: Order,
        terms: &str,
        body: Body,
    ) -> Result<Answered, ProviderError> {
        let token = self.token_of(home)?;
        let given = (self.clock.now(), self.entropy.bytes::<NONCE_BYTES>());
        let proof = orders::prove(order, (home.instance, &token), given, terms.as_bytes());
        let time = match order {
            Order::Rest | Order::Wake => FOR_AN_ORDER,
            Order::BackUp | Order::Restore | Order::Export => FOR_AN_ARCHIVE,
        };
        let asked = door.http.post(format!("{}{}", door.url, order.path())).header("host", &door.host);
        let sent = asked.bearer_auth(proof).timeout(time).body(body).send().await;
        let answer = sent.map_err(|error| ProviderError::unavailable(words(home, order), error.without_url()))?;
        judged(home, order, answer).await
    }

    /// A way to the guard of an instance, by a hostname that leads there.
    async fn guard_of(&self, home: &Home) -> Result<Door, ProviderError> {
        let known = self.resources.of(home.instance).await?;
        // While it changes its name, the older one is the one that leads there for certain.
        let hostnames = known.iter().filter(|held| held.kind == "domain" && held.made.is_some());
        let hostname = hostnames.min_by_key(|held| held.intended_at).map(|held| held.name.as_str());
        let door = self.way_to(home, hostname.unwrap_or_default()).await?;
        door.ok_or_else(|| no_project(&home.name))
    }

    fn token_of(&self, home: &Home) -> Result<SecretString, ProviderError> {
        let tokens = self.settings.tokens.as_ref().ok_or_else(|| {
            let next = "start the server once, which makes the key";
            ProviderError::refused(format!("give {} an order", home.name), "this installation has no key yet", next)
        })?;
        Ok(tokens(home.instance))
    }
}

/// Whether nothing runs, and nothing will by itself.
fn is_dead(instance: &Instance) -> bool {
    let has_ended = |status| matches!(status, Status::Failed | Status::Crashed | Status::Removed | Status::Skipped);
    let runs = instance.active_deployments.iter().any(super::observation::is_up);
    let latest = instance.latest_deployment.as_ref();
    !runs && latest.is_none_or(|latest| has_ended(latest.status) || latest.deployment_stopped)
}

async fn judged(home: &Home, order: Order, answer: Response) -> Result<Answered, ProviderError> {
    let (status, is_guards) = (answer.status(), answer.headers().get(REFUSED_BY).is_some_and(|by| by == "guard"));
    if status.is_success() {
        return Ok(Answered::Done(answer));
    }
    let what = words(home, order);
    if !is_guards {
        return Err(ProviderError::unavailable(what, format!("its guard can't be reached: {status}")));
    }
    // One that knows no orders takes them for a visit without a sign-in.
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND) {
        return Ok(Answered::KnowsNone);
    }
    let document: Value = serde_json::from_slice(&answer.bytes().await.unwrap_or_default()).unwrap_or_default();
    let why = document["detail"].as_str().map_or_else(|| status.to_string(), str::to_owned);
    Err(match status {
        StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            ProviderError::not_yet(format!("{what}: {why}"), LOOK_AGAIN)
        }
        StatusCode::FORBIDDEN => {
            let next = "see that this server has the `secret.key` that the instance was made with, and the right time";
            ProviderError::refused(what, why, next)
        }
        StatusCode::CONFLICT => {
            ProviderError::refused(what, why, "let the guard start the application, and let it rest first")
        }
        StatusCode::UNPROCESSABLE_ENTITY => ProviderError::refused(what, why, "use another backup"),
        _ => ProviderError::unavailable(what, why),
    })
}

fn too_old(home: &Home, order: Order) -> ProviderError {
    ProviderError::refused(words(home, order), "it can't be ordered to", UPDATE_IT_ONCE)
}

fn words(home: &Home, order: Order) -> String {
    let what = match order {
        Order::Rest => "let the application rest in",
        Order::Wake => "wake the application in",
        Order::BackUp => "back up",
        Order::Restore => "put a backup back into",
        Order::Export => "export",
    };
    format!("{what} {}", home.name)
}

fn written(terms: &impl serde::Serialize) -> Result<String, ProviderError> {
    serde_json::to_string(terms).map_err(|cause| ProviderError::unavailable("write the terms of an order", cause))
}
