use api::{Client, Coupon, NewCoupon, RedeemCoupon};
use clap::{ArgGroup, Subcommand};
use domain::{Cents, CouponCode, CustomerId};
use jiff::Timestamp;

use crate::context::Context;
use crate::customers::coupons_in_words;
use crate::failure::{Doing as _, Failure};
use crate::money::amount;
use crate::output::{or_dash, pairs, table};
use crate::when::{end_of, moment};

/// What can be done about coupons.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Offer a coupon: a part of everything, an amount of money, or hours for free
    #[command(
        group = ArgGroup::new("worth").required(true).args(["percent", "amount", "hours"]),
        after_help = "Customers redeem it on their page of bills, or you give it to them. Each has it once, and it counts
for all their workspaces. A percentage covers whole periods, from the one in which it is redeemed on; an amount
or hours are taken off invoices until nothing of them is left. Offering the same one again changes nothing.

Exit codes: 0 it is offered, 1 failed, 2 usage, 4 the code is taken, or it would give nothing.

Examples:
  spinoff coupons create LAUNCH --percent 20 --periods 3
  spinoff coupons create SORRY --amount 10.00 --name 'With our apologies' --most 1
  spinoff coupons create WELCOME --hours 10 --until 2026-12-31 --most 100 --json"
    )]
    Create {
        /// What customers type: 3 to 32 letters, digits and hyphens; case does not matter
        code: CouponCode,
        /// As it stands on invoices [default: the code]
        #[arg(long)]
        name: Option<String>,
        /// So many percent off, such as 20 or 7.5
        #[arg(long, value_name = "PERCENT")]
        percent: Option<String>,
        /// For so many periods [default: for as long as the customer stays]
        #[arg(long, value_name = "NUMBER", conflicts_with_all = ["amount", "hours"], value_parser = clap::value_parser!(u32).range(1..))]
        periods: Option<u32>,
        /// So much off in all, before taxes
        #[arg(long, value_name = "AMOUNT", value_parser = amount)]
        amount: Option<Cents>,
        /// So many usage hours for free
        #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
        hours: Option<u32>,
        /// The last day, in UTC, on which it can be redeemed [default: for ever]
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = end_of)]
        until: Option<Timestamp>,
        /// So many customers can have it [default: all]
        #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
        most: Option<u32>,
    },
    /// List the coupons
    #[command(after_help = "Examples:
  spinoff coupons list
  spinoff coupons list --json | jq -r '.data[] | select(.ended_at | not) | .code'")]
    List,
    /// Show one coupon
    #[command(after_help = "Exit codes: 0 shown, 1 failed, 3 no such coupon.

Examples:
  spinoff coupons show LAUNCH")]
    Show {
        /// Its code
        code: CouponCode,
    },
    /// Let nobody redeem a coupon any more; whoever has it keeps it
    #[command(after_help = "Exit codes: 0 it has ended, 1 failed, 3 no such coupon.

Examples:
  spinoff coupons end LAUNCH")]
    End {
        /// Its code
        code: CouponCode,
    },
    /// Give a coupon to a customer, as if they had redeemed it
    #[command(after_help = "Giving it again changes nothing. `spinoff customers coupons` shows what a customer has.

Exit codes: 0 they have it, 1 failed, 3 no such customer, 4 no such coupon, or it has ended.

Examples:
  spinoff coupons give LAUNCH cus_01j9z3k4m5n6p7q8r9s0t1v2w3")]
    Give {
        /// Its code
        code: CouponCode,
        /// The customer's id; `spinoff customers list` shows all
        customer: CustomerId,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        Command::Create { code, name, percent, periods, amount, hours, until, most } => {
            let new = NewCoupon { code, name, percent, periods, amount, hours, redeem_until: until, most };
            let what = || format!("can't offer the coupon {}", new.code);
            let coupon = client.create_coupon(&new).await.doing(what)?;
            context.output.report(&coupon, format!("{} is offered: {}", coupon.code, coupon.offer))
        }
        Command::List => {
            let page = Client::every(async |paging| client.coupons(&paging).await)
                .await
                .doing(|| "can't list the coupons".to_owned())?;
            let headings = ["CODE", "GIVES", "REDEEMED", "UNTIL", "ENDED", "NAME"];
            context.output.show(&page, || table(&headings, page.data.iter().map(row)))
        }
        Command::Show { code } => {
            let coupon = client.coupon(&code).await.doing(|| format!("can't show the coupon {code}"))?;
            context.output.show(&coupon, || in_words(&coupon))
        }
        Command::End { code } => {
            let coupon = client.end_coupon(&code).await.doing(|| format!("can't end the coupon {code}"))?;
            let words = format!("{code} has ended; {} customers have it and keep it", coupon.redeemed);
            context.output.report(&coupon, words)
        }
        Command::Give { code, customer } => {
            let given = RedeemCoupon { code };
            let what = || format!("can't give {} to {customer}", given.code);
            let held = client.give_coupon(customer, &given).await.doing(what)?;
            context.output.report(&held, coupons_in_words(&held).trim_end())
        }
    }
}

fn redeemed(coupon: &Coupon) -> String {
    coupon.most.map_or_else(|| coupon.redeemed.to_string(), |most| format!("{} of {most}", coupon.redeemed))
}

fn row(coupon: &Coupon) -> [String; 6] {
    [
        coupon.code.to_string(),
        coupon.offer.clone(),
        redeemed(coupon),
        or_dash(coupon.redeem_until.map(moment)),
        or_dash(coupon.ended_at.map(moment)),
        coupon.name.clone(),
    ]
}

fn in_words(coupon: &Coupon) -> String {
    pairs(&[
        ("code", coupon.code.to_string()),
        ("name", coupon.name.clone()),
        ("gives", coupon.offer.clone()),
        ("redeemed", redeemed(coupon)),
        ("until", or_dash(coupon.redeem_until.map(moment))),
        ("offered", moment(coupon.created_at)),
        ("ended", or_dash(coupon.ended_at.map(moment))),
    ])
}
