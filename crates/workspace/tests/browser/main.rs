//! What people do with AI-DIY, in a browser: the real program plays the recorded project, and headless
//! Chromium sits in front of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods, missing_docs)]

#[path = "../trials/app_port.rs"]
mod app_port;
mod axe;
mod browser;
#[path = "../../../spinoff/tests/e2e/support/chromedriver.rs"]
mod chromedriver;
mod guard;
mod idle;
mod journey;
mod keyboard_alone;
mod looks;
mod members;
mod pressing;
#[allow(dead_code, reason = "others copy data folders")]
#[path = "../trials/program.rs"]
mod program;
mod restarts;
#[path = "../trials/takeaway.rs"]
mod takeaway;
mod turns;
#[allow(dead_code, reason = "others use all of it")]
#[path = "../trials/visit.rs"]
mod visit;
mod webdriver;
