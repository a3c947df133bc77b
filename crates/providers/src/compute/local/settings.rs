use std::path::PathBuf;
use std::time::Duration;

use super::EgressRule;
use crate::compute::ModelOffer;

/// How the local driver runs instances.
#[derive(Debug, Clone)]
pub struct LocalSettings {
    /// Where the projects' folders are: `<data>/instances`.
    pub folder: PathBuf,
    /// The `spinoff` executable, with its subcommands `sandbox` and `guard`.
    pub executable: PathBuf,
    /// The Unix socket on which the main instance answers guards. Guards run as users of their
    /// own, so everybody must be allowed to connect to it.
    pub main_socket: Option<PathBuf>,
    /// Whether instances are walled off.
    pub isolation: Isolation,
    /// What walled instances may reach on the network; nothing when it is empty.
    pub egress: Vec<EgressRule>,
    /// Whether walled instances may show the app that they make to everybody, at its own hostname.
    pub app_sharing: bool,
    /// What applications are told of models.
    pub model: Option<ModelOffer>,
    /// What one instance may use up.
    pub limits: InstanceLimits,
    /// As root: the first of the user ids given to instances, one each.
    pub first_uid: u32,
    /// The first port that guards get on 127.0.0.1, one each, kept for good.
    pub first_port: u16,
    /// How long a guard may take to stop before it is killed; it gives its application ten seconds.
    pub grace: Duration,
}

/// Whether instances are walled off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Each in a sandbox; where the kernel lacks what that takes, none is started.
    Sandbox,
    /// Plain processes (`--insecure-no-sandbox`): every customer can reach everything.
    InsecureNone,
}

/// What one instance, guard and application together, may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstanceLimits {
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Processor time in thousandths of one core.
    pub cpu_thousandths: u64,
    /// Size of one file in bytes.
    pub file_bytes: u64,
    /// Size of the whole volume in bytes.
    pub volume_bytes: u64,
}

impl Default for InstanceLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 1 << 30,
            processes: 512,
            cpu_thousandths: 2000,
            file_bytes: 1 << 30,
            volume_bytes: 5 << 30,
        }
    }
}

impl LocalSettings {
    /// The usual settings, for a folder and an executable.
    pub fn new(folder: impl Into<PathBuf>, executable: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            executable: executable.into(),
            main_socket: None,
            isolation: Isolation::Sandbox,
            egress: Vec::new(),
            app_sharing: false,
            model: None,
            limits: InstanceLimits::default(),
            first_uid: 200_000,
            first_port: 21_000,
            grace: Duration::from_secs(15),
        }
    }
}
