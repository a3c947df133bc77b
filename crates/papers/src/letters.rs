//! Text as glyphs, measured by the same shaping that draws it.

use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::{Direction, Face, UnicodeBuffer};

use crate::PaperError;

/// What stands for a letter that the face lacks.
const MISSING: char = '□';

/// How text looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub size: f32,
    pub weight: Weight,
    pub ink: Ink,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    Bold,
}

/// The colours of the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Full,
    Soft,
    Accent,
    Line,
    Tint,
}

/// A piece of one line, ready to be drawn.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub text: String,
    pub style: Style,
    pub glyphs: Vec<KrillaGlyph>,
    pub width: f32,
}

/// The two faces that papers are written in.
pub(crate) struct Letters {
    regular: Cut,
    bold: Cut,
}

struct Cut {
    shaping: Face<'static>,
    drawing: Font,
    units_per_em: f32,
}

impl Style {
    pub const fn new(size: f32, weight: Weight, ink: Ink) -> Self {
        Self { size, weight, ink }
    }

    /// From one baseline to the next.
    pub const fn leading(self) -> f32 {
        self.size * 1.42
    }
}

impl Letters {
    pub fn new() -> Result<Self, PaperError> {
        Ok(Self { regular: Cut::new(notosans::REGULAR_TTF)?, bold: Cut::new(notosans::BOLD_TTF)? })
    }

    pub fn font(&self, weight: Weight) -> Font {
        self.cut(weight).drawing.clone()
    }

    /// Whether every letter of a text can be drawn.
    pub fn know(&self, text: &str) -> bool {
        text.chars().filter(|c| !is_invisible(*c)).all(|c| c.is_whitespace() || c.is_control() || self.knows(c))
    }

    /// The text on one line, however long it is.
    pub fn run(&self, text: &str, style: Style) -> Run {
        self.shaped(&self.printable(text), style)
    }

    /// The text on as many lines as it needs; a word that is too long for one is cut. At least one line.
    pub fn wrap(&self, text: &str, style: Style, width: f32) -> Vec<Run> {
        let text = self.printable(text);
        let space = self.shaped(" ", style).width;
        let mut lines: Vec<String> = Vec::new();
        let mut filled = f32::INFINITY;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            for piece in self.pieces(word, style, width) {
                let wide = self.shaped(piece, style).width;
                let begins_word = piece.as_ptr() == word.as_ptr();
                match lines.last_mut() {
                    Some(line) if begins_word && filled + space + wide <= width => {
                        line.push(' ');
                        line.push_str(piece);
                        filled += space + wide;
                    }
                    _ => {
                        lines.push(piece.to_owned());
                        filled = wide;
                    }
                }
            }
        }
        if lines.is_empty() {
            lines.push(String::new());
        }
        lines.into_iter().map(|line| self.shaped(&line, style)).collect()
    }

    /// A word in parts of which each fits, cut between letters and never before a mark that belongs to one.
    fn pieces<'a>(&self, word: &'a str, style: Style, width: f32) -> Vec<&'a str> {
        let (mut pieces, mut begun, mut filled) = (Vec::new(), 0, 0.0);
        for glyph in self.shaped(word, style).glyphs {
            let (at, wide) = (glyph.text_range.start, glyph.x_advance * style.size);
            if filled + wide > width && at > begun {
                pieces.extend(word.get(begun..at));
                (begun, filled) = (at, 0.0);
            }
            filled += wide;
        }
        pieces.extend(word.get(begun..));
        pieces
    }

    /// The text without what can't be seen, on one line, with a sign for every letter that is missing.
    fn printable(&self, text: &str) -> String {
        let visible = text.chars().filter(|c| !is_invisible(*c));
        let letters = visible.map(|c| match c {
            c if c.is_whitespace() || c.is_control() => ' ',
            c if self.knows(c) => c,
            _ => MISSING,
        });
        letters.collect()
    }

    /// Both faces are cut from the same set of letters.
    fn knows(&self, c: char) -> bool {
        let own_meaning = matches!(c, '\u{e000}'..='\u{f8ff}');
        let drawn = |cut: &Cut| cut.shaping.glyph_index(c).is_some_and(|glyph| glyph.0 != 0);
        !own_meaning && drawn(&self.regular) && drawn(&self.bold)
    }

    fn shaped(&self, text: &str, style: Style) -> Run {
        let cut = self.cut(style.weight);
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.guess_segment_properties();
        buffer.set_direction(Direction::LeftToRight);
        let shaped = rustybuzz::shape(&cut.shaping, &[], buffer);
        let em = |units: i32| units as f32 / cut.units_per_em;
        let mut glyphs = Vec::with_capacity(shaped.len());
        // A glyph's text reaches to where the next letter's begins; glyphs of one letter share its text.
        let (mut end, mut next) = (text.len(), text.len());
        for (info, place) in shaped.glyph_infos().iter().zip(shaped.glyph_positions()).rev() {
            let start = info.cluster as usize;
            if start != next {
                (end, next) = (next, start);
            }
            let (advance, x, y) = (em(place.x_advance), em(place.x_offset), em(place.y_offset));
            let glyph = GlyphId::new(info.glyph_id);
            glyphs.push(KrillaGlyph::new(glyph, advance, x, y, em(place.y_advance), start..end, None));
        }
        glyphs.reverse();
        let width = glyphs.iter().map(|glyph| glyph.x_advance).sum::<f32>() * style.size;
        Run { text: text.to_owned(), style, glyphs, width }
    }

    const fn cut(&self, weight: Weight) -> &Cut {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }
}

impl Cut {
    fn new(bytes: &'static [u8]) -> Result<Self, PaperError> {
        let shaping = Face::from_slice(bytes, 0).ok_or(PaperError::Face)?;
        let drawing = Font::new(bytes.into(), 0).ok_or(PaperError::Face)?;
        let units_per_em = drawing.units_per_em();
        Ok(Self { shaping, drawing, units_per_em })
    }
}

/// Marks that are no letters: those that turn the text around them, join letters, choose between pictures of them, or
/// mean nothing.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
            | '\u{fffe}'..='\u{ffff}' | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const STYLE: Style = Style::new(10.0, Weight::Regular, Ink::Full);

    fn texts(lines: &[Run]) -> Vec<&str> {
        lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn lines_are_broken_between_words_and_none_is_wider_than_asked() {
        let letters = Letters::new().unwrap();
        let lines = letters.wrap("Usage hours, 1 Nov 2026 to 30 Nov 2026", STYLE, 80.0);
        assert!(lines.len() > 1 && lines.iter().all(|line| line.width <= 80.0), "{:?}", texts(&lines));
        assert_eq!(texts(&lines).join(" "), "Usage hours, 1 Nov 2026 to 30 Nov 2026");
    }

    #[test]
    fn a_word_longer_than_a_line_is_cut_and_nothing_of_it_is_lost() {
        let letters = Letters::new().unwrap();
        let long = "Donaudampfschifffahrtsgesellschaft".repeat(5);
        let lines = letters.wrap(&format!("An {long} in Wien"), STYLE, 60.0);
        assert!(lines.iter().all(|line| line.width <= 60.5), "{:?}", texts(&lines));
        assert_eq!(texts(&lines).concat().replace(' ', ""), format!("An{long}inWien"));
        assert_eq!(letters.wrap("", STYLE, 60.0).len(), 1);
        assert_eq!(texts(&letters.wrap("a b", STYLE, 0.0)), ["a", "b"]);
    }

    #[test]
    fn what_turns_or_hides_text_is_left_out_and_missing_letters_are_shown_as_such() {
        let letters = Letters::new().unwrap();
        for (text, printed) in [
            ("in\u{202e}voice", "invoice"),
            ("a\u{0}b\nc\td", "a b c d"),
            ("שלום", "□□□□"),
            ("👩\u{200d}🚀 Ltd", "□□ Ltd"),
            ("\u{e001}", "□"),
            ("Žofie & Ψ Ж", "Žofie & Ψ Ж"),
        ] {
            assert_eq!(letters.run(text, STYLE).text, printed);
        }
        assert!(letters.know("Žofie\u{200b} & Söhne\n") && !letters.know("שלום"));
    }
}
