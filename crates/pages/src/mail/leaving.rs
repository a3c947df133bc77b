use super::{Button, Letter, one_line};
use askama::Template as _;

/// Who gives which workspace up.
#[derive(Debug, Clone)]
pub struct Leaver {
    /// What is sold here.
    pub product: String,
    /// The customer's name.
    pub name: String,
    /// The workspace's hostname.
    pub hostname: String,
    /// Where it is taken back, downloaded and come back to.
    pub url: String,
}

/// The workspace will end, and nothing else changes yet.
#[derive(Debug, Clone)]
pub struct CancellationRequested {
    /// Who, and which workspace.
    pub leaver: Leaver,
    /// Until when it runs: `the end of 30 November 2026`.
    pub ends: String,
    /// What is still to be paid, in a sentence.
    pub last_bill: String,
    /// Until when data is kept: `the end of 30 December 2026`.
    pub kept_until: String,
    /// The day on which the deletion is announced.
    pub announced_on: String,
    /// Whether the customer asked for it, and nobody for them.
    pub is_by_owner: bool,
}

/// The workspace goes on after all.
#[derive(Debug, Clone)]
pub struct CancellationTakenBack {
    /// Who, and which workspace.
    pub leaver: Leaver,
}

/// The workspace is closed, and its data kept.
#[derive(Debug, Clone)]
pub struct ServiceEnded {
    /// Who, and which workspace.
    pub leaver: Leaver,
    /// Until when data is kept: `the end of 30 December 2026`.
    pub kept_until: String,
    /// What is charged once the customer is back, in a sentence.
    pub charged: String,
    /// Whether everything can be downloaded in the portal.
    pub can_download: bool,
}

/// The data will be deleted.
#[derive(Debug, Clone)]
pub struct DeletionAnnounced {
    /// Who, and which workspace.
    pub leaver: Leaver,
    /// The day on which it is.
    pub deleted_on: String,
    /// Whether everything can be downloaded in the portal.
    pub can_download: bool,
}

/// The customer is back.
#[derive(Debug, Clone)]
pub struct Returned {
    /// Who, and which workspace.
    pub leaver: Leaver,
    /// What is charged from now on, in a sentence.
    pub charged: String,
    /// Where the workspace is.
    pub open_url: String,
}

/// The workspace is closed, and will be deleted.
#[derive(Debug, Clone)]
pub struct DeletionAsked {
    /// Who, and which workspace.
    pub leaver: Leaver,
    /// Until when that can be taken back: `3 December 2026, 10:00 UTC`.
    pub until: String,
    /// Whether the customer asked for it, and nobody for them.
    pub is_by_owner: bool,
    /// Whether everything can be downloaded in the portal.
    pub can_download: bool,
}

/// The workspace is kept after all.
#[derive(Debug, Clone)]
pub struct DeletionTakenBack {
    /// Who, and which workspace.
    pub leaver: Leaver,
    /// Why nobody can enter all the same, in words.
    pub stays_closed: Option<String>,
}

mail!(
    CancellationRequested,
    CancellationTakenBack,
    ServiceEnded,
    DeletionAnnounced,
    Returned,
    DeletionAsked,
    DeletionTakenBack
);

impl Leaver {
    fn letter(&self, subject: String, paragraphs: Vec<String>, button: &'static str) -> Letter {
        Letter {
            product: self.product.clone(),
            subject,
            greeting: Some(format!("Hello {},", self.name)),
            paragraphs,
            button: Some(Button { label: button, url: self.url.clone() }),
            reason: "You get this mail because it is your workspace.".to_owned(),
            ..Letter::default()
        }
    }
}

fn download(can_download: bool) -> String {
    if can_download {
        "Until then you can download everything in it.".to_owned()
    } else {
        "Download is not possible by yourself here; come back to copy what you need, or write to us.".to_owned()
    }
}

impl CancellationRequested {
    fn letter(&self) -> Letter {
        let Leaver { hostname, .. } = &self.leaver;
        let asked = if self.is_by_owner { "You cancelled" } else { "We cancelled for you" };
        let paragraphs = vec![
            format!("{asked} the workspace {hostname}. It runs as before until {}; then nobody can enter it.", self.ends),
            self.last_bill.clone(),
            format!(
                "Its data is kept until {}. On {} we write to you once more before it is deleted.",
                self.kept_until, self.announced_on
            ),
            "You can keep the workspace after all at any time before it ends, and come back for as long as its data is \
             kept."
                .to_owned(),
        ];
        self.leaver.letter(format!("{hostname} is cancelled"), paragraphs, "See what happens, or keep it")
    }
}

impl CancellationTakenBack {
    fn letter(&self) -> Letter {
        let Leaver { hostname, .. } = &self.leaver;
        let paragraphs = vec![format!(
            "The cancellation of the workspace {hostname} is taken back. Nothing changes: it goes on, and is billed as \
             before."
        )];
        self.leaver.letter(format!("You keep {hostname}"), paragraphs, "See your workspace in the portal")
    }
}

impl ServiceEnded {
    fn letter(&self) -> Letter {
        let Leaver { hostname, .. } = &self.leaver;
        let paragraphs = vec![
            format!(
                "The workspace {hostname} has ended, as you were told. Nobody can enter it, and nothing more is charged."
            ),
            format!("Its data is kept until {}. {}", self.kept_until, download(self.can_download)),
            format!("You can also come back until then. {}", self.charged),
        ];
        self.leaver.letter(format!("{hostname} has ended; its data is kept"), paragraphs, "Download it, or come back")
    }
}

impl DeletionAnnounced {
    fn letter(&self) -> Letter {
        let Leaver { hostname, .. } = &self.leaver;
        let paragraphs = vec![
            format!(
                "On {} the workspace {hostname} is deleted with everything in it, for good. Nobody can bring it back then.",
                self.deleted_on
            ),
            download(self.can_download),
            "If you want it back, come back before that day.".to_owned(),
        ];
        self.leaver.letter(
            format!("{hostname} is deleted on {}", self.deleted_on),
            paragraphs,
            "Download it, or come back",
        )
    }
}

impl DeletionAsked {
    fn letter(&self) -> Letter {
        let Leaver { hostname, .. } = &self.leaver;
        let asked = if self.is_by_owner { "You asked for" } else { "We were asked for" };
        let download = if self.can_download {
            "Until then you can download everything in it."
        } else {
            "Download is not possible by yourself here; take the deletion back to copy what you need, or write to us."
        };
        let paragraphs = vec![
            format!(
                "{asked} the deletion of the workspace {hostname}. Nobody can enter it any more, and no further period is \
                 charged."
            ),
            format!(
                "Everything in it is kept until {}. Until then you can take the deletion back with one click: it opens again, \
                 with everything in it, and is charged as if nobody had asked. After that it is deleted for good.",
                self.until
            ),
            download.to_owned(),
            "If nobody of you asked for this, take it back and write to us.".to_owned(),
        ];
        self.leaver.letter(format!("{hostname} will be deleted"), paragraphs, "Keep it, or see what happens")
    }
}

impl DeletionTakenBack {
    fn letter(&self) -> Letter {
        let Leaver { hostname, .. } = &self.leaver;
        let now = match &self.stays_closed {
            None => "It opens within a minute, with everything in it.".to_owned(),
            Some(why) => format!("Nobody can enter it all the same, for another reason: {why}"),
        };
        let paragraphs = vec![
            format!("The deletion of the workspace {hostname} is taken back. {now}"),
            "It is charged as if nobody had asked for its deletion.".to_owned(),
        ];
        self.leaver.letter(format!("{hostname} is not deleted"), paragraphs, "See your workspace in the portal")
    }
}

impl Returned {
    fn letter(&self) -> Letter {
        let Leaver { hostname, .. } = &self.leaver;
        let paragraphs = vec![
            format!("Welcome back. The workspace {hostname} opens within a minute, with everything in it."),
            self.charged.clone(),
        ];
        let mut letter = self.leaver.letter(format!("You are back at {hostname}"), paragraphs, "Open your workspace");
        letter.button = Some(Button { label: "Open your workspace", url: self.open_url.clone() });
        letter
    }
}
