#![allow(clippy::unwrap_used)]

use jiff::SignedDuration;
use proptest::prelude::*;

use super::super::safety::may_remove;
use super::*;

fn now() -> Timestamp {
    "2026-11-28T12:00:00Z".parse().unwrap()
}

fn instance(number: u8, state: InstanceState) -> Known {
    Known {
        id: InstanceId::new(Timestamp::UNIX_EPOCH, [number; 10]),
        state,
        project: format!("ai-diy-shop{number}"),
        hostname: format!("shop{number}.example.com"),
        is_worked_on: false,
        is_fresh: false,
        is_warm: false,
        is_given_up: false,
    }
}

fn item(kind: &'static str, name: &str, instance: Option<&Known>) -> Item {
    Item {
        kind,
        id: format!("id-of-{name}"),
        name: name.to_owned(),
        instance: instance.map(|known| known.id),
        created_at: Some(now() - SignedDuration::from_hours(100)),
        monthly_cost: None,
        drift: None,
    }
}

fn at_compute(items: &[Item], instances: &[Known]) -> Vec<Difference> {
    let look = Look { role: Role::Compute, provider: "railway", kinds: &["project", "domain"], items };
    compare(&look, instances, now())
}

fn at_edge(items: &[Item], instances: &[Known]) -> Vec<Difference> {
    compare(&Look { role: Role::Edge, provider: "cloudflare", kinds: &["hostname"], items }, instances, now())
}

fn summary(found: &[Difference]) -> Vec<(Class, &str, Remedy)> {
    found.iter().map(|one| (one.class, one.kind.as_str(), one.remedy)).collect()
}

#[test]
fn what_is_as_it_should_be_is_no_finding() {
    let shop = instance(1, InstanceState::Active);
    let items = [item("project", "ai-diy-shop1", Some(&shop)), item("domain", "shop1.example.com", Some(&shop))];
    assert_eq!(at_compute(&items, std::slice::from_ref(&shop)), []);
    let items = [
        item("hostname", "shop1.example.com", Some(&shop)),
        item("hostname", "shop1-app.example.com", Some(&shop)),
        item("record", "_railway-verify.shop1.example.com", Some(&shop)),
    ];
    assert_eq!(at_edge(&items, &[shop]), []);
}

#[test]
fn what_is_left_of_a_dead_instance_is_one_finding_for_each_thing_to_remove() {
    let shop = instance(1, InstanceState::Deleted);
    let items = [item("project", "ai-diy-shop1", Some(&shop)), item("domain", "shop1.example.com", Some(&shop))];
    let found = at_compute(&items, std::slice::from_ref(&shop));
    assert_eq!(summary(&found), [(Class::Orphan, "project", Remedy::RemoveProject)]);
    let items = [
        item("hostname", "shop1.example.com", Some(&shop)),
        item("record", "_railway-verify.shop1.example.com", Some(&shop)),
    ];
    let found = at_edge(&items, std::slice::from_ref(&shop));
    assert_eq!(summary(&found), [(Class::Orphan, "hostname", Remedy::RemoveHostname)]);
    // A proof that is left alone is removed by the hostname that it proves.
    let found = at_edge(&items[1..], &[]);
    assert_eq!((found[0].remedy, found[0].target.as_str()), (Remedy::RemoveHostname, "shop1.example.com"));
    assert!(found[0].words.contains("older backup"), "{}", found[0].words);
}

#[test]
fn what_a_living_instance_lacks_is_missing_from_its_project_on() {
    let shop = instance(1, InstanceState::Suspended);
    let found = at_compute(&[], std::slice::from_ref(&shop));
    assert_eq!(summary(&found), [(Class::Missing, "project", Remedy::MakeAgain)]);
    let items = [item("project", "ai-diy-shop1", Some(&shop))];
    let found = at_compute(&items, std::slice::from_ref(&shop));
    assert_eq!(summary(&found), [(Class::Missing, "domain", Remedy::PublishAgain)]);
    let found = at_edge(&[item("hostname", "old.example.com", Some(&shop))], &[shop]);
    let expected =
        [(Class::Orphan, "hostname", Remedy::RemoveHostname), (Class::Missing, "hostname", Remedy::PublishAgain)];
    assert_eq!(summary(&found), expected);
}

#[test]
fn drift_is_told_in_the_drivers_words_and_an_unknown_mark_is_left_to_a_person() {
    let shop = instance(1, InstanceState::Active);
    let mut items = [item("project", "ai-diy-shop1", Some(&shop)), item("domain", "shop1.example.com", Some(&shop))];
    items[0].drift = Some("it may not sleep".to_owned());
    let found = at_compute(&items, std::slice::from_ref(&shop));
    assert_eq!(summary(&found), [(Class::Drifted, "project", Remedy::ConfigureAgain)]);
    assert!(found[0].words.contains("it may not sleep"));
    items[0].drift = None;
    let second = item("project", "ai-diy-shop1", Some(&shop));
    let with_second = [items[0].clone(), items[1].clone(), second, item("project", "ai-diy-odd", None)];
    let found = at_compute(&with_second, &[shop]);
    let by_hand = (Class::Orphan, "project", Remedy::ByHand);
    assert_eq!(summary(&found), [by_hand, by_hand]);
}

#[test]
fn an_instance_that_nobody_has_yet_is_replaced_and_nobody_is_to_pay_for_it() {
    let warm = Known { is_warm: true, ..instance(1, InstanceState::Active) };
    let items = [item("project", "ai-diy-shop1", Some(&warm))];
    let found = at_compute(&items, std::slice::from_ref(&warm));
    assert_eq!(summary(&found), [(Class::Missing, "domain", Remedy::Discard)]);
    let mut drifted = [items[0].clone(), item("domain", "shop1.example.com", Some(&warm))];
    assert_eq!(at_compute(&drifted, std::slice::from_ref(&warm)), []);
    drifted[0].drift = Some("it may not sleep".to_owned());
    let found = at_compute(&drifted, std::slice::from_ref(&warm));
    assert_eq!(summary(&found), [(Class::Drifted, "project", Remedy::Discard)]);
    let look = Look { role: Role::Payments, provider: "stripe", kinds: &["subscription"], items: &[] };
    assert_eq!(compare(&look, &[warm], now()), []);
}

#[test]
fn an_instance_that_was_given_up_is_kept_whole_and_nobody_is_to_pay_for_it() {
    let kept = Known { is_given_up: true, ..instance(1, InstanceState::Suspended) };
    let look = Look { role: Role::Payments, provider: "stripe", kinds: &["subscription"], items: &[] };
    assert_eq!(compare(&look, std::slice::from_ref(&kept), now()), []);
    let found = at_compute(&[], std::slice::from_ref(&kept));
    assert_eq!(summary(&found), [(Class::Missing, "project", Remedy::MakeAgain)]);
}

#[test]
fn an_application_of_an_instances_own_goes_with_what_the_store_knows_of_it() {
    let shop = instance(1, InstanceState::Active);
    let hostname = item("hostname", "shop1.example.com", Some(&shop));
    let mut own = item("access application", "shop1.example.com", Some(&shop));
    assert_eq!(at_edge(&[hostname.clone(), own.clone()], std::slice::from_ref(&shop)), []);
    own.drift = Some("it does not cover exactly shop1.example.com".to_owned());
    let found = at_edge(&[hostname, own.clone()], std::slice::from_ref(&shop));
    assert_eq!(summary(&found), [(Class::Drifted, "access application", Remedy::PublishAgain)]);
    let deleted = Known { state: InstanceState::Deleted, ..shop };
    let found = at_edge(std::slice::from_ref(&own), &[deleted]);
    assert_eq!(summary(&found), [(Class::Orphan, "access application", Remedy::RemoveHostname)]);
    assert_eq!(found[0].target, "shop1.example.com");
    let found = at_edge(&[own], &[]);
    assert_eq!(summary(&found), [(Class::Orphan, "access application", Remedy::ByHand)]);
}

fn any_state() -> impl Strategy<Value = InstanceState> {
    proptest::sample::select(InstanceState::ALL.to_vec())
}

/// Instances in any state, and things that bear any mark, under right and wrong names.
fn any_world() -> impl Strategy<Value = (Vec<Known>, Vec<Item>)> {
    let instances = proptest::collection::vec((any_state(), any::<bool>(), any::<bool>()), 1..5);
    let kinds = proptest::sample::select(vec!["project", "domain", "hostname", "record", "subscription"]);
    let items = proptest::collection::vec((kinds, 0..7_u8, 0..7_u8, any::<bool>(), any::<bool>()), 0..12);
    (instances, items).prop_map(|(states, things)| {
        let instances: Vec<Known> = (0_u8..)
            .zip(states)
            .map(|(number, (state, is_worked_on, is_fresh))| Known {
                is_worked_on,
                is_fresh: is_fresh || is_worked_on,
                ..instance(number, state)
            })
            .collect();
        let items = things.into_iter().map(|(kind, owner, named, is_marked, has_drifted)| {
            let name = match kind {
                "project" => format!("ai-diy-shop{named}"),
                "record" => format!("_railway-verify.shop{named}.example.com"),
                _ => format!("shop{named}.example.com"),
            };
            let owner = instance(owner, InstanceState::Active);
            let drift = has_drifted.then(|| "it is different".to_owned());
            Item { drift, ..item(kind, &name, is_marked.then_some(&owner)) }
        });
        (instances, items.collect())
    })
}

proptest! {
    #[test]
    fn nothing_that_an_instance_wants_is_ever_offered_for_removal((instances, items) in any_world()) {
        for (role, kinds) in [
            (Role::Compute, &["project", "domain"][..]),
            (Role::Edge, &["hostname"]),
            (Role::Payments, &["subscription"]),
        ] {
            let look = Look { role, provider: "any", kinds, items: &items };
            for found in compare(&look, &instances, now()) {
                let owner = instances.iter().find(|known| Some(known.id) == found.instance);
                if found.remedy.removes() {
                    prop_assert!(found.instance.is_some());
                    prop_assert_eq!(may_remove(found.remedy, &found.target, owner), Ok(()));
                }
                // Of what is under way, or has just been, nothing is said.
                prop_assert!(owner.is_none_or(|known| !known.is_fresh && !known.is_worked_on));
                prop_assert!(found.class != Class::Missing || owner.is_some_and(Known::is_living));
            }
        }
    }

    #[test]
    fn an_id_fits_into_an_address_and_is_the_same_each_time((instances, items) in any_world()) {
        let look = Look { role: Role::Edge, provider: "cloudflare", kinds: &["hostname"], items: &items };
        let ids = |_| compare(&look, &instances, now()).iter().map(Difference::id).collect::<Vec<_>>();
        prop_assert_eq!(ids(0), ids(1));
        for id in ids(0) {
            prop_assert!(id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c)), "{}", id);
        }
    }
}
