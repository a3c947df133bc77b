use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::{Form, Json};
use domain::{CouponCode, Email, Subdomain};
use pages::{Area, Availability, Signup, SignupErrors, SignupValues};
use providers::payments::{Card, Collects, SavedCard};
use secrecy::SecretString;
use serde::Deserialize;

use super::{PageError, shell};
use crate::app::App;
use crate::billing::coupons;
use crate::error::AppError;
use crate::person::Person;
use crate::signup::{NewSignup, SignupError, sign_up};
use crate::text::capital;
use crate::{customers, instances};

const LONGEST_NAME: usize = 100;

/// The form as sent. Nothing of the card is ever echoed.
#[derive(Deserialize)]
#[serde(default)]
pub(crate) struct SignupForm {
    key: String,
    name: String,
    email: String,
    company: String,
    subdomain: String,
    card_number: SecretString,
    card_expiry: String,
    card_cvc: SecretString,
    card_name: String,
    coupon: String,
    agree_terms: Option<String>,
    agree_privacy: Option<String>,
    agree_acceptable_use: Option<String>,
    agree_billing: Option<String>,
}

impl Default for SignupForm {
    fn default() -> Self {
        let none = || SecretString::from(String::new());
        Self {
            key: String::new(),
            name: String::new(),
            email: String::new(),
            company: String::new(),
            subdomain: String::new(),
            card_number: none(),
            card_expiry: String::new(),
            card_cvc: none(),
            card_name: String::new(),
            coupon: String::new(),
            agree_terms: None,
            agree_privacy: None,
            agree_acceptable_use: None,
            agree_billing: None,
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    subdomain: String,
    /// As a link in an offer says it.
    #[serde(default)]
    coupon: String,
}

pub(crate) async fn form(
    State(app): State<App>,
    person: Option<Person>,
    Query(Wanted { subdomain, coupon }): Query<Wanted>,
) -> Result<Html<String>, PageError> {
    let email = person.as_ref().map(|person| person.email.to_string()).unwrap_or_default();
    let values = SignupValues { key: new_key(&app), email, subdomain, coupon, ..SignupValues::default() };
    Ok(Html(page(&app, person.as_ref(), values, SignupErrors::default()).await?))
}

pub(crate) async fn availability(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Availability>, PageError> {
    let hostname = |name: &str| format!("{name}.{}", app.shown_base_domain());
    let answer = match check(&app, &wanted.subdomain).await? {
        Ok(name) => Availability {
            available: true,
            message: format!("{} is free", hostname(name.as_str())),
            hostname: hostname(name.as_str()),
        },
        Err(message) => Availability { available: false, message, hostname: hostname(wanted.subdomain.trim()) },
    };
    Ok(Json(answer))
}

pub(crate) async fn submit(
    State(app): State<App>,
    person: Option<Person>,
    Form(form): Form<SignupForm>,
) -> Result<Response, PageError> {
    let person = person.as_ref();
    let new = match read(&app, person, &form).await? {
        Ok(new) => new,
        Err(errors) => return refuse(&app, person, &form, *errors).await,
    };
    let errors = match sign_up(&app, &new).await {
        Ok(accepted) => {
            // By a page of ours: browsers let a form lead to nobody else's.
            let next = match app.drivers.payments.collects() {
                Collects::Form => format!("/signup/{}", accepted.workflow),
                Collects::Checkout => format!("/signup/{}/payment", accepted.workflow),
            };
            return Ok(Redirect::to(&next).into_response());
        }
        Err(SignupError::Store(error)) => return Err(error.into()),
        Err(SignupError::Copy(error)) => return Err(error.into()),
        Err(SignupError::Coupon(error)) => {
            SignupErrors { coupon: Some(error.about_what_was_entered()?), ..SignupErrors::default() }
        }
        Err(error @ SignupError::Nobodys) => {
            SignupErrors { email: Some(capital(&error.to_string())), ..SignupErrors::default() }
        }
        Err(error @ SignupError::Taken(_)) => {
            SignupErrors { subdomain: Some(capital(&error.to_string())), ..SignupErrors::default() }
        }
        Err(SignupError::Full(_)) => {
            let later = "We can't take new workspaces at this moment. Nothing was ordered, and nothing is charged; we \
                         were told and make room. Please try again later.";
            SignupErrors { form: Some(later.to_owned()), ..SignupErrors::default() }
        }
        Err(SignupError::KeyReused) => {
            let again = "This form was sent already. Look over it and send it again to order one more workspace.";
            SignupErrors { form: Some(again.to_owned()), ..SignupErrors::default() }
        }
    };
    refuse(&app, person, &form, errors).await
}

/// Reads the whole form, so that a person sees everything that is wrong at once.
async fn read(
    app: &App,
    person: Option<&Person>,
    form: &SignupForm,
) -> Result<Result<NewSignup, Box<SignupErrors>>, AppError> {
    let mut errors = SignupErrors::default();
    let name = form.name.trim();
    if name.is_empty() {
        errors.name = Some("Enter your name".to_owned());
    } else if name.chars().count() > LONGEST_NAME {
        errors.name = Some(format!("Use at most {LONGEST_NAME} characters"));
    }
    let company = form.company.trim();
    if company.chars().count() > LONGEST_NAME {
        errors.company = Some(format!("Use at most {LONGEST_NAME} characters"));
    }
    let email = Email::parse(form.email.trim()).map_err(|error| errors.email = Some(capital(&error.to_string()))).ok();
    let proven = person.is_some_and(|person| Some(&person.email) == email.as_ref());
    if let Some(email) = &email
        && !proven
        && customers::store::has_instances(&app.db, email).await?
        && !is_ordered(app, &form.key).await?
    {
        // Whoever only knows somebody's address must not change how they pay or what they agreed to.
        errors.email = Some("This address has a workspace already. Sign in first, then order another one.".to_owned());
    }
    let subdomain = read_subdomain(app, form, &mut errors).await?;
    let card = match app.drivers.payments.collects() {
        Collects::Form => accept_card(app, form, &mut errors),
        Collects::Checkout => None,
    };
    let coupon = read_coupon(form, &mut errors)?;
    let agreed = [&form.agree_terms, &form.agree_privacy, &form.agree_acceptable_use, &form.agree_billing];
    if agreed.iter().any(|agreed| agreed.is_none()) {
        errors.agreements = Some("Please accept all four to go on".to_owned());
    }
    if let Some(most) = app.drivers.compute.most_at_once()
        && instances::store::number_being_made(&app.db).await? >= most
    {
        errors.form =
            Some("Many workspaces are being made at this moment. Please send this again in a minute.".to_owned());
    }
    match (email, subdomain) {
        (Some(email), Some(subdomain)) if errors == SignupErrors::default() => Ok(Ok(NewSignup {
            name: name.to_owned(),
            by: if proven { email.to_string() } else { "signup form".to_owned() },
            email,
            company: (!company.is_empty()).then(|| company.to_owned()),
            subdomain,
            agreed: true,
            card,
            coupon,
            key: (!form.key.is_empty()).then(|| form.key.clone()),
            copy_of: None,
        })),
        _ => Ok(Err(Box::new(errors))),
    }
}

async fn read_subdomain(
    app: &App,
    form: &SignupForm,
    errors: &mut SignupErrors,
) -> Result<Option<Subdomain>, AppError> {
    match check(app, &form.subdomain).await? {
        Ok(name) => Ok(Some(name)),
        // The same form sent twice finds its own name taken, and is led to what it ordered. Looked
        // up second, since the first of two at once may have been stored in between.
        Err(message) => match Subdomain::parse(&form.subdomain) {
            Ok(name) if is_ordered(app, &form.key).await? => Ok(Some(name)),
            _ => {
                errors.subdomain = Some(message);
                Ok(None)
            }
        },
    }
}

fn read_coupon(form: &SignupForm, errors: &mut SignupErrors) -> Result<Option<CouponCode>, AppError> {
    if form.coupon.trim().is_empty() {
        return Ok(None);
    }
    match coupons::typed(&form.coupon) {
        Ok(code) => return Ok(Some(code)),
        Err(error) => errors.coupon = Some(error.about_what_was_entered()?),
    }
    Ok(None)
}

async fn is_ordered(app: &App, key: &str) -> Result<bool, AppError> {
    Ok(!key.is_empty() && instances::store::of_signup(&app.db, key).await?.is_some())
}

/// Puts what is wrong with a card beside the field that it is wrong in.
fn accept_card(app: &App, form: &SignupForm, errors: &mut SignupErrors) -> Option<SavedCard> {
    if form.card_name.trim().is_empty() {
        errors.card_name = Some("Enter the name that stands on the card".to_owned());
    }
    let card = Card { number: form.card_number.clone(), expiry: form.card_expiry.clone(), cvc: form.card_cvc.clone() };
    let problems = match app.drivers.payments.accept_card(&card) {
        Ok(saved) => return Some(saved),
        Err(problems) => problems,
    };
    errors.card_number = problems.number.map(str::to_owned);
    errors.card_expiry = problems.expiry.map(str::to_owned);
    errors.card_cvc = problems.cvc.map(str::to_owned);
    None
}

/// The name, or why it can't be had.
async fn check(app: &App, raw: &str) -> Result<Result<Subdomain, String>, AppError> {
    Ok(instances::names::check(app, raw, None).await?)
}

async fn refuse(
    app: &App,
    person: Option<&Person>,
    form: &SignupForm,
    errors: SignupErrors,
) -> Result<Response, PageError> {
    let values = SignupValues {
        // Nothing was ordered under the old key, or something else was.
        key: new_key(app),
        name: form.name.clone(),
        email: form.email.clone(),
        company: form.company.clone(),
        subdomain: form.subdomain.clone(),
        coupon: form.coupon.clone(),
        agree_terms: form.agree_terms.is_some(),
        agree_privacy: form.agree_privacy.is_some(),
        agree_acceptable_use: form.agree_acceptable_use.is_some(),
        agree_billing: form.agree_billing.is_some(),
    };
    let page = page(app, person, values, errors).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response())
}

async fn page(
    app: &App,
    person: Option<&Person>,
    values: SignupValues,
    errors: SignupErrors,
) -> Result<String, PageError> {
    let payments = &app.drivers.payments;
    // Where nobody has one, the question would only make people look for one.
    let takes_coupons = !values.coupon.is_empty() || coupons::store::any_to_redeem(&app.db, app.clock.now()).await?;
    let page = Signup {
        shell: shell(app, Area::Site, "Get a workspace", person),
        plan: app.settings.plan.clone(),
        base_domain: app.shown_base_domain(),
        card_entered_at: (payments.collects() == Collects::Checkout).then(|| capital(payments.name())),
        nothing_is_charged: payments.name() == "ledger",
        takes_coupons,
        values,
        errors,
    };
    Ok(page.render())
}

fn new_key(app: &App) -> String {
    hex::encode(app.entropy.bytes::<16>())
}
