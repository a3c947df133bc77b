//! Markdown to HTML that is safe to show: HTML in the text is shown as text, and links can neither
//! run a script nor carry one in their address.

use comrak::Options;

/// The HTML of a document's text.
#[must_use]
pub fn to_html(markdown: &str) -> String {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.render.escape = true;
    comrak::markdown_to_html(markdown, &options)
}

/// The first words of a text's first paragraph, without its marks, for a card.
#[must_use]
pub fn first_words(markdown: &str) -> String {
    const LONGEST: usize = 160;
    let lines = markdown.lines().map(str::trim);
    let paragraph =
        lines.skip_while(|line| line.is_empty() || line.starts_with(['#', '`'])).take_while(|line| !line.is_empty());
    let plain: Vec<String> = paragraph
        .map(|line| line.trim_start_matches(['-', '*', '>', ' ']).replace("**", "").replace('`', ""))
        .collect();
    let plain = plain.join(" ");
    if plain.chars().count() <= LONGEST {
        return plain;
    }
    let short: String = plain.chars().take(LONGEST).collect();
    let end = short.rfind(' ').unwrap_or(short.len());
    format!("{}…", &short[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_shown_and_never_run() {
        let html =
            to_html("<script>alert(1)</script>\n\n<b onclick=x>hi</b> [x](javascript:alert(1)) ![y](data:text/html,z)");
        assert!(!html.contains("<script") && !html.contains("<b "), "{html}");
        assert!(html.contains("&lt;script&gt;"), "{html}");
        assert!(!html.contains("javascript:") && !html.contains("data:text"), "{html}");
    }

    #[test]
    fn lists_tables_and_links_are_drawn() {
        let html = to_html("- [x] done\n\n|a|b|\n|-|-|\n|1|2|\n\nhttps://example.com");
        for part in ["type=\"checkbox\"", "<table>", "<a href=\"https://example.com\">"] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn a_card_shows_the_first_words_without_marks() {
        assert_eq!(first_words("# Pots\n\n**Sell** them\n`now`\n\nMore"), "Sell them now");
        assert_eq!(first_words("# Only a heading"), "");
        assert!(first_words(&"word ".repeat(100)).ends_with("word…"));
        assert!(first_words(&"ü".repeat(500)).ends_with("ü…"));
    }
}
