//! How tests start the product and look at it from outside.

pub mod apps;
pub mod axe;
pub mod browser;
pub mod chromedriver;
pub mod keyboard;
pub mod mail;
pub mod server;
pub mod sign_in;
pub mod until;
pub mod use_of;
pub mod visitor;
pub mod world;
