//! A server of its own for a test: the real executable, its own data folder, ports and users.

use std::io::{BufRead as _, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tempfile::TempDir;

use super::until::until;
use super::world::World;

const START: Duration = Duration::from_secs(20);
const OVER: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(30);
/// Blocks of ports and users, below the range from which the kernel takes ports of its own accord.
const FIRST_PORT: u16 = 28_000;
const BLOCKS: u16 = 190;
const BLOCK: u16 = 20;
const FIRST_UID: u32 = 300_000;

/// How a server is started.
#[derive(Debug, Default)]
pub struct Start {
    args: Vec<String>,
    settings: String,
    crash_at: Option<String>,
    is_simulated: bool,
    /// Deletions begin at once unless a test is about their being taken back.
    undo_days: u16,
    /// Another home on this machine, in a folder of that name.
    second_home: Option<String>,
}

impl Start {
    /// Rehearses production with simulated providers.
    pub fn simulate(mut self) -> Self {
        self.is_simulated = true;
        self.arg("--simulate")
    }

    /// Leads all hostnames here by one wildcard record.
    pub fn by_wildcard(mut self) -> Self {
        self.settings.push_str("[edge]\nrouting = \"wildcard\"\n");
        self
    }

    /// Rehearses without Cloudflare: visitors sign in at the edge of this server.
    pub fn simulate_builtin_edge(self) -> Self {
        self.simulate().arg("--simulate-edge").arg("builtin")
    }

    /// Sells this application instead of the bundled one.
    pub fn app(self, command: &str) -> Self {
        self.arg("--app").arg(command)
    }

    /// Asks the application here whether it is well.
    pub fn health(self, path: &str) -> Self {
        self.arg("--app-health").arg(path)
    }

    /// Lets instances see a folder of the host.
    pub fn app_path(self, folder: impl AsRef<Path>) -> Self {
        self.arg("--app-path").arg(folder.as_ref().to_str().unwrap())
    }

    /// Keeps the record elsewhere than in the data folder.
    pub fn store(self, url: &str) -> Self {
        self.arg("--store").arg(url)
    }

    /// Adds to `[compute]` in `spinoff.toml`.
    pub fn compute(mut self, line: &str) -> Self {
        self.settings.push_str(line);
        self.settings.push('\n');
        self
    }

    /// Ends each period on the day and hour at which the service began.
    pub fn billed_by_anniversary(self) -> Self {
        self.compute("[billing]\ncycle = \"anniversary\"")
    }

    /// Deletions can be taken back for so many days.
    pub fn undo_days(mut self, days: u16) -> Self {
        self.undo_days = days;
        self
    }

    /// Keeps so many instances ready ahead of customers.
    pub fn pool(self, size: u32) -> Self {
        self.compute(&format!("[pool]\nsize = {size}"))
    }

    /// Instances can live in another home on this machine, too.
    pub fn second_home(mut self, name: &str) -> Self {
        self.second_home = Some(name.to_owned());
        self
    }

    /// Dies at this point of a workflow.
    pub fn crash_at(mut self, point: &str) -> Self {
        self.crash_at = Some(point.to_owned());
        self
    }

    /// Starts it, and returns once it serves.
    pub async fn start(self) -> Server {
        let folder = tempfile::Builder::new().prefix("spinoff-e2e-").tempdir().unwrap();
        let block = Block::take();
        let second_home = self.second_home.map(|name| {
            let (place, port, uid) =
                (folder.path().join(&name), block.first_port + BLOCK / 2, block.first_uid + u32::from(BLOCK / 2));
            format!("[compute.homes.{name}]\nfolder = {place:?}\nfirst_port = {port}\nfirst_uid = {uid}\n")
        });
        let settings = format!(
            "[instances]\nundo_days = {}\n[compute]\nfirst_port = {}\nfirst_uid = {}\n{}{}",
            self.undo_days,
            block.first_port,
            block.first_uid,
            self.settings,
            second_home.unwrap_or_default()
        );
        std::fs::write(folder.path().join("spinoff.toml"), settings).unwrap();
        let data = if self.is_simulated { folder.path().join("simulation") } else { folder.path().to_path_buf() };
        let mut server = Server {
            folder,
            _block: block,
            args: self.args,
            data,
            port: 0,
            running: None,
            output: Output::default(),
            client: client(),
        };
        server.launch(self.crash_at.as_deref()).await;
        server
    }

    fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }
}

/// A running server, or one that was killed and can be started again on the same data.
pub struct Server {
    folder: TempDir,
    /// Held as long as the server may be started again.
    _block: Block,
    args: Vec<String>,
    /// Where the record is.
    data: PathBuf,
    port: u16,
    running: Option<Child>,
    output: Output,
    client: Client,
}

/// How a run of the command line ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// What it printed, which has to be JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The run, which has to have succeeded.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// It ended with this code, and said these words about it.
    #[track_caller]
    pub fn failed(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        for words in words {
            assert!(self.err.contains(words), "{words:?} is missing in {self:?}");
        }
    }
}

impl Server {
    /// A server with everything as usual.
    pub async fn start() -> Self {
        Self::with().start().await
    }

    /// A server of one's own making.
    pub fn with() -> Start {
        Start::default()
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The folder of one instance.
    pub fn project(&self, subdomain: &str) -> PathBuf {
        self.data().join("instances").join(format!("ai-diy-{subdomain}"))
    }

    /// The port on which it serves.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process.
    pub fn pid(&self) -> u32 {
        self.running.as_ref().expect("the server is not running").id()
    }

    /// What there is outside the store that belongs to it.
    pub fn world(&self) -> World {
        World::of(self.data(), self.running.as_ref().map(Child::id))
    }

    /// All it said so far.
    pub fn output(&self) -> String {
        self.output.text()
    }

    /// The site's own address.
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The link that signs the operator in.
    pub fn admin_link(&self) -> String {
        self.cli(&["admin-link"]).ok().out.trim().to_owned()
    }

    /// The host of an instance, as browsers name it.
    pub fn host(&self, subdomain: &str) -> String {
        format!("{subdomain}.localhost:{}", self.port)
    }

    /// A request to the site.
    pub fn site(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, &format!("localhost:{}", self.port), path)
    }

    /// A request of a stranger to an instance.
    pub fn at(&self, subdomain: &str, path: &str) -> RequestBuilder {
        self.request(Method::GET, &self.host(subdomain), path)
    }

    /// A request to any of its hostnames; names need not resolve.
    pub fn request(&self, method: Method, host: &str, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://127.0.0.1:{}{path}", self.port)).header("host", host)
    }

    /// Runs a command against this data folder, as an operator does on the same machine.
    pub fn cli(&self, args: &[&str]) -> Ran {
        cli_at(self.data(), args)
    }

    /// Asks the API with the operator's token.
    pub async fn api(&self, path: &str) -> Value {
        let file = std::fs::read_to_string(self.data().join("run/server.json")).unwrap();
        let file: Value = serde_json::from_str(&file).unwrap();
        let request = self.site(&format!("/api/v1{path}")).bearer_auth(file["token"].as_str().unwrap());
        request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
    }

    /// The only workflow of a kind, once it is over.
    pub async fn workflow_over(&self, kind: &str) -> Value {
        let what = format!("{kind} comes to an end");
        let id = until(&what, OVER, async || {
            let all = self.api("/workflows").await;
            let mut of_kind = all["data"].as_array().unwrap().iter().filter(|workflow| workflow["kind"] == kind);
            let (first, second) = (of_kind.next(), of_kind.next());
            assert!(second.is_none(), "{kind} was started twice: {all}");
            let first = first.filter(|workflow| !matches!(workflow["state"].as_str(), Some("running" | "undoing")))?;
            Some(first["id"].as_str().unwrap().to_owned())
        })
        .await;
        self.api(&format!("/workflows/{id}")).await
    }

    /// Waits until a workflow has begun a step.
    pub async fn step_begun(&self, workflow: &str, step: &str) {
        until(&format!("{workflow} begins to {step}"), OVER, async || {
            let workflow = self.api(&format!("/workflows/{workflow}")).await;
            workflow["steps"].as_array()?.iter().any(|begun| begun["name"] == step).then_some(())
        })
        .await;
    }

    /// Waits until an instance answers at its hostname.
    pub async fn until_healthy(&self, subdomain: &str) {
        until(&format!("{subdomain} is healthy"), OVER, async || {
            let answer = self.at(subdomain, "/-/health").send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// Makes an instance and waits until it is ready.
    pub fn provision(&self, customer: &str, subdomain: &str) -> Value {
        self.cli(&["provision", customer, subdomain, "--json", "--quiet", "--timeout", "60"]).ok().json()
    }

    /// Asks for an instance and does not wait.
    pub fn begin_provision(&self, customer: &str, subdomain: &str) -> Value {
        self.cli(&["provision", customer, subdomain, "--no-wait", "--json"]).ok().json()
    }

    /// An instance as the API shows it.
    pub fn instance(&self, subdomain: &str) -> Value {
        self.cli(&["instances", "show", subdomain, "--json"]).ok().json()
    }

    /// Kills it as a crash does: nothing is tidied up.
    pub fn kill9(&mut self) {
        let mut child = self.running.take().expect("the server is not running");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(&mut self) -> ExitStatus {
        let pid = nix::unistd::Pid::from_raw(self.pid().cast_signed());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        self.ended("the server stops", STOP).await
    }

    /// Waits until it kills itself at the point it was started with.
    pub async fn crashed(&mut self) {
        let status = self.ended("the server dies at its point", START).await;
        assert_eq!(status.signal(), Some(9), "{status}: {}", self.output());
    }

    async fn ended(&mut self, what: &str, within: Duration) -> ExitStatus {
        let child = self.running.as_mut().expect("the server is not running");
        let status = until(what, within, async || child.try_wait().unwrap()).await;
        self.running = None;
        status
    }

    /// Starts it again on the same data and address.
    pub async fn restart(&mut self) {
        self.launch(None).await;
    }

    /// Keeps the record elsewhere from its next start on.
    pub fn keep_record_at(&mut self, url: &str) {
        if let Some(place) = self.args.iter().position(|arg| arg == "--store") {
            self.args.drain(place..place + 2);
        }
        self.args.extend(["--store".to_owned(), url.to_owned()]);
    }

    /// Starts it again, to die at a point of a workflow. It may get there before it is ready.
    pub async fn restart_and_crash(&mut self, point: &str) {
        self.spawn(Some(point));
        self.crashed().await;
    }

    async fn launch(&mut self, crash_at: Option<&str>) {
        self.spawn(crash_at);
        let (output, running) = (self.output.clone(), self.running.as_mut().expect("just started"));
        let ready = until("the server says that it is ready", START, async || {
            let status = running.try_wait().unwrap();
            assert!(status.is_none(), "the server ended with {status:?}: {}", output.text());
            output.text().lines().find_map(|line| line.strip_prefix("ready http://localhost:")?.parse().ok())
        });
        self.port = ready.await;
    }

    fn spawn(&mut self, crash_at: Option<&str>) {
        assert!(self.running.is_none(), "the server is running already");
        let mut command = command();
        command.arg("--data").arg(self.folder.path()).arg("up").args(&self.args);
        command.args(["--listen", &format!("127.0.0.1:{}", self.port)]);
        command.args(crash_at.map(|point| ["--crash-at", point]).into_iter().flatten());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        self.output = Output::default();
        self.output.collect(child.stdout.take().unwrap());
        self.output.collect(child.stderr.take().unwrap());
        self.running = Some(child);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            // What a failed test leaves to look at.
            eprintln!("--- the server's output ---\n{}", self.output.text());
        }
        World::of(self.data(), None).sweep();
    }
}

/// Runs a command for a data folder at which no server needs to run.
pub fn cli_at(data: &Path, args: &[&str]) -> Ran {
    let output = command().args(args).arg("--data").arg(data).stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// The executable, with nothing of this process' surroundings but where programs are.
fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spinoff"));
    command.env_clear().env("HOME", "/nonexistent");
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
}

/// A client that keeps no connection for later: while a test waits for a command to end it would not
/// see that the server closed an idle one, and would lose its next request on it.
fn client() -> Client {
    let builder = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().pool_max_idle_per_host(0);
    builder.timeout(Duration::from_secs(30)).build().unwrap()
}

/// Ports and users that no other server of this machine's tests has: whoever holds the first port
/// of the block has all of it.
#[derive(Debug)]
struct Block {
    first_port: u16,
    first_uid: u32,
    /// Holding it is its purpose.
    _held: TcpListener,
}

impl Block {
    fn take() -> Self {
        (0..BLOCKS)
            .find_map(|number| {
                let port = FIRST_PORT + number * BLOCK;
                let _held = TcpListener::bind(("127.0.0.1", port)).ok()?;
                let first_uid = FIRST_UID + u32::from(number * BLOCK);
                Some(Self { first_port: port + 1, first_uid, _held })
            })
            .expect("a block of ports that no other test holds")
    }
}

#[derive(Debug, Clone, Default)]
struct Output(Arc<Mutex<String>>);

impl Output {
    fn collect(&self, from: impl Read + Send + 'static) {
        let text = self.0.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                let mut text = text.lock().unwrap();
                text.push_str(&line);
                text.push('\n');
            }
        });
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}
