//! Two texts side by side, line by line.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

/// One line of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// In both.
    Same(String),
    /// Only in the older text.
    Removed(String),
    /// Only in the newer text.
    Added(String),
    /// This many lines, the same in both, are left out here.
    Skipped(usize),
}

/// Compares two texts and leaves out what is far from any change; empty when they are the same.
#[must_use]
pub fn compare(older: &str, newer: &str) -> Vec<Line> {
    const AROUND: usize = 3;
    let diff = TextDiff::configure().timeout(Duration::from_millis(500)).diff_lines(older, newer);
    let mut lines = Vec::new();
    let mut shown_until = 0;
    for group in diff.grouped_ops(AROUND) {
        let start = group.first().map_or(0, |op| op.old_range().start);
        if start > shown_until {
            lines.push(Line::Skipped(start - shown_until));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let text = change.value().trim_end_matches('\n').to_owned();
            lines.push(match change.tag() {
                ChangeTag::Equal => Line::Same(text),
                ChangeTag::Delete => Line::Removed(text),
                ChangeTag::Insert => Line::Added(text),
            });
        }
        shown_until = group.last().map_or(shown_until, |op| op.old_range().end);
    }
    let rest = older.lines().count().saturating_sub(shown_until);
    if rest > 0 && !lines.is_empty() {
        lines.push(Line::Skipped(rest));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_lines_are_shown_with_those_around_them() {
        let older: String = (1..=20).map(|n| format!("{n}\n")).collect();
        let newer = older.replace("10\n", "ten\n");
        let lines = compare(&older, &newer);
        assert_eq!(lines[0], Line::Skipped(6));
        assert_eq!(lines[4..6], [Line::Removed("10".into()), Line::Added("ten".into())]);
        assert_eq!(lines.last(), Some(&Line::Skipped(7)));
    }

    #[test]
    fn equal_texts_have_nothing_to_show() {
        assert_eq!(compare("a\nb\n", "a\nb\n"), []);
    }
}
