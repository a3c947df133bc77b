use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::packages;
use crate::shell;

/// A web server and a proxy of other people, to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherProxy {
    Nginx,
    Haproxy,
}

/// Where the program is; it is installed when it is missing.
pub fn find_proxy(proxy: OtherProxy) -> Result<PathBuf> {
    let (program, package) = match proxy {
        OtherProxy::Nginx => ("nginx", "nginx-light"),
        OtherProxy::Haproxy => ("haproxy", "haproxy"),
    };
    // Debian keeps servers where only root's `$PATH` leads.
    let find = || shell::find(&[program], &[PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")]);
    if let Some(found) = find() {
        return Ok(found);
    }
    packages::install(&[package], &format!("{program}, to compare with,"))?;
    find().with_context(|| format!("{package} was installed, but there is no `{program}` in /usr/sbin"))
}
