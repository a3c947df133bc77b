//! An upstream at another company: it has to prove its name, and then everything is as it is without TLS.

use std::sync::Arc;

use proxy::{Address, Timeouts, Upstream};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::support::{Front, soon};

/// Made once, for a hundred years: the authority's key is gone, and nobody else believes it.
const AUTHORITY: &[u8] = include_bytes!("support/tls/authority.pem");
const CERTIFICATE: &[u8] = include_bytes!("support/tls/origin.pem");
const KEY: &[u8] = include_bytes!("support/tls/origin.key.pem");

/// What a client believes: those authorities.
fn believing(authorities: &[&[u8]]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(CertificateDer::from_pem_slice(authority).unwrap()).unwrap();
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots).with_no_client_auth()
}

/// An origin that proves to be `origin.example`.
struct Origin {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Origin {
    async fn start() -> Self {
        let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()];
        let mut config = builder.with_single_cert(chain, PrivateKeyDer::from_pem_slice(KEY).unwrap()).unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }

    /// A front that calls it by this name.
    async fn behind(&self, name: &str, config: ClientConfig) -> Front {
        let address = Address::Tcp(self.listener.local_addr().unwrap().to_string());
        let name = ServerName::try_from(name.to_owned()).unwrap();
        Front::with(Upstream::new(address, Timeouts::default()).over_tls(name, config)).await
    }

    async fn accept(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let (stream, _) = soon("a connection", self.listener.accept()).await?;
        soon("a handshake", self.acceptor.accept(stream)).await
    }
}

async fn read_until(stream: &mut TlsStream<TcpStream>, end: &str) -> String {
    let mut seen = Vec::new();
    while !seen.ends_with(end.as_bytes()) {
        assert!(soon("more of it", stream.read_buf(&mut seen)).await.unwrap() > 0, "{seen:?}");
    }
    String::from_utf8(seen).unwrap()
}

#[tokio::test]
async fn an_origin_that_proves_its_name_answers_on_one_connection_again_and_again() {
    let origin = Origin::start().await;
    let front = origin.behind("origin.example", believing(&[AUTHORITY])).await;
    let mut client = front.connect().await;
    client.send("GET /1 HTTP/1.1\r\nHost: acme.example\r\n\r\n").await;
    let mut server = origin.accept().await.unwrap();
    assert_eq!(server.get_ref().1.server_name(), Some("origin.example"));
    assert_eq!(server.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    for number in 1..=3 {
        let head = read_until(&mut server, "\r\n\r\n").await;
        assert!(head.starts_with(&format!("GET /{number} HTTP/1.1\r\n")), "{head}");
        server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        server.flush().await.unwrap();
        client.until("\r\n\r\nok").await;
        if number < 3 {
            client.send(format!("GET /{} HTTP/1.1\r\nHost: acme.example\r\n\r\n", number + 1)).await;
        }
    }
}

#[tokio::test]
async fn a_tunnel_opens_over_tls() {
    let origin = Origin::start().await;
    let front = origin.behind("origin.example", believing(&[AUTHORITY])).await;
    let mut client = front.connect().await;
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    client.send(format!("GET /ws HTTP/1.1\r\nHost: acme.example\r\n{upgrade}\r\n")).await;
    let mut server = origin.accept().await.unwrap();
    read_until(&mut server, "\r\n\r\n").await;
    server.write_all(format!("HTTP/1.1 101 Switching Protocols\r\n{upgrade}\r\n").as_bytes()).await.unwrap();
    server.flush().await.unwrap();
    assert!(client.head().await.starts_with("HTTP/1.1 101"));
    client.send("hello").await;
    assert_eq!(read_until(&mut server, "hello").await, "hello");
    server.write_all(b"welcome").await.unwrap();
    server.flush().await.unwrap();
    client.until("welcome").await;
}

#[tokio::test]
async fn whoever_can_not_prove_the_name_gets_nothing_of_the_request() {
    for (name, config) in [("other.example", believing(&[AUTHORITY])), ("origin.example", believing(&[]))] {
        let origin = Origin::start().await;
        let front = origin.behind(name, config).await;
        let mut client = front.connect().await;
        client.send("GET /secret HTTP/1.1\r\nHost: acme.example\r\n\r\n").await;
        let broken = match origin.accept().await {
            Err(_) => true,
            // With TLS 1.3 the server may be done before it hears that the client is not.
            Ok(mut server) => server.read(&mut [0; 64]).await.map_or(true, |read| read == 0),
        };
        assert!(broken, "{name}");
        client.until("unreachable").await;
    }
}
