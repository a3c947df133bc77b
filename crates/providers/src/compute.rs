//! Where instances run.

mod homes;
pub mod local;
mod model_offer;
pub mod railway;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use domain::{InstanceId, ProjectName};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::backup::{Kept, Source, Target};
use crate::costs::{Metered, Spend};
use crate::inventory::{Ceiling, Check, Item, Line};
use crate::{ProviderError, Removed};

pub use archive::Archive;
pub use homes::{Home, Homes};
pub use model_offer::ModelOffer;

/// A place where instances run.
#[async_trait]
pub trait Compute: Send + Sync {
    /// How the driver is called in configuration and observations: `local`, `railway`.
    fn name(&self) -> &'static str;

    /// The homes that it consists of, where instances can live in several places. A project's name says in which.
    fn homes(&self) -> Option<&Homes> {
        None
    }

    /// Whether an instance can move from here to another home, and from there to here.
    ///
    /// # Errors
    /// Why not, in a sentence.
    fn moves(&self) -> Result<(), &'static str> {
        Ok(())
    }

    /// Makes the project, or finds the one made earlier for the same instance.
    ///
    /// # Errors
    /// Refused when a project of that name exists for another instance.
    async fn create_project(&self, project: &ProjectName, instance: InstanceId) -> Result<(), ProviderError>;

    /// Sets all settings and secrets at once, replacing earlier ones. They take effect with the
    /// next deploy.
    ///
    /// # Errors
    /// Not found when there is no such project.
    async fn configure(&self, project: &ProjectName, settings: &GuardSettings) -> Result<(), ProviderError>;

    /// Runs this release with the project's volume. Returns once the provider has done its part, not
    /// when the application is healthy. A release that runs already, with the present settings, is left
    /// alone.
    ///
    /// # Errors
    /// Not found when there is no such project; [`ProviderError::NotYet`] while the provider is at it;
    /// refused, with the end of its log, when it could not.
    async fn deploy(&self, project: &ProjectName, release: &Release) -> Result<(), ProviderError>;

    /// Makes the provider answer for a public hostname and tells where the edge shall send it. Where the
    /// router calls instances by names of the provider's, it is the same for all hostnames of one.
    ///
    /// # Errors
    /// Not found when there is no such project.
    async fn register_hostname(&self, project: &ProjectName, hostname: &str) -> Result<Origin, ProviderError>;

    /// Whether the provider serves the hostname by now. It may want to see its DNS records first.
    ///
    /// # Errors
    /// [`ProviderError::NotYet`] until it does, in words for the customer.
    async fn hostname_ready(&self, project: &ProjectName, hostname: &str) -> Result<(), ProviderError>;

    /// Takes a hostname back. One that is not registered is success.
    async fn release_hostname(&self, project: &ProjectName, hostname: &str) -> Result<Vec<Removed>, ProviderError>;

    /// A way to the project's guard past the edge, or `None` when there is no such project.
    async fn door(&self, project: &ProjectName, hostname: &str) -> Result<Option<Door>, ProviderError>;

    /// Stops what the application uses up and keeps its data; its guard goes on explaining why nobody
    /// gets in, where it can. One that is suspended is left alone.
    ///
    /// # Errors
    /// Not found when there is no such project.
    async fn suspend(&self, project: &ProjectName) -> Result<(), ProviderError>;

    /// Starts it again with its data. One that runs is left alone.
    ///
    /// # Errors
    /// Not found when there is no such project.
    async fn resume(&self, project: &ProjectName) -> Result<(), ProviderError>;

    /// Stops the application for a moment, so that what it keeps is whole and stays as it is. Its guard may go on. That is
    /// no suspension: it wakes by itself when nobody wakes it. Where its data can be reached through its guard alone, and
    /// none runs, `release` is deployed for that.
    ///
    /// # Errors
    /// Not found when there is no such project.
    async fn rest(&self, project: &ProjectName, _release: &Release) -> Result<(), ProviderError> {
        self.suspend(project).await
    }

    /// Lets it go on. One that runs is left alone.
    ///
    /// # Errors
    /// Not found when there is no such project.
    async fn wake(&self, project: &ProjectName) -> Result<(), ProviderError> {
        self.resume(project).await
    }

    /// What is known of the project at this moment, or `None` when there is no such project.
    async fn observe(&self, project: &ProjectName) -> Result<Option<Observation>, ProviderError>;

    /// What is known of many projects, for those that exist. One that can't be observed is left out
    /// and said in the log.
    async fn observe_all(&self, projects: &[ProjectName]) -> Result<Vec<(ProjectName, Observation)>, ProviderError>;

    /// How often all may be observed without harm.
    fn observe_every(&self) -> Duration;

    /// Whether instances that nobody uses are put to sleep, so that to ask one is to wake it, or to keep it awake.
    fn puts_to_sleep(&self) -> bool {
        false
    }

    /// How long making an instance may take here before it counts as failed.
    fn patience(&self) -> SignedDuration;

    /// How fast it brings instances to another release.
    fn tempo(&self) -> Tempo;

    /// The last lines that guard and application wrote.
    ///
    /// # Errors
    /// Not found when there is no such project.
    async fn logs(&self, project: &ProjectName, lines: usize) -> Result<String, ProviderError>;

    /// Whether it can give out what an instance keeps.
    ///
    /// # Errors
    /// What the customer can do instead, in a sentence.
    fn exports(&self) -> Result<(), &'static str>;

    /// What the application keeps, all of it and nothing else, as one archive of files with their checksums. It may go on
    /// running or rest meanwhile.
    ///
    /// # Errors
    /// Not found when there is no such project of this instance, unavailable while too many are being made, and refused
    /// where [`Compute::exports`] says so.
    async fn export(&self, project: &ProjectName, instance: InstanceId) -> Result<Archive, ProviderError>;

    /// Whether it can back up what an instance keeps, and put it back.
    ///
    /// # Errors
    /// Why not, in a sentence.
    fn backs_up(&self) -> Result<(), &'static str>;

    /// Whether a backup can be restored for a test, into a project that nothing gets into or out of.
    ///
    /// # Errors
    /// Why not, in a sentence that a customer may read.
    fn proves(&self) -> Result<(), &'static str> {
        Ok(())
    }

    /// Backs up what the application keeps, all of it and nothing else, encrypted before it leaves. The application may go
    /// on running; what it writes meanwhile may then be there by half.
    ///
    /// # Errors
    /// Not found when there is no such project of this instance, unavailable when it can't be packed or kept, and
    /// refused where [`Compute::backs_up`] says so.
    async fn back_up(&self, project: &ProjectName, instance: InstanceId, to: &Target) -> Result<Kept, ProviderError>;

    /// Puts a backup in place of what the application keeps: all of it, or nothing is changed. Only while the application
    /// rests or is not deployed yet. What is put back belongs to this project, whichever it was taken of.
    ///
    /// # Errors
    /// Not found when there is no such project of this instance or no such backup, refused while it runs or when the
    /// backup is not what it was, and unavailable when there is no room or no way to the backup.
    async fn restore(&self, project: &ProjectName, instance: InstanceId, from: &Source) -> Result<(), ProviderError>;

    /// Everything that bears our marker, whatever the store says: projects by their names, and what
    /// is in them where it differs from what it should be.
    async fn inventory(&self) -> Result<Vec<Item>, ProviderError>;

    /// The limits that the provider sets.
    async fn ceilings(&self) -> Result<Vec<Ceiling>, ProviderError>;

    /// The kinds of things of which the inventory shows one for each instance.
    fn kinds(&self) -> &[&'static str] {
        &["project"]
    }

    /// How what was made here is filed in the record of things at providers.
    fn files(&self) -> Vec<String> {
        vec![self.name().to_owned()]
    }

    /// How many instances may be in the making at once; `None` where those who come too many stand in
    /// a line that tells them their place and the time.
    fn most_at_once(&self) -> Option<u32> {
        None
    }

    /// The line in which those stand for whom a project is to be made, where there is one. Asks nobody
    /// but the store.
    async fn line(&self) -> Result<Option<Line>, ProviderError> {
        Ok(None)
    }

    /// Whether the provider counts what projects use, so that [`Compute::used`] tells something.
    fn meters(&self) -> bool {
        false
    }

    /// What every project used between two moments, those that are gone by now included. A few calls, however many
    /// projects there are.
    async fn used(&self, _from: Timestamp, _until: Timestamp) -> Result<Vec<Metered>, ProviderError> {
        Ok(Vec::new())
    }

    /// What the provider charged in its period so far, and where it stops everything; `None` where nobody charges.
    async fn spend(&self) -> Result<Option<Spend>, ProviderError> {
        Ok(None)
    }

    /// Looks whether what is recorded of the project still exists, and forgets what does not, so that it
    /// is made again when it is asked for. Changes nothing at the provider.
    ///
    /// # Errors
    /// [`ProviderError::NotYet`] while something is so new that it may not be shown yet.
    async fn forget_gone(&self, _project: &ProjectName, _instance: InstanceId) -> Result<(), ProviderError> {
        Ok(())
    }

    /// Whether it can be used: credentials, permissions, quotas, its clock. Changes nothing.
    async fn check(&self) -> Vec<Check>;

    /// Takes away everything: processes, volume, settings, ports. Removing what is gone already
    /// is success, and the answer lists what was removed now. A project of that name that belongs
    /// to another instance, made after this one's was gone, is left alone.
    async fn delete_project(&self, project: &ProjectName, instance: InstanceId) -> Result<Vec<Removed>, ProviderError>;

    /// Stops what must not outlive this process. Projects stay deployed and run again at the next start.
    async fn shutdown(&self);
}

/// What a guard is told, whichever compute provider it runs at.
#[derive(Debug, Clone)]
pub struct GuardSettings {
    /// The instance it guards.
    pub instance: InstanceId,
    /// `https://acme.example.com`: what the application is told its address is.
    pub public_url: String,
    /// Who signs assertions.
    pub issuer: String,
    /// For whom assertions must be made out: each of these does.
    pub audiences: Vec<String>,
    /// Where reports go and member lists come from.
    pub main_url: String,
    /// The Ed25519 key that signs member lists, base64url.
    pub main_key: String,
    /// With what the guard proves to the main instance which instance it is.
    pub instance_token: SecretString,
    /// Whether nothing of it may reach anything outside, whatever others may: of a copy that only has to show that it runs.
    pub closed_off: bool,
}

/// One version of the application, and how it is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its name: what the instance should run.
    pub version: String,
    /// The image to run where instances are containers: registry, name and digest.
    #[serde(default)]
    pub image: Option<String>,
    /// A shell command; `$PORT`, `$DATA`, `$HOSTNAME_PUBLIC` and, where the app that it makes has one,
    /// `$APP_HOSTNAME_PUBLIC` are in its environment.
    pub command: String,
    /// The path that answers below 500 once the application is well.
    pub health_path: String,
    /// Folders of the host that the application may read beside the system's own.
    pub read_only: Vec<PathBuf>,
    /// What counts as use of it beside what the guard knows by itself: the text of the file that
    /// `docs/activity.md` describes.
    #[serde(default)]
    pub activity_rules: Option<String>,
}

/// How fast a provider brings instances to another release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tempo {
    /// How long one usually takes, until it answers.
    pub update: SignedDuration,
    /// How far apart two may begin, since the provider takes so many calls in a time and no more.
    pub between: SignedDuration,
    /// How long one may take before it counts as failed.
    pub patience: SignedDuration,
}

/// Where the edge sends the requests for a hostname.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A guard that listens on this machine.
    Address(SocketAddr),
    /// A name at the compute provider that the hostname has to point to, or by which the router calls it.
    Name {
        /// Where the CNAME of the hostname leads, or whom the router calls.
        target: String,
        /// The TXT record that proves to the provider that the hostname is ours.
        proof: Option<Txt>,
    },
}

/// A TXT record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Txt {
    /// Its complete name.
    pub name: String,
    /// What it says, without quotes.
    pub text: String,
}

/// A way to a guard past the edge: for member lists, and to see that it refuses strangers there.
#[derive(Debug, Clone)]
pub struct Door {
    /// Knows the way; follows no redirect. Nothing secret may be sent by it in the clear.
    pub http: reqwest::Client,
    /// `http://127.0.0.1:21000`, without a slash at the end.
    pub url: String,
    /// The `Host` that the guard expects.
    pub host: String,
    /// Whether knocking would wake an instance that sleeps.
    pub asleep: bool,
}

/// How an instance is, as far as its compute provider can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Started; the application does not accept connections yet.
    Starting,
    /// Guard and application answer.
    Ok,
    /// The application accepts connections but takes long to answer; not a reason to restart it.
    Busy,
    /// It should run and does not.
    Down,
    /// It runs nothing on purpose, until somebody comes.
    Asleep,
    /// Nobody could tell.
    Unknown,
}

impl Health {
    /// All of them.
    const ALL: [Self; 6] = [Self::Starting, Self::Ok, Self::Busy, Self::Down, Self::Asleep, Self::Unknown];

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|health| health.as_str() == word)
    }

    /// The word that is stored, sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ok => "ok",
            Self::Busy => "busy",
            Self::Down => "down",
            Self::Asleep => "asleep",
            Self::Unknown => "unknown",
        }
    }
}

/// What was seen of an instance, when and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Its state of health.
    pub health: Health,
    /// When it was seen.
    pub at: Timestamp,
    /// The version it runs, if that could be seen.
    pub version: Option<String>,
    /// How often it was restarted since it was deployed.
    pub restarts: u32,
    /// Memory that all its processes hold for themselves, in bytes.
    pub memory_bytes: Option<u64>,
    /// What a person should know: why it is down, which limit it reached.
    pub detail: Option<String>,
}
