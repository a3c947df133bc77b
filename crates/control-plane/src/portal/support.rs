use axum::Form;
use axum::extract::{Path, State};
use axum::response::{Html, Redirect};
use pages::{Area, SupportNow, SupportPage};
use serde::Deserialize;

use super::{owned, portal_url};
use crate::app::App;
use crate::instances::Instance;
use crate::person::Person;
use crate::site::{PageError, shell};
use crate::support_access::{self, Standing, report};

pub(crate) async fn show(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
) -> Result<Html<String>, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    let open = support_access::store::open_of(&app.db, instance.id).await?;
    let now = match open.map(|open| (open.state, open.asked)) {
        Some((Standing::Given(leave), _)) if leave.until > app.clock.now() => {
            SupportNow::LetIn { until: leave.until, may_change: leave.may_change }
        }
        Some((Standing::Asked, Some(asked))) => SupportNow::Asked { reason: asked.reason, at: asked.at },
        _ => SupportNow::Shut,
    };
    let page = SupportPage {
        shell: shell(&app, Area::Portal, "Support access", Some(&person)),
        hostname: app.shown_hostname(&instance.subdomain),
        url: page_url(&instance),
        back_url: portal_url(&instance),
        is_open: instance.state == domain::InstanceState::Active,
        now,
        log: report::rows(&app, instance.id).await?,
    };
    Ok(Html(page.render()))
}

/// For how long support is let in, and how far.
#[derive(Deserialize)]
pub(crate) struct Wish {
    #[serde(default)]
    hours: String,
    /// There when it was ticked.
    may_change: Option<String>,
}

pub(crate) async fn let_in(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
    Form(wish): Form<Wish>,
) -> Result<Redirect, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    // What is no number is no time for which it can be let in.
    let wish = (wish.hours.parse().unwrap_or(0), wish.may_change.as_deref() == Some("yes"));
    support_access::give(&app, &instance, wish, &person.email).await?;
    Ok(Redirect::to(&page_url(&instance)))
}

pub(crate) async fn decline(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
) -> Result<Redirect, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    support_access::decline(&app, &instance, &person.email).await?;
    Ok(Redirect::to(&page_url(&instance)))
}

pub(crate) async fn end(
    State(app): State<App>,
    person: Person,
    Path(subdomain): Path<String>,
) -> Result<Redirect, PageError> {
    let instance = owned(&app, &person, &subdomain).await?;
    support_access::end(&app, &instance, person.email.as_str()).await?;
    Ok(Redirect::to(&page_url(&instance)))
}

fn page_url(instance: &Instance) -> String {
    format!("{}/support", portal_url(instance))
}
