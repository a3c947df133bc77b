//! Mails, as people and programs read them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

mod samples;

use samples::Fill;

#[test]
fn the_code_stands_alone_on_its_line() {
    let code = pages::mail::SignInCode {
        product: "AI-DIY".to_owned(),
        code: "402913".to_owned(),
        hostname: "acme.localhost:8080".to_owned(),
        valid_minutes: 10,
    };
    let text = code.text();
    let alone =
        text.lines().filter(|line| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit())).collect::<Vec<_>>();
    assert_eq!(alone, ["402913"]);
    assert!(text.contains("acme.localhost:8080") && text.contains("10 minutes"));
    assert!(code.html().contains(">402913</p>"));
    assert!(code.subject().starts_with("402913 "));
}

#[test]
fn a_subject_is_one_line_and_no_name_begins_a_line_of_its_own() {
    let welcome = pages::mail::Welcome {
        product: "AI-DIY\r\nBcc: everybody@example.com".to_owned(),
        name: "Ada".to_owned(),
        hostname: "acme.localhost:8080".to_owned(),
        url: "http://acme.localhost:8080".to_owned(),
        next_hostname: None,
        portal_url: "http://localhost:8080/portal".to_owned(),
    };
    assert!(!welcome.subject().contains(['\r', '\n']));
    assert!(!welcome.text().lines().any(|line| line.starts_with("Bcc")));
}

#[test]
fn every_mail_says_the_same_as_text_and_as_html() {
    for fill in [Fill::Typical, Fill::Hostile] {
        for (name, subject, text, html) in [
            samples::door_mails(fill),
            samples::money_mails(fill),
            samples::leaving_mails(fill),
            samples::backup_mails(fill),
            samples::move_mails(fill),
            samples::ticket_mails(fill),
        ]
        .concat()
        {
            assert!(!subject.is_empty() && !text.is_empty(), "{name}");
            let links = |body: &str| body.contains("http://");
            assert_eq!(links(&text), links(&html), "{name}");
            assert!(!html.contains("<script>"), "{name}");
        }
    }
    let mails = samples::door_mails(Fill::Typical);
    let welcome = mails.iter().find(|(name, ..)| *name == "mail-welcome").unwrap();
    assert!(welcome.2.lines().any(|line| line == "http://corner-bakery.localhost:8080"));
}

#[test]
fn an_invoice_tells_by_mail_what_is_to_be_paid_by_when_and_which_hours_it_is_for() {
    let (_, subject, text, html) = money_mail("mail-invoice");
    assert_eq!(subject, "Invoice 2026-11-0018 for corner-bakery.localhost:8080: $51.84");
    assert!(text.contains("$48.14 are to be paid by 15 December 2026"), "{text}");
    assert!(text.contains("the base fee and 9 hours"), "{text}");
    assert!(text.lines().any(|line| line == "Sun 1 Nov 2026: 09:00–12:00, 15:00–16:00 (4 hours)"), "{text}");
    assert!(html.contains("09:00–12:00, 15:00–16:00") && html.contains("4 hours"));
}

#[test]
fn each_reminder_says_what_comes_next_and_when_and_how_to_prevent_it() {
    for (name, next) in [
        ("mail-charge-failed", "we try to charge your card again on 27 Nov 2026"),
        ("mail-reminder", "your workspace is closed, and everything in it kept, on 3 Dec 2026"),
        ("mail-last-reminder", "your workspace is closed, and everything in it kept, on 27 Nov 2026"),
        ("mail-suspended-unpaid", "your contract ends on 5 Dec 2026"),
        ("mail-ended-unpaid", "the deletion of your workspace is announced on 5 Dec 2026"),
        ("mail-deletion", "your workspace is deleted with everything in it on 5 Dec 2026"),
    ] {
        let (_, _, text, _) = money_mail(name);
        for part in [next, "2026-11-0018", "$48.14", "15 December 2026", "Pay the invoice:\nhttp://"] {
            assert!(text.contains(part), "{name} lacks {part}: {text}");
        }
    }
    assert!(money_mail("mail-reminder").1.starts_with("Reminder 2: "));
    assert!(money_mail("mail-deletion").2.contains("Paying before then keeps everything."));
}

#[test]
fn a_reached_cap_says_when_the_workspace_closes_and_opens_again() {
    let (_, _, text, _) = money_mail("mail-cap");
    assert!(text.contains("closes on 24 Nov 2026, 23:54 UTC, and opens again on 1 Dec 2026"), "{text}");
    let (_, _, text, _) = money_mail("mail-budget");
    assert!(text.contains("A budget stops nothing"), "{text}");
}

fn money_mail(name: &str) -> (&'static str, String, String, String) {
    samples::money_mails(Fill::Typical).into_iter().find(|mail| mail.0 == name).unwrap()
}

#[test]
fn each_mail_about_leaving_names_its_days_and_what_can_still_be_done() {
    let mails = samples::leaving_mails(Fill::Typical);
    for (name, parts) in [
        (
            "mail-cancelled",
            ["until the end of 30 November 2026", "until the end of 30 December 2026", "On 24 December 2026"],
        ),
        ("mail-kept-on", ["is taken back", "Nothing changes", "billed as before"]),
        ("mail-ended", ["nothing more is charged", "until the end of 30 December 2026", "you can download everything"]),
        ("mail-deletion-announced", ["On 31 December 2026", "for good", "come back before that day"]),
        ("mail-returned", ["Welcome back", "within a minute", "$5.00"]),
    ] {
        let (_, _, text, _) = mails.iter().find(|mail| mail.0 == name).unwrap();
        for part in parts {
            assert!(text.contains(part), "{name} lacks {part}: {text}");
        }
    }
}
