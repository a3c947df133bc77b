use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use api::NewInstance;
use domain::{Email, ProjectName, Subdomain, parse_instances_txt};
use serde::Serialize;

use super::{file_failure, projects};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::follow::Patience;
use crate::output::table;
use crate::provision::{Waits, ask, await_instance, customer, to_be_paid};

/// Which list to compare, and what to do about missing instances.
#[derive(Debug, clap::Args)]
#[command(after_help = "The list has one project name a line; empty lines and lines that begin with # are passed over.
Without --customer nothing is changed: the command says which listed instances are missing on the
server, and which instances of the server are not listed. With --customer, the missing ones are
provisioned, one after the other, and that customer owns and pays for all of them. Instances that
are not listed are never touched.

Exit codes: 0 every listed instance is there, 1 some are missing, 4 one was refused.

Examples:
  spinoff instances import instances.txt
  spinoff instances export | spinoff instances import
  spinoff instances import instances.txt --customer ada@example.com")]
pub struct Args {
    /// File to read; - for standard input
    #[arg(default_value = "-")]
    file: PathBuf,

    /// Provision missing instances for this customer, who pays for them
    #[arg(long, value_name = "EMAIL")]
    customer: Option<String>,

    /// Wait at most so many seconds for each instance
    #[arg(long, value_name = "SECONDS", default_value_t = 600, requires = "customer")]
    timeout: u64,
}

/// How list and server compare.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Comparison {
    /// Listed and there.
    present: BTreeSet<ProjectName>,
    /// Listed, but not there.
    missing: BTreeSet<ProjectName>,
    /// There, but not listed.
    not_listed: BTreeSet<ProjectName>,
    /// Missing, and made by this command.
    provisioned: BTreeSet<ProjectName>,
}

/// Compares the list, and makes what is missing if asked.
pub async fn run(context: &Context, args: Args) -> Result<(), Failure> {
    let buyer = args.customer.as_deref().map(customer).transpose()?;
    let listed = parse_instances_txt(&read(&args.file)?)
        .map_err(|cause| Failure::new(Exit::Failed, format!("can't use the list {}", args.file.display()), cause))?;
    let mut comparison = compare(listed, projects(&context.client()?).await?);
    let made = match buyer {
        Some(buyer) => provision_missing(context, &mut comparison, &buyer, args.timeout).await,
        None => Ok(()),
    };
    // What was made is told even when the next one failed.
    context.output.show(&comparison, || in_words(&comparison))?;
    made?;
    if comparison.missing.is_empty() {
        return Ok(());
    }
    let why = format!("{} of the listed instances are missing on the server", comparison.missing.len());
    Err(Failure::new(Exit::Failed, "the list does not fit the server", why)
        .next("give --customer EMAIL to provision them for that customer"))
}

fn read(file: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match file.as_os_str() == "-" {
        true => std::io::stdin().read_to_string(&mut text).map(drop),
        false => fs::read_to_string(file).map(|read| text = read),
    };
    read.map(|()| text).map_err(|cause| file_failure("can't read the list", file, &cause))
}

fn compare(listed: Vec<ProjectName>, there: Vec<ProjectName>) -> Comparison {
    let (listed, there) = (BTreeSet::from_iter(listed), BTreeSet::from_iter(there));
    Comparison {
        present: listed.intersection(&there).cloned().collect(),
        missing: listed.difference(&there).cloned().collect(),
        not_listed: there.difference(&listed).cloned().collect(),
        provisioned: BTreeSet::new(),
    }
}

async fn provision_missing(
    context: &Context,
    comparison: &mut Comparison,
    customer: &Email,
    timeout: u64,
) -> Result<(), Failure> {
    let client = context.client()?;
    let waits = Waits { patience: Patience { no_wait: false, timeout }, until_paid: false };
    for name in comparison.missing.clone() {
        let subdomain = Subdomain::parse(name.slug())
            .map_err(|cause| Failure::new(Exit::Refused, format!("can't provision {name}"), cause))?;
        let wish = NewInstance { customer_email: customer.clone(), subdomain };
        let accepted = ask(&client, &wish, None).await?;
        match await_instance(context, &client, &wish, &accepted, &waits).await? {
            Some(_) => {
                comparison.missing.remove(&name);
                comparison.provisioned.insert(name);
            }
            None => context.output.note(to_be_paid(&wish, &accepted)),
        }
    }
    Ok(())
}

fn in_words(comparison: &Comparison) -> String {
    let rows = |names: &BTreeSet<ProjectName>, word: &str| {
        names.iter().map(|name| [name.to_string(), word.to_owned()]).collect::<Vec<_>>()
    };
    let mut all = rows(&comparison.present, "present");
    all.extend(rows(&comparison.provisioned, "provisioned"));
    all.extend(rows(&comparison.missing, "missing"));
    all.extend(rows(&comparison.not_listed, "not listed"));
    all.sort();
    table(&["PROJECT", "ON THE SERVER"], all)
}
