use api::{Pool, WarmInstance};
use axum::extract::State;

use super::Refusal;
use crate::app::App;
use crate::person::Program;
use crate::pool::{self, Warm};

pub(crate) async fn show(State(app): State<App>, _: Program) -> Result<axum::Json<Pool>, Refusal> {
    let stock = pool::stock(&app).await?;
    Ok(axum::Json(Pool {
        size: app.settings.pool_size,
        ready: stock.ready,
        monthly_cents: stock.monthly_cost,
        instances: stock.all.into_iter().map(instance).collect(),
    }))
}

fn instance(warm: Warm) -> WarmInstance {
    WarmInstance {
        id: warm.place.id,
        subdomain: warm.place.subdomain,
        project: warm.place.project,
        state: warm.state.as_str().to_owned(),
        monthly_cents: warm.monthly_cost,
        created_at: warm.created_at,
        changed_at: warm.changed_at,
    }
}
