//! An instance whose application is turned against everybody else. Whatever it tries is refused or
//! stays within its walls, and neither the server nor its neighbour notices.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use crate::support::apps::Apps;
use crate::support::server::{Server, Start};
use crate::support::sign_in::Session;
use crate::support::until::until;
use crate::support::world::guard_port;

const MALLORY: &str = "mallory@example.com";
const ACME: &str = "owner@acme.example";
const SOON: Duration = Duration::from_secs(60);
/// How long a person waits before a page counts as gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// Two instances of the same obedient application: one does the attacker's bidding, the other is a
/// neighbour that minds its own business.
struct Scene {
    server: Server,
    mallory: Session,
    acme: Session,
    neighbours: BTreeSet<u32>,
}

impl Scene {
    async fn usual() -> Self {
        Self::set(seller()).await
    }

    async fn set(start: Start) -> Self {
        let server = start.start().await;
        server.provision(MALLORY, "mallory");
        server.provision(ACME, "acme");
        let mallory = server.sign_in("mallory", MALLORY).await;
        let acme = server.sign_in("acme", ACME).await;
        std::fs::write(server.project("acme").join("data/secret"), "the recipe of acme").unwrap();
        let neighbours = server.world().processes(Some("acme"));
        Self { server, mallory, acme, neighbours }
    }

    /// Lets the attacker's application run a program, and gives what it printed.
    async fn attack(&self, program: &str) -> String {
        let answer = self.mallory.post(&self.server, "/run").body(program.to_owned()).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{status}: {text}");
        text
    }

    /// Sends a program that may take its own application down, so that no answer can be expected.
    async fn attack_blindly(&self, program: &str) {
        let _ = self.mallory.post(&self.server, "/run").body(program.to_owned()).timeout(PATIENCE).send().await;
    }

    /// Site and neighbour answer as if nothing had happened, and the neighbour never had to start again.
    async fn nobody_else_noticed(&self) {
        let site = self.server.site("/-/health").timeout(PATIENCE).send().await.unwrap();
        assert!(site.status().is_success(), "{}", site.status());
        let neighbour = self.acme.get(&self.server, "/").timeout(PATIENCE).send().await.unwrap();
        assert!(neighbour.status().is_success(), "{}", neighbour.status());
        assert_eq!(neighbour.text().await.unwrap(), "at your service");
        assert_eq!(self.server.world().processes(Some("acme")), self.neighbours, "acme's processes are the same");
        let secret = std::fs::read_to_string(self.server.project("acme").join("data/secret")).unwrap();
        assert_eq!(secret, "the recipe of acme");
    }

    /// The attacker's own instance is a customer's too: it comes back.
    async fn mallory_comes_back(&self) {
        until("mallory's application answers again", SOON, async || {
            let answer = self.mallory.get(&self.server, "/").timeout(PATIENCE).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }
}

fn seller() -> Start {
    let apps = Apps::installed();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/hostile");
    let command = format!("exec {} {}", apps.program("python"), folder.join("app.py").display());
    apps.seller().app(&command).app_path(folder)
}

#[tokio::test]
async fn files_of_neighbours_server_and_host_do_not_exist_for_an_instance() {
    let scene = Scene::usual().await;
    let data = scene.server.data();
    let project = scene.server.project("mallory").join("data");
    symlink(scene.server.project("acme").join("data/secret"), project.join("planted")).unwrap();
    let wanted: Vec<String> = ["secret.key", "spinoff.db", "run/server.json", "instances"]
        .map(|name| data.join(name))
        .into_iter()
        .chain([scene.server.project("acme").join("data/secret")])
        .map(|path| path.display().to_string())
        .chain(["/root/.bashrc", "/home", "/etc/shadow", "/instance", "/run/main.sock", "/spinoff"].map(str::to_owned))
        .collect();
    let found = scene.attack(&format!("WANTED = {wanted:?}\n{READ_EVERYTHING}")).await;
    assert_eq!(found, "own file\n\n\nexit 0\n", "nothing but its own file is found");
    scene.nobody_else_noticed().await;
}

const READ_EVERYTHING: &str = r#"
import glob, os
open("/data/own", "w").write("own file")
for name in ["own", "planted"]:
    try: print(open(f"/data/{name}").read())
    except OSError: pass
os.symlink(WANTED[1], "/data/link")
for path in WANTED + ["/data/link"] + glob.glob("/proc/*/root/instance/*"):
    try: print("sees", path, os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(20))
    except OSError: pass
for environ in glob.glob("/proc/*/environ"):
    try:
        if b"GUARD_" in open(environ, "rb").read(): print("reads the guard's", environ)
    except OSError: pass
try: print("writes", open("/etc/intruder", "w"))
except OSError: pass
"#;

#[tokio::test]
async fn an_instance_reaches_neither_its_neighbours_nor_the_servers_ports() {
    let scene = Scene::usual().await;
    let ports = [scene.server.port(), guard_port(&scene.server.project("acme"))];
    let own = guard_port(&scene.server.project("mallory"));
    for port in ports {
        assert!(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok(), "{port} is open on the host");
    }
    let found = scene.attack(&format!("PORTS = [{}, {}, {own}]\n{CONNECT_TO_EVERYTHING}", ports[0], ports[1])).await;
    assert_eq!(found, "8000 5000\n\n\nexit 0\n", "it reaches itself and nothing else");
    scene.nobody_else_noticed().await;
}

const CONNECT_TO_EVERYTHING: &str = r#"
import os, socket
def reaches(host, port, wait=1):
    try: socket.create_connection((host, port), wait).close(); return True
    except OSError: return False
print(*[port for port in [8000, 5000] + PORTS if reaches("127.0.0.1", port)])
for host in ["1.1.1.1", "169.254.169.254", "10.0.0.1", "::1"]:
    for port in [53, 80] + PORTS:
        if reaches(host, port): print("reaches", host, port)
for name in ["/run/main.sock"] + [line.split()[-1] for line in open("/proc/net/unix").read().splitlines()[1:]]:
    try: socket.socket(socket.AF_UNIX).connect(name.replace("@", "\0", 1)); print("reaches", name)
    except OSError: pass
"#;

#[tokio::test]
async fn signals_and_killing_by_name_stay_inside() {
    let scene = Scene::usual().await;
    let guards = scene.server.world().guards("mallory");
    let victims: Vec<String> = scene.neighbours.iter().chain([&scene.server.pid()]).map(ToString::to_string).collect();
    let found = scene.attack(&format!("VICTIMS = [{}]\n{SIGNAL}", victims.join(", "))).await;
    assert_eq!(found, "\n\nexit 0\n", "no process of others can be signalled");
    scene.nobody_else_noticed().await;

    for program in [
        "import subprocess; subprocess.run(['pkill', '-9', '-f', 'app.py'])",
        "import subprocess; subprocess.run(['pkill', '-9', 'python'])",
        "import os, signal; os.kill(-1, signal.SIGKILL)",
    ] {
        scene.attack_blindly(program).await;
        scene.nobody_else_noticed().await;
        scene.mallory_comes_back().await;
    }
    assert_eq!(scene.server.world().guards("mallory"), guards);
}

const SIGNAL: &str = r#"
import os, signal
own = {int(name) for name in os.listdir("/proc") if name.isdigit()}
for pid in VICTIMS:
    if pid in own: continue
    try: os.kill(pid, signal.SIGKILL); print("killed", pid)
    except ProcessLookupError: pass
"#;

#[tokio::test]
async fn a_fork_bomb_uses_up_its_own_share_only() {
    let scene = Scene::set(seller().compute("processes = 60")).await;
    let found = scene.attack(FORK_UNTIL_REFUSED).await;
    let forked: usize =
        found.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{found}"));
    assert!((1..60).contains(&forked), "{forked} processes");
    scene.nobody_else_noticed().await;

    scene.attack_blindly(FORK_FOR_EVER).await;
    until("the bomb fills its share", SOON, async || {
        (scene.server.world().processes(Some("mallory")).len() > 40).then_some(())
    })
    .await;
    for _ in 0..5 {
        let processes = scene.server.world().processes(Some("mallory")).len();
        assert!(processes <= 60, "{processes} processes");
        scene.nobody_else_noticed().await;
    }
    scene.attack_blindly("import os, signal; os.kill(-1, signal.SIGKILL)").await;
    scene.server.cli(&["delete", "mallory", "--confirm", "mallory"]).ok();
    assert!(scene.server.world().processes(Some("mallory")).is_empty(), "a bomb does not outlive its instance");
    scene.nobody_else_noticed().await;
}

const FORK_UNTIL_REFUSED: &str = r#"
import os, signal
children = []
try:
    while True:
        child = os.fork()
        if child == 0: signal.pause()
        children.append(child)
except BlockingIOError: print(len(children))
for child in children: os.kill(child, signal.SIGKILL)
"#;

const FORK_FOR_EVER: &str = r#"
import os
os.setsid()
while True:
    try: os.fork()
    except OSError: pass
"#;

#[tokio::test]
async fn a_memory_hog_is_stopped_at_its_limit() {
    let scene = Scene::set(seller().compute("memory_mb = 200")).await;
    let hog = "hoard = []\nwhile True: hoard.append(bytearray(b'x') * (8 << 20)); print(len(hoard) * 8, flush=True)";
    scene.attack_blindly(hog).await;
    scene.nobody_else_noticed().await;
    scene.mallory_comes_back().await;
    let peak = scene.attack("hoard = []\ntry:\n    while len(hoard) < 100: hoard.append(bytearray(b'x') * (1 << 20))\nfinally: print(len(hoard))").await;
    assert!(peak.starts_with("100"), "what the plan allows is allowed: {peak}");
}

#[tokio::test]
async fn a_full_volume_stops_its_own_instance_until_there_is_room() {
    let scene = Scene::set(seller().compute("file_mb = 8").compute("volume_mb = 24")).await;
    let too_large =
        "with open('/data/large', 'wb') as file:\n    for _ in range(16): file.write(bytes(1 << 20)); file.flush()";
    let found = scene.attack(too_large).await;
    assert!(!found.contains("exit 0"), "a file beyond the limit is refused: {found}");
    let large = scene.server.project("mallory").join("data/large");
    assert!(std::fs::metadata(&large).unwrap().len() <= 8 << 20);

    scene.attack("for n in range(5):\n    open(f'/data/{n}', 'wb').write(bytes(6 << 20))").await;
    until("the instance is stopped", SOON, async || {
        scene.server.world().processes(Some("mallory")).is_empty().then_some(())
    })
    .await;
    scene.nobody_else_noticed().await;
    assert_ne!(scene.mallory.get(&scene.server, "/").send().await.unwrap().status(), 200);
    for number in 0..5 {
        std::fs::remove_file(large.with_file_name(number.to_string())).unwrap();
    }
    scene.mallory_comes_back().await;
}

#[tokio::test]
async fn folders_without_end_stop_their_own_instance_and_do_not_outlive_it() {
    let scene = Scene::set(seller().compute("volume_mb = 24")).await;
    scene.attack_blindly(NEST).await;
    until("the instance is stopped", SOON, async || {
        scene.server.world().processes(Some("mallory")).is_empty().then_some(())
    })
    .await;
    scene.nobody_else_noticed().await;
    scene.server.cli(&["delete", "mallory", "--confirm", "mallory"]).ok();
    assert!(!scene.server.project("mallory").exists());
    scene.nobody_else_noticed().await;
}

const NEST: &str = r#"
import os
os.chdir("/data")
for _ in range(20_000):
    os.mkdir("deeper")
    os.chdir("deeper")
"#;

#[tokio::test]
async fn a_process_that_hides_does_not_survive_the_end_of_its_instance() {
    let mut scene = Scene::usual().await;
    scene.attack(DAEMONISE).await;
    let beat = scene.server.project("mallory").join("data/beat");
    until("the hidden process lives", SOON, async || beat.exists().then_some(())).await;
    scene.attack_blindly("import subprocess; subprocess.run(['pkill', '-9', '-f', 'app.py'])").await;
    scene.mallory_comes_back().await;
    let running = scene.server.world().commands("mallory");
    assert!(!running.iter().any(|command| command.contains("beat")), "a restart ended it too: {running:#?}");

    std::fs::remove_file(&beat).unwrap();
    scene.attack(DAEMONISE).await;
    until("the hidden process lives", SOON, async || beat.exists().then_some(())).await;
    let stopped = scene.server.stop().await;
    assert!(stopped.success(), "{stopped}: {}", scene.server.output());
    assert!(scene.server.world().processes(None).is_empty(), "{:#?}", scene.server.world().commands("mallory"));
}

/// Leaves session, parent and name behind, ignores what it can, and shows that it lives.
const DAEMONISE: &str = r#"
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in [signal.SIGTERM, signal.SIGHUP, signal.SIGINT]: signal.signal(number, signal.SIG_IGN)
        null = os.open("/dev/null", os.O_RDWR)
        for stream in [0, 1, 2]: os.dup2(null, stream)
        while True:
            open("/data/beat", "w").write("alive")
            time.sleep(0.05)
    os._exit(0)
"#;
