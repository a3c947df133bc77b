//! Files by which the product is run say only what the code knows: settings, options, addresses and figures.

mod calls;
mod figures;
mod known;
mod settings;

use super::Complaint;
use super::tree::{File, Tree};
use known::Known;

/// Where it is said how the product is run, beside the folder `deploy`.
pub const DOCUMENT: &str = "docs/running.md";

/// Ports of others: the proxy in a pod, PostgreSQL, and for Prometheus a guard's figures and the blackbox exporter.
const OTHERS: [u16; 4] = [8000, 5432, 9100, 9115];

pub fn check(tree: &Tree) -> Vec<Complaint> {
    if tree.deploy.is_empty() {
        return Vec::new();
    }
    let known = Known::of(tree);
    let mut complaints: Vec<Complaint> = tree.deploy.iter().flat_map(|file| in_file(file, &known)).collect();
    complaints.extend(alerts_without_advice(&tree.deploy));
    complaints
}

fn in_file(file: &File, known: &Known) -> Vec<Complaint> {
    let mut complaints = settings::check(file, known);
    complaints.extend(calls::check(file, known));
    complaints.extend(figures::check(file, known));
    for (index, line) in file.text.lines().enumerate() {
        let mut complain = |what: String| complaints.push(Complaint::new(&file.path, index + 1, what));
        for path in words(line, "/-/", |c| c.is_ascii_lowercase() || "/-".contains(c)) {
            if !known.is_said(path.trim_end_matches('/')) {
                complain(format!("`{path}` is no path of ours"));
            }
        }
        for port in ports(line) {
            if port != known.port && !OTHERS.contains(&port) {
                complain(format!(
                    "port {port}: the main instance listens on {}, and nothing else here on this",
                    known.port
                ));
            }
        }
    }
    complaints
}

/// Ports of this machine that a line names: behind an address, or as one that an image opens.
fn ports(line: &str) -> Vec<u16> {
    let marks = ["127.0.0.1:", "0.0.0.0:", "localhost:", "http://:", "EXPOSE ", "targetPort: ", "containerPort: "];
    let behind = |mark: &str| line.match_indices(mark).map(|(at, _)| at + mark.len()).collect::<Vec<_>>();
    marks.into_iter().flat_map(behind).filter_map(|at| digits(&line[at..]).parse().ok()).collect()
}

fn digits(text: &str) -> &str {
    &text[..text.bytes().take_while(u8::is_ascii_digit).count()]
}

/// Every alert has its advice in the document.
fn alerts_without_advice(files: &[File]) -> Vec<Complaint> {
    let advice = files.iter().find(|file| file.path == DOCUMENT).map_or("", |file| file.text.as_str());
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.path.contains("/prometheus/")) {
        for (index, line) in file.text.lines().enumerate() {
            let Some((_, name)) = line.split_once("- alert: ") else { continue };
            if !advice.contains(&format!("`{}`", name.trim())) {
                let what = format!("{DOCUMENT} does not say what to do about `{}`", name.trim());
                complaints.push(Complaint::new(&file.path, index + 1, what));
            }
        }
    }
    complaints
}

/// What begins with `start`, as a word of its own, and goes on with such letters.
fn words<'a>(line: &'a str, start: &str, goes_on: impl Fn(char) -> bool) -> Vec<&'a str> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices(start) {
        let before = line[..at].chars().next_back();
        if before.is_some_and(|c| start.starts_with(char::is_alphabetic) && (c.is_alphanumeric() || c == '_')) {
            continue;
        }
        let rest = &line[at + start.len()..];
        let more = rest.find(|c: char| !goes_on(c)).unwrap_or(rest.len());
        found.push(&line[at..at + start.len() + more]);
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A small product, and one file about running it.
    pub fn complaints(path: &str, text: &str) -> Vec<String> {
        let mut tree = Tree::of(&[
            ("crates/spinoff/src/up/config.rs", "pub struct Config {\n    pub site: Site,\n    pub smtp: Smtp,\n}\n"),
            (
                "crates/spinoff/src/up/config/site.rs",
                "pub struct Site {\n    pub listen: SocketAddr,\n    pub public_url: String,\n}\npub struct Smtp {\n    \
                 pub url_file: PathBuf,\n}\nfn listen() { SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)) }\n",
            ),
            (
                "crates/spinoff/src/cli.rs",
                "pub struct Global {\n    pub config: PathBuf,\n    #[arg(env = \"SPINOFF_TOKEN\")]\n    pub token: String,\n}\n\
                 pub enum Command {\n    /// Serve\n    Serve(serve::Args),\n    #[command(flatten)]\n    Operate(Operation),\n}\n\
                 pub enum Operation {\n    AdminLink(admin_link::Args),\n}\n",
            ),
            ("crates/guard/src/args.rs", "#[arg(env = \"GUARD_METRICS\")]\npub metrics: SocketAddr,\n"),
            ("crates/control-plane/src/routes.rs", "fn routes() { router.route(\"/-/ready\", get(health)) }\n"),
            (
                "crates/guard/src/metrics.rs",
                "struct M {\n    requests: Family<Became, Counter>,\n    own_time: Histogram,\n    keys: Gauge,\n}\nfn m() {\n    \
                 Registry::with_prefix(\"spinoff_guard\");\n    registry.register(\"requests\", \"Requests\", requests.clone());\n    \
                 registry.register_with_unit(\"own_time\", help, Unit::Seconds, own_time.clone());\n    \
                 registry.register(\"keys\", \"Keys\", standings.keys.clone());\n    let x = (\"refused\", \"token-expired\");\n}\n",
            ),
        ]);
        tree.deploy = vec![File::new(path, text)];
        check(&tree).into_iter().map(|complaint| format!("{}: {}", complaint.line, complaint.what)).collect()
    }

    #[test]
    fn paths_and_ports_are_those_of_the_code() {
        let fine = "httpGet: { path: /-/ready }\nreverse_proxy 127.0.0.1:8080\nto 127.0.0.1:9115\nEXPOSE 8080\n";
        assert_eq!(complaints("deploy/kubernetes.yaml", fine), [""; 0]);
        let wrong = "httpGet: { path: /-/readyz }\nreverse_proxy 127.0.0.1:8081\n";
        let found = complaints("deploy/kubernetes.yaml", wrong);
        assert_eq!(found.len(), 2);
        assert!(found[0].contains("`/-/readyz` is no path of ours") && found[1].contains("port 8081"), "{found:?}");
    }

    #[test]
    fn an_alert_needs_advice() {
        let found = complaints("deploy/prometheus/alerts.yaml", "rules:\n  - alert: MainDown\n");
        assert_eq!(found, ["2: docs/running.md does not say what to do about `MainDown`"]);
    }

    #[test]
    fn words_begin_where_no_other_word_goes_on() {
        let letters = |c: char| c.is_ascii_uppercase() || c == '_';
        assert_eq!(words("$SPINOFF_A=X MY_SPINOFF_B ${SPINOFF_C:-1}", "SPINOFF_", letters), ["SPINOFF_A", "SPINOFF_C"]);
        assert_eq!(words("https://a/-/ready?x", "/-/", |c| c.is_ascii_lowercase()), ["/-/ready"]);
    }
}
