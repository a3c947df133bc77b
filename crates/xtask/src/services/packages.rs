use std::process::Command;

use anyhow::{Result, bail};

use crate::shell;

/// Installs packages of Debian or Ubuntu, or says what a person has to install and why.
pub fn install(packages: &[&str], why: &str) -> Result<()> {
    let wanted = packages.join(" ");
    if shell::find(&["apt-get"], &[]).is_none() {
        bail!(
            "{why} is missing, and this machine has no apt-get to install it with: install what Debian calls {wanted}"
        );
    }
    let as_root = |arguments: &[&str]| {
        if shell::is_root()? {
            let mut command = Command::new("apt-get");
            command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
            return shell::run(&mut command);
        }
        if shell::find(&["sudo"], &[]).is_none() {
            bail!("{why} is missing: as root, run `apt-get install {wanted}`, then try again");
        }
        shell::run(Command::new("sudo").args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(arguments))
    };
    shell::step(&format!("installing {wanted} (once)"), || {
        as_root(&["update", "-qq"])?;
        let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
        arguments.extend(packages);
        as_root(&arguments)
    })
}
