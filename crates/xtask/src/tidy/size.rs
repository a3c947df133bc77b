use super::Complaint;
use super::tree::{File, Tree};

/// Lines of a file that hold code.
const MOST_CODE_LINES: usize = 500;

/// Lines of a function, from `fn` to its closing brace.
const MOST_FUNCTION_LINES: usize = 70;

/// Files and functions are small enough to be read at once.
pub fn check(tree: &Tree) -> Vec<Complaint> {
    tree.files.iter().filter(|file| file.is_rust() && file.is_source()).flat_map(too_large).collect()
}

fn too_large(file: &File) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let code = file.bare.lines().filter(|line| !line.trim().is_empty()).count();
    if code > MOST_CODE_LINES {
        let what = format!("{code} lines of code, at most {MOST_CODE_LINES}: split it by nouns");
        complaints.push(Complaint::new(&file.path, 1, what));
    }
    for function in functions(&file.bare) {
        let lines = function.last - function.first + 1;
        if lines > MOST_FUNCTION_LINES {
            let what = format!("`{}` has {lines} lines, at most {MOST_FUNCTION_LINES}", function.name);
            complaints.push(Complaint::new(&file.path, function.first, what));
        }
    }
    complaints
}

/// A function with a body, by its lines, counted from 1.
#[derive(Debug, PartialEq, Eq)]
struct Function<'a> {
    name: &'a str,
    first: usize,
    last: usize,
}

fn functions(bare: &str) -> Vec<Function<'_>> {
    let mut found = Vec::new();
    for (at, _) in bare.match_indices("fn ") {
        if bare[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &bare[at + 3..];
        let name = rest.trim_start().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        if let Some(end) = end_of_body(rest).filter(|_| !name.is_empty()) {
            let first = line_of(bare, at);
            found.push(Function { name, first, last: line_of(bare, at + 3 + end) });
        }
    }
    found
}

/// Where the closing brace of the body is; nowhere for a function that is only declared.
fn end_of_body(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut in_body = false;
    for (at, c) in text.char_indices() {
        match c {
            '{' if depth == 0 => {
                in_body = true;
                depth += 1;
            }
            ';' if depth == 0 => return None,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 && in_body {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(path: &str, text: &str) -> Vec<Complaint> {
        check(&Tree::of(&[(path, text)]))
    }

    fn function_of(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    a();\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_may_fill_its_lines_and_no_more() {
        assert_eq!(complaints("crates/a/src/lib.rs", &function_of(MOST_FUNCTION_LINES)), []);
        let found = complaints("crates/a/src/lib.rs", &format!("\n{}", function_of(MOST_FUNCTION_LINES + 1)));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].path.as_str(), found[0].line), ("crates/a/src/lib.rs", 2));
        assert!(found[0].what.contains("`long` has 71 lines"), "{}", found[0]);
    }

    #[test]
    fn a_file_may_fill_its_lines_and_comments_do_not_count() {
        let full = "a();\n".repeat(MOST_CODE_LINES);
        assert_eq!(complaints("crates/a/src/lib.rs", &format!("{full}\n// why\n/* and\nhow */\n")), []);
        assert_eq!(complaints("crates/a/src/lib.rs", &format!("{full}b();\n")).len(), 1);
        assert_eq!(complaints("crates/a/tests/all.rs", &format!("{full}b();\n")), []);
    }

    #[test]
    fn bodies_are_found_behind_any_head() {
        let text = "trait T { fn declared(a: [u8; 4]); }\nfn f<F>(f: F) -> [u8; 2]\nwhere F: Fn(u8) -> u8,\n{\n}\n\
                    type G = fn (u8);\nfn g() { fn inner() {} }\n";
        let found: Vec<_> = functions(text).into_iter().map(|f| (f.name, f.first, f.last)).collect();
        assert_eq!(found, [("f", 2, 5), ("g", 7, 7), ("inner", 7, 7)]);
    }
}
