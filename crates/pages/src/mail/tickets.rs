use askama::Template as _;

use super::{Button, Letter, Question, one_line};

/// Something was said or done in a ticket, for whoever opened it.
#[derive(Debug, Clone)]
pub struct TicketLetter {
    /// What is sold here.
    pub product: String,
    /// What the ticket is about.
    pub subject: String,
    /// What the reader is called, if that is known.
    pub name: String,
    /// What is said.
    pub paragraphs: Vec<String>,
    /// Where the whole ticket is, for whoever can sign in.
    pub url: Option<String>,
    /// Whether an answer to the mail reaches support.
    pub may_reply: bool,
    /// Where they say how content they are, if they are asked: the chosen score is put behind it.
    pub rating_url: Option<String>,
}

mail!(TicketLetter);

impl TicketLetter {
    fn letter(&self) -> Letter {
        let greeting = if self.name.is_empty() { "Hello,".to_owned() } else { format!("Hello {},", self.name) };
        let question = self.rating_url.as_ref().map(|url| {
            let choice = |(score, label): (u8, &'static str)| Button { label, url: format!("{url}?score={score}") };
            let choices =
                [(5, "5: very content"), (4, "4"), (3, "3: so-so"), (2, "2"), (1, "1: not at all")].map(choice);
            Question { words: "How content are you with the help you got?", choices: choices.into() }
        });
        let how = if self.may_reply {
            "To write more, answer this mail."
        } else if self.url.is_some() {
            "To write more, open the ticket: answers to this mail are not read."
        } else {
            ""
        };
        Letter {
            product: self.product.clone(),
            subject: answer_to(&self.subject),
            greeting: Some(greeting),
            paragraphs: self.paragraphs.clone(),
            button: self.url.clone().map(|url| Button { label: "See the ticket", url }),
            question,
            after: Some(how.to_owned()).filter(|how| !how.is_empty()).into_iter().collect(),
            reason: "You get this mail because you asked support.".to_owned(),
            ..Letter::default()
        }
    }
}

/// The subject, with the mark that mail programs know an answer by, once.
fn answer_to(subject: &str) -> String {
    let is_marked = subject.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("re:"));
    if is_marked { subject.to_owned() } else { format!("Re: {subject}") }
}
