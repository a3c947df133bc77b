use super::{Fill, Sample, sample};
use pages::{Area, BookEntry, BookHit, BookLink, BookMissing, BookPage, BookPart, BookSearch, Prose, Shell, Stretch};

const TEXT: &str = "<p>Every instance is backed up.</p>\n<h2 id=\"when\">When</h2>\n<pre><code>spinoff backups list\n</code></pre>\
    \n<h2 id=\"how-long\">How long</h2>\n<div class=\"wide\" role=\"group\" aria-label=\"Table\" tabindex=\"0\"><table>\
    <thead><tr><th>kept</th><th>for</th></tr></thead><tbody><tr><td><code>days</code></td><td>14 days</td></tr></tbody></table></div>";

pub fn all(fill: Fill) -> Vec<Sample> {
    let found = vec![
        BookHit {
            link: link(fill, "When", "/docs/operator/backups#when"),
            page: Some(fill.text("16. Backups")),
            around: vec![
                Stretch { text: fill.text("Every instance is "), found: false },
                Stretch { text: fill.text("backed"), found: true },
                Stretch { text: fill.text(" up."), found: false },
            ],
        },
        BookHit { link: link(fill, "Backups", "/docs/operator/backups"), page: None, around: Vec::new() },
    ];
    vec![
        sample("book-page", page(fill).render()),
        sample("book-search", search(fill, fill.list(found), 40).render()),
        sample("book-search-in-vain", search(fill, Vec::new(), 0).render()),
        sample("book-missing", missing(fill).render()),
    ]
}

fn page(fill: Fill) -> BookPage {
    BookPage {
        shell: shell(fill, "Backups"),
        parts: parts(fill),
        trail: fill.list(vec![link(fill, "Documentation", "/docs"), link(fill, "Operator's guide", "/docs/operator")]),
        heading: Prose::of_our_documents("16. <code>Backups</code>".to_owned()),
        text: Prose::of_our_documents(TEXT.to_owned()),
        sections: fill.list(vec![link(fill, "When", "#when"), link(fill, "How long", "#how-long")]),
        previous: fill.option(link(fill, "Limits", "/docs/operator/limits")),
        next: fill.option(link(fill, "Updates", "/docs/operator/updates")),
    }
}

fn search(fill: Fill, hits: Vec<BookHit>, total: usize) -> BookSearch {
    BookSearch { shell: shell(fill, "Search"), parts: parts(fill), query: fill.text("backed up"), hits, total }
}

fn missing(fill: Fill) -> BookMissing {
    let near = fill.list(vec![link(fill, "16. Backups", "/docs/operator/backups")]);
    BookMissing { shell: shell(fill, "Not found"), parts: parts(fill), query: fill.text("backup"), near }
}

fn parts(fill: Fill) -> Vec<BookPart> {
    let inner = BookEntry { link: link(fill, "16. Backups", "/docs/operator/backups"), open: true, below: Vec::new() };
    let guide = BookEntry {
        link: link(fill, "Operator's guide", "/docs/operator"),
        open: false,
        below: fill.list(vec![inner]),
    };
    let first = BookEntry { link: link(fill, "Quick start", "/docs/quick-start"), open: false, below: Vec::new() };
    vec![
        BookPart { name: fill.text("Begin here"), entries: vec![first] },
        BookPart { name: fill.text("For operators"), entries: vec![guide] },
    ]
}

fn shell(fill: Fill, title: &str) -> Shell {
    fill.shell(title, Area::Site)
}

fn link(fill: Fill, name: &str, url: &str) -> BookLink {
    BookLink { name: fill.text(name), url: url.to_owned() }
}
