//! A real project of each stack that is known: written by a recorded team, installed by its real package
//! manager, tested, run by the program, taken away, and run without it.

use std::process::Command;

use crate::app_port::{APP, AppPort};
use crate::program::Home;
use crate::provider::{Provider, Says, done, write};
use crate::recorded::{self, Recorded};
use crate::takeaway::{Running, free_port, instructions, unpack};
use crate::visit::VISION;

/// Lets the team make a project, and runs it here and elsewhere.
async fn is_made_tested_and_run(recorded: Recorded) {
    let Recorded { test: (path, test), code, says, ready } = recorded;
    let provider = Provider::playing(move |question| match question.step.as_str() {
        "write-tests" => Says::Calls(vec![write(path, test), done()]),
        "write-code" => {
            let files = code.iter().map(|(path, text)| write(path, text));
            Says::Calls(files.chain([done()]).collect())
        }
        _ => Says::Words("As small as can be."),
    })
    .await;
    let _port = AppPort::alone().await;
    let home = Home::new();
    let program = home.start(&[&provider.options()[..], &["--registries-anyway"]].concat()).await;
    program.write_stories(1).await;
    program.plan(&[1], "1").await;
    program.send("/sprints/1/start", &[]).await;
    let page = program.see("/sprints/1", "finished").await;
    assert!(page.contains("1 of 1 done") && page.contains("its acceptance test ran and passed"), "{page}");
    program.send("/app/start", &[("vision", VISION.0)]).await;
    program.see("/app", "runs.").await;
    let shown = reqwest::get(APP).await.unwrap().text().await.unwrap();
    assert!(shown.contains(says), "{shown}");
    let files = program.download(&format!("/projects/{}/app.tar", VISION.0)).await;
    program.kill();
    let elsewhere = tempfile::tempdir().unwrap();
    unpack(&files, elsewhere.path());
    let folder = elsewhere.path().join(VISION.0).join("app");
    let port = free_port();
    let _app = Running::start(&folder, &instructions(&files[&format!("{}/START.md", VISION.0)]), port, ready);
    let shown = reqwest::get(format!("http://127.0.0.1:{port}/")).await.unwrap().text().await.unwrap();
    assert!(shown.contains(says), "{shown}");
}

/// Whether a registry has a package; says so when it cannot be asked.
async fn registry_has(address: &str) -> bool {
    let answer = reqwest::get(address).await;
    let is_there = answer.as_ref().is_ok_and(|answer| answer.status().is_success());
    if !is_there {
        eprintln!("skipped: no registry at {address} ({answer:?})");
    }
    is_there
}

/// Whether this machine has a program; says so when it has not.
fn machine_has(command: &[&str]) -> bool {
    let has = Command::new(command[0]).args(&command[1..]).output().is_ok_and(|done| done.status.success());
    if !has {
        eprintln!("skipped: `{}` does not run here", command.join(" "));
    }
    has
}

#[tokio::test]
async fn plain_files() {
    is_made_tested_and_run(recorded::plain_files()).await;
}

#[tokio::test]
async fn node_without_a_package() {
    is_made_tested_and_run(recorded::node_alone()).await;
}

#[tokio::test]
async fn node_with_a_package_and_a_build() {
    if machine_has(&["/usr/bin/npm", "--version"]) && registry_has("https://registry.npmjs.org/is-number").await {
        is_made_tested_and_run(recorded::node_with_a_package()).await;
    }
}

#[tokio::test]
async fn python_without_a_package() {
    if machine_has(&["/usr/bin/python3", "--version"]) {
        is_made_tested_and_run(recorded::python_alone()).await;
    }
}

#[tokio::test]
async fn python_with_a_package() {
    if machine_has(&["/usr/bin/python3", "-m", "pip", "--version"])
        && registry_has("https://pypi.org/simple/six/").await
    {
        is_made_tested_and_run(recorded::python_with_a_package()).await;
    }
}
