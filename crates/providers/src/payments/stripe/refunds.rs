//! What goes back to a card: a credit note on the invoice, which keeps Stripe's figures of it right. It bears the
//! refund's reference, and is looked for by that before it is made.

use serde_json::{Value, json};

use super::Stripe;
use super::api::Once;
use super::objects::{CreditNote, INVOICE, REFUND};
use crate::ProviderError;
use crate::payments::Refund;

const NOTES: &str = "/v1/credit_notes";

impl Stripe {
    pub(super) async fn give_back(&self, refund: &Refund) -> Result<(), ProviderError> {
        let refused = |why: &str, next: &str| {
            ProviderError::refused(format!("give back a part of the invoice {}", refund.invoice), why, next)
        };
        let by_hand = "send the money by hand, and abandon this workflow";
        let Some(payer) = self.customer_id(refund.customer).await? else {
            return Err(refused("Stripe has no such customer", by_hand));
        };
        let invoice = self.live_invoice(&payer, &refund.invoice).await?;
        let Some(invoice) = invoice.filter(|invoice| invoice.is("paid")) else {
            return Err(refused("it was not paid at Stripe", by_hand));
        };
        if self.is_noted(&invoice.id, refund).await? {
            return Ok(());
        }
        let form = json!({
            "invoice": invoice.id,
            "amount": refund.amount.get(),
            "refund_amount": refund.amount.get(),
            "metadata": { REFUND: refund.reference, INVOICE: refund.invoice },
        });
        let _: Value = self.rest.post("POST /v1/credit_notes", NOTES, &form, Once::ByContent).await?;
        Ok(())
    }

    pub(super) async fn was_given_back(&self, refund: &Refund) -> Result<bool, ProviderError> {
        let Some(payer) = self.customer_id(refund.customer).await? else { return Ok(false) };
        match self.live_invoice(&payer, &refund.invoice).await? {
            Some(invoice) => self.is_noted(&invoice.id, refund).await,
            None => Ok(false),
        }
    }

    async fn is_noted(&self, invoice: &str, refund: &Refund) -> Result<bool, ProviderError> {
        let there: Vec<CreditNote> =
            self.rest.list("GET /v1/credit_notes", NOTES, &json!({ "invoice": invoice })).await?;
        Ok(there.iter().any(|note| note.metadata.get(REFUND) == Some(&refund.reference)))
    }
}
