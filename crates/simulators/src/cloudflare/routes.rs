//! Which method and path is answered by what, and which permission it takes.

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use super::access::{apps, groups, identity_providers, keys, log, organization, policies, seats, service_tokens};
use super::dns::{batch, records};
use super::envelope::{Refusal, Reply};
use super::query::Query;
use super::state::State;
use super::tokens::{self, Need, Permission};
use super::zone;

/// A request whose token was found good.
pub(super) struct Asked {
    /// What stands in the last variable part of the path that isn't the zone or the account.
    pub(super) id: String,
    pub(super) query: Query,
    pub(super) body: Bytes,
    /// What the token says of itself.
    pub(super) token: Value,
    pub(super) sees_the_zone: bool,
}

pub(super) type Handler = fn(&mut State, &Asked) -> Result<Reply, Refusal>;

pub(super) struct Route {
    pub(super) method: Method,
    pub(super) template: &'static str,
    pub(super) need: Need,
    pub(super) handler: Handler,
}

/// A route that a path fits, with what stands in its variable parts.
pub(super) struct Matched {
    pub(super) route: &'static Route,
    pub(super) account: Option<String>,
    pub(super) zone: Option<String>,
    pub(super) id: String,
}

const fn route(method: Method, template: &'static str, need: Need, handler: Handler) -> Route {
    Route { method, template, need, handler }
}

const DNS: Need = Need::Of(Permission::Dns);
const ZONE_SETTINGS: Need = Need::Of(Permission::ZoneSettings);
const APPS: Need = Need::Of(Permission::AppsAndPolicies);
const ORGANIZATIONS: Need = Need::Of(Permission::Organizations);
const SERVICE_TOKENS: Need = Need::Of(Permission::ServiceTokens);
const AUDIT_LOGS: Need = Need::Of(Permission::AuditLogs);
const SEATS: Need = Need::Of(Permission::Seats);

/// More exact ones first.
pub(super) static ROUTES: [Route; 48] = [
    route(Method::GET, "/user/tokens/verify", Need::Valid, tokens::verify),
    route(Method::GET, "/zones", Need::OnZone, zone::list),
    route(Method::GET, "/zones/{zone_id}", Need::OnZone, zone::show),
    route(Method::GET, "/zones/{zone_id}/settings/{setting_id}", ZONE_SETTINGS, zone::setting),
    route(Method::PATCH, "/zones/{zone_id}/settings/{setting_id}", ZONE_SETTINGS, zone::set),
    route(Method::GET, "/zones/{zone_id}/dns_records", DNS, records::list),
    route(Method::POST, "/zones/{zone_id}/dns_records", DNS, records::create),
    route(Method::POST, "/zones/{zone_id}/dns_records/batch", DNS, batch::run),
    route(Method::GET, "/zones/{zone_id}/dns_records/usage", DNS, records::usage),
    route(Method::GET, "/zones/{zone_id}/dns_records/{dnsRecordID}", DNS, records::show),
    route(Method::PUT, "/zones/{zone_id}/dns_records/{dnsRecordID}", DNS, records::overwrite),
    route(Method::PATCH, "/zones/{zone_id}/dns_records/{dnsRecordID}", DNS, records::edit),
    route(Method::DELETE, "/zones/{zone_id}/dns_records/{dnsRecordID}", DNS, records::delete),
    route(Method::GET, "/accounts/{account_id}/access/organizations", ORGANIZATIONS, organization::show),
    route(Method::POST, "/accounts/{account_id}/access/organizations", ORGANIZATIONS, organization::create),
    route(Method::PUT, "/accounts/{account_id}/access/organizations", ORGANIZATIONS, organization::overwrite),
    route(Method::POST, "/accounts/{account_id}/access/organizations/revoke_user", ORGANIZATIONS, seats::revoke_user),
    route(Method::GET, "/accounts/{account_id}/access/identity_providers", ORGANIZATIONS, identity_providers::list),
    route(Method::POST, "/accounts/{account_id}/access/identity_providers", ORGANIZATIONS, identity_providers::create),
    route(
        Method::GET,
        "/accounts/{account_id}/access/identity_providers/{identityProviderID}",
        ORGANIZATIONS,
        identity_providers::show,
    ),
    route(
        Method::DELETE,
        "/accounts/{account_id}/access/identity_providers/{identityProviderID}",
        ORGANIZATIONS,
        identity_providers::delete,
    ),
    route(Method::GET, "/accounts/{account_id}/access/groups", ORGANIZATIONS, groups::list),
    route(Method::POST, "/accounts/{account_id}/access/groups", ORGANIZATIONS, groups::create),
    route(Method::GET, "/accounts/{account_id}/access/groups/{groupID}", ORGANIZATIONS, groups::show),
    route(Method::PUT, "/accounts/{account_id}/access/groups/{groupID}", ORGANIZATIONS, groups::overwrite),
    route(Method::DELETE, "/accounts/{account_id}/access/groups/{groupID}", ORGANIZATIONS, groups::delete),
    route(Method::GET, "/accounts/{account_id}/access/keys", ORGANIZATIONS, keys::show),
    route(Method::PUT, "/accounts/{account_id}/access/keys", ORGANIZATIONS, keys::set_interval),
    route(Method::POST, "/accounts/{account_id}/access/keys/rotate", ORGANIZATIONS, keys::rotate),
    route(Method::GET, "/accounts/{account_id}/access/policies", APPS, policies::list),
    route(Method::POST, "/accounts/{account_id}/access/policies", APPS, policies::create),
    route(Method::GET, "/accounts/{account_id}/access/policies/{policyID}", APPS, policies::show),
    route(Method::PUT, "/accounts/{account_id}/access/policies/{policyID}", APPS, policies::overwrite),
    route(Method::DELETE, "/accounts/{account_id}/access/policies/{policyID}", APPS, policies::delete),
    route(Method::GET, "/accounts/{account_id}/access/apps", APPS, apps::list),
    route(Method::POST, "/accounts/{account_id}/access/apps", APPS, apps::create),
    route(Method::GET, "/accounts/{account_id}/access/apps/{appID}", APPS, apps::show),
    route(Method::PUT, "/accounts/{account_id}/access/apps/{appID}", APPS, apps::overwrite),
    route(Method::DELETE, "/accounts/{account_id}/access/apps/{appID}", APPS, apps::delete),
    route(Method::POST, "/accounts/{account_id}/access/apps/{appID}/revoke_tokens", APPS, apps::revoke_tokens),
    route(Method::GET, "/accounts/{account_id}/access/service_tokens", SERVICE_TOKENS, service_tokens::list),
    route(Method::POST, "/accounts/{account_id}/access/service_tokens", SERVICE_TOKENS, service_tokens::create),
    route(
        Method::GET,
        "/accounts/{account_id}/access/service_tokens/{serviceTokenID}",
        SERVICE_TOKENS,
        service_tokens::show,
    ),
    route(
        Method::DELETE,
        "/accounts/{account_id}/access/service_tokens/{serviceTokenID}",
        SERVICE_TOKENS,
        service_tokens::delete,
    ),
    route(Method::PATCH, "/accounts/{account_id}/access/seats", SEATS, seats::change),
    route(Method::GET, "/accounts/{account_id}/access/users", AUDIT_LOGS, seats::users),
    route(Method::GET, "/accounts/{account_id}/access/users/{userID}", AUDIT_LOGS, seats::user),
    route(Method::GET, "/accounts/{account_id}/access/logs/access_requests", AUDIT_LOGS, log::list),
];

/// The route that a method and a path without the base belong to.
pub(super) fn find(method: &Method, path: &str) -> Option<Matched> {
    ROUTES.iter().filter(|route| route.method == method).find_map(|route| fit(route, path))
}

fn fit(route: &'static Route, path: &str) -> Option<Matched> {
    let mut matched = Matched { route, account: None, zone: None, id: String::new() };
    let (mut wanted, mut given) = (route.template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(matched),
            (Some("{account_id}"), Some(part)) => matched.account = Some(part.to_owned()),
            (Some("{zone_id}"), Some(part)) => matched.zone = Some(part.to_owned()),
            (Some(name), Some(part)) if name.starts_with('{') && !part.is_empty() => part.clone_into(&mut matched.id),
            (Some(name), Some(part)) if name == part => {}
            _ => return None,
        }
    }
}
