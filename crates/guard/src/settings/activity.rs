//! What counts as use, and by which ways it is learnt, checked.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{SettingsError, problem};
use crate::Args;
use crate::activity::{Activity, Rules};

/// What is use of this application.
#[derive(Clone, Debug)]
pub(crate) struct ActivitySettings {
    pub(crate) judge: Arc<Activity>,
    /// The file of rules and how many are in it.
    pub(crate) rules: Option<(PathBuf, usize)>,
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
        let rules = args.activity_rules.as_deref().map(read).transpose()?;
        let from = args.activity_rules.clone().zip(rules.as_ref().map(Rules::len));
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
    let fail = |why: String| problem(format!("--activity-rules {}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| fail(error.to_string()))?;
    Rules::parse(&text).map_err(|error| fail(format!("{error}; docs/activity.md describes the format")))
}
