use api::{HealthObservation, InstanceHealth, UptimeOf};
use axum::extract::{Path, State};
use domain::{Share, Source, Uptime};

use super::{Refusal, instances};
use crate::app::App;
use crate::health::view::{seen_word, verdict_of};
use crate::health::{self, uptime};
use crate::person::Program;

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Path(reference): Path<String>,
) -> Result<axum::Json<InstanceHealth>, Refusal> {
    let instance = instances::find(&app, &reference).await?;
    let standing = health::of(&app, &instance).await?;
    let verdict = verdict_of(&standing);
    let decided = standing.judgement.and_then(|judgement| judgement.by);
    let seen = |source: Source, seen: &str, at, detail| HealthObservation {
        source: source.as_str().to_owned(),
        seen: seen.to_owned(),
        at,
        detail,
    };
    let observed = instance.observed.as_ref().and_then(|observed| observed.observation.detail.clone());
    let views = [
        standing.views.probe.map(|it| seen(Source::Prober, it.met.as_str(), it.at, standing.probe_detail.clone())),
        standing.views.look.map(|it| seen(Source::Provider, seen_word(it.seen), it.at, observed)),
        standing.views.heard.map(|at| seen(Source::Guard, "used", at, None)),
    ];
    let available = uptime::of_instance(&app, instance.id).await?;
    let uptime =
        [("today", available.today), ("this_month", available.this_month), ("last_month", available.last_month)];
    Ok(axum::Json(InstanceHealth {
        verdict: verdict.as_str().to_owned(),
        since: standing.open.filter(|span| span.verdict == verdict).map(|span| span.began),
        decided_by: decided.map(|(source, _)| source.as_str().to_owned()),
        observed_at: decided.map(|(_, at)| at),
        views: views.into_iter().flatten().collect(),
        uptime: uptime.map(|(period, spent)| of_period(period, &spent)).to_vec(),
        target_percent: percent(Share::TARGET),
    }))
}

fn of_period(period: &str, spent: &Uptime) -> UptimeOf {
    UptimeOf {
        period: period.to_owned(),
        percent: spent.share().map(percent),
        up_seconds: spent.up.as_secs(),
        down_seconds: spent.down.as_secs(),
        asleep_seconds: spent.asleep.as_secs(),
        paused_seconds: spent.paused.as_secs(),
        unknown_seconds: spent.unknown.as_secs(),
    }
}

fn percent(share: Share) -> f64 {
    f64::from(share.thousandths()) / 1000.0
}
