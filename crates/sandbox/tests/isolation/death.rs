use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::{Instance, Server, eventually, for_every_server, mark, processes_with};

/// Leaves a daemon of its own session and a plain child, both found by their command lines.
fn stubborn(mark: &str) -> String {
    format!(
        "trap '' TERM HUP INT
         ( setsid sleep {mark} & )
         sleep {mark} &
         until [ $(grep -lsa {mark} /proc/[0-9]*/cmdline | wc -l) -ge 4 ]; do :; done
         touch /data/ready; wait; wait"
    )
}

fn kill_now(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
}

#[test]
fn killing_the_outermost_process_takes_everything_down() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let mark = mark(server);
        let mut child = instance.start(&stubborn(&mark));
        kill_now(child.id().cast_signed());
        child.wait().unwrap();
        eventually("all are gone", || processes_with(&mark).is_empty());
    });
}

#[test]
fn killing_any_process_in_between_takes_everything_down() {
    for_every_server(|server| {
        // The outermost stage, the guard's place, the inner stage, the init: in turn.
        for link in 0..4 {
            let instance = Instance::new(server);
            let mark = mark(server);
            let mut child = instance.start(&stubborn(&mark));
            let mut chain = vec![child.id().cast_signed()];
            while chain.len() < 4 {
                let parent = chain.last().copied().unwrap();
                chain.push(child_of(parent));
            }
            kill_now(chain[link]);
            child.wait().unwrap();
            eventually("all are gone", || processes_with(&mark).is_empty());
        }
    });
}

#[test]
fn a_server_that_is_killed_takes_its_instances_with_it() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let mark = mark(server);
        let sandbox = instance.application(&stubborn(&mark));
        let mut shell = Command::new("/bin/sh");
        if server == Server::Nobody {
            use std::os::unix::process::CommandExt;
            shell.uid(65_534).gid(65_534);
        }
        // The shell waits for a second child, so that it does not simply become the first.
        let mut shell = shell
            .args(["-c", "\"$@\" & wait", "server"])
            .arg(sandbox.get_program())
            .args(sandbox.get_args())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        eventually("it runs", || instance.path("data/ready").exists());
        kill_now(shell.id().cast_signed());
        shell.wait().unwrap();
        eventually("all are gone", || processes_with(&mark).is_empty());
    });
}

#[test]
fn a_sandbox_whose_starter_is_already_gone_does_not_start() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let spec = instance.guard_spec().started_by(999_999_999);
        let mut command = instance.guarded(&spec, &["/bin/echo", "started"]);
        let done = crate::harness::done(&mut command);
        assert_eq!(done.code, sandbox::EXIT_NO_SANDBOX);
        assert_eq!(done.out, "");
    });
}

fn child_of(parent: i32) -> i32 {
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    children.unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn without_walls_a_program_still_dies_with_its_starter() {
    let mark = mark(Server::Myself);
    let tool = env!("CARGO_BIN_EXE_sandbox-run");
    let order = sandbox::Leash::follower().to_argument();
    let script = "\"$0\" sandbox \"$1\" -- sleep \"$2\" & wait";
    let mut shell = Command::new("/bin/sh").args(["-c", script, tool, &order, &mark]).spawn().unwrap();
    // The shell names the mark too; the program is the second.
    eventually("it runs", || {
        processes_with(&mark)
            .iter()
            .any(|pid| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "sleep\n"))
    });
    kill_now(shell.id().cast_signed());
    shell.wait().unwrap();
    eventually("it is gone", || processes_with(&mark).is_empty());
}
