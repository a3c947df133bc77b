use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::app::App;
use crate::error::refused;
use crate::site::PageError;
use crate::tokens;

#[derive(Deserialize)]
pub(crate) struct Ticket {
    token: SecretString,
}

/// The link that is printed at the start: whoever can read the server's terminal or its data
/// folder is its operator.
pub(crate) async fn enter(State(app): State<App>, Query(ticket): Query<Ticket>) -> Result<Response, PageError> {
    if !tokens::is_entry_ticket(&app, ticket.token.expose_secret()) {
        let next = "Use the link that the server printed when it was last started, or run `spinoff admin-link`.";
        return Err(refused(403, "This link is not valid any more", next).into());
    }
    let cookie = app.gate.sign_in_to_site(&app.settings.operator)?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/admin")).into_response())
}
