//! `spinoff-guard hash-password`: makes what the emergency door is configured with.

use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;

use secrecy::{ExposeSecret as _, SecretString};
use world::Entropy;

use crate::emergency::PasswordHash;

const LONGEST: u64 = 1024;
/// Attempts are throttled, so this is about guesses that somebody could make in a few thousand
/// attempts a day, and about whoever gets hold of the hash.
const SHORT: usize = 12;

/// Reads a password from standard input and prints its hash as a PHC string. Exits with 2 when
/// there is none that HTTP Basic could carry.
#[must_use]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this command's result is what it prints")]
pub fn hash_password() -> ExitCode {
    if std::io::stdin().is_terminal() {
        eprintln!("Type the password, then Enter and Ctrl-D. It is shown as you type.");
    }
    let password = match read() {
        Ok(password) => password,
        Err(problem) => {
            eprintln!("no hash: {problem}");
            return ExitCode::from(2);
        }
    };
    if password.expose_secret().chars().count() < SHORT {
        eprintln!(
            "warning: a password of fewer than {SHORT} characters can be guessed by whoever gets hold of its hash"
        );
    }
    match PasswordHash::make(password.expose_secret().as_bytes(), Entropy::System.bytes()) {
        Ok(hash) => {
            println!("{hash}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("no hash: {error}");
            ExitCode::FAILURE
        }
    }
}

fn read() -> Result<SecretString, String> {
    let mut text = String::new();
    let read = std::io::stdin().take(LONGEST + 1).read_to_string(&mut text);
    let mut text = SecretString::from(text);
    read.map_err(|error| format!("the password can't be read from standard input: {error}"))?;
    if let Some(line) = text.expose_secret().strip_suffix('\n') {
        text = SecretString::from(line.strip_suffix('\r').unwrap_or(line));
    }
    let password = text.expose_secret();
    if password.is_empty() {
        return Err("the password on standard input is empty".to_owned());
    }
    if password.len() as u64 > LONGEST {
        return Err(format!("the password on standard input is longer than {LONGEST} bytes"));
    }
    if password.chars().any(char::is_control) {
        return Err(
            "the password has control characters, such as a second line, which HTTP Basic can't carry".to_owned()
        );
    }
    Ok(text)
}
