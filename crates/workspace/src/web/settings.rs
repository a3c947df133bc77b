//! Settings: the provider and its key, models and prices, budgets, language and looks, members.

mod reading;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::SecretString;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::library::{Library, LibraryError};
use crate::members::{MembersError, Standing};
use crate::model::{Ask, Budgets, Message, Purpose, Role, Total};
use crate::moment;
use crate::pages::Chrome;
use crate::pages::settings::{Held, MemberRow, Meter, Outcome, RoleModel, SettingsPage};
use crate::refusal::Refusal;
use crate::settings::{Safe, Settings, SettingsError, Theme};
use crate::team::Team;
use crate::visitor::Visitor;
use crate::web::{Filled, draw};

/// What the page before has done.
#[derive(Deserialize)]
pub struct Before {
    saved: Option<String>,
}

/// `GET /settings`
pub async fn show(State(app): State<App>, by: Visitor, Query(before): Query<Before>) -> Result<Response, Refusal> {
    let outcome = before.saved.map(|_| Outcome::Good("Saved.".to_owned()));
    page(&app, &by, reading::held(&app.settings.now()), outcome).await
}

/// The provider as the form holds it.
#[derive(Deserialize)]
pub struct ProviderForm {
    base: String,
    model: String,
    /// A new key; empty to keep the present one.
    key: SecretString,
    #[serde(default)]
    forget_key: bool,
}

/// `POST /settings/provider`
pub async fn set_provider(
    State(app): State<App>,
    by: Visitor,
    Filled(form): Filled<ProviderForm>,
) -> Result<Response, Refusal> {
    let held = Held { base: form.base.clone(), model: form.model.clone(), ..reading::held(&app.settings.now()) };
    let read = reading::provider(&form.base, &form.model);
    let (base, model) = match read {
        Ok(read) => read,
        Err(troubles) => return page(&app, &by, held, Some(Outcome::Bad(troubles))).await,
    };
    let change = move |settings: &mut Settings, safe: &Safe| {
        // A key is for one provider; it never goes to another one by itself.
        let is_elsewhere = settings.base.is_some()
            && settings.base.as_ref().map(|base| base.host()) != base.as_ref().map(|base| base.host());
        settings.base = base;
        settings.model = model;
        let is_new = !secrecy::ExposeSecret::expose_secret(&form.key).trim().is_empty();
        if is_new || is_elsewhere || form.forget_key {
            settings.set_key(&form.key, safe)?;
        }
        Ok(())
    };
    save(&app, &by, held, change).await
}

/// The models as the form holds them.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ModelsForm {
    #[serde(default)]
    project_manager: String,
    #[serde(default)]
    architect: String,
    #[serde(default)]
    developer: String,
    #[serde(default)]
    tester: String,
    #[serde(default)]
    scribe: String,
    #[serde(default)]
    prices: String,
}

/// `POST /settings/models`
pub async fn set_models(
    State(app): State<App>,
    by: Visitor,
    Filled(form): Filled<ModelsForm>,
) -> Result<Response, Refusal> {
    let held = Held { prices: form.prices.clone(), ..reading::held(&app.settings.now()) };
    let named = [
        (Role::ProjectManager, form.project_manager),
        (Role::Architect, form.architect),
        (Role::Developer, form.developer),
        (Role::Tester, form.tester),
        (Role::Scribe, form.scribe),
    ];
    match (reading::models(named), reading::prices(&form.prices)) {
        (Ok(models), Ok(prices)) => {
            let change = move |settings: &mut Settings, _: &Safe| {
                (settings.models, settings.prices) = (models, prices);
                Ok(())
            };
            save(&app, &by, held, change).await
        }
        (models, prices) => {
            let troubles = models.err().into_iter().chain(prices.err()).flatten().collect();
            page(&app, &by, held, Some(Outcome::Bad(troubles))).await
        }
    }
}

/// The budgets as the form holds them.
#[derive(Deserialize)]
pub struct BudgetsForm {
    day: String,
    sprint: String,
    month: String,
    currency: String,
}

/// `POST /settings/budgets`
pub async fn set_budgets(
    State(app): State<App>,
    by: Visitor,
    Filled(form): Filled<BudgetsForm>,
) -> Result<Response, Refusal> {
    let held = Held {
        day: form.day.clone(),
        sprint: form.sprint.clone(),
        month: form.month.clone(),
        currency: form.currency.clone(),
        ..reading::held(&app.settings.now())
    };
    let amounts = [("day", &form.day), ("sprint", &form.sprint), ("month", &form.month)];
    let read: Vec<_> = amounts.into_iter().map(|(span, typed)| reading::budget(span, typed)).collect();
    let currency = reading::currency(&form.currency);
    match (read.as_slice(), currency) {
        ([Ok(day), Ok(sprint), Ok(month)], Ok(currency)) => {
            let budgets = Budgets { day: *day, sprint: *sprint, month: *month };
            let change = move |settings: &mut Settings, _: &Safe| {
                (settings.budgets, settings.currency) = (budgets, currency);
                Ok(())
            };
            save(&app, &by, held, change).await
        }
        (read, currency) => {
            let troubles = read.iter().filter_map(|read| read.clone().err()).chain(currency.err()).collect();
            page(&app, &by, held, Some(Outcome::Bad(troubles))).await
        }
    }
}

/// Language and looks as the form holds them.
#[derive(Deserialize)]
pub struct AppearanceForm {
    language: String,
    theme: String,
}

/// `POST /settings/appearance`
pub async fn set_appearance(
    State(app): State<App>,
    by: Visitor,
    Filled(form): Filled<AppearanceForm>,
) -> Result<Response, Refusal> {
    let held = Held { language: form.language.clone(), ..reading::held(&app.settings.now()) };
    match (reading::language(&form.language), Theme::parse(&form.theme)) {
        (Ok(language), Some(theme)) => {
            let change = move |settings: &mut Settings, _: &Safe| {
                (settings.language, settings.theme) = (language, theme);
                Ok(())
            };
            save(&app, &by, held, change).await
        }
        (language, _) => {
            let trouble = language.err().unwrap_or_else(|| "Choose one of the three looks.".to_owned());
            page(&app, &by, held, Some(Outcome::Bad(vec![trouble]))).await
        }
    }
}

/// `POST /settings/trial`: one tiny call, and what came of it.
pub async fn try_it(State(app): State<App>, by: Visitor) -> Result<Response, Refusal> {
    let question = "Say “hello” in one word.".to_owned();
    let ask = Ask {
        role: Role::ProjectManager,
        messages: vec![Message::User(question)],
        tools: Vec::new(),
        purpose: Purpose::default(),
    };
    let outcome = match app.model.ask(ask, |_| (), &CancellationToken::new()).await {
        Ok(answer) => {
            let words: String = answer.text.trim().chars().take(200).collect();
            let tokens = answer.usage.input + answer.usage.output;
            Outcome::Good(format!("It works. The model answered “{words}” ({tokens} tokens)."))
        }
        Err(error) => Outcome::Bad(vec![error.to_string()]),
    };
    page(&app, &by, reading::held(&app.settings.now()), Some(outcome)).await
}

/// A member's new standing.
#[derive(Deserialize)]
pub struct MemberForm {
    email: String,
    standing: String,
}

/// `POST /settings/members`
pub async fn set_member(
    State(app): State<App>,
    by: Visitor,
    Filled(form): Filled<MemberForm>,
) -> Result<Response, Refusal> {
    let standing = Standing::parse(&form.standing).ok_or_else(Refusal::missing)?;
    let members = app.members.clone();
    let set = tokio::task::spawn_blocking(move || members.set(&form.email, standing)).await;
    let set = set.unwrap_or_else(|error| Err(MembersError::Disk(std::io::Error::other(error))));
    match set {
        Ok(()) => Ok(Redirect::to("/settings?saved=yes#members").into_response()),
        Err(error) => {
            let held = reading::held(&app.settings.now());
            page(&app, &by, held, Some(Outcome::Bad(vec![error.to_string()]))).await
        }
    }
}

async fn save(
    app: &App,
    by: &Visitor,
    held: Held,
    change: impl FnOnce(&mut Settings, &Safe) -> Result<(), SettingsError> + Send + 'static,
) -> Result<Response, Refusal> {
    let changed = app.clone();
    let saved = tokio::task::spawn_blocking(move || {
        changed.settings.change(change)?;
        changed.configure()
    })
    .await;
    match saved.unwrap_or_else(|error| Err(SettingsError::Disk(std::io::Error::other(error)))) {
        Ok(()) => Ok(Redirect::to("/settings?saved=yes").into_response()),
        Err(error) => page(app, by, held, Some(Outcome::Bad(vec![error.to_string()]))).await,
    }
}

async fn page(app: &App, by: &Visitor, held: Held, outcome: Option<Outcome>) -> Result<Response, Refusal> {
    let team = app.library(|library: &Library| -> Result<_, LibraryError> { Team::read(&library.root()?) }).await?;
    let settings = app.settings.now();
    let status = match outcome {
        Some(Outcome::Bad(_)) => StatusCode::UNPROCESSABLE_ENTITY,
        Some(Outcome::Good(_)) | None => StatusCode::OK,
    };
    let role_model = |role: Role| RoleModel {
        word: role.word(),
        noun: role.noun(),
        name: team.name_of(role).to_owned(),
        model: settings.models.get(&role).cloned().unwrap_or_default(),
    };
    let (now, ledger) = (moment::now(), app.model.ledger());
    let meters = vec![
        meter("Today", ledger.day(now), settings.budgets.day),
        meter("This month", ledger.month(now), settings.budgets.month),
    ];
    let members = app.members.all().into_iter();
    let page = SettingsPage {
        chrome: Chrome::of(by),
        outcome,
        held,
        has_key: settings.sealed_key.is_some(),
        is_readable_on_the_way: settings.base.as_ref().is_some_and(|base| base.is_readable_on_the_way()),
        has_operators_model: app.has_operators_model(),
        roles: Role::ALL.into_iter().map(role_model).collect(),
        meters,
        theme: settings.theme.word(),
        members: members.map(|(email, standing)| MemberRow { email, standing: standing.word() }).collect(),
    };
    draw(status, &page)
}

fn meter(span: &'static str, used: Total, budget: Option<crate::model::Cost>) -> Meter {
    let spent = used.cost.as_millionths().saturating_mul(100);
    let percent = budget.map_or(0, |budget| spent.checked_div(budget.as_millionths()).unwrap_or(100).min(100));
    Meter { span, used, budget: budget.map(|budget| budget.to_string()), percent }
}
