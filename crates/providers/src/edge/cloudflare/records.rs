//! DNS records: each of ours bears the comment `spinoff:<instance id>`.

use domain::InstanceId;
use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::api::{DNS, Denied, Rest};
use crate::ProviderError;
use crate::compute::Origin;
use crate::http::{Call, Repeat};

/// How the comments of our records begin.
pub(super) const MARK: &str = "spinoff:";

/// A record as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    kind: &'static str,
    name: String,
    content: String,
    proxied: bool,
}

/// A record as it is.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Record {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) content: String,
    #[serde(default)]
    pub(super) proxied: bool,
    pub(super) comment: Option<String>,
    pub(super) created_on: Option<Timestamp>,
}

/// What has to be done for the records of a hostname to be as they should.
#[derive(Debug, Default, Serialize)]
pub(super) struct Change {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deletes: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    patches: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    posts: Vec<Value>,
}

#[derive(Deserialize)]
struct Done {
    #[serde(default)]
    patches: Vec<Record>,
    #[serde(default)]
    posts: Vec<Record>,
}

impl Record {
    /// The instance that it was made for, if it is one of ours.
    pub(super) fn instance(&self) -> Option<InstanceId> {
        InstanceId::parse(self.comment.as_deref()?.strip_prefix(MARK)?).ok()
    }

    pub(super) fn is_hostname(&self) -> bool {
        self.kind == "CNAME"
    }

    fn stands_in_the_way_of(&self, wanted: &Wanted) -> bool {
        let takes_the_name = ["A", "AAAA", "CNAME"].contains(&self.kind.as_str());
        self.name == wanted.name && takes_the_name && wanted.kind == "CNAME"
    }

    fn says(&self, wanted: &Wanted) -> bool {
        self.content.trim_matches('"') == wanted.content.trim_matches('"') && self.proxied == wanted.proxied
    }
}

/// The records that a hostname needs.
///
/// # Errors
/// Refused when it can't be published by Cloudflare.
pub(super) fn wanted(hostname: &str, base: &str, origin: &Origin) -> Result<Vec<Wanted>, ProviderError> {
    let what = || format!("publish {hostname} at Cloudflare");
    let is_below = |name: &str, above: &str| name.strip_suffix(above).is_some_and(|rest| rest.ends_with('.'));
    let Origin::Name { target, proof } = origin else {
        let why = "the instance listens on an address of this machine, which Cloudflare can't reach";
        return Err(ProviderError::refused(what(), why, "use the edge `builtin`, or the compute provider `railway`"));
    };
    if !is_below(hostname, base) {
        let why = format!("it is not below {base}");
        return Err(ProviderError::refused(what(), why, "choose a name below the zone, or set the base domain"));
    }
    let mut all =
        vec![Wanted { kind: "CNAME", name: hostname.to_owned(), content: target.to_ascii_lowercase(), proxied: true }];
    if let Some(proof) = proof {
        if !is_below(&proof.name, hostname) {
            let why = format!("its proof {} would stand outside of it", proof.name);
            return Err(ProviderError::refused(what(), why, "register the hostname anew at the compute provider"));
        }
        let content = format!("\"{}\"", proof.text);
        all.push(Wanted { kind: "TXT", name: proof.name.clone(), content, proxied: false });
    }
    Ok(all)
}

impl Change {
    /// From what is there to what should be.
    ///
    /// # Errors
    /// Refused when something that isn't this instance's stands in the way.
    pub(super) fn to(wanted: &[Wanted], there: &[Record], instance: InstanceId) -> Result<Self, ProviderError> {
        let mut change = Self::default();
        let is_ours = |record: &&Record| record.instance() == Some(instance);
        if let Some((other, name)) = in_the_way(wanted, there, instance) {
            let (why, next) = match other.instance() {
                Some(owner) => {
                    (format!("it belongs to the instance {owner}"), "delete that instance or choose another name")
                }
                None => (
                    format!("there is a record {} that Spinoff did not make", other.kind),
                    "delete it in Cloudflare's dashboard if it is of no use, or choose another name",
                ),
            };
            return Err(ProviderError::refused(format!("publish {name} at Cloudflare"), why, next));
        }
        let mut kept: Vec<&str> = Vec::new();
        for wanted in wanted {
            let fields = json!({
                "type": wanted.kind, "name": wanted.name, "content": wanted.content, "ttl": 1,
                "proxied": wanted.proxied, "comment": format!("{MARK}{instance}"),
            });
            let is_same = |record: &&Record| record.kind == wanted.kind && record.name == wanted.name;
            // Another's text that says the same serves as well: an identical one beside it is refused.
            let same = there.iter().filter(is_same);
            let found = same.clone().find(|record| record.says(wanted)).or_else(|| same.clone().find(is_ours));
            let Some(found) = found else {
                change.posts.push(fields);
                continue;
            };
            kept.push(&found.id);
            if !found.says(wanted) {
                let mut fields = fields;
                fields["id"] = json!(found.id);
                change.patches.push(fields);
            }
        }
        let left = there.iter().filter(is_ours).filter(|record| !kept.contains(&record.id.as_str()));
        change.deletes = left.map(|record| json!({ "id": record.id })).collect();
        Ok(change)
    }

    pub(super) fn deletes(&self, id: &str) -> bool {
        self.deletes.iter().any(|named| named["id"] == id)
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.deletes.is_empty() && self.patches.is_empty() && self.posts.is_empty()
    }
}

fn in_the_way<'r>(wanted: &'r [Wanted], there: &'r [Record], own: InstanceId) -> Option<(&'r Record, &'r str)> {
    let others = there.iter().filter(|record| record.instance() != Some(own));
    others.into_iter().find_map(|record| {
        let wanted = wanted.iter().find(|wanted| record.stands_in_the_way_of(wanted))?;
        Some((record, wanted.name.as_str()))
    })
}

/// The records of one zone.
#[derive(Debug, Clone)]
pub(super) struct Zone {
    pub(super) rest: Rest,
    /// `/zones/{zone_id}`
    pub(super) path: String,
}

impl Zone {
    /// All records of a hostname and below it, whoever made them.
    pub(super) async fn of(&self, hostname: &str) -> Result<Vec<Record>, ProviderError> {
        let call = self.listing().query("name.endswith", hostname);
        let mut all: Vec<Record> = self.rest.list(&call, DNS).await?;
        all.retain(|record| {
            record.name.strip_suffix(hostname).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        });
        Ok(all)
    }

    /// All records of exactly this name, whoever made them.
    pub(super) async fn at(&self, name: &str) -> Result<Vec<Record>, ProviderError> {
        self.rest.list(&self.listing().query("name.exact", name), DNS).await
    }

    /// All of ours.
    pub(super) async fn ours(&self) -> Result<Vec<Record>, ProviderError> {
        let mut all: Vec<Record> = self.rest.list(&self.listing().query("comment.startswith", MARK), DNS).await?;
        all.retain(|record| record.instance().is_some());
        Ok(all)
    }

    /// One record, which no lag of lists hides.
    pub(super) async fn record(&self, id: &str) -> Result<Option<Record>, ProviderError> {
        let call = Call::get("GET …/dns_records/{id}", format!("{}/dns_records/{id}", self.path));
        match self.rest.attempt(call, DNS).await? {
            Ok(record) => Ok(Some(record)),
            Err(denied) if denied.is_gone() => Ok(None),
            Err(denied) => Err(denied.in_words()),
        }
    }

    /// Does all of it or nothing, and gives what was made or changed.
    pub(super) async fn change(&self, change: &Change) -> Result<Result<Vec<Record>, Denied>, ProviderError> {
        let done: Result<Done, _> = self.rest.attempt(self.batch(json!(change)), DNS).await?;
        Ok(done.map(|done| done.patches.into_iter().chain(done.posts).collect()))
    }

    /// Takes these away, all or nothing.
    pub(super) async fn delete(&self, ids: &[String]) -> Result<Result<Value, Denied>, ProviderError> {
        let deletes: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        self.rest.attempt(self.batch(json!({ "deletes": deletes })), DNS).await
    }

    fn listing(&self) -> Call {
        Call::get("GET …/dns_records", format!("{}/dns_records", self.path))
    }

    fn batch(&self, body: Value) -> Call {
        let path = format!("{}/dns_records/batch", self.path);
        Call::new("POST …/dns_records/batch", Method::POST, path, Repeat::Never).json(body)
    }
}
