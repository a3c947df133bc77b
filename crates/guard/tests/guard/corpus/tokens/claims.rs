//! Honestly signed tokens that say the wrong thing.

use access::Refusal;
use serde_json::{Value, json};

use super::{claiming, refused_claims};
use crate::corpus::scene::Scene;
use crate::corpus::table::{Group, Verdict};
use crate::support::forge::now;
use crate::support::{ADA, AUDIENCE, Forge, ISSUER};

pub fn groups(scene: &Scene) -> Vec<Group> {
    let forge = scene.forge();
    vec![issuers(forge), audiences(forge), missing(forge), times(forge), future(forge), types(forge), subjects(forge)]
}

fn issuers(forge: &Forge) -> Group {
    let text = |issuer: &str| json!(issuer);
    refused_claims(
        forge,
        "the issuer is the configured one, byte for byte",
        Refusal::Issuer,
        "iss",
        [
            ("nothing", text("")),
            ("null", json!(null)),
            ("another team", text("https://evil.cloudflareaccess.com")),
            ("a slash after it", text(&format!("{ISSUER}/"))),
            ("a path after it", text(&format!("{ISSUER}/cdn-cgi/access"))),
            ("a query after it", text(&format!("{ISSUER}?"))),
            ("encrypted", text("https://localhost:8080")),
            ("another port", text("http://localhost:80801")),
            ("no port", text("http://localhost")),
            ("no scheme", text("localhost:8080")),
            ("upper case", text("HTTP://LOCALHOST:8080")),
            ("ours as a user", text(&format!("{ISSUER}@evil.example"))),
            ("ours as a prefix", text(&format!("{ISSUER}.evil.example"))),
            ("ours as a suffix", text(&format!("https://evil.example/{ISSUER}"))),
            ("a space after it", text(&format!("{ISSUER} "))),
            ("percent-encoded", text("http%3A%2F%2Flocalhost%3A8080")),
            ("a list", json!([ISSUER])),
            ("an object", json!({"iss": ISSUER})),
            ("a number", json!(8080)),
            ("true", json!(true)),
        ],
    )
}

fn audiences(forge: &Forge) -> Group {
    let values: [(&str, Value); 24] = [
        ("nothing", json!("")),
        ("null", json!(null)),
        ("another", json!("cc33dd44")),
        ("another, in a list", json!(["cc33dd44"])),
        ("an empty list", json!([])),
        ("a list of nothing", json!([""])),
        ("a list of null", json!([null])),
        ("a list in a list", json!([[AUDIENCE]])),
        ("ours and a number", json!([AUDIENCE, 7])),
        ("ours and a list", json!([AUDIENCE, ["x"]])),
        ("ours and null", json!([AUDIENCE, null])),
        ("an object", json!({"aud": AUDIENCE})),
        ("ours as a name", json!({AUDIENCE: true})),
        ("a number", json!(11)),
        ("true", json!(true)),
        ("the beginning of ours", json!(&AUDIENCE[..6])),
        ("the end of ours", json!(&AUDIENCE[2..])),
        ("more than ours", json!(format!("{AUDIENCE}00"))),
        ("ours twice in a row", json!(AUDIENCE.repeat(2))),
        ("upper case", json!(AUDIENCE.to_ascii_uppercase())),
        ("ours with a comma", json!(format!("{AUDIENCE},other"))),
        ("ours and a space", json!(format!("{AUDIENCE} "))),
        ("a wildcard", json!("*")),
        ("a pattern", json!(["aa.*", "%"])),
    ];
    Group::new("the audience is one of ours, in full, as a text or in a list of texts")
        .refused(Refusal::Audience, claiming(forge, "aud", values))
        .all(
            Verdict::Admitted,
            claiming(forge, "aud", [("as a text", json!(AUDIENCE)), ("among others", json!(["other", AUDIENCE]))]),
        )
}

fn missing(forge: &Forge) -> Group {
    let without = |name: &str| [(format!("no {name}"), forge.with(name, json!(null)))];
    Group::new("what is not said is not granted")
        .refused(Refusal::Issuer, without("iss"))
        .refused(Refusal::Audience, without("aud"))
        .refused(Refusal::Time("exp"), without("exp"))
        .refused(Refusal::Nobody, without("email"))
        .all(Verdict::Admitted, ["nbf", "iat", "type", "sub"].into_iter().flat_map(without))
}

fn times(forge: &Forge) -> Group {
    let odd = |time: i64| {
        [
            ("a text", json!(time.to_string())),
            ("an empty text", json!("")),
            ("a date", json!("2099-01-01T00:00:00Z")),
            ("a list", json!([time])),
            ("an object", json!({"time": time})),
            ("true", json!(true)),
            ("null", json!(null)),
        ]
    };
    ["exp", "nbf", "iat"].into_iter().fold(
        Group::new("a time is a number, or it is no time: nothing is converted, nothing assumed"),
        |group, name| {
            let time = if name == "exp" { now() + 600 } else { now() };
            group.refused(Refusal::Time(name), claiming(forge, name, odd(time)))
        },
    )
}

fn future(forge: &Forge) -> Group {
    Group::new("a token holds from its beginning to its end, give or take half a minute")
        .refused(
            Refusal::Expired,
            claiming(
                forge,
                "exp",
                [
                    ("a minute ago", json!(now() - 60)),
                    ("just out of leeway", json!(now() - 31)),
                    ("last year", json!(now() - 31_000_000)),
                ],
            ),
        )
        .refused(
            Refusal::NotYetValid,
            claiming(
                forge,
                "nbf",
                [
                    ("in some minutes", json!(now() + 300)),
                    ("a fraction of it", json!(now() as f64 + 300.5)),
                    ("far away", json!(99_999_999_999_i64)),
                ],
            ),
        )
        .refused(Refusal::Time("nbf"), claiming(forge, "nbf", [("beyond the calendar", json!(1e300))]))
        .refused(
            Refusal::IssuedInFuture,
            claiming(forge, "iat", [("in some minutes", json!(now() + 300)), ("far away", json!(99_999_999_999_i64))]),
        )
        .refused(Refusal::Time("iat"), claiming(forge, "iat", [("beyond the calendar", json!(i64::MAX))]))
        .all(
            Verdict::Admitted,
            [
                ("nbf: before there were computers", forge.with("nbf", json!(-1))),
                ("iat: long ago", forge.with("iat", json!(0))),
                ("exp: a moment ago, within leeway", forge.with("exp", json!(now() - 5))),
                ("exp: in ages", forge.with("exp", json!(250_000_000_000_i64))),
            ],
        )
}

fn types(forge: &Forge) -> Group {
    let values: [(&str, Value); 11] = [
        ("the whole organisation's", json!("org")),
        ("a device's", json!("warp")),
        ("nothing", json!("")),
        ("upper case", json!("APP")),
        ("a space after it", json!("app ")),
        ("something else", json!("anything")),
        ("null", json!(null)),
        ("a number", json!(7)),
        ("true", json!(true)),
        ("a list", json!(["app"])),
        ("an object", json!({"type": "app"})),
    ];
    refused_claims(forge, "the organisation's session is not this application's", Refusal::TokenType, "type", values)
}

fn subjects(forge: &Forge) -> Group {
    let values: [(&str, Value); 12] = [
        ("a number", json!(7)),
        ("a list", json!(["usr-1"])),
        ("an object", json!({"sub": "usr-1"})),
        ("true", json!(true)),
        ("null", json!(null)),
        ("a header after it", json!("usr-1\r\nX-Spinoff-User: root@example.com")),
        ("a newline", json!("usr-1\n")),
        ("a tab", json!("usr\t1")),
        ("a space", json!("usr 1")),
        ("a letter beyond ASCII", json!("usr-\u{fc}")),
        ("DEL", json!("usr-\u{7f}")),
        ("very long", json!("s".repeat(256))),
    ];
    Group::new("the subject goes to the application in a header, so it must be one word that fits into it")
        .refused(Refusal::Subject, claiming(forge, "sub", values))
        .all(Verdict::Admitted, claiming(forge, "sub", [("nothing", json!("")), ("long", json!("s".repeat(255)))]))
        .all(Verdict::Admitted, [("Ada, as she is", forge.token(ADA))])
}
