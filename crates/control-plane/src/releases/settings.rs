//! What the server's settings say is run is a release like any other: the first one of an installation is what
//! everybody gets, and a changed one is rolled out. Another version of the server is none where instances run the same.

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

/// Where what the settings name comes from, which says what makes it another release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Application {
    /// It is part of this program: each version of the program has another one.
    #[default]
    Bundled,
    /// A command of this machine. This program can be upgraded without changing it.
    Command,
    /// An image alone, wherever instances live. Nothing of this program is in it.
    Image,
}

impl Application {
    /// Whether instances would run the same of both, whatever these are called.
    fn is_the_same(self, known: &compute::Release, named: &compute::Release) -> bool {
        let called =
            |release: &compute::Release| compute::Release { version: known.version.clone(), ..release.clone() };
        match self {
            // A version that was taken already is called after its contents as well.
            Self::Bundled => {
                let is_of = known.version == named.version || known.version.starts_with(&format!("{}+", named.version));
                is_of && *known == called(named)
            }
            Self::Command => *known == called(named),
            // What processes of this machine would run is in a release too, and reaches no container.
            Self::Image => {
                (&known.image, &known.health_path, &known.activity_rules)
                    == (&named.image, &named.health_path, &named.activity_rules)
            }
        }
    }
}

/// Keeps what the settings say as a release, unless it is the one that they said before. The first one is current at
/// once, since nobody runs anything that it could break; another one is brought to everybody, one by one, since whoever
/// changed the settings of this server means that.
pub(crate) async fn keep(core: &Core) -> anyhow::Result<()> {
    let artifact = &core.settings.release;
    let named = store::named_by_settings(&core.db).await?;
    let application = core.settings.application;
    let known = named.iter().position(|release| application.is_the_same(&release.made.artifact, artifact));
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

#[cfg(test)]
mod tests {
    use super::*;

    const EACH: [Application; 3] = [Application::Bundled, Application::Command, Application::Image];

    fn release(version: &str) -> compute::Release {
        compute::Release {
            version: version.to_owned(),
            image: Some("registry.example.com/app@sha256:11".to_owned()),
            command: "exec app".to_owned(),
            health_path: "/health".to_owned(),
            read_only: Vec::new(),
            activity_rules: None,
        }
    }

    #[test]
    fn another_version_of_the_server_is_another_release_of_what_is_bundled_alone() {
        let same = EACH.map(|application| application.is_the_same(&release("1.0.0"), &release("1.1.0")));
        assert_eq!(same, [false, true, true]);
        let taken = EACH.map(|application| application.is_the_same(&release("1.1.0+89abcdef"), &release("1.1.0")));
        assert_eq!(taken, [true, true, true]);
    }

    #[test]
    fn what_instances_run_is_another_release_when_it_changes() {
        type Change = fn(&mut compute::Release);
        let changes: [(Change, [bool; 3]); 5] = [
            (|it| it.image = Some("registry.example.com/app@sha256:22".to_owned()), [true, true, true]),
            (|it| it.health_path = "/well".to_owned(), [true, true, true]),
            (|it| it.activity_rules = Some("[[rule]]".to_owned()), [true, true, true]),
            (|it| it.command = "exec other".to_owned(), [true, true, false]),
            (|it| it.read_only = vec!["/opt/app".into()], [true, true, false]),
        ];
        for (change, is_another) in changes {
            let mut changed = release("1.0.0");
            change(&mut changed);
            let found = EACH.map(|application| !application.is_the_same(&release("1.0.0"), &changed));
            assert_eq!(found, is_another, "{changed:?}");
        }
    }
}
