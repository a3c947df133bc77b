use std::collections::{BTreeMap, BTreeSet};

use domain::InstanceId;
use providers::Routing;
use providers::inventory::Item;
use serde_json::Value;
use simulators::railway::{Fate, Kind};
use store::sqlx;

use super::Town;

/// All that is known of a town when nothing is left to do, and what of it does not fit together.
pub struct Books {
    /// What is wrong, in words; nothing, if all is well.
    pub problems: Vec<String>,
    /// How many instances are in use, or closed for a while.
    pub live: usize,
    /// How many were never made.
    pub failed: usize,
}

/// What an instance's own Access application consists of.
pub const OF_ACCESS: [&str; 4] = ["access application", "access exception", "access policy", "identity provider"];

struct Known {
    id: InstanceId,
    subdomain: String,
    state: String,
    /// Whose it is.
    email: String,
}

impl Known {
    fn is_live(&self) -> bool {
        matches!(self.state.as_str(), "active" | "suspended")
    }
}

impl Town {
    /// Compares everything with everything. From here on nothing goes wrong any more.
    pub async fn books(&self) -> Books {
        self.companies.behave();
        // So that a list shows everything.
        self.clock.advance(jiff::SignedDuration::from_mins(5));
        let instances = self.instances().await;
        let live: BTreeSet<InstanceId> = instances.iter().filter(|held| held.is_live()).map(|held| held.id).collect();
        let mut problems = self.unfinished().await;
        let ready = self.ready().await;
        // What is to exist at the providers, whether it is somebody's or nobody's yet.
        let homes: BTreeSet<InstanceId> = live.iter().chain(&ready).copied().collect();
        for held in &instances {
            if !held.is_live() && !["deleted", "failed"].contains(&held.state.as_str()) {
                problems.push(format!("{} is {} for ever", held.subdomain, held.state));
            }
            problems.extend(self.mails_missing(held).await);
            problems.extend(self.money_wrong(held).await);
        }
        problems.extend(self.at_railway(&homes));
        problems.extend(self.at_cloudflare(&instances, &homes).await);
        problems.extend(self.at_stripe(&live));
        problems.extend(self.drivers_differ(&homes, &live).await);
        problems.extend(self.records_differ(&homes).await);
        let failed = instances.iter().filter(|held| held.state == "failed").count();
        Books { problems, live: live.len(), failed }
    }

    /// Under which name an instance is known.
    pub async fn subdomain(&self, instance: InstanceId) -> Option<String> {
        let sql = "select subdomain from instances where id = $1";
        sqlx::query_scalar(sql).bind(instance.to_string()).fetch_optional(self.db.db.read()).await.unwrap()
    }

    async fn instances(&self) -> Vec<Known> {
        let sql = "select i.id, i.subdomain, i.state, c.email from instances i join customers c on c.id = i.customer_id
                   order by i.id";
        let rows: Vec<(String, String, String, String)> =
            sqlx::query_as(sql).fetch_all(self.db.db.read()).await.unwrap();
        let known = |(id, subdomain, state, email): (String, String, String, String)| Known {
            id: id.parse().unwrap(),
            subdomain,
            state,
            email,
        };
        rows.into_iter().map(known).collect()
    }

    /// Every workflow is over by itself, and nobody stands in a line.
    async fn unfinished(&self) -> Vec<String> {
        let sql = "select kind, state, coalesce(error, '') from workflows where state not in ('done', 'failed')";
        let rows: Vec<(String, String, String)> = sqlx::query_as(sql).fetch_all(self.db.db.read()).await.unwrap();
        let mut wrong: Vec<String> =
            rows.into_iter().map(|(kind, state, error)| format!("{kind} is {state}: {error}")).collect();
        let turning =
            self.count("select count(*) from warm_instances where state in ('preparing', 'discarding')").await;
        if turning != 0 {
            wrong.push(format!("{turning} of the pool are made or taken down for ever"));
        }
        let line = self.count("select count(*) from provider_lines").await;
        if line != 0 {
            wrong.push(format!("{line} stand in line for ever"));
        }
        wrong
    }

    /// A failure is explained to customer and operator, a success to the customer.
    async fn mails_missing(&self, held: &Known) -> Option<String> {
        let begun = self.provisioning(held.id).await.is_some();
        let (key, wanted) = match held.state.as_str() {
            "failed" if begun => ("provisioning failed", 2),
            "failed" => ("order closed", i64::from(self.was_heard_of(held).await)),
            "deleted" => ("deleted", 1),
            _ => ("welcome", 1),
        };
        let sql = "select count(*) from messages where message_key in ($1, $1 || ' operator')";
        let key = format!("{key} {}", held.id);
        let found: i64 = sqlx::query_scalar(sql).bind(&key).fetch_one(self.db.db.read()).await.unwrap();
        (found != wanted).then(|| format!("{found} mails {key:?} instead of {wanted}"))
    }

    /// Whether its customer ordered it themselves, or was told of the order. Nobody else is told of its end.
    async fn was_heard_of(&self, held: &Known) -> bool {
        let sql = "select (select count(*) from instances where id = $1 and signup_key is not null)
                        + (select count(*) from messages where message_key = 'order placed ' || $1)";
        let id = held.id.to_string();
        let found: i64 = sqlx::query_scalar(sql).bind(&id).fetch_one(self.db.db.read()).await.unwrap();
        found > 0
    }

    /// No month is over in these towns, and nobody pays before its invoice.
    async fn money_wrong(&self, held: &Known) -> Option<String> {
        let mark = held.id.to_string();
        let theirs = self.companies.stripe.subscriptions();
        let theirs =
            theirs.iter().find(|subscription| subscription["metadata"]["spinoff_instance"] == mark.as_str())?;
        let customer = theirs["customer"].as_str().unwrap();
        let paid = self.companies.stripe.charged_cents(customer) - self.companies.stripe.refunded_cents(customer);
        (paid != 0).then(|| format!("{} is {} and paid {paid} cents", held.subdomain, held.state))
    }

    /// The instances that were made ahead and are nobody's.
    async fn ready(&self) -> Vec<InstanceId> {
        let sql = "select id from warm_instances where state = 'ready'";
        let ids: Vec<String> = sqlx::query_scalar(sql).fetch_all(self.db.db.read()).await.unwrap();
        ids.iter().map(|id| id.parse().unwrap()).collect()
    }

    fn at_railway(&self, homes: &BTreeSet<InstanceId>) -> Vec<String> {
        let kept = self.companies.railway.projects().into_iter().filter(|project| project.fate == Fate::Kept);
        let mut wrong = Vec::new();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for project in kept {
            *seen.entry(project.description.clone().unwrap_or_default()).or_default() += 1;
            let (domains, others) = match self.companies.routing {
                Routing::Records => (project.custom_domains.len(), project.service_domains.len()),
                Routing::Wildcard => (project.service_domains.len(), project.custom_domains.len()),
            };
            let [services, volumes] = [project.services.len(), project.volumes.len()];
            if [services, volumes, domains, others] != [1, 1, 1, 0] {
                wrong.push(format!("{} has {services}, {volumes}, {domains} of a thing", project.name));
            }
        }
        for id in homes {
            if seen.remove(&format!("spinoff:{id}")) != Some(1) {
                wrong.push(format!("{id} has not one project"));
            }
        }
        wrong.extend(seen.into_keys().map(|mark| format!("a project of {mark} was left behind")));
        wrong
    }

    async fn at_cloudflare(&self, instances: &[Known], homes: &BTreeSet<InstanceId>) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
        for record in self.companies.cloudflare.records() {
            *seen.entry((record.comment.unwrap_or_default(), record.kind)).or_default() += 1;
        }
        let kinds: &[&str] = match self.companies.routing {
            Routing::Records => &["CNAME", "TXT"],
            // One for everybody, and none for anybody.
            Routing::Wildcard => {
                let router = ("spinoff:router".to_owned(), "CNAME".to_owned());
                wrong.extend((seen.remove(&router) != Some(1)).then(|| "there is not one wildcard".to_owned()));
                &[]
            }
        };
        for id in homes {
            for kind in kinds {
                let number = seen.remove(&(format!("spinoff:{id}"), (*kind).to_owned()));
                if number != Some(1) {
                    wrong.push(format!("{id} has {number:?} {kind}"));
                }
            }
        }
        wrong.extend(seen.into_keys().map(|(mark, kind)| format!("a {kind} of {mark} was left behind")));
        let told = self.companies.cloudflare.policies();
        let told = told.iter().find(|policy| policy.name() == "spinoff members").unwrap();
        let told: BTreeSet<String> = told.include().iter().map(|rule| format!("{rule:?}")).collect();
        for held in instances {
            let has = told.iter().any(|rule| rule.contains(&format!("\"{}\"", held.email)));
            if has != instances.iter().any(|other| other.email == held.email && other.is_live()) {
                wrong.push(format!("{} is {} and the policy lets its members in: {has}", held.subdomain, held.state));
            }
        }
        wrong
    }

    fn at_stripe(&self, live: &BTreeSet<InstanceId>) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut running: Vec<InstanceId> = Vec::new();
        for held in self.companies.stripe.live_subscriptions() {
            running.push(marked(&held));
            if held["status"] != "active" {
                wrong.push(format!("the subscription of {} is {}", marked(&held), held["status"]));
            }
        }
        running.sort();
        if !running.iter().eq(live) {
            wrong.push(format!("subscriptions run of {running:?}, and live are {live:?}"));
        }
        let open = self.companies.stripe.checkout_sessions();
        let open = open.iter().filter(|session| session["status"] == "open");
        wrong.extend(open.map(|session| format!("a checkout of {} is open", session["client_reference_id"])));
        wrong
    }

    /// What the drivers find at their providers is what instances have, and is as it should be.
    async fn drivers_differ(&self, homes: &BTreeSet<InstanceId>, live: &BTreeSet<InstanceId>) -> Vec<String> {
        let drivers = &self.app.drivers;
        let (at_compute, at_edge) = match self.companies.routing {
            Routing::Records => (&["project", "domain"][..], &["hostname", "record"][..]),
            Routing::Wildcard => (&["project", "generated domain"][..], &["hostname"][..]),
        };
        let found = [
            (drivers.compute.inventory().await.unwrap(), at_compute, homes),
            (drivers.edge.inventory().await.unwrap(), at_edge, homes),
            (drivers.payments.inventory().await.unwrap(), &["subscription"][..], live),
        ];
        let mut wrong = Vec::new();
        for (items, kinds, owners) in found {
            for item in items.iter().filter(|item| item.drift.is_some()) {
                wrong.push(format!("{} {} drifted: {:?}", item.kind, item.name, item.drift));
            }
            let mut has: Vec<(InstanceId, &str)> = items.iter().filter_map(owned).collect();
            has.sort_unstable();
            let mut wanted: BTreeSet<(InstanceId, &str)> =
                owners.iter().flat_map(|id| kinds.iter().map(|kind| (*id, *kind))).collect();
            if kinds.contains(&"hostname") {
                wanted.extend(self.recorded_of_access().await);
            }
            if has.len() != items.len() || !has.iter().eq(&wanted) {
                wrong.push(format!("inventory: {has:?} instead of {wanted:?}"));
            }
        }
        wrong
    }

    /// What is recorded of applications of instances' own.
    async fn recorded_of_access(&self) -> Vec<(InstanceId, &'static str)> {
        let sql = "select kind, instance_id from provider_resources where provider = 'cloudflare'";
        let rows: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(self.db.db.read()).await.unwrap();
        let of_access = |(kind, id): (String, String)| {
            let kind = OF_ACCESS.into_iter().find(|known| *known == kind)?;
            Some((id.parse().unwrap(), kind))
        };
        rows.into_iter().filter_map(of_access).collect()
    }

    /// The store's record holds nothing of instances that are gone, nor intents without a thing.
    async fn records_differ(&self, homes: &BTreeSet<InstanceId>) -> Vec<String> {
        let sql = "select provider, kind, name, instance_id, coalesce(external_id, '') from provider_resources";
        let rows: Vec<(String, String, String, String, String)> =
            sqlx::query_as(sql).fetch_all(self.db.db.read()).await.unwrap();
        let mut wrong = Vec::new();
        let mut projects = 0;
        for (provider, kind, name, instance, id) in rows {
            projects += usize::from(kind == "project");
            if !homes.contains(&instance.parse().unwrap()) || id.is_empty() {
                wrong.push(format!("{provider} {kind} {name} of {instance} is recorded as {id:?}"));
            }
        }
        if projects != homes.len() {
            wrong.push(format!("{projects} projects are recorded"));
        }
        wrong
    }

    /// How often things were ever made for one instance: project, service, volume, hostname and deployment.
    pub fn made(&self, subdomain: &str) -> [usize; 5] {
        let railway = &self.companies.railway;
        let project = format!("ai-diy-{subdomain}");
        let [made, service, volume, deployment] = [Kind::Project, Kind::Service, Kind::Volume, Kind::Deployment]
            .map(|kind| railway.creations(kind, &project));
        let hostname = match self.companies.routing {
            Routing::Records => railway.creations(Kind::CustomDomain, &format!("{subdomain}.ai-diy.ai")),
            Routing::Wildcard => railway.creations(Kind::ServiceDomain, &project),
        };
        [made, service, volume, hostname, deployment]
    }
}

fn owned(item: &Item) -> Option<(InstanceId, &'static str)> {
    Some((item.instance?, item.kind))
}

fn marked(subscription: &Value) -> InstanceId {
    subscription["metadata"]["spinoff_instance"].as_str().unwrap().parse().unwrap()
}
