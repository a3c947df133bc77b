//! What the guard says when it does not pass a request on. A person learns what to do next; an
//! attacker learns nothing about which rule to try.

use access::ListState;
use http::StatusCode;
use proxy::ForwardError;

use crate::answers::Notice;
use crate::gate::Denied;
use crate::server::status_of;

const LOGOUT: &str = "/-/access/logout";
const RETRY_SECONDS: u8 = 2;
/// An app that is not running may not be for hours, and a page may be left open.
const APP_RETRY_SECONDS: u8 = 10;

pub(crate) fn denied(denied: &Denied) -> Notice {
    match denied {
        Denied::Unidentified
        | Denied::Ambiguous
        | Denied::Assertion(_)
        | Denied::EmergencyUnreadable
        | Denied::EmergencyWrong
        | Denied::EmergencyThrottled(_) => Notice::new(
            StatusCode::UNAUTHORIZED,
            "Please sign in",
            "Your sign-in is missing or has ended. Open this address again in your browser to sign in.",
        )
        .with_action("Sign in again", LOGOUT),
        Denied::Stranger(email) => Notice::new(
            StatusCode::FORBIDDEN,
            "You have no access here",
            format!(
                "You are signed in as {email}, and that address does not belong to this workspace. Ask its owner to \
                 invite you, or sign in with another address."
            ),
        )
        .with_action("Sign in with another address", LOGOUT),
        Denied::UnlistedService => Notice::new(
            StatusCode::FORBIDDEN,
            "You have no access here",
            "This service token does not belong to this workspace.",
        ),
        Denied::NoKeys => not_now(StatusCode::UNAUTHORIZED),
        Denied::NoMembers => not_now(StatusCode::FORBIDDEN),
        Denied::Closed(ListState::Deleting) => Notice::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "This workspace is being deleted",
            "Its owner asked for it. If that was a mistake, the owner should contact support now.",
        ),
        Denied::Closed(_) => Notice::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "This workspace is suspended",
            "Nothing is lost: its data is kept. Its owner can open it again from the customer portal.",
        ),
    }
}

/// Nobody can be told from anybody else yet, so nobody passes.
fn not_now(status: StatusCode) -> Notice {
    let detail = "It can't be checked right now who you are. This page tries again by itself.";
    Notice::new(status, "One moment", detail).retrying(RETRY_SECONDS)
}

pub(crate) fn malformed() -> Notice {
    Notice::new(StatusCode::BAD_REQUEST, "That request can't be understood", "It is ambiguous or incomplete.")
}

pub(crate) fn starting() -> Notice {
    Notice::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "Your workspace is starting",
        "This takes a few seconds. The page opens by itself when it is ready.",
    )
    .retrying(RETRY_SECONDS)
}

/// Somebody whose browser has a sign-in, good or bad, asks for the emergency door.
pub(crate) fn sign_out_first() -> Notice {
    Notice::new(
        StatusCode::FORBIDDEN,
        "Please sign out first",
        "Emergency access is for browsers that are not signed in. Sign out here, then open this address again.",
    )
    .with_action("Sign out", LOGOUT)
}

/// The app that the application makes: it may have been stopped, or never started.
pub(crate) fn app_not_running() -> Notice {
    Notice::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "Your app is not running",
        "Nothing answers here yet. Start your app in the workspace; this page opens it as soon as it runs.",
    )
    .retrying(APP_RETRY_SECONDS)
}

pub(crate) fn app_no_answer(error: &ForwardError) -> Notice {
    Notice::new(
        status_of(error),
        "Your app did not answer",
        "It is running, but broke off or took too long. Load the page again; if this stays, look at what the app has \
         to say in the workspace.",
    )
}

/// A page of the app asks for something of the workspace, as if the visitor had.
pub(crate) fn from_the_app() -> Notice {
    Notice::new(
        StatusCode::FORBIDDEN,
        "Your app can't do that",
        "Pages of the app that this workspace made can't act in the workspace itself.",
    )
}

pub(crate) fn no_answer(error: &ForwardError) -> Notice {
    Notice::new(
        status_of(error),
        "The application did not answer",
        "It may be restarting. Wait a moment and load the page again; if this stays, contact support.",
    )
}
