//! Texts that a customer agrees to. They are a template: whoever runs an installation replaces
//! or reviews them, and the page says so.

use domain::Plan;

/// The texts that a customer agrees to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegalText {
    /// Terms of service.
    Terms,
    /// Privacy statement.
    Privacy,
    /// Rules of acceptable use.
    AcceptableUse,
    /// What is charged, when and how.
    BillingAgreement,
}

/// A part of a text: its heading and its paragraphs.
pub(crate) struct Part {
    pub(crate) heading: &'static str,
    pub(crate) paragraphs: Vec<String>,
}

impl LegalText {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Terms, Self::Privacy, Self::AcceptableUse, Self::BillingAgreement];

    /// The version in force, recorded with each agreement: the day it was written.
    pub const VERSION: &'static str = "2026-11-30";

    /// Where it is shown.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Terms => "/terms",
            Self::Privacy => "/privacy",
            Self::AcceptableUse => "/acceptable-use",
            Self::BillingAgreement => "/billing-agreement",
        }
    }

    /// Its name.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Terms => "Terms of service",
            Self::Privacy => "Privacy",
            Self::AcceptableUse => "Acceptable use",
            Self::BillingAgreement => "Billing agreement",
        }
    }

    pub(crate) fn parts(self, product: &str, plan: &Plan) -> Vec<Part> {
        match self {
            Self::Terms => terms(product),
            Self::Privacy => privacy(product),
            Self::AcceptableUse => acceptable_use(product),
            Self::BillingAgreement => billing(plan),
        }
    }
}

fn terms(product: &str) -> Vec<Part> {
    vec![
        part(
            "What you get",
            &[
                &format!(
                    "You get a workspace: a copy of {product} of your own, at an address that you choose, with its own data. We run it, watch it, and repair it when it fails."
                ),
                "We do not promise that it never fails. We show on the status page how the workspaces are doing, and say so when something is broken.",
            ],
        ),
        part(
            "What is yours stays yours",
            &[
                "Everything that you and your members put into the workspace, and everything that is made there for you, belongs to you. We use it only to run the workspace for you.",
            ],
        ),
        part(
            "What we ask of you",
            &[
                "Give us a true name and an e-mail address that you read. Invite only people whom you want inside; you answer for what they do there. Keep to the rules of acceptable use, and pay your bills.",
            ],
        ),
        part(
            "Check what is made for you",
            &[
                "Software made with the help of AI can be wrong in ways that look right. It is tested before you see it, and still it is for you to judge whether it is fit for what you use it for, above all where health, money, safety or other people's rights depend on it.",
            ],
        ),
        part(
            "How it ends",
            &[
                "You can cancel the workspace at any time: it then runs to the end of the period, or of the trial, that has begun, its contents are kept for a while after that, and until they are deleted you can come back. Until when, you are told before you cancel; before the deletion we write to you once more. You can also delete it at once. We can end the agreement with thirty days' notice, or suspend a workspace at once where it harms others or bills stay unpaid; we tell you why. After deletion nothing can be brought back, so take along what you need first.",
            ],
        ),
        part(
            "What we answer for",
            &[
                "We answer without limit where the law says so. Beyond that, we answer for no more than you paid in the twelve months before the damage.",
            ],
        ),
    ]
}

fn privacy(product: &str) -> Vec<Part> {
    vec![
        part(
            "What we keep about you",
            &[
                "Your name, your e-mail address, your company if you gave one, the addresses of the people you invite, the last four digits of your card, your bills, and which texts you agreed to and when.",
                "For each hour that is billed: what kind of use was seen, which members or programs it came from, when it was first and last seen, and how often. Not what you did, wrote or read.",
                "A record of changes to your account and your workspace, so that you and we can see later who did what.",
                "If you leave: why, if you tell us. Some days later we write to you once, how to come back; each such mail has a link to get none.",
            ],
        ),
        part(
            "What is in your workspace",
            &[
                &format!(
                    "The contents of your {product} workspace lie in a place of their own, apart from all other customers and apart from our records. The part of the system that sells, bills and watches does not read them."
                ),
                "If the workspace works with an AI service, what you write to the team is sent to that service. Which one that is, and on what terms, is named in the workspace's settings.",
            ],
        ),
        part(
            "Cookies",
            &[
                "One cookie keeps you signed in. There is no other, and nothing on these pages is loaded from anybody else.",
                "We count how often our public pages are opened, as one number for each page and day. Nothing about you is read or kept for that, and who asks not to be followed is not counted.",
            ],
        ),
        part(
            "Who else sees it",
            &[
                "Those who work for us in running this: the host of the machines, the sender of the mail, and the service that takes payments, each only what it needs. We sell nothing about you to anybody.",
            ],
        ),
        part(
            "How long, and your rights",
            &[
                "When you delete your workspace, its contents are removed; when you cancel it, they are kept until the day that you were told, and removed then. Bills and the record of the removal are kept for as long as the law on bookkeeping demands.",
                "You can ask what we keep about you, have it corrected, have it removed where the law does not make us keep it, or take it with you. Write to the operator.",
            ],
        ),
    ]
}

fn acceptable_use(product: &str) -> Vec<Part> {
    vec![
        part(
            "The idea",
            &[&format!(
                "Use {product} for anything lawful that does not harm others or get in their way. The rest of this page only spells that out."
            )],
        ),
        part(
            "What is not allowed",
            &[
                "Breaking into systems, or trying to: this one, the workspaces of others, or anybody else's. Looking for weaknesses in your own workspace is welcome, as long as it touches nobody else and you tell us what you find.",
                "Sending mail or messages to people who did not ask for them. Deceiving people about who you are. Spreading harmful programs.",
                "Content that is against the law where you or we are, content that sexualises children in any form, and content that calls for violence against people.",
                "Using up machines for their own sake, such as making digital coins or flooding others with requests.",
            ],
        ),
        part(
            "What happens otherwise",
            &[
                "If we see a breach, we write to you and ask you to end it. Where others are being harmed, we suspend the workspace first and write then. Your data is kept meanwhile, and you can always answer.",
            ],
        ),
    ]
}

fn billing(plan: &Plan) -> Vec<Part> {
    let (base, hour) = (plan.price(plan.base_cents), plan.price(plan.hour_cents));
    let trial = plan.trial_in_words().map_or_else(String::new, |days| {
        format!(" For {days} after the first workspace of a customer is ready, all of that customer's cost nothing.")
    });
    vec![
        part(
            "What it costs",
            &[
                &format!(
                    "Each workspace costs {base} a month, and {hour} for each hour in which it is used.{trial} Taxes come \
                     on top where the law asks for them, by the country in your billing details."
                ),
                "An hour is an hour of the clock in universal time (UTC). It counts once and as a whole when, within it, a member was active, a sprint ran, the app made for you ran, or a program called the workspace. A page left open does not count.",
            ],
        ),
        part(
            "When it is charged",
            &[
                "At the end of each calendar month (UTC) you get a bill with the base fee and the number of hours, and the amount is charged to your payment method. Each hour on it opens to its evidence.",
            ],
        ),
        part(
            "When you leave",
            &[
                "The period in which you cancel is the last that is charged; a workspace that is cancelled within its trial is charged nothing. Hours that are reported late are billed all the same. When you come back, you are charged again from that hour on, with the whole base fee of that period, and nothing for the time in between.",
            ],
        ),
        part(
            "When an hour looks wrong",
            &[
                "Tell us within sixty days. We look at the evidence together with you; an hour without evidence is credited.",
            ],
        ),
        part(
            "When a payment fails",
            &[
                "We write to you and try again over the following days. If it stays unpaid, entry to the workspace is refused until it is paid; the data is kept during that time and for a period of grace afterwards, which we name in our mails. Paying brings everything back.",
            ],
        ),
        part(
            "When prices change",
            &[
                "We tell you at least thirty days before. The new price holds from the first day of a month, never for hours already used.",
            ],
        ),
    ]
}

fn part(heading: &'static str, paragraphs: &[&str]) -> Part {
    Part { heading, paragraphs: paragraphs.iter().map(|paragraph| (*paragraph).to_owned()).collect() }
}
