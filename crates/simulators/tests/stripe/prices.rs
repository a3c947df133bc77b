use crate::scene::{Scene, id};

#[tokio::test]
async fn a_lookup_key_moves_only_when_asked_to() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let product = scene.get(&format!("/v1/prices/{}", offer.base), &[]).await["product"].as_str().unwrap().to_owned();
    let mut form = vec![("product", &*product), ("currency", "usd"), ("unit_amount", "700"), ("lookup_key", "base")];
    form.push(("recurring[interval]", "month"));
    assert_eq!(scene.try_post("/v1/prices", &form).await.refusal(), (400, None, Some("lookup_key")));
    form.push(("transfer_lookup_key", "true"));
    let dearer = id(&scene.post("/v1/prices", &form).await);
    assert_eq!(scene.ids("/v1/prices", &[("lookup_keys[]", "base")]).await, [&*dearer]);
    assert!(scene.get(&format!("/v1/prices/{}", offer.base), &[]).await["lookup_key"].is_null());
    let both = scene.ids("/v1/prices", &[("lookup_keys[]", "base"), ("lookup_keys[]", "hour")]).await;
    assert_eq!(both, [&*dearer, &offer.hours]);
}

#[tokio::test]
async fn the_amount_of_a_price_never_changes() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let path = format!("/v1/prices/{}", offer.base);
    let reply = scene.try_post(&path, &[("unit_amount", "900")]).await;
    assert_eq!(reply.refusal(), (400, Some("parameter_unknown"), Some("unit_amount")));
    assert_eq!(scene.post(&path, &[("active", "false")]).await["active"], false);
}

#[tokio::test]
async fn a_metered_price_needs_a_meter_and_another_has_none() {
    let scene = Scene::new().await;
    let offer = scene.offer().await;
    let product = id(&scene.post("/v1/products", &[("name", "x"), ("id", "prod_mine")]).await);
    assert_eq!(product, "prod_mine");
    let plain = [("product", &*product), ("currency", "usd"), ("unit_amount", "1"), ("recurring[interval]", "month")];
    for more in [("recurring[usage_type]", "metered"), ("recurring[meter]", &*offer.meter)] {
        let form = [&plain[..], &[more]].concat();
        assert_eq!(
            scene.try_post("/v1/prices", &form).await.refusal(),
            (400, None, Some("recurring[meter]")),
            "{more:?}"
        );
    }
    let again = scene.try_post("/v1/products", &[("name", "x"), ("id", "prod_mine")]).await;
    assert_eq!(again.refusal(), (400, Some("resource_already_exists"), Some("id")));
}
