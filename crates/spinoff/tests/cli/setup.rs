//! What is done once at the providers, and what is said when it can't be.

use std::fs;

use jiff::Timestamp;
use providers::resources::{Key, Made, Resources};
use serde_json::{Value, json};
use simulators::cloudflare::Permission as Cloudflare;
use simulators::railway::TokenKind;
use simulators::stripe::Permission as Stripe;
use world::Clock;

use crate::accounts::Accounts;

const NONE: [u64; 6] = [0; 6];
/// Two applications, two policies and a way to sign in; a product, a price and a webhook endpoint.
const ALL: [u64; 6] = [2, 2, 1, 1, 1, 1];

fn checks(diagnosis: &Value, verdict: &str) -> Vec<String> {
    let all = diagnosis["checks"].as_array().unwrap().iter().filter(|check| check["verdict"] == verdict);
    all.map(|check| format!("{}: {} {}", check["name"], check["found"], check["advice"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_asks_first_and_changes_nothing_the_second_time() {
    let accounts = Accounts::open().await;
    let planned = accounts.run(&["setup", "--dry-run"]).await;
    assert_eq!(planned.code, 0, "{planned:?}");
    for words in ["will be made     the Access application for *.ai-diy.ai", "0 USD a month", "webhooks/stripe"] {
        assert!(planned.out.contains(words), "{words:?} is missing in {planned:?}");
    }
    assert!(!accounts.data().exists(), "a dry run changes nothing");
    accounts.run(&["setup"]).await.assert_failed(4, &["not confirmed", "--yes"]);
    assert_eq!(accounts.made(), NONE);
    let done = accounts.run(&["setup", "--yes"]).await;
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.out.contains("customer portal") && done.out.contains("spinoff doctor"), "{done:?}");
    assert_eq!(accounts.made(), ALL);
    let again = accounts.run(&["setup", "--yes"]).await;
    assert!(again.code == 0 && again.out.ends_with("nothing to do\n"), "{again:?}");
    assert!(again.out.contains("https://ai-diy.ai/webhooks/railway/"), "{again:?}");
    let json = accounts.run(&["setup", "--json", "--yes"]).await.json();
    assert_eq!((&json["changed"], json["providers"].as_array().unwrap().len()), (&json!(false), 3));
    assert_eq!(accounts.made(), ALL);
    assert!(!fs::read(accounts.data().join("spinoff.db")).unwrap().windows(6).any(|part| part == b"whsec_"));

    let diagnosis = accounts.run(&["doctor", "--json"]).await.json();
    let failed = checks(&diagnosis, "fail");
    assert!(failed.len() == 1 && failed[0].contains("SMTP server"), "{diagnosis}");
    for name in ["Railway token", "Access policy", "records in the zone", "base price", "Stripe webhook"] {
        assert!(checks(&diagnosis, "ok").iter().any(|check| check.contains(name)), "{name}: {diagnosis}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_whose_secret_is_lost_is_made_anew_in_place_of_the_old_one() {
    let accounts = Accounts::open().await;
    assert_eq!(accounts.run(&["setup", "stripe", "--yes"]).await.code, 0);
    let old = accounts.endpoints().await;
    fs::remove_dir_all(accounts.data()).unwrap();
    let planned = accounts.run(&["setup", "stripe", "--dry-run"]).await;
    assert!(planned.out.contains("in place of the old one, whose secret is not known here"), "{planned:?}");
    assert_eq!(accounts.run(&["setup", "stripe", "--yes"]).await.code, 0);
    let new = accounts.endpoints().await;
    assert_eq!((old.len(), new.len()), (1, 1));
    let again = accounts.run(&["setup", "stripe", "--yes"]).await;
    assert!(again.out.ends_with("nothing to do\n"), "{again:?}");
    assert_eq!(accounts.endpoints().await, new);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_token_that_does_not_do_gives_the_one_sentence_that_helps() {
    let accounts = Accounts::open().await;
    let past = Timestamp::UNIX_EPOCH;
    let (cloudflare, stripe) = ("SPINOFF_CLOUDFLARE__TOKEN", "SPINOFF_STRIPE__SECRET_KEY");
    let scoped = accounts.railway.grant(TokenKind::Project { project: "p".into(), environment: "e".into() });
    let expired = accounts.railway.grant_until(TokenKind::Workspace, past);
    let mut cases = ["never-there", &expired, &scoped]
        .map(|token| ("railway", "SPINOFF_RAILWAY__TOKEN", token.to_owned(), "workspace token"))
        .to_vec();
    let expired = accounts.cloudflare.grant_until(&Cloudflare::ALL, past);
    cases.extend(["never-there", &expired].map(|token| ("cloudflare", cloudflare, token.to_owned(), "make a new one")));
    for (lacks, words) in [
        (Cloudflare::AppsAndPolicies, "Access: Apps and Policies: Edit"),
        (Cloudflare::ZoneSettings, "Zone Settings: Edit"),
    ] {
        let rest: Vec<_> = Cloudflare::ALL.into_iter().filter(|permission| *permission != lacks).collect();
        cases.push(("cloudflare", cloudflare, accounts.cloudflare.grant(&rest), words));
    }
    let expired = accounts.stripe.restricted_key(&[]);
    accounts.stripe.expire_key(&expired);
    cases.extend(["sk_test_wrong", &expired].map(|key| ("stripe", stripe, key.to_owned(), "make a new one")));
    let blind = accounts.stripe.restricted_key(&[("subscription", Stripe::Read), ("product", Stripe::Write)]);
    cases.push(("stripe", stripe, blind, "give the restricted key the permission “price: read”"));
    for (provider, variable, token, words) in cases {
        let set = [(variable, token.as_str())];
        accounts.run_with(&["setup", provider, "--yes"], &set).await.assert_failed(4, &["was not set up", words]);
        let diagnosis = accounts.run_with(&["doctor", "--json"], &set).await.json();
        let failed = checks(&diagnosis, "fail");
        assert!(failed.iter().any(|check| check.contains(words)), "{provider} {words}: {failed:?}");
        assert!(!diagnosis.to_string().contains(&token), "{provider} shows the token");
    }
    assert_eq!(accounts.made(), NONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_settings_lack_is_named_with_where_to_get_it() {
    let accounts = Accounts::open().await;
    for (variable, value, words) in [
        ("CLOUDFLARE__TOKEN", "", "[cloudflare] token (or token_file) is missing; make one at dash.cloudflare.com"),
        ("CLOUDFLARE__ZONE_ID", "", "[cloudflare] zone_id is missing"),
        ("RAILWAY__TOKEN", "", "[railway] token (or token_file) is missing"),
        ("RAILWAY__IMAGE", "ghcr.io/ai-diy/app:latest", "[railway] image names no digest"),
        ("STRIPE__API_URL", "http://stripe.example", "[stripe] api_url is http://stripe.example"),
        ("EDGE__DRIVER", "builtin", "set [edge] routing = \"wildcard\" and let *.ai-diy.ai lead here"),
        ("EDGE__ROUTING", "wildcrad", "[edge] has no routing \"wildcrad\"; there is: records, wildcard"),
        ("SITE__PUBLIC_URL", "https://www.ai-diy.ai", "would ask every visitor for a code and turn away"),
        ("COMPUTE__DRIVER", "local", "set [compute] driver = \"railway\""),
        (
            "PAYMENTS__DRIVER",
            "ledger",
            "[edge] driver is cloudflare, but its audience is not known yet; run `spinoff setup",
        ),
        ("SITE__PUBLIC_URL", "http://ai-diy.ai", "begins with https://"),
        ("SITE__PUBLIC_URL", "", "[site] public_url is missing"),
        ("MAIL__DRIVER", "outbox", "set [mail] driver = \"smtp\""),
        ("SITE__BASE_DOMAIN", "localhost", "[site] base_domain is missing"),
    ] {
        let ran = accounts.run_with(&["serve"], &[(&format!("SPINOFF_{variable}"), value)]).await;
        assert!(ran.code == 1 && ran.err.contains(words), "{variable}: {words:?} is missing in {ran:?}");
    }
    let ran = accounts.run_with(&["setup", "stripe", "--dry-run"], &[("SPINOFF_STRIPE__SECRET_KEY", "")]).await;
    ran.assert_failed(1, &["[stripe] secret_key (or secret_key_file) is missing; make one at dashboard.stripe.com"]);
    let ran = accounts.run_with(&["setup", "stripe"], &[("SPINOFF_PAYMENTS__DRIVER", "ledger")]).await;
    ran.assert_failed(4, &["[payments] driver = \"stripe\""]);
    assert_eq!(accounts.made(), NONE);
}

/// Sets up what one wildcard record for everybody needs.
const WILDCARD: [(&str, &str); 1] = [("SPINOFF_EDGE__ROUTING", "wildcard")];

#[tokio::test(flavor = "multi_thread")]
async fn one_record_for_everybody_is_set_up_once_and_looked_at() {
    let accounts = Accounts::open().await;
    assert_eq!(accounts.run(&["setup", "--yes"]).await.code, 0);
    let early = accounts.run_with(&["serve"], &WILDCARD).await;
    early.assert_failed(1, &["record *.ai-diy.ai, which leads to ai-diy.ai, is not known yet", "`spinoff setup"]);
    let planned = accounts.run_with(&["setup", "cloudflare", "--dry-run"], &WILDCARD).await;
    assert!(planned.out.contains("will be made     the proxied record *.ai-diy.ai"), "{planned:?}");
    assert!(accounts.cloudflare.records().is_empty());
    assert_eq!(accounts.run_with(&["setup", "cloudflare", "--yes"], &WILDCARD).await.code, 0);
    let again = accounts.run_with(&["setup", "cloudflare", "--yes"], &WILDCARD).await;
    assert!(again.code == 0 && again.out.ends_with("nothing to do\n"), "{again:?}");
    let records: Vec<_> =
        accounts.cloudflare.records().into_iter().map(|record| (record.name, record.content)).collect();
    assert_eq!(records, [("*.ai-diy.ai".to_owned(), "ai-diy.ai".to_owned())]);

    let diagnosis = accounts.run_with(&["doctor", "--json"], &WILDCARD).await.json();
    for name in ["wildcard record", "\"routing\": \"by wildcard\""] {
        assert!(checks(&diagnosis, "ok").iter().any(|check| check.contains(name)), "{name}: {diagnosis}");
    }
    assert!(!diagnosis.to_string().contains("records in the zone"), "{diagnosis}");
    accounts.cloudflare.vanish("*.ai-diy.ai");
    let diagnosis = accounts.run_with(&["doctor", "--json"], &WILDCARD).await.json();
    assert!(checks(&diagnosis, "fail").iter().any(|check| check.contains("no such record")), "{diagnosis}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_that_sells_one_way_is_not_changed_over_half_way() {
    let accounts = Accounts::open().await;
    assert_eq!(accounts.run(&["setup", "--yes"]).await.code, 0);
    let db = store::Db::open_file(&accounts.data().join("spinoff.db")).await.unwrap();
    let instance = domain::InstanceId::new(Timestamp::UNIX_EPOCH, [1; 10]);
    let key = Key { kind: "domain", name: "acme.ai-diy.ai".into(), instance };
    Resources::new(db.clone(), Clock::System, "railway").keep(&key, &Made::plain("d-1")).await.unwrap();
    db.close().await;
    let words = ["1 name of this installation", "\"records\"", "a second installation"];
    accounts.run_with(&["serve"], &WILDCARD).await.assert_failed(1, &words);
    accounts.run_with(&["setup", "cloudflare", "--yes"], &WILDCARD).await.assert_failed(4, &words);
    let diagnosis = accounts.run_with(&["doctor", "--json"], &WILDCARD).await.json();
    assert!(checks(&diagnosis, "fail").iter().any(|check| check.contains("\"routing\"")), "{diagnosis}");
    assert!(accounts.cloudflare.records().is_empty(), "nothing is made beside what is there");
    let diagnosis = accounts.run(&["doctor", "--json"]).await.json();
    assert!(checks(&diagnosis, "ok").iter().any(|check| check.contains("\"routing\": \"by records\"")), "{diagnosis}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_edge_of_this_server_serves_instances_elsewhere_where_the_operator_leads_everybody_to_it() {
    let accounts = Accounts::open().await;
    let builtin = [WILDCARD[0], ("SPINOFF_EDGE__DRIVER", "builtin"), ("SPINOFF_PAYMENTS__DRIVER", "ledger")];
    let diagnosis = accounts.run_with(&["doctor", "--json"], &builtin).await.json();
    let told = checks(&diagnosis, "fail").into_iter().chain(checks(&diagnosis, "warn")).chain(checks(&diagnosis, "ok"));
    assert!(told.into_iter().any(|check| check.contains("wildcard record")), "{diagnosis}");
    let noted = accounts.run_with(&["setup", "--dry-run"], &builtin).await;
    assert!(noted.out.contains("make a DNS record *.ai-diy.ai that leads where ai-diy.ai does"), "{noted:?}");
    let wrong = accounts.run_with(&["serve"], &[builtin[0], builtin[1], ("SPINOFF_SITE__PUBLIC_URL", "")]).await;
    wrong.assert_failed(1, &["[site] public_url is missing"]);
}
