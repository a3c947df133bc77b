//! The files that pages refer to: small, cacheable, legible.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pages::{Availability, ProgressState, ProgressStep, ProgressView, StepState};

fn source(extension: &str) -> &'static str {
    sources(extension)[0]
}

fn sources(extension: &str) -> Vec<&'static str> {
    let assets = pages::assets().iter().filter(|asset| asset.path.ends_with(extension));
    assets.map(|asset| std::str::from_utf8(&asset.bytes).unwrap()).collect()
}

#[test]
fn an_asset_is_found_on_the_site_and_on_the_edge_by_its_whole_name_only() {
    for asset in pages::assets() {
        assert_eq!(pages::asset(&asset.path).unwrap().etag, asset.etag);
        for base in ["/cdn-cgi/access/assets/", pages::BESIDE_EDGE] {
            let edge = asset.path.replacen("/assets/", base, 1);
            assert_eq!(pages::asset(&edge).unwrap().path, asset.path);
        }
        assert!(asset.etag.starts_with('"') && asset.etag.ends_with('"'));
    }
    for other in
        ["", "/", "/assets/", "/assets/site.css", "/assets/../site.css", "assets/site.css", "/cdn-cgi/access/assets/"]
    {
        assert!(pages::asset(other).is_none(), "{other}");
    }
}

#[test]
fn styles_and_script_stay_small_and_load_nothing() {
    assert!(source(".css").len() < 20_000, "{} bytes of styles", source(".css").len());
    assert!(source(".js").len() < 8_000, "{} bytes of script", source(".js").len());
    for other in &sources(".css")[1..] {
        let sheets = source(".css").len() + other.len();
        assert!(sheets < 26_000, "{sheets} bytes of styles on a page with two sheets");
    }
    for text in [sources(".css"), sources(".js")].concat() {
        assert!(
            !text.contains("http:") && !text.contains("https:") && !text.contains("url(") && !text.contains("@import")
        );
    }
    assert!(!source(".js").contains("innerHTML") && !source(".js").contains("eval("));
}

#[test]
fn the_script_reads_what_the_server_writes() {
    let step = ProgressStep {
        name: "deploy".into(),
        label: "Put it in".into(),
        state: StepState::Running,
        attempts: 2,
        duration_ms: Some(40),
        error: None,
    };
    let view = ProgressView {
        state: ProgressState::Undoing,
        steps: vec![step],
        url: None,
        pay_url: None,
        message: "x".into(),
    };
    assert_eq!(
        view.json(),
        r#"{"state":"undoing","steps":[{"name":"deploy","label":"Put it in","state":"running","attempts":2,"duration_ms":40,"error":null}],"url":null,"pay_url":null,"message":"x"}"#
    );
    let free = Availability { available: true, message: "Free".into(), hostname: "acme.localhost".into() };
    assert_eq!(free.json(), r#"{"available":true,"message":"Free","hostname":"acme.localhost"}"#);
    for field in [
        "view.state",
        "view.steps",
        "view.url",
        "view.pay_url",
        "view.message",
        "step.label",
        "step.attempts",
        "step.duration_ms",
        "step.error",
        "found.available",
        "found.message",
    ] {
        assert!(source(".js").contains(field), "{field}");
    }
}

/// WCAG 2.2, 1.4.3 and 1.4.11: text 4.5 to 1, edges of fields and marks that mean something 3 to 1.
#[test]
fn every_pair_of_colours_can_be_read_by_day_and_by_night() {
    let (day, night) = include_str!("../assets/site.css").split_once("@media (prefers-color-scheme: dark)").unwrap();
    for scheme in [day, night] {
        let colour = |name: &str| colour(scheme, name);
        for text in ["ink", "soft", "accent", "good", "wait", "bad"] {
            for ground in ["paper", "sheet"] {
                assert!(contrast(colour(text), colour(ground)) >= 4.5, "{text} on {ground}");
            }
        }
        for (text, ground) in
            [("on-accent", "accent"), ("ink", "tint"), ("soft", "tint"), ("accent", "tint"), ("bad", "bad-tint")]
        {
            assert!(contrast(colour(text), colour(ground)) >= 4.5, "{text} on {ground}");
        }
        for ground in ["paper", "sheet"] {
            assert!(contrast(colour("edge"), colour(ground)) >= 3.0, "edge on {ground}");
        }
    }
}

fn colour(scheme: &str, name: &str) -> [f64; 3] {
    let (_, after) = scheme.split_once(&format!("--{name}: #")).unwrap_or_else(|| panic!("--{name}"));
    let hex = after.split(';').next().unwrap();
    let long = if hex.len() == 3 { hex.chars().flat_map(|c| [c, c]).collect() } else { hex.to_owned() };
    [0, 2, 4].map(|at| f64::from(u8::from_str_radix(&long[at..at + 2], 16).unwrap()) / 255.0)
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
    let light = |[r, g, b]: [f64; 3]| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b) + 0.05;
    let (a, b) = (light(one), light(other));
    if a > b { a / b } else { b / a }
}
