use crate::harness::{Instance, eventually, for_every_server, processes_with, read};

#[test]
fn the_hosts_processes_are_invisible_and_out_of_reach() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let host = std::process::id();
        let done = instance.run(&format!(
            "ls -d /proc/[0-9]* | wc -l; kill -0 {host} 2>/dev/null && echo reached; \
             kill -9 -1; echo not reached"
        ));
        let count: u32 = done.out.lines().next().unwrap().trim().parse().unwrap();
        assert!(count < 8, "{}", done.out);
        assert!(!done.out.contains("\nreached"), "{}", done.out);
    });
}

#[test]
fn the_applications_init_cannot_be_killed_or_frozen_from_inside() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let done = instance.run("kill -9 1; kill -STOP 1; exit 4");
        assert_eq!(done.code, 4);
    });
}

#[test]
fn killing_a_program_by_name_leaves_the_same_program_of_a_neighbour_alone() {
    for_every_server(|server| {
        let victim = Instance::with_slot(server, 1);
        let killer = Instance::with_slot(server, 2);
        let program = "cp /bin/sleep /data/fixedname; cd /data; ./fixedname 1000 & ";
        let mut bystander = victim.start(&format!("{program} touch /data/ready; wait; echo ended > /data/ended"));
        let done = killer.run(&format!(
            "{program}
             started=$!
             until grep -q fixedname /proc/$started/comm; do :; done
             for process in /proc/[0-9]*; do
                 grep -q fixedname $process/comm && kill -9 ${{process#/proc/}}
             done
             wait $started; echo $?"
        ));
        assert_eq!(done.out, "137\n");
        assert!(!victim.path("data/ended").exists());
        assert!(bystander.try_wait().unwrap().is_none());
        bystander.kill().unwrap();
        bystander.wait().unwrap();
    });
}

#[test]
fn orphans_are_reaped() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let done = instance.run(
            "for i in 1 2 3 4 5; do ( sh -c ':' & ) ; done
             until ! grep -qs '^State:.Z' /proc/[0-9]*/status && \
                 [ $(ls -d /proc/[0-9]* | wc -l) -le 4 ]; do :; done; echo clean",
        );
        assert_eq!(done.out, "clean\n");
    });
}

#[test]
fn a_daemon_does_not_survive_the_end_of_its_application() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let mark = crate::harness::mark(server);
        let done = instance.run(&format!(
            "( setsid sh -c 'trap \"\" TERM HUP INT; touch /data/daemon; sleep {mark}' & ) &
             until test -e /data/daemon; do :; done; exit 5"
        ));
        assert_eq!(done.code, 5);
        eventually("the daemon is gone", || processes_with(&mark).is_empty());
    });
}

#[test]
fn the_environment_is_what_the_spec_lists() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let spec = instance.guard_spec().pass_env("TOKEN", "DRIVER_SECRET").pass_env("ABSENT", "DRIVER_ABSENT");
        let mut command = instance.guarded(&spec, &["/usr/bin/env"]);
        command.env("DRIVER_SECRET", "s3cret").env("LD_PRELOAD", "/x.so").env("OTHER", "leak");
        let done = crate::harness::done(&mut command);
        let mut seen: Vec<&str> = done.out.lines().collect();
        seen.sort_unstable();
        assert_eq!(seen, ["PATH=/usr/bin:/bin", "TOKEN=s3cret"]);
        let done = instance.run("env > /data/env; tr '\\0' ' ' < /proc/1/cmdline");
        assert!(!done.out.contains("PATH"), "{}", done.out);
        assert!(read(instance.path("data/env")).contains("HOME=/data"));
    });
}

#[test]
fn the_application_sees_itself_as_a_named_user_on_a_machine_with_its_hostname() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let done = instance.run(
            "id -un; id -gn; hostname; grep -c acme /etc/hosts; \
             cd; pwd; ls /proc/self/fd | wc -l; cat | wc -c",
        );
        assert_eq!(done.out, "app\napp\nacme\n2\n/data\n4\n0\n");
    });
}
