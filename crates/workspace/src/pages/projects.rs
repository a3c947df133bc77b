//! The pages of projects.

use askama::Template;

use crate::comparison::Line;
use crate::moment::Moment;
use crate::pages::Chrome;
use crate::pages::sprints::FileDiff;

/// `/projects/{vision}`
#[derive(Template)]
#[template(path = "project.html")]
pub struct ProjectPage {
    pub(crate) chrome: Chrome,
    pub(crate) flash: Option<&'static str>,
    pub(crate) href: String,
    pub(crate) title: String,
    pub(crate) vision_href: String,
    pub(crate) commits: Vec<CommitRow>,
}

/// A state of a project in a list.
pub struct CommitRow {
    /// Its whole hash.
    pub id: String,
    /// What it says of itself, the first line.
    pub title: String,
    /// When it was made.
    pub moment: Moment,
    /// The sprints that ended with it.
    pub tags: Vec<String>,
}

/// `/projects/{vision}/states/{commit}`
#[derive(Template)]
#[template(path = "state.html")]
pub struct StatePage {
    pub(crate) chrome: Chrome,
    pub(crate) project_href: String,
    pub(crate) project_title: String,
    pub(crate) commit: CommitRow,
    pub(crate) message: String,
    /// The state that this page compares with: what is done now.
    pub(crate) based_on: String,
    pub(crate) is_current: bool,
    /// What going back would change, one sentence for each file.
    pub(crate) changes: Vec<String>,
    pub(crate) files: Vec<FileDiff>,
}
