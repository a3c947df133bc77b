use std::path::PathBuf;

use super::{MembersFrom, SettingsError, problem};
use crate::Args;

/// Where the application keeps its data. Only the main instance may ask for it, so there has to be one.
pub(super) fn data(args: &Args, members: &MembersFrom, has_main: bool) -> Result<Option<PathBuf>, SettingsError> {
    let Some(folder) = args.data.clone().filter(|folder| !folder.as_os_str().is_empty()) else {
        let alone = problem("--rests without --data: nobody could look after what the application keeps meanwhile");
        return if args.rests { Err(alone) } else { Ok(None) };
    };
    if !has_main || !matches!(members, MembersFrom::Signed { .. }) {
        return Err(problem(
            "--data without --main-url, --main-key and --instance: only the main instance may ask for what is kept there",
        ));
    }
    if !folder.is_dir() {
        return Err(problem(format!("--data {}: there is no such folder", folder.display())));
    }
    Ok(Some(folder))
}
