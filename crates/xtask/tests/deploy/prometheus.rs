use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::{documents, list, read, root, text};

const BOARDS: [&str; 2] = ["deploy/grafana/guard.json", "deploy/grafana/main.json"];

/// Runs Prometheus's own checker in the folder of the alerts, on a machine that has it.
fn promtool(arguments: &[&str]) {
    let asked = Command::new("promtool").args(arguments).current_dir(root().join("deploy/prometheus")).output();
    let Ok(done) = asked else {
        eprintln!("not checked, since promtool is not installed: {arguments:?}");
        return;
    };
    let said = [done.stdout, done.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(done.status.success(), "promtool {arguments:?}: {said}");
}

#[test]
fn prometheus_takes_the_alerts_and_they_are_raised_when_they_should_be() {
    promtool(&["check", "rules", "alerts.yaml"]);
    promtool(&["check", "config", "scrape.yaml"]);
    promtool(&["test", "rules", "alerts-test.yaml"]);
}

#[test]
fn alerts_and_dashboards_ask_for_jobs_that_there_are() {
    let scrape = documents("deploy/prometheus/scrape.yaml").remove(0);
    let jobs: BTreeSet<&str> = list(&scrape, "scrape_configs").iter().map(|job| text(job, "job_name")).collect();
    let mut asked = 0;
    for path in ["deploy/prometheus/alerts.yaml"].iter().chain(&BOARDS) {
        let text = read(path).replace("\\\"", "\"");
        for job in text.split("job=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(jobs.contains(job), "{path}: nothing asks for the job {job}");
            asked += 1;
        }
    }
    assert!(asked > 20, "only {asked} were found");
}

#[test]
fn every_alert_says_how_urgent_it_is_and_what_is_wrong() {
    let alerts = documents("deploy/prometheus/alerts.yaml").remove(0);
    let rules = list(&alerts, "groups").iter().flat_map(|group| list(group, "rules"));
    let mut names = BTreeSet::new();
    for rule in rules {
        assert!(["page", "ticket"].contains(&text(rule, "labels.severity")), "{rule:?}");
        assert!(!text(rule, "annotations.summary").is_empty(), "{rule:?}");
        assert!(names.insert(text(rule, "alert").to_owned()), "two of one name: {rule:?}");
    }
}

#[test]
fn dashboards_can_be_read_and_every_question_in_them_is_one() {
    let mut rules = Vec::new();
    let mut boards = BTreeSet::new();
    for path in BOARDS {
        let board: Value = serde_json::from_str(&read(path)).unwrap();
        assert!(boards.insert(board["uid"].as_str().unwrap().to_owned()), "{path}: two boards of one id");
        let mut panels = BTreeSet::new();
        for panel in board["panels"].as_array().unwrap() {
            assert!(panels.insert(panel["id"].as_u64().unwrap()), "{path}: two panels of one id");
            assert!(!panel["title"].as_str().unwrap().is_empty(), "{path}: a panel without a title");
            for target in panel["targets"].as_array().unwrap() {
                let question = target["expr"].as_str().unwrap();
                let question = question.replace("$__rate_interval", "5m").replace("$guard", ".*");
                rules.push(json!({"record": format!("question:{}", rules.len()), "expr": question}));
            }
        }
    }
    let file = std::env::temp_dir().join(format!("spinoff-questions-{}.yaml", std::process::id()));
    fs::write(&file, json!({"groups": [{"name": "questions", "rules": rules}]}).to_string()).unwrap();
    promtool(&["check", "rules", file.to_str().unwrap()]);
    fs::remove_file(file).unwrap();
}
