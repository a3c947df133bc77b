use std::fs;
use std::os::unix::fs::symlink;

use sandbox::Access;

use crate::harness::{Instance, Server, done, for_every_server, read};

#[test]
fn only_the_data_folder_can_be_changed() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let done = instance.run(
            "echo kept > /data/file
             for place in / /usr /usr/bin /etc /bin /dev /var /proc /proc/sys/kernel /tool; do
                 ( echo x > $place/intruder ) 2>/dev/null && echo wrote $place
             done
             ( echo x >> /etc/passwd ) 2>/dev/null && echo wrote passwd
             ( echo x >> /tool ) 2>/dev/null && echo wrote tool
             echo scratch > /tmp/file && cat /tmp/file",
        );
        assert_eq!(done.out, "scratch\n");
        assert_eq!(read(instance.path("data/file")), "kept\n");
    });
}

#[test]
fn the_hosts_other_folders_and_the_guards_do_not_exist() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let secret = instance.path("instance/secret");
        fs::write(&secret, "token").unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("other-tenant"), "theirs").unwrap();
        let done = instance.run(&format!(
            "for place in /root /home /instance /spinoff /sys /boot /mnt /.host /etc/shadow \
                 {} {}; do
                 test -e $place && echo sees $place
             done
             ls /run /srv /opt 2>/dev/null
             cat /proc/1/environ /proc/1/mem 2>/dev/null
             ls /proc/1/root /proc/1/cwd /proc/1/fd 2>/dev/null
             echo looked",
            elsewhere.path().display(),
            secret.display()
        ));
        assert_eq!(done.out, "looked\n");
    });
}

#[test]
fn a_symbolic_link_out_of_the_data_folder_leads_nowhere() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let outside = tempfile::tempdir().unwrap();
        let secret = outside.path().join("secret");
        fs::write(&secret, "theirs").unwrap();
        symlink(&secret, instance.path("data/planted")).unwrap();
        let done = instance.run(&format!(
            "cat /data/planted; ln -s {} /data/own; cat /data/own; \
             ln -s ../../../../../../../etc/shadow /data/shadow; cat /data/shadow; \
             ln {} /data/hard; echo tried",
            outside.path().display(),
            secret.display()
        ));
        assert_eq!(done.out, "tried\n");
        assert_eq!(read(&secret), "theirs");
    });
}

#[test]
fn a_data_folder_below_a_closed_folder_works_for_root() {
    for_every_server(|server| {
        if server != Server::Root {
            return;
        }
        let instance = Instance::new(server);
        let mode = fs::metadata(instance.path("")).unwrap();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o77, 0);
        assert_eq!(instance.run("echo in > /data/x; cat /data/x").out, "in\n");
    });
}

#[test]
fn a_missing_bind_is_named_and_nothing_starts() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let spec = instance.guard_spec().bind("/no/such/folder", "/there", Access::Write);
        let done = done(&mut instance.guarded(&spec, &["/bin/echo", "started"]));
        assert_eq!(done.code, sandbox::EXIT_NO_SANDBOX);
        assert_eq!(done.out, "");
        assert!(done.err.contains("/no/such/folder"), "{}", done.err);
        assert_eq!(done.err.lines().count(), 1);
    });
}

#[test]
fn folders_the_operator_lists_can_be_read_and_not_changed() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let extra = tempfile::tempdir_in("/var/tmp").unwrap();
        fs::write(extra.path().join("library"), "shared").unwrap();
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(extra.path(), open).unwrap();
        let place = extra.path().display();
        let spec = instance.guard_spec().read_only(extra.path());
        let script = format!("cat {place}/library; echo x > {place}/new || echo refused");
        let done = done(&mut instance.guarded(&spec, &["/bin/sh", "-c", &script]));
        assert_eq!(done.out, "sharedrefused\n");
    });
}
