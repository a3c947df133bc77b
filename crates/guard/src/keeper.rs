//! A guard's custody without its doors: for rehearsals that play the rest of a guard, so that what an application keeps is
//! in the same hands there as in life.

use std::path::PathBuf;
use std::sync::Arc;

use access::orders::Order;
use bytes::Bytes;
use domain::InstanceId;
use http::{Request, Response};
use hyper::body::Body as HttpBody;
use proxy::{Body, BoxError};
use secrecy::SecretString;
use tokio_util::task::AbortOnDropHandle;
use world::Clock;

use crate::app_site::Sharing;
use crate::child::{Program, Told};
use crate::custody::{Custody, Life, Place, RestRecord};

/// Where a port matters to nobody.
const NO_PORT: u16 = 0;

/// What a [`Keeper`] is told, as a guard is by its settings.
#[derive(Debug)]
pub struct KeeperSettings {
    /// Whose data it is.
    pub instance: InstanceId,
    /// With what orders prove themselves.
    pub token: SecretString,
    /// The folder with the data.
    pub data: PathBuf,
    /// The guard's own folder; it may be in `data`.
    pub state: PathBuf,
    /// Which deployment it is.
    pub deployment: String,
    /// Whether the application rests until it is woken.
    pub begins_at_rest: bool,
    /// The application.
    pub command: Vec<String>,
    /// The time.
    pub clock: Clock,
}

/// Takes the main instance's orders. The application ends when it is dropped.
pub struct Keeper {
    custody: Custody,
    _life: AbortOnDropHandle<()>,
}

impl Keeper {
    /// Brings what a former one was in the middle of to its end, and starts the application unless it rests.
    ///
    /// # Errors
    /// When that can't be done.
    pub async fn start(settings: KeeperSettings) -> anyhow::Result<Self> {
        let KeeperSettings { instance, token, data, state, deployment, begins_at_rest, command, clock } = settings;
        std::fs::create_dir_all(&state)?;
        let place = Place::new(&data, &state);
        let record = RestRecord::new(&state, &deployment);
        let (mut life, leash) = Life::new(true, record, Some(place.exchange()), begins_at_rest, clock.clone())?;
        life.begin(Program::new(&command, NO_PORT, Told::default())?).await?;
        let life = AbortOnDropHandle::new(tokio::spawn(async move {
            if let Err(error) = life.live().await {
                tracing::error!("The application is not led any more: {error:#}");
            }
        }));
        let sharing = Arc::new(Sharing::never());
        Ok(Self { custody: Custody::new((instance, token), Some(place), leash, sharing, clock), _life: life })
    }

    /// Whether the application rests.
    #[must_use]
    pub fn rests(&self) -> bool {
        self.custody.rests()
    }

    /// Carries out an order; `None` where the request is none.
    pub async fn answer<B>(&self, request: Request<B>) -> Option<Response<Body>>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let order = Order::named_by(request.method(), request.uri().path_and_query()?.as_str())?;
        Some(self.custody.answer(order, request).await.signed().answer)
    }
}
