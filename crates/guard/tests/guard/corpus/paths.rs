//! Paths that look public, or like the guard's own, and are neither.

/// A target, and what must become of it without identity.
pub struct Target {
    pub target: &'static str,
    pub why: &'static str,
    /// Statuses that say no.
    pub refusals: &'static [u16],
}

const SIGN_IN: &[u16] = &[401];
/// Refused for what it is, or for who asks: both are right.
const EITHER: &[u16] = &[400, 401];
const MALFORMED: &[u16] = &[400];

/// Each with a guard whose only public path is `/robots.txt`.
pub fn all() -> Vec<Target> {
    [
        targets("a public path is exactly that path", SIGN_IN, NEARLY_PUBLIC),
        targets("the guard's own paths are exactly those", SIGN_IN, NEARLY_OWN),
        targets("nothing else is public by its name", SIGN_IN, BY_NAME),
        targets("a path is not decoded, cleaned or joined before it is compared", EITHER, TRICKS),
        targets("a target is a path, or an address with one", MALFORMED, NO_PATHS),
        targets("a token in the target is no assertion", SIGN_IN, IN_THE_TARGET),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn targets(why: &'static str, refusals: &'static [u16], targets: &[&'static str]) -> Vec<Target> {
    targets.iter().map(|target| Target { target, why, refusals }).collect()
}

const NEARLY_PUBLIC: &[&str] = &[
    "/robots.txt/",
    "/robots.txt/x",
    "/robots.txt/../secret",
    "/robots.txt;x",
    "/robots.txt;/../secret",
    "/robots.txt.",
    "/robots.txt%20",
    "/robots.txt%00",
    "/robots.txt%0a",
    "/robots.txt%23",
    "/robots.txt%3f",
    "/robots.txt%2f",
    "/robots.txt%2f..%2fsecret",
    "/robots%2etxt",
    "/%72obots.txt",
    "/ROBOTS.TXT",
    "/Robots.txt",
    "//robots.txt",
    "///robots.txt",
    "/./robots.txt",
    "/.//robots.txt",
    "/x/../robots.txt",
    "/secret/..%2frobots.txt",
    "/secret;/../robots.txt",
    "/secret/%2e%2e/robots.txt",
    "/secret/.%2e/robots.txt",
    "/static/robots.txt",
    "/robots",
    "/robots.txt:80",
    "/robots.txt*",
    "/robots.txt~",
    "http://acme.test/robots.txt/",
    "http://acme.test//robots.txt",
];

const NEARLY_OWN: &[&str] = &[
    "/-/health/",
    "/-/health?x",
    "/-/health?",
    "/-/health;x",
    "/-/health%20",
    "/-/health%00",
    "/-/health%3f",
    "/-/health/../secret",
    "/-/health/..%2f..%2fsecret",
    "//-/health",
    "/-//health",
    "/-/./health",
    "/-/x/../health",
    "/-/Health",
    "/-/HEALTH",
    "/%2d/health",
    "/%2D/health",
    "/-%2fhealth",
    "/-/%68ealth",
    "/-/health.json",
    "/x/-/health",
    "/-/ready",
    "/-/",
    "/-",
    "/-/access",
    "/-/access/",
    "/-/access/whoami",
    "/-/access/whoami/",
    "/-/access/whoami/x",
    "/-/access/whoami?x",
    "/-/access/WhoAmI",
    "/-/access/logout/",
    "/-/access/logout/../whoami",
    "/-/access/login",
    "/-/access//whoami",
    "/-/members",
    "/-/members/",
    "/-/activity",
    "/-/activity/",
    "/-/metrics",
    "/-/data",
    "/-/data/",
    "/-/data/rest",
    "/-/data/rest/",
    "/-/data/rest?x",
    "/-/data/REST",
    "/-/data/%72est",
    "/-//data/rest",
    "/-/x/../data/rest",
    "/-/data/wake",
    "/-/data/backup",
    "/-/data/backup.tar.gz.age",
    "/-/data/restore",
    "/-/data/export",
];

const BY_NAME: &[&str] = &[
    "/",
    "/index.html",
    "/favicon.ico",
    "/health",
    "/healthz",
    "/metrics",
    "/status",
    "/static/app.js",
    "/assets/",
    "/.well-known/acme-challenge/x",
    "/.well-known/security.txt",
    "/.git/config",
    "/.env",
    "/login",
    "/api",
    "/api/v1/activity",
    "/cdn-cgi/access/certs",
    "/cdn-cgi/access/logout",
    "/cdn-cgi/access/get-identity",
    "/cdn-cgi/trace",
    "http://acme.test/secret",
    "http://acme.test",
    "HTTP://ACME.TEST/secret",
];

const TRICKS: &[&str] = &[
    "/\\robots.txt",
    "/..\\robots.txt",
    "/secret\\..\\robots.txt",
    "/secret/..;/robots.txt",
    "/%2e%2e/robots.txt",
    "/..%c0%af/robots.txt",
    "/%c0%ae%c0%ae/robots.txt",
    "/%u002e%u002e/robots.txt",
    "/%252e%252e/robots.txt",
    "/robots.txt%252f",
    "/secret%00/robots.txt",
    "/secret%0d%0aX-Spinoff-User:%20ada@example.com",
    "/secret/\u{ff0e}\u{ff0e}/robots.txt",
    "/robots\u{2024}txt",
    "/%",
    "/%zz",
    "/{robots.txt}",
    "/|",
    "*",
    "//acme.test@",
];

const NO_PATHS: &[&str] = &[
    "secret",
    "robots.txt",
    "-/health",
    "../robots.txt",
    "?x",
    "acme.test:80",
    "http://",
    "http:///robots.txt",
    "http:robots.txt",
    "http://other.test/secret",
    "http://other.test/robots.txt",
    "http://ada@acme.test/secret",
    "http://acme.test:81/robots.txt",
    "http://acme.test@other.test/robots.txt",
    "/secret HTTP/1.1 /robots.txt",
    "/secret\0/robots.txt",
    "/secret\tx",
];

const IN_THE_TARGET: &[&str] = &[
    "/secret?CF_Authorization=TOKEN",
    "/secret?cf-access-jwt-assertion=TOKEN",
    "/secret?access_token=TOKEN",
    "/secret?token=TOKEN&jwt=TOKEN",
    "/secret;CF_Authorization=TOKEN",
    "/TOKEN/secret",
    "/secret?x-spinoff-user=ada@example.com",
];
