//! Which addresses need which standing, and the layer that asks for it.

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{Members, Standing};
use crate::app::App;
use crate::refusal::Refusal;
use crate::surroundings::{self, AppAround, Surroundings};
use crate::visitor::Visitor;

/// What an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Looking at something.
    Look,
    /// Changing a document, a meeting or a piece of work.
    Edit,
    /// Changing settings and members.
    Own,
}

/// Every address that changes something. Looking needs no line here; what changes something and has
/// none is for owners alone.
pub const CHANGES: [(&str, Right); 51] = [
    ("/visions", Right::Edit),
    ("/visions/{name}", Right::Edit),
    ("/backlog", Right::Edit),
    ("/backlog/{name}", Right::Edit),
    ("/backlog/{name}/status", Right::Edit),
    ("/backlog/{name}/criteria", Right::Edit),
    ("/backlog/{name}/place", Right::Edit),
    ("/backlog/{name}/row", Right::Edit),
    ("/backlog-changes", Right::Edit),
    ("/{shelf}/{name}/file", Right::Edit),
    ("/{shelf}/{name}/deletion", Right::Edit),
    ("/{shelf}/{name}/attachments", Right::Edit),
    ("/{shelf}/{name}/attachments/{file}/removal", Right::Edit),
    ("/{shelf}/{name}/attachments/{file}/restoration", Right::Edit),
    ("/{shelf}/{name}/history/{number}/restoration", Right::Edit),
    ("/api/visions", Right::Edit),
    ("/api/backlog", Right::Edit),
    ("/meetings", Right::Edit),
    ("/meetings/{id}/messages", Right::Edit),
    ("/meetings/{id}/stop", Right::Edit),
    ("/meetings/{id}/continuation", Right::Edit),
    ("/meetings/{id}/closing", Right::Edit),
    ("/meetings/{id}/reopening", Right::Edit),
    ("/meetings/{id}/proposals", Right::Edit),
    ("/meetings/{id}/proposals/{number}/approval", Right::Edit),
    ("/meetings/{id}/proposals/{number}/refusal", Right::Edit),
    ("/sprints", Right::Edit),
    ("/sprints/{number}/start", Right::Edit),
    ("/sprints/{number}/pause", Right::Edit),
    ("/sprints/{number}/stop", Right::Edit),
    ("/sprints/{number}/review/comments", Right::Edit),
    ("/sprints/{number}/review/comments/{comment}/answers", Right::Edit),
    ("/sprints/{number}/review/comments/{comment}/settlement", Right::Edit),
    ("/sprints/{number}/review/requests", Right::Edit),
    ("/projects/{vision}/states/{commit}/return", Right::Edit),
    ("/app/start", Right::Edit),
    ("/app/stop", Right::Edit),
    ("/app/restart", Right::Edit),
    ("/app/keep", Right::Edit),
    ("/app/sharing", Right::Own),
    ("/projects/{vision}/remote", Right::Own),
    ("/projects/{vision}/pushes", Right::Own),
    ("/import", Right::Own),
    ("/import/approval", Right::Own),
    ("/import/refusal", Right::Own),
    ("/settings/provider", Right::Own),
    ("/settings/models", Right::Own),
    ("/settings/budgets", Right::Own),
    ("/settings/appearance", Right::Own),
    ("/settings/trial", Right::Own),
    ("/settings/members", Right::Own),
];

impl Right {
    /// What a request to an address needs.
    #[must_use]
    pub fn of(method: &Method, path: &str) -> Self {
        if matches!(*method, Method::GET | Method::HEAD) {
            return Self::Look;
        }
        CHANGES.iter().find(|(changed, _)| *changed == path).map_or(Self::Own, |(_, right)| *right)
    }

    /// Whether somebody has it.
    #[must_use]
    pub fn is_of(self, standing: Standing) -> bool {
        let least = match self {
            Self::Look => Standing::Viewer,
            Self::Edit => Standing::Editor,
            Self::Own => Standing::Owner,
        };
        standing >= least
    }
}

/// Refuses what a visitor may not do; pages are told what they may.
pub async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let visitor = match Visitor::from_request_parts(&mut parts, &()).await {
        Ok(visitor) => visitor,
        Err(refusal) => return refusal.into_response(),
    };
    // Where nothing is matched, nothing can be changed.
    let path = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    let is_for_nobody = path == "/health" || path.starts_with("/assets/");
    let right = Right::of(&parts.method, path);
    // Behind a guard, who comes without a name did not come through it, or is let in to look.
    let is_nameless = app.is_guarded() && visitor == Visitor::You;
    let standing = if is_for_nobody || is_nameless { Standing::Viewer } else { standing(&app.members, visitor).await };
    let around = Surroundings {
        standing,
        theme: app.settings.now().theme,
        is_rehearsal: app.is_rehearsal(),
        app: AppAround::of(&app.workshop.made, &parts.headers),
    };
    surroundings::within(around, async move {
        if !right.is_of(standing) {
            return refusal(right).into_response();
        }
        next.run(Request::from_parts(parts, body)).await
    })
    .await
}

/// Who cannot be written down may look.
async fn standing(members: &Members, visitor: Visitor) -> Standing {
    if let Some(standing) = members.known(&visitor) {
        return standing;
    }
    let members = members.clone();
    let welcomed = tokio::task::spawn_blocking(move || members.welcome(&visitor)).await;
    match welcomed {
        Ok(Ok(standing)) => standing,
        Ok(Err(error)) => {
            tracing::error!(%error, "A new member cannot be written down: {error}");
            Standing::Viewer
        }
        Err(_) => Standing::Viewer,
    }
}

fn refusal(right: Right) -> Refusal {
    let text = match right {
        Right::Look | Right::Edit => {
            "You may look at everything here, but change nothing. An owner of this workspace can make you an editor under “Settings”."
        }
        Right::Own => {
            "Only owners of this workspace may change that. Ask one of them; they are listed under “Settings”."
        }
    };
    Refusal::new(StatusCode::FORBIDDEN, "That is not yours to change", text)
}
