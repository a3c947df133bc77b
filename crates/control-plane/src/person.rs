//! Who is asking: authority is an extractor, so that no route can forget it.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use domain::{Email, OperatorRole};
use secrecy::ExposeSecret as _;

use crate::app::App;
use crate::error::{AppError, refused};
use crate::tokens::{Bearer, bearer};
use crate::{operators, site};

/// Somebody who is signed in to the site.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub email: Email,
    /// What the person may do in the console, if anything.
    pub role: Option<OperatorRole>,
}

/// An operator who may look at everything.
#[derive(Debug, Clone)]
pub(crate) struct Reader(pub Person);

/// An operator who may retry work and manage members.
#[derive(Debug, Clone)]
pub(crate) struct Supporter(pub Person);

/// An operator who may do everything.
#[derive(Debug, Clone)]
pub(crate) struct Owner(pub Person);

/// A program that acts for the operator, such as the command line on this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Program;

impl Program {
    /// How the audit log calls it.
    pub(crate) const NAME: &str = "api";
}

/// The guard of one instance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guard(pub domain::InstanceId);

impl OptionalFromRequestParts<App> for Person {
    type Rejection = site::PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, Self::Rejection> {
        Ok(signed_in(parts, app).await?)
    }
}

impl FromRequestParts<App> for Person {
    type Rejection = site::PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let back = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let sign_in = || AppError::SignIn(app.gate.site_sign_in_url(back));
        Ok(signed_in(parts, app).await?.ok_or_else(sign_in)?)
    }
}

impl FromRequestParts<App> for Reader {
    type Rejection = site::PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(operator(parts, app, OperatorRole::ReadOnly).await?))
    }
}

impl FromRequestParts<App> for Supporter {
    type Rejection = site::PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(operator(parts, app, OperatorRole::Support).await?))
    }
}

impl FromRequestParts<App> for Owner {
    type Rejection = site::PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(operator(parts, app, OperatorRole::Owner).await?))
    }
}

impl FromRequestParts<App> for Program {
    type Rejection = crate::api::Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        match token(parts, app) {
            Some(Bearer::Operator) => Ok(Self),
            Some(Bearer::Guard(_)) => Err(refused(403, "This token is a guard's", "Use an operator's token.").into()),
            None => Err(no_token().into()),
        }
    }
}

impl FromRequestParts<App> for Guard {
    type Rejection = crate::api::Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        match token(parts, app) {
            Some(Bearer::Guard(instance)) => Ok(Self(instance)),
            Some(Bearer::Operator) => {
                Err(refused(403, "This token is an operator's", "Use an instance's token.").into())
            }
            None => Err(no_token().into()),
        }
    }
}

async fn signed_in(parts: &Parts, app: &App) -> Result<Option<Person>, AppError> {
    let Some(email) = email(parts, app).await? else { return Ok(None) };
    let role = operators::role_of(&app.db, &email).await?;
    Ok(Some(Person { email, role }))
}

/// Behind a guard it has been decided who is asking, and nothing else is left of what says so.
async fn email(parts: &Parts, app: &App) -> Result<Option<Email>, AppError> {
    match parts.extensions.get::<guard::Visitor>() {
        Some(visitor) => Ok(visitor.member().cloned()),
        None => Ok(app.gate.identify(&parts.headers).await?),
    }
}

async fn operator(parts: &mut Parts, app: &App, least: OperatorRole) -> Result<Person, site::PageError> {
    let person = <Person as FromRequestParts<App>>::from_request_parts(parts, app).await?;
    match person.role {
        Some(role) if role >= least => Ok(person),
        // Strangers are not told that there is a console here.
        None => Err(AppError::NotFound.into()),
        Some(_) => {
            let next = "Ask an operator with a higher role to do it.";
            Err(refused(403, "Your role does not allow this", next).into())
        }
    }
}

fn token(parts: &Parts, app: &App) -> Option<Bearer> {
    let mut values = parts.headers.get_all(axum::http::header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    let token = secrecy::SecretString::from(value.to_str().ok()?.strip_prefix("Bearer ")?.to_owned());
    bearer(&app.sealer, token.expose_secret())
}

fn no_token() -> AppError {
    let next = "Send `Authorization: Bearer TOKEN`. On the server's machine the command line finds its token itself.";
    refused(401, "A valid bearer token is needed", next)
}
