use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use crate::payments::{Card, CardProblems, SavedCard};

/// A number that passes every check and is declined all the same, to rehearse that case.
const DECLINED: &str = "4000000000000002";

/// Checks a card as a card company would, without asking one.
pub(super) fn check(card: &Card, now: Timestamp) -> Result<SavedCard, CardProblems> {
    let number = digits_of(card);
    let expiry = parse_expiry(&card.expiry);
    let problems = CardProblems {
        number: match number.as_deref() {
            None => Some("That is not a card number; check the digits"),
            Some(DECLINED) => Some("The card company refused this card; use another one"),
            Some(_) => None,
        },
        expiry: match expiry {
            None => Some("Write the expiry date as MM/YY"),
            Some(month) if month < domain::Month::of(now) => Some("The card has expired"),
            Some(_) => None,
        },
        cvc: (!is_security_code(card.cvc.expose_secret())).then_some("The security code has three or four digits"),
    };
    match (number, expiry) {
        (Some(number), Some(expiry)) if problems == CardProblems::default() => {
            let text = expiry.to_string();
            Ok(SavedCard {
                brand: brand(&number).to_owned(),
                last4: number[number.len() - 4..].to_owned(),
                expiry: format!("{}/{}", &text[5..7], &text[2..4]),
            })
        }
        _ => Err(problems),
    }
}

/// The digits of a plausible number, without the blanks that people put between them.
fn digits_of(card: &Card) -> Option<String> {
    let number: String = card.number.expose_secret().chars().filter(|c| !matches!(c, ' ' | '-' | '\u{a0}')).collect();
    let plausible =
        (12..=19).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit()) && passes_luhn(&number);
    plausible.then_some(number)
}

fn is_security_code(code: &str) -> bool {
    (3..=4).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit())
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
    fn everything_that_is_wrong_is_said_at_once_beside_its_field() {
        let problems = check(&card("4242424242424241", "10/26", "12"), now()).unwrap_err();
        assert!(problems.number.is_some() && problems.expiry.is_some() && problems.cvc.is_some(), "{problems:?}");
        type Field = fn(&CardProblems) -> Option<&'static str>;
        let (number, expiry, cvc): (Field, Field, Field) = (|p| p.number, |p| p.expiry, |p| p.cvc);
        for (given, field, word) in [
            (card("4242", "12/30", "123"), number, "digits"),
            (card("4242x4242y4242z42", "12/30", "123"), number, "digits"),
            (card("4000000000000002", "12/30", "123"), number, "refused"),
            (card("4242424242424242", "10/26", "123"), expiry, "expired"),
            (card("4242424242424242", "1330", "123"), expiry, "MM/YY"),
            (card("4242424242424242", "13/30", "123"), expiry, "MM/YY"),
            (card("4242424242424242", "12/30", "12"), cvc, "security code"),
        ] {
            let problems = check(&given, now()).unwrap_err();
            assert!(field(&problems).is_some_and(|said| said.contains(word)), "{word}: {problems:?}");
        }
    }
}
