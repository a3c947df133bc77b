use crate::harness::{Instance, for_every_server};

#[test]
fn no_capability_is_held_and_none_can_be_gained() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let done = instance.run("grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status");
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            assert!(done.out.contains(&format!("{set}:\t0000000000000000")), "{}", done.out);
        }
        assert!(done.out.contains("NoNewPrivs:\t1"), "{}", done.out);
        assert!(done.out.contains("Seccomp:\t2"), "{}", done.out);
    });
}

#[test]
fn mounting_and_new_namespaces_are_refused() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let done = instance.run(
            "mount -t tmpfs none /tmp 2>/dev/null && echo mounted
             mount -o remount,rw / 2>/dev/null && echo remounted
             umount /tmp 2>/dev/null && echo unmounted
             unshare -U true 2>/dev/null && echo user namespace
             unshare -n true 2>/dev/null && echo network namespace
             echo tried",
        );
        assert_eq!(done.out, "tried\n");
    });
}

/// Numbers of x86-64 (linux/asm/unistd_64.h); arguments that would succeed or fail otherwise than
/// by refusal.
#[cfg(target_arch = "x86_64")]
#[test]
fn each_denied_system_call_is_refused_as_not_permitted() {
    const CALLS: &[(&str, &str, i32)] = &[
        ("ptrace(TRACEME)", "101,0,0,0,0", 1),
        ("process_vm_readv", "310,$$,0,0,0,0,0", 1),
        ("mount", "165,0,0,0,0,0", 1),
        ("open_tree", "428,-100,0,1", 1),
        ("setns", "308,0,0", 1),
        ("unshare(NEWUSER)", "272,0x10000000", 1),
        ("clone(NEWUSER)", "56,0x10000011,0,0,0,0", 1),
        ("clone3", "435,0,0", 38),
        ("bpf", "321,0,0,0", 1),
        ("perf_event_open", "298,0,0,0,0,0", 1),
        ("io_uring_setup", "425,1,0", 1),
        ("userfaultfd", "323,0", 1),
        ("keyctl", "250,0,0,0,0,0", 1),
        ("kcmp", "312,1,1,0,0,0", 1),
        ("open_by_handle_at", "304,-100,0,0", 1),
        ("syslog", "103,3,0,0", 1),
        ("personality(no randomization)", "135,0x0040000", 1),
        ("socket(VSOCK)", "41,40,1,0", 1),
        ("socket(PACKET)", "41,17,3,0", 1),
        ("ioctl(TIOCSTI)", "16,0,0x5412,0", 1),
        ("ptrace of the other ABI", "0x40000209,0,0,0,0", 1),
        ("mount of the other ABI", "0x400000a5,0,0,0,0,0", 1),
    ];
    for_every_server(|server| {
        let instance = Instance::new(server);
        let script: String = CALLS
            .iter()
            .map(|(name, call, _)| format!("$!=0; syscall({call}); print \"{name} \", $!+0, \"\\n\"; "))
            .collect();
        let done = instance.run(&format!("exec perl -e '{script}'"));
        let expected: String = CALLS.iter().map(|(name, _, answer)| format!("{name} {answer}\n")).collect();
        assert_eq!(done.out, expected);
    });
}

#[test]
fn threads_processes_and_sockets_of_the_internet_still_work() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let done = instance.run(
            "perl -MSocket -e 'socket(S,PF_INET,SOCK_STREAM,0) and print \"inet \"; \
             socket(S,PF_UNIX,SOCK_STREAM,0) and print \"unix \"; \
             $p = fork(); if (!$p) { print \"fork\"; exit } wait' ",
        );
        assert_eq!(done.out.trim(), "inet unix fork");
    });
}

#[test]
fn a_terminal_can_be_opened() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        let done = instance.run("exec 3<>/dev/ptmx && test -c /dev/pts/0 && echo opened");
        assert_eq!(done.out, "opened\n");
        let done = instance.run("script -qec 'tty' /dev/null");
        assert!(done.out.contains("/dev/pts/"), "{}", done.out);
    });
}
