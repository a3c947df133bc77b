//! The published vectors for JSON Web Signatures, as tokens at the door: the issuer shows all of their
//! keys, and none of them, good or bad, opens it. `access/tests/wycheproof.rs` judges them one by one.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::scene::Scene;
use crate::support::{ask, bearer};

#[tokio::test]
async fn published_vectors_do_not_get_in() {
    let Some(document) = document() else { return };
    let groups = document["testGroups"].as_array().unwrap();
    let keys = groups.iter().filter_map(|group| group.get("public").or(group.get("private"))).cloned().collect();
    let scene = Scene::with_keys(keys).await;
    let before = scene.reached();
    let mut asked = 0;
    for test in groups.iter().flat_map(|group| group["tests"].as_array().unwrap()) {
        let (number, token) = (&test["tcId"], test["jws"].as_str().unwrap());
        for line in [bearer(token), format!("Cookie: CF_Authorization={token}")] {
            let answer = ask(&scene.guard.address, "/secret", &[&line]).await;
            // Some have letters that no header may have.
            assert!([400, 401].contains(&answer.status), "{number}: {}", answer.status);
            assert_eq!(scene.since(before), "", "{number} reached the application");
        }
        asked += 1;
    }
    assert_eq!(document["numberOfTests"], asked);
    scene.only_ada_enters(before).await;
}

/// The file belongs to others and is not part of this repository.
fn document() -> Option<Value> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs");
    let folder = std::env::var_os("SPINOFF_SPECS").map_or(beside, PathBuf::from);
    let path = folder.join("wycheproof_json_web_signature_test.json");
    match std::fs::read(&path) {
        Ok(json) => Some(serde_json::from_slice(&json).unwrap()),
        Err(error) => {
            println!("Wycheproof's vectors were NOT run: {}: {error}", path.display());
            None
        }
    }
}
