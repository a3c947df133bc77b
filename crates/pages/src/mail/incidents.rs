use askama::Template as _;
use domain::IncidentState;

use super::{Button, Letter, one_line};
use crate::status::state_label;

/// Somebody wants to be told of incidents, and has to say so once more.
#[derive(Debug, Clone)]
pub struct ConfirmSubscription {
    /// What is sold here.
    pub product: String,
    /// Where they say so.
    pub url: String,
}

/// There is news of an incident.
#[derive(Debug, Clone)]
pub struct IncidentUpdate {
    /// What is sold here.
    pub product: String,
    /// What it is about.
    pub title: String,
    /// How far it has come.
    pub state: IncidentState,
    /// What is known.
    pub text: String,
    /// Where the whole of it stands.
    pub url: String,
    /// Where one asks for no more of these.
    pub leave_url: String,
}

mail!(ConfirmSubscription, IncidentUpdate);

impl ConfirmSubscription {
    fn letter(&self) -> Letter {
        Letter {
            product: self.product.clone(),
            subject: format!("Confirm that you want news of {}", self.product),
            paragraphs: vec![
                format!(
                    "Somebody, you perhaps, asked that this address be told when something at {} does not work.",
                    self.product
                ),
                "Was it you? Then confirm it. If not, do nothing: you are not written to again.".to_owned(),
            ],
            button: Some(Button { label: "Confirm", url: self.url.clone() }),
            reason: "You get this mail because the address was entered on our status page.".to_owned(),
            ..Letter::default()
        }
    }
}

impl IncidentUpdate {
    fn letter(&self) -> Letter {
        let state = state_label(self.state);
        Letter {
            product: self.product.clone(),
            subject: format!("{}: {} ({state})", self.product, self.title),
            paragraphs: vec![format!("{state}: {}", self.title), self.text.clone()],
            button: Some(Button { label: "See the whole of it", url: self.url.clone() }),
            after: vec![format!("To get no more of these, open {}", self.leave_url)],
            reason: "You get this mail because you asked for news on our status page.".to_owned(),
            ..Letter::default()
        }
    }
}
