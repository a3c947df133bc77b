use askama::Template as _;

use super::{Button, Letter, one_line};

/// Somebody left some days ago, and is told how to come back.
#[derive(Debug, Clone)]
pub struct WinBack {
    /// What is sold here.
    pub product: String,
    /// The customer's name.
    pub name: String,
    /// The hostname of the workspace that ended.
    pub hostname: String,
    /// Until when its data is kept: `the end of 30 December 2026`; none where it is deleted.
    pub kept_until: Option<String>,
    /// Where they come back.
    pub url: String,
    /// Where they ask for no more such mail.
    pub leave_url: String,
}

mail!(WinBack);

impl WinBack {
    fn letter(&self) -> Letter {
        let (how, label) = match &self.kept_until {
            Some(until) => (
                format!(
                    "Everything in it is kept until {until}. Until then it opens again with one click, as you left it."
                ),
                "Come back",
            ),
            None => ("It is deleted, as you wanted. A new one is ready within minutes.".to_owned(), "Start anew"),
        };
        Letter {
            product: self.product.clone(),
            subject: format!("{} is here if you want it again", self.product),
            greeting: Some(format!("Hello {},", self.name)),
            paragraphs: vec![
                format!("Some days ago your workspace {} ended. We hope it was of use to you.", self.hostname),
                how,
                "If you are done with it, there is nothing that you have to do.".to_owned(),
            ],
            button: Some(Button { label, url: self.url.clone() }),
            after: vec![format!("To get no mail of this kind, open {}", self.leave_url)],
            reason: "You get this mail once, because you were a customer.".to_owned(),
            ..Letter::default()
        }
    }
}
