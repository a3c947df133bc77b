use nix::unistd::geteuid;
use sandbox::{Cgroup, CgroupLimits, Controller};

use crate::harness::{Instance, Server, eventually, for_every_server, processes_with};

#[test]
fn a_fork_bomb_is_contained_by_the_limit_on_processes() {
    for_every_server(|server| {
        let mut instance = Instance::new(server);
        instance.limits.processes = 40;
        let mark = crate::harness::mark(server);
        let done =
            instance.run(&format!("i=0; while [ $i -lt 500 ]; do sleep {mark} & i=$((i+1)); done; echo unlimited"));
        assert!(!done.out.contains("unlimited"), "{}", done.out);
        assert!(done.err.contains("fork"), "{}", done.err);
        eventually("nothing is left", || processes_with(&mark).is_empty());
    });
}

#[test]
fn a_file_cannot_grow_beyond_its_limit() {
    for_every_server(|server| {
        let mut instance = Instance::new(server);
        instance.limits.file_bytes = 1 << 20;
        let done = instance.run("head -c 3000000 /dev/zero > /data/big; wc -c < /data/big");
        assert_eq!(done.out.trim(), "1048576");
    });
}

#[test]
fn the_private_temporary_folder_is_bounded() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let spec = instance.guard_spec().tmp_bytes(1 << 20);
        let script = "head -c 3000000 /dev/zero > /tmp/big; wc -c < /tmp/big";
        let mut command = instance.guarded(&spec, &["/bin/sh", "-c", script]);
        let done = crate::harness::done(&mut command);
        assert_eq!(done.out.trim(), "1048576");
    });
}

#[test]
fn memory_of_one_process_is_limited_where_no_group_does_it() {
    for_every_server(|server| {
        let mut instance = Instance::new(server);
        instance.limits.memory_bytes = Some(64 << 20);
        let done = instance.run("perl -e '$x = \"x\" x 300_000_000; print \"unlimited\"'");
        assert_ne!(done.code, 0);
        assert!(!done.out.contains("unlimited"), "{}", done.out);
    });
}

#[test]
fn a_group_counts_all_processes_together_kills_them_and_goes_away() {
    if !geteuid().is_root() {
        return;
    }
    let name = format!("spinoff-test-{}", std::process::id());
    let limits = CgroupLimits { memory_bytes: Some(128 << 20), processes: Some(30), cpu_thousandths: Some(500) };
    let Ok(group) = Cgroup::create(&name, &limits) else {
        return; // this host lets nobody make groups; `probe` says so
    };
    let instance = Instance::new(Server::Root);
    let mark = crate::harness::mark(Server::Root);
    let inner = instance.application_spec().to_argument();
    let spec = instance.guard_spec().cgroup(&group);
    let script = format!("sleep {mark} & touch /data/ready; sleep {mark}");
    let command = ["/spinoff", "sandbox", &inner, "--", "/bin/sh", "-c", &script];
    let mut child = instance.guarded(&spec, &command).spawn().unwrap();
    eventually("it runs", || instance.path("data/ready").exists());
    assert!(group.processes().contains(&child.id()));
    assert!(group.processes().len() >= 5, "{:?}", group.processes());
    if group.enforced().contains(&Controller::Memory) {
        assert!(group.memory_bytes().unwrap() > 0);
    }
    group.remove().unwrap();
    child.wait().unwrap();
    assert!(processes_with(&mark).is_empty());
    assert!(group.processes().is_empty());
    group.remove().unwrap();
}

#[test]
fn a_memory_hog_dies_in_its_group() {
    if !geteuid().is_root() {
        return;
    }
    let name = format!("spinoff-hog-{}", std::process::id());
    let limits = CgroupLimits { memory_bytes: Some(96 << 20), ..CgroupLimits::default() };
    let Ok(group) = Cgroup::create(&name, &limits) else {
        return;
    };
    if group.enforced().contains(&Controller::Memory) {
        let instance = Instance::new(Server::Root);
        let inner = instance.application_spec().to_argument();
        let spec = instance.guard_spec().cgroup(&group);
        let hog = "perl -e '$x = \"x\" x 400_000_000; print \"unlimited\"'; echo $?";
        let command = ["/spinoff", "sandbox", &inner, "--", "/bin/sh", "-c", hog];
        let done = crate::harness::done(&mut instance.guarded(&spec, &command));
        assert!(!done.out.contains("unlimited"), "{}", done.out);
    }
    group.remove().unwrap();
}
