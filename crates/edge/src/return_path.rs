use access::protocol::EDGE_PATHS;
use url::form_urlencoded::byte_serialize;

/// Where a visitor goes after signing in: a path of the hostname they signed in to, never another
/// place, since a link to our own sign-in page must not be able to lead to somebody else's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReturnPath(String);

/// Longer ones make no sense and would not fit into a header everywhere.
const MOST_BYTES: usize = 2_048;

impl ReturnPath {
    /// Takes what a link asked for, or the front page when that is anything but a plain path.
    pub(crate) fn or_front_page(wanted: &str) -> Self {
        // Browsers read a backslash as a slash and drop tabs and line ends, so that all of these
        // could turn a path into another host.
        let is_plain = wanted.len() <= MOST_BYTES
            && wanted.starts_with('/')
            && !wanted.starts_with("//")
            && wanted.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        // Returning to signing in or out would go round in a circle, or out again.
        let is_ours = wanted.starts_with(EDGE_PATHS);
        Self(if is_plain && !is_ours { wanted } else { "/" }.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// `path` with this as its `redirect_url`.
    pub(crate) fn carried_by(&self, path: &str) -> String {
        let encoded: String = byte_serialize(self.0.as_bytes()).collect();
        format!("{path}?redirect_url={encoded}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_this_hostname_is_kept() {
        for path in ["/", "/visions?sort=name&page=2", "/a%20b#c", "/x?u=https://evil.example/"] {
            assert_eq!(ReturnPath::or_front_page(path).as_str(), path);
        }
    }

    #[test]
    fn any_other_place_becomes_the_front_page() {
        for place in [
            "",
            "visions",
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example/",
            "\\\\evil.example",
            "/\t/evil.example/",
            "/\n/evil.example",
            "/x\r\nSet-Cookie: a=b",
            "javascript:alert(1)",
            " /x",
            "/\u{e4}",
            "/cdn-cgi/access/logout",
        ] {
            assert_eq!(ReturnPath::or_front_page(place).as_str(), "/", "{place:?}");
        }
        assert_eq!(ReturnPath::or_front_page(&format!("/{}", "a".repeat(3_000))).as_str(), "/");
    }

    #[test]
    fn it_travels_in_a_query_unharmed() {
        let link = ReturnPath::or_front_page("/a?b=c&d=e%20f").carried_by("/login");
        assert_eq!(link, "/login?redirect_url=%2Fa%3Fb%3Dc%26d%3De%2520f");
    }
}
