//! Who connects, and which of them are believed when they say who stands behind them.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use proxy::Listener;
use tokio::net::{TcpListener, TcpStream};

/// Networks of proxies that stand before the guard. Whoever can connect from one of them can pass for
/// anybody's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrustedProxies(Vec<IpNet>);

/// Why a text names no such network.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UntrustedProxy {
    #[error("is neither an address nor a network such as 10.0.0.0/8")]
    Unreadable,
    #[error("has an address within the network; the network is {0}")]
    Within(IpNet),
    #[error("is everybody: anyone could then pass for anyone's address")]
    Everybody,
    #[error("is an IPv4 network in IPv6's clothes: write it as one of IPv4")]
    Mapped,
}

/// One side of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// In its own protocol: a client of IPv4 at a listener of IPv6 has its address of IPv4.
    pub(crate) address: SocketAddr,
    pub(crate) is_trusted: bool,
}

/// Where connections come in, each with who it is.
pub(crate) struct Entrance {
    listener: TcpListener,
    trusted: Arc<TrustedProxies>,
}

impl TrustedProxies {
    /// The networks that these texts name.
    ///
    /// # Errors
    /// [`UntrustedProxy`], with the text it is about.
    pub(crate) fn parse(texts: &[String]) -> Result<Self, (String, UntrustedProxy)> {
        let parse = |text: &String| network(text).map_err(|error| (text.clone(), error));
        texts.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    pub(crate) fn peer(&self, address: SocketAddr) -> Peer {
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        Peer { address, is_trusted: self.contains(address.ip()) }
    }
}

/// This machine, where the built-in edge is.
impl Default for TrustedProxies {
    fn default() -> Self {
        let v4 = Ipv4Net::new_assert([127, 0, 0, 0].into(), 8);
        let v6 = Ipv6Net::new_assert(std::net::Ipv6Addr::LOCALHOST, 128);
        Self(vec![v4.into(), v6.into()])
    }
}

impl std::fmt::Display for TrustedProxies {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, network) in self.0.iter().enumerate() {
            write!(formatter, "{}{network}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl Entrance {
    pub(crate) fn new(listener: TcpListener, trusted: Arc<TrustedProxies>) -> Self {
        Self { listener, trusted }
    }
}

impl Listener for Entrance {
    type Io = TcpStream;
    type Peer = Peer;

    async fn accept(&self) -> io::Result<(TcpStream, Peer)> {
        let (stream, address) = Listener::accept(&self.listener).await?;
        Ok((stream, self.trusted.peer(address)))
    }

    /// Behind a proxy are many.
    fn address(peer: &Peer) -> Option<IpAddr> {
        (!peer.is_trusted).then(|| peer.address.ip())
    }
}

fn network(text: &str) -> Result<IpNet, UntrustedProxy> {
    let whole = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let network = whole.map_err(|_| UntrustedProxy::Unreadable)?;
    match network {
        network if network.prefix_len() == 0 => Err(UntrustedProxy::Everybody),
        network if network != network.trunc() => Err(UntrustedProxy::Within(network.trunc())),
        IpNet::V6(v6) if v6.prefix_len() >= 96 && v6.network().to_ipv4_mapped().is_some() => {
            Err(UntrustedProxy::Mapped)
        }
        network => Ok(network),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn parse(texts: &[&str]) -> Result<TrustedProxies, (String, UntrustedProxy)> {
        TrustedProxies::parse(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn only_this_machine_is_trusted_unless_it_is_said_otherwise() {
        let trusted = TrustedProxies::default();
        assert_eq!(trusted.to_string(), "127.0.0.0/8, ::1/128");
        for (address, is_trusted) in [
            ("127.0.0.1:5", true),
            ("127.9.9.9:5", true),
            ("[::1]:5", true),
            ("[::ffff:127.0.0.1]:5", true),
            ("10.0.0.1:5", false),
            ("[::ffff:10.0.0.1]:5", false),
            ("[::2]:5", false),
        ] {
            let peer = trusted.peer(address.parse().unwrap());
            assert_eq!(peer.is_trusted, is_trusted, "{address}");
            assert_eq!(Entrance::address(&peer).is_none(), is_trusted, "{address}");
        }
        assert_eq!(trusted.peer("[::ffff:10.0.0.1]:5".parse().unwrap()).address, "10.0.0.1:5".parse().unwrap());
    }

    #[test]
    fn networks_and_addresses_can_be_named_and_nothing_vague() {
        let trusted = parse(&["10.1.0.0/16", "192.0.2.7", "fd12::/16"]).unwrap();
        for (address, is_trusted) in
            [("10.1.255.1", true), ("10.2.0.1", false), ("192.0.2.7", true), ("192.0.2.8", false), ("fd12::9", true)]
        {
            assert_eq!(trusted.contains(address.parse().unwrap()), is_trusted, "{address}");
        }
        assert!(!trusted.contains("127.0.0.1".parse().unwrap()), "what is said takes the place of the default");
        for (text, why) in [
            ("", UntrustedProxy::Unreadable),
            ("localhost", UntrustedProxy::Unreadable),
            ("10.0.0.0/33", UntrustedProxy::Unreadable),
            ("10.0.0.1:80", UntrustedProxy::Unreadable),
            ("10.0.0.1/8", UntrustedProxy::Within("10.0.0.0/8".parse().unwrap())),
            ("0.0.0.0/0", UntrustedProxy::Everybody),
            ("::/0", UntrustedProxy::Everybody),
            ("::ffff:10.0.0.0/104", UntrustedProxy::Mapped),
        ] {
            assert_eq!(parse(&["10.1.0.0/16", text]), Err((text.to_owned(), why)), "{text}");
        }
    }
}
