//! What holds for all documents: their links lead somewhere, their pages are sound, their commands exist.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../pages/tests/html/mod.rs"]
mod html;
mod lines;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use handbook::Handbook;
use pages::Shell;

static BOOK: LazyLock<Handbook> =
    LazyLock::new(|| Handbook::bind(&serde_json::from_str(include_str!("openapi.json")).unwrap()));

fn shell() -> Shell {
    Shell::new("", "AI-DIY", "2026-11-24T22:54:07Z".parse().unwrap())
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every page's address and HTML.
static PAGES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    BOOK.addresses().map(|address| (address.to_owned(), BOOK.read(address, shell()).unwrap())).collect()
});

/// Every document that people wrote, by its path in the repository.
fn documents() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["docs", "docs/runbooks"] {
        for entry in std::fs::read_dir(repository().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "md") {
                let name = path.file_name().unwrap().to_str().unwrap();
                found.push((format!("{folder}/{name}"), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    for file in ["README.md", "ARCHITECTURE.md"] {
        found.push((file.to_owned(), std::fs::read_to_string(repository().join(file)).unwrap()));
    }
    assert!(found.len() > 20, "the documents were not found");
    found
}

#[test]
fn links_between_documents_lead_somewhere_and_nothing_in_them_is_html() {
    assert_eq!(BOOK.faults(), Vec::<String>::new());
}

#[test]
fn links_of_the_readme_lead_somewhere() {
    let text = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let links: Vec<&str> = text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    let local = links.iter().filter(|link| !link.contains("://"));
    let missing: Vec<_> =
        local.clone().filter(|link| !repository().join(link.split('#').next().unwrap()).exists()).collect();
    assert!(missing.is_empty() && local.count() > 10, "{missing:?}");
}

#[test]
fn files_that_documents_name_are_there() {
    assert!(!BOOK.sources().is_empty());
    for path in BOOK.sources() {
        assert!(repository().join(path).exists(), "a document links to {path}");
    }
}

#[test]
fn every_document_is_a_page() {
    let addresses: BTreeSet<&str> = BOOK.addresses().collect();
    for (file, _) in documents() {
        let address = file.trim_start_matches("docs/").trim_end_matches(".md").to_lowercase();
        let address = address.strip_suffix("readme").map_or(address.as_str(), |folder| folder.trim_end_matches('/'));
        assert!(addresses.contains(address), "{file} is not on the shelf");
    }
}

#[test]
fn every_page_is_whole_and_fits_the_strictest_policy() {
    for (address, page) in PAGES.iter() {
        let tags = html::tags(page);
        assert_eq!(tags.iter().filter(|tag| tag.name == "h1" && !tag.closing).count(), 1, "{address}");
        assert!(page.contains("<title>") && !page.contains("<title> ·"), "{address}");
        for paired in
            ["div", "p", "ul", "ol", "li", "table", "thead", "tbody", "tr", "td", "a", "nav", "span", "code", "pre"]
        {
            let count = |closing| tags.iter().filter(|tag| tag.name == paired && tag.closing == closing).count();
            assert_eq!(count(false), count(true), "{address}: {paired}");
        }
        let mut ids = BTreeSet::new();
        for tag in &tags {
            assert!(!["style", "iframe", "object", "embed", "base"].contains(&tag.name.as_str()), "{address}: {tag:?}");
            assert!(
                tag.name != "script" || tag.closing || tag.get("src").is_some_and(|src| src.starts_with("/assets/")),
                "{address}"
            );
            let inline = tag.attributes.keys().find(|key| key.starts_with("on") || *key == "style");
            assert!(inline.is_none(), "{address}: {tag:?}");
            if let Some(id) = tag.get("id") {
                assert!(ids.insert(id.to_owned()), "{address}: two are #{id}");
            }
            if tag.name == "img" {
                let source = tag.get("src").unwrap();
                let kept = source.strip_prefix("/docs/").and_then(handbook::picture);
                assert!(kept.is_some() && tag.get("alt").is_some_and(|words| words.len() > 5), "{address}: {tag:?}");
            }
        }
        assert!(page.len() < 400_000, "{address} has {} bytes", page.len());
    }
}

#[test]
fn every_link_on_a_page_leads_to_a_page_and_to_a_place_on_it() {
    let ids: BTreeMap<&str, BTreeSet<String>> = PAGES
        .iter()
        .map(|(address, page)| {
            let ids = html::tags(page).iter().filter_map(|tag| tag.get("id").map(str::to_owned)).collect();
            (address.as_str(), ids)
        })
        .collect();
    let mut followed = 0;
    for (address, page) in PAGES.iter() {
        for tag in html::tags(page).iter().filter(|tag| tag.name == "a" && !tag.closing) {
            let href = tag.get("href").unwrap_or_else(|| panic!("{address}: {tag:?}"));
            let to = match href.split_once('#') {
                Some(("", anchor)) => Some((address.as_str(), Some(anchor))),
                Some((url, anchor)) => inside(url).map(|to| (to, Some(anchor))),
                None => inside(href).map(|to| (to, None)),
            };
            let Some((to, anchor)) = to else { continue };
            let there = ids.get(to).unwrap_or_else(|| panic!("{address}: {href} leads to no page"));
            assert!(anchor.is_none_or(|anchor| there.contains(anchor)), "{address}: {href} leads to no place");
            followed += 1;
        }
    }
    assert!(followed > 3_000, "only {followed} links were followed");
}

/// What follows `/docs` in an address of the documentation.
fn inside(url: &str) -> Option<&str> {
    if url == "/docs" { Some("") } else { url.strip_prefix("/docs/") }
}

#[test]
fn every_page_is_reached_from_the_one_before_and_from_the_table_of_contents() {
    let addresses: Vec<&str> = BOOK.addresses().collect();
    for pair in addresses.windows(2) {
        let next = format!("href=\"/docs/{}\" rel=\"next\"", pair[1]);
        assert!(PAGES[pair[0]].contains(&next), "{} does not lead on to {}", pair[0], pair[1]);
    }
    for (address, page) in PAGES.iter() {
        let here = html::tags(page).iter().filter(|tag| tag.get("aria-current") == Some("page")).count();
        // In the site's own navigation and in the table of contents.
        assert_eq!(here, 2, "{address}");
    }
}

#[test]
fn commands_in_documents_exist_with_the_options_that_are_used() {
    let commands = lines::Commands::read(&std::fs::read_to_string(repository().join("docs/cli.md")).unwrap());
    let mut checked = 0;
    let mut wrong = Vec::new();
    for (file, text) in documents().iter().filter(|(file, _)| file != "docs/cli.md") {
        for line in lines::commands_in(text) {
            checked += 1;
            wrong.extend(commands.check(&line).err().map(|why| format!("{file}: `{line}`: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(checked > 150, "only {checked} commands were found");
}

#[test]
fn a_search_leads_to_what_was_looked_for() {
    for (query, url) in [
        ("backups of instances", "/docs/operator/backups-of-instances"),
        ("instance down", "/docs/runbooks/instance-down"),
        ("what counts as use", "/docs/activity"),
        ("guessing a code", "/docs/security"),
        ("NewPot", "/docs/api/types#newpot"),
    ] {
        let page = BOOK.search(query, shell());
        let hits = page.split("<ol class=\"hits\">").nth(1).unwrap_or_else(|| panic!("{query}: nothing found"));
        let first = hits.split("href=\"").nth(1).unwrap();
        assert!(first.starts_with(url), "{query}: {}", &first[..60]);
    }
}

#[test]
fn a_search_shows_the_words_around_and_marks_them() {
    let page = BOOK.search("emergency door", shell());
    assert!(page.contains("<mark>emergency</mark>") || page.contains("<mark>Emergency</mark>"), "{page}");
    assert!(page.contains("role=\"status\""));
    assert_eq!(html::tags(&page).iter().filter(|tag| tag.name == "h1" && !tag.closing).count(), 1);
}

#[test]
fn a_search_for_nothing_or_in_vain_says_what_to_do() {
    assert!(BOOK.search("   ", shell()).contains("Enter a word or some"));
    let vain = BOOK.search("zyxwv", shell());
    assert!(vain.contains("No page has all of these words") && vain.contains("href=\"#contents\""));
}

#[test]
fn what_was_looked_for_is_never_read_as_markup() {
    for hostile in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "{{ 7*7 }}",
        "\u{202e}\u{0}x",
        &"a".repeat(9_999),
    ] {
        let pages = [BOOK.search(hostile, shell()), BOOK.missing(hostile, shell())];
        for page in pages {
            assert!(!page.contains("<script>") && !page.contains("<img"), "{hostile}");
            assert!(!page.contains('\u{0}') && page.len() < 60_000, "{hostile}");
        }
    }
}

#[test]
fn where_there_is_no_page_near_ones_are_offered() {
    assert!(BOOK.read("operator/backup", shell()).is_none());
    let page = BOOK.missing("operator/backup", shell());
    assert!(page.contains("There is no such page here"));
    assert!(page.contains("href=\"/docs/operator/backups-of-instances\""), "{page}");
    assert!(page.contains("value=\"operator backup\""), "the search is filled in");
    let nothing = BOOK.missing("zzz/..%2f", shell());
    assert!(nothing.contains("Go to the beginning") && !nothing.contains("Did you mean"));
}

#[test]
fn pictures_are_given_by_their_whole_name_only() {
    assert!(handbook::picture("screenshots/portal.png").unwrap().starts_with(b"\x89PNG"));
    for other in ["", "screenshots", "screenshots/", "screenshots/none.png", "../screenshots/portal.png", "operator"] {
        assert!(handbook::picture(other).is_none(), "{other}");
    }
}
