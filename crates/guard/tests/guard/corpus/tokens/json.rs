//! JSON that two readers read differently.

use access::Refusal;

use crate::corpus::scene::Scene;
use crate::corpus::table::{Group, Verdict};
use crate::support::forge::encoded;
use crate::support::{ADA, Forge};

pub fn groups(scene: &Scene) -> Vec<Group> {
    let forge = scene.forge();
    vec![
        doubled_in_header(forge),
        doubled_in_claims(forge),
        malformed_header(forge),
        malformed_claims(forge),
        numbers(forge),
    ]
}

fn doubled_in_header(forge: &Forge) -> Group {
    let kid = forge.kid();
    let headers = [
        ("none first, RS256 after it", format!(r#"{{"alg":"none","alg":"RS256","kid":"{kid}"}}"#)),
        ("RS256 first, none after it", format!(r#"{{"alg":"RS256","alg":"none","kid":"{kid}"}}"#)),
        ("the same twice", format!(r#"{{"alg":"RS256","alg":"RS256","kid":"{kid}"}}"#)),
        ("one of them escaped", format!(r#"{{"\u0061lg":"none","alg":"RS256","kid":"{kid}"}}"#)),
        ("two key ids", format!(r#"{{"alg":"RS256","kid":"x","kid":"{kid}"}}"#)),
        ("doubled where nobody looks", format!(r#"{{"alg":"RS256","kid":"{kid}","x":{{"y":1,"y":2}}}}"#)),
    ];
    Group::new("of two members of one name, some readers take the first and some the last").refused(
        Refusal::HeaderJson,
        headers.map(|(what, header)| (format!("header: {what}"), with_header(forge, &header))),
    )
}

fn doubled_in_claims(forge: &Forge) -> Group {
    let text = forge.claims(ADA).to_string();
    let (inner_start, inner_end) = (text.strip_prefix('{').unwrap(), text.strip_suffix('}').unwrap());
    let before = |member: &str| format!("{{{member},{inner_start}");
    let after = |member: &str| format!("{inner_end},{member}}}");
    let claims = [
        ("somebody else first", before(r#""email":"eve@example.com""#)),
        ("somebody else last", after(r#""email":"eve@example.com""#)),
        ("an escaped name", before(r#""\u0065mail":"eve@example.com""#)),
        ("a name escaped altogether", after(r#""\u0065\u006d\u0061\u0069\u006c":"eve@example.com""#)),
        ("two audiences", after(r#""aud":["other"]"#)),
        ("two expiries", before(r#""exp":1"#)),
        ("two issuers", after(r#""iss":"https://evil.example""#)),
        ("the same twice", after(r#""email":"ada@example.com""#)),
        ("doubled deep inside", after(r#""custom":[{"a":[{"b":1,"b":1}]}]"#)),
    ];
    Group::new("of two members of one name, some readers take the first and some the last")
        .refused(
            Refusal::ClaimsJson,
            claims.map(|(what, claims)| (format!("claims: {what}"), with_claims(forge, claims))),
        )
        .all(
            Verdict::Admitted,
            [
                ("a name in other letters is another name", with_claims(forge, after(r#""Email":"eve@example.com""#))),
                ("an escape where nobody needs one", with_claims(forge, text.replace("ada@", "\\u0061da@"))),
                (
                    "a name inside another member is none of ours",
                    with_claims(forge, after(r#""custom":{"email":"eve@example.com"}"#)),
                ),
            ],
        )
}

fn malformed_header(forge: &Forge) -> Group {
    let text = forge.header().to_string();
    let headers: [(&str, Vec<u8>); 12] = [
        ("empty", b"{}x".to_vec()),
        ("a list around it", format!("[{text}]").into_bytes()),
        ("null", b"null".to_vec()),
        ("a text", b"\"RS256\"".to_vec()),
        ("something after it", format!("{text}x").into_bytes()),
        ("a second one after it", format!("{text}{text}").into_bytes()),
        ("a byte order mark", format!("\u{feff}{text}").into_bytes()),
        ("UTF-16", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("cut short", text.as_bytes()[..text.len() - 1].to_vec()),
        ("a comma too many", text.replace('}', ",}").into_bytes()),
        ("a NUL after it", format!("{text}\0").into_bytes()),
        ("random bytes", vec![0x9b; 40]),
    ];
    Group::new("a header is one JSON object in UTF-8, and nothing else").refused(
        Refusal::HeaderJson,
        headers.map(|(what, header)| {
            (format!("header: {what}"), forge.sign_parts(&encoded(header), &encoded(forge.claims(ADA).to_string())))
        }),
    )
}

fn malformed_claims(forge: &Forge) -> Group {
    let text = forge.claims(ADA).to_string();
    let inner = text.strip_prefix('{').unwrap();
    let claims: [(&str, Vec<u8>); 24] = [
        ("nothing but an encoded nothing", b" ".to_vec()),
        ("a list around it", format!("[{text}]").into_bytes()),
        ("a number", b"7".to_vec()),
        ("a text", format!("{:?}", ADA).into_bytes()),
        ("null", b"null".to_vec()),
        ("something after it", format!("{text}x").into_bytes()),
        ("a second one after it", format!("{text}{{}}").into_bytes()),
        ("a byte order mark", format!("\u{feff}{text}").into_bytes()),
        ("UTF-16", text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("a byte that is no UTF-8", bytes_in(&text, b"ada@", b"ad\xe1@")),
        ("an overlong letter", bytes_in(&text, b"ada@", b"ad\xc1\xa1@")),
        ("half a surrogate pair", text.replace("ada@", "\\ud800da@").into_bytes()),
        ("a NUL in an address", text.replace("ada@", "ada\\u0000@").into_bytes()),
        ("a NUL in a name", text.replace("\"email\"", "\"email\\u0000\"").into_bytes()),
        ("a NUL as it is", bytes_in(&text, b"ada@", b"ada\0@")),
        ("a newline in an address", bytes_in(&text, b"ada@", b"ada\n@")),
        ("deep", format!("{{\"deep\":{}{inner}", "[".repeat(5_000)).into_bytes()),
        ("deep and closed again", format!("{{\"deep\":{}{},{inner}", "[".repeat(400), "]".repeat(400)).into_bytes()),
        ("a comment", format!("/* Ada */{text}").into_bytes()),
        ("a comment to the end of the line", format!("{text}// Ada").into_bytes()),
        ("single quotes", text.replace('"', "'").into_bytes()),
        ("names without quotes", text.replace("\"email\"", "email").into_bytes()),
        ("a comma too many", text.replace('}', ",}").into_bytes()),
        ("cut short", text.as_bytes()[..text.len() - 1].to_vec()),
    ];
    Group::new("claims are one JSON object in UTF-8, and nothing else").refused(
        Refusal::ClaimsJson,
        claims.map(|(what, claims)| (format!("claims: {what}"), with_claims(forge, claims))),
    )
}

fn numbers(forge: &Forge) -> Group {
    let written = |number: &str| {
        let mut claims = forge.claims(ADA);
        claims["exp"] = "here".into();
        with_claims(forge, claims.to_string().replace("\"here\"", number))
    };
    let texts = [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1e999",
        "0x7fffffff",
        "09999999999",
        "+9999999999",
        ".5",
        "9.",
        "1e",
        "1_000",
        "--1",
    ];
    let huge = "9".repeat(400);
    let outside = [
        "1e308",
        "1e20",
        "99999999999999999999",
        "9223372036854775807",
        "18446744073709551615",
        "-1e20",
        "253402400000",
        "-9223372036854775808",
    ];
    Group::new("a time is a finite JSON number within the calendar")
        .refused(Refusal::ClaimsJson, texts.map(|text| (format!("exp: {text}"), written(text))))
        .refused(Refusal::ClaimsJson, [("exp: four hundred nines", written(&huge))])
        .refused(Refusal::Time("exp"), outside.map(|text| (format!("exp: {text}"), written(text))))
        .refused(
            Refusal::Expired,
            ["0", "-0", "-1", "1", "1e-300", "1.7e9"].map(|text| (format!("exp: {text}"), written(text))),
        )
        .all(Verdict::Admitted, ["9.9e9", "9999999999.75", "99e8"].map(|text| (format!("exp: {text}"), written(text))))
}

fn with_header(forge: &Forge, header: &str) -> String {
    forge.sign_parts(&encoded(header), &encoded(forge.claims(ADA).to_string()))
}

fn with_claims(forge: &Forge, claims: impl AsRef<[u8]>) -> String {
    forge.sign_parts(&encoded(forge.header().to_string()), &encoded(claims))
}

fn bytes_in(text: &str, from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = text.as_bytes().windows(from.len()).position(|found| found == from).unwrap();
    [&text.as_bytes()[..at], to, &text.as_bytes()[at + from.len()..]].concat()
}
