/// An e-mail address that may be written to and compared.
///
/// ASCII letters are lower-cased; nothing else is folded or repaired. Plus tags and dots stay
/// distinct, and a look-alike letter from another script is another address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

/// Why a text is not an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Nothing was given.
    #[error("enter an e-mail address")]
    Empty,
    /// Longer than the 254 bytes that SMTP can carry (RFC 5321, 4.5.3.1.3).
    #[error("an e-mail address has at most 254 characters")]
    TooLong,
    /// Not of the form `name@domain`.
    #[error("{0:?} is not an e-mail address: it should look like name@example.com")]
    Malformed(String),
}

impl Email {
    /// Reads an address strictly: no surrounding space, no comments, no quoted local part.
    ///
    /// # Errors
    /// [`EmailError`] says what is wrong, in words for the person who typed it.
    pub fn parse(raw: &str) -> Result<Self, EmailError> {
        if raw.is_empty() {
            return Err(EmailError::Empty);
        }
        if raw.len() > 254 {
            return Err(EmailError::TooLong);
        }
        let malformed = || EmailError::Malformed(raw.to_owned());
        let (local, domain) = raw.rsplit_once('@').ok_or_else(malformed)?;
        if !is_local_part(local) || !is_domain(domain) {
            return Err(malformed());
        }
        Ok(Self(raw.to_ascii_lowercase()))
    }

    /// The address as compared and stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands after the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

fn is_local_part(local: &str) -> bool {
    let allowed = |c: char| {
        c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c) || (!c.is_ascii() && c.is_alphanumeric())
    };
    !local.is_empty()
        && local.len() <= 64
        && local.chars().all(allowed)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
}

fn is_domain(domain: &str) -> bool {
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    // A single label is accepted: `operator@localhost` is how one machine names its operator.
    !domain.is_empty() && domain.len() <= 253 && domain.split('.').all(label)
}

crate::text::name!(Email, EmailError);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_ascii_letters_are_folded() {
        assert_eq!(Email::parse("Ada@Example.COM").unwrap().as_str(), "ada@example.com");
        let kelvin = Email::parse("\u{212A}im@example.com").unwrap();
        assert_ne!(kelvin, Email::parse("kim@example.com").unwrap());
        assert_ne!(Email::parse("a.b@example.com").unwrap(), Email::parse("ab@example.com").unwrap());
        assert_ne!(Email::parse("a+x@example.com").unwrap(), Email::parse("a@example.com").unwrap());
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for bad in [
            "",
            " a@b.c",
            "a@b.c ",
            "a@",
            "@b.c",
            "a b@c.d",
            "a@b@c.d",
            "a..b@c.d",
            "a@-b.c",
            "a@b..c",
            "a@b.c\n",
            "a\0@b.c",
            "\"a\"@b.c",
            "a@b.c\r\nBcc: x@y.z",
        ] {
            assert!(Email::parse(bad).is_err(), "{bad:?} was accepted");
        }
        assert!(Email::parse(&format!("{}@b.c", "a".repeat(260))).is_err());
    }
}
