//! Invoices by hand, refunds and credit notes.

use crate::scene::{DAY, HOUR, Scene, id};

#[tokio::test]
async fn an_invoice_by_hand_goes_from_draft_to_paid() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let (customer, _) = scene.subscribed(&offer, &[]).await;
    let invoice = scene.post("/v1/invoices", &[("customer", &*customer), ("auto_advance", "false")]).await;
    assert_eq!((&invoice["status"], &invoice["total"]), (&"draft".into(), &0.into()));
    let path = format!("/v1/invoices/{}", id(&invoice));
    let form = [("customer", &*customer), ("invoice", &id(&invoice)), ("amount", "700"), ("description", "Hours")];
    let item = scene.post("/v1/invoiceitems", &form).await;
    let line = scene.get(&format!("{path}/lines"), &[]).await["data"][0].clone();
    assert_eq!((&line["amount"], &line["description"]), (&700.into(), &"Hours".into()));
    assert_eq!(line["parent"]["invoice_item_details"]["invoice_item"], item["id"]);
    scene.delete(&format!("/v1/invoiceitems/{}", id(&item)), &[]).await;
    assert_eq!(scene.get(&path, &[]).await["total"], 0);
    scene.post("/v1/invoiceitems", &form).await;
    let open = scene.post(&format!("{path}/finalize"), &[]).await;
    assert_eq!((&open["status"], &open["amount_due"]), (&"open".into(), &700.into()));
    let reply = scene.try_post("/v1/invoiceitems", &form).await;
    assert_eq!(reply.refusal(), (400, Some("invoice_not_editable"), Some("invoice")));
    assert_eq!(scene.try_post(&format!("{path}/finalize"), &[]).await.status, 400);
    scene.pass(10 * DAY);
    assert_eq!(scene.stripe.charged_cents(&customer), 500, "nothing happens by itself");
    let reply = scene.try_post(&format!("{path}/pay"), &[]).await;
    assert_eq!(reply.refusal(), (400, Some("invoice_no_payment_method"), None));
    scene.prefer_card(&customer).await;
    assert_eq!(scene.post(&format!("{path}/pay"), &[]).await["status"], "paid");
    assert_eq!(scene.stripe.charged_cents(&customer), 1200);
    assert_eq!(scene.try_post(&format!("{path}/void"), &[]).await.status, 400);
}

#[tokio::test]
async fn an_item_without_an_invoice_waits_for_the_next_one() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let (customer, subscription) = scene.subscribed(&offer, &[]).await;
    let form = [("customer", &*customer), ("amount", "-200"), ("currency", "usd"), ("description", "Goodwill")];
    scene.post("/v1/invoiceitems", &form).await;
    let preview = scene.post("/v1/invoices/create_preview", &[("subscription", &*subscription)]).await;
    assert_eq!((&preview["total"], &preview["billing_reason"]), (&300.into(), &"upcoming".into()));
    assert_eq!(scene.ids("/v1/invoiceitems", &[("pending", "true")]).await.len(), 1);
    scene.pass(31 * DAY + HOUR);
    assert!(scene.ids("/v1/invoiceitems", &[("pending", "true")]).await.is_empty());
    assert_eq!(scene.stripe.charged_cents(&customer), 500 + 300);
    scene
        .post("/v1/invoiceitems", &[("customer", &*customer), ("subscription", &*subscription), ("amount", "900")])
        .await;
    scene.delete(&format!("/v1/subscriptions/{subscription}"), &[]).await;
    assert!(scene.ids("/v1/invoiceitems", &[("pending", "true")]).await.is_empty(), "lost with the subscription");
}

#[tokio::test]
async fn refunds_give_back_as_much_as_was_paid() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let (customer, _) = scene.subscribed(&offer, &[]).await;
    let invoice = id(&scene.stripe.invoices()[0]);
    let payment = scene.get("/v1/invoice_payments", &[("invoice", &invoice)]).await["data"][0].clone();
    let intent = payment["payment"]["payment_intent"].as_str().unwrap();
    let ask =
        |amount: &'static str| [("payment_intent", intent), ("amount", amount), ("reason", "requested_by_customer")];
    assert_eq!(scene.post("/v1/refunds", &ask("200")).await["status"], "succeeded");
    assert_eq!(scene.try_post("/v1/refunds", &ask("301")).await.refusal(), (400, None, Some("amount")));
    scene.post("/v1/refunds", &[("payment_intent", intent)]).await;
    let reply = scene.try_post("/v1/refunds", &[("payment_intent", intent)]).await;
    assert_eq!(reply.refusal(), (400, Some("charge_already_refunded"), None));
    assert_eq!((scene.stripe.charged_cents(&customer), scene.stripe.refunded_cents(&customer)), (500, 500));
    let charge = scene.get("/v1/charges", &[("customer", &*customer)]).await["data"][0].clone();
    assert_eq!((&charge["refunded"], &charge["amount_refunded"]), (&true.into(), &500.into()));
    assert_eq!(scene.ids("/v1/refunds", &[("payment_intent", intent)]).await.len(), 2);
}

#[tokio::test]
async fn a_credit_note_refunds_a_paid_invoice_and_lowers_an_open_one() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let (customer, _) = scene.subscribed(&offer, &[]).await;
    let paid = id(&scene.stripe.invoices()[0]);
    let form = [("invoice", &*paid), ("amount", "100")];
    assert_eq!(scene.try_post("/v1/credit_notes", &form).await.refusal(), (400, None, Some("refund_amount")));
    let note = scene.post("/v1/credit_notes", &[&form[..], &[("refund_amount", "100")]].concat()).await;
    assert_eq!((&note["type"], &note["refunds"][0]["amount_refunded"]), (&"post_payment".into(), &100.into()));
    assert_eq!(scene.stripe.refunded_cents(&customer), 100);
    let form = [("invoice", &*paid), ("amount", "500"), ("out_of_band_amount", "500")];
    assert_eq!(scene.try_post("/v1/credit_notes", &form).await.refusal(), (400, None, Some("amount")));

    let open = id(&scene.post("/v1/invoices", &[("customer", &*customer)]).await);
    scene.post("/v1/invoiceitems", &[("customer", &*customer), ("invoice", &*open), ("amount", "300")]).await;
    scene.post(&format!("/v1/invoices/{open}/finalize"), &[]).await;
    scene.post("/v1/credit_notes", &[("invoice", &*open), ("amount", "100")]).await;
    assert_eq!(scene.get(&format!("/v1/invoices/{open}"), &[]).await["amount_remaining"], 200);
    scene.post("/v1/credit_notes", &[("invoice", &*open), ("amount", "200")]).await;
    assert_eq!(scene.get(&format!("/v1/invoices/{open}"), &[]).await["status"], "paid");
    assert_eq!(scene.stripe.charged_cents(&customer), 500);
}

#[tokio::test]
async fn the_accounts_book_says_what_was_kept_of_each_charge_and_a_refund_gives_none_of_it_back() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let (customer, _) = scene.subscribed(&offer, &[]).await;
    let charge = scene.get("/v1/charges", &[("customer", &*customer)]).await["data"][0].clone();
    let entry = charge["balance_transaction"].as_str().unwrap();
    let entry = scene.get(&format!("/v1/balance_transactions/{entry}"), &[("expand[]", "source")]).await;
    // 2.9 % of 500 and 30 more, rounded.
    assert_eq!((&entry["amount"], &entry["fee"], &entry["net"]), (&500.into(), &45.into(), &455.into()));
    assert_eq!(entry["source"]["customer"], customer.as_str());
    scene.post("/v1/refunds", &[("charge", &*id(&charge)), ("amount", "200")]).await;
    let book = scene.get("/v1/balance_transactions", &[]).await["data"].clone();
    let told = |place: usize| (book[place]["type"].clone(), book[place]["net"].clone(), book[place]["fee"].clone());
    assert_eq!(told(0), ("refund".into(), (-200).into(), 0.into()));
    assert_eq!(told(1), ("charge".into(), 455.into(), 45.into()));
    assert_eq!(scene.ids("/v1/balance_transactions", &[("type", "refund")]).await.len(), 1);
}
