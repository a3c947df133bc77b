//! Project Wycheproof's vectors for JSON Web Signatures, where the file is at hand. It is not part of
//! this repository: it is looked for in `../shared/specs` beside it, or in the folder that
//! `SPINOFF_SPECS` names. The classes of attack themselves are tested without it, in
//! `hostile_tokens.rs` and in the guard's corpus.
//!
//! What is asked of each vector:
//! - An invalid one is not believed, whatever its key is made to look like.
//! - The signature of a valid RS256 one is accepted. Its payload is no set of claims, so that shows in
//!   the refusal: it is one of the rules that come after the signature.
//! - All other valid ones are refused by a rule of ours that is stricter, which is named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use access::{KeySet, Refusal, Verifier};
use jiff::Timestamp;
use serde_json::{Value, json};

const FILE: &str = "wycheproof_json_web_signature_test.json";
const AS_IT_IS: &str = "the key as it is";

/// Good RS256 signatures, invalid because the key says that it is for PS512 or for encryption. A key
/// that did not say so would verify them, rightly.
const FAULT_IS_THE_KEYS_PURPOSE: [i64; 3] = [332, 353, 355];

#[test]
fn wycheproofs_vectors_are_judged_rightly() {
    let Some(document) = document() else { return };
    let mut tally = BTreeMap::new();
    let mut run = 0;
    for group in document["testGroups"].as_array().unwrap() {
        let key = group.get("public").or(group.get("private")).unwrap();
        for vector in group["tests"].as_array().unwrap() {
            let (number, token) = (&vector["tcId"], vector["jws"].as_str().unwrap());
            match vector["result"].as_str().unwrap() {
                "invalid" => {
                    for (setup, set) in setups(key) {
                        let verdict = judge(token, &set);
                        let fault_is_taken_away = FAULT_IS_THE_KEYS_PURPOSE.contains(&number.as_i64().unwrap());
                        let disbelieved = setup == AS_IT_IS || !fault_is_taken_away;
                        assert_eq!(is_disbelieved(&verdict), disbelieved, "{number}, {setup}: {verdict:?}");
                    }
                    *tally.entry("invalid, disbelieved").or_insert(0) += 1;
                }
                "valid" => {
                    let (refusal, why) = expected_of_valid(key, token);
                    assert_eq!(judge(token, std::slice::from_ref(key)), refusal, "{number}: {why}");
                    *tally.entry(why).or_insert(0) += 1;
                }
                other => panic!("{number}: what is {other}?"),
            }
            run += 1;
        }
    }
    assert_eq!(document["numberOfTests"], run);
    for (why, count) in &tally {
        println!("{count:4}  {why}");
    }
    assert_eq!(tally.get("its signature is accepted"), Some(&7), "so many are RS256 and within our rules: {tally:?}");
}

/// What a valid vector must come to, and why.
fn expected_of_valid(key: &Value, token: &str) -> (Refusal, &'static str) {
    let empty_payload = token.split('.').nth(1) == Some("");
    let header_alg = header_of(token).and_then(|header| Some(header["alg"].as_str()?.to_owned()));
    match (key["kty"].as_str().unwrap(), key["alg"].as_str()) {
        _ if empty_payload => (Refusal::Malformed, "refused: a token without claims says nothing about anybody"),
        ("RSA", Some("RS256")) => (Refusal::ClaimsJson, "its signature is accepted"),
        // One has a letter in its header that no alphabet has. It is called valid because some decoders
        // pass it over; ours does not.
        _ if header_alg.is_none() => (Refusal::Malformed, "refused: a letter outside of base64url"),
        _ => (Refusal::Algorithm, "refused: the algorithm is not RS256"),
    }
}

fn header_of(token: &str) -> Option<Value> {
    use base64::Engine as _;
    let header = token.split('.').next()?;
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).ok()?;
    serde_json::from_slice(&json).ok()
}

/// The key as it is, and made to look as usable as it can: an invalid vector must not be believed even
/// where the issuer's set says nothing of what its keys are for.
fn setups(key: &Value) -> Vec<(&'static str, Vec<Value>)> {
    let mut bare = key.clone();
    for name in ["alg", "use", "key_ops"] {
        bare.as_object_mut().unwrap().remove(name);
    }
    let mut called = bare.clone();
    called["alg"] = json!("RS256");
    let named = ["none", "XYZ", ""].map(|kid| {
        let mut jwk = called.clone();
        jwk["kid"] = json!(kid);
        jwk
    });
    vec![
        (AS_IT_IS, vec![key.clone()]),
        ("the key for anything", vec![bare]),
        ("the key for RS256", vec![called.clone()]),
        ("the key under other ids", [vec![called], named.to_vec()].concat()),
    ]
}

/// Whether it was refused before or at the signature. A refusal after it would mean that the signature
/// was accepted, and that only the lack of claims kept the token out.
fn is_disbelieved(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::TooLong
            | Refusal::Malformed
            | Refusal::HeaderJson
            | Refusal::Algorithm
            | Refusal::HeaderParameter(_)
            | Refusal::NoKeyId
            | Refusal::UnknownKey
            | Refusal::Signature
    )
}

fn judge(token: &str, keys: &[Value]) -> Refusal {
    let verifier = Verifier::new("https://issuer.example", vec!["audience".into()]).unwrap();
    // A set without a usable key is none: the guard would judge by the empty one.
    let set = KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap_or_default();
    verifier.verify(token, &set, Timestamp::UNIX_EPOCH).expect_err("no vector has our claims")
}

fn document() -> Option<Value> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs");
    let folder = std::env::var_os("SPINOFF_SPECS").map_or(beside, PathBuf::from);
    match std::fs::read(folder.join(FILE)) {
        Ok(json) => Some(serde_json::from_slice(&json).unwrap()),
        Err(error) => {
            println!("Wycheproof's vectors were NOT run: {}: {error}", folder.join(FILE).display());
            None
        }
    }
}
