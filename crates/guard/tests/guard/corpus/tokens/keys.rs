//! Which key verifies: the issuer's, by its id. Never one that the token brings or points at.

use access::Refusal;
use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::{adas_claims, header_with, header_without, under};
use crate::corpus::scene::Scene;
use crate::corpus::table::{Group, Verdict};
use crate::support::forge::encoded;
use crate::support::{ADA, Forge};

pub fn groups(scene: &Scene) -> Vec<Group> {
    let stranger = Forge::new();
    vec![
        ids(scene),
        anothers_keys(scene, &stranger),
        brought_along(scene, &stranger),
        extensions(scene.forge()),
        kinds(scene.forge()),
        honest(scene),
    ]
}

fn ids(scene: &Scene) -> Group {
    let forge = scene.forge();
    let upper = forge.kid().to_ascii_uppercase();
    let unknown: [(&str, String); 20] = [
        ("nothing", String::new()),
        ("somebody's", "nobody".into()),
        ("a path to a file of known content", "../../../../../../dev/null".into()),
        ("an absolute path", "/dev/null".into()),
        ("a path on another system", "..\\..\\..\\windows\\win.ini".into()),
        ("a file's address", "file:///dev/null".into()),
        ("an address", "https://evil.example/keys.json".into()),
        ("an address within the machine", "http://127.0.0.1:1/keys".into()),
        ("SQL", "x' UNION SELECT 'secret' --".into()),
        ("SQL that is always true", "' or '1'='1".into()),
        ("a shell command", "x; touch /tmp/owned".into()),
        ("a shell substitution", "$(id)".into()),
        ("a template", "{{7*7}}".into()),
        ("a member of every object", "__proto__".into()),
        ("another member of every object", "constructor".into()),
        ("a wildcard", "*".into()),
        ("the first of the set", "0".into()),
        ("ours in upper case", upper),
        ("ours and a space", format!("{} ", forge.kid())),
        ("very long", "k".repeat(8_000)),
    ];
    let named = |kid: &str| under(forge, &header_with(forge, "kid", json!(kid)));
    let not_texts: [(&str, Value); 7] = [
        ("null", json!(null)),
        ("a number", json!(7)),
        ("zero, which is false", json!(0)),
        ("true", json!(true)),
        ("a list", json!([forge.kid()])),
        ("an object", json!({"kid": forge.kid()})),
        ("an object that a database would read as a condition", json!({"$ne": ""})),
    ];
    let nothing = json!({"alg": "HS256", "kid": "../../../../dev/null", "typ": "JWT"});
    let signed = format!("{}.{}", encoded(nothing.to_string()), adas_claims(forge));
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b""), signed.as_bytes());
    Group::new("a key is found by the exact text of its id in the issuer's set, and nowhere else")
        .refused(Refusal::UnknownKey, unknown.map(|(what, kid)| (format!("kid: {what}"), named(&kid))))
        .refused(
            Refusal::NoKeyId,
            not_texts.map(|(what, kid)| (format!("kid: {what}"), under(forge, &header_with(forge, "kid", kid)))),
        )
        .refused(Refusal::NoKeyId, [("no kid", under(forge, &header_without(forge, "kid")))])
        .refused(Refusal::HeaderJson, [("kid: ours and a NUL", named(&format!("{}\0x", forge.kid())))])
        .refused(
            Refusal::Algorithm,
            [("a MAC keyed with the empty file that kid points at", format!("{signed}.{}", encoded(mac.as_ref())))],
        )
}

fn anothers_keys(scene: &Scene, stranger: &Forge) -> Group {
    let (forge, second) = (scene.forge(), &scene.keys.second);
    let claims = forge.claims(ADA);
    Group::new("a signature counts for the key that the token names")
        .refused(
            Refusal::Signature,
            [
                ("our second key under the id of the first", second.sign(&forge.header(), &claims)),
                ("our first key under the id of the second", forge.sign(&second.header(), &claims)),
                ("a stranger's key under our id", stranger.sign(&forge.header(), &claims)),
                (
                    "our key under the id of the one with exponent 3",
                    under(forge, &header_with(forge, "kid", json!("three"))),
                ),
            ],
        )
        .refused(
            Refusal::UnknownKey,
            [("a stranger's key under its own id", stranger.sign(&stranger.header(), &claims))],
        )
}

fn brought_along(scene: &Scene, stranger: &Forge) -> Group {
    let forge = scene.forge();
    let certs = format!("http://{}/cdn-cgi/access/certs", scene.town.main.address);
    let forged = |name: &str, value: Value| stranger.sign(&header_with(forge, name, value), &forge.claims(ADA));
    let mut own_id = header_with(stranger, "jwk", stranger.jwk());
    own_id["kid"] = json!("brought along");
    let cases: [(&'static str, &str, String); 12] = [
        ("jwk", "a key, and signed by it", forged("jwk", stranger.jwk())),
        ("jwk", "a key under its own id", stranger.sign(&own_id, &forge.claims(ADA))),
        ("jwk", "our own key, and honestly signed", under(forge, &header_with(forge, "jwk", forge.jwk()))),
        ("jwk", "a secret", forged("jwk", json!({"kty": "oct", "k": "AA"}))),
        ("jwk", "null", under(forge, &header_with(forge, "jwk", json!(null)))),
        ("jku", "a key set's address", forged("jku", json!("https://evil.example/keys"))),
        (
            "jku",
            "the issuer's own address, and honestly signed",
            under(forge, &header_with(forge, "jku", json!(certs))),
        ),
        ("jku", "the issuer's name as a user", forged("jku", json!("http://localhost:8080@evil.example/"))),
        ("x5u", "a certificate's address", forged("x5u", json!("https://evil.example/cert"))),
        (
            "x5u",
            "an address, and honestly signed",
            under(forge, &header_with(forge, "x5u", json!("https://evil.example/"))),
        ),
        ("x5c", "a certificate", forged("x5c", json!(["MIIB"]))),
        ("x5c", "no certificates, and honestly signed", under(forge, &header_with(forge, "x5c", json!([])))),
    ];
    cases.into_iter().fold(
        Group::new("whoever brings a key along chooses it: the issuer's set is the only place for keys"),
        |group, (name, what, token)| {
            group.refused(Refusal::HeaderParameter(name), [(format!("{name}: {what}"), token)])
        },
    )
}

fn extensions(forge: &Forge) -> Group {
    let cases: [(&'static str, &str, Value); 10] = [
        ("crit", "exp", json!(["exp"])),
        ("crit", "an empty list", json!([])),
        ("crit", "a text", json!("exp")),
        ("crit", "null", json!(null)),
        ("crit", "the unencoded payload", json!(["b64"])),
        ("b64", "false", json!(false)),
        ("b64", "true", json!(true)),
        ("zip", "DEF", json!("DEF")),
        ("enc", "A256GCM", json!("A256GCM")),
        ("enc", "null", json!(null)),
    ];
    cases.into_iter().fold(
        Group::new("an extension changes what the token means, and none is understood here"),
        |group, (name, what, value)| {
            let token = under(forge, &header_with(forge, name, value));
            group.refused(Refusal::HeaderParameter(name), [(format!("{name}: {what}"), token)])
        },
    )
}

fn kinds(forge: &Forge) -> Group {
    let values: [(&str, Value); 9] = [
        ("a DPoP proof", json!("dpop+jwt")),
        ("an OAuth access token", json!("at+jwt")),
        ("a security event", json!("secevent+jwt")),
        ("a sign-out token", json!("logout+jwt")),
        ("JSON serialisation", json!("JOSE+JSON")),
        ("empty", json!("")),
        ("a number", json!(7)),
        ("a list", json!(["JWT"])),
        ("null", json!(null)),
    ];
    let nested =
        forge.sign_parts(&encoded(header_with(forge, "cty", json!("JWT")).to_string()), &encoded(forge.token(ADA)));
    Group::new("one issuer signs tokens of many kinds with one key, and only one kind opens this door")
        .refused(
            Refusal::HeaderParameter("typ"),
            values.map(|(what, typ)| (format!("typ: {what}"), under(forge, &header_with(forge, "typ", typ)))),
        )
        .refused(Refusal::ClaimsJson, [("a token within a token", nested)])
}

fn honest(scene: &Scene) -> Group {
    let (forge, second) = (scene.forge(), &scene.keys.second);
    Group::new("what honest issuers write").all(
        Verdict::Admitted,
        [
            ("the second key", second.token(ADA)),
            ("no typ", under(forge, &header_without(forge, "typ"))),
            ("typ in lower case", under(forge, &header_with(forge, "typ", json!("jwt")))),
            ("a parameter that nobody knows", under(forge, &header_with(forge, "x5t", json!("AA")))),
            (
                "spaces in its JSON",
                forge.sign_parts(
                    &encoded(format!("{{ \"alg\" : \"RS256\",\n\t\"kid\": \"{}\" }}\n", forge.kid())),
                    &adas_claims(forge),
                ),
            ),
        ],
    )
}
