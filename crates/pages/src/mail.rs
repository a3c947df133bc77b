//! Mails. Each has a subject, a text, and the same as HTML with its styles inline, since mail
//! programs know no other.

use askama::Template;

/// The workspace is ready; leads there.
#[derive(Debug, Clone)]
pub struct Welcome {
    /// What is sold here.
    pub product: String,
    /// The customer's name.
    pub name: String,
    /// The workspace's hostname.
    pub hostname: String,
    /// Where it is.
    pub url: String,
    /// The hostname that it moves to by itself, if it was made ahead of its customer.
    pub next_hostname: Option<String>,
    /// Where the portal is.
    pub portal_url: String,
}

/// The one-time code for signing in.
#[derive(Debug, Clone)]
pub struct SignInCode {
    /// What is sold here.
    pub product: String,
    /// Six digits.
    pub code: String,
    /// Where it lets in.
    pub hostname: String,
    /// For how many minutes.
    pub valid_minutes: u32,
}

/// Somebody was invited to a workspace.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// What is sold here.
    pub product: String,
    /// Who invites.
    pub invited_by: String,
    /// The workspace's hostname.
    pub hostname: String,
    /// Where it is.
    pub url: String,
}

/// The workspace could not be made.
#[derive(Debug, Clone)]
pub struct ProvisioningFailed {
    /// What is sold here.
    pub product: String,
    /// The customer's name.
    pub name: String,
    /// The hostname that was wanted.
    pub hostname: String,
    /// What did not work, in words for the customer.
    pub reason: String,
    /// Where to try again.
    pub retry_url: String,
}

/// Something waits for the operator.
#[derive(Debug, Clone)]
pub struct OperatorAlert {
    /// What is sold here.
    pub product: String,
    /// What happened, in one line.
    pub what: String,
    /// Why, as it was recorded.
    pub why: String,
    /// Where to see to it.
    pub url: String,
}

/// The workspace was removed.
#[derive(Debug, Clone)]
pub struct Deleted {
    /// What is sold here.
    pub product: String,
    /// The customer's name.
    pub name: String,
    /// The hostname that was the workspace's.
    pub hostname: String,
    /// Where the record of what was removed is.
    pub record_url: String,
}

/// The workspace is closed for now.
#[derive(Debug, Clone)]
pub struct Suspended {
    /// What is sold here.
    pub product: String,
    /// The customer's name.
    pub name: String,
    /// The workspace's hostname.
    pub hostname: String,
    /// Why, in a sentence.
    pub reason: String,
    /// Where the customer sees what can be done.
    pub portal_url: String,
}

/// The workspace is open again.
#[derive(Debug, Clone)]
pub struct Resumed {
    /// What is sold here.
    pub product: String,
    /// The customer's name.
    pub name: String,
    /// The workspace's hostname.
    pub hostname: String,
    /// Where it is opened.
    pub url: String,
}

/// The workspace has another address.
#[derive(Debug, Clone)]
pub struct Renamed {
    /// What is sold here.
    pub product: String,
    /// The customer's name.
    pub name: String,
    /// Where the workspace was.
    pub old_hostname: String,
    /// Where it is now.
    pub hostname: String,
    /// Where it is opened.
    pub url: String,
}

/// The workspace could not get the address that was wanted.
#[derive(Debug, Clone)]
pub struct RenameFailed {
    /// What is sold here.
    pub product: String,
    /// The customer's name.
    pub name: String,
    /// Where the workspace is and stays.
    pub hostname: String,
    /// The hostname that was wanted.
    pub wanted: String,
    /// What did not work, in words for the customer.
    pub reason: String,
    /// Where to try again.
    pub portal_url: String,
}

/// What all mails are made of: they differ in words, not in shape.
#[derive(Debug, Default, Template)]
#[template(path = "mail/letter.html")]
struct Letter {
    product: String,
    subject: String,
    greeting: Option<String>,
    paragraphs: Vec<String>,
    code: Option<String>,
    lines: Vec<Line>,
    button: Option<Button>,
    question: Option<Question>,
    after: Vec<String>,
    reason: String,
}

/// A question that is answered by following one of some links.
#[derive(Debug)]
struct Question {
    words: &'static str,
    choices: Vec<Button>,
}

/// A line of a list with three columns.
#[derive(Debug)]
struct Line {
    label: String,
    text: String,
    amount: String,
}

#[derive(Debug)]
struct Button {
    label: &'static str,
    url: String,
}

/// A mail in words, as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The subject, in one line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

macro_rules! mail {
    ($($mail:ty),*) => {
        $(impl $mail {
            /// The subject, in one line.
            pub fn subject(&self) -> String {
                one_line(&self.letter().subject)
            }

            /// The text.
            pub fn text(&self) -> String {
                self.letter().text()
            }

            /// The HTML.
            pub fn html(&self) -> String {
                $crate::page::written(self.letter().render())
            }

            /// All three.
            pub fn written(&self) -> $crate::mail::Written {
                $crate::mail::Written { subject: self.subject(), text: self.text(), html: self.html() }
            }
        })*
    };
}

// After the macro, which it uses.
mod backups;
mod leaving;
mod money;
mod moves;
mod orders;
mod previews;
mod updates;
mod win_back;
pub use backups::{RestoreFailed, Restored};
mod incidents;
pub use incidents::{ConfirmSubscription, IncidentUpdate};
mod support;
mod tickets;
pub use leaving::{
    CancellationRequested, CancellationTakenBack, DeletionAnnounced, DeletionAsked, DeletionTakenBack, Leaver,
    Returned, ServiceEnded,
};
pub use money::{
    Account, BudgetAlert, CapReached, ContestAccepted, ContestRefused, InvoiceIssued, MoneyReturned, NextStep,
    PaymentReceived, PaymentReminder, ReminderKind, UsageDay,
};
pub use moves::{MoveBegins, MoveFailed, MoveWaits, Moved, MovedBack, Mover};
pub use orders::{OrderClosed, OrderPlaced};
pub use previews::{Preview, Reader, previews};
pub use support::SupportAccess;
pub use tickets::TicketLetter;
pub use updates::{UpdateAnnounced, UpdateFailed, UpdateTakenBack, Updated, Workspace};
pub use win_back::WinBack;

mail!(
    Welcome,
    SignInCode,
    Invitation,
    ProvisioningFailed,
    OperatorAlert,
    Deleted,
    Suspended,
    Resumed,
    Renamed,
    RenameFailed
);

impl Welcome {
    fn letter(&self) -> Letter {
        Letter {
            product: self.product.clone(),
            subject: format!("Your {} workspace is ready", self.product),
            greeting: Some(format!("Hello {},", self.name)),
            paragraphs: [
                Some(format!("Your workspace is ready at {}.", self.hostname)),
                self.next_hostname.as_ref().map(|next| {
                    format!("{next} takes over by itself when it is connected, mostly within 20 minutes. We write to you then.")
                }),
                Some("When you open it, it asks for this e-mail address and mails you a code. There is no password to remember.".to_owned()),
            ]
            .into_iter()
            .flatten()
            .collect(),
            button: Some(Button { label: "Open your workspace", url: self.url.clone() }),
            after: vec![format!("Members, usage and bills are at {}", self.portal_url)],
            reason: "You get this mail because you signed up.".to_owned(),
            ..Letter::default()
        }
    }
}

impl SignInCode {
    fn letter(&self) -> Letter {
        Letter {
            product: self.product.clone(),
            subject: format!("{} is your code for {}", self.code, self.hostname),
            paragraphs: vec![format!("Your code for signing in to {}:", self.hostname)],
            code: Some(one_line(&self.code)),
            after: vec![format!(
                "It works once, for {} minutes, and only in the browser that asked for it. Nobody will ever ask you for it.",
                self.valid_minutes
            )],
            reason: "Somebody entered your e-mail address there. If it was not you, do nothing: without the code nobody gets in."
                .to_owned(),
            ..Letter::default()
        }
    }
}

impl Invitation {
    fn letter(&self) -> Letter {
        Letter {
            product: self.product.clone(),
            subject: format!("You are invited to {}", self.hostname),
            greeting: Some("Hello,".to_owned()),
            paragraphs: vec![
                format!("{} invites you to the {} workspace {}.", self.invited_by, self.product, self.hostname),
                "When you open it, it asks for this e-mail address and mails you a code. There is no account to set up.".to_owned(),
            ],
            button: Some(Button { label: "Open the workspace", url: self.url.clone() }),
            reason: "If you did not expect this, do nothing.".to_owned(),
            ..Letter::default()
        }
    }
}

impl ProvisioningFailed {
    fn letter(&self) -> Letter {
        Letter {
            product: self.product.clone(),
            subject: format!("Your {} workspace could not be made", self.product),
            greeting: Some(format!("Hello {},", self.name)),
            paragraphs: vec![
                format!("We could not make your workspace {}: {}", self.hostname, self.reason),
                "Everything that had been made was removed again, and nothing is charged. We have been told as well."
                    .to_owned(),
            ],
            button: Some(Button { label: "Try again", url: self.retry_url.clone() }),
            reason: "You get this mail because you signed up.".to_owned(),
            ..Letter::default()
        }
    }
}

impl OperatorAlert {
    fn letter(&self) -> Letter {
        Letter {
            product: self.product.clone(),
            subject: self.what.clone(),
            paragraphs: vec![format!("{}.", self.what), self.why.clone()],
            button: Some(Button { label: "See to it in the console", url: self.url.clone() }),
            reason: "You get this mail because you are the operator.".to_owned(),
            ..Letter::default()
        }
    }
}

impl Deleted {
    fn letter(&self) -> Letter {
        Letter {
            product: self.product.clone(),
            subject: format!("{} was removed", self.hostname),
            greeting: Some(format!("Hello {},", self.name)),
            paragraphs: vec![format!(
                "The workspace {} was removed with everything in it. It can't be brought back.",
                self.hostname
            )],
            button: Some(Button { label: "See what was removed", url: self.record_url.clone() }),
            reason: "You get this mail because it was your workspace.".to_owned(),
            ..Letter::default()
        }
    }
}

impl Suspended {
    fn letter(&self) -> Letter {
        Letter {
            product: self.product.clone(),
            subject: format!("{} is suspended", self.hostname),
            greeting: Some(format!("Hello {},", self.name)),
            paragraphs: vec![
                format!("The workspace {} is suspended: {}", self.hostname, self.reason),
                "Nobody can enter it for now, and no hours are counted. Everything in it is kept.".to_owned(),
            ],
            button: Some(Button { label: "See your workspace in the portal", url: self.portal_url.clone() }),
            reason: "You get this mail because it is your workspace.".to_owned(),
            ..Letter::default()
        }
    }
}

impl Resumed {
    fn letter(&self) -> Letter {
        Letter {
            product: self.product.clone(),
            subject: format!("{} is open again", self.hostname),
            greeting: Some(format!("Hello {},", self.name)),
            paragraphs: vec![format!("The workspace {} is open again, with everything in it.", self.hostname)],
            button: Some(Button { label: "Open your workspace", url: self.url.clone() }),
            reason: "You get this mail because it is your workspace.".to_owned(),
            ..Letter::default()
        }
    }
}

impl Renamed {
    fn letter(&self) -> Letter {
        Letter {
            product: self.product.clone(),
            subject: format!("Your workspace is now at {}", self.hostname),
            greeting: Some(format!("Hello {},", self.name)),
            paragraphs: vec![
                format!("Your workspace moved from {} to {}, with everything in it.", self.old_hostname, self.hostname),
                "Its members sign in once more at the new address. The old address leads nowhere any more; nobody else \
                 can take it while you have this workspace."
                    .to_owned(),
            ],
            button: Some(Button { label: "Open your workspace", url: self.url.clone() }),
            reason: "You get this mail because it is your workspace.".to_owned(),
            ..Letter::default()
        }
    }
}

impl RenameFailed {
    fn letter(&self) -> Letter {
        Letter {
            product: self.product.clone(),
            subject: format!("Your workspace stays at {}", self.hostname),
            greeting: Some(format!("Hello {},", self.name)),
            paragraphs: vec![
                format!("Your workspace could not move to {}: {}", self.wanted, self.reason),
                format!("It stays at {}, with everything in it. We have been told as well.", self.hostname),
            ],
            button: Some(Button { label: "See your workspace in the portal", url: self.portal_url.clone() }),
            reason: "You get this mail because it is your workspace.".to_owned(),
            ..Letter::default()
        }
    }
}

impl Letter {
    /// Blocks apart by an empty line; a code or an address alone on its line, for people who copy
    /// and programs that read.
    fn text(&self) -> String {
        let button = self.button.as_ref().map(|button| format!("{}:\n{}", button.label, one_line(&button.url)));
        let lines = |texts: &[String]| texts.iter().map(|text| one_line(text)).collect::<Vec<_>>();
        let mut blocks = lines(self.greeting.as_slice());
        blocks.extend(lines(&self.paragraphs));
        blocks.extend(lines(self.code.as_slice()));
        let listed = |line: &Line| one_line(&format!("{}: {} ({})", line.label, line.text, line.amount));
        let list: Vec<String> = self.lines.iter().map(listed).collect();
        blocks.extend((!list.is_empty()).then(|| list.join("\n")));
        blocks.extend(button);
        if let Some(question) = &self.question {
            let choice = |choice: &Button| format!("{}: {}", choice.label, one_line(&choice.url));
            let choices: Vec<String> = question.choices.iter().map(choice).collect();
            blocks.push(format!("{}\n{}", question.words, choices.join("\n")));
        }
        blocks.extend(lines(&self.after));
        blocks.push(one_line(&self.reason));
        blocks.push(format!("-- \n{}", one_line(&self.product)));
        blocks.join("\n\n") + "\n"
    }
}

/// Names come from people: without control characters they can't begin a line of their own.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
