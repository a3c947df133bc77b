//! Asks whether somebody means it. Who has a terminal is asked to type a word; scripts give it.

use std::io::{self, IsTerminal as _, Write as _};

use crate::failure::{Exit, Failure};
use crate::output::visible;

/// Something that can't be taken back, or costs a lot, and the word that says that it is meant.
#[derive(Debug)]
pub struct Asked<'a> {
    /// What would happen, in a sentence.
    pub what: &'a str,
    /// What to type.
    pub word: &'a str,
    /// What the word is, such as "its subdomain".
    pub word_is: &'a str,
    /// What is reported when it is not meant, such as "acme was not deleted".
    pub not_done: &'a str,
    /// What `--confirm` is for, such as "to delete it with all its data".
    pub purpose: &'a str,
}

impl Asked<'_> {
    /// Goes on only if the word was given, or is typed now.
    ///
    /// # Errors
    /// [`Exit::Refused`] when it is another word, or there is nobody to ask.
    pub fn confirm(&self, given: Option<String>) -> Result<(), Failure> {
        let typed = match given {
            Some(given) => given,
            None if io::stdin().is_terminal() && io::stderr().is_terminal() => {
                self.typed().map_err(|cause| self.refusal(&cause.to_string()))?
            }
            None => return Err(self.refusal("it was not confirmed, and there is no terminal to ask on")),
        };
        if typed == self.word {
            return Ok(());
        }
        Err(self.refusal(&visible(format!("{typed:?} is not {}", self.word_is))))
    }

    fn typed(&self) -> io::Result<String> {
        write!(io::stderr(), "{}\nType {} to go on: ", visible(self.what.to_owned()), self.word)?;
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    fn refusal(&self, why: &str) -> Failure {
        let next = format!("give --confirm {} {}", self.word, self.purpose);
        Failure::new(Exit::Refused, self.not_done, why).next(next)
    }
}

/// Goes on only if it was said beforehand, or `yes` is typed now.
///
/// # Errors
/// [`Exit::Refused`] when something else is typed, or there is nobody to ask.
pub fn yes(said: bool, not_done: &str) -> Result<(), Failure> {
    if said {
        return Ok(());
    }
    let refuse = |why: &str| Failure::new(Exit::Refused, not_done, why).next("give --yes to say that you mean it");
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(refuse("it was not confirmed, and there is no terminal to ask on"));
    }
    let typed = write!(io::stderr(), "Type yes to go on: ").and_then(|()| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map(|_| line)
    });
    match typed {
        Ok(line) if line.trim_end_matches(['\r', '\n']) == "yes" => Ok(()),
        Ok(_) => Err(refuse("that was not yes")),
        Err(cause) => Err(refuse(&cause.to_string())),
    }
}
