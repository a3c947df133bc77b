//! What is known of an instance, as pages show it.

use domain::{Met, Seen, Verdict};
use pages::{HealthView, UptimeRow, UptimeView, ViewRow};

use super::uptime::{self, Availability};
use crate::app::Core;
use crate::error::AppError;
use crate::instances::Instance;

/// For the pages of one instance.
pub(crate) async fn of(core: &Core, instance: &Instance) -> Result<HealthView, AppError> {
    let standing = super::of(core, instance).await?;
    let verdict = standing.judgement.map(|judgement| judgement.verdict);
    let since = standing.open.filter(|span| Some(span.verdict) == verdict).map(|span| span.began);
    let (probe, look) = (standing.views.probe, standing.views.look);
    let observation = instance.observed.as_ref().map(|observed| &observed.observation);
    let views = vec![
        ViewRow {
            how: "A visit through its address".to_owned(),
            seen: match probe {
                None if core.drivers.compute.puts_to_sleep() => "Not asked, so that it may sleep".to_owned(),
                None => "Nothing yet".to_owned(),
                Some(probe) => in_words(probe.met).to_owned(),
            },
            at: probe.map(|probe| probe.at),
            detail: standing.probe_detail,
        },
        ViewRow {
            how: format!("Its provider ({})", core.drivers.compute.name()),
            seen: look.map_or("Nothing yet", |look| as_provider_says(look.seen)).to_owned(),
            at: look.map(|look| look.at),
            detail: observation.and_then(|observation| observation.detail.clone()),
        },
        ViewRow {
            how: "Its guard, when it reports use".to_owned(),
            seen: if standing.views.heard.is_some() { "It was used" } else { "Nothing yet" }.to_owned(),
            at: standing.views.heard,
            detail: None,
        },
    ];
    let uptime = table(uptime::of_instance(core, instance.id).await?);
    Ok(HealthView { verdict, since, views, uptime })
}

/// How time was spent, as pages show it.
pub(crate) fn table(available: Availability) -> UptimeView {
    let rows = [("Today", available.today), ("This month", available.this_month), ("Last month", available.last_month)];
    let row = |(label, spent): (&str, domain::Uptime)| UptimeRow { label: label.to_owned(), spent };
    UptimeView { rows: rows.map(row).to_vec(), days: available.days }
}

const fn in_words(met: Met) -> &'static str {
    match met {
        Met::Answer => "It answered",
        Met::Unwell => "Its application did not answer",
        Met::Nothing => "Nothing answered",
    }
}

const fn as_provider_says(seen: Seen) -> &'static str {
    match seen {
        Seen::Running => "It runs",
        Seen::Starting => "It is being started",
        Seen::Down => "It does not run",
        Seen::Asleep => "It rests",
        Seen::Unknown => "It could not tell",
    }
}

/// For programs: the same words as the rules use.
pub(crate) const fn seen_word(seen: Seen) -> &'static str {
    match seen {
        Seen::Running => "running",
        Seen::Starting => "starting",
        Seen::Down => "down",
        Seen::Asleep => "asleep",
        Seen::Unknown => "unknown",
    }
}

/// The verdict, also where there is nothing to be judged.
pub(crate) fn verdict_of(standing: &super::Standing) -> Verdict {
    standing.judgement.map_or(Verdict::Unknown, |judgement| judgement.verdict)
}
