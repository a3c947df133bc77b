//! Requests whose headers should open the door, and must not.

use serde_json::json;

use super::scene::Scene;
use crate::support::{ADA, Forge, bearer};

/// Header lines, what must become of a request that has them, and why.
pub struct Lines {
    pub what: &'static str,
    pub why: &'static str,
    pub status: u16,
    pub method: &'static str,
    pub lines: Vec<String>,
}

struct Pen<'s> {
    forge: &'s Forge,
    ada: String,
    eve: String,
}

impl Pen<'_> {
    fn cookie(token: &str) -> String {
        format!("Cookie: CF_Authorization={token}")
    }

    fn other(&self) -> String {
        self.forge.token_with_nonce(ADA, 7)
    }
}

pub fn all(scene: &Scene) -> Vec<Lines> {
    let forge = scene.forge();
    let pen = Pen { forge, ada: forge.token(ADA), eve: forge.token("eve@example.com") };
    [
        nothing(),
        two(&pen),
        elsewhere(&pen),
        cookies(&pen),
        hidden_cookies(&pen),
        claims(),
        hops(&pen),
        upgrades(&pen),
        methods(),
        malformed(&pen),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Rows that share a reason and a status.
fn rows<const COUNT: usize>(why: &'static str, status: u16, rows: [(&'static str, Vec<String>); COUNT]) -> Vec<Lines> {
    rows.into_iter().map(|(what, lines)| Lines { what, why, status, method: "GET", lines }).collect()
}

fn nothing() -> Vec<Lines> {
    rows(
        "whoever brings no assertion is nobody",
        401,
        [
            ("nothing", vec![]),
            ("an empty header", vec!["Cf-Access-Jwt-Assertion:".into()]),
            ("a header of spaces", vec!["Cf-Access-Jwt-Assertion:    ".into()]),
            ("an empty cookie", vec!["Cookie: CF_Authorization=".into()]),
            ("a cookie without a value", vec!["Cookie: CF_Authorization".into()]),
        ],
    )
}

fn two(pen: &Pen<'_>) -> Vec<Lines> {
    let (ada, eve, other) = (&pen.ada, &pen.eve, pen.other());
    let mut all = rows(
        "two assertions are two claims, and one that does not verify is not rescued by another",
        401,
        [
            ("the same header twice", vec![bearer(ada), bearer(ada)]),
            ("two headers, both Ada's", vec![bearer(ada), bearer(&other)]),
            ("Ada's header, then Eve's", vec![bearer(ada), bearer(eve)]),
            ("Eve's header, then Ada's", vec![bearer(eve), bearer(ada)]),
            ("an empty header after Ada's", vec![bearer(ada), bearer("")]),
            ("an empty header before Ada's", vec![bearer(""), bearer(ada)]),
            ("two spellings of the header", vec![bearer(ada), format!("CF-ACCESS-JWT-ASSERTION: {eve}")]),
            ("two in one header", vec![bearer(&format!("{ada},{other}"))]),
            ("two in one header, with a space", vec![bearer(&format!("{ada}, {ada}"))]),
            ("a bad header and Ada's cookie", vec![bearer("x.y.z"), Pen::cookie(ada)]),
            ("an empty header and Ada's cookie", vec![bearer(""), Pen::cookie(ada)]),
            ("an expired header and Ada's cookie", vec![bearer(&pen.forge.with("exp", json!(1))), Pen::cookie(ada)]),
            ("the same cookie twice", vec![format!("{0}; CF_Authorization={ada}", Pen::cookie(ada))]),
            ("a bad cookie after Ada's", vec![format!("{}; CF_Authorization=x", Pen::cookie(ada))]),
            ("a bad cookie before Ada's", vec![format!("Cookie: CF_Authorization=x; CF_Authorization={ada}")]),
            ("an empty cookie before Ada's", vec![format!("Cookie: CF_Authorization=; CF_Authorization={ada}")]),
            ("two headers with cookies", vec![Pen::cookie(ada), Pen::cookie("x")]),
            ("two headers with cookies, Ada's last", vec![Pen::cookie("x"), Pen::cookie(ada)]),
            ("a bad cookie and Ada as a bearer", vec![Pen::cookie("x"), format!("Authorization: Bearer {ada}")]),
        ],
    );
    all.extend(rows(
        "the header counts before the cookie",
        403,
        [("Eve's header and Ada's cookie", vec![bearer(eve), Pen::cookie(ada)])],
    ));
    all
}

fn elsewhere(pen: &Pen<'_>) -> Vec<Lines> {
    let ada = &pen.ada;
    rows(
        "an assertion counts in its own header and in its own cookie, and nowhere else",
        401,
        [
            ("Authorization: Bearer", vec![format!("Authorization: Bearer {ada}")]),
            ("Authorization: JWT", vec![format!("Authorization: JWT {ada}")]),
            ("Authorization without a scheme", vec![format!("Authorization: {ada}")]),
            ("Proxy-Authorization", vec![format!("Proxy-Authorization: Bearer {ada}")]),
            ("Authorization: Basic", vec!["Authorization: Basic YWRhOmFkYQ==".into()]),
            ("a scheme in the header", vec![bearer(&format!("Bearer {ada}"))]),
            ("quotes in the header", vec![bearer(&format!("\"{ada}\""))]),
            ("underscores for hyphens", vec![format!("Cf_Access_Jwt_Assertion: {ada}")]),
            ("one underscore", vec![format!("Cf-Access-Jwt_Assertion: {ada}")]),
            ("the name that scripts see", vec![format!("HTTP_CF_ACCESS_JWT_ASSERTION: {ada}")]),
            ("a name that begins like it", vec![format!("Cf-Access-Jwt-Assertion-2: {ada}")]),
            ("a name that ends like it", vec![format!("X-Cf-Access-Jwt-Assertion: {ada}")]),
            ("the tokens of a client", vec![format!("Cf-Access-Token: {ada}")]),
            (
                "the id and secret of a service",
                vec!["Cf-Access-Client-Id: deploy.access".into(), format!("Cf-Access-Client-Secret: {ada}")],
            ),
            ("a cookie header of the past", vec![format!("Cookie2: CF_Authorization={ada}")]),
            ("a cookie as an answer sets it", vec![format!("Set-Cookie: CF_Authorization={ada}")]),
            ("the protocol of a WebSocket", vec![format!("Sec-WebSocket-Protocol: {ada}")]),
            ("the page it comes from", vec![format!("Referer: http://acme.test/?CF_Authorization={ada}")]),
            ("trailers", vec!["Trailer: Cf-Access-Jwt-Assertion".into()]),
        ],
    )
}

fn cookies(pen: &Pen<'_>) -> Vec<Lines> {
    let ada = &pen.ada;
    rows(
        "a cookie is known by its exact name, and its value is the token and nothing more",
        401,
        [
            ("a longer name", vec![format!("Cookie: CF_Authorization2={ada}")]),
            ("a prefix of browsers", vec![format!("Cookie: __Host-CF_Authorization={ada}")]),
            ("another prefix of browsers", vec![format!("Cookie: __Secure-CF_Authorization={ada}")]),
            ("a letter before it", vec![format!("Cookie: xCF_Authorization={ada}")]),
            ("other letters", vec![format!("Cookie: cf_authorization={ada}")]),
            ("capitals", vec![format!("Cookie: CF_AUTHORIZATION={ada}")]),
            ("a percent-encoded name", vec![format!("Cookie: CF%5FAuthorization={ada}")]),
            ("a percent-encoded equals sign", vec![format!("Cookie: CF_Authorization%3d{ada}")]),
            ("a name that ends percent-encoded", vec![format!("Cookie: CF_Authorization%3d={ada}")]),
            ("a hyphen", vec![format!("Cookie: CF-Authorization={ada}")]),
            ("a dollar sign", vec![format!("Cookie: $CF_Authorization={ada}")]),
            ("as a list", vec![format!("Cookie: CF_Authorization[]={ada}")]),
            ("a space before the equals sign", vec![format!("Cookie: CF_Authorization ={ada}")]),
            ("a space after the equals sign", vec![format!("Cookie: CF_Authorization= {ada}")]),
            ("quotes", vec![format!("Cookie: CF_Authorization=\"{ada}\"")]),
            ("two equals signs", vec![format!("Cookie: CF_Authorization=={ada}")]),
            ("a scheme", vec![format!("Cookie: CF_Authorization=Bearer {ada}")]),
            ("percent-encoded dots", vec![format!("Cookie: CF_Authorization={}", ada.replace('.', "%2e"))]),
            ("an attribute in its value", vec![format!("Cookie: CF_Authorization={ada},Path=/")]),
            ("the application's session", vec![format!("Cookie: CF_AppSession={ada}")]),
        ],
    )
}

fn hidden_cookies(pen: &Pen<'_>) -> Vec<Lines> {
    let ada = &pen.ada;
    rows(
        "cookies are parted by semicolons, and by nothing else; quotes hide none",
        401,
        [
            ("behind a comma", vec![format!("Cookie: a=1, CF_Authorization={ada}")]),
            ("behind an ampersand", vec![format!("Cookie: a=1&CF_Authorization={ada}")]),
            ("behind a space", vec![format!("Cookie: a=1 CF_Authorization={ada}")]),
            ("within quotes", vec![format!("Cookie: a=\"; CF_Authorization={ada}\"")]),
            ("within another's value", vec![format!("Cookie: a=CF_Authorization={ada}")]),
            ("a version before it", vec![format!("Cookie: $Version=1, CF_Authorization={ada}")]),
        ],
    )
}

fn claims() -> Vec<Lines> {
    let says = |line: &str| vec![line.to_owned()];
    rows(
        "what a client says about itself is no proof",
        401,
        [
            ("our own header", says("X-Spinoff-User: ada@example.com")),
            ("our own header with underscores", says("X_Spinoff_User: ada@example.com")),
            ("our own id", says("X-Spinoff-User-Id: usr-1")),
            ("the edge's header", says("Cf-Access-Authenticated-User-Email: ada@example.com")),
            ("a user of a proxy", says("X-Forwarded-User: ada@example.com")),
            ("an address of a proxy", says("X-Forwarded-Email: ada@example.com")),
            ("a proxy's sign-in", says("X-Auth-Request-Email: ada@example.com")),
            ("a remote user", says("Remote-User: ada@example.com")),
            ("this machine as the source", says("X-Forwarded-For: 127.0.0.1")),
            ("this machine as the real source", says("X-Real-IP: 127.0.0.1")),
            ("this machine as the edge sees it", says("Cf-Connecting-Ip: 127.0.0.1")),
            ("this machine in the standard's words", says("Forwarded: for=127.0.0.1;by=127.0.0.1;host=localhost")),
            ("another host before it", says("X-Forwarded-Host: localhost")),
            ("a public address as the original", says("X-Original-URL: /robots.txt")),
            ("a public address to rewrite to", says("X-Rewrite-URL: /-/health")),
            ("a public address before a proxy", says("X-Forwarded-Uri: /robots.txt")),
            ("a public prefix", says("X-Forwarded-Prefix: /-/health")),
            ("the origin", says("Origin: http://acme.test")),
            ("a health probe's name", says("User-Agent: spinoff-guard health probe")),
            ("another method", says("X-HTTP-Method-Override: OPTIONS")),
            ("another method in another header", says("X-Method-Override: GET")),
            ("an internal request", says("X-Internal: true")),
        ],
    )
}

fn hops(pen: &Pen<'_>) -> Vec<Lines> {
    let (ada, bad) = (&pen.ada, pen.forge.with("aud", json!("other")));
    rows(
        "`Connection` removes headers for the next hop, after this one has judged them",
        401,
        [
            ("a bad header to be removed", vec![bearer(&bad), "Connection: Cf-Access-Jwt-Assertion".into()]),
            (
                "a bad header to be removed, and Ada's cookie",
                vec![bearer(&bad), "Connection: cf-access-jwt-assertion".into(), Pen::cookie(ada)],
            ),
            (
                "one of two to be removed",
                vec![bearer(ada), bearer(&bad), "Connection: close, Cf-Access-Jwt-Assertion".into()],
            ),
            ("Ada as a user, kept", vec!["X-Spinoff-User: ada@example.com".into(), "Connection: keep-alive".into()]),
            ("an old name of it", vec![bearer(&bad), "Proxy-Connection: Cf-Access-Jwt-Assertion".into()]),
        ],
    )
}

fn upgrades(pen: &Pen<'_>) -> Vec<Lines> {
    let bad = bearer(&pen.forge.with("aud", json!("other")));
    let socket = [
        "Connection: upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    .map(str::to_owned);
    let with_bad = [vec![bad.clone()], socket.to_vec()].concat();
    let h2c = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"]
        .map(str::to_owned)
        .to_vec();
    rows(
        "another protocol is behind the same door",
        401,
        [
            ("a WebSocket by nobody", socket.to_vec()),
            ("a WebSocket with a bad token", with_bad),
            ("HTTP/2 by upgrade", h2c),
            ("TLS by upgrade", vec!["Connection: upgrade".into(), "Upgrade: TLS/1.2".into()]),
        ],
    )
}

fn methods() -> Vec<Lines> {
    let why = "nobody may do anything, however harmless it sounds";
    let methods = ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "PROPFIND", "PURGE", "QUERY", "get", "ANYTHING"];
    let lines = ["Origin: http://evil.example".to_owned(), "Access-Control-Request-Method: GET".to_owned()];
    methods.map(|method| Lines { what: method, why, status: 401, method, lines: lines.to_vec() }).into()
}

fn malformed(pen: &Pen<'_>) -> Vec<Lines> {
    let ada = &pen.ada;
    rows(
        "a header that servers read differently is read by none",
        400,
        [
            ("a space before the colon", vec![format!("Cf-Access-Jwt-Assertion : {ada}")]),
            ("a token in two lines", vec![format!("Cf-Access-Jwt-Assertion: {ada}\r\n .x")]),
            ("a token in a folded line", vec![format!("Cf-Access-Jwt-Assertion:\r\n {ada}")]),
            ("a cookie in a folded line", vec![format!("Cookie: a=1;\r\n\tCF_Authorization={ada}")]),
            ("a NUL in the name", vec![format!("Cf-Access-Jwt\0-Assertion: {ada}")]),
            ("a NUL in the value", vec![format!("{}\0", bearer(ada))]),
            ("a carriage return in the value", vec![format!("{}\rX-Spinoff-User: root", bearer(ada))]),
            ("a name in another alphabet", vec![format!("Cf-Access-Jwt-\u{410}ssertion: {ada}")]),
            ("no name", vec![format!(": {ada}"), bearer(ada)]),
        ],
    )
}
