use secrecy::{ExposeSecret as _, SecretString};

use super::{SettingsError, problem};
use crate::Args;
use crate::emergency::PasswordHash;

const HOW: &str = "make one with `spinoff-guard hash-password`";

/// Who may enter when there is nobody to say who is who.
#[derive(Clone, Debug)]
pub(crate) struct Emergency {
    pub(crate) user: String,
    pub(crate) hash: PasswordHash,
}

/// The door, if one is asked for.
pub(super) fn emergency(args: &Args) -> Result<Option<Emergency>, SettingsError> {
    let hash = hash(args)?;
    match (&args.emergency_user, hash) {
        (None, None) => Ok(None),
        (Some(user), Some(hash)) => Ok(Some(Emergency { user: checked_user(user)?, hash })),
        (Some(_), None) => Err(problem(format!("--emergency-user without --emergency-password-hash: {HOW}"))),
        (None, Some(_)) => Err(problem("--emergency-password-hash without --emergency-user: say whose password it is")),
    }
}

/// The name goes into headers and logs, and HTTP Basic ends it at the first colon.
fn checked_user(user: &str) -> Result<String, SettingsError> {
    if user.is_empty() || user.len() > 255 || user.contains(':') || !user.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(problem(
            "--emergency-user must be 1 to 255 visible ASCII characters, without spaces and without a colon",
        ));
    }
    Ok(user.to_owned())
}

fn hash(args: &Args) -> Result<Option<PasswordHash>, SettingsError> {
    let (option, text) = match (&args.emergency_password_hash, &args.emergency_password_hash_file) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(problem("both --emergency-password-hash and --emergency-password-hash-file: choose one"));
        }
        (Some(hash), None) => ("--emergency-password-hash", hash.clone()),
        (None, Some(file)) => {
            let option = "--emergency-password-hash-file";
            let text = std::fs::read_to_string(file)
                .map_err(|error| problem(format!("{option} {}: {error}", file.display())))?;
            (option, SecretString::from(text.trim()))
        }
    };
    // The hash itself stays out of the complaint: it may be the right one with a slip in it.
    let hash = PasswordHash::parse(text.expose_secret()).map_err(|bad| problem(format!("{option} {bad}; {HOW}")))?;
    Ok(Some(hash))
}
