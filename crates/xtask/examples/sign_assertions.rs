//! Signs as many assertions as `cargo xtask bench guard` asks for. It is a program of its own so that
//! no other task has to wait until the cryptography is compiled.
//!
//! The first line is JSON: the key set, and two assertions that nobody may believe. Each line after
//! it is an assertion of another person of example.com.

use std::error::Error;
use std::io::{BufWriter, Write as _};
use std::thread;

use access::{Assertion, Issuer, SigningKey};
use domain::Email;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const TTL: SignedDuration = SignedDuration::from_hours(1);

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Who signs, for which application, and when.
struct Desk {
    issuer: Issuer,
    audience: String,
    now: Timestamp,
}

fn main() -> Outcome<()> {
    let mut words = std::env::args().skip(1);
    let (Some(issuer), Some(audience), Some(count)) = (words.next(), words.next(), words.next()) else {
        return Err("give the issuer, the audience and how many assertions".into());
    };
    #[expect(clippy::disallowed_methods, reason = "the programs that check them go by the real clock")]
    let now = Timestamp::now();
    let desk = Desk { issuer: Issuer::new(issuer, SigningKey::generate()?), audience, now };

    let key_set: Value = serde_json::from_str(&desk.issuer.key_set_json())?;
    let expired = desk.sign(0, &desk.audience, desk.now - TTL * 2)?;
    let foreign = desk.sign(0, "another-application", desk.now)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    writeln!(out, "{}", json!({ "key_set": key_set, "expired": expired, "foreign": foreign }))?;
    for assertion in desk.sign_all(count.parse()?)? {
        writeln!(out, "{assertion}")?;
    }
    Ok(out.flush()?)
}

impl Desk {
    /// Uses every core: one signature takes a good half of a millisecond.
    fn sign_all(&self, count: usize) -> Outcome<Vec<String>> {
        let numbers: Vec<usize> = (0..count).collect();
        let share = count.div_ceil(thread::available_parallelism()?.get()).max(1);
        let sign = |numbers: &[usize]| -> Outcome<Vec<String>> {
            numbers.iter().map(|number| self.sign(*number, &self.audience, self.now)).collect()
        };
        thread::scope(|scope| {
            let signers: Vec<_> = numbers.chunks(share).map(|share| scope.spawn(move || sign(share))).collect();
            let mut all = Vec::with_capacity(count);
            for signer in signers {
                all.extend(signer.join().map_err(|_| "a thread that signs ended early")??);
            }
            Ok(all)
        })
    }

    fn sign(&self, number: usize, audience: &str, now: Timestamp) -> Outcome<String> {
        let email = Email::parse(&format!("person-{number}@example.com"))?;
        let subject = format!("6f1f8c6b-93a5-4f0e-9a53-{number:012x}");
        let nonce = format!("{:016x}", (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let assertion = Assertion { email: &email, subject: &subject, audience, now, ttl: TTL, nonce: &nonce };
        Ok(self.issuer.issue(&assertion)?)
    }
}
