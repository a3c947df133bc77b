//! The built-in rules: what open tabs and browsers say on their own account. Each says what it
//! is about; a rule of the operator's comes before them.

use http::HeaderName;
use regex_lite::Regex;

use super::rules::{BodyPattern, Message, MessageForm, Methods, RequestRule, Use, letters};

/// Keep-alives are short. Whatever is longer was made by something that happened.
const LONGEST_KEEPALIVE: usize = 256;

/// Requests that are no use though their method is made to change something.
struct Unasked {
    header: Option<(&'static str, &'static str)>,
    path: &'static str,
    query: &'static str,
    body: &'static str,
    what: &'static str,
}

const UNASKED: &[Unasked] = &[
    header("content-type", "text/ping", "a link's `ping`, beside the navigation that counts"),
    header("content-type", "application/csp-report", "a browser tells of a policy that was broken"),
    header("content-type", "application/reports+json", "a browser tells of crashes, policies, network errors"),
    header("sec-fetch-dest", "report", "a browser tells of anything else"),
    header("sec-fetch-mode", "no-cors", "a beacon: measurements, and words on leaving"),
    request(r"/[^/]+/[^/]+/xhr(_streaming)?$", "", "", "SockJS asks for what is new"),
    request("", r"(^|&)EIO=\d.*transport=polling|transport=polling.*&EIO=\d", "^[23]$", "Engine.IO ping or pong"),
    request(r"/message-bus/[0-9a-z]+/poll$", "", "", "MessageBus asks for what is new"),
    request(r"/longpolling/(poll|im_status)$", "", "", "Odoo asks for what is new"),
    request(r"/wp-admin/admin-ajax\.php$", "", "(^|&)action=heartbeat(&|$)", "WordPress heartbeat"),
    request("", "", r#"^\[?\{[^{]*"channel":\s*"/meta/connect""#, "Bayeux asks for what is new"),
    request(r"(?i)/(ping|heartbeat|keep-?alive)$", "", "", "whatever says so of itself"),
];

/// Messages, and short bodies, whose words say that they keep something alive. Each is the whole
/// message.
const KEEPALIVE_WORDS: &[(&str, &str)] = &[
    (r#"\{"type":6\}\x1e?"#, "SignalR in JSON"),
    (r"\x02\x91\x06", "SignalR in MessagePack"),
    (r"(?i)ping|pong|heartbeat|keep-?alive|noop", "a bare word"),
    (
        r#"(?i)\{([^{}]*,)?\s*"(type|event|action|msg|op|method)":\s*"(pusher:|connection[_.:])?(ping|pong|heartbeat|hb|keep[-_]?alive|ka|noop)"\s*(,.*)?\}"#,
        "GraphQL, Pusher, Meteor, Home Assistant and many others: an object that says so",
    ),
    (r#"(?i)\{\s*"(ping|pong|heartbeat|keep[-_]?alive)":.*\}"#, "an object with nothing else in it"),
    (r#"\[[^\[\]{}]*"phoenix","heartbeat",\{\}\]"#, "Phoenix, second version"),
];

/// Messages that keep something alive, but would mean something as the body of a request.
const KEEPALIVE_MESSAGES: &[(&str, &str)] = &[
    (r"[23]", "Engine.IO ping and pong"),
    (r"\s*", "STOMP, XMPP: blanks, or nothing at all"),
    (r"\[\]|\{\}", "Faye, Centrifugo: nothing in brackets"),
    (r#"\["(\\n|[23])"\]"#, "the same in SockJS's brackets"),
    (r"\xc0\x00", "MQTT"),
    (r"([\x03\x09].{8}\x00{4})+", "Visual Studio Code: keep-alive, and acknowledgement of what it was sent"),
];

/// The built-in rules, ready to be held against what is said.
#[derive(Debug)]
pub(crate) struct Defaults {
    /// By which requests are no use.
    pub(crate) requests: Vec<RequestRule>,
    pub(crate) keepalives: Keepalives,
}

/// Knows a keep-alive when it sees one.
#[derive(Debug)]
pub(crate) struct Keepalives(Regex);

impl Defaults {
    /// # Errors
    /// Which rule is broken and how: none, while the tables above are well-formed.
    pub(crate) fn new() -> Result<Self, String> {
        let mut requests = UNASKED.iter().map(Unasked::rule).collect::<Result<Vec<_>, _>>()?;
        let pattern = any_of(KEEPALIVE_WORDS.iter())?;
        let body = Some(BodyPattern { pattern, longest: Some(LONGEST_KEEPALIVE as u64) });
        requests.push(RequestRule { body, ..nothing() });
        let keepalives = Keepalives(any_of(KEEPALIVE_WORDS.iter().chain(KEEPALIVE_MESSAGES))?);
        Ok(Self { requests, keepalives })
    }
}

impl Keepalives {
    pub(crate) fn include(&self, message: &Message<'_>) -> bool {
        message.whole
            && message.form != MessageForm::Unreadable
            && message.start.len() <= LONGEST_KEEPALIVE
            && self.0.is_match(&letters(message.start))
    }
}

impl Unasked {
    fn rule(&self) -> Result<RequestRule, String> {
        let pattern = |text: &str| {
            let some = Some(text).filter(|text| !text.is_empty());
            some.map(Regex::new).transpose().map_err(|error| format!("{}: {error}", self.what))
        };
        Ok(RequestRule {
            header: self.header.map(|(name, start)| (HeaderName::from_static(name), start)),
            path: pattern(self.path)?,
            query: pattern(self.query)?,
            body: pattern(self.body)?.map(|pattern| BodyPattern { pattern, longest: None }),
            ..nothing()
        })
    }
}

const fn header(name: &'static str, start: &'static str, what: &'static str) -> Unasked {
    Unasked { header: Some((name, start)), path: "", query: "", body: "", what }
}

const fn request(path: &'static str, query: &'static str, body: &'static str, what: &'static str) -> Unasked {
    Unasked { header: None, path, query, body, what }
}

const fn nothing() -> RequestRule {
    RequestRule { methods: Methods::Changing, path: None, query: None, header: None, body: None, counts: Use::No }
}

/// Anchored once, so that it is given up at the first byte that fits none.
fn any_of<'t>(table: impl Iterator<Item = &'t (&'t str, &'t str)>) -> Result<Regex, String> {
    let patterns: Vec<String> = table.map(|(pattern, _)| format!("(?:{pattern})")).collect();
    Regex::new(&format!("(?s)^(?:{})$", patterns.join("|"))).map_err(|error| format!("keep-alives: {error}"))
}
