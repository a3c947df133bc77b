use super::actor::{APP, Actor, Says, done, run, team, write};
use super::*;

/// Two attempts, with commands that change files, so that there is something to lose everywhere.
async fn actor() -> Actor {
    Actor::playing(team(|attempt, answers| match (attempt, answers) {
        (1, 0) => Says::Calls(vec![write("app.js", "exports.answer = () => 41;\n"), run("echo one >> notes")]),
        (1, _) => Says::Calls(vec![write("more.js", "// more\n"), done()]),
        (_, 0) => Says::Calls(vec![run("echo two >> notes"), write("app.js", APP)]),
        (..) => Says::Calls(vec![run("node --test"), done()]),
    }))
    .await
}

/// Lives until so many entries were written, and dies wherever it is then.
async fn live_for(stage: &Stage, entries: u64) -> Sprint {
    let sprints = stage.live();
    let mut written = sprints.shelf().written();
    sprints.take_up().await.unwrap();
    tokio::select! {
        biased;
        () = sprints.rest() => {}
        _ = written.wait_for(|count| *count >= entries) => {}
    }
    drop_everything(&sprints).await;
    sprints.shelf().sprint(1).unwrap().unwrap()
}

async fn drop_everything(sprints: &Sprints) {
    let under_way = sprints.0.under_way.lock().unwrap().take();
    if let Some(work) = under_way {
        work.task.abort();
        let _ = work.task.await;
    }
}

#[tokio::test]
async fn dying_after_any_entry_loses_nothing_and_does_nothing_twice() {
    let actor = actor().await;
    let stage = Stage::set(actor.setup());
    let items = [stage.story(1, "Answer")];
    let sprints = stage.live();
    let number = stage.plan(&sprints, &items, 2);
    sprints.0.shelf.write(number, &Entry::Started { at: stage.clock.now(), by: "you".to_owned() }).unwrap();
    let mut lives = 0;
    // One entry is that a task begins, so the second is where a life comes further; and some die sooner.
    while stage.live().shelf().sprint(number).unwrap().unwrap().phase == Phase::Running {
        live_for(&stage, if lives % 3 == 0 { 1 } else { 2 }).await;
        lives += 1;
        assert!(lives < 200, "it comes to no end");
    }
    let sprint = sprints.shelf().sprint(number).unwrap().unwrap();
    assert!(matches!(sprint.phase, Phase::Finished(_)), "{:?}", sprint.phase);
    for (story, standing) in &sprint.stories {
        assert!(matches!(standing, Standing::Done { tests: 1, .. }), "{}: {standing:?}", story.title);
    }
    let entries = sprints.shelf().entries(number).unwrap();
    let ended = |wanted: fn(&TaskResult) -> bool| {
        let is_wanted = |entry: &&Entry| matches!(entry, Entry::Ended { result, .. } if wanted(result));
        entries.iter().filter(is_wanted).count()
    };
    assert_eq!(ended(|result| matches!(result, TaskResult::Merged { .. })), 1);
    assert_eq!(ended(|result| matches!(result, TaskResult::TestsWritten(_))), 1);
    let project = stage.project(&sprints).await;
    let main = project.main().await.unwrap();
    assert_eq!(project.files(&main).await.unwrap(), ["acceptance/app.test.js", "app.js", "more.js", "notes"]);
    project.unpack(&main, &project.work()).await.unwrap();
    let notes = std::fs::read_to_string(project.work().join("notes")).unwrap();
    assert!(notes.starts_with("one\n") && notes.contains("two\n"), "{notes}");
    assert_eq!(project.history().await.unwrap().iter().filter(|commit| commit.message.starts_with("B-")).count(), 1);
}
