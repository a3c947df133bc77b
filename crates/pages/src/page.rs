use std::fmt;

/// The policy that every page of this crate lives under; send it with each of them.
pub const CONTENT_SECURITY_POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'; object-src 'none'";

/// The policy for the HTML of a mail shown inside the mailbox page: its own inline styles, nothing
/// loaded, nothing run; links open outside the frame.
pub const MAIL_CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'self'; form-action 'none'; \
     frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox";

/// Text that is HTML already and is not escaped again. Only this crate can make it.
#[derive(Debug, Clone)]
pub struct Markup(pub(crate) String);

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Markup {}

/// A valid template fails only when the writer does, and a `String` never does; should that ever
/// change, a person gets a sentence instead of half a page.
pub(crate) fn written(rendered: askama::Result<String>) -> String {
    rendered.unwrap_or_else(|error| {
        format!("<!doctype html><title>Error</title><p>This page could not be written: {error}. Please try again.")
    })
}

/// Gives a page its `render`, and the place in the navigation that it marks as the current one.
macro_rules! page {
    ($page:ty, here: $here:literal) => {
        impl $page {
            /// The page as HTML, complete from doctype to end.
            pub fn render(&self) -> String {
                $crate::page::written(askama::Template::render(self))
            }

            fn here(&self) -> &'static str {
                $here
            }
        }
    };
    ($page:ty) => {
        impl $page {
            /// The page as HTML, complete from doctype to end.
            pub fn render(&self) -> String {
                $crate::page::written(askama::Template::render(self))
            }
        }
    };
}

pub(crate) use page;
