//! What the guard says when it does not pass a request on. A person learns what to do next; an
//! attacker learns nothing about which rule to try.

use std::time::Duration;

use access::ListState;
use http::StatusCode;
use proxy::ForwardError;

use crate::answers::Notice;
use crate::emergency::DOOR;
use crate::gate::Denied;

const LOGOUT: &str = "/-/access/logout";
const RETRY_SECONDS: u8 = 2;
/// What it rests for takes some seconds at least.
const RESTING_RETRY_SECONDS: u8 = 5;
/// Somebody has to mend it first.
const MEMBERS_RETRY_SECONDS: u8 = 30;
/// An app that is not running may not be for hours, and a page may be left open.
const APP_RETRY_SECONDS: u8 = 10;

pub(crate) fn denied(denied: &Denied) -> Notice {
    match denied {
        Denied::Unidentified | Denied::Ambiguous | Denied::Assertion(_) => Notice::new(
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
        Denied::NoKeys => Notice::new(
            StatusCode::UNAUTHORIZED,
            "One moment",
            "It can't be checked right now who you are. This page tries again by itself.",
        )
        .retrying(RETRY_SECONDS),
        Denied::NoMembers => Notice::new(
            StatusCode::FORBIDDEN,
            "The list of members can't be read",
            "Nobody can enter until it can be. This page tries again by itself; if it stays, whoever runs this \
             workspace must look at it.",
        )
        .retrying(MEMBERS_RETRY_SECONDS),
        Denied::OnlyLooks => Notice::new(
            StatusCode::FORBIDDEN,
            "You may look, and change nothing",
            "The owner of this workspace let you in to look. They can allow you to change things in their portal.",
        ),
        Denied::EmergencyUnreadable | Denied::EmergencyWrong => Notice::new(
            StatusCode::UNAUTHORIZED,
            "Wrong user or password",
            "Emergency access needs both. To sign in as a member, open this address without them.",
        )
        .with_action("Try again", DOOR),
        Denied::EmergencyThrottled(wait) => Notice::new(
            StatusCode::UNAUTHORIZED,
            "Too many attempts",
            format!("User and password were not looked at. Wait {} seconds, then try again.", whole_seconds(*wait)),
        ),
        Denied::Closed(ListState::Deleting) => Notice::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "This workspace is being deleted",
            "If that is a mistake, its owner should contact support now.",
        ),
        Denied::Closed(_) => Notice::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "This workspace is suspended",
            "Nothing is lost: its data is kept. Its owner was told the reason by mail.",
        ),
    }
}

/// A wait in words and headers: never shorter than it is.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + 1
}

pub(crate) fn malformed() -> Notice {
    Notice::new(StatusCode::BAD_REQUEST, "That request can't be understood", "It is ambiguous or incomplete.")
}

/// CONNECT and TRACE. Not 405, with which a list of what is served would go: that only the application
/// knows.
pub(crate) fn not_served() -> Notice {
    Notice::new(
        StatusCode::BAD_REQUEST,
        "This kind of request is not served here",
        "Requests for a connection to elsewhere, or for an echo, go no further.",
    )
}

pub(crate) fn starting() -> Notice {
    Notice::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "Your workspace is starting",
        "This takes a few seconds. The page opens by itself when it is ready.",
    )
    .retrying(RETRY_SECONDS)
}

/// The application stands still for a moment, as the main instance wanted.
pub(crate) fn resting() -> Notice {
    Notice::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "Back in a moment",
        "Your workspace is being looked after and stands still meanwhile. Nothing is lost; this page opens by itself \
         when it goes on.",
    )
    .retrying(RESTING_RETRY_SECONDS)
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

/// The same to whoever it is shared with, who can't start it; their page does not ask again by itself.
pub(crate) fn shared_app_not_running() -> Notice {
    let detail = "Nothing answers here now. Whoever shares this app can start it again; then load the page again.";
    Notice::new(StatusCode::SERVICE_UNAVAILABLE, "This app is not running", detail)
}

pub(crate) fn app_no_answer(error: &ForwardError) -> Notice {
    Notice::new(
        status_of(error),
        "Your app did not answer",
        "It is running, but broke off or took too long. Load the page again; if this stays, look at what the app has \
         to say in the workspace.",
    )
}

/// A page of another hostname asks for something, as if the visitor had.
pub(crate) fn from_another_site() -> Notice {
    Notice::new(
        StatusCode::FORBIDDEN,
        "Another site can't do that here",
        "A page at another address asked for this in your name, so nothing was done. Open this address yourself to do \
         it here.",
    )
}

/// The same, and it asked to sign the visitor out.
pub(crate) fn sign_out_yourself() -> Notice {
    Notice::new(
        StatusCode::FORBIDDEN,
        "Do you want to sign out?",
        "A page at another address led you here, so you are still signed in.",
    )
    .with_action("Sign out", LOGOUT)
}

pub(crate) fn no_answer(error: &ForwardError) -> Notice {
    Notice::new(
        status_of(error),
        "The application did not answer",
        "It may be restarting. Wait a moment and load the page again; if this stays, contact support.",
    )
}

/// Statuses for what the application did not do.
fn status_of(error: &ForwardError) -> StatusCode {
    match error {
        ForwardError::ConnectTimedOut | ForwardError::AnswerTimedOut => StatusCode::GATEWAY_TIMEOUT,
        ForwardError::ClientBrokeOff(_) => StatusCode::BAD_REQUEST,
        ForwardError::Unreachable(_) | ForwardError::Broken(_) | ForwardError::UnexpectedUpgrade => {
            StatusCode::BAD_GATEWAY
        }
    }
}
