use std::collections::BTreeSet;

use crate::{at, documents, list, read, secrets_read, text};

#[test]
fn the_server_is_given_every_secret_that_its_settings_read_and_no_other() {
    let compose = documents("deploy/compose.yaml").remove(0);
    let given: BTreeSet<String> =
        list(&compose, "services.spinoff.secrets").iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    assert_eq!(given, secrets_read());
    for service in ["spinoff", "postgres"] {
        for name in list(&compose, &format!("services.{service}.secrets")) {
            let name = name.as_str().unwrap();
            assert_eq!(text(&compose, &format!("secrets.{name}.file")), format!("./secrets/{name}"));
        }
    }
}

#[test]
fn the_proxy_stands_on_the_servers_own_loopback() {
    let compose = documents("deploy/compose.yaml").remove(0);
    assert_eq!(text(&compose, "services.caddy.network_mode"), "service:spinoff");
    assert!(at(&compose, "services.caddy.ports").is_null(), "ports are those of whose network it is");
    assert!(read("deploy/spinoff.toml").contains("listen = \"127.0.0.1:8080\""));
    for file in ["Caddyfile", "Caddyfile.site"] {
        assert!(read(&format!("deploy/{file}")).contains("reverse_proxy 127.0.0.1:8080"), "{file}");
    }
}

#[test]
fn whatever_is_kept_is_on_a_volume() {
    let compose = documents("deploy/compose.yaml").remove(0);
    let mut mounted = BTreeSet::new();
    for service in ["spinoff", "caddy", "postgres"] {
        for volume in list(&compose, &format!("services.{service}.volumes")) {
            let (from, _) = volume.as_str().unwrap().split_once(':').unwrap();
            if let Some(file) = from.strip_prefix("./") {
                assert!(!read(&format!("deploy/{file}")).is_empty());
            } else {
                mounted.insert(from.to_owned());
            }
        }
    }
    let defined: BTreeSet<String> =
        at(&compose, "volumes").as_mapping().unwrap().keys().map(|name| name.as_str().unwrap().to_owned()).collect();
    assert_eq!(mounted, defined);
}

#[test]
fn images_run_as_nobody_in_particular_and_say_how_they_are() {
    let file = read("deploy/Dockerfile");
    let stages: Vec<&str> = file.split("\nFROM ").skip(1).collect();
    let stage = |name: &str| *stages.iter().find(|stage| stage.lines().next().unwrap().ends_with(name)).unwrap();
    for (name, entry) in [("AS instance", r#"["spinoff", "guard", "--"]"#), ("AS main", r#"["spinoff"]"#)] {
        let stage = stage(name);
        assert!(stage.contains("\nUSER 10001:10001\n"), "{name} runs as root");
        assert!(stage.contains("\nHEALTHCHECK "), "{name} says nothing of its health");
        assert!(stage.contains(&format!("\nENTRYPOINT {entry}\n")), "{name}");
    }
    assert!(stages.last().unwrap().starts_with("base AS main"), "what is built when no target is named");
}

#[test]
fn images_are_built_with_the_compiler_that_the_workspace_asks_for() {
    let manifest = read("Cargo.toml");
    let version = manifest.split("rust-version = \"").nth(1).unwrap().split('"').next().unwrap();
    assert!(read("deploy/Dockerfile").contains(&format!("/rust:{version}-")), "not {version}");
}

#[test]
fn the_unit_keeps_open_what_walls_need_and_the_other_one_closes_it() {
    let (here, elsewhere) = (read("deploy/spinoff.service"), read("deploy/spinoff-elsewhere.conf"));
    let sets = |file: &str, key: &str| {
        file.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=').map(str::to_owned)).collect::<Vec<_>>()
    };
    // Each of these keeps a namespace, a mount of /proc or a control group of an instance from being made.
    for key in ["RestrictNamespaces", "ProtectKernelTunables", "ProtectProc", "ProtectControlGroups", "ProtectHostname"]
    {
        assert_eq!(sets(&here, key), [""; 0], "{key}");
        assert_eq!(sets(&elsewhere, key).len(), 1, "{key}");
    }
    assert_eq!(sets(&here, "Delegate"), ["cpu memory pids"]);
    assert_eq!(sets(&elsewhere, "Delegate"), ["no"]);
    assert_eq!(sets(&here, "NoNewPrivileges"), ["yes"]);
}
