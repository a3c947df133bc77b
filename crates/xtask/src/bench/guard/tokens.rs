use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::traffic::CERTS;
use crate::shell::{self, cargo, step};

pub const ISSUER: &str = "http://localhost";
pub const AUDIENCE: &str = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";

/// What a browser sends beside its assertion.
const HEADERS: &str = "Host: acme.example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
    Accept-Language: en-GB,en;q=0.9\r\n\
    Accept-Encoding: gzip, deflate, br\r\n\
    Cookie: session=5f2b8d1c9e7a4f60b3d2; theme=dark; locale=en\r\n";

/// Assertions, each of another person, as whole requests that carry them.
pub struct Tokens {
    pub requests: Vec<Vec<u8>>,
    pub key_set: String,
    /// The public key as OpenSSL's users know it.
    pub public_key_pem: String,
    /// Bytes of one assertion.
    pub length: usize,
    /// Requests that must not reach the application, and what is wrong with them.
    pub bad: Vec<(&'static str, Vec<u8>)>,
}

impl Tokens {
    /// Signs that many.
    pub fn sign(count: usize) -> Result<Self> {
        let text = step(&format!("signing {count} assertions"), || {
            let mut command = cargo();
            command.args(["run", "--quiet", "-p", "xtask", "--example", "sign_assertions", "--", ISSUER, AUDIENCE]);
            shell::output(command.arg(count.to_string()))
        })?;
        let mut lines = text.lines();
        let first: Value = serde_json::from_str(lines.next().unwrap_or_default()).context("reading the key set")?;
        let signed: Vec<&str> = lines.collect();
        let (Some(good), true) = (signed.first(), signed.len() == count) else {
            bail!("{} assertions were signed instead of {count}", signed.len());
        };
        let text = |field: &str| first[field].as_str().with_context(|| format!("no `{field}` beside the assertions"));
        let bad = vec![
            ("without an assertion", request(None)),
            ("with a signature that is another's", request(Some(&tampered(good)))),
            ("with an expired assertion", request(Some(text("expired")?))),
            ("with another application's assertion", request(Some(text("foreign")?))),
        ];
        let key = &first["key_set"]["keys"][0];
        let number = |field: &str| -> Result<Vec<u8>> {
            let digits = key[field].as_str().with_context(|| format!("a key without `{field}`"))?;
            Ok(URL_SAFE_NO_PAD.decode(digits)?)
        };
        Ok(Self {
            key_set: first["key_set"].to_string(),
            public_key_pem: pem(&number("n")?, &number("e")?),
            length: good.len(),
            requests: signed.into_iter().map(|token| request(Some(token))).collect(),
            bad,
        })
    }

    /// Bytes of one request.
    pub fn request_length(&self) -> usize {
        self.requests.first().map_or(0, Vec::len)
    }
}

/// Where the key set is, when the application is there.
pub fn certs_url(application: std::net::SocketAddr) -> String {
    format!("http://{application}{CERTS}")
}

fn request(token: Option<&str>) -> Vec<u8> {
    let assertion = token.map_or(String::new(), |token| format!("Cf-Access-Jwt-Assertion: {token}\r\n"));
    format!("GET /meetings/mtg_01 HTTP/1.1\r\n{HEADERS}{assertion}\r\n").into_bytes()
}

/// The same with one character of the signature changed, in its middle, where all its bits count.
fn tampered(token: &str) -> String {
    let at = token.len() - 100;
    let other = if token.as_bytes().get(at) == Some(&b'A') { "B" } else { "A" };
    let mut token = token.to_owned();
    token.replace_range(at..=at, other);
    token
}

/// An RSA key as `SubjectPublicKeyInfo` (RFC 5280, RFC 8017).
fn pem(n: &[u8], e: &[u8]) -> String {
    const RSA_ENCRYPTION: [u8; 15] = [0x30, 13, 0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 0x05, 0];
    // Numbers have a sign: a first bit that is set would make it negative.
    let sign = |number: &[u8]| if number.first().is_some_and(|byte| *byte >= 0x80) { &[0_u8][..] } else { &[] };
    let unsigned = |number: &[u8]| der(0x02, &[sign(number), number].concat());
    let key = der(0x30, &[unsigned(n), unsigned(e)].concat());
    let bits = der(0x03, &[&[0], key.as_slice()].concat());
    let encoded = STANDARD.encode(der(0x30, &[&RSA_ENCRYPTION, bits.as_slice()].concat()));
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut element = vec![tag];
    let length = content.len();
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => element.push(short),
        Ok(byte) => element.extend([0x81, byte]),
        // Keys of more than 64 KB do not exist.
        Err(_) => element.extend([0x82, (length >> 8) as u8, (length & 0xff) as u8]),
    }
    element.extend_from_slice(content);
    element
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_is_written_as_openssl_writes_it() {
        let n = "rkE8ldCu8crl-mz-rMJI81MwrCvgggLf2PMN2V1DhuQt5qKhivMF4FW-UHhpkM_FpXWCOoLIQTA0lOuvbl3IZcjfuD\
                 q8v8Geh2UNeiN4HdkWCk1ZlATtWb7rWYPY35lgrRXMZrc6eRDa7t6Pb8IdxfDVJxsyaZXiET5JWf8hGM8";
        let written = pem(&URL_SAFE_NO_PAD.decode(n).unwrap(), &[1, 0, 1]);
        let expected = "-----BEGIN PUBLIC KEY-----\n\
            MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCuQTyV0K7xyuX6bP6swkjzUzCs\n\
            K+CCAt/Y8w3ZXUOG5C3moqGK8wXgVb5QeGmQz8WldYI6gshBMDSU669uXchlyN+4\n\
            Ory/wZ6HZQ16I3gd2RYKTVmUBO1ZvutZg9jfmWCtFcxmtzp5ENru3o9vwh3F8NUn\n\
            GzJpleIRPklZ/yEYzwIDAQAB\n\
            -----END PUBLIC KEY-----\n";
        assert_eq!(written, expected);
    }

    #[test]
    fn a_tampered_assertion_differs_in_its_signature_only() {
        let token = format!("{}.{}.{}", "h".repeat(100), "c".repeat(300), "A".repeat(342));
        let other = tampered(&token);
        let differs: Vec<usize> =
            (0..token.len()).filter(|at| token.as_bytes()[*at] != other.as_bytes()[*at]).collect();
        assert_eq!((other.len(), differs), (token.len(), vec![token.len() - 100]));
    }
}
