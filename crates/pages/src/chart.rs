//! Charts as SVG: drawn with whole numbers alone, so that nothing can be out of range or no number at all.
//!
//! Each says in its title and its description what it shows, for those who can't see it, and stands beside a table with the
//! same numbers. Nothing is told by colour alone: bars below the line hang down, and what is not over yet is only outlined.

use std::fmt::Write;

use crate::calendar::escaped;
use crate::page::Markup;

const WIDTH: i128 = 480;
const HEIGHT: i128 = 220;
const LEFT: i128 = 66;
const RIGHT: i128 = 6;
const TOP: i128 = 14;
const BOTTOM: i128 = 26;
/// A row of a chart that lies on its side: its words, and its bar below them.
const ROW: i128 = 46;
const BAR: i128 = 16;
/// Room for letters above the line that they stand on.
const LETTERS: i128 = 16;

/// What a chart is called and says, for those who can't see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words<'a> {
    /// Names it on its page; letters and hyphens.
    pub id: &'a str,
    pub title: &'a str,
    pub description: &'a str,
}

/// One bar.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    pub label: String,
    pub value: i64,
    /// It is not over, and may still change.
    pub is_open: bool,
}

/// Bars that stand side by side on a line, or hang from it where they are below nothing. `shown` writes the numbers of the
/// scale.
pub(crate) fn columns(words: Words<'_>, bars: &[Bar], shown: impl Fn(i64) -> String) -> Markup {
    let (least, most) = (bars.iter().map(|bar| bar.value).min(), bars.iter().map(|bar| bar.value).max());
    let above = round_up(most.unwrap_or(0).max(0).into());
    let below = round_up((-i128::from(least.unwrap_or(0))).max(0));
    let above = if above == 0 && below == 0 { 1 } else { above };
    let plot = HEIGHT - TOP - BOTTOM;
    let y = |value: i128| TOP + (above - value) * plot / (above + below);
    let mut svg = opening(words, HEIGHT);
    for value in marks(above, below) {
        let class = if value == 0 { "zero" } else { "rule" };
        let at = y(value);
        let _ = write!(svg, r#"<line class="{class}" x1="{LEFT}" y1="{at}" x2="{}" y2="{at}"/>"#, WIDTH - RIGHT);
        let number = shown(i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX }));
        text(&mut svg, (LEFT - 6, at + 5), "end", &number);
    }
    let count = i128::try_from(bars.len()).unwrap_or(i128::MAX).max(1);
    let room = WIDTH - LEFT - RIGHT;
    // As many words as there is room for below the bars.
    let every = (count * 34).div_euclid(room) + 1;
    for (index, bar) in (0..count).zip(bars) {
        let (from, until) = (LEFT + index * room / count, LEFT + (index + 1) * room / count);
        let width = ((until - from) * 2 / 3).max(1);
        let x = from + (until - from - width) / 2;
        let (start, end) = (y(i128::from(bar.value).max(0)), y(i128::from(bar.value).min(0)));
        rect(&mut svg, bar.is_open, (x, start, width, end - start));
        if index % every == 0 {
            text(&mut svg, ((from + until) / 2, HEIGHT - 8), "middle", &bar.label);
        }
    }
    svg.push_str("</svg>");
    Markup(svg)
}

/// Bars that lie below each other, each under its words, as long as their numbers are large. What is below nothing has none.
pub(crate) fn rows(words: Words<'_>, bars: &[Bar], shown: impl Fn(i64) -> String) -> Markup {
    let most = bars.iter().map(|bar| i128::from(bar.value)).max().unwrap_or(0).max(1);
    let count = i128::try_from(bars.len()).unwrap_or(0);
    let mut svg = opening(words, (count * ROW).max(ROW));
    for (index, bar) in (0..count).zip(bars) {
        let top = index * ROW;
        text(&mut svg, (0, top + LETTERS), "start", &bar.label);
        text(&mut svg, (WIDTH, top + LETTERS), "end", &shown(bar.value));
        let width = i128::from(bar.value).max(0) * WIDTH / most;
        rect(&mut svg, bar.is_open, (0, top + LETTERS + 6, width, BAR));
    }
    svg.push_str("</svg>");
    Markup(svg)
}

fn opening(words: Words<'_>, height: i128) -> String {
    let Words { id, title, description } = words;
    let (id, title, description) = (escaped(id), escaped(title), escaped(description));
    format!(
        r#"<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{id}-title {id}-words"><title id="{id}-title">{title}</title><desc id="{id}-words">{description}</desc>"#
    )
}

fn rect(svg: &mut String, is_open: bool, (x, y, width, height): (i128, i128, i128, i128)) {
    let class = if is_open { "bar open" } else { "bar" };
    let _ = write!(svg, r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}"/>"#);
}

fn text(svg: &mut String, (x, y): (i128, i128), anchor: &str, words: &str) {
    let _ = write!(svg, r#"<text x="{x}" y="{y}" text-anchor="{anchor}">{}</text>"#, escaped(words));
}

/// What a scale goes to: 1, 2 or 5 with noughts, and no less than a number.
fn round_up(number: i128) -> i128 {
    if number <= 0 {
        return 0;
    }
    let mut power = 1;
    loop {
        for step in [1, 2, 5] {
            if step * power >= number {
                return step * power;
            }
        }
        power *= 10;
    }
}

/// Where the scale is marked.
fn marks(above: i128, below: i128) -> Vec<i128> {
    let mut marks = vec![0, above, -below];
    // Half of an odd number would be written as what it is not.
    marks.extend([above / 2].into_iter().filter(|half| half * 2 == above));
    marks.sort_unstable();
    marks.dedup();
    marks
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    const WORDS: Words<'_> = Words { id: "revenue", title: "Revenue <&>", description: "What came in, month by month" };

    fn bars(values: &[i64]) -> Vec<Bar> {
        let bar =
            |(index, value): (usize, &i64)| Bar { label: format!("<{index}>"), value: *value, is_open: index % 2 == 1 };
        values.iter().enumerate().map(bar).collect()
    }

    /// The numbers of an attribute, wherever it stands.
    fn all(svg: &str, tag: &str, attribute: &str) -> Vec<i128> {
        let tags = svg.split('<').filter(|part| part.starts_with(tag));
        tags.map(|part| {
            let (_, after) = part.split_once(&format!(" {attribute}=\"")).unwrap();
            after.split('"').next().unwrap().parse().unwrap()
        })
        .collect()
    }

    fn is_within_its_box(svg: &str, height: i128) {
        let (x, y) = (all(svg, "rect", "x"), all(svg, "rect", "y"));
        let (widths, heights) = (all(svg, "rect", "width"), all(svg, "rect", "height"));
        for index in 0..x.len() {
            assert!(x[index] >= 0 && widths[index] >= 0 && x[index] + widths[index] <= WIDTH, "{svg}");
            assert!(y[index] >= 0 && heights[index] >= 0 && y[index] + heights[index] <= height, "{svg}");
        }
        for (tag, across, down) in [("text", "x", "y"), ("line", "x1", "y1"), ("line", "x2", "y2")] {
            assert!(all(svg, tag, across).iter().all(|at| (0..=WIDTH).contains(at)), "{svg}");
            assert!(all(svg, tag, down).iter().all(|at| (0..=height).contains(at)), "{svg}");
        }
    }

    #[test]
    fn a_chart_says_what_it_shows_and_escapes_what_others_wrote() {
        let svg = columns(WORDS, &bars(&[5, 10]), |value| format!("${value}")).0;
        assert!(svg.contains(r#"role="img" aria-labelledby="revenue-title revenue-words""#), "{svg}");
        assert!(svg.contains("Revenue &lt;&amp;&gt;</title>") && svg.contains("month by month</desc>"), "{svg}");
        assert!(svg.contains("&lt;1&gt;") && svg.contains(">$10<") && svg.contains(">$5<"), "{svg}");
        assert!(svg.contains(r#"class="bar open""#), "{svg}");
    }

    #[test]
    fn a_bar_that_is_twice_as_much_is_twice_as_high() {
        let heights = all(&columns(WORDS, &bars(&[50, 100, 0, -100]), |value| value.to_string()).0, "rect", "height");
        assert_eq!(heights, [45, 90, 0, 90]);
        let widths = all(&rows(WORDS, &bars(&[100, 50, -7]), |value| value.to_string()).0, "rect", "width");
        assert_eq!(widths, [480, 240, 0]);
    }

    #[test]
    fn a_scale_ends_with_a_round_number() {
        for (number, round) in [(0, 0), (1, 1), (3, 5), (101, 200), (499, 500), (501, 1_000)] {
            assert_eq!(round_up(number), round);
        }
    }

    proptest! {
        #[test]
        fn any_series_is_drawn_within_its_box(values in prop::collection::vec(any::<i64>(), 0..40)) {
            let bars = bars(&values);
            is_within_its_box(&columns(WORDS, &bars, |value| value.to_string()).0, HEIGHT);
            let height = (i128::try_from(bars.len()).unwrap() * ROW).max(ROW);
            is_within_its_box(&rows(WORDS, &bars, |value| value.to_string()).0, height);
        }

        #[test]
        fn small_numbers_and_many_of_them_are_drawn_too(values in prop::collection::vec(-3..4_i64, 0..900)) {
            let svg = columns(WORDS, &bars(&values), |value| value.to_string()).0;
            is_within_its_box(&svg, HEIGHT);
            prop_assert!(!svg.contains("NaN") && !svg.contains("inf"));
            prop_assert_eq!(all(&svg, "rect", "x").len(), values.len());
        }
    }
}
