//! What the public AI-DIY is known to get wrong, each shown not to happen here. That an open tab asks
//! again and again is shown with a real browser, in `browser/idle.rs`.

use reqwest::Client;

use crate::app_port::{APP, AppPort};
use crate::journal::{Watch, lines};
use crate::program::{Home, Program, REHEARSAL};
use crate::provider::{ANSWERED, ASKED, MODEL, Provider, Says, run, team};
use crate::takeaway::{Running, free_port, instructions, unpack};
use crate::visit::VISION;

/// A program with one story in a sprint that is worked on.
async fn working(home: &Home, options: &[&str]) -> Program {
    let program = home.start(options).await;
    program.write_stories(1).await;
    program.plan(&[1], "1").await;
    program.send("/sprints/1/start", &[]).await;
    program
}

/// The same, until it has come to its end.
async fn worked(home: &Home) -> Program {
    let program = working(home, &REHEARSAL).await;
    program.see("/sprints/1", "finished").await;
    program
}

#[tokio::test]
async fn a_chat_is_not_lost_on_reload_nor_on_a_restart_in_the_middle_of_an_answer() {
    let home = Home::new();
    let program = home.start(&REHEARSAL).await;
    program.send("/meetings", &[("kind", "vision")]).await;
    program.send("/meetings/M-1/messages", &[("text", "Nobody bought milk.")]).await;
    program.see("/meetings/M-1", "Welcome!").await;
    let reloaded = program.page("/meetings/M-1").await;
    assert!(reloaded.contains("Nobody bought milk.") && reloaded.contains("Welcome!"), "{reloaded}");
    program.kill();
    let program = home.start(&REHEARSAL).await;
    let restarted = program.page("/meetings/M-1").await;
    assert!(restarted.contains("Nobody bought milk.") && restarted.contains("Broken off."), "{restarted}");
    program.send("/meetings/M-1/continuation", &[]).await;
    let answered = program.see("/meetings/M-1", "I will write the vision.").await;
    assert!(answered.contains("Nobody bought milk."), "{answered}");
}

#[tokio::test]
async fn a_sprint_is_not_completed_while_the_model_is_down() {
    let nobody_there = format!("http://127.0.0.1:{}/v1", free_port());
    let refusing = Provider::playing(|_| Says::Status(401)).await;
    for (address, words) in [(&nobody_there, "The model gave no answer"), (&refusing.address, "It waits for you")] {
        let home = Home::new();
        let program = working(&home, &["--model-url", address, "--model-name", MODEL]).await;
        let page = program.see("/sprints/1", words).await;
        assert!(page.contains("0 of 1 done") && !page.contains("finished"), "{page}");
        assert!(home.entries(1).iter().all(|entry| entry["what"] != "ended"), "{:?}", home.entries(1));
    }
}

#[tokio::test]
async fn a_sprint_is_not_completed_because_the_model_says_so() {
    let boasting = Provider::playing(team(|_| Says::Words("All tests pass, the sprint is completed!"))).await;
    let home = Home::new();
    let program = working(&home, &boasting.options()).await;
    let page = program.see("/sprints/1", "finished").await;
    assert!(page.contains("0 of 1 done") && page.contains("the developer only talked"), "{page}");
}

#[tokio::test]
async fn a_sprint_is_not_stuck_after_the_program_died_in_it() {
    let hanging = Provider::playing(team(|_| Says::Hangs("I am about to"))).await;
    let home = Home::new();
    let program = working(&home, &hanging.options()).await;
    hanging.asked_times(3).await;
    program.kill();
    let program = home.start(&hanging.options()).await;
    hanging.asked_times(4).await;
    for (step, state) in [("pause", "paused"), ("start", "running"), ("stop", "stopped")] {
        program.send(&format!("/sprints/1/{step}"), &[]).await;
        let page = program.page("/sprints/1").await;
        assert!(page.contains(&format!(">{state}<")), "after {step}: {page}");
    }
    let (next, before) = (program.plan(&[1], "1").await, hanging.asked());
    program.send(&format!("{next}/start"), &[]).await;
    hanging.asked_times(before + 1).await;
}

#[tokio::test]
async fn planning_starting_and_stopping_another_sprint_leaves_the_app_and_its_data_alone() {
    let _port = AppPort::alone().await;
    let home = Home::new();
    let program = worked(&home).await;
    program.send("/app/start", &[("vision", VISION.0)]).await;
    program.see("/app", "runs.").await;
    let browser = Client::new();
    browser.post(format!("{APP}items")).form(&[("name", "Milk")]).send().await.unwrap();
    std::fs::write(home.path("projects").join(VISION.0).join("data/note"), "kept").unwrap();
    let before = program.download(&format!("/projects/{}/app.tar", VISION.0)).await;
    let item = [("title", "Tick off what is in the basket"), ("vision", VISION.0), ("criteria", "It is ticked")];
    program.send("/backlog", &item).await;
    let next = program.plan(&[2], "2").await;
    for step in ["start", "stop"] {
        program.send(&format!("{next}/{step}"), &[]).await;
    }
    let page = browser.get(APP).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Milk"), "the app that runs lost what it holds: {page}");
    let after = program.download(&format!("/projects/{}/app.tar", VISION.0)).await;
    assert_eq!(after, before);
    assert_eq!(after[&format!("{}/app/data/note", VISION.0)], "kept");
}

#[tokio::test]
async fn a_sprint_is_stopped_at_once_with_all_that_it_runs() {
    let hanging = Provider::playing(team(|_| Says::Calls(vec![run("sleep 765123")]))).await;
    let home = Home::new();
    let program = home.start(&hanging.options()).await;
    let commands = Watch::on(&home.path("bench"));
    program.write_stories(1).await;
    program.plan(&[1], "1").await;
    program.send("/sprints/1/start", &[]).await;
    commands.until("a command", || lines(&home.path("bench")) > 0).await;
    program.send("/sprints/1/stop", &[]).await;
    assert!(program.page("/sprints/1").await.contains(">stopped<"));
    let running = std::fs::read_dir("/proc").unwrap().flatten();
    let mut commands = running.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    assert!(!commands.any(|command| command.windows(6).any(|part| part == b"765123")), "the command still runs");
}

#[tokio::test]
async fn a_budget_is_kept_and_the_sprint_waits_when_it_is_used_up() {
    let restless = Provider::playing(team(|_| Says::Calls(vec![run("true")]))).await;
    let home = Home::new();
    let program = home.start(&restless.options()).await;
    program.send("/settings/models", &[("prices", &format!("{MODEL} = 2 / 10"))]).await;
    let budgets = [("day", ""), ("month", ""), ("sprint", "0.05"), ("currency", "USD")];
    program.send("/settings/budgets", &budgets).await;
    program.write_stories(1).await;
    program.plan(&[1], "1").await;
    program.send("/sprints/1/start", &[]).await;
    let page = program.see("/sprints/1", "It waits for you").await;
    assert!(page.contains("budget"), "{page}");
    let spent = restless.paid() * (ASKED * 2 + ANSWERED * 10);
    assert!(spent <= 50_000, "{spent} millionths were spent of 50000");
}

#[tokio::test]
async fn everything_can_be_taken_away_and_the_app_runs_without_the_program() {
    let home = Home::new();
    let program = worked(&home).await;
    program.send("/meetings", &[("kind", "review"), ("vision", VISION.0)]).await;
    program.send("/meetings/M-1/messages", &[("text", "It is what I wanted.")]).await;
    let all = program.download("/export.tar").await;
    for path in ["visions/", "backlog/", "meetings/M-1/", "history/", "usage.jsonl"] {
        assert!(all.keys().any(|name| name.starts_with(path)), "{path} is missing: {:?}", all.keys());
    }
    assert!(all["meetings/M-1/journal.jsonl"].contains("It is what I wanted."));
    let files = program.download(&format!("/projects/{}/app.tar", VISION.0)).await;
    program.kill();
    let elsewhere = tempfile::tempdir().unwrap();
    unpack(&files, elsewhere.path());
    let folder = elsewhere.path().join(VISION.0).join("app");
    let port = free_port();
    let lines = instructions(&files[&format!("{}/START.md", VISION.0)]);
    let _app = Running::start(&folder, &lines, port, "Open http");
    let page = reqwest::get(format!("http://127.0.0.1:{port}/")).await.unwrap().text().await.unwrap();
    assert!(page.contains("Nothing to buy."), "{page}");
}
