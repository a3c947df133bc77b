//! `cargo xtask screenshots`: a walk through the product, as visitor, customer and operator, with pictures.

pub mod browser;
mod walk;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::product::{Product, free_address};
use crate::shell::{self, cargo, step};
use crate::temporary::TemporaryFolder;
use browser::{Browser, LOOKS};

/// What README shows; these are kept in the repository.
const KEPT: [&str; 5] = ["landing", "progress", "workspace", "portal", "console"];

const KEPT_IN: &str = "docs/screenshots";
const ALL_IN: &str = "target/screenshots";

/// Which executable to take pictures of.
#[derive(Debug, clap::Args)]
#[command(after_help = "Writes every page in four looks (desktop and phone, light and dark) to target/screenshots,
and those that README shows to docs/screenshots.

Examples:
  cargo xtask screenshots
  cargo xtask screenshots --binary target/release/spinoff")]
pub struct Args {
    /// Take pictures of this executable instead of building one
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// Walks and takes pictures.
pub fn run(args: &Args) -> Result<()> {
    let binary = match &args.binary {
        Some(binary) => binary.canonicalize()?,
        None => {
            step("building", || shell::run(cargo().args(["build", "-p", "spinoff", "--bin", "spinoff"])))?;
            shell::root().join("target/debug/spinoff")
        }
    };
    for folder in [KEPT_IN, ALL_IN] {
        fs::create_dir_all(folder).with_context(|| format!("making {folder}"))?;
    }
    let data = TemporaryFolder::new("screenshots")?;
    let product = Product::start_at(address()?, &binary, data.path())?;
    let mut pictures = Pictures { browser: Browser::open()?, taken: 0 };
    step("walking through the product", || walk::walk(&product, &mut pictures))?;
    println!("{} pictures are in {ALL_IN}; README's are in {KEPT_IN}", pictures.taken);
    product.stop()
}

/// The address that documents name, if nobody else is there.
fn address() -> Result<SocketAddr> {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
    if TcpListener::bind(usual).is_ok() { Ok(usual) } else { free_address() }
}

/// A browser that keeps pictures of where it was.
struct Pictures {
    browser: Browser,
    taken: usize,
}

impl Pictures {
    /// Takes the page that is shown, in every look.
    fn take(&mut self, name: &str) -> Result<()> {
        for look in LOOKS {
            self.browser.look(look)?;
            let file = Path::new(ALL_IN).join(format!("{name}{}.png", look.name));
            self.browser.take(&file)?;
            self.taken += 1;
            if look.name.is_empty() && KEPT.contains(&name) {
                fs::copy(&file, Path::new(KEPT_IN).join(format!("{name}.png")))?;
            }
        }
        self.browser.look(LOOKS[0])
    }

    /// Goes somewhere and takes the page there.
    fn take_at(&mut self, name: &str, url: &str) -> Result<()> {
        self.browser.go(url)?;
        self.take(name)
    }
}
