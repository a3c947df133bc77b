//! Whatever bytes come over a connection: of a stranger's requests, those for the public path alone
//! reach the application, and none reaches the app that it makes. The guard is the real one, from the
//! first byte to the application's socket.
#![no_main]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::LazyLock;

use guard::fuzzing::Door;
use libfuzzer_sys::fuzz_target;

const PUBLIC: &str = "/robots.txt";

static DOOR: LazyLock<Door> = LazyLock::new(|| {
    let application = format!("http://{}", upstream(is_for_everybody));
    let app = upstream(|_| false).port().to_string();
    let of_issuer = ["--issuer", "http://localhost:9", "--audience", "a"];
    let of_application = ["--upstream", &application, "--public-path", PUBLIC, "--app-health", PUBLIC];
    let of_app = ["--app-port", &app, "--app-host", "acme-app.example", "--app-prefix", "/yourapp/"];
    Door::new(&[&of_issuer[..], &of_application[..], &of_app[..]].concat()).unwrap()
});

fuzz_target!(|bytes: &[u8]| {
    let answer = DOOR.converse(bytes).unwrap();
    let is_http2 = bytes.starts_with(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert!(answer.is_empty() || is_http2 || answer.starts_with(b"HTTP/1."), "{}", answer.escape_ascii());
});

/// Whether a request that got through is one that anybody may send, and names nobody.
fn is_for_everybody(head: &str) -> bool {
    let mut lines = head.split("\r\n");
    let target = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    let names: Vec<String> = lines.map(|line| line.to_ascii_lowercase().replace('_', "-")).collect();
    let claims = names.iter().any(|name| ["x-spinoff-", "cf-"].iter().any(|claim| name.starts_with(claim)));
    target.split('?').next() == Some(PUBLIC) && !claims
}

/// A server that ends the whole program when a request comes that should not have: the input that is
/// tried then, or the one before, is the one that broke the rule.
fn upstream(may_come: fn(&str) -> bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { continue };
            // Whoever asked may have left first.
            let Some(head) = head(&mut connection) else { continue };
            if !may_come(&head) {
                // To standard output: the guard writes its log to the other one.
                println!("A stranger's request got through:\n{head}");
                std::process::abort();
            }
            let _ = connection.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
        }
    });
    address
}

fn head(connection: &mut TcpStream) -> Option<String> {
    let (mut head, mut piece) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match connection.read(&mut piece) {
            Ok(read @ 1..) => head.extend_from_slice(&piece[..read]),
            _ => return None,
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}
