//! One business day in which everything is asked for once: what the contract test looks at.

use simulators::stripe::{Doubt, Turn};

use crate::receiver::Endpoint;
use crate::scene::{DAY, HOUR, Offer, Scene, id};

/// Asks for everything that can be asked for.
pub async fn told() -> Scene {
    let scene = Scene::new().await;
    let endpoint = Endpoint::of(&scene, &["*"]).await;
    let offer = scene.offer().await;
    catalogue(&scene, &offer).await;
    customers(&scene).await;
    checkouts(&scene, &offer).await;
    let (customer, subscription) = scene.subscribed(&offer, &[]).await;
    scene.prefer_card(&customer).await;
    usage(&scene, &offer, &customer).await;
    subscriptions(&scene, &subscription).await;
    invoices(&scene, &customer, &subscription).await;
    payments(&scene, &customer).await;
    disputes(&scene).await;
    portal(&scene, &customer, &subscription).await;
    failures(&scene, &offer).await;
    scene.delete(&format!("/v1/subscriptions/{subscription}"), &[("invoice_now", "true"), ("prorate", "true")]).await;
    scene.stripe.deliver_due().await;
    webhooks(&scene, &endpoint).await;
    scene
}

async fn catalogue(scene: &Scene, offer: &Offer) {
    scene.get("/v1/account", &[]).await;
    let product = id(&scene.get("/v1/products", &[("active", "true")]).await["data"][0]);
    scene.get(&format!("/v1/products/{product}"), &[]).await;
    scene.post(&format!("/v1/products/{product}"), &[("description", "x")]).await;
    let other = id(&scene.post("/v1/products", &[("name", "Other")]).await);
    scene.delete(&format!("/v1/products/{other}"), &[]).await;
    scene.get("/v1/prices", &[("lookup_keys[]", "base"), ("expand[]", "data.product")]).await;
    scene.get(&format!("/v1/prices/{}", offer.hours), &[]).await;
    scene.post(&format!("/v1/prices/{}", offer.base), &[("nickname", "Base")]).await;
    let meter = format!("/v1/billing/meters/{}", offer.meter);
    scene.get("/v1/billing/meters", &[]).await;
    scene.get(&meter, &[]).await;
    scene.post(&meter, &[("display_name", "Hours used")]).await;
    scene.post(&format!("{meter}/deactivate"), &[]).await;
    scene.post(&format!("{meter}/reactivate"), &[]).await;
}

async fn customers(scene: &Scene) {
    let path = format!("/v1/customers/{}", scene.customer().await);
    let form = [("address[line1]", "1 Way"), ("address[country]", "CH"), ("metadata[a]", "b"), ("phone", "+41")];
    scene.post(&path, &form).await;
    scene.get(&path, &[("expand[]", "subscriptions")]).await;
    scene.get("/v1/customers", &[("email", "ada@example.com")]).await;
    scene.get("/v1/customers/search", &[("query", "email:'ada@example.com'")]).await;
    scene.delete(&path, &[]).await;
    scene.get(&path, &[]).await;
}

async fn checkouts(scene: &Scene, offer: &Offer) {
    let customer = scene.customer().await;
    let form = [
        ("subscription_data[trial_period_days]", "14"),
        ("automatic_tax[enabled]", "true"),
        ("customer_update[address]", "auto"),
        ("allow_promotion_codes", "true"),
        ("locale", "de"),
    ];
    let session = id(&scene.checkout(offer, &customer, &form).await);
    let path = format!("/v1/checkout/sessions/{session}");
    scene.get(&path, &[("expand[]", "line_items")]).await;
    scene.get(&format!("{path}/line_items"), &[]).await;
    scene.stripe.complete(&session).unwrap();
    scene.get(&path, &[("expand[]", "subscription.latest_invoice"), ("expand[]", "customer")]).await;
    let form =
        [("mode", "setup"), ("currency", "usd"), ("customer", &*customer), ("success_url", "https://shop.example")];
    let setup = id(&scene.post("/v1/checkout/sessions", &form).await);
    scene.stripe.complete(&setup).unwrap();
    let other = id(&scene.checkout(offer, &customer, &[]).await);
    scene.post(&format!("/v1/checkout/sessions/{other}/expire"), &[]).await;
    scene.get("/v1/checkout/sessions", &[("customer", &*customer)]).await;
    scene.pass(20 * DAY);
}

async fn usage(scene: &Scene, offer: &Offer, customer: &str) {
    scene.pass(HOUR);
    let event = [
        ("event_name", "hours"),
        ("identifier", "story"),
        ("payload[stripe_customer_id]", customer),
        ("payload[value]", "3"),
    ];
    scene.post("/v1/billing/meter_events", &event).await;
    scene.use_hour(customer, "kept", 60).await;
    let form = [("event_name", "hours"), ("type", "cancel"), ("cancel[identifier]", "story")];
    scene.post("/v1/billing/meter_event_adjustments", &form).await;
    scene.pass(HOUR);
    let hour = scene.now() - scene.now() % HOUR;
    let (from, to) = ((hour - DAY).to_string(), hour.to_string());
    let query = [("customer", customer), ("start_time", &from), ("end_time", &to), ("value_grouping_window", "hour")];
    scene.get(&format!("/v1/billing/meters/{}/event_summaries", offer.meter), &query).await;
}

async fn subscriptions(scene: &Scene, subscription: &str) {
    let path = format!("/v1/subscriptions/{subscription}");
    let form = [("cancel_at_period_end", "true"), ("cancellation_details[comment]", "x"), ("description", "y")];
    scene.post(&path, &form).await;
    scene.post(&path, &[("cancel_at_period_end", "false")]).await;
    let whole = scene.get(&path, &[("expand[]", "customer"), ("expand[]", "latest_invoice")]).await;
    scene.get("/v1/subscriptions", &[("status", "all")]).await;
    scene.get("/v1/subscription_items", &[("subscription", subscription)]).await;
    let item = id(&whole["items"]["data"][0]);
    scene.get(&format!("/v1/subscription_items/{item}"), &[]).await;
    begun_without_a_checkout(scene).await;
}

async fn begun_without_a_checkout(scene: &Scene) {
    let product = id(&scene.get("/v1/products", &[]).await["data"][0]);
    let form = [("product", &*product), ("currency", "usd"), ("unit_amount", "0"), ("recurring[interval]", "month")];
    let free = id(&scene.post("/v1/prices", &form).await);
    let customer = scene.customer().await;
    let form =
        [("customer", &*customer), ("items[0][price]", &*free), ("items[0][quantity]", "1"), ("metadata[a]", "b")];
    let begun = id(&scene.post("/v1/subscriptions", &form).await);
    scene.delete(&format!("/v1/subscriptions/{begun}"), &[]).await;
}

async fn invoices(scene: &Scene, customer: &str, subscription: &str) {
    let product = id(&scene.get("/v1/products", &[]).await["data"][0]);
    let form = [("product", &*product), ("currency", "usd"), ("unit_amount", "250")];
    let price = id(&scene.post("/v1/prices", &form).await);
    scene.post("/v1/invoices/create_preview", &[("subscription", subscription)]).await;
    let invoice = id(&scene.post("/v1/invoices", &[("customer", customer), ("auto_advance", "false")]).await);
    let path = format!("/v1/invoices/{invoice}");
    let form = [("customer", customer), ("invoice", &*invoice), ("pricing[price]", &*price), ("quantity", "2")];
    let item = id(&scene.post("/v1/invoiceitems", &form).await);
    let item = format!("/v1/invoiceitems/{item}");
    scene.get("/v1/invoiceitems", &[("invoice", &*invoice)]).await;
    scene.get(&item, &[]).await;
    scene.get(&format!("{path}/lines"), &[]).await;
    scene.delete(&item, &[]).await;
    scene.post("/v1/invoiceitems", &[("customer", customer), ("invoice", &*invoice), ("amount", "400")]).await;
    scene.post(&path, &[("description", "By hand"), ("metadata[a]", "b")]).await;
    scene.post(&format!("{path}/finalize"), &[]).await;
    let note = id(&scene.post("/v1/credit_notes", &[("invoice", &*invoice), ("amount", "100")]).await);
    scene.get(&format!("/v1/credit_notes/{note}"), &[]).await;
    scene.get("/v1/credit_notes", &[("invoice", &*invoice)]).await;
    scene.post(&format!("{path}/pay"), &[]).await;
    let other = id(&scene.post("/v1/invoices", &[("customer", customer)]).await);
    scene.delete(&format!("/v1/invoices/{other}"), &[]).await;
    let other = id(&scene.post("/v1/invoices", &[("customer", customer)]).await);
    scene.post("/v1/invoiceitems", &[("customer", customer), ("invoice", &*other), ("amount", "1")]).await;
    scene.post(&format!("/v1/invoices/{other}/finalize"), &[]).await;
    scene.post(&format!("/v1/invoices/{other}/void"), &[]).await;
    scene.get("/v1/invoices", &[("customer", customer), ("limit", "100")]).await;
    scene.get(&path, &[("expand[]", "payments")]).await;
}

async fn payments(scene: &Scene, customer: &str) {
    let payment = scene.get("/v1/invoice_payments", &[("status", "paid")]).await["data"][0].clone();
    let intent = payment["payment"]["payment_intent"].as_str().unwrap();
    let charge = scene.get(&format!("/v1/payment_intents/{intent}"), &[]).await["latest_charge"].clone();
    scene.get(&format!("/v1/charges/{}", charge.as_str().unwrap()), &[]).await;
    scene.get("/v1/charges", &[("customer", customer)]).await;
    let refund = id(&scene.post("/v1/refunds", &[("payment_intent", intent), ("reason", "duplicate")]).await);
    scene.get(&format!("/v1/refunds/{refund}"), &[]).await;
    scene.get("/v1/refunds", &[("payment_intent", intent)]).await;
    let book = scene.get("/v1/balance_transactions", &[("type", "refund"), ("expand[]", "data.source")]).await;
    scene.get(&format!("/v1/balance_transactions/{}", id(&book["data"][0])), &[]).await;
    let card = scene.get(&format!("/v1/customers/{customer}/payment_methods"), &[]).await["data"][0].clone();
    let card = id(&card);
    scene.get(&format!("/v1/payment_methods/{card}"), &[]).await;
    scene.get("/v1/payment_methods", &[("customer", customer)]).await;
}

/// A payment that is questioned, asked about, answered, lost and won, and a refund that comes back.
async fn disputes(scene: &Scene) {
    let all = scene.stripe.charges();
    let doubt = |inquiry, amount| Doubt { amount, inquiry, ..Doubt::FRAUDULENT };
    let lost = scene.stripe.dispute(&all[0], doubt(false, Some(1))).unwrap();
    for turn in [Turn::Answered, Turn::Lost, Turn::Won] {
        scene.stripe.settle_dispute(&lost, turn);
    }
    let asked = scene.stripe.dispute(&all[0], doubt(true, None)).unwrap();
    scene.stripe.settle_dispute(&asked, Turn::Escalated);
    scene.get(&format!("/v1/disputes/{asked}"), &[]).await;
    scene.get("/v1/disputes", &[("charge", &*all[0])]).await;
    let payment = scene.stripe.disputes()[0]["payment_intent"].as_str().unwrap().to_owned();
    let of_payment = [("payment[type]", "payment_intent"), ("payment[payment_intent]", &*payment)];
    scene.get("/v1/invoice_payments", &of_payment).await;
    let refund = id(&scene.stripe.refunds()[0]);
    scene.stripe.fail_refund(&refund);
    scene.get(&format!("/v1/refunds/{refund}"), &[]).await;
}

async fn portal(scene: &Scene, customer: &str, subscription: &str) {
    let form = [
        ("features[invoice_history][enabled]", "true"),
        ("features[payment_method_update][enabled]", "true"),
        ("features[subscription_cancel][enabled]", "true"),
        ("business_profile[headline]", "Instances"),
    ];
    let configuration = id(&scene.post("/v1/billing_portal/configurations", &form).await);
    let path = format!("/v1/billing_portal/configurations/{configuration}");
    scene.get(&path, &[]).await;
    scene.post(&path, &[("default_return_url", "https://shop.example")]).await;
    scene.get("/v1/billing_portal/configurations", &[]).await;
    let form = [
        ("customer", customer),
        ("configuration", &*configuration),
        ("return_url", "https://shop.example"),
        ("flow_data[type]", "subscription_cancel"),
        ("flow_data[subscription_cancel][subscription]", subscription),
        ("flow_data[after_completion][type]", "redirect"),
        ("flow_data[after_completion][redirect][return_url]", "https://shop.example/after"),
    ];
    scene.post("/v1/billing_portal/sessions", &form).await;
}

/// A renewal that fails, for its events.
async fn failures(scene: &Scene, offer: &Offer) {
    let (customer, _) = scene.subscribed(offer, &[]).await;
    scene.stripe.set_card(&customer, false);
    scene.pass(50 * DAY);
    scene.get("/v1/invoices", &[("customer", &*customer)]).await;
}

async fn webhooks(scene: &Scene, endpoint: &Endpoint) {
    let path = format!("/v1/webhook_endpoints/{}", endpoint.id);
    scene.get("/v1/webhook_endpoints", &[]).await;
    scene.get(&path, &[]).await;
    scene.post(&path, &[("description", "Ours")]).await;
    let event = id(&scene.get("/v1/events", &[("limit", "100")]).await["data"][0]);
    scene.get(&format!("/v1/events/{event}"), &[]).await;
    scene.delete(&path, &[]).await;
}
