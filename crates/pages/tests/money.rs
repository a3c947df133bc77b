//! What pages about money promise to those who read them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

mod html;
mod samples;

use html::Tag;
use samples::Fill;

fn page(name: &str, fill: Fill) -> String {
    samples::all(fill).into_iter().find(|sample| sample.name == name).unwrap().html
}

fn tags(name: &str) -> Vec<Tag> {
    html::tags(&page(name, Fill::Typical))
}

fn has_button(name: &str, label: &str) -> bool {
    page(name, Fill::Typical).contains(&format!(">{label}"))
}

#[test]
fn each_used_hour_leads_to_its_evidence_in_the_picture_and_in_the_list() {
    let tags = tags("portal-bills");
    for index in 0..15 {
        let url = format!("/portal/instances/ins_1/bills/hours/{index}");
        let links: Vec<&Tag> = tags.iter().filter(|tag| tag.get("href") == Some(url.as_str())).collect();
        assert_eq!(links.len(), 2, "hour {index}");
        let reachable = links.iter().filter(|link| link.get("tabindex") != Some("-1")).count();
        assert_eq!(reachable, 1, "one of them by keyboard");
    }
}

#[test]
fn a_waived_hour_is_marked_by_a_word_and_not_by_colour_alone() {
    let page = page("portal-bills", Fill::Typical);
    assert_eq!(page.matches("<small>waived</small>").count(), 1);
    assert_eq!(page.matches("<small>free</small>").count(), 2);
}

#[test]
fn a_forecast_says_what_it_can_not_fall_below_and_not_exceed() {
    let page = page("portal-bills", Fill::Typical);
    assert!(page.contains("it will be 15 hours and $20.00 in the end"), "{page}");
    assert!(page.contains("can't be less than $17.00, nor more than $45.00, for 40 hours"));
}

#[test]
fn a_cap_is_explained_where_it_is_chosen_and_again_before_it_is_set() {
    let tags = tags("portal-bills");
    let form = tags.iter().find(|tag| tag.get("action").is_some_and(|action| action.ends_with("/bills/cap"))).unwrap();
    assert_eq!(form.get("method"), Some("get"), "choosing sets nothing");
    assert!(page("portal-bills", Fill::Typical).contains("closes at the end of the hour that is running"));
    let confirm = page("portal-cap", Fill::Typical);
    assert!(confirm.contains("<li>Your data is kept.</li>"), "{confirm}");
    assert!(confirm.contains("the base fee and 15 hours") && confirm.contains("it is reached at once"));
    let form = html::tags(&confirm).into_iter().find(|tag| tag.name == "form" && !tag.closing).unwrap();
    assert_eq!((form.get("method"), form.get("action")), (Some("post"), Some("/portal/instances/ins_1/bills/cap")));
}

#[test]
fn who_has_no_invoice_yet_reads_when_the_first_one_comes() {
    let page = page("portal-bills", Fill::Empty);
    assert!(page.contains("There is none yet.") && page.contains("Nothing is counted any more"));
}

#[test]
fn only_what_is_owed_can_be_paid() {
    assert!(has_button("portal-invoice-overdue", "Pay $8.14"));
    for name in ["portal-invoice-paid", "portal-invoice-automatic", "portal-invoice"] {
        assert!(!has_button(name, "Pay $"), "{name}");
    }
    assert!(has_button("console-invoice", "Record payment") && has_button("console-invoice", "Write off $8.14"));
    let settled = page("console-invoice", Fill::Empty);
    assert!(!settled.contains("Record payment") && !settled.contains("Write off"));
}

#[test]
fn what_was_paid_and_what_is_left_stand_on_the_invoice() {
    let page = page("portal-invoice", Fill::Typical);
    for part in ["Paid on 9 December 2026", "-$40.00", "Paid from your credit", "-$3.70", "$51.84", "$8.14"] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn an_hour_can_be_contested_only_while_it_can_be_answered() {
    for (name, possible) in [
        ("portal-hour", true),
        ("portal-hour-waiting", false),
        ("portal-hour-accepted", false),
        ("portal-hour-refused", false),
        ("portal-hour-free", false),
    ] {
        assert_eq!(has_button(name, "Contest this hour"), possible, "{name}");
    }
}

#[test]
fn a_month_is_closed_as_it_is_shown_and_only_when_it_can_be() {
    let tags = tags("console-close");
    let digest = tags.iter().find(|tag| tag.get("name") == Some("digest")).unwrap();
    assert_eq!(digest.get("value"), Some("b2c1"));
    let page = page("console-close", Fill::Typical);
    for change in ["+$104.00", "-$7.00", ">new<", ">same<", "+$123.00"] {
        assert!(page.contains(change), "{change}");
    }
    for name in ["console-close-early", "console-close-running", "console-close-done"] {
        assert!(!has_button(name, "Close November 2026: issue"), "{name}");
    }
}
