//! A rollout before it begins: the form, the plan, and its beginning as it was shown.

use std::num::NonZeroU16;

use api::RolloutStrategy;
use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use fleet::{Strategy, Version};
use pages::console::{ConsoleNewRollout, ConsoleRolloutPlan, PlannedRow, RolloutForm};
use serde::Deserialize;

use super::{console_shell, url};
use crate::api::rollouts::strategy;
use crate::app::App;
use crate::backups;
use crate::error::{AppError, refused};
use crate::person::{Owner, Person};
use crate::releases::{self, Release};
use crate::rollouts::preview::Preview;
use crate::rollouts::{self, Reach, store};
use crate::site::PageError;

/// So many releases can be chosen.
const RELEASES: u32 = 50;
/// So many instances stand on the page.
const ROWS: usize = 100;

/// A rollout as it was asked for.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    version: String,
    #[serde(default)]
    pace: String,
    #[serde(default)]
    waves: String,
    #[serde(default)]
    at_once: String,
    #[serde(default)]
    soak_minutes: String,
    #[serde(default)]
    tolerated: String,
    #[serde(default)]
    notice_hours: String,
    #[serde(default)]
    without_backup: String,
}

/// The same, as it was shown.
#[derive(Deserialize)]
pub(crate) struct AsShown {
    digest: String,
    #[serde(flatten)]
    wanted: Wanted,
}

pub(crate) async fn form(
    State(app): State<App>,
    Owner(person): Owner,
    Query(wanted): Query<Wanted>,
) -> Result<Html<String>, PageError> {
    let proposed = if wanted.pace.is_empty() {
        let text = str::to_owned;
        let without_backup = if backups::possible(&app).is_err() { text("yes") } else { String::new() };
        Wanted {
            version: wanted.version,
            pace: text("one"),
            waves: text("1, 10, 20, 30"),
            at_once: text("5"),
            soak_minutes: text("0"),
            tolerated: text("0"),
            notice_hours: text("0"),
            without_backup,
        }
    } else {
        wanted
    };
    Ok(Html(new(&app, &person, proposed, None).await?))
}

pub(crate) async fn show(
    State(app): State<App>,
    Owner(person): Owner,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    match planned(&app, &wanted).await {
        Ok((release, _, preview)) => {
            Ok(Html(page(&app, &person, &wanted, &release, &preview, None).await?).into_response())
        }
        Err(error) => {
            let status = error.describe().0;
            let error = error.about_what_was_entered()?;
            Ok((status, Html(new(&app, &person, wanted, Some(error)).await?)).into_response())
        }
    }
}

pub(crate) async fn start(
    State(app): State<App>,
    Owner(person): Owner,
    Form(shown): Form<AsShown>,
) -> Result<Response, PageError> {
    let AsShown { digest, wanted } = shown;
    let (release, strategy, preview) = planned(&app, &wanted).await?;
    if name_of(&preview) != digest {
        let error = "Other instances are to be updated than when you looked. Nothing was begun; this is how it is now.";
        let html = page(&app, &person, &wanted, &release, &preview, Some(error.to_owned())).await?;
        return Ok((StatusCode::CONFLICT, Html(html)).into_response());
    }
    let version = release.made.version.as_str();
    match rollouts::start(&app, version, &strategy, &Reach::Whole, person.email.as_str()).await {
        Ok(begun) => Ok(Redirect::to(&url(begun.id)).into_response()),
        // A form that is sent twice leads to what the first one began.
        Err(error) => match store::open(&app.db).await? {
            Some(open) if open.release == release.id => Ok(Redirect::to(&url(open.id)).into_response()),
            _ => Err(error.into()),
        },
    }
}

async fn planned(app: &App, wanted: &Wanted) -> Result<(Release, Strategy, Preview), AppError> {
    let strategy = strategy(&read(wanted)?)?;
    let (release, preview) = rollouts::planned(app, wanted.version.trim(), &strategy, &Reach::Whole).await?;
    Ok((release, strategy, preview))
}

fn read(wanted: &Wanted) -> Result<RolloutStrategy, AppError> {
    let in_waves = wanted.pace == "waves";
    let percents = wanted.waves.split(',').map(str::trim).filter(|percent| !percent.is_empty());
    let percents = percents.map(|percent| number(percent.trim_end_matches('%').trim(), "a per cent of a wave"));
    let waves = if in_waves { Some(percents.collect::<Result<Vec<u8>, _>>()?) } else { None };
    let at_once = match wanted.at_once.trim() {
        text if in_waves && !text.is_empty() => Some(number::<NonZeroU16>(text, "how many are deployed at a time")?),
        _ => None,
    };
    let or_zero = |text: &str, what| match text.trim() {
        "" => Ok(0),
        text => number(text, what),
    };
    Ok(RolloutStrategy {
        waves,
        at_once,
        soak_minutes: or_zero(&wanted.soak_minutes, "for how many minutes each is watched")?,
        tolerated: Some(wanted.tolerated.trim().to_owned()).filter(|text| !text.is_empty()),
        notice_hours: or_zero(&wanted.notice_hours, "how many hours before customers are told")?,
        without_backup: !wanted.without_backup.is_empty(),
    })
}

fn number<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, AppError> {
    text.parse().map_err(|_| refused(422, &format!("{text:?} does not say {what}"), "Enter a whole number."))
}

/// The same instances have the same name, in whatever order.
fn name_of(preview: &Preview) -> String {
    let mut ids: Vec<String> = preview.plan.units.iter().map(|unit| unit.id.to_string()).collect();
    ids.sort_unstable();
    hex::encode(digest(&SHA256, ids.join(" ").as_bytes()))
}

async fn new(app: &App, person: &Person, wanted: Wanted, error: Option<String>) -> Result<String, AppError> {
    let found = releases::store::list(&app.db, None, RELEASES).await?;
    let usable = found.into_iter().filter(|release| release.withdrawn.is_none());
    let page = ConsoleNewRollout {
        shell: console_shell(app, "Begin a rollout", person),
        releases: usable.map(|release| (release.made.version, release.stage)).collect(),
        form: shown(wanted),
        no_backups: backups::possible(app).err().map(str::to_owned),
        error,
    };
    Ok(page.render())
}

async fn page(
    app: &App,
    person: &Person,
    wanted: &Wanted,
    release: &Release,
    preview: &Preview,
    error: Option<String>,
) -> Result<String, AppError> {
    let hostname = |id| preview.entry(id).map(|entry| app.shown_hostname(&entry.subdomain));
    let units = preview.plan.units.iter().take(ROWS).filter_map(|unit| {
        Some(PlannedRow {
            hostname: hostname(unit.id)?,
            url: format!("/admin/instances/{}", unit.id),
            stage: preview.entry(unit.id)?.stage,
            runs: unit.runs.clone(),
            wave: unit.wave.saturating_add(1),
            rest: unit.rest,
            opens_at: unit.opening.map(|opening| opening.opens),
        })
    });
    let left_out = preview.left_with_reason().filter_map(|(id, why)| Some((hostname(id)?, why)));
    let query = query(wanted);
    let page = ConsoleRolloutPlan {
        shell: console_shell(app, "Plan", person),
        form_url: format!("/admin/rollouts/new?{query}"),
        form: shown(wanted.clone()),
        version: Version::clone(&release.made.version),
        stage: release.stage,
        number: preview.plan.units.len(),
        units: units.collect(),
        left_out: left_out.collect(),
        ran_it_already: preview.ran_it_already(),
        waves: preview.plan.waves.clone(),
        tolerated: preview.plan.tolerated,
        expected_seconds: u64::try_from(preview.plan.estimate.work.as_secs()).unwrap_or(0),
        last_opening: preview.plan.estimate.last_opening,
        waits_for: store::open(&app.db).await?.map(|open| open.id),
        error,
        digest: name_of(preview),
    };
    Ok(page.render())
}

fn query(wanted: &Wanted) -> String {
    let fields = [
        ("version", &wanted.version),
        ("pace", &wanted.pace),
        ("waves", &wanted.waves),
        ("at_once", &wanted.at_once),
        ("soak_minutes", &wanted.soak_minutes),
        ("tolerated", &wanted.tolerated),
        ("notice_hours", &wanted.notice_hours),
        ("without_backup", &wanted.without_backup),
    ];
    let encoded =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

fn shown(wanted: Wanted) -> RolloutForm {
    let Wanted { version, pace, waves, at_once, soak_minutes, tolerated, notice_hours, without_backup } = wanted;
    RolloutForm { version, pace, waves, at_once, soak_minutes, tolerated, notice_hours, without_backup }
}
