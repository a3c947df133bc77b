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
        for (name, subject, text, html) in samples::door_mails(fill) {
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
