use std::time::Duration;

use access::protocol::HEALTH;
use providers::ProviderError;
use reqwest::StatusCode;
use workflow::StepError;

use super::{Place, observe};
use crate::app::Core;
use crate::workflows::step_error;

/// How long one step waits before it gives the engine its turn again, on one machine, where instances
/// answer within moments. Elsewhere it asks once, and comes back.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks; grows by a quarter, since most instances answer at once and some take minutes:
/// an instance is then noticed at most a quarter later than it could have been.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Waits until the instance answers healthy through its public hostname, as its members will reach it.
pub(crate) async fn wait_until_healthy(core: &Core, place: &Place) -> Result<(), StepError> {
    let mut pause = FIRST_PAUSE;
    let mut waited = Duration::ZERO;
    loop {
        let problem = match through_hostname(core, place, HEALTH).await {
            Ok(answer) if answer.status() == StatusCode::OK => return Ok(()),
            Ok(answer) => {
                let status = answer.status();
                format!("its health page answers {status}: {}", answer.text().await.unwrap_or_default())
            }
            Err(error) => error.to_string(),
        };
        if waited >= patience(core) {
            let what = format!("{} does not answer yet: {problem}", core.hostname(&place.subdomain));
            return Err(StepError::temporary(anyhow::anyhow!(what)));
        }
        tokio::time::sleep(pause).await;
        waited += pause;
        pause = (pause * 5 / 4).min(LONGEST_PAUSE);
    }
}

fn patience(core: &Core) -> Duration {
    if core.settings.probe_address.is_some() { PATIENCE } else { Duration::ZERO }
}

/// Waits until the guard answers healthy past the edge, while the edge lets nobody through.
pub(crate) async fn wait_behind_the_door(core: &Core, place: &Place) -> Result<(), StepError> {
    let hostname = core.hostname(&place.subdomain);
    let door = core.drivers.compute.door(&place.project, &hostname).await.map_err(step_error)?;
    let Some(door) = door else {
        return Err(step_error(ProviderError::not_found(format!("the project {}", place.project))));
    };
    let look = async || {
        let answer = door.http.get(format!("{}{HEALTH}", door.url)).header("host", &door.host).send().await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
    };
    let mut waited = Duration::ZERO;
    while !look().await {
        if waited >= patience(core) {
            return Err(StepError::temporary(anyhow::anyhow!("{hostname} does not answer yet")));
        }
        tokio::time::sleep(LONGEST_PAUSE).await;
        waited += LONGEST_PAUSE;
    }
    Ok(())
}

/// What the guard answers past the edge; why it can't be asked, in a sentence, where it can't.
pub(crate) async fn behind_the_door(core: &Core, place: &Place, path: &str) -> Result<reqwest::Response, String> {
    let door = core.drivers.compute.door(&place.project, &core.hostname(&place.subdomain)).await;
    let door = door.map_err(|error| error.to_string())?.ok_or("there is no such project")?;
    if door.asleep {
        return Err("it sleeps".to_owned());
    }
    let answer = door.http.get(format!("{}{path}", door.url)).header("host", &door.host).send().await;
    answer.map_err(|error| format!("it can't be reached: {error}"))
}

/// Stores what the compute provider sees now, so that a new instance is not shown as unobserved.
pub(crate) async fn note_observation(core: &Core, place: &Place) -> Result<(), StepError> {
    let compute = &core.drivers.compute;
    if let Some(observation) = compute.observe(&place.project).await.map_err(step_error)? {
        observe::note(core, place.id, &observation).await?;
    }
    Ok(())
}

/// Makes sure that a stranger gets in neither through the hostname nor straight at the guard.
pub(crate) async fn refuses_strangers(core: &Core, place: &Place) -> Result<(), StepError> {
    let hostname = core.hostname(&place.subdomain);
    let through_edge = async { Ok(through_hostname(core, place, "/").await.map_err(StepError::temporary)?.status()) };
    let door = async { core.drivers.compute.door(&place.project, &hostname).await.map_err(step_error) };
    let (through_edge, door) = tokio::try_join!(through_edge, door)?;
    let Some(door) = door else {
        return Err(step_error(ProviderError::not_found(format!("the project {}", place.project))));
    };
    let direct = door.http.get(format!("{}/", door.url)).header("host", &door.host).send().await;
    let direct = direct.map_err(StepError::temporary)?.status();
    for (way, status) in [("through its hostname", through_edge), ("straight at its guard", direct)] {
        if status.is_success() {
            let error = format!("{hostname} let a stranger in {way} (status {status}); it is not opened");
            return Err(StepError::permanent(anyhow::anyhow!(error)));
        }
    }
    if matches!(direct, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return Ok(());
    }
    Err(StepError::temporary(anyhow::anyhow!("the guard of {hostname} answers a stranger with {direct}")))
}

/// Asks for a path as anybody does who knows the hostname.
pub(crate) async fn through_hostname(
    core: &Core,
    place: &Place,
    path: &str,
) -> Result<reqwest::Response, reqwest::Error> {
    let request = match core.settings.probe_address {
        // The edge's own address, whatever the resolver makes of the name, with the name in the request.
        Some(address) => {
            let host = core.shown_hostname(&place.subdomain);
            core.http.get(format!("http://{address}{path}")).header("host", host)
        }
        None => core.http.get(format!("{}{path}", core.instance_url(&place.subdomain))),
    };
    request.send().await
}
