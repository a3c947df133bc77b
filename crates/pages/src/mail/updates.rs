use askama::Template as _;
use jiff::Timestamp;

use super::{Button, Letter, one_line};

/// Whose workspace a mail is about.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// What is sold here.
    pub product: String,
    /// The customer's name.
    pub name: String,
    /// The workspace's hostname.
    pub hostname: String,
    /// Its page in the portal.
    pub url: String,
}

/// An update is coming.
#[derive(Debug, Clone)]
pub struct UpdateAnnounced {
    /// Whose.
    pub workspace: Workspace,
    /// To which version.
    pub version: String,
    /// What changes; may be empty.
    pub notes: String,
    /// Not before then; `None`: soon.
    pub opens_at: Option<Timestamp>,
}

/// It runs the new version.
#[derive(Debug, Clone)]
pub struct Updated {
    /// Whose.
    pub workspace: Workspace,
    /// Which version.
    pub version: String,
    /// What changed; may be empty.
    pub notes: String,
}

/// The update failed and was undone.
#[derive(Debug, Clone)]
pub struct UpdateFailed {
    /// Whose.
    pub workspace: Workspace,
    /// What it runs, as before.
    pub former: Option<String>,
}

/// The version was taken back by the operator.
#[derive(Debug, Clone)]
pub struct UpdateTakenBack {
    /// Whose.
    pub workspace: Workspace,
    /// What it runs again.
    pub former: String,
    /// Whether its data is as it was, and not that of before the update.
    pub kept_data: bool,
}

mail!(UpdateAnnounced, Updated, UpdateFailed, UpdateTakenBack);

impl Workspace {
    fn letter(&self, subject: String, paragraphs: Vec<String>) -> Letter {
        Letter {
            product: self.product.clone(),
            subject,
            greeting: Some(format!("Hello {},", self.name)),
            paragraphs: paragraphs.into_iter().filter(|paragraph| !paragraph.is_empty()).collect(),
            button: Some(Button { label: "See your workspace in the portal", url: self.url.clone() }),
            reason: "You get this mail because it is your workspace.".to_owned(),
            ..Letter::default()
        }
    }
}

fn what_changes(notes: &str) -> String {
    if notes.trim().is_empty() { String::new() } else { format!("What changes: {}", notes.trim()) }
}

impl UpdateAnnounced {
    fn letter(&self) -> Letter {
        let Workspace { hostname, .. } = &self.workspace;
        let when = match self.opens_at {
            Some(opens) => format!("not before {} UTC", opens.strftime("%-d %B %Y at %H:%M")),
            None => "soon".to_owned(),
        };
        let paragraphs = vec![
            format!(
                "The workspace {hostname} will be updated to version {}, {when}. It is backed up before, and can't be used \
                 for a moment while it happens.",
                self.version
            ),
            what_changes(&self.notes),
            "In the portal you can put this off for a few days, or choose the hours in which you want updates."
                .to_owned(),
        ];
        self.workspace.letter(format!("{hostname} will be updated"), paragraphs)
    }
}

impl Updated {
    fn letter(&self) -> Letter {
        let Workspace { hostname, .. } = &self.workspace;
        let paragraphs = vec![
            format!("The workspace {hostname} runs version {} now, and answers well.", self.version),
            what_changes(&self.notes),
        ];
        self.workspace.letter(format!("{hostname} was updated"), paragraphs)
    }
}

impl UpdateFailed {
    fn letter(&self) -> Letter {
        let Workspace { hostname, .. } = &self.workspace;
        let runs = self.former.as_ref().map_or("what it ran before".to_owned(), |former| format!("version {former}"));
        let paragraphs = vec![
            format!(
                "An update of the workspace {hostname} did not go well, so it was undone. It runs {runs} with its data as \
                 it was before the update."
            ),
            "What was written in between, if anything, is kept as a backup. We were told and look into it; you need not \
             do anything."
                .to_owned(),
        ];
        self.workspace.letter(format!("{hostname} was not updated"), paragraphs)
    }
}

impl UpdateTakenBack {
    fn letter(&self) -> Letter {
        let Workspace { hostname, .. } = &self.workspace;
        let data = if self.kept_data {
            "Everything in it is as you left it."
        } else {
            "It could not go on with what was written since the update, so its data is that of before; what was written \
             since is kept as a backup, and we can help you to get it back."
        };
        let paragraphs = vec![
            format!("We took an update back. The workspace {hostname} runs version {} again.", self.former),
            data.to_owned(),
        ];
        self.workspace.letter(format!("An update of {hostname} was taken back"), paragraphs)
    }
}
