//! What programs see: the REST API under `/api/v1`.

pub(crate) mod activity;
pub(crate) mod alerts;
pub(crate) mod analytics;
pub(crate) mod audit;
pub(crate) mod backups;
pub(crate) mod billing;
pub(crate) mod billing_details;
pub(crate) mod cancellation;
pub(crate) mod contests;
pub(crate) mod coupons;
pub(crate) mod customers;
pub(crate) mod disputes;
pub(crate) mod dunning;
pub(crate) mod health;
pub(crate) mod incidents;
pub(crate) mod instances;
pub(crate) mod invoices;
pub(crate) mod isolation;
pub(crate) mod ledgers;
pub(crate) mod margins;
pub(crate) mod members;
pub(crate) mod messages;
pub(crate) mod model;
pub(crate) mod moves;
pub(crate) mod openapi;
pub(crate) mod pool;
pub(crate) mod providers;
pub(crate) mod releases;
pub(crate) mod rollouts;
pub(crate) mod search;
pub(crate) mod spend;
pub(crate) mod spending;
pub(crate) mod support_access;
pub(crate) mod suppressions;
pub(crate) mod tickets;
pub(crate) mod updates;
pub(crate) mod usage;
pub(crate) mod workflows;

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{AppError, refused};

/// Where the API begins.
pub(crate) const PREFIX: &str = ::api::PREFIX;

const MOST: u32 = 200;

/// An error as a program sees it.
#[derive(Debug)]
pub(crate) struct Refusal(AppError);

impl<E: Into<AppError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.0.into_problem()
    }
}

pub(crate) async fn not_found() -> Refusal {
    AppError::NotFound.into()
}

pub(crate) async fn method_not_allowed() -> Refusal {
    refused(405, "This address does not take that method", "Look at /api/v1/openapi.json for the methods it takes.")
        .into()
}

/// A JSON body; what can't be read is refused with a problem that says where it is wrong.
#[derive(Debug)]
pub(crate) struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Self(body)),
            Err(rejection) => {
                let status = match &rejection {
                    JsonRejection::JsonSyntaxError(_) => 400,
                    other => other.status().as_u16(),
                };
                let next = "Look at /api/v1/openapi.json for the form of this request.";
                Err(refused(status, &rejection.body_text(), next).into())
            }
        }
    }
}

/// The query of a request; what can't be read is refused like a body that can't.
#[derive(Debug)]
pub(crate) struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => {
                let next = "Look at /api/v1/openapi.json for the parameters of this request.";
                Err(refused(rejection.status().as_u16(), &rejection.body_text(), next).into())
            }
        }
    }
}

/// Which part of which list.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Listing {
    pub cursor: Option<String>,
    limit: Option<u32>,
    pub state: Option<String>,
}

impl Listing {
    /// How many entries to give: at least one, at most 200.
    pub(crate) fn limit(&self) -> u32 {
        self.limit.unwrap_or(50).clamp(1, MOST)
    }

    /// The answer, with a cursor when there may be more.
    pub(crate) fn page<T>(&self, data: Vec<T>, id: impl Fn(&T) -> String) -> axum::Json<::api::Page<T>> {
        let full = data.len() >= self.limit() as usize;
        let next_cursor = data.last().filter(|_| full).map(id);
        axum::Json(::api::Page { data, next_cursor })
    }
}
