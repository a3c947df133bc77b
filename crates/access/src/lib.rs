//! Who may enter: identity assertions and signed member lists.
//!
//! An *assertion* is a JWT in the shape that Cloudflare Access issues; the built-in edge issues the
//! same shape, so a guard has one way to verify. A *member list* says who belongs to one instance;
//! the main instance signs it, and the guard trusts it wherever it came from. [`protocol`] has the
//! names that edge and guard have agreed on.
//!
//! What holds here:
//! - Verification is refusal by default: [`Verified`] can only be built by [`Verifier::verify`].
//! - The algorithm is ours (RS256), never the token's choice; keys come from the issuer's set only.
//! - Nothing here reads a clock, a file or the network.

pub mod app_site;
pub mod cookies;
mod issuer;
mod keys;
mod members;
pub mod orders;
pub mod protocol;
pub mod pushed;
mod refusal;
mod rules;
mod signed;
mod strict_json;
mod test_identity;
mod verify;

pub use issuer::{Assertion, Issuer, IssuerError, Seal, SigningKey, key_set_json};
pub use keys::{KeySet, KeySetError, PassedOver};
pub use members::{Guest, ListState, MemberList};
pub use refusal::Refusal;
pub use rules::{MailDomain, MemberRule, MemberRuleError, MembersFileError, parse_members_file};
pub use signed::{MembersKey, MembersKeyError, MembersPublicKey, SignatureError, SignedMembers};
pub use test_identity::TestIdentity;
pub use verify::{Identity, LEEWAY, MAX_TOKEN_BYTES, Verified, Verifier};
