use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use access::orders::{self, BackUpTerms, Order, RestoreTerms};
use archive::{Frames, Identity, Kept, Piece};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;
use world::{Clock, Entropy};

use super::{Guard, TOKEN, Town, ask, instance, soon, until};

/// A town whose application keeps something, and says in a file that it runs.
pub struct House {
    pub town: Town,
    pub data: PathBuf,
    pub identity: Identity,
}

impl House {
    pub async fn new() -> Self {
        let town = Town::new().await;
        let data = town.folder.path().join("data");
        fs::create_dir(&data).unwrap();
        let house = Self { town, data, identity: Identity::generate() };
        fs::create_dir_all(house.data.join("visions/empty")).unwrap();
        fs::write(house.data.join("visions/shop.md"), "A shop").unwrap();
        fs::set_permissions(house.data.join("visions/shop.md"), fs::Permissions::from_mode(0o640)).unwrap();
        fs::write(house.data.join("workspace.db"), noise()).unwrap();
        symlink("/etc/passwd", house.data.join("outside")).unwrap();
        house
    }

    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = self.town.settings_with("GUARD_STATE", self.data.join(".guard").display().to_string());
        settings.push(("GUARD_DATA", self.data.display().to_string()));
        settings.push(("GUARD_DEPLOYMENT", "one".into()));
        settings.push(("PATH", "/usr/bin:/bin".into()));
        settings
    }

    pub async fn guard(&self) -> Guard {
        self.guard_with(&self.settings()).await
    }

    pub async fn guard_with(&self, settings: &[(&'static str, String)]) -> Guard {
        // Says when it was asked to stop, and whether it runs.
        let script =
            format!("trap 'rm {0}; exit 0' TERM; echo > {0}; while :; do sleep 0.02; done", self.runs().display());
        Guard::start(settings, &["--", "/bin/sh", "-c", &script]).await
    }

    pub fn runs(&self) -> PathBuf {
        self.town.folder.path().join("runs")
    }

    pub async fn runs_by_now(&self) {
        until("the application runs", || self.runs().exists()).await;
    }

    pub fn sealed_for(&self) -> String {
        written(&BackUpTerms { recipient: self.identity.recipient().to_string() })
    }

    pub async fn back_up(&self, guard: &Guard) -> (Kept, Vec<u8>) {
        let (status, framed) = order(guard, Order::BackUp, &self.sealed_for(), &[]).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&framed));
        let (bytes, end) = unframed(&framed);
        (serde_json::from_slice(&end.unwrap()).unwrap(), bytes)
    }

    pub fn terms_of(&self, kept: &Kept) -> RestoreTerms {
        self.terms_with(&self.identity, kept)
    }

    pub fn terms_with(&self, identity: &Identity, kept: &Kept) -> RestoreTerms {
        let identity =
            orders::seal(&identity.to_secret(), &SecretString::from(TOKEN), Entropy::System.bytes()).unwrap();
        RestoreTerms { identity, sha256: kept.sha256.clone(), bytes: kept.bytes }
    }

    /// Everything of the application's, as it could notice it.
    pub fn picture(&self) -> BTreeMap<PathBuf, String> {
        fn look(top: &Path, path: &Path, seen: &mut BTreeMap<PathBuf, String>) {
            for entry in fs::read_dir(path).unwrap() {
                let path = entry.unwrap().path();
                if path == top.join(".guard") {
                    continue;
                }
                let found = fs::symlink_metadata(&path).unwrap();
                let content = match () {
                    () if found.is_symlink() => format!("{:?}", fs::read_link(&path).unwrap()),
                    () if found.len() > 1 << 30 => "holes".to_owned(),
                    () if found.is_file() => format!("{:?}", fs::read(&path).unwrap()),
                    () => String::new(),
                };
                let shown = format!("{:o} {}.{} {content}", found.mode(), found.mtime(), found.mtime_nsec());
                seen.insert(path.strip_prefix(top).unwrap().to_owned(), shown);
                if found.is_dir() {
                    look(top, &path, seen);
                }
            }
        }
        let mut seen = BTreeMap::new();
        look(&self.data, &self.data, &mut seen);
        seen
    }
}

/// Nothing that would compress.
pub fn noise() -> Vec<u8> {
    let mut seed = 1_u32;
    let next = |_| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed.to_be_bytes()[0]
    };
    (0..3_000_000).map(next).collect()
}

pub fn written(terms: &impl serde::Serialize) -> String {
    serde_json::to_string(terms).unwrap()
}

pub fn proof(what: Order, terms: &str) -> String {
    proof_at(what, terms, Clock::System.now())
}

pub fn proof_at(what: Order, terms: &str, at: Timestamp) -> String {
    let token = SecretString::from(TOKEN);
    orders::prove(what, (instance(), &token), (at, Entropy::System.bytes()), terms.as_bytes())
}

pub fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

pub async fn send(guard: &Guard, path: &str, proof: &str, body: impl Into<reqwest::Body>) -> (u16, Vec<u8>) {
    let asked = client().post(format!("http://{}{path}", guard.address)).bearer_auth(proof).body(body);
    let answer = soon("an answer", asked.send()).await.unwrap();
    let status = answer.status().as_u16();
    (status, soon("all of it", answer.bytes()).await.unwrap().to_vec())
}

pub async fn order(guard: &Guard, what: Order, terms: &str, content: &[u8]) -> (u16, Vec<u8>) {
    let body = [terms.as_bytes(), b"\n", content].concat();
    send(guard, what.path(), &proof(what, terms), body).await
}

pub async fn told(guard: &Guard, what: Order) -> u16 {
    order(guard, what, "{}", &[]).await.0
}

pub fn unframed(framed: &[u8]) -> (Vec<u8>, Result<Vec<u8>, String>) {
    let (mut frames, mut bytes) = (Frames::default(), Vec::new());
    frames.feed(framed);
    loop {
        match frames.take().unwrap().expect("an end") {
            Piece::Data(piece) => bytes.extend(piece),
            Piece::End(said) => return (bytes, Ok(said.to_vec())),
            Piece::Broken(why) => return (bytes, Err(why)),
        }
    }
}

pub async fn health(guard: &Guard) -> (u16, String) {
    let answer = ask(&guard.address, "/-/health", &[]).await;
    let told: Value = serde_json::from_str(&answer.body).unwrap();
    (answer.status, told["application"].as_str().unwrap().to_owned())
}
