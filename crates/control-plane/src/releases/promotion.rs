//! A release gets to the next stage, by what it proved where it is.

use fleet::{NotPromoted, Stage};

use super::{Promotion, Proof, Release, named, store};
use crate::app::App;
use crate::audit;
use crate::error::{AppError, refused};

/// Where a release was proven may be called so long.
const LONGEST_NAME: usize = 64;
/// So much may be said about a proof, or instead of one.
const LONGEST_REASON: usize = 500;

/// Takes a release to the next stage. Whoever gives a reason answers for it that it goes on without a proof. Whoever
/// says from which stage is not surprised: asked twice, it is done once.
pub(crate) async fn promote(
    app: &App,
    version: &str,
    from: Option<Stage>,
    without_proof: Option<&str>,
    by: &str,
) -> Result<Release, AppError> {
    let without_proof = without_proof.map(str::trim).filter(|because| !because.is_empty());
    if without_proof.is_some_and(|because| because.chars().count() > LONGEST_REASON) {
        let next = format!("Say in at most {LONGEST_REASON} characters why it goes on without a proof.");
        return Err(refused(422, "The reason is too long", &next));
    }
    let release = named(app, version).await?;
    let mut tx = app.db.begin().await?;
    let release = store::lock(&mut tx, release.id).await?.ok_or(AppError::NotFound)?;
    if let Some(from) = from.filter(|from| *from != release.stage) {
        return if from.following() == Some(release.stage) { Ok(release) } else { Err(elsewhere(&release, from)) };
    }
    let proven: Vec<Stage> = store::proofs(&mut *tx, release.id).await?.into_iter().map(|proof| proof.stage).collect();
    let to = release.stage.promoted(&proven, release.withdrawn.is_some(), without_proof.is_some());
    let to = to.map_err(|why| not_promoted(&release, why))?;
    let without_proof = without_proof.filter(|_| !proven.contains(&release.stage)).map(str::to_owned);
    let detail = without_proof.as_ref().map_or(format!("to {to}"), |why| format!("to {to}, without proof: {why}"));
    let promotion = Promotion { to, at: app.clock.now(), by: by.to_owned(), without_proof };
    store::promote(&mut tx, release.id, &promotion).await?;
    audit::record(&mut tx, app, by, "release.promoted", &release.id.to_string(), &detail).await?;
    tx.commit().await?;
    Ok(Release { stage: to, ..release })
}

/// Takes the word of another installation that a release works there. Whoever brings it may do everything here anyway.
pub(crate) async fn attest(app: &App, version: &str, proof: Proof) -> Result<Release, AppError> {
    let release = named(app, version).await?;
    let environment = proof.environment.trim();
    if environment.is_empty() || environment.chars().count() > LONGEST_NAME {
        let next = format!("Name the environment in at most {LONGEST_NAME} characters.");
        return Err(refused(422, "It is not clear where it was proven", &next));
    }
    if proof.detail.chars().count() > LONGEST_REASON {
        return Err(refused(422, "The proof says too much", &format!("Use at most {LONGEST_REASON} characters.")));
    }
    if proof.at > app.clock.now() {
        return Err(refused(422, "It was proven in the future", "Give the moment at which it was proven."));
    }
    let proof = Proof { environment: environment.to_owned(), ..proof };
    let mut tx = app.db.begin().await?;
    store::prove(&mut tx, release.id, &proof).await?;
    let told = format!("{} in {}", proof.stage, proof.environment);
    audit::record(&mut tx, app, &proof.by, "release.proven_elsewhere", &release.id.to_string(), &told).await?;
    tx.commit().await?;
    Ok(release)
}

fn elsewhere(release: &Release, from: Stage) -> AppError {
    let what = format!("{} is not at the stage {from} but at {}", release.made.version, release.stage);
    refused(409, &what, "Look at it as it stands now, and ask again.")
}

fn not_promoted(release: &Release, why: NotPromoted) -> AppError {
    let version = &release.made.version;
    let next = match why {
        NotPromoted::IsEverywhere => format!("Bring instances to it: `spinoff rollouts start {version}`."),
        NotPromoted::IsUnproven(_) => {
            format!("`spinoff rollouts start {version}` proves it; `--without-proof REASON` answers for it.")
        }
        NotPromoted::IsWithdrawn => "Use another release.".to_owned(),
    };
    refused(409, &format!("{version} stays where it is: {why}"), &next)
}
