use std::net::TcpListener;
use std::path::Path;

use sandbox::{Loopback, Network, Promises};

use crate::harness::House;

const CONNECT: &str =
    "perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(qq(127.0.0.1:$ARGV[0])) ? q(connected) : qq(refused)'";
const SERVE_ITSELF: &str = "perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 5, LocalAddr => q(127.0.0.1)) or die; \
     print IO::Socket::INET->new(q(127.0.0.1:) . $s->sockport) ? q(connected) : q(refused)'";

fn promises() -> Promises {
    Promises::find_out(Path::new(env!("CARGO_BIN_EXE_sandbox-run"))).unwrap()
}

#[test]
fn what_is_promised_here_is_enough_to_run_commands() {
    let promises = promises();
    assert!(promises.suffice(), "{:?}", promises.broken());
}

#[test]
fn only_the_listed_ports_are_reached() {
    if !promises().ports {
        return;
    }
    let house = House::new();
    let listeners = [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap()];
    let [open, closed] = listeners.each_ref().map(|listener| listener.local_addr().unwrap().port());
    let wall = house.wall().network(Network::Ports { connect: [open].into(), listen: [].into() });
    let script = format!(
        "perl -MIO::Socket::INET -e 'for (@ARGV) {{ print IO::Socket::INET->new(qq(127.0.0.1:$_)) ? q(connected ) : $!+0 }}' {open} {closed}"
    );
    let done = house.start(&wall, &script).finish();
    assert_eq!(done.out, "connected 13", "the second is denied");
}

#[test]
fn without_a_network_there_is_no_socket() {
    let house = House::new();
    let done = house.run("perl -MSocket -e 'socket(S, AF_INET, SOCK_STREAM, 0) ? print 1 : print $!+0'");
    assert_eq!(done.out, "1", "operation not permitted");
}

#[test]
fn a_test_reaches_the_server_it_starts_and_not_the_machines() {
    if promises().loopback == Loopback::None {
        return;
    }
    let house = House::new();
    let machine = TcpListener::bind("127.0.0.1:0").unwrap();
    let except = [machine.local_addr().unwrap().port()].into();
    let wall = house.wall().network(Network::Loopback { except });
    let done = house.start(&wall, SERVE_ITSELF).finish();
    assert_eq!(done.out, "connected");
    let script = format!("{CONNECT} {}", machine.local_addr().unwrap().port());
    assert_eq!(house.start(&wall, &script).finish().out, "refused");
}
