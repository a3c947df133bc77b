use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::Method;
use simulators::{Answer, Pace, Request, Served, Simulator, serve};

use crate::harness::{House, word};

/// What Stripe sends: each letter with its signature.
#[derive(Clone, Default)]
pub struct Postbox(Arc<Mutex<Vec<(String, Bytes)>>>);

#[async_trait]
impl Simulator for Postbox {
    fn operation(&self, _: &Request) -> String {
        "hook".to_owned()
    }

    async fn answer(&self, request: Request) -> Answer {
        let signature = request.headers()["stripe-signature"].to_str().unwrap().to_owned();
        self.0.lock().unwrap().push((signature, request.body().clone()));
        Answer::new(Bytes::new())
    }

    fn failure(&self, _: u16) -> Bytes {
        Bytes::new()
    }
}

/// A postbox that Stripe knows of.
pub struct Hung {
    pub postbox: Postbox,
    pub id: String,
    pub secret: String,
    _served: Served,
}

impl Hung {
    pub async fn at(house: &House) -> Self {
        let postbox = Postbox::default();
        let served = serve(Arc::new(postbox.clone()), house.clock.clone(), Pace::Virtual).await.unwrap();
        let form = [("url", &*served.url), ("enabled_events[]", "*")];
        let endpoint = house.ask(Method::POST, "/v1/webhook_endpoints", &form).await;
        let (id, secret) = (word(&endpoint, "id").to_owned(), word(&endpoint, "secret").to_owned());
        Self { postbox, id, secret, _served: served }
    }

    /// Everything that is due, delivered and taken out.
    pub async fn letters(&self, house: &House) -> Vec<(String, Bytes)> {
        house.there.deliver_due().await;
        std::mem::take(&mut *self.postbox.0.lock().unwrap())
    }
}
