use std::fmt;
use std::process::ExitCode;

use api::{ClientError, Problem};

/// Why a command did not do what was asked: what failed, why, and what to do next.
#[derive(Debug)]
pub struct Failure {
    what: String,
    why: String,
    next: Option<String>,
    exit: Exit,
}

/// How a command ended, for scripts. 0 is success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It was tried and failed.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// What was named does not exist.
    NotFound = 3,
    /// It was not done, and trying again will not help.
    Refused = 4,
    /// The end was not seen in time; it may still come.
    TimedOut = 5,
}

impl Failure {
    /// Failed for a reason, without a next step yet.
    pub fn new(exit: Exit, what: impl Into<String>, why: impl fmt::Display) -> Self {
        Self { what: what.into(), why: why.to_string(), next: None, exit }
    }

    /// Says what to do now.
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// The code that the process ends with.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit as u8)
    }

    fn of_client(what: String, error: &ClientError) -> Self {
        let (exit, next) = match error {
            ClientError::Problem(problem) => (exit_of(problem.status), advice(problem)),
            ClientError::Address { .. } | ClientError::Setup(_) => (Exit::Usage, None),
            ClientError::TimedOut { .. } => (Exit::TimedOut, Some("look whether it was done before you try again")),
            ClientError::Unreachable { .. } => (
                Exit::Failed,
                Some("check that the server is running (`spinoff doctor`) and that its address is right"),
            ),
            ClientError::Malformed { .. } => {
                (Exit::Failed, Some("check that a main instance of this version answers at that address"))
            }
        };
        let told = match error {
            ClientError::Problem(problem) => problem.next_step.clone(),
            _ => None,
        };
        Self { what, why: error.to_string(), next: told.or_else(|| next.map(str::to_owned)), exit }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.what)?;
        if !self.why.is_empty() {
            writeln!(f, "  why:  {}", self.why)?;
        }
        match &self.next {
            Some(next) => writeln!(f, "  next: {next}"),
            None => Ok(()),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let why = error.chain().skip(1).map(ToString::to_string).collect::<Vec<_>>().join(": ");
        Self { what: error.to_string(), why, next: None, exit: Exit::Failed }
    }
}

/// Says what the program was doing when the server's answer was an error.
pub trait Doing<T> {
    /// `what` reads like "can't list the instances".
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T> Doing<T> for Result<T, ClientError> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure::of_client(what(), &error))
    }
}

fn exit_of(status: u16) -> Exit {
    match status {
        404 | 410 => Exit::NotFound,
        408 | 504 => Exit::TimedOut,
        400..500 => Exit::Refused,
        _ => Exit::Failed,
    }
}

fn advice(problem: &Problem) -> Option<&'static str> {
    match problem.status {
        401 => Some("give a valid token with --token or SPINOFF_TOKEN"),
        403 => Some("use a token with more rights"),
        500.. => Some("look into the server's log, then try again"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn answered(status: u16) -> Failure {
        let error = ClientError::Problem(Box::new(Problem::new(status, "no", "because")));
        Err::<(), _>(error).doing(|| "can't".to_owned()).unwrap_err()
    }

    #[test]
    fn scripts_can_tell_failures_apart() {
        for (status, exit) in [
            (400, Exit::Refused),
            (401, Exit::Refused),
            (404, Exit::NotFound),
            (409, Exit::Refused),
            (422, Exit::Refused),
            (500, Exit::Failed),
            (503, Exit::Failed),
            (504, Exit::TimedOut),
            (302, Exit::Failed),
        ] {
            assert_eq!(answered(status).exit, exit, "{status}");
        }
    }

    #[test]
    fn the_servers_advice_goes_before_our_own() {
        let own = answered(401).to_string();
        assert_eq!(
            own,
            "error: can't\n  why:  no: because\n  next: give a valid token with --token or SPINOFF_TOKEN\n"
        );
        let problem = Problem::new(401, "no", "because").with_next_step("sign in again");
        let error = ClientError::Problem(Box::new(problem));
        let told = Err::<(), _>(error).doing(|| "can't".to_owned()).unwrap_err().to_string();
        assert!(told.ends_with("next: sign in again\n"), "{told}");
    }

    #[test]
    fn an_error_from_inside_shows_its_causes() {
        let error = anyhow::anyhow!("disk full").context("can't write the log").context("can't start");
        assert_eq!(Failure::from(error).to_string(), "error: can't start\n  why:  can't write the log: disk full\n");
    }
}
