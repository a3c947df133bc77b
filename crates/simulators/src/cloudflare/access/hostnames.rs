//! Which application a request belongs to: the most specific one, and nothing is inherited.

/// A hostname with perhaps a path, and one `*` in each part of them at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    labels: Vec<String>,
    segments: Vec<String>,
}

impl Pattern {
    /// `None` for what can't be protected: with a port, a query, two stars in a part, or no hostname.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (host, path) = text.split_once('/').unwrap_or((text, ""));
        let labels: Vec<String> = host.to_ascii_lowercase().split('.').map(str::to_owned).collect();
        let segments: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let is_label = |part: &String| {
            let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_*".contains(&byte);
            !part.is_empty() && part.bytes().all(is_known)
        };
        let is_one_star = |part: &String| part.matches('*').count() <= 1;
        let is_good = labels.len() > 1
            && labels.iter().all(is_label)
            && labels.iter().chain(&segments).all(is_one_star)
            && !path.contains(['?', '#']);
        is_good.then_some(Self { labels, segments })
    }

    /// Whether it lies in a zone.
    pub(super) fn is_in(&self, zone: &str) -> bool {
        let host = self.labels.join(".");
        host == zone || host.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'))
    }

    /// How well it covers an address, or `None` when it doesn't. More is more specific.
    pub(super) fn covers(&self, hostname: &str, path: &str) -> Option<(usize, usize)> {
        let labels: Vec<String> = hostname.to_ascii_lowercase().split('.').map(str::to_owned).collect();
        let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let is_covered = labels.len() == self.labels.len()
            && self.labels.iter().zip(&labels).all(|(wanted, given)| fits(wanted, given))
            && segments.len() >= self.segments.len()
            && self.segments.iter().zip(&segments).all(|(wanted, given)| fits(wanted, given));
        is_covered.then(|| {
            (self.labels.iter().map(|label| literal(label)).sum(), {
                self.segments.iter().map(|segment| 1 + literal(segment)).sum()
            })
        })
    }
}

fn literal(part: &str) -> usize {
    part.bytes().filter(|byte| *byte != b'*').count()
}

fn fits(wanted: &str, given: &str) -> bool {
    match wanted.split_once('*') {
        None => wanted == given,
        Some((start, end)) => {
            given.len() >= start.len() + end.len() && given.starts_with(start) && given.ends_with(end)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_star_covers_one_level_and_the_most_specific_pattern_wins() {
        let all = Pattern::parse("*.ai-diy.ai").unwrap();
        let health = Pattern::parse("*.ai-diy.ai/healthz").unwrap();
        let acme = Pattern::parse("acme.ai-diy.ai").unwrap();
        assert!(all.covers("acme.ai-diy.ai", "/x").is_some());
        for apart in ["ai-diy.ai", "a.acme.ai-diy.ai", "acme.example"] {
            assert_eq!(all.covers(apart, "/"), None, "{apart}");
        }
        assert!(health.covers("acme.ai-diy.ai", "/healthz") > all.covers("acme.ai-diy.ai", "/healthz"));
        assert_eq!(health.covers("acme.ai-diy.ai", "/healthzz"), None);
        assert!(acme.covers("acme.ai-diy.ai", "/") > health.covers("acme.ai-diy.ai", "/healthz"));
        for bad in ["acme.ai-diy.ai:443", "a**.ai-diy.ai", "localhost", "acme.ai-diy.ai/x?y"] {
            assert_eq!(Pattern::parse(bad), None, "{bad}");
        }
    }
}
