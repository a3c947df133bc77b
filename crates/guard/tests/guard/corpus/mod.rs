//! What must not get in, as tables: each row a token or a request, what must become of it, and why.
//! All of it is sent to the real program over a socket, with an application behind it that keeps
//! every byte it is sent. The measure that matters: nothing unauthorised reaches it, ever.
//!
//! Every table is tried with an honest visitor before and after, since a door that is simply shut
//! would pass them all.

mod framing;
mod headers;
mod http2;
mod paths;
mod pipelines;
mod rsa;
mod scene;
mod table;
mod tokens;
mod wycheproof;

use self::scene::Scene;
use self::table::Verdict;
use crate::support;
use crate::support::client::{Answer, raw};
use crate::support::{ask, ask_with};

/// As many as there must be, whoever shortens a table.
const FEWEST_HOSTILE_TOKENS: usize = 600;
const FEWEST_HOSTILE_HEADERS: usize = 110;
const FEWEST_HOSTILE_PATHS: usize = 120;

/// Words that would tell a liar which lie to try next.
const HINTS: [&str; 14] = [
    "kid",
    "signature",
    "audience",
    "expired",
    "issuer",
    "rs256",
    "alg",
    "base64",
    "json",
    "claim",
    "jwt",
    "token ",
    "panicked",
    "error",
];

/// Whether a refusal gives nothing away.
pub fn tells_nothing(answer: &Answer) -> Result<(), String> {
    if answer.status == 200 {
        return Ok(());
    }
    let body = answer.body.to_ascii_lowercase();
    // A service is told that it is a service's token that does not belong here; it knows already.
    let body = body.replace("this service token does not belong", "");
    HINTS.iter().find(|hint| body.contains(**hint)).map_or(Ok(()), |hint| Err(format!("tells of {hint:?}: {body}")))
}

#[tokio::test]
async fn tokens_that_lie_do_not_get_in_and_honest_ones_do() {
    let scene = Scene::new().await;
    let groups = tokens::all(&scene);
    let now = jiff::Timestamp::from_second(support::forge::now()).unwrap();
    let (mut hostile, mut wrong, mut before) = (0, Vec::new(), scene.reached());
    for (group, case) in groups.iter().flat_map(|group| group.cases.iter().map(move |case| (group, case))) {
        if let Err(how) = tokens::judge(&scene, case, now).await {
            wrong.push(format!("{}\n    {how}\n    because {}", case.what, group.why));
        }
        if case.verdict == Verdict::Admitted {
            before = scene.reached();
            continue;
        }
        hostile += 1;
        let reached = scene.since(before);
        assert!(reached.is_empty(), "{}: this reached the application: {reached}", case.what);
    }
    scene.only_ada_enters(before).await;
    assert!(
        wrong.is_empty(),
        "{} of {hostile} hostile tokens and some honest ones:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(hostile >= FEWEST_HOSTILE_TOKENS, "only {hostile} hostile tokens");
    println!("{hostile} hostile tokens were refused");
}

#[tokio::test]
async fn headers_that_lie_do_not_get_in() {
    let scene = Scene::new().await;
    let before = scene.reached();
    let rows = headers::all(&scene);
    let mut wrong = Vec::new();
    for row in &rows {
        let lines: Vec<&str> = row.lines.iter().map(String::as_str).collect();
        let mut answers = vec![ask_with(&scene.guard.address, row.method, "/secret", &lines, "").await];
        if row.method == "GET" {
            answers.push(ask_with(&scene.guard.address, "POST", "/secret", &lines, "body").await);
        }
        for answer in answers {
            let hint = tells_nothing(&answer).err().unwrap_or_default();
            if answer.status != row.status || !hint.is_empty() {
                wrong.push(format!(
                    "{}: {} instead of {} {hint}\n    because {}",
                    row.what, answer.status, row.status, row.why
                ));
            }
        }
    }
    assert_eq!(scene.since(before), "", "reached the application");
    scene.only_ada_enters(before).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows.len() >= FEWEST_HOSTILE_HEADERS, "only {} rows", rows.len());
}

#[tokio::test]
async fn paths_that_look_public_are_not() {
    let scene = Scene::new().await;
    let before = scene.reached();
    let ada = scene.town.ada();
    let rows = paths::all();
    let mut wrong = Vec::new();
    for row in &rows {
        let target = row.target.replace("TOKEN", &ada);
        for method in ["GET", "POST"] {
            let answer = raw(
                &scene.guard.address,
                format!("{method} {target} HTTP/1.1\r\nHost: acme.test\r\nConnection: close\r\n\r\n"),
            )
            .await;
            // The guard's own paths know which methods they have, and `PUT` alone belongs to one.
            // An order to the guard is one by `POST`; one that nobody proved is refused as that.
            let is_order = access::orders::Order::ALL.iter().any(|order| order.path() == target);
            let own = method == "POST" && (answer.status == 405 || (is_order && answer.status == 403));
            if !row.refusals.contains(&answer.status) && !own {
                wrong.push(format!(
                    "{method} {}: {} instead of {:?}\n    because {}",
                    row.target, answer.status, row.refusals, row.why
                ));
            }
        }
    }
    scene.only_ada_enters(before).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows.len() >= FEWEST_HOSTILE_PATHS, "only {} rows", rows.len());

    let before = scene.reached();
    let public = ask(&scene.guard.address, "/robots.txt", &[]).await;
    assert_eq!(public.status, 200, "the public path is public");
    let reached = scene.since(before).to_ascii_lowercase();
    assert!(!reached.contains("x-spinoff-user"), "and nobody in particular asked for it: {reached}");
}
