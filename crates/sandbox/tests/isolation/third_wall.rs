use crate::harness::{Instance, for_every_server};

/// Starts a server and connects to it, and to the one on a port that is not its own.
const SERVE: &str = "use IO::Socket::INET;
my $own = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die $!;
print IO::Socket::INET->new('127.0.0.1:' . $own->sockport) ? 'connected' : 'refused';
print IO::Socket::INET->new('127.0.0.1:8000') ? ' ESCAPED' : ', not to others';
";

const TRY: &str = "
echo secret > key; mkdir project temporary; cp serve.pl project
/tool listen 127.0.0.1:8000 > /dev/null &
until /tool connect 127.0.0.1:8000 > /dev/null; do :; done
API_KEY=secret /tool walled project temporary /bin/sh -c '
    cat ../key /data/key; cat /proc/$PPID/environ; kill -9 $PPID; echo x > /data/new
    perl serve.pl; ( setsid sleep 300 & )'
echo; test -e new && echo ESCAPED; pgrep sleep && echo ESCAPED; echo looked";

#[test]
fn inside_the_other_two_the_third_wall_stands_on_the_loopback_they_share() {
    for_every_server(|server| {
        let instance = Instance::new(server);
        std::fs::write(instance.path("data/serve.pl"), SERVE).unwrap();
        let done = instance.run(TRY);
        assert_eq!(done.out, "Shared\nconnected, not to others\nlooked\n");
    });
}
