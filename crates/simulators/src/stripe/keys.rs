use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;

use crate::Request;
use crate::stripe::Settings;
use crate::stripe::refusal::Refusal;

/// What a restricted key may do with one kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Look only.
    Read,
    /// Change too.
    Write,
}

#[derive(Debug)]
struct Key {
    /// Nothing here means that it may do everything.
    permissions: Option<BTreeMap<String, Permission>>,
    expired: bool,
}

/// The keys that open the account.
#[derive(Debug)]
pub(super) struct Keys(BTreeMap<String, Key>);

impl Keys {
    pub(super) fn new(settings: &Settings) -> Self {
        let everything = Key { permissions: None, expired: false };
        Self(BTreeMap::from([(settings.secret_key.clone(), everything)]))
    }

    pub(super) fn restricted(&mut self, secret: String, permissions: BTreeMap<String, Permission>) {
        self.0.insert(secret, Key { permissions: Some(permissions), expired: false });
    }

    pub(super) fn revoke(&mut self, secret: &str) {
        self.0.remove(secret);
    }

    pub(super) fn expire(&mut self, secret: &str) {
        if let Some(key) = self.0.get_mut(secret) {
            key.expired = true;
        }
    }

    /// Whether the request's key may do this.
    ///
    /// # Errors
    /// 401 for a key that doesn't open, 403 for one that doesn't open this.
    pub(super) fn check(&self, request: &Request, resource: &str, needs: Permission) -> Result<(), Refusal> {
        let Some(secret) = secret(request) else {
            return Err(Refusal::unauthorized("No API key was sent; send 'Authorization: Bearer YOUR_SECRET_KEY'"));
        };
        let Some(key) = self.0.get(&secret) else {
            return Err(Refusal::unauthorized(format!("Invalid API Key provided: {}", masked(&secret))));
        };
        if key.expired {
            let message = format!("Expired API Key provided: {}", masked(&secret));
            return Err(Refusal::unauthorized(message).code("api_key_expired"));
        }
        let Some(permissions) = &key.permissions else { return Ok(()) };
        if permissions.get(resource).is_some_and(|held| *held >= needs) {
            return Ok(());
        }
        let verb = if needs == Permission::Read { "read" } else { "write" };
        let message = format!(
            "The provided key '{}' does not have the permission 'rak_{resource}_{verb}' that this needs",
            masked(&secret)
        );
        Err(Refusal::forbidden(message))
    }
}

/// From `Bearer`, or as the name in `Basic`.
fn secret(request: &Request) -> Option<String> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    match header.split_once(' ')? {
        ("Bearer", secret) => Some(secret.trim().to_owned()),
        ("Basic", pair) => {
            let pair = String::from_utf8(STANDARD.decode(pair.trim()).ok()?).ok()?;
            pair.split_once(':').map(|(secret, _)| secret.to_owned())
        }
        _ => None,
    }
}

/// Its kind and its last four letters, as Stripe shows a key.
fn masked(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    let known = ["sk_test_", "rk_test_", "sk_live_", "rk_live_"].into_iter().find(|kind| secret.starts_with(kind));
    let head = known.unwrap_or_default();
    if letters.len() < head.len() + 8 {
        return format!("{head}****");
    }
    format!("{head}****{}", letters.iter().skip(letters.len() - 4).collect::<String>())
}
