use crate::hostname::Hostname;

/// Why the edge could not do something.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// The store did not answer, or refused.
    #[error("the store failed: {0}")]
    Store(#[from] sqlx::Error),
    /// A row that this code did not write, or a newer version of it did.
    #[error("the store holds something unreadable: {0}")]
    Unreadable(String),
    /// The signing key could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] world::SealError),
    /// The signing key could not be made, read or used.
    #[error(transparent)]
    Issuer(#[from] access::IssuerError),
    /// The signing key's public half is of no use.
    #[error(transparent)]
    KeySet(#[from] access::KeySetError),
    /// The public URL is not an origin with a hostname.
    #[error("{0:?} can't be the site's public URL: it should look like https://example.com or http://localhost:8080")]
    PublicUrl(String),
    /// A hostname that is not below the base domain, or is the site's own.
    #[error("{hostname} can't be published: it is not a name below {base_domain}")]
    NotBelow {
        /// What was to be published.
        hostname: Hostname,
        /// What published names end with.
        base_domain: String,
    },
    /// A hostname at which another instance's app is shown.
    #[error("{0} can't be published: names like it are for the apps that instances make")]
    AppSite(Hostname),
    /// An origin that leads back here, so that a request would never arrive.
    #[error("{hostname} can't be published: its origin {origin} is this server's own name")]
    Loop {
        /// What was to be published.
        hostname: Hostname,
        /// Where it was to lead.
        origin: Hostname,
    },
    /// Nothing on this machine says which certificates are to be believed.
    #[error("no certificate could be judged: {0}")]
    Certificates(String),
    /// The hostname leads to somebody else's instance.
    #[error("{0} can't be published: it leads to another instance")]
    HostnameTaken(Hostname),
    /// Somebody else's hostname has the same audience, so that sessions would be good at both.
    #[error("{hostname} can't be published: {other}, which belongs to another instance, has the same audience")]
    AudienceTaken {
        /// What was to be published.
        hostname: Hostname,
        /// Who has the audience.
        other: String,
    },
}
