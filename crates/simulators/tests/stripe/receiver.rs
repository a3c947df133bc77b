use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_lc_rs::hmac;
use bytes::Bytes;
use serde_json::Value;
use simulators::{Answer, Pace, Request, Served, Simulator, serve};

use crate::scene::Scene;

/// A webhook endpoint that checks nothing and keeps everything.
#[derive(Clone, Default)]
pub struct Receiver(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    letters: Vec<Letter>,
    /// What it answers next; 200 when nothing is here.
    answers: VecDeque<u16>,
}

#[derive(Clone)]
pub struct Letter {
    pub signature: String,
    pub body: Bytes,
}

impl Letter {
    pub fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether it was signed with a secret.
    pub fn signed_with(&self, secret: &str) -> bool {
        let mut fields = self.signature.split(',').map(|field| field.split_once('=').unwrap());
        let (_, at) = fields.next().filter(|(name, _)| *name == "t").unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let message = [format!("{at}.").as_bytes(), &self.body].concat();
        let mut signatures = fields.filter(|(name, _)| *name == "v1").map(|(_, hex)| hex::decode(hex).unwrap());
        signatures.any(|tag| hmac::verify(&key, &message, &tag).is_ok())
    }

    pub fn signatures(&self) -> usize {
        self.signature.matches("v1=").count()
    }
}

#[async_trait]
impl Simulator for Receiver {
    fn operation(&self, _: &Request) -> String {
        "hook".to_owned()
    }

    async fn answer(&self, request: Request) -> Answer {
        let mut state = self.0.lock().unwrap();
        let signature = request.headers()["stripe-signature"].to_str().unwrap().to_owned();
        state.letters.push(Letter { signature, body: request.body().clone() });
        let status = state.answers.pop_front().unwrap_or(200);
        http::Response::builder().status(status).body(Bytes::new()).unwrap()
    }

    fn failure(&self, _: u16) -> Bytes {
        Bytes::new()
    }
}

/// An endpoint of an account, with the secret it was told.
pub struct Endpoint {
    pub receiver: Receiver,
    pub served: Served,
    pub id: String,
    pub secret: String,
}

impl Endpoint {
    pub async fn of(scene: &Scene, kinds: &[&str]) -> Self {
        let receiver = Receiver::default();
        let served = serve(Arc::new(receiver.clone()), scene.clock.clone(), Pace::Virtual).await.unwrap();
        let url = format!("{}/hook", served.url);
        let mut form = vec![("url", &*url)];
        form.extend(kinds.iter().map(|kind| ("enabled_events[]", *kind)));
        let endpoint = scene.post("/v1/webhook_endpoints", &form).await;
        let text = |name: &str| endpoint[name].as_str().unwrap().to_owned();
        Self { receiver, served, id: text("id"), secret: text("secret") }
    }

    pub fn letters(&self) -> Vec<Letter> {
        self.receiver.0.lock().unwrap().letters.clone()
    }

    /// The ids of what came, in the order in which it came.
    pub fn received(&self) -> Vec<String> {
        self.letters().iter().map(|letter| letter.event()["id"].as_str().unwrap().to_owned()).collect()
    }

    pub fn kinds(&self) -> Vec<String> {
        self.letters().iter().map(|letter| letter.event()["type"].as_str().unwrap().to_owned()).collect()
    }

    pub fn answer_next(&self, statuses: &[u16]) {
        self.receiver.0.lock().unwrap().answers.extend(statuses);
    }
}
