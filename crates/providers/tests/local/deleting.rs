use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use providers::compute::Compute;

use crate::harness::{Server, deploy, eventually, instance, name, nest, processes_of, projects, until_healthy};

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
    let removed = local.delete_project(&acme, instance(1)).await.unwrap();
    let kinds: Vec<&str> = removed.iter().map(|removed| removed.kind.as_str()).collect();
    assert_eq!(kinds, ["process", "data folder", "port"]);
    assert!(!server.project_folder(&acme).exists());
    assert!(processes_of(&server.settings.executable).is_empty());
    assert!(outside.path().join("kept").exists());
    assert!(projects(&local).await.is_empty());
    assert_eq!(local.observe(&acme).await.unwrap(), None);
    assert!(local.delete_project(&acme, instance(1)).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_broken_off_is_finished_and_the_name_is_free_again() {
    let server = Server::new();
    let local = server.open().await;
    let acme = name("acme");
    local.create_project(&acme, instance(1)).await.unwrap();
    let folder = server.project_folder(&acme);
    fs::rename(&folder, folder.with_file_name(".gone-ai-diy-acme")).unwrap();
    let removed = local.delete_project(&acme, instance(1)).await.unwrap();
    assert_eq!(removed[0].kind, "data folder");
    local.create_project(&acme, instance(2)).await.unwrap();
    fs::create_dir(folder.with_file_name(".gone-ai-diy-other")).unwrap();
    drop(local);
    let _next = server.open().await;
    eventually(|| !folder.with_file_name(".gone-ai-diy-other").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_deletion_leaves_the_next_instance_of_that_name_alone() {
    let server = Server::new();
    let local = server.open().await;
    let acme = deploy(&local, "acme", 2, &server.serving("")).await;
    until_healthy(&local, &acme).await;
    let running = processes_of(&server.settings.executable);
    assert!(local.delete_project(&acme, instance(1)).await.unwrap().is_empty());
    assert_eq!(processes_of(&server.settings.executable), running);
    until_healthy(&local, &acme).await;
    assert!(!local.delete_project(&acme, instance(2)).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_nested_without_end_are_deleted_by_a_server_with_little_of_everything() {
    let server = Server::new();
    let (local, acme) = (server.open().await, name("acme"));
    local.create_project(&acme, instance(1)).await.unwrap();
    nest(&server.data(&acme), 50_000);
    drop(local);
    let deleted = std::process::Command::new(&server.settings.executable)
        .args([Path::new("delete"), &server.settings.folder, &server.settings.executable])
        .args([acme.to_string(), instance(1).to_string()])
        .status()
        .unwrap();
    assert!(deleted.success(), "{deleted}");
    assert_eq!(fs::read_dir(&server.settings.folder).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_beside_what_a_deletion_left_and_removes_it() {
    let server = Server::new();
    drop(server.open().await);
    let left = server.settings.folder.join(".gone-ai-diy-acme");
    fs::create_dir(&left).unwrap();
    nest(&left, 20_000);
    let local = server.open().await;
    local.create_project(&name("acme"), instance(1)).await.unwrap();
    eventually(|| !left.exists());
    assert_eq!(projects(&local).await, [name("acme")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_somebody_else_is_not_a_project() {
    let server = Server::new();
    let local = server.open().await;
    let stranger = server.project_folder(&name("stranger"));
    fs::create_dir(&stranger).unwrap();
    fs::create_dir(stranger.with_file_name("notes")).unwrap();
    assert!(projects(&local).await.is_empty());
}
