use api::Customer;
use axum::extract::State;

use super::{Listing, Query, Refusal};
use crate::app::App;
use crate::customers;
use crate::person::Program;

pub(crate) async fn index(
    State(app): State<App>,
    _: Program,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<api::Page<Customer>>, Refusal> {
    let found = customers::store::list(&app.db, listing.cursor.as_deref(), listing.limit()).await?;
    let view = |(customer, _): (customers::Customer, u32)| Customer {
        id: customer.id,
        email: customer.email,
        name: customer.name,
        company: customer.company,
        created_at: customer.created_at,
    };
    Ok(listing.page(found.into_iter().map(view).collect(), |customer: &Customer| customer.id.to_string()))
}
