//! The algorithm, and the confusion of algorithms.

use access::Refusal;
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{adas_claims, header_with, header_without, under};
use crate::corpus::scene::Scene;
use crate::corpus::table::Group;
use crate::support::Forge;
use crate::support::forge::encoded;

pub fn groups(scene: &Scene) -> Vec<Group> {
    vec![
        none(scene.forge()),
        other_names(scene.forge()),
        public_key_as_secret(scene),
        other_signatures_as_rs256(scene.forge()),
        keys_for_other_algorithms(scene),
    ]
}

fn none(forge: &Forge) -> Group {
    let spellings = ["none", "None", "NONE", "nOnE", "NoNe", "none ", " none", "non\u{435}", "null", ""];
    let unsigned = |alg: &str| {
        let header = header_with(forge, "alg", json!(alg));
        format!("{}.{}.", encoded(header.to_string()), adas_claims(forge))
    };
    let bare = |token: String| token.trim_end_matches('.').to_owned();
    Group::new("no algorithm is no signature: a token without one is anybody's")
        .refused(
            Refusal::Malformed,
            spellings.map(|alg| (format!("alg {alg:?} and an empty signature"), unsigned(alg))),
        )
        .refused(Refusal::Malformed, spellings.map(|alg| (format!("alg {alg:?} and two parts"), bare(unsigned(alg)))))
        .refused(
            Refusal::Algorithm,
            spellings.map(|alg| {
                (format!("alg {alg:?} over a good signature"), under(forge, &header_with(forge, "alg", json!(alg))))
            }),
        )
        .refused(
            Refusal::Algorithm,
            ["none", "None"].map(|alg| (format!("alg {alg:?} and any signature"), format!("{}AA", unsigned(alg)))),
        )
}

fn other_names(forge: &Forge) -> Group {
    let names: [(&str, Value); 26] = [
        ("RS384", json!("RS384")),
        ("RS512", json!("RS512")),
        ("PS256", json!("PS256")),
        ("PS384", json!("PS384")),
        ("PS512", json!("PS512")),
        ("ES256", json!("ES256")),
        ("ES384", json!("ES384")),
        ("ES512", json!("ES512")),
        ("ES256K", json!("ES256K")),
        ("EdDSA", json!("EdDSA")),
        ("HS256", json!("HS256")),
        ("RSA1_5", json!("RSA1_5")),
        ("dir", json!("dir")),
        ("lower case", json!("rs256")),
        ("mixed case", json!("Rs256")),
        ("a hyphen", json!("RS-256")),
        ("a space after it", json!("RS256 ")),
        ("a space before it", json!(" RS256")),
        ("the name in another standard", json!("SHA256withRSA")),
        ("the name in XML", json!("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256")),
        ("a list", json!(["RS256"])),
        ("a list with none first", json!(["none", "RS256"])),
        ("an object", json!({"alg": "RS256"})),
        ("a number", json!(256)),
        ("true", json!(true)),
        ("null", json!(null)),
    ];
    let named = names.map(|(what, alg)| (format!("alg: {what}"), under(forge, &header_with(forge, "alg", alg))));
    Group::new("the algorithm is RS256, not what the token calls it, however good the signature")
        .refused(Refusal::Algorithm, named)
        .refused(Refusal::Algorithm, [("no alg", under(forge, &header_without(forge, "alg")))])
}

/// The classic: a library that takes the algorithm from the token takes the public key as its secret.
fn public_key_as_secret(scene: &Scene) -> Group {
    let forge = scene.forge();
    let [pkcs1, x509] = forge.public_der();
    let (jwk, modulus) = (forge.jwk(), scene.forge().jwk()["n"].as_str().unwrap().to_owned());
    let pem = pem("PUBLIC KEY", &x509);
    let modulus_bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&modulus).unwrap();
    let secrets: [(&str, Vec<u8>); 12] = [
        ("as PEM", pem.clone().into_bytes()),
        ("as PEM without its last newline", pem.trim_end().as_bytes().to_vec()),
        ("as PEM without any newline", pem.replace('\n', "").into_bytes()),
        ("as PKCS#1 PEM", self::pem("RSA PUBLIC KEY", &pkcs1).into_bytes()),
        ("as DER", x509.clone()),
        ("as PKCS#1 DER", pkcs1),
        ("as base64 of DER", STANDARD.encode(&x509).into_bytes()),
        ("as the bytes of its modulus", modulus_bytes),
        ("as the text of its modulus", modulus.into_bytes()),
        ("as a JSON Web Key", jwk.to_string().into_bytes()),
        ("as the key set", forge.key_set().into_bytes()),
        ("as its id", forge.kid().as_bytes().to_vec()),
    ];
    let algorithms = [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)];
    let confused = secrets.iter().flat_map(|(form, secret)| {
        algorithms.iter().map(move |(name, algorithm)| {
            let header = header_with(forge, "alg", json!(name));
            (format!("{name} keyed with the public key {form}"), authenticated(forge, &header, *algorithm, secret))
        })
    });
    let labelled = secrets.iter().map(|(form, secret)| {
        let token = authenticated(forge, &forge.header(), hmac::HMAC_SHA256, secret);
        (format!("called RS256, and a MAC keyed with the public key {form}"), token)
    });
    Group::new("a public key is no secret")
        .refused(Refusal::Algorithm, confused)
        .refused(Refusal::Signature, labelled)
        .refused(
            Refusal::Algorithm,
            [(
                "HS256 keyed with nothing",
                authenticated(forge, &header_with(forge, "alg", json!("HS256")), hmac::HMAC_SHA256, b""),
            )],
        )
}

fn other_signatures_as_rs256(forge: &Forge) -> Group {
    let paddings: [(&str, &'static dyn RsaEncoding); 5] = [
        ("RS384", &RSA_PKCS1_SHA384),
        ("RS512", &RSA_PKCS1_SHA512),
        ("PS256", &RSA_PSS_SHA256),
        ("PS384", &RSA_PSS_SHA384),
        ("PS512", &RSA_PSS_SHA512),
    ];
    let sealed = |header: &Value, padding| {
        forge.seal(padding, &format!("{}.{}", encoded(header.to_string()), adas_claims(forge)))
    };
    let honest = paddings.map(|(name, padding)| {
        (format!("{name}, and called so"), sealed(&header_with(forge, "alg", json!(name)), padding))
    });
    let labelled = paddings.map(|(name, padding)| (format!("{name}, called RS256"), sealed(&forge.header(), padding)));
    Group::new("one key, one algorithm: what the same key can do otherwise does not count")
        .refused(Refusal::Algorithm, honest)
        .refused(Refusal::Signature, labelled)
}

fn keys_for_other_algorithms(scene: &Scene) -> Group {
    let (forge, keys) = (scene.forge(), &scene.keys);
    let signed = |alg: &str, kid: &str| {
        let header = json!({"alg": alg, "kid": kid, "typ": "JWT"});
        format!("{}.{}", encoded(header.to_string()), adas_claims(forge))
    };
    let edwards = |signed: String| format!("{signed}.{}", encoded(keys.edwards.sign(signed.as_bytes()).as_ref()));
    let mac = |alg: &str| {
        let header = json!({"alg": alg, "kid": "secret", "typ": "JWT"});
        authenticated(forge, &header, hmac::HMAC_SHA256, &keys.secret)
    };
    let rsa = |alg: &str, kid: &str, padding: &'static dyn RsaEncoding| keys.others.seal(padding, &signed(alg, kid));
    Group::new("a key of the issuer's that is not for RS256 opens nothing, even used as it is meant")
        .refused(
            Refusal::Algorithm,
            [
                ("ES256 by the issuer's curve key", keys.sign_with_curve(&signed("ES256", "curve"))),
                ("EdDSA by the issuer's Edwards key", edwards(signed("EdDSA", "edwards"))),
                ("HS256 by the secret in the key set", mac("HS256")),
                ("RS512 by the issuer's key for RS512", rsa("RS512", "rs512", &RSA_PKCS1_SHA512)),
            ],
        )
        .refused(
            Refusal::UnknownKey,
            [
                ("ES256 called RS256, by the curve key", keys.sign_with_curve(&signed("RS256", "curve"))),
                ("EdDSA called RS256", edwards(signed("RS256", "edwards"))),
                ("a MAC called RS256, by the secret in the key set", mac("RS256")),
                ("RS256 by a key that is for RS512", rsa("RS256", "rs512", &aws_lc_rs::signature::RSA_PKCS1_SHA256)),
                ("RS256 by a key that is for encryption", rsa("RS256", "enc", &aws_lc_rs::signature::RSA_PKCS1_SHA256)),
            ],
        )
}

fn authenticated(forge: &Forge, header: &Value, algorithm: hmac::Algorithm, secret: &[u8]) -> String {
    let signed = format!("{}.{}", encoded(header.to_string()), adas_claims(forge));
    let mac = hmac::sign(&hmac::Key::new(algorithm, secret), signed.as_bytes());
    format!("{signed}.{}", encoded(mac.as_ref()))
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
