/// What a customer types to have a coupon: 3 to 32 letters, digits and hyphens. Case does not matter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CouponCode(String);

/// A text that can't be a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no coupon code: it has 3 to 32 letters, digits and hyphens, such as LAUNCH-20")]
pub struct CouponCodeError(pub String);

impl CouponCode {
    /// Reads a code; letters become capitals.
    ///
    /// # Errors
    /// [`CouponCodeError`] for what can't be one.
    pub fn parse(raw: &str) -> Result<Self, CouponCodeError> {
        let code = raw.trim().to_ascii_uppercase();
        let allowed = |c: u8| c.is_ascii_alphanumeric() || c == b'-';
        let fits = (3..=32).contains(&code.len()) && code.bytes().all(allowed);
        let bare = code.starts_with('-') || code.ends_with('-');
        if fits && !bare { Ok(Self(code)) } else { Err(CouponCodeError(raw.to_owned())) }
    }

    /// In capitals.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

crate::text::name!(CouponCode, CouponCodeError);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        assert_eq!(CouponCode::parse(" launch-20 ").unwrap(), CouponCode::parse("LAUNCH-20").unwrap());
        for wrong in ["", "AB", "-AB", "AB-", "A B C", "ÄBC", "a/b/c", &"A".repeat(33)] {
            assert!(CouponCode::parse(wrong).is_err(), "{wrong}");
        }
    }
}
