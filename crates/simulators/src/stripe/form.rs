//! Forms as the API takes them: `items[0][price]=price_1` makes a tree.

use crate::stripe::refusal::Refusal;

/// What was sent under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sent {
    /// A word.
    Word(String),
    /// Further names, or places in a list, in the order in which they came.
    Under(Vec<(String, Self)>),
}

/// Reads a body or a query.
///
/// # Errors
/// When brackets don't match, or a name has both a word and further names.
pub(super) fn read(form: &[u8]) -> Result<Vec<(String, Sent)>, Refusal> {
    let mut tree = Vec::new();
    for (name, word) in url::form_urlencoded::parse(form) {
        let path = path(&name).ok_or_else(|| Refusal::invalid(format!("Invalid parameter name: {name}")))?;
        put(&mut tree, &path, &word)
            .ok_or_else(|| Refusal::invalid(format!("Conflicting values were sent for {name}")).at(&*name))?;
    }
    Ok(tree)
}

/// `a[b][]` is `a`, `b`, and the next free place.
fn path(name: &str) -> Option<Vec<&str>> {
    let Some((first, rest)) = name.split_once('[') else {
        return (!name.is_empty() && !name.contains(']')).then(|| vec![name]);
    };
    let inner = rest.strip_suffix(']')?;
    let mut path = vec![first];
    path.extend(inner.split("]["));
    let whole = path.iter().all(|part| !part.contains(['[', ']']));
    (!first.is_empty() && whole).then_some(path)
}

fn put(tree: &mut Vec<(String, Sent)>, path: &[&str], word: &str) -> Option<()> {
    let (first, rest) = path.split_first()?;
    let name = if first.is_empty() { tree.len().to_string() } else { (*first).to_owned() };
    let place = match tree.iter().position(|(known, _)| *known == name) {
        Some(place) if rest.is_empty() => {
            // Sent twice: the last one counts.
            tree.get_mut(place)?.1 = Sent::Word(word.to_owned());
            return Some(());
        }
        Some(place) => place,
        None if rest.is_empty() => {
            tree.push((name, Sent::Word(word.to_owned())));
            return Some(());
        }
        None => {
            tree.push((name, Sent::Under(Vec::new())));
            tree.len() - 1
        }
    };
    match &mut tree.get_mut(place)?.1 {
        Sent::Under(inner) => put(inner, rest, word),
        Sent::Word(_) => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn word(word: &str) -> Sent {
        Sent::Word(word.to_owned())
    }

    #[test]
    fn brackets_make_a_tree_and_empty_ones_the_next_place() {
        let tree = read(b"a%5Bb%5D=1&l[0][p]=x&l[0][q]=2&l[1][p]=y&e[]=m&e[]=n+o").unwrap();
        let under = |inner: Vec<(&str, Sent)>| {
            Sent::Under(inner.into_iter().map(|(name, sent)| (name.to_owned(), sent)).collect())
        };
        let wanted = [
            ("a", under(vec![("b", word("1"))])),
            (
                "l",
                under(vec![
                    ("0", under(vec![("p", word("x")), ("q", word("2"))])),
                    ("1", under(vec![("p", word("y"))])),
                ]),
            ),
            ("e", under(vec![("0", word("m")), ("1", word("n o"))])),
        ];
        assert_eq!(tree, wanted.map(|(name, sent)| (name.to_owned(), sent)));
    }

    #[test]
    fn broken_brackets_and_two_meanings_of_a_name_are_refused() {
        for form in ["a[b=1", "a]=1", "a[b]c=1", "[a]=1", "a[[b]]=1", "a=1&a[b]=2"] {
            assert!(read(form.as_bytes()).is_err(), "{form}");
        }
    }
}
