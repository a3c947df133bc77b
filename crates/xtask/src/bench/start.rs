use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result};

use super::table::{Measure, median};
use crate::product::{Product, free_address, wait_until_served};
use crate::shell;
use crate::temporary::TemporaryFolder;

const STARTS: usize = 20;

/// Starts on nothing, and starts that find everything again; beside the smallest web server at hand.
pub fn measure(binary: &Path) -> Result<Vec<Measure>> {
    let (mut first, mut again, mut python) = (Vec::new(), Vec::new(), Vec::new());
    let has_python = shell::find(&["python3"], &[]).is_some();
    for _ in 0..STARTS {
        let data = TemporaryFolder::new("bench")?;
        for times in [&mut first, &mut again] {
            let product = Product::start(binary, data.path())?;
            times.push(product.ready_after.as_secs_f64() * 1e3);
            product.stop()?;
        }
        if has_python {
            python.push(start_python(data.path())? * 1e3);
        }
    }
    let row = |what: &str, times: &[f64]| {
        let row = Measure::new(format!("{what}, median of {STARTS}"), median(times), "ms").below(300.0);
        if has_python { row.against("python3 -m http.server", median(&python)) } else { row }
    };
    Ok(vec![row("first start to first answer", &first), row("later start to first answer", &again)])
}

/// Seconds until Python's own web server answers.
fn start_python(folder: &Path) -> Result<f64> {
    let address = free_address()?;
    let begin = Instant::now();
    let mut process = Command::new("python3")
        .args(["-m", "http.server", "--bind", "127.0.0.1", &address.port().to_string()])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("can't start python3")?;
    let took = wait_until_served(&mut process, address, "/", begin);
    process.kill()?;
    process.wait()?;
    Ok(took?.as_secs_f64())
}
