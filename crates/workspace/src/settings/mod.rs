//! What people set: the provider and its key, models, prices, budgets, language and looks.
//!
//! One file, `settings.json` in the data folder, replaced as a whole. The key stands in it sealed with
//! another file, `settings.key`, that only the program's user may read and that no export holds. That
//! protects the key in backups, copies and exports of everything else; it does not protect it from
//! whoever can read all of the data folder, or is the administrator of the machine.

mod key;
mod remote;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::folder::{Folder, Found};
use crate::model::{BaseUrl, Budgets, Price, Role, Setup};
pub use key::{KeyError, Safe};
pub use remote::Remote;

const FILE: &str = "settings.json";

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Where the provider is.
    pub base: Option<BaseUrl>,
    /// The provider's key, sealed; base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed_key: Option<String>,
    /// The model of each role without one of its own; empty when none is chosen.
    pub model: String,
    /// The models of roles that have one of their own.
    pub models: BTreeMap<Role, String>,
    /// What models cost.
    pub prices: BTreeMap<String, Price>,
    /// The currency of prices and budgets, as it is shown.
    pub currency: String,
    /// What may be spent.
    pub budgets: Budgets,
    /// The language that the team speaks and writes.
    pub language: String,
    /// How pages look.
    pub theme: Theme,
    /// Where projects are pushed to, by the vision's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub remotes: BTreeMap<String, Remote>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base: None,
            sealed_key: None,
            model: String::new(),
            models: BTreeMap::new(),
            prices: BTreeMap::new(),
            currency: "USD".to_owned(),
            budgets: Budgets::default(),
            language: "English".to_owned(),
            theme: Theme::default(),
            remotes: BTreeMap::new(),
        }
    }
}

/// How pages look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the person's device is set.
    #[default]
    Device,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 3] = [Self::Device, Self::Light, Self::Dark];

    /// The word in files and forms.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of that word, if there is one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.word() == word)
    }
}

/// Why settings could not be read or saved.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file holds something else.
    #[error(
        "settings.json in the data folder cannot be understood ({0}); mend it, or move it away and set everything anew"
    )]
    Malformed(String),
    /// The key cannot be sealed or opened.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The disk failed or is full.
    #[error("the settings cannot be saved: {0}")]
    Disk(#[from] io::Error),
}

/// The settings as they are now, and where they are kept; cheap to clone.
#[derive(Clone)]
pub struct SettingsFile(Arc<Inner>);

struct Inner {
    root: PathBuf,
    safe: Safe,
    now: RwLock<Arc<Settings>>,
}

impl SettingsFile {
    /// The settings in the data folder `root`, with the key file `key_file` or the usual one.
    ///
    /// # Errors
    /// [`SettingsError::Malformed`] and [`SettingsError::Disk`].
    pub fn open(root: &Path, key_file: Option<&Path>) -> Result<Self, SettingsError> {
        let now = read(&Folder::open(root)?)?;
        let safe = Safe::new(key_file.map_or_else(|| root.join("settings.key"), Path::to_owned));
        Ok(Self(Arc::new(Inner { root: root.to_owned(), safe, now: RwLock::new(Arc::new(now)) })))
    }

    /// What is set now.
    #[must_use]
    pub fn now(&self) -> Arc<Settings> {
        Arc::clone(&self.0.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes what is set; nothing else is touched, and it is on the disk when this returns.
    ///
    /// # Errors
    /// [`SettingsError`]; nothing is changed then.
    pub fn change(
        &self,
        change: impl FnOnce(&mut Settings, &Safe) -> Result<(), SettingsError>,
    ) -> Result<(), SettingsError> {
        let folder = Folder::open(&self.0.root)?;
        folder.lock()?;
        let mut settings = read(&folder)?;
        change(&mut settings, &self.0.safe)?;
        let text = serde_json::to_vec_pretty(&settings).map_err(io::Error::other)?;
        folder.replace(FILE, &text)?;
        *self.0.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        Ok(())
    }

    /// The token with which a project is pushed; `None` where there is none.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn token(&self, remote: &Remote) -> Result<Option<SecretString>, KeyError> {
        remote.token(&self.0.safe)
    }

    /// How models are reached: as the settings say, and where they name no provider as the operator
    /// does. Budgets are the settings' in any case.
    ///
    /// # Errors
    /// [`SettingsError::Key`] when the key does not open.
    pub fn setup(&self, operators: Option<&Setup>) -> Result<Option<Setup>, SettingsError> {
        let settings = self.now();
        let own = match &settings.base {
            Some(base) if !settings.model.is_empty() => Some(Setup {
                key: settings.sealed_key.as_deref().map(|sealed| self.0.safe.open(sealed)).transpose()?,
                models: settings.models.clone(),
                ..Setup::new(base.clone(), &settings.model)
            }),
            _ => None,
        };
        let setup = own.or_else(|| operators.cloned());
        Ok(setup.map(|setup| {
            let mut prices = setup.prices;
            prices.extend(settings.prices.clone());
            Setup { prices, budgets: settings.budgets, ..setup }
        }))
    }
}

impl Settings {
    /// The same without keys and tokens, sealed ones too.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        let mut settings = Self { sealed_key: None, ..self.clone() };
        for remote in settings.remotes.values_mut() {
            remote.forget_token();
        }
        settings
    }

    /// Puts a provider's key into the settings, sealed; an empty one takes it out.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn set_key(&mut self, key: &SecretString, safe: &Safe) -> Result<(), KeyError> {
        let key = key.expose_secret().trim();
        self.sealed_key = if key.is_empty() { None } else { Some(safe.seal(key)?) };
        Ok(())
    }
}

fn read(folder: &Folder) -> Result<Settings, SettingsError> {
    match folder.read(FILE)? {
        Found::File(bytes) => {
            serde_json::from_slice(&bytes).map_err(|error| SettingsError::Malformed(error.to_string()))
        }
        Found::Unreadable(why) => Err(SettingsError::Malformed(why)),
        Found::Nothing => Ok(Settings::default()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn with_key(home: &Path) -> SettingsFile {
        let file = SettingsFile::open(home, None).unwrap();
        file.change(|settings, safe| {
            settings.base = Some(BaseUrl::parse("https://a.example/v1").unwrap());
            settings.model = "m".to_owned();
            Ok(settings.set_key(&SecretString::from("sk-very-secret"), safe)?)
        })
        .unwrap();
        file
    }

    #[test]
    fn the_key_is_kept_sealed_and_comes_back_after_a_restart() {
        let home = tempfile::tempdir().unwrap();
        with_key(home.path());
        let text = std::fs::read_to_string(home.path().join("settings.json")).unwrap();
        assert!(!text.contains("secret") && text.contains("sealed_key"), "{text}");
        let mode = std::fs::metadata(home.path().join("settings.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let setup = SettingsFile::open(home.path(), None).unwrap().setup(None).unwrap().unwrap();
        assert_eq!(setup.key.unwrap().expose_secret(), "sk-very-secret");
    }

    #[test]
    fn a_key_that_another_key_file_sealed_is_an_error_that_says_what_to_do() {
        let home = tempfile::tempdir().unwrap();
        with_key(home.path());
        std::fs::remove_file(home.path().join("settings.key")).unwrap();
        let error = SettingsFile::open(home.path(), None).unwrap().setup(None).unwrap_err().to_string();
        assert!(error.contains("Type the provider’s key in again") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn the_operators_provider_is_used_until_there_is_an_own_one_with_the_own_budget() {
        let home = tempfile::tempdir().unwrap();
        let file = SettingsFile::open(home.path(), None).unwrap();
        assert!(file.setup(None).unwrap().is_none());
        let operators = Setup::new(BaseUrl::parse("http://127.0.0.1:1").unwrap(), "theirs");
        let budgets = Budgets { day: crate::model::Cost::parse("1"), ..Budgets::default() };
        file.change(|settings, _| {
            settings.budgets = budgets;
            Ok(())
        })
        .unwrap();
        let setup = file.setup(Some(&operators)).unwrap().unwrap();
        assert_eq!((setup.model.as_str(), setup.budgets), ("theirs", budgets));
        assert_eq!(with_key(home.path()).setup(Some(&operators)).unwrap().unwrap().model, "m");
    }

    #[test]
    fn settings_that_cannot_be_understood_are_named_and_left_alone() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("settings.json"), "{\"theme\": \"pink\"}").unwrap();
        let error = SettingsFile::open(home.path(), None).err().unwrap().to_string();
        assert!(error.contains("settings.json") && error.contains("move it away"), "{error}");
    }
}
