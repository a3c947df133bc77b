use askama::Template;
use domain::{BackupReason, BackupState};
use jiff::Timestamp;

use crate::page::page;
use crate::shell::{Area, Shell};

/// The backups of a workspace, for its customer or for an operator. Posts nothing to `take_url`.
#[derive(Debug, Clone, Template)]
#[template(path = "backups/list.html")]
pub struct Backups {
    /// What surrounds the page.
    pub shell: Shell,
    /// The workspace's hostname.
    pub hostname: String,
    /// Where its page is.
    pub back_url: String,
    /// Where a backup is asked for; `None` where none can be taken, or not by the reader.
    pub take_url: Option<String>,
    /// Why there are none here, where that is so.
    pub instead: Option<String>,
    /// What is being done with them at this moment, in a sentence.
    pub doing: Option<String>,
    /// How often one is taken by itself, in a sentence.
    pub planned: String,
    /// How often one is restored for a test, in a sentence.
    pub proofs: String,
    /// When one was last restored somewhere else, and answered there.
    pub proven_at: Option<Timestamp>,
    /// Those that exist or failed, newest first.
    pub backups: Vec<BackupRow>,
    /// Where more of them are.
    pub next: Option<String>,
}

/// One backup in the list.
#[derive(Debug, Clone)]
pub struct BackupRow {
    /// Why it was taken.
    pub reason: BackupReason,
    /// Where it stands.
    pub state: BackupState,
    /// As of when it is.
    pub at: Timestamp,
    /// What the workspace ran then.
    pub version: String,
    /// Files in it, and bytes of these; `None` until it is taken.
    pub contents: Option<(u64, u64)>,
    /// What could not be taken along.
    pub left_out: u64,
    /// Until when it is kept at least.
    pub expires_at: Option<Timestamp>,
    /// When it was last proven that it can be restored.
    pub proven_at: Option<Timestamp>,
    /// What went wrong, for operators.
    pub trouble: Option<String>,
    /// Where putting it back is confirmed; `None` where it can't be.
    pub restore_url: Option<String>,
}

/// Asks whether a backup shall really be put back. Posts `confirmation` to `action`.
#[derive(Debug, Clone, Template)]
#[template(path = "backups/confirm_restore.html")]
pub struct ConfirmRestore {
    /// What surrounds the page.
    pub shell: Shell,
    /// The workspace's hostname.
    pub hostname: String,
    /// Its subdomain, which has to be typed.
    pub subdomain: String,
    /// As of when the backup is.
    pub at: Timestamp,
    /// What the workspace ran then, and what it runs now.
    pub versions: (String, String),
    /// Why the confirmation was refused.
    pub error: Option<String>,
    /// Where the form goes.
    pub action: String,
    /// Where to go back to.
    pub back_url: String,
}

page!(Backups);
page!(ConfirmRestore);

impl Backups {
    fn here(&self) -> &'static str {
        below(self.shell.area)
    }
}

impl ConfirmRestore {
    fn here(&self) -> &'static str {
        below(self.shell.area)
    }
}

const fn below(area: Area) -> &'static str {
    match area {
        Area::Console => "/admin/instances",
        _ => "/portal",
    }
}

impl BackupRow {
    fn state_label(&self) -> &'static str {
        match self.state {
            BackupState::Taking => "Being taken",
            BackupState::Kept => "Kept",
            BackupState::Failed => "Failed",
            BackupState::Removed => "Removed",
        }
    }

    fn state_tone(&self) -> &'static str {
        match self.state {
            BackupState::Taking => "wait",
            BackupState::Kept => "good",
            BackupState::Failed => "bad",
            BackupState::Removed => "off",
        }
    }

    fn size(&self) -> Option<String> {
        self.contents.map(|(files, bytes)| {
            let files = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
            format!("{files}, {}", in_words(bytes))
        })
    }
}

/// `1.2 MB`, as people know sizes of files.
fn in_words(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        1_000_000..1_000_000_000 => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
        _ => format!("{}.{} GB", bytes / 1_000_000_000, bytes % 1_000_000_000 / 100_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_as_people_know_them() {
        for (bytes, words) in
            [(0, "0 bytes"), (999, "999 bytes"), (1_001, "2 kB"), (1_250_000, "1.2 MB"), (5_000_000_000, "5.0 GB")]
        {
            assert_eq!(in_words(bytes), words);
        }
    }
}
