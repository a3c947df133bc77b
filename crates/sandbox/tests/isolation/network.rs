use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::process::Stdio;

use sandbox::Access;

use crate::harness::{Instance, done, for_every_server};

#[test]
fn a_listener_of_the_host_cannot_be_reached() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let host = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = host.local_addr().unwrap();
        assert!(TcpStream::connect(address).is_ok());
        let done = instance.run(&format!("/tool connect {address}; grep -c : /proc/net/dev"));
        assert!(done.out.contains("cannot connect"), "{}", done.out);
        assert!(done.out.ends_with("\n1\n"), "only loopback: {}", done.out);
    });
}

#[test]
fn two_applications_listen_on_the_same_port_at_once() {
    for_every_server(|server| {
        let instances = [Instance::with_slot(server, 1), Instance::with_slot(server, 2)];
        let mut running: Vec<_> = instances
            .iter()
            .map(|instance| {
                let mut child = instance.application("exec /tool listen 127.0.0.1:8000").spawn().unwrap();
                let mut line = String::new();
                BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
                assert_eq!(line, "listening\n");
                child
            })
            .collect();
        for child in &mut running {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    });
}

#[test]
fn loopback_works_between_the_guards_and_the_applications_side() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let script = format!(
            "/spinoff sandbox '{}' -- /tool listen 127.0.0.1:8000 &
             until /spinoff connect 127.0.0.1:8000 > /dev/null; do :; done; echo reached",
            instance.application_spec().to_argument()
        );
        let spec = instance.guard_spec();
        let done = done(&mut instance.guarded(&spec, &["/bin/sh", "-c", &script]));
        assert!(done.out.contains("reached"), "{}", done.out);
    });
}

#[test]
fn the_guard_accepts_on_the_listener_it_was_given_as_standard_input() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let host = TcpListener::bind("127.0.0.1:0").unwrap();
        let inode = |fd: &str| std::fs::read_link(format!("/proc/self/fd/{fd}")).unwrap();
        let expected = inode(&std::os::fd::AsRawFd::as_raw_fd(&host).to_string());
        let spec = instance.guard_spec();
        let mut command = instance.guarded(&spec, &["/bin/readlink", "/proc/self/fd/0"]);
        command.stdin(Stdio::from(OwnedFd::from(host)));
        let done = done(&mut command);
        assert_eq!(done.out.trim(), expected.to_str().unwrap());
    });
}

#[test]
fn a_unix_socket_is_reached_by_the_guard_it_is_bound_for_only() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let path = instance.path("main.sock");
        let _main = UnixListener::bind(&path).unwrap();
        let spec = instance.guard_spec().bind(&path, "/run/main.sock", Access::Read);
        let inner = instance.application_spec().to_argument();
        let script = format!(
            "test -S /run/main.sock && echo guard; \
             /spinoff sandbox '{inner}' -- /bin/sh -c 'test -e /run/main.sock && echo app'"
        );
        let done = done(&mut instance.guarded(&spec, &["/bin/sh", "-c", &script]));
        assert_eq!(done.out, "guard\n");
    });
}
