//! The program itself: started, asked, stopped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::mpsc::UnboundedSender;

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(command: &mut Command) -> (Program, String) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
    (Program(child), address)
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ai-diy"));
    command.env_clear();
    command
}

#[tokio::test]
async fn it_serves_its_folder_and_stops_when_told_even_with_a_page_open() {
    let home = tempfile::tempdir().unwrap();
    for signal in [Signal::TERM, Signal::INT] {
        let (mut program, address) = start(program().env("PORT", "0").env("DATA", home.path()));
        assert!(address.starts_with("http://127.0.0.1:"), "{address}");
        let made =
            reqwest::Client::new().post(format!("{address}/api/visions")).header("content-type", "application/json");
        assert!(made.body(r#"{"title": "Pots"}"#).send().await.unwrap().status().is_success());
        let page = reqwest::get(format!("{address}/events")).await.unwrap();
        kill_process(Pid::from_child(&program.0), signal).unwrap();
        let status = tokio::task::spawn_blocking(move || program.0.wait()).await.unwrap().unwrap();
        assert!(status.success(), "{status}");
        drop(page);
    }
    assert!(home.path().join("visions/pots.md").exists() && home.path().join("visions/pots-2.md").exists());
}

#[tokio::test]
async fn after_a_sudden_death_every_answered_save_is_there_and_none_is_half() {
    const SAVES_BEFORE_DEATH: usize = 7;
    let home = tempfile::tempdir().unwrap();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let mut answered = Vec::new();
    for life in 0..6 {
        let (program, address) = start(program().env("PORT", "0").env("DATA", home.path()));
        if life == 0 {
            let made = client.post(format!("{address}/visions")).form(&[("title", "Pots")]);
            assert!(made.send().await.unwrap().status().is_redirection());
        }
        let (save_answered, mut saves) = tokio::sync::mpsc::unbounded_channel();
        let saving = tokio::spawn(save_until_it_dies(client.clone(), address, life, save_answered));
        for _ in 0..SAVES_BEFORE_DEATH {
            answered.push(saves.recv().await.unwrap());
        }
        drop(program);
        saving.await.unwrap();
        while let Ok(save) = saves.try_recv() {
            answered.push(save);
        }
    }
    let versions: Vec<String> = std::fs::read_dir(home.path().join("history/visions/pots"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    for save in &answered {
        assert!(versions.iter().any(|version| version.ends_with(save)), "{save:?} was answered and is lost");
    }
    let now = std::fs::read_to_string(home.path().join("visions/pots.md")).unwrap();
    assert!(versions.iter().any(|version| version.ends_with(&now)), "the file is no version: {now:?}");
    assert!(now == *answered.last().unwrap() || !answered.contains(&now), "an older save came back: {now:?}");
}

/// Saves one text after the other and tells of each one that was answered.
async fn save_until_it_dies(client: reqwest::Client, address: String, life: usize, answered: UnboundedSender<String>) {
    for number in 0.. {
        let Ok(page) = client.get(format!("{address}/visions/pots/file")).send().await else { return };
        let Ok(page) = page.text().await else { return };
        let based_on = page.split("name=\"based_on\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let text = format!("---\ntitle: Pots\n---\n\nlife {life}, save {number}\n{}\n", "x".repeat(20_000));
        let form = [("text", text.as_str()), ("based_on", based_on)];
        match client.post(format!("{address}/visions/pots/file")).form(&form).send().await {
            Ok(answer) => assert!(answer.status().is_redirection(), "{}", answer.status()),
            Err(_) => return,
        }
        // The test may have stopped counting already.
        let _ = answered.send(text);
    }
}

/// A provider that says two words and then nothing, for ever.
fn provider_that_hangs() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/v1", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept() {
            hear(&mut stream);
            let words = r#"{"choices":[{"delta":{"content":"Once upon"},"finish_reason":null}]}"#;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
            let _ = std::io::Write::write_all(&mut stream, format!("{head}data: {words}\n\n").as_bytes());
            open.push(stream);
        }
    });
    address
}

/// Reads what is asked, to the end of its body: an answer before that is none.
fn hear(stream: &mut std::net::TcpStream) {
    let (mut heard, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&heard).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            if length.is_none_or(|length| body.len() >= length.parse().unwrap()) {
                return;
            }
        }
        match std::io::Read::read(stream, &mut part) {
            Ok(0) | Err(_) => return,
            Ok(read) => heard.extend_from_slice(&part[..read]),
        }
    }
}

async fn page_that_says(client: &reqwest::Client, address: &str, words: &str) -> String {
    let mut page = String::new();
    for _ in 0..3_000 {
        page = client.get(address).send().await.unwrap().text().await.unwrap();
        if page.contains(words) {
            return page;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{address} never said {words}: {page}")
}

#[tokio::test]
async fn a_meeting_survives_a_sudden_death_in_the_middle_of_an_answer() {
    let home = tempfile::tempdir().unwrap();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let asking = |model_url: &str| {
        let mut command = program();
        command
            .env("PORT", "0")
            .env("DATA", home.path())
            .env("AI_DIY_MODEL_URL", model_url)
            .env("AI_DIY_MODEL_NAME", "m");
        command
    };
    let (running, address) = start(&mut asking(&provider_that_hangs()));
    client.post(format!("{address}/meetings")).form(&[("kind", "vision")]).send().await.unwrap();
    let meeting = format!("{address}/meetings/M-1");
    client.post(format!("{meeting}/messages")).form(&[("text", "We sell pots.")]).send().await.unwrap();
    page_that_says(&client, &meeting, "Once upon").await;
    drop(running);

    let (_running, address) = start(program().env("PORT", "0").env("DATA", home.path()).args(["--model", "rehearsal"]));
    let meeting = format!("{address}/meetings/M-1");
    let page = page_that_says(&client, &meeting, "The program stopped in the middle of it.").await;
    for part in ["We sell pots.", "Ask again", "This is a rehearsal."] {
        assert!(page.contains(part), "{part}: {page}");
    }
    client.post(format!("{meeting}/continuation")).send().await.unwrap();
    page_that_says(&client, &meeting, "What goes wrong today?").await;
}

#[test]
fn a_folder_that_cannot_be_used_is_named_with_the_way_out() {
    let output = program().args(["--data", "/dev/null/x", "--listen", "127.0.0.1:0"]).output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("/dev/null/x") && said.contains("--data"), "{said}");
}
