use std::sync::Arc;

use super::{Fill, Sample, before, sample};
use pages::{Area, Mailbox, MailboxMessage, MailboxRow, Shelf, SignInCode, SignInEmail, SignedOut, Unavailable, mail};

pub fn all(fill: Fill) -> Vec<Sample> {
    let hostname = fill.text("corner-bakery.localhost:8080");
    let product = fill.text("AI-DIY");
    let email = SignInEmail {
        hostname: hostname.clone(),
        product: product.clone(),
        brand: Arc::default(),
        error: None,
        email: String::new(),
        action: "/cdn-cgi/access/login?to=%2F".to_owned(),
    };
    let wrong = SignInEmail {
        error: fill.maybe("Enter an address such as name@example.com."),
        email: fill.text("ada@"),
        ..email.clone()
    };
    let code = SignInCode {
        hostname: hostname.clone(),
        product: product.clone(),
        brand: Arc::default(),
        email: fill.text("ada@corner-bakery.example"),
        error: fill.maybe("That is not the code we mailed last. You have 4 tries left."),
        action: "/cdn-cgi/access/code".to_owned(),
        resend_action: "/cdn-cgi/access/login".to_owned(),
        restart_url: "/cdn-cgi/access/login".to_owned(),
        mailbox_url: fill.option("http://localhost:8080/mailbox".to_owned()),
    };
    let unavailable = Unavailable {
        hostname: hostname.clone(),
        product: product.clone(),
        brand: Arc::default(),
        title: fill.text("Suspended"),
        text: fill.text("This workspace is closed until its bill is paid. Nothing in it was lost."),
        link: fill.option((fill.text("Go to the portal"), "http://localhost:8080/portal".to_owned())),
        retry: true,
        shelf: Shelf::Edge,
    };
    let mut found = vec![
        sample("sign-in", email.render()),
        sample("sign-in-wrong", wrong.render()),
        sample("sign-in-code", code.render()),
        sample("signed-out", SignedOut { hostname, product, brand: Arc::default() }.render()),
        sample("unavailable", unavailable.render()),
        sample("mailbox", mailbox(fill).render()),
        sample("mailbox-message", message(fill).render()),
    ];
    found.extend(mails(fill).into_iter().map(|(name, _, _, html)| sample(name, html)));
    found
}

/// Name, subject, text and HTML of each mail.
pub fn mails(fill: Fill) -> Vec<(&'static str, String, String, String)> {
    let (product, name) = (fill.text("AI-DIY"), fill.text("Ada"));
    let hostname = fill.text("corner-bakery.localhost:8080");
    let url = "http://corner-bakery.localhost:8080".to_owned();
    let portal_url = "http://localhost:8080/portal".to_owned();
    macro_rules! parts {
        ($file:literal, $mail:expr) => {{
            let mail = $mail;
            ($file, mail.subject(), mail.text(), mail.html())
        }};
    }
    vec![
        parts!(
            "mail-welcome",
            mail::Welcome {
                product: product.clone(),
                name: name.clone(),
                hostname: hostname.clone(),
                url: url.clone(),
                next_hostname: Some("acme.example.com".to_owned()),
                portal_url: portal_url.clone()
            }
        ),
        parts!(
            "mail-code",
            mail::SignInCode {
                product: product.clone(),
                code: "402913".to_owned(),
                hostname: hostname.clone(),
                valid_minutes: 10
            }
        ),
        parts!(
            "mail-invitation",
            mail::Invitation {
                product: product.clone(),
                invited_by: fill.text("ada@corner-bakery.example"),
                hostname: hostname.clone(),
                url: url.clone()
            }
        ),
        parts!(
            "mail-failed",
            mail::ProvisioningFailed {
                product: product.clone(),
                name: name.clone(),
                hostname: hostname.clone(),
                reason: fill.text("the machine had no room left."),
                retry_url: portal_url.clone()
            }
        ),
        parts!(
            "mail-alert",
            mail::OperatorAlert {
                product: product.clone(),
                what: fill.text("Provisioning corner-bakery.localhost failed and was undone"),
                why: fill.text("deploy: the machine had no room left"),
                url: portal_url.clone()
            }
        ),
        parts!(
            "mail-order-placed",
            mail::OrderPlaced {
                product: product.clone(),
                hostname: hostname.clone(),
                closes_at: before(-86_400),
                url: portal_url.clone()
            }
        ),
        parts!(
            "mail-order-closed",
            mail::OrderClosed {
                product: product.clone(),
                name: name.clone(),
                hostname: hostname.clone(),
                reason: fill.text("No payment details were entered in time."),
                retry_url: portal_url.clone()
            }
        ),
        parts!(
            "mail-renamed",
            mail::Renamed {
                product: product.clone(),
                name: name.clone(),
                old_hostname: fill.text("bakery.localhost:8080"),
                hostname: hostname.clone(),
                url: url.clone()
            }
        ),
        parts!(
            "mail-rename-failed",
            mail::RenameFailed {
                product: product.clone(),
                name: name.clone(),
                hostname: hostname.clone(),
                wanted: fill.text("bakeries.localhost:8080"),
                reason: fill.text("This step did not succeed: starting the application again."),
                portal_url: portal_url.clone()
            }
        ),
        parts!("mail-deleted", mail::Deleted { product, name, hostname, record_url: portal_url }),
    ]
}

fn mailbox(fill: Fill) -> Mailbox {
    let row = |subject: &str, preview: &str, seconds| MailboxRow {
        id: "msg_01kaz5xw2v7d3e8k9m4n5p6q7r".to_owned(),
        to: fill.text("ada@corner-bakery.example"),
        subject: fill.text(subject),
        at: before(seconds),
        text_preview: fill.text(preview),
    };
    Mailbox {
        shell: fill.shell("Mailbox", Area::Site),
        messages: fill.list(vec![
            row(
                "402913 is your code for corner-bakery.localhost:8080",
                "Your code for signing in to corner-bakery.localhost:8080: 402913. It works once, for 10 minutes.",
                3,
            ),
            row(
                "Your AI-DIY workspace is ready",
                "Hello Ada, your workspace is ready at corner-bakery.localhost:8080.",
                75,
            ),
        ]),
        next: fill.option("/mailbox?after=msg_1".to_owned()),
    }
}

fn message(fill: Fill) -> MailboxMessage {
    MailboxMessage {
        shell: fill.shell("Mail", Area::Site),
        id: "msg_01kaz5xw2v7d3e8k9m4n5p6q7r".to_owned(),
        to: fill.text("ada@corner-bakery.example"),
        subject: fill.text("402913 is your code for corner-bakery.localhost:8080"),
        at: before(3),
        text: fill.text("Your code:\n\n402913\n"),
        html_src: fill.option("mail-code.html".to_owned()),
    }
}
