use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use world::Entropy;

use crate::stripe::Settings;
use crate::stripe::deliveries::Post;
use crate::stripe::idempotency::Remembered;
use crate::stripe::keys::Keys;
use crate::stripe::meters::Usage;
use crate::stripe::objects::{Objects, word};
use crate::stripe::refusal::Refusal;

/// Everything that one account holds, and the moment at which it does what it does.
#[derive(Debug)]
pub(super) struct Account {
    /// Seconds since 1970: the clock's, or those of an older deed that is done late.
    pub(super) now: i64,
    pub(super) settings: Settings,
    pub(super) entropy: Entropy,
    pub(super) objects: Objects,
    pub(super) keys: Keys,
    pub(super) remembered: Remembered,
    /// What is due when. A deed looks by itself whether it still makes sense.
    pub(super) agenda: BTreeSet<(i64, u64, Deed)>,
    pub(super) usage: Usage,
    /// Customers whose bank says no.
    pub(super) declining: BTreeSet<String>,
    /// By how many cents the next invoice becomes dearer when it is made final.
    pub(super) surcharge: Option<i64>,
    pub(super) post: Post,
    /// Made so far, by kind, whether or not they are still there.
    pub(super) made: BTreeMap<&'static str, u64>,
    /// What runs now, for the events that it makes.
    pub(super) request: Option<(String, Option<String>)>,
    /// `http://host`, where the pages are.
    pub(super) pages: String,
    /// Operations that break next, and with what.
    pub(super) breaking: Vec<(String, u16)>,
    /// Requests in the second that is named.
    pub(super) pace: (i64, u32),
}

/// Something that happens by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deed {
    ExpireSession(String),
    AnnounceTrialEnd(String),
    EndTrial(String),
    Renew(String),
    Finalize(String),
    Collect(String),
}

/// What is asked of one operation.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) path: String,
    /// What stands for `{id}` in the path.
    pub(super) id: String,
    pub(super) params: Value,
}

impl Account {
    pub(super) fn new(now: i64, entropy: Entropy, settings: Settings) -> Self {
        Self {
            now,
            keys: Keys::new(&settings),
            settings,
            entropy,
            objects: Objects::default(),
            remembered: Remembered::default(),
            agenda: BTreeSet::new(),
            usage: Usage::default(),
            declining: BTreeSet::new(),
            surcharge: None,
            post: Post::default(),
            made: BTreeMap::new(),
            request: None,
            pages: String::new(),
            breaking: Vec::new(),
            pace: (0, 0),
        }
    }

    /// Letters and digits that nobody guesses.
    pub(super) fn chance<const N: usize>(&self) -> String {
        const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let bytes = self.entropy.bytes::<N>();
        bytes
            .iter()
            .filter_map(|byte| LETTERS.get(usize::from(*byte) % LETTERS.len()))
            .map(|byte| *byte as char)
            .collect()
    }

    /// `prefix_…`, for a thing that is about to be made.
    pub(super) fn id(&self, prefix: &str) -> String {
        format!("{prefix}_1{}", self.chance::<23>())
    }

    /// Keeps a new thing.
    pub(super) fn make(&mut self, kind: &'static str, object: Value) {
        *self.made.entry(kind).or_default() += 1;
        self.objects.put(kind, object);
    }

    /// A thing that the path names.
    pub(super) fn held(&self, kind: &str, id: &str) -> Result<&Value, Refusal> {
        self.objects.get(kind, id).ok_or_else(|| Refusal::missing(kind, id))
    }

    /// A thing that a parameter names.
    pub(super) fn named(&self, kind: &str, id: &str, param: &str) -> Result<&Value, Refusal> {
        self.objects.get(kind, id).ok_or_else(|| Refusal::names_nothing(kind, id, param))
    }

    /// Changes a thing that is there, and gives it back changed.
    pub(super) fn change(&mut self, kind: &str, id: &str, change: impl FnOnce(&mut Value)) -> Value {
        let Some(object) = self.objects.get_mut(kind, id) else { return Value::Null };
        change(object);
        object.clone()
    }

    /// Puts a deed on the agenda.
    pub(super) fn plan(&mut self, at: i64, deed: Deed) {
        let turn = self.made.entry("deed").or_default();
        *turn += 1;
        self.agenda.insert((at, *turn, deed));
    }

    /// The card that pays for this subscription, or else for this customer.
    pub(super) fn card(&self, subscription: &Value, customer: &str) -> Option<String> {
        let own = subscription["default_payment_method"].as_str();
        let customer = self.objects.get("customer", customer);
        let usual = customer.and_then(|customer| customer["invoice_settings"]["default_payment_method"].as_str());
        own.or(usual).map(str::to_owned)
    }

    /// A customer who was not deleted.
    pub(super) fn customer(&self, id: &str) -> Result<&Value, Refusal> {
        self.named("customer", id, "customer")
    }

    /// All that one customer has of a kind.
    pub(super) fn of_customer(&self, kind: &'static str, customer: &str) -> impl Iterator<Item = &Value> {
        self.objects.all(kind).filter(move |object| word(object, "customer") == customer)
    }
}
