//! The proxy over real sockets, played by an application that knows what to ask.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// Fails the test instead of hanging it.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("never happened")
}

struct Proxy {
    folder: tempfile::TempDir,
    serving: AbortOnDropHandle<()>,
}

impl Proxy {
    fn start(rules: &[&str], bounds: Bounds) -> Self {
        Self::start_in(room(), rules, bounds)
    }

    fn start_in(room: Arc<Semaphore>, rules: &[&str], bounds: Bounds) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = listen(folder.path(), &folder.path().join("egress.sock")).unwrap();
        let gateway = Arc::new(gateway(rules, bounds));
        Self { serving: AbortOnDropHandle::new(tokio::spawn(serve(listener, gateway, room))), folder }
    }

    async fn connect(&self) -> UnixStream {
        UnixStream::connect(self.folder.path().join("egress.sock")).await.unwrap()
    }

    /// A connection on which this was sent, and the head of the answer.
    async fn ask(&self, request: &str) -> (UnixStream, String) {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let head = answer(&mut stream).await;
        (stream, head)
    }

    async fn tunnel(&self, destination: impl std::fmt::Display) -> (UnixStream, String) {
        self.ask(&format!("CONNECT {destination} HTTP/1.1\r\nHost: {destination}\r\n\r\n")).await
    }
}

fn gateway(rules: &[&str], bounds: Bounds) -> Gateway {
    let instance = InstanceId::new(jiff::Timestamp::UNIX_EPOCH, [7; 10]);
    Gateway::new(instance, rules.iter().map(|rule| rule.parse().unwrap()).collect(), bounds)
}

/// Up to the blank line, and no byte further.
async fn answer(stream: &mut UnixStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(soon(stream.read_u8()).await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn rest(stream: &mut UnixStream) -> String {
    let mut text = String::new();
    soon(stream.read_to_string(&mut text)).await.unwrap();
    text
}

/// Sends back everything once the sender has finished.
async fn echo_at_the_end() -> (SocketAddr, AbortOnDropHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut all = Vec::new();
                stream.read_to_end(&mut all).await.unwrap();
                stream.write_all(&all).await.unwrap();
            });
        }
    });
    (address, AbortOnDropHandle::new(serving))
}

#[tokio::test]
async fn a_listed_destination_is_reached_and_each_end_is_passed_on_alone() {
    let (address, _echo) = echo_at_the_end().await;
    let proxy = Proxy::start(&[&address.to_string()], Bounds::default());
    let (mut stream, head) = proxy.ask(&format!("CONNECT {address} HTTP/1.0\r\n\r\nearly, ")).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let long = "0123456789".repeat(100_000);
    let (mut reading, mut writing) = stream.split();
    let sending = async {
        writing.write_all(long.as_bytes()).await.unwrap();
        writing.shutdown().await.unwrap();
    };
    let mut echoed = String::new();
    let (_, read) = soon(async { tokio::join!(sending, reading.read_to_string(&mut echoed)) }).await;
    read.unwrap();
    assert!(echoed == format!("early, {long}"), "{} bytes came back", echoed.len());
}

#[tokio::test]
async fn what_is_not_listed_is_refused_with_the_setting_to_change() {
    let (address, _echo) = echo_at_the_end().await;
    let other = SocketAddr::new(address.ip(), if address.port() == 1 { 2 } else { 1 });
    let proxy = Proxy::start(&[&other.to_string(), "*.example.com:443"], Bounds::default());
    for wanted in [address.to_string(), "example.com:443".to_owned(), "www.example.com:80".to_owned()] {
        let (mut stream, head) = proxy.tunnel(&wanted).await;
        let says = format!("{wanted} is not listed in [compute] egress");
        assert!(head.starts_with(&format!("HTTP/1.1 403 {says}")), "{head}");
        let body = rest(&mut stream).await;
        assert!(body.starts_with(&says) && body.lines().count() == 1, "{body}");
    }
}

#[tokio::test]
async fn a_name_does_not_lead_to_this_machine_unless_the_address_is_listed_too() {
    let (address, _echo) = echo_at_the_end().await;
    let name = format!("localhost:{}", address.port());
    let proxy = Proxy::start(&[&name], Bounds::default());
    let (_, head) = proxy.tunnel(&name).await;
    assert!(head.starts_with("HTTP/1.1 403 ") && head.contains("not a public address"), "{head}");
    assert!(head.contains("[compute] egress"), "{head}");

    let proxy = Proxy::start(&[&name, &address.to_string()], Bounds::default());
    let (mut stream, head) = proxy.tunnel(&name).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    stream.write_all(b"hello").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(rest(&mut stream).await, "hello");
}

#[test]
fn of_all_addresses_of_a_name_only_those_elsewhere_are_connected_to() {
    let gateway = gateway(&["*.example.com:443", "10.0.0.7:443"], Bounds::default());
    let destination = Destination::parse("rebound.example.com:443").unwrap();
    let judge = |addresses: &[&str]| {
        let found = addresses.iter().map(|address| address.parse().unwrap()).collect();
        let allowed = gateway.allowed(&destination, found);
        allowed.map(|allowed| allowed.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let mixed = ["127.0.0.1:443", "[::1]:443", "[::ffff:169.254.169.254]:443", "8.8.8.8:443", "10.0.0.8:443"];
    assert_eq!(judge(&mixed).unwrap(), ["8.8.8.8:443"]);
    assert_eq!(judge(&["10.0.0.7:443", "[::ffff:10.0.0.7]:443"]).unwrap().len(), 2);
    for bad in [&["10.0.0.8:443"][..], &["127.0.0.1:443", "[fe80::1]:443"], &["[::ffff:10.0.0.8]:443"]] {
        assert_eq!(judge(bad).unwrap_err().status, 403, "{bad:?}");
    }
    assert_eq!(judge(&[]).unwrap_err().status, 502);
}

#[tokio::test]
async fn a_destination_that_does_not_answer_is_a_bad_gateway() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let proxy = Proxy::start(&[&address.to_string()], Bounds::default());
    let (_, head) = proxy.tunnel(address).await;
    assert!(head.starts_with(&format!("HTTP/1.1 502 {address} cannot be reached")), "{head}");
}

#[tokio::test]
async fn what_is_no_request_for_a_tunnel_is_refused_however_long_it_is() {
    let proxy = Proxy::start(&["*.example.com:443"], Bounds::default());
    let get = "GET http://www.example.com/ HTTP/1.1\r\nHost: www.example.com\r\n\r\n";
    let (_, head) = proxy.ask(get).await;
    assert!(head.starts_with("HTTP/1.1 405 ") && head.contains("\r\nallow: CONNECT\r\n"), "{head}");
    let (_, head) = proxy.ask("\x16\x03\x01 tls without a proxy \r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    let (mut stream, head) =
        proxy.ask(&format!("CONNECT www.example.com:443 HTTP/1.1\r\nA: {}", "a".repeat(60_000))).await;
    assert!(head.starts_with("HTTP/1.1 431 "), "{head}");
    assert!(rest(&mut stream).await.contains("longer than"));
}

#[tokio::test]
async fn who_asks_too_slowly_or_not_at_all_is_let_go() {
    let proxy = Proxy::start(&[], Bounds { asking: Duration::from_millis(50), ..Bounds::default() });
    let (_, head) = proxy.ask("CONNECT www.exam").await;
    assert!(head.starts_with("HTTP/1.1 408 "), "{head}");
    let mut silent = proxy.connect().await;
    silent.shutdown().await.unwrap();
    assert_eq!(rest(&mut silent).await, "");
}

#[tokio::test]
async fn an_instance_has_so_many_tunnels_and_gets_another_when_one_closes() {
    let (address, _echo) = echo_at_the_end().await;
    let proxy = Proxy::start(&[&address.to_string()], Bounds { tunnels: 2, ..Bounds::default() });
    let (mut first, _) = proxy.tunnel(address).await;
    let (_second, _) = proxy.tunnel(address).await;
    let (_, head) = proxy.tunnel(address).await;
    assert!(head.starts_with("HTTP/1.1 503 2 tunnels are open"), "{head}");
    first.shutdown().await.unwrap();
    rest(&mut first).await;
    soon(async { while !proxy.tunnel(address).await.1.starts_with("HTTP/1.1 200 ") {} }).await;
}

#[tokio::test]
async fn all_instances_share_the_room_that_the_server_has() {
    let (address, _echo) = echo_at_the_end().await;
    let room = Arc::new(Semaphore::new(1));
    let rules = [address.to_string()];
    let first = Proxy::start_in(Arc::clone(&room), &[&rules[0]], Bounds::default());
    let second = Proxy::start_in(room, &[&rules[0]], Bounds::default());
    let (mut open, _) = first.tunnel(address).await;
    let head = answer(&mut second.connect().await).await;
    assert!(head.starts_with("HTTP/1.1 503 The server has no room"), "{head}");
    open.shutdown().await.unwrap();
    rest(&mut open).await;
    soon(async {
        loop {
            let mut stream = second.connect().await;
            // Refused before it could ask, perhaps.
            let _ = stream.write_all(format!("CONNECT {address} HTTP/1.1\r\n\r\n").as_bytes()).await;
            if answer(&mut stream).await.starts_with("HTTP/1.1 200 ") {
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_silent_tunnel_ends_and_so_do_all_when_the_way_out_closes() {
    let (address, _echo) = echo_at_the_end().await;
    let proxy =
        Proxy::start(&[&address.to_string()], Bounds { silence: Duration::from_millis(50), ..Bounds::default() });
    let (mut stream, head) = proxy.tunnel(address).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert_eq!(rest(&mut stream).await, "");

    let proxy = Proxy::start(&[&address.to_string()], Bounds::default());
    let (mut stream, _) = proxy.tunnel(address).await;
    proxy.serving.abort();
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn the_folder_of_the_socket_may_be_deep_and_a_former_socket_is_replaced() {
    let top = tempfile::tempdir().unwrap();
    let folder = top.path().join("a-long-name-for-a-folder".repeat(8));
    fs::create_dir(&folder).unwrap();
    let socket = folder.join("egress.sock");
    drop(listen(&folder, &socket).unwrap());
    let listener = listen(&folder, &socket).unwrap();
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o666);
    drop(listener);
}
