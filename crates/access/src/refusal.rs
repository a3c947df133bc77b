//! Which rule refused an assertion.

/// Why an assertion was refused. One variant a rule, so that a log line and a test can name it.
/// Never shown to the visitor in detail: it would teach an attacker what to try next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Longer than [`crate::MAX_TOKEN_BYTES`].
    #[error("the token is too long")]
    TooLong,
    /// Not three non-empty parts of strict base64url without padding.
    #[error("the token is not three parts of strict base64url")]
    Malformed,
    /// The header is not a JSON object with unique members.
    #[error("the token's header is not JSON with unique members")]
    HeaderJson,
    /// `alg` is not exactly `RS256`.
    #[error("the token's algorithm is not RS256")]
    Algorithm,
    /// The header brings keys, key addresses or extensions along.
    #[error("the token's header has a parameter that is not allowed: {0}")]
    HeaderParameter(&'static str),
    /// `kid` is missing or not a string.
    #[error("the token names no key")]
    NoKeyId,
    /// The key id is not in the issuer's set (perhaps not yet: keys rotate).
    #[error("the token's key is not in the issuer's key set")]
    UnknownKey,
    /// The signature does not verify.
    #[error("the token's signature does not verify")]
    Signature,
    /// The claims are not a JSON object with unique members.
    #[error("the token's claims are not JSON with unique members")]
    ClaimsJson,
    /// `iss` is not exactly the configured issuer.
    #[error("the token comes from another issuer")]
    Issuer,
    /// `aud` names none of the configured audiences.
    #[error("the token is meant for another audience")]
    Audience,
    /// `type` says that it is not an application token.
    #[error("the token is not an application token")]
    TokenType,
    /// A time claim is missing or not a sane number.
    #[error("the token's claim {0} is missing or not a number")]
    Time(&'static str),
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` lies in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `iat` lies in the future.
    #[error("the token was issued in the future")]
    IssuedInFuture,
    /// `sub` is no sane string.
    #[error("the token's subject is malformed")]
    Subject,
    /// Neither an acceptable e-mail address nor a service name.
    #[error("the token names nobody")]
    Nobody,
}

impl Refusal {
    /// A short stable name of the rule, for logs and metrics.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::TooLong => "token-too-long",
            Self::Malformed => "token-malformed",
            Self::HeaderJson => "token-header",
            Self::Algorithm => "token-algorithm",
            Self::HeaderParameter(_) => "token-header-parameter",
            Self::NoKeyId => "token-without-key-id",
            Self::UnknownKey => "token-unknown-key",
            Self::Signature => "token-signature",
            Self::ClaimsJson => "token-claims",
            Self::Issuer => "token-issuer",
            Self::Audience => "token-audience",
            Self::TokenType => "token-type",
            Self::Time(_) => "token-times",
            Self::Expired => "token-expired",
            Self::NotYetValid => "token-not-yet-valid",
            Self::IssuedInFuture => "token-from-the-future",
            Self::Subject => "token-subject",
            Self::Nobody => "token-without-identity",
        }
    }
}
