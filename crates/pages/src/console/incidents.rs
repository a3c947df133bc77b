use askama::Template;
use domain::{Component, Impact, IncidentState};

use crate::page::page;
use crate::shell::Shell;
use crate::status::{IncidentView, impact_label, state_label};

/// What customers are told when something does not work, newest first, and the form to open another.
#[derive(Debug, Clone, Template)]
#[template(path = "console/incidents.html")]
pub struct ConsoleIncidents {
    /// What surrounds the page.
    pub shell: Shell,
    /// The incidents.
    pub incidents: Vec<IncidentView>,
    /// Whether the reader may say something.
    pub may_act: bool,
    /// Why what was entered was refused.
    pub error: Option<String>,
    /// What was entered then.
    pub entered: IncidentForm,
    /// Where older ones are.
    pub next: Option<String>,
}

/// What was entered into the form.
#[derive(Debug, Clone, Default)]
pub struct IncidentForm {
    /// What it is about.
    pub title: String,
    /// What is known.
    pub text: String,
}

/// One incident, with the form for its next update. Posts `state` and `text` to `/admin/incidents/<id>/updates`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/incident.html")]
pub struct ConsoleIncident {
    /// What surrounds the page.
    pub shell: Shell,
    /// The incident.
    pub incident: IncidentView,
    /// Whether the reader may say something.
    pub may_act: bool,
    /// Why what was entered was refused.
    pub error: Option<String>,
    /// The text that was entered then.
    pub entered: String,
}

page!(ConsoleIncidents, here: "/admin/incidents");
page!(ConsoleIncident, here: "/admin/incidents");

impl ConsoleIncidents {
    fn impacts(&self) -> [(&'static str, &'static str); 3] {
        Impact::ALL.map(|impact| (impact.as_str(), impact_label(impact)))
    }

    fn components(&self) -> [(&'static str, &'static str); 7] {
        Component::ALL.map(|component| (component.as_str(), component.in_words()))
    }
}

impl ConsoleIncident {
    fn states(&self) -> [(&'static str, &'static str); 4] {
        IncidentState::ALL.map(|state| (state.as_str(), state_label(state)))
    }

    fn is_now(&self, state: &str) -> bool {
        self.incident.state.as_str() == state
    }
}
