use std::collections::HashMap;

use pages::{BookLink, Prose};

use crate::anchors::{Anchors, slug, unnumbered};
use crate::links::{Atlas, Places, Target};
use crate::markdown::{self, Heading, Outline};
use crate::search::{Index, Passage};
use crate::shelf::{Document, Form};
use crate::{Handbook, Leaf, url_of};

/// A page before its links are known.
struct Sheet {
    file: String,
    part: &'static str,
    address: String,
    above: Option<String>,
    /// A name for the table of contents, where its heading is too long for it.
    name: Option<String>,
    markdown: String,
    raised: u8,
    outline: Outline,
}

/// Makes pages of documents, first without and then with their links.
pub(crate) fn bind(documents: Vec<Document>) -> Handbook {
    let mut atlas = Atlas::default();
    let mut sheets = Vec::new();
    for document in documents {
        let own = sheets_of(document);
        let mut places =
            Places { url: own.first().map(|sheet| url_of(&sheet.address)).unwrap_or_default(), ..Places::default() };
        for sheet in &own {
            places.anchors.extend(anchors_of(sheet));
        }
        if let Some(first) = own.first() {
            atlas.add(&first.file, places);
        }
        sheets.extend(own);
    }
    let by_address: HashMap<String, usize> =
        sheets.iter().enumerate().map(|(at, sheet)| (sheet.address.clone(), at)).collect();
    let mut book =
        Handbook { leaves: Vec::new(), by_address, index: Index::default(), faults: Vec::new(), sources: Vec::new() };
    for sheet in sheets {
        book.add(sheet, &atlas);
    }
    if book.by_address.len() < book.leaves.len() {
        book.faults.push("two pages have one address".to_owned());
    }
    book
}

impl Handbook {
    fn add(&mut self, sheet: Sheet, atlas: &Atlas) {
        let at = self.leaves.len();
        let names = sheet.outline.headings.iter().map(|heading| heading.name.clone());
        let (faults, sources) = (&mut self.faults, &mut self.sources);
        faults.extend(sheet.outline.faults.iter().map(|fault| format!("{}: {fault}", sheet.file)));
        let rendered = markdown::render(&sheet.markdown, sheet.raised, names, |link| {
            let target = atlas.resolve(&sheet.file, link);
            match &target {
                Target::Nowhere(why) => faults.push(why.clone()),
                Target::Source(path) => sources.push(path.clone()),
                Target::Url(_) => {}
            }
            target
        });
        let url = url_of(&sheet.address);
        for (heading, text) in sheet.outline.headings.iter().zip(&sheet.outline.passages) {
            let url = place(&url, heading);
            self.index.add(Passage::new(at, &heading.text, heading.level == 1, url, text));
        }
        let headings = || sheet.outline.headings.iter();
        let sections = headings().filter(|heading| heading.level == 2);
        let sections =
            sections.map(|heading| BookLink { name: heading.text.clone(), url: format!("#{}", heading.name) });
        let sections = sections.collect();
        let title = headings().next().map(|heading| heading.text.clone()).unwrap_or_default();
        let above = sheet.above.as_ref().and_then(|above| self.by_address.get(above)).copied();
        if sheet.above.is_some() && above.is_none_or(|above| above >= at) {
            self.faults.push(format!("{}: the page above it does not come before it", sheet.file));
        }
        self.leaves.push(Leaf {
            part: sheet.part,
            address: sheet.address,
            name: sheet.name.unwrap_or_else(|| title.clone()),
            title,
            above: above.filter(|above| *above < at),
            heading: Prose::of_our_documents(rendered.heading),
            text: Prose::of_our_documents(rendered.text),
            sections,
        });
    }
}

/// One page for a document, or one for what begins it and one for each of its sections.
fn sheets_of(document: Document) -> Vec<Sheet> {
    let mut anchors = Anchors::default();
    let texts = match document.form {
        Form::Whole => vec![document.text.to_string()],
        Form::BySection => sections(&document.text),
    };
    let mut sheets: Vec<Sheet> = Vec::new();
    for (number, markdown) in texts.into_iter().enumerate() {
        let raised = u8::from(number > 0);
        let outline = markdown::outline(&markdown, raised, &mut anchors);
        let title = outline.headings.first().map(|heading| heading.text.as_str()).unwrap_or_default();
        let (address, above, name) = if number == 0 {
            (document.address.clone(), document.below.clone(), document.name.clone())
        } else {
            let address = format!("{}/{}", document.address, slug(unnumbered(title)));
            (address, Some(document.address.clone()), None)
        };
        let part = document.part;
        sheets.push(Sheet { file: document.file.clone(), part, address, above, name, markdown, raised, outline });
    }
    sheets
}

/// A text taken apart before each heading of the second rank, but not within code.
fn sections(text: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    let mut in_code = false;
    for line in text.split_inclusive('\n') {
        in_code ^= line.trim_start().starts_with("```");
        if !in_code && line.starts_with("## ") {
            sections.push(String::new());
        }
        if let Some(section) = sections.last_mut() {
            section.push_str(line);
        }
    }
    sections
}

fn anchors_of(sheet: &Sheet) -> Vec<(String, String)> {
    let url = url_of(&sheet.address);
    let headings = sheet.outline.headings.iter().map(|heading| (heading.name.clone(), place(&url, heading)));
    let given = sheet
        .outline
        .given
        .iter()
        .map(|(name, in_heading)| (name.clone(), if *in_heading { url.clone() } else { format!("{url}#{name}") }));
    headings.chain(given).collect()
}

/// Where a heading is: the page itself, for its first one.
fn place(url: &str, heading: &Heading) -> String {
    if heading.level == 1 { url.to_owned() } else { format!("{url}#{}", heading.name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_taken_apart_before_its_sections_only() {
        let text = "# A\n\nx\n\n## B\n\n```sh\n## no heading\n```\n\n### C\n\n## D\n";
        let parts = sections(text);
        assert_eq!(parts.len(), 3);
        assert_eq!(parts.concat(), text);
        assert!(parts[1].starts_with("## B") && parts[1].contains("### C"));
    }
}
