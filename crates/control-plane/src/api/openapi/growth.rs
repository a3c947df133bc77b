use utoipa::OpenApi;

/// The description of what the business is run by: its figures, what was spent, who wants no mail, and how to find anybody.
pub(super) fn described() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

#[derive(OpenApi)]
#[openapi(paths(
    paths::show_analytics,
    paths::analytics_csv,
    paths::list_spend,
    paths::add_spend,
    paths::take_spend_back,
    paths::list_suppressions,
    paths::suppress,
    paths::search,
))]
struct Described;

#[expect(dead_code, reason = "read by the derive that describes the API, never called")]
mod paths {
    use api::{Analytics, Found, NewSpend, NewSuppression, Page, Problem, Spend, Suppression};

    described! {
        show_analytics = (get, path = "/analytics", tag = "analytics", params(("month" = Option<String>, Query, description = "2026-11; the one before the present month when left out")),
            responses((status = 200, body = Analytics), (status = 401, body = Problem), (status = 422, description = "The month is still to come, or no month", body = Problem)));
        analytics_csv = (get, path = "/analytics/csv", tag = "analytics", params(("month" = Option<String>, Query, description = "The last month of the table; the one before the present month when left out")),
            responses((status = 200, body = String, content_type = "text/csv"), (status = 401, body = Problem), (status = 422, description = "The month is still to come, or no month", body = Problem)));
        list_spend = (get, path = "/spend", tag = "analytics", params(("month" = Option<String>, Query, description = "Only what counts for this month: 2026-11")), responses((status = 200, body = Page<Spend>), (status = 401, body = Problem), (status = 422, description = "No month", body = Problem)));
        add_spend = (post, path = "/spend", tag = "analytics", request_body = NewSpend, params(("Idempotency-Key" = Option<String>, Header, description = "The same key gives the same entry")),
            responses((status = 200, body = Spend), (status = 400, body = Problem), (status = 401, body = Problem), (status = 415, body = Problem), (status = 422, description = "It is less than nothing, has no purpose, the month is still to come, or the key named something else", body = Problem)));
        take_spend_back = (post, path = "/spend/{id}/take-back", tag = "analytics", params(("id" = String, Path)), responses((status = 200, body = Spend), (status = 401, body = Problem), (status = 404, body = Problem)));
        list_suppressions = (get, path = "/suppressions", tag = "messages", params(("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)), responses((status = 200, body = Page<Suppression>), (status = 401, body = Problem)));
        suppress = (post, path = "/suppressions", tag = "messages", request_body = NewSuppression, responses((status = 200, body = Suppression), (status = 400, body = Problem), (status = 401, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)));
        search = (get, path = "/search", tag = "search",
            params(("q" = String, Query, description = "A piece of a name, an address or a number; or an id: 2 to 200 characters")),
            responses((status = 200, body = Found), (status = 400, body = Problem), (status = 401, body = Problem),
                      (status = 422, body = Problem)));
    }
}
