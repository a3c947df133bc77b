//! The process that is measured.

use std::time::{Duration, Instant};

use control_plane::{Reconciler, reconcilers};
use reqwest::StatusCode;
use store::testing::TestDb;

use super::support::TestApp;
use super::{Figures, NOW, copies};

/// How long nobody does anything.
const IDLE: Duration = Duration::from_secs(30);
/// So many passes, and looks at each page.
const PASSES: usize = 20;
const LOOKS: usize = 200;

const PAGES: [(&str, &str); 9] = [
    ("overview", "/admin"),
    ("instances", "/admin/instances"),
    ("customers", "/admin/customers"),
    ("workflows", "/admin/workflows"),
    ("invoices", "/admin/money/invoices"),
    ("money", "/admin/money"),
    ("audit", "/admin/audit"),
    ("rollouts", "/admin/rollouts"),
    ("alerts", "/admin/alerts"),
];

/// Starts on a store, says so, and prints what was measured.
pub async fn measure(url: &str) {
    let db = TestDb::open(url).await;
    let app = TestApp::start_asleep_on(db, NOW).await;
    assert_eq!(app.get("/admin", Some("operator@localhost")).await.status, StatusCode::OK);
    println!("ready");
    let mut figures = Figures::new();
    // What starts at once is done.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let (began, used) = (Instant::now(), processor_seconds());
    tokio::time::sleep(IDLE).await;
    figures.insert("idle_percent".to_owned(), 100.0 * (processor_seconds() - used) / began.elapsed().as_secs_f64());
    passes(&app, &mut figures).await;
    pages(&app, &mut figures).await;
    figures.insert("resident_bytes".to_owned(), resident_bytes());
    println!("{}", serde_json::to_string(&figures).unwrap());
}

/// Everything that looks by itself, one after the other, while there is nothing to do: the median of all passes, and of each
/// task.
async fn passes(app: &TestApp, figures: &mut Figures) {
    let core = app.app().core();
    let all = reconcilers(&core);
    let mut wholes = Vec::new();
    let mut each = vec![Vec::new(); all.len()];
    for _ in 0..PASSES {
        let mut whole = Duration::ZERO;
        for (task, taken) in all.iter().zip(&mut each) {
            let took = look(task, app).await;
            whole += took;
            taken.push(took);
        }
        wholes.push(whole);
    }
    // The first pass finds what the second does not.
    figures.insert("pass_ms".to_owned(), median(&mut wholes[1..]));
    for (task, taken) in all.iter().zip(&mut each) {
        figures.insert(format!("pass_ms_of: {}", task.task), median(&mut taken[1..]));
    }
}

async fn look(task: &Reconciler, app: &TestApp) -> Duration {
    let core = app.app().core();
    let began = Instant::now();
    task.look(&core).await.unwrap_or_else(|error| panic!("{}: {error:#}", task.task));
    began.elapsed()
}

async fn pages(app: &TestApp, figures: &mut Figures) {
    let one = app.instance(copies::NAME).await["id"].as_str().unwrap().to_owned();
    let own = format!("/admin/instances/{one}");
    for (name, path) in PAGES.into_iter().chain([("instance", own.as_str())]) {
        let mut taken = Vec::new();
        for _ in 0..LOOKS {
            let began = Instant::now();
            let page = app.get(path, Some("operator@localhost")).await;
            taken.push(began.elapsed());
            assert_eq!(page.status, StatusCode::OK, "{path}");
        }
        taken.sort_unstable();
        figures.insert(format!("page_p99_ms: {name}"), taken[LOOKS * 99 / 100].as_secs_f64() * 1e3);
    }
}

fn median(taken: &mut [Duration]) -> f64 {
    taken.sort_unstable();
    taken[taken.len() / 2].as_secs_f64() * 1e3
}

/// What this process holds.
fn resident_bytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0
}

/// What it has used of all processors.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // The name may hold spaces; what follows its parenthesis is numbered from 3.
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    // USER_HZ, which Linux has kept at 100 for every program.
    ticks / 100.0
}
