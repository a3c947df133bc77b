use crate::Country;

/// Fewer or more characters are in no country's numbers.
const LENGTHS: std::ops::RangeInclusive<usize> = 4..=30;

/// How VAT numbers look: the country, the letters before, and what may follow. `9` is a digit, `A` a letter, `*` either;
/// any other letter is itself.
const VAT_NUMBERS: [(&str, &str, &[&str]); 29] = [
    ("AT", "AT", &["U99999999"]),
    ("BE", "BE", &["9999999999"]),
    ("BG", "BG", &["999999999", "9999999999"]),
    ("CY", "CY", &["99999999A"]),
    ("CZ", "CZ", &["99999999", "999999999", "9999999999"]),
    ("DE", "DE", &["999999999"]),
    ("DK", "DK", &["99999999"]),
    ("EE", "EE", &["999999999"]),
    ("ES", "ES", &["*9999999*"]),
    ("FI", "FI", &["99999999"]),
    ("FR", "FR", &["**999999999"]),
    ("GB", "GB", &["999999999", "999999999999"]),
    ("GB", "XI", &["999999999", "999999999999"]),
    ("GR", "EL", &["999999999"]),
    ("HR", "HR", &["99999999999"]),
    ("HU", "HU", &["99999999"]),
    ("IE", "IE", &["9*99999A", "9999999AA"]),
    ("IT", "IT", &["99999999999"]),
    ("LT", "LT", &["999999999", "999999999999"]),
    ("LU", "LU", &["99999999"]),
    ("LV", "LV", &["99999999999"]),
    ("MT", "MT", &["99999999"]),
    ("NL", "NL", &["999999999B99"]),
    ("PL", "PL", &["9999999999"]),
    ("PT", "PT", &["999999999"]),
    ("RO", "RO", &["99", "999", "9999", "99999", "999999", "9999999", "99999999", "999999999", "9999999999"]),
    ("SE", "SE", &["999999999999"]),
    ("SI", "SI", &["99999999"]),
    ("SK", "SK", &["9999999999"]),
];

/// A number under which a tax office knows somebody: a VAT number, or another. Only its form was looked at; whether it
/// was ever given to anybody, only the tax office can say.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TaxId(String);

/// Why a text can't be a tax id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaxIdError {
    /// It has no digit, or characters that are in no such number, or is too short or too long.
    #[error("{0:?} is no tax id: it has 4 to 30 letters and digits, with spaces, points, hyphens and slashes at most")]
    Malformed(String),
    /// It begins like a VAT number of the country and goes on differently.
    #[error("{given:?} is no VAT number of {}: it should look like {example}", country.name())]
    NotOfCountry {
        /// What was given.
        given: String,
        /// Whose letters it begins with.
        country: Country,
        /// The form that was missed; nines stand for digits, stars for digits or letters.
        example: String,
    },
}

impl TaxId {
    /// Reads a number. Letters become capitals; a VAT number loses what is between its parts.
    ///
    /// # Errors
    /// [`TaxIdError::Malformed`] for what is no country's number.
    pub fn parse(raw: &str) -> Result<Self, TaxIdError> {
        let text = raw.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_uppercase();
        let allowed = |c: char| c.is_ascii_alphanumeric() || " .-/".contains(c);
        let compact = compact(&text);
        let has_digit = compact.bytes().any(|c| c.is_ascii_digit());
        if !text.chars().all(allowed)
            || !LENGTHS.contains(&text.len())
            || compact.len() < *LENGTHS.start()
            || !has_digit
        {
            return Err(TaxIdError::Malformed(raw.to_owned()));
        }
        let is_vat = VAT_NUMBERS.iter().any(|(_, prefix, forms)| has_form(&compact, prefix, forms));
        Ok(Self(if is_vat { compact } else { text }))
    }

    /// Refuses what begins like a VAT number of a country and is none.
    ///
    /// # Errors
    /// [`TaxIdError::NotOfCountry`], with the form that it should have.
    pub fn fits(&self, country: Country) -> Result<(), TaxIdError> {
        if self.counts_in(country) {
            return Ok(());
        }
        let begun = vat_numbers_of(country).find(|(_, prefix, _)| self.0.starts_with(prefix));
        let Some((_, prefix, forms)) = begun else { return Ok(()) };
        let example = forms.iter().map(|form| format!("{prefix}{form}")).next_back().unwrap_or_default();
        Err(TaxIdError::NotOfCountry { given: self.0.clone(), country, example })
    }

    /// Whether it has the form of that country's VAT numbers; where that form is not known, any number will do.
    pub fn counts_in(&self, country: Country) -> bool {
        let mut known = vat_numbers_of(country).peekable();
        known.peek().is_none() || known.any(|(_, prefix, forms)| has_form(&self.0, prefix, forms))
    }

    /// As it stands on invoices.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn vat_numbers_of(
    country: Country,
) -> impl Iterator<Item = &'static (&'static str, &'static str, &'static [&'static str])> {
    VAT_NUMBERS.iter().filter(move |(code, _, _)| *code == country.code())
}

fn compact(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn has_form(compact: &str, prefix: &str, forms: &[&str]) -> bool {
    let matches = |rest: &str, form: &&str| {
        rest.len() == form.len() && rest.bytes().zip(form.bytes()).all(|(given, wanted)| is_like(given, wanted))
    };
    compact.strip_prefix(prefix).is_some_and(|rest| forms.iter().any(|form| matches(rest, form)))
}

const fn is_like(given: u8, wanted: u8) -> bool {
    match wanted {
        b'9' => given.is_ascii_digit(),
        b'A' => given.is_ascii_uppercase(),
        b'*' => given.is_ascii_digit() || given.is_ascii_uppercase(),
        letter => given == letter,
    }
}

crate::text::name!(TaxId, TaxIdError);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn country(code: &str) -> Country {
        Country::parse(code).unwrap()
    }

    #[test]
    fn a_vat_number_is_kept_in_one_form() {
        for (raw, kept, of) in [
            ("de 123 456 789", "DE123456789", "DE"),
            ("ATU12345678", "ATU12345678", "AT"),
            ("EL-123456789", "EL123456789", "GR"),
            ("nl123456789b01", "NL123456789B01", "NL"),
            ("FR AB 123456789", "FRAB123456789", "FR"),
            ("IE1X23456Z", "IE1X23456Z", "IE"),
            ("XI123456789", "XI123456789", "GB"),
        ] {
            let id = TaxId::parse(raw).unwrap();
            assert_eq!(id.as_str(), kept);
            assert!(id.counts_in(country(of)) && id.fits(country(of)).is_ok(), "{raw}");
            assert!(!id.counts_in(country("SE")), "{raw}");
        }
    }

    #[test]
    fn other_numbers_stay_as_they_are_and_are_no_vat_numbers() {
        let other = TaxId::parse(" 12/345/67890 ").unwrap();
        assert_eq!(other.as_str(), "12/345/67890");
        assert!(!other.counts_in(country("DE")) && other.fits(country("DE")).is_ok());
        assert!(TaxId::parse("CHE-123.456.789").unwrap().counts_in(country("CH")), "the form is not known");
        assert_eq!(serde_json::from_str::<TaxId>("\"12-3456789\"").unwrap().as_str(), "12-3456789");
    }

    #[test]
    fn what_begins_like_a_vat_number_and_is_none_is_told_how_it_should_look() {
        let short = TaxId::parse("DE12345").unwrap();
        let refused = short.fits(country("DE")).unwrap_err().to_string();
        assert_eq!(refused, "\"DE12345\" is no VAT number of Germany: it should look like DE999999999");
        assert!(short.fits(country("FR")).is_ok(), "it is not theirs to judge");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for wrong in ["", "123", "none", "DE123456789; drop", "№ 12345", "a\u{0}1234", "....", &"1".repeat(31)] {
            assert!(matches!(TaxId::parse(wrong), Err(TaxIdError::Malformed(_))), "{wrong}");
        }
    }
}
