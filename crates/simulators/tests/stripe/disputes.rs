//! Payments that a bank questions.

use simulators::stripe::{DISPUTE_FEE, Doubt, Turn};

use crate::scene::{Scene, id};

const FRAUD: Doubt = Doubt::FRAUDULENT;

/// A subscription of 500 that was paid, and its charge.
async fn charged() -> (Scene, String) {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    scene.subscribed(&offer, &[]).await;
    let charge = scene.stripe.charges().pop().unwrap();
    (scene, charge)
}

fn told(scene: &Scene) -> Vec<String> {
    let kinds = scene.stripe.events().into_iter().map(|event| event["type"].as_str().unwrap().to_owned());
    kinds.filter(|kind| kind.contains("dispute")).collect()
}

#[tokio::test]
async fn a_dispute_takes_the_money_and_a_fee_and_gives_the_money_back_when_it_is_won() {
    let (scene, charge) = charged().await;
    let dispute = scene.stripe.dispute(&charge, FRAUD).unwrap();
    let path = format!("/v1/disputes/{dispute}");
    let open = scene.get(&path, &[]).await;
    assert_eq!((&open["status"], &open["amount"]), (&"needs_response".into(), &500.into()));
    let taken = &open["balance_transactions"][0];
    assert_eq!((&taken["amount"], &taken["fee"]), (&(-500).into(), &DISPUTE_FEE.into()));
    assert_eq!(scene.get(&format!("/v1/charges/{charge}"), &[]).await["disputed"], true);
    let refund = scene.try_post("/v1/refunds", &[("charge", &*charge)]).await;
    assert_eq!(refund.refusal(), (400, Some("charge_disputed"), None));
    scene.stripe.settle_dispute(&dispute, Turn::Answered);
    scene.stripe.settle_dispute(&dispute, Turn::Won);
    scene.stripe.settle_dispute(&dispute, Turn::Lost);
    let won = scene.get(&path, &[]).await;
    assert_eq!((&won["status"], &won["balance_transactions"][1]["amount"]), (&"won".into(), &500.into()));
    let kinds = ["created", "funds_withdrawn", "updated", "closed", "funds_reinstated"];
    assert_eq!(told(&scene), kinds.map(|kind| format!("charge.dispute.{kind}")));
    scene.post("/v1/refunds", &[("charge", &*charge)]).await;
}

#[tokio::test]
async fn a_question_takes_nothing_until_it_becomes_more() {
    let (scene, charge) = charged().await;
    let asked = scene.stripe.dispute(&charge, Doubt { inquiry: true, amount: Some(200), ..FRAUD }).unwrap();
    let path = format!("/v1/disputes/{asked}");
    let question = scene.get(&path, &[]).await;
    assert_eq!(
        (&question["status"], &question["balance_transactions"]),
        (&"warning_needs_response".into(), &[(); 0].into())
    );
    scene.stripe.settle_dispute(&asked, Turn::Lost);
    assert_eq!(scene.get(&path, &[]).await["status"], "warning_needs_response", "a question can't be lost");
    scene.stripe.settle_dispute(&asked, Turn::Escalated);
    scene.stripe.settle_dispute(&asked, Turn::Lost);
    assert_eq!(scene.get(&path, &[]).await["status"], "lost");
    assert_eq!(
        scene.stripe.dispute(&charge, Doubt { amount: Some(301), ..FRAUD }).unwrap_err(),
        format!("300 are left of {charge} to be questioned, not 301")
    );
    let second = scene.stripe.dispute(&charge, FRAUD).unwrap();
    assert_eq!(scene.ids("/v1/disputes", &[("charge", &*charge)]).await, [second, asked]);
    assert!(scene.stripe.dispute("ch_none", FRAUD).is_err());
}

#[tokio::test]
async fn a_refund_that_the_card_does_not_take_comes_back_once() {
    let (scene, charge) = charged().await;
    let refund = id(&scene.post("/v1/refunds", &[("charge", &*charge), ("amount", "200")]).await);
    for _ in 0..2 {
        scene.stripe.fail_refund(&refund);
    }
    assert_eq!(scene.get(&format!("/v1/refunds/{refund}"), &[]).await["status"], "failed");
    assert_eq!(scene.get(&format!("/v1/charges/{charge}"), &[]).await["amount_refunded"], 0);
}
