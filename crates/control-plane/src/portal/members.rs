use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::Email;
use pages::{Area, ConfirmRemoveMember};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::{Around, owned, page, portal_url};
use crate::app::App;
use crate::error::AppError;
use crate::members;
use crate::person::Person;
use crate::site::{PageError, shell};

#[derive(Deserialize)]
pub(crate) struct InvitationForm {
    email: String,
}

pub(crate) async fn invite(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
    Form(form): Form<InvitationForm>,
) -> Result<Response, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let email = match Email::parse(form.email.trim()) {
        Ok(email) => email,
        Err(error) => {
            let around = Around { entered: form.email, error: Some(error.to_string()), ..Around::default() };
            let html = page(&app, &person, &instance, around).await?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(html)).into_response());
        }
    };
    members::invite(&app, &instance, &email, person.email.as_str()).await?;
    let invited = utf8_percent_encode(email.as_str(), NON_ALPHANUMERIC);
    Ok(Redirect::to(&format!("{}?invited={invited}#members", portal_url(&instance))).into_response())
}

pub(crate) async fn confirm_remove(
    State(app): State<App>,
    person: Person,
    Path((subdomain, member)): Path<(String, String)>,
) -> Result<Html<String>, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let email = Email::parse(&member).map_err(|_| AppError::NotFound)?;
    members::store::find(&app.db, instance.id, &email).await?.ok_or(AppError::NotFound)?;
    let portal_url = portal_url(&instance);
    let page = ConfirmRemoveMember {
        shell: shell(&app, Area::Portal, "Remove a member", Some(&person)),
        hostname: app.shown_hostname(&instance.subdomain),
        action: remove_url(&portal_url, &email),
        member: email.to_string(),
        back_url: portal_url,
    };
    Ok(Html(page.render()))
}

pub(crate) async fn remove(
    State(app): State<App>,
    person: Person,
    Path((subdomain, member)): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let email = Email::parse(&member).map_err(|_| AppError::NotFound)?;
    members::remove(&app, &instance, &email, person.email.as_str()).await?;
    Ok(Redirect::to(&format!("{}#members", portal_url(&instance))))
}

/// An address may hold characters that mean something in a URL.
pub(super) fn remove_url(portal_url: &str, email: &Email) -> String {
    let encoded = utf8_percent_encode(email.as_str(), NON_ALPHANUMERIC);
    format!("{portal_url}/members/{encoded}/remove")
}
