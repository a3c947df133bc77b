use api::{Client, Contest, ContestFilter, ContestState, DecideContest, NewContest};
use clap::Subcommand;
use jiff::Timestamp;

use crate::context::Context;
use crate::failure::{Doing as _, Failure};
use crate::output::{or_dash, table};
use crate::when::moment;

/// What can be done about hours that customers do not want to pay for.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List contested hours
    #[command(after_help = "`spinoff usage hour` shows what is known of one.

Examples:
  spinoff contests list --state open
  spinoff contests list --json | jq -r '.data[] | select(.state == \"open\") | .id'")]
    List {
        /// Only those that stand there: open, accepted or refused
        #[arg(long, value_parser = state)]
        state: Option<ContestState>,
    },
    /// Contest an hour for a customer, as the customer can under “Bills”
    #[command(after_help = "An hour is contested once, however often the command is run.

Exit codes: 0 it is contested, 3 no such instance, 4 nobody is to pay for the hour.

Examples:
  spinoff contests open acme --hour 2026-11-28T09:00Z --reason 'Nobody was at work, she says.'")]
    Open {
        /// Id, project name or subdomain
        instance: String,
        /// Any moment within the hour, with its zone
        #[arg(long, value_name = "MOMENT")]
        hour: Timestamp,
        /// Why, in one sentence
        #[arg(long, value_name = "SENTENCE")]
        reason: String,
    },
    /// Accept a contest: the hour is waived, and credited where it was billed
    #[command(after_help = "To accept is final: the hour is never charged again. The customer gets a mail.

Exit codes: 0 it is accepted, 3 no such contest, 4 it was refused already.

Examples:
  spinoff contests accept ins_01k9x0a4q7e8r9t0v1w2x3y4z5-498585
  spinoff contests accept ins_01k9x0a4q7e8r9t0v1w2x3y4z5-498585 --answer 'You are right; it was our probe.'")]
    Accept {
        /// Id of the contest
        id: String,
        /// What the customer is answered
        #[arg(long, value_name = "SENTENCE", default_value = "", hide_default_value = true)]
        answer: String,
    },
    /// Refuse a contest: the hour is to be paid for
    #[command(after_help = "The customer gets the answer by mail. A refused hour can still be waived.

Exit codes: 0 it is refused, 3 no such contest, 4 it was accepted already, or there is no answer.

Examples:
  spinoff contests refuse ins_01k9x0a4q7e8r9t0v1w2x3y4z5-498585 --answer 'Ben was at work from 9:02 to 9:40.'")]
    Refuse {
        /// Id of the contest
        id: String,
        /// What the customer is answered
        #[arg(long, value_name = "SENTENCE")]
        answer: String,
    },
}

/// Runs one of them.
pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        Command::List { state } => list(context, &client, &ContestFilter { state }).await,
        Command::Open { instance, hour, reason } => {
            let what = || format!("can't contest {hour} of {instance}");
            let contest = client.contest(&NewContest { instance: instance.clone(), hour, reason }).await.doing(what)?;
            let words = format!("{} of {instance} is contested: {}", hour_of(&contest), contest.id);
            context.output.report(&contest, words)
        }
        Command::Accept { id, answer } => {
            let contest = decide(&client, &id, ContestState::Accepted, answer).await?;
            let words = format!("{} is waived; what was billed for it is credited", hour_of(&contest));
            context.output.report(&contest, words)
        }
        Command::Refuse { id, answer } => {
            let contest = decide(&client, &id, ContestState::Refused, answer).await?;
            context.output.report(&contest, format!("{} is to be paid for", hour_of(&contest)))
        }
    }
}

async fn decide(client: &Client, id: &str, state: ContestState, answer: String) -> Result<Contest, Failure> {
    let what = || match state {
        ContestState::Accepted => format!("can't accept {id}"),
        _ => format!("can't refuse {id}"),
    };
    client.decide_contest(id, &DecideContest { state, answer }).await.doing(what)
}

async fn list(context: &Context, client: &Client, filter: &ContestFilter) -> Result<(), Failure> {
    let page = Client::every(async |paging| client.contests(filter, &paging).await)
        .await
        .doing(|| "can't list the contests".to_owned())?;
    let headings = ["CONTEST", "HOUR (UTC)", "STATE", "SINCE", "BY", "WHY", "ANSWER"];
    context.output.show(&page, || table(&headings, page.data.iter().map(row)))
}

fn row(contest: &Contest) -> [String; 7] {
    [
        contest.id.clone(),
        hour_of(contest),
        contest.state.as_str().to_owned(),
        moment(contest.opened_at),
        contest.author.clone(),
        contest.reason.clone(),
        or_dash(contest.answer.as_ref().filter(|answer| !answer.is_empty())),
    ]
}

fn hour_of(contest: &Contest) -> String {
    contest.hour_start.strftime("%Y-%m-%d %H:00").to_string()
}

fn state(word: &str) -> Result<ContestState, String> {
    ContestState::ALL.into_iter().find(|state| state.as_str() == word).ok_or_else(|| {
        let words = ContestState::ALL.map(ContestState::as_str).join(", ");
        format!("choose one of {words}")
    })
}
