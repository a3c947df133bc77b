//! What counts as use, and by which ways it is learnt, checked.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use super::{SettingsError, problem};
use crate::Args;
use crate::activity::{Activity, Rules};

/// Rules that came without a file.
const TEXT: &str = "--activity-rules-text";

/// What is use of this application.
#[derive(Clone, Debug)]
pub(crate) struct ActivitySettings {
    pub(crate) judge: Arc<Activity>,
    /// Where rules were found and how many they are.
    pub(crate) rules: Option<(String, usize)>,
    /// Where the application reports use, on this machine's loopback; `None` for the guard's own
    /// listener.
    pub(crate) listen: Option<SocketAddr>,
    /// Where the app listens whose running is use. Only where the operator spoke of such an app:
    /// an application may have something of its own on that port.
    pub(crate) app: Option<SocketAddr>,
}

impl ActivitySettings {
    pub(super) fn check(args: &Args, app_port: u16) -> Result<Self, SettingsError> {
        if let Some(listen) = args.activity_listen.filter(|listen| !listen.ip().is_loopback()) {
            return Err(problem(format!(
                "--activity-listen {listen} is not on loopback: others could report use that was none"
            )));
        }
        let found = match (&args.activity_rules, &args.activity_rules_text) {
            (Some(file), _) => Some((file.display().to_string(), read(file)?)),
            // Set to nothing where it once was something.
            (None, Some(text)) if !text.trim().is_empty() => Some((TEXT.to_owned(), parse(TEXT, text)?)),
            (None, _) => None,
        };
        let from = found.as_ref().map(|(from, rules)| (from.clone(), rules.len()));
        let rules = found.map(|(_, rules)| rules);
        let judge = Activity::new(rules.unwrap_or_default())
            .map_err(|error| problem(format!("the built-in rules about use are broken: {error}")))?;
        let has_app = args.app_port.is_some() || args.app_host.is_some() || args.app_prefix.is_some();
        Ok(Self {
            judge: Arc::new(judge),
            rules: from,
            listen: args.activity_listen,
            app: has_app.then_some(SocketAddr::from((Ipv4Addr::LOCALHOST, app_port))),
        })
    }
}

fn read(file: &Path) -> Result<Rules, SettingsError> {
    let option = format!("--activity-rules {}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| problem(format!("{option}: {error}")))?;
    parse(&option, &text)
}

fn parse(option: &str, text: &str) -> Result<Rules, SettingsError> {
    Rules::parse(text).map_err(|error| problem(format!("{option}: {error}; docs/activity.md describes the format")))
}
