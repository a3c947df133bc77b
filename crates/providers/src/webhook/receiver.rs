//! Messages that others send to us.

use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use secrecy::SecretString;

use super::{WebhookError, key_of};
use crate::payments::NotGenuine;

/// So many seconds a signature may be old, or ahead of our clock.
const TOLERANCE: u64 = 300;

/// Knows which messages are genuine.
#[derive(Clone)]
pub struct Receiver {
    keys: Arc<[hmac::Key]>,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

/// What the headers of a message say: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The sender's name for the message.
    pub id: &'a str,
    /// When it was signed, in seconds.
    pub timestamp: &'a str,
    /// `v1,<base64>`, several apart by spaces.
    pub signature: &'a str,
}

impl Receiver {
    /// Takes what is signed with any of these secrets: several hold while one is rolled.
    ///
    /// # Errors
    /// [`WebhookError::Secret`] when one is of another form.
    pub fn new(secrets: &[SecretString]) -> Result<Self, WebhookError> {
        Ok(Self { keys: secrets.iter().map(key_of).collect::<Result<_, _>>()? })
    }

    /// Judges a message by its headers and its bytes as they came.
    ///
    /// # Errors
    /// [`NotGenuine`] says what is wrong with it.
    pub fn check(&self, signed: Signed<'_>, body: &[u8], now: Timestamp) -> Result<(), NotGenuine> {
        let Signed { id, timestamp, signature } = signed;
        let seconds: i64 = timestamp
            .parse()
            .map_err(|_| NotGenuine("the header webhook-timestamp does not say when it was signed".to_owned()))?;
        let proofs = signature.split(' ').filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
        let proofs: Vec<Vec<u8>> = proofs.collect();
        let message = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
        // In constant time, and before the age is looked at, so that only the sender learns of our clock.
        let fits = |key: &hmac::Key| proofs.iter().any(|proof| hmac::verify(key, &message, proof).is_ok());
        if id.is_empty() || !self.keys.iter().any(fits) {
            return Err(NotGenuine("the signature fits none of the webhook secrets".to_owned()));
        }
        let difference = now.as_second().saturating_sub(seconds).unsigned_abs();
        if difference > TOLERANCE {
            return Err(NotGenuine(format!("it was signed {difference} s from now, and {TOLERANCE} s are allowed")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SECRETS: [&str; 2] =
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="];
    // The worked example of the specification.
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: &str = "1614265330";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const PROOF: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn judged(signed: Signed<'_>, body: &[u8], later: i64) -> Result<(), String> {
        let receiver = Receiver::new(&SECRETS.map(SecretString::from)).unwrap();
        let now = Timestamp::from_second(1_614_265_330 + later).unwrap();
        receiver.check(signed, body, now).map_err(|error| error.to_string())
    }

    #[test]
    fn the_specifications_own_example_is_genuine_for_five_minutes_on_either_side() {
        let signed = Signed { id: ID, timestamp: AT, signature: PROOF };
        for later in [0, 300, -300] {
            assert_eq!(judged(signed, BODY, later), Ok(()), "{later}");
        }
        let several = format!("v1a,xyz v1,AAAA {PROOF}");
        assert_eq!(judged(Signed { signature: &several, ..signed }, BODY, 0), Ok(()));
        let old = judged(signed, BODY, 301).unwrap_err();
        assert_eq!(old, "it was signed 301 s from now, and 300 s are allowed");
    }

    #[test]
    fn another_id_time_or_body_is_not() {
        let signed = Signed { id: ID, timestamp: AT, signature: PROOF };
        let no = Err("the signature fits none of the webhook secrets".to_owned());
        assert_eq!(judged(Signed { id: "msg_other", ..signed }, BODY, 0), no);
        assert_eq!(judged(Signed { timestamp: "1614265331", ..signed }, BODY, 0), no);
        assert_eq!(judged(signed, b"{}", 0), no);
        assert_eq!(judged(Signed { signature: "", ..signed }, BODY, 0), no);
        assert!(judged(Signed { timestamp: "", ..signed }, BODY, 0).is_err());
        assert!(Receiver::new(&["short".into()]).is_err());
    }
}
