//! What git says of a push, in the words of this program.

use std::time::Duration;

use super::address::Address;

pub(super) const NO_GIT: &str = "The program git is not on this machine. Install git, then push again.";
pub(super) const STOPPED: &str = "It was broken off, since this program stopped. Push again.";

/// The longest word of a server that is passed on.
const LONGEST: usize = 300;

pub(super) fn too_long(patience: Duration) -> String {
    let seconds = patience.as_secs().max(1);
    format!("It was broken off after {seconds} seconds: the server did not come to an end. Try again later.")
}

/// The last thing of a piece of git's progress, for people.
pub(super) fn progress(piece: &str) -> String {
    let mut lines = piece.split(['\r', '\n']).map(str::trim);
    let last = lines.rfind(|line| !line.starts_with("remote:") && line.contains('%'));
    last.map(|line| line.chars().take(80).collect()).unwrap_or_default()
}

/// Why a push did not go, from what git wrote.
pub(super) fn why(address: &Address, output: &str, errors: &str) -> String {
    if let Some(words) = refused(output, errors) {
        return words;
    }
    let host = address.host();
    let has = |words: &[&str]| words.iter().any(|word| errors.contains(word));
    if has(&["Authentication failed", "could not read Username", "could not read Password", "error: 401"]) {
        return format!(
            "{host} does not take this user and token. Make a token that may write to the repository, and type it in again."
        );
    }
    if has(&["error: 403"]) {
        return format!(
            "{host} knows this user, who may not write there. Give the token the right to write to the repository."
        );
    }
    if has(&["error: 404", "not found", "does not appear to be a git repository"]) {
        return format!(
            "There is no repository at {address}, or this user may not see it. Make an empty one there first."
        );
    }
    if has(&["error: 30", "redirect"]) {
        return format!(
            "{host} sends on to another address, and the token is for this one alone. Type in the address it has now."
        );
    }
    if has(&["Operation too slow", "timed out"]) {
        return format!("{host} does not answer, or too slowly. Try again later.");
    }
    if has(&[
        "Could not resolve",
        "Failed to connect",
        "Couldn't connect",
        "Could not connect",
        "Connection refused",
        "Connection reset",
        "CONNECT tunnel",
    ]) {
        return format!(
            "{host} cannot be reached from here. Check the address; where this machine has no way to the internet, download the project instead."
        );
    }
    if has(&["certificate", "SSL"]) {
        return format!("{host} does not prove to be itself: its certificate is not good. Nothing was sent.");
    }
    let told = said(errors).unwrap_or_else(|| "git gave no reason".to_owned());
    format!("{host} did not take it: {told}.")
}

/// What the remote refused, branch by branch.
fn refused(output: &str, errors: &str) -> Option<String> {
    let lines: Vec<&str> = output.lines().filter(|line| line.starts_with("!\t")).collect();
    let first = lines.first()?;
    let is_main = lines.iter().any(|line| line.contains("refs/heads/main"));
    if is_main && lines.iter().any(|line| line.contains("fetch first") || line.contains("non-fast-forward")) {
        return Some(
            "The main branch there holds work that is not here, and nothing is ever overwritten. Push to an empty repository, or bring both together with git: clone the one there, pull from project.bundle of “Download everything”, and push."
                .to_owned(),
        );
    }
    if !is_main {
        let tags = lines.iter().filter_map(|line| line.split("refs/tags/").nth(1)?.split('\t').next());
        let tags = tags.collect::<Vec<_>>().join(", ");
        return Some(format!(
            "What is done was pushed, but these names mean other states there, and stay as they are: {tags}."
        ));
    }
    let reason = first.rsplit_once('(').map_or(*first, |(_, reason)| reason.trim_end_matches(')'));
    let told = said(errors).filter(|told| !told.starts_with("failed to push")).map(|told| format!(" ({told})"));
    Some(format!("The server refused it: {}{}.", cut(reason), told.unwrap_or_default()))
}

/// The server's own first word, or git's.
fn said(errors: &str) -> Option<String> {
    let lines = || errors.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty());
    let of_server =
        lines().filter_map(|line| line.strip_prefix("remote:")).map(str::trim).find(|word| !word.is_empty());
    let of_git = lines().find_map(|line| line.strip_prefix("fatal: ").or_else(|| line.strip_prefix("error: ")));
    of_server.or(of_git).map(cut)
}

fn cut(words: &str) -> String {
    words.trim_end_matches('.').chars().filter(|letter| !letter.is_control()).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_git_says_becomes_what_to_do() {
        let address = Address::parse("https://git.example.com/app.git").unwrap();
        for (output, errors, words) in [
            (
                "!\ta:refs/heads/main\t[rejected] (fetch first)\n",
                "error: failed to push some refs",
                "holds work that is not here",
            ),
            ("!\ta:refs/tags/S-1\t[rejected] (already exists)\n", "", "other states there, and stay as they are: S-1"),
            (
                "!\ta:refs/heads/main\t[remote rejected] (protected branch hook declined)\n",
                "remote: Ask an admin.\n",
                "protected branch hook declined (Ask an admin)",
            ),
            (
                "",
                "fatal: could not read Username for 'https://git.example.com': terminal prompts disabled",
                "does not take this user and token",
            ),
            (
                "",
                "fatal: unable to access 'https://…': The requested URL returned error: 302",
                "sends on to another address",
            ),
            ("", "fatal: unable to access 'https://…': The requested URL returned error: 403", "may not write"),
            ("", "fatal: unable to access 'https://…': Could not resolve host: git.example.com", "cannot be reached"),
            ("", "remote: The disk is full.\nfatal: the remote end hung up", "did not take it: The disk is full."),
            ("", "", "git gave no reason"),
        ] {
            let why = why(&address, output, errors);
            assert!(why.contains(words), "{errors}: {why}");
        }
    }

    #[test]
    fn progress_is_the_last_that_git_counts() {
        assert_eq!(
            progress("Counting objects:  50% (1/2)\rCounting objects: 100% (2/2), done.\n"),
            "Counting objects: 100% (2/2), done."
        );
        assert_eq!(progress("remote: 100% of something\n"), "");
    }
}
