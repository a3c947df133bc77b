use std::sync::Arc;

use domain::Email;
use jiff::Timestamp;

use crate::assets::Links;
use crate::brand::Brand;
use crate::page::Markup;
use crate::when;

/// What surrounds a page: title, navigation, who is signed in, a message, and the present moment
/// against which ages are told.
#[derive(Debug, Clone)]
pub struct Shell {
    /// The page's name, shown in the window's title before the product's.
    pub title: String,
    /// What is sold here, such as `AI-DIY`.
    pub product: String,
    /// How that looks, and what is said of it.
    pub brand: Arc<Brand>,
    /// Which navigation is shown.
    pub area: Area,
    /// Who is signed in to the site, if anybody.
    pub signed_in_as: Option<Email>,
    /// Whether that person may enter the console; adds a way there.
    pub operator: bool,
    /// What has just happened, to be shown once on top.
    pub notice: Option<Notice>,
    /// Whether mail lands in the built-in mailbox; adds a way there.
    pub mailbox: bool,
    /// When the page was asked for.
    pub now: Timestamp,
}

/// The three parts of the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// Public pages.
    Site,
    /// Pages of a customer.
    Portal,
    /// Pages of operators.
    Console,
}

/// A message on top of a page.
#[derive(Debug, Clone)]
pub struct Notice {
    /// How it went.
    pub kind: NoticeKind,
    /// One or two sentences.
    pub text: String,
}

/// How something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// It worked.
    Success,
    /// It did not.
    Error,
    /// Neither: something to know.
    Info,
}

/// What was last seen of an instance, by whom and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// What was seen.
    pub health: Health,
    /// When.
    pub at: Timestamp,
    /// Who looked, such as `local driver` or `guard`.
    pub by: String,
}

/// Whether an instance answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It answers.
    Healthy,
    /// It accepts connections and is slow to answer.
    Busy,
    /// It is being started or started again.
    Starting,
    /// It does not answer.
    Unhealthy,
    /// It does not run.
    Stopped,
    /// The look itself failed.
    Unknown,
}

impl Shell {
    /// A public page seen by a stranger, without a message.
    pub fn new(title: impl Into<String>, product: impl Into<String>, now: Timestamp) -> Self {
        Self {
            title: title.into(),
            product: product.into(),
            brand: Arc::default(),
            area: Area::Site,
            signed_in_as: None,
            operator: false,
            notice: None,
            mailbox: false,
            now,
        }
    }

    pub(crate) fn links(&self) -> Links<'_> {
        Links::site(&self.brand)
    }

    /// How long ago a moment was.
    pub(crate) fn ago(&self, at: &Timestamp) -> Markup {
        when::ago(self.now, *at)
    }

    /// A moment by the calendar and the clock.
    pub(crate) fn moment(&self, at: &Timestamp) -> Markup {
        when::moment(*at)
    }
}

impl NoticeKind {
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Info => "info",
        }
    }

    /// Errors interrupt a screen reader; the rest waits its turn.
    pub(crate) fn aria_role(self) -> &'static str {
        match self {
            Self::Error => "alert",
            Self::Success | Self::Info => "status",
        }
    }
}

impl Health {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Healthy => "Answering",
            Self::Busy => "Busy, slow to answer",
            Self::Starting => "Starting",
            Self::Unhealthy => "Not answering",
            Self::Stopped => "Stopped",
            Self::Unknown => "Unknown",
        }
    }

    pub(crate) fn tone(self) -> &'static str {
        match self {
            Self::Healthy => "good",
            Self::Busy | Self::Starting => "wait",
            Self::Unhealthy => "bad",
            Self::Stopped | Self::Unknown => "off",
        }
    }
}
