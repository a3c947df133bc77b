//! What a customer reads about an invoice, in plain words.

use ::store::Tx;
use ::store::sqlx::Error;
use billing::Invoice;
use domain::Cents;

use crate::app::Core;
use crate::customers;
use crate::instances::names;
use crate::mail::{self, Letter};

/// Stores the mail that tells of an invoice, once. `left` is what is still to be paid of it.
pub(super) async fn issued(tx: &mut Tx, core: &Core, invoice: &Invoice, left: Cents) -> Result<(), Error> {
    let Some(customer) = customers::store::find_in(tx, invoice.customer).await? else { return Ok(()) };
    let called = names::store::called(tx, invoice.instance).await?;
    let workspace = called.map_or_else(String::new, |called| core.shown_hostname(&called.subdomain));
    let price = |amount| invoice.currency.price(amount);
    let mut lines = vec![format!("Invoice {} for {workspace}, {}.", invoice.number, invoice.period)];
    lines.extend(invoice.lines.iter().map(|line| format!("{}: {}", line.description, price(line.net))));
    lines.extend(invoice.taxes.iter().map(|tax| format!("{}: {}", tax.name, price(tax.amount))));
    lines.push(format!("Total: {}", price(invoice.total)));
    lines.extend(invoice.credits.iter().map(|credit| format!("{}: {}", credit.description, price(credit.amount))));
    if invoice.credit_applied > Cents::ZERO {
        lines.push(format!("Paid with your credit: {}", price(invoice.credit_applied)));
    }
    if left < invoice.amount_due {
        lines.push("You had paid more than you owed before; that is counted in.".to_owned());
    }
    lines.push(match left {
        Cents::ZERO => "There is nothing to pay.".to_owned(),
        due => format!("Please pay {} by {}.", price(due), invoice.due),
    });
    let subject = format!("Invoice {} from {}", invoice.number, core.settings.product);
    let html: String = lines.iter().map(|line| format!("<p>{}</p>\n", escaped(line))).collect();
    let (key, text) = (format!("invoice {}", invoice.number), lines.join("\n\n"));
    mail::post(tx, core, Letter { key: &key, to: &customer.email, subject, text, html }).await
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
