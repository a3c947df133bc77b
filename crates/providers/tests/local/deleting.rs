use std::fs;
use std::os::unix::fs::symlink;

use providers::compute::Compute;

use crate::harness::{Server, deploy, instance, name, processes_of, until_healthy};

#[tokio::test(flavor = "multi_thread")]
async fn deleting_removes_processes_volume_and_port_and_says_so() {
    let server = Server::new();
    let local = server.open().await;
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("kept"), "theirs").unwrap();
    let nasty = "mkdir -p /data/locked/deep; touch /data/locked/deep/file; chmod 000 /data/locked/deep /data/locked";
    let acme = deploy(&local, "acme", 1, &server.serving(nasty)).await;
    symlink(outside.path(), server.data(&acme).join("link")).unwrap();
    until_healthy(&local, &acme).await;
    let removed = local.delete_project(&acme).await.unwrap();
    let kinds: Vec<&str> = removed.iter().map(|removed| removed.kind.as_str()).collect();
    assert_eq!(kinds, ["process", "data folder", "port"]);
    assert!(!server.project_folder(&acme).exists());
    assert!(processes_of(&server.settings.executable).is_empty());
    assert!(outside.path().join("kept").exists());
    assert!(local.list_projects().await.unwrap().is_empty());
    assert_eq!(local.observe(&acme).await.unwrap(), None);
    assert!(local.delete_project(&acme).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_broken_off_is_finished_and_the_name_is_free_again() {
    let server = Server::new();
    let local = server.open().await;
    let acme = name("acme");
    local.create_project(&acme, instance(1)).await.unwrap();
    let folder = server.project_folder(&acme);
    fs::rename(&folder, folder.with_file_name(".gone-ai-diy-acme")).unwrap();
    let removed = local.delete_project(&acme).await.unwrap();
    assert_eq!(removed[0].kind, "data folder");
    local.create_project(&acme, instance(2)).await.unwrap();
    fs::create_dir(folder.with_file_name(".gone-ai-diy-other")).unwrap();
    drop(local);
    server.open().await;
    assert!(!folder.with_file_name(".gone-ai-diy-other").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_somebody_else_is_not_a_project() {
    let server = Server::new();
    let local = server.open().await;
    let stranger = server.project_folder(&name("stranger"));
    fs::create_dir(&stranger).unwrap();
    fs::create_dir(stranger.with_file_name("notes")).unwrap();
    assert!(local.list_projects().await.unwrap().is_empty());
}
