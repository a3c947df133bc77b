//! Commands: what is called as `spinoff …`, and with which options.

use super::known::Known;
use crate::tidy::Complaint;
use crate::tidy::tree::File;

/// How a call begins.
const PROGRAM: &str = "spinoff ";

/// What a call stands behind, beside the beginning of a line.
const BEFORE: [&str; 10] = ["/", "`", "\"", "'", "exec ", "&& ", "-- ", "--rm ", "-u spinoff ", "exec spinoff "];

/// What lists the words of a call, where the program is the image's own.
const LISTS: [&str; 2] = ["args: [", "command: ["];

/// Programs with options of their own in such lists.
const OTHERS: [&str; 3] = ["caddy", "curl", "sleep"];

pub fn check(file: &File, known: &Known) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for call in calls(line).into_iter().chain(lists(line)) {
            for what in faults(&call, known) {
                complaints.push(Complaint::new(&file.path, index + 1, what));
            }
        }
    }
    complaints
}

/// The words behind `spinoff`.
type Call = Vec<String>;

fn calls(line: &str) -> Vec<Call> {
    let is_call = |at: usize| line[..at].trim().is_empty() || BEFORE.iter().any(|mark| line[..at].ends_with(mark));
    let starts = line.match_indices(PROGRAM).filter(|(at, _)| is_call(*at)).map(|(at, found)| at + found.len());
    // In `docker compose exec spinoff spinoff …` the first one is where, and the second what.
    starts.map(|at| &line[at..]).filter(|rest| !rest.starts_with(PROGRAM)).map(words).collect()
}

/// Up to where the call ends in its line.
fn words(rest: &str) -> Call {
    let end = rest.find(['`', '"', '\'', '|', '&', ';', '#', '(', ',']).unwrap_or(rest.len());
    rest[..end].split_whitespace().map(str::to_owned).collect()
}

fn lists(line: &str) -> Option<Call> {
    let rest = LISTS.iter().find_map(|list| line.split_once(list)).map(|(_, rest)| rest)?;
    let words: Call = rest.split(']').next()?.split(',').map(|word| word.trim().trim_matches('"').to_owned()).collect();
    let first = words.first()?;
    (!OTHERS.contains(&first.as_str())).then_some(words)
}

fn faults(call: &[String], known: &Known) -> Vec<String> {
    let mut faults = Vec::new();
    let first = call.first().map_or("", String::as_str);
    let is_word = !first.is_empty() && first.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    if is_word && !first.starts_with('-') && !known.commands.contains(first) {
        faults.push(format!("`spinoff {first}` is no command"));
    }
    // What follows two dashes is for another program.
    for word in call.iter().take_while(|word| *word != "--") {
        let Some(option) = word.strip_prefix("--") else { continue };
        let name = option.split('=').next().unwrap_or_default();
        if !known.options.contains(&name.replace('-', "_")) {
            faults.push(format!("no program has the option `--{name}`"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::tests::complaints;

    #[test]
    fn a_command_or_an_option_that_is_not_there_is_found() {
        let fine = "ExecStart=/usr/local/bin/spinoff serve --config /etc/x\n`spinoff admin-link`, spinoff is sold\n\
                    args: [serve, --config, /etc/x]\ncommand: [curl, --silent]\nsudo -u spinoff spinoff serve\n\
                    chown root:spinoff /etc\nspinoff serve -- other --option\ndocker compose exec spinoff spinoff serve\n";
        assert_eq!(complaints("docs/running.md", fine), [""; 0]);
        let wrong =
            "spinoff serf\n`spinoff serve --conf x`\nargs: [serve, --configs, x]\nsudo -u spinoff spinoff admin\n";
        let found = complaints("docs/running.md", wrong);
        assert_eq!(
            found,
            [
                "1: `spinoff serf` is no command",
                "2: no program has the option `--conf`",
                "3: no program has the option `--configs`",
                "4: `spinoff admin` is no command",
            ]
        );
    }
}
