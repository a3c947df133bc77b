use std::path::PathBuf;

use api::{NewProof, NewRelease, Page, PromoteRelease, Promotion, Proof, Release, WithdrawRelease, Withdrawal};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::ReleaseId;
use fleet::{Stage, UpgradesFrom};
use providers::compute;
use store::{from_millis, millis};

use super::{Json, Listing, Query, Refusal};
use crate::app::App;
use crate::error::{AppError, refused};
use crate::person::Program;
use crate::releases::{self, Made, promotion};

pub(crate) async fn index(
    State(app): State<App>,
    _: Program,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<Page<Release>>, Refusal> {
    let found = releases::store::list(&app.db, listing.cursor.as_deref(), listing.limit()).await?;
    let spread = Spread::of(&app).await?;
    let data = found.into_iter().map(|release| spread.view(release)).collect();
    Ok(listing.page(data, |release: &Release| release.id.to_string()))
}

pub(crate) async fn show(
    State(app): State<App>,
    _: Program,
    Path(version): Path<String>,
) -> Result<axum::Json<Release>, Refusal> {
    let found = releases::named(&app, &version).await?;
    Ok(axum::Json(whole(&app, found).await?))
}

pub(crate) async fn create(
    State(app): State<App>,
    _: Program,
    Json(new): Json<NewRelease>,
) -> Result<(StatusCode, axum::Json<Release>), Refusal> {
    let is_known = releases::store::find_version(&app.db, &new.version).await?.is_some();
    let made = made(&app, new).await?;
    let added = releases::add(&app, made, Program::NAME).await?;
    let status = if is_known { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, axum::Json(whole(&app, added).await?)))
}

pub(crate) async fn promote(
    State(app): State<App>,
    _: Program,
    Path(version): Path<String>,
    Json(how): Json<PromoteRelease>,
) -> Result<axum::Json<Release>, Refusal> {
    let why = how.without_proof_because.as_deref();
    let promoted = promotion::promote(&app, &version, how.from, why, Program::NAME).await?;
    Ok(axum::Json(whole(&app, promoted).await?))
}

pub(crate) async fn withdraw(
    State(app): State<App>,
    _: Program,
    Path(version): Path<String>,
    Json(why): Json<WithdrawRelease>,
) -> Result<axum::Json<Release>, Refusal> {
    let withdrawn = releases::withdraw(&app, &version, &why.because, Program::NAME).await?;
    Ok(axum::Json(whole(&app, withdrawn).await?))
}

pub(crate) async fn prove(
    State(app): State<App>,
    _: Program,
    Path(version): Path<String>,
    Json(proof): Json<NewProof>,
) -> Result<axum::Json<Release>, Refusal> {
    let NewProof { stage, environment, proven_at, detail } = proof;
    let at = from_millis(millis(proven_at));
    let proof = releases::Proof { stage, environment, at, by: Program::NAME.to_owned(), detail };
    let proven = promotion::attest(&app, &version, proof).await?;
    Ok(axum::Json(whole(&app, proven).await?))
}

/// What a release is made of, as it was asked for. What was left out is as it is of the release that has this version,
/// so that asking again is asking for the same; else as the settings say.
pub(crate) async fn made(app: &App, new: NewRelease) -> Result<Made, AppError> {
    let one = "Give an image where instances are containers, a command where they are processes of this machine.";
    if new.image.is_some() == new.command.is_some() {
        return Err(refused(422, "A release is either an image or a command", one));
    }
    let settings = &app.settings.release;
    if new.image.is_some() != settings.image.is_some() {
        let what =
            if new.image.is_some() { "Instances here are no containers" } else { "Instances here are containers" };
        return Err(refused(422, what, one));
    }
    let known = releases::store::find_version(&app.db, &new.version).await?.map(|known| known.made.artifact);
    let usual = known.as_ref().unwrap_or(settings);
    let folders = |folders: Vec<String>| folders.into_iter().map(PathBuf::from).collect::<Vec<_>>();
    let read_only = new.read_only.map_or_else(|| usual.read_only.clone(), folders);
    if let Some(folder) = read_only.iter().find(|folder| !folder.is_absolute()) {
        let what = format!("{} is no folder of the host", folder.display());
        return Err(refused(422, &what, "Give folders from the root on, such as /opt/app."));
    }
    let artifact = compute::Release {
        version: new.version.to_string(),
        image: new.image.map(|image| image.trim().to_owned()),
        // Containers bring theirs.
        command: new.command.unwrap_or_else(|| usual.command.clone()),
        health_path: new.health_path.unwrap_or_else(|| usual.health_path.clone()),
        read_only,
        activity_rules: new.activity_rules.or_else(|| usual.activity_rules.clone()),
    };
    Ok(Made {
        version: new.version,
        artifact,
        notes: new.notes.trim().to_owned(),
        upgrades_from: new.upgrades_from.map_or(UpgradesFrom::Any, UpgradesFrom::Only),
    })
}

/// A release with all that is known of it.
async fn whole(app: &App, release: releases::Release) -> Result<Release, AppError> {
    let proofs = releases::store::proofs(app.db.read(), release.id).await?;
    let promotions = releases::store::promotions(&app.db, release.id).await?;
    let mut view = Spread::of(app).await?.view(release);
    view.proofs = proofs.into_iter().map(proof).collect();
    view.promotions = promotions.into_iter().map(promoted).collect();
    Ok(view)
}

fn proof(proof: releases::Proof) -> Proof {
    let releases::Proof { stage, environment, at, by, detail } = proof;
    Proof { stage, environment, proven_at: at, proven_by: by, detail }
}

fn promoted(promotion: releases::Promotion) -> Promotion {
    let releases::Promotion { to, at, by, without_proof } = promotion;
    Promotion { to, at, by, without_proof_because: without_proof }
}

/// Which releases run where.
pub(crate) struct Spread {
    current: Vec<(Stage, ReleaseId)>,
    numbers: Vec<(ReleaseId, u32)>,
}

impl Spread {
    pub(crate) async fn of(app: &App) -> Result<Self, AppError> {
        let mut current = Vec::new();
        for stage in Stage::ALL {
            let found = releases::store::current(app.db.read(), stage).await?;
            current.extend(found.map(|release| (stage, release.id)));
        }
        Ok(Self { current, numbers: releases::store::numbers(&app.db).await? })
    }

    /// For which stages a release is current.
    pub(crate) fn current_for(&self, id: ReleaseId) -> Vec<Stage> {
        self.current.iter().filter(|(_, current)| *current == id).map(|(stage, _)| *stage).collect()
    }

    /// How many instances run a release.
    pub(crate) fn number(&self, id: ReleaseId) -> u32 {
        self.numbers.iter().find(|(release, _)| *release == id).map_or(0, |(_, number)| *number)
    }

    fn view(&self, release: releases::Release) -> Release {
        let releases::Release { id, made, made_by, made_at, stage, withdrawn } = release;
        let compute::Release { image, command, health_path, read_only, activity_rules, .. } = made.artifact;
        let is_container = image.is_some();
        Release {
            id,
            version: made.version,
            stage,
            image,
            command: (!is_container).then_some(command),
            health_path,
            read_only: read_only.iter().map(|folder| folder.display().to_string()).collect(),
            activity_rules,
            notes: made.notes,
            upgrades_from: match made.upgrades_from {
                UpgradesFrom::Any => None,
                UpgradesFrom::Only(versions) => Some(versions),
            },
            made_by,
            made_at,
            withdrawn: withdrawn.map(|it| Withdrawal { at: it.at, because: it.because }),
            current_for: self.current_for(id),
            instances: self.number(id),
            proofs: Vec::new(),
            promotions: Vec::new(),
        }
    }
}
