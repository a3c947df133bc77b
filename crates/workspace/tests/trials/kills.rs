//! `kill -9`, at every step of a sprint: it ends as if nothing had happened.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};
use serde_json::Value;

use crate::journal::{Watch, lines, story_of};
use crate::program::{Home, REHEARSAL};
use crate::provider::{ANSWERED, APP, ASKED, MODEL, Provider, Says, done, run, team, write};
use crate::visit::{VISION, item_name};

/// How many sprints are worked on at the same time; mostly they wait for words.
const AT_ONCE: usize = 3;

/// What a sprint came to.
struct Outcome {
    story: Vec<String>,
    files: BTreeMap<String, String>,
    calls: usize,
}

/// A data folder with so many stories of the recorded project in a sprint that nobody has started.
async fn planned(stories: usize) -> Home {
    let home = Home::new();
    let program = home.start(&REHEARSAL).await;
    program.write_stories(stories).await;
    let numbers: Vec<usize> = (1..=stories).collect();
    assert_eq!(program.plan(&numbers, "3").await, "/sprints/1");
    home
}

/// Works until nothing is left to do, and tells what it came to.
async fn finish(home: &Home) -> Outcome {
    let watch = Watch::on(&home.sprint(1));
    let program = home.start(&REHEARSAL).await;
    if home.entries(1).len() == 1 {
        program.send("/sprints/1/start", &[]).await;
    }
    watch.until("the end of the sprint", || home.rests(1)).await;
    let files = program.download(&format!("/projects/{}/app.tar", VISION.0)).await;
    Outcome { story: story_of(&home.entries(1)), files, calls: calls(home).len() }
}

/// The calls of the model that are on the account.
fn calls(home: &Home) -> BTreeSet<u64> {
    home.usage().iter().filter(|entry| entry["what"] == "began").map(|entry| entry["call"].as_u64().unwrap()).collect()
}

/// What all calls cost: what is told when they ended, and the most they can have cost if that was never told.
fn counted(home: &Home) -> u64 {
    let mut costs = BTreeMap::new();
    for entry in home.usage() {
        let cost = if entry["what"] == "began" { &entry["at_most"] } else { &entry["cost"] };
        costs.insert(entry["call"].as_u64().unwrap(), cost.as_u64().unwrap());
    }
    costs.values().sum()
}

/// How often something came of a task of a story.
fn count(home: &Home, story: u64, result: &str) -> usize {
    let is_it = |entry: &&Value| entry["story"] == story && entry["result"]["result"] == result;
    home.entries(1).iter().filter(is_it).count()
}

#[tokio::test]
async fn killed_after_any_entry_a_sprint_ends_as_if_nothing_had_happened() {
    let planned = planned(1).await;
    let whole = planned.copy();
    let undisturbed = finish(&whole).await;
    let entries = whole.entries(1).len();
    assert!(undisturbed.story.last().unwrap().contains("finished"), "{:?}", undisturbed.story);
    let disturb = async |entry: usize| {
        let home = planned.copy();
        let watch = Watch::on(&home.sprint(1));
        let program = home.start(&REHEARSAL).await;
        program.send("/sprints/1/start", &[]).await;
        watch.until("the entry to die after", || home.entries(1).len() >= entry).await;
        program.kill();
        let outcome = finish(&home).await;
        assert_eq!(outcome.story, undisturbed.story, "killed after entry {entry}");
        assert_eq!(outcome.files, undisturbed.files, "killed after entry {entry}");
        let again = outcome.calls - undisturbed.calls;
        assert!(again <= 1, "killed after entry {entry}, {again} calls were made again");
        let item = std::fs::read_to_string(home.path("backlog").join(format!("{}.md", item_name(1)))).unwrap();
        assert!(item.contains("status: done") && item.contains("- [x]"), "killed after entry {entry}: {item}");
    };
    stream::iter(2..=entries).for_each_concurrent(AT_ONCE, disturb).await;
}

#[tokio::test]
async fn killed_again_and_again_no_story_is_done_twice_and_no_work_is_lost() {
    let home = planned(3).await;
    let program = home.start(&REHEARSAL).await;
    program.send("/sprints/1/start", &[]).await;
    program.kill();
    let mut lives = 0;
    while !home.rests(1) {
        // The first line of a life is often one that was there before it died.
        let further = lines(&home.sprint(1)) + [4, 7, 5, 9][lives % 4];
        let watch = Watch::on(&home.sprint(1));
        let program = home.start(&REHEARSAL).await;
        watch.until("another line", || lines(&home.sprint(1)) >= further || home.rests(1)).await;
        program.kill();
        lives += 1;
        assert!(lives < 60, "it comes to no end: {:?}", story_of(&home.entries(1)));
    }
    assert!(lives > 3, "it was hardly disturbed");
    let program = home.start(&REHEARSAL).await;
    let page = program.page("/sprints/1").await;
    assert!(page.contains("3 of 3 done") && page.contains("finished"), "{page}");
    for story in 1..=3 {
        assert_eq!(count(&home, story, "merged"), 1, "B-{story}");
        assert_eq!(count(&home, story, "tests_written"), 1, "B-{story}");
    }
    assert_eq!([1, 2, 3].map(|story| count(&home, story, "fell")), [0, 1, 0]);
    let project = program.page(&format!("/projects/{}", VISION.0)).await;
    for title in ["B-1: ", "B-2: ", "B-3: ", "The project begins"] {
        assert_eq!(project.matches(title).count(), 1, "{title}: {project}");
    }
    let files = program.download(&format!("/projects/{}/app.tar", VISION.0)).await;
    let whole = finish(&planned(3).await).await;
    assert_eq!(files, whole.files);
    let ended = home.usage().iter().filter(|entry| entry["what"] == "ended").count();
    assert!(ended <= calls(&home).len() && calls(&home).len() <= whole.calls + lives + 1);
}

#[tokio::test]
async fn killed_after_any_line_nothing_that_was_paid_is_missing_from_the_account() {
    let provider = Provider::playing(team(|question| match (question.attempt, question.answers) {
        (1, 0) => Says::Calls(vec![write("app.js", "exports.answer = () => 41;\n"), run("echo one >> notes")]),
        (1, _) => Says::Calls(vec![write("more.js", "// more\n"), done()]),
        (_, 0) => Says::Calls(vec![run("echo two >> notes"), write("app.js", APP)]),
        (..) => Says::Calls(vec![run("node --test"), done()]),
    }))
    .await;
    let home = Home::new();
    let program = home.start(&provider.options()).await;
    program.write_stories(1).await;
    program.send("/settings/models", &[("prices", &format!("{MODEL} = 2 / 10"))]).await;
    program.plan(&[1], "2").await;
    program.send("/sprints/1/start", &[]).await;
    program.kill();
    let mut lives = 0;
    while !home.rests(1) {
        // Everything that is written counts, so that it dies in conversations and in calls too.
        let written = || lines(&home.sprint(1)) + lines(&home.path(""));
        let further = written() + 2 + lives % 3;
        let (sprint, account) = (Watch::on(&home.sprint(1)), Watch::on(&home.path("")));
        let program = home.start(&provider.options()).await;
        let is_there = || written() >= further || home.rests(1);
        tokio::select! {
            () = sprint.until("another line", is_there) => {}
            () = account.until("another line", is_there) => {}
        }
        program.kill();
        lives += 1;
        assert!(lives < 120, "it comes to no end: {:?}", story_of(&home.entries(1)));
    }
    assert_eq!((count(&home, 1, "merged"), count(&home, 1, "fell")), (1, 1), "{:?}", home.entries(1));
    let program = home.start(&provider.options()).await;
    let files = program.download(&format!("/projects/{}/app.tar", VISION.0)).await;
    let notes = &files[&format!("{}/app/notes", VISION.0)];
    assert!(notes.starts_with("one\n") && notes.contains("two\n"), "a command's work is lost: {notes}");
    assert!(files.contains_key(&format!("{}/app/more.js", VISION.0)));
    let (began, asked) = (calls(&home), provider.asked());
    assert!(began.len() as u64 >= asked, "{asked} questions, {} on the account", began.len());
    let paid = provider.paid() * (ASKED * 2 + ANSWERED * 10);
    assert!(counted(&home) >= paid, "{} is on the account, {paid} were to be paid", counted(&home));
    let page = program.page("/sprints/1").await;
    assert!(page.contains(&format!("in {} calls of the model", began.len())), "{page}");
}
