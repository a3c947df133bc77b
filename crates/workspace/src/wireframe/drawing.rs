//! Wireframes as SVG: from top to bottom, as wide as a phone.

use std::fmt::Write;

use super::Element;

const WIDTH: u32 = 420;
const MARGIN: u32 = 20;
const GAP: u32 = 12;
const LINE: u32 = 21;
const INK: &str = "#26231e";
const FAINT: &str = "#8d8576";
const PAPER: &str = "#fffdf9";
const FILL: &str = "#e3dccf";

/// Draws elements below each other.
pub fn draw(title: &str, elements: &[Element]) -> String {
    let mut pen = Pen { svg: String::new(), down: MARGIN };
    pen.all(elements, MARGIN, WIDTH - 2 * MARGIN);
    let height = pen.down + MARGIN - GAP;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"system-ui, sans-serif\" font-size=\"15\" fill=\"{INK}\">\n<title>{}</title>\n<rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"10\" fill=\"{PAPER}\" stroke=\"{FAINT}\"/>\n{}</svg>\n",
        escape(title),
        WIDTH - 1,
        height - 1,
        pen.svg
    )
}

struct Pen {
    svg: String,
    /// Where the next element begins.
    down: u32,
}

impl Pen {
    fn all(&mut self, elements: &[Element], left: u32, width: u32) {
        for element in elements {
            self.one(element, left, width);
            self.down += GAP;
        }
    }

    fn one(&mut self, element: &Element, left: u32, width: u32) {
        match element {
            Element::Heading(text) => self.text(text, left, width, 20, " font-weight=\"600\" font-size=\"20\""),
            Element::Words(text) => self.text(text, left, width, 15, ""),
            Element::Item(text) => {
                self.put(format_args!("<circle cx=\"{}\" cy=\"{}\" r=\"2.5\"/>", left + 5, self.down + 11));
                self.text(text, left + 16, width.saturating_sub(16), 15, "");
            }
            Element::Tick { text, is_ticked } => {
                let (x, y) = (left, self.down + 3);
                self.put(format_args!(
                    "<rect x=\"{x}\" y=\"{y}\" width=\"15\" height=\"15\" rx=\"3\" fill=\"none\" stroke=\"{INK}\"/>"
                ));
                if *is_ticked {
                    self.put(format_args!(
                        "<path d=\"M{} {} l4 4 l7 -8\" fill=\"none\" stroke=\"{INK}\" stroke-width=\"2\"/>",
                        x + 2,
                        y + 7
                    ));
                }
                self.text(text, left + 24, width.saturating_sub(24), 15, "");
            }
            Element::Field(label) => {
                self.text(label, left, width, 15, "");
                self.put(format_args!("<rect x=\"{left}\" y=\"{}\" width=\"{width}\" height=\"34\" rx=\"6\" fill=\"#ffffff\" stroke=\"{FAINT}\"/>", self.down + 4));
                self.down += 38;
            }
            Element::Buttons(labels) => self.buttons(labels, left, width),
            Element::Rule => {
                self.put(format_args!(
                    "<line x1=\"{left}\" y1=\"{0}\" x2=\"{1}\" y2=\"{0}\" stroke=\"{FAINT}\"/>",
                    self.down + 2,
                    left + width
                ));
                self.down += 4;
            }
            Element::Picture(text) => {
                let (top, right, low) = (self.down, left + width, self.down + 96);
                self.put(format_args!("<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"96\" rx=\"6\" fill=\"{FILL}\" stroke=\"{FAINT}\"/>"));
                self.put(format_args!("<path d=\"M{left} {top} L{right} {low} M{right} {top} L{left} {low}\" stroke=\"{FAINT}\" fill=\"none\"/>"));
                self.down = low + 2;
                self.text(text, left, width, 13, " font-size=\"13\"");
            }
            Element::Frame { title, inside } => self.frame(title, inside, left, width),
        }
    }

    fn buttons(&mut self, labels: &[String], left: u32, width: u32) {
        let mut x = left;
        for label in labels {
            let text = lines(label, width.saturating_sub(28), 15).into_iter().next().unwrap_or_default();
            let wide = wide(&text, 15) + 28;
            if x > left && x + wide > left + width {
                x = left;
                self.down += 42;
            }
            let y = self.down;
            self.put(format_args!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"{wide}\" height=\"34\" rx=\"8\" fill=\"{FILL}\" stroke=\"{INK}\"/>"
            ));
            let middle = x + wide / 2;
            self.put(format_args!(
                "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" font-weight=\"500\">{}</text>",
                y + 22,
                escape(&text)
            ));
            x += wide + 10;
        }
        self.down += 34;
    }

    fn frame(&mut self, title: &str, inside: &[Element], left: u32, width: u32) {
        let top = self.down;
        self.down += GAP;
        let (inner, room) = (left + GAP, width.saturating_sub(2 * GAP));
        if !title.is_empty() {
            self.text(title, inner, room, 15, " font-weight=\"600\"");
            self.down += GAP / 2;
        }
        self.all(inside, inner, room);
        let height = (self.down - top).max(2 * GAP);
        self.down = top + height;
        self.put(format_args!("<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"none\" stroke=\"{INK}\"/>"));
    }

    fn text(&mut self, text: &str, left: u32, width: u32, size: u32, more: &str) {
        let line = LINE * size / 15;
        for part in lines(text, width, size) {
            let y = self.down + line * 3 / 4;
            self.put(format_args!("<text x=\"{left}\" y=\"{y}\"{more}>{}</text>", escape(&part)));
            self.down += line;
        }
    }

    fn put(&mut self, markup: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.svg, "{markup}");
    }
}

/// A text in lines that fit, as far as the width of letters can be guessed.
fn lines(text: &str, width: u32, size: u32) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let mut word = word;
        while !word.is_empty() {
            let last = lines.last().map_or("", String::as_str);
            let gap = if last.is_empty() { "" } else { " " };
            if wide(&format!("{last}{gap}{word}"), size) <= width {
                if let Some(last) = lines.last_mut() {
                    last.push_str(gap);
                    last.push_str(word);
                }
                break;
            }
            if !last.is_empty() {
                lines.push(String::new());
                continue;
            }
            // A word that is longer than a line is cut, but never to nothing.
            let fits = word.char_indices().map(|(index, c)| index + c.len_utf8());
            let end = fits.take_while(|end| wide(&word[..*end], size) <= width).last();
            let end = end.unwrap_or_else(|| word.chars().next().map_or(word.len(), char::len_utf8));
            let (head, rest) = word.split_at(end);
            if let Some(last) = lines.last_mut() {
                last.push_str(head);
            }
            word = rest;
            if !word.is_empty() {
                lines.push(String::new());
            }
        }
    }
    lines
}

/// How wide a text is, about, in pixels.
fn wide(text: &str, size: u32) -> u32 {
    // Letters of Latin, Greek and Cyrillic are a good half as wide as they are high, others as wide as high.
    let tenths: u32 = text.chars().map(|c| if u32::from(c) < 0x1100 { 6 } else { 10 }).sum();
    tenths * size / 10
}

/// A text as XML takes it; what no XML may hold is left out.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_cut_and_lines_fit() {
        for text in
            ["a few words that do not fit into one line", &"w".repeat(200), "日本語日本語日本語日本語日本語", ""]
        {
            let lines = lines(text, 100, 15);
            assert!(lines.iter().all(|line| wide(line, 15) <= 100), "{lines:?}");
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
            assert_eq!(lines.iter().map(|line| letters(line)).sum::<usize>(), letters(text));
        }
        assert_eq!(lines("ab", 1, 15), ["a", "b"]);
    }
}
