use api::{ChangeUpdates, PastUpdate, Pin, RunningRelease, Updates, WaitingUpdate};
use axum::extract::{Path, State};

use super::{Json, Refusal, instances::find};
use crate::app::App;
use crate::error::AppError;
use crate::instances::Instance;
use crate::person::Program;
use crate::releases;
use crate::rollouts::agreement::{self, Changes};
use crate::rollouts::store;

/// So many of the updates that are over are told.
const RECENT: u32 = 10;

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
) -> Result<axum::Json<Updates>, Refusal> {
    let instance = find(&app, &reference).await?;
    Ok(axum::Json(view(&app, &instance).await?))
}

pub(crate) async fn change(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
    Json(change): Json<ChangeUpdates>,
) -> Result<axum::Json<Updates>, Refusal> {
    let instance = find(&app, &reference).await?;
    let changes = Changes {
        stage: change.stage,
        window: change.window,
        deferred_until: change.deferred_until,
        pin: change.pin.map(|pin| pin.map(|pin| (pin.until, pin.because))),
    };
    agreement::agree(&app, &instance, changes, Program::NAME).await?;
    Ok(axum::Json(view(&app, &instance).await?))
}

async fn view(app: &App, instance: &Instance) -> Result<Updates, AppError> {
    let now = app.clock.now();
    let agreed = agreement::find(&app.db, instance.id).await?;
    let pin = agreed.rules.pinned(now).map(|pin| Pin { until: pin.until, because: pin.because.clone() });
    let run = releases::store::run_since(&app.db, instance.id).await?;
    let (mut waiting, mut recent) = (None, Vec::new());
    for (rollout, unit) in store::of_instance(&app.db, instance.id, RECENT).await? {
        let (rollout_id, version) = (rollout.id, rollout.version);
        if unit.state.is_settled() {
            recent.push(PastUpdate { rollout_id, version, state: unit.state, at: unit.settled_at, why: unit.why });
        } else {
            waiting = Some(WaitingUpdate { rollout_id, version, state: unit.state, opens_at: unit.opens_at });
        }
    }
    Ok(Updates {
        instance_id: instance.id,
        stage: agreed.stage,
        window: agreed.rules.window.clone(),
        deferred_until: agreed.rules.deferred_until.filter(|until| *until > now),
        pin,
        release: run.map(|(version, since)| RunningRelease { version, since }),
        waiting,
        recent,
    })
}
