use serde::{Deserialize, Serialize};

use super::super::envelope::Refusal;
use super::super::shelf::Shelf;
use super::Access;
use super::groups::Group;
use super::visitor::Visitor;

/// So many rules may stand in one list.
const MOST: usize = 1000;

/// Whom a policy or a group means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// One person.
    Email {
        /// Letter case doesn't matter.
        email: String,
    },
    /// Everybody with an address there.
    EmailDomain {
        /// Letter case doesn't matter.
        domain: String,
    },
    /// The whole world.
    Everyone {},
    /// Whoever is in a group.
    Group {
        /// The group's id.
        id: String,
    },
    /// One program.
    ServiceToken {
        /// The service token's id.
        token_id: String,
    },
    /// Any program with a service token.
    AnyValidServiceToken {},
    /// Whoever was identified in this way.
    LoginMethod {
        /// The identity provider's id.
        id: String,
    },
}

/// Whether someone is meant by at least one of `include`, by all of `require` and by none of `exclude`.
pub(super) fn mean(
    include: &[Rule],
    require: &[Rule],
    exclude: &[Rule],
    visitor: Visitor<'_>,
    groups: &Shelf<Group>,
) -> bool {
    let means = |rule: &Rule| rule.means(visitor, groups);
    include.iter().any(means) && require.iter().all(means) && !exclude.iter().any(means)
}

/// Refuses lists that name what isn't there, or too many.
pub(super) fn check(lists: [&[Rule]; 3], access: &Access, may_name_groups: bool) -> Result<(), Refusal> {
    if lists[0].is_empty() {
        return Err(Refusal::access("include must name somebody"));
    }
    if lists.iter().any(|list| list.len() > MOST) {
        return Err(Refusal::access(format!("more than {MOST} rules in one list")));
    }
    for rule in lists.into_iter().flatten() {
        let is_known = match rule {
            Rule::Group { id } => may_name_groups && access.groups.get(id).is_some(),
            Rule::ServiceToken { token_id } => access.service_tokens.get(token_id).is_some(),
            Rule::LoginMethod { id } => access.identity_providers.get(id).is_some(),
            Rule::Email { email } => email.contains('@'),
            Rule::EmailDomain { domain } => !domain.is_empty() && !domain.contains('@'),
            Rule::Everyone {} | Rule::AnyValidServiceToken {} => true,
        };
        if !is_known {
            return Err(Refusal::access(format!("no such thing: {}", serde_json::json!(rule))));
        }
    }
    Ok(())
}

impl Rule {
    fn means(&self, visitor: Visitor<'_>, groups: &Shelf<Group>) -> bool {
        match (self, visitor) {
            (Self::Everyone {}, _) => true,
            (Self::Group { id }, visitor) => groups.get(id).is_some_and(|group| group.means(visitor, groups)),
            (Self::Email { email }, Visitor::Person { email: given, .. }) => email.eq_ignore_ascii_case(given),
            (Self::EmailDomain { domain }, Visitor::Person { email, .. }) => {
                email.rsplit_once('@').is_some_and(|(_, given)| given.eq_ignore_ascii_case(domain))
            }
            (Self::LoginMethod { id }, Visitor::Person { provider, .. }) => id == provider,
            (Self::ServiceToken { token_id }, Visitor::Service(id)) => token_id == id,
            (Self::AnyValidServiceToken {}, Visitor::Service(_)) => true,
            _ => false,
        }
    }
}
