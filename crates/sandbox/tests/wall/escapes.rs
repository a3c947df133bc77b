//! The table of escapes: each is tried by a real process behind the wall, says `ESCAPED` if it
//! gets anywhere, and `tried` when it has been through. Afterwards everything outside is as it was.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::process::Command;

use crate::harness::{House, SECRET, processes_with};

/// What is tried, and the script. `$DATA` is the folder with the key, `$PID` a process outside
/// that has the key in its environment, `$PORT` and `$SOCKET` are listeners outside, `$GIT` is the
/// folder of the project's repository, `$MARK` is found in command lines.
const ESCAPES: &[(&str, &str)] = &[
    ("read by path", "cat $DATA/key && echo ESCAPED"),
    ("read by way of the parent folder", "cat ../data/key && echo ESCAPED; cat src/../../data/key && echo ESCAPED"),
    (
        "list the folder above",
        "for place in .. $DATA / /root /home /tmp /var/tmp /etc; do ls $place && echo ESCAPED; done",
    ),
    ("read by a symbolic link", "ln -s $DATA/key link; cat link && echo ESCAPED"),
    ("read by a link to a folder", "ln -s $DATA folder; cat folder/key && echo ESCAPED"),
    ("read by a hard link", "ln $DATA/key hard && echo ESCAPED; cat hard"),
    ("move the key in", "mv $DATA/key stolen && echo ESCAPED"),
    (
        "read by a process's root",
        "cat /proc/$PID/root$DATA/key && echo ESCAPED; cat /proc/1/root$DATA/key && echo ESCAPED",
    ),
    ("read by a process's folder", "cat /proc/$PID/cwd/Cargo.toml && echo ESCAPED"),
    ("read by an open file of another", "for fd in /proc/$PPID/fd/* /proc/$PID/fd/*; do cat $fd && echo ESCAPED; done"),
    ("read an environment", "for pid in $PID $PPID 1; do cat /proc/$pid/environ && echo ESCAPED; done"),
    ("read any environment", "grep -al API_KEY=the-key /proc/[0-9]*/environ && echo ESCAPED"),
    ("read memory", "perl -e 'open(M, q(<), qq(/proc/$ENV{PID}/mem)) and print q(ESCAPED)'"),
    ("write memory", "perl -e 'open(M, q(+<), qq(/proc/$ENV{PPID}/mem)) and print q(ESCAPED)'"),
    ("read a map of memory", "cat /proc/$PID/maps && echo ESCAPED"),
    ("trace", "perl -e 'syscall(101, 16, $ENV{PID} + 0, 0, 0) == 0 and print q(ESCAPED)'"),
    (
        "read memory across processes",
        "perl -e '$b = q(x) x 64; $i = pack(q(QQ), unpack(q(Q), pack(q(p), $b)), 64); syscall(310, $ENV{PID} + 0, $i, 1, $i, 1, 0) >= 0 and print q(ESCAPED)'",
    ),
    ("kill outside", "kill -9 $PID && echo ESCAPED"),
    ("stop outside", "kill -STOP $PID && echo ESCAPED"),
    ("kill the one who watches", "kill -9 $PPID && echo ESCAPED"),
    (
        "signal by a handle",
        "perl -e '$f = syscall(434, $ENV{PID} + 0, 0); syscall(424, $f, 9, 0, 0) == 0 and print q(ESCAPED)'",
    ),
    (
        "take limits away from another",
        "perl -e '$l = pack(q(QQ), 0, 0); syscall(302, $ENV{PID} + 0, 7, $l, 0) == 0 and print q(ESCAPED)'",
    ),
    ("slow another down", "perl -e 'syscall(141, 0, $ENV{PID} + 0, 19) == 0 and print q(ESCAPED)'"),
    (
        "write outside",
        "( echo x > $DATA/new ) && echo ESCAPED; ( echo x > /var/tmp/new-$MARK ) && echo ESCAPED; ( echo x > /tmp/new-$MARK ) && echo ESCAPED",
    ),
    ("write over", "( echo x > $DATA/key ) && echo ESCAPED; ( echo x >> $DATA/key ) && echo ESCAPED"),
    (
        "cut off",
        "truncate -s 0 $DATA/key && echo ESCAPED; perl -e 'truncate(qq($ENV{DATA}/key), 0) and print q(ESCAPED)'",
    ),
    ("delete", "rm -f $DATA/key && echo ESCAPED; rmdir $DATA && echo ESCAPED"),
    ("make a folder outside", "mkdir $DATA/folder && echo ESCAPED"),
    ("open up rights", "chmod 777 $DATA/key $DATA; perl -e 'chmod 0777, $ENV{DATA}, qq($ENV{DATA}/key)'"),
    ("change times", "touch -d 2001-01-01 $DATA/key; perl -e 'utime 1, 1, qq($ENV{DATA}/key)'"),
    (
        "mark with attributes",
        "perl -e 'syscall(188, qq($ENV{DATA}/key\\0), qq(user.x\\0), q(y), 1, 0) == 0 and print q(ESCAPED)'",
    ),
    (
        "mark with attributes in the new way",
        "perl -e '$v = q(y); $a = pack(q(QII), unpack(q(Q), pack(q(p), $v)), 1, 0); \
         syscall(463, -100, qq($ENV{DATA}/key\\0), 0, qq(user.x\\0), $a, 16) == 0 and print q(ESCAPED)'",
    ),
    (
        "change flags of a file by its path",
        "perl -e '$a = pack(q(QIIII), 0x40, 0, 0, 0, 0); \
         syscall(469, -100, qq($ENV{DATA}/key\\0), $a, 24, 0) == 0 and print q(ESCAPED)'",
    ),
    (
        "use memory that others share",
        "perl -e 'syscall(31, 0, 0, 0) >= 0 and print q(ESCAPED); $! == 1 or print q(ESCAPED)'",
    ),
    (
        "change the system",
        "( echo x > /usr/bin/intruder-$MARK ) && echo ESCAPED; ( echo x >> /etc/hosts ) && echo ESCAPED",
    ),
    (
        "change the kernel",
        "( echo 1 > /proc/sys/kernel/panic ) && echo ESCAPED; ( echo b > /proc/sysrq-trigger ) && echo ESCAPED",
    ),
    ("read passwords", "cat /etc/shadow && echo ESCAPED"),
    (
        "connect to a port",
        "/bin/sh -c 'exec 3<>/dev/tcp/127.0.0.1/'$PORT && echo ESCAPED; perl -MIO::Socket::INET -e 'IO::Socket::INET->new(qq(127.0.0.1:$ENV{PORT})) and print q(ESCAPED)'",
    ),
    (
        "connect with the first data",
        "perl -MSocket -e 'socket(S, AF_INET, SOCK_STREAM, 0) and send(S, q(x), 0x20000000, pack_sockaddr_in($ENV{PORT}, inet_aton(q(127.0.0.1)))) and print q(ESCAPED)'",
    ),
    (
        "connect with a relative of TCP",
        "perl -MSocket -e 'socket(S, AF_INET, SOCK_STREAM, 262) and connect(S, pack_sockaddr_in($ENV{PORT}, inet_aton(q(127.0.0.1)))) and print q(ESCAPED)'",
    ),
    ("send a datagram", "perl -MSocket -e 'socket(S, AF_INET, SOCK_DGRAM, 0) and print q(ESCAPED)'"),
    (
        "send a datagram of the other family",
        "perl -MSocket -e 'socket(S, AF_INET6, SOCK_DGRAM, 0) and print q(ESCAPED)'",
    ),
    (
        "make raw packets",
        "perl -MSocket -e 'socket(S, AF_INET, SOCK_RAW, 1) and print q(ESCAPED); socket(S, 17, SOCK_RAW, 3) and print q(ESCAPED)'",
    ),
    (
        "connect to a local socket",
        "perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Peer => $ENV{SOCKET}) and print q(ESCAPED)'",
    ),
    ("talk to the machine's host", "perl -e 'syscall(41, 40, 1, 0) >= 0 and print q(ESCAPED)'"),
    ("a socket by the other numbers", "perl -e 'syscall(0x40000000 | 41, 2, 2, 0) >= 0 and print q(ESCAPED)'"),
    ("files by a ring", "perl -e '$p = qq(\\0) x 120; syscall(425, 1, $p) >= 0 and print q(ESCAPED)'"),
    ("new namespaces", "unshare -Ur true && echo ESCAPED; unshare -n true && echo ESCAPED"),
    ("mount", "mount -t tmpfs none . && echo ESCAPED; mount --bind $DATA src && echo ESCAPED"),
    ("change root", "perl -e 'chroot q(.) and print q(ESCAPED)'"),
    ("make a device", "mknod disk b 8 0 && echo ESCAPED; mknod memory c 1 1 && echo ESCAPED"),
    ("become root by a program", "su -c id && echo ESCAPED; sudo -n id && echo ESCAPED"),
    (
        "open by a handle",
        "perl -e '$h = pack(q(II), 8, 1) . qq(\\0) x 8; syscall(304, -100, $h, 0) >= 0 and print q(ESCAPED)'",
    ),
    ("leave memory behind", "perl -e 'syscall(29, 4711, 4096, 0666 | 01000) >= 0 and print q(ESCAPED)'"),
    (
        "watch a folder",
        "perl -e '$f = syscall(294, 0); syscall(254, $f, qq($ENV{DATA}\\0), 0xfff) >= 0 and print q(ESCAPED)'",
    ),
    ("read kernel messages", "dmesg && echo ESCAPED"),
    ("write to the repository", "( echo x > $GIT/config ) && echo ESCAPED; mkdir -p $GIT/hooks && echo ESCAPED"),
    ("read the repository", "ls $GIT && echo ESCAPED"),
    ("leave a daemon", "( setsid sleep 9$MARK & ) ; ( setsid sh -c 'setsid sleep 9$0 & exit' $MARK & ) ; sleep 0.2"),
    (
        "leave one that ignores signals",
        "trap '' TERM HUP INT; ( setsid sh -c 'trap \"\" TERM HUP INT; sleep 9$0; sleep 9$0' $MARK & )",
    ),
    ("leave a file open in a daemon", "( setsid sleep 9$MARK > src/kept 2>&1 & )"),
    (
        "bind its life to nobody",
        "perl -e 'if (!fork) { if (!fork) { syscall(157, 1, 0); exec qq(sleep), qq(9$ENV{MARK}) } }'",
    ),
];

/// Those of the table that get somewhere on any machine when there is no wall, and harm only what is
/// made for them.
const SHARP: &[&str] = &[
    "read by path",
    "read by way of the parent folder",
    "read by a symbolic link",
    "read by a hard link",
    "read an environment",
    "kill outside",
    "slow another down",
    "take limits away from another",
    "write over",
    "delete",
    "connect to a port",
    "connect with the first data",
    "send a datagram",
    "connect to a local socket",
    "watch a folder",
    "write to the repository",
];

struct Outside {
    port: TcpListener,
    _socket: UnixListener,
}

impl Outside {
    fn of(house: &House) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        Self { port, _socket: UnixListener::bind(house.path("data/socket")).unwrap() }
    }

    fn variables(&self, house: &House) -> [(&'static str, String); 6] {
        let path = |name: &str| house.path(name).to_str().unwrap().to_owned();
        [
            ("DATA", path("data")),
            ("GIT", path("git")),
            ("SOCKET", path("data/socket")),
            ("PID", house.neighbour().to_string()),
            ("PORT", self.port.local_addr().unwrap().port().to_string()),
            ("MARK", house.mark.clone()),
        ]
    }
}

fn whole(script: &str) -> String {
    format!("export PPID; {script}\necho; echo tried")
}

#[test]
fn every_escape_of_the_table_stays_contained() {
    for (name, script) in ESCAPES {
        println!("escape: {name}");
        let mut house = House::new();
        let outside = Outside::of(&house);
        let wall =
            outside.variables(&house).into_iter().fold(house.wall(), |wall, (name, value)| wall.env(name, value));
        // Sockets are given out, so that what keeps them from outside is tried too.
        let wall = wall.network(sandbox::Network::Ports { connect: [9].into(), listen: [9].into() });
        let done = house.start(&wall, &whole(script)).finish();
        assert!(done.out.ends_with("tried\n"), "{name} did not get through: {}{}", done.out, done.err);
        assert!(!done.out.contains("ESCAPED"), "{name}: {}", done.out);
        assert!(!done.out.contains(SECRET), "{name}: {}", done.out);
        assert_unharmed(&mut house, name);
    }
}

#[test]
fn without_the_wall_they_do_get_somewhere() {
    for wanted in SHARP {
        let (name, script) = ESCAPES.iter().find(|(name, _)| name == wanted).unwrap();
        let house = House::new();
        let outside = Outside::of(&house);
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &whole(script)]).current_dir(house.path("project")).envs(outside.variables(&house));
        let done = shell.output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(said.contains("ESCAPED"), "{name} proves nothing: {said}{}", String::from_utf8_lossy(&done.stderr));
    }
}

fn assert_unharmed(house: &mut House, name: &str) {
    let key = house.path("data/key");
    let about = fs::metadata(&key).unwrap();
    assert_eq!(fs::read_to_string(&key).unwrap(), SECRET, "{name}");
    assert_eq!(about.permissions().mode() & 0o777, 0o600, "{name}");
    assert!(about.modified().unwrap().elapsed().unwrap().as_secs() < 600, "{name}: the times changed");
    assert_eq!(fs::metadata(house.path("data")).unwrap().permissions().mode() & 0o777, 0o755, "{name}");
    assert_eq!(fs::read_dir(house.path("data")).unwrap().count(), 2, "{name}: something is new there");
    assert_eq!(fs::read_dir(house.path("git")).unwrap().count(), 0, "{name}: something is new there");
    assert!(house.neighbour_lives(), "{name}");
    let limits = fs::read_to_string(format!("/proc/{}/limits", house.neighbour())).unwrap();
    assert!(!limits.lines().any(|line| line.starts_with("Max open files") && line.contains(" 0 ")), "{name}");
    assert_eq!(processes_with(&format!("9{}", house.mark)), [] as [i32; 0], "{name}: something is left");
}
