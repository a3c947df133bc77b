//! One token, one text: whatever decodes to the same bytes and is written otherwise is refused.

use access::Refusal;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use serde_json::json;

use super::adas_claims;
use crate::corpus::scene::Scene;
use crate::corpus::table::{Group, Verdict};
use crate::support::forge::encoded;
use crate::support::{ADA, Forge};

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub fn groups(scene: &Scene) -> Vec<Group> {
    let forge = scene.forge();
    vec![shapes(forge), wrapped(forge), alphabets(forge), spaces(forge), sizes(forge)]
}

fn shapes(forge: &Forge) -> Group {
    let good = forge.token(ADA);
    let [header, claims, signature] = parts(&good);
    let flat = json!({"protected": header, "payload": claims, "signature": signature});
    let general = json!({"payload": claims, "signatures": [{"protected": header, "signature": signature}]});
    let encrypted = encoded(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
    let direct = encoded(r#"{"alg":"dir","enc":"A128CBC-HS256"}"#);
    Group::new("a token is three parts, none of them empty").refused(
        Refusal::Malformed,
        [
            ("nothing", String::new()),
            ("a word", "nonsense".into()),
            ("two dots", "..".into()),
            ("one part", header.into()),
            ("two parts", format!("{header}.{claims}")),
            ("no header", format!(".{claims}.{signature}")),
            ("no claims", format!("{header}..{signature}")),
            ("a dot before it", format!(".{good}")),
            ("a dot after it", format!("{good}.")),
            ("two dots in its middle", format!("{header}..{claims}.{signature}")),
            ("a fourth part", format!("{good}.x")),
            ("two signatures", format!("{good}.{signature}")),
            ("encrypted, in five parts", format!("{encrypted}.AA.AA.AA.AA")),
            ("encrypted with a key known to both", format!("{direct}..AA.AA.AA")),
            ("in JSON", flat.to_string()),
            ("in JSON, with a list of signatures", general.to_string()),
            ("two tokens", format!("{good}{good}")),
            ("two tokens with a comma", format!("{good},{good}")),
            ("two tokens with a comma and a space", format!("{good}, {good}")),
            ("two tokens with a semicolon", format!("{good};{good}")),
        ],
    )
}

fn wrapped(forge: &Forge) -> Group {
    let good = forge.token(ADA);
    Group::new("what stands around a token is not part of it, and nothing may").refused(
        Refusal::Malformed,
        [
            ("a scheme before it", format!("Bearer {good}")),
            ("another scheme before it", format!("JWT {good}")),
            ("a name before it", format!("token={good}")),
            ("in quotes", format!("\"{good}\"")),
            ("in single quotes", format!("'{good}'")),
            ("in brackets", format!("[{good}]")),
            ("a byte order mark before it", format!("\u{feff}{good}")),
            ("its dots percent-encoded", good.replace('.', "%2E")),
            ("its first letter percent-encoded", good.replacen('e', "%65", 1)),
            ("its dots from another alphabet", good.replace('.', "\u{ff0e}")),
            ("encoded once more", encoded(&good)),
            ("a fragment after it", format!("{good}#")),
            ("a comment after it", format!("{good} (comment)")),
            ("a NUL after it", format!("{good}\0")),
            ("a newline after it", format!("{good}\n")),
            ("a header after it", format!("{good}\r\nX-Spinoff-User: root@example.com")),
        ],
    )
}

fn alphabets(forge: &Forge) -> Group {
    let header = forge.header().to_string();
    // Texts that need padding, and both letters in which the alphabets differ.
    let claims = format!("{} ", with_filler(forge, ">>>???~~~\u{fbff}"));
    let claims = format!("{claims}{}", " ".repeat((3 - claims.len() % 3) % 3 + 1));
    let header = format!("{header}{}", " ".repeat((3 - header.len() % 3) % 3 + 1));
    let (good_header, good_claims) = (encoded(&header), encoded(&claims));
    let good = forge.sign_parts(&good_header, &good_claims);
    assert!(good_claims.contains(['-', '_']));
    let [_, _, signature] = parts(&good);
    let standard = good.replace('-', "+").replace('_', "/");
    Group::new("the encoding is base64url without padding and without a spare bit")
        .all(Verdict::Admitted, [("as it should be", good.clone())])
        .refused(
            Refusal::Malformed,
            [
                ("padding after it", format!("{good}=")),
                ("the padding that its signature would have", format!("{good}==")),
                ("a padded header, signed as such", forge.sign_parts(&URL_SAFE.encode(&header), &good_claims)),
                ("padded claims, signed as such", forge.sign_parts(&good_header, &URL_SAFE.encode(&claims))),
                (
                    "claims in the other alphabet, signed as such",
                    forge.sign_parts(&good_header, &STANDARD_NO_PAD.encode(&claims)),
                ),
                ("all of it in the other alphabet", standard),
                (
                    "a signature in the other alphabet",
                    format!("{good_header}.{good_claims}.{}", STANDARD.encode([0xfb; 256])),
                ),
                ("a spare bit in its signature", format!("{good_header}.{good_claims}.{}", spare_bit(signature))),
                ("a spare bit in its header, signed as such", forge.sign_parts(&spare_bit(&good_header), &good_claims)),
                ("a spare bit in its claims, signed as such", forge.sign_parts(&good_header, &spare_bit(&good_claims))),
                (
                    "a single letter for the rest",
                    forge.sign_parts(&good_header, &format!("{}A", encoded(&claims[..claims.len() - 1]))),
                ),
                ("a letter that is in no alphabet", forge.sign_parts(&good_header, &format!("!{good_claims}"))),
                (
                    "claims that are not encoded",
                    forge.sign_parts(&good_header, &forge.claims(ADA).to_string().replace('.', "-")),
                ),
                ("a header that is not encoded", forge.sign_parts(&forge.header().to_string(), &good_claims)),
                ("letters beyond ASCII", format!("{good_header}.{good_claims}.\u{e9}{signature}")),
            ],
        )
}

fn spaces(forge: &Forge) -> Group {
    let (header, claims) = (encoded(forge.header().to_string()), adas_claims(forge));
    let good = forge.sign_parts(&header, &claims);
    let [_, _, signature] = parts(&good);
    let broken = |line: &str| {
        let (first, second) = claims.split_at(64);
        forge.sign_parts(&header, &format!("{first}{line}{second}"))
    };
    Group::new("decoders that skip spaces and newlines read many texts as one").refused(
        Refusal::Malformed,
        [
            ("a space before it", format!(" {good}")),
            ("a space after its header", format!("{header} .{claims}.{signature}")),
            ("a space before its signature", format!("{header}.{claims}. {signature}")),
            ("a tab before its claims, signed as such", forge.sign_parts(&header, &format!("\t{claims}"))),
            ("claims in two words, signed as such", broken(" ")),
            ("claims in two words with a tab, signed as such", broken("\t")),
            ("claims in two lines, signed as such", broken("\n")),
            ("claims in two lines as in mail, signed as such", broken("\r\n")),
        ],
    )
}

fn sizes(forge: &Forge) -> Group {
    let filled = |bytes: usize| {
        let mut claims = forge.claims(ADA);
        claims["groups"] = json!("g".repeat(bytes));
        forge.sign(&forge.header(), &claims)
    };
    Group::new("nobody's token is that long, and reading it costs")
        .all(Verdict::Admitted, [("6 KB, as with many groups", filled(4_500)), ("nearly the limit", filled(11_500))])
        .refused(Refusal::TooLong, [("17 KB", filled(12_500)), ("40 KB", filled(30_000))])
        .refused(Refusal::TooLong, [("40 KB of dots", ".".repeat(40_000)), ("40 KB of nothing", "A".repeat(40_000))])
}

fn parts(token: &str) -> [&str; 3] {
    let mut parts = token.split('.');
    std::array::from_fn(|_| parts.next().unwrap())
}

fn with_filler(forge: &Forge, filler: &str) -> String {
    let mut claims = forge.claims(ADA);
    claims["filler"] = json!(filler);
    claims.to_string()
}

/// The same bytes, but a bit of the last letter that means nothing is set.
fn spare_bit(part: &str) -> String {
    assert_ne!(part.len() % 4, 0, "this many bytes leave no spare bits");
    let (rest, last) = part.split_at(part.len() - 1);
    let index = ALPHABET.find(last).unwrap();
    format!("{rest}{}", ALPHABET.chars().nth(index + 1).unwrap())
}
