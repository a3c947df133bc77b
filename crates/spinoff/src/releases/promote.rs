use std::convert::Infallible;
use std::path::PathBuf;

use api::{Client, NewProof, NewRelease, PromoteRelease, Release};
use fleet::Stage;
use secrecy::SecretString;

use super::read;
use crate::context::Context;
use crate::failure::{Doing as _, Exit, Failure};

/// Which release to promote.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A release is promoted once a rollout to its stage has proven it: every instance that was to run
it did. Whoever gives a reason instead answers for it. With --to, the release and what proved it here are brought to
another installation, such as from the one in which you try things out to the one of your customers, and promoted there
from development to main.

Exit codes: 0 it is promoted, 1 failed, 3 no such release, 4 not proven, withdrawn, or with the customers already.

Examples:
  spinoff releases promote 1.4.0
  spinoff releases promote 1.4.0 --without-proof 'It mends a hole that is being used.'
  spinoff releases promote 1.4.0 --to https://main.example.com --to-token-file /run/secrets/main-token"
)]
pub struct Args {
    /// Its version
    version: String,
    /// Why it goes on without a proof, in one sentence
    #[arg(long, value_name = "REASON")]
    without_proof: Option<String>,
    /// Bring it to the installation at this address, and promote it there
    #[arg(long, value_name = "URL", requires = "access")]
    to: Option<String>,
    /// The token of that installation
    #[arg(long, value_name = "TOKEN", group = "access", requires = "to", value_parser = secret)]
    to_token: Option<SecretString>,
    /// File that holds it
    #[arg(long, value_name = "FILE", group = "access", requires = "to")]
    to_token_file: Option<PathBuf>,
}

/// Promotes a release, here or elsewhere.
pub async fn run(context: &Context, client: &Client, args: Args) -> Result<(), Failure> {
    let version = args.version.as_str();
    let what = || format!("can't promote the release {version}");
    let release = client.release(version).await.doing(what)?;
    let token = match (args.to_token, &args.to_token_file) {
        (Some(token), _) => Some(token),
        (None, Some(path)) => Some(SecretString::from(read(path)?.trim().to_owned())),
        (None, None) => None,
    };
    let Some(to) = args.to else {
        // From the stage that was seen: so that a second try after a lost answer is no second promotion.
        let how = PromoteRelease { from: Some(release.stage), without_proof_because: args.without_proof };
        let promoted = client.promote_release(version, &how).await.doing(what)?;
        let words =
            format!("{version} is at the stage {}; bring instances to it with `{}`", promoted.stage, next(&promoted));
        return context.output.report(&promoted, words);
    };
    let other = Client::new(&to, token).doing(|| format!("can't reach {to}"))?;
    let promoted = bring(&release, &other, &to, args.without_proof).await?;
    context.output.report(&promoted, format!("{version} is at the stage {} at {to}", promoted.stage))
}

fn next(release: &Release) -> String {
    format!("spinoff rollouts start {}", release.version)
}

/// Takes a release and what proved it to another installation.
async fn bring(release: &Release, other: &Client, to: &str, reason: Option<String>) -> Result<Release, Failure> {
    let version = release.version.as_str();
    let what = || format!("can't bring the release {version} to {to}");
    if let Some(withdrawn) = &release.withdrawn {
        let why = format!("it was withdrawn: {}", withdrawn.because);
        return Err(Failure::new(Exit::Refused, what(), why).next("use another release"));
    }
    if release.proofs.is_empty() && reason.is_none() {
        let next = format!("roll it out here first: `spinoff rollouts start {version}`, or give --without-proof");
        return Err(Failure::new(Exit::Refused, what(), "nothing here proves that it works").next(next));
    }
    other.add_release(&as_new(release)).await.doing(what)?;
    for proof in &release.proofs {
        let proof = NewProof {
            // What proves it anywhere here proves it where it begins there.
            stage: Stage::Development,
            environment: proof.environment.clone(),
            proven_at: proof.proven_at,
            detail: proof.detail.clone(),
        };
        other.prove_release(version, &proof).await.doing(what)?;
    }
    let how = PromoteRelease { from: Some(Stage::Development), without_proof_because: reason };
    let there = other.release(version).await.doing(what)?;
    // It may be further than that.
    if there.stage != Stage::Development {
        return Ok(there);
    }
    other.promote_release(version, &how).await.doing(|| format!("can't promote the release {version} at {to}"))
}

fn as_new(release: &Release) -> NewRelease {
    NewRelease {
        version: release.version.clone(),
        image: release.image.clone(),
        command: release.command.clone(),
        health_path: Some(release.health_path.clone()),
        read_only: Some(release.read_only.clone()),
        activity_rules: release.activity_rules.clone(),
        notes: release.notes.clone(),
        upgrades_from: release.upgrades_from.clone(),
    }
}

fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(SecretString::from(text))
}
