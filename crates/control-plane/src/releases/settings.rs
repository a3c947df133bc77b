//! What the server's settings say is run is a release like any other: the first one of an installation is what
//! everybody gets, and a changed one is rolled out.

use anyhow::Context as _;
use aws_lc_rs::digest::{SHA256, digest};
use domain::ReleaseId;
use fleet::{Stage, UpgradesFrom, Version};
use providers::compute::{self, Observation};

use super::{Made, Promotion, Release, store};
use crate::app::Core;
use crate::{audit, rollouts};

/// Who made such a release.
const MADE_BY: &str = "settings";

/// Keeps what the settings say as a release, unless it is the one that they said before. The first one is current at
/// once, since nobody runs anything that it could break; another one is brought to everybody, one by one, since whoever
/// changed the settings of this server means that.
pub(crate) async fn keep(core: &Core) -> anyhow::Result<()> {
    let artifact = &core.settings.release;
    let named = store::named_by_settings(&core.db).await?;
    let known = named.iter().position(|release| is_made_of(release, artifact));
    if known == Some(0) {
        return Ok(());
    }
    let release = match known.and_then(|place| named.get(place)) {
        Some(release) => release.clone(),
        None => insert(core, artifact).await?,
    };
    let is_first = store::current(core.db.read(), Stage::Customers).await?.is_none();
    if is_first { begin(core, &release).await } else { rollouts::start_for_settings(core, &release).await }
}

/// Whether a release was made of these settings, whatever it had to be called.
fn is_made_of(release: &Release, artifact: &compute::Release) -> bool {
    let called = &release.made.artifact.version;
    let same_version = *called == artifact.version || called.starts_with(&format!("{}+", artifact.version));
    same_version && release.made.artifact == compute::Release { version: called.clone(), ..artifact.clone() }
}

/// Makes the first release what everybody runs.
async fn begin(core: &Core, release: &Release) -> anyhow::Result<()> {
    let now = core.clock.now();
    let mut tx = core.db.begin().await?;
    store::note_named(&mut tx, release.id, now).await?;
    for stage in Stage::ALL {
        store::set_current(&mut tx, stage, release.id, now).await?;
    }
    // What an earlier version of this program deployed, it did not record.
    for (instance, seen) in store::unrecorded(&mut tx).await? {
        let seen: Option<Observation> = seen.and_then(|text| serde_json::from_str(&text).ok());
        if seen.and_then(|seen| seen.version).is_some_and(|version| version == release.made.version.as_str()) {
            store::note_run(&mut tx, instance, release.id, now).await?;
        }
    }
    Ok(tx.commit().await?)
}

async fn insert(core: &Core, artifact: &compute::Release) -> anyhow::Result<Release> {
    let plain = Version::parse(&artifact.version).context("reading the version of what instances run")?;
    let version = match store::find_version(&core.db, &plain).await? {
        None => plain,
        // The same version, run otherwise: called after what makes it another one.
        Some(_) => Version::parse(&format!("{plain}+{}", fingerprint(artifact)?))?,
    };
    let now = core.clock.now();
    let release = Release {
        id: ReleaseId::new(now, core.entropy.bytes()),
        made: Made {
            artifact: compute::Release { version: version.to_string(), ..artifact.clone() },
            version,
            notes: String::new(),
            upgrades_from: UpgradesFrom::Any,
        },
        made_by: MADE_BY.to_owned(),
        made_at: now,
        stage: Stage::Customers,
        withdrawn: None,
    };
    let promotion = Promotion {
        to: Stage::Customers,
        at: now,
        by: MADE_BY.to_owned(),
        without_proof: Some("the settings of this server name it".to_owned()),
    };
    let mut tx = core.db.begin().await?;
    store::insert(&mut tx, &release).await?;
    store::promote(&mut tx, release.id, &promotion).await?;
    let (id, version) = (release.id.to_string(), release.made.version.as_str());
    audit::record(&mut tx, core, MADE_BY, "release.added", &id, version).await?;
    tx.commit().await?;
    Ok(release)
}

fn fingerprint(artifact: &compute::Release) -> anyhow::Result<String> {
    let sum = hex::encode(digest(&SHA256, serde_json::to_string(artifact)?.as_bytes()));
    Ok(sum.chars().take(8).collect())
}
