use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use crate::ProviderError;
use crate::payments::{Card, SavedCard};

/// A number that passes every check and is declined all the same, to rehearse that case.
const DECLINED: &str = "4000000000000002";

/// Checks a card as a card company would, without asking one.
pub(super) fn check(card: &Card, now: Timestamp) -> Result<SavedCard, ProviderError> {
    let number: String = card.number.expose_secret().chars().filter(|c| !matches!(c, ' ' | '-' | '\u{a0}')).collect();
    if !(12..=19).contains(&number.len()) || !number.bytes().all(|b| b.is_ascii_digit()) || !passes_luhn(&number) {
        return Err(declined("that is not a card number; check the digits"));
    }
    let expiry = parse_expiry(&card.expiry).ok_or_else(|| declined("write the expiry date as MM/YY"))?;
    let today = domain::Month::of(now);
    if expiry < today {
        return Err(declined("the card has expired"));
    }
    let cvc = card.cvc.expose_secret();
    if !(3..=4).contains(&cvc.len()) || !cvc.bytes().all(|b| b.is_ascii_digit()) {
        return Err(declined("the security code has three or four digits"));
    }
    if number == DECLINED {
        return Err(declined("the card company refused it; use another card"));
    }
    let text = expiry.to_string();
    Ok(SavedCard {
        brand: brand(&number).to_owned(),
        last4: number[number.len() - 4..].to_owned(),
        expiry: format!("{}/{}", &text[5..7], &text[2..4]),
    })
}

fn declined(why: &str) -> ProviderError {
    ProviderError::Declined(why.to_owned())
}

/// The check digit of ISO/IEC 7812-1, annex B.
fn passes_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .map(|b| u32::from(b - b'0'))
        .enumerate()
        .map(|(index, digit)| match index % 2 {
            0 => digit,
            _ if digit > 4 => digit * 2 - 9,
            _ => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

fn parse_expiry(raw: &str) -> Option<domain::Month> {
    let (month, year) = raw.trim().split_once('/')?;
    let year = match year.trim() {
        short if short.len() == 2 => format!("20{short}"),
        long => long.to_owned(),
    };
    domain::Month::parse(&format!("{year}-{:0>2}", month.trim())).ok()
}

fn brand(number: &str) -> &'static str {
    let prefix = |digits: usize| number[..digits].parse::<u32>().unwrap_or(0);
    match number.as_bytes().first() {
        Some(b'4') => "Visa",
        Some(b'5') if (51..=55).contains(&prefix(2)) => "Mastercard",
        Some(b'2') if (2221..=2720).contains(&prefix(4)) => "Mastercard",
        Some(b'3') if matches!(prefix(2), 34 | 37) => "American Express",
        _ => "Card",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn card(number: &str, expiry: &str, cvc: &str) -> Card {
        Card { number: number.into(), expiry: expiry.to_owned(), cvc: cvc.into() }
    }

    fn now() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_card_that_passes_is_known_by_its_last_four_digits_only() {
        let saved = check(&card("4242 4242 4242 4242", "1/30", "123"), now()).unwrap();
        assert_eq!(saved, SavedCard { brand: "Visa".into(), last4: "4242".into(), expiry: "01/30".into() });
        assert!(check(&card("5555555555554444", "11/26", "123"), now()).is_ok(), "valid to the end of its month");
    }

    #[test]
    fn each_refusal_says_what_is_wrong() {
        for (number, expiry, cvc, word) in [
            ("4242424242424241", "12/30", "123", "digits"),
            ("4242", "12/30", "123", "digits"),
            ("4242x4242y4242z42", "12/30", "123", "digits"),
            ("4242424242424242", "10/26", "123", "expired"),
            ("4242424242424242", "1330", "123", "MM/YY"),
            ("4242424242424242", "13/30", "123", "MM/YY"),
            ("4242424242424242", "12/30", "12", "security code"),
            ("4000000000000002", "12/30", "123", "refused"),
        ] {
            let error = check(&card(number, expiry, cvc), now()).unwrap_err().to_string();
            assert!(error.contains(word), "{number} {expiry} {cvc}: {error}");
            assert!(!error.contains("4242"), "a card number leaked: {error}");
        }
    }
}
