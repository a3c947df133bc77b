use api::{InstanceHealth, UptimeOf};

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::{or_dash, table};
use crate::when::{ago, moment};

/// Shows how an instance is, who saw what of it, and how much of the time it answered.
pub(super) async fn show(context: &Context, instance: &str) -> Result<(), Failure> {
    let health = context.client()?.instance_health(instance).await;
    let health = health.doing(|| format!("can't see how {instance} is"))?;
    context.output.show(&health, || in_words(context, instance, &health))
}

fn in_words(context: &Context, instance: &str, health: &InstanceHealth) -> String {
    let now = context.clock.now();
    let since = health.since.map(|at| format!(" since {}", moment(at))).unwrap_or_default();
    let by = health.decided_by.as_ref().zip(health.observed_at);
    let by = by.map(|(by, at)| format!(", as its {by} saw {}", ago(now, at))).unwrap_or_default();
    let views = health
        .views
        .iter()
        .map(|view| [view.source.clone(), view.seen.clone(), ago(now, view.at), or_dash(view.detail.as_ref())]);
    let views = table(&["SOURCE", "SEEN", "WHEN", "DETAIL"], views);
    let headings = ["PERIOD", "ANSWERED", "DOWN", "ASLEEP", "CLOSED", "UNKNOWN"];
    let uptime = table(&headings, health.uptime.iter().map(row));
    format!(
        "{instance} is {}{since}{by}\n\n{views}\n{uptime}\nThe target is {} %.\n",
        health.verdict, health.target_percent
    )
}

fn row(uptime: &UptimeOf) -> [String; 6] {
    let minutes = |seconds: i64| format!("{} min", seconds / 60);
    [
        uptime.period.replace('_', " "),
        or_dash(uptime.percent.map(|percent| format!("{percent:.2} %"))),
        minutes(uptime.down_seconds),
        minutes(uptime.asleep_seconds),
        minutes(uptime.paused_seconds),
        minutes(uptime.unknown_seconds),
    ]
}
