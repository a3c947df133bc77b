use api::NewRelease;
use axum::extract::{Form, Path, Query, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use domain::OperatorRole;
use fleet::{Stage, UpgradesFrom, Version};
use pages::console::{
    ConfirmPromote, ConfirmWithdraw, ConsoleNewRelease, ConsoleRelease, ConsoleReleases, Fact, PromotionRow, ProofRow,
    ReleaseRow, ReleaseValues,
};
use serde::Deserialize;

use super::{Listing, PAGE, console_shell, next};
use crate::api::releases::{Spread, made};
use crate::app::App;
use crate::error::{AppError, refused};
use crate::person::{Owner, Person, Reader};
use crate::releases::{self, Release, promotion};
use crate::site::PageError;

pub(crate) async fn index(
    State(app): State<App>,
    Reader(person): Reader,
    Query(listing): Query<Listing>,
) -> Result<Html<String>, PageError> {
    let found = releases::store::list(&app.db, listing.cursor.as_deref(), PAGE).await?;
    let last = found.last().map(|release| release.id.to_string());
    let next = next("/admin/releases", None, last, found.len());
    let spread = Spread::of(&app).await?;
    let page = ConsoleReleases {
        shell: console_shell(&app, "Releases", &person),
        releases: found.iter().map(|release| row(&spread, release)).collect(),
        may_add: is_owner(&person),
        next,
    };
    Ok(Html(page.render()))
}

pub(crate) async fn show(
    State(app): State<App>,
    Reader(person): Reader,
    Path(version): Path<String>,
) -> Result<Html<String>, PageError> {
    let release = releases::named(&app, &version).await?;
    let proofs = releases::store::proofs(app.db.read(), release.id).await?.into_iter().map(|proof| ProofRow {
        stage: proof.stage,
        environment: proof.environment,
        at: proof.at,
        by: proof.by,
        detail: proof.detail,
    });
    let promotions = releases::store::promotions(&app.db, release.id).await?.into_iter().map(|it| PromotionRow {
        to: it.to,
        at: it.at,
        by: it.by,
        without_proof: it.without_proof,
    });
    let page = ConsoleRelease {
        shell: console_shell(&app, &version, &person),
        release: row(&Spread::of(&app).await?, &release),
        facts: facts(&release),
        proofs: proofs.collect(),
        promotions: promotions.collect(),
        may_change: is_owner(&person),
        withdrawn: release.withdrawn.map(|it| (it.at, it.because)),
        notes: release.made.notes,
    };
    Ok(Html(page.render()))
}

pub(crate) async fn form(State(app): State<App>, Owner(person): Owner) -> Result<Html<String>, PageError> {
    let settings = &app.settings.release;
    let values = ReleaseValues {
        runs: settings.image.clone().unwrap_or_else(|| settings.command.clone()),
        health_path: settings.health_path.clone(),
        ..ReleaseValues::default()
    };
    Ok(Html(new(&app, &person, values, None)))
}

/// A release as it was entered.
#[derive(Deserialize)]
pub(crate) struct Entered {
    version: String,
    runs: String,
    #[serde(default)]
    health_path: String,
    #[serde(default)]
    notes: String,
    #[serde(default)]
    upgrades_from: String,
}

pub(crate) async fn create(
    State(app): State<App>,
    Owner(person): Owner,
    Form(entered): Form<Entered>,
) -> Result<Response, PageError> {
    match add(&app, &entered, person.email.as_str()).await {
        Ok(release) => Ok(Redirect::to(&url(&release.made.version)).into_response()),
        Err(error) => {
            let status = error.describe().0;
            let error = error.about_what_was_entered()?;
            let Entered { version, runs, health_path, notes, upgrades_from } = entered;
            let values = ReleaseValues { version, runs, health_path, notes, upgrades_from };
            Ok((status, Html(new(&app, &person, values, Some(error)))).into_response())
        }
    }
}

async fn add(app: &App, entered: &Entered, by: &str) -> Result<Release, AppError> {
    let runs = Some(entered.runs.trim().to_owned()).filter(|runs| !runs.is_empty());
    let runs = runs.ok_or_else(|| refused(422, "Nothing says what to run", "Enter it."))?;
    let (image, command) = if is_container(app) { (Some(runs), None) } else { (None, Some(runs)) };
    let follows = entered.upgrades_from.split(',').map(str::trim).filter(|version| !version.is_empty());
    let follows = follows.map(parse).collect::<Result<Vec<_>, _>>()?;
    let new = NewRelease {
        version: parse(entered.version.trim())?,
        image,
        command,
        health_path: Some(entered.health_path.trim().to_owned()).filter(|path| !path.is_empty()),
        read_only: None,
        activity_rules: None,
        // Browsers send lines as they are sent in mails.
        notes: entered.notes.replace("\r\n", "\n"),
        upgrades_from: (!follows.is_empty()).then_some(follows),
    };
    releases::add(app, made(app, new).await?, by).await
}

fn parse(version: &str) -> Result<Version, AppError> {
    Version::parse(version).map_err(|error| refused(422, &error.to_string(), "Such as 1.4.0."))
}

fn new(app: &App, person: &Person, values: ReleaseValues, error: Option<String>) -> String {
    let shell = console_shell(app, "Add a release", person);
    ConsoleNewRelease { shell, is_container: is_container(app), values, error }.render()
}

fn is_container(app: &App) -> bool {
    app.settings.release.image.is_some()
}

pub(crate) async fn confirm_promote(
    State(app): State<App>,
    Owner(person): Owner,
    Path(version): Path<String>,
) -> Result<Response, PageError> {
    let release = releases::named(&app, &version).await?;
    let (Some(to), None) = (release.stage.following(), &release.withdrawn) else {
        return Ok(Redirect::to(&url(&release.made.version)).into_response());
    };
    let proofs = releases::store::proofs(app.db.read(), release.id).await?;
    let page = ConfirmPromote {
        shell: console_shell(&app, "Promote", &person),
        is_proven: proofs.iter().any(|proof| proof.stage == release.stage),
        version: release.made.version,
        from: release.stage,
        to,
    };
    Ok(Html(page.render()).into_response())
}

/// From where, and why without a proof.
#[derive(Deserialize)]
pub(crate) struct Promoted {
    from: String,
    #[serde(default)]
    reason: String,
}

pub(crate) async fn promote(
    State(app): State<App>,
    Owner(person): Owner,
    Path(version): Path<String>,
    Form(form): Form<Promoted>,
) -> Result<Redirect, PageError> {
    let from = Stage::parse(&form.from);
    let from = from.map_err(|error| refused(422, &error.to_string(), "Begin again at the release's own page."))?;
    let reason = Some(form.reason.trim()).filter(|reason| !reason.is_empty());
    let release = promotion::promote(&app, &version, Some(from), reason, person.email.as_str()).await?;
    Ok(Redirect::to(&url(&release.made.version)))
}

pub(crate) async fn confirm_withdraw(
    State(app): State<App>,
    Owner(person): Owner,
    Path(version): Path<String>,
) -> Result<Html<String>, PageError> {
    let release = releases::named(&app, &version).await?;
    let page = ConfirmWithdraw {
        shell: console_shell(&app, "Withdraw", &person),
        instances: Spread::of(&app).await?.number(release.id),
        version: release.made.version,
    };
    Ok(Html(page.render()))
}

/// Why a release is withdrawn.
#[derive(Deserialize)]
pub(crate) struct Why {
    #[serde(default)]
    reason: String,
}

pub(crate) async fn withdraw(
    State(app): State<App>,
    Owner(person): Owner,
    Path(version): Path<String>,
    Form(why): Form<Why>,
) -> Result<Redirect, PageError> {
    let release = releases::withdraw(&app, &version, &why.reason, person.email.as_str()).await?;
    Ok(Redirect::to(&url(&release.made.version)))
}

fn url(version: &Version) -> String {
    format!("/admin/releases/{version}")
}

pub(super) fn is_owner(person: &Person) -> bool {
    person.role >= Some(OperatorRole::Owner)
}

fn row(spread: &Spread, release: &Release) -> ReleaseRow {
    ReleaseRow {
        version: release.made.version.clone(),
        stage: release.stage,
        is_withdrawn: release.withdrawn.is_some(),
        current_for: spread.current_for(release.id),
        instances: spread.number(release.id),
        made_at: release.made_at,
        made_by: release.made_by.clone(),
    }
}

fn facts(release: &Release) -> Vec<Fact> {
    let artifact = &release.made.artifact;
    let fact = |label: &str, value: String| Fact { label: label.to_owned(), value };
    let runs = match &artifact.image {
        Some(image) => fact("Image", image.clone()),
        None => fact("Command", artifact.command.clone()),
    };
    let follows = match &release.made.upgrades_from {
        UpgradesFrom::Any => "every version".to_owned(),
        UpgradesFrom::Only(versions) => versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    let mut facts = vec![runs, fact("Health path", artifact.health_path.clone()), fact("Follows", follows)];
    if !artifact.read_only.is_empty() {
        let folders: Vec<_> = artifact.read_only.iter().map(|folder| folder.display().to_string()).collect();
        facts.push(fact("May read", folders.join(", ")));
    }
    facts
}
