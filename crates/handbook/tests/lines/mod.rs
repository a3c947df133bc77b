//! Command lines in documents, and what the command line's reference says there is.

use std::collections::{BTreeMap, BTreeSet};

/// Options that every command takes, and whether a value follows.
const EVERYWHERE: [(&str, bool); 9] = [
    ("--data", true),
    ("--config", true),
    ("--server", true),
    ("--token", true),
    ("--json", false),
    ("--quiet", false),
    ("-q", false),
    ("--help", false),
    ("--version", false),
];

/// Every command with its options, as the reference tells them.
pub struct Commands(BTreeMap<String, BTreeSet<String>>);

impl Commands {
    /// Reads the reference: each command is a heading that begins with `spinoff`, its help stands below.
    pub fn read(reference: &str) -> Self {
        let mut commands: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut current = String::new();
        for line in reference.lines() {
            let heading = line.trim_start_matches('#');
            if heading.len() < line.len() && heading.starts_with(" spinoff") {
                current = heading.trim().to_owned();
                commands.entry(current.clone()).or_default();
            } else if line.trim_start().starts_with('-') {
                let options = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
                let options = options.filter(|word| word.starts_with('-')).map(str::to_owned);
                commands.entry(current.clone()).or_default().extend(options);
            }
        }
        assert!(commands.len() > 80, "the reference has {} commands", commands.len());
        Self(commands)
    }

    /// Whether a line names a command that exists, with options that it has.
    pub fn check(&self, line: &str) -> Result<(), String> {
        let mut words = words(line).into_iter().skip(1).peekable();
        let mut command = "spinoff".to_owned();
        let mut own = &self.0["spinoff"];
        while let Some(word) = words.next() {
            if word == "--" || [";", "|", ">", "&&", "<"].contains(&word.as_str()) {
                break;
            }
            let option = word.split('=').next().unwrap_or_default().to_owned();
            if let Some((_, has_value)) = EVERYWHERE.iter().find(|(name, _)| *name == option) {
                if *has_value && !word.contains('=') {
                    words.next();
                }
            } else if option.starts_with('-') && option.len() > 1 {
                if !own.contains(&option) {
                    return Err(format!("`{command}` has no {option}"));
                }
            } else if let Some(deeper) = self.0.get(&format!("{command} {word}")) {
                command = format!("{command} {word}");
                own = deeper;
            } else if self.is_group(&command) {
                return Err(format!("`{command}` has no command {word}"));
            }
        }
        Ok(())
    }

    /// Whether a command is nothing by itself but others below it.
    fn is_group(&self, command: &str) -> bool {
        let below = format!("{command} ");
        command != "spinoff guard" && self.0.keys().any(|other| other.starts_with(&below))
    }
}

/// What a shell would be given: whole lines of code, and code within a sentence, that begin with `spinoff`.
pub fn commands_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fence: Option<bool> = None;
    let mut unfinished = String::new();
    for line in text.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            fence = if fence.is_some() { None } else { Some(["sh", ""].contains(&language.trim())) };
            continue;
        }
        match fence {
            Some(true) => {
                unfinished.push_str(line.trim());
                if let Some(begun) = unfinished.strip_suffix('\\') {
                    unfinished = begun.to_owned();
                } else {
                    found.extend(command(&unfinished));
                    unfinished.clear();
                }
            }
            Some(false) => {}
            None if line.starts_with("    spinoff ") => found.extend(command(line.trim())),
            None => found.extend(line.split('`').skip(1).step_by(2).filter_map(command)),
        }
    }
    found
}

/// A line without variables before it and without a comment; nothing where it is another program's.
fn command(line: &str) -> Option<String> {
    let is_variable = |word: &str| {
        word.split('=')
            .next()
            .is_some_and(|name| name.len() < word.len() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
    };
    let words = words(line);
    let begins = words.iter().position(|word| !is_variable(word))?;
    (words[begins] == "spinoff" && words.len() > begins + 1).then(|| {
        let from = line.find("spinoff ").unwrap_or(0);
        line[from..].to_owned()
    })
}

/// The words of a line as a shell takes them apart: by spaces, but not within quotes, up to a comment.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut begun = false;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.push(c),
            (None, '\'' | '"') => (quote, begun) = (Some(c), true),
            (None, '#') if word.is_empty() && !begun => break,
            (None, ' ') => {
                if begun || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (None, c) => word.push(c),
        }
    }
    if begun || !word.is_empty() {
        words.push(word);
    }
    words
}
