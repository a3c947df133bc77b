use super::actor::{APP, Actor, Says, TEST, done, run, team, write};
use super::*;
use crate::model::StepKind;

async fn one_story(actor: &Actor, attempts: u32) -> (Stage, Sprints, Sprint) {
    let stage = Stage::set(actor.setup());
    let item = stage.story(1, "Answer");
    let sprints = stage.live();
    let number = stage.plan(&sprints, &[item], attempts);
    let sprint = stage.work(&sprints, number).await;
    (stage, sprints, sprint)
}

#[tokio::test]
async fn tests_that_always_fail_end_after_the_attempts_with_the_log() {
    let actor =
        Actor::playing(team(|_, _| Says::Calls(vec![write("app.js", "exports.answer = () => 41;\n"), done()]))).await;
    let (_stage, sprints, sprint) = one_story(&actor, 2).await;
    assert_eq!(why(&sprint), "after 2 attempts, an acceptance test failed (1 failed, 0 passed)");
    assert!(matches!(sprint.phase, Phase::Finished(_)));
    assert!(actor.asked().iter().any(|told| told.contains("This is attempt 2") && told.contains("41")));
    let all = sprints.0.bench.records().all().unwrap();
    assert_eq!(all.len(), 2);
    assert!(sprints.0.bench.records().output(1).unwrap().unwrap().contains("not ok"));
}

#[tokio::test]
async fn a_tester_who_tests_nothing_makes_no_story_true() {
    for (test, word) in [("", "no test ran at all"), ("// empty\n", "no test ran at all")] {
        let actor = Actor::playing(move |step, _| match step.kind {
            StepKind::Design => Says::Words("One file."),
            StepKind::WriteTests => Says::Calls(vec![write("acceptance/app.test.js", test), done()]),
            _ => Says::Calls(vec![write("app.js", APP), done()]),
        })
        .await;
        let (_stage, _, sprint) = one_story(&actor, 1).await;
        assert!(why(&sprint).contains(word), "{}", why(&sprint));
    }
    let actor = Actor::playing(|step, _| match step.kind {
        StepKind::Design => Says::Words("One file."),
        _ => Says::Calls(vec![done()]),
    })
    .await;
    let (_stage, _, sprint) = one_story(&actor, 1).await;
    assert!(why(&sprint).contains("wrote no acceptance tests"), "{}", why(&sprint));
}

#[tokio::test]
async fn the_developer_cannot_change_the_tests_neither_by_a_tool_nor_by_a_command() {
    let actor = Actor::playing(team(|_, answers| match answers {
        0 => Says::Calls(vec![
            write("acceptance/app.test.js", "require('node:test')('easy', () => {});\n"),
            run("echo \"require('node:test')('easy', () => {});\" > acceptance/app.test.js"),
            write("app.js", "exports.answer = () => 41;\n"),
        ]),
        _ => Says::Calls(vec![done()]),
    }))
    .await;
    let (_stage, sprints, sprint) = one_story(&actor, 1).await;
    assert!(why(&sprint).contains("an acceptance test failed"), "{}", why(&sprint));
    assert!(actor.asked().iter().any(|told| told.contains("belongs to the tester")));
    let entries = sprints.shelf().entries(1).unwrap();
    let put_back = entries.iter().find_map(|entry| match entry {
        Entry::Ended { result: TaskResult::Fell { put_back, .. }, .. } => Some(put_back.clone()),
        _ => None,
    });
    assert_eq!(put_back.unwrap()[0].to_string(), "acceptance/app.test.js");
}

#[tokio::test]
async fn the_developer_cannot_weaken_the_tests_of_a_story_that_was_done_before() {
    let actor = Actor::playing(|step, answers| match (step.kind, step.story.as_deref()) {
        (StepKind::Design, _) => Says::Words("One file."),
        (StepKind::WriteTests, Some("B-1")) => Says::Calls(vec![write("acceptance/app.test.js", TEST), done()]),
        (StepKind::WriteTests, _) => Says::Calls(vec![
            write("acceptance/more.test.js", "require('node:test')('more', () => require('../more.js'));\n"),
            done(),
        ]),
        (_, Some("B-1")) => Says::Calls(vec![write("app.js", APP), done()]),
        _ if answers == 0 => Says::Calls(vec![
            write("acceptance/app.test.js", "// nothing\n"),
            write("more.js", ""),
            write("app.js", "exports.answer = () => 41;\n"),
            run("rm acceptance/app.test.js; ln -s ../more.js acceptance/app.test.js"),
        ]),
        _ => Says::Calls(vec![done()]),
    })
    .await;
    let stage = Stage::set(actor.setup());
    let items = [stage.story(1, "Answer"), stage.story(2, "More")];
    let sprints = stage.live();
    let number = stage.plan(&sprints, &items, 1);
    let sprint = stage.work(&sprints, number).await;
    assert!(matches!(standing(&sprint, 0), Standing::Done { tests: 1, .. }), "{:?}", standing(&sprint, 0));
    let Standing::Failed { why } = standing(&sprint, 1) else { panic!("{:?}", standing(&sprint, 1)) };
    assert!(why.contains("a test failed (1 failed"), "{why}");
    assert!(actor.asked().iter().any(|told| told.contains("belongs to the tester")));
}

#[tokio::test]
async fn wrong_paths_and_hostile_commands_harm_nothing_and_good_work_is_done_after_them() {
    let actor = Actor::playing(team(|_, answers| match answers {
        0 => Says::Calls(vec![
            write("../escaped", "x"),
            write("/var/tmp/escaped", "x"),
            write(".git/config", "x"),
            run("cat ../../../usage.jsonl ../../git/config; echo x > ../escaped; ls ../../..; kill -9 $PPID"),
            run("ln -s /etc/passwd link; ( setsid sleep 765432 & ); exit 3"),
            ("run", serde_json::json!({})),
        ]),
        1 => Says::Calls(vec![write("app.js", APP), run("node --test"), done()]),
        _ => Says::Words("?"),
    }))
    .await;
    let (stage, sprints, sprint) = one_story(&actor, 1).await;
    assert!(matches!(standing(&sprint, 0), Standing::Done { tests: 1, .. }), "{:?}", standing(&sprint, 0));
    assert!(!stage.path("projects/shop/escaped").exists() && !stage.path("projects/escaped").exists());
    let told = actor.asked().join("\n");
    assert!(told.contains("leads out of the folder") && told.contains("exit code 3"), "{told}");
    assert!(!told.contains("\"role\"") && !told.contains("repositoryformatversion"), "nothing of the data was read");
    assert_eq!(sprints.0.bench.records().all().unwrap().len(), 5);
}

#[tokio::test]
async fn a_model_that_only_talks_makes_the_story_fail_in_its_words() {
    let actor = Actor::playing(team(|_, _| Says::Words("All tests pass, the story is complete!"))).await;
    let (_stage, _, sprint) = one_story(&actor, 1).await;
    assert_eq!(why(&sprint), "the developer only talked: “All tests pass, the story is complete!”");
}

#[tokio::test]
async fn a_model_that_is_down_makes_the_sprint_wait_and_nothing_fail() {
    for fault in [Says::Status(503), Says::Status(401), Says::Nonsense] {
        let (is_passing, is_down) =
            (!matches!(fault, Says::Status(401)), Arc::new(std::sync::atomic::AtomicBool::new(true)));
        let down = Arc::clone(&is_down);
        let working = team(|_, _| Says::Calls(vec![write("app.js", APP), done()]));
        let actor = Actor::playing(move |step, answers| {
            if !down.load(std::sync::atomic::Ordering::SeqCst) || step.kind == StepKind::Design {
                return working(step, answers);
            }
            match fault {
                Says::Status(status) => Says::Status(status),
                _ => Says::Nonsense,
            }
        })
        .await;
        let (stage, sprints, sprint) = one_story(&actor, 1).await;
        let Phase::Paused(Some(why)) = &sprint.phase else { panic!("{:?}", sprint.phase) };
        assert!(why.contains("model"), "{why}");
        assert!(matches!(standing(&sprint, 0), Standing::At(Point::WriteTests { .. })));
        let waits =
            sprints.shelf().entries(1).unwrap().iter().filter(|entry| matches!(entry, Entry::Waiting { .. })).count();
        assert_eq!(waits, if is_passing { 2 } else { 0 });
        is_down.store(false, std::sync::atomic::Ordering::SeqCst);
        let sprint = stage.work(&sprints, 1).await;
        assert!(matches!(standing(&sprint, 0), Standing::Done { .. }));
    }
}

#[tokio::test]
async fn a_person_pauses_a_hanging_command_and_lets_it_go_on_later() {
    let actor = Actor::playing(team(|_, answers| match answers {
        0 => Says::Calls(vec![run("test -e seen && exit 0; sleep 600"), write("app.js", APP), done()]),
        _ => Says::Words("?"),
    }))
    .await;
    let stage = Stage::set(actor.setup());
    let item = stage.story(1, "Answer");
    let sprints = stage.live();
    let number = stage.plan(&sprints, std::slice::from_ref(&item), 1);
    sprints.start(number, &stage.by()).await.unwrap();
    let mut written = sprints.shelf().written();
    while sprints.0.bench.records().all().unwrap().is_empty() {
        let _ = tokio::time::timeout(Duration::from_millis(50), written.changed()).await;
    }
    assert!(matches!(sprints.start(number, &stage.by()).await, Err(SprintError::NotNow)));
    let other = stage.plan(&sprints, &[item], 1);
    assert!(matches!(sprints.start(other, &stage.by()).await, Err(SprintError::Busy(1))));
    sprints.pause(number, &stage.by()).await.unwrap();
    assert_eq!(sprints.worked_on(), None);
    assert_eq!(sprints.shelf().sprint(number).unwrap().unwrap().phase, Phase::Paused(None));
    stage.project(&sprints).await.write(&crate::project::FilePath::parse("seen").unwrap(), b"").unwrap();
    sprints.stop(number, &stage.by()).await.unwrap();
    assert!(matches!(sprints.start(number, &stage.by()).await, Err(SprintError::NotNow)));
    assert_eq!(TEST.matches("test(").count(), 1);
}
