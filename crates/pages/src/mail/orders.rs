use super::{Button, Letter, one_line};
use askama::Template as _;

/// Somebody else ordered a workspace for the customer, whose payment details are missing.
#[derive(Debug, Clone)]
pub struct OrderPlaced {
    /// What is sold here.
    pub product: String,
    /// The workspace's hostname.
    pub hostname: String,
    /// Until when they can be entered.
    pub closes_at: jiff::Timestamp,
    /// Where they are entered, and where the order can be cancelled.
    pub url: String,
}

/// An order came to nothing before a workspace was begun.
#[derive(Debug, Clone)]
pub struct OrderClosed {
    /// What is sold here.
    pub product: String,
    /// The customer's name.
    pub name: String,
    /// The hostname that was wanted.
    pub hostname: String,
    /// Why, in a sentence.
    pub reason: String,
    /// Where to order again.
    pub retry_url: String,
}

mail!(OrderPlaced, OrderClosed);

impl OrderPlaced {
    fn letter(&self) -> Letter {
        Letter {
            product: self.product.clone(),
            subject: format!("A workspace was ordered for you: {}", self.hostname),
            greeting: Some("Hello,".to_owned()),
            paragraphs: vec![
                format!("{} ordered the workspace {} for you.", self.product, self.hostname),
                "It is made as soon as you have entered your payment details. Nothing is charged before it works."
                    .to_owned(),
                format!("They can be entered until {}.", crate::when::utc(self.closes_at)),
            ],
            button: Some(Button { label: "Enter payment details", url: self.url.clone() }),
            reason: "If you do not want it, do nothing: the order lapses. There you can also cancel it at once."
                .to_owned(),
            ..Letter::default()
        }
    }
}

impl OrderClosed {
    fn letter(&self) -> Letter {
        Letter {
            product: self.product.clone(),
            subject: format!("Your order of {} is closed", self.hostname),
            greeting: Some(format!("Hello {},", self.name)),
            paragraphs: vec![
                format!("The order of the workspace {} is closed. {}", self.hostname, self.reason),
                "Nothing was charged, and the name is free again. You are welcome to order once more.".to_owned(),
            ],
            button: Some(Button { label: "Order again", url: self.retry_url.clone() }),
            reason: "You get this mail because the workspace was ordered for this address.".to_owned(),
            ..Letter::default()
        }
    }
}
