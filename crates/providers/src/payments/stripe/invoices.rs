//! One invoice at Stripe for each finished one of ours, which says what to charge and nothing else.
//!
//! Stripe neither retries nor ends one by itself: it is made with `auto_advance` off, and each attempt to charge is
//! asked for. Money is asked for only once Stripe's total was seen to be ours. Every part is looked for before it is
//! made, by our number and the number of the line in its metadata: the list is up to date, which the search isn't.

use domain::{Cents, CustomerId};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Stripe;
use super::api::Once;
use super::objects::{
    CUSTOMER, Customer, INSTANCE, INVOICE, ISSUE, Invoice, InvoiceItem, LINE, PaymentMethod, Subscription,
};
use super::subscriptions::SUBSCRIPTIONS;
use crate::ProviderError;
use crate::payments::{Bill, CollectionState, Failure, Standing};

const INVOICES: &str = "/v1/invoices";
const ITEMS: &str = "/v1/invoiceitems";

/// Who pays, and with what.
struct Payer {
    id: String,
    card: Option<String>,
}

impl Stripe {
    pub(super) async fn collect_bill(&self, bill: &Bill) -> Result<Standing, ProviderError> {
        adds_up(bill)?;
        let payer = self.payer(bill).await?;
        let invoice = self.handed_over(bill, &payer.id).await?;
        if invoice.is("open") && !invoice.attempted {
            return self.charge(bill, &invoice.id, &payer, 1).await;
        }
        self.standing_at(&invoice.id).await
    }

    pub(super) async fn hand_over_bill(&self, bill: &Bill) -> Result<(), ProviderError> {
        adds_up(bill)?;
        let payer = self.payer(bill).await?;
        self.handed_over(bill, &payer.id).await.map(drop)
    }

    pub(super) async fn charge_again(&self, bill: &Bill, attempt: u32) -> Result<Standing, ProviderError> {
        adds_up(bill)?;
        let payer = self.payer(bill).await?;
        let invoice = match self.live_invoice(&payer.id, &bill.number).await? {
            Some(invoice) if !invoice.is("draft") => invoice,
            // An earlier attempt never came so far, or what it handed over was void.
            _ => self.handed_over(bill, &payer.id).await?,
        };
        if !invoice.is("open") {
            return self.standing_at(&invoice.id).await;
        }
        if invoice.amount_remaining != bill.amount.get() {
            let why = format!(
                "Stripe waits for {} cents of it, and {} are open here",
                invoice.amount_remaining,
                bill.amount.get()
            );
            let next = "withdraw it at Stripe and take the rest by hand, or correct the payments booked here";
            return Err(ProviderError::refused(format!("charge the invoice {} again", bill.number), why, next));
        }
        self.charge(bill, &invoice.id, &payer, attempt).await
    }

    pub(super) async fn standing_of(
        &self,
        customer: CustomerId,
        number: &str,
    ) -> Result<Option<Standing>, ProviderError> {
        let Some(payer) = self.customer_id(customer).await? else { return Ok(None) };
        let all = self.invoices_of(&payer, number).await?;
        let live = all.iter().find(|invoice| !invoice.is("void"));
        match live.or(all.first()) {
            Some(invoice) => self.standing_at(&invoice.id).await.map(Some),
            None => Ok(None),
        }
    }

    pub(super) async fn withdraw_invoice(&self, customer: CustomerId, number: &str) -> Result<(), ProviderError> {
        let Some(payer) = self.customer_id(customer).await? else { return Ok(()) };
        let Some(invoice) = self.live_invoice(&payer, number).await? else { return Ok(()) };
        if invoice.is("paid") {
            let next = "give the money back by a credit note in Stripe's dashboard";
            return Err(ProviderError::refused(format!("withdraw the invoice {number}"), "it is paid at Stripe", next));
        }
        self.discard(&invoice).await
    }

    pub(super) async fn page_to_pay(
        &self,
        customer: CustomerId,
        number: &str,
    ) -> Result<Option<String>, ProviderError> {
        let Some(payer) = self.customer_id(customer).await? else { return Ok(None) };
        let invoice = self.live_invoice(&payer, number).await?.filter(|invoice| invoice.is("open"));
        Ok(invoice.and_then(|invoice| invoice.hosted_invoice_url))
    }

    pub(super) async fn all_standings(&self, since: Timestamp) -> Result<Vec<(String, Standing)>, ProviderError> {
        let query = json!({ "created": { "gte": since.as_second() } });
        let all: Vec<Invoice> = self.rest.list("GET /v1/invoices", INVOICES, &query).await?;
        let ours = all.into_iter().filter_map(|invoice| Some((invoice.number()?.to_owned(), standing(invoice))));
        Ok(ours.collect())
    }

    async fn payer(&self, bill: &Bill) -> Result<Payer, ProviderError> {
        let refused =
            |why: String, next| Err(ProviderError::refused(format!("charge the invoice {}", bill.number), why, next));
        let Some(id) = self.customer_id(bill.customer).await? else {
            let next = "take the money by hand and book it, or write the invoice off";
            return refused(format!("Stripe has no customer for {}", bill.customer), next);
        };
        let query = json!({ "customer": id, "status": "all" });
        let theirs: Vec<Subscription> = self.rest.list("GET /v1/subscriptions", SUBSCRIPTIONS, &query).await?;
        let running = || theirs.iter().filter(|held| !held.is_over());
        let charging = |held: &&Subscription| held.instance().is_some() && held.monthly_cost() != Some(Cents::ZERO);
        if let Some(held) = running().find(charging) {
            let next = "change its price to one of 0 in Stripe's dashboard, settle what it charged, and try again";
            return refused(
                format!("the subscription {} charges an amount by itself, which this would add to", held.id),
                next,
            );
        }
        let customer: Customer =
            self.rest.get("GET /v1/customers/{id}", format!("/v1/customers/{id}"), &json!({})).await?;
        let own = running().find(|held| held.instance() == Some(bill.instance));
        let own = own.and_then(|held| held.default_payment_method.clone());
        let card = match customer.invoice_settings.default_payment_method.or(own) {
            Some(card) => Some(card),
            None => self.newest_card(&id).await?,
        };
        Ok(Payer { id, card })
    }

    pub(super) async fn newest_card(&self, customer: &str) -> Result<Option<String>, ProviderError> {
        let path = format!("/v1/customers/{customer}/payment_methods");
        let all: Vec<PaymentMethod> =
            self.rest.list("GET /v1/customers/{id}/payment_methods", &path, &json!({ "type": "card" })).await?;
        Ok(all.into_iter().next().map(|method| method.id))
    }

    /// All that bear our number, those that are void too, newest first.
    async fn invoices_of(&self, customer: &str, number: &str) -> Result<Vec<Invoice>, ProviderError> {
        let all: Vec<Invoice> = self.rest.list("GET /v1/invoices", INVOICES, &json!({ "customer": customer })).await?;
        Ok(all.into_iter().filter(|invoice| invoice.number() == Some(number)).collect())
    }

    pub(super) async fn live_invoice(&self, customer: &str, number: &str) -> Result<Option<Invoice>, ProviderError> {
        Ok(self.invoices_of(customer, number).await?.into_iter().find(|invoice| !invoice.is("void")))
    }

    /// The final invoice, of the same total as ours.
    async fn handed_over(&self, bill: &Bill, customer: &str) -> Result<Invoice, ProviderError> {
        let known = self.invoices_of(customer, &bill.number).await?;
        let void = known.iter().filter(|invoice| invoice.is("void")).count();
        let mut invoice = match known.into_iter().find(|invoice| !invoice.is("void")) {
            Some(invoice) => invoice,
            None => self.draft(bill, customer, void + 1).await?,
        };
        if invoice.is("draft") {
            self.add_lines(bill, customer, &invoice.id).await?;
            invoice = self.agreeing(bill, self.invoice(&invoice.id).await?).await?;
            self.finish(&invoice.id).await?;
            invoice = self.invoice(&invoice.id).await?;
        }
        // A tax that the account adds would show only now.
        self.agreeing(bill, invoice).await
    }

    async fn draft(&self, bill: &Bill, customer: &str, issue: usize) -> Result<Invoice, ProviderError> {
        let form = json!({
            "customer": customer,
            "currency": bill.currency.to_ascii_lowercase(),
            "auto_advance": false,
            "collection_method": "charge_automatically",
            "pending_invoice_items_behavior": "exclude",
            "description": format!("Invoice {}", bill.number),
            "metadata": {
                INVOICE: bill.number, CUSTOMER: bill.customer.to_string(), INSTANCE: bill.instance.to_string(),
                ISSUE: issue.to_string(),
            },
        });
        let operation = "POST /v1/invoices";
        let made: Invoice = self.rest.post(operation, INVOICES, &form, Once::ByContent).await?;
        match self.invoice(&made.id).await {
            // It was made within the hour and deleted since.
            Err(ProviderError::NotFound { .. }) => self.rest.post(operation, INVOICES, &form, Once::PerCall).await,
            found => found,
        }
    }

    async fn add_lines(&self, bill: &Bill, customer: &str, invoice: &str) -> Result<(), ProviderError> {
        let there: Vec<InvoiceItem> =
            self.rest.list("GET /v1/invoiceitems", ITEMS, &json!({ "invoice": invoice })).await?;
        for (place, line) in bill.lines.iter().enumerate() {
            let number = (place + 1).to_string();
            if there.iter().any(|item| item.metadata.get(LINE) == Some(&number)) {
                continue;
            }
            let form = json!({
                "customer": customer,
                "invoice": invoice,
                "amount": line.amount.get(),
                "currency": bill.currency.to_ascii_lowercase(),
                "description": line.description,
                "metadata": { INVOICE: bill.number, LINE: number },
            });
            let _: Value = self.rest.post("POST /v1/invoiceitems", ITEMS, &form, Once::ByContent).await?;
        }
        Ok(())
    }

    async fn finish(&self, invoice: &str) -> Result<(), ProviderError> {
        let path = format!("{INVOICES}/{invoice}/finalize");
        let form = json!({ "auto_advance": false });
        let done: Result<Value, _> =
            self.rest.try_post("POST /v1/invoices/{id}/finalize", path, &form, Once::ByContent).await?;
        match done {
            // Somebody finished it in between, which is as good.
            Err(denied) if self.invoice(invoice).await?.is("draft") => Err(denied.in_words()),
            _ => Ok(()),
        }
    }

    /// The invoice, if it is to be paid what ours is; otherwise it is void, or at least never charged by us.
    async fn agreeing(&self, bill: &Bill, invoice: Invoice) -> Result<Invoice, ProviderError> {
        let ours = bill.amount.get();
        let same_currency = invoice.currency.eq_ignore_ascii_case(&bill.currency);
        if same_currency && invoice.total == ours && invoice.amount_due == ours {
            return Ok(invoice);
        }
        let what = format!("collect the invoice {}", bill.number);
        let theirs = format!(
            "Stripe says {} cents in {}, of which {} are due, and ours are {ours} in {}",
            invoice.total, invoice.currency, invoice.amount_due, bill.currency
        );
        if invoice.is("paid") {
            let next = "compare the two, and give back by a credit note in Stripe's dashboard what was too much";
            return Err(ProviderError::refused(what, format!("it is paid, but differs: {theirs}"), next));
        }
        self.discard(&invoice).await?;
        let next = "look in Stripe's dashboard for taxes, discounts or a balance of the customer's, take them away, \
                    and try again";
        Err(ProviderError::refused(what, format!("{theirs}; it was made void and nothing was charged"), next))
    }

    async fn discard(&self, invoice: &Invoice) -> Result<(), ProviderError> {
        if invoice.is("draft") {
            let path = format!("{INVOICES}/{}", invoice.id);
            let _: Option<Value> = self.rest.delete("DELETE /v1/invoices/{id}", path, &json!({})).await?;
            return Ok(());
        }
        let path = format!("{INVOICES}/{}/void", invoice.id);
        let _: Value = self.rest.post("POST /v1/invoices/{id}/void", path, &json!({}), Once::PerCall).await?;
        Ok(())
    }

    async fn charge(&self, bill: &Bill, invoice: &str, payer: &Payer, attempt: u32) -> Result<Standing, ProviderError> {
        let Some(card) = &payer.card else {
            let mut standing = self.standing_at(invoice).await?;
            let reason = "there is no card to pay with".to_owned();
            standing.failure = Some(Failure { id: format!("{} without a card {attempt}", bill.number), reason });
            return Ok(standing);
        };
        let path = format!("{INVOICES}/{invoice}/pay");
        let form = json!({ "payment_method": card, "off_session": true });
        let done: Result<Value, _> =
            self.rest.try_post("POST /v1/invoices/{id}/pay", path, &form, Once::ByAttempt(attempt)).await?;
        let standing = self.standing_at(invoice).await?;
        match done {
            // The customer may have paid on Stripe's page in between.
            Err(denied) if !denied.is_no_payment() && standing.state != CollectionState::Paid => Err(denied.in_words()),
            _ => Ok(standing),
        }
    }

    async fn standing_at(&self, id: &str) -> Result<Standing, ProviderError> {
        let query = json!({ "expand": ["payments.data.payment.payment_intent"] });
        let invoice = self.rest.get("GET /v1/invoices/{id}", format!("{INVOICES}/{id}"), &query).await?;
        Ok(standing(invoice))
    }

    pub(super) async fn invoice(&self, id: &str) -> Result<Invoice, ProviderError> {
        self.rest.get("GET /v1/invoices/{id}", format!("{INVOICES}/{id}"), &json!({})).await
    }
}

/// Refuses what could only become a wrong charge.
fn adds_up(bill: &Bill) -> Result<(), ProviderError> {
    let lines = bill.lines.iter().try_fold(Cents::ZERO, |sum, line| sum.checked_add(line.amount));
    if lines == Some(bill.amount) && bill.amount > Cents::ZERO {
        return Ok(());
    }
    let why = format!("its lines do not come to {} cents", bill.amount.get());
    let next = "report this mistake in the program; nothing was charged";
    Err(ProviderError::refused(format!("collect the invoice {}", bill.number), why, next))
}

fn standing(invoice: Invoice) -> Standing {
    let state = match invoice.status.as_deref() {
        Some("paid") => CollectionState::Paid,
        Some("void") => CollectionState::Void,
        Some("uncollectible") => CollectionState::GivenUp,
        Some("open") => CollectionState::Open,
        _ => CollectionState::Draft,
    };
    let failed = state == CollectionState::Open && invoice.attempted;
    Standing {
        failure: failed.then(|| failure(&invoice)),
        state,
        total: Cents::new(invoice.total),
        paid: Cents::new(invoice.amount_paid),
        name: invoice.number().map(str::to_owned),
        id: invoice.id,
    }
}

fn failure(invoice: &Invoice) -> Failure {
    let payments = invoice.payments.as_ref().map(|payments| &*payments.data).unwrap_or_default();
    let intent = payments.iter().find_map(|payment| payment.payment.payment_intent.as_ref());
    let error = intent.and_then(|intent| intent.last_payment_error.as_ref());
    let reason = error.and_then(|error| error.message.clone().or_else(|| error.code.clone()));
    Failure {
        id: intent.and_then(|intent| intent.latest_charge.clone()).unwrap_or_else(|| invoice.id.clone()),
        reason: reason.unwrap_or_else(|| "Stripe does not say why".to_owned()),
    }
}
