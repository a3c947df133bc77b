use std::os::unix::fs::MetadataExt;

use providers::ProviderError;
use providers::compute::{Compute, Health, Origin};

use crate::harness::{
    Server, address_of, deploy, instance, name, processes_of, projects, read, settings, until, until_healthy, visit,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_deployed_project_becomes_healthy_and_answers_on_its_port() {
    let server = Server::new();
    let local = server.open().await;
    let acme = deploy(&local, "acme", 1, &server.serving("echo hello from the application")).await;
    let seen = until_healthy(&local, &acme).await;
    assert_eq!(seen.version.as_deref(), Some("1"));
    assert_eq!(seen.restarts, 0);
    assert!(seen.memory_bytes.unwrap() > 100_000);
    let said = visit(&local, &acme).await;
    assert!(said.ends_with("data=/data token="), "the guard's token stays with the guard: {said}");
    let logs = local.logs(&acme, 10).await.unwrap();
    let app = r#"app on "3000" at "tenant1-app.localhost""#;
    let own = "a".repeat(64);
    let audiences = format!("audiences {own:?} and \"{own}-app\"");
    for line in ["token s3cret-1", app, &audiences, "hello from the application", "serving /data for tenant1.localhost"]
    {
        assert!(logs.contains(line), "{line} is not in\n{logs}");
    }
    local.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guard_reads_the_rules_about_use_and_the_application_knows_the_name_of_its_app() {
    for (server, app) in [(Server::new(), "tenant1-app.localhost"), (Server::new().insecure(), "")] {
        let local = server.open().await;
        let mut release = server.serving("echo \"my app is at '$APP_HOSTNAME_PUBLIC'\"");
        let logged = async |wanted: &str| {
            let acme = name("acme");
            until_healthy(&local, &acme).await;
            let logs = local.logs(&acme, 10).await.unwrap();
            assert!(logs.contains(wanted), "{wanted} is not in\n{logs}");
        };
        release.activity_rules = Some("[[rule]]\npath = \"^/poll\"\nuse = false\n".to_owned());
        deploy(&local, "acme", 1, &release).await;
        logged(&format!("rules: {:?}", release.activity_rules)).await;
        logged(&format!("my app is at '{app}'")).await;
        local.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_neither_on_disk_nor_on_command_lines() {
    let server = Server::new();
    let local = server.open().await;
    let mut release = server.serving("");
    release.command = release.command.replace("serve", "serve > /dev/null");
    let acme = deploy(&local, "acme", 1, &release).await;
    until_healthy(&local, &acme).await;
    assert!(!read(server.project_folder(&acme).join("project.json")).contains("s3cret"));
    assert!(!processes_of(server.settings.executable.parent().unwrap()).is_empty());
    assert!(crate::harness::processes_with("s3cret").is_empty());
    local.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_may_be_made_twice() {
    let server = Server::new();
    let local = server.open().await;
    let release = server.serving("echo started >> /data/starts");
    let acme = deploy(&local, "acme", 1, &release).await;
    until_healthy(&local, &acme).await;
    let origin = local.register_hostname(&acme, "acme.localhost").await.unwrap();
    deploy(&local, "acme", 1, &release).await;
    assert_eq!(local.register_hostname(&acme, "acme.localhost").await.unwrap(), origin);
    let door = local.door(&acme, "acme.localhost").await.unwrap().unwrap();
    assert_eq!(Origin::Address(door.url.trim_start_matches("http://").parse().unwrap()), origin);
    until_healthy(&local, &acme).await;
    assert_eq!(read(server.data(&acme).join("starts")), "started\n");
    assert_eq!(projects(&local).await, std::slice::from_ref(&acme));
    let taken = local.create_project(&acme, instance(2)).await.unwrap_err();
    assert!(matches!(taken, ProviderError::Refused { .. }), "{taken}");
    assert!(local.configure(&acme, &settings(2)).await.is_err());
    local.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_release_replaces_the_former_and_keeps_port_and_volume() {
    let server = Server::new();
    let local = server.open().await;
    let acme = deploy(&local, "acme", 1, &server.serving("echo one >> /data/starts")).await;
    until_healthy(&local, &acme).await;
    let origin = local.register_hostname(&acme, "acme.localhost").await.unwrap();
    let mut second = server.serving("echo two >> /data/starts");
    second.version = "2".to_owned();
    local.deploy(&acme, &second).await.unwrap();
    let seen = until_healthy(&local, &acme).await;
    assert_eq!(seen.version.as_deref(), Some("2"));
    assert_eq!(read(server.data(&acme).join("starts")), "one\ntwo\n");
    assert_eq!(local.register_hostname(&acme, "acme.localhost").await.unwrap(), origin);
    local.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_have_ports_users_and_volumes_of_their_own() {
    let server = Server::new();
    let local = server.open().await;
    let spy = "ls / /data > /data/seen; ls /proc | grep -c '^[0-9]' > /data/processes";
    let first = deploy(&local, "first", 1, &server.serving(spy)).await;
    let second = deploy(&local, "second", 2, &server.serving(spy)).await;
    until_healthy(&local, &first).await;
    until_healthy(&local, &second).await;
    let one = address_of(&local, &first).await;
    let two = address_of(&local, &second).await;
    assert_ne!(one, two);
    if nix::unistd::geteuid().is_root() {
        let owner = |name| std::fs::metadata(server.data(name)).unwrap().uid();
        assert_ne!(owner(&first), owner(&second));
        assert_ne!(owner(&first), 0);
    }
    let seen = read(server.data(&second).join("seen"));
    assert!(!seen.contains("instance"), "{seen}");
    assert!(read(server.data(&first).join("processes")).trim().parse::<u32>().unwrap() < 8);
    local.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_suspended_rests_with_its_data_even_over_a_restart_and_goes_on_when_resumed() {
    let server = Server::new();
    let local = server.open().await;
    let acme = deploy(&local, "acme", 1, &server.serving("echo started >> /data/starts")).await;
    until_healthy(&local, &acme).await;
    local.suspend(&acme).await.unwrap();
    local.suspend(&acme).await.unwrap();
    assert_eq!(local.observe(&acme).await.unwrap().unwrap().health, Health::Asleep);
    local.deploy(&acme, &server.serving("echo again >> /data/starts")).await.unwrap();
    local.shutdown().await;
    drop(local);
    let local = server.open().await;
    assert_eq!(local.observe(&acme).await.unwrap().unwrap().health, Health::Asleep);
    assert_eq!(read(server.data(&acme).join("starts")), "started\n");
    local.resume(&acme).await.unwrap();
    local.resume(&acme).await.unwrap();
    until_healthy(&local, &acme).await;
    assert_eq!(read(server.data(&acme).join("starts")), "started\nagain\n");
    local.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_is_busy_and_not_dead() {
    let server = Server::new();
    let local = server.open().await;
    let acme = deploy(&local, "acme", 1, &server.serving("")).await;
    until_healthy(&local, &acme).await;
    std::fs::write(server.data(&acme).join("silent"), "").unwrap();
    let seen = until(&local, &acme, |seen| seen.health != Health::Ok).await;
    assert_eq!(seen.health, Health::Busy);
    assert_eq!(seen.restarts, 0);
    local.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_refused_with_the_next_step() {
    let server = Server::new();
    let local = server.open().await;
    let acme = name("acme");
    assert_eq!(local.observe(&acme).await.unwrap(), None);
    assert!(local.door(&acme, "acme.localhost").await.unwrap().is_none());
    let errors = [
        local.deploy(&acme, &server.serving("")).await.unwrap_err(),
        local.configure(&acme, &settings(1)).await.unwrap_err(),
        local.register_hostname(&acme, "acme.localhost").await.unwrap_err(),
        local.logs(&acme, 10).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, ProviderError::NotFound { .. }) && !error.is_temporary(), "{error}");
        assert!(error.to_string().contains("ai-diy-acme"), "{error}");
    }
    local.create_project(&acme, instance(1)).await.unwrap();
    let error = local.deploy(&acme, &server.serving("")).await.unwrap_err().to_string();
    assert!(error.contains("configure it first"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_cannot_isolate_starts_nothing() {
    let mut server = Server::new();
    server.settings.executable = "/bin/false".into();
    let local = server.open().await;
    let acme = name("acme");
    local.create_project(&acme, instance(1)).await.unwrap();
    local.configure(&acme, &settings(1)).await.unwrap();
    let error = local.deploy(&acme, &server.serving("")).await.unwrap_err();
    assert!(!error.is_temporary());
    assert!(error.to_string().contains("--insecure-no-sandbox"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_sandbox_it_runs_on_ports_of_the_host_and_stops_with_the_server() {
    let server = Server::new().insecure();
    let local = server.open().await;
    let acme = deploy(&local, "acme", 1, &server.serving("sleep 1000 &")).await;
    until_healthy(&local, &acme).await;
    assert!(visit(&local, &acme).await.contains(server.data(&acme).to_str().unwrap()));
    let logs = local.logs(&acme, 10).await.unwrap();
    assert!(logs.contains(r#"app on "" at """#), "instances that share a loopback share its ports:\n{logs}");
    local.shutdown().await;
    assert!(processes_of(&server.settings.executable).is_empty());
}
