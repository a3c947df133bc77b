use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ulid::Ulid;

/// Why a text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an id of this kind: expected {prefix}_ followed by 26 characters")]
pub struct IdError {
    /// What was given.
    pub text: String,
    /// The prefix that ids of this kind carry.
    pub prefix: &'static str,
}

/// What an id names; gives it its prefix.
pub trait Kind {
    /// Three letters before the underscore. Stored, so never to be changed.
    const PREFIX: &'static str;
}

/// An id whose text form is `prefix_ulid`: sorts by creation time, and only fits where it belongs.
pub struct Id<K>(Ulid, PhantomData<fn() -> K>);

impl<K: Kind> Id<K> {
    /// Makes an id from the time of creation and 80 random bits; the caller brings both.
    pub fn new(now: Timestamp, chance: [u8; 10]) -> Self {
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let mut random = [0_u8; 16];
        random[6..].copy_from_slice(&chance);
        Self(Ulid::from_parts(millis, u128::from_be_bytes(random)), PhantomData)
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// [`IdError`] when the prefix is another kind's or the rest is not a ULID.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let fail = || IdError { text: text.to_owned(), prefix: K::PREFIX };
        let rest = text.strip_prefix(K::PREFIX).and_then(|r| r.strip_prefix('_')).ok_or_else(fail)?;
        let ulid = Ulid::from_string(&rest.to_ascii_uppercase()).map_err(|_| fail())?;
        let id = Self(ulid, PhantomData);
        if id.to_string() == text { Ok(id) } else { Err(fail()) }
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, self.0.to_string().to_ascii_lowercase())
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

macro_rules! typed_id {
    ($(#[$doc:meta])* $alias:ident, $kind:ident, $prefix:literal) => {
        #[doc(hidden)]
        pub enum $kind {}
        impl Kind for $kind {
            const PREFIX: &'static str = $prefix;
        }
        $(#[$doc])*
        pub type $alias = Id<$kind>;
    };
}

typed_id!(/** Names a customer. */ CustomerId, CustomerKind, "cus");
typed_id!(/** Names one customer's copy of the application. */ InstanceId, InstanceKind, "ins");
typed_id!(/** Names one run of a durable workflow. */ WorkflowId, WorkflowKind, "wfl");
typed_id!(/** Names a mail in the outbox. */ MessageId, MessageKind, "msg");
typed_id!(/** Names a customer's leave for support to enter an instance, or the request for it. */ SupportAccessId, SupportAccessKind, "sup");
typed_id!(/** Names an entry of the audit log. */ AuditId, AuditKind, "aud");
typed_id!(/** Names one backup of an instance. */ BackupId, BackupKind, "bak");
typed_id!(/** Names a version of the application. */ ReleaseId, ReleaseKind, "rls");
typed_id!(/** Names a rollout: many instances brought to a release. */ RolloutId, RolloutKind, "rol");
typed_id!(/** Names one question to a model. */ ModelCallId, ModelCallKind, "mdl");
typed_id!(/** Names something that waits for an operator. */ AlertId, AlertKind, "alt");
typed_id!(/** Names an incident on the status page. */ IncidentId, IncidentKind, "inc");
typed_id!(/** Names what somebody wants of support, with all that is said about it. */ TicketId, TicketIdKind, "tkt");
typed_id!(/** Names an answer that is kept to be given again. */ CannedAnswerId, CannedAnswerKind, "ans");
typed_id!(/** Names an entry of what was spent to win customers. */ SpendId, SpendKind, "spd");

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_id_survives_its_text_form_and_fits_no_other_kind() {
        let id = InstanceId::new(Timestamp::from_millisecond(1_795_000_000_000).unwrap(), [7; 10]);
        let text = id.to_string();
        assert!(text.starts_with("ins_"));
        assert_eq!(InstanceId::parse(&text), Ok(id));
        assert!(CustomerId::parse(&text).is_err());
        assert!(InstanceId::parse(&text.to_ascii_uppercase()).is_err());
        assert!(InstanceId::parse("ins_").is_err());
    }

    #[test]
    fn ids_sort_by_creation() {
        let at = |ms| InstanceId::new(Timestamp::from_millisecond(ms).unwrap(), [255; 10]);
        assert!(at(1000) < at(1001));
        assert!(at(1000).to_string() < at(1001).to_string());
    }
}
