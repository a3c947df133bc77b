use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::file_failure;
use crate::context::Context;
use crate::failure::{Doing as _, Exit, Failure};

/// Which instance to download, and where to.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "All files that the application keeps, with a list of their checksums, as they are while they are
packed. It may be running, closed, or cancelled and not deleted yet. Not every compute provider can give them out; then
the answer says what to do instead.

Exit codes: 0 it is saved whole, 1 failed, 3 no such instance, 4 refused.

Examples:
  spinoff instances download acme
  spinoff instances download acme --output /backups/acme.tar.gz
  spinoff instances download acme --output - | tar -tz"
)]
pub struct Args {
    /// Id, project name or subdomain
    instance: String,

    /// Where to; replaced if it is there, and - is standard output [default: INSTANCE.tar.gz]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Saves what an instance keeps. A file of that name is there once all of it is.
pub async fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let Args { instance, output } = args;
    let what = || format!("can't download {instance}");
    let file = output.unwrap_or_else(|| format!("{instance}.tar.gz").into());
    let mut answer = context.client()?.download_instance(&instance).await.doing(what)?;
    if file.as_os_str() == "-" {
        let mut out = io::stdout().lock();
        return copy(&mut answer, &mut out, &what(), &file).await.map(drop);
    }
    let part = with_suffix(&file, ".part");
    let mut out = File::create(&part).map_err(|cause| file_failure(&what(), &part, &cause))?;
    let saved = copy(&mut answer, &mut out, &what(), &part).await.and_then(|bytes| {
        out.sync_all().and_then(|()| fs::rename(&part, &file)).map_err(|cause| file_failure(&what(), &file, &cause))?;
        Ok(bytes)
    });
    let bytes = match saved {
        Ok(bytes) => bytes,
        Err(failure) => {
            // Half an archive helps nobody; that it can't be removed is the smaller trouble.
            let _ = fs::remove_file(&part);
            return Err(failure);
        }
    };
    let words = format!("{instance} is saved in {} ({bytes} bytes)", file.display());
    context.output.report(&json!({"saved": file, "bytes": bytes}), words)
}

async fn copy(answer: &mut reqwest::Response, out: &mut impl Write, what: &str, file: &Path) -> Result<u64, Failure> {
    let mut bytes = 0_u64;
    loop {
        let piece = answer.chunk().await.map_err(|cause| {
            Failure::new(Exit::Failed, what, format!("the download broke off: {cause}")).next("try it once more")
        })?;
        let Some(piece) = piece else { break };
        out.write_all(&piece).map_err(|cause| file_failure(what, file, &cause))?;
        bytes = bytes.saturating_add(piece.len() as u64);
    }
    out.flush().map_err(|cause| file_failure(what, file, &cause))?;
    Ok(bytes)
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
