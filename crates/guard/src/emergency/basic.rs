//! HTTP Basic as requests carry it (RFC 7617).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, Entry};
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretSlice};

/// What a request says about user and password.
pub(crate) enum Basic {
    /// Nothing, or in another scheme, which is the application's business.
    None,
    One(Credentials),
    /// Two headers, or one that says nothing that can be read.
    Unreadable,
}

/// A user and a password, neither of them believed.
pub(crate) struct Credentials {
    /// `user:password`.
    pair: SecretSlice<u8>,
    colon: usize,
}

impl Credentials {
    pub(crate) fn user(&self) -> &[u8] {
        &self.pair.expose_secret()[..self.colon]
    }

    pub(crate) fn password(&self) -> &[u8] {
        &self.pair.expose_secret()[self.colon + 1..]
    }

    /// Both, as sent.
    pub(crate) fn pair(&self) -> &[u8] {
        self.pair.expose_secret()
    }
}

/// The credentials in these headers.
pub(crate) fn sent(headers: &HeaderMap) -> Basic {
    let mut values = headers.get_all(AUTHORIZATION).into_iter();
    match (values.next(), values.next()) {
        (None, _) => Basic::None,
        (Some(value), None) => read(value),
        // Even if the second one is in another scheme: there is no telling which of them counts.
        (Some(_), Some(_)) if headers.get_all(AUTHORIZATION).iter().any(is_basic) => Basic::Unreadable,
        (Some(_), Some(_)) => Basic::None,
    }
}

/// Removes credentials of `user`, and those that only another reader might understand.
pub(crate) fn conceal(headers: &mut HeaderMap, user: &[u8]) {
    let is_ours = |value: &HeaderValue| match read(value) {
        Basic::None => false,
        Basic::One(credentials) => credentials.user() == user,
        Basic::Unreadable => true,
    };
    if !headers.get_all(AUTHORIZATION).iter().any(is_ours) {
        return;
    }
    let kept: Vec<HeaderValue> = match headers.entry(AUTHORIZATION) {
        Entry::Occupied(entry) => entry.remove_entry_mult().1.filter(|value| !is_ours(value)).collect(),
        Entry::Vacant(_) => Vec::new(),
    };
    for value in kept {
        headers.append(AUTHORIZATION, value);
    }
}

fn read(value: &HeaderValue) -> Basic {
    let Some(encoded) = after_scheme(value.as_bytes()) else { return Basic::None };
    let Ok(pair) = STANDARD.decode(encoded) else { return Basic::Unreadable };
    match pair.iter().position(|byte| *byte == b':') {
        Some(colon) => Basic::One(Credentials { pair: pair.into(), colon }),
        None => Basic::Unreadable,
    }
}

fn is_basic(value: &HeaderValue) -> bool {
    after_scheme(value.as_bytes()).is_some()
}

/// What follows the word Basic, in whatever case.
fn after_scheme(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.trim_ascii().split_at_checked(5)?;
    let ends = rest.first().is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'-');
    (scheme.eq_ignore_ascii_case(b"basic") && ends).then(|| rest.trim_ascii())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_str(value).unwrap())).collect()
    }

    fn said(values: &[&str]) -> String {
        match sent(&headers(values)) {
            Basic::None => "none".to_owned(),
            Basic::Unreadable => "unreadable".to_owned(),
            Basic::One(credentials) => format!(
                "{} and {}",
                String::from_utf8_lossy(credentials.user()),
                String::from_utf8_lossy(credentials.password())
            ),
        }
    }

    #[test]
    fn only_one_well_formed_header_says_something() {
        for (values, expected) in [
            (vec![], "none"),
            (vec!["Bearer cm9vdDpwdw=="], "none"),
            (vec!["Basics cm9vdDpwdw=="], "none"),
            (vec!["Basic-x cm9vdDpwdw=="], "none"),
            (vec!["Bearer a", "Bearer b"], "none"),
            (vec!["Basic cm9vdDpwdw=="], "root and pw"),
            (vec!["bAsIc   cm9vdDpwdw=="], "root and pw"),
            (vec!["Basic cm9vdDphOmI="], "root and a:b"),
            (vec!["Basic cm9vdDo="], "root and "),
            (vec!["Basic OnB3"], " and pw"),
            (vec!["Basic"], "unreadable"),
            (vec!["Basic "], "unreadable"),
            (vec!["Basic cm9vdA=="], "unreadable"),
            (vec!["Basic cm9vdDpwdw"], "unreadable"),
            (vec!["Basic cm9vdDpwdx=="], "unreadable"),
            (vec!["Basic cm9v dDpwdw=="], "unreadable"),
            (vec!["Basic,cm9vdDpwdw=="], "unreadable"),
            (vec!["Basic cm9vdDpwdw==, Basic cm9vdDpwdw=="], "unreadable"),
            (vec!["Basic cm9vdDpwdw==", "Basic cm9vdDpwdw=="], "unreadable"),
            (vec!["Bearer a", "Basic cm9vdDpwdw=="], "unreadable"),
        ] {
            assert_eq!(said(&values), expected, "{values:?}");
        }
    }

    #[test]
    fn the_application_gets_what_is_certainly_its_own() {
        for (values, kept) in [
            (vec!["Bearer a"], vec!["Bearer a"]),
            (vec!["Basic YXBwOnB3"], vec!["Basic YXBwOnB3"]),
            (vec!["Basic cm9vdDpwdw=="], vec![]),
            (vec!["Basic cm9vdDp3cm9uZw=="], vec![]),
            (vec!["Basic cm9vdDpwdw"], vec![]),
            (vec!["Basic"], vec![]),
            (vec!["Bearer a", "basic cm9vdDpwdw==", "Basic YXBwOnB3"], vec!["Bearer a", "Basic YXBwOnB3"]),
        ] {
            let mut map = headers(&values);
            conceal(&mut map, b"root");
            assert_eq!(map, headers(&kept), "{values:?}");
        }
    }
}
