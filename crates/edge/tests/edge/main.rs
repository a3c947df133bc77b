//! The built-in edge over real sockets, in front of an upstream that records what reaches it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod app_sites;
mod browser;
mod entering;
mod publishing;
mod routing;
mod signing_in;
mod site;
mod town;
mod upstream;

/// Runs each sentence on both engines, since its truth depends on SQL.
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(store::Engine::Sqlite).await;
            })*
        }

        mod on_postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(store::Engine::Postgres).await;
            })*
        }
    };
}

pub(crate) use on_both_engines;
