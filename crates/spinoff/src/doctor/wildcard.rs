//! Where the operator makes the wildcard record by hand: whether it leads where the site is.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::Check;
use crate::up::config::{Config, host_of};

const NAME: &str = "wildcard record";
/// Stands for any customer's; none can have it, since it is longer than theirs may be.
const SOMEBODY: &str = "spinoff-doctor-asks-whether-the-wildcard-record-leads-here";

/// Whether names below the base domain lead to the machine that answers for the site.
pub async fn leads_here(config: &Config) -> Check {
    let base = &config.site.base_domain;
    let site = host_of(config.site.public_url().unwrap_or_default());
    let (names, sites) = (addresses(&format!("{SOMEBODY}.{base}")).await, addresses(site).await);
    judge(base, site, &names, &sites)
}

fn judge(base: &str, site: &str, names: &BTreeSet<IpAddr>, sites: &BTreeSet<IpAddr>) -> Check {
    let record = format!("make a DNS record *.{base} that leads where {site} does");
    if names.is_empty() {
        return Check::fail(NAME, format!("names below {base} lead nowhere"), record);
    }
    if names.is_disjoint(sites) {
        let found = format!("names below {base} lead elsewhere than {site}");
        return Check::warn(NAME, found, format!("unless that is meant, {record}"));
    }
    Check::ok(NAME, format!("names below {base} lead where {site} does"))
}

async fn addresses(name: &str) -> BTreeSet<IpAddr> {
    let found = tokio::net::lookup_host((name, 443)).await;
    found.map(|all| all.map(|address| address.ip()).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_wildcard_record_has_to_lead_where_the_site_is() {
        let [here, there] = [1, 2].map(|last| BTreeSet::from([IpAddr::from([192, 0, 2, last])]));
        let none = BTreeSet::new();
        let verdict = |names, sites| judge("example.com", "example.com", names, sites).verdict;
        assert_eq!(verdict(&here, &here), Verdict::Ok);
        assert_eq!(verdict(&here, &there), Verdict::Warn);
        assert_eq!(verdict(&none, &here), Verdict::Fail);
        let told = judge("example.com", "site.example", &none, &here).advice.unwrap_or_default();
        assert!(told.contains("*.example.com") && told.contains("site.example"), "{told}");
    }
}
