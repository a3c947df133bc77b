//! What the settings page shows.

use askama::Template;

use super::Chrome;
use crate::model::Total;

/// What was used of a budget.
pub struct Meter {
    /// `Today` or `This month`.
    pub span: &'static str,
    /// What was used.
    pub used: Total,
    /// What may be spent, if that is limited.
    pub budget: Option<String>,
    /// How much of it is spent, in percent.
    pub percent: u64,
}

/// A role's model.
pub struct RoleModel {
    /// The role's word in forms.
    pub word: &'static str,
    /// What it is.
    pub noun: &'static str,
    /// What its member is called.
    pub name: String,
    /// Its own model; empty when it has none of its own.
    pub model: String,
}

/// A member of the workspace.
pub struct MemberRow {
    /// Their address.
    pub email: String,
    /// What they may do.
    pub standing: &'static str,
}

/// What a form held, when it could not be saved, or holds.
#[derive(Default)]
pub struct Held {
    /// The provider's address.
    pub base: String,
    /// The model of roles without one of their own.
    pub model: String,
    /// Prices, one model a line.
    pub prices: String,
    /// The currency.
    pub currency: String,
    /// What may be spent in a day.
    pub day: String,
    /// What may be spent in a sprint.
    pub sprint: String,
    /// What may be spent in a month.
    pub month: String,
    /// The language of the team.
    pub language: String,
}

/// What came of the last form.
pub enum Outcome {
    /// It was saved, or worked.
    Good(String),
    /// It was not, and why.
    Bad(Vec<String>),
}

/// `/settings`
#[derive(Template)]
#[template(path = "settings.html")]
pub struct SettingsPage {
    pub(crate) chrome: Chrome,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) held: Held,
    pub(crate) has_key: bool,
    pub(crate) is_readable_on_the_way: bool,
    pub(crate) has_operators_model: bool,
    pub(crate) roles: Vec<RoleModel>,
    pub(crate) meters: Vec<Meter>,
    pub(crate) theme: &'static str,
    pub(crate) members: Vec<MemberRow>,
}
