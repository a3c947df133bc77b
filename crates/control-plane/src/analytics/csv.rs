//! The history of months as comma-separated values: one line a month, amounts with two decimals and no sign of a currency.

use api::{Analytics, AnalyticsMonth};

/// For the header of an answer.
pub(crate) const CONTENT_TYPE: &str = "text/csv; charset=utf-8";

const HEADINGS: &str = "month,is_complete,currency,recurring,new,returned,grown,shrunk,lost,revenue,customers,\
                        customers_new,customers_returned,customers_lost,signups,visits,spend";

/// The whole table. What is not known is empty.
pub(crate) fn of(analytics: &Analytics) -> String {
    let mut lines = vec![HEADINGS.to_owned()];
    lines.extend(analytics.months.iter().map(|month| line(month, &analytics.currency)));
    lines.join("\r\n") + "\r\n"
}

fn line(month: &AnalyticsMonth, currency: &str) -> String {
    [
        month.month.to_string(),
        month.is_complete.to_string(),
        currency.to_owned(),
        month.recurring.to_string(),
        month.new.to_string(),
        month.returned.to_string(),
        month.grown.to_string(),
        month.shrunk.to_string(),
        month.lost.to_string(),
        month.revenue.to_string(),
        month.customers.to_string(),
        month.customers_new.to_string(),
        month.customers_returned.to_string(),
        month.customers_lost.to_string(),
        month.signups.to_string(),
        month.visits.to_string(),
        month.spend.map(|spend| spend.to_string()).unwrap_or_default(),
    ]
    .join(",")
}
