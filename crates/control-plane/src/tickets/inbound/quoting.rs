//! Most answers repeat all that was said before. What is new is told from it by how mail programs mark it.

/// How many lines a mail program may take to say who wrote what follows.
const LONGEST_INTRODUCTION: usize = 3;
/// Lines that the head of a forwarded mail has.
const HEAD: usize = 6;
const RULES: [&str; 3] =
    ["-----Original Message-----", "----- Original Message -----", "________________________________"];

/// What is new, and what is repeated. When nothing would be left, or when there are answers between the repeated lines, all of
/// it is new.
pub(super) fn apart(text: &str) -> (String, Option<String>) {
    let lines: Vec<&str> = text.lines().collect();
    let Some(at) = (0..lines.len()).find(|at| begins_quote(&lines, *at)) else { return (text.to_owned(), None) };
    let (new, repeated) = lines.split_at(at);
    let (new, repeated) = (new.join("\n").trim().to_owned(), repeated.join("\n").trim().to_owned());
    if new.is_empty() { (text.to_owned(), None) } else { (new, Some(repeated)) }
}

/// Whether from this line to the end everything is repeated.
fn begins_quote(lines: &[&str], at: usize) -> bool {
    let rest = lines.get(at..).unwrap_or_default();
    let Some(first) = rest.first().map(|line| line.trim()) else { return false };
    if RULES.iter().any(|rule| first.starts_with(rule)) {
        return true;
    }
    if is_head_of_mail(rest) {
        return true;
    }
    if is_quoted(first) {
        return is_all_quoted(rest);
    }
    // `On Monday, Ada wrote:`, in whatever language, broken over a few lines.
    let introduction = rest.iter().take(LONGEST_INTRODUCTION).position(|line| line.trim_end().ends_with(':'));
    let Some(end) = introduction else { return false };
    let followed = rest.get(end + 1..).unwrap_or_default();
    let wordy = rest.iter().take(end + 1).all(|line| !line.trim().is_empty() && !is_quoted(line.trim()));
    // It says when or who at once, so that no last line of the answer itself is taken for a part of it.
    let has_date = first.contains(|c: char| c.is_ascii_digit() || c == '@');
    let begins = followed.iter().find(|line| !line.trim().is_empty()).is_some_and(|line| is_quoted(line.trim()));
    wordy && has_date && begins && is_all_quoted(followed)
}

/// `From: … Sent: … To: … Subject: …`, as some programs put it before what they repeat.
fn is_head_of_mail(lines: &[&str]) -> bool {
    let begins = |line: &&str, words: &[&str]| words.iter().any(|word| line.trim_start().starts_with(word));
    let is_from = lines.first().is_some_and(|line| begins(line, &["From:", "*From:*", "Von:", "De :", "De:"]));
    let others = lines.iter().skip(1).take(HEAD).filter(|line| {
        begins(
            line,
            &["Sent:", "*Sent:*", "Date:", "To:", "*To:*", "Subject:", "*Subject:*", "Gesendet:", "An:", "Betreff:"],
        )
    });
    is_from && others.count() >= 2
}

fn is_quoted(line: &str) -> bool {
    line.starts_with('>')
}

fn is_all_quoted(lines: &[&str]) -> bool {
    lines.iter().map(|line| line.trim()).all(|line| line.is_empty() || is_quoted(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated_is_told_from_what_is_new() {
        for repeated in [
            "On Mon, 30 Nov 2026 at 10:00, AI-DIY wrote:\n> Hello,\n>\n> Try again.",
            "On Mon, 30 Nov 2026 at 10:00, AI-DIY Support\n<support+01@example.com> wrote:\n\n> Try again.",
            "Am 30.11.2026 um 10:00 schrieb AI-DIY:\n> Nochmal.",
            "> Try again.\n> Please.",
            "-----Original Message-----\nFrom: AI-DIY\nTry again.",
            "From: AI-DIY <a@example.com>\nSent: Monday\nTo: Ada\nSubject: Re: It\n\nTry again.",
        ] {
            let (new, folded) = apart(&format!("It works now.\n\nThank you: really!\n\n{repeated}"));
            assert_eq!(new, "It works now.\n\nThank you: really!", "{repeated}");
            assert_eq!(folded.as_deref(), Some(repeated));
        }
    }

    #[test]
    fn nothing_that_was_written_is_folded_away() {
        for text in [
            "Here is what I did:\nfirst this, then that.",
            "> Does it start?\nNo.\n> And after a while?\nNeither.",
            "> Only repeated.",
            "From: my point of view this is wrong.",
            "At 10:00 it said:\n> error\nand then it stopped.",
        ] {
            assert_eq!(apart(text), (text.to_owned(), None));
        }
    }
}
