//! The command that runs an instance: the guard inside the outer wall, the application inside the
//! inner one, and for each the variables it may know.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use access::app_site;
use domain::ProjectName;
use sandbox::{Access, Cgroup, Controller, Identity, Leash, Limits, SUBCOMMAND, Spec};
use tokio::process::Command;

use super::folder::{Configured, Folder, Project};
use super::{LocalSettings, ports};
use crate::compute::{ModelOffer, Release};

const SOCKET_INSIDE: &str = "/run/main.sock";
const EGRESS_INSIDE: &str = "/run/egress.sock";
/// Where the guard listens for what the application sends out.
const PROXY_INSIDE: &str = "127.0.0.1:3128";
/// Where the guard listens for what the application says of itself and its app: its other listener is in
/// the host's network, out of the application's reach.
const REPORTS_INSIDE: &str = "127.0.0.1:3129";
const EXECUTABLE_INSIDE: &str = "/spinoff";
const ACTIVITY_RULES_INSIDE: &str = "/activity-rules.toml";
const ACTIVITY_RULES: &str = "GUARD_ACTIVITY_RULES";
const PORT_INSIDE: u16 = 8000;
/// Where the app that the application makes listens. Each instance has a loopback of its own, so it
/// is the same for all.
const APP_PORT_INSIDE: u16 = 3000;
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const TOKEN: &str = "GUARD_INSTANCE_TOKEN";

type Variables = Vec<(&'static str, String)>;

/// Everything that decides how an instance runs.
pub(super) struct Deployment<'a> {
    pub(super) settings: &'a LocalSettings,
    pub(super) name: &'a ProjectName,
    pub(super) folder: &'a Folder,
    pub(super) project: &'a Project,
    pub(super) configured: &'a Configured,
    pub(super) release: &'a Release,
    pub(super) token: String,
}

impl Deployment<'_> {
    /// Guard and application behind their walls. The token goes through the environment: command
    /// lines can be read by everybody.
    pub(super) fn walled(&self, identity: Identity, group: Option<&Cgroup>) -> Command {
        let (outer, inner) = (self.outer(identity, group).to_argument(), self.inner(group).to_argument());
        let mut command = Command::new(&self.settings.executable);
        command.env_clear().env(TOKEN, &self.token);
        command.args([SUBCOMMAND, &outer, "--", EXECUTABLE_INSIDE, "guard", "--"]);
        command.args([EXECUTABLE_INSIDE, SUBCOMMAND, &inner, "--", "/bin/sh", "-c", &self.release.command]);
        command
    }

    /// Guard and application as ordinary processes of this host.
    pub(super) fn plain(&self, group: Option<&Cgroup>) -> io::Result<Command> {
        let port = ports::any()?;
        let socket = self.settings.main_socket.as_deref();
        let guard = self.guard_variables(port, &self.folder.instance(), socket);
        let mut application = self.application_variables(port, &self.folder.data());
        // Without a listener of its own for the application, the guard hears it where it hears everybody.
        application.extend(self.model_variables(&format!("http://{}", ports::address(self.project.port))));
        let rules = self.release.activity_rules.as_ref().map(|_| (ACTIVITY_RULES, self.folder.activity_rules()));
        let executable = self.settings.executable.display().to_string();
        let leash = Leash::leader(std::process::id());
        let leash = group.map_or(leash.clone(), |group| leash.cgroup(group));
        let mut command = Command::new(&executable);
        command.env_clear().envs(guard).envs(rules).envs(application).env(TOKEN, &self.token);
        // Programs of the host are what runs here, so its search path wins.
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)).into_iter().collect::<Vec<(_, OsString)>>());
        command.current_dir(self.folder.data());
        command.args([SUBCOMMAND, &leash.to_argument(), "--", &executable, "guard", "--"]);
        command.args([&executable, SUBCOMMAND, &Leash::follower().to_argument(), "--", "/bin/sh", "-c"]);
        command.arg(&self.release.command);
        Ok(command)
    }

    fn outer(&self, identity: Identity, group: Option<&Cgroup>) -> Spec {
        let mut spec = Spec::guard(self.name.slug(), identity)
            .started_by(std::process::id())
            .bind(&self.settings.executable, EXECUTABLE_INSIDE, Access::Read)
            .bind(self.folder.instance(), "/instance", Access::Write)
            .bind(self.folder.data(), "/data", Access::Write)
            .env("GUARD_ACTIVITY_LISTEN", REPORTS_INSIDE)
            .pass_env(TOKEN, TOKEN);
        let mut socket = None;
        if let Some(on_host) = &self.settings.main_socket {
            spec = spec.bind(on_host, SOCKET_INSIDE, Access::Read);
            socket = Some(Path::new(SOCKET_INSIDE));
        }
        if self.has_egress() {
            spec = spec.bind(self.folder.egress(), EGRESS_INSIDE, Access::Read);
            spec = spec.env("GUARD_EGRESS_LISTEN", PROXY_INSIDE).env("GUARD_EGRESS_SOCKET", EGRESS_INSIDE);
        }
        if self.release.activity_rules.is_some() {
            spec = spec.bind(self.folder.activity_rules(), ACTIVITY_RULES_INSIDE, Access::Read);
            spec = spec.env(ACTIVITY_RULES, ACTIVITY_RULES_INSIDE);
        }
        if let Some(group) = group {
            spec = spec.cgroup(group);
        }
        spec = self.release.read_only.iter().fold(spec, Spec::read_only);
        let mut variables = self.guard_variables(PORT_INSIDE, Path::new("/instance"), socket);
        variables.extend(self.app_site_variables());
        variables.into_iter().fold(spec, |spec, (name, value)| spec.env(name, value))
    }

    fn inner(&self, group: Option<&Cgroup>) -> Spec {
        let spec = Spec::application(self.name.slug(), "/data")
            .bind("/data", "/data", Access::Write)
            .limits(self.limits(group));
        let spec = self.release.read_only.iter().fold(spec, Spec::read_only);
        let mut variables = self.application_variables(PORT_INSIDE, Path::new("/data"));
        variables.push(("APP_HOSTNAME_PUBLIC", self.app_hostname()));
        variables.push(("SPINOFF_ACTIVITY_URL", format!("http://{REPORTS_INSIDE}/-/activity")));
        if self.settings.app_sharing {
            variables.push(("SPINOFF_APP_SHARING_URL", format!("http://{REPORTS_INSIDE}/-/app/sharing")));
        }
        variables.extend(self.model_variables(&format!("http://{REPORTS_INSIDE}")));
        if self.has_egress() {
            variables.extend(proxy_variables());
        }
        variables.into_iter().fold(spec, |spec, (name, value)| spec.env(name, value))
    }

    /// The model that is offered; none to what runs closed off.
    fn model(&self) -> Option<&ModelOffer> {
        self.settings.model.as_ref().filter(|_| !self.configured.closed_off)
    }

    fn model_variables(&self, guard: &str) -> Variables {
        self.model().map(|model| model.variables(guard)).unwrap_or_default()
    }

    fn has_egress(&self) -> bool {
        !self.settings.egress.is_empty() && !self.configured.closed_off
    }

    /// Memory is limited for each process only where no group counts it for all.
    fn limits(&self, group: Option<&Cgroup>) -> Limits {
        let limits = &self.settings.limits;
        let counted = group.is_some_and(|group| group.enforced().contains(&Controller::Memory));
        Limits {
            processes: limits.processes,
            file_bytes: limits.file_bytes,
            memory_bytes: (!counted).then_some(limits.memory_bytes),
            ..Limits::default()
        }
    }

    fn guard_variables(&self, application_port: u16, state: &Path, socket: Option<&Path>) -> Variables {
        let configured = self.configured;
        let mut variables = vec![
            ("PATH", SEARCH_PATH.to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("GUARD_LISTEN", "inherited".to_owned()),
            ("GUARD_UPSTREAM", format!("http://127.0.0.1:{application_port}")),
            ("GUARD_APP_HEALTH", self.release.health_path.clone()),
            ("GUARD_RELEASE", self.release.version.clone()),
            ("GUARD_INSTANCE", self.project.instance.to_string()),
            ("GUARD_ISSUER", configured.issuer.clone()),
            ("GUARD_AUDIENCE", configured.audience.clone()),
            ("GUARD_MAIN_URL", configured.main_url.clone()),
            ("GUARD_MAIN_KEY", configured.main_key.clone()),
            ("GUARD_STATE", state.display().to_string()),
        ];
        if self.model().is_some_and(ModelOffer::passes_on) {
            variables.push((ModelOffer::GUARD, "true".to_owned()));
        }
        variables.extend(socket.map(|path| ("GUARD_MAIN_SOCKET", path.display().to_string())));
        variables
    }

    /// Only for walled instances: others share one loopback, where a port belongs to whoever takes it first.
    fn app_site_variables(&self) -> Variables {
        let audiences: Vec<String> = self.configured.audience.split(',').map(app_site::audience_of).collect();
        let mut variables = vec![
            ("GUARD_APP_HOST", self.app_hostname()),
            ("GUARD_APP_PORT", APP_PORT_INSIDE.to_string()),
            ("GUARD_APP_AUDIENCE", audiences.join(",")),
        ];
        if self.settings.app_sharing {
            variables.push(("GUARD_APP_SHARING", "application".to_owned()));
        }
        variables
    }

    /// Of the app that the application makes.
    fn app_hostname(&self) -> String {
        app_site::hostname_of(hostname(&self.configured.public_url))
    }

    fn application_variables(&self, port: u16, data: &Path) -> Variables {
        let data = data.display().to_string();
        vec![
            ("PATH", SEARCH_PATH.to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("HOME", data.clone()),
            ("USER", "app".to_owned()),
            ("SHELL", "/bin/sh".to_owned()),
            ("TMPDIR", "/tmp".to_owned()),
            ("PORT", port.to_string()),
            ("DATA", data),
            ("HOSTNAME_PUBLIC", hostname(&self.configured.public_url).to_owned()),
            ("PUBLIC_URL", self.configured.public_url.clone()),
        ]
    }
}

/// Programs agree neither on the case nor on the name. `ALL_PROXY` is for protocols that are not
/// HTTP; `HTTP_PROXY` is missing because programs send plain requests whole instead of asking for
/// a tunnel.
fn proxy_variables() -> Variables {
    let proxy = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let direct = ["NO_PROXY", "no_proxy"];
    let proxy = proxy.into_iter().map(|name| (name, format!("http://{PROXY_INSIDE}")));
    proxy.chain(direct.into_iter().map(|name| (name, "localhost,127.0.0.1,::1".to_owned()))).collect()
}

/// The host of an address, without scheme, port and path.
fn hostname(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_hostname_is_the_host_alone() {
        assert_eq!(hostname("http://acme.localhost:8080"), "acme.localhost");
        assert_eq!(hostname("https://acme.example.com/x"), "acme.example.com");
    }
}
