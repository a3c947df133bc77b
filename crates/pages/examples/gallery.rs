//! Writes every page with sample data, and the assets, into a folder, to be opened and looked at:
//! `cargo run -p pages --example gallery -- FOLDER [typical|empty|hostile]`.

use std::{env, fs, io, path::Path};

#[path = "../tests/samples/mod.rs"]
mod samples;

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().ok_or_else(|| io::Error::other("usage: gallery FOLDER [typical|empty|hostile]"))?;
    let fill = match arguments.next().as_deref() {
        Some("empty") => samples::Fill::Empty,
        Some("hostile") => samples::Fill::Hostile,
        _ => samples::Fill::Typical,
    };
    let folder = Path::new(&folder);
    for asset in pages::assets() {
        for path in [asset.path.clone(), asset.path.replacen("/assets/", "/cdn-cgi/access/assets/", 1)] {
            let file = folder.join(path.trim_start_matches('/'));
            fs::create_dir_all(file.parent().unwrap_or(folder))?;
            fs::write(file, &asset.bytes)?;
        }
    }
    for sample in samples::all(fill) {
        fs::write(folder.join(format!("{}.html", sample.name)), sample.html)?;
    }
    Ok(())
}
