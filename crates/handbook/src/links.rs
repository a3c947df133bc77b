use std::collections::HashMap;

use crate::pictures;

/// Where every document and every heading of it is on the site.
#[derive(Debug, Default)]
pub(crate) struct Atlas {
    documents: HashMap<String, Places>,
}

/// Where one document is, and what can be named in it.
#[derive(Debug, Default)]
pub(crate) struct Places {
    pub(crate) url: String,
    pub(crate) anchors: HashMap<String, String>,
}

/// Where a link leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// To a page or a picture of the site, or somewhere else on the web.
    Url(String),
    /// To a file of the repository that is no page.
    Source(String),
    /// Nowhere, and why.
    Nowhere(String),
}

impl Atlas {
    pub(crate) fn add(&mut self, file: &str, places: Places) {
        self.documents.insert(file.to_owned(), places);
    }

    /// Where a link in a document leads.
    pub(crate) fn resolve(&self, from: &str, link: &str) -> Target {
        if ["http://", "https://", "mailto:"].iter().any(|scheme| link.starts_with(scheme)) {
            return Target::Url(link.to_owned());
        }
        let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
        let file = if path.is_empty() { Some(from.to_owned()) } else { join(from, path) };
        let Some(file) = file else {
            return Target::Nowhere(format!("{from}: {link} leads out of the repository"));
        };
        let Some(places) = self.documents.get(&file) else {
            return without_page(from, link, file);
        };
        match anchor {
            None => Target::Url(places.url.clone()),
            Some(anchor) => places.anchors.get(anchor).map_or_else(
                || Target::Nowhere(format!("{from}: {link} names a heading that {file} does not have")),
                |url| Target::Url(url.clone()),
            ),
        }
    }
}

fn without_page(from: &str, link: &str, file: String) -> Target {
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending {
        "md" if file.starts_with("docs/") => Target::Nowhere(format!("{from}: {link} is no page")),
        "png" | "svg" | "jpg" => pictures::url_of(&file)
            .map_or_else(|| Target::Nowhere(format!("{from}: {link} is no picture that is kept")), Target::Url),
        _ => Target::Source(file),
    }
}

/// A path as a document writes it, from the repository's folder.
fn join(from: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;

    fn atlas() -> Atlas {
        let mut atlas = Atlas::default();
        let anchors = HashMap::from([("settings".to_owned(), "/docs/operator/settings".to_owned())]);
        atlas.add("docs/operator.md", Places { url: "/docs/operator".to_owned(), anchors });
        atlas
    }

    #[test]
    fn links_between_documents_become_addresses() {
        let url = |url: &str| Target::Url(url.to_owned());
        for (from, link, target) in [
            ("docs/guard.md", "operator.md", url("/docs/operator")),
            ("docs/runbooks/dispute.md", "../operator.md#settings", url("/docs/operator/settings")),
            ("docs/operator.md", "#settings", url("/docs/operator/settings")),
            ("README.md", "docs/operator.md", url("/docs/operator")),
            ("README.md", "https://example.com/#x", url("https://example.com/#x")),
            ("docs/guard.md", "screenshots/portal.png", url("/docs/screenshots/portal.png")),
            ("docs/guard.md", "../crates/guard/src/lib.rs", Target::Source("crates/guard/src/lib.rs".to_owned())),
        ] {
            assert_eq!(atlas().resolve(from, link), target, "{link}");
        }
    }

    #[test]
    fn links_that_lead_nowhere_say_why() {
        for (link, why) in [
            ("nothing.md", "is no page"),
            ("operator.md#nothing", "does not have"),
            ("../../etc/passwd", "out of the repository"),
            ("screenshots/nothing.png", "no picture"),
        ] {
            let Target::Nowhere(said) = atlas().resolve("docs/guard.md", link) else { panic!("{link}") };
            assert!(said.contains(why), "{said}");
        }
    }
}
