use domain::{Cents, CouponCode, CustomerId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Client, ClientError, Page, Paging};

/// A coupon, and how many customers have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Coupon {
    /// What customers type.
    #[schema(value_type = String, example = "LAUNCH-20")]
    pub code: CouponCode,
    /// As it stands on invoices.
    pub name: String,
    /// What it gives, in words.
    #[schema(example = "20 % off for 3 periods")]
    pub offer: String,
    /// The part that is not charged, in percent.
    #[schema(example = "20")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<String>,
    /// Of so many periods; absent for as long as a customer stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub periods: Option<u32>,
    /// So much off in all, before taxes, in the currency's smallest unit.
    #[schema(value_type = Option<i64>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Cents>,
    /// So many usage hours for free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<u32>,
    /// It can be redeemed before this moment; absent for ever.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redeem_until: Option<Timestamp>,
    /// So many customers can have it; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
    /// So many have it.
    pub redeemed: u32,
    /// When it was offered.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Since when nobody can redeem it, because it was ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// Offers a coupon: exactly one of `percent`, `amount` and `hours`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCoupon {
    /// What customers type: 3 to 32 letters, digits and hyphens.
    #[schema(value_type = String, example = "LAUNCH-20")]
    pub code: CouponCode,
    /// As it stands on invoices; the code, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The part that is not charged, in percent.
    #[schema(example = "20")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<String>,
    /// With `percent`: of so many periods, the one in which it is redeemed included; without it, for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub periods: Option<u32>,
    /// So much off in all, before taxes, in the currency's smallest unit.
    #[schema(value_type = Option<i64>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Cents>,
    /// So many usage hours for free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<u32>,
    /// It can be redeemed before this moment only.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redeem_until: Option<Timestamp>,
    /// So many customers can have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
}

/// A coupon that a customer has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustomerCoupon {
    /// Which.
    #[schema(value_type = String)]
    pub code: CouponCode,
    /// As it stands on invoices.
    pub name: String,
    /// What it gives, in words.
    pub offer: String,
    /// Since when they have it.
    #[schema(value_type = String, format = DateTime)]
    pub redeemed_at: Timestamp,
    /// What invoices took off so far, before taxes.
    #[schema(value_type = i64)]
    pub taken: Cents,
    /// How many of its hours are used.
    pub hours_taken: u32,
}

/// Gives a customer a coupon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedeemCoupon {
    /// Which.
    #[schema(value_type = String)]
    pub code: CouponCode,
}

impl Client {
    /// All coupons, by their codes.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn coupons(&self, paging: &Paging) -> Result<Page<Coupon>, ClientError> {
        self.get(&["coupons"], paging).await
    }

    /// One coupon.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is none of that code.
    pub async fn coupon(&self, code: &CouponCode) -> Result<Coupon, ClientError> {
        self.get(&["coupons", code.as_str()], &()).await
    }

    /// Offers a coupon, once.
    ///
    /// # Errors
    /// [`ClientError`]; 409 when the code belongs to another one, 422 when it would give nothing or to nobody.
    pub async fn create_coupon(&self, new: &NewCoupon) -> Result<Coupon, ClientError> {
        self.post(&["coupons"], new).await
    }

    /// Ends a coupon: nobody can redeem it any more, and whoever has it keeps it.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is none of that code.
    pub async fn end_coupon(&self, code: &CouponCode) -> Result<Coupon, ClientError> {
        self.post(&["coupons", code.as_str(), "end"], &()).await
    }

    /// The coupons that a customer has, the earliest first.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such customer.
    pub async fn coupons_of(&self, customer: CustomerId) -> Result<Page<CustomerCoupon>, ClientError> {
        self.get(&["customers", &customer.to_string(), "coupons"], &()).await
    }

    /// Gives a customer a coupon, once. All that they have then.
    ///
    /// # Errors
    /// [`ClientError`]; 404 when there is no such customer, 409 when it has ended or all of it are taken, 422 when there
    /// is no such coupon.
    pub async fn give_coupon(
        &self,
        customer: CustomerId,
        given: &RedeemCoupon,
    ) -> Result<Page<CustomerCoupon>, ClientError> {
        self.post(&["customers", &customer.to_string(), "coupons"], given).await
    }
}
