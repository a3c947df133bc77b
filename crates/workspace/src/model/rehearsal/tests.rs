#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::Command;

use tokio_util::sync::CancellationToken;
use world::Clock;

use super::*;
use crate::model::{Answer, Ask, Finish, Message, Model, Purpose, Role, Step, StepKind, Tool};

const STORIES: [&str; 3] =
    ["Put an item on the list", "Tick off what is in the basket", "Keep the list when the program stops"];

struct Stage {
    _home: tempfile::TempDir,
    _rehearsal: Rehearsal,
    model: Model,
}

impl Stage {
    async fn open() -> Self {
        let home = tempfile::tempdir().unwrap();
        let rehearsal = Rehearsal::start(Duration::ZERO).await.unwrap();
        let model = Model::open(home.path(), Clock::default()).unwrap();
        model.configure(Some(rehearsal.setup()));
        Self { _home: home, _rehearsal: rehearsal, model }
    }

    async fn ask(&self, role: Role, messages: Vec<Message>, tools: &[&'static str]) -> Answer {
        let tool = |name: &&'static str| Tool { name, description: "", parameters: json!({"type": "object"}) };
        let ask = Ask { role, messages, tools: tools.iter().map(tool).collect(), purpose: Purpose::default() };
        self.model.ask(ask, |_| (), &CancellationToken::new()).await.unwrap()
    }

    /// Does what is asked for in `folder`, until it is said to be done.
    async fn work(&self, folder: &Path, role: Role, step: &Step) -> String {
        let mut messages = vec![Message::System(format!("You work.\n{step}")), Message::User("Begin.".to_owned())];
        loop {
            let answer = self.ask(role, messages.clone(), &["write_file", "read_file", "run", "done"]).await;
            assert_eq!(answer.finish, Finish::Calls, "{step}: {}", answer.text);
            messages.push(Message::Assistant { text: answer.text, calls: answer.calls.clone() });
            for call in answer.calls {
                let arguments: Value = serde_json::from_str(&call.arguments).unwrap();
                match call.name.as_str() {
                    "write_file" => {
                        let path = folder.join(arguments["path"].as_str().unwrap());
                        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                        std::fs::write(path, arguments["content"].as_str().unwrap()).unwrap();
                    }
                    "run" => assert_eq!(arguments["command"], "npm test"),
                    "done" => return arguments["summary"].as_str().unwrap().to_owned(),
                    other => panic!("{other}"),
                }
                messages.push(Message::Tool { call_id: call.id, text: "done".to_owned() });
            }
        }
    }
}

fn step(kind: StepKind, title: &str, attempt: u32) -> Step {
    Step { kind, story: Some("B-1".to_owned()), title: Some(title.to_owned()), attempt, is_repair: false }
}

/// Whether the tests in a folder pass; nothing where there is no Node to run them.
fn tests_pass(folder: &Path) -> Option<bool> {
    let output = Command::new("node").arg("--test").current_dir(folder).output();
    let Ok(output) = output else {
        eprintln!("there is no node here, so the recorded project was not tried");
        return None;
    };
    Some(output.status.success())
}

#[tokio::test]
async fn the_recorded_project_is_real_and_its_second_story_fails_once() {
    let stage = Stage::open().await;
    let folder = tempfile::tempdir().unwrap();
    for (index, title) in STORIES.into_iter().enumerate() {
        let design = Message::System(step(StepKind::Design, title, 1).to_string());
        assert!(stage.ask(Role::Architect, vec![design], &[]).await.text.len() > 80);
        let tests = stage.work(folder.path(), Role::Tester, &step(StepKind::WriteTests, title, 1)).await;
        assert!(tests.contains("acceptance tests"), "{tests}");
        stage.work(folder.path(), Role::Developer, &step(StepKind::WriteCode, title, 1)).await;
        assert_ne!(tests_pass(folder.path()), Some(index == 1), "{title}: the first attempt");
        if index == 1 {
            stage.work(folder.path(), Role::Developer, &step(StepKind::WriteCode, title, 2)).await;
            assert_ne!(tests_pass(folder.path()), Some(false), "{title}: the second attempt");
        }
    }
}

#[tokio::test]
async fn the_same_question_has_the_same_answer_also_from_another_start() {
    let question =
        vec![Message::System(step(StepKind::WriteCode, STORIES[1], 2).to_string()), Message::User("Begin.".to_owned())];
    let first = Stage::open().await.ask(Role::Developer, question.clone(), &["write_file", "run", "done"]).await;
    let second = Stage::open().await;
    for _ in 0..2 {
        let again = second.ask(Role::Developer, question.clone(), &["write_file", "run", "done"]).await;
        assert_eq!((&again.text, &again.calls), (&first.text, &first.calls));
    }
}

#[tokio::test]
async fn what_was_not_recorded_is_said_to_be_so() {
    let stage = Stage::open().await;
    for kind in [StepKind::WriteCode, StepKind::WriteTests, StepKind::Design] {
        let question = vec![Message::System(step(kind, "Fly to the moon", 1).to_string())];
        let answer = stage.ask(Role::Developer, question, &["write_file"]).await;
        assert!(answer.calls.is_empty() && answer.text.contains("“Fly to the moon” was not recorded"));
    }
    let answer = stage.ask(Role::Scribe, vec![Message::User("Hello?".to_owned())], &[]).await;
    assert!(answer.text.starts_with("This is the rehearsal."));
}

#[tokio::test]
async fn a_meeting_is_played_by_what_people_said_and_closes_after_what_was_proposed() {
    let stage = Stage::open().await;
    let system = Message::System(format!("Role: project-manager\n{}", Step::of(StepKind::Vision)));
    let said = |text: &str| Message::User(text.to_owned());
    let mut messages = vec![system, said("ada: a list")];
    let first = stage.ask(Role::ProjectManager, messages.clone(), &["propose_vision"]).await;
    assert!(first.text.contains("this is a rehearsal") && first.calls.is_empty());
    messages.extend([
        Message::Assistant { text: first.text, calls: Vec::new() },
        said("(Theo, architect) Small."),
        said("bob: we all do"),
    ]);
    let second = stage.ask(Role::ProjectManager, messages.clone(), &["propose_vision"]).await;
    assert_eq!(second.calls[0].name, "propose_vision");
    messages.extend([
        Message::Assistant { text: second.text, calls: second.calls.clone() },
        Message::Tool { call_id: second.calls[0].id.clone(), text: "shown".to_owned() },
    ]);
    let last = stage.ask(Role::ProjectManager, messages, &["propose_vision"]).await;
    assert!(last.text.contains("Your click decides"), "{}", last.text);
}
