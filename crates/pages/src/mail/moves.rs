use super::{Button, Letter, one_line};
use askama::Template as _;

/// Whose workspace moves.
#[derive(Debug, Clone)]
pub struct Mover {
    /// What is sold here.
    pub product: String,
    /// The customer's name.
    pub name: String,
    /// The workspace's hostname.
    pub hostname: String,
    /// Where its page in the portal is.
    pub url: String,
}

/// A workspace is about to move to another place.
#[derive(Debug, Clone)]
pub struct MoveBegins {
    /// Whose it is.
    pub mover: Mover,
    /// Where it moves to, as people call it.
    pub to: String,
}

/// A workspace has moved, and the place that it left is kept until its owner says so.
#[derive(Debug, Clone)]
pub struct Moved {
    /// Whose it is.
    pub mover: Mover,
    /// Where it was.
    pub from: String,
    /// Where it is.
    pub to: String,
}

/// A workspace moved some time ago, and its owner has not said yet that all is well.
#[derive(Debug, Clone)]
pub struct MoveWaits {
    /// Whose it is.
    pub mover: Mover,
    /// Where it was.
    pub from: String,
    /// Where it is.
    pub to: String,
}

/// A workspace is back where it was.
#[derive(Debug, Clone)]
pub struct MovedBack {
    /// Whose it is.
    pub mover: Mover,
    /// Where it is again.
    pub to: String,
}

/// A workspace could not be moved, and everything is as it was.
#[derive(Debug, Clone)]
pub struct MoveFailed {
    /// Whose it is.
    pub mover: Mover,
}

mail!(MoveBegins, Moved, MoveWaits, MovedBack, MoveFailed);

impl Mover {
    fn letter(&self, subject: String, paragraphs: Vec<String>, label: &'static str) -> Letter {
        Letter {
            product: self.product.clone(),
            subject,
            greeting: Some(format!("Hello {},", self.name)),
            paragraphs,
            button: Some(Button { label, url: self.url.clone() }),
            reason: "You get this mail because it is your workspace.".to_owned(),
            ..Letter::default()
        }
    }
}

impl MoveBegins {
    fn letter(&self) -> Letter {
        let Mover { hostname, .. } = &self.mover;
        let paragraphs = vec![
            format!(
                "We are moving {hostname} to {}. It is tried there first with a copy of everything; then it is closed for a \
                 few minutes while everything that was written until then is carried over.",
                self.to
            ),
            "Its address, its members, its bill and everything in it stay as they are. You have nothing to do, and get \
             another mail when it has arrived. If anything goes wrong, it stays where it is."
                .to_owned(),
        ];
        self.mover.letter(format!("{hostname} is about to move"), paragraphs, "See how far it is")
    }
}

impl Moved {
    fn letter(&self) -> Letter {
        let Mover { hostname, .. } = &self.mover;
        let paragraphs = vec![
            format!("{hostname} now lives in {}. Its address, its members and everything in it are the same.", self.to),
            format!(
                "The place that it left in {} is kept, at rest, until you say that all is well. Until then you can have it \
                 taken back there, with everything that you wrote meanwhile.",
                self.from
            ),
        ];
        self.mover.letter(format!("{hostname} has moved"), paragraphs, "Confirm it, or take it back")
    }
}

impl MoveWaits {
    fn letter(&self) -> Letter {
        let Mover { hostname, .. } = &self.mover;
        let paragraphs = vec![
            format!("{hostname} moved to {} some time ago. If all is well there, please say so.", self.to),
            format!(
                "Until then the place that it left in {} is kept, and you can have it taken back there, with everything that \
                 you wrote meanwhile. Nothing is removed unless you say so.",
                self.from
            ),
        ];
        self.mover.letter(format!("Is all well with {hostname}?"), paragraphs, "Confirm it, or take it back")
    }
}

impl MovedBack {
    fn letter(&self) -> Letter {
        let Mover { hostname, .. } = &self.mover;
        let paragraphs = vec![
            format!("{hostname} is back in {}, with everything that was written since it moved.", self.to),
            "Nothing of it is left in the other place.".to_owned(),
        ];
        self.mover.letter(format!("{hostname} is back where it was"), paragraphs, "See your workspace")
    }
}

impl MoveFailed {
    fn letter(&self) -> Letter {
        let Mover { hostname, .. } = &self.mover;
        let paragraphs = vec![
            format!("{hostname} could not be moved. It is where it was, with everything in it."),
            "We have been told as well, and look at it. You have nothing to do.".to_owned(),
        ];
        self.mover.letter(format!("{hostname} stays where it is"), paragraphs, "See your workspace")
    }
}
