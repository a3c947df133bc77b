//! What the application keeps, in the hands of the main instance and of nobody else: with the real program, a real
//! application under it, and a real folder.

use crate::support;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::house::{House, client, health, noise, order, proof, proof_at, send, told, unframed, written};
use crate::support::{Guard, TOKEN, ask, bearer, instance, soon, until};
use access::orders::{self, ExportTerms, Order, RestoreTerms};
use archive::Identity;
use jiff::{SignedDuration, Timestamp};
use nix::sys::signal::Signal;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use secrecy::SecretString;
use serde_json::json;
use world::Clock;

#[tokio::test]
async fn while_the_application_rests_its_members_wait_and_nothing_of_it_runs() {
    let house = House::new().await;
    let guard = house.guard().await;
    house.runs_by_now().await;
    let ada = bearer(&house.town.ada());
    assert_eq!(ask(&guard.address, "/", &[&ada]).await.status, 200);
    for _ in 0..2 {
        assert_eq!(told(&guard, Order::Rest).await, 204);
        assert!(!house.runs().exists(), "it was asked to stop, and has");
    }
    assert_eq!(health(&guard).await, (503, "resting".into()));
    let page = ask(&guard.address, "/", &[&ada, "Accept: text/html"]).await;
    assert!(page.status == 503 && page.body.contains("Back in a moment"), "{page:?}");
    assert!(page.head.contains("retry-after: 5") && page.body.contains("http-equiv=\"refresh\""), "{page:?}");
    assert_eq!(ask(&guard.address, "/", &[]).await.status, 401, "a stranger learns nothing of it");
    for _ in 0..2 {
        assert_eq!(told(&guard, Order::Wake).await, 204);
        house.runs_by_now().await;
    }
    assert_eq!(ask(&guard.address, "/", &[&ada]).await.status, 200);
    assert!(guard.end().await.success());
    assert!(!house.runs().exists());
}

#[tokio::test]
async fn a_rest_outlives_the_guard_but_neither_its_deployment_nor_its_time() {
    let house = House::new().await;
    let mut guard = house.guard().await;
    house.runs_by_now().await;
    assert_eq!(told(&guard, Order::Rest).await, 204);
    guard.signal(Signal::SIGKILL);
    guard.ended().await;
    let mut guard = house.guard().await;
    assert_eq!(health(&guard).await.1, "resting");
    guard.signal(Signal::SIGKILL);
    guard.ended().await;

    let mut other = house.settings();
    other.push(("RAILWAY_DEPLOYMENT_ID", "two".into()));
    other.retain(|(name, _)| *name != "GUARD_DEPLOYMENT");
    let guard = house.guard_with(&other).await;
    house.runs_by_now().await;
    assert!(guard.end().await.success());

    // The main instance never came back.
    let record = house.data.join(".guard/rest.json");
    let past = Clock::System.now() - SignedDuration::from_secs(1);
    fs::write(&record, json!({"deployment": "one", "until": past}).to_string()).unwrap();
    let guard = house.guard().await;
    house.runs_by_now().await;
    assert!(guard.end().await.success());
    let soon = Clock::System.now() + SignedDuration::from_millis(1_500);
    fs::write(&record, json!({"deployment": "one", "until": soon}).to_string()).unwrap();
    let guard = house.guard().await;
    assert_eq!(health(&guard).await.1, "resting");
    house.runs_by_now().await;
    until("visitors get in", || fs::read_to_string(&record).unwrap().contains("null")).await;
    assert!(guard.end().await.success());
}

#[tokio::test]
async fn a_deployment_can_begin_at_rest_and_is_woken_once_for_all() {
    let house = House::new().await;
    let mut settings = house.settings();
    settings.push(("GUARD_RESTS", "true".into()));
    let mut guard = house.guard_with(&settings).await;
    assert_eq!(health(&guard).await.1, "resting");
    assert_eq!(told(&guard, Order::Wake).await, 204);
    house.runs_by_now().await;
    guard.signal(Signal::SIGKILL);
    guard.ended().await;
    let _ = fs::remove_file(house.runs());
    let guard = house.guard_with(&settings).await;
    house.runs_by_now().await;
    assert!(guard.end().await.success());
}

#[tokio::test]
async fn what_was_backed_up_comes_back_to_the_last_bit_and_the_guards_own_stays() {
    let house = House::new().await;
    mknodat(CWD, house.data.join("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(house.data.join("socket")).unwrap();
    fs::File::create(house.data.join("day")).unwrap().set_len(1 << 40).unwrap();
    let guard = house.guard().await;
    house.runs_by_now().await;
    assert_eq!(told(&guard, Order::Rest).await, 204);
    let before = house.picture();
    let (kept, sealed) = house.back_up(&guard).await;
    assert_eq!((kept.contents.files, kept.contents.left_out), (2, 2), "a socket and a file of holes are left out");
    assert_eq!(kept.bytes, sealed.len() as u64);
    assert!(!sealed.windows(6).any(|window| window == b"A shop"));

    fs::remove_dir_all(house.data.join("visions")).unwrap();
    fs::write(house.data.join("workspace.db"), "spoiled").unwrap();
    fs::write(house.data.join("new"), "x").unwrap();
    let terms = written(&house.terms_of(&kept));
    for _ in 0..2 {
        let (status, said) = order(&guard, Order::Restore, &terms, &sealed).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&said));
        let after = house.picture();
        let expected: BTreeMap<_, _> =
            before.iter().filter(|(path, _)| !["socket", "day"].map(Path::new).contains(&path.as_path())).collect();
        assert_eq!(after.iter().collect::<BTreeMap<_, _>>(), expected);
    }
    assert!(house.data.join(".guard/rest.json").exists());
    assert_eq!(told(&guard, Order::Wake).await, 204);
    house.runs_by_now().await;
    let (status, said) = order(&guard, Order::Restore, &terms, &sealed).await;
    assert_eq!(status, 409, "it runs: {}", String::from_utf8_lossy(&said));
    assert!(guard.end().await.success());
}

#[tokio::test]
async fn what_is_cut_off_damaged_or_for_another_key_changes_nothing() {
    let house = House::new().await;
    let guard = house.guard().await;
    house.runs_by_now().await;
    assert_eq!(told(&guard, Order::Rest).await, 204);
    let (kept, sealed) = house.back_up(&guard).await;
    fs::write(house.data.join("later"), "x").unwrap();
    let before = house.picture();
    let good = house.terms_of(&kept);
    let mut changed = sealed.clone();
    changed[sealed.len() / 2] ^= 1;
    let stranger = house.terms_with(&Identity::generate(), &kept);
    let other_sum = RestoreTerms { sha256: "00".repeat(32), ..good.clone() };
    let unsealed = RestoreTerms { identity: "00".repeat(60), ..good.clone() };
    let no_room = RestoreTerms { bytes: u64::MAX, ..good.clone() };
    let tries: [(&str, &RestoreTerms, &[u8], u16); 7] = [
        ("cut off", &good, &sealed[..sealed.len() / 2], 422),
        ("nothing", &good, &[], 422),
        ("changed", &good, &changed, 422),
        ("another key", &stranger, &sealed, 422),
        ("another one", &other_sum, &sealed, 422),
        ("sealed with another token", &unsealed, &sealed, 400),
        ("no room", &no_room, &sealed, 507),
    ];
    for (what, terms, content, wanted) in tries {
        let (status, said) = order(&guard, Order::Restore, &written(terms), content).await;
        assert_eq!(status, wanted, "{what}: {}", String::from_utf8_lossy(&said));
        assert_eq!(house.picture(), before, "{what}");
    }
    assert_eq!(order(&guard, Order::Restore, &written(&good), &sealed).await.0, 200);
    assert!(guard.end().await.success());
}

#[tokio::test]
async fn killed_in_the_middle_of_a_restore_it_keeps_what_was_there() {
    let house = House::new().await;
    let mut guard = house.guard().await;
    house.runs_by_now().await;
    assert_eq!(told(&guard, Order::Rest).await, 204);
    let (kept, sealed) = house.back_up(&guard).await;
    fs::write(house.data.join("later"), "x").unwrap();
    let before = house.picture();
    let terms = written(&house.terms_of(&kept));
    for part in [1, sealed.len() / 2, sealed.len() - 1] {
        // The rest of it never comes.
        let first = [terms.as_bytes(), b"\n", &sealed[..part]].concat();
        let (sender, pieces) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::io::Error>>(1);
        sender.send(Ok(first)).await.unwrap();
        let body = reqwest::Body::wrap_stream(futures_util::stream::unfold(pieces, |mut pieces| async {
            let piece = pieces.recv().await?;
            Some((piece, pieces))
        }));
        let path = Order::Restore.path();
        let asked = client().post(format!("http://{}{path}", guard.address)).bearer_auth(proof(Order::Restore, &terms));
        let asking = tokio::spawn(asked.body(body).send());
        until("it is being unpacked", || house.data.join(".guard-restore").exists()).await;
        guard.signal(Signal::SIGKILL);
        guard.ended().await;
        assert!(soon("the end of the connection", asking).await.unwrap().is_err());
        drop(sender);
        guard = house.guard().await;
        assert_eq!(health(&guard).await.1, "resting");
        assert_eq!(house.picture(), before, "after {part} bytes");
    }
    assert_eq!(order(&guard, Order::Restore, &terms, &sealed).await.0, 200);
    assert!(!house.data.join("later").exists());
    assert!(guard.end().await.success());
}

#[tokio::test]
async fn an_exchange_that_was_under_way_when_the_guard_ended_is_brought_to_its_end_before_the_application_starts() {
    let house = House::new().await;
    let workshop = house.data.join(".guard-restore");
    for folder in ["new", "old"] {
        fs::create_dir_all(workshop.join(folder)).unwrap();
    }
    fs::write(workshop.join("new/restored"), "x").unwrap();
    fs::rename(house.data.join("visions"), workshop.join("old/visions")).unwrap();
    fs::write(workshop.join("phase"), "out").unwrap();
    let guard = house.guard().await;
    house.runs_by_now().await;
    let names: Vec<_> = house.picture().into_keys().collect();
    assert_eq!(names, [PathBuf::from("restored")]);
    assert!(guard.end().await.success());
}

#[tokio::test]
async fn one_works_at_a_time_and_whoever_goes_away_makes_room() {
    let house = House::new().await;
    fs::write(house.data.join("large"), noise().repeat(8)).unwrap();
    let guard = house.guard().await;
    house.runs_by_now().await;
    let terms = house.sealed_for();
    let asked = client().post(format!("http://{}{}", guard.address, Order::BackUp.path()));
    let slow = asked.bearer_auth(proof(Order::BackUp, &terms)).body(format!("{terms}\n")).send().await.unwrap();
    assert_eq!(slow.status(), 200);
    let (status, said) = order(&guard, Order::BackUp, &terms, &[]).await;
    assert_eq!(status, 429, "{}", String::from_utf8_lossy(&said));
    let export = written(&ExportTerms { top: "ai-diy-acme".into() });
    assert_eq!(order(&guard, Order::Export, &export, &[]).await.0, 200, "a customer's download is no hindrance");
    drop(slow);
    soon("its place is free", async {
        while order(&guard, Order::BackUp, &terms, &[]).await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert!(guard.end().await.success());
}

#[tokio::test]
async fn a_download_holds_the_applications_files_with_their_checksums_and_nothing_of_the_guards() {
    let house = House::new().await;
    let guard = house.guard().await;
    let terms = written(&ExportTerms { top: "ai-diy-acme".into() });
    let (status, framed) = order(&guard, Order::Export, &terms, &[]).await;
    assert_eq!(status, 200);
    let (bytes, end) = unframed(&framed);
    assert_eq!(end, Ok(Vec::new()));
    let file = house.town.folder.path().join("download.tar.gz");
    fs::write(&file, bytes).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let output = std::process::Command::new(program).args(arguments).current_dir(house.town.folder.path()).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let names = run("tar", &["-xvzf", "download.tar.gz"]);
    assert!(names.contains("ai-diy-acme/data/visions/shop.md") && !names.contains(".guard"), "{names}");
    let sums = run("sh", &["-c", "cd ai-diy-acme && sha256sum -c MANIFEST.sha256"]);
    assert_eq!(sums.lines().count(), 2, "{sums}");
    for top in ["", "..", "a/b", "a b"] {
        let terms = written(&ExportTerms { top: top.into() });
        assert_eq!(order(&guard, Order::Export, &terms, &[]).await.0, 400, "{top:?}");
    }
    assert!(guard.end().await.success());
}

#[tokio::test]
async fn nobody_but_the_main_instance_is_obeyed_and_no_order_twice() {
    let house = House::new().await;
    let guard = house.guard().await;
    house.runs_by_now().await;
    let before = house.picture();
    let ada = house.town.forge.token("ada@example.com");
    let other = SecretString::from("another token");
    let now = Clock::System.now();
    let anothers = orders::prove(Order::Rest, (instance(), &other), (now, [1; 16]), b"{}");
    let of_another = domain::InstanceId::new(Timestamp::UNIX_EPOCH, [8; 10]);
    let token = SecretString::from(TOKEN);
    let of_another = orders::prove(Order::Rest, (of_another, &token), (now, [2; 16]), b"{}");
    let push = access::pushed::proof(TOKEN);
    let unproven = ["", TOKEN, &push, &ada, &anothers, &of_another, &proof(Order::Wake, "{}")];
    for what in Order::ALL {
        let (path, body) = (what.path(), "{}\n");
        // The last one is good for waking, and nothing else.
        let lies = if what == Order::Wake { &unproven[..6] } else { &unproven[..] };
        for lie in lies {
            assert_eq!(send(&guard, path, lie, body).await.0, 403, "{path}: {lie}");
        }
        for headers in [vec![], vec![bearer(&ada)], vec![format!("Cookie: CF_Authorization={ada}")]] {
            let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
            let answer = support::ask_with(&guard.address, "POST", path, &headers, body).await;
            assert_eq!(answer.status, 403, "{path}: {answer:?}");
            assert!(answer.head.contains("x-spinoff-refused-by: guard"), "{answer:?}");
        }
        // Another method is a visit, of somebody who is not signed in.
        for method in ["GET", "PUT", "DELETE", "PATCH"] {
            assert_eq!(support::ask_with(&guard.address, method, path, &[], body).await.status, 401, "{method} {path}");
        }
    }
    for nearly in ["/-/data/rest/", "/-/data/rest?x", "/-//data/rest", "/-/data/%72est", "/-/data"] {
        assert_eq!(send(&guard, nearly, &proof(Order::Rest, "{}"), "{}\n").await.0, 401, "{nearly}");
    }
    for stale in [-150, 60] {
        let at = now + SignedDuration::from_secs(stale);
        assert_eq!(send(&guard, Order::Rest.path(), &proof_at(Order::Rest, "{}", at), "{}\n").await.0, 425, "{stale}");
    }
    for wrong in ["", "{}", "{ }\n", "\n", &"x".repeat(5_000)] {
        let proof = proof(Order::Rest, "{}");
        assert_eq!(send(&guard, Order::Rest.path(), &proof, wrong.to_owned()).await.0, 400, "terms {wrong:?}");
    }
    assert!(house.runs().exists());
    assert_eq!(house.picture(), before);
    let once = proof(Order::Rest, "{}");
    assert_eq!(send(&guard, Order::Rest.path(), &once, "{}\n").await.0, 204);
    assert_eq!(told(&guard, Order::Wake).await, 204);
    assert_eq!(send(&guard, Order::Rest.path(), &once, "{}\n").await.0, 425, "a second time");
    let guard = {
        assert!(guard.end().await.success());
        house.guard().await
    };
    assert_eq!(send(&guard, Order::Rest.path(), &once, "{}\n").await.0, 425, "after a restart");
    house.runs_by_now().await;
    assert!(guard.end().await.success());
}

#[tokio::test]
async fn a_guard_without_a_folder_says_so_and_one_that_starts_nothing_can_not_let_it_rest() {
    let house = House::new().await;
    let guard = house.town.guard().await;
    for what in Order::ALL {
        let (status, said) = order(&guard, what, "{}", &[]).await;
        let said = String::from_utf8(said).unwrap();
        assert!(status == 404 && said.contains("--data"), "{what:?}: {status} {said}");
    }
    assert!(guard.end().await.success());
    let guard = Guard::start(&house.settings(), &[]).await;
    assert_eq!(told(&guard, Order::Rest).await, 409);
    let (kept, _) = house.back_up(&guard).await;
    assert_eq!(kept.contents.files, 2);
    assert!(guard.end().await.success());
    // Without a main instance there is nobody who could give orders.
    let members = house.town.folder.path().join("members.txt");
    fs::write(&members, "ada@example.com\n").unwrap();
    let mut settings = house.town.settings_with_file(&members);
    let guard = Guard::start(&settings, &[]).await;
    assert_eq!(told(&guard, Order::Rest).await, 401);
    assert!(guard.end().await.success());
    settings.push(("GUARD_DATA", house.data.display().to_string()));
    let (code, says) = support::refused_start(&settings).await;
    assert!(code == Some(2) && says.contains("--data without --main-url"), "{says}");
}

#[tokio::test]
async fn a_full_disk_refuses_a_backup_and_keeps_what_is_there() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let house = House::new().await;
    let small = house.town.folder.path().join("small");
    fs::create_dir(&small).unwrap();
    let mount =
        std::process::Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(&small).status();
    if !mount.is_ok_and(|status| status.success()) {
        return;
    }
    let house = House { data: small.clone(), ..house };
    fs::write(house.data.join("workspace.db"), noise()).unwrap();
    let guard = house.guard().await;
    house.runs_by_now().await;
    assert_eq!(told(&guard, Order::Rest).await, 204);
    let before = house.picture();
    let (kept, sealed) = house.back_up(&guard).await;
    // There is room for what is said to come, until it is there.
    let terms = RestoreTerms { bytes: 1, ..house.terms_of(&kept) };
    let (status, said) = order(&guard, Order::Restore, &written(&terms), &sealed).await;
    let after = house.picture();
    assert!(guard.end().await.success());
    let unmount = std::process::Command::new("umount").arg(&small).status().unwrap();
    assert_eq!(status, 507, "{}", String::from_utf8_lossy(&said));
    assert_eq!(after, before);
    assert!(unmount.success());
}
