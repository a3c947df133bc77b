use providers::compute::{Compute, Health};

use crate::harness::{Server, deploy, eventually, instance, nest, processes_of, until, until_healthy};

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_fills_its_volume_is_stopped_and_runs_again_once_there_is_room() {
    let mut server = Server::new();
    server.settings.limits.volume_bytes = 4 << 20;
    let local = server.open().await;
    let fill = "test -e /data/filled || { touch /data/filled; head -c 9000000 /dev/zero > /data/big; }";
    let acme = deploy(&local, "acme", 1, &server.serving(fill)).await;
    let seen = until(&local, &acme, |seen| seen.detail.as_ref().is_some_and(|detail| detail.contains("volume"))).await;
    assert_eq!(seen.health, Health::Down);
    assert!(seen.detail.unwrap().contains("at most 4 MB"));
    eventually(|| processes_of(&server.settings.executable).is_empty());
    std::fs::remove_file(server.data(&acme).join("big")).unwrap();
    until_healthy(&local, &acme).await;
    local.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_measured_or_costs_nothing_but_names_is_stopped_like_what_is_large() {
    let mut server = Server::new();
    server.settings.limits.volume_bytes = 4 << 20;
    let local = server.open().await;
    let litter = "test -e /data/littered || { touch /data/littered; seq -f /data/empty-%g 2000 | xargs touch; }";
    let empty = deploy(&local, "empty", 1, &server.serving(litter)).await;
    until(&local, &empty, |seen| seen.detail.as_ref().is_some_and(|detail| detail.contains("at most 4 MB"))).await;
    let deep = deploy(&local, "deep", 2, &server.serving("")).await;
    until_healthy(&local, &deep).await;
    local.shutdown().await;
    nest(&server.data(&deep), 5_000);
    let local = server.open().await;
    until(&local, &deep, |seen| seen.detail.as_ref().is_some_and(|detail| detail.contains("nested too deeply"))).await;
    local.delete_project(&deep, instance(2)).await.unwrap();
    local.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_bomb_in_one_instance_leaves_its_neighbour_and_the_server_alone() {
    let mut server = Server::new();
    server.settings.limits.processes = 60;
    let local = server.open().await;
    let neighbour = deploy(&local, "neighbour", 1, &server.serving("")).await;
    until_healthy(&local, &neighbour).await;
    let bomb = "( b() { b | b & }; b ) 2>/dev/null; touch /data/exploded";
    let hostile = deploy(&local, "hostile", 2, &server.serving(bomb)).await;
    while !server.data(&hostile).join("exploded").exists() {
        tokio::task::yield_now().await;
    }
    let seen = local.observe(&neighbour).await.unwrap().unwrap();
    assert_eq!((seen.health, seen.restarts), (Health::Ok, 0));
    local.delete_project(&hostile, instance(2)).await.unwrap();
    until_healthy(&local, &neighbour).await;
    local.shutdown().await;
}
