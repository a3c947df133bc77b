use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::envelope::{Refusal, Reply};
use super::super::ids;
use super::super::query::Query;
use super::super::routes::Asked;
use super::super::state::State;

/// Somebody signed in, was turned away, or signed out.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) action: Action,
    pub(super) allowed: bool,
    pub(super) app_domain: String,
    pub(super) app_uid: String,
    pub(super) email: String,
    at: Timestamp,
    ray: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Action {
    Login,
    Logout,
}

impl Row {
    fn shown(&self) -> Value {
        json!({
            "action": match self.action { Action::Login => "login", Action::Logout => "logout" },
            "allowed": self.allowed, "app_domain": self.app_domain, "app_uid": self.app_uid,
            "connection": "onetimepin", "created_at": self.at, "ip_address": "198.51.100.1", "ray_id": self.ray,
            "user_email": self.email,
        })
    }
}

/// `GET …/logs/access_requests`: as far back as the plan reaches, the newest first unless asked otherwise.
pub(in super::super) fn list(state: &mut State, asked: &Asked) -> Result<Reply, Refusal> {
    asked.query.only(&["limit", "page", "per_page", "since", "until", "direction", "email", "email_exact"])?;
    let horizon = state.now - state.settings.log_reach;
    let since = moment(&asked.query, "since")?.map_or(horizon, |since| since.max(horizon));
    let until = moment(&asked.query, "until")?.unwrap_or(state.now);
    let is_exact = asked.query.get("email_exact") == Some("true");
    let is_email = |row: &Row| {
        let Some(wanted) = asked.query.get("email") else { return true };
        if is_exact { row.email == wanted } else { row.email.contains(wanted) }
    };
    let rows = state.access.log.iter().filter(|row| row.at >= since && row.at <= until && is_email(row));
    let mut rows: Vec<Value> = rows.map(Row::shown).collect();
    match asked.query.get("direction") {
        Some("asc") => {}
        None | Some("desc") => rows.reverse(),
        Some(_) => return Err(Refusal::access("direction must be asc or desc")),
    }
    rows.truncate(asked.query.number("limit", 25)?.min(1000));
    Ok(Reply::ok(json!(rows)))
}

impl State {
    pub(in super::super) fn log(&mut self, action: Action, allowed: bool, app: Option<&str>, email: &str) {
        let domain = app.and_then(|id| self.access.apps.get(id)).map(|app| app.domain().to_owned());
        self.access.log.push(Row {
            action,
            allowed,
            app_domain: domain.unwrap_or_default(),
            app_uid: app.unwrap_or_default().to_owned(),
            email: email.to_owned(),
            at: self.now,
            ray: ids::hex_of::<8>(&self.entropy),
        });
    }
}

fn moment(query: &Query, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let read = |text: &str| text.parse().map_err(|_| Refusal::access(format!("{name} is no RFC 3339 date")));
    query.get(name).map(read).transpose()
}
