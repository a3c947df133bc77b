//! Stands in for the `spinoff` executable in the tests of the local driver: the real sandbox, a
//! guard that only answers the health probe, and an application with bad habits.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::Arc;

use domain::{InstanceId, ProjectName};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use providers::compute::local::{Isolation, Local, LocalSettings};
use providers::compute::{Compute as _, GuardSettings, Release};
use world::{Clock, Sealer};

fn main() {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let words: Vec<&str> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    let code = match words.as_slice() {
        ["sandbox", order, "--", ..] => sandbox::run_from_args(order, &arguments[3..]),
        ["guard", "--", command @ ..] => guard(command),
        ["server", folder, executable, port, uid, isolation, name, instance, command] => {
            let mut settings = LocalSettings::new(folder, executable);
            settings.first_port = port.parse().unwrap_or_default();
            settings.first_uid = uid.parse().unwrap_or_default();
            if *isolation == "InsecureNone" {
                settings.isolation = Isolation::InsecureNone;
            }
            match tokio::runtime::Runtime::new() {
                Ok(runtime) => runtime.block_on(server(settings, name, instance, command)).map_or(1, |()| 0),
                Err(_) => 1,
            }
        }
        ["delete", folder, executable, name, instance] => {
            delete(LocalSettings::new(folder, executable), name, instance).map_or(1, |()| 0)
        }
        ["serve"] => serve(),
        ["dial", destination, text] => dial(destination, text).map_or(1, |()| 0),
        _ => 2,
    };
    std::process::exit(code);
}

/// Deploys one project and keeps it running until it is killed.
async fn server(settings: LocalSettings, name: &str, instance: &str, command: &str) -> Option<()> {
    let executable = settings.executable.clone();
    let local = Local::open(settings, Clock::System, Arc::new(Sealer::new([7; 32]))).await.ok()?;
    let name = ProjectName::parse(name).ok()?;
    let instance = InstanceId::parse(instance).ok()?;
    local.create_project(&name, instance).await.ok()?;
    let configured = GuardSettings {
        instance,
        public_url: "http://x.localhost".to_owned(),
        issuer: String::new(),
        audiences: Vec::new(),
        main_url: String::new(),
        main_key: String::new(),
        closed_off: false,
        instance_token: "s3cret".into(),
    };
    local.configure(&name, &configured).await.ok()?;
    let (version, command, health_path) = ("1".to_owned(), command.to_owned(), "/".to_owned());
    let release =
        Release { version, image: None, command, health_path, read_only: vec![executable], activity_rules: None };
    local.deploy(&name, &release).await.ok()?;
    std::future::pending().await
}

/// Deletes one project with little stack and few files to open.
fn delete(settings: LocalSettings, name: &str, instance: &str) -> Option<()> {
    setrlimit(Resource::RLIMIT_NOFILE, 40, 40).ok()?;
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).thread_stack_size(256 << 10).enable_all();
    runtime.build().ok()?.block_on(async {
        let local = Local::open(settings, Clock::System, Arc::new(Sealer::new([7; 32]))).await.ok()?;
        let (name, instance) = (ProjectName::parse(name).ok()?, InstanceId::parse(instance).ok()?);
        local.delete_project(&name, instance).await.ok().map(drop)
    })
}

/// Passes on a stop, and ends with its application.
fn guard(command: &[&str]) -> i32 {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGTERM);
    signals.add(Signal::SIGCHLD);
    let Some((program, rest)) = command.split_first() else { return 2 };
    if signals.thread_block().is_err() {
        return 1;
    }
    let way_out = match variable("GUARD_EGRESS_LISTEN").as_str() {
        "" => None,
        address => TcpListener::bind(address).ok(),
    };
    // Before any thread: children start with these signals blocked, as the sandbox expects them.
    let Ok(child) = Command::new(program).args(rest).stdin(std::process::Stdio::null()).spawn() else { return 1 };
    std::thread::spawn(answer_probes);
    std::thread::spawn(|| way_out.map(pass_on));
    println!("guard of {} with token {}", variable("GUARD_INSTANCE"), variable("GUARD_INSTANCE_TOKEN"));
    println!("rules: {:?}", std::fs::read_to_string(variable("GUARD_ACTIVITY_RULES")).ok());
    println!("app on {:?} at {:?}", variable("GUARD_APP_PORT"), variable("GUARD_APP_HOST"));
    println!("audiences {:?} and {:?}", variable("GUARD_AUDIENCE"), variable("GUARD_APP_AUDIENCE"));
    let application = Pid::from_raw(child.id().cast_signed());
    loop {
        match signals.wait() {
            Ok(Signal::SIGTERM) => {
                println!("guard stops");
                let _ = kill(application, Signal::SIGTERM);
            }
            _ => match waitpid(application, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(_, code)) => return code,
                Ok(WaitStatus::Signaled(..)) => return 1,
                _ => {}
            },
        }
    }
}

fn answer_probes() {
    let Ok(listener) = std::io::stdin().as_fd().try_clone_to_owned().map(TcpListener::from) else { return };
    let upstream = variable("GUARD_UPSTREAM").replace("http://", "");
    for mut stream in listener.incoming().flatten() {
        let mut request = [0; 1024];
        let _ = stream.read(&mut request);
        let answer = match TcpStream::connect(&upstream) {
            Ok(mut application) => {
                let mut text = String::new();
                let _ = application.read_to_string(&mut text);
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{text}")
            }
            Err(_) => "HTTP/1.1 503 Unavailable\r\nconnection: close\r\n\r\n".to_owned(),
        };
        let _ = stream.write_all(answer.as_bytes());
    }
}

/// The application's way out.
fn pass_on(listener: TcpListener) {
    for inside in listener.incoming().flatten() {
        let Ok(outside) = UnixStream::connect(variable("GUARD_EGRESS_SOCKET")) else { continue };
        let (Ok(mut from), Ok(mut to)) = (inside.try_clone(), outside.try_clone()) else { continue };
        std::thread::spawn(move || std::io::copy(&mut from, &mut to).and_then(|_| to.shutdown(Shutdown::Write)));
        let (mut from, mut to) = (outside, inside);
        std::thread::spawn(move || std::io::copy(&mut from, &mut to).and_then(|_| to.shutdown(Shutdown::Write)));
    }
}

/// Asks the proxy in its environment for a tunnel, says something, and prints what comes back.
fn dial(destination: &str, text: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(variable("HTTPS_PROXY").replace("http://", ""))?;
    write!(stream, "CONNECT {destination} HTTP/1.1\r\nHost: {destination}\r\n\r\n{text}")?;
    stream.shutdown(Shutdown::Write)?;
    std::io::copy(&mut stream, &mut std::io::stdout()).map(drop)
}

/// Tells whoever connects what it sees, and is silent while the file `silent` is in its data.
fn serve() -> i32 {
    let Ok(listener) = TcpListener::bind(format!("127.0.0.1:{}", variable("PORT"))) else { return 1 };
    println!("serving {} for {}", variable("DATA"), variable("HOSTNAME_PUBLIC"));
    let mut kept = Vec::new();
    for mut stream in listener.incoming().flatten() {
        let told = format!("data={} token={}", variable("DATA"), variable("GUARD_INSTANCE_TOKEN"));
        if std::path::Path::new(&variable("DATA")).join("silent").exists() {
            kept.push(stream);
        } else {
            let _ = stream.write_all(told.as_bytes());
        }
    }
    0
}

#[expect(clippy::disallowed_methods, reason = "a program reads its own environment")]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}
