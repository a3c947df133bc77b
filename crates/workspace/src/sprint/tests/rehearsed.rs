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
