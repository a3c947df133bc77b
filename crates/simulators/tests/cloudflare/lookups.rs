use simulators::cloudflare::{Settings, Target};
use simulators::railway::Dns as _;

use crate::harness::House;

#[tokio::test]
async fn a_wildcard_stands_in_for_names_that_do_not_exist_and_for_no_others() {
    let house = House::open().await;
    house.record("CNAME", "*", "catch-all.example").await;
    let cname = |name: &str| house.cloudflare.cname(&format!("{name}.ai-diy.ai"));
    assert_eq!(cname("acme").as_deref(), Some("catch-all.example"));
    assert_eq!(cname("deep.acme").as_deref(), Some("catch-all.example"));
    assert_eq!(house.cloudflare.cname("ai-diy.ai"), None);
    assert_eq!(house.cloudflare.cname("acme.example"), None);
    house.record("TXT", "_railway-verify.acme", "railway-verify=1").await;
    assert_eq!(cname("acme"), None, "the record below makes the name exist");
    assert_eq!(cname("other").as_deref(), Some("catch-all.example"));
    house.record("TXT", "beta", "note").await;
    assert_eq!(cname("beta"), None, "any record on a name switches the wildcard off for it");
    assert_eq!(cname("below.beta"), None, "and below it");
    house.cloudflare.vanish("beta.ai-diy.ai");
    assert_eq!(cname("below.beta").as_deref(), Some("catch-all.example"));
}

#[tokio::test]
async fn texts_are_read_without_their_quotation_marks_and_a_hostname_leads_somewhere() {
    let house = House::open().await;
    house.record("CNAME", "acme", "q7.up.railway.app").await;
    house.record("TXT", "_railway-verify.acme", "\"railway-verify=5b1f\"").await;
    assert_eq!(house.cloudflare.txt("_Railway-Verify.acme.ai-diy.ai."), ["railway-verify=5b1f"]);
    let target = Target { content: "q7.up.railway.app".into(), proxied: true };
    assert_eq!(house.cloudflare.resolve("acme.ai-diy.ai"), Some(target));
    assert_eq!(house.cloudflare.resolve("_railway-verify.acme.ai-diy.ai"), None);
    assert!(house.cloudflare.plant("A", "by-hand", "192.0.2.7"));
    assert_eq!(house.cloudflare.resolve("by-hand.ai-diy.ai").unwrap().content, "192.0.2.7");
}

#[tokio::test]
async fn a_wildcard_may_lead_to_the_zone_itself_also_where_that_is_one_label() {
    for zone in ["ai-diy.ai", "localhost"] {
        let house = House::open_with(Settings { zone: zone.into(), ..Settings::default() }).await;
        house.record("CNAME", "*", zone).await;
        let target = Target { content: zone.into(), proxied: true };
        assert_eq!(house.cloudflare.resolve(&format!("acme.{zone}")), Some(target), "{zone}");
        assert!(!house.cloudflare.plant("CNAME", "one", "elsewhere"), "{zone}: another name of one label is none");
    }
}
