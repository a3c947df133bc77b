use api::{Message, MessageState};
use axum::extract::{Path, State};
use domain::MessageId;

use super::{Listing, Query, Refusal};
use crate::app::App;
use crate::error::{AppError, refused};
use crate::mail::{self, store::Fate};
use crate::person::Program;

pub(crate) async fn index(
    State(app): State<App>,
    _: Program,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<api::Page<Message>>, Refusal> {
    let state = match listing.state.as_deref() {
        Some(word) => Some(MessageState::parse(word).ok_or_else(|| {
            refused(422, &format!("{word:?} is not the state of a mail"), "Use waiting, delivered or failed.")
        })?),
        None => None,
    };
    let wanted = state.map_or("", MessageState::as_str);
    let found = mail::store::fates(&app.db, wanted, listing.cursor.as_deref(), listing.limit()).await?;
    let data = found.into_iter().map(view).collect::<Result<_, _>>()?;
    Ok(listing.page(data, |message: &Message| message.id.to_string()))
}

pub(crate) async fn retry(
    State(app): State<App>,
    _: Program,
    Path(id): Path<String>,
) -> Result<axum::Json<Message>, Refusal> {
    let id = MessageId::parse(&id).map_err(|_| AppError::NotFound)?;
    Ok(axum::Json(view(mail::retry::retry(&app, id, Program::NAME).await?)?))
}

fn view(fate: Fate) -> Result<Message, AppError> {
    let state = match (fate.delivered_at, fate.failed_at) {
        (Some(_), _) => MessageState::Delivered,
        (None, Some(_)) => MessageState::Failed,
        (None, None) => MessageState::Waiting,
    };
    Ok(Message {
        id: MessageId::parse(&fate.id).map_err(AppError::internal)?,
        to: fate.to,
        subject: fate.subject,
        state,
        attempts: fate.attempts,
        error: fate.error,
        created_at: fate.at,
        due_at: (state == MessageState::Waiting).then_some(fate.due_at),
    })
}
