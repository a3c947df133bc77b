//! Pages of the built-in edge. They stand on any hostname, so their assets come from the edge's
//! own paths, and they know nothing of the site around them.

use std::sync::Arc;

use askama::Template;

use crate::assets::{Links, Shelf};
use crate::brand::Brand;
use crate::page::page;

/// Asks for the e-mail address. Posts `email` to `action`.
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in/email.html")]
pub struct SignInEmail {
    /// Where the visitor wants to go in, such as `acme.localhost:8080`.
    pub hostname: String,
    /// What is sold here.
    pub product: String,
    /// How that looks.
    pub brand: Arc<Brand>,
    /// What is wrong with the address that was entered.
    pub error: Option<String>,
    /// The address that was entered.
    pub email: String,
    /// Where the form goes.
    pub action: String,
}

/// Asks for the code that was mailed. Posts `code` (and `email`) to `action`; `email` alone to
/// `resend_action`.
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in/code.html")]
pub struct SignInCode {
    /// Where the visitor wants to go in.
    pub hostname: String,
    /// What is sold here.
    pub product: String,
    /// How that looks.
    pub brand: Arc<Brand>,
    /// Where the code was sent, if that address may enter; the page never says whether it may.
    pub email: String,
    /// What is wrong with the code that was entered.
    pub error: Option<String>,
    /// Where the form goes.
    pub action: String,
    /// Where the request for another code goes.
    pub resend_action: String,
    /// Where a visitor asks for another address than this one: the first page.
    pub restart_url: String,
    /// Where mail lands when it goes to the built-in mailbox.
    pub mailbox_url: Option<String>,
}

/// Signed out; offers to sign in again.
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in/signed_out.html")]
pub struct SignedOut {
    /// Where the visitor was.
    pub hostname: String,
    /// What is sold here.
    pub product: String,
    /// How that looks.
    pub brand: Arc<Brand>,
}

/// Nothing to enter at this hostname: unknown, being made, suspended, or gone.
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in/unavailable.html")]
pub struct Unavailable {
    /// The hostname asked for.
    pub hostname: String,
    /// What is sold here.
    pub product: String,
    /// How that looks.
    pub brand: Arc<Brand>,
    /// A few words.
    pub title: String,
    /// One or two sentences: why, and what to do.
    pub text: String,
    /// A way on: its label and where it leads.
    pub link: Option<(String, String)>,
    /// Whether the page should look again by itself every few seconds.
    pub retry: bool,
    /// Where it finds its assets.
    pub shelf: Shelf,
}

page!(SignInEmail);
page!(SignInCode);
page!(SignedOut);
page!(Unavailable);

macro_rules! on_the_edge {
    ($($page:ty),*) => {
        $(impl $page {
            fn links(&self) -> Links<'_> {
                Links::edge(&self.brand)
            }
        })*
    };
}

on_the_edge!(SignInEmail, SignInCode, SignedOut);

impl Unavailable {
    fn links(&self) -> Links<'_> {
        Links::on(self.shelf, &self.brand)
    }
}
