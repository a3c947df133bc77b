//! Amounts as people type them.

use domain::Cents;

/// Reads `17`, `17.5` or `17.50` as so many hundredths. No sign, no currency, no separators of thousands.
pub fn amount(text: &str) -> Result<Cents, String> {
    let wrong = || format!("{text:?} is no amount: write it like 17.00");
    let (whole, part) = text.split_once('.').unwrap_or((text, "00"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 2 {
        return Err(wrong());
    }
    let hundredths: i64 = format!("{part:0<2}").parse().map_err(|_| wrong())?;
    let whole: i64 = whole.parse().map_err(|_| wrong())?;
    let cents = whole.checked_mul(100).and_then(|cents| cents.checked_add(hundredths));
    cents.map(Cents::new).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_or_refused() {
        for (text, cents) in [("17", 1700), ("17.5", 1750), ("17.05", 1705), ("0.01", 1), ("007.10", 710)] {
            assert_eq!(amount(text), Ok(Cents::new(cents)), "{text}");
        }
        for wrong in ["", ".", "17.", ".5", "-1", "+1", "1,00", "1.005", "$5", "1e3", "92233720368547758.08", "١٧"] {
            assert!(amount(wrong).is_err(), "{wrong}");
        }
    }
}
