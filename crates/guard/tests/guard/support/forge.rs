//! The issuer's key in a test's hands: honest tokens, and any other kind.

use std::time::SystemTime;

use access::{Issuer, SigningKey};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaEncoding, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

pub const ISSUER: &str = "http://localhost:8080";
pub const AUDIENCE: &str = "aa11bb22";
pub const ADA: &str = "ada@example.com";

pub struct Forge {
    issuer: Issuer,
    pair: RsaKeyPair,
    pkcs8: Vec<u8>,
}

impl Forge {
    pub fn new() -> Self {
        let key = SigningKey::generate().unwrap();
        let pkcs8 = STANDARD.decode(key.to_secret().unwrap().expose_secret()).unwrap();
        Self { issuer: Issuer::new(ISSUER, key), pair: RsaKeyPair::from_pkcs8(&pkcs8).unwrap(), pkcs8 }
    }

    pub fn key_set(&self) -> String {
        self.issuer.key_set_json()
    }

    pub fn kid(&self) -> &str {
        self.issuer.key().kid()
    }

    /// The public half as a JSON Web Key.
    pub fn jwk(&self) -> Value {
        self.issuer.key().jwk()
    }

    /// The private key in PKCS#8, DER.
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The public key as PKCS#1 and as X.509 write it, DER.
    pub fn public_der(&self) -> [Vec<u8>; 2] {
        let x509: PublicKeyX509Der<'_> = self.pair.public_key().as_der().unwrap();
        [self.pair.public_key().as_ref().to_vec(), x509.as_ref().to_vec()]
    }

    pub fn header(&self) -> Value {
        json!({"alg": "RS256", "kid": self.kid(), "typ": "JWT"})
    }

    pub fn claims(&self, email: &str) -> Value {
        let now = now();
        json!({"iss": ISSUER, "aud": [AUDIENCE], "email": email, "sub": "usr-1", "type": "app",
               "iat": now, "nbf": now, "exp": now + 600})
    }

    pub fn token(&self, email: &str) -> String {
        self.sign(&self.header(), &self.claims(email))
    }

    /// A token that differs from the next one, whatever else is the same.
    pub fn token_with_nonce(&self, email: &str, nonce: u64) -> String {
        let mut claims = self.claims(email);
        claims["identity_nonce"] = json!(nonce);
        self.sign(&self.header(), &claims)
    }

    pub fn service_token(&self, name: &str) -> String {
        let mut claims = self.claims("x");
        claims.as_object_mut().unwrap().remove("email");
        claims["common_name"] = json!(name);
        claims["sub"] = json!("");
        self.sign(&self.header(), &claims)
    }

    /// A token whose claims differ in one member; null takes the member away.
    pub fn with(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims(ADA);
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
        self.sign(&header, &self.claims(ADA))
    }

    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_parts(&encoded(header.to_string()), &encoded(claims.to_string()))
    }

    /// Signs a header and claims that are already encoded, well or badly.
    pub fn sign_parts(&self, header: &str, claims: &str) -> String {
        self.seal(&RSA_PKCS1_SHA256, &format!("{header}.{claims}"))
    }

    /// Signs any text with any padding.
    pub fn seal(&self, padding: &'static dyn RsaEncoding, signed: &str) -> String {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(padding, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", encoded(signature))
    }
}

/// Base64url as tokens are written.
pub fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn bearer(token: &str) -> String {
    format!("Cf-Access-Jwt-Assertion: {token}")
}

#[expect(clippy::disallowed_methods, reason = "tokens are judged by the real program's real clock")]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
