//! What has to hold before anything starts, each refusal in the one sentence that says what to set.

use std::net::{IpAddr, SocketAddr};

use anyhow::{bail, ensure};
use providers::Routing;

use super::{ComputeDriver, Config, EdgeDriver, MailDriver, PaymentsDriver, StorageDriver, homes, is_local};

/// In days.
const LONGEST_UNDO: u16 = 30;

impl Config {
    /// `spinoff up` opens nothing of this machine to others.
    pub fn fits_one_machine(&self) -> anyhow::Result<()> {
        ensure!(
            self.site.listen.ip().is_loopback(),
            "`spinoff up` is for one machine: its mailbox is open to whoever can connect, so it listens on loopback \
             only; {} is not a loopback address; for customers, start `spinoff serve`",
            self.site.listen
        );
        // A reverse proxy on this machine could carry the mailbox, and every sign-in code in it, outside.
        let outside = self.site.public_url().filter(|url| !is_local(host_of(url)));
        let Some(url) = outside.filter(|_| self.mail.driver == MailDriver::Outbox) else { return Ok(()) };
        bail!(
            "[site] public_url is {url}, but mail goes to the built-in mailbox, which everybody could read there; \
             set [mail] driver = \"smtp\", or leave public_url out"
        )
    }

    /// `spinoff serve` is open to everybody, and says so only where that is safe.
    pub fn fits_everybody(&self) -> anyhow::Result<()> {
        let Some(url) = self.site.public_url() else {
            bail!(
                "[site] public_url is missing: set it to the address at which customers find the site, such as \
                 https://example.com; to try things out on this machine, start `spinoff up`"
            )
        };
        ensure!(
            is_private(url),
            "[site] public_url is {url}, which everybody on the way could read and change: set it to an address that \
             begins with https://, and let a reverse proxy on this machine speak TLS there"
        );
        ensure!(
            !is_local(&self.site.base_domain) || is_loopback(url),
            "[site] base_domain is missing: set it to the domain below which instances get their names, such as {}",
            host_of(url)
        );
        ensure!(
            self.mail.driver == MailDriver::Smtp,
            "[mail] driver is outbox, whose mailbox `spinoff serve` shows to nobody, so that nobody could sign in: set \
             [mail] driver = \"smtp\", [mail] from and [smtp] url (or url_file)"
        );
        Ok(())
    }

    /// Whether the drivers can work with each other, and with the addresses of this installation.
    pub(super) fn goes_together(&self) -> anyhow::Result<()> {
        homes::fit(self)?;
        if homes::any(self, ComputeDriver::Railway) && self.compute.driver == ComputeDriver::Local {
            self.railway_fits()?;
            self.base_is_a_domain("[edge] routing is wildcard", "no domain", &self.railway.api_url)?;
        }
        match (self.compute.driver, self.edge.driver) {
            (ComputeDriver::Railway, EdgeDriver::Builtin) if self.edge.routing == Routing::Records => bail!(
                "[compute] driver is railway, but [edge] driver is builtin, which makes no DNS record for an instance; \
                 set [edge] routing = \"wildcard\" and let *.{0} lead here, or set [edge] driver = \"cloudflare\"",
                self.site.base_domain
            ),
            (ComputeDriver::Railway, EdgeDriver::Builtin) => {
                self.railway_fits()?;
                self.base_is_a_domain("[edge] routing is wildcard", "no domain", &self.railway.api_url)?;
            }
            (ComputeDriver::Local, EdgeDriver::Cloudflare) => bail!(
                "[edge] driver is cloudflare, but [compute] driver is local, whose instances have no name that \
                 Cloudflare could lead to; set [compute] driver = \"railway\", or [edge] driver = \"builtin\""
            ),
            (ComputeDriver::Railway, EdgeDriver::Cloudflare) => {
                self.railway_fits()?;
                self.cloudflare_fits()?;
            }
            (ComputeDriver::Local, EdgeDriver::Builtin) => {}
        }
        ensure!(
            self.instances.undo_days <= LONGEST_UNDO,
            "[instances] undo_days says {}; set it to {LONGEST_UNDO} at most: so long nothing is deleted that a customer \
             wants deleted",
            self.instances.undo_days
        );
        self.backups_fit()?;
        self.model.fits()?;
        self.billing.costs.check().map_err(|error| anyhow::anyhow!("[billing.costs] {error}"))?;
        self.billing.dunning.check().map_err(|error| anyhow::anyhow!("[billing.dunning] {error}"))?;
        self.billing.cancellation.check().map_err(|error| anyhow::anyhow!("[billing.cancellation] {error}"))?;
        if self.payments.driver == PaymentsDriver::Stripe {
            is_safe("stripe", &self.stripe.api_url)?;
            self.is_found_from_outside("[payments] driver is stripe", "its events", &self.stripe.api_url)?;
        }
        Ok(())
    }

    fn backups_fit(&self) -> anyhow::Result<()> {
        let backups = &self.backups;
        if backups.driver != StorageDriver::S3 {
            return Ok(());
        }
        let needed = [
            (
                "endpoint",
                &backups.endpoint,
                "the address of the object store, such as https://s3.eu-central-1.amazonaws.com",
            ),
            ("bucket", &backups.bucket, "the bucket that it shall keep backups in, which has to exist"),
            ("access_key_id", &backups.access_key_id, "the id of a key that may put, get, list and delete there"),
        ];
        for (name, value, advice) in needed {
            ensure!(!value.is_empty(), "[backups] driver is s3, but [backups] {name} is missing: set it to {advice}");
        }
        ensure!(
            is_private(&backups.endpoint),
            "[backups] endpoint is {}, where everybody on the way could see what is asked; it has to begin with https://, \
             except on loopback",
            backups.endpoint
        );
        Ok(())
    }

    fn railway_fits(&self) -> anyhow::Result<()> {
        let railway = &self.railway;
        is_safe("railway", &railway.api_url)?;
        is_rehearsal("railway", &railway.api_url, railway.edge_address)?;
        let digest = railway.image.rsplit_once("@sha256:").map_or("", |(_, digest)| digest);
        ensure!(
            digest.len() == 64 && digest.bytes().all(|letter| letter.is_ascii_hexdigit()),
            "[compute] driver is railway, but [railway] image {}; set it to the image that instances run, with \
             registry and digest, such as ghcr.io/you/app@sha256:…",
            if railway.image.is_empty() { "is missing" } else { "names no digest, so that it could change unseen" },
        );
        ensure!(
            railway.vcpus.is_some() == railway.memory_gb.is_some(),
            "[railway] has one of vcpus and memory_gb; Railway takes both or none: set the other too"
        );
        self.is_found_from_outside("[compute] driver is railway", "reports of its guards", &railway.api_url)
    }

    fn cloudflare_fits(&self) -> anyhow::Result<()> {
        let cloudflare = &self.cloudflare;
        is_safe("cloudflare", &cloudflare.api_url)?;
        is_rehearsal("cloudflare", &cloudflare.api_url, cloudflare.edge_address)?;
        self.base_is_a_domain("[edge] driver is cloudflare", "no zone at Cloudflare", &cloudflare.api_url)?;
        let (base, url) = (&self.site.base_domain, self.site.public_url().unwrap_or_default());
        let (host, below) = (host_of(url).to_ascii_lowercase(), format!(".{}", base.to_ascii_lowercase()));
        let label = host.strip_suffix(&below);
        ensure!(
            label.is_none_or(|label| label.contains('.')),
            "[site] public_url is {url}, where Cloudflare Access, which covers *.{base}, would ask every visitor for a \
             code and turn away who is no member yet; set it to https://{base}, or to an address in another domain, \
             and leave its DNS record unproxied"
        );
        Ok(())
    }

    fn base_is_a_domain(&self, chosen: &str, not: &str, api: &str) -> anyhow::Result<()> {
        let base = &self.site.base_domain;
        ensure!(
            base.contains('.') && !is_local(base) || is_loopback(api),
            "{chosen}, but [site] base_domain is {base}, which is {not}; set it to the domain below which instances get \
             their names, such as example.com"
        );
        Ok(())
    }

    fn is_found_from_outside(&self, chosen: &str, what: &str, api: &str) -> anyhow::Result<()> {
        let url = self.site.public_url();
        let is_found = url.is_some_and(|url| is_private(url) && !is_loopback(url));
        ensure!(
            is_found || is_loopback(api),
            "{chosen}, but [site] public_url {}; set it to the https address at which {what} reach this server, such \
             as https://example.com",
            url.map_or_else(|| "is missing".to_owned(), |url| format!("is {url}"))
        );
        Ok(())
    }
}

/// Credentials go there.
fn is_safe(section: &str, url: &str) -> anyhow::Result<()> {
    ensure!(
        is_private(url),
        "[{section}] api_url is {url}, where everybody on the way could read the credentials; it has to begin with \
         https://, except on loopback"
    );
    Ok(())
}

fn is_rehearsal(section: &str, api: &str, edge: Option<SocketAddr>) -> anyhow::Result<()> {
    ensure!(
        edge.is_none() || is_loopback(api),
        "[{section}] edge_address is for rehearsals, with an api_url on loopback; leave it out"
    );
    Ok(())
}

pub(super) fn is_private(url: &str) -> bool {
    url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty()) || is_loopback(url)
}

fn is_loopback(url: &str) -> bool {
    let host = host_of(url).trim_start_matches('[').trim_end_matches(']');
    url.starts_with("http") && (is_local(host) || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()))
}

/// The host of an address, without its port.
pub fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|letter| letter.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_looks_like_this_machine_is_not() {
        for url in
            ["http://localhost:1", "http://a.localhost/x", "http://127.0.0.1", "http://[::1]:8080", "https://localhost"]
        {
            assert!(is_loopback(url), "{url}");
        }
        for url in
            ["http://localhost.example.com", "http://localhost:1@b.example", "http://127.0.0.1@b.example", "localhost"]
        {
            assert!(!is_loopback(url) && !is_private(url), "{url}");
        }
        assert!(is_private("https://example.com") && !is_private("https://") && !is_private("http://example.com"));
    }
}
