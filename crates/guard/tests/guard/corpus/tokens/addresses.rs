//! Who a token speaks of: an address is compared byte by byte, and none is repaired.

use access::Refusal;
use serde_json::{Value, json};

use super::{claiming, refused_claims};
use crate::corpus::scene::Scene;
use crate::corpus::table::{Group, Verdict};
use crate::support::{ADA, Forge};

pub fn groups(scene: &Scene) -> Vec<Group> {
    let forge = scene.forge();
    vec![
        not_an_address(forge),
        almost(forge),
        look_alikes(forge),
        other_alphabets(forge),
        domains(forge),
        machines(forge),
    ]
}

fn not_an_address(forge: &Forge) -> Group {
    let values: [(&str, Value); 12] = [
        ("nothing", json!("")),
        ("null", json!(null)),
        ("an empty list", json!([])),
        ("a list of one", json!([ADA])),
        ("an object", json!({"email": ADA})),
        ("a number", json!(7)),
        ("true", json!(true)),
        ("no @", json!("ada.example.com")),
        ("only a domain", json!("@example.com")),
        ("only a name", json!("ada@")),
        ("too long a name", json!(format!("{}@example.com", "a".repeat(65)))),
        ("too long", json!(format!("ada@{}.com", "a.".repeat(130)))),
    ];
    refused_claims(forge, "a person is known by one address, and that is a text", Refusal::Nobody, "email", values)
}

fn almost(forge: &Forge) -> Group {
    let texts = [
        ("a space before it", " ada@example.com"),
        ("a space after it", "ada@example.com "),
        ("a newline after it", "ada@example.com\n"),
        ("a tab before it", "\tada@example.com"),
        ("a header after it", "ada@example.com\r\nX-Spinoff-User: root@example.com"),
        ("a dot after it", "ada@example.com."),
        ("a name to show", "Ada <ada@example.com>"),
        ("angle brackets", "<ada@example.com>"),
        ("mailto", "mailto:ada@example.com"),
        ("two with a comma", "ada@example.com,eve@example.com"),
        ("two with a semicolon", "eve@example.com;ada@example.com"),
        ("two with a space", "ada@example.com eve@example.com"),
        ("two with a newline", "ada@example.com\neve@example.com"),
        ("two @", "ada@example.com@evil.example"),
        ("a quoted name", "\"ada\"@example.com"),
        ("a quoted @", "\"ada@example.com\"@evil.example"),
        ("a comment", "ada(eve)@example.com"),
        ("a comment after it", "ada@example.com(eve)"),
        ("a route", "@evil.example:ada@example.com"),
        ("an address within the network", "ada@[127.0.0.1]"),
        ("two dots", "ada@example..com"),
        ("a dot before the @", "ada.@example.com"),
        ("a backslash", "ada\\@example.com"),
        ("an entity", "ada&#64;example.com"),
    ];
    let values = texts.map(|(what, text)| (what, json!(text)));
    refused_claims(
        forge,
        "a form may forgive what a person typed; an assertion is taken as it is",
        Refusal::Nobody,
        "email",
        values,
    )
}

fn look_alikes(forge: &Forge) -> Group {
    let texts = [
        ("a stranger", "eve@example.com"),
        ("a tag", "ada+x@example.com"),
        ("a tag that is a member", "eve+ada@example.com"),
        ("a dot", "a.da@example.com"),
        ("a letter more", "aada@example.com"),
        ("a letter fewer", "da@example.com"),
        ("another domain", "ada@example.net"),
        ("a domain below", "ada@mail.example.com"),
        ("a domain that ends like ours", "ada@badexample.com"),
        ("a domain that begins like ours", "ada@example.com.evil.example"),
        ("a shorter domain", "ada@example.co"),
        ("percent for @", "ada%40example.com@evil.example"),
        ("a percent-encoded letter", "%61da@example.com"),
        ("an underscore before it", "_ada@example.com"),
        ("SQL", "ada'--@example.com"),
        ("a wildcard", "*@example.com"),
        ("a pattern", "a?a@example.com"),
        ("the domain in letters of other alphabets, as names are written", "ada@xn--exmple-cua.com"),
    ];
    Group::new("whoever is like a member is somebody else")
        .all(Verdict::Stranger, claiming(forge, "email", texts.map(|(what, text)| (what, json!(text)))))
        .all(
            Verdict::Admitted,
            claiming(forge, "email", [("capitals", json!("ADA@Example.COM")), ("as it is listed", json!(ADA))]),
        )
}

/// Each of these is a member's address to whoever folds letters as Unicode would have it.
fn other_alphabets(forge: &Forge) -> Group {
    let strangers = [
        ("the Kelvin sign for k", "\u{212a}im@example.com"),
        ("a long s", "\u{17f}ilas@example.com"),
        ("a dotless i", "k\u{131}m@example.com"),
        ("a Turkish capital i", "\u{130}nes@example.com"),
        ("a fullwidth letter", "\u{ff41}da@example.com"),
        ("a Cyrillic a", "\u{430}da@example.com"),
        ("a Greek alpha", "\u{3b1}da@example.com"),
        ("a superscript a", "\u{aa}da@example.com"),
        ("a mathematical a", "\u{1d41a}da@example.com"),
        ("an accent of its own letter", "\u{e1}da@example.com"),
    ];
    let nobody = [
        ("a fullwidth @", "ada\u{ff20}example.com"),
        ("a small @", "ada\u{fe6b}example.com"),
        ("a fullwidth dot", "ada@example\u{ff0e}com"),
        ("an ideographic dot", "ada@example\u{3002}com"),
        ("a Cyrillic letter in the domain", "ada@ex\u{430}mple.com"),
        ("the Kelvin sign in the domain", "ada@\u{212a}elvin.example"),
        ("an accent beside its letter", "a\u{301}da@example.com"),
        ("a letter of no width", "ada\u{200b}@example.com"),
        ("a joiner", "a\u{200d}da@example.com"),
        ("a soft hyphen", "a\u{ad}da@example.com"),
        ("a mark that turns the line around", "\u{202e}moc.elpmaxe@ada"),
        ("a byte order mark", "\u{feff}ada@example.com"),
        ("a space that does not break", "ada\u{a0}@example.com"),
    ];
    Group::new("letters of other alphabets are other letters: only A to Z are folded")
        .all(Verdict::Stranger, claiming(forge, "email", strangers.map(|(what, text)| (what, json!(text)))))
        .refused(Refusal::Nobody, claiming(forge, "email", nobody.map(|(what, text)| (what, json!(text)))))
}

fn domains(forge: &Forge) -> Group {
    let strangers = [
        ("below it", "eve@mail.example.org"),
        ("ends like it", "eve@badexample.org"),
        ("begins like it", "eve@example.org.evil.example"),
        ("its last part", "eve@org"),
        ("its name without the rest", "eve@example"),
        ("in the name", "example.org@evil.example"),
    ];
    let nobody =
        [("a dot after it", "eve@example.org."), ("no name", "@example.org"), ("a dot before it", "eve@.example.org")];
    Group::new("a domain rule is for exactly that domain")
        .all(Verdict::Stranger, claiming(forge, "email", strangers.map(|(what, text)| (what, json!(text)))))
        .refused(Refusal::Nobody, claiming(forge, "email", nobody.map(|(what, text)| (what, json!(text)))))
        .all(
            Verdict::Admitted,
            claiming(
                forge,
                "email",
                [("anybody", json!("anybody@example.org")), ("capitals", json!("Grace@EXAMPLE.org"))],
            ),
        )
}

/// Service tokens: no address, a common name, and only those listed.
fn machines(forge: &Forge) -> Group {
    let named = |name: Value| {
        let mut claims = forge.claims(ADA);
        claims.as_object_mut().unwrap().remove("email");
        claims["common_name"] = name;
        forge.sign(&forge.header(), &claims)
    };
    let both = |email: Value| {
        let mut claims = forge.claims(ADA);
        claims["email"] = email;
        claims["common_name"] = json!("deploy.access");
        forge.sign(&forge.header(), &claims)
    };
    let unlisted = [
        "other.access",
        "deploy",
        "deploy.access.evil",
        "xdeploy.access",
        "Deploy.access",
        "DEPLOY.ACCESS",
        "*",
        ADA,
        "@example.org",
    ];
    let nobody: [(&str, Value); 11] = [
        ("nothing", json!("")),
        ("null", json!(null)),
        ("a number", json!(7)),
        ("a list", json!(["deploy.access"])),
        ("an object", json!({"name": "deploy.access"})),
        ("a space after it", json!("deploy.access ")),
        ("two", json!("deploy.access other.access")),
        ("a newline", json!("deploy.access\n")),
        ("a header after it", json!("deploy.access\r\nX-Spinoff-User: root@example.com")),
        ("a letter beyond ASCII", json!("deploy\u{3002}access")),
        ("very long", json!("d".repeat(256))),
    ];
    Group::new("a machine is let in by its listed name, and never on behalf of a person")
        .all(
            Verdict::Admitted,
            [("the listed one", named(json!("deploy.access"))), ("a member's address beside it", both(json!(ADA)))],
        )
        .all(Verdict::Stranger, unlisted.map(|name| (format!("common_name: {name}"), named(json!(name)))))
        .refused(Refusal::Nobody, nobody.map(|(what, name)| (format!("common_name: {what}"), named(name))))
        .all(Verdict::Stranger, [("the listed one beside a stranger's address", both(json!("eve@example.com")))])
        .refused(
            Refusal::Nobody,
            [
                ("the listed one beside an empty address", both(json!(""))),
                ("the listed one beside null", both(json!(null))),
                ("the listed one beside a list of addresses", both(json!([ADA]))),
            ],
        )
}
