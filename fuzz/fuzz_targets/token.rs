//! Whatever is done to an honest token, only the token itself is believed; and whatever bytes come
//! as a key set, reading them ends.
#![no_main]

use std::sync::LazyLock;

use access::{Assertion, Issuer, KeySet, SigningKey, Verifier};
use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::fuzz_target;

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

struct Scene {
    token: String,
    keys: KeySet,
    verifier: Verifier,
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let issuer = Issuer::new("https://issuer", SigningKey::generate().unwrap());
    let email = domain::Email::parse("ada@example.com").unwrap();
    let ttl = SignedDuration::from_hours(1);
    let assertion = Assertion { email: &email, subject: "s", audience: "a", now: NOW, ttl, nonce: "n" };
    Scene {
        token: issuer.issue(&assertion).unwrap(),
        keys: KeySet::parse(issuer.key_set_json().as_bytes()).unwrap(),
        verifier: Verifier::new("https://issuer", vec!["a".into()]).unwrap(),
    }
});

fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, rest)) = bytes.split_first() else { return };
    let scene = &*SCENE;
    let candidate = match kind % 4 {
        0 => return drop(KeySet::parse(rest)),
        1 => String::from_utf8_lossy(rest).into_owned(),
        // Some bytes of the honest token replaced, at a place of the fuzzer's choice.
        2 => {
            let Some((place, new)) = rest.split_first_chunk::<2>() else { return };
            let place = usize::from(u16::from_le_bytes(*place)) % scene.token.len();
            let end = (place + new.len()).min(scene.token.len());
            let (head, tail) = (&scene.token.as_bytes()[..place], &scene.token.as_bytes()[end..]);
            String::from_utf8_lossy(&[head, new, tail].concat()).into_owned()
        }
        // One of its three parts replaced.
        _ => {
            let mut parts: Vec<String> = scene.token.split('.').map(str::to_owned).collect();
            parts[usize::from(kind / 4) % 3] = String::from_utf8_lossy(rest).into_owned();
            parts.join(".")
        }
    };
    let believed = scene.verifier.verify(&candidate, &scene.keys, NOW).is_ok();
    assert_eq!(believed, candidate == scene.token, "{candidate}");
});
