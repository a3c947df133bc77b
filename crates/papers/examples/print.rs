//! Prints sample invoices into a folder, to be looked at: `cargo run -p papers --example print -- FOLDER`.

use std::{env, error::Error, fs, path::Path};

use papers::InvoicePaper;

#[path = "../tests/samples/mod.rs"]
mod samples;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("usage: print FOLDER")?;
    let how_to_pay = samples::how_to_pay();
    let invoices = [
        ("typical", samples::typical()),
        ("least", samples::least()),
        ("long", samples::long()),
        ("hostile", samples::hostile()),
    ];
    for (name, invoice) in &invoices {
        let paper = InvoicePaper { invoice, workspace: samples::WORKSPACE, how_to_pay: &how_to_pay };
        fs::write(Path::new(&folder).join(format!("{name}.pdf")), paper.to_pdf()?)?;
    }
    Ok(())
}
