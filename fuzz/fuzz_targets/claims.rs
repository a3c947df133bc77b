//! Claims that the issuer signed, however odd: what is believed of them can be read from them by
//! any other reader as well.
#![no_main]

use access::{Identity, LEEWAY, Verifier};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

fuzz_target!(|bytes: &[u8]| {
    let Some(verifier) = Verifier::new("https://issuer", vec!["a".into(), "b".into()]) else { return };
    let Ok(verified) = verifier.judge_signed(bytes, NOW) else { return };
    let claims: Value = serde_json::from_slice(bytes).expect("believed, and no JSON");
    assert_eq!(claims["iss"], "https://issuer");
    let ours = |value: &Value| value == "a" || value == "b";
    assert!(ours(&claims["aud"]) || claims["aud"].as_array().is_some_and(|names| names.iter().any(ours)));
    let expires = claims["exp"].as_f64().expect("believed without an expiry");
    assert!(expires >= (NOW - LEEWAY).as_second() as f64);
    assert!(claims.get("nbf").is_none_or(|at| at.as_f64().unwrap() < (NOW + LEEWAY).as_second() as f64 + 1.0));
    match verified.identity() {
        Identity::Person(email) => {
            let asserted = claims["email"].as_str().expect("a person without an address");
            assert_eq!(email.as_str(), asserted.to_ascii_lowercase());
            assert_eq!(asserted.matches('@').count(), 1);
        }
        Identity::Service(name) => {
            assert!(claims.get("email").is_none());
            assert_eq!(claims["common_name"], name.as_str());
        }
    }
});
