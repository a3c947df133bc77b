use std::collections::BTreeMap;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::Timestamp;

/// What a token opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKind {
    /// Everything in the workspace, but no person (`me`).
    Workspace,
    /// Everything that its owner may do.
    Account,
    /// One environment of one project. It goes into the header `Project-Access-Token`; as a bearer it
    /// opens nothing.
    Project {
        /// The project's id.
        project: String,
        /// The environment's id.
        environment: String,
    },
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Caller {
    Nobody,
    Known(TokenKind),
}

#[derive(Debug, Default)]
pub(super) struct Tokens(BTreeMap<String, Grant>);

#[derive(Debug)]
struct Grant {
    kind: TokenKind,
    until: Option<Timestamp>,
}

impl Tokens {
    pub(super) fn grant(&mut self, token: &str, kind: TokenKind, until: Option<Timestamp>) {
        self.0.insert(token.to_owned(), Grant { kind, until });
    }

    pub(super) fn revoke(&mut self, token: &str) {
        self.0.remove(token);
    }

    pub(super) fn caller(&self, headers: &HeaderMap, now: Timestamp) -> Caller {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = text(AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
        let known = |token: &str| {
            let grant = self.0.get(token)?;
            grant.until.is_none_or(|until| now < until).then_some(&grant.kind)
        };
        match (bearer.and_then(known), text("project-access-token").and_then(known)) {
            (Some(kind @ (TokenKind::Workspace | TokenKind::Account)), _) => Caller::Known(kind.clone()),
            (_, Some(kind @ TokenKind::Project { .. })) => Caller::Known(kind.clone()),
            _ => Caller::Nobody,
        }
    }
}
