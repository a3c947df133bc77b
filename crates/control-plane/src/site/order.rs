//! An order that waits for a means of payment, as its customer sees it.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use pages::{Area, Onward, Progress, ProgressState, ProgressView, Purpose};
use workflow::{WorkflowRecord, WorkflowState};

use super::progress::{find, step};
use super::{PageError, shell};
use crate::app::App;
use crate::error::AppError;
use crate::instances::Instance;
use crate::person::Person;
use crate::signup::checkout::{self, Opened};
use crate::signup::closing::{self, Ending};
use crate::workflows;

/// How long an answer waits for the provider's page. Should it take longer, the order's page shows it.
const TO_OPEN: Duration = Duration::from_secs(8);

/// The page of the order; once the workspace is being made, that is what is shown.
pub(super) async fn page(
    app: &App,
    person: Option<&Person>,
    record: WorkflowRecord,
    instance: Instance,
) -> Result<Response, AppError> {
    checkout::look_again(app, &record).await?;
    let view = view(app, &record, &instance).await?;
    if view.state == ProgressState::Done
        && let Some(url) = &view.url
    {
        return Ok(Redirect::to(url).into_response());
    }
    let page = Progress {
        shell: shell(app, Area::Site, "Your order", person),
        purpose: Purpose::SignUp,
        hostname: app.shown_hostname(instance.chosen()),
        events_url: format!("/signup/{}/events", record.id),
        cancel_url: (view.state == ProgressState::Running).then(|| format!("/signup/{}/cancel", record.id)),
        view,
        mail_to: None,
        mailbox_url: None,
    };
    Ok(Html(page.render()).into_response())
}

/// How far an order is, in the customer's words.
pub(super) async fn view(app: &App, record: &WorkflowRecord, instance: &Instance) -> Result<ProgressView, AppError> {
    let now = app.clock.now();
    let steps = checkout::STEPS.iter().map(|(name, label)| step(name, label, record, now)).collect();
    let making = checkout::provisioning_of(app, instance.id).await?;
    let open = checkout::open_page(record);
    let (state, message) = match (record.state, &making) {
        (_, Some(_)) => (ProgressState::Done, String::new()),
        (WorkflowState::Running | WorkflowState::Done, None) => {
            (ProgressState::Running, open.as_ref().map(until).unwrap_or_default())
        }
        (WorkflowState::Undoing, None) => (ProgressState::Undoing, Ending::of(record).in_words().to_owned()),
        (WorkflowState::Failed, None) => (ProgressState::Failed, Ending::of(record).in_words().to_owned()),
        (WorkflowState::Stuck | WorkflowState::Abandoned, None) => (ProgressState::Stuck, String::new()),
    };
    let url = making.map(|id| format!("/signup/{id}"));
    let pay_url = open.filter(|_| state == ProgressState::Running).map(|open| open.url);
    Ok(ProgressView { state, steps, url, pay_url, message })
}

fn until(open: &Opened) -> String {
    format!("The page for them stays open until {}.", open.expires_at.strftime("%-d %b %Y, %H:%M UTC"))
}

/// Leads on to the provider's page, once it is open.
pub(crate) async fn payment(
    State(app): State<App>,
    person: Option<Person>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    find_order(&app, &id).await?;
    workflows::given::<Opened>(&app, &id, checkout::OPEN, TO_OPEN).await?;
    // Looked at again, since that may be long ago, and what was to be entered may be entered.
    let (record, _) = find_order(&app, &id).await?;
    let order = format!("/signup/{id}");
    let Some(open) = checkout::open_page(&record) else { return Ok(Redirect::to(&order).into_response()) };
    let page = Onward {
        shell: shell(&app, Area::Site, "Payment", person.as_ref()),
        to: "the page for your payment details".to_owned(),
        url: Some(open.url),
        back_url: order,
    };
    Ok(Html(page.render()).into_response())
}

/// Whoever knows the address of an order may cancel it.
pub(crate) async fn cancel(State(app): State<App>, Path(id): Path<String>) -> Result<Redirect, PageError> {
    let (record, instance) = find_order(&app, &id).await?;
    closing::cancel(&app, &record, &instance).await?;
    Ok(Redirect::to(&format!("/signup/{id}")))
}

async fn find_order(app: &App, id: &str) -> Result<(WorkflowRecord, Instance), AppError> {
    let found = find(app, id).await?;
    if found.0.kind == checkout::KIND { Ok(found) } else { Err(AppError::NotFound) }
}
