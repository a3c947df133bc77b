//! What holds for every page, whatever it is filled with.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod html;
mod samples;

use std::collections::BTreeSet;

use html::Tag;
use samples::{Fill, HOSTILE, Sample};

const FILLS: [Fill; 3] = [Fill::Typical, Fill::Empty, Fill::Hostile];

fn each_page(mut check: impl FnMut(&Sample, &[Tag])) {
    for fill in FILLS {
        for sample in samples::all(fill) {
            let tags = html::tags(&sample.html);
            check(&sample, &tags);
        }
    }
}

fn is_mail(sample: &Sample) -> bool {
    sample.name.starts_with("mail-")
}

#[test]
fn no_input_is_ever_read_as_markup() {
    let mut shown = 0;
    each_page(|sample, tags| {
        assert!(!sample.html.contains("<script>"), "{}", sample.name);
        assert!(!sample.html.contains("<img"), "{}", sample.name);
        assert!(!sample.html.contains(&HOSTILE[..20]), "{}", sample.name);
        assert!(!tags.iter().any(|tag| tag.get("onerror").is_some()), "{}", sample.name);
        shown += usize::from(sample.html.contains("&#60;script&#62;alert(1)&#60;/script&#62;&#34;&#39;&#62;"));
    });
    assert!(shown > 30, "hostile input was shown, escaped, on {shown} pages only");
}

#[test]
fn hostile_input_changes_no_structure() {
    let shape = |tags: &[Tag]| tags.iter().map(|tag| (tag.name.clone(), tag.closing)).collect::<Vec<_>>();
    for (typical, hostile) in samples::all(Fill::Typical).into_iter().zip(samples::all(Fill::Hostile)) {
        let (expected, found) = (html::tags(&typical.html), html::tags(&hostile.html));
        // Only the reader's own row says "(you)", and only for an address that is an address.
        assert_eq!(shape(&expected), shape(&found), "{}", typical.name);
    }
}

#[test]
fn nothing_runs_or_is_styled_inline() {
    each_page(|sample, tags| {
        for tag in tags {
            let inline = tag.attributes.keys().find(|key| key.starts_with("on"));
            assert!(inline.is_none(), "{}: {tag:?}", sample.name);
            assert!(tag.name != "script" || tag.closing || tag.get("src").is_some(), "{}", sample.name);
            if !is_mail(sample) {
                assert!(tag.name != "style" && tag.get("style").is_none(), "{}: {tag:?}", sample.name);
            }
        }
    });
}

#[test]
fn every_asset_that_a_page_names_exists_and_nothing_comes_from_elsewhere() {
    let mut seen = BTreeSet::new();
    each_page(|sample, tags| {
        for tag in tags.iter().filter(|tag| ["link", "script", "img", "iframe", "source"].contains(&tag.name.as_str()))
        {
            // A feed is no part of the page.
            if tag.get("rel") == Some("alternate") {
                continue;
            }
            for address in [tag.get("href"), tag.get("src")].into_iter().flatten() {
                assert!(!address.contains("//"), "{}: {address}", sample.name);
                if tag.name != "iframe" {
                    let asset = pages::asset(address).unwrap_or_else(|| panic!("{}: {address}", sample.name));
                    seen.insert(asset.path.clone());
                }
            }
        }
        let own = tags.iter().filter(|tag| tag.get("href").is_some_and(|href| href.contains("/assets/"))).count();
        let second = |href: &str| {
            ["money", "book", "front", "chart"].iter().any(|sheet| href.starts_with(&format!("/assets/{sheet}-")))
        };
        let has_second = tags.iter().any(|tag| tag.get("href").is_some_and(second));
        let expected = 2 + usize::from(has_second);
        assert!(is_mail(sample) || own == expected, "{} has its style and its icon", sample.name);
    });
    assert_eq!(seen.len(), pages::assets().len(), "an asset that no page names");
}

#[test]
fn every_field_has_a_label_and_every_reference_a_target() {
    each_page(|sample, tags| {
        let ids = tags.iter().filter_map(|tag| tag.get("id")).collect::<Vec<_>>();
        let unique = ids.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(ids.len(), unique.len(), "{}: an id stands twice", sample.name);
        let labelled =
            tags.iter().filter_map(|tag| tag.get("for")).flat_map(str::split_whitespace).collect::<BTreeSet<_>>();
        for attribute in ["for", "aria-describedby", "aria-labelledby"] {
            for target in tags.iter().filter_map(|tag| tag.get(attribute)).flat_map(str::split_whitespace) {
                assert!(unique.contains(target), "{}: {attribute} names {target}", sample.name);
            }
        }
        for anchor in tags.iter().filter_map(|tag| tag.get("href")?.strip_prefix('#')) {
            assert!(unique.contains(anchor), "{}: #{anchor} leads nowhere", sample.name);
        }
        for input in tags.iter().filter(|tag| tag.name == "input" && tag.get("type") != Some("hidden")) {
            let named = input.get("id").is_some_and(|id| labelled.contains(id)) || input.get("aria-label").is_some();
            assert!(named, "{}: {input:?}", sample.name);
        }
    });
}

#[test]
fn every_page_is_whole_and_says_what_it_is() {
    each_page(|sample, tags| {
        assert!(sample.html.starts_with("<!doctype html>"), "{}", sample.name);
        let count = |name: &str, closing| tags.iter().filter(|tag| tag.name == name && tag.closing == closing).count();
        assert!(tags.iter().any(|tag| tag.name == "html" && tag.get("lang") == Some("en")), "{}", sample.name);
        for once in ["html", "head", "body"] {
            assert_eq!((count(once, false), count(once, true)), (1, 1), "{}: {once}", sample.name);
        }
        // Parts of a picture have titles of their own.
        let head = tags.iter().take_while(|tag| tag.name != "body");
        assert_eq!(head.filter(|tag| tag.name == "title").count(), 2, "{}: title", sample.name);
        for paired in
            ["div", "section", "form", "p", "ul", "ol", "li", "table", "tr", "td", "a", "nav", "fieldset", "span"]
        {
            assert_eq!(count(paired, false), count(paired, true), "{}: {paired}", sample.name);
        }
        if !is_mail(sample) {
            assert_eq!(count("main", false), 1, "{}", sample.name);
            let headings = count("h1", false);
            assert!(headings == 1 || (headings == 5 && sample.name.starts_with("progress")), "{}", sample.name);
        }
        assert!(sample.html.len() < 100_000, "{} has {} bytes", sample.name, sample.html.len());
    });
}

#[test]
fn the_current_place_is_marked_once() {
    for sample in samples::all(Fill::Typical) {
        let tags = html::tags(&sample.html);
        let here = tags.iter().filter(|tag| tag.get("aria-current") == Some("page")).collect::<Vec<_>>();
        let expected = ["portal", "console"].iter().any(|area| sample.name.starts_with(area))
            || sample.name == "pricing"
            || sample.name == "getting-started";
        // The documentation has a table of contents beside the site's navigation.
        let most = if sample.name.starts_with("book-") { 2 } else { 1 };
        assert!(here.len() <= most, "{}", sample.name);
        assert!(!expected || here.len() == 1, "{}", sample.name);
    }
}

#[test]
fn a_card_is_never_given_back() {
    for sample in samples::all(Fill::Typical).iter().filter(|sample| sample.name.starts_with("signup")) {
        for input in
            html::tags(&sample.html).iter().filter(|tag| tag.get("name").is_some_and(|name| name.starts_with("card_")))
        {
            assert_eq!(input.get("value"), Some(""), "{input:?}");
        }
    }
}

#[test]
fn a_progress_page_without_a_script_reloads_itself_until_the_end() {
    for sample in samples::all(Fill::Typical).iter().filter(|sample| sample.name.starts_with("progress")) {
        let reloads = sample.html.contains("<noscript><meta http-equiv=\"refresh\"");
        let over =
            ["progress-done", "progress-failed", "progress-deleted", "progress-order-failed"].contains(&sample.name);
        assert_eq!(reloads, !over, "{}", sample.name);
    }
}

#[test]
fn a_rollout_is_looked_at_again_for_as_long_as_it_is_open() {
    for sample in samples::all(Fill::Typical).iter().filter(|sample| sample.name.starts_with("console-rollout-")) {
        let reloads = sample.html.contains("<noscript><meta http-equiv=\"refresh\"");
        let open = ["console-rollout-running", "console-rollout-halted"].contains(&sample.name);
        assert_eq!(reloads, open, "{}", sample.name);
        assert_eq!(sample.html.contains("data-reload"), open, "{}", sample.name);
    }
}

#[test]
fn a_mail_is_framed_without_the_right_to_run_anything() {
    let page = samples::all(Fill::Typical).into_iter().find(|sample| sample.name == "mailbox-message").unwrap();
    let frame = html::tags(&page.html).into_iter().find(|tag| tag.name == "iframe").unwrap();
    let allowed = frame.get("sandbox").unwrap();
    assert!(!allowed.contains("scripts") && !allowed.contains("same-origin") && !allowed.contains("top-navigation"));
}

#[test]
fn the_feed_is_xml_in_which_nothing_that_was_entered_is_markup() {
    for fill in FILLS {
        let feed = samples::status::feed(fill).render();
        assert!(
            feed.starts_with(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">"
            )
        );
        let known =
            ["?xml", "feed", "title", "id", "link", "author", "name", "updated", "entry", "published", "content"];
        for tag in feed.split('<').skip(1) {
            let name = tag.trim_start_matches('/').split([' ', '>', '/']).next().unwrap();
            assert!(known.contains(&name), "{name} in {feed}");
        }
        let entries = feed.matches("<entry>").count();
        assert_eq!(entries, if fill == Fill::Empty { 0 } else { 1 });
    }
}
