//! The console's door: the same edge and the same guard as in front of every instance, so that no
//! route behind it can forget who is asking.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use domain::Email;
use guard::{Denied, GuardLayer};
use http::request::Parts;

use crate::app::App;
use crate::error::{AppError, refused};
use crate::operators;
use crate::site::PageError;

/// Puts the routes behind the door.
pub(crate) fn behind(app: &App, routes: Router<App>) -> Router<App> {
    let operators = app.clone();
    let is_operator = move |email: Email| {
        let app = operators.clone();
        async move { operators::role_of(&app.db, &email).await.map(|role| role.is_some()) }
    };
    let asked = app.clone();
    let refuse = move |denied: &Denied, head: &Parts| refusal(&asked, denied, head);
    let (verifier, keys) = (app.gate.site_verifier(), app.gate.keys().clone());
    let guard = GuardLayer::new(verifier, keys, app.clock.clone(), is_operator, refuse);
    // The last one added is the first one met.
    routes.route_layer(guard).route_layer(from_fn_with_state(app.clone(), edge))
}

/// Says by an assertion who is signed in, and takes away what a browser could claim.
async fn edge(State(app): State<App>, mut request: Request, next: Next) -> Response {
    match app.gate.assert_visitor(request.headers_mut()).await {
        Ok(()) => next.run(request).await,
        Err(error) => PageError::from(error).into_response(),
    }
}

fn refusal(app: &App, denied: &Denied, head: &Parts) -> Response {
    let error = match denied {
        // Strangers are not told that there is a console here.
        Denied::Stranger(_) | Denied::UnlistedService | Denied::OnlyLooks => AppError::NotFound,
        Denied::NoMembers | Denied::NoKeys | Denied::Closed(_) => {
            refused(403, "It can't be checked right now who you are", "Try again in a moment.")
        }
        Denied::Unidentified
        | Denied::Ambiguous
        | Denied::Assertion(_)
        | Denied::EmergencyUnreadable
        | Denied::EmergencyWrong
        | Denied::EmergencyThrottled(_) => {
            let back = head.uri.path_and_query().map_or("/", |path| path.as_str());
            AppError::SignIn(app.gate.site_sign_in_url(back))
        }
    };
    PageError::from(error).into_response()
}
