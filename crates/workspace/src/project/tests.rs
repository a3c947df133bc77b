#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::bench::tests::Stage;

fn now() -> Timestamp {
    "2026-11-30T12:00:00Z".parse().unwrap()
}

fn path(text: &str) -> FilePath {
    FilePath::parse(text).unwrap()
}

async fn open(stage: &Stage) -> Project {
    Project::open(&stage.path("projects"), &Name::parse("shop").unwrap(), &stage.bench, now()).await.unwrap()
}

async fn done(project: &Project, story: u64, file: &str, text: &str) -> CommitId {
    let branch = Branch::of_story(1, story);
    project.work_on(&branch).await.unwrap();
    project.write(&path(file), text.as_bytes()).unwrap();
    project.keep(&branch, &format!("B-{story}"), now()).await.unwrap();
    match project.merge(&branch, &format!("B-{story} is done"), now()).await.unwrap() {
        Merged::Done(commit) => commit,
        Merged::Conflict(files) => panic!("{files:?}"),
    }
}

#[tokio::test]
async fn stories_grow_on_their_branches_and_come_together() {
    let stage = Stage::set();
    let project = open(&stage).await;
    done(&project, 1, "src/list.js", "one\n").await;
    let second = done(&project, 2, "page.js", "two\n").await;
    project.tag(&Tag::of_sprint(1), &second).await.unwrap();
    let history = project.history().await.unwrap();
    assert_eq!(
        history.iter().map(|commit| commit.message.as_str()).collect::<Vec<_>>(),
        ["B-2 is done", "B-1 is done", "The project begins"]
    );
    assert_eq!(history[0].tags, ["S-1"]);
    assert_eq!(history[0].at, now());
    assert_eq!(project.files(&second).await.unwrap(), ["page.js", "src/list.js"]);
}

#[tokio::test]
async fn every_step_may_be_done_twice() {
    let stage = Stage::set();
    let project = open(&stage).await;
    let branch = Branch::of_story(1, 1);
    project.work_on(&branch).await.unwrap();
    project.write(&path("a"), b"one").unwrap();
    let kept = project.keep(&branch, "one", now()).await.unwrap();
    assert_eq!(project.keep(&branch, "one", now()).await.unwrap(), kept);
    assert_eq!(project.work_on(&branch).await.unwrap(), kept);
    let merged = project.merge(&branch, "done", now()).await.unwrap();
    assert_eq!(project.merge(&branch, "done", now()).await.unwrap(), merged);
    let main = project.main().await.unwrap();
    project.tag(&Tag::of_sprint(1), &main).await.unwrap();
    project.tag(&Tag::of_sprint(1), &main).await.unwrap();
    assert_eq!(open(&stage).await.main().await.unwrap(), main);
}

#[tokio::test]
async fn what_a_crash_left_in_the_work_folder_is_cleared_away() {
    let stage = Stage::set();
    let project = open(&stage).await;
    let branch = Branch::of_story(1, 1);
    project.work_on(&branch).await.unwrap();
    project.write(&path("half"), b"written").unwrap();
    std::fs::write(stage.path("projects/shop/git/index.lock"), "").unwrap();
    std::fs::create_dir(project.work().join("node_modules")).unwrap();
    project.work_on(&branch).await.unwrap();
    assert_eq!(project.read(&path("half")).unwrap(), None);
    assert!(project.work().join("node_modules").exists(), "what was installed stays");
}

#[tokio::test]
async fn a_conflict_names_the_files_and_changes_nothing() {
    let stage = Stage::set();
    let project = open(&stage).await;
    for story in [1, 2] {
        let branch = Branch::of_story(1, story);
        project.work_on(&branch).await.unwrap();
        project.write(&path("same"), format!("story {story}\n").as_bytes()).unwrap();
        project.keep(&branch, "x", now()).await.unwrap();
    }
    project.merge(&Branch::of_story(1, 1), "first", now()).await.unwrap();
    let main = project.main().await.unwrap();
    let merged = project.merge(&Branch::of_story(1, 2), "second", now()).await.unwrap();
    assert_eq!(merged, Merged::Conflict(vec!["same".to_owned()]));
    assert_eq!(project.main().await.unwrap(), main);
}

#[tokio::test]
async fn going_back_is_a_step_forward_that_was_shown_before() {
    let stage = Stage::set();
    let project = open(&stage).await;
    let first = done(&project, 1, "a", "one\n").await;
    let second = done(&project, 2, "a", "two\n").await;
    let preview = project.changes(&second, &first).await.unwrap();
    assert_eq!(preview, [FileChange { path: "a".to_owned(), added: Some(1), removed: Some(1) }]);
    assert!(project.diff(&second, &first).await.unwrap().contains("-two\n+one\n"));
    let back = project.go_back(&first, &second, "Back", now()).await.unwrap();
    assert_eq!(project.changes(&first, &back).await.unwrap(), []);
    assert_eq!(project.history().await.unwrap().len(), 4);
    let late = project.go_back(&second, &second, "Back", now()).await.unwrap_err();
    assert!(matches!(late, Problem::Moved), "{late}");
}

#[tokio::test]
async fn tests_that_were_changed_are_put_back_and_named() {
    let stage = Stage::set();
    let project = open(&stage).await;
    let commit = done(&project, 1, "t/a.test.js", "strict\n").await;
    let file = path("t/a.test.js");
    assert_eq!(project.put_back(&commit, std::slice::from_ref(&file)).await.unwrap(), []);
    project.write(&file, b"lenient\n").unwrap();
    assert_eq!(project.put_back(&commit, std::slice::from_ref(&file)).await.unwrap(), std::slice::from_ref(&file));
    assert_eq!(project.read(&file).unwrap().unwrap(), b"strict\n");
}

#[tokio::test]
async fn nothing_in_the_project_makes_git_run_anything() {
    let stage = Stage::set();
    let project = open(&stage).await;
    let proof = stage.path("projects/shop/work/ran");
    let program = format!("#!/bin/sh\ntouch {}\n", proof.display());
    let branch = Branch::of_story(1, 1);
    project.work_on(&branch).await.unwrap();
    for (file, text) in [
        (".gitattributes", "* filter=x diff=x merge=x\n"),
        (".gitmodules", "[submodule \"x\"]\n\tpath = x\n\turl = ext::sh -c touch% ran\n"),
        ("hooks/post-commit", program.as_str()),
    ] {
        project.write(&path(file), text.as_bytes()).unwrap();
    }
    let inner = project.work().join(".git");
    std::fs::create_dir_all(inner.join("hooks")).unwrap();
    std::fs::write(inner.join("config"), format!("[core]\n\tfsmonitor = touch {0}\n\tpager = touch {0}\n[filter \"x\"]\n\tclean = touch {0}\n[diff \"x\"]\n\tcommand = touch {0}\n", proof.display())).unwrap();
    std::fs::write(inner.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    let kept = project.keep(&branch, "hostile", now()).await.unwrap();
    let first = project.main().await.unwrap();
    project.diff(&first, &kept).await.unwrap();
    project.merge(&branch, "merged", now()).await.unwrap();
    project.work_on(&branch).await.unwrap();
    assert!(!proof.exists());
}

#[tokio::test]
async fn a_link_is_not_followed_and_a_repository_inside_is_named() {
    let stage = Stage::set();
    let project = open(&stage).await;
    let branch = Branch::of_story(1, 1);
    project.work_on(&branch).await.unwrap();
    std::os::unix::fs::symlink(stage.path("bench"), project.work().join("link")).unwrap();
    assert!(project.read(&path("link/commands.jsonl")).is_err());
    assert!(project.write(&path("link/x"), b"x").is_err());
    let nested = project.work().join("lib");
    for folder in ["objects", "refs/heads"] {
        std::fs::create_dir_all(nested.join(".git").join(folder)).unwrap();
    }
    std::fs::write(nested.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
    std::fs::write(nested.join("hidden"), "x").unwrap();
    match project.keep(&branch, "nested", now()).await {
        // Without a state of its own git takes the folder for an ordinary one.
        Ok(kept) => assert!(project.files(&kept).await.unwrap().contains(&"lib/hidden".to_owned())),
        Err(problem) => assert!(problem.to_string().contains("lib"), "{problem}"),
    }
}
