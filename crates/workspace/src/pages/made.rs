//! The pages of the app made.

use askama::Template;

use crate::made::Contents;
use crate::moment::Moment;
use crate::pages::Chrome;

/// `/app`
#[derive(Template)]
#[template(path = "app.html")]
pub struct AppPage {
    pub(crate) chrome: Chrome,
    pub(crate) flash: Option<&'static str>,
    /// How it is, in a sentence.
    pub(crate) standing: String,
    pub(crate) moment: Option<Moment>,
    /// The run that is up.
    pub(crate) up: Option<UpRow>,
    /// Whether the one that is up takes connections.
    pub(crate) is_running: bool,
    pub(crate) idle_minutes: u64,
    /// In how many hours of today it ran, in a sentence.
    pub(crate) hours: Option<String>,
    pub(crate) log: String,
    /// Where the log ends, to follow it from there.
    pub(crate) log_place: String,
    /// Names and titles of the projects there are.
    pub(crate) projects: Vec<(String, String)>,
    /// The project that is offered first.
    pub(crate) chosen: String,
    /// Who sees it.
    pub(crate) audience: Audience,
    /// Who switched that last.
    pub(crate) switched: Option<SwitchedRow>,
}

/// The run that is up.
pub struct UpRow {
    /// When it was started, to tell it from another.
    pub since: String,
    /// Who started it.
    pub by: String,
    /// The beginning of the state's hash.
    pub commit: String,
    /// The address of that state.
    pub href: String,
    /// What is in it, and what came since.
    pub contents: Contents,
}

/// Who sees the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Whoever sits at this machine.
    Here,
    /// Nobody: there is no address.
    Nobody,
    /// Members; it cannot be shared.
    Members,
    /// Members; an owner can share it.
    MembersUntilShared,
    /// Everybody.
    Everybody,
    /// The guard does not say.
    Unknown,
}

/// Who switched who sees the app.
pub struct SwitchedRow {
    /// Whether it was shared then.
    pub shared: bool,
    /// Who.
    pub by: String,
    /// When.
    pub moment: Moment,
}

/// What people are to know of the app, without a page around it.
#[derive(Template)]
#[template(path = "app_news.html")]
pub struct AppNewsPiece {
    pub(crate) chrome: Chrome,
}

/// `/app/sharing`
#[derive(Template)]
#[template(path = "app_sharing.html")]
pub struct SharingPage {
    pub(crate) chrome: Chrome,
    pub(crate) audience: Audience,
    /// Whether each hour in which it runs is billed, as far as is known here.
    pub(crate) is_guarded: bool,
}
