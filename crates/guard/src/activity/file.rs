//! The operator's rules, as they are written in a file. `docs/activity.md` describes the format.

use domain::Signal;
use http::Method;
use regex_lite::Regex;
use serde::Deserialize;
use toml::{Spanned, Value};

use super::rules::{BodyPattern, MessageRule, Methods, RequestRule, Use};

/// What a file of rules says.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) requests: Vec<RequestRule>,
    pub(crate) messages: Vec<MessageRule>,
}

/// Where a file of rules is wrong, and why.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct RulesError {
    line: usize,
    why: String,
}

/// Whether a guard could follow rules about use that a file says, for those who hand it such a file.
///
/// # Errors
/// [`RulesError`], as when the guard refuses to start with it.
pub fn check_activity_rules(text: &str) -> Result<(), RulesError> {
    Rules::parse(text).map(drop)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    rule: Vec<Spanned<RawRule>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    method: Option<Spanned<Value>>,
    path: Option<Spanned<String>>,
    query: Option<Spanned<String>>,
    body: Option<Spanned<String>>,
    websocket: Option<Spanned<String>>,
    message: Option<Spanned<String>>,
    #[serde(rename = "use")]
    counts: Spanned<Value>,
}

/// Something wrong at a place in the text.
struct Wrong {
    at: usize,
    why: String,
}

impl Rules {
    /// Reads a file's text.
    ///
    /// # Errors
    /// [`RulesError`] for whatever is not exactly as described, and for a file that says nothing.
    pub(crate) fn parse(text: &str) -> Result<Self, RulesError> {
        let rules = raw(text).and_then(|raw| {
            let mut rules = Self::default();
            raw.into_iter().try_for_each(|rule| rules.add(rule)).map(|()| rules)
        });
        rules.map_err(|Wrong { at, why }| {
            let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
            RulesError { line: before.iter().filter(|byte| **byte == b'\n').count() + 1, why }
        })
    }

    /// How many rules there are.
    pub(crate) fn len(&self) -> usize {
        self.requests.len() + self.messages.len()
    }

    fn add(&mut self, rule: Spanned<RawRule>) -> Result<(), Wrong> {
        let at = rule.span().start;
        let rule = rule.into_inner();
        let counts = counts(&rule.counts)?;
        let wrong = |why: &str| Err(Wrong { at, why: why.to_owned() });
        let about_request = rule.method.is_some() || rule.path.is_some() || rule.query.is_some() || rule.body.is_some();
        match (&rule.websocket, about_request) {
            (Some(_), true) => wrong("`websocket` goes with `message` only: write a rule of its own for requests"),
            (None, _) if rule.message.is_some() => wrong("`message` needs `websocket`, the path it was opened at"),
            (None, false) => wrong("the rule speaks of nothing: give method, path, query, body or websocket"),
            (Some(path), false) => {
                let (path, message) = (pattern("websocket", path)?, optional("message", rule.message.as_ref())?);
                self.messages.push(MessageRule { path, message, counts });
                Ok(())
            }
            (None, true) => {
                let body = optional("body", rule.body.as_ref())?;
                self.requests.push(RequestRule {
                    methods: methods(rule.method.as_ref())?,
                    path: optional("path", rule.path.as_ref())?,
                    query: optional("query", rule.query.as_ref())?,
                    header: None,
                    body: body.map(|pattern| BodyPattern { pattern, longest: None }),
                    counts,
                });
                Ok(())
            }
        }
    }
}

fn raw(text: &str) -> Result<Vec<Spanned<RawRule>>, Wrong> {
    let file: RawFile = toml::from_str(text)
        .map_err(|error| Wrong { at: error.span().map_or(0, |span| span.start), why: error.message().to_owned() })?;
    if file.rule.is_empty() {
        return Err(Wrong { at: 0, why: "there is no [[rule]] in it".to_owned() });
    }
    Ok(file.rule)
}

fn counts(value: &Spanned<Value>) -> Result<Use, Wrong> {
    let known = match value.get_ref() {
        Value::Boolean(true) => Some(Use::Own),
        Value::Boolean(false) => Some(Use::No),
        Value::String(word) => Signal::parse(word).ok().map(Use::As),
        _ => None,
    };
    let why = "`use` must be true, false, \"member\", \"api_call\", \"sprint\" or \"app_running\"";
    known.ok_or_else(|| wrong_at(value, why.to_owned()))
}

fn methods(value: Option<&Spanned<Value>>) -> Result<Methods, Wrong> {
    let Some(value) = value else { return Ok(Methods::Any) };
    let why = || wrong_at(value, "`method` must be a method in capitals, or a list of them".to_owned());
    let words = match value.get_ref() {
        Value::Array(words) if !words.is_empty() => words.as_slice(),
        word @ Value::String(_) => std::slice::from_ref(word),
        _ => return Err(why()),
    };
    let method = |word: &Value| {
        // Methods are told apart by case, and none that anybody sends has small letters.
        let word = word.as_str().filter(|word| word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-'))?;
        word.parse::<Method>().ok()
    };
    words.iter().map(|word| method(word).ok_or_else(why)).collect::<Result<_, _>>().map(Methods::These)
}

fn optional(name: &str, text: Option<&Spanned<String>>) -> Result<Option<Regex>, Wrong> {
    text.map(|text| pattern(name, text)).transpose()
}

fn pattern(name: &str, text: &Spanned<String>) -> Result<Regex, Wrong> {
    Regex::new(text.get_ref()).map_err(|error| wrong_at(text, format!("`{name}` is no regular expression: {error}")))
}

fn wrong_at<T>(value: &Spanned<T>, why: String) -> Wrong {
    Wrong { at: value.span().start, why }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_file_of_rules_is_read_in_its_order() {
        let rules = Rules::parse(
            "[[rule]]\nmethod = \"POST\"\npath = \"^/poll\"\nuse = false\n\n\
             [[rule]]\nmethod = [\"GET\", \"HEAD\"]\nquery = \"x=1\"\nbody = 'y'\nuse = \"sprint\"\n\n\
             [[rule]]\nwebsocket = \"^/terminal\"\nmessage = '^\\{\"op\":\"noop\"'\nuse = true\n",
        )
        .unwrap();
        assert_eq!(rules.len(), 3);
        assert_eq!((rules.requests[0].counts, rules.requests[1].counts), (Use::No, Use::As(Signal::Sprint)));
        assert!(matches!(&rules.requests[1].methods, Methods::These(these) if *these == [Method::GET, Method::HEAD]));
        assert_eq!(rules.messages[0].counts, Use::Own);
    }

    #[test]
    fn what_is_not_as_described_is_refused_with_its_line() {
        for (text, says) in [
            ("", "line 1: there is no [[rule]]"),
            ("# later\n", "line 1: there is no [[rule]]"),
            ("[[rule]\n", "line 1: "),
            ("\n\n[[rules]]\nuse = true\n", "line 3: unknown field `rules`"),
            ("[[rule]]\npath = \"/a\"\n", "line 1: missing field `use`"),
            ("[[rule]]\npath = \"/a\"\nuses = true\nuse = true\n", "line 3: unknown field `uses`"),
            ("[[rule]]\npath = \"/a\"\nuse = \"always\"\n", "line 3: `use` must be"),
            ("[[rule]]\npath = \"/a\"\nuse = 1\n", "line 3: `use` must be"),
            ("[[rule]]\nuse = true\n", "line 1: the rule speaks of nothing"),
            ("[[rule]]\n\npath = \"(\"\nuse = true\n", "line 3: `path` is no regular expression: "),
            ("[[rule]]\nbody = \"[\"\nuse = true\n", "line 2: `body` is no regular expression: "),
            ("[[rule]]\npath = 5\nuse = true\n", "line 2: invalid type"),
            ("[[rule]]\nmethod = \"post\"\nuse = true\n", "line 2: `method` must be"),
            ("[[rule]]\nmethod = []\nuse = true\n", "line 2: `method` must be"),
            ("[[rule]]\nmethod = [\"GET\", 5]\nuse = true\n", "line 2: `method` must be"),
            ("[[rule]]\npath = \"a\"\nmessage = \"b\"\nuse = true\n", "line 1: `message` needs `websocket`"),
            ("[[rule]]\nwebsocket = \"a\"\npath = \"b\"\nuse = true\n", "line 1: `websocket` goes with"),
            ("[[rule]]\npath=\"a\"\nuse=true\n[[rule]]\nuse=false\n", "line 4: the rule speaks of nothing"),
        ] {
            let error = Rules::parse(text).expect_err(text).to_string();
            assert!(error.starts_with(says), "{text:?}: {error}");
        }
    }
}
