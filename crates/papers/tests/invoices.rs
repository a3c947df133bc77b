//! What holds for every invoice on paper.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod reader;
mod samples;

use billing::Invoice;
use papers::InvoicePaper;

fn pdf(invoice: &Invoice) -> Vec<u8> {
    InvoicePaper { invoice, workspace: samples::WORKSPACE, how_to_pay: &samples::how_to_pay() }.to_pdf().unwrap()
}

fn lines(invoice: &Invoice) -> Vec<String> {
    reader::pages(&pdf(invoice)).concat()
}

#[test]
fn whatever_stands_on_the_invoice_can_be_read_from_the_file() {
    let invoice = samples::typical();
    let text = lines(&invoice).join(" ");
    let price = |amount| invoice.currency.price(amount);
    let facts =
        ["2026-11-0018", "1 December 2026", "15 December 2026", "1 Nov 2026 to 30 Nov 2026", samples::WORKSPACE];
    let parties = ["Spinoff Ltd", "GB123456789", "Corner Bakery Žofie & Söhne GmbH", "Mühlgasse 7", "ATU12345678"];
    let totals = [invoice.subtotal, invoice.net, invoice.total, invoice.amount_due, invoice.credits[0].amount];
    let amounts = totals.map(price);
    let taxes = ["VAT, 20 % of $43.20", "Welcome: 5 hours for free", "Spring offer: 10 % off", "IBAN GB29 NWBK"];
    for expected in facts.iter().chain(&parties).chain(&taxes).copied().chain(amounts.iter().map(String::as_str)) {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    for line in &invoice.lines {
        assert!(text.contains(&price(line.amount)), "{}", line.description);
    }
}

#[test]
fn each_hour_billed_is_named_with_its_day() {
    let lines = lines(&samples::typical());
    let late = lines.iter().position(|line| line == "Thu 1 Oct 2026").expect("the day of the late hour");
    assert_eq!(lines[late + 1..late + 3], ["22:00–23:00", "1"]);
    let day = lines.iter().position(|line| line == "Thu 12 Nov 2026").expect("the last day");
    assert_eq!(lines[day + 1..day + 3], ["11:00–14:00", "3"]);
}

#[test]
fn the_same_invoice_is_the_same_file() {
    for make in [samples::typical, samples::least, samples::hostile] {
        assert_eq!(pdf(&make()), pdf(&make()));
    }
    assert_ne!(pdf(&samples::typical()), pdf(&samples::least()));
}

#[test]
fn a_long_invoice_goes_on_over_pages_that_name_their_columns_and_their_number() {
    let pages = reader::pages(&pdf(&samples::long()));
    assert!(pages.len() > 3, "{} pages", pages.len());
    for (index, page) in pages.iter().enumerate() {
        let number = format!("Page {} of {}", index + 1, pages.len());
        assert_eq!(page.last(), Some(&number));
        assert!(index == 0 || page.iter().any(|line| line == "From and to (UTC)"), "page {}", index + 1);
    }
    let days = pages.concat().iter().filter(|line| line.ends_with(" 2026") && line.len() > 10).count();
    assert!(days >= 365, "{days} days");
}

#[test]
fn a_short_invoice_stays_on_one_page_and_says_why_no_tax_is_charged() {
    let pages = reader::pages(&pdf(&samples::least()));
    assert_eq!(pages.len(), 1);
    assert!(pages[0].iter().any(|line| line.starts_with("No tax is charged")));
    assert!(!pages[0].iter().any(|line| line == "Your credit" || line == "The hours on this invoice"));
}

#[test]
fn an_invoice_that_credit_settles_asks_for_no_money() {
    let mut invoice = samples::typical();
    invoice.amount_due = domain::Cents::ZERO;
    let lines = lines(&invoice);
    assert!(lines.iter().any(|line| line == "Nothing is left to be paid."));
    assert!(!lines.iter().any(|line| line.contains("IBAN")));
}

#[test]
fn no_name_breaks_the_paper_or_turns_what_stands_around_it() {
    let pages = reader::pages(&pdf(&samples::hostile()));
    let text = pages.concat().concat();
    assert!(!text.contains(|c: char| c.is_control() || c == '\u{202e}' || c == '\u{200d}'));
    assert!(text.contains("<script>alert(1)</script>"), "marks of other languages are plain text here");
    assert!(text.contains('□') && text.contains("This print lacks some letters"));
    assert!(!lines(&samples::typical()).concat().contains("This print lacks some letters"));
}

#[test]
fn the_file_says_what_its_parts_are_and_which_standards_it_keeps() {
    let file = pdf(&samples::typical());
    let text = String::from_utf8_lossy(&file);
    for mark in ["/StructTreeRoot", "/Lang(en)", "/S/H1", "/S/TH", "/S/TD", "pdfuaid:part", "pdfaid:conformance"] {
        assert!(text.contains(mark), "{mark}");
    }
}
