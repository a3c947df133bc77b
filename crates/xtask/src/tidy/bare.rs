/// Rust text without what its comments and literals say: each such character becomes a space in a
/// comment and `_` in a literal. Lines stay where they are.
pub fn bare(text: &str) -> String {
    let mut scanner = Scanner { rest: text, bare: String::with_capacity(text.len()), last: ' ' };
    while let Some(next) = scanner.rest.chars().next() {
        if scanner.rest.starts_with("//") {
            let end = scanner.rest.find('\n').unwrap_or(scanner.rest.len());
            scanner.blank(end, ' ');
        } else if scanner.rest.starts_with("/*") {
            let end = block_comment(scanner.rest);
            scanner.blank(end, ' ');
        } else if let Some(end) = literal(scanner.rest, scanner.last) {
            scanner.blank(end, '_');
        } else {
            scanner.bare.push(next);
            scanner.rest = &scanner.rest[next.len_utf8()..];
            scanner.last = next;
        }
    }
    scanner.bare
}

struct Scanner<'a> {
    rest: &'a str,
    bare: String,
    last: char,
}

impl Scanner<'_> {
    fn blank(&mut self, length: usize, with: char) {
        let (gone, rest) = self.rest.split_at(length);
        self.bare.extend(gone.chars().map(|c| if c == '\n' { '\n' } else { with }));
        self.rest = rest;
        self.last = ' ';
    }
}

/// How long the comment is that begins here; they nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// How long the string or character is that begins here, if one does.
fn literal(text: &str, last: char) -> Option<usize> {
    // In the middle of a word, `r` and `b` begin nothing.
    let prefix = if last.is_alphanumeric() || last == '_' {
        0
    } else {
        ["br", "cr", "r", "b", "c"].iter().find(|prefix| text.starts_with(**prefix)).map_or(0, |prefix| prefix.len())
    };
    let body = &text[prefix..];
    if text[..prefix].ends_with('r') {
        let hashes = body.len() - body.trim_start_matches('#').len();
        if let Some(inside) = body[hashes..].strip_prefix('"') {
            let closing = format!("\"{}", "#".repeat(hashes));
            let length = inside.find(&closing).map_or(inside.len(), |end| end + closing.len());
            return Some(prefix + hashes + 1 + length);
        }
    }
    if let Some(inside) = body.strip_prefix('"') {
        return Some(prefix + 1 + up_to(inside, '"'));
    }
    let inside = body.strip_prefix('\'')?;
    let mut chars = inside.chars();
    let first = chars.next()?;
    // Without a closing quote it is a lifetime.
    (first == '\\' || chars.next() == Some('\'')).then(|| prefix + 1 + up_to(inside, '\''))
}

/// Everything up to and with the closing quote, minding escapes.
fn up_to(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_become_spaces_and_literals_underscores() {
        assert_eq!(bare("a // b\nc /* d /* e */ f */ g"), format!("a     \nc {} g", " ".repeat(17)));
        assert_eq!(bare(r#"let s = "a\"b{";"#), "let s = _______;");
        assert_eq!(bare("r#\"a\"b\"# + br\"c\\\" + b'x'"), "________ + ______ + ____");
        assert_eq!(bare("'a' '\\'' '\\u{7d}' 'é'"), "___ ____ ________ ___");
    }

    #[test]
    fn lifetimes_and_words_that_look_like_prefixes_stay() {
        assert_eq!(bare("fn f<'a>(x: &'a str) -> &'static str {}"), "fn f<'a>(x: &'a str) -> &'static str {}");
        assert_eq!(bare("for \"x\""), "for ___");
        assert_eq!(bare("r#type"), "r#type");
    }

    #[test]
    fn lines_stay_where_they_are() {
        let text = "\"one\n\ntwo\" /* a\nb */ x";
        assert_eq!(bare(text).matches('\n').count(), text.matches('\n').count());
    }
}
