//! Writes every page into a folder, to be served by any web server and looked at:
//! `cargo run -p handbook --example print -- FOLDER [OPENAPI.json]`, then `python3 -m http.server -d FOLDER`.

use std::{env, fs, io, path::Path};

use handbook::Handbook;
use pages::Shell;

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().ok_or_else(|| io::Error::other("usage: print FOLDER [OPENAPI.json]"))?;
    let folder = Path::new(&folder);
    let api = arguments.next().unwrap_or_else(|| format!("{}/tests/openapi.json", env!("CARGO_MANIFEST_DIR")));
    let book = Handbook::bind(&serde_json::from_str(&fs::read_to_string(api)?)?);
    let shell = || Shell::new("", "AI-DIY", jiff::Timestamp::UNIX_EPOCH);
    let write = |address: &str, content: &[u8]| {
        let file = folder.join(address.trim_start_matches('/'));
        fs::create_dir_all(file.parent().unwrap_or(folder))?;
        fs::write(file, content)
    };
    for asset in pages::assets() {
        write(&asset.path, &asset.bytes)?;
    }
    for address in book.addresses() {
        let page = book.read(address, shell()).unwrap_or_default();
        write(&format!("docs/{address}/index.html"), page.as_bytes())?;
    }
    for name in ["screenshots/portal.png", "screenshots/progress.png"] {
        write(&format!("docs/{name}"), handbook::picture(name).unwrap_or_default())?;
    }
    for (name, query) in [("found", "backup"), ("in-vain", "zyxwv"), ("empty", "")] {
        write(&format!("docs/search/{name}/index.html"), book.search(query, shell()).as_bytes())?;
    }
    write("docs/missing/index.html", book.missing("operator/backup", shell()).as_bytes())?;
    for fault in book.faults() {
        eprintln!("{fault}");
    }
    Ok(())
}
