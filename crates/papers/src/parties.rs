//! Who sells and who buys, as blocks of an address.

use billing::Party;

use crate::letters::{Ink, Run, Style, Weight};
use crate::sheets::Sheets;
use crate::tags::Kind;

const LABEL: Style = Style::new(8.5, Weight::Regular, Ink::Soft);
const NAME: Style = Style::new(10.0, Weight::Bold, Ink::Full);
const ADDRESS: Style = Style::new(9.5, Weight::Regular, Ink::Full);

/// More lines than this are no address; what is cut off ends in dots.
const NAME_LINES: usize = 3;
const ADDRESS_LINES: usize = 8;

/// The block, from the filled part of the page downwards.
pub(crate) fn block(sheets: &mut Sheets, label: &str, party: &Party, left: f32, width: f32) {
    let label = vec![sheets.letters.run(label, LABEL)];
    let name = first(sheets.letters.wrap(&party.name, NAME, width), NAME_LINES, sheets, width);
    let lines = party.address.iter().flat_map(|line| sheets.letters.wrap(line, ADDRESS, width)).collect();
    let mut address = first(lines, ADDRESS_LINES, sheets, width);
    if let Some(tax_id) = &party.tax_id {
        let lines = sheets.letters.wrap(&format!("Tax id {tax_id}"), ADDRESS, width);
        address.extend(first(lines, 2, sheets, width));
    }
    for lines in [label, name, address].into_iter().filter(|lines| !lines.is_empty()) {
        let leaf = sheets.tags.only(Kind::Paragraph);
        for line in lines {
            let leading = line.style.leading();
            sheets.place(line, left, Some(leaf));
            sheets.y += leading;
        }
    }
}

fn first(mut lines: Vec<Run>, most: usize, sheets: &Sheets, width: f32) -> Vec<Run> {
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.pop() {
            let dots = sheets.letters.run("…", last.style);
            let room = width - dots.width;
            let cut = sheets.letters.wrap(&last.text, last.style, room).swap_remove(0);
            lines.push(sheets.letters.run(&format!("{}…", cut.text), last.style));
        }
    }
    lines
}
