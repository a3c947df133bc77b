//! Colours that can be read: each is weighed against what it stands on before a page wears it.

use std::fmt;

/// A colour of the sRGB space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

/// The colours of a brand, in the light and in the dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colours {
    accent: Colour,
    accent_dark: Colour,
    highlight: Option<Colour>,
}

/// Why colours can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColoursError {
    /// It is written otherwise.
    #[error("{0:?} is no colour; write it as six hexadecimal digits, such as #0c5c4c")]
    Unreadable(String),
    /// Text in it would be hard to read.
    #[error(
        "{colour} can't be read well on {ground}, the ground of pages in {mode} mode: their contrast is {found} to 1, \
         and text needs 4.5 to 1 (WCAG 2.2, 1.4.3); choose a {way} one"
    )]
    Faint {
        /// The colour.
        colour: Colour,
        /// What it stands on.
        ground: Colour,
        /// `light` or `dark`.
        mode: &'static str,
        /// How far they are apart.
        found: String,
        /// `darker` or `lighter`.
        way: &'static str,
    },
}

/// The grounds that pages have, as `site.css` names them `--paper`.
const PAPER: Colour = Colour { red: 0xf4, green: 0xf6, blue: 0xf2 };
const PAPER_DARK: Colour = Colour { red: 0x10, green: 0x16, blue: 0x14 };
const WHITE: Colour = Colour { red: 0xff, green: 0xff, blue: 0xff };
const INK: Colour = Colour { red: 0x10, green: 0x16, blue: 0x14 };
/// What WCAG 2.2 asks of text, 1.4.3.
const READABLE: f64 = 4.5;

impl Colour {
    /// Reads `#rrggbb`.
    ///
    /// # Errors
    /// [`ColoursError::Unreadable`] when it is written otherwise.
    pub fn parse(text: &str) -> Result<Self, ColoursError> {
        let unreadable = || ColoursError::Unreadable(text.to_owned());
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii());
        let part = |from: usize| {
            let part = digits.and_then(|digits| digits.get(from..from + 2)).ok_or_else(unreadable)?;
            // A sign would be read as part of a number.
            if part.starts_with(['+', '-']) {
                return Err(unreadable());
            }
            u8::from_str_radix(part, 16).map_err(|_| unreadable())
        };
        Ok(Self { red: part(0)?, green: part(2)?, blue: part(4)? })
    }

    /// How much light it gives, from 0 to 1: WCAG's relative luminance.
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }

    /// How well one can be read on the other, from 1 to 21: WCAG's contrast ratio.
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// White or nearly black, whichever is read better on it.
    fn text_on_it(self) -> Self {
        if self.contrast(WHITE) >= self.contrast(INK) { WHITE } else { INK }
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

impl Colours {
    /// `accent` is for links and buttons on light pages, `accent_dark` on dark ones; `highlight` for small marks that say
    /// nothing by themselves.
    ///
    /// # Errors
    /// [`ColoursError::Faint`] when text in one of them could hardly be read.
    pub fn new(accent: Colour, accent_dark: Colour, highlight: Option<Colour>) -> Result<Self, ColoursError> {
        for (colour, ground, mode, way) in
            [(accent, PAPER, "light", "darker"), (accent_dark, PAPER_DARK, "dark", "lighter")]
        {
            let found = colour.contrast(ground);
            if found < READABLE {
                // Never rounded up to what would be enough.
                let found = format!("{:.2}", (found * 100.0).floor() / 100.0);
                return Err(ColoursError::Faint { colour, ground, mode, found, way });
            }
        }
        Ok(Self { accent, accent_dark, highlight })
    }

    /// What overrides the sheet of all pages.
    pub(super) fn sheet(&self) -> String {
        let highlight = self.highlight.map(|colour| format!(" --hour: {colour};")).unwrap_or_default();
        let wear = |accent: Colour, ground: &str| {
            let on = accent.text_on_it();
            let tint = format!("color-mix(in srgb, {accent} 12%, {ground})");
            format!(":root {{ --accent: {accent}; --on-accent: {on}; --tint: {tint};{highlight} }}")
        };
        let (light, dark) = (wear(self.accent, "#fff"), wear(self.accent_dark, "#18201d"));
        format!("{light} @media (prefers-color-scheme: dark) {{ {dark} }}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn colour(text: &str) -> Colour {
        Colour::parse(text).unwrap()
    }

    #[test]
    fn a_colour_is_six_digits_and_nothing_else() {
        assert_eq!(colour("#0C5c4c").to_string(), "#0c5c4c");
        for wrong in ["", "0c5c4c", "#0c5c4", "#0c5c4c0", "#0c5cgg", "#+1+1+1", "#éé0", "red", "#fff;}"] {
            assert_eq!(Colour::parse(wrong), Err(ColoursError::Unreadable(wrong.to_owned())));
        }
    }

    #[test]
    fn contrast_is_as_the_guidelines_count_it() {
        let near = |found: f64, wanted: f64| assert!((found - wanted).abs() < 0.01, "{found} is not {wanted}");
        near(colour("#000000").contrast(WHITE), 21.0);
        near(WHITE.contrast(WHITE), 1.0);
        near(colour("#767676").contrast(WHITE), 4.54);
        assert_eq!(colour("#ffd400").text_on_it(), INK);
        assert_eq!(colour("#1b2a80").text_on_it(), WHITE);
    }

    #[test]
    fn what_can_hardly_be_read_is_refused_with_what_would_do() {
        let faint = Colours::new(colour("#ffd400"), colour("#ffd400"), None).unwrap_err();
        assert!(faint.to_string().contains("choose a darker one"), "{faint}");
        let faint = Colours::new(colour("#1b2a80"), colour("#1b2a80"), None).unwrap_err();
        assert!(faint.to_string().contains("dark mode") && faint.to_string().contains("lighter"), "{faint}");
        let sheet = Colours::new(colour("#1b2a80"), colour("#ffd400"), Some(colour("#ff00aa"))).unwrap().sheet();
        assert!(sheet.contains("--accent: #1b2a80; --on-accent: #ffffff;"), "{sheet}");
        assert!(sheet.contains("--accent: #ffd400; --on-accent: #101614;"), "{sheet}");
    }
}
