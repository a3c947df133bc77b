use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::envelope::{Refusal, Reply, access_form, read};
use super::super::routes::Asked;
use super::super::settings::Settings;
use super::super::state::State;
use super::duration;

/// The team, as it was set.
#[derive(Debug)]
pub(in super::super) struct Organization(Fields);

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Fields {
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_authenticate_via_warp: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_redirect_to_identity: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_ui_read_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    login_design: Option<LoginDesign>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_duration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_seat_expiration_inactive_time: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LoginDesign {
    #[serde(skip_serializing_if = "Option::is_none")]
    background_color: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    footer_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_color: Option<String>,
}

impl Organization {
    pub(super) fn simulated(settings: &Settings) -> Self {
        Self(Fields {
            auth_domain: Some(settings.team_host().to_owned()),
            name: Some("Simulated team".into()),
            session_duration: Some("24h".into()),
            ..Fields::default()
        })
    }

    /// How long a sign-in is good for where nothing else says so.
    pub(super) fn session_duration(&self) -> Option<&str> {
        self.0.session_duration.as_deref()
    }

    fn shown(&self) -> Value {
        json!(self.0)
    }
}

/// Refuses everything about Access while the account has no organisation.
pub(in super::super) fn check(state: &State) -> Result<(), Refusal> {
    match state.access.organization {
        Some(_) => Ok(()),
        None => Err(Refusal::new(403, 9999, "access.api.error.not_enabled: Access is not enabled for this account")),
    }
}

/// `GET …/organizations`
pub(in super::super) fn show(state: &mut State, _: &Asked) -> Result<Reply, Refusal> {
    Ok(Reply::ok(state.access.organization.as_ref().map(Organization::shown).unwrap_or_default()))
}

/// `POST …/organizations`, once in an account's life.
pub(in super::super) fn create(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let fields = fields(asked)?;
    if state.access.organization.is_some() {
        return Err(Refusal::new(409, 11003, "access.api.error.organization_already_exists"));
    }
    if fields.name.is_none() || fields.auth_domain.is_none() {
        return Err(Refusal::access("name and auth_domain are required"));
    }
    let organization = Organization(fields);
    let shown = organization.shown();
    state.access.organization = Some(organization);
    Ok(Reply::created(shown))
}

/// `PUT …/organizations`: what isn't named stays.
pub(in super::super) fn overwrite(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    let new = fields(asked)?;
    let Some(organization) = state.access.organization.as_mut() else { return Err(Refusal::unknown("organization")) };
    let old = std::mem::take(&mut organization.0);
    organization.0 = Fields {
        allow_authenticate_via_warp: new.allow_authenticate_via_warp.or(old.allow_authenticate_via_warp),
        auth_domain: new.auth_domain.or(old.auth_domain),
        auto_redirect_to_identity: new.auto_redirect_to_identity.or(old.auto_redirect_to_identity),
        is_ui_read_only: new.is_ui_read_only.or(old.is_ui_read_only),
        login_design: new.login_design.or(old.login_design),
        name: new.name.or(old.name),
        session_duration: new.session_duration.or(old.session_duration),
        user_seat_expiration_inactive_time: new
            .user_seat_expiration_inactive_time
            .or(old.user_seat_expiration_inactive_time),
    };
    Ok(Reply::ok(organization.shown()))
}

fn fields(asked: &Asked) -> Result<Fields, Refusal> {
    let fields: Fields = read(&asked.body, access_form)?;
    duration::check(fields.session_duration.as_ref(), "session_duration")?;
    let inactive = fields.user_seat_expiration_inactive_time.as_deref();
    let hours = inactive.map(|text| duration::parse(text).map_or(0, |time| time.as_hours()));
    match hours {
        Some(hours) if !(730..=8760).contains(&hours) => {
            Err(Refusal::access("user_seat_expiration_inactive_time must be 730h to 8760h"))
        }
        _ => Ok(fields),
    }
}
