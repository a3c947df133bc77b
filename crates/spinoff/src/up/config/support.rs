use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use control_plane::{Strangers, SupportSettings};
use domain::Email;
use providers::webhook::Receiver;
use serde::Deserialize;

use super::secret::Secrets;

/// `[support]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Support {
    /// Where people write to support. Mail to it, and to the same name with a plus sign and a mark behind it, is handed over to
    /// `/webhooks/mail`.
    pub address: Option<Email>,
    /// What handed over mails are signed with.
    pub webhook_secret: Option<Secrets>,
    pub webhook_secret_file: Option<PathBuf>,
    /// Whether mail of people who are no customers is not taken.
    pub refuse_strangers: bool,
}

/// An address for answers has a mark of 44 characters behind its name, and a name has at most 64.
const LONGEST_NAME: usize = 19;

impl Support {
    /// How mail reaches support.
    ///
    /// # Errors
    /// When a secret can't be read, or one setting lacks another.
    pub fn settings(&self) -> anyhow::Result<SupportSettings> {
        let secrets = Secrets::read(self.webhook_secret.as_ref(), self.webhook_secret_file.as_ref())?;
        let mail = match secrets.as_slice() {
            [] => None,
            all => Some(Receiver::new(all).context("[support] webhook_secret can't be used")?),
        };
        ensure!(
            mail.is_some() || self.address.is_none(),
            "[support] address is set and webhook_secret is not, so that no mail to it could be taken; set webhook_secret to \
             `whsec_` and what `openssl rand -base64 32` prints, and give the same to what hands the mail over"
        );
        if let Some(address) = &self.address {
            let name = address.as_str().split('@').next().unwrap_or_default();
            ensure!(
                name.len() <= LONGEST_NAME && !name.contains('+'),
                "[support] address is {address}, whose name can't have a mark for each ticket behind it: choose one of at most \
                 {LONGEST_NAME} characters without a plus sign, such as support@…"
            );
        }
        let strangers = if self.refuse_strangers { Strangers::Refused } else { Strangers::Welcome };
        Ok(SupportSettings { address: self.address.clone(), mail, strangers })
    }
}
