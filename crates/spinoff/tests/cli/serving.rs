//! The main instance for customers.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::accounts::Accounts;

/// Waits until it says that it is ready, stops it, and gives what it said.
fn ready(mut child: Child) -> String {
    let out = BufReader::new(child.stdout.take().unwrap());
    let line = out.lines().map_while(Result::ok).find(|line| line.starts_with("ready "));
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM).unwrap();
    let ended = child.wait_with_output().unwrap();
    line.unwrap_or_else(|| panic!("never ready: {}", String::from_utf8_lossy(&ended.stderr)))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_once_the_setup_is_done_and_listens_anywhere() {
    let accounts = Accounts::open().await;
    let early = accounts.run(&["serve", "--listen", "0.0.0.0:0"]).await;
    early.assert_failed(1, &["run `spinoff setup cloudflare` first", "run `spinoff setup stripe` first"]);
    let keyless = accounts.run_with(&["serve"], &[("SPINOFF_STRIPE__SECRET_KEY", "")]).await;
    keyless.assert_failed(1, &["run `spinoff setup cloudflare` first", "[stripe] secret_key (or secret_key_file)"]);
    assert_eq!(accounts.run(&["setup", "cloudflare", "--yes"]).await.code, 0);
    accounts.run(&["serve"]).await.assert_failed(1, &["run `spinoff setup stripe` first"]);
    assert_eq!(accounts.run(&["setup", "--yes"]).await.code, 0);
    let mut command = accounts.command(&["serve", "--listen", "0.0.0.0:0"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let line = tokio::task::spawn_blocking(|| ready(child)).await.unwrap();
    assert_eq!(line, "ready https://ai-diy.ai");
}
