use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::{InstanceId, ProjectName};
use providers::compute::local::{Isolation, Local, LocalSettings};
use providers::compute::{Compute, GuardSettings, Health, Observation, Origin, Release};
use world::{Clock, Sealer};

pub struct Server {
    folder: tempfile::TempDir,
    pub settings: LocalSettings,
}

impl Server {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tool = folder.path().join("stand-in");
        fs::copy(env!("CARGO_BIN_EXE_stand-in"), &tool).unwrap();
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
        let mut settings = LocalSettings::new(folder.path().join("instances"), tool);
        // Tests run side by side: each takes ports and users of its own.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let slot = (std::process::id() + NEXT.fetch_add(1, Ordering::Relaxed) * 41) % 300;
        settings.first_port = 12_000 + u16::try_from(slot).unwrap() * 50;
        settings.first_uid = 160_000 + slot * 50;
        settings.grace = Duration::from_secs(5);
        Self { folder, settings }
    }

    pub fn insecure(mut self) -> Self {
        self.settings.isolation = Isolation::InsecureNone;
        self
    }

    pub async fn open(&self) -> Local {
        let sealer = Arc::new(Sealer::new([7; 32]));
        Local::open(self.settings.clone(), Clock::System, sealer).await.unwrap()
    }

    /// A server that can be killed.
    pub fn in_a_process_of_its_own(&self, slug: &str, number: u8, release: &Release) -> std::process::Child {
        let settings = &self.settings;
        std::process::Command::new(&settings.executable)
            .arg("server")
            .args([&settings.folder, &settings.executable])
            .args([settings.first_port.to_string(), settings.first_uid.to_string()])
            .arg(format!("{:?}", settings.isolation))
            .args([name(slug).to_string(), instance(number).to_string(), release.command.clone()])
            .spawn()
            .unwrap()
    }

    pub fn project_folder(&self, name: &ProjectName) -> PathBuf {
        self.folder.path().join("instances").join(name.as_str())
    }

    pub fn data(&self, name: &ProjectName) -> PathBuf {
        self.project_folder(name).join("data")
    }

    /// An application that serves, after a script of its own.
    pub fn serving(&self, before: &str) -> Release {
        Release {
            image: None,
            version: "1".to_owned(),
            command: format!("{before}\nexec {} serve", self.settings.executable.display()),
            health_path: "/".to_owned(),
            read_only: vec![self.settings.executable.clone()],
            activity_rules: None,
        }
    }
}

pub fn name(slug: &str) -> ProjectName {
    ProjectName::parse(&format!("ai-diy-{slug}")).unwrap()
}

pub fn instance(number: u8) -> InstanceId {
    InstanceId::new("2026-01-01T00:00:00Z".parse().unwrap(), [number, std::process::id() as u8, 0, 0, 0, 0, 0, 0, 0, 1])
}

pub fn settings(number: u8) -> GuardSettings {
    GuardSettings {
        instance: instance(number),
        public_url: format!("http://tenant{number}.localhost:8080"),
        issuer: "http://localhost:8080".to_owned(),
        audiences: vec!["a".repeat(64)],
        main_url: "http://localhost:8080".to_owned(),
        main_key: "key".to_owned(),
        closed_off: false,
        instance_token: format!("s3cret-{number}").into(),
    }
}

/// Creates, configures and deploys.
pub async fn deploy(local: &Local, slug: &str, number: u8, release: &Release) -> ProjectName {
    let name = name(slug);
    local.create_project(&name, instance(number)).await.unwrap();
    local.configure(&name, &settings(number)).await.unwrap();
    local.deploy(&name, release).await.unwrap();
    name
}

pub async fn until(local: &Local, name: &ProjectName, what: impl Fn(&Observation) -> bool) -> Observation {
    for _ in 0..6000 {
        let seen = local.observe(name).await.unwrap().unwrap();
        if what(&seen) {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not in time: {:?}\n{}", local.observe(name).await, local.logs(name, 50).await.unwrap());
}

pub async fn until_healthy(local: &Local, name: &ProjectName) -> Observation {
    until(local, name, |seen| seen.health == Health::Ok).await
}

/// Waits for something with an upper bound.
pub fn eventually(holds: impl Fn() -> bool) {
    for _ in 0..2000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("not in time");
}

/// Makes so many folders, each in the one before; no path can name the innermost.
pub fn nest(top: &Path, depth: usize) {
    use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder = openat(CWD, top, flags, Mode::empty()).unwrap();
    for _ in 0..depth {
        mkdirat(&folder, "deeper", Mode::RWXU).unwrap();
        folder = openat(&folder, "deeper", flags, Mode::empty()).unwrap();
    }
}

/// Where a project's guard listens.
pub async fn address_of(local: &Local, name: &ProjectName) -> SocketAddr {
    match local.register_hostname(name, "x.localhost").await.unwrap() {
        Origin::Address(address) => address,
        elsewhere @ Origin::Name { .. } => panic!("{elsewhere:?} is not on this machine"),
    }
}

/// Every project that the driver finds.
pub async fn projects(local: &Local) -> Vec<ProjectName> {
    let items = local.inventory().await.unwrap();
    items.into_iter().map(|item| ProjectName::parse(&item.name).unwrap()).collect()
}

/// What the application says to the guard's visitors.
pub async fn visit(local: &Local, name: &ProjectName) -> String {
    let address = address_of(local, name).await;
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// Processes of this machine whose command line names a path or word.
pub fn processes_with(mark: &str) -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let line = String::from_utf8_lossy(&fs::read(entry.path().join("cmdline")).ok()?).replace('\0', " ");
            (pid != std::process::id() && line.contains(mark)).then_some(pid)
        })
        .collect()
}

pub fn processes_of(folder: &Path) -> Vec<u32> {
    processes_with(folder.to_str().unwrap())
}

pub fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
