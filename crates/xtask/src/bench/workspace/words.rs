use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::super::table::{Measure, percentile};
use super::notebook::Notebook;
use crate::temporary::TemporaryFolder;

/// How many words are sent, and the pause between two; models are slower.
const WORDS: usize = 400;
const PACE: Duration = Duration::from_millis(10);

/// From the moment at which a provider sends a word to the one at which an open page has it, beside somebody who
/// reads from the provider directly.
pub fn measure(binary: &Path) -> Result<Vec<Measure>> {
    let direct = {
        let (provider, sent) = speak()?;
        let mut reader = TcpStream::connect(provider)?;
        reader.write_all(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}")?;
        delays(&mut reader, &sent)?
    };
    let (provider, sent) = speak()?;
    let data = TemporaryFolder::new("bench")?;
    let address = format!("http://{provider}/v1");
    let notebook = Notebook::start(binary, data.path(), &["--model-url", &address, "--model-name", "speaker"])?;
    notebook.post("/meetings", &[("kind", "vision")])?;
    let mut page = TcpStream::connect(notebook.address)?;
    write!(page, "GET /meetings/M-1/events HTTP/1.1\r\nhost: localhost:{}\r\n\r\n", notebook.address.port())?;
    // It is open once it has said so.
    page.read_exact(&mut [0])?;
    notebook.post("/meetings/M-1/messages", &[("text", "Speak.")])?;
    let through = delays(&mut page, &sent)?;
    let row = |name: &str, share: f64| {
        let (value, baseline) = (percentile(&through, share), percentile(&direct, share));
        Measure::new(format!("a model's word to the open page, {name} of {WORDS}"), value, "ms")
            .against("read directly", baseline)
    };
    Ok(vec![row("median", 0.5), row("p99", 0.99)])
}

/// A provider that says `w0;`, `w1;` and so on to the first who asks, and tells when it said each.
fn speak() -> Result<(SocketAddr, Receiver<Instant>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (sender, receiver) = channel();
    thread::spawn(move || listener.accept().map(|(stream, _)| answer(stream, &sender)));
    Ok((address, receiver))
}

fn answer(stream: TcpStream, sent: &Sender<Instant>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    let stream = reader.get_mut();
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")?;
    for word in 0..WORDS {
        thread::sleep(PACE);
        sent.send(Instant::now())?;
        let delta = format!("{{\"index\":0,\"delta\":{{\"content\":\"w{word};\"}},\"finish_reason\":null}}");
        stream.write_all(format!("data: {{\"choices\":[{delta}]}}\n\n").as_bytes())?;
    }
    stream.write_all(
        b"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
    )?;
    Ok(())
}

/// Milliseconds from sending to arriving, word by word.
fn delays(reader: &mut TcpStream, sent: &Receiver<Instant>) -> Result<Vec<f64>> {
    reader.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut heard = Vec::new();
    let mut delays = Vec::new();
    let mut piece = [0; 16 * 1024];
    while delays.len() < WORDS {
        let read = reader.read(&mut piece)?;
        let arrived = Instant::now();
        if read == 0 {
            bail!("the stream ended after {} words", delays.len());
        }
        heard.extend_from_slice(piece.get(..read).context("a read is as long as its buffer at most")?);
        // Words come in order, and several may come at once.
        while delays.len() < WORDS {
            let word = format!("w{};", delays.len()).into_bytes();
            let Some(at) = heard.windows(word.len()).position(|part| part == word) else { break };
            heard.drain(..at + word.len());
            delays.push((arrived - sent.recv()?).as_secs_f64() * 1e3);
        }
    }
    Ok(delays)
}
