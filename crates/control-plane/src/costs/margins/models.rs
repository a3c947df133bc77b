use std::collections::BTreeMap;

use ::store::sqlx::Error;
use domain::{CustomerId, Micros, Month};

use super::{Basis, Sources};
use crate::app::Core;
use crate::model;

/// What questions to the model that is offered cost, by customer and for nobody, in the plan's currency.
pub(super) struct Models(BTreeMap<Option<CustomerId>, Option<Micros>>);

impl Models {
    pub(super) async fn of_month(
        core: &Core,
        month: Month,
        sources: &Sources,
        basis: &mut Vec<Basis>,
    ) -> Result<Self, Error> {
        let used = model::store::by_customer(&core.db, month).await?;
        let priced = |amount| sources.prices.in_currency(amount, &sources.currency);
        let models: BTreeMap<_, _> = used.into_iter().map(|(customer, dollars)| (customer, priced(dollars))).collect();
        let is_known = models.values().all(Option::is_some);
        let how = match (models.is_empty(), is_known) {
            (true, _) if core.model.is_none() => "None: no model is offered in [model].",
            (true, _) => "None: nothing was asked.",
            (false, true) => {
                "What the provider counted, at the prices in [model] of the time; with the most it can have cost where \
                 it did not say."
            }
            (false, false) => "Unknown until [billing.costs.prices] dollar is set.",
        };
        basis.push(Basis { what: "Included AI", how: how.to_owned(), observed_at: None, is_known });
        Ok(Self(models))
    }

    pub(super) fn customers(&self) -> impl Iterator<Item = CustomerId> {
        self.0.keys().flatten().copied()
    }

    pub(super) fn of(&self, customer: Option<CustomerId>) -> Option<Micros> {
        self.0.get(&customer).copied().unwrap_or(Some(Micros::ZERO))
    }
}
