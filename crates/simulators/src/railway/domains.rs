use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Kind;
use super::refusal::Refusal;
use super::state::{Project, State, label};

/// One service has no more of them.
const MOST_PER_SERVICE: usize = 20;
const PREFIX: &str = "railway-verify=";

/// What the outside world says about a name. The simulator of the DNS provider answers it. It is asked
/// while Railway's state is held, so it must not ask Railway anything in turn.
pub trait Dns: Send + Sync {
    /// The contents of all TXT records of a name.
    fn txt(&self, name: &str) -> Vec<String>;

    /// What a name's CNAME record points to, proxied or not.
    fn cname(&self, name: &str) -> Option<String>;
}

/// No name has any record.
#[derive(Debug, Default)]
pub(super) struct NoDns;

impl Dns for NoDns {
    fn txt(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn cname(&self, _: &str) -> Option<String> {
        None
    }
}

#[derive(Debug)]
pub(super) struct CustomDomain {
    pub(super) id: String,
    pub(super) domain: String,
    pub(super) service: String,
    pub(super) environment: String,
    pub(super) target_port: Option<i64>,
    created: Timestamp,
    /// Where its CNAME has to point.
    target: String,
    token: String,
    style: Style,
    /// From when both records are there to verification.
    delay: SignedDuration,
    seen: Option<Timestamp>,
    pub(super) verified: Option<Timestamp>,
}

/// Railway shows the same thing in several ways; which one is chance, so that clients know them all.
#[derive(Debug, Clone, Copy)]
struct Style {
    host_has_zone: bool,
    token_has_prefix: bool,
    lists_txt: bool,
}

#[derive(Debug)]
pub(super) struct ServiceDomain {
    pub(super) id: String,
    pub(super) domain: String,
    pub(super) service: String,
    pub(super) environment: String,
    pub(super) target_port: Option<i64>,
    created: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CustomCreate {
    domain: String,
    project_id: String,
    environment_id: String,
    service_id: String,
    target_port: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceDomainCreate {
    environment_id: String,
    service_id: String,
    target_port: Option<i64>,
}

impl State {
    pub(super) fn custom_domain_create(&mut self, input: CustomCreate) -> Result<Value, Refusal> {
        let place = self.project_place(&input.project_id)?;
        self.instance_index(place, &input.service_id, &input.environment_id)?;
        let domain = input.domain.to_ascii_lowercase();
        check_domain(&domain)?;
        self.refuse_taken(&domain, &input.service_id)?;
        let held = self.at(place).custom_domains.iter().filter(|held| held.service == input.service_id);
        if held.count() >= MOST_PER_SERVICE {
            return Err(Refusal::plan_limit("The service has as many custom domains as its plan allows"));
        }
        let [style] = self.entropy.bytes::<1>();
        let made = CustomDomain {
            id: self.id(place),
            domain: domain.clone(),
            service: input.service_id,
            environment: input.environment_id,
            target_port: input.target_port,
            created: self.now,
            target: format!("{}.up.railway.app", label::<8>(&self.entropy)),
            token: label::<32>(&self.entropy),
            style: Style { host_has_zone: style & 1 == 0, token_has_prefix: style & 2 == 0, lists_txt: style & 4 == 0 },
            delay: self.draw(self.settings.verification),
            seen: None,
            verified: None,
        };
        let view = self.custom_view(self.at(place), &made);
        self.at_mut(place).custom_domains.push(made);
        self.hosts.insert(domain.clone(), place);
        self.note_made(Kind::CustomDomain, &domain);
        Ok(view)
    }

    pub(super) fn custom_domain_delete(&mut self, id: &str) -> Result<Value, Refusal> {
        let place = self.place(id, "CustomDomain")?;
        let domains = &mut self.at_mut(place).custom_domains;
        let index = domains.iter().position(|held| held.id == id).ok_or_else(|| Refusal::not_found("CustomDomain"))?;
        let gone = domains.remove(index);
        self.hosts.remove(&gone.domain);
        Ok(true.into())
    }

    pub(super) fn service_domain_create(&mut self, input: ServiceDomainCreate) -> Result<Value, Refusal> {
        let place = self.place(&input.service_id, "Service")?;
        self.instance_index(place, &input.service_id, &input.environment_id)?;
        let project = self.at(place);
        let is_held =
            |held: &ServiceDomain| held.service == input.service_id && held.environment == input.environment_id;
        if project.service_domains.iter().any(is_held) {
            return Err(Refusal::internal("The service has a generated domain already"));
        }
        let names = (&project.service(&input.service_id)?.name, &project.environment(&input.environment_id)?.name);
        let domain = format!("{}-{}-{}.up.railway.app", names.0, names.1, label::<4>(&self.entropy));
        let project_name = project.name.clone();
        let made = ServiceDomain {
            id: self.id(place),
            domain: domain.to_ascii_lowercase(),
            service: input.service_id,
            environment: input.environment_id,
            target_port: input.target_port,
            created: self.now,
        };
        let view = service_domain_view(self.at(place), &made);
        self.hosts.insert(made.domain.clone(), place);
        self.at_mut(place).service_domains.push(made);
        self.note_made(Kind::ServiceDomain, &project_name);
        Ok(view)
    }

    pub(super) fn service_domain_delete(&mut self, id: &str) -> Result<Value, Refusal> {
        let place = self.place(id, "ServiceDomain")?;
        let domains = &mut self.at_mut(place).service_domains;
        let index = domains.iter().position(|held| held.id == id).ok_or_else(|| Refusal::not_found("ServiceDomain"))?;
        let gone = domains.remove(index);
        self.hosts.remove(&gone.domain);
        Ok(true.into())
    }

    pub(super) fn custom_domain(&mut self, id: &str, project: &str) -> Result<Value, Refusal> {
        let place = self.project_place(project)?;
        self.look_at(place);
        let held = self.at(place).custom_domains.iter().find(|held| held.id == id);
        Ok(self.custom_view(self.at(place), held.ok_or_else(|| Refusal::not_found("CustomDomain"))?))
    }

    pub(super) fn custom_domain_available(&self, domain: &str) -> Value {
        let domain = domain.to_ascii_lowercase();
        let verdict = check_domain(&domain).and_then(|()| self.refuse_taken(&domain, ""));
        let message = verdict.as_ref().err().map_or("The domain is available", |refusal| &refusal.message);
        json!({ "available": verdict.is_ok(), "message": message })
    }

    pub(super) fn domains(&mut self, project: &str, environment: &str, service: &str) -> Result<Value, Refusal> {
        let place = self.project_place(project)?;
        self.look_at(place);
        Ok(self.domains_view(self.at(place), environment, service))
    }

    pub(super) fn domains_view(&self, project: &Project, environment: &str, service: &str) -> Value {
        let is_meant = |held: (&str, &str)| held == (service, environment);
        let custom = project.custom_domains.iter().filter(|held| is_meant((&held.service, &held.environment)));
        let generated = project.service_domains.iter().filter(|held| is_meant((&held.service, &held.environment)));
        json!({
            "customDomains": custom.map(|held| self.custom_view(project, held)).collect::<Vec<_>>(),
            "serviceDomains": generated.map(|held| service_domain_view(project, held)).collect::<Vec<_>>(),
        })
    }

    /// Asks the DNS about the project's domains that aren't verified yet.
    pub(super) fn look_at(&mut self, place: usize) {
        let (dns, now) = (self.dns.clone(), self.now);
        for held in self.at_mut(place).custom_domains.iter_mut().filter(|held| held.verified.is_none()) {
            held.seen = if held.is_proven(dns.as_ref()) { held.seen.or(Some(now)) } else { None };
            held.verified = held.seen.map(|seen| seen + held.delay).filter(|verified| *verified <= now);
        }
    }

    /// Names are taken in all of Railway, and a name and its wildcard belong on one service.
    fn refuse_taken(&self, domain: &str, service: &str) -> Result<(), Refusal> {
        let wildcard = domain.split_once('.').map(|(_, zone)| format!("*.{zone}")).unwrap_or_default();
        let live = |place: &&usize| self.at(**place).end.gone(self.now).is_none();
        let holder = |name: &str| {
            let place = self.hosts.get(name).filter(live)?;
            self.at(*place).custom_domains.iter().find(|held| held.domain == name)
        };
        let overlaps = |name: &str| {
            domain.strip_prefix("*.").is_some_and(|zone| name.split_once('.').is_some_and(|(_, rest)| rest == zone))
        };
        let is_elsewhere = |name: &str| holder(name).is_some_and(|held| held.service != service);
        let is_taken = holder(domain).is_some()
            || is_elsewhere(&wildcard)
            || (domain.starts_with("*.") && self.hosts.keys().any(|name| overlaps(name) && is_elsewhere(name)));
        if is_taken { Err(Refusal::internal(format!("The domain {domain} is not available"))) } else { Ok(()) }
    }

    fn custom_view(&self, project: &Project, held: &CustomDomain) -> Value {
        let since = |pause: SignedDuration| held.verified.is_some_and(|at| self.now.duration_since(at) >= pause);
        let cname = self.dns.cname(&held.domain);
        let certificate = match self.settings.certificate {
            Some(time) if since(time) => "CERTIFICATE_STATUS_TYPE_VALID",
            Some(_) if held.verified.is_some() => "CERTIFICATE_STATUS_TYPE_ISSUING",
            Some(_) | None => "CERTIFICATE_STATUS_TYPE_VALIDATING_OWNERSHIP",
        };
        json!({
            "id": held.id,
            "domain": held.domain,
            "targetPort": held.target_port,
            "syncStatus": if since(self.settings.domain_sync) { "ACTIVE" } else { "CREATING" },
            "status": {
                "verified": held.verified.is_some(),
                "verificationDnsHost": held.shown_host(),
                "verificationToken": held.shown_token(),
                "certificateStatus": certificate,
                "certificateErrorMessage": null,
                "certificateRetryable": null,
                "cdnProvider": cname.as_ref().map(|_| "DETECTED_CDN_PROVIDER_CLOUDFLARE"),
                "dnsRecords": held.records(self.dns.as_ref()),
            },
            "projectId": project.id,
            "environmentId": held.environment,
            "serviceId": held.service,
            "isRailwayDomain": false,
            "createdAt": held.created,
            "updatedAt": held.verified.unwrap_or(held.created),
            "deletedAt": null,
        })
    }
}

impl CustomDomain {
    fn is_proven(&self, dns: &dyn Dns) -> bool {
        let points_here = dns.cname(&self.domain).is_some_and(|target| is_same(&target, &self.target));
        points_here && dns.txt(&self.host()).contains(&self.proof())
    }

    fn host(&self) -> String {
        format!("_railway-verify.{}", self.domain.trim_start_matches("*."))
    }

    fn proof(&self) -> String {
        format!("{PREFIX}{}", self.token)
    }

    fn shown_host(&self) -> String {
        let host = self.host();
        if self.style.host_has_zone { host } else { parts(&host).0.to_owned() }
    }

    fn shown_token(&self) -> String {
        if self.style.token_has_prefix { self.proof() } else { self.token.clone() }
    }

    fn records(&self, dns: &dyn Dns) -> Vec<Value> {
        let record = |kind: &str, purpose: &str, fqdn: &str, required: &str, current: Option<String>| {
            let (hostlabel, zone) = parts(fqdn);
            let is_right = current.as_deref().is_some_and(|current| is_same(current, required));
            json!({
                "recordType": kind,
                "purpose": purpose,
                "hostlabel": hostlabel,
                "fqdn": fqdn,
                "zone": zone,
                "requiredValue": required,
                "currentValue": current.unwrap_or_default(),
                "status": if is_right { "DNS_RECORD_STATUS_PROPAGATED" } else { "DNS_RECORD_STATUS_REQUIRES_UPDATE" },
            })
        };
        let (host, proof) = (self.host(), self.proof());
        let current = dns.txt(&host).into_iter().find(|text| *text == proof);
        let mut records = Vec::new();
        if self.style.lists_txt {
            records.push(record("DNS_RECORD_TYPE_TXT", "DNS_RECORD_PURPOSE_UNSPECIFIED", &host, &proof, current));
        }
        let cname = dns.cname(&self.domain);
        let purpose = "DNS_RECORD_PURPOSE_TRAFFIC_ROUTE";
        records.push(record("DNS_RECORD_TYPE_CNAME", purpose, &self.domain, &self.target, cname));
        records
    }
}

fn service_domain_view(project: &Project, held: &ServiceDomain) -> Value {
    json!({
        "id": held.id,
        "domain": held.domain,
        "suffix": "up.railway.app",
        "targetPort": held.target_port,
        "syncStatus": "ACTIVE",
        "projectId": project.id,
        "environmentId": held.environment,
        "serviceId": held.service,
        "createdAt": held.created,
        "updatedAt": held.created,
        "deletedAt": null,
    })
}

/// Host and zone. Zones of more than two labels aren't known here.
fn parts(fqdn: &str) -> (&str, &str) {
    let zone_start = fqdn.rmatch_indices('.').nth(1).map(|(index, _)| index);
    zone_start.map_or(("", fqdn), |index| (&fqdn[..index], &fqdn[index + 1..]))
}

fn is_same(one: &str, other: &str) -> bool {
    one.trim_end_matches('.').eq_ignore_ascii_case(other)
}

fn check_domain(domain: &str) -> Result<(), Refusal> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let name = domain.strip_prefix("*.").unwrap_or(domain);
    let is_fine = name.contains('.') && name.len() <= 253 && name.split('.').all(is_label);
    if is_fine { Ok(()) } else { Err(Refusal::internal(format!("{domain} is not a valid domain"))) }
}
