//! Whether a webhook really comes from Stripe, and is of now.

use aws_lc_rs::hmac;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::NotGenuine;

/// So many seconds a signature may be old, or ahead of our clock.
const TOLERANCE: u64 = 300;

/// Checks the header `Stripe-Signature`: `t=<seconds>,v1=<hex>`, with further `v1` while a secret is
/// rolled and a `v0` that is no proof of anything.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn check(secrets: &[SecretString], header: &str, body: &[u8], now: Timestamp) -> Result<(), NotGenuine> {
    if secrets.is_empty() {
        return Err(NotGenuine("no webhook secret is set, so that no signature can be checked".to_owned()));
    }
    let fields: Vec<(&str, &str)> = header.split(',').filter_map(|field| field.trim().split_once('=')).collect();
    let mut times = fields.iter().filter(|(name, _)| *name == "t").map(|(_, value)| *value);
    let (Some(at), None) = (times.next(), times.next()) else {
        return Err(NotGenuine("the header Stripe-Signature does not say once when it was signed".to_owned()));
    };
    let seconds: i64 =
        at.parse().map_err(|_| NotGenuine(format!("the signature's time {at:?} is not a number of seconds")))?;
    let signatures: Vec<Vec<u8>> =
        fields.iter().filter(|(name, _)| *name == "v1").filter_map(|(_, value)| hex::decode(value).ok()).collect();
    if signatures.is_empty() {
        return Err(NotGenuine("the header Stripe-Signature has no signature of the kind v1".to_owned()));
    }
    let message = [at.as_bytes(), b".", body].concat();
    // In constant time, and before the age is looked at, so that only Stripe learns of our clock.
    let fits = |secret: &SecretString| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        signatures.iter().any(|signature| hmac::verify(&key, &message, signature).is_ok())
    };
    if !secrets.iter().any(fits) {
        return Err(NotGenuine("the signature fits none of the webhook secrets".to_owned()));
    }
    let difference = now.as_second().saturating_sub(seconds);
    if difference.unsigned_abs() > TOLERANCE {
        let side = if difference > 0 { "ago" } else { "ahead" };
        return Err(NotGenuine(format!(
            "it was signed {} s {side}, and {TOLERANCE} s are allowed",
            difference.unsigned_abs()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;
    const SIGNED: i64 = 1_795_554_000;
    const V1: &str = "d4ace46983feba4c6588c72687b3f3f1c26fce836c8d830f835f943c0e20e572";

    fn checked(secrets: &[&str], header: &str, body: &[u8], later: i64) -> Result<(), String> {
        let secrets: Vec<_> = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
        let now = Timestamp::from_second(SIGNED + later).unwrap();
        check(&secrets, header, body, now).map_err(|error| error.to_string())
    }

    #[test]
    fn the_known_signature_fits_for_five_minutes_on_either_side() {
        let header = format!("t={SIGNED},v1={V1}");
        for later in [0, 300, -300] {
            assert_eq!(checked(&["whsec_test"], &header, BODY, later), Ok(()), "{later}");
        }
        let old = checked(&["whsec_test"], &header, BODY, 301).unwrap_err();
        assert_eq!(old, "it was signed 301 s ago, and 300 s are allowed");
        let ahead = checked(&["whsec_test"], &header, BODY, -301).unwrap_err();
        assert_eq!(ahead, "it was signed 301 s ahead, and 300 s are allowed");
    }

    #[test]
    fn any_signature_and_any_secret_will_do_while_one_is_rolled() {
        let zeros = "0".repeat(64);
        let header = format!("t={SIGNED},v1={zeros},v1={V1},v0={zeros}");
        assert_eq!(checked(&["whsec_new", "whsec_test"], &header, BODY, 0), Ok(()));
    }

    #[test]
    fn another_secret_body_or_time_fits_nothing() {
        let header = format!("t={SIGNED},v1={V1}");
        let no = Err("the signature fits none of the webhook secrets".to_owned());
        assert_eq!(checked(&["whsec_other"], &header, BODY, 0), no);
        assert_eq!(checked(&["whsec_test"], &header, br#"{"id":"evt_2"}"#, 0), no);
        assert_eq!(checked(&["whsec_test"], &format!("t={},v1={V1}", SIGNED + 1), BODY, 0), no);
        assert_eq!(checked(&["whsec_test"], &format!("t={SIGNED},v1={}", &V1[..62]), BODY, 0), no);
    }

    #[test]
    fn a_header_that_says_too_little_is_refused_in_words() {
        for header in ["", "v1=00", &format!("t={SIGNED},t={SIGNED},v1={V1}")] {
            let why = checked(&["whsec_test"], header, BODY, 0).unwrap_err();
            assert_eq!(why, "the header Stripe-Signature does not say once when it was signed");
        }
        let why = checked(&["whsec_test"], "t=soon,v1=00", BODY, 0).unwrap_err();
        assert_eq!(why, "the signature's time \"soon\" is not a number of seconds");
        let why = checked(&["whsec_test"], &format!("t={SIGNED},v0={V1},v1=xyz"), BODY, 0).unwrap_err();
        assert_eq!(why, "the header Stripe-Signature has no signature of the kind v1");
        assert!(checked(&[], "", BODY, 0).unwrap_err().starts_with("no webhook secret is set"));
    }
}
