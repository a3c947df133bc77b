//! Key sets with unusable keys, and member lists that someone tampered with.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use access::{
    Assertion, Guest, Issuer, KeySet, KeySetError, ListState, MemberList, MembersKey, MembersPublicKey, Refusal, Seal,
    SignatureError, SignedMembers, SigningKey, Verifier, key_set_json,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Email, InstanceId};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn altered(key: &SigningKey, name: &str, value: Value) -> Value {
    let mut jwk = key.jwk();
    jwk[name] = value;
    jwk
}

#[test]
fn unusable_keys_are_passed_over_one_by_one() {
    let key = SigningKey::generate().unwrap();
    let modulus = URL_SAFE_NO_PAD.decode(key.jwk()["n"].as_str().unwrap()).unwrap();
    let short = URL_SAFE_NO_PAD.encode(&modulus[1..]);
    let zeroed = URL_SAFE_NO_PAD.encode([&[0, 0], modulus.as_slice()].concat());
    let odd = [
        json!(7),
        json!({}),
        json!({"kty": "EC", "kid": "ec", "crv": "P-256", "x": "AA", "y": "AA"}),
        json!({"kty": "oct", "kid": "oct", "k": "c2VjcmV0"}),
        altered(&key, "alg", json!("RS512")),
        altered(&key, "use", json!("enc")),
        altered(&key, "key_ops", json!(["sign"])),
        altered(&key, "n", json!(short)),
        altered(&key, "n", json!("")),
        altered(&key, "n", json!("not base64url!")),
        altered(&key, "e", json!("AQ")),
        altered(&key, "e", json!("Ag")),
        altered(&key, "e", json!("AQAAAAAB")),
        altered(&key, "kid", json!("")),
        altered(&key, "kid", json!(5)),
    ];
    let mut all = odd.to_vec();
    all.push(altered(&key, "n", json!(zeroed)));
    all.push(key.jwk());
    let set = KeySet::parse(json!({"keys": all}).to_string().as_bytes()).unwrap();
    assert_eq!(set.len(), 1);
    assert!(set.contains(key.kid()));
    assert_eq!(set.passed_over().len(), odd.len() + 1, "{:?}", set.passed_over());

    let none = KeySet::parse(json!({"keys": odd}).to_string().as_bytes());
    assert_eq!(none.unwrap_err(), KeySetError::NoUsableKey);
}

#[test]
fn a_document_that_is_no_key_set_is_refused() {
    for text in ["", "<html>", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#] {
        assert_eq!(KeySet::parse(text.as_bytes()).unwrap_err(), KeySetError::Malformed, "{text}");
    }
}

#[test]
fn after_a_rotation_both_keys_verify_and_a_withdrawn_one_does_not() {
    let email = Email::parse("ada@example.com").unwrap();
    let issuers = [(); 2].map(|()| Issuer::new("https://issuer", SigningKey::generate().unwrap()));
    let verifier = Verifier::new("https://issuer", vec!["aud".into()]).unwrap();
    let tokens = issuers.each_ref().map(|issuer| {
        let ttl = SignedDuration::from_mins(5);
        let assertion = Assertion { email: &email, subject: "s", audience: "aud", now: at(1000), ttl, nonce: "n" };
        issuer.issue(&assertion).unwrap()
    });
    let both = key_set_json(&[issuers[0].key(), issuers[1].key()]);
    let both = KeySet::parse(both.as_bytes()).unwrap();
    let second = KeySet::parse(issuers[1].key_set_json().as_bytes()).unwrap();
    for token in &tokens {
        verifier.verify(token, &both, at(1000)).unwrap();
    }
    assert_eq!(verifier.verify(&tokens[0], &second, at(1000)), Err(Refusal::UnknownKey));
    assert_eq!(verifier.verify(&tokens[0], &KeySet::default(), at(1000)), Err(Refusal::UnknownKey));
}

#[test]
fn tokens_for_trials_are_refused_each_by_the_rule_that_it_tries() {
    let email = Email::parse("ada@example.com").unwrap();
    let issuer = Issuer::new("https://issuer", SigningKey::generate().unwrap());
    let keys = KeySet::parse(issuer.key_set_json().as_bytes()).unwrap();
    let verifier = Verifier::new("https://issuer", vec!["aud".into()]).unwrap();
    let ttl = SignedDuration::from_mins(1);
    let good = Assertion { email: &email, subject: "", audience: "aud", now: at(1000), ttl, nonce: "n" };
    let trial = |assertion: &Assertion<'_>, issuer_url: &str, seal| {
        verifier.verify(&issuer.issue_for_trial(assertion, issuer_url, seal).unwrap(), &keys, at(1000))
    };
    assert!(trial(&good, "https://issuer", Seal::Genuine).is_ok());
    assert_eq!(trial(&good, "https://other", Seal::Genuine), Err(Refusal::Issuer));
    assert_eq!(trial(&good, "https://issuer", Seal::Tampered), Err(Refusal::Signature));
    assert_eq!(trial(&good, "https://issuer", Seal::Missing), Err(Refusal::Malformed));
    let other = Assertion { audience: "other", ..good.clone() };
    assert_eq!(trial(&other, "https://issuer", Seal::Genuine), Err(Refusal::Audience));
    let old = Assertion { now: at(100), ..good };
    assert_eq!(trial(&old, "https://issuer", Seal::Genuine), Err(Refusal::Expired));
}

#[test]
fn a_signing_key_survives_its_safekeeping() {
    let key = SigningKey::generate().unwrap();
    let again = SigningKey::from_secret(&key.to_secret().unwrap()).unwrap();
    assert_eq!(again.jwk(), key.jwk());
    assert_eq!(key.kid().len(), 64);
    assert!(SigningKey::from_secret(&"bm9uc2Vuc2U=".into()).is_err());
    assert!(!format!("{key:?}").contains(key.jwk()["n"].as_str().unwrap()));
}

fn list(serial: u64) -> MemberList {
    MemberList {
        instance: InstanceId::new(at(1000), [1; 10]),
        serial,
        state: ListState::Active,
        guests: Vec::new(),
        members: vec!["ada@example.com".parse().unwrap(), "@example.org".parse().unwrap()],
    }
}

#[test]
fn a_signed_list_survives_its_journey() {
    let key = MembersKey::generate().unwrap();
    let key = MembersKey::from_secret(&key.to_secret().unwrap()).unwrap();
    let public = MembersPublicKey::parse(&key.public().unwrap().to_string()).unwrap();
    let wire = serde_json::to_string(&key.sign(&list(7))).unwrap();
    let opened = public.open(&serde_json::from_str(&wire).unwrap()).unwrap();
    assert_eq!(opened, list(7));
    assert!(opened.includes(&Email::parse("Someone@Example.org").unwrap()));
    assert!(!opened.includes(&Email::parse("eve@example.com").unwrap()));
}

#[test]
fn a_list_of_a_version_before_guests_reads_and_one_with_guests_reads_there_too() {
    let before = json!({"instance": list(7).instance, "serial": 7, "state": "active", "members": ["ada@example.com"]});
    let read: MemberList = serde_json::from_value(before.clone()).unwrap();
    assert!(read.guests.is_empty());
    assert_eq!(serde_json::to_value(&read).unwrap(), before, "nobody to let in: nothing new is said");
    let guest = Guest { email: Email::parse("helper@shop.org").unwrap(), until: at(2000), may_change: false };
    let said = serde_json::to_value(MemberList { guests: vec![guest], ..read.clone() }).unwrap();
    // As that version has it: what it does not know it passes over, and nobody in it becomes a member.
    #[derive(serde::Deserialize)]
    struct Before {
        members: Vec<String>,
    }
    let known: Before = serde_json::from_value(said.clone()).unwrap();
    assert_eq!(known.members, ["ada@example.com"]);
    assert!(!serde_json::from_value::<MemberList>(said).unwrap().includes(&Email::parse("helper@shop.org").unwrap()));
}

#[test]
fn a_list_that_anybody_touched_is_refused() {
    let (key, stranger) = (MembersKey::generate().unwrap(), MembersKey::generate().unwrap());
    let public = key.public().unwrap();
    let honest = serde_json::to_value(key.sign(&list(7))).unwrap();
    let strange = serde_json::to_value(stranger.sign(&list(7))).unwrap();
    let other = serde_json::to_value(key.sign(&list(8))).unwrap();
    for (payload, signature, why) in [
        (&strange["payload"], &strange["signature"], "signed by another key"),
        (&other["payload"], &honest["signature"], "another list's signature"),
        (&honest["payload"], &json!(""), "no signature"),
        (&honest["payload"], &json!("AAAA"), "a short signature"),
        (&json!(format!("{}=", honest["payload"].as_str().unwrap())), &honest["signature"], "padding"),
    ] {
        let forged: SignedMembers =
            serde_json::from_value(json!({"payload": payload, "signature": signature})).unwrap();
        assert_eq!(public.open(&forged), Err(SignatureError::Signature), "{why}");
    }
    assert!(MembersPublicKey::parse("AAAA").is_err());
}
