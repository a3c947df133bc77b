//! Tokens, each with what must become of it.

mod addresses;
mod algorithms;
mod claims;
mod encodings;
mod json;
mod keys;
mod paddings;
mod signatures;

use access::Refusal;
use serde_json::Value;

use crate::corpus::scene::Scene;
use crate::corpus::table::{Case, Group, Verdict};
use crate::support::forge::encoded;
use crate::support::{ADA, Forge, ask, ask_with, bearer};

/// The whole table.
pub fn all(scene: &Scene) -> Vec<Group> {
    [
        algorithms::groups(scene),
        keys::groups(scene),
        signatures::groups(scene),
        paddings::groups(scene),
        encodings::groups(scene),
        json::groups(scene),
        claims::groups(scene),
        addresses::groups(scene),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Judges a case twice: by the rules themselves, which name the rule, and by the real guard, in a
/// header and in the cookie, to read and to write.
pub async fn judge(scene: &Scene, case: &Case, now: jiff::Timestamp) -> Result<(), String> {
    let judged = scene.verifier().verify(&case.token, &scene.key_set(), now);
    let as_expected = match (&case.verdict, &judged) {
        (Verdict::Unbelieved(rule), Err(refusal)) => rule == refusal,
        (Verdict::Stranger | Verdict::Admitted, Ok(_)) => true,
        _ => false,
    };
    // A field of a header has fewer characters than a text; the door is asked only what can be said.
    let sayable = case.token.bytes().all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f));
    // Spaces around a field's value are not part of it.
    let whole = case.token.trim_matches([' ', '\t']) == case.token;
    if !as_expected {
        return Err(format!("the rules say {judged:?} instead of {:?}", case.verdict));
    }
    if !sayable || !whole {
        return Ok(());
    }
    let (address, lines) = (&scene.guard.address, [bearer(&case.token)]);
    let lines = lines.each_ref().map(String::as_str);
    same("in the header", ask(address, "/secret", &lines).await, case)?;
    same("with a body", ask_with(address, "POST", "/secret", &lines, "body").await, case)?;
    if !case.token.contains(';') {
        let cookie = format!("Cookie: CF_Authorization={}", case.token);
        same("in the cookie", ask(address, "/secret", &[&cookie]).await, case)?;
    }
    Ok(())
}

fn same(how: &str, answer: crate::support::client::Answer, case: &Case) -> Result<(), String> {
    let expected = match case.verdict {
        Verdict::Unbelieved(_) => 401,
        Verdict::Stranger => 403,
        Verdict::Admitted => 200,
    };
    if answer.status != expected {
        return Err(format!("{how}: {} instead of {expected}", answer.status));
    }
    crate::corpus::tells_nothing(&answer).map_err(|hint| format!("{how}: {hint}"))
}

/// Honest claims of Ada's, encoded.
fn adas_claims(forge: &Forge) -> String {
    encoded(forge.claims(ADA).to_string())
}

/// A token with this header over Ada's claims, honestly signed: whatever is wrong, the signature is right.
fn under(forge: &Forge, header: &Value) -> String {
    forge.sign(header, &forge.claims(ADA))
}

/// The header with one member more, or another value for it.
fn header_with(forge: &Forge, name: &str, value: Value) -> Value {
    let mut header = forge.header();
    header[name] = value;
    header
}

fn header_without(forge: &Forge, name: &str) -> Value {
    let mut header = forge.header();
    header.as_object_mut().unwrap().remove(name);
    header
}

/// Tokens whose claims differ in `name`, honestly signed.
fn claiming<'n, N: Into<String>>(
    forge: &'n Forge,
    name: &'n str,
    values: impl IntoIterator<Item = (N, Value)> + 'n,
) -> impl Iterator<Item = (String, String)> + 'n {
    values.into_iter().map(move |(what, value)| {
        let mut claims = forge.claims(ADA);
        claims[name] = value;
        (format!("{name}: {}", what.into()), forge.sign(&forge.header(), &claims))
    })
}

/// A group of claims that one rule refuses.
fn refused_claims<N: Into<String>, const COUNT: usize>(
    forge: &Forge,
    why: &'static str,
    rule: Refusal,
    name: &str,
    values: [(N, Value); COUNT],
) -> Group {
    Group::new(why).refused(rule, claiming(forge, name, values))
}
