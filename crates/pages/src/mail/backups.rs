use super::{Button, Letter, one_line};
use askama::Template as _;

/// A backup was put back.
#[derive(Debug, Clone)]
pub struct Restored {
    /// What is sold here.
    pub product: String,
    /// The customer's name.
    pub name: String,
    /// The workspace's hostname.
    pub hostname: String,
    /// Where its backups are.
    pub url: String,
}

/// A backup could not be put back, and everything is as it was.
#[derive(Debug, Clone)]
pub struct RestoreFailed {
    /// What is sold here.
    pub product: String,
    /// The customer's name.
    pub name: String,
    /// The workspace's hostname.
    pub hostname: String,
    /// Where its backups are.
    pub url: String,
}

mail!(Restored, RestoreFailed);

impl Restored {
    fn letter(&self) -> Letter {
        Letter {
            product: self.product.clone(),
            subject: format!("{} was restored", self.hostname),
            greeting: Some(format!("Hello {},", self.name)),
            paragraphs: vec![
                format!("The backup was put back, and {} answers again.", self.hostname),
                "What it kept until then was backed up first. If this was not what you wanted, restore that one."
                    .to_owned(),
            ],
            button: Some(Button { label: "See its backups", url: self.url.clone() }),
            reason: "You get this mail because it is your workspace.".to_owned(),
            ..Letter::default()
        }
    }
}

impl RestoreFailed {
    fn letter(&self) -> Letter {
        Letter {
            product: self.product.clone(),
            subject: format!("{} could not be restored", self.hostname),
            greeting: Some(format!("Hello {},", self.name)),
            paragraphs: vec![
                format!("The backup could not be put back into {}. It keeps what it kept before.", self.hostname),
                "We have been told as well. You can try another backup.".to_owned(),
            ],
            button: Some(Button { label: "See its backups", url: self.url.clone() }),
            reason: "You get this mail because it is your workspace.".to_owned(),
            ..Letter::default()
        }
    }
}
