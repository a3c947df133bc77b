//! What the tables are made of: a token or a request, what must become of it, and why.

use access::Refusal;

/// What must become of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not believed, by exactly this rule: 401. A case that another rule refuses tests nothing.
    Unbelieved(Refusal),
    /// Believed, and its bearer is nobody here: 403.
    Stranger,
    /// Let through: what honest issuers write must not be refused by rules made for liars.
    Admitted,
}

/// A token and its verdict.
pub struct Case {
    /// What is wrong with it, in words.
    pub what: String,
    pub token: String,
    pub verdict: Verdict,
}

/// Cases that are judged as they are for one reason.
pub struct Group {
    pub why: &'static str,
    pub cases: Vec<Case>,
}

impl Group {
    pub fn new(why: &'static str) -> Self {
        Self { why, cases: Vec::new() }
    }

    /// Adds tokens of one verdict.
    pub fn all<N: Into<String>>(mut self, verdict: Verdict, tokens: impl IntoIterator<Item = (N, String)>) -> Self {
        let tokens = tokens.into_iter();
        self.cases.extend(tokens.map(|(what, token)| Case { what: what.into(), token, verdict: verdict.clone() }));
        self
    }

    /// Adds tokens that one rule refuses.
    pub fn refused<N: Into<String>>(self, rule: Refusal, tokens: impl IntoIterator<Item = (N, String)>) -> Self {
        self.all(Verdict::Unbelieved(rule), tokens)
    }
}
