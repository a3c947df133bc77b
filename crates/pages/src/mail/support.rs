use super::{Button, Letter, one_line};
use askama::Template as _;

/// Support asks to enter a workspace, may enter it, or may no more.
#[derive(Debug, Clone)]
pub struct SupportAccess {
    /// What is sold here.
    pub product: String,
    /// What happened, in one line.
    pub subject: String,
    /// The same in sentences.
    pub paragraphs: Vec<String>,
    /// Where its owner sees to it.
    pub url: String,
    /// Whether it goes to the owner, who can see to it.
    pub is_owners: bool,
}

mail!(SupportAccess);

impl SupportAccess {
    fn letter(&self) -> Letter {
        let button = Button { label: "See to it in the portal", url: self.url.clone() };
        Letter {
            product: self.product.clone(),
            subject: self.subject.clone(),
            greeting: Some("Hello,".to_owned()),
            paragraphs: self.paragraphs.clone(),
            button: self.is_owners.then_some(button),
            reason: "You get this mail because the workspace is yours, or you work in it or for it.".to_owned(),
            ..Letter::default()
        }
    }
}
