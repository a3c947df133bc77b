use domain::InstanceId;
use serde_json::{Value, json};

use super::Stripe;
use super::api::Once;
use super::objects::{Invoice, Subscription};
use super::subscriptions::SUBSCRIPTIONS;
use crate::payments::Ending;
use crate::{ProviderError, Removed};

impl Stripe {
    /// Closes what is open, ends what runs, and gives back what was charged for what never worked.
    /// The customer stays: invoices have to be kept.
    pub(super) async fn end_all(&self, instance: InstanceId, ending: Ending) -> Result<Vec<Removed>, ProviderError> {
        // First, so that nobody begins another subscription meanwhile.
        self.expire_sessions(instance).await?;
        let mut removed = Vec::new();
        for held in self.subscriptions_of(instance).await? {
            // It may have been told to be paid for in the moment in which its instance was given up.
            let worked = ending == Ending::NotWanted && held.worked();
            if !held.is_over() {
                self.end(&held, worked).await?;
            }
            if !worked {
                self.give_back(&held).await?;
            }
            removed.push(Removed::new("subscription", held.id));
        }
        // Last, so that whoever has to ask again is told of the same.
        self.resources.forget_all(instance).await?;
        Ok(removed)
    }

    async fn end(&self, held: &Subscription, worked: bool) -> Result<(), ProviderError> {
        // Without an invoice what was used and not billed is lost, which is right only in a hold.
        let query = json!({ "invoice_now": worked, "prorate": false });
        let path = format!("{SUBSCRIPTIONS}/{}", held.id);
        self.rest.delete::<Value>("DELETE /v1/subscriptions/{id}", path, &query).await.map(drop)
    }

    async fn give_back(&self, held: &Subscription) -> Result<(), ProviderError> {
        let invoices: Vec<Invoice> =
            self.rest.list("GET /v1/invoices", "/v1/invoices", &json!({ "subscription": held.id })).await?;
        for invoice in invoices {
            match invoice.status.as_deref() {
                Some("draft") => {
                    // A draft of a subscription can't be deleted, only finished and made void.
                    let path = format!("/v1/invoices/{}/finalize", invoice.id);
                    let form = json!({ "auto_advance": false });
                    let operation = "POST /v1/invoices/{id}/finalize";
                    let finished: Invoice = self.rest.post(operation, path, &form, Once::PerCall).await?;
                    // One that comes to nothing counts as paid at once.
                    if finished.status.as_deref() == Some("open") {
                        self.make_void(&finished).await?;
                    }
                }
                Some("open" | "uncollectible") => self.make_void(&invoice).await?,
                _ => self.refund(&invoice).await?,
            }
        }
        Ok(())
    }

    async fn make_void(&self, invoice: &Invoice) -> Result<(), ProviderError> {
        let path = format!("/v1/invoices/{}/void", invoice.id);
        let _: Value = self.rest.post("POST /v1/invoices/{id}/void", path, &json!({}), Once::PerCall).await?;
        Ok(())
    }

    /// By a credit note, so that taxes stay right.
    async fn refund(&self, invoice: &Invoice) -> Result<(), ProviderError> {
        let left = invoice.amount_paid - invoice.post_payment_credit_notes_amount;
        if left <= 0 {
            return Ok(());
        }
        let form = json!({
            "invoice": invoice.id,
            "amount": left,
            "refund_amount": left,
            "reason": "product_unsatisfactory",
            "memo": "The instance never worked.",
        });
        let _: Value = self.rest.post("POST /v1/credit_notes", "/v1/credit_notes", &form, Once::ByContent).await?;
        Ok(())
    }
}
