use billing::{Invoice, LineKind};
use domain::Cents;
use krilla::metadata::DateTime;

use crate::letters::{Ink, Style, Weight, is_invisible};
use crate::sheets::{About, LEFT, RIGHT, Sheets};
use crate::table::{self, Column, Edge};
use crate::tags::Kind;
use crate::{PaperError, hours, parties};

const TITLE: Style = Style::new(25.0, Weight::Bold, Ink::Full);
const HEADING: Style = Style::new(11.5, Weight::Bold, Ink::Full);
const TEXT: Style = Style::new(9.5, Weight::Regular, Ink::Full);
const STRONG: Style = Style::new(9.5, Weight::Bold, Ink::Full);
const SOFT: Style = Style::new(9.0, Weight::Regular, Ink::Soft);
const LABEL: Style = Style::new(9.5, Weight::Regular, Ink::Soft);
const DUE: Style = Style::new(12.5, Weight::Bold, Ink::Accent);

/// The right one of two halves begins here.
const MIDDLE: f32 = 330.0;
const GAP: f32 = 20.0;

const LINES: [Column; 4] = [
    Column { name: "What", left: LEFT, right: 322.0, edge: Edge::Left },
    Column { name: "Quantity", left: 330.0, right: 380.0, edge: Edge::Right },
    Column { name: "Each", left: 388.0, right: 456.0, edge: Edge::Right },
    Column { name: "Amount", left: 464.0, right: RIGHT, edge: Edge::Right },
];
const CREDITS: [Column; 3] = [
    Column { name: "Credit", left: LEFT, right: 380.0, edge: Edge::Left },
    Column { name: "Hours", left: 388.0, right: 440.0, edge: Edge::Right },
    Column { name: "Amount", left: 448.0, right: RIGHT, edge: Edge::Right },
];
const HOURS: [Column; 3] = [
    Column { name: "Day", left: LEFT, right: 150.0, edge: Edge::Left },
    Column { name: "From and to (UTC)", left: 160.0, right: 470.0, edge: Edge::Left },
    Column { name: "Hours", left: 480.0, right: RIGHT, edge: Edge::Right },
];

/// An invoice and what else stands on its paper.
#[derive(Debug, Clone, Copy)]
pub struct InvoicePaper<'a> {
    /// The invoice.
    pub invoice: &'a Invoice,
    /// The workspace that is paid for, as its people call it: its hostname when the invoice was issued.
    pub workspace: &'a str,
    /// What to do about the amount due, a paragraph each: the account to pay to, or which card will be charged when.
    pub how_to_pay: &'a [String],
}

impl InvoicePaper<'_> {
    /// The PDF.
    ///
    /// # Errors
    /// [`PaperError`] when a rule of the format would be broken; never in fact, whatever the texts hold.
    pub fn to_pdf(&self) -> Result<Vec<u8>, PaperError> {
        let mut sheets = Sheets::new()?;
        self.head(&mut sheets);
        self.lines(&mut sheets);
        self.totals(&mut sheets);
        self.payment(&mut sheets);
        self.credit(&mut sheets);
        self.hours(&mut sheets);
        self.missing_letters(&mut sheets);
        let invoice = self.invoice;
        sheets.write(About {
            title: format!("Invoice {}", brief(&invoice.number)),
            author: brief(&invoice.seller.name),
            date: day(invoice.issued),
            foot: format!("Invoice {} · {}", invoice.number, invoice.seller.name),
        })
    }

    fn head(&self, sheets: &mut Sheets) {
        let invoice = self.invoice;
        sheets.rule(LEFT, LEFT + 34.0, 3.0, Ink::Accent);
        sheets.y += 12.0;
        let top = sheets.y;
        sheets.heading("Invoice", Kind::Title("Invoice".to_owned()), TITLE);
        sheets.y += 10.0;
        self.facts(sheets);
        let left_end = sheets.y;
        sheets.y = top + 6.0;
        parties::block(sheets, "From", &invoice.seller, MIDDLE, RIGHT - MIDDLE);
        sheets.y = sheets.y.max(left_end) + GAP;
        parties::block(sheets, "To", &invoice.buyer, LEFT, MIDDLE - LEFT - GAP);
        sheets.y += GAP;
    }

    fn facts(&self, sheets: &mut Sheets) {
        let invoice = self.invoice;
        let facts = [
            ("Number", invoice.number.clone()),
            ("Date", date(invoice.issued)),
            ("To be paid by", date(invoice.due)),
            ("Period", invoice.period.to_string()),
            ("Workspace", self.workspace.to_owned()),
        ];
        let values = LEFT + 76.0;
        sheets.tags.open(Kind::Table);
        sheets.tags.open(Kind::Body);
        for (label, value) in facts {
            sheets.tags.open(Kind::Row);
            let (name, cell) = (sheets.tags.only(Kind::RowName), sheets.tags.only(Kind::Cell));
            sheets.tags.close();
            let label = sheets.letters.run(label, LABEL);
            sheets.place(label, LEFT, Some(name));
            for line in sheets.letters.wrap(&value, TEXT, MIDDLE - GAP - values).into_iter().take(3) {
                sheets.place(line, values, Some(cell));
                sheets.y += TEXT.leading();
            }
        }
        sheets.tags.close();
        sheets.tags.close();
    }

    fn lines(&self, sheets: &mut Sheets) {
        let rows: Vec<[String; 4]> = self
            .invoice
            .lines
            .iter()
            .map(|line| {
                let number = if line.kind == LineKind::BaseFee { String::new() } else { line.quantity.to_string() };
                let each = if line.kind == LineKind::BaseFee { String::new() } else { self.price(line.unit) };
                [line.description.clone(), number, each, self.price(line.amount)]
            })
            .collect();
        table::draw(sheets, LINES, &rows);
    }

    fn totals(&self, sheets: &mut Sheets) {
        let invoice = self.invoice;
        let mut rows: Vec<(String, Cents)> = Vec::new();
        let adds_up = !invoice.discounts.is_empty() || !invoice.taxes.is_empty();
        rows.extend(adds_up.then(|| ("Sum".to_owned(), invoice.subtotal)));
        for discount in &invoice.discounts {
            rows.push((discount.description.clone(), negative(discount.taken.amount)));
        }
        let both = !invoice.discounts.is_empty() && !invoice.taxes.is_empty();
        rows.extend(both.then(|| ("Net".to_owned(), invoice.net)));
        for tax in &invoice.taxes {
            rows.push((format!("{}, {} of {}", tax.name, tax.rate, self.price(tax.of)), tax.amount));
        }
        sheets.y += 8.0;
        sheets.tags.open(Kind::Table);
        sheets.tags.open(Kind::Body);
        for (label, amount) in rows {
            self.total(sheets, &label, amount, TEXT);
        }
        self.total(sheets, "Total", invoice.total, STRONG);
        if invoice.credit_applied != Cents::ZERO {
            self.total(sheets, "Paid from your credit", negative(invoice.credit_applied), TEXT);
        }
        self.amount_due(sheets);
        sheets.tags.close();
        sheets.tags.close();
        if let Some(reason) = &invoice.tax_exempt {
            sheets.paragraph(reason, SOFT, LEFT, RIGHT - LEFT);
            sheets.y += GAP;
        }
    }

    /// A label as long as it likes, and an amount at its end.
    fn total(&self, sheets: &mut Sheets, label: &str, amount: Cents, style: Style) {
        let amount = sheets.letters.run(&self.price(amount), style);
        let lines = sheets.letters.wrap(label, style, RIGHT - MIDDLE - 84.0);
        sheets.need(lines.len().min(8) as f32 * style.leading() + 4.0);
        sheets.tags.open(Kind::Row);
        let (name, cell) = (sheets.tags.only(Kind::RowName), sheets.tags.only(Kind::Cell));
        sheets.tags.close();
        sheets.place_ending(amount, RIGHT, Some(cell));
        for line in lines {
            sheets.need(style.leading());
            sheets.place(line, MIDDLE, Some(name));
            sheets.y += style.leading();
        }
        sheets.y += 4.0;
    }

    fn amount_due(&self, sheets: &mut Sheets) {
        let invoice = self.invoice;
        let height = DUE.leading() + 16.0;
        sheets.need(height);
        sheets.y += 4.0;
        sheets.ground(MIDDLE - 12.0, RIGHT, height);
        sheets.y += 8.0;
        sheets.tags.open(Kind::Row);
        let (name, cell) = (sheets.tags.only(Kind::RowName), sheets.tags.only(Kind::Cell));
        sheets.tags.close();
        let label = sheets.letters.run("To be paid", DUE);
        let amount = sheets.letters.run(&self.price(invoice.amount_due), DUE);
        sheets.place(label, MIDDLE, Some(name));
        sheets.place_ending(amount, RIGHT - 12.0, Some(cell));
        sheets.y += DUE.leading() + 8.0 + GAP;
    }

    fn payment(&self, sheets: &mut Sheets) {
        section(sheets, "How to pay");
        if self.invoice.amount_due == Cents::ZERO {
            sheets.paragraph("Nothing is left to be paid.", TEXT, LEFT, RIGHT - LEFT);
        }
        let due = self.invoice.amount_due != Cents::ZERO;
        for text in self.how_to_pay.iter().filter(|_| due) {
            sheets.paragraph(text, TEXT, LEFT, RIGHT - LEFT);
            sheets.y += 3.0;
        }
        sheets.y += GAP;
    }

    fn credit(&self, sheets: &mut Sheets) {
        let invoice = self.invoice;
        let moved = [invoice.credit_before, invoice.credit_applied, invoice.credit_left];
        if invoice.credits.is_empty() && moved.iter().all(|amount| *amount == Cents::ZERO) {
            return;
        }
        section(sheets, "Your credit");
        let [before, applied, left] = moved.map(|amount| self.price(amount));
        let granted = invoice.credit_applied.checked_add(invoice.credit_left);
        let granted = granted.and_then(|all| all.checked_sub(invoice.credit_before)).unwrap_or(Cents::ZERO);
        let added = match granted {
            Cents::ZERO => String::new(),
            granted => format!(", and {} are added for hours that are not charged after all", self.price(granted)),
        };
        let text = format!(
            "You had {before} of credit{added}. {applied} of it pay for this invoice; {left} are left for later ones."
        );
        sheets.paragraph(&text, TEXT, LEFT, RIGHT - LEFT);
        sheets.y += 8.0;
        if !invoice.credits.is_empty() {
            let row = |line: &billing::CreditLine| {
                [line.description.clone(), line.hours.count().to_string(), self.price(line.amount)]
            };
            table::draw(sheets, CREDITS, &invoice.credits.iter().map(row).collect::<Vec<_>>());
        }
        sheets.y += GAP;
    }

    fn hours(&self, sheets: &mut Sheets) {
        let days = hours::by_day(&self.invoice.hours());
        let rows: Vec<[String; 3]> = days.into_iter().map(|day| [day.day, day.spans, day.count.to_string()]).collect();
        if rows.is_empty() {
            return;
        }
        section(sheets, "The hours on this invoice");
        let text = "Any part of an hour counts as a whole one, and each stands on one invoice only. What shows that an \
                    hour was used is found under its bill in your portal, where you can also contest it.";
        sheets.paragraph(text, SOFT, LEFT, RIGHT - LEFT);
        sheets.y += 8.0;
        table::draw(sheets, HOURS, &rows);
        sheets.y += GAP;
    }

    fn missing_letters(&self, sheets: &mut Sheets) {
        let invoice = self.invoice;
        let parties = [&invoice.seller, &invoice.buyer];
        let texts = parties.iter().flat_map(|party| party.address.iter().chain([&party.name]).chain(&party.tax_id));
        let texts = texts.chain(self.how_to_pay).chain(&invoice.tax_exempt).chain([&invoice.number]);
        let texts = texts.chain(invoice.lines.iter().map(|line| &line.description));
        let texts = texts.chain(invoice.discounts.iter().map(|discount| &discount.description));
        let mut texts = texts.chain(invoice.taxes.iter().map(|tax| &tax.name)).map(String::as_str);
        if texts.any(|text| !sheets.letters.know(text)) || !sheets.letters.know(self.workspace) {
            let text =
                "This print lacks some letters and shows them as □. They stand on the invoice's page in the portal.";
            sheets.paragraph(text, SOFT, LEFT, RIGHT - LEFT);
        }
    }

    fn price(&self, amount: Cents) -> String {
        self.invoice.currency.price(amount)
    }
}

fn section(sheets: &mut Sheets, text: &str) {
    sheets.heading(text, Kind::Heading(text.to_owned()), HEADING);
    sheets.y += 4.0;
}

/// What is taken off; amounts on invoices are far from where this could not be said.
fn negative(amount: Cents) -> Cents {
    Cents::ZERO.checked_sub(amount).unwrap_or(amount)
}

fn date(date: jiff::civil::Date) -> String {
    date.strftime("%-d %B %Y").to_string()
}

/// Noon in UTC, so that it is the same day nearly everywhere.
fn day(date: jiff::civil::Date) -> DateTime {
    let small = |number: i8| number.unsigned_abs();
    DateTime::new(date.year().unsigned_abs())
        .month(small(date.month()))
        .day(small(date.day()))
        .hour(12)
        .minute(0)
        .second(0)
        .utc_offset_hour(0)
}

/// What a file says of itself is one short line.
fn brief(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !is_invisible(*c)).take(120).collect()
}
