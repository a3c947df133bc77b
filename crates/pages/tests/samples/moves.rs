//! Where workspaces live, and the mails about their moves.

use domain::MoveState;
use pages::mail::{MoveBegins, MoveFailed, MoveWaits, Moved, MovedBack, Mover};
use pages::{LivesIn, MoveNote};

use super::{Fill, before};

/// A workspace that lives in one of two homes, and how its move stands.
pub fn lives_in(fill: Fill, state: MoveState) -> LivesIn {
    LivesIn {
        label: fill.text("Frankfurt"),
        others: fill.list(vec![("default".to_owned(), fill.text("Oregon"))]),
        last: Some(MoveNote {
            state,
            from: fill.text("Oregon"),
            to: fill.text("Frankfurt"),
            since: before(4_000),
            doing: fill.maybe("Waiting until it answers there"),
            has_failed: true,
            why: fill.maybe("verify: its health page answers 503"),
        }),
    }
}

/// Name, subject, text and HTML of each mail about moves.
pub fn mails(fill: Fill) -> Vec<(&'static str, String, String, String)> {
    let mover = || Mover {
        product: fill.text("AI-DIY"),
        name: fill.text("Ada"),
        hostname: fill.text("corner-bakery.localhost:8080"),
        url: "http://localhost:8080/portal/instances/corner-bakery".to_owned(),
    };
    let (from, to) = (fill.text("Oregon"), fill.text("Frankfurt"));
    let begins = MoveBegins { mover: mover(), to: to.clone() };
    let moved = Moved { mover: mover(), from: from.clone(), to: to.clone() };
    let waits = MoveWaits { mover: mover(), from: from.clone(), to };
    let back = MovedBack { mover: mover(), to: from };
    let failed = MoveFailed { mover: mover() };
    vec![
        ("mail-move-begins", begins.subject(), begins.text(), begins.html()),
        ("mail-moved", moved.subject(), moved.text(), moved.html()),
        ("mail-move-waits", waits.subject(), waits.text(), waits.html()),
        ("mail-moved-back", back.subject(), back.text(), back.html()),
        ("mail-move-failed", failed.subject(), failed.text(), failed.html()),
    ]
}
