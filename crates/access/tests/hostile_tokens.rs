//! Tokens that lie, each refused by the rule that names the lie.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::LazyLock;

use access::{Assertion, Identity, Issuer, KeySet, LEEWAY, Refusal, SigningKey, Verifier};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use domain::Email;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

const ISSUER: &str = "https://team.cloudflareaccess.com";
const AUDIENCE: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";
const NOW: i64 = 1_800_000_000;

/// The issuer, and the same key in the hands of a test that signs whatever it likes.
struct Forge {
    issuer: Issuer,
    pair: RsaKeyPair,
    keys: KeySet,
    verifier: Verifier,
}

static FORGE: LazyLock<Forge> = LazyLock::new(|| {
    let key = SigningKey::generate().unwrap();
    let pkcs8 = STANDARD.decode(key.to_secret().unwrap().expose_secret()).unwrap();
    let issuer = Issuer::new(ISSUER, key);
    Forge {
        pair: RsaKeyPair::from_pkcs8(&pkcs8).unwrap(),
        keys: KeySet::parse(issuer.key_set_json().as_bytes()).unwrap(),
        verifier: Verifier::new(ISSUER, vec!["other".into(), AUDIENCE.into()]).unwrap(),
        issuer,
    }
});

impl Forge {
    fn header(&self) -> Value {
        json!({"alg": "RS256", "kid": self.issuer.key().kid(), "typ": "JWT"})
    }

    fn sign_with(&self, padding: &'static dyn RsaEncoding, signed: &str) -> String {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(padding, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn sign_text(&self, header: &str, claims: &str) -> String {
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
        self.sign_with(&RSA_PKCS1_SHA256, &format!("{header}.{claims}"))
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    fn judge(&self, token: &str) -> Result<access::Verified, Refusal> {
        self.verifier.verify(token, &self.keys, Timestamp::from_second(NOW).unwrap())
    }
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": [AUDIENCE], "email": "ada@example.com", "sub": "user-1", "type": "app",
        "iat": NOW - 60, "nbf": NOW - 60, "exp": NOW + 600, "identity_nonce": "n",
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn header_with(name: &str, value: Value) -> Value {
    let mut header = FORGE.header();
    header[name] = value;
    header
}

#[test]
fn what_the_issuer_signs_is_believed() {
    let email = Email::parse("Ada@Example.com").unwrap();
    let token = FORGE
        .issuer
        .issue(&Assertion {
            email: &email,
            subject: "usr_1",
            audience: AUDIENCE,
            now: Timestamp::from_second(NOW).unwrap(),
            ttl: SignedDuration::from_hours(1),
            nonce: "abc",
        })
        .unwrap();
    let verified = FORGE.judge(&token).unwrap();
    assert_eq!(verified.identity(), &Identity::Person(email));
    assert_eq!(verified.subject(), "usr_1");
    assert_eq!(verified.expires().as_second(), NOW + 3600);
    assert_eq!(verified.kid(), FORGE.issuer.key().kid());
}

#[test]
fn honest_variations_are_believed() {
    let leeway = LEEWAY.as_secs();
    for (claims, why) in [
        (with("aud", json!(AUDIENCE)), "audience as a string"),
        (with("aud", json!(["x", AUDIENCE])), "audience among several"),
        (with("aud", json!("other")), "the other configured audience"),
        (without("nbf"), "no nbf: Access leaves it out of service tokens"),
        (without("iat"), "no iat"),
        (without("type"), "no type"),
        (without("sub"), "no subject"),
        (with("exp", json!(NOW - leeway + 1)), "expired within the leeway"),
        (with("nbf", json!(NOW + leeway)), "early within the leeway"),
        (with("exp", json!(NOW as f64 + 10.5)), "a fraction of a second"),
        (with("country", json!("NL")), "an unknown claim"),
    ] {
        FORGE.judge(&FORGE.sign(&FORGE.header(), &claims)).expect(why);
    }
    let no_typ = json!({"alg": "RS256", "kid": FORGE.issuer.key().kid()});
    FORGE.judge(&FORGE.sign(&no_typ, &claims())).unwrap();
}

#[test]
fn a_service_token_is_a_service_and_an_email_always_makes_a_person() {
    let mut service = without("email");
    service["common_name"] = json!("deploy.access");
    service["sub"] = json!("");
    let verified = FORGE.judge(&FORGE.sign(&FORGE.header(), &service)).unwrap();
    assert_eq!(verified.identity(), &Identity::Service("deploy.access".into()));
    let both = with("common_name", json!("deploy.access"));
    let verified = FORGE.judge(&FORGE.sign(&FORGE.header(), &both)).unwrap();
    assert!(matches!(verified.identity(), Identity::Person(_)));
}

#[test]
fn lying_claims_are_refused() {
    let leeway = LEEWAY.as_secs();
    for (claims, refusal) in [
        (with("iss", json!("https://evil.cloudflareaccess.com")), Refusal::Issuer),
        (with("iss", json!(format!("{ISSUER}/"))), Refusal::Issuer),
        (with("iss", json!("HTTPS://TEAM.CLOUDFLAREACCESS.COM")), Refusal::Issuer),
        (with("iss", json!([ISSUER])), Refusal::Issuer),
        (without("iss"), Refusal::Issuer),
        (with("aud", json!(["another"])), Refusal::Audience),
        (with("aud", json!([])), Refusal::Audience),
        (with("aud", json!([AUDIENCE, 7])), Refusal::Audience),
        (with("aud", json!([[AUDIENCE]])), Refusal::Audience),
        (with("aud", json!({"0": AUDIENCE})), Refusal::Audience),
        (with("aud", json!(AUDIENCE[..63])), Refusal::Audience),
        (with("aud", json!(AUDIENCE.to_uppercase())), Refusal::Audience),
        (with("aud", json!("")), Refusal::Audience),
        (without("aud"), Refusal::Audience),
        (with("type", json!("org")), Refusal::TokenType),
        (with("type", json!(["app"])), Refusal::TokenType),
        (with("exp", json!(NOW - leeway)), Refusal::Expired),
        (with("exp", json!(0)), Refusal::Expired),
        (with("exp", json!(-1)), Refusal::Expired),
        (without("exp"), Refusal::Time("exp")),
        (with("exp", json!((NOW + 600).to_string())), Refusal::Time("exp")),
        (with("exp", json!(true)), Refusal::Time("exp")),
        (with("exp", json!(null)), Refusal::Time("exp")),
        (with("exp", json!(1e300)), Refusal::Time("exp")),
        (with("exp", json!(u64::MAX)), Refusal::Time("exp")),
        (with("nbf", json!(NOW + leeway + 1)), Refusal::NotYetValid),
        (with("nbf", json!("0")), Refusal::Time("nbf")),
        (with("nbf", json!(null)), Refusal::Time("nbf")),
        (with("iat", json!(NOW + leeway + 1)), Refusal::IssuedInFuture),
        (with("iat", json!({})), Refusal::Time("iat")),
        (without("email"), Refusal::Nobody),
        (with("email", json!("")), Refusal::Nobody),
        (with("email", json!(" ada@example.com")), Refusal::Nobody),
        (with("email", json!("ada@example.com\n")), Refusal::Nobody),
        (with("email", json!(["ada@example.com"])), Refusal::Nobody),
        (with("email", json!(null)), Refusal::Nobody),
        (with("email", json!("ada@example.com,eve@example.com")), Refusal::Nobody),
        (with("email", json!("<ada@example.com>")), Refusal::Nobody),
        (with("sub", json!("a\r\nX-Evil: 1")), Refusal::Subject),
        (with("sub", json!(7)), Refusal::Subject),
        (with("sub", json!("s".repeat(256))), Refusal::Subject),
    ] {
        let token = FORGE.sign(&FORGE.header(), &claims);
        assert_eq!(FORGE.judge(&token).unwrap_err(), refusal, "{claims}");
    }
    let mut nameless = without("email");
    nameless["common_name"] = json!("");
    assert_eq!(FORGE.judge(&FORGE.sign(&FORGE.header(), &nameless)), Err(Refusal::Nobody));
}

#[test]
fn lying_headers_are_refused() {
    let kid = FORGE.issuer.key().kid();
    for (header, refusal) in [
        (json!({"alg": "none", "kid": kid}), Refusal::Algorithm),
        (json!({"alg": "None", "kid": kid}), Refusal::Algorithm),
        (json!({"alg": "rs256", "kid": kid}), Refusal::Algorithm),
        (json!({"alg": "HS256", "kid": kid}), Refusal::Algorithm),
        (json!({"alg": "RS512", "kid": kid}), Refusal::Algorithm),
        (json!({"alg": "PS256", "kid": kid}), Refusal::Algorithm),
        (json!({"alg": ["RS256"], "kid": kid}), Refusal::Algorithm),
        (json!({"kid": kid}), Refusal::Algorithm),
        (json!({"alg": "RS256"}), Refusal::NoKeyId),
        (json!({"alg": "RS256", "kid": null}), Refusal::NoKeyId),
        (json!({"alg": "RS256", "kid": [kid]}), Refusal::NoKeyId),
        (header_with("kid", json!("")), Refusal::UnknownKey),
        (header_with("kid", json!("../../dev/null")), Refusal::UnknownKey),
        (header_with("kid", json!("x' or 1=1 --")), Refusal::UnknownKey),
        (header_with("crit", json!(["exp"])), Refusal::HeaderParameter("crit")),
        (header_with("crit", json!([])), Refusal::HeaderParameter("crit")),
        (header_with("jku", json!("https://evil/keys")), Refusal::HeaderParameter("jku")),
        (header_with("x5u", json!("https://evil/cert")), Refusal::HeaderParameter("x5u")),
        (header_with("x5c", json!(["MII"])), Refusal::HeaderParameter("x5c")),
        (header_with("jwk", FORGE.issuer.key().jwk()), Refusal::HeaderParameter("jwk")),
        (header_with("b64", json!(false)), Refusal::HeaderParameter("b64")),
        (header_with("zip", json!("DEF")), Refusal::HeaderParameter("zip")),
        (header_with("typ", json!("dpop+jwt")), Refusal::HeaderParameter("typ")),
        (header_with("typ", json!(7)), Refusal::HeaderParameter("typ")),
    ] {
        let token = FORGE.sign(&header, &claims());
        assert_eq!(FORGE.judge(&token).unwrap_err(), refusal, "{header}");
    }
}

#[test]
fn a_token_signed_by_anything_but_the_key_is_refused() {
    let good = FORGE.sign(&FORGE.header(), &claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();

    let stranger = Issuer::new(ISSUER, SigningKey::generate().unwrap());
    let strange_secret = STANDARD.decode(stranger.key().to_secret().unwrap().expose_secret()).unwrap();
    let strange_pair = RsaKeyPair::from_pkcs8(&strange_secret).unwrap();
    let mut strange = vec![0; 256];
    strange_pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut strange).unwrap();

    let public = FORGE.issuer.key_set_json();
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes()), signed.as_bytes());
    let mut bent = URL_SAFE_NO_PAD.decode(signature).unwrap();
    bent[10] ^= 1;
    let other_claims = URL_SAFE_NO_PAD.encode(with("email", json!("eve@example.com")).to_string());

    for (token, why) in [
        (format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&strange)), "another key of the same shape"),
        (format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac)), "HMAC keyed with the public key"),
        (format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&bent)), "one bit bent"),
        (format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&bent[..255])), "cut short"),
        (format!("{signed}.{}", URL_SAFE_NO_PAD.encode([0; 256])), "zeros"),
        (format!("{signed}.AA"), "one byte"),
        (format!("{header}.{other_claims}.{signature}"), "claims swapped"),
        (FORGE.sign_with(&RSA_PKCS1_SHA512, signed), "another digest under the same header"),
    ] {
        assert_eq!(FORGE.judge(&token), Err(Refusal::Signature), "{why}");
    }
}

#[test]
fn tokens_that_can_be_read_in_two_ways_are_refused() {
    let good = FORGE.sign(&FORGE.header(), &claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let padded_claims =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(FORGE.header().to_string()), URL_SAFE.encode(format!("{} ", claims())));
    let shaky_tail = {
        // Same bytes, but the unused low bits of the last character are set.
        let last = good.pop_last();
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let index = alphabet.find(last).unwrap();
        format!("{}{}", &good[..good.len() - 1], alphabet.chars().nth(index + 1).unwrap())
    };
    for (token, why) in [
        (String::new(), "nothing"),
        ("..".into(), "empty parts"),
        (signed.to_owned(), "no signature"),
        (format!("{signed}."), "an empty signature, as with alg none"),
        (format!("{good}."), "a fourth part"),
        (format!("{good}.{signature}"), "two signatures"),
        (format!("{good}="), "padding"),
        (format!(" {good}"), "leading space"),
        (format!("{good}\n"), "trailing newline"),
        (good.replacen('.', "%2E", 1), "percent-encoded"),
        (format!("Bearer {good}"), "a scheme before it"),
        (format!("{signed}.{}", STANDARD.encode([0xfb; 256])), "the other base64 alphabet"),
        (format!("{signed}.é"), "not ASCII"),
        (shaky_tail, "non-zero trailing bits"),
    ] {
        assert_eq!(FORGE.judge(&token), Err(Refusal::Malformed), "{why}");
    }
    let padded = FORGE.sign_with(&RSA_PKCS1_SHA256, &padded_claims);
    let verdict = FORGE.judge(&padded);
    assert!(!padded_claims.ends_with('=') || verdict == Err(Refusal::Malformed), "{verdict:?}");
    let long = FORGE.sign(&FORGE.header(), &with("groups", json!("g".repeat(16 * 1024))));
    assert_eq!(FORGE.judge(&long), Err(Refusal::TooLong));
    let big = FORGE.sign(&FORGE.header(), &with("groups", json!("g".repeat(6 * 1024))));
    FORGE.judge(&big).expect("6 KB is normal");
}

#[test]
fn json_that_can_be_read_in_two_ways_is_refused() {
    let header = FORGE.header().to_string();
    let text = claims().to_string();
    let inner = text.strip_prefix('{').unwrap();
    for (header, claims, refusal) in [
        (header.replacen('{', r#"{"alg":"none","#, 1), text.clone(), Refusal::HeaderJson),
        (format!("[{header}]"), text.clone(), Refusal::HeaderJson),
        ("null".into(), text.clone(), Refusal::HeaderJson),
        (header.clone(), format!(r#"{{"email":"eve@example.com",{inner}"#), Refusal::ClaimsJson),
        (header.clone(), format!(r#"{{"\u0065mail":"eve@example.com",{inner}"#), Refusal::ClaimsJson),
        (header.clone(), format!("{text}{{}}"), Refusal::ClaimsJson),
        (header.clone(), text.replace("ada@", "ada\\u0000@"), Refusal::ClaimsJson),
        (header.clone(), format!("\u{feff}{text}"), Refusal::ClaimsJson),
        (header.clone(), "7".into(), Refusal::ClaimsJson),
        (header.clone(), format!(r#"{{"deep":{}{}"#, "[".repeat(5000), inner), Refusal::ClaimsJson),
    ] {
        assert_eq!(FORGE.judge(&FORGE.sign_text(&header, &claims)), Err(refusal), "{claims}");
    }
}

#[test]
fn the_kelvin_sign_is_not_a_k() {
    let token = FORGE.sign(&FORGE.header(), &with("email", json!("\u{212a}im@example.com")));
    let verified = FORGE.judge(&token).unwrap();
    let Identity::Person(email) = verified.identity() else { panic!("a person") };
    let rule: access::MemberRule = "kim@example.com".parse().unwrap();
    assert!(!rule.admits(email));
}

#[test]
fn a_token_tells_which_of_our_audiences_it_is_for() {
    for (claim, ours) in [
        (json!(AUDIENCE), vec![AUDIENCE]),
        (json!(["other"]), vec!["other"]),
        (json!(["somebody-elses", AUDIENCE]), vec![AUDIENCE]),
        (json!([AUDIENCE, "other", AUDIENCE]), vec!["other", AUDIENCE]),
    ] {
        let token = FORGE.sign(&FORGE.header(), &with("aud", claim.clone()));
        let verified = FORGE.judge(&token).unwrap();
        assert!(verified.audiences().eq(ours), "{claim}");
    }
}

#[test]
fn an_empty_setting_makes_no_verifier() {
    assert!(Verifier::new("", vec![AUDIENCE.into()]).is_none());
    assert!(Verifier::new(ISSUER, vec![]).is_none());
    assert!(Verifier::new(ISSUER, vec![String::new()]).is_none());
}

trait PopLast {
    fn pop_last(&self) -> char;
}

impl PopLast for String {
    fn pop_last(&self) -> char {
        self.chars().next_back().unwrap()
    }
}
