use askama::Template;
use domain::Plan;
use serde::Serialize;

use crate::page::page;
use crate::shell::Shell;

/// The sign-up form. It posts to `/signup` the fields `name`, `email`, `company`, `subdomain`, `coupon`,
/// `agree_terms`, `agree_privacy`, `agree_acceptable_use`, `agree_billing` (each `yes` when
/// ticked), and `card_number`, `card_expiry`, `card_cvc`, `card_name` where the card is entered here.
#[derive(Debug, Clone, Template)]
#[template(path = "site/signup.html")]
pub struct Signup {
    /// What surrounds the page.
    pub shell: Shell,
    /// Prices.
    pub plan: Plan,
    /// What follows the subdomain in an address, such as `localhost:8080`; no leading dot.
    pub base_domain: String,
    /// Who asks for the card on a page of their own afterwards, such as `Stripe`; `None` where this form does.
    pub card_entered_at: Option<String>,
    /// Whether the built-in ledger takes payments, so that nothing is charged; said plainly.
    pub nothing_is_charged: bool,
    /// Whether a coupon is asked for.
    pub takes_coupons: bool,
    /// What was entered so far. Cards are never given back.
    pub values: SignupValues,
    /// What is wrong with it.
    pub errors: SignupErrors,
}

/// What a person entered, as entered.
#[derive(Debug, Clone, Default)]
pub struct SignupValues {
    /// Names this form, so that sending it twice orders once.
    pub key: String,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Their company, if any.
    pub company: String,
    /// The name they want in the address.
    pub subdomain: String,
    /// The code of a coupon, if any.
    pub coupon: String,
    /// Whether the terms are agreed to.
    pub agree_terms: bool,
    /// Whether the privacy statement is agreed to.
    pub agree_privacy: bool,
    /// Whether the rules of acceptable use are agreed to.
    pub agree_acceptable_use: bool,
    /// Whether the billing agreement is agreed to.
    pub agree_billing: bool,
}

/// What is wrong with each field, in words for the person who filled it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignupErrors {
    /// Wrong with no single field, such as a sign-up that could not be stored.
    pub form: Option<String>,
    /// Wrong with the name.
    pub name: Option<String>,
    /// Wrong with the e-mail address.
    pub email: Option<String>,
    /// Wrong with the company.
    pub company: Option<String>,
    /// Wrong with the subdomain.
    pub subdomain: Option<String>,
    /// Wrong with the agreements: not all ticked.
    pub agreements: Option<String>,
    /// Wrong with the card's number.
    pub card_number: Option<String>,
    /// Wrong with the card's expiry.
    pub card_expiry: Option<String>,
    /// Wrong with the card's security code.
    pub card_cvc: Option<String>,
    /// Wrong with the name on the card.
    pub card_name: Option<String>,
    /// Wrong with the coupon.
    pub coupon: Option<String>,
}

/// The answer of `GET /signup/availability?subdomain=`, which the sign-up page's script reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Availability {
    /// Whether the name may be taken.
    pub available: bool,
    /// One sentence about it.
    pub message: String,
    /// The address it would give, such as `acme.localhost:8080`.
    pub hostname: String,
}

page!(Signup, here: "/signup");

impl Signup {
    fn price(&self, cents: &domain::Cents) -> String {
        self.plan.price(*cents)
    }
}

impl SignupErrors {
    /// Field and message, in the order of the form; for the summary on top.
    fn listed(&self) -> Vec<(&'static str, &str)> {
        [
            ("name", &self.name),
            ("email", &self.email),
            ("company", &self.company),
            ("subdomain", &self.subdomain),
            ("card_number", &self.card_number),
            ("card_expiry", &self.card_expiry),
            ("card_cvc", &self.card_cvc),
            ("card_name", &self.card_name),
            ("coupon", &self.coupon),
            ("agree_terms", &self.agreements),
        ]
        .into_iter()
        .filter_map(|(field, error)| Some((field, error.as_deref()?)))
        .collect()
    }
}

impl Availability {
    /// The body to answer with.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
