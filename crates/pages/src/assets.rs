use std::borrow::Cow;
use std::sync::LazyLock;

use crate::brand::Brand;

/// A file that pages refer to. Its address changes with its content, so it may be cached for ever.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Where pages look for it on the site, such as `/assets/site-<hash>.css`.
    pub path: String,
    /// Its content.
    pub bytes: Cow<'static, [u8]>,
    /// For the `Content-Type` header.
    pub content_type: &'static str,
    /// For the `ETag` header, quotes included.
    pub etag: String,
}

/// Where the site serves assets.
const SITE: &str = "/assets/";

/// Where the edge serves them on an instance's hostname, whose other paths belong to the application.
const EDGE: &str = "/cdn-cgi/access/assets/";

/// Where it serves them on a hostname on which somebody before it answers for all that begins with `/cdn-cgi/`.
pub const BESIDE_EDGE: &str = "/-/access/assets/";

/// Where pages at an instance's hostname look for assets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// Below the edge's own paths.
    Edge,
    /// Below [`BESIDE_EDGE`].
    BesideEdge,
}

static ALL: LazyLock<[Asset; 7]> = LazyLock::new(|| {
    [
        sheet_of("site", include_str!("../assets/site.css")),
        shared("site", "js", "text/javascript; charset=utf-8", include_bytes!("../assets/site.js")),
        shared("mark", "svg", "image/svg+xml", include_bytes!("../assets/mark.svg")),
        sheet_of("money", include_str!("../assets/money.css")),
        sheet_of("book", include_str!("../assets/book.css")),
        sheet_of("front", include_str!("../assets/front.css")),
        sheet_of("chart", include_str!("../assets/chart.css")),
    ]
});

/// All assets.
pub fn assets() -> &'static [Asset] {
    ALL.as_slice()
}

/// The asset at a request's path, be it below `/assets/` (site) or below
/// `/cdn-cgi/access/assets/` or [`BESIDE_EDGE`] (the edge's pages on any hostname).
pub fn asset(path: &str) -> Option<&'static Asset> {
    among(ALL.iter(), path)
}

/// The one of some assets that is at a request's path.
pub(crate) fn among<'a>(mut assets: impl Iterator<Item = &'a Asset>, path: &str) -> Option<&'a Asset> {
    let name = [SITE, EDGE, BESIDE_EDGE].into_iter().find_map(|base| path.strip_prefix(base))?;
    assets.find(|asset| asset.path.strip_prefix(SITE) == Some(name))
}

/// Addresses as templates write them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Links<'a> {
    base: &'static str,
    brand: &'a Brand,
}

impl<'a> Links<'a> {
    pub(crate) const fn site(brand: &'a Brand) -> Self {
        Self { base: SITE, brand }
    }

    pub(crate) const fn edge(brand: &'a Brand) -> Self {
        Self::on(Shelf::Edge, brand)
    }

    pub(crate) const fn on(shelf: Shelf, brand: &'a Brand) -> Self {
        match shelf {
            Shelf::Edge => Self { base: EDGE, brand },
            Shelf::BesideEdge => Self { base: BESIDE_EDGE, brand },
        }
    }

    pub(crate) fn css(self) -> String {
        self.link(&ALL[0])
    }

    /// The brand's own colours, after the other one.
    pub(crate) fn brand_css(self) -> Option<String> {
        self.brand.sheet().map(|sheet| self.link(sheet))
    }

    pub(crate) fn js(self) -> String {
        self.link(&ALL[1])
    }

    /// For the browser's tab.
    pub(crate) fn mark(self) -> String {
        self.own_mark().unwrap_or_else(|| self.link(&ALL[2]))
    }

    /// The brand's own mark, where it has one.
    pub(crate) fn own_mark(self) -> Option<String> {
        self.brand.mark().map(|mark| self.link(mark))
    }

    /// The brand's own picture, where it has one.
    pub(crate) fn picture(self) -> Option<String> {
        self.brand.picture().map(|picture| self.link(picture))
    }

    /// For pages about money, after the other one.
    pub(crate) fn money_css(self) -> String {
        self.link(&ALL[3])
    }

    /// For what strangers read, after the site's.
    pub(crate) fn front_css(self) -> String {
        self.link(&ALL[5])
    }

    /// For pages of the documentation, after the site's.
    pub(crate) fn book_css(self) -> String {
        self.link(&ALL[4])
    }

    /// For pages with charts, after the site's.
    pub(crate) fn chart_css(self) -> String {
        self.link(&ALL[6])
    }

    fn link(self, asset: &Asset) -> String {
        asset.path.replacen(SITE, self.base, 1)
    }
}

/// A style sheet, without what only people need.
pub(crate) fn sheet_of(stem: &str, css: &str) -> Asset {
    hashed(stem, "css", "text/css; charset=utf-8", squeeze(css).into_bytes().into())
}

fn shared(stem: &str, extension: &str, content_type: &'static str, bytes: &'static [u8]) -> Asset {
    hashed(stem, extension, content_type, bytes.into())
}

pub(crate) fn hashed(stem: &str, extension: &str, content_type: &'static str, bytes: Cow<'static, [u8]>) -> Asset {
    let hash = fnv1a(&bytes);
    let path = format!("{SITE}{stem}-{hash:016x}.{extension}");
    Asset { path, bytes, content_type, etag: format!("\"{hash:016x}\"") }
}

/// Styles without comments and without the space that only people need. The sheet keeps to what
/// this understands: no comment marks and no braces within quotes.
fn squeeze(css: &str) -> String {
    let mut squeezed = String::with_capacity(css.len());
    for (index, part) in css.split("/*").enumerate() {
        let code = if index == 0 { part } else { part.split_once("*/").map_or("", |(_, after)| after) };
        for word in code.split_whitespace() {
            let glued = squeezed.ends_with(['{', '}', ';', ':', ',']) || word.starts_with(['{', '}']);
            if !glued && !squeezed.is_empty() {
                squeezed.push(' ');
            }
            squeezed.push_str(word);
        }
    }
    squeezed
}

/// FNV-1a, 64 bits: tells versions of our own files apart, which needs no cryptography.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squeezed_styles_say_the_same() {
        let css =
            "/* one */\na :is(b, c) > d { color: red; margin: 0 1px; }\n@media (x) { a { b: c(1 + 2); } } /* two */";
        assert_eq!(squeeze(css), "a :is(b,c) > d{color:red;margin:0 1px;}@media (x){a{b:c(1 + 2);}}");
    }
}
