//! The issuer's key in a test's hands: honest tokens, and any other kind.

use std::time::SystemTime;

use access::{Issuer, SigningKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

pub const ISSUER: &str = "http://localhost:8080";
pub const AUDIENCE: &str = "aa11bb22";

pub struct Forge {
    issuer: Issuer,
    pair: RsaKeyPair,
}

impl Forge {
    pub fn new() -> Self {
        let key = SigningKey::generate().unwrap();
        let pkcs8 = STANDARD.decode(key.to_secret().unwrap().expose_secret()).unwrap();
        Self { issuer: Issuer::new(ISSUER, key), pair: RsaKeyPair::from_pkcs8(&pkcs8).unwrap() }
    }

    pub fn key_set(&self) -> String {
        self.issuer.key_set_json()
    }

    pub fn header(&self) -> Value {
        json!({"alg": "RS256", "kid": self.issuer.key().kid(), "typ": "JWT"})
    }

    pub fn claims(&self, email: &str) -> Value {
        let now = now();
        json!({"iss": ISSUER, "aud": [AUDIENCE], "email": email, "sub": "usr-1", "type": "app",
               "iat": now, "nbf": now, "exp": now + 600})
    }

    pub fn token(&self, email: &str) -> String {
        self.sign(&self.header(), &self.claims(email))
    }

    pub fn service_token(&self, name: &str) -> String {
        let mut claims = self.claims("x");
        claims.as_object_mut().unwrap().remove("email");
        claims["common_name"] = json!(name);
        claims["sub"] = json!("");
        self.sign(&self.header(), &claims)
    }

    /// A token whose claims differ in one member.
    pub fn with(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims("ada@example.com");
        if value.is_null() {
            drop(claims.as_object_mut().unwrap().remove(name))
        } else {
            claims[name] = value
        }
        self.sign(&self.header(), &claims)
    }

    /// A token whose header differs in one member.
    pub fn with_header(&self, name: &str, value: Value) -> String {
        let mut header = self.header();
        header[name] = value;
        self.sign(&header, &self.claims("ada@example.com"))
    }

    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

#[expect(clippy::disallowed_methods, reason = "tokens are judged by the real program's real clock")]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
