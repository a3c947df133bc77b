//! What tells a guard that a member list comes from the main instance, before any of it is read.
//!
//! A list proves itself by its signature; this proves that it is worth reading. It follows from the
//! instance's token, which both know, and is no token itself: whoever learns it can push what is then
//! not believed.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign, verify};

const PURPOSE: &[u8] = b"spinoff: push of member lists";

/// The proof, as hexadecimal digits.
#[must_use]
pub fn proof(instance_token: &str) -> String {
    hex::encode(sign(&key(instance_token), PURPOSE))
}

/// Whether this is the proof, told in a time that gives nothing away.
#[must_use]
pub fn is_proof(text: &[u8], instance_token: &str) -> bool {
    hex::decode(text).is_ok_and(|tag| verify(&key(instance_token), PURPOSE, &tag).is_ok())
}

fn key(instance_token: &str) -> Key {
    Key::new(HMAC_SHA256, instance_token.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_the_token_can_say_the_proof() {
        let good = proof("s3cret");
        assert!(is_proof(good.as_bytes(), "s3cret"));
        for bad in ["", "s3cret", &good[..62], &proof("other"), &format!("{good}00"), &"0".repeat(64)] {
            assert!(!is_proof(bad.as_bytes(), "s3cret"), "{bad}");
        }
    }
}
