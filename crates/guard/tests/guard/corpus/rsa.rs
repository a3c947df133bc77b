//! RSA without the padding that libraries insist on: what an attacker computes, and what an honest
//! signer never would.

use access::SigningKey;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::support::forge::encoded;

/// Bytes of a 2048-bit modulus.
pub const WIDTH: usize = 256;
/// What PKCS#1 puts before a SHA-256 hash (RFC 8017, 9.2, note 1).
pub const SHA256_INFO: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

/// A private key as numbers.
pub struct Rsa {
    pub n: BigUint,
    pub e: BigUint,
    d: BigUint,
}

impl Rsa {
    /// Reads a private key in PKCS#8.
    pub fn of(pkcs8: &[u8]) -> Self {
        let [n, e, d, ..] = numbers(pkcs8);
        Self { n, e, d }
    }

    /// A key whose public exponent is 3, the one for which forgeries are easiest.
    pub fn with_exponent_three() -> Self {
        let (one, three) = (BigUint::from(1_u8), BigUint::from(3_u8));
        loop {
            let secret = SigningKey::generate().unwrap().to_secret().unwrap();
            let [n, _, _, p, q] = numbers(&STANDARD.decode(secret.expose_secret()).unwrap());
            // Two primes in three have no such exponent.
            if let Some(d) = three.modinv(&((p - &one) * (q - &one))) {
                return Self { n, e: three, d };
            }
        }
    }

    /// The private operation on exactly these bytes.
    pub fn power(&self, block: &[u8]) -> Vec<u8> {
        wide(&BigUint::from_bytes_be(block).modpow(&self.d, &self.n))
    }

    pub fn jwk(&self, kid: &str) -> Value {
        let [n, e] = [&self.n, &self.e].map(|number| encoded(number.to_bytes_be()));
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": n, "e": e})
    }
}

/// A number in as many bytes as the modulus has.
pub fn wide(number: &BigUint) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    [vec![0; WIDTH.saturating_sub(bytes.len())], bytes].concat()
}

pub fn sha256(message: &str) -> Vec<u8> {
    digest(&SHA256, message.as_bytes()).as_ref().to_vec()
}

/// `start`, as many `FF` as fit, a zero, and the rest.
pub fn block(start: [u8; 2], rest: &[&[u8]]) -> Vec<u8> {
    let rest = rest.concat();
    let fill = vec![0xff; WIDTH - 3 - rest.len()];
    [&start[..], &fill, &[0], &rest].concat()
}

/// Modulus, exponents and primes of a private key.
fn numbers(pkcs8: &[u8]) -> [BigUint; 5] {
    let outer = Der(pkcs8).next().unwrap();
    let inner = Der(outer).nth(2).unwrap();
    let key = Der(inner).next().unwrap();
    let mut numbers = Der(key).skip(1).map(BigUint::from_bytes_be);
    std::array::from_fn(|_| numbers.next().unwrap())
}

/// The contents of DER elements, one after the other, whatever their tags.
struct Der<'a>(&'a [u8]);

impl<'a> Iterator for Der<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (&[_tag, short], rest) = self.0.split_first_chunk()?;
        let (length, rest) = if short < 0x80 {
            (usize::from(short), rest)
        } else {
            let (bytes, rest) = rest.split_at(usize::from(short & 0x7f));
            (bytes.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte)), rest)
        };
        let (content, rest) = rest.split_at(length);
        self.0 = rest;
        Some(content)
    }
}
