use std::collections::BTreeSet;

use serde_norway::Value;

use crate::{at, documents, list, read, secrets_read, text};

const POD: &str = "spec.template.spec";

fn of_kind(kind: &str) -> Value {
    documents("deploy/kubernetes.yaml").into_iter().find(|document| text(document, "kind") == kind).unwrap()
}

fn container<'a>(workload: &'a Value, name: &str) -> &'a Value {
    list(workload, &format!("{POD}.containers")).iter().find(|container| text(container, "name") == name).unwrap()
}

fn names(list: &[Value]) -> BTreeSet<&str> {
    list.iter().map(|entry| text(entry, "name")).collect()
}

#[test]
fn whatever_selects_pods_finds_them() {
    let deployment = of_kind("Deployment");
    let labels = at(&deployment, "spec.template.metadata.labels");
    assert_eq!(at(&deployment, "spec.selector.matchLabels"), labels);
    assert_eq!(at(&of_kind("Service"), "spec.selector"), labels);
    assert_eq!(at(&of_kind("PodDisruptionBudget"), "spec.selector.matchLabels"), labels);
    let backend = of_kind("Ingress");
    let backend = at(&backend, "spec.rules.0.http.paths.0.backend.service");
    let service = of_kind("Service");
    assert_eq!(text(backend, "name"), text(&service, "metadata.name"));
    assert_eq!(text(backend, "port.name"), text(&service, "spec.ports.0.name"));
    let opened = list(container(&deployment, "caddy"), "ports");
    assert!(names(opened).contains(text(&service, "spec.ports.0.targetPort")));
}

#[test]
fn every_mount_has_its_volume_and_every_volume_its_use() {
    for workload in [of_kind("Deployment"), documents("deploy/kubernetes-setup.yaml").remove(0)] {
        let containers = list(&workload, &format!("{POD}.containers")).iter();
        let mounted: BTreeSet<&str> = containers.flat_map(|container| names(list(container, "volumeMounts"))).collect();
        assert_eq!(mounted, names(list(&workload, &format!("{POD}.volumes"))));
    }
}

#[test]
fn replicas_share_one_key_and_none_starts_without_it() {
    for workload in [of_kind("Deployment"), documents("deploy/kubernetes-setup.yaml").remove(0)] {
        let containers = list(&workload, &format!("{POD}.containers"));
        let mount = list(&containers[0], "volumeMounts").iter().find(|mount| text(mount, "name") == "key").unwrap();
        assert_eq!(text(mount, "mountPath"), "/var/lib/spinoff/secret.key");
        let volumes = list(&workload, &format!("{POD}.volumes"));
        let key = volumes.iter().find(|volume| text(volume, "name") == "key").unwrap();
        assert_eq!(text(key, "secret.secretName"), "spinoff-key");
        assert!(at(key, "secret.optional").is_null(), "a replica without the key would make one of its own");
        // Readable for the user that they run as, and for nobody else.
        assert_eq!(at(key, "secret.defaultMode").as_u64(), Some(0o440));
        assert_eq!(at(&workload, &format!("{POD}.securityContext.runAsUser")).as_u64(), Some(10001));
    }
}

#[test]
fn what_replicas_keep_is_not_in_their_pods() {
    let settings = read("deploy/spinoff.toml");
    for outside in ["[store]\nurl_file", "[backups]", "driver = \"s3\""] {
        assert!(settings.contains(outside), "{outside}");
    }
    assert!(settings.contains("[compute]\ndriver = \"railway\""), "pods can't build walls");
}

#[test]
fn a_new_version_is_ready_before_an_old_one_goes_and_has_time_to_go() {
    let deployment = of_kind("Deployment");
    assert_eq!(at(&deployment, "spec.strategy.rollingUpdate.maxUnavailable").as_u64(), Some(0));
    let grace = at(&deployment, &format!("{POD}.terminationGracePeriodSeconds")).as_u64().unwrap();
    let unit = read("deploy/spinoff.service");
    assert!(unit.contains(&format!("TimeoutStopSec={grace}s")), "systemd and Kubernetes wait equally long");
    for probe in ["startupProbe", "readinessProbe"] {
        let ask = at(container(&deployment, "spinoff"), &format!("{probe}.httpGet"));
        let host = &list(ask, "httpHeaders")[0];
        // By any other name, an instance of that name would be looked for.
        assert_eq!((text(host, "name"), text(host, "value")), ("Host", "127.0.0.1"), "{probe}");
    }
}

#[test]
fn what_has_to_be_made_before_is_named() {
    let head = read("deploy/kubernetes.yaml");
    let guide = read("docs/running.md");
    for secret in secrets_read() {
        assert!(head.contains(&secret), "the head of kubernetes.yaml does not name {secret}");
        assert!(guide.contains(&secret), "docs/running.md does not name {secret}");
    }
}
