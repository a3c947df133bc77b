//! Clients as people have them, and more than fits into memory.
//!
//! By default these are small enough for every run. `SPINOFF_TEST_FULL=1` makes them as large as they
//! are promised to be: two gigabytes up, ten minutes of events.

use std::process::{Output, Stdio};
use std::time::Duration;

use crate::support::{Guard, Town, bearer, soon};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::time::Instant;

const MEGABYTE: u64 = 1024 * 1024;
/// What a guard may grow by under load of any size: buffers of some connections, no body.
const ROOM: u64 = 8 * MEGABYTE;

fn is_full() -> bool {
    std::env::var_os("SPINOFF_TEST_FULL").is_some_and(|full| full == "1")
}

/// Runs curl to its end. Its answer goes to standard output, and what it was told to say after it.
async fn curl(arguments: &[&str]) -> Output {
    let mut command = Command::new("curl");
    // Longer than any test waits: a curl that outlives it is a failure.
    command.args(["--silent", "--show-error", "--max-time", "1200"]).args(arguments);
    command.stdin(Stdio::null()).kill_on_drop(true);
    match command.output().await {
        Ok(output) => output,
        Err(error) => panic!("curl does not run ({error}): install what Debian calls curl, and try again"),
    }
}

/// What curl printed; it must have succeeded.
async fn curled(arguments: &[&str]) -> String {
    let output = soon("curl", curl(arguments)).await;
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {said} {complained}");
    said.into_owned()
}

/// The most memory that the process ever held.
fn peak(guard: &Guard) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", guard.process.id().unwrap())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// A file of so many zeros, which takes up no room.
fn zeros(town: &Town, bytes: u64) -> String {
    let path = town.folder.path().join("zeros");
    std::fs::File::create(&path).unwrap().set_len(bytes).unwrap();
    path.display().to_string()
}

#[tokio::test]
async fn curl_reads() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let (ada, url) = (bearer(&town.ada()), format!("http://{}/page?x=%2F&y=a+b", guard.address));
    let said = curled(&["--header", &ada, "--write-out", " %{http_code}", &url]).await;
    assert_eq!(said, "app got  200");
    assert!(town.app.last().starts_with("GET /page?x=%2F&y=a+b\n"), "{}", town.app.last());
    let cookie = format!("CF_Authorization={}", town.ada());
    assert_eq!(curled(&["--cookie", &cookie, "--write-out", " %{http_code}", &url]).await, "app got  200");
    let head = curled(&["--head", "--header", &ada, &url]).await;
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    // Two addresses, one connection.
    let both = curled(&["--header", &ada, "--write-out", " %{num_connects}\n", &url, &url]).await;
    assert_eq!(both, "app got  1\napp got  0\n");
    let seen = town.app.seen().len();
    let refused = curled(&["--output", "/dev/null", "--write-out", "%{http_code}", &url]).await;
    assert_eq!((refused.as_str(), town.app.seen().len()), ("401", seen));
}

#[tokio::test]
async fn curl_speaks_http_2_from_the_first_byte() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let (ada, url) = (bearer(&town.ada()), format!("http://{}/page", guard.address));
    let prior = ["--http2-prior-knowledge", "--write-out", " %{http_version} %{http_code}"];
    let said = curled(&[&prior[..], &["--header", &ada, &url]].concat()).await;
    assert_eq!(said, "app got  2 200");
    let said = curled(&[&prior[..], &["--header", &ada, "--data", "x=1", &url]].concat()).await;
    assert_eq!(said, "app got x=1 2 200");
    assert!(town.app.last().starts_with("POST /page\n") && town.app.last().contains("\nhost: "), "{}", town.app.last());
    let seen = town.app.seen().len();
    for lines in [vec![], vec![ada.as_str(), ada.as_str()], vec!["X-Spinoff-User: ada@example.com"]] {
        let lines: Vec<&str> = lines.iter().flat_map(|line| ["--header", line]).collect();
        let refused = curled(&[&prior[..], &["--output", "/dev/null", &url], &lines].concat()).await;
        assert_eq!(refused, " 2 401", "{lines:?}");
    }
    assert_eq!(town.app.seen().len(), seen);
    let large = zeros(&town, 8 * MEGABYTE);
    let measure = format!("http://{}/measure", guard.address);
    let said = curled(&[&prior[..], &["--header", &ada, "--upload-file", &large, &measure]].concat()).await;
    assert_eq!(said, format!("{} bytes 2 200", 8 * MEGABYTE));
}

#[tokio::test]
async fn curl_waits_for_leave_to_upload_and_sends_nothing_without_it() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let (ada, url) = (bearer(&town.ada()), format!("http://{}/measure", guard.address));
    let file = zeros(&town, 4 * MEGABYTE);
    let upload = ["--upload-file", &file, "--header", "Expect: 100-continue", "--expect100-timeout", "60"];
    let told = ["--dump-header", "-", "--write-out", " %{size_upload}"];
    let said = curled(&[&upload[..], &told, &["--header", &ada, &url]].concat()).await;
    let (leave, rest) = said.split_once("\r\n\r\n").unwrap();
    assert_eq!(leave, "HTTP/1.1 100 Continue", "{said}");
    assert!(rest.starts_with("HTTP/1.1 200 OK") && rest.ends_with(&format!("{0} bytes {0}", 4 * MEGABYTE)), "{said}");

    let seen = town.app.seen().len();
    let said = curled(&[&upload[..], &told, &["--output", "/dev/null", &url]].concat()).await;
    assert!(said.starts_with("HTTP/1.1 401 Unauthorized") && said.ends_with(" 0"), "{said}");
    assert_eq!(town.app.seen().len(), seen);
}

#[tokio::test]
async fn curl_uploads_in_chunks_and_is_cut_off_without_leave() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let (ada, url) = (bearer(&town.ada()), format!("http://{}/measure", guard.address));
    let file = zeros(&town, 4 * MEGABYTE);
    let chunked = ["--upload-file", &file, "--header", "Transfer-Encoding: chunked", "--header", "Expect:"];
    let said = curled(&[&chunked[..], &["--header", &ada, &url]].concat()).await;
    assert_eq!(said, format!("{} bytes", 4 * MEGABYTE));
    assert!(town.app.last().contains("transfer-encoding: chunked\n"), "{}", town.app.last());

    // Whoever does not ask for leave learns the refusal while he sends; his body goes nowhere.
    let seen = town.app.seen().len();
    let refused =
        soon("curl", curl(&[&chunked[..], &["--dump-header", "-", "--output", "/dev/null", &url]].concat())).await;
    let said = String::from_utf8_lossy(&refused.stdout);
    assert!(said.starts_with("HTTP/1.1 401 "), "{said} {}", String::from_utf8_lossy(&refused.stderr));
    assert_eq!(town.app.seen().len(), seen);
}

#[tokio::test]
async fn an_upload_of_any_size_takes_the_same_memory() {
    let town = Town::new().await;
    let guard = town.guard().await;
    let size = if is_full() { 2048 * MEGABYTE } else { 64 * MEGABYTE };
    let (ada, url) = (bearer(&town.ada()), format!("http://{}/measure", guard.address));
    // Once small, so that what grows afterwards grows with the size.
    let small = curled(&["--header", &ada, "--data", "x", &url]).await;
    assert_eq!(small, "1 bytes");
    let before = peak(&guard);
    let file = zeros(&town, size);
    for more in [&["--header", "Expect:"][..], &["--header", "Transfer-Encoding: chunked"]] {
        let output = curl(&[&["--header", ada.as_str(), "--upload-file", &file], more, &[&url]].concat()).await;
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{size} bytes"), "{output:?}");
    }
    let grown = peak(&guard).saturating_sub(before);
    println!("{size} bytes up took {grown} bytes of memory more than one byte did, {before}");
    assert!(grown < ROOM, "{grown} bytes more for {size} bytes");
}

/// Bytes of one event.
const EVENT: usize = 1024;
/// What sockets and guard may hold between an application and a reader who does not read.
const IN_THE_PIPE: u64 = 48 * MEGABYTE;

/// An application's end of a stream of numbered events.
struct Events {
    stream: TcpStream,
    begun: u64,
    unsent: Vec<u8>,
}

impl Events {
    fn on(stream: TcpStream) -> Self {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        Self { stream, begun: 0, unsent: head.into() }
    }

    /// Writes until nobody has taken any more for a moment. Should that moment be over too soon, less is
    /// in the pipe, and nothing else is different.
    async fn fill(&mut self) {
        let moment = Duration::from_millis(200);
        loop {
            if self.unsent.is_empty() {
                let text = format!("data: {:<1$}\n\n", self.begun, EVENT - 8);
                self.unsent = format!("{:x}\r\n{text}\r\n", text.len()).into_bytes();
                self.begun += 1;
            }
            match self.stream.try_write(&self.unsent) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    if tokio::time::timeout(moment, self.stream.writable()).await.is_err() {
                        return;
                    }
                }
                Err(error) => panic!("the guard closed the stream: {error}"),
            }
        }
    }

    /// Sends what was begun, and the end.
    async fn finish(&mut self) {
        self.unsent.extend_from_slice(b"0\r\n\r\n");
        self.stream.write_all(&self.unsent).await.unwrap();
    }
}

/// A client's end of it.
struct Reader {
    body: Incoming,
    unread: Vec<u8>,
    read: u64,
}

impl Reader {
    async fn open(guard: &Guard, line: &str) -> Self {
        let stream = TcpStream::connect(&guard.address).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let (name, value) = line.split_once(": ").unwrap();
        let request = Request::get("/events").header("host", "acme.test").header(name, value);
        let answer = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
        Self { body: answer.into_body(), unread: Vec::new(), read: 0 }
    }

    /// Reads so many events, or to the end, and checks that none is missing.
    async fn take(&mut self, events: u64) {
        let goal = self.read.saturating_add(events);
        while self.read < goal {
            let Some(frame) = soon("an event", self.body.frame()).await else { return };
            self.unread.extend_from_slice(&frame.expect("the stream is whole").into_data().unwrap());
            let whole = self.unread.len() / EVENT * EVENT;
            for event in self.unread[..whole].chunks(EVENT) {
                let text = std::str::from_utf8(event).unwrap();
                assert_eq!(text.strip_prefix("data: ").unwrap().trim_end(), self.read.to_string());
                self.read += 1;
            }
            self.unread.drain(..whole);
        }
    }
}

#[tokio::test]
async fn events_wait_for_a_reader_who_does_not_read_and_take_no_memory() {
    let town = Town::new().await;
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let guard =
        Guard::start(&town.settings_with("GUARD_UPSTREAM", format!("http://{}", upstream.local_addr().unwrap())), &[])
            .await;
    let ada = bearer(&town.ada());
    let before = peak(&guard);
    let (mut reader, mut events) = tokio::join!(Reader::open(&guard, &ada), async {
        let (mut stream, _) = soon("the request", upstream.accept()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(soon("its head", stream.read_u8()).await.unwrap());
        }
        let mut events = Events::on(stream);
        events.fill().await;
        events
    });
    let end = Instant::now() + if is_full() { Duration::from_secs(600) } else { Duration::ZERO };
    let mut rounds = 0;
    while rounds < 3 || Instant::now() < end {
        events.fill().await;
        let waiting = events.begun - reader.read;
        assert!(waiting * (EVENT as u64) < IN_THE_PIPE, "{waiting} events went out to nobody");
        reader.take(waiting / 2).await;
        rounds += 1;
    }
    let begun = events.begun;
    tokio::join!(events.finish(), reader.take(u64::MAX));
    assert_eq!(reader.read, begun, "all of them, and the end");
    let grown = peak(&guard).saturating_sub(before);
    println!("{begun} events in {rounds} rounds took {grown} bytes of memory, {before} before");
    assert!(grown < ROOM, "{grown} bytes more");
}
