//! The machine: room on disk, the port, and what the kernel offers.

use std::net::{SocketAddr, TcpListener};

use api::{Client, HealthState};
use nix::sys::statvfs::statvfs;

use super::Check;
use crate::context::Context;
use crate::data_folder::DataFolder;
use crate::server_file::ServerFile;

const MIB: u64 = 1 << 20;
const LOG: &str = "look into its log, which is the standard error of `spinoff up`";

/// Whether there is room for data.
pub fn disk_space(data: &DataFolder) -> Check {
    let name = "disk space";
    let there = data.path().ancestors().find(|above| above.exists()).unwrap_or(data.path());
    let free = match statvfs(there) {
        Ok(found) => found.blocks_available().saturating_mul(found.fragment_size()) / MIB,
        Err(cause) => return Check::warn(name, format!("can't be found out: {cause}"), "look at `df` yourself"),
    };
    let found = format!("{free} MiB free");
    match free {
        0..100 => Check::fail(name, found, "make room, or move the data folder"),
        100..1024 => Check::warn(name, found, "make room soon"),
        _ => Check::ok(name, found),
    }
}

/// Whether a server runs and is well, or could run.
pub async fn server(context: &Context, listen: SocketAddr) -> Check {
    let name = "server";
    let Ok(running) = ServerFile::find(&context.data) else {
        return port(listen);
    };
    let health = match Client::new(&running.url, None) {
        Ok(client) => client.health().await,
        Err(error) => Err(error),
    };
    match health {
        Ok(report) if report.status == HealthState::Ok => Check::ok(name, format!("runs at {}", running.url)),
        Ok(_) => Check::fail(name, format!("{} is not well", running.url), LOG),
        Err(error) => Check::fail(
            name,
            format!("process {} should serve {} but does not: {error}", running.pid, running.url),
            format!("{LOG}; restart it if it hangs"),
        ),
    }
}

/// What the kernel offers for keeping instances apart.
pub fn isolation() -> Vec<Check> {
    let check = |feature: &sandbox::Feature| {
        let name = format!("isolation: {}", feature.name);
        match (feature.available, feature.necessary) {
            (true, _) => Check::ok(name, feature.reason.clone()),
            (false, false) => Check::warn(name, feature.reason.clone(), feature.remedy),
            (false, true) => Check::fail(
                name,
                feature.reason.clone(),
                format!("{}; or run every instance without walls: `spinoff up --insecure-no-sandbox`", feature.remedy),
            ),
        }
    };
    sandbox::probe().features.iter().map(check).collect()
}

fn port(listen: SocketAddr) -> Check {
    match TcpListener::bind(listen) {
        Ok(_) => Check::ok("server", format!("does not run; {listen} is free")),
        Err(cause) => {
            let advice = "stop what listens there, or start with another --listen";
            Check::fail("server", format!("can't listen on {listen}: {cause}"), advice)
        }
    }
}
