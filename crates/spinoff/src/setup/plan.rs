use std::io::{self, IsTerminal as _, Write as _};

use ::providers::setup::{State, Step};
use serde::{Serialize, Serializer};

use super::Provider;
use crate::failure::{Exit, Failure};

/// What is done at one provider.
#[derive(Debug, Serialize)]
pub struct Part {
    /// At whom.
    pub provider: Provider,
    /// What was found, in order.
    #[serde(serialize_with = "steps")]
    pub steps: Vec<Step>,
    /// What is left to a person.
    pub notes: Vec<String>,
}

#[derive(Serialize)]
struct Shown<'a> {
    what: &'a str,
    state: &'static str,
}

impl Part {
    /// Whether nothing is left to do.
    pub fn is_done(&self) -> bool {
        self.steps.iter().all(|step| step.state == State::Present)
    }
}

/// The plan for people.
pub fn in_words(parts: &[Part]) -> String {
    let mut words = String::new();
    for part in parts {
        words.push_str(&format!("{}\n", part.provider.name()));
        for step in &part.steps {
            let state = match step.state {
                State::Present => "as it should be",
                State::Missing => "will be made",
                State::Differs => "will be changed",
            };
            words.push_str(&format!("  {state:<16} {}\n", step.what));
        }
        for note in &part.notes {
            words.push_str(&format!("  {:<16} {note}\n", "by hand"));
        }
    }
    words
}

/// Asks the person at the terminal.
pub fn confirm() -> Result<(), Failure> {
    let not_done = |why: String| {
        Failure::new(Exit::Refused, "nothing was set up", why).next("look at the plan, then give --yes to do it")
    };
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(not_done("it was not confirmed, and there is no terminal to ask on".to_owned()));
    }
    let mut line = String::new();
    let asked = write!(io::stderr(), "Do this? Type yes to go on: ").and_then(|()| io::stdin().read_line(&mut line));
    asked.map_err(|cause| not_done(cause.to_string()))?;
    if line.trim() == "yes" { Ok(()) } else { Err(not_done("it was not confirmed".to_owned())) }
}

fn steps<S: Serializer>(steps: &[Step], serializer: S) -> Result<S::Ok, S::Error> {
    let state = |state| match state {
        State::Present => "present",
        State::Missing => "missing",
        State::Differs => "differs",
    };
    serializer.collect_seq(steps.iter().map(|step| Shown { what: &step.what, state: state(step.state) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_says_of_each_step_what_becomes_of_it() {
        let step = |what: &str, state| Step { what: what.to_owned(), state };
        let steps = vec![step("the price", State::Present), step("the webhook", State::Missing)];
        let part = Part { provider: Provider::Stripe, steps, notes: vec!["save the portal's settings".into()] };
        assert!(!part.is_done());
        let words = "Stripe\n  as it should be  the price\n  will be made     the webhook\n  by hand          save the \
                     portal's settings\n";
        assert_eq!(in_words(&[part]), words);
    }
}
