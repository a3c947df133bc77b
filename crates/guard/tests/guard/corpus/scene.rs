//! One guard for a whole table, and everything that a liar could want.

use std::process::Stdio;

use access::{KeySet, ListState, Verifier};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::rsa::Rsa;
use crate::support::forge::encoded;
use crate::support::{AUDIENCE, Forge, Guard, ISSUER, Tap, Town, ask, bearer, command};

/// Besides Ada's, addresses with letters that some alphabets fold, and a whole domain.
const MEMBERS: [&str; 5] =
    ["ada@example.com", "kim@example.com", "ines@example.com", "silas@example.com", "@example.org"];

pub struct Scene {
    pub town: Town,
    pub keys: Keys,
    pub guard: Guard,
    tap: Tap,
}

/// The keys that the issuer shows. Only those for RS256 are any good, whoever could use the others.
pub struct Keys {
    /// Another of the issuer's keys.
    pub second: Forge,
    /// `three`: public exponent 3.
    pub three: Rsa,
    /// `curve`: ES256.
    pub curve: EcdsaKeyPair,
    /// `edwards`: EdDSA.
    pub edwards: Ed25519KeyPair,
    /// `secret`: HS256. No issuer should show one; some did.
    pub secret: Vec<u8>,
    /// `rs512`: RSA, and for RS512 only. `enc`: RSA, and for encryption only.
    pub others: Forge,
}

impl Keys {
    fn new() -> Self {
        Self {
            second: Forge::new(),
            three: Rsa::with_exponent_three(),
            curve: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            edwards: Ed25519KeyPair::generate().unwrap(),
            secret: b"a secret of thirty-two bytes and".to_vec(),
            others: Forge::new(),
        }
    }

    fn set(&self, ours: &Forge) -> String {
        let point = self.curve.public_key().as_ref();
        let (x, y) = (encoded(&point[1..33]), encoded(&point[33..]));
        let other = |kid: &str, name: &str, value: &str| {
            let mut jwk = self.others.jwk();
            jwk["kid"] = json!(kid);
            jwk[name] = json!(value);
            jwk
        };
        let keys: Vec<Value> = vec![
            json!({"kty": "oct", "kid": "secret", "alg": "HS256", "use": "sig", "k": encoded(&self.secret)}),
            json!({"kty": "EC", "kid": "curve", "alg": "ES256", "use": "sig", "crv": "P-256", "x": x, "y": y}),
            json!({"kty": "OKP", "kid": "edwards", "alg": "EdDSA", "use": "sig", "crv": "Ed25519",
                   "x": encoded(self.edwards.public_key().as_ref())}),
            other("rs512", "alg", "RS512"),
            other("enc", "use", "enc"),
            self.three.jwk("three"),
            ours.jwk(),
            self.second.jwk(),
        ];
        json!({ "keys": keys }).to_string()
    }

    pub fn sign_with_curve(&self, signed: &str) -> String {
        let signature = self.curve.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", encoded(signature.as_ref()))
    }
}

impl Scene {
    pub async fn new() -> Self {
        let (town, keys) = (Town::new().await, Keys::new());
        town.main.set_certs(keys.set(&town.forge));
        Self::around(town, keys).await
    }

    /// The same, with the issuer showing these keys as well.
    pub async fn with_keys(more: Vec<Value>) -> Self {
        let (town, keys) = (Town::new().await, Keys::new());
        let mut set: Value = serde_json::from_str(&town.forge.key_set()).unwrap();
        set["keys"].as_array_mut().unwrap().extend(more);
        town.main.set_certs(set.to_string());
        Self::around(town, keys).await
    }

    async fn around(town: Town, keys: Keys) -> Self {
        town.list(2, ListState::Active, &MEMBERS);
        let tap = Tap::before(town.app.address).await;
        let mut command = command(&town.settings_with("GUARD_UPSTREAM", format!("http://{}", tap.address)));
        // A log of all that is refused would bury the one line that says what went wrong.
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let guard = Guard::wait_until_ready(command).await;
        let scene = Self { town, keys, guard, tap };
        scene.only_ada_enters(0).await;
        scene
    }

    pub fn forge(&self) -> &Forge {
        &self.town.forge
    }

    pub fn key_set(&self) -> KeySet {
        KeySet::parse(self.keys.set(&self.town.forge).as_bytes()).unwrap()
    }

    pub fn verifier(&self) -> Verifier {
        Verifier::new(ISSUER, vec![AUDIENCE.into()]).unwrap()
    }

    /// Every byte that the application was sent so far.
    pub fn reached(&self) -> usize {
        self.tap.heard().len()
    }

    /// What the application was sent since then, for a message.
    pub fn since(&self, before: usize) -> String {
        String::from_utf8_lossy(&self.tap.heard()[before..]).into_owned()
    }

    /// Ada enters, so the door is not simply shut: without that, refusing everything would pass every
    /// table. `before` is where the application's record ended when all was still well: nothing but her
    /// request may have come since, however late.
    pub async fn only_ada_enters(&self, before: usize) {
        let answer = ask(&self.guard.address, "/honest", &[&bearer(&self.town.ada())]).await;
        assert_eq!(answer.status, 200, "Ada must enter: {}", answer.body);
        let reached = self.since(before);
        let alone = reached.starts_with("GET /honest ") && reached.matches("HTTP/1.1\r\n").count() == 1;
        assert!(alone, "Ada's request, and hers alone: {reached}");
    }
}
