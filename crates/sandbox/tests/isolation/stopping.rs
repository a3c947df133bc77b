use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::{Instance, done, eventually, for_every_server, mark, processes_with, read};

#[test]
fn the_applications_exit_code_comes_back() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        assert_eq!(instance.run("exit 0").code, 0);
        assert_eq!(instance.run("exit 42").code, 42);
        assert_eq!(instance.run("kill -9 $$").code, 137);
    });
}

#[test]
fn a_stop_reaches_the_application_which_may_finish_its_work() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let spec = instance.guard_spec();
        let inner = instance.application_spec().to_argument();
        let script = "trap 'echo saved > /data/saved; exit 9' TERM; touch /data/ready; \
                      while :; do sleep 1000 & wait $!; done";
        // The guard's place is process 1 of its namespace; `exec` puts the inner stage there.
        let command = ["/spinoff", "sandbox", &inner, "--", "/bin/sh", "-c", script];
        let mut child = instance.guarded(&spec, &command).spawn().unwrap();
        eventually("it runs", || instance.path("data/ready").exists());
        kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(9));
        assert_eq!(read(instance.path("data/saved")), "saved\n");
    });
}

#[test]
fn a_stop_reaches_a_program_behind_a_shell_that_only_waits() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let mut child = instance.start(
            "sh -c 'trap \"echo saved > /data/saved; exit 0\" TERM; touch /data/ready; \
             while :; do sleep 1000 & wait $!; done'; true",
        );
        kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
        child.wait().unwrap();
        assert_eq!(read(instance.path("data/saved")), "saved\n");
    });
}

#[test]
fn what_ignores_a_stop_is_killed_once_the_application_has_ended() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let mark = mark(server);
        let mut child =
            instance.start(&format!("( trap '' TERM; sh -c 'touch /data/ready; exec sleep {mark}' ) & wait"));
        kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
        child.wait().unwrap();
        eventually("all are gone", || processes_with(&mark).is_empty());
    });
}

#[test]
fn a_program_that_is_missing_in_the_view_is_named() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let inner = instance.application_spec().to_argument();
        let command = ["/spinoff", "sandbox", &inner, "--", "/opt/app/serve"];
        let done = done(&mut instance.guarded(&instance.guard_spec(), &command));
        assert_eq!(done.code, sandbox::EXIT_NOT_FOUND);
        assert!(done.err.contains("/opt/app/serve"), "{}", done.err);
    });
}

#[test]
fn this_host_is_probed_by_doing_it() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let found = sandbox::probe_with(&instance.path("sandbox-run"));
        println!("{found:#?}");
        assert!(found.isolate(), "{:?}", found.refusal());
        assert_eq!(found.refusal(), None);
        // A program that cannot play the stages stands for a host where nothing works.
        let broken = sandbox::probe_with(std::path::Path::new("/bin/false"));
        let refusal = broken.refusal().unwrap();
        for word in ["user namespaces", "network namespaces", "--insecure-no-sandbox"] {
            assert!(refusal.contains(word), "{refusal}");
        }
    });
}
