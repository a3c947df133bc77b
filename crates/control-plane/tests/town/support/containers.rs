use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Response, StatusCode};
use domain::InstanceId;
use guard::{Keeper, KeeperSettings};
use secrecy::SecretString;
use simulators::railway::Target;
use tempfile::TempDir;
use world::Clock;

/// An image whose guard knows no orders.
pub const OLD_GUARD: &str = "registry.example/app@sha256:0000";

/// What a release does to its data when it starts.
type AtStart = Box<dyn Fn(&str, &Path) + Send>;
/// What becomes of an answer on its way.
type OnTheWay = Box<dyn FnMut(&str, Response<Body>) -> Response<Body> + Send>;

/// What runs at the simulated Railway: over each volume a guard's real custody, and an application that is a real process.
#[derive(Clone)]
pub struct Containers(Arc<Shared>);

struct Shared {
    volumes: TempDir,
    clock: Clock,
    running: tokio::sync::Mutex<HashMap<String, (String, Arc<Keeper>)>>,
    at_start: Mutex<Option<AtStart>>,
    on_the_way: Mutex<Option<OnTheWay>>,
}

impl Containers {
    pub fn new(clock: &Clock) -> Self {
        Self(Arc::new(Shared {
            volumes: tempfile::tempdir().unwrap(),
            clock: clock.clone(),
            running: tokio::sync::Mutex::default(),
            at_start: Mutex::default(),
            on_the_way: Mutex::default(),
        }))
    }

    /// Where the data of a project is.
    pub fn data(&self, project: &str) -> PathBuf {
        self.0.volumes.path().join(project)
    }

    /// What each release does to its data when its application starts, told its image and the folder.
    pub fn at_start(&self, work: impl Fn(&str, &Path) + Send + 'static) {
        *self.0.at_start.lock().unwrap() = Some(Box::new(work));
    }

    /// What becomes of guards' answers on their way, told the path that was asked for.
    pub fn on_the_way(&self, change: impl FnMut(&str, Response<Body>) -> Response<Body> + Send + 'static) {
        *self.0.on_the_way.lock().unwrap() = Some(Box::new(change));
    }

    /// The guard's answer to an order; none to anything else.
    pub async fn order(&self, target: &Target, request: Request) -> Option<Response<Body>> {
        let path = request.uri().path().to_owned();
        if !path.starts_with("/-/data/") {
            return None;
        }
        if target.image == OLD_GUARD {
            let refused = Response::builder().status(StatusCode::UNAUTHORIZED).header("x-spinoff-refused-by", "guard");
            return Some(refused.body(Body::empty()).unwrap());
        }
        let answer = self.keeper(target).await.answer(request).await?.map(Body::new);
        let mut change = self.0.on_the_way.lock().unwrap();
        Some(match change.as_mut() {
            Some(change) => change(&path, answer),
            None => answer,
        })
    }

    /// Whether the application of what runs there rests.
    pub async fn rests(&self, target: &Target) -> bool {
        // Most towns have crowds, and nothing to keep.
        let is_told = self.0.at_start.lock().unwrap().is_some();
        let matters = is_told || self.0.running.lock().await.contains_key(&target.project);
        matters && target.image != OLD_GUARD && self.keeper(target).await.rests()
    }

    async fn keeper(&self, target: &Target) -> Arc<Keeper> {
        let mut running = self.0.running.lock().await;
        if let Some((deployment, keeper)) = running.get(&target.project)
            && *deployment == target.deployment
        {
            return Arc::clone(keeper);
        }
        // The old one stops before the new one starts.
        running.remove(&target.project);
        let data = self.data(&target.project);
        std::fs::create_dir_all(&data).unwrap();
        let said = |name: &str| target.variables.get(name).cloned().unwrap_or_default();
        assert_eq!((said("GUARD_DATA").as_str(), said("GUARD_STATE").as_str()), ("/data", "/data/.guard"));
        let settings = KeeperSettings {
            instance: InstanceId::parse(&said("GUARD_INSTANCE")).unwrap(),
            token: SecretString::from(said("GUARD_INSTANCE_TOKEN")),
            state: data.join(".guard"),
            data: data.clone(),
            deployment: target.deployment.clone(),
            begins_at_rest: said("GUARD_RESTS") == "true",
            command: ["sleep", "1000000"].map(str::to_owned).into(),
            clock: self.0.clock.clone(),
        };
        let keeper = Arc::new(Keeper::start(settings).await.unwrap());
        if !keeper.rests() {
            self.0.at_start.lock().unwrap().iter().for_each(|work| work(&target.image, &data));
        }
        running.insert(target.project.clone(), (target.deployment.clone(), Arc::clone(&keeper)));
        keeper
    }
}
