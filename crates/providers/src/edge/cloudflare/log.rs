use domain::Email;
use jiff::Timestamp;
use serde::Deserialize;

use super::Cloudflare;
use super::api::AUDIT_LOGS;
use crate::ProviderError;
use crate::edge::SignIn;
use crate::http::Call;

/// So many rows are given at most.
const MOST: usize = 1000;

#[derive(Deserialize)]
struct Row {
    action: String,
    #[serde(default)]
    allowed: bool,
    /// A hostname, one with a path, or the wildcard that an application stands for.
    #[serde(default)]
    app_domain: String,
    created_at: Timestamp,
    #[serde(default)]
    user_email: String,
}

impl Cloudflare {
    /// The rows of the log since a moment, the oldest first. It reaches back as far as the plan lets it:
    /// a day on the free one.
    pub(super) async fn logged_since(&self, moment: Timestamp) -> Result<Vec<SignIn>, ProviderError> {
        let path = format!("/accounts/{}/access/logs/access_requests", self.settings.account_id);
        let (mut all, mut since) = (Vec::new(), moment);
        loop {
            let call = Call::get("GET …/access/logs/access_requests", path.clone())
                .query("since", since.to_string())
                .query("direction", "asc")
                .query("limit", MOST.to_string());
            let rows: Vec<Row> = self.rest.ask(call, AUDIT_LOGS).await?;
            let (full, last) = (rows.len() >= MOST, rows.last().map(|row| row.created_at));
            let known = all.len();
            for sign_in in rows.into_iter().filter_map(Row::read) {
                // The last rows of one answer are the first of the next.
                if !all[..known].contains(&sign_in) {
                    all.push(sign_in);
                }
            }
            match last.filter(|last| full && *last > since) {
                Some(last) => since = last,
                None => return Ok(all),
            }
        }
    }
}

impl Row {
    /// `None` for sign-outs, and for rows without a person.
    fn read(self) -> Option<SignIn> {
        if self.action != "login" {
            return None;
        }
        let email = Email::parse(&self.user_email).ok()?;
        let host = self.app_domain.split('/').next().unwrap_or_default();
        let hostname = (!host.is_empty() && !host.contains('*')).then(|| host.to_ascii_lowercase());
        Some(SignIn { email, hostname, at: self.created_at, allowed: self.allowed })
    }
}
