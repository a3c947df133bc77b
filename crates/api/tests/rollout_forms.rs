//! The forms of releases, rollouts and what is agreed about updates, which scripts depend on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use api::{ChangeUpdates, NewPin, NewRelease, NewRollout, RolloutStrategy, UnitCounts, UnitFilter};
use fleet::{RolloutState, Stage, UnitState, Version, Window};
use jiff::civil::Weekday;
use serde_json::{Value, json};

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

#[test]
fn what_is_left_out_stays_and_what_is_null_is_taken_away() {
    let read = |json: Value| serde_json::from_value::<ChangeUpdates>(json).unwrap();
    assert_eq!(read(json!({})), ChangeUpdates::default());
    let taken = read(json!({"window": null, "pin": null, "deferred_until": null}));
    assert_eq!((&taken.window, &taken.pin, &taken.deferred_until), (&Some(None), &Some(None), &Some(None)));
    let change = ChangeUpdates {
        stage: Some(Stage::Main),
        window: Some(Some(Window::new(&[Weekday::Saturday], 2, 4).unwrap())),
        pin: Some(Some(NewPin { until: "2026-12-24T00:00:00Z".parse().unwrap(), because: "Their fair.".to_owned() })),
        deferred_until: None,
    };
    let form = json!({
        "stage": "main",
        "window": {"days": ["sat"], "from_hour": 2, "hours": 4},
        "pin": {"until": "2026-12-24T00:00:00Z", "because": "Their fair."},
    });
    assert_eq!(serde_json::to_value(&change).unwrap(), form);
    assert_eq!(read(form), change);
    for wrong in [
        json!({"stage": "production"}),
        json!({"window": {"days": ["sat"], "from_hour": 2, "hours": 1}}),
        json!({"pin": {"until": "2026-12-24T00:00:00Z"}}),
        json!({"stages": "main"}),
    ] {
        assert!(serde_json::from_value::<ChangeUpdates>(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn a_rollout_is_asked_for_with_as_little_as_a_version() {
    let bare: NewRollout = serde_json::from_value(json!({"version": "1.4.0"})).unwrap();
    let meant =
        NewRollout { version: version("1.4.0"), strategy: RolloutStrategy::default(), only: None, dry_run: false };
    assert_eq!(bare, meant);
    for wrong in [
        json!({}),
        json!({"version": "1/4"}),
        json!({"version": "1.4.0", "strategy": {"waves": [300]}}),
        json!({"version": "1.4.0", "strategy": {"at_once": 0}}),
        json!({"version": "1.4.0", "strategy": {"soak": 5}}),
        json!({"version": "1.4.0", "dryrun": true}),
    ] {
        assert!(serde_json::from_value::<NewRollout>(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn a_release_leaves_out_what_the_server_decides() {
    let new = NewRelease {
        version: version("1.4.0"),
        image: None,
        command: Some("./serve".to_owned()),
        health_path: None,
        read_only: None,
        activity_rules: None,
        notes: String::new(),
        upgrades_from: Some(vec![version("1.3.0")]),
    };
    let form = json!({"version": "1.4.0", "command": "./serve", "upgrades_from": ["1.3.0"]});
    assert_eq!(serde_json::to_value(&new).unwrap(), form);
    assert_eq!(serde_json::from_value::<NewRelease>(form).unwrap(), new);
}

#[test]
fn every_state_has_a_word_and_a_number_of_its_own() {
    let mut counts = UnitCounts::default();
    for (number, state) in (1..).zip(UnitState::ALL) {
        counts.set(state, number);
        assert_eq!(serde_json::to_value(UnitFilter { state: Some(state) }).unwrap(), json!({"state": state.as_str()}));
    }
    let told = serde_json::to_value(counts).unwrap();
    for (number, state) in (1..).zip(UnitState::ALL) {
        assert_eq!(told[state.as_str()], number, "{state}");
    }
    assert_eq!(told.as_object().unwrap().len(), UnitState::ALL.len());
    for state in RolloutState::ALL {
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
}
