//! The app as one file to take away: source, tests, data, and how to start it.

use std::io::{self, Read as _, Write};

use jiff::Timestamp;

use crate::folder::Folder;
use crate::project::{PYTHON_PACKAGES, Project, SHOW_FILES, Stack};

/// Folders inside folders.
const DEEPEST: u32 = 30;
/// What installers made is made again elsewhere.
const LEFT_OUT: [&str; 3] = ["node_modules", "__pycache__", ".venv"];

/// What shows plain files where there is nothing else that does, beside the folder with them.
const SHOWS_FILES: &str = "show-files.cjs";

/// Writes the files of what is done, as they lie in the project's folder for downloads, and the data
/// of the app, as a tar archive.
///
/// # Errors
/// When the disk fails, or whoever reads is gone.
pub fn write_archive(project: &Project, stack: &Stack, now: Timestamp, to: impl Write) -> io::Result<()> {
    let mut archive = tar::Builder::new(to);
    let name = project.name().as_str();
    let time = u64::try_from(now.as_second()).unwrap_or_default();
    let how = how_to_start(name, stack);
    append(&mut archive, &format!("{name}/START.md"), how.len() as u64, time, how.as_bytes())?;
    if *stack == Stack::Static {
        let path = format!("{name}/{SHOWS_FILES}");
        append(&mut archive, &path, SHOW_FILES.len() as u64, time, SHOW_FILES.as_bytes())?;
    }
    for (folder, path) in [(project.download_folder()?, "app"), (project.data_folder()?, "app/data")] {
        append_folder(&mut archive, &Folder::open(&folder)?, &format!("{name}/{path}"), time, DEEPEST)?;
    }
    archive.into_inner()?.flush()
}

fn how_to_start(name: &str, stack: &Stack) -> String {
    let line =
        |command: Option<Vec<String>>| command.map(|words| format!("    {}\n", words.join(" "))).unwrap_or_default();
    let start = match stack {
        Stack::Static => format!("    node ../{SHOWS_FILES}\n"),
        Stack::Python { requirements: Some(_), .. } => {
            format!("    export PYTHONPATH={PYTHON_PACKAGES}\n{}", line(stack.start()))
        }
        _ => line(stack.start()),
    };
    let steps = format!("{}{}{start}", line(stack.install()), line(stack.build()));
    format!(
        "# {name}\n\nIt is made with {}. In a terminal, in the folder `app`:\n\n{steps}\nThen open http://127.0.0.1:3000. \
         The port is in the variable PORT, the folder with its data in DATA (`data` without it). The tests are among \
         the files.\n",
        stack.noun()
    )
}

fn append_folder(
    archive: &mut tar::Builder<impl Write>,
    folder: &Folder,
    path: &str,
    time: u64,
    deeper: u32,
) -> io::Result<()> {
    let mut names = folder.all_entries()?;
    names.sort();
    for name in names {
        let inside = format!("{path}/{name}");
        if LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        // What is neither a file nor a folder, a link for example, stays here.
        if let Ok(Some(file)) = folder.open_to_read(&name) {
            let length = file.metadata()?.len();
            append(archive, &inside, length, time, io::Read::take(file, length))?;
        } else if deeper > 0
            && let Ok(Some(inner)) = folder.enter(&name)
        {
            append_folder(archive, &inner, &inside, time, deeper - 1)?;
        }
    }
    Ok(())
}

fn append(
    archive: &mut tar::Builder<impl Write>,
    path: &str,
    length: u64,
    time: u64,
    bytes: impl io::Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(length);
    header.set_mode(0o644);
    header.set_mtime(time);
    // A file that shrinks meanwhile must not shift what follows.
    let padded = bytes.chain(io::repeat(0)).take(length);
    archive.append_data(&mut header, path, padded)
}
