use std::collections::VecDeque;
use std::fmt::{self, Write as _};

use comrak::html::{ChildRendering, Context, format_document_with_formatter, format_node_default};
use comrak::nodes::{Node, NodeHeading, NodeLink, NodeValue};
use comrak::options::Plugins;
use comrak::{Arena, Options, parse_document};

use crate::anchors::Anchors;
use crate::links::Target;

/// What a text says of itself, before it is known where its links lead.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// Its headings, in order.
    pub(crate) headings: Vec<Heading>,
    /// Names that the text gives to places, and whether they stand in its first heading.
    pub(crate) given: Vec<(String, bool)>,
    /// What stands below each heading, for the search: as many as there are headings.
    pub(crate) passages: Vec<String>,
    pub(crate) faults: Vec<String>,
}

/// A heading.
#[derive(Debug)]
pub(crate) struct Heading {
    pub(crate) level: u8,
    pub(crate) text: String,
    /// Its name in the whole document.
    pub(crate) name: String,
}

/// A text as HTML.
#[derive(Debug, Default)]
pub(crate) struct Rendered {
    /// What stands within its first heading.
    pub(crate) heading: String,
    /// Everything else.
    pub(crate) text: String,
}

/// Reads a text. Of one that is a section of a document, headings count one less.
pub(crate) fn outline(markdown: &str, raised: u8, anchors: &mut Anchors) -> Outline {
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &options());
    let mut outline = Outline::default();
    for node in root.descendants() {
        match &node.data().value {
            NodeValue::HtmlBlock(block) => outline.faults.push(format!("HTML: {}", block.literal.trim())),
            NodeValue::HtmlInline(html) => match given_name(html) {
                Some(name) => {
                    anchors.take(name);
                    let within = node.ancestors().any(|above| level_of(above, raised) == Some(1));
                    outline.given.push((name.to_owned(), within));
                }
                None if html == "</a>" => {}
                None => outline.faults.push(format!("HTML: {html}")),
            },
            _ => {}
        }
    }
    for block in root.children() {
        if let Some(level) = level_of(block, raised) {
            let text = words_of(block);
            let name = anchors.next(&text);
            outline.headings.push(Heading { level, text, name });
            outline.passages.push(String::new());
        } else if let Some(passage) = outline.passages.last_mut() {
            passage.push_str(&words_of(block));
            passage.push(' ');
        }
    }
    if outline.headings.first().map(|heading| heading.level) != Some(1) {
        outline.faults.push("does not begin with a heading of the first rank".to_owned());
    }
    if outline.headings.iter().filter(|heading| heading.level == 1).count() > 1 {
        outline.faults.push("has two headings of the first rank".to_owned());
    }
    outline
}

/// The text as HTML, its links as `resolve` says.
pub(crate) fn render(
    markdown: &str,
    raised: u8,
    names: impl Iterator<Item = String>,
    mut resolve: impl FnMut(&str) -> Target,
) -> Rendered {
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &options());
    let nodes: Vec<Node<'_>> = root.descendants().collect();
    for node in nodes {
        let mut beside = None;
        match &mut node.data_mut().value {
            NodeValue::Heading(heading) => heading.level = heading.level.saturating_sub(raised).max(1),
            NodeValue::Link(link) => {
                let target = resolve(&link.url);
                beside = relink(link, target);
            }
            NodeValue::Image(image) => {
                if let Target::Url(url) = resolve(&image.url) {
                    image.url = url;
                }
            }
            value @ NodeValue::HtmlInline(_) => plain_place(value),
            _ => {}
        }
        if let Some(path) = beside {
            node.insert_after(arena.alloc(NodeValue::Raw(path).into()));
        }
    }
    let mut names: VecDeque<String> = names.collect();
    let mut rendered = Rendered::default();
    if let Some(first) = root.children().next().filter(|first| level_of(first, 0) == Some(1)) {
        first.detach();
        rendered.heading = html(first, VecDeque::new()).trim().to_owned();
        names.pop_front();
    }
    rendered.text = html(root, names);
    rendered
}

/// Puts a link's address in its place. A link to a file that is no page becomes its words; what is to stand behind
/// them is given back.
fn relink(link: &mut NodeLink, target: Target) -> Option<String> {
    let (url, beside) = match target {
        Target::Url(url) => (url, None),
        Target::Source(path) => (String::new(), Some(format!(" <code class=\"path\">({path})</code>"))),
        Target::Nowhere(_) => (String::new(), None),
    };
    link.url = url;
    beside
}

/// `<a id="name"></a>` gives a place a name: that is all the HTML that documents may hold.
fn given_name(html: &str) -> Option<&str> {
    let name = html.strip_prefix("<a id=\"")?.strip_suffix("\">")?;
    (!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')).then_some(name)
}

fn plain_place(value: &mut NodeValue) {
    let NodeValue::HtmlInline(html) = value else { return };
    let place = match given_name(html) {
        Some(name) => format!("<span id=\"{name}\"></span>"),
        None if html == "</a>" => String::new(),
        None => return,
    };
    *value = NodeValue::Raw(place);
}

fn level_of(node: Node<'_>, raised: u8) -> Option<u8> {
    match &node.data().value {
        NodeValue::Heading(NodeHeading { level, .. }) => Some(level.saturating_sub(raised).max(1)),
        _ => None,
    }
}

/// The words of a part of the text, without its marks.
fn words_of(node: Node<'_>) -> String {
    let mut words = String::new();
    for node in node.descendants() {
        match &node.data().value {
            NodeValue::Text(text) => words.push_str(text),
            NodeValue::Code(code) => words.push_str(&code.literal),
            NodeValue::CodeBlock(block) => {
                words.push(' ');
                words.push_str(&block.literal);
            }
            NodeValue::SoftBreak
            | NodeValue::LineBreak
            | NodeValue::Paragraph
            | NodeValue::Item(_)
            | NodeValue::TableCell
            | NodeValue::TableRow(_) => words.push(' '),
            _ => {}
        }
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.render.escape = true;
    options
}

/// Writing to a string fails only when a part of the text refuses to be written, and none does.
fn html(root: Node<'_>, names: VecDeque<String>) -> String {
    let mut html = String::new();
    let (options, plugins) = (options(), Plugins::default());
    if format_document_with_formatter(root, &options, &mut html, &plugins, piece, names).is_err() {
        html.push_str("<p>The rest of this page could not be written.</p>");
    }
    html
}

/// One piece of a text: headings with their names, tables that can be scrolled, links that lead somewhere.
fn piece<'a>(
    context: &mut Context<'_, '_, VecDeque<String>>,
    node: Node<'a>,
    entering: bool,
) -> Result<ChildRendering, fmt::Error> {
    match &node.data().value {
        NodeValue::Heading(heading) => write_heading(context, heading.level, entering)?,
        NodeValue::Table(_) if entering => {
            context.cr()?;
            context.write_str("<div class=\"wide\" role=\"group\" aria-label=\"Table\" tabindex=\"0\">")?;
            return format_node_default(context, node, entering);
        }
        NodeValue::Table(_) => {
            format_node_default(context, node, entering)?;
            context.write_str("</div>\n")?;
        }
        NodeValue::CodeBlock(block) if block.info == "text" => {
            // Set in columns, so it keeps its lines, and is scrolled where they do not fit.
            if entering {
                context.cr()?;
                context.write_str(
                    "<pre class=\"still\" role=\"group\" aria-label=\"As it is printed\" tabindex=\"0\"><code>",
                )?;
                context.escape(&block.literal)?;
                context.write_str("</code></pre>\n")?;
            }
        }
        NodeValue::TableRow(true) if words_of(node).is_empty() => return Ok(ChildRendering::Skip),
        NodeValue::TableCell if is_empty_heading(node) => {
            context.write_str(if entering { "<td>" } else { "</td>" })?;
        }
        NodeValue::Link(link) if link.url.is_empty() => {}
        _ => return format_node_default(context, node, entering),
    }
    Ok(ChildRendering::HTML)
}

/// The page's own heading is written by its template; all others bear the name under which they are linked to.
fn write_heading(context: &mut Context<'_, '_, VecDeque<String>>, level: u8, entering: bool) -> fmt::Result {
    if level == 1 {
        return Ok(());
    }
    if entering {
        context.cr()?;
        let name = context.user.front().cloned().unwrap_or_default();
        write!(context, "<h{level} id=\"{name}\">")
    } else {
        let name = context.user.pop_front().unwrap_or_default();
        writeln!(context, "<a class=\"anchor\" href=\"#{name}\" aria-hidden=\"true\" tabindex=\"-1\">#</a></h{level}>")
    }
}

/// A heading without words says nothing to whoever hears it read.
fn is_empty_heading(cell: Node<'_>) -> bool {
    let in_head = cell.parent().is_some_and(|row| matches!(row.data().value, NodeValue::TableRow(true)));
    in_head && words_of(cell).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(markdown: &str, raised: u8) -> Rendered {
        let names = outline(markdown, raised, &mut Anchors::default()).headings.into_iter().map(|it| it.name);
        render(markdown, raised, names, |link| match link {
            "code.rs" => Target::Source("crates/a/code.rs".to_owned()),
            "gone.md" => Target::Nowhere("gone".to_owned()),
            other => Target::Url(format!("/docs/{other}")),
        })
    }

    #[test]
    fn headings_get_names_and_the_first_is_the_pages() {
        let page = rendered("# The `page`\n\nText.\n\n## One\n\n### Two & more\n", 0);
        assert_eq!(page.heading, "The <code>page</code>");
        assert!(page.text.contains("<h2 id=\"one\">One<a class=\"anchor\" href=\"#one\""), "{}", page.text);
        assert!(page.text.contains("<h3 id=\"two--more\">Two &amp; more<a"), "{}", page.text);
        assert!(!page.text.contains("<h1"), "{}", page.text);
    }

    #[test]
    fn a_section_of_a_document_is_a_page_whose_headings_count_one_less() {
        let page = rendered("## 2. Part\n\n### Inner\n", 1);
        assert_eq!(page.heading, "2. Part");
        assert!(page.text.contains("<h2 id=\"inner\">"), "{}", page.text);
    }

    #[test]
    fn links_become_addresses_paths_or_words() {
        let page = rendered("# T\n\n[a](x.md) [b](code.rs) [c](gone.md) ![p](y.png)\n", 0);
        assert!(page.text.contains("<a href=\"/docs/x.md\">a</a>"), "{}", page.text);
        assert!(page.text.contains("b <code class=\"path\">(crates/a/code.rs)</code> c"), "{}", page.text);
        assert!(page.text.contains("src=\"/docs/y.png\" alt=\"p\""), "{}", page.text);
    }

    #[test]
    fn html_is_a_fault_and_is_shown_as_text_unless_it_names_a_place() {
        let text = "# T\n\n## <a id=\"here\"></a>There\n\n<b onclick=\"x\">bold</b>\n\n<script>alert(1)</script>\n";
        let outline = outline(text, 0, &mut Anchors::default());
        assert_eq!(outline.given, [("here".to_owned(), false)]);
        assert_eq!(outline.faults.len(), 3, "{:?}", outline.faults);
        let page = rendered(text, 0);
        assert!(page.text.contains("<span id=\"here\"></span>There"), "{}", page.text);
        assert!(!page.text.contains("<b ") && !page.text.contains("<script"), "{}", page.text);
    }

    #[test]
    fn tables_without_headings_have_none() {
        let page = rendered("# T\n\n| | |\n|---|---|\n| a | b |\n\n| | c |\n|---|---|\n| d | e |\n", 0);
        assert_eq!(page.text.matches("<thead>").count(), 1, "{}", page.text);
        assert_eq!(page.text.matches("<th>").count(), 1, "{}", page.text);
        assert_eq!(page.text.matches("<tbody>").count(), 2, "{}", page.text);
        assert_eq!(page.text.matches("tabindex=\"0\"").count(), 2, "{}", page.text);
    }

    #[test]
    fn text_in_columns_keeps_its_lines_and_is_escaped() {
        let page = rendered("# T\n\n```text\na  <b>\n```\n\n```sh\nls\n```\n", 0);
        assert!(page.text.contains("tabindex=\"0\"><code>a  &lt;b&gt;\n</code></pre>"), "{}", page.text);
        assert!(page.text.contains("<pre><code class=\"language-sh\">ls"), "{}", page.text);
    }

    #[test]
    fn a_text_says_what_its_parts_are_about() {
        let outline =
            outline("# T\n\nOne *two*.\n\n## H\n\n| a | b |\n|---|---|\n| `c` | d |\n", 0, &mut Anchors::default());
        assert_eq!(outline.passages, ["One two. ", "a b c d "]);
        assert!(outline.faults.is_empty());
        assert_eq!(super::outline("Text.\n\n# Late\n\n# Twice", 0, &mut Anchors::default()).faults.len(), 1);
    }
}
