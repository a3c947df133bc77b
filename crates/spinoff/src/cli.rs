use std::convert::Infallible;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use secrecy::SecretString;
use tokio::runtime::{Builder, Runtime};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::up::UpArgs;
use crate::{
    admin_link, alerts, analytics, audit, backups, billing, cancel, completions, contests, coupons, customers, delete,
    deploy, doctor, incidents, instances, invoices, ledger, log, mail, members, model, pool, providers, provision,
    releases, rollouts, search, serve, setup, spend, spending, store, suspension, tickets, up, usage, verify,
    workflows,
};

/// Sells a web application: every customer gets an instance of their own
#[derive(Debug, Parser)]
#[command(
    name = "spinoff",
    version,
    max_term_width = 100,
    after_help = "Without a command, `spinoff` is `spinoff up`.

Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused, 5 timed out.

Examples:
  spinoff                                        start everything on this machine
  spinoff setup --dry-run                        see what Cloudflare, Stripe and Railway need first
  spinoff serve --config /etc/spinoff.toml       start the main instance for customers
  spinoff provision ada@example.com acme         give a customer an instance
  spinoff instances list --json | jq '.data[].url'"
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What every command understands.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Folder that holds everything of this installation [default: $XDG_DATA_HOME/spinoff or
    /// ~/.local/share/spinoff, for root /var/lib/spinoff]
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,

    /// Settings file of `up`, `serve`, `setup` and `doctor` [default: spinoff.toml in the data folder, if there is one]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,

    /// Address of the server [default: the one that runs for the data folder]
    #[arg(long, value_name = "URL", env = "SPINOFF_SERVER", global = true)]
    pub server: Option<String>,

    /// Token for the server [default: the one in the data folder]
    #[arg(long, value_name = "TOKEN", env = "SPINOFF_TOKEN", hide_env_values = true, global = true,
        value_parser = secret)]
    pub token: Option<SecretString>,

    /// Print the API's JSON instead of tables and sentences
    #[arg(long, global = true)]
    pub json: bool,

    /// Print results only: no progress, no confirmations
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// Everything the executable can be.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start everything on this machine
    Up(Box<UpArgs>),
    /// Start the main instance for customers: behind TLS, with mail that leaves
    Serve(serve::Args),
    /// Run the guard of one instance: lets its members through to its application, and nobody else
    #[command(
        after_help = "Every option is also an environment variable. The server starts guards by itself; by hand it is
for applications that run elsewhere.

Examples:
  spinoff guard --issuer https://team.cloudflareaccess.com --audience AUD --members members.txt \\
      --upstream http://127.0.0.1:3000
  spinoff guard --issuer http://localhost:8080 --audience AUD --members members.txt -- ./my-app --port 8000"
    )]
    Guard(Box<guard::CommandLine>),
    /// Run the bundled application: meetings with a team of AI personas, visions and a backlog
    Workspace(Box<workspace::Args>),
    #[command(flatten)]
    Operate(Operation),
}

/// What an operator can ask for.
#[derive(Debug, Subcommand)]
pub enum Operation {
    /// Make an instance for a customer and wait until it is ready
    Provision(provision::Args),
    /// Take an instance down, with all its data
    Delete(delete::Args),
    /// Give an instance up at the end of what is paid for, or take that back
    Cancel(cancel::Args),
    /// Close an instance for now and keep its data
    Suspend(suspension::SuspendArgs),
    /// Open a suspended instance again
    Resume(suspension::ResumeArgs),
    /// Bring one instance, or all, to a release, and wait until they run it
    Deploy(deploy::Args),
    /// The versions of the application, and how far each has got
    #[command(subcommand)]
    Releases(releases::Command),
    /// What brings many instances to a release
    #[command(subcommand)]
    Rollouts(rollouts::Command),
    /// The customers' copies of the application
    #[command(subcommand)]
    Instances(instances::Command),
    /// Who may enter an instance
    #[command(subcommand)]
    Members(members::Command),
    /// Who signs and pays
    #[command(subcommand)]
    Customers(customers::Command),
    /// What customers pay less for
    #[command(subcommand)]
    Coupons(coupons::Command),
    /// What instances keep, kept a second time: take one, put one back
    #[command(subcommand)]
    Backups(backups::Command),
    /// The whole record: move it, back it up, put it back
    #[command(subcommand)]
    Store(store::Command),
    /// What waits for an operator
    #[command(subcommand)]
    Alerts(alerts::Command),
    /// What the status page says when something does not work
    #[command(subcommand)]
    Incidents(incidents::Command),
    /// What customers want of support, and all that is said about it
    #[command(subcommand)]
    Tickets(tickets::Command),
    /// Provisioning, deletion and other long work
    #[command(subcommand)]
    Workflows(workflows::Command),
    /// The hours in which an instance was used, and the bill so far
    #[command(subcommand)]
    Usage(usage::Command),
    /// What an instance may cost: forecast, cap and budget
    #[command(subcommand)]
    Spending(spending::Command),
    /// Hours that customers do not want to pay for
    #[command(subcommand)]
    Contests(contests::Command),
    /// What was charged, and what came in
    #[command(subcommand)]
    Invoices(invoices::Command),
    /// What a customer owes, and has of credit
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Issue invoices, and compute the books again
    #[command(subcommand)]
    Billing(billing::Command),
    /// What the business is run by: revenue, churn, what winning a customer costs, and whether targets are met
    Analytics(analytics::Args),
    /// What was spent to win customers
    #[command(subcommand)]
    Spend(spend::Command),
    /// Railway, Cloudflare and the like: how they are, and what is left behind there
    #[command(subcommand)]
    Providers(providers::Command),
    /// Prove that what should be so is so
    #[command(subcommand)]
    Verify(verify::Command),
    /// The AI that is included, and what was used of it
    #[command(subcommand)]
    Model(model::Command),
    /// The instances that are made ahead of their customers
    Pool(pool::Args),
    /// Find a customer, an instance, a member, an invoice, a workflow or a release
    Search(search::Args),
    /// What the main instance writes to people, and what became of it
    #[command(subcommand)]
    Mail(mail::Command),
    /// Who changed what
    #[command(subcommand)]
    Audit(audit::Command),
    /// Print the link that signs the operator in
    AdminLink(admin_link::Args),
    /// Do what is done once at Cloudflare, Stripe and Railway
    Setup(setup::Args),
    /// Check this machine, its installation and the providers
    Doctor(doctor::Args),
    /// Print completions for a shell
    Completions(completions::Args),
}

impl Cli {
    /// What every command understands, and what was asked; starting everything when nothing was.
    pub fn into_parts(self) -> (Global, Command) {
        (self.global, self.command.unwrap_or_else(|| Command::Up(Box::new(UpArgs::usual()))))
    }
}

impl Command {
    /// Runs the command to its end, and gives the code to exit with.
    pub fn run(self, context: &Context) -> Result<ExitCode, Failure> {
        // Threads only for the one that serves customers.
        match self {
            // The guard brings its own runtime, and its exit code is the application's.
            Self::Guard(line) => return Ok(line.run()),
            Self::Up(args) => start(Builder::new_multi_thread())?.block_on(up::run(context, *args))?,
            Self::Serve(args) => start(Builder::new_multi_thread())?.block_on(serve::run(context, args))?,
            Self::Workspace(args) => {
                log::to_stderr();
                start(Builder::new_current_thread())?.block_on(workspace::run(*args))?;
            }
            Self::Operate(operation) => start(Builder::new_current_thread())?.block_on(operation.run(context))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Operation {
    async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Provision(args) => provision::run(context, args).await,
            Self::Delete(args) => delete::run(context, args).await,
            Self::Cancel(args) => cancel::run(context, args).await,
            Self::Suspend(args) => suspension::suspend(context, args).await,
            Self::Resume(args) => suspension::resume(context, args).await,
            Self::Deploy(args) => deploy::run(context, args).await,
            Self::Releases(command) => releases::run(context, command).await,
            Self::Rollouts(command) => rollouts::run(context, command).await,
            Self::Instances(command) => instances::run(context, command).await,
            Self::Members(command) => members::run(context, command).await,
            Self::Customers(command) => customers::run(context, command).await,
            Self::Coupons(command) => coupons::run(context, command).await,
            Self::Backups(command) => backups::run(context, command).await,
            Self::Store(command) => store::run(context, command).await,
            Self::Alerts(command) => alerts::run(context, command).await,
            Self::Incidents(command) => incidents::run(context, command).await,
            Self::Tickets(command) => tickets::run(context, command).await,
            Self::Workflows(command) => workflows::run(context, command).await,
            Self::Usage(command) => usage::run(context, command).await,
            Self::Spending(command) => spending::run(context, command).await,
            Self::Contests(command) => contests::run(context, command).await,
            Self::Invoices(command) => invoices::run(context, command).await,
            Self::Ledger(command) => ledger::run(context, command).await,
            Self::Billing(command) => billing::run(context, command).await,
            Self::Analytics(args) => analytics::run(context, args).await,
            Self::Spend(command) => spend::run(context, command).await,
            Self::Providers(command) => providers::run(context, command).await,
            Self::Verify(command) => verify::run(context, command).await,
            Self::Model(command) => model::run(context, command).await,
            Self::Pool(args) => pool::run(context, args).await,
            Self::Search(args) => search::run(context, args).await,
            Self::Mail(command) => mail::run(context, command).await,
            Self::Audit(command) => audit::run(context, command).await,
            Self::AdminLink(admin_link::Args {}) => admin_link::run(context),
            Self::Setup(args) => setup::run(context, args).await,
            Self::Doctor(args) => doctor::run(context, args).await,
            Self::Completions(args) => completions::run(&args),
        }
    }
}

fn start(mut builder: Builder) -> Result<Runtime, Failure> {
    builder.enable_all().build().map_err(|cause| Failure::new(Exit::Failed, "can't start", cause))
}

fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(SecretString::from(text))
}

#[cfg(test)]
mod reference;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn nothing_at_all_starts_everything() {
        let (_, command) = Cli::try_parse_from(["spinoff", "--data", "/d"]).unwrap().into_parts();
        let Command::Up(args) = command else { panic!("{command:?}") };
        assert_eq!((args.listen, args.app), (None, None));
    }

    #[test]
    fn options_of_every_command_may_stand_anywhere() {
        for line in [
            "spinoff --json --server http://x instances list",
            "spinoff instances --json list --server http://x",
            "spinoff instances list --server http://x --json",
        ] {
            let (global, _) = Cli::try_parse_from(line.split(' ')).unwrap().into_parts();
            assert!(global.json, "{line}");
            assert_eq!(global.server.as_deref(), Some("http://x"), "{line}");
        }
    }

    #[test]
    fn the_settings_file_is_named_before_or_after_the_command() {
        for line in
            ["spinoff --config /f", "spinoff --config /f up", "spinoff up --config /f", "spinoff doctor --config /f"]
        {
            let (global, _) = Cli::try_parse_from(line.split(' ')).unwrap().into_parts();
            assert_eq!(global.config, Some(PathBuf::from("/f")), "{line}");
        }
    }

    #[test]
    fn the_notebook_keeps_its_files_where_it_is_told() {
        for line in ["spinoff workspace --data /d", "spinoff --data /d workspace"] {
            let (_, command) = Cli::try_parse_from(line.split(' ')).unwrap().into_parts();
            let Command::Workspace(args) = command else { panic!("{command:?}") };
            assert_eq!(args.data, PathBuf::from("/d"), "{line}");
        }
    }

    #[test]
    fn the_guards_helpers_are_at_hand() {
        for line in ["spinoff guard hash-password", "spinoff guard check --issuer http://localhost --audience x"] {
            let (_, command) = Cli::try_parse_from(line.split(' ')).unwrap().into_parts();
            assert!(matches!(command, Command::Guard(_)), "{line}");
        }
    }

    #[test]
    fn what_follows_the_dashes_belongs_to_the_application() {
        let line = "spinoff guard --issuer http://localhost:8080 -- app --json --data x";
        let (global, command) = Cli::try_parse_from(line.split(' ')).unwrap().into_parts();
        let Command::Guard(line) = command else { panic!("{command:?}") };
        assert_eq!(line.args.command, ["app", "--json", "--data", "x"]);
        assert!(!global.json && global.data.is_none());
    }

    /// The words of a line as a shell takes them apart: by spaces, but not within quotes.
    fn words(line: &str) -> Vec<String> {
        line.split('\'').enumerate().fold(vec![String::new()], |mut words, (place, part)| {
            for (number, piece) in
                if place % 2 == 1 { vec![part] } else { part.split(' ').collect() }.iter().enumerate()
            {
                if number > 0 {
                    words.push(String::new());
                }
                if let Some(last) = words.last_mut() {
                    last.push_str(piece);
                }
            }
            words
        })
    }

    #[test]
    fn every_command_in_a_document_is_one() {
        let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let runbooks = std::fs::read_dir(docs.join("runbooks")).unwrap().map(|file| file.unwrap().path());
        // Those whose commands can be typed as they stand.
        let others =
            ["quick-start.md", "troubleshooting.md", "your-application.md", "security.md", "api.md", "support.md"];
        let mut checked = 0;
        for path in runbooks.chain(others.map(|name| docs.join(name))) {
            let text = std::fs::read_to_string(&path).unwrap().replace("\\\n", " ");
            // Whole lines of it without their comments, and what stands within a sentence.
            let lines = text.lines().map(|line| line.split(" #").next().unwrap_or_default().trim());
            let lines = lines.filter(|line| line.starts_with("spinoff "));
            let inline = text.split('`').skip(1).step_by(2).filter(|code| code.starts_with("spinoff "));
            for line in lines.chain(inline) {
                let parsed = Cli::try_parse_from(words(line).into_iter().filter(|word| !word.is_empty()));
                assert!(parsed.is_ok(), "{}: {line}: {}", path.display(), parsed.err().unwrap());
                checked += 1;
            }
        }
        assert!(checked > 70, "only {checked} commands were found");
    }

    #[test]
    fn every_command_shows_how_it_is_used() {
        let mut waiting = vec![("spinoff".to_owned(), Cli::command())];
        while let Some((path, command)) = waiting.pop() {
            assert!(command.get_about().is_some(), "{path} says nothing about itself");
            let children: Vec<_> = command
                .get_subcommands()
                .map(|child| (format!("{path} {}", child.get_name()), child.clone()))
                .collect();
            if children.is_empty() {
                let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(examples.contains("Example"), "{path} has no examples");
            }
            waiting.extend(children);
        }
    }
}
