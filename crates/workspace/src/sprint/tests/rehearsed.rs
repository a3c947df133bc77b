use super::*;
use crate::model::rehearsal::Rehearsal;

#[tokio::test]
async fn the_rehearsal_makes_three_stories_true_one_of_them_at_the_second_attempt() {
    let rehearsal = Rehearsal::start(Duration::ZERO).await.unwrap();
    let stage = Stage::set(rehearsal.setup());
    let items = [
        stage.story(1, "Put an item on the list"),
        stage.story(2, "Tick off what is in the basket"),
        stage.story(3, "Keep the list when the program stops"),
    ];
    let sprints = stage.live();
    let number = stage.plan(&sprints, &items, USUAL_ATTEMPTS);
    let sprint = stage.work(&sprints, number).await;
    assert!(matches!(sprint.phase, Phase::Finished(_)), "{sprint:?}");
    let tests: Vec<u64> = sprint
        .stories
        .iter()
        .map(|(_, standing)| match standing {
            Standing::Done { tests, .. } => *tests,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(tests, [4, 4, 3]);
    let entries = sprints.shelf().entries(number).unwrap();
    let fell =
        entries.iter().filter(|entry| matches!(entry, Entry::Ended { story: 2, result: TaskResult::Fell { .. }, .. }));
    assert_eq!(fell.count(), 1);
    let history = stage.project(&sprints).await.history().await.unwrap();
    assert_eq!(history[0].tags, ["S-1"]);
    assert_eq!(history.len(), 4);
    let item = std::fs::read_to_string(stage.path("backlog").join(items[1].file())).unwrap();
    assert!(item.contains("status: done") && item.contains("- [x] it works"), "{item}");
    assert_eq!(sprints.expect(2).unwrap().unwrap().known_from, 3);
    let other = sprints.plan(&Name::parse("shop").unwrap(), &items, 1, &stage.by()).unwrap_err();
    assert!(other.to_string().contains("done already"), "{other}");
}

#[tokio::test]
async fn a_story_that_comes_back_is_repaired_beside_all_others_and_its_tests_of_before_still_run() {
    let rehearsal = Rehearsal::start(Duration::ZERO).await.unwrap();
    let stage = Stage::set(rehearsal.setup());
    let items = [
        stage.story(1, "Put an item on the list"),
        stage.story(2, "Tick off what is in the basket"),
        stage.story(3, "Keep the list when the program stops"),
    ];
    let sprints = stage.live();
    let first = stage.plan(&sprints, &items, USUAL_ATTEMPTS);
    stage.work(&sprints, first).await;
    let file = stage.path("backlog").join(items[0].file());
    let done = std::fs::read_to_string(&file).unwrap();
    let repair = done.replace("status: done", "status: ready").replace("- [x] it works", "- [x] it works\n- [ ] once");
    std::fs::write(&file, repair).unwrap();

    let second = stage.plan(&sprints, &items[..1], 1);
    assert_eq!(sprints.shelf().sprint(second).unwrap().unwrap().plan.stories[0].done_in, Some(first));
    let sprint = stage.work(&sprints, second).await;
    assert!(matches!(standing(&sprint, 0), Standing::Done { tests: 2, .. }), "{sprint:?}");
    let item = std::fs::read_to_string(&file).unwrap();
    assert!(item.contains("status: done") && item.contains("- [x] once"), "{item}");
    let entries = sprints.shelf().entries(second).unwrap();
    let former = entries.iter().find_map(|entry| match entry {
        Entry::Ended { result: TaskResult::TestsWritten(acceptance), .. } => Some(acceptance.former.len()),
        _ => None,
    });
    assert_eq!(former, Some(4), "the tests of three stories, and what helps them");
    let project = stage.project(&sprints).await;
    let history = project.history().await.unwrap();
    assert_eq!((history[0].tags[0].as_str(), history.len()), ("S-2", 5));
    let branches = [1, 2].map(|sprint| crate::project::Branch::of_story(sprint, 1));
    assert!(!project.work_of(&branches[0]).await.unwrap().is_empty());
    assert!(project.work_of(&branches[1]).await.unwrap().contains("put-an-item-once.test.js"));

    // A criterion that was added while the sprint worked was not part of what was tried.
    std::fs::write(&file, format!("{}- [ ] larger\n", item.replace("status: done", "status: doing"))).unwrap();
    tell_backlog(stage.home.path(), &stage.clock, &sprint.stories[0].0, true);
    let item = std::fs::read_to_string(&file).unwrap();
    assert!(item.contains("status: ready") && item.contains("- [x] once") && item.contains("- [ ] larger"), "{item}");
}
