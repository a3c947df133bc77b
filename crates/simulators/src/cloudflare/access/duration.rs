use jiff::SignedDuration;

use super::super::envelope::Refusal;

/// Reads `12h`, `30m` or `1h30m`: hours, minutes and seconds.
pub(super) fn parse(text: &str) -> Option<SignedDuration> {
    let (mut total, mut rest) = (0_i64, text);
    while !rest.is_empty() {
        let digits = rest.find(|sign: char| !sign.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(digits)?;
        let unit = match after.chars().next()? {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        total = number.parse::<i64>().ok()?.checked_mul(unit)?.checked_add(total)?;
        rest = after.get(1..)?;
    }
    (!text.is_empty()).then(|| SignedDuration::from_secs(total))
}

/// Refuses a length of time that can't be read.
pub(super) fn check(text: Option<&String>, field: &str) -> Result<(), Refusal> {
    match text {
        Some(text) if parse(text).is_none() => Err(Refusal::access(format!("{field} is no duration"))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_minutes_and_seconds_add_up_and_anything_else_is_none() {
        assert_eq!(parse("1h30m"), Some(SignedDuration::from_mins(90)));
        assert_eq!(parse("730h"), Some(SignedDuration::from_hours(730)));
        for text in ["", "12", "h", "12 h", "1d", "-1h"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
