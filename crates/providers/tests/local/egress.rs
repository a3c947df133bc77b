use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use providers::compute::Compute;

use crate::harness::{Server, deploy, instance, read, until_healthy};

/// Sends back, in capitals, everything once the sender has finished.
fn shouting_echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut all = String::new();
            stream.read_to_string(&mut all).unwrap();
            stream.write_all(all.to_uppercase().as_bytes()).unwrap();
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_reaches_what_the_operator_listed_and_nothing_else() {
    let (listed, other) = (shouting_echo(), shouting_echo());
    let by_name = format!("localhost:{}", listed.port());
    let mut server = Server::new();
    // Two on one machine, each with a socket of its own.
    server.settings.egress = vec![listed.to_string().parse().unwrap(), by_name.parse().unwrap()];
    let other_by_name = format!("localhost:{}", other.port());
    server.settings.egress.push(other_by_name.parse().unwrap());
    let local = server.open().await;
    let tool = server.settings.executable.display().to_string();
    let mut script = String::new();
    for (file, destination) in [
        ("listed", listed.to_string()),
        ("named", by_name),
        ("other", other.to_string()),
        ("other_named", other_by_name),
    ] {
        script.push_str(&format!("{tool} dial {destination} \"hello from $HOSTNAME_PUBLIC\" > /data/{file}\n"));
    }
    script.push_str(&format!("HTTPS_PROXY={listed} {tool} dial {listed} direct > /data/direct 2>&1\n"));
    script.push_str("env > /data/env; ls /run > /data/run 2>&1\n");
    let first = deploy(&local, "first", 1, &server.serving(&script)).await;
    let second = deploy(&local, "second", 2, &server.serving(&script)).await;
    for (project, number) in [(&first, 1), (&second, 2)] {
        until_healthy(&local, project).await;
        let said = |file: &str| read(server.data(project).join(file));
        for file in ["listed", "named"] {
            assert!(said(file).starts_with("HTTP/1.1 200 "), "{file}: {}", said(file));
            assert!(said(file).ends_with(&format!("HELLO FROM TENANT{number}.LOCALHOST")), "{file}: {}", said(file));
        }
        assert!(said("other").starts_with(&format!("HTTP/1.1 403 {other} is not listed in [compute] egress")));
        assert!(said("other_named").starts_with("HTTP/1.1 403 "), "{}", said("other_named"));
        assert!(said("other_named").contains("not a public address"), "{}", said("other_named"));
        for line in ["HTTPS_PROXY=http://127.0.0.1:3128", "https_proxy=http", "NO_PROXY=localhost,127.0.0.1"] {
            assert!(said("env").contains(line), "{line} is not in\n{}", said("env"));
        }
        assert!(!said("env").lines().any(|line| line.to_lowercase().starts_with("http_proxy=")), "{}", said("env"));
        assert_eq!(said("direct"), "", "around the proxy there is no way");
        assert!(!said("run").contains("egress.sock"), "the socket is the guard's alone: {}", said("run"));
    }
    local.shutdown().await;
    assert!(!server.project_folder(&first).join("egress.sock").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_out_is_there_again_after_a_restart() {
    let listed = shouting_echo();
    let mut server = Server::new();
    server.settings.egress = vec![listed.to_string().parse().unwrap()];
    let local = server.open().await;
    let tool = server.settings.executable.display();
    let again = format!(
        "{tool} dial {listed} again >> /data/said; test -e /data/crashed || {{ touch /data/crashed; exit 3; }}"
    );
    let acme = deploy(&local, "acme", 1, &server.serving(&again)).await;
    assert_eq!(until_healthy(&local, &acme).await.restarts, 1);
    assert_eq!(read(server.data(&acme).join("said")).matches("AGAIN").count(), 2);
    local.delete_project(&acme, instance(1)).await.unwrap();
    assert!(!server.project_folder(&acme).exists());
    local.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_listed_means_no_way_out() {
    let outside = shouting_echo();
    let server = Server::new();
    let local = server.open().await;
    let tool = server.settings.executable.display();
    let try_both = format!(
        "env > /data/env
        HTTPS_PROXY={outside} {tool} dial {outside} hello > /data/direct
        HTTPS_PROXY=127.0.0.1:3128 {tool} dial {outside} hello > /data/proxied"
    );
    let acme = deploy(&local, "acme", 1, &server.serving(&try_both)).await;
    until_healthy(&local, &acme).await;
    let env = read(server.data(&acme).join("env")).to_lowercase();
    assert!(env.contains("port=8000") && !env.contains("proxy"), "{env}");
    for file in ["direct", "proxied"] {
        assert_eq!(read(server.data(&acme).join(file)), "", "{file}");
    }
    assert!(!server.project_folder(&acme).join("egress.sock").exists());
    local.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_walls_the_network_is_open_and_no_proxy_is_told_of() {
    let mut server = Server::new().insecure();
    server.settings.egress = vec!["127.0.0.1:1".parse().unwrap()];
    let local = server.open().await;
    let acme = deploy(&local, "acme", 1, &server.serving("env > $DATA/env")).await;
    until_healthy(&local, &acme).await;
    let env = read(server.data(&acme).join("env"));
    assert!(env.contains("HOSTNAME_PUBLIC") && !env.contains("_PROXY"), "{env}");
    assert!(!server.project_folder(&acme).join("egress.sock").exists());
    local.shutdown().await;
}
