use api::{Ledger, LedgerEntry, NewCredit};
use clap::Subcommand;
use domain::Cents;

use crate::confirm::Asked;
use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::money::amount;
use crate::output::table;
use crate::when::moment;

/// More credit than this is not given by a slip of the finger.
const ASKED_FROM: Cents = Cents::new(10_000);

/// What can be done about a customer's book.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show a customer's book: what was charged, paid and given, and what is owed
    #[command(after_help = "Nothing in a book is ever changed, only added to.

Exit codes: 0 shown, 3 no such customer.

Examples:
  spinoff ledger show ada@example.com
  spinoff ledger show cus_01j9z3k4m5n6p7q8r9s0t1v2w3 --json | jq .owed")]
    Show {
        /// Id or e-mail address
        customer: String,
    },
    /// Give a customer credit, which the next invoices take
    #[command(
        after_help = "Credit is given once for each reference, however often the command is run. More than 100.00 has to
be confirmed: on a terminal you are asked to type the amount, scripts give it with --confirm.

Exit codes: 0 it is given, 3 no such customer, 4 the reference belongs to another credit, or not confirmed.

Examples:
  spinoff ledger credit ada@example.com --amount 5.00 --reference 'TICKET 17' --reason 'A morning without service.'
  spinoff ledger credit ada@example.com --amount 250.00 --confirm 250.00 --reference 'CONTRACT 3' --reason 'As agreed.'"
    )]
    Credit {
        /// Id or e-mail address
        customer: String,
        /// How much, such as 5.00
        #[arg(long, value_parser = amount)]
        amount: Cents,
        /// Names it within the customer's book
        #[arg(long)]
        reference: String,
        /// Why, in one sentence
        #[arg(long, value_name = "SENTENCE")]
        reason: String,
        /// The amount once more, to say that you mean it
        #[arg(long, value_name = "AMOUNT", value_parser = amount)]
        confirm: Option<Cents>,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Show { customer } => {
            let what = || format!("can't show the book of {customer}");
            let ledger = context.client()?.ledger(&customer).await.doing(what)?;
            context.output.show(&ledger, || in_words(&ledger))
        }
        Command::Credit { customer, amount, reference, reason, confirm } => {
            if amount > ASKED_FROM {
                confirm_credit(&customer, amount, confirm)?;
            }
            let credit = NewCredit { amount, reference, reason };
            let what = || format!("can't give {customer} credit");
            let ledger = context.client()?.give_credit(&customer, &credit).await.doing(what)?;
            let price = |amount: Cents| amount.priced(&ledger.currency);
            let words = format!("{} is given; {customer} has {} of credit", price(amount), price(ledger.credit));
            context.output.report(&ledger, words)
        }
    }
}

fn confirm_credit(customer: &str, amount: Cents, given: Option<Cents>) -> Result<(), Failure> {
    let word = amount.to_string();
    let asked = Asked {
        what: &format!("This gives {customer} {word} of credit."),
        word: &word,
        word_is: "the amount",
        not_done: &format!("{customer} was given no credit"),
        purpose: "to give so much",
    };
    asked.confirm(given.map(|given| given.to_string()))
}

fn in_words(ledger: &Ledger) -> String {
    let price = |amount: Cents| amount.priced(&ledger.currency);
    let change = |amount: Cents| if amount == Cents::ZERO { "-".to_owned() } else { price(amount) };
    let row = |entry: &LedgerEntry| {
        let LedgerEntry { at, description, owed, credit, owed_after, author, reason, .. } = entry;
        let why = if reason.is_empty() { "-".to_owned() } else { reason.clone() };
        [moment(*at), description.clone(), change(*owed), change(*credit), price(*owed_after), author.clone(), why]
    };
    let headings = ["WHEN", "WHAT", "OWED", "CREDIT", "OWED THEN", "BY", "WHY"];
    let entries = table(&headings, ledger.entries.iter().map(row));
    let owed = match ledger.owed {
        owed if owed < Cents::ZERO => format!("Paid ahead: {}.", price(Cents::new(owed.get().saturating_neg()))),
        owed => format!("Owed: {}.", price(owed)),
    };
    format!("{entries}\n{owed} Credit for the next invoices: {}.\n", price(ledger.credit))
}
