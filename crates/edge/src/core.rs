use std::sync::Arc;

use access::{Issuer, KeySet, Verifier};
use domain::Email;
use jiff::SignedDuration;
use store::Db;
use url::Url;
use world::{Clock, Entropy, Sealer};

use crate::hostname::Hostname;
use crate::hostnames::Hostnames;
use crate::upstreams::Upstreams;
use crate::{CodeMail, EdgeError, Settings, keys};

/// What every part of the edge works with.
pub(crate) struct Core {
    pub(crate) db: Db,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) settings: Settings,
    pub(crate) mail: Arc<dyn CodeMail>,
    pub(crate) issuer: Issuer,
    pub(crate) keys: KeySet,
    pub(crate) site: Site,
    pub(crate) hostnames: Hostnames,
    pub(crate) upstreams: Upstreams,
}

/// The main site, which is one more hostname that people sign in to.
pub(crate) struct Site {
    pub(crate) hostname: Hostname,
    pub(crate) audience: String,
    pub(crate) verifier: Verifier,
    pub(crate) scheme: String,
    port: Option<u16>,
}

impl Core {
    pub(crate) async fn open(
        db: Db,
        sealer: Arc<Sealer>,
        clock: Clock,
        entropy: Entropy,
        settings: Settings,
        mail: Arc<dyn CodeMail>,
    ) -> Result<Self, EdgeError> {
        let (site, origin) = Site::read(&settings.public_url, &sealer)?;
        let key = keys::open(&db, &sealer, &clock).await?;
        let issuer = Issuer::new(origin, key);
        let keys = KeySet::parse(issuer.key_set_json().as_bytes())?;
        let (hostnames, upstreams) = (Hostnames::default(), Upstreams::new(settings.origin_address));
        Ok(Self { db, sealer, clock, entropy, settings, mail, issuer, keys, site, hostnames, upstreams })
    }

    pub(crate) async fn admits(&self, hostname: &Hostname, email: &Email) -> Result<bool, EdgeError> {
        self.hostnames.admits(&self.db, hostname, email, self.clock.now()).await
    }

    /// Whether requests for a name come here.
    pub(crate) fn is_ours(&self, name: &Hostname) -> bool {
        let base = &self.settings.base_domain;
        *name == self.site.hostname || name.as_str() == base || name.is_below(base)
    }

    pub(crate) fn code_lifetime(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.settings.code_minutes))
    }

    pub(crate) fn session_lifetime(&self) -> SignedDuration {
        SignedDuration::from_hours(i64::from(self.settings.session_hours))
    }

    /// A hostname as it stands in a browser's address bar, port included.
    pub(crate) fn shown(&self, hostname: &Hostname) -> String {
        match self.site.port {
            Some(port) => format!("{hostname}:{port}"),
            None => hostname.to_string(),
        }
    }
}

impl Site {
    fn read(public_url: &str, sealer: &Sealer) -> Result<(Self, String), EdgeError> {
        let fail = || EdgeError::PublicUrl(public_url.to_owned());
        let url = Url::parse(public_url).map_err(|_| fail())?;
        let hostname = url.host_str().and_then(|host| Hostname::parse(host).ok()).ok_or_else(fail)?;
        if !matches!(url.scheme(), "http" | "https") || url.path() != "/" || url.query().is_some() {
            return Err(fail());
        }
        let audience = hex::encode(sealer.derive("edge audience", "site"));
        let origin = url.origin().ascii_serialization();
        let verifier = Verifier::new(&origin, vec![audience.clone()]).ok_or_else(fail)?;
        let site = Self { hostname, audience, verifier, scheme: url.scheme().to_owned(), port: url.port() };
        Ok((site, origin))
    }
}
