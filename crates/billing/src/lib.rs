//! From a used hour to a paid invoice: the rules of billing, and nothing else.
//!
//! Nothing here performs I/O, waits, or asks for the time or for chance. What is stored, sent or charged is done by
//! whoever calls this, with what it returns. The same arguments give the same result, to the byte.
//!
//! # The model on one page
//!
//! **An hour** is one clock hour in UTC, numbered from 1970 (`domain::UsageHour`). It was used or it was not; any part
//! of it counts whole. UTC has no daylight saving, so no day has 23 or 25 of them.
//!
//! **Usage** ([`Usage`]) is, for one instance, a set of hours for each [`Source`] and a set of hours waived. Sets grow
//! by union and in no other way, so an hour that is reported twice, late, out of order, by two collectors or after a
//! restore changes nothing. *Billable = (guard ∪ application) − waived.* Idle costs nothing. How the four signals of
//! the plan arrive here:
//!
//! | signal | seen by |
//! |---|---|
//! | a member was signed in and active | guard: requests and messages that count as use |
//! | an API call was made | guard |
//! | the generated app was running | guard, which looks whether it takes connections; or the application says so |
//! | a sprint was executing | application, which reports it to the guard: no request shows it |
//!
//! The *compute provider* knows whether an instance was up, the *edge* who signed in. Neither says whether an hour was
//! used: they are compared with the evidence ([`Usage::doubtful`]) and never bill.
//!
//! **A period** ([`Period`], [`Cycle`]) is what one invoice is for: a calendar month, or from the day and hour at
//! which the service began to the same in the next month. **Terms** ([`Terms`]) say what a customer pays in it: the
//! version of the plan that was in force when it began ([`PriceBook`]), so a new price never reaches into a period
//! that has begun. The base fee is prorated, by hours, in the first period that costs anything, and in no other:
//! neither the last one nor one in which nothing was used is cheaper. A trial makes hours and base fee free until it
//! ends, and a service that ends within it has no invoice for that. Of which taxes a customer is charged, or why of none, the rules of the same time say ([`TaxBook`], [`Taxed`]),
//! by the country and the tax id that the customer has when the invoice is issued. A coupon is an [`Offer`] that a
//! customer took; what is left of it follows from the invoices.
//!
//! **An invoice** ([`Invoice::of`]) is computed from [`InvoiceInputs`]: base fee and hours after the period's end;
//! less coupons (free hours, then percentages, then amounts); plus taxes, which prices never include; settled as far
//! as it goes by the customer's credit, of which the rest remains.
//!
//! - *Late hours*: what is billable of a closed period and stands on no invoice. They come on the next one, named, at
//!   the price of the period in which they were used, with the percentages that covered it, and with today's taxes.
//! - *Waived hours*: waived before its close, an hour is not billed. Waived after, it is credited on the next invoice:
//!   its equal share of what its line was charged after discounts, with the taxes on that. The credit goes to the
//!   customer's balance. Being merge-only, a waiver is final, and no such hour is ever billed again.
//! - So *every hour used stands on exactly one line of one invoice*, or is waived. What a period billed is read from
//!   the invoices themselves ([`closed_by`]).
//!
//! **Rounding**: amounts are whole smallest units of the currency. What does not come out even is rounded to the
//! nearest one, a half away from zero, in one function. Rounded are the prorated base fee, each percentage (of the sum
//! of the lines that it covers) and each tax (of the net total), once each; their shares on single lines are cut so
//! that they add up. No arithmetic wraps: an amount that is too large is an error.
//!
//! **The ledger** ([`ledger`]) is each customer's double-entry book; [`ledger::issue`] makes an invoice's
//! transactions. **Dunning** ([`dunning`]) says what happens while an invoice is not paid, a **cancellation**
//! ([`Cancellation`]) what happens to an instance that is given up. A **cap** ([`Cap`]) keeps hours from beginning, a
//! **budget** ([`Budget`]) tells, and a **forecast** ([`Forecast`]) guesses by a stated rule.
//!
//! **Costs** ([`costs`]) are what serving customers costs us, in millionths; a **margin** ([`Margin`]) is what is left. How
//! near a provider's own limit is, and what of that is told, says an [`Allowance`]. What the business as a whole does
//! ([`growth`]) follows from what each customer was charged for each month.

mod allowance;
mod arithmetic;
mod budget;
mod cancellation;
mod cap;
mod caps;
pub mod costs;
mod discount;
pub mod dunning;
mod forecast;
pub mod growth;
mod hours;
mod invoice;
pub mod ledger;
mod margin;
mod offer;
mod period;
mod plan;
mod rate;
mod taxes;
mod terms;
mod usage;
mod words;

pub use allowance::{Allowance, Change, Warning};
pub use arithmetic::OutOfRange;
pub use budget::{Announced, Announcement, Budget};
pub use cancellation::{Cancellation, CancellationPolicy, CancellationPolicyError, CancellationStep, TakenBack};
pub use cap::Cap;
pub use caps::{CapChosen, CapHistory};
pub use discount::{Coupon, CouponError, CreditUse, Lasting, Taken, Trial, Worth};
pub use forecast::Forecast;
pub use hours::HourSet;
pub use invoice::{
    ClosedPeriod, CreditLine, Discount, HourCharge, Invoice, InvoiceError, InvoiceInputs, Line, LineKind, Party,
    TaxLine, TaxShare, closed_by,
};
pub use margin::Margin;
pub use offer::Offer;
pub use period::{Cycle, EmptyPeriod, Period};
pub use plan::{BelowNothing, Currency, PlanVersion, Price, PriceBook, PriceBookError, Tax, UnknownCurrency};
pub use rate::{NoPercentage, Rate, TooMuch};
pub use taxes::{TaxBook, TaxRule, TaxVersion, Taxed};
pub use terms::Terms;
pub use usage::{Source, Standing, UnknownSource, Usage};
