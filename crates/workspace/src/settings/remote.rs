//! Where a project is pushed to. The token is sealed for its host, so that it opens for no other.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::key::{KeyError, Safe};
use crate::remote::Address;

/// A git remote and who pushes there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    /// Where it is.
    pub address: Address,
    /// Who pushes.
    pub user: String,
    /// Their token, sealed; base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed_token: Option<String>,
}

impl Remote {
    /// A remote; without a new token the one that was saved for the same host stays.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn new(
        address: Address,
        user: &str,
        token: &SecretString,
        before: Option<&Self>,
        safe: &Safe,
    ) -> Result<Self, KeyError> {
        let token = token.expose_secret().trim();
        let sealed_token = if token.is_empty() {
            let same_place = before.filter(|before| before.address.host() == address.host());
            same_place.and_then(|before| before.sealed_token.clone())
        } else {
            Some(safe.seal_for(&purpose(&address), token)?)
        };
        Ok(Self { address, user: user.trim().to_owned(), sealed_token })
    }

    /// Whether a token is saved.
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.sealed_token.is_some()
    }

    pub(super) fn forget_token(&mut self) {
        self.sealed_token = None;
    }

    pub(super) fn token(&self, safe: &Safe) -> Result<Option<SecretString>, KeyError> {
        self.sealed_token.as_deref().map(|sealed| safe.open_for(&purpose(&self.address), sealed)).transpose()
    }
}

fn purpose(address: &Address) -> String {
    format!("git token for {}", address.host())
}
